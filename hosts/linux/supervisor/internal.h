/* The supervisor's own state, shared by its files. */
#ifndef HOSTS_LINUX_INTERNAL_H
#define HOSTS_LINUX_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>

#include "core/core.h"
#include "hosts/host.h"
#include "hosts/linux/ctl.h"
#include "hosts/linux/paths.h"
#include "hosts/linux/supervisor.h"
#include "sandbox.h"

enum {
    MODULE_BYTES_MAX = 64 * 1024 * 1024,
    OUTPUT_READ_BYTES = 16 * 1024,  /* of one app at a time */
    CONSOLE_READ_BYTES = 4096,      /* core's bound of one CORE_EV_CONSOLE */
    CONSOLE_BYTES = 256 * 1024,     /* output waiting for a slow console */
    CONSOLE_HIGH = 64 * 1024,       /* more than this: apps wait (un-booted) */
    EVENTS_AT_ONCE = 64,
    CONNECT_TIMEOUT_MS = 30 * 1000,
    CODE_KEPT_MAX = 32,
    CODE_KEPT_BYTES = 2 * 1024 * 1024, /* of one of them */
};

/* What an epoll event is about; the app's id is in the low half. */
enum watch_kind {
    WATCH_SIGNALS = 1, WATCH_CONSOLE_IN, WATCH_CONSOLE_OUT, WATCH_CONSOLE_ERR, WATCH_STOP,
    WATCH_OUT, WATCH_ERR, WATCH_IN, WATCH_CTL, WATCH_CONNECT, WATCH_REFUSED,
};

/* One descriptor of an app in the epoll set. */
struct watch {
    int fd; /* -1: closed */
    uint32_t events;
};

/* One life of an app, at its slot in core's table. */
struct app {
    core_app id; /* 0: the slot is free */
    char name[MANIFEST_NAME_MAX + 1];

    /* loaded */
    int module_fd; /* sealed; -1 */
    uint8_t hash[32]; /* of the module */
    char *manifest;

    /* running */
    int code_fd;    /* that its worker is to seal; -1 */
    bool code_kept; /* it was given one that was kept */
    unsigned threads; /* that may compile it */
    pid_t pid; /* 0: not started, or reaped */
    bool paused;     /* by core */
    bool throttled;  /* it has used up its share of this window (fair.c) */
    bool kill_sent;
    bool refused, trapped;
    int32_t trap_code;
    bool exited; /* reaped; CORE_EV_EXITED follows when its pipes are read */
    int wait_status;
    uint64_t cpu_ms;
    struct watch in, out, err, ctl;
    struct watch refused_calls; /* of its filter */
    char cgroup[48];

    /* its open request */
    bool has_request;
    bool in_request; /* core is looking at it: the packet's bytes are in sup->packet */
    uint16_t refused_as; /* what core allowed and the host refused: WASI_NOTCAPABLE, the path led
                            out of /data; WASI_DQUOT; or 0 */
    struct ctl_msg request;
    struct watch connect; /* CTL_NET_CONNECT under way */
    uint64_t connect_until_ms;
    uint8_t *kept_message; /* MSG_RECV that did not fit into the guest's buffer */
    uint32_t kept_from_len, kept_data_len;

    struct paths *paths; /* /data and its open directories; NULL without filesystem */

    uint64_t window, spent_ns; /* fair.c */
};

/* One way out: bytes that wait for a descriptor to take them. */
struct outlet {
    struct watch watch;
    enum watch_kind kind;
    bool owned; /* opened by us and not blocking; ours to close */
    bool is_tty;
    size_t head, len;
    uint64_t dropped;
    uint8_t *bytes; /* CONSOLE_BYTES, mapped at first use */
};

struct console {
    struct outlet out, err;
    struct watch in; /* borrowed */
    bool in_is_tty;
    bool in_always_ready; /* a file: epoll does not take it */
    bool in_paused, in_closed;
    bool raw;
    bool full; /* an outlet is above CONSOLE_HIGH: the apps wait (un-booted) */
    bool gone; /* nobody reads our stdout any more, or what it is does not take it */
    bool lost; /* the latter: a full disk */
    struct termios saved;
};

