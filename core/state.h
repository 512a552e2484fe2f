/* Everything that a core remembers. Private to this room.
 *
 * Memory: one block from the host. struct core, then the tables, then one slot an
 * app: struct app and its buffers behind it, hot parts first. Nothing is touched
 * before it is needed, so that a table for 4,096 apps costs what the apps in it use.
 *
 * Invariants (core_check walks all of them, README.md numbers them):
 *  - an app has an id (is alive) exactly in the states LOADING to STOPPING;
 *  - an app is on the waiters' list of one other app, or on the ready list, or on
 *    neither; its hold ring is non-empty only then;
 *  - the timer heap's order; due_ms of an app is never later than its earliest need;
 *  - every queue within its capacity.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "base/arena.h"
#include "base/assert.h"
#include "base/ring.h"
#include "base/strbuf.h"
#include "core/core.h"
#include "formats/boot.h"
#include "formats/manifest.h"
#include "trust/sha256.h"

enum {
    NO_SLOT = 0xffff,
    TALLY_ENTRIES = 32,
    TALLY_VALUE_MAX = 64,
    EDIT_BYTES_MAX = 1024,
    ENGINE_NAME_MAX = 15,
    LINE_FRAMING_MAX = MANIFEST_NAME_MAX + 16, /* what a line gains by "@name: " and newline */
    STEP_AUDIT_BYTES = 256 * 1024, /* of the step's text, kept free for audit records */
    STEP_TEXT_BYTES = 160 * 1024,
    REPLY_BYTES_MAX = CORE_AUDIT_BYTES_MAX, /* one line of an answer to a shell */
    ACTIONS_RESERVE = 1024, /* free actions that bulk work leaves for the rest of a step */
};

/* Times, in milliseconds, and rates. */
enum {
    STOP_GRACE_MS = 2000,   /* between ASK_STOP and KILL, unless boot.toml says otherwise */
    STOP_FORCE_MS = 2000,   /* after KILL at shutdown: power goes off without the app */
    BLOCK_MS = 5000,        /* a paused sender waits this long, then is refused */
    TALLY_MS = 10000,       /* repeats are recorded as a count once in this time */
    STEADY_MS = 10000, /* having run this long resets the back-off */
    TALLY_PER_SEC = 8, /* first records of one app */
    TALLY_BURST = 32,
    SHOW_PER_SEC = 20, /* console lines of an app that has not the focus */
    SHOW_BURST = 60,
    SHOW_ALL_PER_SEC = 100, /* of all such apps together */
    SHOW_ALL_BURST = 400,
    FOCUS_BYTES_PER_SEC = 256 * 1024, /* of the app that has the focus, when booted */
    BROADCAST_PER_SEC = 100,          /* of one app */
    BROADCAST_ALL_PER_SEC = 50000,    /* deliveries of all broadcasts together */
    NOTICE_PER_SEC = 10,
    NOTICE_BURST = 50,
    NOTICE_LINES_MAX = 40, /* of a backtrace */
};

/* The order matters: see app_is_alive. */
enum app_state {
    APP_FREE,
    APP_WAITING,  /* for its turn in the start order */
    APP_BACKOFF,  /* for its restart */
    APP_ENDED,    /* ended as it should, or was stopped */
    APP_FAILED,   /* could not start, or used up its restarts */
    APP_LOADING,  /* --- alive from here */
    APP_SPAWNING,
    APP_RUNNING,
    APP_STOPPING,
};

/* What happens when the present life has ended; NONE asks the restart policy. */
enum app_wish { WISH_NONE, WISH_STOP, WISH_RESTART, WISH_RELOAD };

enum audit_event {
    AUDIT_SPAWN, AUDIT_EXIT, AUDIT_FILE_OPEN, AUDIT_NET_BIND, AUDIT_NET_CONNECT, AUDIT_IPC_SEND,
    AUDIT_CAP_DENY, AUDIT_VERIFY, AUDIT_AUTH, AUDIT_REPAIR, AUDIT_OTA, AUDIT_EVENTS
};

