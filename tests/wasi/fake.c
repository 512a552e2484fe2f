#include "fake/wasi.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/strbuf.h"
#include "base/utf8.h"

static struct fake *note_call(void *ctx, const char *call)
{
    struct fake *f = ctx;
    f->call = call;
    f->calls++;
    return f;
}

static struct fake *enter(void *ctx, const char *call, int32_t handle)
{
    struct fake *f = note_call(ctx, call);
    base_assert(handle >= 0 && handle < FAKE_HANDLES && f->open[handle]);
    f->handle = handle;
    return f;
}

static void check_memory(const struct fake *f, const void *p, size_t len)
{
    const struct wasi_remote *r = f->guest.remote;
    uintptr_t at = (uintptr_t)p, base = (uintptr_t)(r ? r->window : f->guest.base);
    base_assert(at >= base && range_within(at - base, len, r ? r->window_used : f->guest.size));
}

static void check_iovs(struct fake *f, const struct wasi_iov *iov, size_t n)
{
    base_assert(n <= WASI_IOV_CHUNK);
    f->iov_bytes = 0;
    for (size_t i = 0; i < n; i++) {
        check_memory(f, iov[i].p, iov[i].len);
        f->iov_bytes += iov[i].len;
    }
}

static void note_path(char out[256], struct span path)
{
    size_t n = path.len < 255 ? path.len : 255;
    base_assert(path.len > 0 && path.len <= WASI_PATH_MAX && path.p[0] != '/');
    base_assert(span_find(path, 0) == path.len && utf8_valid(path));
    memcpy(out, path.p, n);
    out[n] = 0;
}

static void note_name(char out[256], struct span name)
{
    base_assert(name.len > 0 && name.len <= WASI_NAME_MAX && span_find(name, 0) == name.len);
    memcpy(out, name.p, name.len);
    out[name.len] = 0;
}

static int32_t new_handle(struct fake *f)
{
    for (int32_t h = FAKE_FIRST_NEW; h < FAKE_HANDLES; h++) {
        if (!f->open[h]) {
            f->open[h] = true;
            f->open_count++;
            return h;
        }
    }
    return -1;
}

static enum wasi_errno clock_resolution(void *ctx, enum wasi_clock id, uint64_t *ret)
{
    struct fake *f = ctx;
    base_assert(id < WASI_CLOCK_COUNT_);
    *ret = 1000;
    return f->fail;
}

static enum wasi_errno clock_now(void *ctx, enum wasi_clock id, uint64_t *ret)
{
    struct fake *f = ctx;
    base_assert(id < WASI_CLOCK_COUNT_);
    *ret = f->now_ns;
    return f->fail;
}

static enum wasi_errno fake_random(void *ctx, void *p, size_t len)
{
    struct fake *f = ctx;
    check_memory(f, p, len);
    memset(p, 0xa5, len);
    return f->fail;
}

static enum wasi_errno fake_yield(void *ctx)
{
    return ((struct fake *)ctx)->fail;
}

static enum wasi_errno fake_close(void *ctx, int32_t h)
{
    struct fake *f = enter(ctx, "close", h);
    f->open[h] = false;
    f->open_count--;
    return f->fail;
}

static size_t from_file(struct fake *f, const struct wasi_iov *iov, size_t n, size_t at)
{
    size_t done = 0;
    for (size_t i = 0; i < n && at + done < f->file_len; i++) {
        size_t left = f->file_len - at - done;
        size_t take = iov[i].len < left ? iov[i].len : left;
        memcpy(iov[i].p, f->file + at + done, take);
        done += take;
    }
    return done;
}

static size_t to_file(struct fake *f, const struct wasi_iov *iov, size_t n, size_t at)
{
    size_t done = 0;
    for (size_t i = 0; i < n && at + done < FAKE_FILE_MAX; i++) {
        size_t left = FAKE_FILE_MAX - at - done;
        size_t take = iov[i].len < left ? iov[i].len : left;
        memcpy(f->file + at + done, iov[i].p, take);
        done += take;
    }
    if (at + done > f->file_len)
        f->file_len = at + done;
    return done;
}

