/* What the specification's suite does not ask: traps with their places, fuel,
 * interruption, calls in both directions, refusals, memory that runs out. */
#include "base/err.h"
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"
#include "unit/engine_modules.h"

struct fixture {
    struct embed embed;
    struct eng_store *store;
    struct eng_module *module;
    struct eng_instance *inst;
    struct eng_func *host;
    struct eng_func *calls; /* what the host function calls back */
    struct eng_trap trap;
    struct eng_error err;
};

/* 7 exits, 8 fails, 9 interrupts; anything else is doubled, or given to fx->calls. */
static enum eng_trap_code host(struct eng_call *call, union eng_value *args)
{
    struct fixture *fx = call->ctx;
    uint32_t n = args[0].i32;
    if (n == 7) {
        call->trap->exit_code = 42;
        return ENG_TRAP_EXIT;
    }
    if (n == 8) {
        call->trap->host_error = E_IO;
        return ENG_TRAP_HOST;
    }
    if (n == 9)
        eng_interrupt(call->store);
    if (fx->calls) {
        struct eng_trap trap;
        union eng_value in = { .i32 = n }, out;
        if (eng_call(fx->calls, &in, &out, &trap))
            return trap.code;
        args[0].bits = out.bits;
        return ENG_TRAP_NONE;
    }
    args[0].i32 = n * 2;
    return ENG_TRAP_NONE;
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct fixture *fx = ctx;
    if (!span_eq_cstr(import->module, "host"))
        return E_NOENT;
    *ret = (struct eng_extern){ .kind = ENG_EXTERN_FUNC, .of.func = fx->host };
    return 0;
}

static int open_store(struct fixture *fx, const struct eng_store_options *options)
{
    static const uint8_t i32 = ENG_I32;
    const struct eng_functype type = { &i32, &i32, 1, 1 };
    int err = eng_store_create(&fx->embed.env, options, &fx->store);
    if (err)
        return err;
    embed_watch(fx->store);
    err = eng_hostfunc_create(fx->store, &type, host, fx, &fx->host);
    const struct eng_resolver resolver = { fx, resolve };
    return err ? err : eng_instance_create(fx->store, fx->module, &resolver, &fx->inst, &fx->err,
                                           &fx->trap);
}

static void open_with(struct fixture *fx, struct span module, enum embed_memory kind)
{
    memset(fx, 0, sizeof *fx);
    embed_init(&fx->embed, kind);
    CHECK_INT(eng_module_load(&fx->embed.env, module, &fx->module, &fx->err), 0);
    CHECK_INT(open_store(fx, NULL), 0);
}

static void open_fixture(struct fixture *fx, enum embed_memory kind)
{
    open_with(fx, span_of(main_wasm, sizeof main_wasm), kind);
}

static void close_fixture(struct fixture *fx)
{
    embed_watch(NULL);
    eng_store_destroy(fx->store);
    eng_module_free(fx->module);
    CHECK_INT(fx->embed.heap_bytes, 0);
    CHECK_INT(fx->embed.memory_bytes, 0);
}

static struct eng_func *export(struct fixture *fx, const char *name)
{
    struct eng_extern x = { 0 };
    CHECK_INT(eng_instance_export(fx->inst, span_of_cstr(name), &x), 0);
    return x.of.func;
}

/* The result of an export from i32 to i32, or -1 with fx->trap. */
static long long call1(struct fixture *fx, const char *name, uint32_t arg)
{
    union eng_value in = { .bits = arg }, out[2];
    return eng_call(export(fx, name), &in, out, &fx->trap) ? -1 : (long long)out[0].i32;
}

static void check_frame(const struct fixture *fx, uint32_t i, uint32_t func, uint32_t offset,
                        const char *name)
{
    CHECK_INT(fx->trap.frames[i].func_index, func);
    CHECK_INT(fx->trap.frames[i].offset, offset);
    CHECK(span_eq_cstr(fx->trap.frames[i].name, name));
}

