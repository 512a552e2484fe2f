/* Sockets that exist already: a guest cannot make one by itself. */
#include "internal.h"

static bool is_socket(const struct wasi_fd *row)
{
    return row->filetype == WASI_FILETYPE_SOCKET_STREAM ||
           row->filetype == WASI_FILETYPE_SOCKET_DGRAM;
}

static enum wasi_errno get_socket(struct wasi *w, uint32_t fd, uint64_t rights,
                                  struct wasi_fd **ret)
{
    enum wasi_errno e = fd_get(w, fd, 0, ret);
    if (e != WASI_SUCCESS)
        return e;
    return is_socket(*ret) ? fd_get(w, fd, rights, ret) : WASI_NOTSOCK;
}

WASI_CALL(wasi_sock_accept)
{
    struct wasi_fd *row;
    int32_t handle;
    uint32_t flags = (uint32_t)a[1];
    enum wasi_errno e = get_socket(w, (uint32_t)a[0], WASI_RIGHT_SOCK_ACCEPT, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (flags & ~(uint32_t)WASI_FDFLAG_NONBLOCK)
        return WASI_INVAL;
    if (!guest_has(g, (uint32_t)a[2], 4))
        return WASI_FAULT;
    int fd = fd_free(w);
    if (fd < 0)
        return WASI_MFILE;
    e = HOST_CALL(w, accept, row->handle, (uint16_t)flags, &handle);
    if (e != WASI_SUCCESS)
        return e;
    uint64_t base = row->inheriting & WASI_RIGHTS_SOCKET;
    fd_take(w, fd, handle, WASI_FILETYPE_SOCKET_STREAM, base, 0)->flags = (uint16_t)flags;
    guest_put_u32(g, (uint32_t)a[2], (uint32_t)fd);
    return WASI_SUCCESS;
}

WASI_CALL(wasi_sock_recv)
{
    struct wasi_fd *row;
    struct iov_list iovs;
    size_t done = 0;
    uint16_t roflags = 0;
    uint32_t flags = (uint32_t)a[3];
    enum wasi_errno e = get_socket(w, (uint32_t)a[0], WASI_RIGHT_FD_READ, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (flags & ~(uint32_t)WASI_RI_ALL)
        return WASI_INVAL;
    if (!guest_has(g, (uint32_t)a[4], 4) || !guest_has(g, (uint32_t)a[5], 2))
        return WASI_FAULT;
    e = guest_iovs(g, (uint32_t)a[1], (uint32_t)a[2], GUEST_OUT, &iovs);
    if (e == WASI_SUCCESS)
        e = HOST_CALL(w, recv, row->handle, iovs.v, iovs.n, (uint16_t)flags, &done, &roflags);
    if (e != WASI_SUCCESS)
        return e;
    guest_iovs_wrote(g, &iovs, done);
    guest_put_u32(g, (uint32_t)a[4], (uint32_t)done);
    guest_put(g, (uint32_t)a[5], &roflags, sizeof roflags);
    return WASI_SUCCESS;
}

WASI_CALL(wasi_sock_send)
{
    struct wasi_fd *row;
    struct iov_list iovs;
    size_t done = 0;
    enum wasi_errno e = get_socket(w, (uint32_t)a[0], WASI_RIGHT_FD_WRITE, &row);
    if (e != WASI_SUCCESS)
        return e;
    if ((uint32_t)a[3] != 0) /* no flags are defined */
        return WASI_INVAL;
    if (!guest_has(g, (uint32_t)a[4], 4))
        return WASI_FAULT;
    e = guest_iovs(g, (uint32_t)a[1], (uint32_t)a[2], GUEST_IN, &iovs);
    if (e == WASI_SUCCESS)
        e = HOST_CALL(w, send, row->handle, iovs.v, iovs.n, &done);
    if (e == WASI_SUCCESS)
        guest_put_u32(g, (uint32_t)a[4], (uint32_t)done);
    return e;
}

WASI_CALL(wasi_sock_shutdown)
{
    struct wasi_fd *row;
    uint32_t how = (uint32_t)a[1];
    enum wasi_errno e = get_socket(w, (uint32_t)a[0], WASI_RIGHT_SOCK_SHUTDOWN, &row);
    if (e != WASI_SUCCESS)
        return e;
    if (how == 0 || (how & ~(uint32_t)WASI_SD_ALL))
        return WASI_INVAL;
    return HOST_CALL(w, shutdown, row->handle, (uint8_t)how);
}