static enum wasi_errno fake_read(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 size_t *ret)
{
    struct fake *f = enter(ctx, "read", h);
    check_iovs(f, iov, n);
    *ret = from_file(f, iov, n, f->position);
    f->position += *ret;
    return f->fail;
}

static enum wasi_errno fake_write(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                  size_t *ret)
{
    struct fake *f = enter(ctx, "write", h);
    check_iovs(f, iov, n);
    *ret = to_file(f, iov, n, f->position);
    f->position += *ret;
    return f->fail;
}

static enum wasi_errno fake_pread(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                  uint64_t offset, size_t *ret)
{
    struct fake *f = enter(ctx, "pread", h);
    check_iovs(f, iov, n);
    base_assert(offset <= INT64_MAX);
    *ret = offset < f->file_len ? from_file(f, iov, n, (size_t)offset) : 0;
    return f->fail;
}

static enum wasi_errno fake_pwrite(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   uint64_t offset, size_t *ret)
{
    struct fake *f = enter(ctx, "pwrite", h);
    check_iovs(f, iov, n);
    base_assert(offset <= INT64_MAX);
    *ret = offset < FAKE_FILE_MAX ? to_file(f, iov, n, (size_t)offset) : 0;
    return f->fail;
}

static enum wasi_errno fake_seek(void *ctx, int32_t h, int64_t delta, enum wasi_whence whence,
                                 uint64_t *ret)
{
    struct fake *f = enter(ctx, "seek", h);
    uint64_t base = whence == WASI_WHENCE_SET   ? 0
                    : whence == WASI_WHENCE_CUR ? f->position
                                                : f->file_len;
    uint64_t at = base + (uint64_t)delta;
    if (at > FAKE_FILE_MAX)
        return WASI_INVAL;
    f->position = (size_t)at;
    *ret = at;
    return f->fail;
}

static enum wasi_errno fake_advise(void *ctx, int32_t h, uint64_t offset, uint64_t len,
                                   uint8_t advice)
{
    struct fake *f = enter(ctx, "advise", h);
    base_assert(offset <= INT64_MAX && len <= INT64_MAX && advice < WASI_ADVICE_COUNT_);
    return f->fail;
}

static enum wasi_errno fake_allocate(void *ctx, int32_t h, uint64_t offset, uint64_t len)
{
    struct fake *f = enter(ctx, "allocate", h);
    base_assert(offset <= INT64_MAX && len > 0 && len <= INT64_MAX - offset);
    f->number[0] = offset + len;
    return f->fail;
}

static enum wasi_errno fake_sync(void *ctx, int32_t h, bool data_only)
{
    return enter(ctx, data_only ? "datasync" : "sync", h)->fail;
}

static enum wasi_errno fake_set_flags(void *ctx, int32_t h, uint16_t fdflags)
{
    struct fake *f = enter(ctx, "set_flags", h);
    f->number[0] = fdflags;
    return f->fail;
}

static void fill_stat(struct wasi_filestat *s)
{
    *s = (struct wasi_filestat){ .dev = 1, .ino = 2, .filetype = WASI_FILETYPE_REGULAR_FILE,
                                 .nlink = 3, .size = 4, .atim = 5, .mtim = 6, .ctim = 7 };
}

static enum wasi_errno fake_stat(void *ctx, int32_t h, struct wasi_filestat *ret)
{
    fill_stat(ret);
    return enter(ctx, "stat", h)->fail;
}

static enum wasi_errno fake_set_size(void *ctx, int32_t h, uint64_t size)
{
    struct fake *f = enter(ctx, "set_size", h);
    base_assert(size <= INT64_MAX);
    f->number[0] = size;
    return f->fail;
}

static void note_times(struct fake *f, const struct wasi_times *t)
{
    base_assert((t->fstflags & 3) != 3 && (t->fstflags & 12) != 12 && t->fstflags < 16);
    f->number[0] = t->atim;
    f->number[1] = t->mtim;
    f->number[2] = t->fstflags;
}

static enum wasi_errno fake_set_times(void *ctx, int32_t h, const struct wasi_times *times)
{
    struct fake *f = enter(ctx, "set_times", h);
    note_times(f, times);
    return f->fail;
}

