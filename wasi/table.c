/* The guest's descriptor table.
 *
 * Invariants: base of a row is within what its file type can do (wasi/abi.h);
 * numbers below WASI_FD_FIRST are given only to stdio and by renumber, so that libraries that look
 * for preopened directories from 3 on find them in every app. */
#include "internal.h"

void wasi_init(struct wasi *w, const struct wasi_host *host, struct wasi_fd *fds,
               uint32_t fd_count)
{
    base_assert(fd_count <= WASI_FD_MAX);
    memset(w, 0, sizeof *w);
    w->host = host;
    w->fds = fds;
    w->fd_count = fd_count;
    for (uint32_t i = 0; i < fd_count; i++)
        fds[i].used = false;
}

void wasi_finish(struct wasi *w)
{
    for (uint32_t i = 0; i < w->fd_count; i++) {
        if (w->fds[i].used && w->host->close)
            w->host->close(w->host->ctx, w->fds[i].handle);
        w->fds[i].used = false;
    }
}

int fd_free(const struct wasi *w)
{
    for (uint32_t i = WASI_FD_FIRST; i < w->fd_count; i++)
        if (!w->fds[i].used)
            return (int)i;
    return -1;
}

struct wasi_fd *fd_take(struct wasi *w, int fd, int32_t handle, enum wasi_filetype type,
                        uint64_t base, uint64_t inheriting)
{
    base_assert(fd >= 0 && (uint32_t)fd < w->fd_count && !w->fds[fd].used && handle >= 0);
    struct wasi_fd *row = &w->fds[fd];
    memset(row, 0, sizeof *row);
    row->used = true;
    row->handle = handle;
    row->filetype = (uint8_t)type;
    row->base = base;
    row->inheriting = inheriting;
    return row;
}

int wasi_add_stdio(struct wasi *w, uint32_t fd, int32_t handle, bool is_terminal)
{
    if (fd >= WASI_FD_FIRST || fd >= w->fd_count || w->fds[fd].used)
        return E_FULL;
    /* C libraries take a character device that cannot seek for a terminal. */
    enum wasi_filetype type = is_terminal ? WASI_FILETYPE_CHARACTER_DEVICE : WASI_FILETYPE_UNKNOWN;
    uint64_t base = WASI_RIGHTS_STREAM;
    base &= ~(uint64_t)(fd == 0 ? WASI_RIGHT_FD_WRITE : WASI_RIGHT_FD_READ);
    fd_take(w, (int)fd, handle, type, base, 0);
    return (int)fd;
}

int wasi_add_preopen(struct wasi *w, int32_t handle, struct span name)
{
    int fd = fd_free(w);
    if (fd < 0)
        return E_FULL;
    struct wasi_fd *row = fd_take(w, fd, handle, WASI_FILETYPE_DIRECTORY, WASI_RIGHTS_DIRECTORY,
                                  WASI_RIGHTS_DIRECTORY | WASI_RIGHTS_FILE);
    row->is_preopen = true;
    row->name = name;
    return fd;
}

int wasi_add_listener(struct wasi *w, int32_t handle, uint16_t port)
{
    int fd = fd_free(w);
    if (fd < 0)
        return E_FULL;
    struct wasi_fd *row = fd_take(w, fd, handle, WASI_FILETYPE_SOCKET_STREAM,
                                  WASI_RIGHTS_LISTENER, WASI_RIGHTS_SOCKET);
    row->port = port;
    return fd;
}

enum wasi_errno fd_get(struct wasi *w, uint32_t fd, uint64_t rights, struct wasi_fd **ret)
{
    if (fd >= w->fd_count || !w->fds[fd].used)
        return WASI_BADF;
    if ((w->fds[fd].base & rights) != rights)
        return lacks_right(w);
    *ret = &w->fds[fd];
    return WASI_SUCCESS;
}

enum wasi_errno fd_get_dir(struct wasi *w, uint32_t fd, uint64_t rights, struct wasi_fd **ret)
{
    enum wasi_errno e = fd_get(w, fd, 0, ret);
    if (e != WASI_SUCCESS)
        return e;
    if ((*ret)->filetype != WASI_FILETYPE_DIRECTORY)
        return WASI_NOTDIR;
    return fd_get(w, fd, rights, ret);
}
