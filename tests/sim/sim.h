/* The simulator: a fake host and fake apps, driven by a seed, around a real core; and a
 * model that knows from its own books what the core may and must do.
 *
 * The books are kept from the other side: manifests are made from struct plan (and, when
 * their bytes were corrupted, read back by the parser), messages carry serial numbers, and
 * what arrives is looked up by them. Nothing here looks into the core except core_check. */
#ifndef TESTS_SIM_H
#define TESTS_SIM_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "core/audit_chain.h"
#include "core/core.h"

enum {
    SIM_APPS = 10,         /* names known to the world */
    SIM_MESSAGES = 1 << 16, /* remembered by serial number */
    SIM_QUEUE = 1 << 10,   /* typed messages waiting, a life */
    SIM_PIPE = 1 << 17,
    SIM_LOG = 1 << 22,     /* the stored audit log */
    SIM_REQUESTS = CORE_REQUESTS_MAX + 8,
};

struct rng {
    uint64_t s;
};
uint64_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* 0 when n is 0 */
bool rng_one_in(struct rng *r, uint32_t n);

/* What a manifest grants, in the model's own words. */
struct plan {
    uint32_t caps; /* bits of enum manifest_cap */
    bool lines, send_any, hears;
    bool send_listed; /* names, known or not */
    uint32_t send; /* bits of app indices */
    uint16_t port, connect_port; /* 0: none; connect host is "host.example" */
    uint32_t watchdog_secs, rate, memory_kib;
    uint8_t restart; /* 0 never, 1 on failure, 2 always */
    bool valid;      /* the manifest can be read and is of this app */
};

enum to { TO_APP, TO_REPLY, TO_BROADCAST };
struct message {
    uint32_t serial;
    uint8_t from, to_kind, to;
    core_app life;     /* of the sender */
    uint32_t seen; /* by which apps, a bit each */
};

enum phase { PHASE_NONE, PHASE_LOADING, PHASE_LOADED, PHASE_SPAWNING, PHASE_UP };

struct typed {
    uint32_t serial;
    uint8_t from;
};

struct sapp {
    char name[40];
    struct plan plan, next_plan; /* of the present life; of the next load */
    char toml[4096];
    size_t toml_len;
    uint8_t module;      /* storage holds this version */
    bool missing;        /* nothing to load */
    core_app id, last_id;
    enum phase phase;
    bool load_asked, spawn_asked;
    bool paused, asked_to_stop, killed, eof, closed_stdin, reads;
    bool ending, ending_failed, ending_hopeless; /* how, if this step ends its life */
    bool meddles;        /* has written a command that ends or starts apps */
    bool module_seen;    /* its first version is known to the core */
    uint8_t module_first;
    bool touched;        /* told to stop by someone: its end is not for the policy to mend */

    char out[SIM_PIPE];  /* written, not yet given to the core */
    size_t out_len;
    uint8_t deliver[CORE_STDIN_BYTES_MAX]; /* the open DELIVER */
    size_t deliver_len;
    bool deliver_open;
    char line[CORE_LINE_BYTES_MAX + 128]; /* of its stdin, so far */
    size_t line_len;
    uint32_t last_serial[SIM_APPS]; /* delivered to this life, by sender */
    core_app last_serial_life[SIM_APPS];
    core_app heard_from[SIM_APPS];  /* lives that may be answered */

    struct typed queue[SIM_QUEUE];
    uint32_t queue_head, queue_len;
    uint32_t recv[SIM_REQUESTS];
    uint32_t recv_len;

    char given[CORE_LINE_BYTES_MAX + 128]; /* the line that the core has seen a part of */
    size_t given_len;

    /* Books of this life. */
    uint64_t emitted;  /* complete lines @app: and @reply: given to the core */
    uint64_t refused, lost; /* lines that told it so */
    uint64_t wrong;    /* other lines that are answered by an error line */
    uint64_t arrived;  /* of the emitted, those that reached someone */
    uint64_t life_audit_sends, life_typed;
    bool has_broadcast, recipient_died, overrun;
    /* Books of this life against the audit log. */
    uint64_t files, connects, send_denials, other_denials;
    uint64_t audit_files, audit_connects, audit_send_denials, audit_other_denials,
        audit_excess, audit_lumped;
    uint64_t due_back_ms; /* it must be loading again by then; 0: nothing is due */
    uint64_t restarts_at[64];
    uint32_t restarts_len;
};