static enum wasi_errno fake_readdir(void *ctx, int32_t dir, uint64_t cookie,
                                    const struct wasi_dirent_sink *sink)
{
    struct fake *f = enter(ctx, "readdir", dir);
    char name[] = "entry-0";
    for (uint64_t i = cookie; i < f->entries; i++) {
        name[6] = (char)('0' + i);
        struct wasi_dirent entry = { .next = i + 1, .ino = 100 + i,
                                     .filetype = WASI_FILETYPE_REGULAR_FILE,
                                     .name = span_of(name, 7) };
        if (!sink->put(sink->ctx, &entry))
            break;
    }
    return f->fail;
}

static enum wasi_errno fake_path_open(void *ctx, const struct wasi_open *how,
                                      struct wasi_opened *ret)
{
    struct fake *f = enter(ctx, "path_open", how->dir);
    note_path(f->path, how->path);
    f->number[0] = how->oflags;
    f->number[1] = how->fdflags;
    f->number[2] = (uint64_t)how->can_read | (uint64_t)how->can_write << 1;
    f->number[3] = how->follow;
    if (f->fail)
        return f->fail;
    ret->handle = new_handle(f);
    ret->filetype = f->open_as;
    return ret->handle < 0 ? WASI_NFILE : WASI_SUCCESS;
}

static enum wasi_errno fake_path_stat(void *ctx, int32_t dir, struct span path, bool follow,
                                      struct wasi_filestat *ret)
{
    struct fake *f = enter(ctx, "path_stat", dir);
    note_path(f->path, path);
    f->number[0] = follow;
    fill_stat(ret);
    return f->fail;
}

static enum wasi_errno fake_path_set_times(void *ctx, int32_t dir, struct span path, bool follow,
                                           const struct wasi_times *times)
{
    struct fake *f = enter(ctx, "path_set_times", dir);
    note_path(f->path, path);
    note_times(f, times);
    f->number[3] = follow;
    return f->fail;
}

static enum wasi_errno one_path(void *ctx, const char *call, int32_t dir, struct span path)
{
    struct fake *f = enter(ctx, call, dir);
    note_path(f->path, path);
    return f->fail;
}

static enum wasi_errno fake_path_mkdir(void *ctx, int32_t dir, struct span path)
{
    return one_path(ctx, "path_mkdir", dir, path);
}

static enum wasi_errno fake_path_rmdir(void *ctx, int32_t dir, struct span path)
{
    return one_path(ctx, "path_rmdir", dir, path);
}

static enum wasi_errno fake_path_unlink(void *ctx, int32_t dir, struct span path)
{
    return one_path(ctx, "path_unlink", dir, path);
}

static enum wasi_errno two_paths(void *ctx, const char *call, int32_t dir, struct span from,
                                 int32_t to_dir, struct span to)
{
    struct fake *f = enter(ctx, call, to_dir);
    f->handle2 = to_dir;
    enter(ctx, call, dir)->calls--;
    note_path(f->path, from);
    note_path(f->path2, to);
    return f->fail;
}

static enum wasi_errno fake_path_rename(void *ctx, int32_t dir, struct span from, int32_t to_dir,
                                        struct span to)
{
    return two_paths(ctx, "path_rename", dir, from, to_dir, to);
}

static enum wasi_errno fake_path_link(void *ctx, int32_t dir, struct span from, bool follow,
                                      int32_t to_dir, struct span to)
{
    ((struct fake *)ctx)->number[0] = follow;
    return two_paths(ctx, "path_link", dir, from, to_dir, to);
}

static enum wasi_errno fake_path_symlink(void *ctx, struct span target, int32_t dir,
                                         struct span path)
{
    return two_paths(ctx, "path_symlink", dir, target, dir, path);
}

static enum wasi_errno fake_path_readlink(void *ctx, int32_t dir, struct span path, void *p,
                                          size_t cap, size_t *ret)
{
    struct fake *f = enter(ctx, "path_readlink", dir);
    note_path(f->path, path);
    check_memory(f, p, cap);
    *ret = cap < 6 ? cap : 6;
    memcpy(p, "target", *ret);
    return f->fail;
}

