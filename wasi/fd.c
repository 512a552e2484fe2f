/* Descriptors themselves: their table rows, and what they say about themselves. */
#include "internal.h"

WASI_CALL(wasi_fd_close)
{
    struct wasi_fd *row;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], 0, &row);
    if (e != WASI_SUCCESS)
        return e;
    row->used = false; /* also when the host fails to: the handle is gone in either case */
    return HOST_CALL(w, close, row->handle);
}

WASI_CALL(wasi_fd_renumber)
{
    struct wasi_fd *from, *to;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], 0, &from);
    if (e == WASI_SUCCESS)
        e = fd_get(w, (uint32_t)a[1], 0, &to);
    if (e != WASI_SUCCESS || from == to)
        return e;
    int32_t old = to->handle;
    *to = *from;
    from->used = false;
    HOST_CALL(w, close, old);
    return WASI_SUCCESS;
}

WASI_CALL(wasi_fd_fdstat_get)
{
    struct wasi_fd *row;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], 0, &row);
    if (e != WASI_SUCCESS)
        return e;
    struct wasi_abi_fdstat s = { .filetype = row->filetype,
                                 .flags = row->flags,
                                 .rights_base = row->base,
                                 .rights_inheriting = row->inheriting };
    return guest_put(g, (uint32_t)a[1], &s, sizeof s) ? WASI_SUCCESS : WASI_FAULT;
}

WASI_CALL(wasi_fd_fdstat_set_flags)
{
    struct wasi_fd *row;
    uint32_t flags = (uint32_t)a[1];
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_FDSTAT_SET_FLAGS, &row);
    if (e != WASI_SUCCESS)
        return e;
    /* How writes are synced is settled when a file is opened: it cannot be asked for later, and
     * does not end when a guest sets another flag alone. */
    uint32_t settled = row->flags & (WASI_FDFLAG_DSYNC | WASI_FDFLAG_RSYNC | WASI_FDFLAG_SYNC);
    if (flags & ~(uint32_t)WASI_FDFLAGS_ALL)
        return WASI_INVAL;
    if (flags & ~(settled | WASI_FDFLAG_APPEND | WASI_FDFLAG_NONBLOCK))
        return WASI_NOTSUP;
    flags |= settled;
    if (flags == row->flags)
        return WASI_SUCCESS;
    e = HOST_CALL(w, set_flags, row->handle, (uint16_t)flags);
    if (e == WASI_SUCCESS)
        row->flags = (uint16_t)flags;
    return e;
}

/* Rights can be given up and never be won. */
WASI_CALL(wasi_fd_fdstat_set_rights)
{
    struct wasi_fd *row;
    uint64_t base = a[1], inheriting = a[2];
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], 0, &row);
    if (e != WASI_SUCCESS)
        return e;
    if ((base & ~row->base) || (inheriting & ~row->inheriting))
        return lacks_right(w);
    row->base = base;
    row->inheriting = inheriting;
    return WASI_SUCCESS;
}

enum wasi_errno filestat_put(const struct wasi_guest *g, uint32_t ptr,
                             const struct wasi_filestat *s)
{
    struct wasi_abi_filestat out = { .dev = s->dev,
                                     .ino = s->ino,
                                     .filetype = (uint8_t)s->filetype,
                                     .nlink = s->nlink,
                                     .size = s->size,
                                     .atim = s->atim,
                                     .mtim = s->mtim,
                                     .ctim = s->ctim };
    return guest_put(g, ptr, &out, sizeof out) ? WASI_SUCCESS : WASI_FAULT;
}

WASI_CALL(wasi_fd_filestat_get)
{
    struct wasi_fd *row;
    struct wasi_filestat s;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_FILESTAT_GET, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (!guest_has(g, (uint32_t)a[1], sizeof(struct wasi_abi_filestat)))
        return WASI_FAULT;
    e = HOST_CALL(w, stat, row->handle, &s);
    if (e != WASI_SUCCESS)
        return e;
    s.filetype = row->filetype; /* as fd_fdstat_get says: stdio may pass for a terminal */
    return filestat_put(g, (uint32_t)a[1], &s);
}

WASI_CALL(wasi_fd_filestat_set_size)
{
    struct wasi_fd *row;
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_FILESTAT_SET_SIZE, &row);
    if (e != WASI_SUCCESS)
        return e;
    return a[1] <= INT64_MAX ? HOST_CALL(w, set_size, row->handle, a[1]) : WASI_INVAL;
}

WASI_CALL(wasi_fd_filestat_set_times)
{
    struct wasi_fd *row;
    uint32_t flags = (uint32_t)a[3];
    enum wasi_errno e = fd_get(w, (uint32_t)a[0], WASI_RIGHT_FD_FILESTAT_SET_TIMES, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (!fstflags_valid(flags))
        return WASI_INVAL;
    struct wasi_times times = { .atim = a[1], .mtim = a[2], .fstflags = (uint16_t)flags };
    return HOST_CALL(w, set_times, row->handle, &times);
}

static enum wasi_errno get_preopen(struct wasi *w, uint32_t fd, struct wasi_fd **ret)
{
    enum wasi_errno e = fd_get(w, fd, 0, ret);
    if (e != WASI_SUCCESS)
        return e;
    /* C libraries ask for 3, 4, ... until they get WASI_BADF. */
    return (*ret)->is_preopen ? WASI_SUCCESS : WASI_BADF;
}

WASI_CALL(wasi_fd_prestat_get)
{
    struct wasi_fd *row;
    enum wasi_errno e = get_preopen(w, (uint32_t)a[0], &row);
    if (e != WASI_SUCCESS)
        return e;
    struct wasi_abi_prestat s = { .tag = WASI_PREOPEN_DIR, .name_len = (uint32_t)row->name.len };
    return guest_put(g, (uint32_t)a[1], &s, sizeof s) ? WASI_SUCCESS : WASI_FAULT;
}

WASI_CALL(wasi_fd_prestat_dir_name)
{
    struct wasi_fd *row;
    enum wasi_errno e = get_preopen(w, (uint32_t)a[0], &row);
    if (e != WASI_SUCCESS)
        return e;
    if ((uint32_t)a[2] < row->name.len)
        return WASI_NAMETOOLONG;
    return guest_put(g, (uint32_t)a[1], row->name.p, row->name.len) ? WASI_SUCCESS : WASI_FAULT;
}
