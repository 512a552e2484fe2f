/* What a module may cost those who load it: time and memory in proportion to its size,
 * whatever its maker thought of. Each of these once took, or could take, the square. */
#include <time.h>

#include "base/assert.h"
#include "base/err.h"
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"

enum {
    MODULE_MAX = 1 << 20,
    SECONDS_MAX = 5,     /* with sanitizers, on a busy machine; the square takes a minute */
    HEAP_PER_BYTE = 128, /* of the module, at the peak; README.md of engine/ */
    HEAP_FIXED = 1 << 18,
};

/* --- modules ------------------------------------------------------------------------- */

static struct {
    uint8_t bytes[MODULE_MAX + 4096];
    size_t len;
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

static void put_number(uint32_t n)
{
    for (; n >= 0x80; n >>= 7)
        put((uint8_t)(n | 0x80));
    put((uint8_t)n);
}

/* A number of 5 bytes, to be set later; its place. */
static size_t put_later(void)
{
    out.len += 5;
    return out.len - 5;
}

static void set_later(size_t at, uint32_t n)
{
    for (int i = 0; i < 5; i++)
        out.bytes[at + (size_t)i] = (uint8_t)((n >> 7 * i & 0x7f) | (i < 4 ? 0x80 : 0));
}

static size_t section_begin(uint8_t id)
{
    put(id);
    return put_later();
}

static void section_end(size_t at)
{
    set_later(at, (uint32_t)(out.len - at - 5));
}

static void put_text(const char *bytes, size_t len)
{
    put_all(bytes, len);
}

/* The header, and the type of functions without parameters and results as the first. */
static void module_begin(void)
{
    out.len = 0;
    put_text("\0asm\1\0\0\0", 8);
}

static void section_of(uint8_t id, const char *bytes, size_t len)
{
    size_t at = section_begin(id);
    put_text(bytes, len);
    section_end(at);
}

/* --- loading -------------------------------------------------------------------------- */

static struct {
    struct embed embed;
    void *(*resize)(void *, void *, size_t, size_t);
    size_t heap, peak;
    struct eng_error err;
    double seconds;
} world;

static void *counting_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    void *p = world.resize(ctx, old, old_size, new_size);
    if (p || !new_size)
        world.heap += new_size - old_size;
    if (world.heap > world.peak)
        world.peak = world.heap;
    return p;
}

/* Loads what is in `out`, instantiates it when it is valid; the result of loading. */
static int load(void)
{
    struct eng_module *m;
    struct eng_store *s;
    struct eng_instance *inst;
    struct eng_trap trap;
    embed_init(&world.embed, EMBED_GUARD);
    world.resize = world.embed.env.resize;
    world.embed.env.resize = counting_resize;
    world.heap = world.peak = 0;
    clock_t start = clock();
    int result = eng_module_load(&world.embed.env, span_of(out.bytes, out.len), &m, &world.err);
    if (result == 0) {
        const struct eng_store_options options = { .stack_bytes = 4096 };
        CHECK_INT(eng_store_create(&world.embed.env, &options, &s), 0);
        CHECK_INT(eng_instance_create(s, m, NULL, &inst, &world.err, &trap), 0);
        eng_store_destroy(s);
        eng_module_free(m);
    }
    world.seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    CHECK(world.heap == 0);
    return result;
}

static void check_cost(const char *what)
{
    printf("# %s: %.1f KB, %.2f s, %.1f bytes a byte\n", what, (double)out.len / 1024,
           world.seconds, (double)world.peak / (double)out.len);
    CHECK(world.seconds < SECONDS_MAX);
    CHECK(world.peak < out.len * HEAP_PER_BYTE + HEAP_FIXED);
}

static void begin_with_function(void)
{
    module_begin();
    section_of(1, "\1\x60\0\0", 4);
    section_of(3, "\1\0", 2);
}

static void end_with_function(void)
{
    section_of(10, "\1\2\0\x0b", 4);
}

/* --- names of exports ------------------------------------------------------------------ */

