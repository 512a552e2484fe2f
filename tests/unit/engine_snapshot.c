/* Snapshots: an instance comes back to what it was, memory, table, global and segments, as often as
 * wanted and from whatever it became. */
#include <string.h>

#include "base/err.h"
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"

/* (module
 *   (memory (export "m") 1 4)
 *   (table $t (export "t") 2 8 funcref)
 *   (global $g (export "g") (mut i64) (i64.const 7))
 *   (data $d "\01\02\03\04")
 *   (elem $e func $size)
 *   (func $start
 *     (i32.store (i32.const 100) (i32.add (i32.load (i32.const 100)) (i32.const 1)))
 *     (global.set $g (i64.add (global.get $g) (i64.const 1))))
 *   (start $start)
 *   (func (export "set") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
 *   (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
 *   (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
 *   (func $size (export "size") (result i32) memory.size)
 *   (func (export "change")
 *     (global.set $g (i64.const -1))
 *     (table.set $t (i32.const 1) (ref.func $size))
 *     (drop (table.grow $t (ref.func $size) (i32.const 3)))
 *     (memory.init $d (i32.const 0) (i32.const 0) (i32.const 4))
 *     (data.drop $d)
 *     (elem.drop $e))
 *   (func (export "segments")
 *     (memory.init $d (i32.const 8) (i32.const 0) (i32.const 4))
 *     (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1)))) */
static const uint8_t wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x12, 0x04, 0x60, 0x00, 0x00, 0x60, 0x02,
    0x7f, 0x7f, 0x00, 0x60, 0x01, 0x7f, 0x01, 0x7f, 0x60, 0x00, 0x01, 0x7f, 0x03, 0x08, 0x07, 0x00,
    0x01, 0x02, 0x02, 0x03, 0x00, 0x00, 0x04, 0x05, 0x01, 0x70, 0x01, 0x02, 0x08, 0x05, 0x04, 0x01,
    0x01, 0x01, 0x04, 0x06, 0x06, 0x01, 0x7e, 0x01, 0x42, 0x07, 0x0b, 0x07, 0x3b, 0x09, 0x01, 0x6d,
    0x02, 0x00, 0x01, 0x74, 0x01, 0x00, 0x01, 0x67, 0x03, 0x00, 0x03, 0x73, 0x65, 0x74, 0x00, 0x01,
    0x03, 0x67, 0x65, 0x74, 0x00, 0x02, 0x04, 0x67, 0x72, 0x6f, 0x77, 0x00, 0x03, 0x04, 0x73, 0x69,
    0x7a, 0x65, 0x00, 0x04, 0x06, 0x63, 0x68, 0x61, 0x6e, 0x67, 0x65, 0x00, 0x05, 0x08, 0x73, 0x65,
    0x67, 0x6d, 0x65, 0x6e, 0x74, 0x73, 0x00, 0x06, 0x08, 0x01, 0x00, 0x09, 0x05, 0x01, 0x01, 0x00,
    0x01, 0x04, 0x0c, 0x01, 0x01, 0x0a, 0x74, 0x07, 0x18, 0x00, 0x41, 0xe4, 0x00, 0x41, 0xe4, 0x00,
    0x28, 0x02, 0x00, 0x41, 0x01, 0x6a, 0x36, 0x02, 0x00, 0x23, 0x00, 0x42, 0x01, 0x7c, 0x24, 0x00,
    0x0b, 0x09, 0x00, 0x20, 0x00, 0x20, 0x01, 0x36, 0x02, 0x00, 0x0b, 0x07, 0x00, 0x20, 0x00, 0x28,
    0x02, 0x00, 0x0b, 0x06, 0x00, 0x20, 0x00, 0x40, 0x00, 0x0b, 0x04, 0x00, 0x3f, 0x00, 0x0b, 0x24,
    0x00, 0x42, 0x7f, 0x24, 0x00, 0x41, 0x01, 0xd2, 0x04, 0x26, 0x00, 0xd2, 0x04, 0x41, 0x03, 0xfc,
    0x0f, 0x00, 0x1a, 0x41, 0x00, 0x41, 0x00, 0x41, 0x04, 0xfc, 0x08, 0x00, 0x00, 0xfc, 0x09, 0x00,
    0xfc, 0x0d, 0x00, 0x0b, 0x16, 0x00, 0x41, 0x08, 0x41, 0x00, 0x41, 0x04, 0xfc, 0x08, 0x00, 0x00,
    0x41, 0x00, 0x41, 0x00, 0x41, 0x01, 0xfc, 0x0c, 0x00, 0x00, 0x0b, 0x0b, 0x07, 0x01, 0x01, 0x04,
    0x01, 0x02, 0x03, 0x04,
};

