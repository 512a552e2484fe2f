/* An app's requests about its files, and the store that they live in (hosts/browser/store). */
#include <stdlib.h>

#include "base/err.h"
#include "internal.h"

/* A few more than wasi/ lets an app open, so that it is wasi/ that says so. */
enum { HANDLES_DEFAULT = 64, HANDLES_MAX = 1056, HANDLES_SPARE = 32,
       FOR_THE_SYSTEM = 4 << 20 }; /* bytes that apps leave for the audit log */

/* --- the disk, which JavaScript moves bytes to ------------------------------------------ */

static int disk_write(void *ctx, uint32_t file, uint64_t at, struct span bytes, bool frees)
{
    return js_disk_write(file, (double)at, bytes.p, bytes.len, frees);
}

static int disk_clear(void *ctx, uint32_t file) { return js_disk_clear(file); }
static int disk_barrier(void *ctx) { return js_disk_barrier(); }

/* The beginnings of the two files are in the packet, one behind the other, JOURNAL_HEAD_BYTES or less
 * of each; len: how long the files are. As store_choose(); without a disk nothing lasts. */
EXPORT(store_open) int32_t do_store_open(uint32_t has_disk, double len0, double len1)
{
    static const struct store_disk disk = { .write = disk_write, .clear = disk_clear,
                                            .barrier = disk_barrier };
    uint64_t len[2] = { (uint64_t)len0, (uint64_t)len1 };
    const uint8_t *p = (const uint8_t *)&sys.in;
    size_t n0 = len[0] < JOURNAL_HEAD_BYTES ? (size_t)len[0] : JOURNAL_HEAD_BYTES;
    size_t n1 = len[1] < JOURNAL_HEAD_BYTES ? (size_t)len[1] : JOURNAL_HEAD_BYTES;
    struct span head[2] = { span_of(p, n0), span_of(p + n0, n1) };
    store_free(&sys.store);
    int r = store_init(&sys.store, has_disk ? &disk : NULL);
    return r < 0 || !has_disk ? r : store_choose(&sys.store, head, len);
}

EXPORT(store_feed) void do_store_feed(size_t len)
{
    store_feed(&sys.store, span_of(&sys.in, len));
}

EXPORT(store_ready) int32_t do_store_ready(double file_len)
{
    sys.store.time_ns = (uint64_t)js_unix_ms() * 1000000;
    return store_ready(&sys.store, (uint64_t)file_len);
}

/* Bytes at its end that were no record. */
EXPORT(store_dropped) double do_store_dropped(void) { return (double)sys.store.dropped; }

/* --- an app's life ------------------------------------------------------------------------ */

int app_files_open(struct app *a, const struct core_grants *grants)
{
    uint32_t count = grants->open_files ? grants->open_files : HANDLES_DEFAULT;
    count = (count > HANDLES_MAX ? HANDLES_MAX : count) + HANDLES_SPARE;
    struct file_handle *handles = calloc(count, sizeof *handles);
    if (!handles)
        return E_NOMEM;
    sys.store.time_ns = (uint64_t)js_unix_ms() * 1000000;
    if (files_init(&a->files, &sys.store, grants->name, grants->data_bytes, handles, count) !=
        WASI_SUCCESS) {
        free(handles);
        return E_IO;
    }
    a->files.leaves = FOR_THE_SYSTEM;
    a->handles = handles;
    return E_OK;
}

void app_files_close(struct app *a)
{
    if (!a->handles)
        return;
    files_finish(&a->files);
    free(a->handles);
    a->handles = NULL;
}

/* --- requests ----------------------------------------------------------------------------- */

struct ask {
    struct app *app;
    struct files *f;
    const struct wire *w;
    int32_t h;
    struct span a, b;
    struct span reply; /* b of the answer; in sys.out.data where it can be */
};

static enum wasi_errno do_open(struct ask *q)
{
    struct wasi_opened opened;
    int32_t how = q->w->number[3];
    struct wasi_open o = { .dir = q->h, .path = q->a, .oflags = (uint16_t)q->w->number[1],
                           .fdflags = (uint16_t)q->w->number[2], .follow = how & WIRE_OPEN_FOLLOW,
                           .can_read = how & WIRE_OPEN_READ, .can_write = how & WIRE_OPEN_WRITE };
    enum wasi_errno e = files_open(q->f, &o, &opened);
    if (e != WASI_SUCCESS)
        return e;
    sys.out.head.number[0] = opened.handle;
    sys.out.head.number[1] = (int32_t)opened.filetype;
    return WASI_SUCCESS;
}

