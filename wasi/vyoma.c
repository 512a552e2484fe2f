/* Import module "vyoma" (wasi/vyoma.h). */
#include "wasi/vyoma.h"

#include "base/strbuf.h"
#include "internal.h"

/* A name (of an app, of a host): WASI_FAULT, WASI_INVAL when empty, too long or with NUL. */
static enum wasi_errno guest_name(const struct wasi_guest *g, uint32_t ptr, uint32_t len,
                                  struct span *ret)
{
    if (!guest_has(g, ptr, len))
        return WASI_FAULT;
    if (len == 0 || len > WASI_NAME_MAX)
        return WASI_INVAL;
    struct span name = span_of(guest_in(g, ptr, len), len);
    if (span_find(name, 0) != len)
        return WASI_INVAL;
    *ret = name;
    return WASI_SUCCESS;
}

WASI_CALL(vyoma_app_name)
{
    uint32_t cap = (uint32_t)a[1], out = (uint32_t)a[2];
    if (!guest_has(g, (uint32_t)a[0], cap) || !guest_has(g, out, 4))
        return WASI_FAULT;
    guest_put_u32(g, out, (uint32_t)w->app_name.len);
    if (w->app_name.len > cap)
        return WASI_RANGE;
    if (w->app_name.len)
        guest_put(g, (uint32_t)a[0], w->app_name.p, w->app_name.len);
    return WASI_SUCCESS;
}

WASI_CALL(vyoma_msg_send)
{
    struct span to;
    uint32_t len = (uint32_t)a[3];
    enum wasi_errno e = guest_name(g, (uint32_t)a[0], (uint32_t)a[1], &to);
    if (e != WASI_SUCCESS)
        return e;
    if (!guest_has(g, (uint32_t)a[2], len))
        return WASI_FAULT;
    if (len > VYOMA_MSG_MAX)
        return WASI_MSGSIZE;
    return HOST_CALL(w, msg_send, to, span_of(guest_in(g, (uint32_t)a[2], len), len));
}

/* Neither a name nor a message is longer than `most`. */
static struct wasi_iov borrow_at_most(const struct wasi_guest *g, uint32_t ptr, uint32_t len,
                                      uint32_t most)
{
    len = len < most ? len : most;
    return (struct wasi_iov){ guest_out(g, ptr, len), len };
}

WASI_CALL(vyoma_msg_recv)
{
    uint32_t out = (uint32_t)a[4];
    int32_t timeout_ms = (int32_t)(uint32_t)a[5];
    size_t lens[2] = { 0, 0 };
    if (!guest_has(g, (uint32_t)a[0], (uint32_t)a[1]) ||
        !guest_has(g, (uint32_t)a[2], (uint32_t)a[3]) || !guest_has(g, out, 8))
        return WASI_FAULT;
    if (timeout_ms < -1)
        return WASI_INVAL;
    struct wasi_iov from = borrow_at_most(g, (uint32_t)a[0], (uint32_t)a[1], WASI_NAME_MAX);
    struct wasi_iov data = borrow_at_most(g, (uint32_t)a[2], (uint32_t)a[3], VYOMA_MSG_MAX);
    enum wasi_errno e = HOST_CALL(w, msg_recv, from, data, timeout_ms, &lens[0], &lens[1]);
    if (e == WASI_SUCCESS) {
        guest_wrote(g, (uint32_t)a[0], from.p, lens[0]);
        guest_wrote(g, (uint32_t)a[2], data.p, lens[1]);
    }
    if (e == WASI_SUCCESS || e == WASI_MSGSIZE) {
        guest_put_u32(g, out, (uint32_t)lens[0]);
        guest_put_u32(g, out + 4, (uint32_t)lens[1]);
    }
    return e;
}

WASI_CALL(vyoma_net_connect)
{
    struct span host;
    int32_t handle;
    uint32_t port = (uint32_t)a[2], out = (uint32_t)a[3];
    enum wasi_errno e = guest_name(g, (uint32_t)a[0], (uint32_t)a[1], &host);
    if (e != WASI_SUCCESS)
        return e;
    if (port == 0 || port > UINT16_MAX)
        return WASI_INVAL;
    if (!guest_has(g, out, 4))
        return WASI_FAULT;
    int fd = fd_free(w);
    if (fd < 0)
        return WASI_MFILE;
    e = HOST_CALL(w, net_connect, host, (uint16_t)port, &handle);
    if (e != WASI_SUCCESS)
        return e;
    fd_take(w, fd, handle, WASI_FILETYPE_SOCKET_STREAM, WASI_RIGHTS_SOCKET, 0);
    guest_put_u32(g, out, (uint32_t)fd);
    return WASI_SUCCESS;
}

static enum wasi_errno no_listener(struct wasi *w, uint32_t port, enum wasi_errno e)
{
    char text[12];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text);
    strbuf_u64(&b, port);
    guest_denied(w, WASI_DENIED_LISTEN, strbuf_done(&b));
    return e;
}

/* A port that was closed or never declared is the same: there is nothing to listen on. */
WASI_CALL(vyoma_net_listener)
{
    uint32_t port = (uint32_t)a[0], out = (uint32_t)a[1];
    if (port == 0 || port > UINT16_MAX)
        return no_listener(w, port, WASI_INVAL);
    if (!guest_has(g, out, 4))
        return WASI_FAULT;
    for (uint32_t i = 0; i < w->fd_count; i++) {
        if (w->fds[i].used && w->fds[i].port == port) {
            guest_put_u32(g, out, i);
            return WASI_SUCCESS;
        }
    }
    return no_listener(w, port, WASI_NOTCAPABLE);
}
