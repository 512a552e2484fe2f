#include "formats/json.h"

#include "base/assert.h"
#include "base/err.h"
#include "lib/test.h"

static uint8_t memory[256 * 1024];
static struct arena arena;
static const struct json_value *root;
static struct format_error err;

static int parse_span(struct span text)
{
    arena_init(&arena, memory, sizeof memory);
    memset(&err, 0, sizeof err);
    return json_parse(text, &arena, &root, &err);
}

static int parse(const char *text)
{
    return parse_span(span_of_cstr(text));
}

TEST(every_kind)
{
    CHECK_INT(parse(" {\"n\":null,\"t\":true,\"f\":false,\"i\":-12,\"r\":1.5e2,\"s\":\"x\","
                    "\"a\":[1,[],{}],\"o\":{\"k\":\"v\"}}\r\n"), 0);
    CHECK_INT(root->as.items.count, 8);
    CHECK_INT(json_get(root, "n")->type, JSON_NULL);
    CHECK(json_get(root, "t")->as.boolean && !json_get(root, "f")->as.boolean);
    CHECK_INT(json_get(root, "i")->as.integer, -12);
    CHECK(json_get(root, "r")->as.real == 150.0);
    CHECK_INT(json_get(root, "a")->as.items.count, 3);
    CHECK(span_eq_cstr(json_get_string(json_get(root, "o"), "k"), "v"));
    CHECK_INT(json_get_string(root, "i").len, 0);
    CHECK(json_get(root, "none") == NULL && json_get(NULL, "x") == NULL);
    CHECK(json_first(json_get(root, "i")) == NULL);
    CHECK(json_first(json_get(root, "a"))->next->type == JSON_ARRAY);
    CHECK_INT(parse("3"), 0);
    CHECK_INT(root->as.integer, 3);
}

