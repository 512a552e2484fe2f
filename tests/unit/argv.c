#include "formats/argv.h"

#include "base/assert.h"
#include "base/err.h"
#include "lib/test.h"

static char memory[256];
static struct span words[8];

/* The words with '|' between them, or the name of the error. */
static const char *split(const char *line)
{
    static char text[512];
    int n = argv_split(span_of_cstr(line), memory, strlen(line), words, base_countof(words));
    if (n < 0)
        return base_err_name(n);
    text[0] = 0;
    for (int i = 0; i < n; i++) {
        strcat(text, i ? "|" : "");
        strncat(text, (const char *)words[i].p, words[i].len);
    }
    return text;
}

TEST(words)
{
    static const struct { const char *line, *words; } cases[] = {
        { "", "" }, { "  \t ", "" }, { "ps", "ps" }, { "  kill   ping ", "kill|ping" },
        { "a 'b c' d", "a|b c|d" }, { "a\"b c\"d", "ab cd" }, { "'' x", "|x" }, { "\"\"", "" },
        { "'a\\'", "a\\" }, { "\"a\\\"b\\\\c\\d\"", "a\"b\\c\\d" }, { "a\\ b c", "a b|c" },
        { "'it'\\''s'", "it's" }, { "caf\xc3\xa9 x", "caf\xc3\xa9|x" },
        { "'open", "malformed" }, { "\"open\\\"", "malformed" }, { "end\\", "malformed" },
        { "1 2 3 4 5 6 7 8", "1|2|3|4|5|6|7|8" }, { "1 2 3 4 5 6 7 8 9", "limit reached" },
    };
    for (size_t i = 0; i < base_countof(cases); i++)
        CHECK_STR(split(cases[i].line), cases[i].words);
}

TEST(empty_word_counts)
{
    CHECK_INT(argv_split(SPAN_LIT("''"), memory, 2, words, 8), 1);
    CHECK_INT(words[0].len, 0);
}

TEST(memory_too_small)
{
    CHECK_INT(argv_split(SPAN_LIT("abc"), memory, 2, words, 8), E_FULL);
    CHECK_INT(argv_split(SPAN_LIT("a"), memory, 0, words, 0), E_LIMIT);
}

TEST_MAIN(RUN(words) RUN(empty_word_counts) RUN(memory_too_small))
