/* Files for compiled code (hosts/linux/code.h), and those that are kept: sealed by a worker,
 * handed to the next ones of the same module. What is in them is nobody's to believe: a worker
 * compares before it uses one. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/linux/code.h"
#include "internal.h"

#if defined(__x86_64__)
enum { COMPILES = 1 };
#else
enum { COMPILES = 0 };
#endif

static struct kept_code *find(struct sup *s, const uint8_t hash[32])
{
    for (size_t i = 0; i < CODE_KEPT_MAX; i++)
        if (s->kept[i].used && memcmp(s->kept[i].hash, hash, sizeof s->kept[i].hash) == 0)
            return &s->kept[i];
    return NULL;
}

/* A free place, or the one that has not been used for the longest time. */
static struct kept_code *make_room(struct sup *s)
{
    struct kept_code *oldest = &s->kept[0];
    for (size_t i = 1; i < CODE_KEPT_MAX; i++)
        if (s->kept[i].used < oldest->used)
            oldest = &s->kept[i];
    if (oldest->used)
        close(oldest->fd);
    oldest->used = 0;
    return oldest;
}

static int make_file(size_t room)
{
    int fd = sup_memfd("code");
    if (fd >= 0 && (ftruncate(fd, (off_t)room) < 0 ||
                    fcntl(fd, F_ADD_SEALS, CODE_SEALS_FIRST) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int code_open(struct sup *s, struct app *a)
{
    struct stat st;
    struct kept_code *k = find(s, a->hash);
    code_close(a);
    if (!COMPILES || s->o->interpret || fstat(a->module_fd, &st) < 0)
        return -1;
    a->threads = code_threads((size_t)st.st_size);
    if (k) {
        k->used = ++s->kept_clock;
        a->code_kept = true;
        return k->fd;
    }
    a->code_fd = make_file(code_room((size_t)st.st_size));
    return a->code_fd;
}

void code_sealed(struct sup *s, struct app *a)
{
    enum { ALL = CODE_SEALS_FIRST | CODE_SEALS_LAST, BLOCK = 512 };
    struct stat st;
    if (a->code_fd < 0)
        return;
    int seals = fcntl(a->code_fd, F_GET_SEALS);
    bool keep = seals >= 0 && (seals & ALL) == ALL && fstat(a->code_fd, &st) == 0 &&
                st.st_blocks > 0 && st.st_blocks <= CODE_KEPT_BYTES / BLOCK && !find(s, a->hash);
    if (!keep) {
        code_close(a);
        return;
    }
    struct kept_code *k = make_room(s);
    memcpy(k->hash, a->hash, sizeof k->hash);
    k->fd = a->code_fd;
    k->used = ++s->kept_clock;
    a->code_fd = -1;
}

void code_close(struct app *a)
{
    if (a->code_fd >= 0)
        close(a->code_fd);
    a->code_fd = -1;
    a->code_kept = false;
    a->threads = 1;
}

void code_close_all(struct sup *s)
{
    for (size_t i = 0; i < CODE_KEPT_MAX; i++) {
        if (s->kept[i].used)
            close(s->kept[i].fd);
        s->kept[i].used = 0;
    }
}
