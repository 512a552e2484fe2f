/* Modules that are compiled in parts, by several threads: the same code to the byte whoever did it,
 * the same results, traps and refusals as if there were no parts, and nothing left behind when
 * memory runs out on the way. */
#include <stdatomic.h>

#include "base/err.h"
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"

enum { FUNCS = 60, KINDS = 6, MODULE_MAX = 1 << 14, PART = 64 };

/* --- modules --------------------------------------------------------------------------- */

static struct {
    uint8_t bytes[MODULE_MAX];
    size_t len, code; /* where the code section begins */
} out;

static void put(uint8_t byte)
{
    out.bytes[out.len++] = byte;
}

static void put_all(const void *bytes, size_t len)
{
    memcpy(out.bytes + out.len, bytes, len);
    out.len += len;
}
#define PUT(...) put_all((const uint8_t[]){ __VA_ARGS__ }, sizeof(const uint8_t[]){ __VA_ARGS__ })

/* In five bytes, so that lengths can be set later. */
static void set_number(size_t at, uint32_t n)
{
    for (int i = 0; i < 5; i++)
        out.bytes[at + (size_t)i] = (uint8_t)((n >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
}

static void put_number(uint32_t n)
{
    out.len += 5;
    set_number(out.len - 5, n);
}

static size_t sized_begin(void)
{
    put_number(0);
    return out.len;
}

static void sized_end(size_t from)
{
    set_number(from - 5, (uint32_t)(out.len - from));
}

static size_t section_begin(uint8_t id)
{
    put(id);
    return sized_begin();
}

static void put_const(uint32_t n)
{
    put(0x41);
    put_number(n);
}

static void put_call(uint32_t i)
{
    put(0x10);
    put_number(i + 1); /* behind the import */
}

/* Type 1 is (i32) -> (i32). Leaves are called from everywhere: forwards, backwards, through the
 * table. */
static void body(uint32_t i, bool typed)
{
    size_t from = sized_begin();
    put(0); /* locals */
    if (typed && i == FUNCS / 2) /* a block with a result of type (ref null 1) */
        PUT(0x02, 0x63, 0x01, 0xd0, 0x01, 0x0b, 0x1a);
    switch (i % KINDS) {
    case 0: /* traps on 13; else x * 3 + i, and a constant out of line */
        PUT(0x20, 0, 0x41, 13, 0x46, 0x04, 0x40, 0x00, 0x0b);
        PUT(0x20, 0, 0x41, 3, 0x6c);
        put_const(i);
        PUT(0x6a, 0x44, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f, 0xab, 0x6a);
        break;
    case 1:
        PUT(0x20, 0);
        if (i + 4 < FUNCS)
            put_call(i + 4);
        break;
    case 2: /* the host */
        PUT(0x20, 0, 0x10, 0);
        break;
    case 3:
        PUT(0x20, 0);
        put_const(i * 7 % FUNCS / KINDS * KINDS);
        PUT(0x11, 1, 0);
        break;
    case 4: /* what the next one throws, doubled, plus i */
        PUT(0x02, 0x7f, 0x1f, 0x40, 1, 0, 0, 0, 0x20, 0);
        put_call(i + 1);
        PUT(0x0f, 0x0b, 0x00, 0x0b, 0x41, 2, 0x6c);
        put_const(i);
        put(0x6a);
        break;
    case 5: /* throws what is odd */
        PUT(0x20, 0, 0x41, 1, 0x71, 0x04, 0x40, 0x20, 0, 0x08, 0, 0x0b, 0x20, 0);
        put_call(i - 5);
        break;
    }
    put(0x0b);
    sized_end(from);
}

static void make_module(bool typed)
{
    out.len = 0;
    put_all("\0asm\1\0\0\0", 8);
    PUT(1, 10, 2, 0x60, 1, 0x7f, 0, 0x60, 1, 0x7f, 1, 0x7f);
    PUT(2, 10, 1, 4, 'h', 'o', 's', 't', 1, 'f', 0, 1);
    size_t at = section_begin(3);
    put_number(FUNCS);
    for (uint32_t i = 0; i < FUNCS; i++)
        put(1);
    sized_end(at);
    PUT(4, 4, 1, 0x70, 0, FUNCS);
    PUT(13, 3, 1, 0, 0); /* a tag */
    at = section_begin(7);
    put_number(FUNCS);
    for (uint32_t i = 0; i < FUNCS; i++) {
        PUT(2, (uint8_t)('0' + i / 10), (uint8_t)('0' + i % 10), 0);
        put_number(i + 1);
    }
    sized_end(at);
    at = section_begin(9);
    PUT(1, 0, 0x41, 0, 0x0b, FUNCS);
    for (uint32_t i = 0; i < FUNCS; i++)
        put((uint8_t)(i + 1));
    sized_end(at);
    out.code = out.len;
    at = section_begin(10);
    put_number(FUNCS);
    for (uint32_t i = 0; i < FUNCS; i++)
        body(i, typed);
    sized_end(at);
}

/* --- loading ---------------------------------------------------------------------------- */

/* How a module is compiled; threads 0: the engine is given none. alone: but one does it all. */
struct way {
    unsigned threads;
    uint32_t part_bytes;
    bool shuffled;
    enum eng_tier tier;
    bool alone;
};
static const struct way interpreted = { .tier = ENG_TIER_INTERP };
static const struct way whole = { .tier = ENG_TIER_BASELINE };
static const struct way in_parts = { 3, PART, true, ENG_TIER_BASELINE, false };

static struct {
    struct embed e;
    int (*seal)(void *, void *, size_t, size_t);
    void *(*resize)(void *, void *, size_t, size_t);
    uint8_t code[1 << 17];
    size_t code_len;
    _Atomic long fail_in; /* allocations until one fails; negative: none does */
    struct eng_module *m;
    struct eng_error err;
} w;

static int keep_code(void *ctx, void *p, size_t bytes, size_t used)
{
    w.code_len = used;
    if (used <= sizeof w.code)
        memcpy(w.code, p, used);
    return w.seal(ctx, p, bytes, used);
}

static void *failing_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    if (new_size > old_size && atomic_fetch_sub(&w.fail_in, 1) == 0)
        return NULL;
    return w.resize(ctx, old, old_size, new_size);
}

static void open_world(const struct way *way)
{
    embed_init(&w.e, EMBED_GUARD);
    if (way->threads)
        embed_use_threads(&w.e, way->threads, way->part_bytes, way->shuffled);
    w.e.env.part_bytes = way->part_bytes;
    if (way->alone)
        w.e.threads = 1;
    w.e.env.tier = way->tier;
    w.seal = w.e.env.code_seal;
    w.resize = w.e.env.resize;
    w.e.env.code_seal = keep_code;
    w.e.env.resize = failing_resize;
    w.fail_in = -1;
    w.code_len = 0;
}

static int load(void)
{
    memset(&w.err, 0, sizeof w.err);
    int r = eng_module_load(&w.e.env, span_of(out.bytes, out.len), &w.m, &w.err);
    if (r)
        w.m = NULL;
    return r;
}

static void close_world(void)
{
    eng_module_free(w.m);
    w.m = NULL;
    CHECK_INT(w.e.heap_bytes, 0);
}

static size_t native_bytes(void)
{
    struct eng_module_size size;
    eng_module_size(w.m, &size);
    return size.native;
}

/* --- the same code ------------------------------------------------------------------------- */

/* Compiles the module; how long its code is, which is in w.code. */
static size_t code_of(const struct way *way)
{
    open_world(way);
    CHECK_INT(load(), 0);
    CHECK(w.code_len > 0 && w.code_len <= sizeof w.code);
    CHECK_INT(native_bytes(), w.code_len);
    size_t len = w.code_len;
    close_world();
    return len;
}

TEST(same_code)
{
    static uint8_t first[sizeof w.code];
    static const struct way ways[] = {
        { 0, PART, false, ENG_TIER_BASELINE, false }, { 1, PART, false, ENG_TIER_BASELINE, false },
        { 4, PART, true, ENG_TIER_BASELINE, true },   { 2, PART, true, ENG_TIER_BASELINE, false },
        { 8, PART, true, ENG_TIER_BASELINE, false },  { 8, PART, false, ENG_TIER_BASELINE, false },
    };
    size_t len = 0;
    make_module(false);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        size_t n = code_of(&ways[i]);
        if (i == 0) {
            memcpy(first, w.code, len = n);
        } else {
            CHECK_INT(n, len);
            CHECK(memcmp(first, w.code, len) == 0);
        }
    }
    CHECK(code_of(&whole) < len); /* there were parts, then: they have entries each */
}

