/* WASI on Linux: clocks, random bytes, and what is already open. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "hosts/linux/wasi_values.h"
#include "wasi_private.h"

static const clockid_t clocks[WASI_CLOCK_COUNT_] = {
    [WASI_CLOCK_REALTIME] = CLOCK_REALTIME,
    [WASI_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
    [WASI_CLOCK_PROCESS_CPUTIME] = CLOCK_PROCESS_CPUTIME_ID,
    [WASI_CLOCK_THREAD_CPUTIME] = CLOCK_THREAD_CPUTIME_ID,
};

static enum wasi_errno clock_resolution(void *ctx, enum wasi_clock id, uint64_t *ret)
{
    struct timespec t;
    if (clock_getres(clocks[id], &t) < 0)
        return last_error();
    *ret = wasi_ns_of(&t);
    return WASI_SUCCESS;
}

static enum wasi_errno clock_now(void *ctx, enum wasi_clock id, uint64_t *ret)
{
    struct timespec t;
    if (clock_gettime(clocks[id], &t) < 0)
        return last_error();
    *ret = wasi_ns_of(&t);
    return WASI_SUCCESS;
}

static enum wasi_errno random_bytes(void *ctx, void *p, size_t len)
{
    uint8_t *at = p;
    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n < 0 && errno != EINTR)
            return last_error();
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return WASI_SUCCESS;
}

static enum wasi_errno yield(void *ctx)
{
    sched_yield();
    return WASI_SUCCESS;
}

/* --- transfers ------------------------------------------------------------------- */

_Static_assert(sizeof(struct wasi_iov) == sizeof(struct iovec) &&
                   offsetof(struct wasi_iov, len) == offsetof(struct iovec, iov_len),
               "lists of buffers are passed on as they are");

static const struct iovec *iovec_of(const struct wasi_iov *iov)
{
    return (const struct iovec *)(const void *)iov;
}

bool would_block(struct wasi_linux *l, int32_t h, bool write)
{
    struct pollfd p = { .fd = h, .events = write ? POLLOUT : POLLIN };
    return h < 32 && (l->nonblocking >> h & 1) && poll(&p, 1, 0) == 0;
}

static enum wasi_errno transferred(ssize_t n, size_t *ret)
{
    if (n < 0)
        return last_error();
    *ret = (size_t)n;
    return WASI_SUCCESS;
}

static enum wasi_errno file_read(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 size_t *ret)
{
    ssize_t got;
    if (is_dir(h))
        return WASI_ISDIR;
    if (would_block(ctx, h, false))
        return WASI_AGAIN;
    do {
        got = readv(h, iovec_of(iov), (int)n);
    } while (got < 0 && try_again(ctx, h));
    return transferred(got, ret);
}

static enum wasi_errno file_write(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                  size_t *ret)
{
    ssize_t put;
    if (is_dir(h))
        return WASI_ISDIR;
    if (would_block(ctx, h, true))
        return WASI_AGAIN;
    do {
        put = writev(h, iovec_of(iov), (int)n);
    } while (put < 0 && try_again(ctx, h));
    return transferred(put, ret);
}

static enum wasi_errno file_pread(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                  uint64_t offset, size_t *ret)
{
    ssize_t got;
    do {
        got = preadv(h, iovec_of(iov), (int)n, (off_t)offset);
    } while (got < 0 && try_again(ctx, h));
    return transferred(got, ret);
}

static enum wasi_errno file_pwrite(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   uint64_t offset, size_t *ret)
{
    ssize_t put;
    do {
        put = pwritev(h, iovec_of(iov), (int)n, (off_t)offset);
    } while (put < 0 && try_again(ctx, h));
    return transferred(put, ret);
}

/* --- the rest -------------------------------------------------------------------- */

static enum wasi_errno result(int r)
{
    return r < 0 ? last_error() : WASI_SUCCESS;
}

static enum wasi_errno file_close(void *ctx, int32_t h)
{
    if (is_dir(h))
        return dir_close(ctx, h);
    if (h < 32)
        ((struct wasi_linux *)ctx)->nonblocking &= ~(1u << h);
    return result(close(h));
}

