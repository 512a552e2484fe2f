/* What the guest passes: lists of buffers and paths, checked. */
#include "base/utf8.h"
#include "internal.h"

enum { IOVS_MAX = 1024 }; /* as POSIX systems have it */

static uint8_t *borrow(struct wasi_remote *r, size_t len)
{
    base_assert(len <= WASI_WINDOW_BYTES - r->window_used);
    uint8_t *p = r->window + r->window_used;
    r->window_used += len;
    return p;
}

const void *guest_in(const struct wasi_guest *g, uint32_t ptr, size_t len)
{
    base_assert(guest_has(g, ptr, len));
    if (!g->remote)
        return g->base + ptr;
    uint8_t *p = borrow(g->remote, len);
    g->remote->get(g->remote->ctx, p, ptr, len);
    return p;
}

void *guest_out(const struct wasi_guest *g, uint32_t ptr, size_t len)
{
    base_assert(guest_has(g, ptr, len));
    return g->remote ? borrow(g->remote, len) : g->base + ptr;
}

void guest_wrote(const struct wasi_guest *g, uint32_t ptr, const void *p, size_t len)
{
    if (g->remote && len)
        g->remote->put(g->remote->ctx, ptr, p, len);
}

/* Checks all of a list before anything of it is borrowed. */
static enum wasi_errno read_iovs(const struct wasi_guest *g, uint32_t ptr, uint32_t count,
                                 struct iov_list *ret)
{
    uint64_t total = 0;
    if (count > IOVS_MAX)
        return WASI_INVAL;
    if (!guest_has(g, ptr, (uint64_t)count * sizeof(struct wasi_abi_iovec)))
        return WASI_FAULT;
    ret->n = count < WASI_IOV_CHUNK ? count : WASI_IOV_CHUNK;
    for (size_t i = 0; i < ret->n; i++) {
        struct wasi_abi_iovec v;
        if (!guest_get(g, ptr + (uint32_t)(i * sizeof v), &v, sizeof v) ||
            !guest_has(g, v.buf, v.len))
            return WASI_FAULT;
        ret->at[i] = v.buf;
        ret->v[i].len = v.len;
        total += v.len;
    }
    /* The guest learns the count in 32 bits. */
    return total <= INT32_MAX ? WASI_SUCCESS : WASI_INVAL;
}

enum wasi_errno guest_iovs(const struct wasi_guest *g, uint32_t ptr, uint32_t count,
                           enum guest_way way, struct iov_list *ret)
{
    enum wasi_errno e = read_iovs(g, ptr, count, ret);
    if (e != WASI_SUCCESS)
        return e;
    for (size_t i = 0; i < ret->n; i++) {
        size_t room = guest_room(g);
        bool is_last = ret->v[i].len > room;
        if (is_last)
            ret->v[i].len = room;
        ret->v[i].p = way == GUEST_IN ? (uint8_t *)(uintptr_t)guest_in(g, ret->at[i], ret->v[i].len)
                                      : guest_out(g, ret->at[i], ret->v[i].len);
        if (is_last)
            ret->n = i + 1;
    }
    return WASI_SUCCESS;
}

void guest_iovs_wrote(const struct wasi_guest *g, const struct iov_list *list, size_t done)
{
    for (size_t i = 0; i < list->n && done; i++) {
        size_t n = list->v[i].len < done ? list->v[i].len : done;
        guest_wrote(g, list->at[i], list->v[i].p, n);
        done -= n;
    }
}

enum wasi_errno guest_path(struct wasi *w, const struct wasi_guest *g, uint32_t ptr,
                           uint32_t len, struct span *ret)
{
    if (!guest_has(g, ptr, len))
        return WASI_FAULT;
    if (len == 0)
        return WASI_NOENT;
    if (len > WASI_PATH_MAX)
        return WASI_NAMETOOLONG;
    const uint8_t *p = guest_in(g, ptr, len);
    struct span path = span_of(p, len);
    if (span_find(path, 0) != len)
        return WASI_INVAL;
    if (!utf8_valid(path))
        return WASI_ILSEQ;
    if (p[0] == '/') {
        guest_denied(w, WASI_DENIED_ESCAPE, path);
        return WASI_NOTCAPABLE;
    }
    *ret = path;
    return WASI_SUCCESS;
}
