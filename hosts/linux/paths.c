/* Files of one app, by path (hosts/linux/paths.h). */
#define _GNU_SOURCE
#include "hosts/linux/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "beneath.h"
#include "hosts/linux/wasi_errno.h"
#include "hosts/linux/wasi_values.h"
#include "usage.h"
#include "wasi/host.h"

enum {
    DIR_MODE = 0755, FILE_MODE = 0644,
    READ_BYTES = 16 * 1024, /* of directory entries at a time */
};

struct paths {
    int dirs[CTL_DIRS_MAX]; /* by id; -1: free */
    bool no_openat2;
    struct usage usage;
};

/* A path of a request, NUL-terminated. */
struct path_text {
    char text[WASI_PATH_MAX + 1];
};

/* A path split before its last component. */
struct split {
    int parent;     /* descriptor; -1 */
    char name[256]; /* never empty, ".", or ".." */
    bool slash;     /* there was a slash behind it: it means a directory */
};

struct paths *paths_new(int dir, uint64_t data_bytes)
{
    struct paths *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    for (int i = 0; i < CTL_DIRS_MAX; i++)
        p->dirs[i] = -1;
    usage_init(&p->usage, data_bytes);
    /* Reading entries needs more than O_PATH. */
    int readable = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (readable >= 0)
        close(dir);
    p->dirs[CTL_DIR_DATA] = readable >= 0 ? readable : dir;
    return p;
}

void paths_free(struct paths *p)
{
    if (!p)
        return;
    for (int i = 0; i < CTL_DIRS_MAX; i++)
        if (p->dirs[i] >= 0)
            close(p->dirs[i]);
    free(p);
}

void paths_without_openat2(struct paths *p)
{
    p->no_openat2 = true;
}

/* --- paths --------------------------------------------------------------------- */

/* What a resolution failed with, in the guest's words. */
static enum wasi_errno resolve_error(int negative_errno)
{
    return negative_errno == -EXDEV ? WASI_NOTCAPABLE : wasi_errno_of(-negative_errno);
}

static enum wasi_errno get_dir(const struct paths *p, uint32_t id, int *ret)
{
    if (id >= CTL_DIRS_MAX || p->dirs[id] < 0)
        return WASI_BADF;
    *ret = p->dirs[id];
    return WASI_SUCCESS;
}

static enum wasi_errno get_text(struct span path, bool may_be_empty, struct path_text *ret)
{
    if (path.len > WASI_PATH_MAX)
        return WASI_NAMETOOLONG;
    if (span_find(path, 0) != path.len)
        return WASI_INVAL;
    if (path.len && path.p[0] == '/')
        return WASI_NOTCAPABLE;
    if (path.len == 0 && !may_be_empty)
        return WASI_NOENT;
    if (path.len)
        memcpy(ret->text, path.p, path.len);
    else
        ret->text[path.len++] = '.';
    ret->text[path.len] = 0;
    return WASI_SUCCESS;
}

/* Resolves dir/path and opens it. */
static enum wasi_errno open_path(struct paths *p, uint32_t id, struct span path, int flags,
                                 mode_t mode, bool may_be_empty, int *ret)
{
    struct path_text t;
    int dir;
    enum wasi_errno e = get_dir(p, id, &dir);
    if (e == WASI_SUCCESS)
        e = get_text(path, may_be_empty, &t);
    if (e != WASI_SUCCESS)
        return e;
    int fd = beneath_open(dir, t.text, flags, mode, &p->no_openat2);
    if (fd < 0)
        return resolve_error(fd);
    *ret = fd;
    return WASI_SUCCESS;
}

/* The last component was "." or "..": nothing that acts on a name can mean that, but a path
 * that leaves is told so. */
static enum wasi_errno refuse_dots(struct paths *p, int dir, const char *path,
                                   enum wasi_errno what)
{
    int fd = beneath_open(dir, path, O_PATH, 0, &p->no_openat2);
    if (fd < 0)
        return resolve_error(fd);
    close(fd);
    return what;
}

/* Opens the folder that holds the path's last component. dots: the error when that is "."
 * or "..". */
