/* The TOML reader: what the toml-test suite (tests/formats/toml-suite) does not look
 * at, which is places, messages, bounds and memory, and enough of the language to
 * stand alone. */
#include "formats/toml.h"

#include "base/err.h"
#include "lib/test.h"

static uint8_t memory[256 * 1024];
static struct arena arena;
static struct toml_doc doc;
static struct format_error err;

static int parse_with(const char *text, unsigned flags)
{
    arena_init(&arena, memory, sizeof memory);
    memset(&err, 0, sizeof err);
    return toml_parse(span_of_cstr(text), flags, &arena, &doc, &err);
}

static int parse(const char *text)
{
    return parse_with(text, 0);
}

/* The value at a dotted path of bare keys. */
static const struct toml_value *at(const char *path)
{
    const struct toml_value *v = doc.root;
    char key[64];
    while (v && *path) {
        size_t n = strcspn(path, ".");
        memcpy(key, path, n);
        key[n] = 0;
        v = toml_get(v, key);
        path += n + (path[n] == '.');
    }
    return v;
}

static const char *error_text(void)
{
    static char text[512];
    struct strbuf b;
    memset(text, 0, sizeof text);
    strbuf_init(&b, text, sizeof text - 1);
    format_error_write(&b, SPAN_LIT("t"), &err);
    return text;
}

TEST(integers)
{
    static const struct { const char *text; int64_t value; } cases[] = {
        { "0", 0 }, { "+0", 0 }, { "-0", 0 }, { "42", 42 }, { "-17", -17 }, { "1_000", 1000 },
        { "5_3_4", 534 }, { "0xDEADbeef", 0xdeadbeef }, { "0xdead_beef", 0xdeadbeef },
        { "0o755", 493 }, { "0b1101", 13 }, { "9223372036854775807", INT64_MAX },
        { "-9223372036854775808", INT64_MIN }, { "0x7fffffffffffffff", INT64_MAX },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        char text[64];
        snprintf(text, sizeof text, "k = %s", cases[i].text);
        CHECK_INT(parse(text), 0);
        CHECK_INT(at("k")->type, TOML_INTEGER);
        CHECK_INT(at("k")->as.integer, cases[i].value);
    }
}

/* strtod of the C library that tests run on is correctly rounded. */
TEST(floats_are_correctly_rounded)
{
    static const char *const cases[] = {
        "0.0", "-0.0", "1.0", "+1.5", "3.1415", "-0.01", "5e+22", "1e06", "-2E-2", "6.626e-34",
        "1e22", "1e23", "9007199254740993.0", "9007199254740992.5", "2.2250738585072011e-308",
        "2.2250738585072014e-308", "4.9e-324", "2.4703282292062327e-324",
        "2.4703282292062328e-324", "1.7976931348623157e308", "1.7976931348623158e308",
        "123456789012345678901234567890.0", "0.1", "0.3", "1e-400", "8.5e-322", "1e308",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000001",
        "179769313486231570814527423731704356798070567525844996598917476803157260780028538760.0",
        "7.0e-10", "1e0_1", "6.0221_4076e23",
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        char text[160], plain[160], *out = plain;
        snprintf(text, sizeof text, "k = %s", cases[i]);
        for (const char *c = cases[i]; *c; c++)
            if (*c != '_')
                *out++ = *c;
        *out = 0;
        CHECK_INT(parse(text), 0);
        CHECK_INT(at("k")->type, TOML_FLOAT);
        double want = strtod(plain, NULL);
        if (memcmp(&at("k")->as.real, &want, sizeof want) != 0)
            printf("# %s: %.17g, expected %.17g\n", cases[i], at("k")->as.real, want);
        CHECK(memcmp(&at("k")->as.real, &want, sizeof want) == 0);
    }
    CHECK_INT(parse("a = inf\nb = -inf\nc = nan\nd = +inf\ne = -nan"), 0);
    CHECK(at("a")->as.real > 1e308 && at("b")->as.real < -1e308);
    CHECK(at("c")->as.real != at("c")->as.real && at("e")->as.real != at("e")->as.real);
}

TEST(floats_by_chance)
{
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 3000; i++) {
        char text[160];
        double want, got;
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(&want, &x, sizeof want);
        if (want != want || want - want != 0)
            continue;
        int n = snprintf(text, sizeof text, "k = %.*e", 16 + i % 12, want);
        CHECK(n > 0 && (size_t)n < sizeof text);
        CHECK_INT(parse(text), 0);
        got = at("k")->as.real;
        want = strtod(text + 4, NULL);
        CHECK(memcmp(&got, &want, sizeof got) == 0);
    }
}

