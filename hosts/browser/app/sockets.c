/* Stream sockets of an app. Their bytes are in memory that is shared with the core's worker
 * (page/channel.js); a socket is a place in it. */
#include "internal.h"

/* Counts, or WOULD_BLOCK, STOPPED, CLOSED, RESET. A read of 0 is the end. */
enum { CLOSED = -3, RESET = -4 };
JS(socket_accept) int32_t js_socket_accept(uint32_t listener, uint32_t nonblock);
JS(socket_read) int32_t js_socket_read(uint32_t place, void *p, size_t len, uint32_t nonblock,
                                       uint32_t peek);
JS(socket_write) int32_t js_socket_write(uint32_t place, const void *p, size_t len,
                                         uint32_t nonblock);
JS(socket_shutdown) void js_socket_shutdown(uint32_t place, uint32_t read, uint32_t write);
JS(socket_close) void js_socket_close(uint32_t place);

static bool nonblocking[LISTENERS_MAX + SOCKETS_MAX];

static bool *nonblocking_of(int32_t h)
{
    return is_socket(h) ? &nonblocking[LISTENERS_MAX + h - SOCKET_FIRST] : &nonblocking[h - LISTENER];
}

static uint32_t place_of(int32_t h) { return (uint32_t)(h - SOCKET_FIRST); }

static enum wasi_errno counted(int32_t n, size_t *ret)
{
    switch (n) {
    case WOULD_BLOCK: return WASI_AGAIN;
    case STOPPED: return WASI_INTR;
    case CLOSED: return WASI_PIPE;
    case RESET: return WASI_CONNRESET;
    default: *ret = (size_t)n; return WASI_SUCCESS;
    }
}

void socket_set_flags(int32_t h, uint16_t fdflags)
{
    *nonblocking_of(h) = fdflags & WASI_FDFLAG_NONBLOCK;
}

enum wasi_errno socket_accept(void *ctx, int32_t h, uint16_t fdflags, int32_t *ret)
{
    size_t place;
    enum wasi_errno e = counted(js_socket_accept((uint32_t)(h - LISTENER), *nonblocking_of(h)), &place);
    if (e != WASI_SUCCESS)
        return e;
    *ret = SOCKET_FIRST + (int32_t)place;
    socket_set_flags(*ret, fdflags);
    return WASI_SUCCESS;
}

enum wasi_errno socket_read(int32_t h, const struct wasi_iov *iov, size_t n, bool peek, size_t *ret)
{
    size_t len = iovs_total(iov, n);
    *ret = 0;
    return len ? counted(js_socket_read(place_of(h), iov[0].p, len, *nonblocking_of(h), peek), ret)
               : WASI_SUCCESS;
}

enum wasi_errno socket_write(int32_t h, const struct wasi_iov *iov, size_t n, size_t *ret)
{
    size_t len = iovs_total(iov, n);
    *ret = 0;
    return len ? counted(js_socket_write(place_of(h), iov[0].p, len, *nonblocking_of(h)), ret)
               : WASI_SUCCESS;
}

static enum wasi_errno socket_recv(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   uint16_t riflags, size_t *ret, uint16_t *ret_roflags)
{
    size_t len = iovs_total(iov, n);
    *ret_roflags = 0;
    enum wasi_errno e = socket_read(h, iov, n, riflags & WASI_RI_PEEK, ret);
    while (e == WASI_SUCCESS && riflags & WASI_RI_WAITALL && *ret < len && n == 1 &&
           !(riflags & WASI_RI_PEEK)) {
        struct wasi_iov rest = { iov[0].p + *ret, len - *ret };
        size_t more;
        e = socket_read(h, &rest, 1, false, &more);
        if (e != WASI_SUCCESS || !more)
            return WASI_SUCCESS; /* what came before is not lost */
        *ret += more;
    }
    return e;
}

static enum wasi_errno socket_send(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   size_t *ret)
{
    return socket_write(h, iov, n, ret);
}

static enum wasi_errno socket_shutdown(void *ctx, int32_t h, uint8_t sdflags)
{
    if (!is_socket(h))
        return WASI_NOTCONN;
    js_socket_shutdown(place_of(h), sdflags & WASI_SD_RD, sdflags & WASI_SD_WR);
    return WASI_SUCCESS;
}

void socket_close(int32_t h)
{
    if (is_socket(h))
        js_socket_close(place_of(h));
}

int32_t socket_connected(int32_t place)
{
    int32_t h = SOCKET_FIRST + place;
    *nonblocking_of(h) = false;
    return h;
}

void socket_ops(struct wasi_host *host)
{
    host->accept = socket_accept;
    host->recv = socket_recv;
    host->send = socket_send;
    host->shutdown = socket_shutdown;
}