TEST(strings)
{
    static const struct { const char *text, *value; } cases[] = {
        { "\"\"", "" }, { "\"a/b\"", "a/b" }, { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t" },
        { "\"\\u0041\\u00e9\\u20AC\"", "A\xc3\xa9\xe2\x82\xac" },
        { "\"\\ud83d\\uDE00\"", "\xf0\x9f\x98\x80" }, { "\"\xf0\x9f\x98\x80\x7f\"", "\xf0\x9f\x98\x80\x7f" },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK_INT(parse(cases[i].text), 0);
        CHECK(span_eq_cstr(root->as.string, cases[i].value));
    }
    CHECK_INT(parse("\"a\\u0000b\""), 0);
    CHECK_INT(root->as.string.len, 3);
}

TEST(numbers)
{
    static const char *const reals[] = { "1.0", "-0.0", "1e3", "1E-3", "0.1", "18446744073709551616",
                                         "9223372036854775808", "1.7976931348623157e308", "1e-400" };
    for (size_t i = 0; i < base_countof(reals); i++) {
        CHECK_INT(parse(reals[i]), 0);
        CHECK_INT(root->type, JSON_REAL);
        double want = strtod(reals[i], NULL);
        CHECK(memcmp(&root->as.real, &want, sizeof want) == 0);
    }
    CHECK_INT(parse("-9223372036854775808"), 0);
    CHECK(root->type == JSON_INTEGER && root->as.integer == INT64_MIN);
    CHECK_INT(parse("-0"), 0);
    CHECK_INT(root->type, JSON_INTEGER);
}

TEST(refusals)
{
    static const struct { const char *text, *message; int code; } cases[] = {
        { "", "a value is expected here", 0 }, { "[1,]", "a value is expected here", 0 },
        { "[,1]", "a value is expected here", 0 }, { "{\"a\":}", "a value is expected here", 0 },
        { "nul", "a value is expected here", 0 }, { "NaN", "a value is expected here", 0 },
        { "+1", "a value is expected here", 0 }, { ".5", "a value is expected here", 0 },
        { "'a'", "a value is expected here", 0 }, { "\xef\xbb\xbf" "1", "a value is expected here", 0 },
        { "truex", "nothing may follow the value", 0 }, { "1 2", "nothing may follow the value", 0 },
        { "[1 2]", "',' or ']' is expected here", 0 }, { "[1", "',' or ']' is expected here", 0 },
        { "{\"a\":1]", "',' or '}' is expected here", 0 },
        { "{a:1}", "a key in quotes is expected here", 0 },
        { "{\"a\":1,}", "a key in quotes is expected here", 0 },
        { "{\"a\" 1}", "':' is expected after the key", 0 },
        { "{\"a\":1,\"\\u0061\":2}", "key 'a' is given twice", 0 },
        { "01", "'01' is not a number", 0 }, { "1.", "'1.' is not a number", 0 },
        { "1e", "'1e' is not a number", 0 }, { "-", "'-' is not a number", 0 },
        { "1e400", "'1e400' is too large", E_RANGE },
        { "\"a", "the string is not closed", 0 }, { "\"\\\"", "the string is not closed", 0 },
        { "\"\\", "the string is not closed", 0 },
        { "\"\t\"", "a control character in a string", 0 }, { "\"\xff\"", "the text is not UTF-8 here", 0 },
        { "\"\\x\"", "not a valid escape", 0 }, { "\"\\u12g4\"", "not a valid escape", 0 },
        { "\"\\ud800\"", "not a valid escape", 0 }, { "\"\\udc00\"", "not a valid escape", 0 },
        { "\"\\ud800\\u0041\"", "not a valid escape", 0 }, { "\"\\ud800\\\"", "the string is not closed", 0 },
        { "\"\\\xc3\xa9\"", "not a valid escape", 0 },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK_INT(parse(cases[i].text), cases[i].code ? cases[i].code : E_MALFORMED);
        CHECK_STR(err.message, cases[i].message);
    }
    CHECK_INT(parse_span(span_of("1\0", 2)), E_MALFORMED);
    CHECK_INT(parse("{\n \"a\": tru}"), E_MALFORMED);
    CHECK_INT(err.line * 100 + err.column, 207);
}

TEST(bounds)
{
    char text[16384];
    memset(text, '[', sizeof text);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    CHECK_INT(parse_span(span_of(text, 2 * JSON_DEPTH_MAX)), 0);
    memset(text, '[', sizeof text);
    CHECK_INT(parse_span(span_of(text, sizeof text)), E_LIMIT);
    memset(text, '1', sizeof text);
    CHECK_INT(parse_span(span_of(text, JSON_NUMBER_MAX)), 0);
    CHECK_INT(parse_span(span_of(text, JSON_NUMBER_MAX + 1)), E_LIMIT);
    size_t n = 1;
    text[0] = '{';
    for (int i = 0; i <= JSON_KEYS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "\"%x\":1,", i);
    CHECK_INT(parse_span(span_of(text, n)), E_LIMIT);
    for (size_t size = 0; size < 512; size++) {
        arena_init(&arena, memory, size);
        int status = json_parse(SPAN_LIT("{\"\\n\":[1,\"\\t\"]}"), &arena, &root, &err);
        CHECK(status == 0 || (status == E_NOMEM && size < 400));
    }
}

/* What base/strbuf.h writes comes back the same. */
TEST(round_trip_of_strings)
{
    char text[2048];
    uint8_t all[256];
    struct strbuf b;
    for (int i = 0; i < 128; i++)
        all[i] = (uint8_t)i;
    strbuf_init(&b, text, sizeof text);
    strbuf_json(&b, span_of(all, 128));
    CHECK_INT(parse_span(strbuf_done(&b)), 0);
    CHECK(span_eq(root->as.string, span_of(all, 128)));
}

TEST_MAIN(RUN(every_kind) RUN(strings) RUN(numbers) RUN(refusals) RUN(bounds)
              RUN(round_trip_of_strings))