TEST(backtrace)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    CHECK_INT(call1(&fx, "outer", 5), 21);
    CHECK_INT(call1(&fx, "outer", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_INT_DIV_BY_ZERO);
    CHECK_STR(eng_trap_message(fx.trap.code), "integer divide by zero");
    CHECK_INT(fx.trap.depth, 3);
    check_frame(&fx, 0, 1, 0xcd, "div");
    check_frame(&fx, 1, 3, 0xdb, "middle");
    check_frame(&fx, 2, 4, 0xe2, "outer");
    close_fixture(&fx);
}

static void memory_bounds(enum embed_memory kind)
{
    struct fixture fx;
    open_fixture(&fx, kind);
    CHECK_INT(call1(&fx, "load", 65528), 0);
    const uint32_t beyond[] = { 65529, 65536, 0x7fffffff, UINT32_MAX };
    for (size_t i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        CHECK_INT(call1(&fx, "load", beyond[i]), -1);
        CHECK_INT(fx.trap.code, ENG_TRAP_MEMORY_BOUNDS);
        check_frame(&fx, 0, 5, 0xec, "load");
    }
    CHECK_INT(call1(&fx, "grow", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_MEMORY_BOUNDS);
    CHECK_INT(call1(&fx, "grow", 1), 8); /* 1 page, and 7 from beyond the old end */
    CHECK_INT(call1(&fx, "load", 65536), 0);
    CHECK_INT(eng_memory_size(eng_instance_memory(fx.inst)), 2 * 65536);
    CHECK(!eng_memory_at(eng_instance_memory(fx.inst), 2 * 65536 - 1, 2));
    CHECK(eng_memory_at(eng_instance_memory(fx.inst), 2 * 65536, 0) != NULL);
    close_fixture(&fx);
}

TEST(memory_checked) { memory_bounds(EMBED_CHECK); }
TEST(memory_guarded) { memory_bounds(EMBED_GUARD); }

TEST(memory_without_the_promised_guard)
{
    struct fixture fx = { 0 };
    embed_init(&fx.embed, EMBED_CHECK);
    fx.embed.env.memory_guarded = true;
    CHECK_INT(eng_module_load(&fx.embed.env, span_of(main_wasm, sizeof main_wasm), &fx.module,
                              &fx.err),
              0);
    CHECK_INT(open_store(&fx, NULL), ENG_SMALL ? 0 : E_INVAL); /* which checks, promise or not */
    close_fixture(&fx);
}

TEST(fuel)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    eng_set_fuel(fx.store, 5000);
    CHECK_INT(call1(&fx, "count", 4001), 4001); /* jumps back 4,000 times */
    CHECK_INT(eng_fuel(fx.store), 1000);
    CHECK_INT(call1(&fx, "count", 1001), 1001);
    CHECK_INT(eng_fuel(fx.store), 0);
    CHECK_INT(call1(&fx, "count", 2), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_OUT_OF_FUEL);
    eng_set_fuel(fx.store, 500);
    CHECK_INT(call1(&fx, "spin", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_OUT_OF_FUEL);
    CHECK_INT(eng_fuel(fx.store), 0);
    CHECK_INT(call1(&fx, "spin", 0), -1); /* there is none for those who do not ask either */
    CHECK_INT(fx.trap.code, ENG_TRAP_OUT_OF_FUEL);
    eng_set_fuel(fx.store, 500);
    CHECK_INT(call1(&fx, "deep", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_OUT_OF_FUEL);
    CHECK_INT(eng_fuel(fx.store), 0);
    eng_set_fuel(fx.store, UINT64_MAX);
    CHECK_INT(call1(&fx, "count", 100000), 100000);
    CHECK(eng_fuel(fx.store) == UINT64_MAX);
    close_fixture(&fx);
}

static uint32_t refuels;

static uint64_t refuel(void *ctx) { return ++refuels > 10 ? 0 : 500; }

/* Whoever gives fuel piece by piece sees every piece used up. */
TEST(refuel)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    fx.embed.env.refuel = refuel;
    refuels = 0;
    eng_set_fuel(fx.store, 100);
    CHECK_INT(call1(&fx, "count", 1001), 1001);
    CHECK_INT(refuels, 2); /* 100, then 500 each */
    CHECK_INT(eng_fuel(fx.store), 100);
    CHECK_INT(call1(&fx, "spin", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_OUT_OF_FUEL);
    CHECK_INT(refuels, 11);
    close_fixture(&fx);
}

TEST(interrupt)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    eng_interrupt(fx.store);
    CHECK_INT(call1(&fx, "spin", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_INTERRUPTED);
    CHECK_INT(call1(&fx, "count", 3), 3); /* delivered once */
    fx.calls = export(&fx, "spin");
    CHECK_INT(call1(&fx, "host", 9), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_INTERRUPTED);
    close_fixture(&fx);
}

/* A fill looks for an interruption itself, since nothing of it is counted. Without fuel it is
 * the first to see one that the host function made. */
TEST(interrupt_in_a_long_fill)
{
    struct fixture fx;
    open_with(&fx, span_of(fill_wasm, sizeof fill_wasm), EMBED_CHECK);
    eng_set_fuel(fx.store, 1);
    CHECK_INT(call1(&fx, "f", 9), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_INTERRUPTED);
    eng_set_fuel(fx.store, UINT64_MAX);
    CHECK_INT(call1(&fx, "f", 1), 5); /* delivered once */
    close_fixture(&fx);
}

TEST(stack_exhausted)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(call1(&fx, "deep", 0), -1);
        CHECK_INT(fx.trap.code, ENG_TRAP_STACK_EXHAUSTED);
        CHECK(fx.trap.depth > 10000);
        CHECK_INT(fx.trap.frame_count, ENG_BACKTRACE_MAX);
        check_frame(&fx, ENG_BACKTRACE_MAX - 1, 8, 0x115, "deep");
    }
    eng_store_destroy(fx.store);
    const struct eng_store_options small = { .stack_bytes = 4096 };
    CHECK_INT(open_store(&fx, &small), 0);
    CHECK_INT(call1(&fx, "deep", 0), -1);
    CHECK(fx.trap.depth > 50 && fx.trap.depth < 512);
    close_fixture(&fx);
}

