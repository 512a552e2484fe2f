/* WASI on Linux: waiting, sockets, messages. */
#define _GNU_SOURCE
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "wasi_private.h"

/* Fills in what the kernel said about one descriptor. How much there is to read is asked for
 * only when it is the one descriptor: that is how a C library asks, and a server that
 * waits for many does not want a system call for each. */
static void report(struct wasi_pollfd *f, short events, bool is_only)
{
    int available = 0;
    f->ready = events != 0;
    f->hangup = (events & (POLLHUP | POLLRDHUP)) != 0;
    f->error = events & POLLNVAL ? WASI_BADF : 0;
    if (is_only && !f->write && (events & POLLIN) && ioctl(f->handle, FIONREAD, &available) == 0)
        f->nbytes = (uint64_t)available;
}

static int wait_ppoll(struct pollfd *p, size_t n, uint64_t timeout_ns)
{
    struct timespec t, *timeout = NULL;
    if (timeout_ns != UINT64_MAX) {
        t.tv_sec = (time_t)(timeout_ns / 1000000000u);
        t.tv_nsec = (long)(timeout_ns % 1000000000u);
        timeout = &t;
    }
    return ppoll(p, n, timeout, NULL);
}

/* Waits; after the signal to stop only when stdin, whose end is near, is among fds. */
static enum wasi_errno wait_any(const struct wasi_linux *l, struct pollfd *p, size_t n,
                                uint64_t timeout_ns)
{
    bool has_stdin = false;
    int ready;
    for (size_t i = 0; i < n; i++)
        has_stdin |= p[i].fd == STDIN_FILENO;
    do {
        bool last = l->stopping && !has_stdin;
        ready = wait_ppoll(p, n, last ? 0 : timeout_ns);
        if (ready == 0 && last && timeout_ns > 0)
            return WASI_INTR;
    } while (ready < 0 && errno == EINTR);
    return ready < 0 ? last_error() : WASI_SUCCESS;
}

/* No signal but the one to stop comes here, so that a wait that was interrupted may simply
 * begin anew. */
static enum wasi_errno poll_fds(void *ctx, struct wasi_pollfd *fds, size_t n,
                                uint64_t timeout_ns)
{
    struct pollfd p[WASI_POLL_MAX];
    base_assert(n <= WASI_POLL_MAX);
    for (size_t i = 0; i < n; i++) {
        bool dir = is_dir(fds[i].handle);
        p[i] = (struct pollfd){ .fd = dir ? -1 : fds[i].handle,
                                .events = fds[i].write ? POLLOUT : POLLIN | POLLRDHUP };
        if (dir)
            timeout_ns = 0;
    }
    enum wasi_errno e = wait_any(ctx, p, n, timeout_ns);
    if (e != WASI_SUCCESS)
        return e;
    for (size_t i = 0; i < n; i++) {
        if (is_dir(fds[i].handle))
            fds[i].ready = true;
        else
            report(&fds[i], p[i].revents, n == 1);
    }
    return WASI_SUCCESS;
}

/* --- sockets ---------------------------------------------------------------------- */

/* After the signal to stop: would a call on h wait? (If h does not block it would not, but
 * then the guest is about to wait elsewhere.) */
static bool stops_waiting(const struct wasi_linux *l, int32_t h, short events)
{
    struct pollfd p = { .fd = h, .events = events };
    return l->stopping && poll(&p, 1, 0) == 0;
}

static enum wasi_errno socket_accept(void *ctx, int32_t h, uint16_t fdflags, int32_t *ret)
{
    int fd, flags = SOCK_CLOEXEC | (fdflags & WASI_FDFLAG_NONBLOCK ? SOCK_NONBLOCK : 0);
    do {
        if (stops_waiting(ctx, h, POLLIN))
            return WASI_INTR;
        fd = accept4(h, NULL, NULL, flags);
    } while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (fd < 0)
        return last_error();
    *ret = fd;
    return WASI_SUCCESS;
}

