/* The supervisor's brain: a deterministic state machine. Events in, actions out.
 *
 * No system call, no clock, no thread, no allocation after core_init. Time and
 * everything else that differs between two runs arrives inside events, so that
 * the same events give the same actions, byte for byte, on every host and in the
 * simulator.
 *
 *     host: something happened  -> struct core_event  -> core_step()
 *     host: does what it is told <- struct core_action <-
 *
 * The host performs all actions of a step, in order, before it gives the next
 * event. It has no policy of its own: it never decides whether, only how.
 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "core/limits.h"
#include "formats/manifest.h"

struct core;

/* One life of one app: slot in the low 16 bits, generation above. A restarted app
 * has a new id, and events that carry an old one are ignored. 0 is no app. */
typedef uint32_t core_app;

static inline uint32_t core_app_slot(core_app id) { return id & 0xffff; }

/* --- events ---------------------------------------------------------------- */

enum core_event_type {
    CORE_EV_BOOT,      /* first event: `text` is boot.toml or empty. `count` is of
                          enum core_boot. About the audit log so far:
                          `hash` of its last whole line (zeros: there is none), `count2` its
                          seq, error E_MALFORMED when its chain is broken (audit_chain.h) */
    CORE_EV_START,     /* the operator wants app `name` (un-booted: `vyoma run`). `count` 1: it
                          is in the foreground: it has the console, unedited unless core
                          edits it, its output is shown without prefix, and when it has
                          ended for good everything ends with its code */
    CORE_EV_LOADED,    /* answers CORE_ACT_LOAD: `text` is vyoma.toml, `hash` the SHA-256 of
                          the very bytes that will run; or error < 0 with `text` saying why */
    CORE_EV_SPAWNED,   /* answers CORE_ACT_SPAWN: pid, and in `detail` the name of the engine that
                          runs it, where a host has several; or error < 0 with `text` */
    CORE_EV_OUTPUT,    /* app wrote `text` (raw bytes, any split, at most
                          CORE_OUTPUT_BYTES_MAX) to `stream` */
    CORE_EV_DELIVERED, /* `count` bytes of the last CORE_ACT_DELIVER went into its stdin; 0: it
                          had no room then, and has now; error < 0: it has closed its stdin */
    CORE_EV_REQUEST,   /* app asks over its control channel: `request` */
    CORE_EV_TRAPPED,   /* the worker reports a trap, `text` for people and `detail` the
                          backtrace, a line a frame; exit follows. With error < 0 the host says that the worker itself broke its protocol */
    CORE_EV_REFUSED,   /* the worker refused to link: `text` import, `detail` manifest key */
    CORE_EV_EXITED,    /* app is gone and reaped: `exit` */
    CORE_EV_CONSOLE,   /* bytes typed at the console, at most CORE_CONSOLE_BYTES_MAX; none: end
                          of input */
    CORE_EV_CONSOLE_SIZE, /* columns in `count`, rows in `count2`; 0 columns: the console is no
                             terminal (what core assumes of one that it does not own) */
    CORE_EV_VERIFIED,  /* answers CORE_ACT_VERIFY: `hash` of what storage holds now */
    CORE_EV_TIMER,     /* the time asked for by CORE_ACT_TIMER has come */
    CORE_EV_STOP,      /* end the system: `stop` says how */
    CORE_EV_AUDIT_LOST, /* the host did not store the last `count` audit records: when one cannot
                           be stored, none is until this event, so that the gap has one place */
    CORE_EV_DENIED,    /* the host has refused the app what core could not judge: `denied`, `text`
                          says what. For the record */
};

/* What core has from its start: it owns the machine, whose console it edits, and never ends by
 * itself; or it edits a console that hands over single keys and echoes none; or neither. */
enum core_boot { CORE_BOOT_GUEST, CORE_BOOT_MACHINE, CORE_BOOT_CONSOLE };

enum core_denied {
    CORE_DENIED_ESCAPE,  /* a path that leads out of the app's folder */
    CORE_DENIED_LISTEN,  /* to listen on a port, `text`, that it does not have */
    CORE_DENIED_RIGHTS,  /* a right that a descriptor lacks; `text` is the call, also below */
    CORE_DENIED_FILES,   /* one open file more */
    CORE_DENIED_DATA,    /* more data */
    CORE_DENIED_POINTER, /* memory that it does not have */
    CORE_DENIED_CALL,    /* a call of the system beneath us, which only a worker that was taken over
                            makes; `text` is its name */
};

enum core_stream { CORE_STDOUT = 1, CORE_STDERR = 2 };

enum core_exit_kind {
    CORE_EXIT_CODE,   /* it ended with `value` */
    CORE_EXIT_TRAP,   /* `value` is enum eng_trap_code */
    CORE_EXIT_SIGNAL, /* killed by signal `value` */
    CORE_EXIT_REFUSED /* never ran: link error, bad module */
};

enum core_stop { CORE_STOP_POWEROFF, CORE_STOP_REBOOT, CORE_STOP_EXIT };

/* What an app may ask for over its control channel. */
enum core_request_type {
    CORE_REQ_PATH,     /* open, stat, mkdir, ... beneath /data: `op`, `path`, `path2` */
    CORE_REQ_CONNECT,  /* outgoing TCP connection: `path` is the host name, `port` */
    CORE_REQ_MSG_SEND, /* `path` is the destination, `data` the message */
    CORE_REQ_MSG_RECV, /* next message; answered when there is one or at the deadline */
};