/* Doubly linked lists of slots. An app is on at most one list of a kind. */
enum list_kind { LIST_FLOW, LIST_DIRTY, LIST_HEARERS, LIST_KINDS };
struct list {
    uint16_t head, tail;
    uint16_t count;
};
struct link {
    uint16_t prev, next;
    bool on;
};

/* Tokens that fill at a rate; a thousandth each. */
struct bucket {
    uint64_t at_ms;
    uint64_t milli;
};

enum tally_kind { TALLY_GRANTS, TALLY_DENIALS, TALLY_KINDS };

/* One aggregated kind of record: the first is written at once, repeats are counted. */
struct tally {
    uint64_t key; /* 0: empty */
    const char *what;
    const char *table, *manifest_key; /* for denials: what would grant it */
    uint32_t count;                   /* repeats not yet recorded */
    uint64_t bytes;
    uint8_t event;
    uint8_t value_len;
    char value[TALLY_VALUE_MAX];
};

struct pending_recv {
    uint32_t request_id;
    uint64_t deadline_ms; /* UINT64_MAX: none */
};

enum job_kind {
    JOB_NONE, JOB_HELP, JOB_PS, JOB_PS_JSON, JOB_LOG, JOB_AUDIT, JOB_VERIFY
};
/* An answer to a shell's command that is written as fast as its stdin takes it. */
struct job {
    uint8_t kind;
    uint16_t target;   /* slot */
    uint32_t serial;   /* of target */
    uint64_t cursor, end;
};

/* A stream of an app, cut into lines. */
struct splitter {
    char *p;         /* line_bytes + 1 */
    uint32_t len;    /* of the line so far */
    uint32_t shown;  /* of these, already on the console */
    bool whole;      /* p[0, len) is a complete line that could not go on yet */
    bool skip;       /* the rest of an over-long protocol line */
    bool more;       /* what comes continues a plain line that was cut for its length */
};

struct app {
    /* Identity. */
    core_app id;   /* 0 when not alive */
    core_app last_id;
    uint16_t slot, generation;
    uint32_t serial; /* unique to this table entry */
    char name_text[MANIFEST_NAME_MAX];
    uint8_t name_len;
    uint8_t state; /* enum app_state */
    uint8_t wish;
    uint8_t restart; /* enum boot_restart */

    bool configured;   /* from boot.toml: never evicted */
    bool by_operator;  /* its end may end everything */
    bool foreground;
    bool is_home;      /* the console comes back to it */
    bool accept_changed; /* the next load may bring another hash */
    bool has_hash;
    bool killed;       /* KILL has been sent in this life */
    bool watchdog_hit;
    bool was_running;  /* in this life */
    bool settled;      /* has been up once, or has failed to: `after` is satisfied */
    bool deliver_open; /* a DELIVER has not been answered */
    bool close_wanted; /* CLOSE_STDIN when all is delivered */
    bool stdin_closed;
    bool paused;
    bool blocked;      /* on waits_on's waiters, or waiting for a verification */
    bool clogged;      /* messages to it are refused until its queue drains */
    bool finishing;    /* its life has ended: its last lines are refused, not held */
    bool raw_keys;
    bool denied_import; /* REFUSED was seen in this life */

    struct link links[LIST_KINDS];
    uint16_t waits_on; /* slot whose waiters list holds it; NO_SLOT */
    struct list waiters;

    uint64_t due_ms; /* key in the timer heap */
    uint16_t heap_at; /* index + 1; 0: not in it */

    struct ring in, hold, log, msgs;
    uint64_t log_total; /* bytes ever written to log */
    struct splitter out, err;
    uint32_t lost_system; /* lines of the core's that did not fit its stdin */

    core_app last_sender; /* for @reply and the destination "reply": of what it was given last */
    uint8_t heard_state;  /* where in a line of its stdin delivery stands: stdin.c */
    uint8_t heard_len;
    char heard[MANIFEST_NAME_MAX];
    struct bucket rate, broadcasts, shows;
    uint32_t hidden; /* lines not shown on the console since the last that was */
    uint64_t hidden_due_ms;
    uint64_t input_end_ms; /* the console's input has ended: when its stdin does; else UINT64_MAX */

