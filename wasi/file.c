/* Bytes of open files and streams. */
#include "internal.h"

struct transfer {
    struct wasi_fd *row;
    struct iov_list iovs;
    enum guest_way way;
    uint32_t out; /* where the guest wants the count; known to exist */
};

/* Checks all that read, write, pread and pwrite have in common. */
static enum wasi_errno transfer_begin(struct wasi *w, const struct wasi_guest *g,
                                      const uint64_t *a, uint32_t out, uint64_t rights,
                                      enum guest_way way, struct transfer *t)
{
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], rights, &t->row);
    if (e != WASI_SUCCESS)
        return e;
    t->out = out;
    t->way = way;
    if (!guest_has(g, out, 4))
        return WASI_FAULT;
    return guest_iovs(g, (uint32_t)a[1], (uint32_t)a[2], way, &t->iovs);
}

static enum wasi_errno transfer_end(const struct wasi_guest *g, const struct transfer *t,
                                    enum wasi_errno e, size_t done)
{
    if (e == WASI_SUCCESS && t->way == GUEST_OUT)
        guest_iovs_wrote(g, &t->iovs, done);
    if (e == WASI_SUCCESS)
        guest_put_u32(g, t->out, (uint32_t)done);
    return e;
}

WASI_CALL(wasi_fd_read)
{
    struct transfer t;
    size_t done = 0;
    enum wasi_errno e = transfer_begin(w, g, a, (uint32_t)a[3], WASI_RIGHT_FD_READ, GUEST_OUT, &t);
    if (e == WASI_SUCCESS)
        e = HOST_CALL(w, read, t.row->handle, t.iovs.v, t.iovs.n, &done);
    return transfer_end(g, &t, e, done);
}

WASI_CALL(wasi_fd_write)
{
    struct transfer t;
    size_t done = 0;
    enum wasi_errno e = transfer_begin(w, g, a, (uint32_t)a[3], WASI_RIGHT_FD_WRITE, GUEST_IN, &t);
    if (e == WASI_SUCCESS)
        e = HOST_CALL(w, write, t.row->handle, t.iovs.v, t.iovs.n, &done);
    return transfer_end(g, &t, e, done);
}

/* Streams have no positions: say so in the words that C programs look for. */
static enum wasi_errno check_seekable(struct wasi *w, uint32_t fd)
{
    struct wasi_fd *row;
    enum wasi_errno e = fd_get(w, fd, 0, &row);
    if (e != WASI_SUCCESS || row->filetype == WASI_FILETYPE_REGULAR_FILE)
        return e;
    return row->filetype == WASI_FILETYPE_DIRECTORY ? WASI_ISDIR : WASI_SPIPE;
}

WASI_CALL(wasi_fd_pread)
{
    struct transfer t;
    size_t done = 0;
    enum wasi_errno e = check_seekable(w, (uint32_t)a[0]);
    if (e == WASI_SUCCESS)
        e = transfer_begin(w, g, a, (uint32_t)a[4], WASI_RIGHT_FD_READ | WASI_RIGHT_FD_SEEK,
                           GUEST_OUT, &t);
    if (e == WASI_SUCCESS && a[3] > INT64_MAX)
        e = WASI_INVAL;
    if (e == WASI_SUCCESS)
        e = HOST_CALL(w, pread, t.row->handle, t.iovs.v, t.iovs.n, a[3], &done);
    return transfer_end(g, &t, e, done);
}

WASI_CALL(wasi_fd_pwrite)
{
    struct transfer t;
    size_t done = 0;
    enum wasi_errno e = check_seekable(w, (uint32_t)a[0]);
    if (e == WASI_SUCCESS)
        e = transfer_begin(w, g, a, (uint32_t)a[4], WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_SEEK,
                           GUEST_IN, &t);
    if (e == WASI_SUCCESS && a[3] > INT64_MAX)
        e = WASI_INVAL;
    if (e == WASI_SUCCESS)
        e = HOST_CALL(w, pwrite, t.row->handle, t.iovs.v, t.iovs.n, a[3], &done);
    return transfer_end(g, &t, e, done);
}

static enum wasi_errno seek(struct wasi *w, const struct wasi_guest *g, uint32_t fd,
                            int64_t delta, uint32_t whence, uint32_t out)
{
    struct wasi_fd *row;
    uint64_t position;
    enum wasi_errno e = check_seekable(w, fd);
    if (e != WASI_SUCCESS)
        return e;
    if (whence > WASI_WHENCE_END)
        return WASI_INVAL;
    /* Asking where one is needs less than moving. */
    bool is_tell = whence == WASI_WHENCE_CUR && delta == 0;
    e = fd_get(w, fd, is_tell ? WASI_RIGHT_FD_TELL : WASI_RIGHT_FD_SEEK, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (!guest_has(g, out, 8))
        return WASI_FAULT;
    e = HOST_CALL(w, seek, row->handle, delta, (enum wasi_whence)whence, &position);
    if (e == WASI_SUCCESS)
        guest_put_u64(g, out, position);
    return e;
}

WASI_CALL(wasi_fd_seek)
{
    return seek(w, g, (uint32_t)a[0], (int64_t)a[1], (uint32_t)a[2], (uint32_t)a[3]);
}

WASI_CALL(wasi_fd_tell)
{
    return seek(w, g, (uint32_t)a[0], 0, WASI_WHENCE_CUR, (uint32_t)a[1]);
}

WASI_CALL(wasi_fd_advise)
{
    struct wasi_fd *row;
    enum wasi_errno e = check_seekable(w, (uint32_t)a[0]);
    if (e == WASI_SUCCESS)
        e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_ADVISE, &row);
    if (e != WASI_SUCCESS)
        return e;
    if ((uint32_t)a[3] >= WASI_ADVICE_COUNT_ || a[1] > INT64_MAX || a[2] > INT64_MAX)
        return WASI_INVAL;
    return HOST_CALL(w, advise, row->handle, a[1], a[2], (uint8_t)a[3]);
}

WASI_CALL(wasi_fd_allocate)
{
    struct wasi_fd *row;
    uint64_t end;
    enum wasi_errno e = check_seekable(w, (uint32_t)a[0]);
    if (e == WASI_SUCCESS)
        e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_ALLOCATE, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (a[2] == 0 || !checked_add_u64(a[1], a[2], &end) || end > INT64_MAX)
        return WASI_INVAL;
    return HOST_CALL(w, allocate, row->handle, a[1], a[2]);
}

WASI_CALL(wasi_fd_sync)
{
    struct wasi_fd *row;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_SYNC, &row);
    return e == WASI_SUCCESS ? HOST_CALL(w, sync, row->handle, false) : e;
}

WASI_CALL(wasi_fd_datasync)
{
    struct wasi_fd *row;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_DATASYNC, &row);
    return e == WASI_SUCCESS ? HOST_CALL(w, sync, row->handle, true) : e;
}
