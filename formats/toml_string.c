/* The four kinds of strings. First the end is found, then the escapes are decoded; a
 * string without escapes is a borrowed piece of the text. */
#include "base/utf8.h"
#include "toml_parser.h"

enum { QUOTES = 3 }; /* that open and close a multi-line string */

/* Where a one-line string's content ends. */
static int find_end(struct toml_parser *p, uint8_t quote, size_t start, size_t *ret)
{
    for (size_t i = start; i < p->text.len; i++) {
        uint8_t c = p->text.p[i];
        if (c == quote) {
            *ret = i;
            return E_OK;
        }
        if (c == '\n')
            break;
        if (c == '\\' && quote == '"')
            i++;
    }
    return TOML_FAIL(p, p->pos, "the string is not closed on its line\n"
                                "text of several lines goes in three quotes");
}

/* Where a multi-line string's content ends. Up to two quotes may touch the closing
 * three, and belong to the content. */
static int find_end_multiline(struct toml_parser *p, uint8_t quote, size_t start, size_t *ret)
{
    for (size_t i = start; i < p->text.len; i++) {
        uint8_t c = p->text.p[i];
        if (c == '\\' && quote == '"') {
            i++;
        } else if (c == quote) {
            size_t run = 1;
            while (run < QUOTES + 2 && i + run < p->text.len && p->text.p[i + run] == quote)
                run++;
            if (run >= QUOTES) {
                *ret = i + run - QUOTES;
                return E_OK;
            }
            i += run - 1;
        }
    }
    return TOML_FAIL(p, p->pos, "the string is not closed\nthree quotes are missing");
}

static int hex_value(uint8_t c)
{
    if (toml_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* \uXXXX and \UXXXXXXXX: i is at the u. Returns how many bytes went to out, or an error. */
static int decode_unicode(struct toml_parser *p, struct span raw, size_t i, uint8_t out[4])
{
    unsigned digits = raw.p[i] == 'u' ? 4 : 8;
    size_t at = (size_t)(raw.p - p->text.p) + i - 1;
    uint32_t cp = 0;
    for (unsigned k = 1; k <= digits; k++) {
        int h = i + k < raw.len ? hex_value(raw.p[i + k]) : -1;
        if (h < 0)
            return TOML_FAIL(p, at, "\\%c takes %u hex digits", digits == 4 ? "u" : "U",
                             (uint64_t)digits);
        cp = cp << 4 | (uint32_t)h;
    }
    unsigned n = utf8_encode(cp, out);
    if (n == 0)
        return TOML_FAIL(p, at, "the escape is not a Unicode character");
    return (int)n;
}

static uint8_t simple_escape(uint8_t c)
{
    switch (c) {
    case 'b': return '\b';
    case 't': return '\t';
    case 'n': return '\n';
    case 'f': return '\f';
    case 'r': return '\r';
    case '"': return '"';
    case '\\': return '\\';
    default: return 0;
    }
}

/* A backslash before the end of a line swallows all white space that follows. Returns
 * the number of bytes swallowed, i being the one after the backslash; 0 when this is
 * no such backslash. */
static size_t line_ending(struct span raw, size_t i)
{
    size_t k = i;
    bool newline = false;
    while (k < raw.len && (raw.p[k] == ' ' || raw.p[k] == '\t' || raw.p[k] == '\n' ||
                           raw.p[k] == '\r')) {
        newline = newline || raw.p[k] == '\n';
        k++;
    }
    return newline ? k - i : 0;
}

static int decode(struct toml_parser *p, struct span raw, bool multiline, struct span *ret)
{
    /* No escape is shorter than what it stands for. */
    uint8_t *out = arena_alloc(p->arena, raw.len, 1, 1);
    size_t n = 0;
    if (!out)
        return TOML_FAIL_AS(p, E_NOMEM, p->pos, "the text has too many values");
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.p[i] != '\\') {
            out[n++] = raw.p[i];
            continue;
        }
        i++; /* there is one: find_end never ends on a lone backslash */
        uint8_t c = raw.p[i], plain = simple_escape(c);
        size_t swallowed = multiline ? line_ending(raw, i) : 0;
        if (plain) {
            out[n++] = plain;
        } else if (c == 'u' || c == 'U') {
            int len = decode_unicode(p, raw, i, out + n);
            if (len < 0)
                return len;
            n += (size_t)len;
            i += c == 'u' ? 4 : 8;
        } else if (swallowed) {
            i += swallowed - 1;
        } else {
            return TOML_FAIL(p, (size_t)(raw.p - p->text.p) + i - 1,
                             "unknown escape in the string\n"
                             "a backslash is written \\\\, or use 'single quotes'");
        }
    }
    *ret = span_of(out, n);
    return E_OK;
}

int toml_read_string(struct toml_parser *p, bool multiline_allowed, struct span *ret)
{
    uint8_t quote = toml_peek(p, 0);
    bool multiline = toml_peek(p, 1) == quote && toml_peek(p, 2) == quote;
    size_t start = p->pos + (multiline ? QUOTES : 1), end = 0;
    if (multiline && !multiline_allowed)
        return TOML_FAIL(p, p->pos, "a key cannot be a multi-line string");
    if (multiline && start < p->text.len && p->text.p[start] == '\r')
        start++; /* check_characters has seen the line feed after it */
    if (multiline && start < p->text.len && p->text.p[start] == '\n')
        start++;
    int err = multiline ? find_end_multiline(p, quote, start, &end)
                        : find_end(p, quote, start, &end);
    if (err)
        return err;
    struct span raw = span_of(p->text.p + start, end - start);
    if (quote == '"' && span_find(raw, '\\') < raw.len)
        err = decode(p, raw, multiline, ret);
    else
        *ret = raw;
    if (!err)
        p->pos = end + (multiline ? QUOTES : 1);
    return err;
}
