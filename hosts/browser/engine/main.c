/* An app in our own engine, where the browser's is not wanted, lacks what the app needs or has no memory
 * left: the engine, WASI and the host of hosts/browser/app in one module. It is the app's worker that
 * ends when the app is killed, so nothing here watches the time. The module is linked to lie anywhere
 * (room.mk): all of its memory, this file's `own` included, is one place of an address space in which
 * other apps may have theirs. */
#include <string.h>

#include "../app/internal.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "engine/engine.h"
#include "hosts/browser/heap.h"
#include "wasi/link.h"

enum { EXIT_TRAP = 134, EXIT_STOPPED = 143, EXIT_REFUSED = 126 }; /* as `vyoma run` has them */

/* The place is going to be used up to there. 0, or below: it cannot. */
JS(reach) int32_t js_reach(void *to);
/* A slice of its work is done: waits for as long as its part of a processor wants. */
JS(rest) void js_rest(void);

enum { SLICE = 16384 }; /* loop heads and calls: about a millisecond, or less */

static struct {
    struct heap heap;
    uint8_t *module; /* what was hashed; belongs to us, and is freed when it is loaded */
    size_t module_len;
    struct wasi_link link;
    struct eng_import missing;
    bool has_missing;
    struct eng_trap trap;
    struct wasi_host streams; /* the host that takes one buffer at a time */
} own;

/* --- memory, for the engine --------------------------------------------------------------- */

static bool reach(void *ctx, uint8_t *to) { return js_reach(to) >= 0; }

static void *resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    return heap_resize(&own.heap, old, old_size, new_size);
}

static int memory_create(void *ctx, uint64_t size, uint64_t max, struct eng_mem_block *ret)
{
    uint8_t *base = size < SIZE_MAX ? heap_memory_create(&own.heap, (size_t)size) : NULL;
    if (!base)
        return E_NOMEM;
    *ret = (struct eng_mem_block){ .base = base, .size = size, .capacity = size };
    return 0;
}

static int memory_grow(void *ctx, struct eng_mem_block *block, uint64_t size)
{
    uint8_t *base = NULL;
    if (size < SIZE_MAX)
        base = heap_memory_grow(&own.heap, block->base, (size_t)block->size, (size_t)size);
    if (!base)
        return E_NOMEM;
    *block = (struct eng_mem_block){ .base = base, .size = size, .capacity = size };
    return 0;
}

static uint64_t refuel(void *ctx)
{
    js_rest();
    return SLICE;
}

static void memory_destroy(void *ctx, struct eng_mem_block *block)
{
    heap_memory_destroy(&own.heap, block->base, (size_t)block->size);
}

/* --- buffers ------------------------------------------------------------------------------ */

/* The host moves the bytes of a list as one piece, as they lie in its window. Here they lie where
 * the app has them: it gets the first piece that is not empty, which every caller must expect. */
static size_t first(const struct wasi_iov **iov, size_t n)
{
    while (n && !(*iov)->len) {
        (*iov)++;
        n--;
    }
    return n ? 1 : 0;
}

static enum wasi_errno own_read(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n, size_t *ret)
{
    n = first(&iov, n);
    return own.streams.read(ctx, h, iov, n, ret);
}

static enum wasi_errno own_write(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 size_t *ret)
{
    n = first(&iov, n);
    return own.streams.write(ctx, h, iov, n, ret);
}

static enum wasi_errno own_pread(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 uint64_t at, size_t *ret)
{
    n = first(&iov, n);
    return own.streams.pread(ctx, h, iov, n, at, ret);
}

static enum wasi_errno own_pwrite(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                  uint64_t at, size_t *ret)
{
    n = first(&iov, n);
    return own.streams.pwrite(ctx, h, iov, n, at, ret);
}

static enum wasi_errno own_recv(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                uint16_t riflags, size_t *ret, uint16_t *ret_roflags)
{
    n = first(&iov, n);
    return own.streams.recv(ctx, h, iov, n, riflags, ret, ret_roflags);
}

static enum wasi_errno own_send(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                size_t *ret)
{
    n = first(&iov, n);
    return own.streams.send(ctx, h, iov, n, ret);
}

static void take_pieces(struct wasi_host *host)
{
    own.streams = *host;
    host->read = own_read;
    host->write = own_write;
    host->pread = own_pread;
    host->pwrite = own_pwrite;
    host->recv = own_recv;
    host->send = own_send;
}

/* --- last words --------------------------------------------------------------------------- */