TEST(indirect_calls)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    CHECK_INT(call1(&fx, "indirect", 0), 42);
    static const struct {
        uint32_t index;
        enum eng_trap_code code;
    } cases[] = { { 1, ENG_TRAP_INDIRECT_TYPE },
                  { 2, ENG_TRAP_UNINITIALIZED_ELEMENT },
                  { 4, ENG_TRAP_UNDEFINED_ELEMENT } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK_INT(call1(&fx, "indirect", cases[i].index), -1);
        CHECK_INT(fx.trap.code, cases[i].code);
        check_frame(&fx, 0, 9, 0x121, "indirect");
    }
    close_fixture(&fx);
}

TEST(host_functions)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    CHECK_INT(call1(&fx, "host", 20), 41);
    CHECK_INT(call1(&fx, "host", 7), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_EXIT);
    CHECK_INT(fx.trap.exit_code, 42);
    CHECK_INT(call1(&fx, "host", 8), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_HOST);
    CHECK_INT(fx.trap.host_error, E_IO);
    fx.calls = export(&fx, "outer"); /* guest, host, guest */
    CHECK_INT(call1(&fx, "host", 5), 22);
    CHECK_INT(call1(&fx, "host", 0), -1);
    CHECK_INT(fx.trap.code, ENG_TRAP_INT_DIV_BY_ZERO);
    union eng_value arg = { .i32 = 6 }, out;
    fx.calls = NULL;
    CHECK_INT(eng_call(fx.host, &arg, &out, &fx.trap), 0);
    CHECK_INT(out.i32, 12);
    close_fixture(&fx);
}

/* Guest, host, guest and so on: the guest's stack would have room for thousands of turns, the
 * host's not. */
TEST(calls_back_without_end)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    for (int i = 0; i < 2; i++) {
        fx.calls = export(&fx, "host");
        CHECK_INT(call1(&fx, "host", 1), -1);
        CHECK_INT(fx.trap.code, ENG_TRAP_STACK_EXHAUSTED);
        CHECK_INT(fx.trap.depth, 1);
        fx.calls = fx.host;
        union eng_value arg = { .i32 = 6 }, out;
        CHECK_INT(eng_call(fx.host, &arg, &out, &fx.trap), 1);
        CHECK_INT(fx.trap.code, ENG_TRAP_STACK_EXHAUSTED);
        fx.calls = NULL;
        CHECK_INT(call1(&fx, "host", 20), 41);
    }
    close_fixture(&fx);
}

