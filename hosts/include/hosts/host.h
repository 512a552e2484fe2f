/* All that a host must give, and the loop-independent part that uses it.
 *
 * A host (Linux, a browser tab, Sampurna, the fake of the tests) fills one table,
 * struct host_ops, and reports what happens outside as events:
 *
 *     the host's loop -> host_event() -> core_step() -> actions -> host_ops
 *            ^                                                        |
 *            +---- answers: at once by return value, or later --------+
 *
 * A host has no policy. It never decides whether something may be done: core has
 * decided already when one of these functions is called.
 */
#ifndef HOSTS_HOST_H
#define HOSTS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "core/core.h"

/* What the app's folder held. The text belongs to the host and lives until its next
 * load or unload of the same app. */
struct host_loaded {
    struct span manifest; /* vyoma.toml; or, on failure, why, for people */
    uint8_t hash[32];     /* SHA-256 of the very bytes that will run */
};

struct host_spawned {
    int32_t pid;      /* for records; 0 where there is no such thing */
    struct span why;  /* on failure, for people; lives until the next spawn */
};

/* Functions return 0 or a negative base_err. Those that answer an event may return
 * E_AGAIN instead: the answer comes later through host_event(). None may call
 * host_event() from within. Spans that come in live for the call. */
struct host_ops {
    void *ctx;

    uint64_t (*now_ms)(void *ctx);  /* monotonic */
    uint64_t (*unix_ms)(void *ctx); /* wall clock */

    /* Reads the manifest and the module of the app called name, keeps the module's bytes
     * where nothing can change them any more, hashes them. E_AGAIN: CORE_EV_LOADED later. */
    int (*load)(void *ctx, core_app app, struct span name, struct host_loaded *ret);
    /* Forgets what was loaded; unknown apps are ignored. */
    void (*unload)(void *ctx, core_app app);
    /* Starts what was loaded. E_AGAIN: CORE_EV_SPAWNED later. When it has succeeded
     * there will be exactly one CORE_EV_EXITED. */
    int (*spawn)(void *ctx, core_app app, const struct core_grants *grants,
                 struct host_spawned *ret);
    /* Hashes the module in storage again. E_AGAIN: CORE_EV_VERIFIED later. */
    int (*verify)(void *ctx, core_app app, struct span name, uint8_t hash[32]);

    /* Puts bytes into the app's stdin without blocking. How many went in (> 0), or
     * E_AGAIN: none, and CORE_EV_DELIVERED with count 0 comes when there is room; or
     * E_IO: it has closed its end. */
    int (*write_stdin)(void *ctx, core_app app, struct span bytes);
    void (*close_stdin)(void *ctx, core_app app);
    /* Stops or resumes reading the app's stdout and stderr. */
    void (*pause_output)(void *ctx, core_app app, bool paused);
    /* Answers the app's request: does it (error 0) or reports error. name and bytes:
     * sender and message of CORE_REQ_MSG_RECV. */
    void (*reply)(void *ctx, core_app app, uint32_t request_id, int error, struct span name,
                  struct span bytes);
    void (*ask_stop)(void *ctx, core_app app);
    void (*kill)(void *ctx, core_app app);

    void (*console)(void *ctx, enum core_stream stream, struct span bytes);
    /* A notice of core's, lines that begin "vyoma: " and, indented, what belongs to them; NULL:
     * to the console as stderr. */
    void (*notice)(void *ctx, struct span lines);
    /* One whole line, appended. After a failure nothing is appended until core has been told
     * of the loss, with one CORE_EV_AUDIT_LOST, when the event and its answers are done. */
    int (*audit)(void *ctx, struct span line);
    /* One CORE_EV_TIMER at that time of now_ms(), replacing what was asked before. */
    void (*timer)(void *ctx, uint64_t at_ms);
    /* Everything has ended: store what is in memory, then do it. May not return. */
    void (*power)(void *ctx, enum core_stop stop, int32_t code);
};

/* A core and the host under it. Large (a step's actions and the answers waiting):
 * not for a stack. Answers are bounded because core has at most one LOAD, SPAWN,
 * VERIFY and DELIVER open per app. */
struct host {
    struct core *core;
    const struct host_ops *ops;
    struct core_actions actions;
    struct host_answer {
        enum core_event_type type;
        core_app app;
        int error;
        int32_t pid;
        uint64_t count;
        struct span text;
        uint8_t hash[32];
    } answers[4 * CORE_APPS_MAX];
    uint32_t answers_head, answers_count;
    uint64_t audits_lost; /* records of this event that could not be stored */
};

/* core and ops are borrowed. *h need not be zeroed as a whole, only its counts are set. */
void host_init(struct host *h, struct core *core, const struct host_ops *ops);

/* Gives the event to core, performs the actions, and gives the answers of those that
 * answered at once, until nothing is left to do. Fills in the event's times. */
void host_event(struct host *h, struct core_event *event);

#endif
