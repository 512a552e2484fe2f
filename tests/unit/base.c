#include "base/arena.h"
#include "base/err.h"
#include "base/ring.h"
#include "base/strbuf.h"
#include "base/utf8.h"
#include "lib/test.h"

static char text[256];

static struct strbuf fresh(size_t cap)
{
    struct strbuf b;
    memset(text, 0, sizeof text);
    strbuf_init(&b, text, cap);
    return b;
}

TEST(strbuf_numbers)
{
    struct strbuf b = fresh(sizeof text - 1);
    strbuf_u64(&b, 0);
    strbuf_char(&b, ' ');
    strbuf_u64(&b, UINT64_MAX);
    strbuf_char(&b, ' ');
    strbuf_i64(&b, INT64_MIN);
    strbuf_char(&b, ' ');
    strbuf_hex(&b, 0xabc, 8);
    CHECK_STR(text, "0 18446744073709551615 -9223372036854775808 00000abc");
}

TEST(strbuf_overflow_drops_the_write_whole)
{
    struct strbuf b = fresh(4);
    strbuf_cstr(&b, "abc");
    strbuf_cstr(&b, "de");
    CHECK(b.overflow);
    CHECK_STR(text, "abc");
}

TEST(strbuf_json_escapes)
{
    struct strbuf b = fresh(sizeof text - 1);
    strbuf_json(&b, SPAN_LIT("a\"\\\n\x01\xff\xc3\xa9"));
    CHECK_STR(text, "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\"");
}

TEST(strbuf_printable_tames_terminals)
{
    struct strbuf b = fresh(sizeof text - 1);
    strbuf_printable(&b, SPAN_LIT("x\x1b[2J\xc2\x9b\ty\xf0"));
    CHECK_STR(text, "x?[2J?\ty?");
}

TEST(strbuf_rfc3339_dates)
{
    struct strbuf b = fresh(sizeof text - 1);
    strbuf_rfc3339(&b, 0);
    CHECK_STR(text, "1970-01-01T00:00:00.000Z");
    b = fresh(sizeof text - 1);
    strbuf_rfc3339(&b, 951827696789); /* leap day of a century year */
    CHECK_STR(text, "2000-02-29T12:34:56.789Z");
    b = fresh(sizeof text - 1);
    strbuf_rfc3339(&b, 4107542399999);
    CHECK_STR(text, "2100-02-28T23:59:59.999Z");
}

TEST(utf8_round_trip_and_refusals)
{
    uint8_t enc[4];
    uint32_t cp;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        unsigned n = utf8_encode(c, enc);
        if (c >= 0xd800 && c <= 0xdfff) {
            CHECK(n == 0);
            continue;
        }
        if (utf8_next(span_of(enc, n), &cp) != n || cp != c)
            CHECK_INT(cp, c);
    }
    CHECK_INT(utf8_encode(0x110000, enc), 0);
    CHECK(!utf8_valid(SPAN_LIT("\xc0\x80")));         /* overlong */
    CHECK(!utf8_valid(SPAN_LIT("\xe0\x9f\xbf")));     /* overlong */
    CHECK(!utf8_valid(SPAN_LIT("\xed\xa0\x80")));     /* surrogate */
    CHECK(!utf8_valid(SPAN_LIT("\xf4\x90\x80\x80"))); /* beyond */
    CHECK(!utf8_valid(SPAN_LIT("\xe2\x82")));         /* truncated */
    CHECK(!utf8_valid(SPAN_LIT("\x80")));
    CHECK(utf8_valid(SPAN_LIT("")));
}

