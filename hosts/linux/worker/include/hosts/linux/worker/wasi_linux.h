/* struct wasi_host on Linux, for a process that cannot open anything by itself.
 *
 * What is open is used by direct system calls on its descriptor. Whatever has a name (a
 * path, an app, a host) is a request to somebody outside: the supervisor over the
 * control channel, or in tests a function. Handles are descriptors, and ids of
 * directories, which exist outside only, above WASI_LINUX_DIR. */
#ifndef HOSTS_LINUX_WORKER_WASI_LINUX_H
#define HOSTS_LINUX_WORKER_WASI_LINUX_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "hosts/linux/ctl.h"
#include "wasi/host.h"

enum { WASI_LINUX_DIR = 0x40000000 };

struct wasi_linux {
    struct wasi_host host; /* give &host to wasi_init */

    /* Sends *m with a and b, waits, and puts the reply into *m, data (CTL_DATA_MAX bytes) and
     * *ret_fd (-1, or one descriptor). The reply's error, or WASI_IO when there was none. */
    uint16_t (*ask)(void *ctx, struct ctl_msg *m, struct span a, struct span b, uint8_t *data,
                    int *ret_fd);
    /* One line about a host call. */
    void (*trace_line)(void *ctx, struct span line);
    /* What WASI has refused; NULL when nobody wants to know. */
    void (*denied)(void *ctx, enum wasi_denial what, struct span value);
    void *ctx;

    /* Set by a signal: the guest may read its stdin to the end, but a call that would wait
     * for anything else gives up with WASI_INTR. */
    volatile sig_atomic_t stopping;
    /* Standard streams that the guest wants not to block. The flag would belong to everyone
     * who shares the stream, so it is kept here. Bit n: descriptor n. */
    uint32_t nonblocking;
    uint8_t *data; /* CTL_DATA_MAX bytes for replies */
};

/* ask, ctx, data (and trace_line when trace is wanted) are set by the caller, before. */
void wasi_linux_init(struct wasi_linux *l, bool trace);

#endif