static uint64_t fnv(const char *text, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

TEST(names_that_a_hash_would_keep_together)
{
    enum { EXPORTS = 80000, TABLE = 262144, NEIGHBOURS = TABLE / 64 };
    begin_with_function();
    size_t at = section_begin(7);
    put_number(EXPORTS);
    for (uint32_t i = 0, made = 0; made < EXPORTS; i++) {
        char name[8];
        int len = snprintf(name, sizeof name, "%06x", i);
        if (fnv(name, (size_t)len) % TABLE >= NEIGHBOURS)
            continue;
        put((uint8_t)len);
        put_text(name, (size_t)len);
        put_text("\0\0", 2);
        made++;
    }
    section_end(at);
    end_with_function();
    CHECK_INT(load(), 0);
    check_cost("exports");
}

/* Few letters and lengths, so that some are the beginning of others and some are equal. */
TEST(names_are_a_set)
{
    enum { ROUNDS = 300, EXPORTS = 40 };
    uint32_t random = 1;
    unsigned refused = 0;
    for (int round = 0; round < ROUNDS; round++) {
        char names[EXPORTS][8];
        uint8_t lens[EXPORTS];
        bool twice = false;
        begin_with_function();
        size_t at = section_begin(7);
        put_number(EXPORTS);
        for (int i = 0; i < EXPORTS; i++) {
            lens[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 29);
            for (int k = 0; k < lens[i]; k++)
                names[i][k] = "\0ab\x7f"[(random = random * 1664525 + 1013904223) >> 30];
            /* In most rounds all but the last differ by their end. */
            if (lens[i] < 7 && round % 4)
                names[i][lens[i]++] = (char)(round % 4 == 1 && i == EXPORTS - 1 ? 3 : i + 3);
            put(lens[i]);
            put_text(names[i], lens[i]);
            put_text("\0\0", 2);
            for (int k = 0; k < i; k++)
                twice |= lens[k] == lens[i] && memcmp(names[k], names[i], lens[i]) == 0;
        }
        section_end(at);
        end_with_function();
        CHECK_INT(load(), twice ? E_INVAL : 0);
        refused += twice;
    }
    printf("# %u of %d refused\n", refused, ROUNDS);
    CHECK(refused > ROUNDS / 10 && refused < ROUNDS * 9 / 10);
}

/* --- types ------------------------------------------------------------------------------ */

static unsigned old_bucket(const uint8_t *params, uint32_t count)
{
    uint32_t h = count * 31;
    for (uint32_t i = 0; i < count; i++)
        h = h * 31 + params[i];
    return (h ^ h >> 7 ^ h >> 14) % 64;
}

TEST(types_that_a_hash_would_keep_together)
{
    static const uint8_t types[] = { ENG_I32, ENG_I64,     ENG_F32,
                                     ENG_F64, ENG_FUNCREF, ENG_EXTERNREF };
    enum { TYPES = 70000, LEN = 9 };
    module_begin();
    size_t at = section_begin(1);
    put_number(TYPES);
    for (uint32_t i = 0, made = 0; made < TYPES; i++) {
        uint8_t params[LEN];
        uint32_t rest = i;
        for (int k = 0; k < LEN; k++, rest /= 6)
            params[k] = types[rest % 6];
        if (old_bucket(params, LEN) != 5)
            continue;
        put(0x60);
        put(LEN);
        put_all(params, LEN);
        put(0);
        made++;
    }
    section_end(at);
    CHECK_INT(load(), 0);
    check_cost("types");
}

/* --- memory ------------------------------------------------------------------------------- */

/* Bodies that are `body` again and again. */
static void repeat_functions(const char *body, uint32_t len, uint32_t count)
{
    module_begin();
    section_of(1, "\1\x60\0\0", 4);
    size_t at = section_begin(3);
    put_number(count);
    for (uint32_t i = 0; i < count; i++)
        put(0);
    section_end(at);
    at = section_begin(10);
    put_number(count);
    for (uint32_t i = 0; i < count; i++) {
        put_number(len);
        put_text(body, len);
    }
    section_end(at);
}

TEST(many_functions)
{
    repeat_functions("\0\x0b", 2, MODULE_MAX / 4);
    CHECK_INT(load(), 0);
    check_cost("small functions");
    /* 50,000 locals each */
    repeat_functions("\1\xd0\x86\3\x7f\x0b", 6, MODULE_MAX / 8);
    CHECK_INT(load(), 0);
    check_cost("functions of many locals");
}

/* One body: `head`, then `part` again and again, then `tail` likewise. */
static void repeat_parts(const char *head, uint32_t head_len, const char *part, uint32_t len,
                         uint32_t count, const char *tail, uint32_t tail_len)
{
    begin_with_function();
    size_t section = section_begin(10);
    put(1);
    size_t body = put_later();
    put_text(head, head_len);
    for (uint32_t i = 0; i < count; i++)
        put_text(part, len);
    for (uint32_t i = 0; i < count; i++)
        put_text(tail, tail_len);
    put(0x0b);
    set_later(body, (uint32_t)(out.len - body - 5));
    section_end(section);
}

TEST(bodies)
{
    repeat_parts("\0", 1, "\x02\x40", 2, 49000, "\x0b", 1);
    CHECK_INT(load(), 0);
    check_cost("nested blocks");
    repeat_parts("\1\1\x7f", 3, "\x20\0", 2, 60000, "\x1a", 1);
    CHECK_INT(load(), 0);
    check_cost("locals on the stack");
    repeat_parts("\0", 1, "\x41\1\x41\1\x6d\x1a", 6, MODULE_MAX / 8, "", 0);
    CHECK_INT(load(), 0);
    check_cost("divisions");
    /* Each block ends a local that waits below all of the constants: they are passed over once. */
    repeat_parts("\1\1\x7f", 3, "\x20\0\x02\x40\x0b\x41\0", 7, 30000, "\x1a\x1a", 2);
    CHECK_INT(load(), 0);
    check_cost("locals and constants below blocks");
}

/* Counts without the things that they promise. */
TEST(promises)
{
    static const struct {
        uint8_t section;
        uint32_t count;
    } promises[] = { { 1, 1000000 }, { 2, 100000 }, { 4, 100000 }, { 6, 1000000 },
                     { 7, 100000 },  { 9, 100000 }, { 11, 100000 } };
    for (size_t i = 0; i < base_countof(promises); i++) {
        char what[32];
        module_begin();
        size_t at = section_begin(promises[i].section);
        put_number(promises[i].count);
        memset(out.bytes + out.len, 0xff, promises[i].count);
        out.len += promises[i].count;
        section_end(at);
        CHECK_INT(load(), E_MALFORMED);
        snprintf(what, sizeof what, "section %u", (unsigned)promises[i].section);
        check_cost(what);
    }
}

/* --- traps ---------------------------------------------------------------------------------- */

/* Functions 0 and 1, which call one another behind many calls of function 2 that do not happen. */
static void large_functions(uint32_t calls)
{
    module_begin();
    section_of(1, "\1\x60\0\0", 4);
    section_of(3, "\3\0\0\0", 4);
    section_of(6, "\1\x7f\1\x41\0\x0b", 6);
    section_of(7, "\1\1f\0\0", 5);
    size_t section = section_begin(10);
    put(3);
    for (uint8_t f = 0; f < 2; f++) {
        size_t body = put_later();
        put_text("\0\x23\0\x04\x40", 5);
        for (uint32_t i = 0; i < calls; i++)
            put_text("\x10\2", 2);
        put_text("\x0b\x10", 2);
        put(!f);
        put(0x0b);
        set_later(body, (uint32_t)(out.len - body - 5));
    }
    put_text("\2\0\x0b", 3);
    section_end(section);
}

struct instance {
    struct embed embed;
    struct eng_module *m;
    struct eng_store *s;
    struct eng_extern f; /* its export of that name */
};

static void begin(struct instance *i, enum eng_tier tier)
{
    struct eng_instance *inst;
    struct eng_error err;
    struct eng_trap trap;
    embed_init(&i->embed, EMBED_CHECK);
    i->embed.env.tier = tier;
    CHECK_INT(eng_module_load(&i->embed.env, span_of(out.bytes, out.len), &i->m, &err), 0);
    CHECK_INT(eng_store_create(&i->embed.env, NULL, &i->s), 0);
    CHECK_INT(eng_instance_create(i->s, i->m, NULL, &inst, &err, &trap), 0);
    CHECK_INT(eng_instance_export(inst, SPAN_LIT("f"), &i->f), 0);
}

static void finish(struct instance *i)
{
    eng_store_destroy(i->s);
    eng_module_free(i->m);
}

static void exhaust_stack(enum eng_tier tier)
{
    struct instance i;
    struct eng_trap trap;
    begin(&i, tier);
    clock_t start = clock();
    CHECK_INT(eng_call(i.f.of.func, NULL, NULL, &trap), 1);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("# a trap below %u frames: %.2f s\n", (unsigned)trap.depth, seconds);
    CHECK_INT(trap.code, ENG_TRAP_STACK_EXHAUSTED);
    CHECK(trap.depth > 10000);
    CHECK(seconds < SECONDS_MAX);
    finish(&i);
}

/* Of each frame that is recorded the offset is looked for in a list of all of its function's. */
TEST(backtrace_of_large_functions)
{
    large_functions(200000);
    exhaust_stack(ENG_TIER_INTERP);
    exhaust_stack(ENG_TIER_BASELINE);
}

/* The same two, which in the end throw, to a third that catches all. */
static void throwing_functions(uint32_t calls, uint32_t depth)
{
    module_begin();
    section_of(1, "\1\x60\0\0", 4);
    section_of(3, "\4\0\0\0\0", 5);
    section_of(13, "\1\0\0", 3);
    size_t section = section_begin(6);
    put_text("\2\x7f\1\x41\0\x0b\x7f\1\x41", 9);
    put_number(depth); /* signed: bit 6 of its last byte is clear */
    put(0x0b);
    section_end(section);
    section_of(7, "\1\1f\0\3", 5);
    section = section_begin(10);
    put(4);
    for (uint8_t f = 0; f < 2; f++) {
        size_t body = put_later();
        put_text("\0\x23\0\x04\x40", 5);
        for (uint32_t i = 0; i < calls; i++)
            put_text("\x10\2", 2);
        put_text("\x0b\x23\1\x41\1\x6b\x24\1\x23\1\x45\x04\x40\x08\0\x0b\x10", 17);
        put(!f);
        put(0x0b);
        set_later(body, (uint32_t)(out.len - body - 5));
    }
    put_text("\2\0\x0b", 3);
    put_text("\x0d\0\2\x40\x1f\x40\1\2\0\x10\0\x0b\x0b\x0b", 14);
    section_end(section);
}

static void throw_far(enum eng_tier tier)
{
    struct instance i;
    struct eng_trap trap;
    begin(&i, tier);
    clock_t start = clock();
    CHECK_INT(eng_call(i.f.of.func, NULL, NULL, &trap), 0);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("# an exception through large frames: %.2f s\n", seconds);
    CHECK(seconds < SECONDS_MAX);
    finish(&i);
}

TEST(exceptions_through_large_functions)
{
    throwing_functions(200000, 4000);
    throw_far(ENG_TIER_INTERP);
    throw_far(ENG_TIER_BASELINE);
}

/* Each entry of a table leaves its block with a thousand values, which the compiler has to move. */
TEST(tables_that_leave_with_many_values)
{
    enum { VALUES = 1000, BLOCKS = 100 };
    module_begin();
    size_t section = section_begin(1);
    put_text("\2\x60\0\0\x60\0", 6);
    put_number(VALUES);
    for (int i = 0; i < VALUES; i++)
        put(0x7e);
    section_end(section);
    section_of(3, "\1\0", 2);
    section_of(7, "\1\1f\0\0", 5);
    section = section_begin(10);
    put(1);
    size_t body = put_later();
    put(0);
    for (int i = 0; i < BLOCKS; i++)
        put_text("\2\1", 2);
    for (int i = 0; i < VALUES; i++)
        put_text("\x42\x80\x80\x80\x80\x80\x80\x80\x80\x0f", 10);
    put_text("\x41\0\x0e", 3);
    put_number(BLOCKS - 1);
    for (uint32_t i = 0; i < BLOCKS; i++)
        put_number(i);
    for (int i = 0; i < BLOCKS; i++)
        put(0x0b);
    for (int i = 0; i < VALUES; i++)
        put(0x1a);
    put(0x0b);
    set_later(body, (uint32_t)(out.len - body - 5));
    section_end(section);
    throw_far(ENG_TIER_INTERP);
    throw_far(ENG_TIER_BASELINE);
}

TEST_MAIN(RUN(names_that_a_hash_would_keep_together) RUN(names_are_a_set)
          RUN(types_that_a_hash_would_keep_together) RUN(many_functions) RUN(bodies)
          RUN(promises) RUN(backtrace_of_large_functions)
              RUN(exceptions_through_large_functions) RUN(tables_that_leave_with_many_values))
