/* What the guest passes: lists of buffers and paths, checked. */
#include "base/utf8.h"
#include "internal.h"

enum { IOVS_MAX = 1024 }; /* as POSIX systems have it */

enum wasi_errno guest_iovs(const struct wasi_guest *g, uint32_t ptr, uint32_t count,
                           struct iov_list *ret)
{
    uint64_t total = 0;
    if (count > IOVS_MAX)
        return WASI_INVAL;
    if (!guest_at(g, ptr, (uint64_t)count * sizeof(struct wasi_abi_iovec)))
        return WASI_FAULT;
    ret->n = count < WASI_IOV_CHUNK ? count : WASI_IOV_CHUNK;
    for (size_t i = 0; i < ret->n; i++) {
        struct wasi_abi_iovec v;
        memcpy(&v, g->base + ptr + i * sizeof v, sizeof v);
        ret->v[i].p = guest_at(g, v.buf, v.len);
        ret->v[i].len = v.len;
        if (!ret->v[i].p)
            return WASI_FAULT;
        total += v.len;
    }
    /* The guest learns the count in 32 bits. */
    return total <= INT32_MAX ? WASI_SUCCESS : WASI_INVAL;
}

enum wasi_errno guest_path(struct wasi *w, const struct wasi_guest *g, uint32_t ptr,
                           uint32_t len, struct span *ret)
{
    const uint8_t *p = guest_at(g, ptr, len);
    if (!p)
        return WASI_FAULT;
    struct span path = span_of(p, len);
    if (len == 0)
        return WASI_NOENT;
    if (len > WASI_PATH_MAX)
        return WASI_NAMETOOLONG;
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
