/* A stack of any size: what does not fit is a trap, however little is missing. */
#include "base/assert.h"
#include "embed/embed.h"
#include "engine/engine.h"
#include "lib/test.h"

enum { RESULTS = 400, STACK_MIN = 4096, STACK_MAX = 12288 };

static uint8_t *put(uint8_t *p, const void *bytes, size_t len)
{
    memcpy(p, bytes, len);
    return p + len;
}

/* Of two bytes, signed or not. */
static uint8_t *put_number(uint8_t *p, uint32_t n)
{
    p[0] = (uint8_t)(n & 0x7f) | 0x80;
    p[1] = (uint8_t)(n >> 7);
    return p + 2;
}

/* (func (export "f") (result i64 x400) ...), each result its number. */
static size_t make_module(uint8_t *to)
{
    enum { BODY = 1 + RESULTS * 3 + 1 };
    uint8_t *p = put(to, "\0asm\1\0\0\0\1", 9);
    p = put_number(p, 5 + RESULTS);
    p = put_number(put(p, "\1\x60\0", 3), RESULTS);
    memset(p, ENG_I64, RESULTS);
    p = put(p + RESULTS, "\3\2\1\0\7\5\1\1f\0\0\x0a", 12);
    p = put_number(p, 1 + 2 + BODY);
    p = put_number(put(p, "\1", 1), BODY);
    p = put(p, "", 1);
    for (uint32_t i = 0; i < RESULTS; i++)
        p = put_number(put(p, "\x42", 1), i);
    return (size_t)(put(p, "\x0b", 1) - to);
}

/* Calls f with a stack of that size; 0 or the trap's code. */
static int call_with(const struct eng_env *env, const struct eng_module *m, uint32_t stack_bytes)
{
    const struct eng_store_options options = { .stack_bytes = stack_bytes };
    union eng_value results[RESULTS] = { 0 };
    struct eng_store *s;
    struct eng_instance *inst;
    struct eng_extern f;
    struct eng_error err;
    struct eng_trap trap;
    CHECK_INT(eng_store_create(env, &options, &s), 0);
    CHECK_INT(eng_instance_create(s, m, NULL, &inst, &err, &trap), 0);
    CHECK_INT(eng_instance_export(inst, SPAN_LIT("f"), &f), 0);
    int code = eng_call(f.of.func, NULL, results, &trap) ? (int)trap.code : 0;
    CHECK_INT(results[RESULTS - 1].i64, code ? 0 : RESULTS - 1);
    eng_store_destroy(s);
    return code;
}

static void check_sizes(enum eng_tier tier)
{
    uint8_t bytes[2048];
    struct embed embed;
    struct eng_module *m;
    struct eng_error err;
    embed_init(&embed, EMBED_CHECK);
    embed.env.tier = tier;
    CHECK_INT(eng_module_load(&embed.env, span_of(bytes, make_module(bytes)), &m, &err), 0);
    bool fits = false;
    for (uint32_t size = STACK_MIN; size <= STACK_MAX; size += 8) {
        int code = call_with(&embed.env, m, size);
        CHECK(code == 0 || (!fits && code == ENG_TRAP_STACK_EXHAUSTED));
        fits = code == 0;
    }
    CHECK(fits);
    eng_module_free(m);
}

TEST(stacks_of_every_size)
{
    check_sizes(ENG_TIER_INTERP);
    check_sizes(ENG_TIER_BASELINE);
}

TEST_MAIN(RUN(stacks_of_every_size))
