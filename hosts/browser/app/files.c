/* Files: all of them are the core's worker's (hosts/browser/core/files.c); here they are asked for. */
#include <string.h>

#include "internal.h"

enum { READ_MOST = 65536, ENTRIES_BYTES = 8192 };

static int32_t number_of(int32_t h) { return h - FILE_FIRST; }

static enum wasi_errno ask_about(enum wire_op op, int32_t h, int32_t b, int32_t c, struct span path)
{
    set_numbers(number_of(h), b, c);
    return ask(op, path, SPAN_NONE);
}

/* number: in the packet's last two. */
static enum wasi_errno ask_with(enum wire_op op, int32_t h, int32_t b, uint64_t number,
                                struct span bytes)
{
    set_numbers(number_of(h), b, 0);
    wire_set_number(&app.packet.head, number);
    return ask(op, SPAN_NONE, bytes);
}

/* --- what is open ---------------------------------------------------------------------- */

/* The window holds what a list names run by run, so one transfer serves all of it. */
enum wasi_errno file_read(int32_t h, uint64_t at, const struct wasi_iov *iov, size_t n, size_t *ret)
{
    size_t len = iovs_total(iov, n);
    len = len < READ_MOST ? len : READ_MOST;
    enum wasi_errno e = ask_with(WIRE_READ, h, (int32_t)len, at, SPAN_NONE);
    if (e != WASI_SUCCESS)
        return e;
    if (app.packet.head.b_len > len)
        return WASI_IO;
    *ret = app.packet.head.b_len;
    if (*ret)
        memcpy(iov[0].p, app.packet.data, *ret);
    return WASI_SUCCESS;
}

enum wasi_errno file_write(int32_t h, uint64_t at, const struct wasi_iov *iov, size_t n, size_t *ret)
{
    size_t len = iovs_total(iov, n);
    struct span bytes = len ? span_take(span_of(iov[0].p, len), READ_MOST) : SPAN_NONE;
    enum wasi_errno e = ask_with(WIRE_WRITE, h, 0, at, bytes);
    if (e == WASI_SUCCESS)
        *ret = (size_t)app.packet.head.number[0];
    return e;
}

static enum wasi_errno pread(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                             uint64_t offset, size_t *ret)
{
    return is_file(h) ? file_read(h, offset, iov, n, ret) : WASI_SPIPE;
}

static enum wasi_errno pwrite(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                              uint64_t offset, size_t *ret)
{
    return is_file(h) ? file_write(h, offset, iov, n, ret) : WASI_SPIPE;
}

enum wasi_errno file_close(int32_t h) { return ask_about(WIRE_CLOSE, h, 0, 0, SPAN_NONE); }

enum wasi_errno file_set_flags(int32_t h, uint16_t fdflags)
{
    return ask_about(WIRE_FLAGS, h, fdflags, 0, SPAN_NONE);
}

static enum wasi_errno seek(void *ctx, int32_t h, int64_t delta, enum wasi_whence whence,
                            uint64_t *ret)
{
    if (!is_file(h))
        return WASI_SPIPE;
    enum wasi_errno e = ask_with(WIRE_SEEK, h, (int32_t)whence, (uint64_t)delta, SPAN_NONE);
    if (e == WASI_SUCCESS)
        *ret = wire_number(&app.packet.head);
    return e;
}

/* Everything is in memory already. */
static enum wasi_errno advise(void *ctx, int32_t h, uint64_t offset, uint64_t len, uint8_t advice)
{
    return WASI_SUCCESS;
}

static enum wasi_errno allocate(void *ctx, int32_t h, uint64_t offset, uint64_t len)
{
    return ask_with(WIRE_ALLOCATE, h, 0, offset, span_of(&len, sizeof len));
}

static enum wasi_errno sync_file(void *ctx, int32_t h, bool data_only)
{
    return is_file(h) ? ask_about(WIRE_SYNC, h, 0, 0, SPAN_NONE) : WASI_INVAL;
}

static enum wasi_errno set_size(void *ctx, int32_t h, uint64_t size)
{
    return ask_with(WIRE_SIZE, h, 0, size, SPAN_NONE);
}

/* --- what is said about files ------------------------------------------------------------ */

enum wasi_errno file_stat(int32_t h, struct span path, bool follow, struct wasi_filestat *ret)
{
    enum wasi_errno e = ask_about(WIRE_STAT, h, follow, 0, path);
    if (e != WASI_SUCCESS)
        return e;
    if (app.packet.head.b_len != sizeof *ret)
        return WASI_IO;
    memcpy(ret, app.packet.data, sizeof *ret);
    return WASI_SUCCESS;
}

static enum wasi_errno path_stat(void *ctx, int32_t dir, struct span path, bool follow,
                                 struct wasi_filestat *ret)
{
    return file_stat(dir, path, follow, ret);
}