TEST(strings)
{
    static const struct { const char *text, *value; } cases[] = {
        { "\"\"", "" },
        { "\"a\\tb\\n\\\"\\\\ \\b\\f\\r\"", "a\tb\n\"\\ \b\f\r" },
        { "\"\\u00e9\\U0001F600\"", "\xc3\xa9\xf0\x9f\x98\x80" },
        { "'C:\\no\\escapes'", "C:\\no\\escapes" },
        { "\"\"\"\nfirst\nsecond\"\"\"", "first\nsecond" },
        { "\"\"\"\r\nfirst\"\"\"", "first" },
        { "\"\"\"a \\\n   \t\n  b\"\"\"", "a b" },
        { "\"\"\"\\\n\"\"\"", "" },
        { "\"\"\"\"\"\"", "" },
        { "\"\"\"\"two quotes\"\"\"\"\"", "\"two quotes\"\"" },
        { "\"\"\"x\\\"\"\"\"", "x\"" },
        { "'''\nI'm '''", "I'm " },
        { "'''''x'''''", "''x''" },
        { "'''\\'''", "\\" },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        char text[128];
        snprintf(text, sizeof text, "k = %s # c", cases[i].text);
        CHECK_INT(parse(text), 0);
        if (at("k") && !span_eq_cstr(at("k")->as.string, cases[i].value))
            CHECK_STR(cases[i].text, cases[i].value);
    }
    CHECK_INT(parse("k = \"plain\""), 0);
    CHECK(at("k")->as.string.p == doc.text.p + 5); /* borrowed, not copied */
}

TEST(dates)
{
    CHECK_INT(parse("a = 1979-05-27T00:32:00.999999-07:00\nb = 2000-02-29 07:32:00z\n"
                    "c = 1979-05-27t07:32:60\nd = 2400-02-29\ne = 23:59:59.1234567899"), 0);
    const struct toml_datetime *d = &at("a")->as.datetime;
    CHECK_INT(at("a")->type, TOML_OFFSET_DATETIME);
    CHECK_INT(d->year, 1979);
    CHECK_INT(d->nanosecond, 999999000);
    CHECK_INT(d->offset_minutes, -420);
    CHECK_INT(at("b")->type, TOML_OFFSET_DATETIME);
    CHECK_INT(at("b")->as.datetime.day, 29);
    CHECK_INT(at("c")->type, TOML_LOCAL_DATETIME);
    CHECK_INT(at("d")->type, TOML_LOCAL_DATE);
    CHECK_INT(at("e")->type, TOML_LOCAL_TIME);
    CHECK_INT(at("e")->as.datetime.nanosecond, 123456789);
}

TEST(tables_and_arrays)
{
    CHECK_INT(parse("top = [1, \"two\", [3.0, {x.y = 4}], # comment\n ]\n"
                    "[a.b]\nc.d = 1\nc.e = 2\n[a]\nf = {g = [], h.i = true}\n"
                    "[[p.q]]\nn = 1\n[p.q.sub]\nm = 1\n[[p.q]]\nn = 2\n"
                    "[a.b.c.deeper]\n\"\" = 'empty key'\n'quoted.key' = 1"), 0);
    CHECK_INT(at("top")->as.items.count, 3);
    CHECK_INT(at("a.b.c.e")->as.integer, 2);
    CHECK(at("a.f.h.i")->as.boolean);
    CHECK_INT(at("p.q")->as.items.count, 2);
    CHECK_INT(toml_get(toml_first(at("p.q"))->next, "n")->as.integer, 2);
    CHECK_INT(at("a.b.c.deeper")->as.items.count, 2);
    CHECK(toml_first(at("a.f.g")) == NULL && toml_get(NULL, "x") == NULL);
}

TEST(bytes_between_tokens)
{
    CHECK_INT(parse(""), 0);
    CHECK_INT(parse("\xef\xbb\xbf# mark\r\n\t a \t=\t1 # c\r\n\r\n[ t . 'u' ] # c\nb=2"), 0);
    CHECK_INT(at("t.u.b")->as.integer, 2);
    CHECK_INT(parse("# no newline at the end"), 0);
}