enum core_path_op {
    CORE_PATH_OPEN, CORE_PATH_STAT, CORE_PATH_SET_TIMES, CORE_PATH_MKDIR, CORE_PATH_RMDIR,
    CORE_PATH_UNLINK, CORE_PATH_RENAME, CORE_PATH_LINK, CORE_PATH_SYMLINK, CORE_PATH_READLINK,
    CORE_PATH_OP_COUNT_
};

struct core_request {
    enum core_request_type type;
    uint32_t id; /* the host's; comes back in CORE_ACT_REPLY */
    enum core_path_op op;
    bool for_writing; /* CORE_PATH_OPEN: may change something */
    uint16_t port;
    int32_t timeout_ms; /* CORE_REQ_MSG_RECV: -1 waits without end, 0 does not wait */
    struct span path, path2, data;
};

struct core_event {
    enum core_event_type type;
    uint64_t now_ms;  /* monotonic; never less than in the event before (core clamps) */
    uint64_t unix_ms; /* wall clock, may jump; used in records only */
    core_app app;
    int error;        /* base_err, or 0 */
    int32_t pid;
    uint64_t count, count2;
    enum core_stream stream;
    enum core_stop stop;
    enum core_denied denied;
    struct {
        enum core_exit_kind kind;
        int32_t value;
        uint64_t cpu_ms;
    } exit;
    struct core_request request;
    struct span name, text, detail; /* borrowed until the step's actions are performed */
    uint8_t hash[32];
};

/* --- actions --------------------------------------------------------------- */

enum core_action_type {
    CORE_ACT_LOAD,    /* read app `name`'s manifest and module, seal the module, hash it;
                         answer with CORE_EV_LOADED */
    CORE_ACT_SPAWN,   /* start the module loaded for `app` with `grants`; CORE_EV_SPAWNED */
    CORE_ACT_UNLOAD,  /* forget what was loaded for `app` */
    CORE_ACT_DELIVER, /* write `bytes` to app's stdin as far as it takes them without
                         blocking; report CORE_EV_DELIVERED now or when it has room */
    CORE_ACT_CLOSE_STDIN,
    CORE_ACT_PAUSE,   /* stop reading app's output (back-pressure); app 0: the console's input.
                         One more event may still come */
    CORE_ACT_RESUME,
    CORE_ACT_REPLY,   /* answer request `request_id` of `app` with `error`: 0 means do it and
                         hand over the result, or for MSG_RECV deliver `bytes` from `name`;
                         below 0 `bytes` says why, for people */
    CORE_ACT_ASK_STOP, /* ask app to end (SIGTERM's meaning) */
    CORE_ACT_KILL,     /* end it now */
    CORE_ACT_CONSOLE,  /* show `bytes` on the console, as they are */
    CORE_ACT_CONSOLE_ERR, /* the same, on stderr where the host has one */
    CORE_ACT_AUDIT,    /* append `bytes`, one line of JSON with its newline, to the audit log */
    CORE_ACT_VERIFY,   /* hash `name`'s module, app `app`, in storage again; CORE_EV_VERIFIED */
    CORE_ACT_TIMER,    /* send CORE_EV_TIMER at `at_ms`; replaces the one before */
    CORE_ACT_POWER,    /* everything has ended: sync, then do `stop`; `code` for EXIT */
};

/* All that a worker is given. Whatever is not here, it does not have. Borrowed from
 * the core for the app's life. */
struct core_grants {
    const struct manifest *manifest; /* capabilities, ports, args, env */
    struct span name;
    uint64_t memory_bytes;  /* linear memory */
    uint32_t cpu_percent;   /* of one processor; 0 is unlimited */
    uint32_t open_files;
    uint64_t data_bytes;    /* what /data may hold; 0 is unlimited */
};

struct core_action {
    enum core_action_type type;
    bool is_notice; /* CORE_ACT_CONSOLE_ERR: the system's own words, one notice in whole lines */
    core_app app;
    uint32_t request_id;
    int error;
    enum core_stop stop;
    int32_t code;
    uint64_t at_ms;
    const struct core_grants *grants;
    struct span name, bytes; /* live until the next core_step */
};

/* The actions of one step; the host provides the storage. core never emits more than
 * CORE_ACTIONS_MAX a step. */
struct core_actions {
    struct core_action list[CORE_ACTIONS_MAX];
    uint32_t count;
};

/* --- the machine ------------------------------------------------------------ */

/* Bytes that a core with these limits needs. */
size_t core_size(const struct core_limits *limits);

/* Makes a core in memory (core_size bytes, zeroed, 16-aligned, the caller's for the
 * core's life; pages that are never needed are never touched). */
struct core *core_init(void *memory, const struct core_limits *limits);

/* Feeds one event. Never fails: what is wrong in an event is answered by actions. */
void core_step(struct core *c, const struct core_event *event, struct core_actions *actions);

/* For tests and the simulator: checks every invariant of the whole structure and
 * returns NULL, or the text of the first that is broken. */
const char *core_check(const struct core *c);

#endif
