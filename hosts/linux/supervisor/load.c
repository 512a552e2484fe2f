/* Finding an app's folder, reading its manifest, sealing its module. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "base/err.h"
#include "hosts/linux/code.h"
#include "internal.h"
#include "trust/sha256.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008u
#endif

/* A file of an app's folder. Nothing in a manifest can name one outside of it, and a pipe in
 * a file's place does not make us wait. */
static int open_beneath(int dir, const char *path, uint64_t flags)
{
    struct open_how how = { .flags = flags | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH };
    return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static int open_app_folder(struct sup *s, const char *name)
{
    if (!manifest_name_valid(span_of_cstr(name)))
        return -1; /* it will be a part of a path */
    if (s->app_folder >= 0 && strcmp(name, s->folder_name) == 0)
        return fcntl(s->app_folder, F_DUPFD_CLOEXEC, SANDBOX_FDS);
    for (size_t i = 0; i < s->o->apps_dirs_count; i++) {
        int fd = s->apps_dirs[i] < 0 ? -1
                                     : openat(s->apps_dirs[i], name,
                                              O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

/* The manifest's text, NUL-terminated, malloc'ed. */
static char *read_manifest(int dir, size_t *len)
{
    char *text = malloc(MANIFEST_TEXT_MAX + 2);
    int fd = open_beneath(dir, "vyoma.toml", O_RDONLY);
    ssize_t n = 0;
    *len = 0;
    while (fd >= 0 && text && *len <= MANIFEST_TEXT_MAX &&
           (n = read(fd, text + *len, MANIFEST_TEXT_MAX + 1 - *len)) > 0)
        *len += (size_t)n;
    if (fd >= 0)
        close(fd);
    if (fd < 0 || !text || n < 0) {
        free(text);
        return NULL;
    }
    text[*len] = 0;
    return text;
}

bool load_parse(const char *text, size_t len, struct manifest *m, struct format_error *err)
{
    static uint8_t scratch_bytes[MANIFEST_SCRATCH_BYTES], keep_bytes[MANIFEST_KEEP_BYTES];
    struct arena scratch, keep;
    arena_init(&scratch, scratch_bytes, sizeof scratch_bytes);
    arena_init(&keep, keep_bytes, sizeof keep_bytes);
    return manifest_parse(span_of(text, len), &scratch, &keep, m, err) == E_OK;
}

/* A manifest that cannot be read is core's to complain about: false. */
static bool parse_manifest(const char *text, size_t len, struct manifest *m)
{
    struct format_error err;
    return load_parse(text, len, m, &err);
}

static bool has_overrides(const struct sup *s, const struct app *a)
{
    const struct supervisor_options *o = s->o;
    return sup_is_foreground(s, a) &&
           (o->grants_count || o->denies_count || o->args_count || o->env_count);
}

int sup_memfd(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

static int copy_all(int from, int to, off_t size)
{
    while (size > 0) {
        ssize_t n = sendfile(to, from, NULL, (size_t)size);
        if (n <= 0)
            return E_IO;
        size -= n;
    }
    return E_OK;
}

/* By reading, not by mapping: a file in storage may shrink meanwhile. */
static int hash_fd(struct sup *s, int fd, uint8_t hash[32])
{
    struct sha256 state;
    off_t at = 0;
    ssize_t n;
    sha256_init(&state);
    while ((n = pread(fd, s->reply, CTL_DATA_MAX, at)) > 0 && at <= MODULE_BYTES_MAX) {
        sha256_update(&state, span_of(s->reply, (size_t)n));
        at += n;
    }
    sha256_final(&state, hash);
    return n == 0 ? E_OK : E_IO;
}

/* A sealed copy of the file: from here on nobody can change what was hashed. */
static int seal_module(struct sup *s, int file, const char *name, uint8_t hash[32])
{
    struct stat st;
    if (fstat(file, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > MODULE_BYTES_MAX) {
        snprintf(s->why, sizeof s->why, "the module is no file of at most %d MB",
                 MODULE_BYTES_MAX >> 20);
        return E_IO;
    }
    int fd = sup_memfd(name);
    if (fd < 0 || copy_all(file, fd, st.st_size) < 0 ||
        fcntl(fd, F_ADD_SEALS, CODE_SEALS_FIRST | CODE_SEALS_LAST) < 0 ||
        hash_fd(s, fd, hash) < 0) {
        snprintf(s->why, sizeof s->why, "the module could not be read and sealed: %s",
                 strerror(errno));
        if (fd >= 0)
            close(fd);
        return E_IO;
    }
    return fd;
}

static int open_module(struct sup *s, int dir, const struct manifest *m)
{
    char path[MANIFEST_PATH_MAX + 1];
    snprintf(path, sizeof path, "%.*s", (int)m->wasm.len, (const char *)m->wasm.p);
    int file = open_beneath(dir, path, O_RDONLY);
    if (file < 0)
        snprintf(s->why, sizeof s->why, "module %s: %s", path,
                 errno == EXDEV ? "it leads out of the app's folder" : strerror(errno));
    return file;
}

int load_app(struct sup *s, struct app *a, struct host_loaded *ret)
{
    struct manifest m;
    size_t len;
    int dir = open_app_folder(s, a->name);
    ret->manifest = span_of_cstr(s->why);
    if (dir < 0) {
        snprintf(s->why, sizeof s->why, "there is no app called %s", a->name);
        ret->manifest = span_of_cstr(s->why);
        return E_NOENT;
    }
    char *text = read_manifest(dir, &len);
    if (text && has_overrides(s, a) && parse_manifest(text, len, &m)) {
        char *changed = override_manifest(s, text, &len);
        free(text);
        text = changed;
    } else if (!text) {
        snprintf(s->why, sizeof s->why, "%s has no readable vyoma.toml", a->name);
    }
    int r = text ? E_OK : E_IO;
    if (text && parse_manifest(text, len, &m)) {
        int file = open_module(s, dir, &m);
        a->module_fd = file >= 0 ? seal_module(s, file, a->name, ret->hash) : -1;
        r = a->module_fd < 0 ? E_IO : E_OK;
        if (r == E_OK)
            memcpy(a->hash, ret->hash, sizeof a->hash);
        if (file >= 0)
            close(file);
    }
    close(dir);
    a->manifest = text;
    ret->manifest = r == E_OK ? span_of(text, len) : span_of_cstr(s->why);
    return r;
}

int load_verify(struct sup *s, struct span name, uint8_t hash[32])
{
    char text_name[MANIFEST_NAME_MAX + 1];
    struct manifest m;
    struct stat st;
    size_t len;
    int r = E_IO;
    snprintf(text_name, sizeof text_name, "%.*s", (int)name.len, (const char *)name.p);
    int dir = open_app_folder(s, text_name);
    if (dir < 0)
        return E_NOENT;
    char *text = read_manifest(dir, &len);
    int file = text && parse_manifest(text, len, &m) ? open_module(s, dir, &m) : -1;
    if (file >= 0 && fstat(file, &st) == 0 && S_ISREG(st.st_mode))
        r = hash_fd(s, file, hash);
    if (file >= 0)
        close(file);
    free(text);
    close(dir);
    return r;
}

void load_folder_name(struct sup *s, int dir, const char *path, char *out, size_t cap)
{
    struct manifest m;
    size_t len;
    char *text = read_manifest(dir, &len);
    out[0] = 0;
    if (text && parse_manifest(text, len, &m)) {
        snprintf(out, cap, "%.*s", (int)m.name.len, (const char *)m.name.p);
    } else {
        char *whole = realpath(path, NULL);
        const char *slash = whole ? strrchr(whole, '/') : NULL;
        if (slash && manifest_name_valid(span_of_cstr(slash + 1)))
            snprintf(out, cap, "%s", slash + 1);
        free(whole);
    }
    free(text);
}