/* Every refusal names its place and says what is wrong. */
TEST(refusals)
{
    static const struct { const char *text, *message; int code; } cases[] = {
        { "a = 1\nb = 2\na = 3", "t:3:1: key 'a' is defined twice; first defined on line 1", 0 },
        { "[x]\n[y]\n[x]", "t:3:2: table 'x' is defined twice; first defined on line 1", 0 },
        { "a.b = 1\na.b.c = 2", "t:2:3: 'b' is an integer, not a table; defined on line 1", 0 },
        { "a = {b = 1}\na.c = 2", "t:2:1: the inline table 'a' cannot be added to; it is closed at "
                                  "its '}' on line 1", 0 },
        { "a = {b = 1}\n[a.c]", "t:2:2: the inline table 'a' cannot be added to; it is closed at "
                                "its '}' on line 1", 0 },
        { "a = [1]\n[[a]]", "t:2:3: the array 'a' cannot be added to; it is closed at its ']'; "
                            "defined on line 1", 0 },
        { "[a.b]\n[a]\nb.c = 1", "t:3:1: a dotted key cannot add to 'b'; it has a header of its "
                                 "own on line 1", 0 },
        { "[[a.b]]\n[a]\nb.y = 2", "t:3:1: a dotted key cannot add to 'b'; it has a header of its "
                                   "own on line 1", 0 },
        { "a.b.c = 1\n[a.b]", "t:2:4: table 'b' is defined twice; first defined on line 1", 0 },
        { "[a]\n[[a]]", "t:2:3: table 'a' is defined twice; first defined on line 1", 0 },
        { "\xc3\xa9 = 1", "t:1:1: a bare key has only letters, digits, '_' and '-'; put it in "
                          "quotes", 0 },
        { "k = \"\xc3\xa9\" x", "t:1:9: the line should end here; one key or header a line", 0 },
        { "k = yes", "t:1:5: 'yes' is not a value; text goes in quotes: \"yes\"", 0 },
        { "k = ", "t:1:5: a value is expected here", 0 },
        { "k", "t:1:2: '=' is expected after the key", 0 },
        { "= 1", "t:1:1: a key is expected here", 0 },
        { "k = 012", "t:1:5: '012' is not a number; numbers do not begin with 0; octal is 0o17",
          0 },
        { "k = 1_", "t:1:5: '1_' is not a number", 0 },
        { "k = 1.", "t:1:5: '1.' is not a number; digits are needed on both sides of '.' and after "
                    "'e'", 0 },
        { "k = 0xZZ", "t:1:5: '0xZZ' is not a number; 0x takes hex digits", 0 },
        { "k = 9223372036854775808", "t:1:5: '9223372036854775808' does not fit in 64 bits",
          E_RANGE },
        { "k = 1e400", "t:1:5: '1e400' does not fit in 64 bits", E_RANGE },
        { "k = 2023-02-29", "t:1:5: '2023-02-29' is not a valid date or time; like 2026-02-28, "
                            "07:32:00 or 2026-02-28T07:32:00Z", 0 },
        { "k = 24:00:00", "t:1:5: '24:00:00' is not a valid date or time; like 2026-02-28, 07:32:00 "
                          "or 2026-02-28T07:32:00Z", 0 },
        { "k = \"a\nb\"", "t:1:5: the string is not closed on its line; text of several lines goes "
                          "in three quotes", 0 },
        { "k = \"\"\"a", "t:1:5: the string is not closed; three quotes are missing", 0 },
        { "k = \"a\\qb\"", "t:1:7: unknown escape in the string; a backslash is written \\\\, or "
                           "use 'single quotes'", 0 },
        { "k = \"\\ud800\"", "t:1:6: the escape is not a Unicode character", 0 },
        { "k = \"\\u12\"", "t:1:6: \\u takes 4 hex digits", 0 },
        { "\"\"\"k\"\"\" = 1", "t:1:1: a key cannot be a multi-line string", 0 },
        { "k = [1 2]", "t:1:8: ',' or ']' is expected in the array", 0 },
        { "k = [1,\n", "t:1:5: the array is not closed; a ']' is missing", 0 },
        { "k = {a = 1,}", "t:1:12: an inline table has no comma after its last value", 0 },
        { "k = {a = 1\n}", "t:1:11: ',' or '}' is expected in the inline table; an inline table "
                           "stays on one line", 0 },
        { "[a", "t:1:3: ']' is expected here to close the header", 0 },
        { "[[a]", "t:1:4: ']]' is expected here to close the header", 0 },
        { "a = 1\rb = 2", "t:1:6: a carriage return without a line feed", 0 },
        { "# \x01", "t:1:3: control character 1 is not allowed; in a \"string\", write it as \\u "
                    "and four hex digits", 0 },
        { "a = \"\xff\"", "t:1:6: the text is not UTF-8 here", 0 },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK_INT(parse(cases[i].text), cases[i].code ? cases[i].code : E_MALFORMED);
        CHECK_STR(error_text(), cases[i].message);
    }
}