/* --- where parts are made ---------------------------------------------------------------------- */

/* Functions of no type with so many operands at a time that an instruction might need more room than there is
 * behind the part where it is to stay; and the last, which is never made there. */
static void make_deep_module(void)
{
    enum { DEEP = 3, OPERANDS = 700 };
    out.len = 0;
    put_all("\0asm\1\0\0\0", 8);
    PUT(1, 4, 1, 0x60, 0, 0);
    PUT(3, DEEP + 2, DEEP + 1, 0, 0, 0, 0);
    size_t at = section_begin(10);
    put_number(DEEP + 1);
    for (int i = 0; i < DEEP; i++) {
        size_t from = sized_begin();
        PUT(1, 1, 0x7f); /* a local */
        for (int k = 0; k < OPERANDS; k++)
            PUT(0x20, 0);
        for (int k = 0; k < OPERANDS; k++)
            put(0x1a);
        put(0x0b);
        sized_end(from);
    }
    PUT(2, 0, 0x0b);
    sized_end(at);
}

/* Decision 63. What is no function begins at a multiple of 16. */
TEST(functions_begin_apart)
{
    static const uint8_t begin[] = { 0xf3, 0x0f, 0x1e, 0xfa }; /* endbr64 */
    static const struct way ways[] = { { 0, 0, false, ENG_TIER_BASELINE, false },
                                       { 1, PART, false, ENG_TIER_BASELINE, false } };
    make_module(false);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        unsigned found[4] = { 0 };
        size_t len = code_of(&ways[i]);
        for (size_t at = 0; at + sizeof begin <= len; at += sizeof begin)
            if (memcmp(w.code + at, begin, sizeof begin) == 0)
                found[at / sizeof begin % 4]++;
        CHECK(found[0] >= FUNCS / 4);
        for (unsigned quarter = 1; quarter < 4; quarter++)
            CHECK_INT(found[quarter], FUNCS / 4);
    }
}

