/* Sockets, made outside of the sandbox: listeners before the app starts, connections after
 * core has allowed the destination. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "internal.h"
#include "hosts/linux/resolve.h"
#include "hosts/linux/wasi_errno.h"
#include "wasi/abi.h"

enum { LISTEN_BACKLOG = 128 };

_Static_assert((int)MANIFEST_PORTS_MAX <= (int)CTL_LISTENERS_MAX, "each port's socket fits");

static bool set_option(int fd, int level, int option)
{
    int one = 1;
    return setsockopt(fd, level, option, &one, sizeof one) == 0;
}

/* A guest has no call to ask for it: what it writes goes out at once, not when its last packet
 * has been acknowledged. Accepted sockets have it from theirs. */
static bool set_nodelay(int fd)
{
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY);
}

/* In the image for everyone, on a developer's machine for that machine. */
static int listen_on(struct sup *s, uint16_t port)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port) };
    addr.sin_addr.s_addr = htonl(s->o->owns_machine ? INADDR_ANY : INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && set_option(fd, SOL_SOCKET, SO_REUSEADDR) && set_nodelay(fd) &&
        bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0 && listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int error = errno;
    snprintf(s->why, sizeof s->why, "port %u: %s", port,
             error == EADDRINUSE ? "another program listens on it" : strerror(error));
    if (fd >= 0)
        close(fd);
    return error == EACCES ? E_DENIED : E_IO;
}

int net_listen(struct sup *s, const struct manifest *m, struct ctl_fds *ret)
{
    ret->count = 0;
    if (!manifest_has(m, MANIFEST_CAP_NETWORK) || !m->network.tcp)
        return E_OK;
    for (uint32_t i = 0; i < m->network.ports_count; i++) {
        int fd = listen_on(s, m->network.ports[i]);
        if (fd < 0) {
            while (ret->count)
                close(ret->fd[--ret->count]);
            return fd;
        }
        ret->fd[ret->count++] = fd;
    }
    return E_OK;
}

/* --- outgoing ------------------------------------------------------------------ */

static void hand_over(struct sup *s, struct app *a, int fd)
{
    struct ctl_msg m = { 0 };
    fcntl(fd, F_SETFL, 0); /* it blocks from here on, as a guest expects */
    control_answer(s, a, &m, SPAN_NONE, SPAN_NONE, fd);
    close(fd);
}

void net_connect(struct sup *s, struct app *a, struct span host, uint16_t port)
{
    struct sockaddr_storage addr;
    socklen_t len;
    if (!resolve_at_once(host, port, &addr, &len)) {
        control_fail(s, a, WASI_HOSTUNREACH);
        return;
    }
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        set_nodelay(fd);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, len) == 0) {
        hand_over(s, a, fd);
    } else if (fd >= 0 && errno == EINPROGRESS) {
        a->connect = (struct watch){ fd, 0 };
        a->connect_until_ms = sup_now_ms() + CONNECT_TIMEOUT_MS;
        s->connecting++;
        sup_watch(s, &a->connect, WATCH_CONNECT, a->id, EPOLLOUT);
    } else {
        control_fail(s, a, (uint16_t)wasi_errno_of(errno));
        if (fd >= 0)
            close(fd);
    }
}

/* Takes the socket out of the loop: it becomes the app's, or nobody's. */
static int take_connect(struct sup *s, struct app *a)
{
    int fd = a->connect.fd;
    sup_watch(s, &a->connect, WATCH_CONNECT, a->id, 0);
    a->connect.fd = -1;
    s->connecting--;
    return fd;
}

void net_connect_ready(struct sup *s, struct app *a)
{
    int err = 0;
    socklen_t len = sizeof err;
    if (a->connect.fd < 0)
        return;
    int fd = take_connect(s, a);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0) {
        hand_over(s, a, fd);
        return;
    }
    close(fd);
    control_fail(s, a, (uint16_t)wasi_errno_of(err));
}

void net_connect_cancel(struct sup *s, struct app *a)
{
    if (a->connect.fd >= 0)
        close(take_connect(s, a));
}

void net_connect_timeouts(struct sup *s, uint64_t now_ms)
{
    for (uint32_t i = 0; i < CORE_APPS_MAX && s->connecting; i++) {
        struct app *a = &s->apps[i];
        if (!a->id || a->connect.fd < 0 || now_ms < a->connect_until_ms)
            continue;
        net_connect_cancel(s, a);
        control_fail(s, a, WASI_TIMEDOUT);
    }
}