struct audit {
    int fd;
    uint64_t size, max; /* bytes */
    uint8_t last_hash[32];
    uint64_t last_seq;
    bool chain_broken;
    bool discards; /* it is /dev/null */
};

/* A sealed file of code. */
struct kept_code {
    uint8_t hash[32]; /* of the module */
    uint64_t used;    /* of kept_clock; 0: the place is free */
    int fd;
};

struct sup {
    const struct supervisor_options *o;
    struct host host;
    struct host_ops ops;
    struct sandbox sandbox;
    struct console console;
    struct audit audit;
    struct app *apps; /* CORE_APPS_MAX */
    int epoll, signals;
    int data_root;    /* O_PATH folder, or -1 */
    int app_folder;   /* likewise */
    int apps_dirs[SUPERVISOR_DIRS_MAX];
    char foreground[MANIFEST_NAME_MAX + 1]; /* name; "" for none */
    char folder_name[MANIFEST_NAME_MAX + 1]; /* of app_folder's app */
    uint64_t timer_ms; /* CORE_EV_TIMER; 0: none */
    bool done;
    int code;
    int stop_signal; /* un-booted: the signal that ended the run */
    uint64_t stop_hint_ms; /* when to say how to end it at once; 0: never */
    uint32_t running;
    uint32_t exits_waiting; /* apps with `exited` whose pipes are not read yet */
    uint32_t connecting;
    struct {
        uint64_t number, ends_ns, active, active_before;
        uint32_t throttled;
    } window;
    struct kept_code kept[CODE_KEPT_MAX];
    uint64_t kept_clock;
    uint8_t *packet; /* CTL_DATA_MAX */
    uint8_t *reply;  /* CTL_DATA_MAX */
    uint8_t *output; /* OUTPUT_READ_BYTES */
    char why[256];
};