TEST(part_that_leaves_its_place)
{
    static uint8_t first[sizeof w.code];
    static const struct way one = { 0, PART, false, ENG_TIER_BASELINE, false };
    make_deep_module();
    size_t len = code_of(&one);
    memcpy(first, w.code, len);
    CHECK_INT(code_of(&in_parts), len);
    CHECK(memcmp(first, w.code, len) == 0);
    CHECK(code_of(&whole) < len);
}

/* --- the same behaviour ----------------------------------------------------------------------- */

static enum eng_trap_code add_hundred(struct eng_call *call, union eng_value *args)
{
    args[0].i32 += 100;
    return ENG_TRAP_NONE;
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    ret->kind = ENG_EXTERN_FUNC;
    ret->of.func = ctx;
    return 0;
}

struct outcome {
    uint32_t result;
    struct eng_trap trap; /* code ENG_TRAP_NONE: result */
};
enum { INPUTS = 4 };
static const uint32_t inputs[INPUTS] = { 0, 7, 12, 13 };

/* All functions on all inputs. */
static void run(const struct way *way, struct outcome outcomes[FUNCS][INPUTS])
{
    static const uint8_t i32 = ENG_I32;
    const struct eng_functype type = { &i32, &i32, 1, 1 };
    struct eng_store *s;
    struct eng_instance *inst;
    struct eng_func *host;
    struct eng_trap trap;
    open_world(way);
    CHECK_INT(load(), 0);
    CHECK_INT(eng_store_create(&w.e.env, NULL, &s), 0);
    CHECK_INT(eng_hostfunc_create(s, &type, add_hundred, NULL, &host), 0);
    struct eng_resolver resolver = { host, resolve };
    CHECK_INT(eng_instance_create(s, w.m, &resolver, &inst, &w.err, &trap), 0);
    embed_watch(s);
    for (uint32_t i = 0; i < FUNCS; i++) {
        char name[2] = { (char)('0' + i / 10), (char)('0' + i % 10) };
        struct eng_extern x;
        CHECK_INT(eng_instance_export(inst, span_of(name, 2), &x), 0);
        for (uint32_t k = 0; k < INPUTS; k++) {
            union eng_value v = { .i32 = inputs[k] };
            struct outcome *o = &outcomes[i][k];
            memset(o, 0, sizeof *o);
            if (eng_call(x.of.func, &v, &v, &o->trap) == 0)
                *o = (struct outcome){ .result = v.i32 };
        }
    }
    embed_watch(NULL);
    eng_store_destroy(s);
    close_world();
}

static bool same_trap(const struct eng_trap *a, const struct eng_trap *b)
{
    bool same = a->code == b->code && a->depth == b->depth && a->frame_count == b->frame_count;
    for (uint32_t i = 0; same && i < a->frame_count; i++)
        same = a->frames[i].func_index == b->frames[i].func_index &&
               a->frames[i].offset == b->frames[i].offset;
    return same;
}