static enum wasi_errno path_set_times(void *ctx, int32_t dir, struct span path, bool follow,
                                      const struct wasi_times *times)
{
    uint64_t both[2] = { times->atim, times->mtim };
    set_numbers(number_of(dir), follow, times->fstflags);
    return ask(WIRE_SET_TIMES, path, span_of(both, sizeof both));
}

static enum wasi_errno set_times(void *ctx, int32_t h, const struct wasi_times *times)
{
    return is_file(h) ? path_set_times(ctx, h, SPAN_NONE, true, times) : WASI_INVAL;
}

/* Gives the entries of the answer to the sink. False: it wants no more, or they are malformed. */
static bool put_entries(uint64_t *cookie, const struct wasi_dirent_sink *sink)
{
    const uint8_t *p = app.packet.data;
    for (size_t at = 0, len = app.packet.head.b_len; at < len;) {
        struct wire_dirent d;
        if (len - at < sizeof d)
            return false;
        memcpy(&d, p + at, sizeof d);
        at += sizeof d;
        if (d.name_len > len - at)
            return false;
        struct wasi_dirent entry = { .next = d.next, .ino = d.ino,
                                     .filetype = (enum wasi_filetype)d.filetype,
                                     .name = span_of(p + at, d.name_len) };
        if (!sink->put(sink->ctx, &entry))
            return false;
        *cookie = d.next;
        at += d.name_len;
    }
    return true;
}

static enum wasi_errno readdir_from(void *ctx, int32_t dir, uint64_t cookie,
                                    const struct wasi_dirent_sink *sink)
{
    for (;;) {
        enum wasi_errno e = ask_with(WIRE_READDIR, dir, ENTRIES_BYTES, cookie, SPAN_NONE);
        if (e != WASI_SUCCESS)
            return e;
        if (app.packet.head.b_len == 0 || !put_entries(&cookie, sink))
            return WASI_SUCCESS;
    }
}

/* --- paths --------------------------------------------------------------------------------- */

static enum wasi_errno path_open(void *ctx, const struct wasi_open *how, struct wasi_opened *ret)
{
    set_numbers(number_of(how->dir), how->oflags, how->fdflags);
    app.packet.head.number[3] = (how->follow ? WIRE_OPEN_FOLLOW : 0) |
                                (how->can_read ? WIRE_OPEN_READ : 0) |
                                (how->can_write ? WIRE_OPEN_WRITE : 0);
    enum wasi_errno e = ask(WIRE_OPEN, how->path, SPAN_NONE);
    if (e != WASI_SUCCESS)
        return e;
    ret->handle = FILE_FIRST + app.packet.head.number[0];
    ret->filetype = (enum wasi_filetype)app.packet.head.number[1];
    return WASI_SUCCESS;
}

static enum wasi_errno path_mkdir(void *ctx, int32_t dir, struct span path)
{
    return ask_about(WIRE_MKDIR, dir, 0, 0, path);
}

static enum wasi_errno path_rmdir(void *ctx, int32_t dir, struct span path)
{
    return ask_about(WIRE_RMDIR, dir, 0, 0, path);
}

static enum wasi_errno path_unlink(void *ctx, int32_t dir, struct span path)
{
    return ask_about(WIRE_UNLINK, dir, 0, 0, path);
}

static enum wasi_errno path_rename(void *ctx, int32_t dir, struct span from, int32_t to_dir,
                                   struct span to)
{
    set_numbers(number_of(dir), number_of(to_dir), 0);
    return ask(WIRE_RENAME, from, to);
}

static enum wasi_errno path_link(void *ctx, int32_t dir, struct span from, bool follow,
                                 int32_t to_dir, struct span to)
{
    set_numbers(number_of(dir), number_of(to_dir), follow);
    return ask(WIRE_LINK, from, to);
}

static enum wasi_errno path_symlink(void *ctx, struct span target, int32_t dir, struct span path)
{
    set_numbers(0, number_of(dir), 0);
    return ask(WIRE_SYMLINK, target, path);
}

static enum wasi_errno path_readlink(void *ctx, int32_t dir, struct span path, void *p, size_t cap,
                                     size_t *ret)
{
    enum wasi_errno e = ask_about(WIRE_READLINK, dir, 0, 0, path);
    if (e != WASI_SUCCESS)
        return e;
    *ret = app.packet.head.b_len < cap ? app.packet.head.b_len : cap;
    memcpy(p, app.packet.data, *ret);
    return WASI_SUCCESS;
}

void file_ops(struct wasi_host *host)
{
    host->pread = pread;
    host->pwrite = pwrite;
    host->seek = seek;
    host->advise = advise;
    host->allocate = allocate;
    host->sync = sync_file;
    host->set_size = set_size;
    host->set_times = set_times;
    host->readdir = readdir_from;
    host->path_open = path_open;
    host->path_stat = path_stat;
    host->path_set_times = path_set_times;
    host->path_mkdir = path_mkdir;
    host->path_rmdir = path_rmdir;
    host->path_unlink = path_unlink;
    host->path_rename = path_rename;
    host->path_link = path_link;
    host->path_symlink = path_symlink;
    host->path_readlink = path_readlink;
}
