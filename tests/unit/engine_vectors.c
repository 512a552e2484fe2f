/* Vectors in both tiers, and compiled for the oldest CPU that will do: what the specification's
 * suite leaves out. */
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"

/*
 * (module
 *   (global $g (mut v128) (v128.const i32x4 1 2 3 4))
 *   (func (export "payload") (param f32) (result i64)
 *     (i64x2.extract_lane 0
 *       (f32x4.replace_lane 0 (v128.const i32x4 0 0xffc12345 0 0)
 *         (f32.add (local.get 0) (local.get 0)))))
 *   (func $last (param v128 v128 v128 v128 v128 v128 v128 v128 v128 v128) (result v128 i32 v128)
 *     (i8x16.sub (local.get 0) (local.get 9))
 *     (i32x4.extract_lane 2 (i32x4.sub (local.get 8) (local.get 1)))
 *     (i64x2.add (i64x2.mul (local.get 2) (local.get 7)) (i64x2.sub (local.get 3) (local.get 5))))
 *   (func $turn (param v128 v128 v128 v128 v128 v128 v128 v128 v128 v128) (result v128 i32 v128)
 *     (global.set $g (local.get 4))
 *     (call $last (local.get 1) (local.get 0) (local.get 3) (local.get 4) (local.get 2)
 *       (local.get 6) (local.get 5) (local.get 9) (local.get 7) (local.get 8)))
 *   (func (export "calls") (param i32) (result i64) (local $a v128) (local $n i32) (local $b v128)
 *     (local.set $a (i32x4.splat (local.get 0)))
 *     (call $turn (local.get $a) (i32x4.splat (i32.const 1)) (i32x4.splat (i32.const 2))
 *       (i32x4.splat (i32.const 3)) (v128.const i32x4 40 41 42 43) (i32x4.splat (i32.const 5))
 *       (i64x2.splat (i64.const 6)) (i32x4.splat (i32.const 7)) (i32x4.splat (i32.const 8))
 *       (local.get $a))
 *     (local.set $b) (local.set $n) (local.set $a)
 *     (i64.add (i64.add (i64x2.extract_lane 1 (local.get $a)) (i64.extend_i32_s (local.get $n)))
 *       (i64.add (i64x2.extract_lane 0 (local.get $b)) (i64x2.extract_lane 1 (global.get $g)))))) */
static const uint8_t wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x1b, 0x03, 0x60, 0x01, 0x7d, 0x01,
    0x7e, 0x60, 0x0a, 0x7b, 0x7b, 0x7b, 0x7b, 0x7b, 0x7b, 0x7b, 0x7b, 0x7b, 0x7b, 0x03, 0x7b,
    0x7f, 0x7b, 0x60, 0x01, 0x7f, 0x01, 0x7e, 0x03, 0x05, 0x04, 0x00, 0x01, 0x01, 0x02, 0x06,
    0x16, 0x01, 0x7b, 0x01, 0xfd, 0x0c, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x03,
    0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x0b, 0x07, 0x13, 0x02, 0x07, 0x70, 0x61, 0x79,
    0x6c, 0x6f, 0x61, 0x64, 0x00, 0x00, 0x05, 0x63, 0x61, 0x6c, 0x6c, 0x73, 0x00, 0x03, 0x0a,
    0xc0, 0x01, 0x04, 0x1f, 0x00, 0xfd, 0x0c, 0x00, 0x00, 0x00, 0x00, 0x45, 0x23, 0xc1, 0xff,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x20, 0x00, 0x20, 0x00, 0x92, 0xfd, 0x20,
    0x00, 0xfd, 0x1d, 0x00, 0x0b, 0x23, 0x00, 0x20, 0x00, 0x20, 0x09, 0xfd, 0x71, 0x20, 0x08,
    0x20, 0x01, 0xfd, 0xb1, 0x01, 0xfd, 0x1b, 0x02, 0x20, 0x02, 0x20, 0x07, 0xfd, 0xd5, 0x01,
    0x20, 0x03, 0x20, 0x05, 0xfd, 0xd1, 0x01, 0xfd, 0xce, 0x01, 0x0b, 0x1c, 0x00, 0x20, 0x04,
    0x24, 0x00, 0x20, 0x01, 0x20, 0x00, 0x20, 0x03, 0x20, 0x04, 0x20, 0x02, 0x20, 0x06, 0x20,
    0x05, 0x20, 0x09, 0x20, 0x07, 0x20, 0x08, 0x10, 0x01, 0x0b, 0x5d, 0x03, 0x01, 0x7b, 0x01,
    0x7f, 0x01, 0x7b, 0x20, 0x00, 0xfd, 0x11, 0x21, 0x01, 0x20, 0x01, 0x41, 0x01, 0xfd, 0x11,
    0x41, 0x02, 0xfd, 0x11, 0x41, 0x03, 0xfd, 0x11, 0xfd, 0x0c, 0x28, 0x00, 0x00, 0x00, 0x29,
    0x00, 0x00, 0x00, 0x2a, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x41, 0x05, 0xfd, 0x11,
    0x42, 0x06, 0xfd, 0x12, 0x41, 0x07, 0xfd, 0x11, 0x41, 0x08, 0xfd, 0x11, 0x20, 0x01, 0x10,
    0x02, 0x21, 0x03, 0x21, 0x02, 0x21, 0x01, 0x20, 0x01, 0xfd, 0x1d, 0x01, 0x20, 0x02, 0xac,
    0x7c, 0x20, 0x03, 0xfd, 0x1d, 0x00, 0x23, 0x00, 0xfd, 0x1d, 0x01, 0x7c, 0x7c, 0x0b,
};