static enum wasi_errno fake_poll(void *ctx, struct wasi_pollfd *fds, size_t n,
                                 uint64_t timeout_ns)
{
    struct fake *f = ctx;
    bool any = false;
    f->call = "poll";
    f->calls++;
    f->number[0] = timeout_ns;
    base_assert(n <= WASI_POLL_MAX);
    for (size_t i = 0; i < n; i++) {
        enter(ctx, "poll", fds[i].handle);
        fds[i].ready = f->ready[fds[i].handle];
        fds[i].nbytes = fds[i].ready ? 10 : 0;
        fds[i].hangup = fds[i].ready && !fds[i].write;
        any |= fds[i].ready;
    }
    /* A clock that lags a little behind the wait, as real ones do. */
    if (!any && timeout_ns != UINT64_MAX && timeout_ns > 0)
        f->now_ns += timeout_ns - 1;
    return f->fail;
}

static enum wasi_errno fake_accept(void *ctx, int32_t h, uint16_t fdflags, int32_t *ret)
{
    struct fake *f = enter(ctx, "accept", h);
    base_assert(h == FAKE_LISTENER);
    f->number[0] = fdflags;
    if (f->fail)
        return f->fail;
    *ret = new_handle(f);
    return *ret < 0 ? WASI_NFILE : WASI_SUCCESS;
}

static enum wasi_errno fake_recv(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 uint16_t riflags, size_t *ret, uint16_t *ret_roflags)
{
    struct fake *f = enter(ctx, "recv", h);
    check_iovs(f, iov, n);
    f->number[0] = riflags;
    *ret = from_file(f, iov, n, 0);
    *ret_roflags = WASI_RO_DATA_TRUNCATED;
    return f->fail;
}

static enum wasi_errno fake_send(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 size_t *ret)
{
    struct fake *f = enter(ctx, "send", h);
    check_iovs(f, iov, n);
    *ret = to_file(f, iov, n, 0);
    return f->fail;
}

static enum wasi_errno fake_shutdown(void *ctx, int32_t h, uint8_t sdflags)
{
    struct fake *f = enter(ctx, "shutdown", h);
    f->number[0] = sdflags;
    return f->fail;
}

static enum wasi_errno fake_net_connect(void *ctx, struct span host, uint16_t port, int32_t *ret)
{
    struct fake *f = note_call(ctx, "net_connect");
    note_name(f->path, host);
    f->number[0] = port;
    if (f->fail)
        return f->fail;
    *ret = new_handle(f);
    return *ret < 0 ? WASI_NFILE : WASI_SUCCESS;
}

static enum wasi_errno fake_msg_send(void *ctx, struct span to, struct span data)
{
    struct fake *f = note_call(ctx, "msg_send");
    base_assert(data.len <= VYOMA_MSG_MAX);
    note_name(f->path, to);
    check_memory(f, data.p, data.len);
    f->number[0] = data.len;
    return f->fail;
}

static enum wasi_errno fake_msg_recv(void *ctx, struct wasi_iov from, struct wasi_iov data,
                                     int32_t timeout_ms, size_t *ret_from, size_t *ret_data)
{
    struct fake *f = note_call(ctx, "msg_recv");
    check_memory(f, from.p, from.len);
    check_memory(f, data.p, data.len);
    base_assert(timeout_ms >= -1);
    *ret_from = 4;
    *ret_data = 5;
    if (f->fail)
        return f->fail;
    if (from.len < 4 || data.len < 5)
        return WASI_MSGSIZE;
    memcpy(from.p, "ping", 4);
    memcpy(data.p, "hello", 5);
    return WASI_SUCCESS;
}

static void fake_trace(void *ctx, struct span line)
{
    struct fake *f = ctx;
    size_t n = line.len < sizeof f->line - 1 ? line.len : sizeof f->line - 1;
    memcpy(f->line, line.p, n);
    f->line[n] = 0;
    f->lines++;
}