    uint64_t state_since_ms, started_ms, last_sign_ms;
    uint64_t kill_at_ms, backoff_until_ms, block_deadline_ms, tally_due_ms;
    uint64_t sent, received; /* messages */
    uint32_t restarts;
    uint32_t restarts_max, window_secs, window_count; /* max 0: no bound */
    uint32_t backoff_ms, backoff_first_ms, backoff_max_ms;
    uint64_t window_start_ms;
    int32_t pid;
    char engine[ENGINE_NAME_MAX + 1]; /* that runs it; empty where a host has but one */
    uint8_t exit_kind;
    int32_t exit_value;
    int32_t exit_code; /* as a shell would show it */
    uint8_t hash[SHA256_BYTES];

    uint16_t follower; /* slot of the app that follows the log */
    uint16_t follows;  /* slot that this one follows */
    struct job job;

    uint8_t after_count;
    uint16_t after[BOOT_AFTER_MAX]; /* slots; of entries from boot.toml, so never reused */

    struct core_grants grants;
    struct arena keep;
    struct manifest manifest; /* valid from SPAWNING on; until the next load */

    uint32_t tally_other[AUDIT_EVENTS];
    struct {
        struct bucket bucket;
        struct tally entries[TALLY_ENTRIES];
    } tallies[TALLY_KINDS]; /* grants must not push denials out of sight */
    uint32_t recv_count;
    struct pending_recv recv[CORE_REQUESTS_MAX];
};

struct audit {
    uint64_t seq; /* of the last record */
    uint8_t prev[SHA256_BYTES];
    uint64_t lost;    /* records that the host could not store, not yet mentioned */
    uint64_t missed;  /* records that a step had no room for, not yet mentioned */
    struct {
        uint64_t seq, lost, missed;
    } claim;            /* the last record that mentioned any: what if it is lost itself? */
    uint64_t lost_ever; /* since boot */
    uint64_t lost_unsaid;   /* not yet mentioned at the console */
    uint64_t lost_seq;      /* the last record that was lost */
    uint64_t notice_due_ms; /* UINT64_MAX: records are being stored */
    uint32_t recent_len[CORE_AUDIT_RECENT];
    char (*recent)[CORE_AUDIT_BYTES_MAX];
};

struct console {
    bool terminal;
    bool owned;     /* core edits lines: booted, or the host's terminal hands over keys */
    bool paused;    /* PAUSE of app 0 */
    bool mid_line;  /* bytes went through as they are, and no newline after them */
    bool fresh;     /* the cursor is at the start of a line */
    bool notice;    /* what is written now is the system's own */
    uint16_t focus; /* slot or NO_SLOT */
    uint16_t home;
    uint32_t columns, rows;
    struct bucket focus_bytes, shows_all, notices;
    uint8_t escape; /* progress through an escape sequence */
    uint32_t edit_len, ahead_len;
    char edit[EDIT_BYTES_MAX];
    char ahead[EDIT_BYTES_MAX]; /* typed while there is nobody to give it to */
};

struct core {
    uint64_t magic;
    struct core_limits limits;
    struct core_actions *actions; /* of the running step */
    struct arena text;            /* of the running step */
    uint64_t now_ms, unix_ms, start_ms;
    bool booted, stopping, powered, stop_hasty;
    bool owns_machine;
    bool anything_started;
    enum core_stop stop;
    int32_t exit_code;
    uint32_t stop_cursor; /* slots below have been asked (or killed) */
    uint64_t stop_kill_ms, stop_force_ms;
    bool stop_killing;
    uint64_t wake_ms;  /* the core's own next need for a timer; UINT64_MAX */
    uint64_t armed_ms; /* the host's timer; UINT64_MAX */

    uint32_t apps_used; /* slots below have been used */
    uint32_t alive_count, pending_count, waiting_count, entry_count;
    uint32_t next_serial;
    uint16_t *names;    /* open addressing, slot + 1, 0 empty */
    uint32_t names_mask;
    uint16_t *heap;
    uint32_t heap_len;
    struct list ready, dirty, hearers;
    struct bucket broadcast_all;

    struct audit audit;
    struct console console;
    struct {
        bool open;
        core_app asker;
        uint16_t target;
        uint32_t serial;
        uint64_t since_ms;
    } verify; /* the one check of a stored module that is going on */

