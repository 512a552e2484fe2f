/* Modules are loaded, linked to host functions that answer with numbers, and each of their
 * exports is called with a little fuel. Nothing of what they do may hurt the host:
 * sanitizers and the ranges around memories see to that.
 *
 * What is not in the module comes from a hash of it, so that an input always runs the
 * same way: which kind of memory, the arguments, the host's answers. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "embed/embed.h"

enum { VALUES_MAX = 64, DEPTH_MAX = 3, FUEL_PER_CALL = 2000 };

struct world {
    struct embed embed;
    struct eng_store *store;
    struct eng_func *exported; /* what host functions call back, NULL while linking */
    uint64_t random;
    unsigned depth; /* of host functions */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next(struct world *w)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    uint64_t x = w->random ^ w->random >> 29;
    return x & 1 ? x >> 33 : (x >> 8 & 15); /* half of them small */
}

/* Random numbers, null references. */
static void fill(struct world *w, const uint8_t *types, uint32_t count, union eng_value *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        bool is_ref = types[i] == ENG_FUNCREF || types[i] == ENG_EXTERNREF || types[i] == ENG_EXNREF;
        (ret++)->bits = is_ref ? 0 : next(w);
        if (types[i] == ENG_V128)
            (ret++)->bits = next(w);
    }
}

static void call(struct world *w, struct eng_func *f, struct eng_trap *trap)
{
    union eng_value args[2 * VALUES_MAX], results[2 * VALUES_MAX], *result = results;
    struct eng_functype type;
    eng_func_type(f, &type);
    if (type.param_count > VALUES_MAX || type.result_count > VALUES_MAX)
        return;
    fill(w, type.params, type.param_count, args);
    memset(results, 0xee, sizeof results);
    int trapped = eng_call(f, args, results, trap);
    base_assert(trapped == 0 || trapped == 1);
    base_assert(!trapped || (trap->code > ENG_TRAP_NONE && trap->code < ENG_TRAP_COUNT_));
    base_assert(!trapped || trap->frame_count <= ENG_BACKTRACE_MAX);
    for (uint32_t i = 0; !trapped && i < type.result_count; i++) {
        bool narrow = type.results[i] == ENG_I32 || type.results[i] == ENG_F32;
        base_assert(!narrow || result->bits >> 32 == 0);
        result += eng_slots(&type.results[i], 1);
    }
}

static enum eng_trap_code host(struct eng_call *c, union eng_value *args)
{
    struct world *w = ((struct world **)c->ctx)[0];
    const struct eng_functype *type = ((void **)c->ctx)[1];
    struct eng_trap trap;
    uint64_t choice = next(w) % 16;
    if (choice == 0) {
        c->trap->host_error = E_IO;
        return ENG_TRAP_HOST;
    }
    if (choice < 4 && w->exported && w->depth < DEPTH_MAX) {
        w->depth++;
        call(w, w->exported, &trap);
        w->depth--;
    }
    struct eng_memory *m = c->caller ? eng_instance_memory(c->caller) : NULL;
    if (m && eng_memory_size(m))
        *(uint8_t *)eng_memory_at(m, next(w) % eng_memory_size(m), 1) = (uint8_t)choice;
    fill(w, type->results, type->result_count, args);
    return ENG_TRAP_NONE;
}

/* Functions' contexts; freed with the world. */
struct host_context {
    void *pair[2];
    struct eng_functype type;
    struct host_context *next;
};

struct linker {
    struct world *world;
    struct host_context *contexts;
};

static int link_function(struct linker *l, const struct eng_functype *type, struct eng_func **ret)
{
    struct host_context *c = calloc(1, sizeof *c);
    if (!c)
        return E_NOMEM;
    *c = (struct host_context){ { l->world, &c->type }, *type, l->contexts };
    l->contexts = c;
    return eng_hostfunc_create(l->world->store, type, host, c->pair, ret);
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct linker *l = ctx;
    struct eng_store *s = l->world->store;
    const struct eng_extern_type *t = &import->type;
    union eng_value value[2] = { 0 };
    ret->kind = t->kind;
    switch (t->kind) {
    case ENG_EXTERN_FUNC: return link_function(l, &t->func, &ret->of.func);
    case ENG_EXTERN_TABLE: return eng_table_create(s, t->valtype, t->limits, &ret->of.table);
    case ENG_EXTERN_MEMORY: return eng_memory_create(s, t->limits, &ret->of.memory);
    case ENG_EXTERN_TAG: return eng_tag_create(s, &t->func, &ret->of.tag);
    case ENG_EXTERN_GLOBAL:
        fill(l->world, &t->valtype, 1, value);
        return eng_global_create(s, t->valtype, t->is_mutable, value, &ret->of.global);
    }
    return E_NOENT;
}

static void call_exports(struct world *w, const struct eng_module *m, struct eng_instance *inst)
{
    struct eng_trap trap;
    for (uint32_t i = 0; i < eng_module_export_count(m) && i < 32; i++) {
        struct eng_export export;
        struct eng_extern x;
        eng_module_export(m, i, &export);
        base_assert(eng_instance_export(inst, export.name, &x) == 0);
        if (x.kind == ENG_EXTERN_GLOBAL) {
            union eng_value value[2];
            eng_global_get(x.of.global, value);
        } else if (x.kind == ENG_EXTERN_FUNC) {
            w->exported = x.of.func;
            eng_set_fuel(w->store, FUEL_PER_CALL);
            call(w, x.of.func, &trap);
        }
    }
}

static void run(struct world *w, const struct eng_module *m)
{
    struct eng_store_options options = { .stack_bytes = 65536, .memory_pages_max = 64,
                                         .table_elements_max = 10000 };
    struct linker linker = { .world = w };
    struct eng_resolver resolver = { &linker, resolve };
    struct eng_instance *inst;
    struct eng_error err = { 0 };
    struct eng_trap trap = { 0 };
    if (eng_store_create(&w->embed.env, &options, &w->store) < 0)
        return;
    embed_watch(w->store);
    eng_set_fuel(w->store, FUEL_PER_CALL);
    int result = eng_instance_create(w->store, m, &resolver, &inst, &err, &trap);
    base_assert(result <= 1 && (result >= 0 || err.message[0]));
    if (result == 0)
        call_exports(w, m, inst);
    embed_watch(NULL);
    eng_store_destroy(w->store);
    while (linker.contexts) {
        struct host_context *after = linker.contexts->next;
        free(linker.contexts);
        linker.contexts = after;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = { .random = UINT64_C(0xcbf29ce484222325) };
    struct eng_module *m;
    struct eng_error err;
    for (size_t i = 0; i < size; i++)
        w.random = (w.random ^ data[i]) * UINT64_C(0x100000001b3);
    embed_init(&w.embed, w.random >> 60 & 1 ? EMBED_GUARD : EMBED_CHECK);
    w.embed.heap_bytes_max = w.embed.memory_bytes_max = UINT64_C(32) << 20;
    if (eng_module_load(&w.embed.env, span_of(data, size), &m, &err) == 0) {
        run(&w, m);
        eng_module_free(m);
    }
    base_assert(w.embed.heap_bytes == 0 && w.embed.memory_bytes == 0);
    return 0;
}
