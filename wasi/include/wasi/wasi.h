/* WASI preview 1 and the `vyoma` module for one guest.
 *
 *     wasi_init      over a host's table, with memory for the descriptor table
 *     wasi_add_*     what the guest is born with: stdio, /data, listening sockets
 *     wasi_resolve   (wasi/link.h) answers the engine's question for an import
 *
 * Freestanding: no system call, no allocation, no global. One struct wasi serves one
 * instance on one thread. What the guest passes is checked here, once: pointers,
 * lengths, descriptors, rights, flags, the form of paths. */
#ifndef WASI_WASI_H
#define WASI_WASI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "wasi/caps.h"
#include "wasi/host.h"

/* A row of the guest's descriptor table. */
struct wasi_fd {
    bool used;
    bool is_preopen;      /* its name shows through fd_prestat_get */
    uint8_t filetype;     /* enum wasi_filetype */
    uint16_t flags;       /* enum wasi_fdflags */
    uint16_t port;        /* of a listening socket; 0 for others */
    int32_t handle;       /* the host's */
    uint64_t base;        /* rights of the descriptor itself */
    uint64_t inheriting;  /* most rights of what is opened through it */
    struct span name;     /* of a preopened directory */
};

enum {
    WASI_FD_MAX = 1056,   /* most rows that a table may have */
    WASI_FD_FIRST = 3,    /* 0 to 2 belong to stdio even when it is not granted */
    WASI_ARGS_MAX = 4096, /* most arguments, and most variables */
    /* The most that one call borrows: a message and its sender, or two paths. Longer transfers
     * are short. */
    WASI_WINDOW_BYTES = VYOMA_MSG_MAX + 1024,
};

/* Lists of NUL-terminated strings, one behind the other. */
struct wasi_strings {
    struct span bytes; /* the last byte, if any, is NUL */
    uint32_t count;
};

struct wasi {
    const struct wasi_host *host;
    struct wasi_fd *fds;
    uint32_t fd_count; /* rows */
    struct span app_name;
    struct wasi_strings args, env;
    bool lacks_right; /* the call under way was refused for a descriptor's rights */
    bool exited; /* the guest asked to end: */
    uint32_t exit_code;
};

/* A guest whose memory lies in another address space (in a browser it belongs to the
 * browser's engine): it is copied. get and put are called with ranges that were checked.
 * What a call has borrowed of the memory is in the window until the call ends. */
struct wasi_remote {
    void *ctx;
    void (*get)(void *ctx, void *to, uint32_t from, size_t len);
    void (*put)(void *ctx, uint32_t to, const void *from, size_t len);
    uint8_t *window; /* WASI_WINDOW_BYTES, the embedder's */
    size_t window_used;
};

/* A view of the guest's memory 0, taken anew for each call. */
struct wasi_guest {
    uint8_t *base;              /* NULL: `remote`, or there is no memory */
    uint64_t size;              /* bytes; at most 4 GiB */
    struct wasi_remote *remote; /* NULL when base is ours to use */
};

/* host, fds (fd_count rows, at most WASI_FD_MAX) and the spans must outlive w. */
void wasi_init(struct wasi *w, const struct wasi_host *host, struct wasi_fd *fds,
               uint32_t fd_count);
/* E_MALFORMED when bytes are not `count` strings (at most WASI_ARGS_MAX). */
int wasi_set_args(struct wasi *w, struct wasi_strings args);
int wasi_set_env(struct wasi *w, struct wasi_strings env);

/* Each gives the guest one descriptor and returns its number, or E_FULL. */
int wasi_add_stdio(struct wasi *w, uint32_t fd, int32_t handle, bool is_terminal);
int wasi_add_preopen(struct wasi *w, int32_t handle, struct span name);
int wasi_add_listener(struct wasi *w, int32_t handle, uint16_t port);

/* Hands every open descriptor back to the host. */
void wasi_finish(struct wasi *w);

/* --- the table of functions -------------------------------------------------- */

/* args: as many as `params` says; i32 in the low half. */
typedef enum wasi_errno (*wasi_call)(struct wasi *w, const struct wasi_guest *g,
                                     const uint64_t *args);

struct wasi_function {
    const char *name;
    const char *params; /* one letter each: i is i32, I is i64 */
    wasi_call call;
    uint32_t any_of;    /* enum wasi_cap bits that make it exist; 0: always */
    bool returns;       /* an errno as i32; proc_exit alone does not */
};

enum wasi_module { WASI_MODULE_PREVIEW1, WASI_MODULE_VYOMA, WASI_MODULE_COUNT_ };
enum { WASI_PARAMS_MAX = 9 };

/* The functions of a module, *ret_count of them. */
const struct wasi_function *wasi_functions(enum wasi_module module, uint32_t *ret_count);
/* NULL when there is none such. */
const struct wasi_function *wasi_function_find(struct span module, struct span name);

/* Calls f, and reports it to the host's trace if there is one. */
enum wasi_errno wasi_function_call(const struct wasi_function *f, struct wasi *w,
                                   const struct wasi_guest *g, const uint64_t *args);

/* "ENOENT"-style name without the E ("noent"), or "unknown". */
const char *wasi_errno_name(enum wasi_errno e);

#endif