static enum wasi_errno do_stat(struct ask *q)
{
    struct wasi_filestat st;
    enum wasi_errno e = files_stat(q->f, q->h, q->a, q->w->number[1] != 0, &st);
    if (e != WASI_SUCCESS)
        return e;
    memcpy(sys.out.data, &st, sizeof st);
    q->reply = span_of(sys.out.data, sizeof st);
    return WASI_SUCCESS;
}

static enum wasi_errno do_set_times(struct ask *q)
{
    struct wasi_times times = { .fstflags = (uint16_t)q->w->number[2] };
    if (q->b.len != 16)
        return WASI_INVAL;
    memcpy(&times.atim, q->b.p, 8);
    memcpy(&times.mtim, q->b.p + 8, 8);
    return files_set_times(q->f, q->h, q->a, q->w->number[1] != 0, &times);
}

static enum wasi_errno do_mkdir(struct ask *q) { return files_mkdir(q->f, q->h, q->a); }
static enum wasi_errno do_rmdir(struct ask *q) { return files_rmdir(q->f, q->h, q->a); }
static enum wasi_errno do_unlink(struct ask *q) { return files_unlink(q->f, q->h, q->a); }

static enum wasi_errno do_rename(struct ask *q)
{
    return files_rename(q->f, q->h, q->a, q->w->number[1], q->b);
}

static enum wasi_errno do_link(struct ask *q)
{
    return files_link(q->f, q->h, q->a, q->w->number[2] != 0, q->w->number[1], q->b);
}

static enum wasi_errno do_symlink(struct ask *q)
{
    return files_symlink(q->f, q->a, q->w->number[1], q->b);
}

static enum wasi_errno do_readlink(struct ask *q)
{
    return files_readlink(q->f, q->h, q->a, &q->reply);
}

static enum wasi_errno do_read(struct ask *q)
{
    size_t n, len = (uint32_t)q->w->number[1];
    len = len < TREE_DATA_MAX ? len : TREE_DATA_MAX;
    enum wasi_errno e = files_read(q->f, q->h, wire_number(q->w), sys.out.data, len, &n);
    if (e == WASI_SUCCESS)
        q->reply = span_of(sys.out.data, n);
    return e;
}

static enum wasi_errno do_write(struct ask *q)
{
    size_t n;
    enum wasi_errno e = files_write(q->f, q->h, wire_number(q->w), q->b, &n);
    if (e == WASI_SUCCESS)
        sys.out.head.number[0] = (int32_t)n;
    return e;
}

static enum wasi_errno do_seek(struct ask *q)
{
    uint64_t at;
    uint32_t whence = (uint32_t)q->w->number[1];
    if (whence > WASI_WHENCE_END)
        return WASI_INVAL;
    enum wasi_errno e =
        files_seek(q->f, q->h, (int64_t)wire_number(q->w), (enum wasi_whence)whence, &at);
    if (e == WASI_SUCCESS)
        wire_set_number(&sys.out.head, at);
    return e;
}

static enum wasi_errno do_allocate(struct ask *q)
{
    uint64_t len;
    if (q->b.len != sizeof len)
        return WASI_INVAL;
    memcpy(&len, q->b.p, sizeof len);
    return files_allocate(q->f, q->h, wire_number(q->w), len);
}

static enum wasi_errno do_flags(struct ask *q)
{
    return files_set_flags(q->f, q->h, (uint16_t)q->w->number[1]);
}

static enum wasi_errno do_size(struct ask *q)
{
    return files_set_size(q->f, q->h, wire_number(q->w));
}

/* Nobody waits for what was written, but it begins. */
static enum wasi_errno do_close(struct ask *q)
{
    bool wrote = files_has(q->f, q->h) && q->f->handles[q->h].can_write;
    enum wasi_errno e = files_close(q->f, q->h);
    if (wrote && e == WASI_SUCCESS && sys.store.lasting)
        js_disk_flush(++sys.flush_asked);
    return e;
}

struct packer {
    size_t used, max;
};

static bool put_entry(void *ctx, const struct wasi_dirent *d)
{
    struct packer *k = ctx;
    struct wire_dirent out = { .next = d->next, .ino = d->ino, .filetype = (uint8_t)d->filetype,
                               .name_len = (uint16_t)d->name.len };
    if (k->max - k->used < sizeof out + d->name.len)
        return false;
    memcpy(sys.out.data + k->used, &out, sizeof out);
    memcpy(sys.out.data + k->used + sizeof out, d->name.p, d->name.len);
    k->used += sizeof out + d->name.len;
    return true;
}

static enum wasi_errno do_readdir(struct ask *q)
{
    struct packer k = { 0, (uint32_t)q->w->number[1] };
    k.max = k.max < TREE_DATA_MAX ? k.max : TREE_DATA_MAX;
    struct wasi_dirent_sink sink = { &k, put_entry };
    enum wasi_errno e = files_readdir(q->f, q->h, wire_number(q->w), &sink);
    q->reply = span_of(sys.out.data, k.used);
    return e;
}

