/* Memory for the engine and its guest.
 *
 * The heap: blocks below LARGE come from one range, bump by bump; a freed one goes to a list
 * of its size class and serves the next request of that class. The last block can grow in
 * place, which is what loading a module does all the time. Blocks from LARGE on are
 * mappings of their own, which the kernel can move without copying and which leave
 * nothing behind: what the engine needs only while it loads is not kept by an idle app.
 * The engine tells the old size whenever it frees, so no block has a header. */
#define _GNU_SOURCE
#include "hosts/linux/worker/env.h"

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/err.h"
#include "hosts/linux/worker/helpers.h"

#define RESERVED ((uint64_t)8 << 30) /* reach of a 32-bit address plus a 32-bit offset */

enum {
    HEAP_BYTES = 256 * 1024 * 1024,
    HEAP_STEP = 256 * 1024,
    LARGE = 16 * 1024,
    SIGNAL_STACK = 32 * 1024, /* the kernel's frame with AVX-512 state is 3 KB, on some more */
    GUARD = 64 * 1024,
};

/* --- the heap --------------------------------------------------------------------- */

/* The size that a block of at least `size` bytes gets: four steps between a power of two
 * and the next, so that a freed block fits every later request of its class exactly. */
static size_t rounded(size_t size)
{
    size_t step = 16;
    if (size >= LARGE)
        return (size + 4095) & ~(size_t)4095;
    while (size > step * 8)
        step *= 2;
    return (size + step - 1) & ~(step - 1);
}

/* The list that keeps freed blocks of this (rounded) size. */
static unsigned class_of(size_t size)
{
    unsigned c = 0;
    size_t step = 16;
    for (; size > step * 8; step *= 2)
        c += 4;
    return c + (unsigned)(size / step) - 1;
}

static void *map_large(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Moves the end of what is used; false when the range or the limit is used up. */
static bool extend(struct env *e, size_t new_used)
{
    if (new_used > HEAP_BYTES)
        return false;
    if (new_used > e->heap_writable) {
        size_t to = (new_used + HEAP_STEP - 1) / HEAP_STEP * HEAP_STEP;
        if (mprotect(e->heap + e->heap_writable, to - e->heap_writable, PROT_READ | PROT_WRITE) < 0)
            return false;
        e->heap_writable = to;
    }
    e->heap_used = new_used;
    return true;
}

static void *small_alloc(struct env *e, size_t size)
{
    struct env_free_block **list = &e->free[class_of(size)], *b = *list;
    size_t at = e->heap_used;
    if (b) {
        *list = b->next;
        return b;
    }
    return extend(e, at + size) ? e->heap + at : NULL;
}

static void small_free(struct env *e, void *p, size_t size)
{
    struct env_free_block *b = p;
    if ((uint8_t *)p + size == e->heap + e->heap_used) {
        e->heap_used -= size;
        return;
    }
    b->next = e->free[class_of(size)];
    e->free[class_of(size)] = b;
}

static void *block_alloc(struct env *e, size_t size)
{
    return size >= LARGE ? map_large(size) : small_alloc(e, size);
}

static void block_free(struct env *e, void *p, size_t size)
{
    if (size >= LARGE)
        munmap(p, size);
    else if (size)
        small_free(e, p, size);
}

static void *resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    struct env *e = ctx;
    if (new_size > SIZE_MAX / 2)
        return NULL;
    size_t from = old ? rounded(old_size) : 0, to = new_size ? rounded(new_size) : 0;
    if (old && to && from == to)
        return old;
    if (!to) {
        if (old)
            block_free(e, old, from);
        return NULL;
    }
    if (old && from >= LARGE && to >= LARGE) {
        void *p = mremap(old, from, to, MREMAP_MAYMOVE);
        return p == MAP_FAILED ? NULL : p;
    }
    bool is_last = old && from < LARGE && to < LARGE &&
                   (uint8_t *)old + from == e->heap + e->heap_used;
    if (is_last)
        return extend(e, e->heap_used - from + to) ? old : NULL;
    void *p = block_alloc(e, to);
    if (p && old) {
        memcpy(p, old, old_size < new_size ? old_size : new_size);
        block_free(e, old, from);
    }
    return p;
}