TEST(bounds)
{
    char text[8192];
    size_t n = 0;
    for (int i = 0; i < TOML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, i ? "[" : "k = [");
    for (int i = 0; i < TOML_DEPTH_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "]");
    CHECK_INT(parse(text), 0);
    memset(text, '[', sizeof text - 1);
    memcpy(text, "k = ", 4);
    text[sizeof text - 1] = 0;
    CHECK_INT(parse(text), E_LIMIT);

    n = (size_t)snprintf(text, sizeof text, "a");
    for (int i = 0; i < TOML_KEY_PARTS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, ".a");
    snprintf(text + n, sizeof text - n, " = 1");
    CHECK_INT(parse(text), E_LIMIT);

    n = 0;
    for (int i = 0; i <= TOML_TABLE_KEYS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%x=1\n", i);
    CHECK_INT(parse(text), E_LIMIT);
    CHECK_INT(err.line, TOML_TABLE_KEYS_MAX + 1);

    memset(text, '1', TOML_NUMBER_MAX + 8);
    memcpy(text, "k=0.", 4);
    text[TOML_NUMBER_MAX + 8] = 0;
    CHECK_INT(parse(text), E_LIMIT);

    static char longer[TOML_TEXT_MAX + 2];
    memset(longer, '\n', sizeof longer - 1);
    CHECK_INT(parse(longer), E_LIMIT);
    CHECK_STR(error_text(), "t: the text is longer than 1048576 bytes");
}

/* Whatever the size of the arena, a document parses or is refused for memory. */
TEST(every_size_of_arena)
{
    static const char text[] = "a = [1, {b = \"\\n\"}]\n[c.d]\n[[e]]\n[[e]]\nf.g.h = 1";
    bool done = false;
    for (size_t size = 0; size < 4096; size++) {
        arena_init(&arena, memory, size);
        int status = toml_parse(span_of_cstr(text), 0, &arena, &doc, &err);
        CHECK(status == (done ? 0 : E_NOMEM) || (status == 0 && !done));
        done = status == 0;
    }
    CHECK(done);
}

TEST(refined_booleans)
{
    CHECK_INT(parse("[c]\nn = true\n[c.n]\np = 1"), E_MALFORMED);
    CHECK_INT(parse_with("[c]\nn = true\n[c.n]\np = 1", TOML_REFINE), 0);
    CHECK_INT(at("c.n")->type, TOML_TABLE);
    CHECK(at("c.n")->refined && at("c.n")->refined_value);
    CHECK_INT(at("c.n.p")->as.integer, 1);
    CHECK_INT(parse_with("[c.n]\np = 1\n[c]\nn = false", TOML_REFINE), 0);
    CHECK(at("c.n")->refined && !at("c.n")->refined_value);
    CHECK_INT(parse_with("[c.n]\n[c]\nn = 1", TOML_REFINE), E_MALFORMED);
    CHECK_STR(error_text(), "t:3:5: table 'n' is defined twice; first defined on line 1");
    CHECK_INT(parse_with("[c.n]\n[c]\nn = true\nn = true", TOML_REFINE), E_MALFORMED);
    CHECK_INT(parse_with("[c]\nn = true\n[c.n]\n[c.n]", TOML_REFINE), E_MALFORMED);
}

TEST(long_texts_in_errors_are_cut_at_characters)
{
    char text[2048] = "k = ";
    for (int i = 0; i < 500; i++)
        strcat(text, "\xc3\xa9");
    CHECK_INT(parse(text), E_MALFORMED);
    CHECK(strlen(err.message) < FORMAT_MESSAGE_MAX && strlen(err.message) > 150);
    CHECK((unsigned char)err.message[strlen(err.message) - 1] != 0xc3);
}

TEST_MAIN(RUN(integers) RUN(floats_are_correctly_rounded) RUN(floats_by_chance) RUN(strings)
              RUN(dates) RUN(tables_and_arrays) RUN(bytes_between_tokens) RUN(refusals) RUN(bounds)
                  RUN(every_size_of_arena) RUN(refined_booleans)
                      RUN(long_texts_in_errors_are_cut_at_characters))
