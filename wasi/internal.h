/* Shared by the files of this room: checked access to guest memory, the descriptor
 * table, and the functions that the table in functions.c names. */
#ifndef WASI_INTERNAL_H
#define WASI_INTERNAL_H

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/err.h"
#include "wasi/wasi.h"

/* --- guest memory ----------------------------------------------------------- */

/* Do the bytes [ptr, ptr + len) of the guest all exist? */
static inline bool guest_has(const struct wasi_guest *g, uint32_t ptr, uint64_t len)
{
    return (g->base || g->remote) && range_within(ptr, len, g->size);
}

/* Borrow them until the call ends: to read, or to write. They must exist. What was written
 * reaches the guest with guest_wrote(), which says how much of it. The caller borrows at
 * most guest_room(). */
const void *guest_in(const struct wasi_guest *g, uint32_t ptr, size_t len);
void *guest_out(const struct wasi_guest *g, uint32_t ptr, size_t len);
void guest_wrote(const struct wasi_guest *g, uint32_t ptr, const void *p, size_t len);
static inline size_t guest_room(const struct wasi_guest *g)
{
    return g->remote ? WASI_WINDOW_BYTES - g->remote->window_used : SIZE_MAX;
}
/* Gives back all that was borrowed. */
static inline void guest_release(const struct wasi_guest *g)
{
    if (g->remote)
        g->remote->window_used = 0;
}

/* Copies between the guest and a struct of wasi/abi.h; false when it lies outside. Guest
 * pointers may be unaligned, hence no pointers to structs. */
static inline bool guest_put(const struct wasi_guest *g, uint32_t ptr, const void *from,
                             size_t size)
{
    if (!guest_has(g, ptr, size))
        return false;
    if (g->remote)
        g->remote->put(g->remote->ctx, ptr, from, size);
    else
        memcpy(g->base + ptr, from, size);
    return true;
}

static inline bool guest_get(const struct wasi_guest *g, uint32_t ptr, void *to, size_t size)
{
    if (!guest_has(g, ptr, size))
        return false;
    if (g->remote)
        g->remote->get(g->remote->ctx, to, ptr, size);
    else
        memcpy(to, g->base + ptr, size);
    return true;
}

static inline bool guest_put_u32(const struct wasi_guest *g, uint32_t ptr, uint32_t v)
{
    return guest_put(g, ptr, &v, sizeof v);
}

static inline bool guest_put_u64(const struct wasi_guest *g, uint32_t ptr, uint64_t v)
{
    return guest_put(g, ptr, &v, sizeof v);
}

struct iov_list {
    struct wasi_iov v[WASI_IOV_CHUNK];
    uint32_t at[WASI_IOV_CHUNK]; /* where in the guest */
    size_t n;
};
enum guest_way { GUEST_IN, GUEST_OUT };

/* Reads `count` iovecs at ptr and borrows what they name. Of a long list only the first
 * WASI_IOV_CHUNK are taken, and of a remote guest what fits into the window: all that use it
 * may read or write less than was asked for. WASI_FAULT, or WASI_INVAL when there are too
 * many iovecs or bytes. */
enum wasi_errno guest_iovs(const struct wasi_guest *g, uint32_t ptr, uint32_t count,
                           enum guest_way way, struct iov_list *ret);
/* The first `done` bytes of the list were written. */
void guest_iovs_wrote(const struct wasi_guest *g, const struct iov_list *list, size_t done);

/* A relative path. WASI_FAULT, WASI_NOENT when empty, WASI_NAMETOOLONG, WASI_ILSEQ when it is
 * not UTF-8, WASI_INVAL when it holds NUL, WASI_NOTCAPABLE when it is absolute. */
enum wasi_errno guest_path(struct wasi *w, const struct wasi_guest *g, uint32_t ptr,
                           uint32_t len, struct span *ret);

/* Tells the host what it will not see. */
static inline void guest_denied(struct wasi *w, enum wasi_denial what, struct span value)
{
    if (w->host->denied)
        w->host->denied(w->host->ctx, what, value);
}

/* --- descriptors ------------------------------------------------------------ */

