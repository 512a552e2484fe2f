/* The engine's side of the differential fuzzer: modules in, a text record of what
 * they did out. peer.mjs writes the same record from Node.js's engine; run compares.
 *
 * Request on stdin: seed, length and fuel of each call, 4 bytes each, little endian; then the
 * module. Record:
 *
 *     load ok                               or: load ERROR MESSAGE
 *     import KIND PARAMS RESULTS            one line an import
 *     export KIND PARAMS RESULTS            one line an export
 *     start ok LOG                          or: start fail, start trap CLASS LOG
 *     call INDEX VALUES LOG                 or: call INDEX trap CLASS LOG
 *     global INDEX VALUE, table INDEX SIZE NULLS, memory INDEX SIZE HASH
 *     round N                               and the same from "start" on
 *     end
 *
 * A module that imports from "twin" has several rounds: each makes one more instance, which gets
 * the exports of the one before under that name. All other imports, and those of the first instance,
 * are made here: memories, tables, globals, tags, and functions. Function "backN" of "host" calls the
 * export "fN" of the instance that imports it, and lets through what that throws.
 *
 * Types are letters (i I f F v r e x), values their bits in hexadecimal, every NaN is "nan". LOG
 * is a hash of all calls to imported functions so far. JavaScript has neither v128 nor exnref:
 * functions with one in their type are not called from outside, and fail when imported and
 * called. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "embed/embed.h"

enum {
    VALUES_MAX = 64, /* of one call; functions with more are not called */
    CALLS_MAX = 40,
    IMPORTS_MAX = 256,
    MEMORY_PAGES_MAX = 1024, /* run gives Node.js the same limit */
    HASHED_BYTES = 1 << 20,  /* of a memory */
    TABLE_SEEN = 64,         /* elements of a table */
    ROUNDS = 3,
    NESTED_MAX = 3, /* calls back */
};

struct subject {
    struct embed embed;
    struct eng_store *store;
    struct eng_instance *before; /* of the round before, or NULL */
    struct eng_instance *instances[ROUNDS];
    uint32_t round, nested; /* calls back that run */
    uint32_t fuel; /* of each call */
    uint32_t log;
    struct import {
        struct subject *subject;
        uint32_t index, round;
        struct eng_functype type;
        char back[8]; /* export that is called, or "" */
    } imports[IMPORTS_MAX];
    uint32_t import_count;
};

static uint32_t hash(uint32_t h, uint32_t word)
{
    return (h ^ word) * 16777619u;
}

/* --- values -------------------------------------------------------------------- */

static char type_letter(uint8_t type)
{
    switch (type) {
    case ENG_I32: return 'i';
    case ENG_I64: return 'I';
    case ENG_F32: return 'f';
    case ENG_F64: return 'F';
    case ENG_V128: return 'v';
    case ENG_FUNCREF: return 'r';
    case ENG_EXTERNREF: return 'e';
    case ENG_EXNREF: return 'x';
    default: return '?';
    }
}

static void print_types(const uint8_t *types, uint32_t count)
{
    putchar(' ');
    for (uint32_t i = 0; i < count; i++)
        putchar(type_letter(types[i]));
    if (count == 0)
        putchar('-');
}

static bool is_ref(uint8_t type)
{
    return type == ENG_FUNCREF || type == ENG_EXTERNREF || type == ENG_EXNREF;
}

