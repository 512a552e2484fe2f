/* The control channel: what one worker and the supervisor say to one another.
 *
 * A SOCK_SEQPACKET socket pair; descriptor 3 in the worker. A packet is one struct
 * ctl_msg followed by two runs of bytes, a and b, whose lengths the struct gives.
 * Both ends are of one build on one machine, so the struct is sent as it lies in
 * memory. Descriptors travel beside a packet (SCM_RIGHTS).
 *
 *     supervisor                         worker
 *       CTL_START (listening sockets) ->
 *                                     <- CTL_REFUSED, then it exits with CTL_EXIT_REFUSED
 *                                     <- CTL_RUNNING, sandbox closed, guest code starts
 *                                     <- request, seq n
 *       CTL_REPLY, seq n            ->
 *                                     <- CTL_TRACE, any time, when asked for
 *                                     <- CTL_DENIED, any time
 *                                     <- CTL_TRAP, then it exits with CTL_EXIT_TRAP
 *
 * The worker is one thread: it sends a request and does nothing until the reply with
 * the same seq is there. It holds no descriptor of a directory and none that could
 * make one: a directory is an id in the supervisor's table (hosts/linux/paths.h), and 0
 * is the app's /data.
 *
 * The supervisor trusts nothing that it reads here. A worker that sends a packet that
 * ctl_recv refuses, an unknown type, or a second request before the reply to the first
 * has lost control of itself: it is killed. The supervisor never waits for a worker: a
 * reply that does not fit into the socket's buffer is the same case.
 *
 * A worker reads end-of-file here when the supervisor is gone, and exits.
 *
 * An app that is asked to stop gets SIGTERM, then the end of its stdin (after a line that says
 * so, if it talks in lines). From SIGTERM on it may finish what it does and read what is
 * left in its stdin; when it waits for anything else the worker exits with
 * CTL_EXIT_STOPPED. SIGKILL follows after a grace.
 */
#ifndef HOSTS_LINUX_CTL_H
#define HOSTS_LINUX_CTL_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

enum {
    CTL_WORKER_FD = 3, /* this channel, in the worker */
    CTL_MODULE_FD = 4, /* the sealed memfd of the module, in the worker */
    CTL_CODE_FD = 5,   /* for compiled code (hosts/linux/code.h), with CTL_START_COMPILE */

    CTL_MSG_BYTES_MAX = 64 * 1024,                   /* one typed message */
    CTL_DATA_MAX = CTL_MSG_BYTES_MAX + 1024,         /* a_len + b_len */
    CTL_FDS_MAX = 16,                                /* descriptors in one packet */
    CTL_LISTENERS_MAX = CTL_FDS_MAX,
    CTL_DIRS_MAX = 32,                               /* open directories of an app, with /data */
    CTL_DIR_DATA = 0,                                /* id of /data */
    CTL_NAME_MAX = 255,                              /* an app's name, a host name */
    CTL_DENIED_MAX = 255,                            /* of what was refused, the rest is cut off */
};

/* Exit codes of the worker besides the app's own (0 to 255; larger ones become 255).
 * CTL_TRAP and CTL_REFUSED tell them from an app that happens to return the same. */
enum {
    CTL_EXIT_TRAP = 128 + 6,  /* as a native program that aborts */
    CTL_EXIT_STOPPED = 128 + 15,
    CTL_EXIT_REFUSED = 126,   /* bad module, or an import that is not granted */
    CTL_EXIT_WORKER = 125,    /* the worker could not do its own work */
};

enum ctl_type {
    /* supervisor to worker */
    CTL_START = 1, /* u.start; a: the app's name; b: arg_count then env_count strings, each
                      ended by NUL. Descriptors: the listening sockets, in u.start.ports's order */
    CTL_REPLY,     /* error; on success as each request says */

    /* worker to supervisor, unanswered */
    CTL_RUNNING, /* linked, filter installed, about to run _start */
    CTL_REFUSED, /* the module will not run. u.refused; a: text for people; b: "module.name"
                    of the import, when an import is why */
    CTL_TRAP,    /* u.trap; a: the reason ("integer divide by zero"); b: backtrace, a line a
                    frame */
    CTL_TRACE,   /* a: one line about one host call, without newline */
    CTL_DENIED,  /* u.denied; a: the value, at most CTL_DENIED_MAX bytes. What WASI refused the
                    guest inside the worker, for the audit log */

