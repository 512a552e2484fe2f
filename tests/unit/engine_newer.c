/* What came to the engine after 2.0's scalar part, where the specification's suite does not
 * look: exceptions that are collected and that pass through the host, tail calls between
 * instances, vectors on their way to the host and back. */
#include "base/err.h"
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"

/* (module
 *   (type $none (func (param i32)))
 *   (type $f (func (param i32) (result i32)))
 *   (import "host" "f" (func $host (type $f)))
 *   (tag $t (type $none))
 *   (global $last (mut exnref) (ref.null exn))
 *   (func (export "collect") (type $f)            ;; throws and forgets this many
 *     (loop
 *       (block $h (result i32 exnref)
 *         (try_table (catch_ref $t $h) (throw $t (local.get 0)))
 *         unreachable)
 *       drop drop
 *       (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
 *     (i32.const 7))
 *   (func (export "thrower") (type $f) (throw $t (local.get 0)))
 *   (func (export "through") (type $f)
 *     (block $h (result i32)
 *       (return (try_table (result i32) (catch $t $h) (call $host (local.get 0)))))
 *     (i32.add (i32.const 100)))
 *   (func (export "keep") (type $f)               ;; keeps each of them until the next
 *     (loop ... (global.set $last) drop ...)      ;; as in collect
 *     (block $h (result i32 exnref)
 *       (try_table (catch_ref $t $h) (throw_ref (global.get $last)))
 *       unreachable)
 *     drop)) */
static const uint8_t exceptions_wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x0f, 0x03, 0x60, 0x01, 0x7f,
    0x00, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x02, 0x7f, 0x69, 0x02, 0x0a, 0x01,
    0x04, 0x68, 0x6f, 0x73, 0x74, 0x01, 0x66, 0x00, 0x01, 0x03, 0x05, 0x04, 0x01, 0x01,
    0x01, 0x01, 0x0d, 0x03, 0x01, 0x00, 0x00, 0x06, 0x06, 0x01, 0x69, 0x01, 0xd0, 0x69,
    0x0b, 0x07, 0x26, 0x04, 0x07, 0x63, 0x6f, 0x6c, 0x6c, 0x65, 0x63, 0x74, 0x00, 0x01,
    0x07, 0x74, 0x68, 0x72, 0x6f, 0x77, 0x65, 0x72, 0x00, 0x02, 0x07, 0x74, 0x68, 0x72,
    0x6f, 0x75, 0x67, 0x68, 0x00, 0x03, 0x04, 0x6b, 0x65, 0x65, 0x70, 0x00, 0x04, 0x0a,
    0x70, 0x04, 0x21, 0x00, 0x03, 0x40, 0x02, 0x02, 0x1f, 0x40, 0x01, 0x01, 0x00, 0x00,
    0x20, 0x00, 0x08, 0x00, 0x0b, 0x00, 0x0b, 0x1a, 0x1a, 0x20, 0x00, 0x41, 0x01, 0x6b,
    0x22, 0x00, 0x0d, 0x00, 0x0b, 0x41, 0x07, 0x0b, 0x06, 0x00, 0x20, 0x00, 0x08, 0x00,
    0x0b, 0x15, 0x00, 0x02, 0x7f, 0x1f, 0x7f, 0x01, 0x00, 0x00, 0x00, 0x20, 0x00, 0x10,
    0x00, 0x0b, 0x0f, 0x0b, 0x41, 0xe4, 0x00, 0x6a, 0x0b, 0x2f, 0x00, 0x03, 0x40, 0x02,
    0x02, 0x1f, 0x40, 0x01, 0x01, 0x00, 0x00, 0x20, 0x00, 0x08, 0x00, 0x0b, 0x00, 0x0b,
    0x24, 0x00, 0x1a, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x22, 0x00, 0x0d, 0x00, 0x0b, 0x02,
    0x02, 0x1f, 0x40, 0x01, 0x01, 0x00, 0x00, 0x23, 0x00, 0x0a, 0x0b, 0x00, 0x0b, 0x1a,
    0x0b,
};

/* (module
 *   (import "host" "t" (table 2 funcref))
 *   (elem (i32.const ME) $f)
 *   (func $f (export "f") (param i32) (result i32)
 *     (if (i32.eqz (local.get 0)) (then (return (i32.const 42))))
 *     (return_call_indirect (param i32) (result i32)
 *       (i32.sub (local.get 0) (i32.const 1)) (i32.const 1 - ME)))) */