static int32_t refuse_text(const char *text)
{
    set_numbers(0, 0, 0);
    (void)ask(WIRE_REFUSED, span_of_cstr(text), SPAN_NONE);
    return EXIT_REFUSED;
}

/* In the words of the supervisor on Linux. */
static int32_t refuse(const struct eng_error *err)
{
    char text[256];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text);
    if (err->offset) {
        strbuf_cstr(&b, "the module, at byte ");
        strbuf_u64(&b, err->offset);
        strbuf_cstr(&b, ": ");
    }
    strbuf_cstr(&b, err->message[0] ? err->message : base_err_name(err->code));
    set_numbers(0, 0, 0);
    (void)ask(WIRE_REFUSED, strbuf_done(&b), SPAN_NONE);
    return EXIT_REFUSED;
}

static int32_t report_trap(const struct eng_trap *trap)
{
    static char text[8192];
    struct strbuf b;
    if (trap->code == ENG_TRAP_EXIT)
        return trap->exit_code > 255 ? 255 : (int32_t)trap->exit_code;
    if (trap->code == ENG_TRAP_INTERRUPTED)
        return EXIT_STOPPED;
    strbuf_init(&b, text, sizeof text);
    eng_trap_write(trap, &b);
    set_numbers((int32_t)trap->code, 0, 0);
    (void)ask(WIRE_TRAP, span_of_cstr(eng_trap_message(trap->code)), strbuf_done(&b));
    return EXIT_TRAP;
}

/* --- running ------------------------------------------------------------------------------ */

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    int r = wasi_resolve(ctx, import, ret);
    if (r == E_NOENT && !own.has_missing) {
        own.has_missing = true;
        own.missing = *import;
    }
    return r;
}

static int32_t run(const struct eng_env *env, struct eng_module *m, uint32_t pages, bool rests)
{
    struct eng_store_options options = { .memory_pages_max = pages };
    struct eng_resolver resolver = { &own.link, resolve };
    struct eng_store *store;
    struct eng_instance *inst;
    struct eng_extern start;
    struct eng_functype type;
    struct eng_error err = { .code = E_NOMEM };
    if (eng_store_create(env, &options, &store) < 0)
        return refuse_text("no memory for the guest's stack");
    if (rests)
        eng_set_fuel(store, SLICE);
    wasi_link_init(&own.link, &app.wasi, store, app.caps);
    int r = eng_instance_create(store, m, &resolver, &inst, &err, &own.trap);
    if (r > 0)
        return report_trap(&own.trap);
    if (r < 0 && own.has_missing) {
        refuse_import(own.missing.module, own.missing.name);
        return EXIT_REFUSED;
    }
    if (r == E_NOMEM)
        return refuse_text("the module wants more memory than there is in its place");
    if (r < 0)
        return refuse(&err);
    if (eng_instance_export(inst, SPAN_LIT("_start"), &start) < 0 || start.kind != ENG_EXTERN_FUNC)
        return refuse_text("the module exports no function _start");
    eng_func_type(start.of.func, &type);
    if (type.param_count || type.result_count)
        return refuse_text("_start takes or returns values");
    return eng_call(start.of.func, NULL, NULL, &own.trap) ? report_trap(&own.trap) : 0;
}

/* --- what JavaScript calls, after start() ---------------------------------------------------- */

/* What of the place is free: all that the engine and the guest will ever have. */
EXPORT(own_heap) void do_own_heap(uint8_t *begin, uint8_t *end)
{
    heap_init(&own.heap, begin, end, reach, NULL);
}

/* Room for the module's bytes; 0: there is none. */
EXPORT(own_room) void *do_own_room(size_t len)
{
    own.module_len = len;
    own.module = heap_resize(&own.heap, NULL, 0, len ? len : 1);
    return own.module;
}

/* Runs the module to its end: the exit code. pages: the most memory that it may have.
 * rests: it asks for leave to go on after each slice. */
EXPORT(own_run) int32_t do_own_run(uint32_t pages, uint32_t rests)
{
    static const struct eng_env env = { .resize = resize, .memory_create = memory_create,
                                        .memory_grow = memory_grow,
                                        .memory_destroy = memory_destroy, .refuel = refuel };
    struct eng_module *m;
    struct eng_error err;
    if (eng_module_load(&env, span_of(own.module, own.module_len), &m, &err) < 0)
        return refuse(&err);
    heap_resize(&own.heap, own.module, own.module_len ? own.module_len : 1, 0);
    take_pieces(&app.host);
    return run(&env, m, pages, rests != 0);
}