struct world {
    uint64_t seed, steps;
    bool verbose;
    int corruption; /* which mutant, 0 none */
    uint32_t corruption_count;
    struct rng mutation;
    bool chain_unchecked;
    struct rng rng;
    struct core *core;
    void *memory;
    size_t memory_bytes;
    struct core_limits limits;
    struct core_actions *actions;
    char boot[4096];
    uint8_t boot_restart[SIM_APPS], boot_max[SIM_APPS], boot_window[SIM_APPS];
    bool boot_good;
    bool owned;
    uint64_t now_ms, unix_ms, timer_ms;
    uint64_t step;
    uint64_t hash; /* of every action */
    struct sapp apps[SIM_APPS];
    struct message messages[SIM_MESSAGES];
    uint32_t next_serial, next_request, next_typed, next_console;
    bool calm;     /* no more faults: everything is to come to rest */
    bool stopping, powered, power_off;
    uint64_t stop_by_ms;
    bool console_paused;
    bool meddled;      /* someone has stopped or started apps by hand in this boot */
    bool foreign;      /* a corrupted boot.toml may name apps that we do not know */
    uint32_t answered_id; /* the last request answered, and how */
    int answered_error;
    uint32_t sending;  /* serial of the typed message being sent in this step; 0 */
    struct sapp *sending_to;
    int sending_from;
    bool sent_directly;
    core_app verify_app;
    bool verify_open;

    char *log; /* what storage holds */
    size_t log_len, log_last; /* start of the last record */
    uint64_t log_records;
    uint8_t prev[32];
    uint64_t seq;
    bool chain_known;
    uint32_t disk_full; /* for so many records more */
    uint32_t lost_now; /* not yet told to the core */
    bool chain_spoilt; /* by us */
    bool last_says_lost; /* the newest record explains a gap */
    bool gap; /* records were lost, and the log does not say so yet */
    const char *failure;
    char failure_text[256];

    /* What happened, so that a test can see that it did. */
    uint64_t n_delivered, n_typed, n_paused, n_refused, n_denied, n_restarts, n_gave_up,
        n_power_cuts, n_boots, n_audits, n_killed, n_bad_manifests, n_stops;
};

/* --- plan.c --- */
void plan_make(struct world *w, struct sapp *a);      /* a new manifest for the next load */
void plan_corrupt(struct world *w, struct sapp *a);   /* its bytes, somewhere */
void plan_boot(struct world *w);
int app_index(const struct world *w, struct span name); /* -1 */

/* --- model.c, books.c: takes every action, checks it, plays the host's part --- */
void model_step(struct world *w, const struct core_event *ev);
void model_actions(struct world *w);
void model_stdin(struct world *w, struct sapp *a, const uint8_t *bytes, size_t len);
void model_after_time(struct world *w);
void model_at_rest(struct world *w);
/* A new life of a has come up; its life is over (failed: not as it should end). */
void model_life_begins(struct world *w, struct sapp *a);
void model_life_over(struct world *w, struct sapp *a, bool failed, bool hopeless);
/* The core is about to see these bytes of a's stdout. */
void model_given(struct world *w, struct sapp *a, const char *bytes, size_t len);
void model_audit(struct world *w, struct span line);
struct message *model_new_message(struct world *w, struct sapp *from, enum to kind, int to);
bool plan_may_send(const struct plan *p, int to);
void fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct sapp *app_by_id(struct world *w, core_app id);

/* --- world.c: what may happen --- */
void world_init(struct world *w, uint64_t seed, uint64_t steps);
void world_boot(struct world *w);
void world_free(struct world *w);
/* Runs to the end or to the first failure. */
bool world_run(struct world *w);

/* --- mutants.c: deliberate damage to the actions, to see that the model sees it --- */
const char *mutant_name(int mutant); /* from 1; NULL after the last */
/* Damages the actions of this step if there is something to damage. */
void mutant_apply(struct world *w);

#endif