    uint32_t stop_grace_ms;
    /* What boot.toml says for apps that do not say it themselves; 0: the core's own. */
    struct {
        uint64_t memory_bytes, data_bytes;
        uint32_t cpu_percent, open_files, messages_per_sec;
    } defaults;

    uint8_t *scratch;   /* MANIFEST_SCRATCH_BYTES, for parsing */
    char *line;         /* line_bytes + framing: one line being built */
    uint8_t *text_base;
    size_t text_bytes;
    uint8_t *slots;
    size_t slot_bytes;
};

static inline struct app *app_at(const struct core *c, uint32_t slot)
{
    return (struct app *)(void *)(c->slots + (size_t)slot * c->slot_bytes);
}

static inline struct span app_name(const struct app *a)
{
    return span_of(a->name_text, a->name_len);
}

static inline bool app_is_alive(const struct app *a)
{
    return a->state >= APP_LOADING;
}

/* Has a process: its output, requests and stdin mean something. */
static inline bool app_is_up(const struct app *a)
{
    return a->state >= APP_RUNNING;
}

/* Takes `want` tokens if there are that many. */
static inline bool bucket_take(struct bucket *b, uint64_t now_ms, uint64_t per_sec, uint64_t burst,
                               uint64_t want)
{
    uint64_t cap = burst * 1000;
    uint64_t passed = now_ms - b->at_ms;
    uint64_t gain = passed > cap / (per_sec ? per_sec : 1) + 1 ? cap : passed * per_sec;
    b->milli = b->milli + gain > cap ? cap : b->milli + gain;
    b->at_ms = now_ms;
    if (b->milli < want * 1000)
        return false;
    b->milli -= want * 1000;
    return true;
}