static bool is_nan(union eng_value v, uint8_t type)
{
    if (type == ENG_F32)
        return (v.i32 & 0x7fffffff) > 0x7f800000;
    return type == ENG_F64 && (v.bits & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

static void print_value(union eng_value v, uint8_t type)
{
    if (type == ENG_V128 || type == ENG_EXNREF)
        printf(" %s", type == ENG_V128 ? "v128" : "exnref");
    else if (is_ref(type))
        printf(" %s", v.ref ? "ref" : "null");
    else if (is_nan(v, type))
        printf(" nan");
    else
        printf(" %" PRIx64, v.bits);
}

/* xorshift32, which JavaScript can compute as well. */
static uint32_t draw(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Half of all numbers are small. Floats are exact sixteenths. */
static union eng_value draw_value(uint32_t *state, uint8_t type)
{
    uint32_t low = draw(state), high = draw(state);
    union eng_value v = { 0 };
    if (high & 1)
        low &= 0xff;
    switch (type) {
    case ENG_I32: v.i32 = low; break;
    case ENG_I64: v.i64 = high & 1 ? low : (uint64_t)high << 32 | low; break;
    case ENG_F32: v.f32 = (float)((int32_t)low >> 8) / 16; break;
    case ENG_F64: v.f64 = (double)(int32_t)low / 16; break;
    default: break; /* null */
    }
    return v;
}

/* --- imports ------------------------------------------------------------------- */

static bool unknown_outside(const uint8_t *types, uint32_t count)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++)
        found |= types[i] == ENG_V128 || types[i] == ENG_EXNREF;
    return found;
}

static bool is_internal(const struct eng_functype *t)
{
    return unknown_outside(t->params, t->param_count) ||
           unknown_outside(t->results, t->result_count);
}

static enum eng_trap_code log_call(struct eng_call *call, union eng_value *args)
{
    struct import *import = call->ctx;
    if (is_internal(&import->type))
        return ENG_TRAP_HOST;
    uint32_t *log = &import->subject->log;
    *log = hash(*log, import->index);
    for (uint32_t i = 0; i < import->type.param_count; i++) {
        uint8_t type = import->type.params[i];
        if (is_ref(type))
            *log = hash(*log, args[i].ref != NULL);
        else if (is_nan(args[i], type))
            *log = hash(*log, 0x7fc00000);
        else
            *log = hash(hash(*log, args[i].i32),
                        type == ENG_I64 || type == ENG_F64 ? (uint32_t)(args[i].bits >> 32) : 0);
    }
    for (uint32_t i = 0; i < import->type.result_count; i++)
        args[i].bits = 0;
    return ENG_TRAP_NONE;
}

/* Calls the export that import->back names, all of whose arguments are 0. */
static enum eng_trap_code call_back(struct eng_call *call, union eng_value *args)
{
    struct import *import = call->ctx;
    struct subject *s = import->subject;
    struct eng_instance *inst = s->instances[import->round];
    struct eng_extern x;
    struct eng_functype type;
    union eng_value values[VALUES_MAX] = { 0 };
    struct eng_trap trap;
    enum eng_trap_code code = log_call(call, args);
    if (code || !inst || s->nested == NESTED_MAX ||
        eng_instance_export(inst, span_of_cstr(import->back), &x) < 0 ||
        x.kind != ENG_EXTERN_FUNC)
        return code;
    eng_func_type(x.of.func, &type);
    if (is_internal(&type) || type.param_count > VALUES_MAX || type.result_count > VALUES_MAX)
        return ENG_TRAP_NONE;
    s->nested++;
    int result = eng_call(x.of.func, values, values, &trap);
    s->nested--;
    if (result == 0)
        return ENG_TRAP_NONE;
    s->log = hash(s->log, 1);
    return trap.code;
}

static int resolve_func(struct subject *s, const struct eng_import *import, struct eng_func **ret)
{
    if (s->import_count == IMPORTS_MAX)
        return E_NOENT;
    struct import *slot = &s->imports[s->import_count];
    struct span name = import->name;
    *slot = (struct import){ s, s->import_count++, s->round, import->type.func, "" };
    bool back = span_eq_cstr(import->module, "host") && name.len > 4 &&
                name.len - 4 < sizeof slot->back - 1 && memcmp(name.p, "back", 4) == 0;
    if (back) {
        slot->back[0] = 'f';
        memcpy(slot->back + 1, name.p + 4, name.len - 4);
    }
    return eng_hostfunc_create(s->store, &slot->type, back ? call_back : log_call, slot, ret);
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct subject *s = ctx;
    const struct eng_extern_type *type = &import->type;
    const union eng_value zero[2] = { { 0 }, { 0 } };
    if (s->before && span_eq_cstr(import->module, "twin"))
        return eng_instance_export(s->before, import->name, ret);
    ret->kind = type->kind;
    switch (type->kind) {
    case ENG_EXTERN_FUNC: return resolve_func(s, import, &ret->of.func);
    case ENG_EXTERN_TAG: return eng_tag_create(s->store, &type->func, &ret->of.tag);
    case ENG_EXTERN_MEMORY: return eng_memory_create(s->store, type->limits, &ret->of.memory);
    case ENG_EXTERN_TABLE:
        if (type->valtype == ENG_EXNREF) /* JavaScript cannot make one */
            return E_NOENT;
        return eng_table_create(s->store, type->valtype, type->limits, &ret->of.table);
    default:
        if (type->valtype == ENG_V128 || type->valtype == ENG_EXNREF)
            return E_NOENT;
        return eng_global_create(s->store, type->valtype, type->is_mutable, zero, &ret->of.global);
    }
}

/* --- the record ------------------------------------------------------------------ */

/* Classes are those that both engines can tell: V8 has one message for several reasons. */
static const char *trap_class(enum eng_trap_code code)
{
    switch (code) {
    case ENG_TRAP_UNREACHABLE: return "unreachable";
    case ENG_TRAP_INT_DIV_BY_ZERO: return "zero";
    case ENG_TRAP_INT_OVERFLOW:
    case ENG_TRAP_INVALID_CONVERSION: return "unrepresentable";
    case ENG_TRAP_MEMORY_BOUNDS: return "memory";
    case ENG_TRAP_TABLE_BOUNDS:
    case ENG_TRAP_UNDEFINED_ELEMENT: return "table";
    case ENG_TRAP_UNINITIALIZED_ELEMENT:
    case ENG_TRAP_INDIRECT_TYPE: return "indirect";
    case ENG_TRAP_STACK_EXHAUSTED: return "stack";
    case ENG_TRAP_OUT_OF_FUEL: return "fuel";
    case ENG_TRAP_OUT_OF_MEMORY: return "limit";
    case ENG_TRAP_EXCEPTION: return "exception";
    case ENG_TRAP_NULL_REFERENCE: return "null";
    default: return "other";
    }
}

static void print_extern_type(const char *what, const struct eng_extern_type *t)
{
    static const char *const kinds[] = { "func", "table", "memory", "global", "tag" };
    printf("%s %s", what, kinds[t->kind]);
    if (t->kind == ENG_EXTERN_FUNC || t->kind == ENG_EXTERN_TAG) {
        print_types(t->func.params, t->func.param_count);
        print_types(t->func.results, t->func.result_count);
    } else if (t->kind == ENG_EXTERN_GLOBAL || t->kind == ENG_EXTERN_TABLE) {
        print_types(&t->valtype, 1);
    }
    if (t->kind == ENG_EXTERN_GLOBAL)
        printf(" %d", t->is_mutable);
    if (t->kind == ENG_EXTERN_MEMORY)
        printf(" -");
    if (t->kind == ENG_EXTERN_MEMORY || t->kind == ENG_EXTERN_TABLE)
        printf(" %" PRIu32, t->limits.min);
    if ((t->kind == ENG_EXTERN_MEMORY || t->kind == ENG_EXTERN_TABLE) && t->limits.has_max)
        printf(" %" PRIu32, t->limits.max);
    putchar('\n');
}

static void print_types_of(const struct eng_module *m)
{
    for (uint32_t i = 0; i < eng_module_import_count(m); i++) {
        struct eng_import import;
        eng_module_import(m, i, &import);
        print_extern_type("import", &import.type);
    }
    for (uint32_t i = 0; i < eng_module_export_count(m); i++) {
        struct eng_export export;
        eng_module_export(m, i, &export);
        print_extern_type("export", &export.type);
    }
}

static struct eng_extern find_export(const struct eng_module *m, struct eng_instance *inst,
                                     uint32_t i)
{
    struct eng_export export;
    struct eng_extern x = { 0 };
    eng_module_export(m, i, &export);
    if (eng_instance_export(inst, export.name, &x) < 0)
        printf("export %u is missing\n", i);
    return x;
}

/* False for a function that JavaScript could not call, or with too many values. */
static bool call(struct subject *s, struct eng_func *f, uint32_t index, uint32_t seed)
{
    union eng_value args[VALUES_MAX], results[VALUES_MAX];
    struct eng_functype type;
    struct eng_trap trap;
    uint32_t state = seed * 2654435761u + index + 1;
    eng_func_type(f, &type);
    if (type.param_count > VALUES_MAX || type.result_count > VALUES_MAX || is_internal(&type))
        return false;
    for (uint32_t i = 0; i < type.param_count; i++)
        args[i] = draw_value(&state, type.params[i]);
    eng_set_fuel(s->store, s->fuel);
    printf("call %u", index);
    if (eng_call(f, args, results, &trap) != 0) {
        printf(" trap %s", trap_class(trap.code));
    } else {
        for (uint32_t i = 0; i < type.result_count; i++)
            print_value(results[i], type.results[i]);
    }
    printf(" log %x\n", s->log);
    return true;
}

/* Modules of wasm-opt -ttf stop themselves after a number of steps, which this
 * export sets back. */
static struct eng_func *find_hang_limit(struct eng_instance *inst)
{
    struct eng_extern x;
    struct eng_functype type;
    if (eng_instance_export(inst, SPAN_LIT("hangLimitInitializer"), &x) < 0 ||
        x.kind != ENG_EXTERN_FUNC)
        return NULL;
    eng_func_type(x.of.func, &type);
    return type.param_count == 0 && type.result_count == 0 ? x.of.func : NULL;
}

static void call_exports(struct subject *s, const struct eng_module *m, struct eng_instance *inst,
                         uint32_t seed)
{
    struct eng_func *reset = find_hang_limit(inst);
    struct eng_trap trap;
    uint32_t calls = 0;
    for (uint32_t i = 0; i < eng_module_export_count(m) && calls < CALLS_MAX; i++) {
        struct eng_extern x = find_export(m, inst, i);
        if (x.kind != ENG_EXTERN_FUNC)
            continue;
        eng_set_fuel(s->store, s->fuel);
        if (reset)
            eng_call(reset, NULL, NULL, &trap);
        calls += call(s, x.of.func, i, seed);
    }
}

static void print_memory(struct eng_memory *m, uint32_t index)
{
    uint64_t size = eng_memory_size(m);
    const uint8_t *bytes = eng_memory_at(m, 0, size);
    uint32_t h = 2166136261u;
    for (uint64_t at = 0; at < size && at < HASHED_BYTES; at += 4) {
        uint32_t word;
        memcpy(&word, bytes + at, 4);
        h = hash(h, word);
    }
    printf("memory %u %" PRIu64 " %x\n", index, size, h);
}

static void print_state(const struct eng_module *m, struct eng_instance *inst)
{
    for (uint32_t i = 0; i < eng_module_export_count(m); i++) {
        struct eng_extern x = find_export(m, inst, i);
        struct eng_export export;
        bool is_mutable;
        eng_module_export(m, i, &export);
        if (x.kind == ENG_EXTERN_MEMORY) {
            print_memory(x.of.memory, i);
        } else if (x.kind == ENG_EXTERN_GLOBAL) {
            union eng_value v[2];
            eng_global_get(x.of.global, v);
            printf("global %u", i);
            print_value(v[0], eng_global_type(x.of.global, &is_mutable));
            putchar('\n');
        } else if (x.kind == ENG_EXTERN_TABLE) {
            uint32_t size = eng_table_size(x.of.table);
            printf("table %u %u ", i, size);
            if (export.type.valtype == ENG_EXNREF)
                size = 0;
            for (uint32_t at = 0; at < size && at < TABLE_SEEN; at++) {
                union eng_value v;
                putchar(eng_table_get(x.of.table, at, &v) < 0 ? '?' : v.ref ? 'r' : 'n');
            }
            putchar('\n');
        }
    }
}

static bool imports_twin(const struct eng_module *m)
{
    bool found = false;
    for (uint32_t i = 0; i < eng_module_import_count(m); i++) {
        struct eng_import import;
        eng_module_import(m, i, &import);
        found |= span_eq_cstr(import.module, "twin");
    }
    return found;
}

/* False when there is no instance to go on with. */
static bool run_round(struct subject *s, const struct eng_module *m, uint32_t seed)
{
    struct eng_resolver resolver = { s, resolve };
    struct eng_instance *inst;
    struct eng_error err;
    struct eng_trap trap;
    eng_set_fuel(s->store, s->fuel);
    int result = eng_instance_create(s->store, m, &resolver, &inst, &err, &trap);
    if (result > 0) {
        printf("start trap %s log %x\n", trap_class(trap.code), s->log);
    } else if (result < 0) {
        puts(result == E_NOMEM || result == E_LIMIT ? "start limit" : "start fail");
    } else {
        printf("start ok log %x\n", s->log);
        s->instances[s->round] = inst;
        call_exports(s, m, inst, seed);
        print_state(m, inst);
        s->before = inst;
    }
    return result == 0;
}

/* The second instance is of `other`: the same module, perhaps in another tier. */
static void run(struct subject *s, const struct eng_module *m, const struct eng_module *other,
                uint32_t seed)
{
    struct eng_store_options options = { .memory_pages_max = MEMORY_PAGES_MAX };
    if (eng_store_create(&s->embed.env, &options, &s->store) < 0)
        return;
    embed_watch(s->store);
    bool again = run_round(s, m, seed) && imports_twin(m);
    while (again && ++s->round < ROUNDS) {
        printf("round %u\n", s->round);
        again = run_round(s, s->round == 1 ? other : m, seed + s->round);
    }
    embed_watch(NULL);
    eng_store_destroy(s->store);
}

/* The module for the second instance: m, or the same interpreted when that is wanted. */
static struct eng_module *load_other(struct subject *s, struct span bytes, struct eng_module *m)
{
    struct eng_module *other;
    struct eng_error err;
    if (!getenv("DIFFERENTIAL_MIXED") || !imports_twin(m))
        return m;
    s->embed.env.tier = ENG_TIER_INTERP;
    return eng_module_load(&s->embed.env, bytes, &other, &err) < 0 ? m : other;
}

static void record(struct span bytes, uint32_t seed, uint32_t fuel, enum embed_memory memory)
{
    static struct subject s;
    struct eng_module *m;
    struct eng_error err = { 0 };
    s = (struct subject){ .log = 2166136261u, .fuel = fuel };
    embed_init(&s.embed, memory);
    int result = eng_module_load(&s.embed.env, bytes, &m, &err);
    if (result < 0) {
        printf("load %s: %s (byte %zu)\n", base_err_name(result), err.message, err.offset);
    } else {
        struct eng_module *other = load_other(&s, bytes, m);
        puts("load ok");
        print_types_of(m);
        run(&s, m, other, seed);
        if (other != m)
            eng_module_free(other);
        eng_module_free(m);
    }
    if (s.embed.heap_bytes || s.embed.memory_bytes)
        puts("leak");
    puts("end");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    enum embed_memory memory = argc > 1 && strcmp(argv[1], "check") == 0 ? EMBED_CHECK : EMBED_GUARD;
    uint32_t head[3];
    while (fread(head, sizeof head, 1, stdin) == 1) {
        uint8_t *bytes = malloc(head[1] ? head[1] : 1); /* exact, for the sanitizer */
        if (!bytes || fread(bytes, 1, head[1], stdin) != head[1])
            return 1;
        record(span_of(bytes, head[1]), head[0], head[2], memory);
        free(bytes);
    }
    return 0;
}