    /* requests: paths. u.path.dir is where a starts; dir2 where b does. Answered with a WASI
     * error number, as wasi/abi.h has them. Paths are relative and hold no NUL. */
    CTL_PATH_OPEN = 32, /* u.open, a: path. Reply u.opened: a file with its descriptor, or a
                           directory's id */
    CTL_PATH_STAT,      /* a: path, "" for the directory itself. Reply u.stat */
    CTL_PATH_SET_TIMES, /* a: path, "" likewise; u.times */
    CTL_PATH_MKDIR,     /* a: path */
    CTL_PATH_RMDIR,     /* a: path */
    CTL_PATH_UNLINK,    /* a: path */
    CTL_PATH_RENAME,    /* a: from, b: to */
    CTL_PATH_LINK,      /* a: existing, b: new */
    CTL_PATH_SYMLINK,   /* a: what the link says; b: path of the link, beneath dir2 */
    CTL_PATH_READLINK,  /* a: path. Reply a: what the link says */
    CTL_DIR_READ,       /* u.read. Reply a: struct ctl_dirent, one behind the other */
    CTL_DIR_SYNC,
    CTL_DIR_CLOSE,

    /* requests: the rest */
    CTL_NET_CONNECT = 64, /* a: host name or address; u.net. Reply: a connected stream socket */
    CTL_MSG_SEND,         /* a: destination app; b: message */
    CTL_MSG_RECV,         /* u.recv. Reply a: sender, b: message, at most the lengths asked for
                             (WASI_MSGSIZE when it is longer, and the message stays); on
                             WASI_MSGSIZE u.sizes says what is needed */
};

enum ctl_start_flags {
    CTL_START_TRACE = 1 << 0, /* report every host call with CTL_TRACE */
    CTL_START_FUEL = 1 << 1,  /* u.start.fuel counts; otherwise unlimited */
    CTL_START_TTY0 = 1 << 2,  /* descriptor 0 shows as a terminal: the guest's C library then */
    CTL_START_TTY1 = 1 << 3,  /* writes stdout line by line */
    CTL_START_TTY2 = 1 << 4,
    CTL_START_COMPILE = 1 << 5,    /* into CTL_CODE_FD, which is there then */
    CTL_START_CODE_KEPT = 1 << 6,  /* an earlier worker has written and sealed it */
    CTL_START_UNHARDENED = 1 << 7, /* eng_env.unhardened */
    CTL_START_THREADS = 1 << 8,    /* with COMPILE: CODE_THREADS_MAX may do it (hosts/linux/code.h) */
};

struct ctl_start {
    uint32_t caps;  /* enum wasi_cap bits: which imports exist */
    uint32_t flags; /* enum ctl_start_flags */
    uint64_t fuel;
    uint32_t memory_pages; /* most pages (64 KiB) of linear memory; 0: 65,536 */
    uint32_t stack_bytes;  /* of guest frames; 0: the engine's default */
    uint32_t open_files;   /* most descriptors of the guest; 0: the worker's bound */
    uint16_t arg_count, env_count;
    uint16_t port_count;   /* of listening sockets; the same number of descriptors comes along */
    uint16_t ports[CTL_LISTENERS_MAX];
};

struct ctl_refused {
    int32_t code;    /* base_err: E_DENIED an import is not granted, E_NOENT it is unknown,
                        E_MALFORMED, E_INVAL, E_UNSUPPORTED the module, E_NOMEM, E_LIMIT */
    uint32_t need;   /* enum wasi_cap bits, any of which would grant the import; or 0 */
    uint64_t offset; /* byte in the module; 0 when it is about an import */
    char key[32];    /* manifest key, "filesystem"; NUL-terminated; or empty */
};

struct ctl_denied {
    uint32_t what; /* enum wasi_denial */
};

struct ctl_trap {
    uint32_t code; /* enum eng_trap_code */
    uint32_t func_index;
    uint32_t offset; /* byte in the module */
    uint32_t depth;
};