struct place {
    struct embed e;
    struct eng_module *module;
    struct eng_store *store;
    struct eng_instance *inst;
};

static struct eng_extern export_of(struct place *p, const char *name)
{
    struct eng_extern x = { 0 };
    CHECK_INT(eng_instance_export(p->inst, span_of_cstr(name), &x), 0);
    return x;
}

/* Up to two arguments, one result or none; a trap gives its negative code. */
static int64_t call(struct place *p, const char *name, uint32_t a, uint32_t b)
{
    union eng_value args[2] = { { .i32 = a }, { .i32 = b } }, result = { 0 };
    struct eng_trap trap;
    embed_watch(p->store);
    int trapped = eng_call(export_of(p, name).of.func, args, &result, &trap);
    embed_watch(NULL);
    return trapped ? -(int64_t)trap.code : (int64_t)result.i32;
}

static int64_t global(struct place *p)
{
    union eng_value v;
    eng_global_get(export_of(p, "g").of.global, &v);
    return (int64_t)v.i64;
}

static bool is_null(struct place *p, uint32_t i)
{
    union eng_value v = { 0 };
    CHECK_INT(eng_table_get(export_of(p, "t").of.table, i, &v), 0);
    return v.ref == NULL;
}

static void begin(struct place *p, enum embed_memory kind)
{
    struct eng_error err;
    struct eng_trap trap;
    embed_init(&p->e, kind);
    CHECK_INT(eng_module_load(&p->e.env, span_of(wasm, sizeof wasm), &p->module, &err), 0);
    CHECK_INT(eng_store_create(&p->e.env, NULL, &p->store), 0);
    CHECK_INT(eng_instance_create(p->store, p->module, NULL, &p->inst, &err, &trap), 0);
}

static void end(struct place *p)
{
    eng_store_destroy(p->store);
    eng_module_free(p->module);
    CHECK_INT(p->e.heap_bytes, 0);
    CHECK_INT(p->e.memory_bytes, 0);
}

/* As it is right after instantiation. */
static void check_fresh(struct place *p)
{
    CHECK_INT(call(p, "get", 100, 0), 1);
    CHECK_INT(call(p, "get", 0, 0), 0);
    CHECK_INT(call(p, "get", 65532, 0), 0);
    CHECK_INT(call(p, "size", 0, 0), 1);
    CHECK_INT(call(p, "get", 65536, 0), -ENG_TRAP_MEMORY_BOUNDS);
    CHECK_INT(global(p), 8);
    CHECK_INT(eng_table_size(export_of(p, "t").of.table), 2);
    CHECK(is_null(p, 0) && is_null(p, 1));
}

static void spoil(struct place *p)
{
    call(p, "set", 100, 99);
    call(p, "set", 65532, 5);
    CHECK_INT(call(p, "change", 0, 0), 0);
    CHECK_INT(call(p, "grow", 2, 0), 1);
    call(p, "set", 65536, 6);
    CHECK_INT(call(p, "get", 65536, 0), 6);
    CHECK_INT(call(p, "get", 0, 0), 0x04030201);
    CHECK_INT(call(p, "segments", 0, 0), -ENG_TRAP_MEMORY_BOUNDS);
    CHECK_INT(global(p), -1);
    CHECK_INT(eng_table_size(export_of(p, "t").of.table), 5);
    CHECK(!is_null(p, 1) && !is_null(p, 4));
}

static void back_to_the_start(enum embed_memory kind)
{
    struct place p;
    struct eng_snapshot *s = NULL;
    begin(&p, kind);
    check_fresh(&p);
    CHECK_INT(eng_snapshot_create(p.inst, &s), 0);
    check_fresh(&p);
    for (int i = 0; i < 3; i++) {
        spoil(&p);
        CHECK_INT(eng_snapshot_restore(s), 0);
        check_fresh(&p);
    }
    CHECK_INT(call(&p, "segments", 0, 0), 0); /* they are there again */
    CHECK_INT(call(&p, "get", 8, 0), 0x04030201);
    /* What grows after that is zero, not what was there. */
    CHECK_INT(eng_snapshot_restore(s), 0);
    CHECK_INT(call(&p, "grow", 3, 0), 1);
    CHECK_INT(call(&p, "get", 65536, 0), 0);
    eng_snapshot_destroy(s);
    CHECK_INT(call(&p, "size", 0, 0), 4);
    end(&p);
}

TEST(an_instance_comes_back_to_its_start_guarded)
{
    back_to_the_start(EMBED_GUARD);
}

