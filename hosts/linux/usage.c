#define _GNU_SOURCE
#include "usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    FRESH_MS = 500,     /* a count serves for this long */
    DEPTH_MAX = 32,     /* what lies deeper counts as over the bound, as does a */
    ENTRIES_MAX = 20000, /* tree of more entries: counting must not take for ever */
};

void usage_init(struct usage *u, uint64_t max)
{
    *u = (struct usage){ .max = max };
}

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static DIR *open_dir(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (fd >= 0 && !d)
        close(fd);
    return d;
}

/* Adds up the entry that d is at. The directory to go down into, or NULL. */
static DIR *count_entry(DIR *d, const struct dirent *entry, uint64_t *total)
{
    struct stat st;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
        return NULL;
    if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return NULL;
    *total += (uint64_t)st.st_blocks * 512;
    return S_ISDIR(st.st_mode) ? open_dir(dirfd(d), entry->d_name) : NULL;
}

static uint64_t count(int dir)
{
    DIR *stack[DEPTH_MAX];
    int depth = 0, entries = 0;
    uint64_t total = 0;
    stack[0] = open_dir(dir, ".");
    if (!stack[0])
        return UINT64_MAX;
    while (depth >= 0) {
        const struct dirent *entry = readdir(stack[depth]);
        if (!entry) {
            closedir(stack[depth--]);
            continue;
        }
        DIR *below = count_entry(stack[depth], entry, &total);
        if (++entries > ENTRIES_MAX || (below && depth + 1 == DEPTH_MAX)) {
            total = UINT64_MAX;
            if (below)
                closedir(below);
            break;
        }
        if (below)
            stack[++depth] = below;
    }
    while (depth >= 0)
        closedir(stack[depth--]);
    return total;
}

bool usage_has_room(struct usage *u, int dir)
{
    if (u->max == 0)
        return true;
    uint64_t now = now_ms();
    if (u->counted_ms == 0 || now - u->counted_ms > FRESH_MS) {
        u->used = count(dir);
        u->counted_ms = now ? now : 1;
    }
    return u->used < u->max;
}