static const uint8_t tail0_wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7f,
    0x01, 0x7f, 0x02, 0x0c, 0x01, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x01, 0x74, 0x01, 0x70,
    0x00, 0x02, 0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, 0x09,
    0x07, 0x01, 0x00, 0x41, 0x00, 0x0b, 0x01, 0x00, 0x0a, 0x17, 0x01, 0x15, 0x00, 0x20,
    0x00, 0x45, 0x04, 0x40, 0x41, 0x2a, 0x0f, 0x0b, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x41,
    0x01, 0x13, 0x00, 0x00, 0x0b,
};
static const uint8_t tail1_wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x06, 0x01, 0x60, 0x01, 0x7f,
    0x01, 0x7f, 0x02, 0x0c, 0x01, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x01, 0x74, 0x01, 0x70,
    0x00, 0x02, 0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00, 0x09,
    0x07, 0x01, 0x00, 0x41, 0x01, 0x0b, 0x01, 0x00, 0x0a, 0x17, 0x01, 0x15, 0x00, 0x20,
    0x00, 0x45, 0x04, 0x40, 0x41, 0x2a, 0x0f, 0x0b, 0x20, 0x00, 0x41, 0x01, 0x6b, 0x41,
    0x00, 0x13, 0x00, 0x00, 0x0b,
};

/* (module
 *   (import "host" "v" (func $v (param v128 i32) (result i32 v128)))
 *   (func (export "f") (param v128 i32) (result i32 v128)
 *     (call $v (local.get 0) (local.get 1)))) */
static const uint8_t vector_wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x01, 0x60, 0x02, 0x7b,
    0x7f, 0x02, 0x7f, 0x7b, 0x02, 0x0a, 0x01, 0x04, 0x68, 0x6f, 0x73, 0x74, 0x01, 0x76,
    0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x01, 0x0a,
    0x0a, 0x01, 0x08, 0x00, 0x20, 0x00, 0x20, 0x01, 0x10, 0x00, 0x0b,
};

enum { MODULES_MAX = 2 };

struct fixture {
    struct embed embed;
    struct eng_store *store;
    struct eng_module *modules[MODULES_MAX];
    unsigned module_count;
    struct eng_func *host, *vector;
    struct eng_table *table;
    struct eng_func *calls; /* what the host calls back */
    struct eng_trap trap;
};

static enum eng_trap_code host(struct eng_call *call, union eng_value *args)
{
    struct fixture *fx = call->ctx;
    struct eng_trap trap;
    union eng_value in = args[0];
    return eng_call(fx->calls, &in, args, &trap) ? trap.code : ENG_TRAP_NONE;
}

/* v128 and i32 to the i32 plus one and the v128 with its halves exchanged. */
static enum eng_trap_code vector(struct eng_call *call, union eng_value *args)
{
    union eng_value low = args[0], high = args[1], number = args[2];
    args[0].i32 = number.i32 + 1;
    args[1] = high;
    args[2] = low;
    return ENG_TRAP_NONE;
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct fixture *fx = ctx;
    ret->kind = import->type.kind;
    if (import->type.kind == ENG_EXTERN_TABLE)
        ret->of.table = fx->table;
    else
        ret->of.func = span_eq_cstr(import->name, "v") ? fx->vector : fx->host;
    return 0;
}

static void open_fixture(struct fixture *fx, enum embed_memory memory)
{
    static const uint8_t f[] = { ENG_I32 }, v[] = { ENG_V128, ENG_I32, ENG_V128 };
    const struct eng_functype type = { f, f, 1, 1 }, wide = { v, v + 1, 2, 2 };
    memset(fx, 0, sizeof *fx);
    embed_init(&fx->embed, memory);
    CHECK_INT(eng_store_create(&fx->embed.env, NULL, &fx->store), 0);
    embed_watch(fx->store);
    CHECK_INT(eng_hostfunc_create(fx->store, &type, host, fx, &fx->host), 0);
    CHECK_INT(eng_hostfunc_create(fx->store, &wide, vector, fx, &fx->vector), 0);
    CHECK_INT(eng_table_create(fx->store, ENG_FUNCREF, (struct eng_limits){ 2, 2, true },
                               &fx->table), 0);
}

static struct eng_instance *open_module(struct fixture *fx, const uint8_t *bytes, size_t len)
{
    struct eng_instance *inst = NULL;
    struct eng_error err;
    const struct eng_resolver resolver = { fx, resolve };
    struct eng_module **m = &fx->modules[fx->module_count++];
    CHECK_INT(eng_module_load(&fx->embed.env, span_of(bytes, len), m, &err), 0);
    CHECK_INT(eng_instance_create(fx->store, *m, &resolver, &inst, &err, &fx->trap), 0);
    return inst;
}

static void close_fixture(struct fixture *fx)
{
    embed_watch(NULL);
    eng_store_destroy(fx->store);
    for (unsigned i = 0; i < fx->module_count; i++)
        eng_module_free(fx->modules[i]);
    CHECK_INT(fx->embed.heap_bytes, 0);
}

static struct eng_func *find(struct eng_instance *inst, const char *name)
{
    struct eng_extern x = { 0 };
    CHECK_INT(eng_instance_export(inst, span_of_cstr(name), &x), 0);
    return x.of.func;
}

/* The result, or minus the trap's code. */
static int call(struct fixture *fx, struct eng_func *f, uint32_t n)
{
    union eng_value in = { .i32 = n }, out;
    return eng_call(f, &in, &out, &fx->trap) ? -(int)fx->trap.code : (int)out.i32;
}