TEST(same_behaviour)
{
    static struct outcome want[FUNCS][INPUTS], got[FUNCS][INPUTS];
    unsigned traps = 0, exceptions = 0, deep = 0;
    make_module(false);
    run(&interpreted, want);
    run(&in_parts, got);
    for (uint32_t i = 0; i < FUNCS; i++)
        for (uint32_t k = 0; k < INPUTS; k++) {
            CHECK_INT(got[i][k].result, want[i][k].result);
            CHECK(same_trap(&got[i][k].trap, &want[i][k].trap));
            traps += want[i][k].trap.code == ENG_TRAP_UNREACHABLE;
            exceptions += want[i][k].trap.code == ENG_TRAP_EXCEPTION;
            deep += want[i][k].trap.frame_count > 1;
        }
    CHECK(traps > 10 && exceptions > 10 && deep > 10);
    CHECK_INT(want[4][1].result, 18); /* 7 was thrown and caught */
}

/* --- the same refusals ------------------------------------------------------------------------- */

static void check_same_refusal(const struct way *way)
{
    struct eng_error want;
    open_world(&whole);
    int r = load();
    want = w.err;
    size_t native = r ? 0 : native_bytes();
    close_world();
    open_world(way);
    CHECK_INT(load(), r);
    CHECK_INT(w.err.code, want.code);
    CHECK_INT(w.err.offset, want.offset);
    CHECK_STR(w.err.message, want.message);
    CHECK((r ? 0 : native_bytes() != 0) == (native != 0));
    close_world();
}

/* Every byte of the code section, one after the other, is another one. */
TEST(same_refusals)
{
    static const uint8_t changes[] = { 0x01, 0x7f, 0xff };
    static const struct way alone = { 0, PART, false, ENG_TIER_BASELINE, false };
    make_module(false);
    for (size_t at = out.code; at < out.len && !test_case_failures; at++) {
        uint8_t was = out.bytes[at], change = changes[at % sizeof changes];
        out.bytes[at] = was ^ change;
        check_same_refusal(at % 4 ? &alone : &in_parts);
        out.bytes[at] = was;
    }
}

/* Two mistakes: the first in the module's order counts. */
TEST(first_of_two)
{
    make_module(false);
    size_t middle = out.code + (out.len - out.code) / 2;
    out.bytes[out.len - 1] = 0x01; /* the last function has no end */
    for (size_t at = out.code + 20; at < middle; at += 7) {
        uint8_t was = out.bytes[at];
        out.bytes[at] = 0xff;
        check_same_refusal(&in_parts);
        out.bytes[at] = was;
    }
}

/* Types that the module did not name before its code: one reader after all, and compiled. */
TEST(types_in_code)
{
    static struct outcome want[FUNCS][INPUTS], got[FUNCS][INPUTS];
    make_module(true);
    run(&interpreted, want);
    run(&in_parts, got);
    for (uint32_t i = 0; i < FUNCS; i++)
        CHECK_INT(got[i][0].result, want[i][0].result);
    open_world(&in_parts);
    CHECK_INT(load(), 0);
    CHECK(native_bytes() > 0);
    close_world();
}

/* --- when memory runs out ------------------------------------------------------------------------ */

/* Fails the n-th allocation, for all n until there are no more. */
static void fail_each(const struct way *way)
{
    bool interpreted_one = false, refused_one = false;
    long n = 0;
    for (; n < 100000; n++) {
        open_world(way);
        w.fail_in = n;
        int r = load();
        bool failed = w.fail_in < 0;
        CHECK(r == 0 || r == E_NOMEM);
        CHECK(r == 0 || strcmp(w.err.message, "out of memory") == 0);
        refused_one |= r != 0;
        interpreted_one |= r == 0 && failed && !native_bytes();
        close_world();
        if (!failed || test_case_failures)
            break;
    }
    CHECK(n > 15 && n < 100000);
    CHECK(refused_one && interpreted_one);
}

TEST(no_memory)
{
    static const struct way ways[] = { { 0, 512, false, ENG_TIER_BASELINE, false },
                                       { 3, 512, true, ENG_TIER_BASELINE, true },
                                       { 3, 512, true, ENG_TIER_BASELINE, false } };
    make_module(false);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        fail_each(&ways[i]);
    make_deep_module();
    fail_each(&ways[0]);
}

static void *no_code(void *ctx, size_t bytes)
{
    return NULL;
}

TEST(no_code_memory)
{
    make_module(false);
    open_world(&in_parts);
    w.e.env.code_create = no_code;
    CHECK_INT(load(), 0);
    CHECK_INT(native_bytes(), 0);
    close_world();
}

TEST_MAIN(RUN(same_code) RUN(functions_begin_apart)
          RUN(part_that_leaves_its_place) RUN(same_behaviour) RUN(same_refusals) RUN(first_of_two)
          RUN(types_in_code) RUN(no_memory) RUN(no_code_memory))