static enum wasi_errno split_path(struct paths *p, uint32_t id, struct span path,
                                  enum wasi_errno dots, struct split *ret)
{
    struct path_text t;
    int dir;
    enum wasi_errno e = get_dir(p, id, &dir);
    if (e == WASI_SUCCESS)
        e = get_text(path, false, &t);
    if (e != WASI_SUCCESS)
        return e;
    size_t end = strlen(t.text);
    while (end && t.text[end - 1] == '/')
        end--;
    ret->slash = t.text[end] == '/';
    size_t start = end;
    while (start && t.text[start - 1] != '/')
        start--;
    size_t len = end - start;
    if (len >= sizeof ret->name)
        return WASI_NAMETOOLONG;
    memcpy(ret->name, t.text + start, len);
    ret->name[len] = 0;
    if (strcmp(ret->name, ".") == 0 || strcmp(ret->name, "..") == 0)
        return refuse_dots(p, dir, t.text, dots);
    t.text[start] = 0;
    int fd = beneath_open(dir, start ? t.text : ".", O_PATH | O_DIRECTORY, 0, &p->no_openat2);
    if (fd < 0)
        return resolve_error(fd);
    ret->parent = fd;
    return WASI_SUCCESS;
}

/* Says what a system call on s.parent said, and closes it. */
static enum wasi_errno split_done(struct split *s, int result)
{
    enum wasi_errno e = result < 0 ? wasi_errno_of(errno) : WASI_SUCCESS;
    close(s->parent);
    return e;
}