static void fake_denied(void *ctx, enum wasi_denial what, struct span value)
{
    struct fake *f = ctx;
    struct strbuf b;
    strbuf_init(&b, f->denied, sizeof f->denied);
    strbuf_u64(&b, what);
    strbuf_char(&b, ' ');
    strbuf_span(&b, value);
    strbuf_char(&b, '\0');
    f->denials++;
}

static const struct wasi_host fake_host = {
    .clock_resolution = clock_resolution, .clock_now = clock_now, .random = fake_random,
    .yield = fake_yield, .close = fake_close, .read = fake_read, .write = fake_write,
    .pread = fake_pread, .pwrite = fake_pwrite, .seek = fake_seek, .advise = fake_advise,
    .allocate = fake_allocate, .sync = fake_sync, .set_flags = fake_set_flags, .stat = fake_stat,
    .set_size = fake_set_size, .set_times = fake_set_times, .readdir = fake_readdir,
    .path_open = fake_path_open, .path_stat = fake_path_stat,
    .path_set_times = fake_path_set_times, .path_mkdir = fake_path_mkdir,
    .path_rmdir = fake_path_rmdir, .path_unlink = fake_path_unlink,
    .path_rename = fake_path_rename, .path_link = fake_path_link,
    .path_symlink = fake_path_symlink, .path_readlink = fake_path_readlink, .poll = fake_poll,
    .accept = fake_accept, .recv = fake_recv, .send = fake_send, .shutdown = fake_shutdown,
    .net_connect = fake_net_connect, .msg_send = fake_msg_send, .msg_recv = fake_msg_recv,
    .denied = fake_denied, .trace = fake_trace,
};

/* A guest elsewhere: its memory is known to these two alone. */
static void remote_get(void *ctx, void *to, uint32_t from, size_t len)
{
    struct fake *f = ctx;
    base_assert(range_within(from, len, f->guest.size));
    memcpy(to, f->memory + from, len);
}

static void remote_put(void *ctx, uint32_t to, const void *from, size_t len)
{
    struct fake *f = ctx;
    base_assert(range_within(to, len, f->guest.size));
    memcpy(f->memory + to, from, len);
}

void fake_move_away(struct fake *f)
{
    f->remote = (struct wasi_remote){ .ctx = f, .get = remote_get, .put = remote_put,
                                      .window = f->window };
    f->guest.base = NULL;
    f->guest.remote = &f->remote;
}

void fake_init(struct fake *f, uint8_t *memory, size_t size)
{
    memset(f, 0, sizeof *f);
    memset(memory, 0, size);
    f->host = fake_host;
    f->host.ctx = f;
    f->memory = memory;
    f->guest = (struct wasi_guest){ memory, size, NULL };
    f->open_as = WASI_FILETYPE_REGULAR_FILE;
    f->now_ns = 1000000;
    f->entries = 3;
    for (int h = 0; h < FAKE_FIRST_NEW; h++, f->open_count++)
        f->open[h] = true;
    wasi_init(&f->wasi, &f->host, f->fds, base_countof(f->fds));
    base_assert(wasi_add_stdio(&f->wasi, 0, FAKE_IN, true) == 0);
    base_assert(wasi_add_stdio(&f->wasi, 1, FAKE_OUT, true) == 1);
    base_assert(wasi_add_stdio(&f->wasi, 2, FAKE_ERR, false) == 2);
    base_assert(wasi_add_preopen(&f->wasi, FAKE_DATA, SPAN_LIT("/data")) == 3);
    base_assert(wasi_add_listener(&f->wasi, FAKE_LISTENER, 8080) == 4);
    base_assert(wasi_set_args(&f->wasi, (struct wasi_strings){ SPAN_LIT("app\0x\0"), 2 }) == 0);
    base_assert(wasi_set_env(&f->wasi, (struct wasi_strings){ SPAN_LIT("K=V\0"), 1 }) == 0);
    f->wasi.app_name = SPAN_LIT("tester");
}

enum wasi_errno fake_call(struct fake *f, const char *module, const char *name,
                          const uint64_t *a)
{
    const struct wasi_function *fn =
        wasi_function_find(span_of_cstr(module), span_of_cstr(name));
    base_assert(fn);
    return wasi_function_call(fn, &f->wasi, &f->guest, a);
}
