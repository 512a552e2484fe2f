/* WASI beside one app: what the files here share. */
#ifndef HOSTS_BROWSER_APP_INTERNAL_H
#define HOSTS_BROWSER_APP_INTERNAL_H

#include "../wire.h"
#include "wasi/wasi.h"

#define JS(name) __attribute__((import_module("host"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

enum {
    FILES_DEFAULT = 64, SCRATCH = 8192,
    LISTENER = 16, LISTENERS_MAX = 16, /* handles of listening sockets, in the manifest's order */
    SOCKET_FIRST = 64, SOCKETS_MAX = 64, /* and of connections: the place in shared memory more */
    FILE_FIRST = 4096, /* the handle of /data; an open file's is the core's number more */
};

extern struct app {
    struct wasi wasi;
    struct wasi_host host;
    struct wasi_fd fds[WASI_FD_MAX];
    struct wasi_remote remote;
    struct wasi_guest guest;
    const struct wasi_function *imports[64]; /* that the module has, by number */
    uint32_t import_count, caps, nonblocking;
    uint64_t args[WASI_PARAMS_MAX];
    uint8_t start[WIRE_DATA_MAX], window[WASI_WINDOW_BYTES], scratch[SCRATCH];
    struct wire_packet packet;
} app;

/* Sends the packet with these two behind its head, and waits for the answer in its place. */
enum wasi_errno ask(enum wire_op op, struct span a, struct span b);
/* Before ask(); clears the fourth. */
void set_numbers(int32_t a, int32_t b, int32_t c);
/* The last word about an import that could not be linked. */
void refuse_import(struct span module, struct span name);

static inline size_t iovs_total(const struct wasi_iov *iov, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += iov[i].len;
    return sum;
}

/* What may come from JavaScript instead of a count. */
enum { WOULD_BLOCK = -1, STOPPED = -2 };

/* sockets.c */
static inline bool is_socket(int32_t h) { return h >= SOCKET_FIRST && h < SOCKET_FIRST + SOCKETS_MAX; }
static inline bool is_listener(int32_t h) { return h >= LISTENER && h < LISTENER + LISTENERS_MAX; }
void socket_ops(struct wasi_host *host);
enum wasi_errno socket_read(int32_t h, const struct wasi_iov *iov, size_t n, bool peek, size_t *ret);
enum wasi_errno socket_write(int32_t h, const struct wasi_iov *iov, size_t n, size_t *ret);
void socket_set_flags(int32_t h, uint16_t fdflags);
void socket_close(int32_t h);
/* The handle of a connection that the core has made at the place. */
int32_t socket_connected(int32_t place);

/* files.c */
static inline bool is_file(int32_t h) { return h >= FILE_FIRST; }
void file_ops(struct wasi_host *host);
enum wasi_errno file_read(int32_t h, uint64_t at, const struct wasi_iov *iov, size_t n, size_t *ret);
enum wasi_errno file_write(int32_t h, uint64_t at, const struct wasi_iov *iov, size_t n,
                           size_t *ret);
enum wasi_errno file_close(int32_t h);
enum wasi_errno file_set_flags(int32_t h, uint16_t fdflags);
enum wasi_errno file_stat(int32_t h, struct span path, bool follow, struct wasi_filestat *ret);

#endif