TEST(exceptions_are_collected)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_GUARD);
    struct eng_instance *inst = open_module(&fx, exceptions_wasm, sizeof exceptions_wasm);
    uint64_t before = fx.embed.heap_bytes;
    CHECK_INT(call(&fx, find(inst, "collect"), 20000), 7);
    CHECK(fx.embed.heap_bytes - before < 300000);
    CHECK_INT(call(&fx, find(inst, "keep"), 20000), 1);
    CHECK(fx.embed.heap_bytes - before < 300000);
    close_fixture(&fx);
}

TEST(exceptions_pass_through_the_host)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    struct eng_instance *inst = open_module(&fx, exceptions_wasm, sizeof exceptions_wasm);
    fx.calls = find(inst, "thrower");
    CHECK_INT(call(&fx, find(inst, "through"), 5), 105);
    CHECK_INT(call(&fx, find(inst, "thrower"), 5), -ENG_TRAP_EXCEPTION);
    CHECK_STR(eng_trap_message(fx.trap.code), "unhandled exception");
    CHECK_INT(fx.trap.depth, 1);
    CHECK_INT(fx.trap.frames[0].func_index, 2);
    fx.calls = find(inst, "collect");
    CHECK_INT(call(&fx, find(inst, "through"), 5), 7);
    close_fixture(&fx);
}

/* A million calls in a stack of one megabyte: the frames of both replace one another. */
TEST(tail_calls_between_instances)
{
    struct fixture fx;
    open_fixture(&fx, EMBED_CHECK);
    struct eng_instance *a = open_module(&fx, tail0_wasm, sizeof tail0_wasm);
    open_module(&fx, tail1_wasm, sizeof tail1_wasm);
    CHECK_INT(call(&fx, find(a, "f"), 1000000), 42);
    CHECK_INT(call(&fx, find(a, "f"), 1000001), 42);
    close_fixture(&fx);
}

TEST(vectors_to_the_host_and_back)
{
    struct fixture fx;
    if (!ENG_SIMD)
        return;
    open_fixture(&fx, EMBED_GUARD);
    struct eng_instance *inst = open_module(&fx, vector_wasm, sizeof vector_wasm);
    union eng_value in[3] = { { .bits = 11 }, { .bits = 22 }, { .bits = 0xffffffff00000007u } };
    union eng_value out[3];
    CHECK_INT(eng_call(find(inst, "f"), in, out, &fx.trap), 0);
    CHECK_INT(out[0].bits, 8);
    CHECK_INT(out[1].bits, 22);
    CHECK_INT(out[2].bits, 11);
    close_fixture(&fx);
}

/* What a clause catches is more than the operands that there ever were, and then come more than either. */
TEST(clauses_that_catch_much)
{
    enum { CAUGHT = 100, PUSHED = 120 }; /* sizes below in LEB128 go with these */
    /* (type (func (param i32 ...))) (type (func (param i32) (result i32))) (type (func (result i32 ...)))
     * (tag $t (type 0)) (func (export "f") (type 1)
     *   (block (type 2) (try_table (catch $t 0) i32.const 1 ... drop ...) (return (i32.const 7)))
     *   drop ... (i32.const 9)) */
    uint8_t bytes[1024], *p = bytes;
    struct fixture fx;
#define PUT(...) (memcpy(p, (const uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ })),     \
                  p += sizeof((uint8_t[]){ __VA_ARGS__ }))
#define PUT_MANY(byte, n) (memset(p, byte, n), p += (n))
    PUT(0, 'a', 's', 'm', 1, 0, 0, 0, 1, 0xd4, 1, 3, 0x60, CAUGHT);
    PUT_MANY(0x7f, CAUGHT);
    PUT(0, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 0, CAUGHT);
    PUT_MANY(0x7f, CAUGHT);
    PUT(3, 2, 1, 1, 13, 3, 1, 0, 0, 7, 5, 1, 1, 'f', 0, 0);
    PUT(10, 0xe0, 3, 1, 0xdd, 3, 0, 2, 2, 0x1f, 0x40, 1, 0, 0, 0);
    for (int i = 0; i < PUSHED; i++)
        PUT(0x41, 1);
    PUT_MANY(0x1a, PUSHED);
    PUT(0x0b, 0x41, 7, 0x0f, 0x0b);
    PUT_MANY(0x1a, CAUGHT);
    PUT(0x41, 9, 0x0b);
#undef PUT
#undef PUT_MANY
    open_fixture(&fx, EMBED_GUARD);
    struct eng_instance *inst = open_module(&fx, bytes, (size_t)(p - bytes));
    CHECK_INT(call(&fx, find(inst, "f"), 5), 7);
    close_fixture(&fx);
}

TEST_MAIN(RUN(clauses_that_catch_much) RUN(exceptions_are_collected) RUN(exceptions_pass_through_the_host)
              RUN(tail_calls_between_instances) RUN(vectors_to_the_host_and_back))
