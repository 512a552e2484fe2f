/* WASI on Linux: whatever has a path is asked for outside. */
#include "wasi_private.h"

#include <unistd.h>

static enum wasi_errno ask_path(void *ctx, uint16_t type, int32_t dir, struct span path)
{
    struct ctl_msg m = { .type = type };
    m.u.path.dir = dir_id(dir);
    return ask_plain(ctx, &m, path, SPAN_NONE);
}

static enum wasi_errno path_open(void *ctx, const struct wasi_open *how, struct wasi_opened *ret)
{
    struct wasi_linux *l = ctx;
    struct ctl_msg m = { .type = CTL_PATH_OPEN };
    int fd;
    m.u.open = (struct ctl_open){ .dir = dir_id(how->dir),
                                  .oflags = how->oflags,
                                  .fdflags = how->fdflags,
                                  .follow = how->follow,
                                  .can_read = how->can_read,
                                  .can_write = how->can_write };
    uint16_t e = l->ask(l->ctx, &m, how->path, SPAN_NONE, l->data, &fd);
    if (e == WASI_SUCCESS && (m.u.opened.has_fd != 0) != (fd >= 0))
        e = WASI_IO;
    if (e != WASI_SUCCESS) {
        if (fd >= 0)
            close(fd);
        return (enum wasi_errno)e;
    }
    ret->filetype = (enum wasi_filetype)m.u.opened.filetype;
    ret->handle = fd >= 0 ? fd : WASI_LINUX_DIR + (int32_t)(m.u.opened.dir % CTL_DIRS_MAX);
    return WASI_SUCCESS;
}

enum wasi_errno path_stat(void *ctx, int32_t dir, struct span path, bool follow,
                          struct wasi_filestat *ret)
{
    struct ctl_msg m = { .type = CTL_PATH_STAT };
    m.u.path.dir = dir_id(dir);
    m.u.path.follow = follow;
    enum wasi_errno e = ask_plain(ctx, &m, path, SPAN_NONE);
    if (e != WASI_SUCCESS)
        return e;
    const struct ctl_stat *s = &m.u.stat;
    *ret = (struct wasi_filestat){ .dev = s->dev,
                                   .ino = s->ino,
                                   .filetype = (enum wasi_filetype)s->filetype,
                                   .nlink = s->nlink,
                                   .size = s->size,
                                   .atim = s->atim,
                                   .mtim = s->mtim,
                                   .ctim = s->ctim };
    return WASI_SUCCESS;
}

enum wasi_errno path_set_times(void *ctx, int32_t dir, struct span path, bool follow,
                               const struct wasi_times *times)
{
    struct ctl_msg m = { .type = CTL_PATH_SET_TIMES };
    m.u.times = (struct ctl_times){ .dir = dir_id(dir),
                                    .follow = follow,
                                    .fstflags = (uint8_t)times->fstflags,
                                    .atim = times->atim,
                                    .mtim = times->mtim };
    return ask_plain(ctx, &m, path, SPAN_NONE);
}

static enum wasi_errno path_mkdir(void *ctx, int32_t dir, struct span path)
{
    return ask_path(ctx, CTL_PATH_MKDIR, dir, path);
}

static enum wasi_errno path_rmdir(void *ctx, int32_t dir, struct span path)
{
    return ask_path(ctx, CTL_PATH_RMDIR, dir, path);
}

static enum wasi_errno path_unlink(void *ctx, int32_t dir, struct span path)
{
    return ask_path(ctx, CTL_PATH_UNLINK, dir, path);
}

static enum wasi_errno path_rename(void *ctx, int32_t dir, struct span from, int32_t to_dir,
                                   struct span to)
{
    struct ctl_msg m = { .type = CTL_PATH_RENAME };
    m.u.path = (struct ctl_path){ .dir = dir_id(dir), .dir2 = dir_id(to_dir) };
    return ask_plain(ctx, &m, from, to);
}

static enum wasi_errno path_link(void *ctx, int32_t dir, struct span from, bool follow,
                                 int32_t to_dir, struct span to)
{
    struct ctl_msg m = { .type = CTL_PATH_LINK };
    m.u.path = (struct ctl_path){ .dir = dir_id(dir), .dir2 = dir_id(to_dir), .follow = follow };
    return ask_plain(ctx, &m, from, to);
}

static enum wasi_errno path_symlink(void *ctx, struct span target, int32_t dir, struct span path)
{
    struct ctl_msg m = { .type = CTL_PATH_SYMLINK };
    m.u.path.dir2 = dir_id(dir);
    return ask_plain(ctx, &m, target, path);
}

static enum wasi_errno path_readlink(void *ctx, int32_t dir, struct span path, void *p, size_t cap,
                                     size_t *ret)
{
    struct wasi_linux *l = ctx;
    struct ctl_msg m = { .type = CTL_PATH_READLINK };
    m.u.path.dir = dir_id(dir);
    enum wasi_errno e = ask_plain(l, &m, path, SPAN_NONE);
    if (e != WASI_SUCCESS)
        return e;
    *ret = m.a_len < cap ? m.a_len : cap;
    if (*ret)
        memcpy(p, l->data, *ret);
    return WASI_SUCCESS;
}

/* --- directories ----------------------------------------------------------------- */

/* Gives the entries in data to the sink. False when it wants no more, or data is not what it
 * should be. */
static bool put_entries(const uint8_t *data, size_t len, uint64_t *cookie,
                        const struct wasi_dirent_sink *sink)
{
    size_t at = 0;
    while (at < len) {
        struct ctl_dirent d;
        if (len - at < sizeof d)
            return false;
        memcpy(&d, data + at, sizeof d);
        if (d.name_len > len - at - sizeof d)
            return false;
        struct wasi_dirent entry = { .next = d.next,
                                     .ino = d.ino,
                                     .filetype = (enum wasi_filetype)d.filetype,
                                     .name = span_of(data + at + sizeof d, d.name_len) };
        if (!sink->put(sink->ctx, &entry))
            return false;
        *cookie = d.next;
        at += (sizeof d + d.name_len + 7) & ~(size_t)7;
    }
    return true;
}

static enum wasi_errno readdir_from(void *ctx, int32_t dir, uint64_t cookie,
                                    const struct wasi_dirent_sink *sink)
{
    struct wasi_linux *l = ctx;
    for (;;) {
        struct ctl_msg m = { .type = CTL_DIR_READ };
        m.u.read = (struct ctl_read){ .dir = dir_id(dir), .len_max = 8192, .cookie = cookie };
        enum wasi_errno e = ask_plain(l, &m, SPAN_NONE, SPAN_NONE);
        if (e != WASI_SUCCESS)
            return e;
        if (m.a_len == 0 || !put_entries(l->data, m.a_len, &cookie, sink))
            return WASI_SUCCESS;
    }
}

enum wasi_errno dir_sync(struct wasi_linux *l, int32_t dir)
{
    return ask_path(l, CTL_DIR_SYNC, dir, SPAN_NONE);
}

enum wasi_errno dir_close(struct wasi_linux *l, int32_t dir)
{
    return ask_path(l, CTL_DIR_CLOSE, dir, SPAN_NONE);
}

void wasi_linux_path_ops(struct wasi_host *h)
{
    h->readdir = readdir_from;
    h->path_open = path_open;
    h->path_stat = path_stat;
    h->path_set_times = path_set_times;
    h->path_mkdir = path_mkdir;
    h->path_rmdir = path_rmdir;
    h->path_unlink = path_unlink;
    h->path_rename = path_rename;
    h->path_link = path_link;
    h->path_symlink = path_symlink;
    h->path_readlink = path_readlink;
}