static enum wasi_errno socket_recv(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   uint16_t riflags, size_t *ret, uint16_t *ret_roflags)
{
    struct iovec v[WASI_IOV_CHUNK];
    struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
    int flags = (riflags & WASI_RI_PEEK ? MSG_PEEK : 0) |
                (riflags & WASI_RI_WAITALL ? MSG_WAITALL : 0);
    ssize_t got;
    for (size_t i = 0; i < n; i++)
        v[i] = (struct iovec){ iov[i].p, iov[i].len };
    do {
        if (stops_waiting(ctx, h, POLLIN))
            return WASI_INTR;
        got = recvmsg(h, &m, flags);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return last_error();
    *ret = (size_t)got;
    *ret_roflags = m.msg_flags & MSG_TRUNC ? WASI_RO_DATA_TRUNCATED : 0;
    return WASI_SUCCESS;
}

static enum wasi_errno socket_send(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   size_t *ret)
{
    struct iovec v[WASI_IOV_CHUNK];
    struct msghdr m = { .msg_iov = v, .msg_iovlen = n };
    ssize_t put;
    for (size_t i = 0; i < n; i++)
        v[i] = (struct iovec){ iov[i].p, iov[i].len };
    do {
        if (stops_waiting(ctx, h, POLLOUT))
            return WASI_INTR;
        put = sendmsg(h, &m, MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    if (put < 0)
        return last_error();
    *ret = (size_t)put;
    return WASI_SUCCESS;
}

static enum wasi_errno socket_shutdown(void *ctx, int32_t h, uint8_t sdflags)
{
    static const int hows[] = { 0, SHUT_RD, SHUT_WR, SHUT_RDWR };
    return shutdown(h, hows[sdflags]) < 0 ? last_error() : WASI_SUCCESS;
}

static enum wasi_errno net_connect(void *ctx, struct span host, uint16_t port, int32_t *ret)
{
    struct wasi_linux *l = ctx;
    struct ctl_msg m = { .type = CTL_NET_CONNECT };
    int fd;
    m.u.net.port = port;
    uint16_t e = l->ask(l->ctx, &m, host, SPAN_NONE, l->data, &fd);
    if (e == WASI_SUCCESS && fd < 0)
        e = WASI_IO;
    if (e == WASI_SUCCESS)
        *ret = fd;
    else if (fd >= 0)
        close(fd);
    return (enum wasi_errno)e;
}

/* --- messages ---------------------------------------------------------------------- */

static enum wasi_errno msg_send(void *ctx, struct span to, struct span data)
{
    struct ctl_msg m = { .type = CTL_MSG_SEND };
    return ask_plain(ctx, &m, to, data);
}

static enum wasi_errno msg_recv(void *ctx, struct wasi_iov from, struct wasi_iov data,
                                int32_t timeout_ms, size_t *ret_from, size_t *ret_data)
{
    struct wasi_linux *l = ctx;
    struct ctl_msg m = { .type = CTL_MSG_RECV };
    m.u.recv.from_max = from.len < CTL_NAME_MAX ? (uint32_t)from.len : CTL_NAME_MAX;
    m.u.recv.data_max = data.len < CTL_MSG_BYTES_MAX ? (uint32_t)data.len : CTL_MSG_BYTES_MAX;
    m.u.recv.timeout_ms = timeout_ms;
    enum wasi_errno e = ask_plain(l, &m, SPAN_NONE, SPAN_NONE);
    if (e == WASI_MSGSIZE) {
        *ret_from = m.u.sizes.from_len;
        *ret_data = m.u.sizes.data_len;
    }
    if (e != WASI_SUCCESS)
        return e;
    if (m.a_len > from.len || m.b_len > data.len)
        return WASI_IO;
    memcpy(from.p, l->data, m.a_len);
    memcpy(data.p, l->data + m.a_len, m.b_len);
    *ret_from = m.a_len;
    *ret_data = m.b_len;
    return WASI_SUCCESS;
}

/* --- the table --------------------------------------------------------------------- */

enum wasi_errno ask_plain(struct wasi_linux *l, struct ctl_msg *m, struct span a, struct span b)
{
    int fd;
    uint16_t e = l->ask(l->ctx, m, a, b, l->data, &fd);
    if (fd >= 0)
        close(fd);
    return (enum wasi_errno)e;
}

static void trace(void *ctx, struct span line)
{
    struct wasi_linux *l = ctx;
    l->trace_line(l->ctx, line);
}

static void denied(void *ctx, enum wasi_denial what, struct span value)
{
    struct wasi_linux *l = ctx;
    if (l->denied)
        l->denied(l->ctx, what, value);
}

void wasi_linux_net_ops(struct wasi_host *h)
{
    h->poll = poll_fds;
    h->accept = socket_accept;
    h->recv = socket_recv;
    h->send = socket_send;
    h->shutdown = socket_shutdown;
    h->net_connect = net_connect;
    h->msg_send = msg_send;
    h->msg_recv = msg_recv;
}

void wasi_linux_init(struct wasi_linux *l, bool wants_trace)
{
    l->stopping = 0;
    l->nonblocking = 0;
    l->host = (struct wasi_host){ .ctx = l, .denied = denied, .trace = wants_trace ? trace : NULL };
    wasi_linux_file_ops(&l->host);
    wasi_linux_path_ops(&l->host);
    wasi_linux_net_ops(&l->host);
}