TEST(values)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    CHECK_INT(call1(&fx, "old", 3), 24);
    union eng_value in[2] = { { .f64 = 1e308 }, { .f64 = -10 } }, out[2];
    CHECK_INT(eng_call(export(&fx, "float"), in, out, &fx.trap), 0);
    CHECK(out[0].bits == 0xfff0000000000000u);
    in[0].bits = 0x7ff4000000000001u; /* a signalling NaN with a payload becomes the canonical */
    CHECK_INT(eng_call(export(&fx, "float"), in, out, &fx.trap), 0);
    CHECK(out[0].bits == 0x7ff8000000000000u);
    in[0].bits = 0xffffffff00000007u; /* of an i32 the low half counts */
    in[1].bits = 0x123456789abcdef0u;
    CHECK_INT(eng_call(export(&fx, "swap"), in, out, &fx.trap), 0);
    CHECK(out[0].bits == 0x123456789abcdef0u && out[1].bits == 7);
    close_fixture(&fx);
}

/* 128 instances of one module do not see one another. */
TEST(many_instances)
{
    struct fixture fx;
    struct eng_module *m;
    struct eng_instance *inst[128];
    open_fixture(&fx, EMBED_CHECK);
    CHECK_INT(eng_module_load(&fx.embed.env, span_of(callee_wasm, sizeof callee_wasm), &m, &fx.err),
              0);
    for (uint32_t i = 0; i < 128; i++)
        CHECK_INT(eng_instance_create(fx.store, m, NULL, &inst[i], &fx.err, &fx.trap), 0);
    for (uint32_t i = 0; i < 128; i++) {
        struct eng_extern x;
        union eng_value in = { .i32 = i + 1 }, out;
        CHECK_INT(eng_instance_export(inst[i], SPAN_LIT("f"), &x), 0);
        CHECK_INT(eng_call(x.of.func, &in, &out, &fx.trap), 0);
        CHECK_INT(out.i32, i + 6);
    }
    uint32_t *first = eng_memory_at(eng_instance_memory(inst[0]), 0, 4);
    CHECK(first && *first == 1);
    embed_watch(NULL);
    eng_store_destroy(fx.store);
    fx.store = NULL;
    eng_module_free(m);
    close_fixture(&fx);
}

/* A module of one function with this body (no locals declared), type [] -> []. */
static int load_body(const uint8_t *body, size_t len, struct eng_error *err)
{
    static const uint8_t head[] = { 0, 'a', 's', 'm', 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0 };
    uint8_t bytes[128];
    struct embed e;
    struct eng_module *m;
    embed_init(&e, EMBED_CHECK);
    memcpy(bytes, head, sizeof head);
    size_t n = sizeof head;
    bytes[n++] = 10;
    bytes[n++] = (uint8_t)(len + 2);
    bytes[n++] = 1;
    bytes[n++] = (uint8_t)len;
    memcpy(bytes + n, body, len);
    int ret = eng_module_load(&e.env, span_of(bytes, n + len), &m, err);
    if (ret == 0)
        eng_module_free(m);
    CHECK_INT(e.heap_bytes, 0);
    return ret;
}

