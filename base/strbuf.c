#include "base/strbuf.h"

#include "base/utf8.h"

static const char hex_digits[] = "0123456789abcdef";

void strbuf_init(struct strbuf *b, char *memory, size_t cap)
{
    b->p = memory;
    b->cap = cap;
    b->len = 0;
    b->overflow = false;
}

void strbuf_span(struct strbuf *b, struct span s)
{
    if (s.len > b->cap - b->len) {
        b->overflow = true;
        return;
    }
    if (s.len)
        memcpy(b->p + b->len, s.p, s.len);
    b->len += s.len;
}

void strbuf_cstr(struct strbuf *b, const char *s)
{
    strbuf_span(b, span_of_cstr(s));
}

void strbuf_char(struct strbuf *b, char c)
{
    if (b->len == b->cap)
        b->overflow = true;
    else
        b->p[b->len++] = c;
}

/* As many whole characters of s, well-formed UTF-8, as fit. */
static void put_characters(struct strbuf *b, struct span s)
{
    size_t n = b->cap - b->len;
    if (s.len > n) {
        b->overflow = true;
        while (n && (s.p[n] & 0xc0) == 0x80)
            n--;
    }
    strbuf_span(b, span_take(s, n));
}

void strbuf_u64_pad(struct strbuf *b, uint64_t v, unsigned width)
{
    char digits[20];
    unsigned n = 0;
    do {
        digits[sizeof digits - ++n] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    while (n < width && n < sizeof digits)
        digits[sizeof digits - ++n] = '0';
    strbuf_span(b, span_of(digits + sizeof digits - n, n));
}

void strbuf_u64(struct strbuf *b, uint64_t v)
{
    strbuf_u64_pad(b, v, 1);
}

void strbuf_i64(struct strbuf *b, int64_t v)
{
    if (v < 0)
        strbuf_char(b, '-');
    strbuf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void strbuf_hex(struct strbuf *b, uint64_t v, unsigned width)
{
    char digits[16];
    unsigned n = 0;
    do {
        digits[sizeof digits - ++n] = hex_digits[v & 15];
        v >>= 4;
    } while (v);
    while (n < width && n < sizeof digits)
        digits[sizeof digits - ++n] = '0';
    strbuf_span(b, span_of(digits + sizeof digits - n, n));
}

void strbuf_hex_bytes(struct strbuf *b, struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        strbuf_hex(b, s.p[i], 2);
}

/* Bytes at the beginning of s that are well-formed characters for which is_plain says so.
 * Texts are copied in such runs: a call for each character costs many times the copy. */
static size_t run_length(struct span s, bool (*is_plain)(uint32_t cp))
{
    size_t at = 0;
    uint32_t cp;
    for (unsigned n; (n = utf8_next(span_skip(s, at), &cp)) != 0 && is_plain(cp);)
        at += n;
    return at;
}

static bool is_plain_json(uint32_t cp)
{
    return cp >= 0x20 && cp != '"' && cp != '\\' && cp != 0x7f;
}

static void json_char(struct strbuf *b, uint32_t cp)
{
    switch (cp) {
    case '"': strbuf_cstr(b, "\\\""); return;
    case '\\': strbuf_cstr(b, "\\\\"); return;
    case '\n': strbuf_cstr(b, "\\n"); return;
    case '\r': strbuf_cstr(b, "\\r"); return;
    case '\t': strbuf_cstr(b, "\\t"); return;
    default: break;
    }
    strbuf_cstr(b, "\\u");
    strbuf_hex(b, cp, 4);
}

void strbuf_json(struct strbuf *b, struct span s)
{
    strbuf_char(b, '"');
    while (s.len) {
        size_t n = run_length(s, is_plain_json);
        uint32_t cp;
        put_characters(b, span_take(s, n));
        s = span_skip(s, n);
        if (s.len == 0)
            break;
        n = utf8_next(s, &cp);
        if (n == 0)
            strbuf_cstr(b, "\xef\xbf\xbd");
        else
            json_char(b, cp);
        s = span_skip(s, n ? n : 1);
    }
    strbuf_char(b, '"');
}

static bool is_printable(uint32_t cp)
{
    return (cp >= 0x20 && cp < 0x7f) || cp >= 0xa0 || cp == '\t';
}

void strbuf_printable(struct strbuf *b, struct span s)
{
    while (s.len) {
        size_t n = run_length(s, is_printable);
        uint32_t cp;
        put_characters(b, span_take(s, n));
        s = span_skip(s, n);
        if (s.len == 0)
            break;
        n = utf8_next(s, &cp);
        strbuf_char(b, '?');
        s = span_skip(s, n ? n : 1);
    }
}

/* Days to civil date after Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms": years begin on March 1 so that the leap day comes last. */
void strbuf_rfc3339(struct strbuf *b, uint64_t unix_ms)
{
    uint64_t secs = unix_ms / 1000, day = secs / 86400, sod = secs % 86400;
    uint64_t z = day + 719468, era = z / 146097, doe = z % 146097;
    uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint64_t mp = (5 * doy + 2) / 153;
    uint64_t month = mp < 10 ? mp + 3 : mp - 9;
    strbuf_u64_pad(b, yoe + era * 400 + (month <= 2), 4);
    strbuf_char(b, '-');
    strbuf_u64_pad(b, month, 2);
    strbuf_char(b, '-');
    strbuf_u64_pad(b, doy - (153 * mp + 2) / 5 + 1, 2);
    strbuf_char(b, 'T');
    strbuf_u64_pad(b, sod / 3600, 2);
    strbuf_char(b, ':');
    strbuf_u64_pad(b, sod / 60 % 60, 2);
    strbuf_char(b, ':');
    strbuf_u64_pad(b, sod % 60, 2);
    strbuf_char(b, '.');
    strbuf_u64_pad(b, unix_ms % 1000, 3);
    strbuf_char(b, 'Z');
}