static enum wasi_errno file_seek(void *ctx, int32_t h, int64_t delta, enum wasi_whence whence,
                                 uint64_t *ret)
{
    static const int whences[] = { SEEK_SET, SEEK_CUR, SEEK_END };
    off_t at = lseek(h, delta, whences[whence]);
    if (at < 0)
        return last_error();
    *ret = (uint64_t)at;
    return WASI_SUCCESS;
}

static enum wasi_errno file_advise(void *ctx, int32_t h, uint64_t offset, uint64_t len,
                                   uint8_t advice)
{
    static const int advices[WASI_ADVICE_COUNT_] = {
        POSIX_FADV_NORMAL, POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
        POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED, POSIX_FADV_NOREUSE,
    };
    return wasi_errno_of(posix_fadvise(h, (off_t)offset, (off_t)len, advices[advice]));
}

static enum wasi_errno file_allocate(void *ctx, int32_t h, uint64_t offset, uint64_t len)
{
    return result(fallocate(h, 0, (off_t)offset, (off_t)len));
}

static enum wasi_errno file_sync(void *ctx, int32_t h, bool data_only)
{
    if (is_dir(h))
        return dir_sync(ctx, h);
    return result(data_only ? fdatasync(h) : fsync(h));
}

static enum wasi_errno file_set_flags(void *ctx, int32_t h, uint16_t fdflags)
{
    struct wasi_linux *l = ctx;
    if (is_dir(h))
        return WASI_NOTSUP;
    bool nonblock = fdflags & WASI_FDFLAG_NONBLOCK;
    if (h <= STDERR_FILENO) {
        l->nonblocking = (l->nonblocking & ~(1u << h)) | (uint32_t)nonblock << h;
        return WASI_SUCCESS;
    }
    int flags = (nonblock ? O_NONBLOCK : 0) | (fdflags & WASI_FDFLAG_APPEND ? O_APPEND : 0);
    return result(fcntl(h, F_SETFL, flags));
}

static enum wasi_errno file_stat(void *ctx, int32_t h, struct wasi_filestat *ret)
{
    struct stat st;
    if (is_dir(h))
        return path_stat(ctx, h, SPAN_NONE, true, ret);
    if (fstat(h, &st) < 0)
        return last_error();
    *ret = (struct wasi_filestat){ .dev = st.st_dev,
                                   .ino = st.st_ino,
                                   .filetype = wasi_filetype_of(st.st_mode),
                                   .nlink = st.st_nlink,
                                   .size = (uint64_t)st.st_size,
                                   .atim = wasi_ns_of(&st.st_atim),
                                   .mtim = wasi_ns_of(&st.st_mtim),
                                   .ctim = wasi_ns_of(&st.st_ctim) };
    return WASI_SUCCESS;
}

static enum wasi_errno file_set_size(void *ctx, int32_t h, uint64_t size)
{
    return result(ftruncate(h, (off_t)size));
}

static enum wasi_errno file_set_times(void *ctx, int32_t h, const struct wasi_times *t)
{
    if (is_dir(h))
        return path_set_times(ctx, h, SPAN_NONE, true, t);
    struct timespec ts[2];
    wasi_timespecs_of(t->atim, t->mtim, t->fstflags, ts);
    return result(futimens(h, ts));
}

void wasi_linux_file_ops(struct wasi_host *h)
{
    h->clock_resolution = clock_resolution;
    h->clock_now = clock_now;
    h->random = random_bytes;
    h->yield = yield;
    h->close = file_close;
    h->read = file_read;
    h->write = file_write;
    h->pread = file_pread;
    h->pwrite = file_pwrite;
    h->seek = file_seek;
    h->advise = file_advise;
    h->allocate = file_allocate;
    h->sync = file_sync;
    h->set_flags = file_set_flags;
    h->stat = file_stat;
    h->set_size = file_set_size;
    h->set_times = file_set_times;
}
