/* Memory for compiled code: ordinary memory while the engine writes it, then a mapping of the
 * sealed file CTL_CODE_FD in its place (hosts/linux/code.h). */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"
#include "hosts/linux/worker/env.h"

/* So much room is for a module of 2 MB. Its code is written once, most of it in order, and
 * most page faults of loading it would be for that: fewer and larger pages. */
enum { PAGE = 4096, INT3 = 0xcc, HUGE_FROM = 8 << 20 };

static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static void *code_create(void *ctx, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    void *p = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_FROM) /* where there are no such pages nothing changes */
        madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static int file_write(const uint8_t *p, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t n = pwrite(CTL_CODE_FD, p + at, size - at, (off_t)at);
        if (n <= 0) /* past the file's end or the data limit */
            return E_LIMIT;
        at += (size_t)n;
    }
    return fcntl(CTL_CODE_FD, F_ADD_SEALS, CODE_SEALS_LAST) < 0 ? E_IO : E_OK;
}

/* Did an earlier worker compile the very same? What lies beyond the file's end is not read:
 * its size is the same for all workers of one module. */
static bool file_equals(const uint8_t *p, size_t size)
{
    void *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, CTL_CODE_FD, 0);
    bool equal = file != MAP_FAILED && memcmp(file, p, size) == 0;
    if (file != MAP_FAILED)
        munmap(file, size);
    return equal;
}

static int seal(struct env *e, uint8_t *p, size_t bytes)
{
    size_t size = whole_pages(bytes);
    if (size > e->code_room)
        return E_LIMIT;
    memset(p + bytes, INT3, size - bytes);
    int r = E_OK;
    if (!e->code_kept)
        r = file_write(p, size);
    else if (!file_equals(p, size))
        r = E_DENIED;
    if (r == E_OK && mmap(p, size, CODE_PROT, CODE_FLAGS, CTL_CODE_FD, 0) != p)
        r = E_IO;
    return r;
}

static int code_seal(void *ctx, void *p, size_t bytes, size_t used)
{
    struct env *e = ctx;
    size_t room = whole_pages(bytes), kept = whole_pages(used);
    e->code_error = seal(e, p, used);
    if (e->code_error == E_OK && kept < room)
        munmap((uint8_t *)p + kept, room - kept);
    return e->code_error;
}

static void code_destroy(void *ctx, void *p, size_t bytes)
{
    munmap(p, whole_pages(bytes));
}

void env_compile(struct env *e, size_t room, bool kept, bool unhardened)
{
    e->code_room = room;
    e->code_kept = kept;
    e->engine.tier = ENG_TIER_BASELINE;
    e->engine.unhardened = unhardened;
    e->engine.code_create = code_create;
    e->engine.code_seal = code_seal;
    e->engine.code_destroy = code_destroy;
}