/* Numbers in these are WASI's own (wasi/abi.h): flags, file types, nanoseconds. */
struct ctl_open {
    uint32_t dir;
    uint16_t oflags;   /* WASI_O_* */
    uint16_t fdflags;  /* WASI_FDFLAG_* */
    uint8_t follow;    /* follow a symbolic link at the end of the path */
    uint8_t can_read, can_write; /* access the descriptor gets */
};
struct ctl_opened {
    uint8_t filetype;
    uint8_t has_fd; /* a file: the descriptor comes along. Otherwise a directory: */
    uint32_t dir;
};
struct ctl_path {
    uint32_t dir, dir2;
    uint8_t follow; /* STAT, SET_TIMES, LINK: a symbolic link at the end of path a */
};
struct ctl_times {
    uint32_t dir;
    uint8_t follow;
    uint8_t fstflags; /* WASI_FST_* */
    uint64_t atim, mtim;
};
struct ctl_stat {
    uint64_t dev, ino, nlink, size, atim, mtim, ctim;
    uint8_t filetype;
};
struct ctl_read {
    uint32_t dir;
    uint32_t len_max; /* bytes wanted; at most CTL_DATA_MAX */
    uint64_t cookie;  /* 0 from the start, else ctl_dirent.next of the entry before */
};
/* Followed by its name, name_len bytes; the next one begins at a multiple of 8. */
struct ctl_dirent {
    uint64_t next, ino;
    uint16_t name_len;
    uint8_t filetype;
    uint8_t pad_[5];
};
struct ctl_net {
    uint16_t port;
};
struct ctl_recv_wish {
    uint32_t from_max, data_max;
    int32_t timeout_ms; /* -1 without end, 0 does not wait: WASI_AGAIN */
};
struct ctl_sizes {
    uint32_t from_len, data_len;
};

struct ctl_msg {
    uint16_t type;  /* enum ctl_type */
    uint16_t error; /* CTL_REPLY: 0 or a WASI error number; 0 elsewhere */
    uint32_t seq;   /* of the request; 0 where nothing is answered */
    uint32_t a_len, b_len;
    union {
        struct ctl_start start;
        struct ctl_refused refused;
        struct ctl_trap trap;
        struct ctl_denied denied;
        struct ctl_open open;
        struct ctl_opened opened;
        struct ctl_path path;
        struct ctl_times times;
        struct ctl_stat stat;
        struct ctl_read read;
        struct ctl_net net;
        struct ctl_recv_wish recv;
        struct ctl_sizes sizes;
    } u;
};

_Static_assert(sizeof(struct ctl_msg) == 88, "the fixed part of a packet");
_Static_assert(sizeof(struct ctl_dirent) == 24, "packed entries of CTL_DIR_READ");

/* Bytes that the largest packet has. */
enum { CTL_PACKET_MAX = (int)sizeof(struct ctl_msg) + CTL_DATA_MAX };

/* Room for what comes along with a packet. */
struct ctl_fds {
    int fd[CTL_FDS_MAX];
    uint32_t count;
};

/* Sends m with a and b; sets m->a_len and b_len. fds: NULL or descriptors to send copies of.
 * flags: MSG_DONTWAIT or 0; never raises SIGPIPE. 0, E_AGAIN, E_LIMIT (a and b too long),
 * E_IO (the other end is gone). */
int ctl_send(int sock, struct ctl_msg *m, struct span a, struct span b,
             const struct ctl_fds *fds, int flags);

/* Receives one packet: the fixed part into *m, a and b behind one another into data
 * (cap bytes). Everything that ctl_msg's own fields promise about the packet's length has been
 * checked when it succeeds, and nothing about its meaning. fds->count descriptors
 * (close-on-exec) are then the caller's; NULL refuses packets that carry any. Retries when
 * interrupted by a signal, unless flags hold MSG_DONTWAIT.
 * 0, E_AGAIN, E_NOENT (the other end is gone), E_MALFORMED (all descriptors closed), E_IO. */
int ctl_recv(int sock, struct ctl_msg *m, uint8_t *data, size_t cap, struct ctl_fds *fds,
             int flags);

static inline struct span ctl_a(const struct ctl_msg *m, const uint8_t *data)
{
    return span_of(data, m->a_len);
}

static inline struct span ctl_b(const struct ctl_msg *m, const uint8_t *data)
{
    return span_of(data + m->a_len, m->b_len);
}

/* "path_open" and so on, for logs; "unknown" for any other number. */
const char *ctl_type_name(uint16_t type);

#endif