/* The row of an open descriptor that has all of `rights`: WASI_BADF, WASI_NOTCAPABLE. */
enum wasi_errno fd_get(struct wasi *w, uint32_t fd, uint64_t rights, struct wasi_fd **ret);
/* The same for a directory: WASI_NOTDIR besides. */
enum wasi_errno fd_get_dir(struct wasi *w, uint32_t fd, uint64_t rights, struct wasi_fd **ret);
static inline enum wasi_errno lacks_right(struct wasi *w)
{
    w->lacks_right = true;
    return WASI_NOTCAPABLE;
}
/* The lowest free number, or -1. */
int fd_free(const struct wasi *w);
/* The row for a new descriptor at a number from fd_free. */
struct wasi_fd *fd_take(struct wasi *w, int fd, int32_t handle, enum wasi_filetype type,
                        uint64_t base, uint64_t inheriting);

/* Calls a function of the host, WASI_NOSYS when it has none. */
#define HOST_CALL(w, op, ...) \
    ((w)->host->op ? (w)->host->op((w)->host->ctx, __VA_ARGS__) : WASI_NOSYS)

/* Are the flags of a set_times call known and without contradiction? */
static inline bool fstflags_valid(uint32_t f)
{
    return !(f & ~(uint32_t)WASI_FST_ALL) &&
           (f & (WASI_FST_ATIM | WASI_FST_ATIM_NOW)) != (WASI_FST_ATIM | WASI_FST_ATIM_NOW) &&
           (f & (WASI_FST_MTIM | WASI_FST_MTIM_NOW)) != (WASI_FST_MTIM | WASI_FST_MTIM_NOW);
}

enum wasi_errno filestat_put(const struct wasi_guest *g, uint32_t ptr,
                             const struct wasi_filestat *s);

/* --- the functions ----------------------------------------------------------- */

#define WASI_CALL(name) \
    enum wasi_errno name(struct wasi *w, const struct wasi_guest *g, const uint64_t *a)

WASI_CALL(wasi_args_get);
WASI_CALL(wasi_args_sizes_get);
WASI_CALL(wasi_environ_get);
WASI_CALL(wasi_environ_sizes_get);
WASI_CALL(wasi_clock_res_get);
WASI_CALL(wasi_clock_time_get);
WASI_CALL(wasi_fd_advise);
WASI_CALL(wasi_fd_allocate);
WASI_CALL(wasi_fd_close);
WASI_CALL(wasi_fd_datasync);
WASI_CALL(wasi_fd_fdstat_get);
WASI_CALL(wasi_fd_fdstat_set_flags);
WASI_CALL(wasi_fd_fdstat_set_rights);
WASI_CALL(wasi_fd_filestat_get);
WASI_CALL(wasi_fd_filestat_set_size);
WASI_CALL(wasi_fd_filestat_set_times);
WASI_CALL(wasi_fd_pread);
WASI_CALL(wasi_fd_prestat_get);
WASI_CALL(wasi_fd_prestat_dir_name);
WASI_CALL(wasi_fd_pwrite);
WASI_CALL(wasi_fd_read);
WASI_CALL(wasi_fd_readdir);
WASI_CALL(wasi_fd_renumber);
WASI_CALL(wasi_fd_seek);
WASI_CALL(wasi_fd_sync);
WASI_CALL(wasi_fd_tell);
WASI_CALL(wasi_fd_write);
WASI_CALL(wasi_path_create_directory);
WASI_CALL(wasi_path_filestat_get);
WASI_CALL(wasi_path_filestat_set_times);
WASI_CALL(wasi_path_link);
WASI_CALL(wasi_path_open);
WASI_CALL(wasi_path_readlink);
WASI_CALL(wasi_path_remove_directory);
WASI_CALL(wasi_path_rename);
WASI_CALL(wasi_path_symlink);
WASI_CALL(wasi_path_unlink_file);
WASI_CALL(wasi_poll_oneoff);
WASI_CALL(wasi_proc_exit);
WASI_CALL(wasi_proc_raise);
WASI_CALL(wasi_sched_yield);
WASI_CALL(wasi_random_get);
WASI_CALL(wasi_sock_accept);
WASI_CALL(wasi_sock_recv);
WASI_CALL(wasi_sock_send);
WASI_CALL(wasi_sock_shutdown);
WASI_CALL(vyoma_app_name);
WASI_CALL(vyoma_msg_send);
WASI_CALL(vyoma_msg_recv);
WASI_CALL(vyoma_net_connect);
WASI_CALL(vyoma_net_listener);

#endif