static bool is_type(const struct split *s, mode_t type)
{
    struct stat st;
    return fstatat(s->parent, s->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (st.st_mode & S_IFMT) == type;
}

/* --- requests ------------------------------------------------------------------- */

struct request {
    struct paths *p;
    const struct ctl_msg *m;
    struct span a, b;
    struct ctl_msg *reply;
    uint8_t *data;
    size_t *len;
    int *fd;
};

bool paths_open_writes(const struct ctl_msg *m)
{
    return m->u.open.can_write || (m->u.open.oflags & (WASI_O_CREAT | WASI_O_TRUNC));
}

static int open_flags(const struct ctl_open *o)
{
    static const struct {
        uint16_t from;
        int to;
    } oflags[] = { { WASI_O_CREAT, O_CREAT }, { WASI_O_DIRECTORY, O_DIRECTORY },
                   { WASI_O_EXCL, O_EXCL }, { WASI_O_TRUNC, O_TRUNC } },
      fdflags[] = { { WASI_FDFLAG_APPEND, O_APPEND }, { WASI_FDFLAG_DSYNC, O_DSYNC },
                    { WASI_FDFLAG_RSYNC, O_RSYNC }, { WASI_FDFLAG_SYNC, O_SYNC } };
    int flags = O_NOCTTY | O_NONBLOCK; /* a FIFO must not make us wait */
    for (size_t i = 0; i < base_countof(oflags); i++)
        flags |= (o->oflags & oflags[i].from) ? oflags[i].to : 0;
    for (size_t i = 0; i < base_countof(fdflags); i++)
        flags |= (o->fdflags & fdflags[i].from) ? fdflags[i].to : 0;
    if (o->can_write)
        flags |= o->can_read ? O_RDWR : O_WRONLY;
    return flags | (o->follow ? 0 : O_NOFOLLOW);
}

/* Puts an opened directory into the table. */
static enum wasi_errno keep_dir(const struct request *r, int fd)
{
    for (uint32_t id = 0; id < CTL_DIRS_MAX; id++) {
        if (r->p->dirs[id] >= 0)
            continue;
        r->p->dirs[id] = fd;
        r->reply->u.opened.dir = id;
        return WASI_SUCCESS;
    }
    close(fd);
    return WASI_NFILE;
}

static enum wasi_errno do_open(const struct request *r)
{
    const struct ctl_open *o = &r->m->u.open;
    struct stat st;
    int fd;
    if (paths_open_writes(r->m) && !usage_has_room(&r->p->usage, r->p->dirs[CTL_DIR_DATA]))
        return WASI_DQUOT;
    enum wasi_errno e =
        open_path(r->p, o->dir, r->a, open_flags(o), FILE_MODE, false, &fd);
    if (e != WASI_SUCCESS)
        return e;
    if (fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
        close(fd);
        return WASI_ACCES;
    }
    r->reply->u.opened.filetype = (uint8_t)wasi_filetype_of(st.st_mode);
    if (S_ISDIR(st.st_mode))
        return keep_dir(r, fd);
    r->reply->u.opened.has_fd = 1;
    *r->fd = fd;
    return WASI_SUCCESS;
}

static enum wasi_errno do_stat(const struct request *r)
{
    struct stat st;
    int fd, flags = O_PATH | (r->m->u.path.follow ? 0 : O_NOFOLLOW);
    enum wasi_errno e = open_path(r->p, r->m->u.path.dir, r->a, flags, 0, true, &fd);
    if (e != WASI_SUCCESS)
        return e;
    int failed = fstat(fd, &st);
    close(fd);
    if (failed)
        return WASI_IO;
    r->reply->u.stat = (struct ctl_stat){ .dev = st.st_dev,
                                          .ino = st.st_ino,
                                          .nlink = st.st_nlink,
                                          .size = (uint64_t)st.st_size,
                                          .atim = wasi_ns_of(&st.st_atim),
                                          .mtim = wasi_ns_of(&st.st_mtim),
                                          .ctim = wasi_ns_of(&st.st_ctim),
                                          .filetype = (uint8_t)wasi_filetype_of(st.st_mode) };
    return WASI_SUCCESS;
}

static enum wasi_errno do_set_times(const struct request *r)
{
    const struct ctl_times *t = &r->m->u.times;
    struct timespec ts[2];
    int fd, flags = O_PATH | (t->follow ? 0 : O_NOFOLLOW);
    wasi_timespecs_of(t->atim, t->mtim, t->fstflags, ts);
    enum wasi_errno e = open_path(r->p, t->dir, r->a, flags, 0, true, &fd);
    if (e != WASI_SUCCESS)
        return e;
    if (utimensat(fd, "", ts, AT_EMPTY_PATH) < 0)
        e = wasi_errno_of(errno);
    close(fd);
    return e;
}

static enum wasi_errno do_mkdir(const struct request *r)
{
    struct split s;
    if (!usage_has_room(&r->p->usage, r->p->dirs[CTL_DIR_DATA]))
        return WASI_DQUOT;
    enum wasi_errno e = split_path(r->p, r->m->u.path.dir, r->a, WASI_EXIST, &s);
    return e == WASI_SUCCESS ? split_done(&s, mkdirat(s.parent, s.name, DIR_MODE)) : e;
}

static enum wasi_errno do_rmdir(const struct request *r)
{
    struct split s;
    enum wasi_errno e = split_path(r->p, r->m->u.path.dir, r->a, WASI_INVAL, &s);
    return e == WASI_SUCCESS ? split_done(&s, unlinkat(s.parent, s.name, AT_REMOVEDIR)) : e;
}

static enum wasi_errno do_unlink(const struct request *r)
{
    struct split s;
    enum wasi_errno e = split_path(r->p, r->m->u.path.dir, r->a, WASI_ISDIR, &s);
    if (e != WASI_SUCCESS)
        return e;
    if (s.slash) {
        e = is_type(&s, S_IFDIR) ? WASI_ISDIR : WASI_NOTDIR;
        close(s.parent);
        return e;
    }
    return split_done(&s, unlinkat(s.parent, s.name, 0));
}

static enum wasi_errno split_both(const struct request *r, struct split *from, struct split *to)
{
    enum wasi_errno e = split_path(r->p, r->m->u.path.dir, r->a, WASI_BUSY, from);
    if (e != WASI_SUCCESS)
        return e;
    e = split_path(r->p, r->m->u.path.dir2, r->b, WASI_EXIST, to);
    if (e != WASI_SUCCESS)
        close(from->parent);
    return e;
}

static enum wasi_errno do_rename(const struct request *r)
{
    struct split from, to;
    enum wasi_errno e = split_both(r, &from, &to);
    if (e != WASI_SUCCESS)
        return e;
    int result = -1;
    if ((from.slash || to.slash) && !is_type(&from, S_IFDIR))
        errno = ENOTDIR;
    else
        result = renameat(from.parent, from.name, to.parent, to.name);
    e = split_done(&from, result);
    close(to.parent);
    return e;
}

/* Linking what a symbolic link points to would need a name for it that cannot be had without
 * a race; engines agree on refusing it. */
static enum wasi_errno do_link(const struct request *r)
{
    struct split from, to;
    if (!usage_has_room(&r->p->usage, r->p->dirs[CTL_DIR_DATA]))
        return WASI_DQUOT; /* names have a size too */
    enum wasi_errno e = split_both(r, &from, &to);
    if (e != WASI_SUCCESS)
        return e;
    int result = -1;
    if (r->m->u.path.follow && is_type(&from, S_IFLNK))
        errno = EINVAL;
    else if (from.slash && !is_type(&from, S_IFDIR))
        errno = ENOTDIR;
    else if (to.slash)
        errno = ENOENT;
    else
        result = linkat(from.parent, from.name, to.parent, to.name, 0);
    e = split_done(&from, result);
    close(to.parent);
    return e;
}

static enum wasi_errno do_symlink(const struct request *r)
{
    struct path_text target;
    struct split s;
    if (!usage_has_room(&r->p->usage, r->p->dirs[CTL_DIR_DATA]))
        return WASI_DQUOT;
    enum wasi_errno e = get_text(r->a, false, &target);
    if (e == WASI_SUCCESS)
        e = split_path(r->p, r->m->u.path.dir2, r->b, WASI_EXIST, &s);
    if (e != WASI_SUCCESS)
        return e;
    if (s.slash) {
        close(s.parent);
        return WASI_NOENT;
    }
    return split_done(&s, symlinkat(target.text, s.parent, s.name));
}

static enum wasi_errno do_readlink(const struct request *r)
{
    struct split s;
    enum wasi_errno e = split_path(r->p, r->m->u.path.dir, r->a, WASI_INVAL, &s);
    if (e != WASI_SUCCESS)
        return e;
    if (s.slash) { /* means what the link points to, and that is no link */
        close(s.parent);
        return WASI_INVAL;
    }
    ssize_t n = readlinkat(s.parent, s.name, (char *)r->data, WASI_PATH_MAX);
    e = split_done(&s, n < 0 ? -1 : 0);
    if (e == WASI_SUCCESS)
        *r->len = (size_t)n;
    return e;
}

/* --- directories ---------------------------------------------------------------- */

struct kernel_dirent { /* getdents64(2) */
    uint64_t ino;
    int64_t next;
    uint16_t size;
    uint8_t type;
    char name[];
};

static enum wasi_filetype filetype_of_entry(uint8_t type)
{
    return wasi_filetype_of((mode_t)DTTOIF(type));
}

/* What lies above /data is nobody's business, not even its number: there ".." is the folder
 * itself. */
static uint64_t ino_of_parent(const struct request *r, int dir, uint64_t ino)
{
    struct stat here, top;
    if (fstat(dir, &here) < 0 || fstat(r->p->dirs[CTL_DIR_DATA], &top) < 0)
        return 0;
    return here.st_dev == top.st_dev && here.st_ino == top.st_ino ? top.st_ino : ino;
}

/* Appends one entry of dir; false when it does not fit into max bytes. */
static bool put_entry(const struct request *r, int dir, const struct kernel_dirent *d, size_t max)
{
    size_t name_len = strlen(d->name);
    size_t size = (sizeof(struct ctl_dirent) + name_len + 7) & ~(size_t)7;
    struct ctl_dirent out = { .next = (uint64_t)d->next,
                              .ino = d->ino,
                              .name_len = (uint16_t)name_len,
                              .filetype = (uint8_t)filetype_of_entry(d->type) };
    if (*r->len + size > max)
        return false;
    if (strcmp(d->name, "..") == 0)
        out.ino = ino_of_parent(r, dir, d->ino);
    memset(r->data + *r->len, 0, size);
    memcpy(r->data + *r->len, &out, sizeof out);
    memcpy(r->data + *r->len + sizeof out, d->name, name_len);
    *r->len += size;
    return true;
}

static enum wasi_errno do_dir_read(const struct request *r)
{
    _Alignas(8) char bytes[READ_BYTES];
    const struct ctl_read *want = &r->m->u.read;
    size_t max = want->len_max < CTL_DATA_MAX ? want->len_max : CTL_DATA_MAX;
    int dir;
    enum wasi_errno e = get_dir(r->p, want->dir, &dir);
    if (e != WASI_SUCCESS)
        return e;
    if (want->cookie > INT64_MAX || lseek(dir, (off_t)want->cookie, SEEK_SET) < 0)
        return WASI_INVAL;
    long n = syscall(SYS_getdents64, dir, bytes, sizeof bytes);
    if (n < 0)
        return wasi_errno_of(errno);
    for (long at = 0; at < n;) {
        const struct kernel_dirent *d = (const struct kernel_dirent *)(bytes + at);
        if (!put_entry(r, dir, d, max))
            return *r->len ? WASI_SUCCESS : WASI_INVAL;
        at += d->size;
    }
    return WASI_SUCCESS;
}

static enum wasi_errno do_dir_sync(const struct request *r)
{
    int dir;
    enum wasi_errno e = get_dir(r->p, r->m->u.path.dir, &dir);
    return e == WASI_SUCCESS && fsync(dir) < 0 ? wasi_errno_of(errno) : e;
}

static enum wasi_errno do_dir_close(const struct request *r)
{
    int dir;
    uint32_t id = r->m->u.path.dir;
    enum wasi_errno e = get_dir(r->p, id, &dir);
    if (e != WASI_SUCCESS || id == CTL_DIR_DATA)
        return e;
    close(dir);
    r->p->dirs[id] = -1;
    return WASI_SUCCESS;
}

void paths_request(struct paths *p, const struct ctl_msg *request, struct span a, struct span b,
                   struct ctl_msg *reply, uint8_t *reply_data, size_t *ret_len, int *ret_fd)
{
    typedef enum wasi_errno (*perform)(const struct request *r);
    static const perform ops[] = {
        [CTL_PATH_OPEN - CTL_PATH_OPEN] = do_open,
        [CTL_PATH_STAT - CTL_PATH_OPEN] = do_stat,
        [CTL_PATH_SET_TIMES - CTL_PATH_OPEN] = do_set_times,
        [CTL_PATH_MKDIR - CTL_PATH_OPEN] = do_mkdir,
        [CTL_PATH_RMDIR - CTL_PATH_OPEN] = do_rmdir,
        [CTL_PATH_UNLINK - CTL_PATH_OPEN] = do_unlink,
        [CTL_PATH_RENAME - CTL_PATH_OPEN] = do_rename,
        [CTL_PATH_LINK - CTL_PATH_OPEN] = do_link,
        [CTL_PATH_SYMLINK - CTL_PATH_OPEN] = do_symlink,
        [CTL_PATH_READLINK - CTL_PATH_OPEN] = do_readlink,
        [CTL_DIR_READ - CTL_PATH_OPEN] = do_dir_read,
        [CTL_DIR_SYNC - CTL_PATH_OPEN] = do_dir_sync,
        [CTL_DIR_CLOSE - CTL_PATH_OPEN] = do_dir_close,
    };
    struct request r = { p, request, a, b, reply, reply_data, ret_len, ret_fd };
    size_t i = (size_t)request->type - CTL_PATH_OPEN;
    base_assert(request->type >= CTL_PATH_OPEN && i < base_countof(ops));
    memset(&reply->u, 0, sizeof reply->u);
    *ret_len = 0;
    *ret_fd = -1;
    reply->error = (uint16_t)ops[i](&r);
    if (reply->error)
        *ret_len = 0;
}