/* --- supervisor.c ------------------------------------------------------------ */
struct app *sup_app(struct sup *s, core_app id);     /* NULL when it is not there any more */
struct app *sup_app_new(struct sup *s, core_app id); /* takes the slot */
void sup_app_free(struct sup *s, struct app *a);
bool sup_is_foreground(const struct sup *s, const struct app *a);
void sup_event(struct sup *s, struct core_event *event);
void sup_notice(struct sup *s, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- loop.c ------------------------------------------------------------------- */
uint64_t sup_now_ns(void);
uint64_t sup_now_ms(void);
/* Sets which events of w's descriptor are waited for; adds and removes as needed. */
void sup_watch(struct sup *s, struct watch *w, enum watch_kind kind, core_app app,
               uint32_t events);
void sup_watch_close(struct sup *s, struct watch *w);
/* After paused, throttled or console.full changed: what of a's output is waited for. */
void sup_watch_output(struct sup *s, struct app *a);
void sup_watch_all_output(struct sup *s);
int sup_loop_open(struct sup *s);
void sup_loop_close(struct sup *s);
void sup_loop(struct sup *s);
void sup_stop(struct sup *s, enum core_stop stop);

/* --- fair.c ------------------------------------------------------------------- */
void fair_charge(struct sup *s, struct app *a, uint64_t ns);
/* How much of an app's output to take at once: less when others wait. */
size_t fair_read_bytes(const struct sup *s);
/* A new window: whoever was throttled goes on. Called once a turn of the loop. */
void fair_turn(struct sup *s, uint64_t now_ns);
/* Milliseconds until throttled apps go on, -1 when there are none. */
int fair_timeout_ms(const struct sup *s, uint64_t now_ns);

/* --- load.c, override.c -------------------------------------------------------- */
int load_app(struct sup *s, struct app *a, struct host_loaded *ret);
int load_verify(struct sup *s, struct span name, uint8_t hash[32]);
/* False with *err: not a manifest. *m leads into storage that the next call uses again. */
bool load_parse(const char *text, size_t len, struct manifest *m, struct format_error *err);
/* The name of the app in the folder dir: its manifest's, else base_name's. */
void load_folder_name(struct sup *s, int dir, const char *path, char *out, size_t cap);
/* A memory file that can be sealed and never executed as a program. */
int sup_memfd(const char *name);
/* The manifest text with the operator's grants and denies; malloc'ed; NULL with the reason in
 * s->why. */
char *override_manifest(struct sup *s, const char *text, size_t *len);

/* --- worker.c: one worker's life ------------------------------------------------ */
int worker_spawn(struct sup *s, struct app *a, const struct core_grants *grants,
                 struct host_spawned *ret);
int worker_write_stdin(struct sup *s, struct app *a, struct span bytes);
void worker_readable(struct sup *s, struct app *a, struct watch *w, enum core_stream stream);
void worker_stdin_ready(struct sup *s, struct app *a);
void worker_reap(struct sup *s);
void worker_finish(struct sup *s, struct app *a); /* sends EXITED when all is read */
void worker_kill(struct sup *s, struct app *a);

/* --- refused.c: system calls that the filter refuses -------------------------------- */
void refused_readable(struct sup *s, struct app *a);

/* --- control.c ------------------------------------------------------------------ */
void control_readable(struct sup *s, struct app *a);
void control_reply(struct sup *s, struct app *a, uint32_t id, int error, struct span name,
                   struct span bytes);
/* sockets: the listening ones, in the manifest's order. */
int control_send_start(struct sup *s, struct app *a, const struct core_grants *grants,
                       const struct ctl_fds *sockets);
void control_close(struct sup *s, struct app *a);
/* Answers a's open request; m->error says how it went. */
void control_answer(struct sup *s, struct app *a, struct ctl_msg *m, struct span ra,
                    struct span rb, int fd);
void control_fail(struct sup *s, struct app *a, uint16_t wasi_error);

/* --- code.c --------------------------------------------------------------------- */
/* The file for a's code, still owned here: a new one, or one that is kept (a->code_kept). -1:
 * the worker interprets. */
int code_open(struct sup *s, struct app *a);
/* a's worker runs: what it has sealed is kept. */
void code_sealed(struct sup *s, struct app *a);
void code_close(struct app *a);
void code_close_all(struct sup *s);

/* --- net.c ---------------------------------------------------------------------- */
/* Sockets that listen on the ports of m. 0, or E_IO with the reason in s->why. */
int net_listen(struct sup *s, const struct manifest *m, struct ctl_fds *ret);
/* Begins what core allowed; answers now or when it is connected. */
void net_connect(struct sup *s, struct app *a, struct span host, uint16_t port);
void net_connect_ready(struct sup *s, struct app *a);
void net_connect_cancel(struct sup *s, struct app *a);
void net_connect_timeouts(struct sup *s, uint64_t now_ms);

/* --- data.c --------------------------------------------------------------------- */
int data_open_root(struct sup *s);
/* The app's own folder, made when absent: O_PATH descriptor, or E_IO with s->why. */
int data_open_app(struct sup *s, const char *name);

/* --- audit.c -------------------------------------------------------------------- */
int auditlog_open(struct sup *s);
int auditlog_append(struct sup *s, struct span line);
void auditlog_close(struct sup *s);

/* --- console.c ------------------------------------------------------------------ */
void tty_open(struct sup *s);
void tty_close(struct sup *s);
void tty_write(struct sup *s, enum core_stream stream, struct span bytes);
void tty_drain(struct sup *s, struct outlet *o);
/* At the end of a run: everything that waits, unless a signal says not to. */
void tty_flush(struct sup *s);
void tty_readable(struct sup *s);
void tty_size(struct sup *s);
void tty_pause(struct sup *s, bool paused);

#endif