bool file_request_has_path(uint16_t op, enum core_path_op *ret)
{
    static const uint8_t ops[] = {
        [WIRE_OPEN - WIRE_OPEN] = CORE_PATH_OPEN, [WIRE_STAT - WIRE_OPEN] = CORE_PATH_STAT,
        [WIRE_SET_TIMES - WIRE_OPEN] = CORE_PATH_SET_TIMES,
        [WIRE_MKDIR - WIRE_OPEN] = CORE_PATH_MKDIR, [WIRE_RMDIR - WIRE_OPEN] = CORE_PATH_RMDIR,
        [WIRE_UNLINK - WIRE_OPEN] = CORE_PATH_UNLINK,
        [WIRE_RENAME - WIRE_OPEN] = CORE_PATH_RENAME, [WIRE_LINK - WIRE_OPEN] = CORE_PATH_LINK,
        [WIRE_SYMLINK - WIRE_OPEN] = CORE_PATH_SYMLINK,
        [WIRE_READLINK - WIRE_OPEN] = CORE_PATH_READLINK,
    };
    if (op < WIRE_OPEN || op > WIRE_READLINK)
        return false;
    *ret = (enum core_path_op)ops[op - WIRE_OPEN];
    return true;
}

bool file_request_writes(const struct wire *w)
{
    return (w->number[3] & WIRE_OPEN_WRITE) || (w->number[1] & (WASI_O_CREAT | WASI_O_TRUNC));
}

/* What has a path, core has allowed. */
enum wasi_errno file_request(struct app *app, struct span a, struct span b)
{
    typedef enum wasi_errno (*perform)(struct ask *q);
    static const perform ops[] = {
        [WIRE_OPEN - WIRE_OPEN] = do_open, [WIRE_STAT - WIRE_OPEN] = do_stat,
        [WIRE_SET_TIMES - WIRE_OPEN] = do_set_times, [WIRE_MKDIR - WIRE_OPEN] = do_mkdir,
        [WIRE_RMDIR - WIRE_OPEN] = do_rmdir, [WIRE_UNLINK - WIRE_OPEN] = do_unlink,
        [WIRE_RENAME - WIRE_OPEN] = do_rename, [WIRE_LINK - WIRE_OPEN] = do_link,
        [WIRE_SYMLINK - WIRE_OPEN] = do_symlink, [WIRE_READLINK - WIRE_OPEN] = do_readlink,
        [WIRE_READ - WIRE_OPEN] = do_read, [WIRE_WRITE - WIRE_OPEN] = do_write,
        [WIRE_SEEK - WIRE_OPEN] = do_seek, [WIRE_ALLOCATE - WIRE_OPEN] = do_allocate,
        [WIRE_FLAGS - WIRE_OPEN] = do_flags, [WIRE_SIZE - WIRE_OPEN] = do_size,
        [WIRE_CLOSE - WIRE_OPEN] = do_close, [WIRE_READDIR - WIRE_OPEN] = do_readdir,
    };
    size_t i = (size_t)app->request.op - WIRE_OPEN;
    struct ask q = { app, &app->files, &app->request, app->request.number[0], a, b, SPAN_NONE };
    enum wasi_errno e = WASI_INVAL;
    sys.store.time_ns = (uint64_t)js_unix_ms() * 1000000;
    memset(sys.out.head.number, 0, sizeof sys.out.head.number);
    if (app->handles && i < sizeof ops / sizeof ops[0] && ops[i])
        e = ops[i](&q);
    request_answer(app, (uint16_t)e, SPAN_NONE, e == WASI_SUCCESS ? q.reply : SPAN_NONE);
    return e;
}

/* --- syncing ------------------------------------------------------------------------------ */

void file_sync(struct app *a)
{
    if (!a->handles || !files_has(&a->files, a->request.number[0])) {
        request_answer(a, WASI_BADF, SPAN_NONE, SPAN_NONE);
        return;
    }
    a->flush = ++sys.flush_asked;
    js_disk_flush(a->flush);
}

/* All that was written before flush number `done` was asked for is on the disk; or not. */
EXPORT(flushed) void do_flushed(uint32_t done, int32_t error)
{
    enum wasi_errno e = error == E_OK ? WASI_SUCCESS : error == E_FULL ? WASI_NOSPC : WASI_IO;
    for (uint32_t i = 0; i < APPS_MAX; i++) {
        struct app *a = &sys.apps[i];
        if (a->has_request && a->request.op == WIRE_SYNC && a->flush && (int32_t)(done - a->flush) >= 0) {
            a->flush = 0;
            request_answer(a, (uint16_t)e, SPAN_NONE, SPAN_NONE);
        }
    }
}