TEST(refusals)
{
    struct eng_error err;
    static const uint8_t simd[] = { 0, 0xfd, 0x00, 0, 0, 0x0b };
    static const uint8_t relaxed[] = { 0, 0xfd, 0x80, 0x02, 0x0b };
    static const uint8_t lane[] = { 0, 0xfd, 0xff, 0x01, 0x0b };
    CHECK_INT(load_body(relaxed, sizeof relaxed, &err), E_UNSUPPORTED);
    CHECK_STR(err.message, "relaxed SIMD instruction not supported");
    CHECK_INT(err.offset, 23);
    CHECK_INT(load_body(simd, sizeof simd, &err), ENG_SIMD ? E_INVAL : E_UNSUPPORTED);
    CHECK_STR(err.message,
              ENG_SIMD ? "unknown memory 0" : "SIMD instruction v128.load not supported");
    CHECK_INT(load_body(lane, sizeof lane, &err), ENG_SIMD ? E_INVAL : E_UNSUPPORTED);
    CHECK_STR(err.message, ENG_SIMD ? "type mismatch"
                                    : "SIMD instruction f64x2.convert_low_i32x4_u not supported");
    static const uint8_t unknown[] = { 0, 0x27, 0, 0x0b };
    CHECK_INT(load_body(unknown, sizeof unknown, &err), E_MALFORMED);
    CHECK_STR(err.message, "illegal opcode");
    static const uint8_t mismatch[] = { 0, 0x41, 0, 0x0b };
    CHECK_INT(load_body(mismatch, sizeof mismatch, &err), E_INVAL);
    static const uint8_t locals[] = { 1, 0xd1, 0x86, 0x03, 0x7f, 0x0b };
    CHECK_INT(load_body(locals, sizeof locals, &err), E_LIMIT);
    static const uint8_t fits[] = { 1, 0xd0, 0x86, 0x03, 0x7f, 0x0b };
    CHECK_INT(load_body(fits, sizeof fits, &err), ENG_SMALL ? E_LIMIT : 0);
}

/* Loads, instantiates and calls with the n-th allocation failing, for each n until
 * none fails: an error every time, and everything given back. */
static unsigned allocations_left;
static void *(*real_resize)(void *, void *, size_t, size_t);

static void *failing_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    if (new_size && allocations_left-- == 0) {
        allocations_left = 0;
        return NULL;
    }
    return real_resize(ctx, old, old_size, new_size);
}

TEST(out_of_memory)
{
    unsigned n = 0;
    bool done = false;
    for (; !done && n < 1000; n++) {
        struct fixture fx = { 0 };
        embed_init(&fx.embed, EMBED_CHECK);
        real_resize = fx.embed.env.resize;
        fx.embed.env.resize = failing_resize;
        allocations_left = n;
        int err = eng_module_load(&fx.embed.env, span_of(main_wasm, sizeof main_wasm), &fx.module,
                                  &fx.err);
        if (err == 0)
            err = open_store(&fx, NULL);
        done = err == 0;
        CHECK(done || err == E_NOMEM);
        close_fixture(&fx);
    }
    CHECK(done && n > 5);
    printf("# %u allocations from bytes to an instance\n", n - 1);
}

static void *no_code(void *ctx, size_t bytes)
{
    return NULL;
}

static int no_seal(void *ctx, void *p, size_t bytes, size_t used)
{
    return E_LIMIT;
}

/* Then the module is interpreted. */
TEST(no_memory_for_code)
{
    for (int i = 0; i < 2; i++) {
        struct fixture fx = { 0 };
        struct eng_module_size size;
        embed_init(&fx.embed, EMBED_CHECK);
        fx.embed.env.tier = ENG_TIER_BASELINE;
        if (i == 0)
            fx.embed.env.code_create = no_code;
        else
            fx.embed.env.code_seal = no_seal;
        CHECK_INT(eng_module_load(&fx.embed.env, span_of(main_wasm, sizeof main_wasm), &fx.module,
                                  &fx.err), 0);
        CHECK_INT(open_store(&fx, NULL), 0);
        eng_module_size(fx.module, &size);
        CHECK(size.native == 0 && size.code != 0);
        CHECK_INT(call1(&fx, "outer", 5), 21);
        close_fixture(&fx);
    }
}

TEST_MAIN(RUN(backtrace) RUN(memory_checked) RUN(memory_guarded)
              RUN(memory_without_the_promised_guard) RUN(fuel) RUN(refuel) RUN(interrupt)
                  RUN(interrupt_in_a_long_fill) RUN(stack_exhausted) RUN(indirect_calls)
                      RUN(host_functions) RUN(calls_back_without_end) RUN(values)
                          RUN(many_instances) RUN(refusals) RUN(out_of_memory)
                              RUN(no_memory_for_code))
