#include "source.h"

#include <vyoma/fs.h>

enum { SLOTS = 112 }; /* more than there are connections, so that one is always free */

static const uint64_t FRESH_NS = 1000000000;

static struct source slots[SLOTS];
static int data_dir;

void sources_init(int dir)
{
    data_dir = dir;
    for (int i = 0; i < SLOTS; i++)
        slots[i].fd = -1;
}

static const char *type_of(const char *path)
{
    static const struct {
        char ending[8];
        const char *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },  { ".htm", "text/html; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },    { ".js", "text/javascript; charset=utf-8" },
        { ".mjs", "text/javascript; charset=utf-8" }, { ".txt", "text/plain; charset=utf-8" },
        { ".md", "text/plain; charset=utf-8" },   { ".json", "application/json" },
        { ".xml", "application/xml" },            { ".svg", "image/svg+xml" },
        { ".png", "image/png" },                  { ".jpg", "image/jpeg" },
        { ".jpeg", "image/jpeg" },                { ".gif", "image/gif" },
        { ".webp", "image/webp" },                { ".ico", "image/x-icon" },
        { ".woff2", "font/woff2" },               { ".wasm", "application/wasm" },
        { ".pdf", "application/pdf" },
    };
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(dot, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

static void close_slot(struct source *s)
{
    (void)!__wasi_fd_close(s->fd);
    s->fd = -1;
}

/* The slot that holds path, freshly opened; else a free one; NULL when all are in use. */
static struct source *find_slot(const char *path, uint64_t now_ns)
{
    struct source *free_slot = NULL;
    for (struct source *s = slots; s < slots + SLOTS; s++) {
        if (s->fd >= 0 && !s->users && now_ns - s->opened_ns > FRESH_NS)
            close_slot(s);
        if (s->fd >= 0 && now_ns - s->opened_ns <= FRESH_NS && strcmp(s->path, path) == 0)
            return s;
        if (!s->users && (!free_slot || s->fd < 0))
            free_slot = s;
    }
    if (free_slot && free_slot->fd >= 0)
        close_slot(free_slot);
    return free_slot;
}

static int status_of(int err)
{
    switch (err) {
    case __WASI_ERRNO_MFILE: case __WASI_ERRNO_NFILE: case __WASI_ERRNO_NOMEM:
    case __WASI_ERRNO_AGAIN: case __WASI_ERRNO_LOOP:
        return err == __WASI_ERRNO_LOOP ? 404 : 503;
    case __WASI_ERRNO_NOTCAPABLE: case __WASI_ERRNO_ACCES: case __WASI_ERRNO_PERM:
        return 403;
    default:
        return 404;
    }
}

int source_open(const char *path, uint64_t now_ns, struct source **ret)
{
    struct source *s = data_dir < 0 ? NULL : find_slot(path, now_ns);
    if (!s)
        return data_dir < 0 ? 404 : 503;
    if (s->fd < 0) {
        __wasi_filestat_t stat;
        int err = vy_open(data_dir, path, 0, VY_READ, __WASI_FDFLAGS_NONBLOCK, &s->fd);
        if (err == __WASI_ERRNO_ISDIR)
            return 301;
        if (err)
            return status_of(err);
        err = __wasi_fd_filestat_get(s->fd, &stat);
        if (err || stat.filetype != __WASI_FILETYPE_REGULAR_FILE) {
            close_slot(s);
            return !err && stat.filetype == __WASI_FILETYPE_DIRECTORY ? 301 : 404;
        }
        s->size = stat.size;
        s->modified = stat.mtim / 1000000000;
        s->tag = stat.mtim ^ stat.size << 40 ^ stat.ino << 20;
        s->type = type_of(path);
        s->opened_ns = now_ns;
        memcpy(s->path, path, strlen(path) + 1);
    }
    s->users++;
    *ret = s;
    return 0;
}

void source_release(struct source *s)
{
    s->users--;
}

size_t source_read(struct source *s, uint64_t at, char *bytes, size_t n)
{
    if (s->text) {
        n = at >= s->size ? 0 : n < s->size - at ? n : (size_t)(s->size - at);
        memcpy(bytes, s->text + at, n);
        return n;
    }
    __wasi_iovec_t v = { (uint8_t *)bytes, n };
    __wasi_size_t got = 0;
    return __wasi_fd_pread(s->fd, &v, 1, at, &got) ? 0 : got;
}