TEST(ring_wraps_and_refuses)
{
    uint8_t mem[8];
    struct ring r;
    ring_init(&r, mem, sizeof mem);
    CHECK_INT(ring_put(&r, SPAN_LIT("abcdef")), 0);
    CHECK_INT(ring_put(&r, SPAN_LIT("ghi")), E_FULL);
    ring_drop(&r, 4);
    CHECK_INT(ring_put(&r, SPAN_LIT("ghijkl")), 0);
    CHECK_INT(r.len, 8);
    struct span s = ring_peek(&r);
    CHECK(span_eq_cstr(s, "efgh"));
    ring_drop(&r, s.len);
    CHECK(span_eq_cstr(ring_peek(&r), "ijkl"));
    ring_drop(&r, 4);
    CHECK_INT(ring_peek(&r).len, 0);
    ring_init(&r, NULL, 0);
    CHECK_INT(ring_put(&r, SPAN_LIT("x")), E_FULL);
    CHECK_INT(ring_put(&r, SPAN_NONE), 0);
}

TEST(arena_bounds)
{
    _Alignas(16) uint8_t mem[64];
    struct arena a;
    arena_init(&a, mem, sizeof mem);
    CHECK(arena_alloc(&a, SIZE_MAX, 2, 1) == NULL);
    CHECK(arena_alloc(&a, SIZE_MAX, 1, 1) == NULL);
    CHECK(arena_alloc(&a, 1, 1, 1) != NULL);
    uint64_t *p = ARENA_ARRAY(&a, uint64_t, 2);
    CHECK(p && (uintptr_t)p % 8 == 0 && p[0] == 0);
    CHECK(ARENA_ARRAY(&a, uint64_t, 8) == NULL);
    size_t mark = arena_mark(&a);
    CHECK(span_eq_cstr(arena_copy(&a, SPAN_LIT("hi")), "hi"));
    arena_release(&a, mark);
    CHECK_INT(a.used, mark);
}

TEST(span_helpers)
{
    struct span s = SPAN_LIT("key=value");
    CHECK_INT(span_find(s, '='), 3);
    CHECK_INT(span_find(s, '!'), 9);
    CHECK(span_eq_cstr(span_skip(s, 4), "value"));
    CHECK_INT(span_skip(s, 99).len, 0);
    CHECK(span_cmp(SPAN_LIT("a"), SPAN_LIT("ab")) < 0);
    CHECK(span_starts(s, SPAN_LIT("key")));
}

/* What does not fit is cut off at a character's boundary, whatever room there is. */
TEST(strbuf_cuts_between_characters)
{
    static const char text[] = "a\xc3\xbc\x1b\xe2\x82\xac\xff" "b\xf0\x9f\x8c\xb1";
    static const char printable[] = "a\xc3\xbc?\xe2\x82\xac?b\xf0\x9f\x8c\xb1";
    static const char json[] = "\"a\xc3\xbc\\u001b\xe2\x82\xac\xef\xbf\xbd" "b\xf0\x9f\x8c\xb1\"";
    char memory[64];
    struct strbuf b;
    for (size_t cap = 0; cap < sizeof memory; cap++) {
        strbuf_init(&b, memory, cap);
        strbuf_printable(&b, span_of_cstr(text));
        CHECK(b.len <= cap && utf8_valid(strbuf_done(&b)));
        CHECK(b.overflow == (cap < sizeof printable - 1));
        CHECK(b.overflow || span_eq_cstr(strbuf_done(&b), printable));
        strbuf_init(&b, memory, cap);
        strbuf_json(&b, span_of_cstr(text));
        CHECK(b.len <= cap && utf8_valid(strbuf_done(&b)));
        CHECK(b.overflow == (cap < sizeof json - 1));
        CHECK(b.overflow || span_eq_cstr(strbuf_done(&b), json));
    }
}

TEST_MAIN(RUN(strbuf_numbers) RUN(strbuf_overflow_drops_the_write_whole) RUN(strbuf_json_escapes)
              RUN(strbuf_printable_tames_terminals) RUN(strbuf_rfc3339_dates)
                  RUN(utf8_round_trip_and_refusals) RUN(ring_wraps_and_refuses) RUN(arena_bounds)
                      RUN(span_helpers) RUN(strbuf_cuts_between_characters))