/* The same for several threads. The heap is never held for long: blocks in it are small. */
static void *resize_shared(void *ctx, void *old, size_t old_size, size_t new_size)
{
    struct env *e = ctx;
    if ((!old || old_size >= LARGE) && (!new_size || new_size >= LARGE))
        return resize(ctx, old, old_size, new_size); /* mappings, which are the kernel's to order */
    while (atomic_exchange(&e->locked, true))
        sched_yield();
    void *p = resize(ctx, old, old_size, new_size);
    atomic_store(&e->locked, false);
    return p;
}

static void run_jobs(void *ctx, uint32_t count, eng_job job, void *arg)
{
    helpers_run(count, job, arg);
}

void env_share(struct env *e, unsigned helpers)
{
    e->engine.resize = helpers ? resize_shared : resize;
    e->engine.run_jobs = helpers ? run_jobs : NULL;
    e->engine.threads = helpers + 1;
}

/* --- linear memories --------------------------------------------------------------- */

static int memory_create(void *ctx, uint64_t size, uint64_t max_bytes, struct eng_mem_block *ret)
{
    uint8_t *base = mmap(NULL, RESERVED + GUARD, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return E_NOMEM;
    if (size && mprotect(base, size, PROT_READ | PROT_WRITE) < 0) {
        munmap(base, RESERVED + GUARD);
        return E_NOMEM;
    }
    *ret = (struct eng_mem_block){ .base = base,
                                   .size = size,
                                   .capacity = max_bytes,
                                   .guarded = true };
    return E_OK;
}

static int memory_grow(void *ctx, struct eng_mem_block *block, uint64_t new_size)
{
    base_assert(new_size >= block->size && new_size <= (uint64_t)4 << 30);
    if (mprotect(block->base + block->size, new_size - block->size, PROT_READ | PROT_WRITE) < 0)
        return E_NOMEM;
    block->size = new_size;
    return E_OK;
}

static void memory_destroy(void *ctx, struct eng_mem_block *block)
{
    munmap(block->base, RESERVED + GUARD);
}

int env_init(struct env *e)
{
    memset(e, 0, sizeof *e);
    e->heap = mmap(NULL, HEAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                   0);
    if (e->heap == MAP_FAILED)
        return E_NOMEM;
    e->engine = (struct eng_env){ .ctx = e,
                                  .resize = resize,
                                  .memory_create = memory_create,
                                  .memory_grow = memory_grow,
                                  .memory_destroy = memory_destroy,
                                  .memory_guarded = true };
    return E_OK;
}

/* --- faults ------------------------------------------------------------------------- */

static struct eng_store *watched;

#ifdef __x86_64__
static void guest_fault(uintptr_t address, const ucontext_t *at)
{
    const greg_t *regs = at->uc_mcontext.gregs;
    eng_fault_at(watched, address, (uintptr_t)regs[REG_RIP], (uintptr_t)regs[REG_RSP]);
}
#else
static void guest_fault(uintptr_t address, const ucontext_t *at)
{
    eng_fault(watched, address);
}
#endif

static void on_fault(int sig, siginfo_t *info, void *context)
{
    if (watched)
        guest_fault((uintptr_t)info->si_addr, context);
    /* Not the guest's: the system call filter does not let us change handlers, and going
     * back would fault for ever. */
    __builtin_trap();
}

int env_catch_faults(void)
{
    static uint8_t stack[SIGNAL_STACK];
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction act = { .sa_sigaction = on_fault,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    sigemptyset(&act.sa_mask);
    if (sigaltstack(&alternate, NULL) < 0 || sigaction(SIGSEGV, &act, NULL) < 0 ||
        sigaction(SIGBUS, &act, NULL) < 0)
        return E_IO;
    return E_OK;
}

void env_watch(struct eng_store *s)
{
    watched = s;
}
