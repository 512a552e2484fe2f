/* Opening a path that cannot leave a folder: by openat2, or by a walk of our own.
 *
 * The walk holds a descriptor of each directory on its way, so that ".." is the one we
 * came from whatever is renamed meanwhile, and opens each component without following links;
 * a link's text is put in front of what is left of the path. It is slower
 * than openat2 by a system call or two a component, and as tight. */
#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#ifndef SYS_openat2
#define SYS_openat2 437 /* the same on every processor */
#endif

enum {
    TEXT_MAX = 8192, /* what is left of a path with a link's text in front */
    DEPTH_MAX = 128, /* directories that a walk may be deep */
    LINKS_MAX = 40,  /* as the kernel's own bound */
    RETRIES = 64,    /* openat2 gives up when something is renamed on its way */
};

static int by_openat2(int dir, const char *path, int flags, mode_t mode)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .mode = (flags & O_CREAT) ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    for (int i = 0; i < RETRIES; i++) {
        long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            return -errno;
    }
    return -EAGAIN;
}

struct walk {
    int dirs[DEPTH_MAX]; /* [0] is the folder and not ours to close */
    int depth;           /* index of where we stand */
    int links;
    char rest[TEXT_MAX]; /* what is left of the path, NUL-terminated */
};

static int step_down(struct walk *w, const char *name)
{
    if (w->depth + 1 == DEPTH_MAX)
        return -ENAMETOOLONG;
    int fd = openat(w->dirs[w->depth], name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    w->dirs[++w->depth] = fd;
    return 0;
}

static int step_up(struct walk *w)
{
    if (w->depth == 0)
        return -EXDEV;
    close(w->dirs[w->depth--]);
    return 0;
}

/* If name is a symbolic link here, puts its text in front of the rest. 1 when it did, 0 when
 * it is none, or -errno. */
static int splice_link(struct walk *w, const char *name)
{
    char text[TEXT_MAX];
    ssize_t n = readlinkat(w->dirs[w->depth], name, text, sizeof text - 1);
    if (n < 0)
        return errno == EINVAL || errno == ENOENT ? 0 : -errno;
    if (++w->links > LINKS_MAX)
        return -ELOOP;
    if (n == 0)
        return -ENOENT;
    if (text[0] == '/')
        return -EXDEV;
    size_t len = (size_t)n, rest = strlen(w->rest);
    if (len + 1 + rest + 1 > sizeof w->rest)
        return -ENAMETOOLONG;
    memmove(w->rest + len + (rest ? 1 : 0), w->rest, rest + 1);
    memcpy(w->rest, text, len);
    if (rest)
        w->rest[len] = '/';
    return 1;
}

/* Takes the next component off the rest; *last says that nothing follows it, *slash that a
 * slash did. */
static int next_component(struct walk *w, char name[256], bool *last, bool *slash)
{
    size_t len = strcspn(w->rest, "/");
    if (len > 255)
        return -ENAMETOOLONG;
    memcpy(name, w->rest, len);
    name[len] = 0;
    size_t next = len + strspn(w->rest + len, "/");
    *slash = next != len;
    *last = w->rest[next] == 0;
    memmove(w->rest, w->rest + next, strlen(w->rest + next) + 1);
    return 0;
}

static int open_last(struct walk *w, const char *name, int flags, mode_t mode, bool slash)
{
    if (slash && (flags & O_CREAT))
        return -EISDIR;
    if (slash)
        flags |= O_DIRECTORY;
    int fd = openat(w->dirs[w->depth], name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
    return fd < 0 ? -errno : fd;
}

/* One component. 1 and the result in *ret when the path ends here, 0 to go on, -errno. */
static int walk_step(struct walk *w, int flags, mode_t mode, int *ret)
{
    char name[256];
    bool last, slash;
    int r = next_component(w, name, &last, &slash);
    if (r < 0)
        return r;
    if (name[0] == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        r = name[0] == '.' && name[1] == '.' ? step_up(w) : 0;
        if (r < 0 || !last)
            return r;
        *ret = open_last(w, ".", flags & ~O_CREAT, mode, false);
        return 1;
    }
    /* O_NOFOLLOW is about the end of the path, and a slash there means "not the link". */
    bool follow = !last || slash || !(flags & O_NOFOLLOW);
    if (last && (flags & O_CREAT) && (flags & O_EXCL))
        follow = false;
    r = follow ? splice_link(w, name) : 0;
    if (r < 0)
        return r;
    if (r == 1) {
        if (slash && last) /* the slash at the end belongs to the link's target */
            strncat(w->rest, "/", sizeof w->rest - strlen(w->rest) - 1);
        return 0;
    }
    if (!last)
        return step_down(w, name);
    *ret = open_last(w, name, flags, mode, slash);
    return 1;
}

static int by_walk(int dir, const char *path, int flags, mode_t mode)
{
    struct walk w = { .dirs = { dir } };
    int r, fd = -EIO;
    if (strlen(path) >= sizeof w.rest)
        return -ENAMETOOLONG;
    if (path[0] == '/')
        return -EXDEV;
    strcpy(w.rest, path);
    do {
        r = walk_step(&w, flags, mode, &fd);
    } while (r == 0);
    while (w.depth > 0)
        step_up(&w);
    return r < 0 ? r : fd;
}

int beneath_open(int dir, const char *path, int flags, mode_t mode, bool *no_openat2)
{
    base_assert(path[0]);
    if (!*no_openat2) {
        int fd = by_openat2(dir, path, flags, mode);
        if (fd != -ENOSYS)
            return fd;
        *no_openat2 = true;
    }
    return by_walk(dir, path, flags, mode);
}
