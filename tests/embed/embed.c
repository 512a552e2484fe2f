#define _GNU_SOURCE
#include "embed/embed.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/err.h"

/* A 32-bit address plus a 32-bit offset plus the widest access stays below this. */
#define RESERVED_BYTES ((UINT64_C(8) << 30) + 65536)

enum { PAGE = 4096, HUGE_FROM = 8 << 20 };

static struct eng_store *watched;
static struct sigaction previous[2]; /* SIGSEGV, SIGBUS */

/* --- the engine's heap ----------------------------------------------------- */

static void *heap_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    struct embed *e = ctx;
    uint64_t change = (uint64_t)new_size - old_size, had = atomic_fetch_add(&e->heap_bytes, change);
    void *p = NULL;
    if (new_size == 0)
        free(old);
    else if (new_size <= old_size || had + change <= e->heap_bytes_max)
        p = realloc(old, new_size);
    if (!p && new_size)
        atomic_fetch_sub(&e->heap_bytes, change);
    return p;
}

/* --- linear memories -------------------------------------------------------- */

static uint8_t *reserve(void)
{
    void *p = mmap(NULL, RESERVED_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static int mem_create(void *ctx, uint64_t size, uint64_t max_bytes, struct eng_mem_block *ret)
{
    struct embed *e = ctx;
    if (size > e->memory_bytes_max - e->memory_bytes)
        return E_NOMEM;
    uint8_t *base = reserve();
    if (!base)
        return E_NOMEM;
    if (size && mprotect(base, size, PROT_READ | PROT_WRITE) < 0) {
        munmap(base, RESERVED_BYTES);
        return E_NOMEM;
    }
    bool guarded = e->kind == EMBED_GUARD;
    *ret = (struct eng_mem_block){ .base = base, .size = size,
                                   .capacity = guarded ? max_bytes : size, .guarded = guarded };
    e->memory_bytes += size;
    return 0;
}

/* Gives the pages of block a new home and leaves a hole that faults at the old one. */
static int move_block(struct eng_mem_block *block)
{
    uint8_t *base = reserve();
    if (!base)
        return E_NOMEM;
    if (block->size && mremap(block->base, block->size, block->size, MREMAP_MAYMOVE | MREMAP_FIXED,
                              base) == MAP_FAILED) {
        munmap(base, RESERVED_BYTES);
        return E_NOMEM;
    }
    munmap(block->base, RESERVED_BYTES);
    block->base = base;
    return 0;
}

static int mem_grow(void *ctx, struct eng_mem_block *block, uint64_t new_size)
{
    struct embed *e = ctx;
    uint64_t more = new_size - block->size;
    if (more > e->memory_bytes_max - e->memory_bytes)
        return E_NOMEM;
    if (!block->guarded && move_block(block) < 0)
        return E_NOMEM;
    if (more && mprotect(block->base + block->size, more, PROT_READ | PROT_WRITE) < 0)
        return E_NOMEM;
    block->size = new_size;
    if (!block->guarded)
        block->capacity = new_size;
    e->memory_bytes += more;
    return 0;
}

static void mem_destroy(void *ctx, struct eng_mem_block *block)
{
    struct embed *e = ctx;
    e->memory_bytes -= block->size;
    munmap(block->base, RESERVED_BYTES);
}

/* --- snapshots: copy-on-write of a memory file ----------------------------------------- *
 *
 * Of guarded memories, which never move; of the others the engine makes copies. */

struct image {
    int fd;
    uint64_t size;
};

static bool is_zero(const uint8_t *p, size_t len)
{
    return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Pages of zeros stay holes of the file. */
static int write_image(int fd, const uint8_t *base, uint64_t size)
{
    if (ftruncate(fd, (off_t)size) < 0)
        return E_NOMEM;
    for (uint64_t at = 0; at < size; at += PAGE)
        if (!is_zero(base + at, PAGE) && pwrite(fd, base + at, PAGE, (off_t)at) != PAGE)
            return E_NOMEM;
    return 0;
}

/* The file's pages in the block's place, each copied when it is written. */
static int map_image(const struct image *image, uint8_t *base)
{
    void *p = image->size ? mmap(base, image->size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, image->fd, 0)
                          : base;
    return p == MAP_FAILED ? E_NOMEM : 0;
}

static void mem_forget(void *ctx, void *p)
{
    struct image *image = p;
    close(image->fd);
    free(image);
}

static int mem_image(void *ctx, struct eng_mem_block *block, void **ret)
{
    struct image *image = malloc(sizeof *image);
    if (!image)
        return E_NOMEM;
    *image = (struct image){ memfd_create("image", MFD_CLOEXEC), block->size };
    if (image->fd < 0 || write_image(image->fd, block->base, block->size) < 0 ||
        map_image(image, block->base) < 0) {
        mem_forget(ctx, image);
        return E_NOMEM;
    }
    *ret = image;
    return 0;
}

static int mem_restore(void *ctx, struct eng_mem_block *block, void *p)
{
    struct embed *e = ctx;
    const struct image *image = p;
    if (image->size > block->size &&
        image->size - block->size > e->memory_bytes_max - e->memory_bytes)
        return E_NOMEM;
    if (map_image(image, block->base) < 0)
        return E_NOMEM;
    if (block->size > image->size &&
        mmap(block->base + image->size, block->size - image->size, PROT_NONE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
        return E_NOMEM; /* as large as it was: nothing lies open beyond its size */
    e->memory_bytes += image->size - block->size;
    block->size = image->size;
    return 0;
}

/* --- compiled code -------------------------------------------------------------- */

static void *code_create(void *ctx, size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_FROM) /* as in the Linux worker */
        madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

static int code_seal(void *ctx, void *p, size_t bytes, size_t used)
{
    size_t kept = (used + PAGE - 1) & ~(size_t)(PAGE - 1);
    if (mprotect(p, used, PROT_READ | PROT_EXEC) < 0)
        return E_NOMEM;
    if (kept < bytes)
        munmap((uint8_t *)p + kept, bytes - kept);
    return 0;
}

static void code_destroy(void *ctx, void *p, size_t bytes)
{
    munmap(p, bytes);
}

static enum eng_tier tier_wanted(void)
{
    const char *tier = getenv("EMBED_TIER");
    return tier && strcmp(tier, "baseline") == 0 ? ENG_TIER_BASELINE : ENG_TIER_INTERP;
}

void embed_init(struct embed *e, enum embed_memory kind)
{
    *e = (struct embed){ .kind = kind, .memory_bytes_max = UINT64_C(4) << 30,
                         .heap_bytes_max = UINT64_C(1) << 30 };
    e->env = (struct eng_env){ .ctx = e, .resize = heap_resize, .memory_create = mem_create,
                               .memory_grow = mem_grow, .memory_destroy = mem_destroy,
                               .memory_image = kind == EMBED_GUARD ? mem_image : NULL,
                               .memory_restore = mem_restore,
                               .memory_forget = mem_forget,
                               .memory_guarded = kind == EMBED_GUARD,
                               .tier = tier_wanted(),
                               .core_2_only = getenv("EMBED_CORE_2") != NULL,
                               .unhardened = getenv("EMBED_UNHARDENED") != NULL,
                               .cpu = getenv("EMBED_CPU_LEAST") ? eng_cpu_least() : eng_cpu(),
                               .code_create = code_create, .code_seal = code_seal,
                               .code_destroy = code_destroy };
    const char *parts = getenv("EMBED_PARTS");
    if (parts)
        embed_use_threads(e, 3, (uint32_t)atoi(parts), true);
}

/* --- faults ------------------------------------------------------------------ */

#ifdef __x86_64__
static void fault(struct eng_store *s, const siginfo_t *info, const void *context)
{
    const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
    eng_fault_at(s, (uintptr_t)info->si_addr, (uintptr_t)regs[REG_RIP], (uintptr_t)regs[REG_RSP]);
}
#else
static void fault(struct eng_store *s, const siginfo_t *info, const void *context)
{
    eng_fault(s, (uintptr_t)info->si_addr);
}
#endif

/* Whoever handled the signal before (a sanitizer) reports a real fault; otherwise the
 * instruction faults again and kills the process. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    if (watched)
        fault(watched, info, context);
    const struct sigaction *old = &previous[number == SIGBUS];
    if (old->sa_flags & SA_SIGINFO)
        old->sa_sigaction(number, info, context);
    else
        signal(number, SIG_DFL);
}

static void install_handler(void)
{
    static _Alignas(16) uint8_t stack[65536];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction act = { .sa_sigaction = on_fault,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sigemptyset(&act.sa_mask);
    if (sigaltstack(&alternate, NULL) < 0 || sigaction(SIGSEGV, &act, &previous[0]) < 0 ||
        sigaction(SIGBUS, &act, &previous[1]) < 0) {
        perror("embed: installing the fault handler");
        exit(1);
    }
}

void embed_watch(struct eng_store *s)
{
    static bool installed;
    if (!installed)
        install_handler();
    installed = true;
    watched = s;
}

/* --- files -------------------------------------------------------------------- */

int embed_read_file(const char *path, uint8_t **ret, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return E_NOENT;
    size_t len = 0, cap = 65536;
    uint8_t *bytes = malloc(cap);
    while (bytes) {
        len += fread(bytes + len, 1, cap - len, f);
        if (len < cap)
            break;
        uint8_t *bigger = realloc(bytes, cap *= 2);
        if (!bigger)
            free(bytes);
        bytes = bigger;
    }
    int err = !bytes ? E_NOMEM : ferror(f) ? E_IO : 0;
    fclose(f);
    if (err) {
        free(bytes);
        return err;
    }
    *ret = bytes;
    *ret_len = len;
    return 0;
}