struct fixture {
    struct embed embed;
    struct eng_store *store;
    struct eng_module *module;
    struct eng_instance *inst;
};

enum way { INTERPRETED, COMPILED, COMPILED_FOR_LEAST, WAYS };

static void open_fixture(struct fixture *fx, enum way way)
{
    struct eng_error err;
    struct eng_trap trap;
    struct eng_module_size size;
    embed_init(&fx->embed, EMBED_CHECK);
    fx->embed.env.tier = way == INTERPRETED ? ENG_TIER_INTERP : ENG_TIER_BASELINE;
    fx->embed.env.cpu = way == COMPILED_FOR_LEAST ? eng_cpu_least() : eng_cpu();
    CHECK_INT(eng_store_create(&fx->embed.env, NULL, &fx->store), 0);
    embed_watch(fx->store);
    CHECK_INT(eng_module_load(&fx->embed.env, span_of(wasm, sizeof wasm), &fx->module, &err), 0);
    eng_module_size(fx->module, &size);
#ifdef __x86_64__
    CHECK((size.native > 0) == (way != INTERPRETED));
#endif
    CHECK_INT(eng_instance_create(fx->store, fx->module, NULL, &fx->inst, &err, &trap), 0);
}

static void close_fixture(struct fixture *fx)
{
    embed_watch(NULL);
    eng_store_destroy(fx->store);
    eng_module_free(fx->module);
    CHECK_INT(fx->embed.heap_bytes, 0);
}

static uint64_t call(struct fixture *fx, const char *name, uint64_t arg)
{
    struct eng_extern x = { 0 };
    struct eng_trap trap;
    union eng_value in = { .bits = arg }, out = { .bits = 0 };
    CHECK_INT(eng_instance_export(fx->inst, span_of_cstr(name), &x), 0);
    CHECK_INT(eng_call(x.of.func, &in, &out, &trap), 0);
    return out.bits;
}

/* A lane that arithmetic made beside a NaN that it did not make, whose payload stays. */
TEST(a_payload_beside_a_computed_lane)
{
    struct fixture fx;
    for (enum way way = 0; ENG_SIMD && way < WAYS; way++) {
        open_fixture(&fx, way);
        CHECK(call(&fx, "payload", 0x3fc00000) == 0xffc1234540400000);
        CHECK(call(&fx, "payload", 0xffc00007) == 0xffc123457fc00000);
        close_fixture(&fx);
    }
}

/* More arguments than registers, in circles, and several results. */
TEST(arguments_change_places)
{
    struct fixture fx;
    for (enum way way = 0; ENG_SIMD && way < WAYS; way++) {
        open_fixture(&fx, way);
        CHECK(call(&fx, "calls", 9) == 0x1830000015e);
        close_fixture(&fx);
    }
}

TEST_MAIN(RUN(a_payload_beside_a_computed_lane) RUN(arguments_change_places))