static inline void bucket_fill(struct bucket *b, uint64_t now_ms, uint64_t burst)
{
    b->at_ms = now_ms;
    b->milli = burst * 1000;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* --- core.c: actions and their text ----------------------------------------- */

/* Room for bulk work in this step (deliveries to many, batches of a shutdown)? */
bool step_has_room(const struct core *c);
struct core_limits limits_of(const struct core_limits *l, const struct core_limits *most);
size_t slot_size(const struct core_limits *l);
struct core_action *act(struct core *c, enum core_action_type type, const struct app *a);
/* A copy that lives as long as the step's actions. p is NULL when the step's text is used
 * up; `reserve` bytes are left for others. */
struct span step_copy(struct core *c, struct span s, size_t reserve);
void act_reply(struct core *c, const struct app *a, uint32_t request_id, int error,
               struct span name, struct span bytes);
void wake_at(struct core *c, uint64_t at_ms);
/* The earliest time at which a needs something done; UINT64_MAX: never. */
uint64_t app_due(const struct app *a);

/* --- lists.c ----------------------------------------------------------------- */

void list_init(struct list *l);
void list_push(struct core *c, struct list *l, enum list_kind kind, struct app *a);
void list_remove(struct core *c, struct list *l, enum list_kind kind, struct app *a);
struct app *list_pop(struct core *c, struct list *l, enum list_kind kind);
/* The app's timer goes off at at_ms or earlier. */
void timer_want(struct core *c, struct app *a, uint64_t at_ms);
void timer_forget(struct core *c, struct app *a);
struct app *timer_pop(struct core *c, uint64_t now_ms);

/* --- apps.c ------------------------------------------------------------------ */

struct app *apps_find(const struct core *c, struct span name);
/* The app of a live id, or NULL. */
struct app *apps_live(const struct core *c, core_app id);
/* A new entry, or NULL with *error E_INVAL (no name for an app) or E_FULL. */
struct app *apps_add(struct core *c, const struct boot_app *how, int *error);
/* Lowers c->limits to l's, before there is any app. Zeros are ignored. */
void apps_lower_limits(struct core *c, const struct core_limits *l);
void apps_set_state(struct core *c, struct app *a, enum app_state state);
const char *app_state_name(const struct app *a);

/* --- lifecycle.c, boot.c, stop.c ------------------------------------------- */

void life_begin(struct core *c, struct app *a);
void life_loaded(struct core *c, struct app *a, const struct core_event *ev);
void life_spawned(struct core *c, struct app *a, const struct core_event *ev);
void life_refused(struct core *c, struct app *a, const struct core_event *ev);
void life_trapped(struct core *c, struct app *a, const struct core_event *ev);
void life_exited(struct core *c, struct app *a, const struct core_event *ev);
void life_restart_due(struct core *c, struct app *a);
void life_watchdog(struct core *c, struct app *a);
/* Asks the app to end; what then, says wish. Apps that do not run are ended at once. */
void life_stop(struct core *c, struct app *a, enum app_wish wish);
void life_kill(struct core *c, struct app *a, enum app_wish wish);
/* The operator's start: forgives earlier failures. */
void life_start(struct core *c, struct app *a);

void boot_event(struct core *c, const struct core_event *ev);
void boot_start(struct core *c, const struct core_event *ev);
/* Some app came up or gave up: whose turn is it now? */
void boot_order_advance(struct core *c);

void stop_begin(struct core *c, enum core_stop stop);
void stop_continue(struct core *c);
/* After every step: has everything ended? */
void stop_check(struct core *c);

/* --- stdin.c ------------------------------------------------------------------ */

/* Whole or not at all: 0, E_FULL, or E_IO when it takes no input any more. */
int stdin_put(struct core *c, struct app *a, struct span s);
/* A line of the core's own to an app that speaks lines: "VYOMA_SYSTEM:" and the pieces. */
void stdin_system(struct core *c, struct app *a, const char *what, struct span text);
void stdin_close(struct core *c, struct app *a);
/* The manifest is known: without stdio there is no stdin, whatever was typed ahead. */
void stdin_begin(struct core *c, struct app *a);
void stdin_delivered(struct core *c, struct app *a, const struct core_event *ev);
void stdin_flush(struct core *c);
bool app_takes_lines(const struct app *a);

/* --- output.c ------------------------------------------------------------------ */

void output_event(struct core *c, struct app *a, const struct core_event *ev);
/* The app has the console again: its unfinished lines are shown from their start. */
void output_show_again(struct core *c, struct app *a);
/* a's next line cannot go on until `on` has room (NULL: until flow_wake). */
void flow_block(struct core *c, struct app *a, struct app *on);
void flow_wake(struct core *c, struct app *a);
void flow_wake_waiters(struct core *c, struct app *b);
void flow_expired(struct core *c, struct app *a);
void flow_run_ready(struct core *c);
/* The app's life is over: what was held goes out or is refused, unfinished lines end.
 * Returns the number of messages that were not sent. */
uint32_t flow_finish(struct core *c, struct app *a);
void log_append(struct core *c, struct app *a, struct span line);

/* --- broker.c, messages.c, requests.c ------------------------------------------ */

enum sent { SENT_DONE, SENT_REFUSED, SENT_BLOCKED };
enum sent broker_send(struct core *c, struct app *a, struct span to, struct span text);
enum sent broker_reply(struct core *c, struct app *a, struct span text);
void broker_broadcast(struct core *c, struct app *a, struct span text);

void messages_send(struct core *c, struct app *a, const struct core_request *r);
void messages_recv(struct core *c, struct app *a, const struct core_request *r);
/* Answers receives whose deadline has passed; the next deadline, or UINT64_MAX. */
uint64_t messages_expire(struct core *c, struct app *a);
uint64_t messages_deadline(const struct app *a);
uint32_t messages_waiting(const struct app *a);

void request_event(struct core *c, struct app *a, const struct core_request *r);

/* --- policy.c ------------------------------------------------------------------ */

/* Records that `power` was refused to a (`what` for people and the record: "send to",
 * value: to whom). Returns the text, which names the manifest key; lives until the next
 * call or the end of the step. */
struct span policy_deny(struct core *c, struct app *a, const char *what, int power,
                        struct span value);
/* The same for a bound that was passed: no manifest key, `why` is the text. */
void policy_excess(struct core *c, struct app *a, const char *what, struct span value);
/* What the host has refused by itself. */
void policy_denied(struct core *c, struct app *a, enum core_denied what, struct span value);
bool policy_may_send(const struct app *a, struct span to);
/* May a send one more message now? Takes it from the app's messages a second. */
bool policy_within_rate(struct core *c, struct app *a);
/* Fills a->grants from its manifest and the defaults. */
void policy_grant(struct core *c, struct app *a);

/* --- console.c, screen.c ------------------------------------------------------- */

void console_event(struct core *c, const struct core_event *ev);
void console_size(struct core *c, const struct core_event *ev);
void console_focus(struct core *c, struct app *a); /* NULL: home */
void console_app_up(struct core *c, struct app *a);
void console_life_over(struct core *c, struct app *a); /* it may have a new one already */
void console_forget(struct core *c, struct app *a); /* its entry goes away */
void console_input_due(struct core *c, struct app *a);
void console_keys_wanted(struct core *c, struct app *a); /* `console raw` */
void console_stdin_drained(struct core *c, struct app *a);

/* A whole line of an app: the rest of it that is not on the screen yet. */
void screen_line(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp,
                 struct span line, bool newline);
/* The line so far, of the app that has the focus. */
void screen_partial(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp);
void screen_write(struct core *c, enum core_stream stream, struct span s);
/* A line of the core's own for the person at the console. app may be NULL. */
void screen_notice(struct core *c, const struct app *a, struct span text);
/* With lines of more beneath it, indented, NOTICE_LINES_MAX at most. */
void screen_notice_lines(struct core *c, const struct app *a, struct span text,
                         struct span more);
void screen_hidden_due(struct core *c, struct app *a);

/* --- shell.c, jobs.c ------------------------------------------------------------ */

/* A line "@supervisor: verb args". SENT_BLOCKED: not before the answer to the last is out. */
enum sent shell_command(struct core *c, struct app *a, struct span verb, struct span args);
void shell_verified(struct core *c, const struct core_event *ev);
void shell_follow_line(struct core *c, struct app *a, struct span line);
void shell_forget(struct core *c, struct app *a);
/* The n-th line of `help`; NULL after the last. */
const char *shell_help(uint32_t n);
/* Starts checking the stored module of target, unless one check is going on. */
bool verify_start(struct core *c, core_app asker, struct app *target);
/* Goes on with a->job: true when it is complete. */
bool job_run(struct core *c, struct app *a);
/* Ends the answer where it stands, for it took too long. */
void job_abandon(struct core *c, struct app *a);
/* Room for one more line of an answer, and for its end? */
bool reply_has_room(const struct app *a);
void reply_line(struct core *c, struct app *a, struct span text);
void reply_error(struct core *c, struct app *a, const char *text, struct span value);
void reply_end(struct core *c, struct app *a);

/* --- audit.c, tally.c ------------------------------------------------------------ */

/* A record being written: begin, fields, end. Fields' names are literals. */
struct record {
    struct strbuf b;
    char memory[CORE_AUDIT_BYTES_MAX];
};
void audit_begin(struct core *c, struct record *r, enum audit_event event, struct span app);
void audit_text(struct record *r, const char *field, struct span value);
void audit_int(struct record *r, const char *field, int64_t value);
void audit_hash(struct record *r, const char *field, const uint8_t hash[SHA256_BYTES]);
void audit_end(struct core *c, struct record *r);
/* The host could not store the last `count` records. */
void audit_lost(struct core *c, uint64_t count);
/* After every step: is it time to say how it goes on? */
void audit_losses_due(struct core *c);
const char *audit_event_name(enum audit_event event);
/* The n-th last record without its newline, n from 0; empty when there is none. */
struct span audit_recent(const struct core *c, uint32_t n);

struct note {
    enum audit_event event;
    const char *what;
    struct span value;
    const char *table, *manifest_key; /* may be NULL */
    uint64_t id;   /* what makes two notes the same, with event */
    uint32_t count;
    uint64_t bytes;
};
/* Records the note at once if it is the first of its kind (true), else counts it. */
bool tally_note(struct core *c, struct app *a, const struct note *n);
void tally_flush(struct core *c, struct app *a);
void tally_clear(struct app *a);
uint64_t hash_bytes(uint64_t seed, struct span s);

#endif
