/* What an app's worker and the core's worker say to one another: one struct wire, and behind it
 * a_len then b_len bytes. Both sides are C compiled to wasm32; the JavaScript between them moves
 * bytes and looks at nothing but the lengths, and at whether a request may take for ever.
 *
 * The app's side asks and waits for the answer, one request at a time. Nothing that it says is
 * trusted. */
#ifndef HOSTS_BROWSER_WIRE_H
#define HOSTS_BROWSER_WIRE_H

#include <stdint.h>

enum {
    WIRE_DATA_MAX = 64 * 1024 + 1024, /* a_len + b_len */
    WIRE_NUMBERS = 4,
};

enum wire_op {
    WIRE_START = 1, /* to the app: a name, NUL, ports it listens on of two bytes each; b strings;
                       number: caps, open files, args, env */
    WIRE_REFUSED,   /* a text, b import; number[0] 1: the manifest could grant it, then the key
                       is number[1] bytes at the end of b */
    WIRE_TRAP,      /* a reason, b backtrace; number[0] enum eng_trap_code */
    WIRE_DENIED,    /* a value; number[0] enum wasi_denial */
    WIRE_CONNECT,   /* a host; number[0] port. Answer: number[0] the place of its bytes */
    WIRE_MSG_SEND,  /* a destination, b message */
    WIRE_MSG_RECV,  /* number: most of the sender, most of the message, timeout_ms. Answer: a
                       sender, b message; WASI_MSGSIZE: number says how long they are */
    /* What core decides: it has a path. number[0] is the folder, a handle; 0 is /data. */
    WIRE_OPEN,      /* a path; number[1] oflags, [2] fdflags, [3] enum wire_open. Answer:
                       number[0] handle, [1] enum wasi_filetype */
    WIRE_STAT,      /* a path, or none: of the handle itself; [1] follow. Answer: b
                       struct wasi_filestat */
    WIRE_SET_TIMES, /* a path, or none; [1] follow, [2] fstflags; b: accessed, modified, u64 */
    WIRE_MKDIR, WIRE_RMDIR, WIRE_UNLINK, /* a path */
    WIRE_RENAME,    /* a path, b path in [1] */
    WIRE_LINK,      /* the same; [2] follow */
    WIRE_SYMLINK,   /* a target, b path in [1] */
    WIRE_READLINK,  /* a path. Answer: b target */
    /* What is open. number[0] is the handle; [2] and [3] are the halves of a 64-bit number. */
    WIRE_READ,      /* [1] how many, [2] where, all ones: where it is. Answer: b */
    WIRE_WRITE,     /* b; [2] where. Answer: [0] how many */
    WIRE_SEEK,      /* [1] whence, [2] how far. Answer: [2] where it is */
    WIRE_ALLOCATE,  /* [2] where; b how many, u64 */
    WIRE_FLAGS,     /* [1] fdflags */
    WIRE_SIZE,      /* [2] size */
    WIRE_SYNC,
    WIRE_CLOSE,
    WIRE_READDIR,   /* [1] most bytes, [2] cookie. Answer: b struct wire_dirent and name, ... */
};

enum wire_open { WIRE_OPEN_FOLLOW = 1, WIRE_OPEN_READ = 2, WIRE_OPEN_WRITE = 4 };

struct wire_dirent {
    uint64_t next, ino;
    uint16_t name_len;
    uint8_t filetype, zero[5];
};

struct wire {
    uint16_t op;
    uint16_t error; /* of an answer: enum wasi_errno */
    uint32_t a_len, b_len;
    int32_t number[WIRE_NUMBERS];
};

_Static_assert(WIRE_CONNECT == 5 && WIRE_MSG_RECV == 7, "page/app-worker.js lets a stop end these");
_Static_assert(sizeof(struct wire) == 28, "the JavaScript reads a_len at 4 and b_len at 8");

/* A 64-bit number in [2] and [3]. */
static inline uint64_t wire_number(const struct wire *w)
{
    return (uint32_t)w->number[2] | (uint64_t)(uint32_t)w->number[3] << 32;
}
static inline void wire_set_number(struct wire *w, uint64_t n)
{
    w->number[2] = (int32_t)(uint32_t)n;
    w->number[3] = (int32_t)(uint32_t)(n >> 32);
}

struct wire_packet {
    struct wire head;
    uint8_t data[WIRE_DATA_MAX];
};

#endif