TEST(an_instance_comes_back_to_its_start_checked)
{
    back_to_the_start(EMBED_CHECK);
}

static void several(enum embed_memory kind)
{
    struct place p;
    struct eng_snapshot *fresh, *spoilt;
    begin(&p, kind);
    CHECK_INT(eng_snapshot_create(p.inst, &fresh), 0);
    spoil(&p);
    CHECK_INT(eng_snapshot_create(p.inst, &spoilt), 0);
    CHECK_INT(eng_snapshot_restore(fresh), 0);
    check_fresh(&p);
    CHECK_INT(eng_snapshot_restore(spoilt), 0); /* larger again */
    CHECK_INT(call(&p, "size", 0, 0), 3);
    CHECK_INT(call(&p, "get", 65536, 0), 6);
    CHECK_INT(call(&p, "get", 100, 0), 99);
    CHECK_INT(global(&p), -1);
    CHECK(!is_null(&p, 4));
    eng_snapshot_destroy(spoilt);
    CHECK_INT(eng_snapshot_restore(fresh), 0);
    check_fresh(&p);
    eng_snapshot_destroy(fresh);
    eng_snapshot_destroy(NULL);
    end(&p);
}

TEST(several_snapshots_in_any_order)
{
    several(EMBED_GUARD);
    several(EMBED_CHECK);
}

/* Every allocation fails once: an error, nothing changed, nothing left behind. */
TEST(out_of_memory)
{
    struct place p;
    struct eng_snapshot *s = NULL;
    begin(&p, EMBED_CHECK);
    uint64_t used = p.e.heap_bytes;
    int failures = 0;
    for (uint64_t more = 0; more < 200000 && !s; more += 64) {
        p.e.heap_bytes_max = used + more;
        int r = eng_snapshot_create(p.inst, &s);
        CHECK(r == 0 || r == E_NOMEM);
        failures += r != 0;
        CHECK(r == 0 || p.e.heap_bytes == used);
    }
    CHECK(s != NULL && failures > 10);
    check_fresh(&p);
    eng_snapshot_destroy(s);
    end(&p);
}

/* A guest that runs cannot be put back under its own feet. */
static enum eng_trap_code try_both(struct eng_call *c, union eng_value *args)
{
    struct eng_snapshot *s = c->ctx, *made = NULL;
    CHECK_INT(eng_snapshot_restore(s), E_INVAL);
    CHECK_INT(eng_snapshot_create(c->caller, &made), E_INVAL);
    CHECK(made == NULL);
    return ENG_TRAP_NONE;
}

/* (module (import "h" "f" (func $f)) (func (export "go") call $f)) */
static const uint8_t caller_wasm[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x02,
    0x07, 0x01, 0x01, 0x68, 0x01, 0x66, 0x00, 0x00, 0x03, 0x02, 0x01, 0x00, 0x07, 0x06, 0x01,
    0x02, 0x67, 0x6f, 0x00, 0x01, 0x0a, 0x06, 0x01, 0x04, 0x00, 0x10, 0x00, 0x0b,
};

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    ret->kind = ENG_EXTERN_FUNC;
    ret->of.func = ctx;
    return 0;
}

TEST(not_while_a_guest_runs)
{
    struct place p;
    struct eng_snapshot *s = NULL;
    struct eng_func *f;
    struct eng_module *m;
    struct eng_instance *inst;
    struct eng_extern go;
    struct eng_error err;
    struct eng_trap trap;
    struct eng_functype type = { 0 };
    begin(&p, EMBED_GUARD);
    CHECK_INT(eng_snapshot_create(p.inst, &s), 0);
    CHECK_INT(eng_hostfunc_create(p.store, &type, try_both, s, &f), 0);
    CHECK_INT(eng_module_load(&p.e.env, span_of(caller_wasm, sizeof caller_wasm), &m, &err), 0);
    struct eng_resolver resolver = { f, resolve };
    CHECK_INT(eng_instance_create(p.store, m, &resolver, &inst, &err, &trap), 0);
    CHECK_INT(eng_instance_export(inst, SPAN_LIT("go"), &go), 0);
    CHECK_INT(eng_call(go.of.func, NULL, NULL, &trap), 0);
    eng_snapshot_destroy(s);
    eng_store_destroy(p.store);
    eng_module_free(m);
    eng_module_free(p.module);
}

TEST_MAIN(RUN(an_instance_comes_back_to_its_start_guarded)
              RUN(an_instance_comes_back_to_its_start_checked)
                  RUN(several_snapshots_in_any_order) RUN(out_of_memory)
                      RUN(not_while_a_guest_runs))
