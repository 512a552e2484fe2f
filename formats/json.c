#include "formats/json.h"

#include "base/err.h"
#include "base/utf8.h"
#include "decimal.h"

_Static_assert((int)JSON_NUMBER_MAX <= (int)DECIMAL_DIGITS_MAX, "every number converts exactly");

struct parser {
    struct span text;
    size_t pos; /* invariant: pos <= text.len */
    struct arena *arena;
    struct format_error *err;
    struct json_value *open; /* the innermost array or object that is not closed */
    unsigned depth;
};

#define FAIL_AS(p, code, at, ...)                                                               \
    (format_where((p)->text, (uint32_t)(at), &(p)->err->line, &(p)->err->column),               \
     format_error_fail((p)->err, (code), (p)->err->line, (p)->err->column, __VA_ARGS__))
#define FAIL(p, at, ...) FAIL_AS(p, E_MALFORMED, at, __VA_ARGS__)

/* The byte at pos; 0 at the end. A NUL in the text is no part of JSON either. */
static uint8_t peek(const struct parser *p)
{
    return p->pos < p->text.len ? p->text.p[p->pos] : 0;
}

static void skip_space(struct parser *p)
{
    while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r')
        p->pos++;
}

static int fail_memory(struct parser *p)
{
    return FAIL_AS(p, E_NOMEM, p->pos, "the text has too many values");
}

/* --- strings ---------------------------------------------------------------------- */

/* Leaves pos behind the closing quote; *ret is what stands between. */
static int find_end(struct parser *p, struct span *ret, bool *ret_escapes)
{
    size_t start = ++p->pos;
    *ret_escapes = false;
    for (;;) {
        uint32_t cp;
        unsigned n = utf8_next(span_skip(p->text, p->pos), &cp);
        if (p->pos >= p->text.len)
            return FAIL(p, start - 1, "the string is not closed");
        if (n == 0)
            return FAIL(p, p->pos, "the text is not UTF-8 here");
        if (cp < 0x20)
            return FAIL(p, p->pos, "a control character in a string\nwrite it as \\u and four hex "
                                   "digits");
        if (cp == '"')
            break;
        if (cp == '\\') {
            *ret_escapes = true;
            p->pos++; /* what is escaped is looked at again when it is decoded */
            if (p->pos < p->text.len && p->text.p[p->pos] < 0x80)
                p->pos++;
        } else {
            p->pos += n;
        }
    }
    *ret = span_of(p->text.p + start, p->pos - start);
    p->pos++;
    return E_OK;
}

/* Four hex digits at i, or -1. */
static int32_t hex4(struct span s, size_t i)
{
    int32_t n = 0;
    for (size_t k = i; k < i + 4; k++) {
        uint8_t c = k < s.len ? s.p[k] : 0, lower = c | 0x20;
        int d = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
        if (d < 0)
            return -1;
        n = n << 4 | d;
    }
    return n;
}

/* \uXXXX, or two of them for a character beyond U+FFFF; i is behind the u. The number of
 * bytes of raw used, 0 when it is no character. */
static size_t decode_unicode(struct span raw, size_t i, uint8_t *out, size_t *n)
{
    int32_t hi = hex4(raw, i);
    uint32_t cp = (uint32_t)hi;
    size_t used = 4;
    if (hi < 0)
        return 0;
    if (hi >= 0xd800 && hi < 0xdc00) {
        bool second = i + 6 <= raw.len && raw.p[i + 4] == '\\' && raw.p[i + 5] == 'u';
        int32_t lo = second ? hex4(raw, i + 6) : -1;
        if (lo < 0xdc00 || lo >= 0xe000)
            return 0;
        cp = 0x10000u + ((uint32_t)(hi - 0xd800) << 10) + (uint32_t)(lo - 0xdc00);
        used = 10;
    }
    uint8_t enc[4];
    unsigned len = utf8_encode(cp, enc);
    memcpy(out + *n, enc, len);
    *n += len;
    return len ? used : 0;
}

static uint8_t simple_escape(uint8_t c)
{
    switch (c) {
    case '"': case '\\': case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

static int decode(struct parser *p, struct span raw, struct span *ret)
{
    /* No escape is shorter than what it stands for. */
    uint8_t *out = arena_alloc(p->arena, raw.len, 1, 1);
    size_t n = 0;
    if (!out)
        return fail_memory(p);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.p[i] != '\\') {
            out[n++] = raw.p[i];
            continue;
        }
        uint8_t c = ++i < raw.len ? raw.p[i] : 0, plain = simple_escape(c);
        size_t used = plain ? 0 : c == 'u' ? decode_unicode(raw, i + 1, out, &n) : 0;
        if (plain)
            out[n++] = plain;
        else if (used == 0)
            return FAIL(p, (size_t)(raw.p - p->text.p) + i - 1, "not a valid escape");
        i += used;
    }
    *ret = span_of(out, n);
    return E_OK;
}

static int read_string(struct parser *p, struct span *ret)
{
    struct span raw;
    bool escapes;
    int err = find_end(p, &raw, &escapes);
    if (err)
        return err;
    if (escapes)
        return decode(p, raw, ret);
    *ret = raw;
    return E_OK;
}

/* --- numbers ----------------------------------------------------------------------- */

struct number {
    uint8_t digits[JSON_NUMBER_MAX];
    size_t count;
    int64_t exponent;
    bool negative, whole;
};

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *at, into n when they belong to the mantissa. How many. */
static size_t take_digits(struct span s, size_t *at, struct number *n)
{
    size_t start = *at;
    for (; *at < s.len && is_digit(s.p[*at]); ++*at)
        n->digits[n->count++] = s.p[*at] - '0';
    return *at - start;
}

static bool take_exponent(struct span s, size_t *at, struct number *n)
{
    int64_t e = 0;
    size_t start;
    bool minus = *at < s.len && s.p[*at] == '-';
    if (minus || (*at < s.len && s.p[*at] == '+'))
        ++*at;
    for (start = *at; *at < s.len && is_digit(s.p[*at]); ++*at)
        e = e > 9999 ? 99999 : e * 10 + (s.p[*at] - '0');
    n->exponent += minus ? -e : e;
    return *at > start;
}

/* Does all of s have the grammar of a number? */
static bool split_number(struct span s, struct number *n)
{
    size_t at = 0;
    memset(n, 0, sizeof *n);
    n->whole = true;
    n->negative = s.p[0] == '-';
    at += n->negative;
    bool zero = at < s.len && s.p[at] == '0';
    size_t count = take_digits(s, &at, n);
    if (count == 0 || (zero && count > 1))
        return false;
    if (at < s.len && s.p[at] == '.') {
        at++;
        count = take_digits(s, &at, n);
        n->exponent = -(int64_t)count;
        n->whole = false;
        if (count == 0)
            return false;
    }
    if (at < s.len && (s.p[at] | 0x20) == 'e') {
        at++;
        n->whole = false;
        if (!take_exponent(s, &at, n))
            return false;
    }
    return at == s.len;
}

static bool to_integer(const struct number *n, int64_t *ret)
{
    uint64_t u = 0;
    for (size_t i = 0; i < n->count; i++)
        if (__builtin_mul_overflow(u, 10u, &u) ||
            __builtin_add_overflow(u, (uint64_t)n->digits[i], &u))
            return false;
    if (!n->whole || u > (uint64_t)INT64_MAX + n->negative)
        return false;
    *ret = n->negative ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

static int read_number(struct parser *p, struct json_value *v)
{
    struct number n;
    size_t end = p->pos;
    while (end < p->text.len && (is_digit(p->text.p[end]) || p->text.p[end] == '-' ||
                                 p->text.p[end] == '+' || p->text.p[end] == '.' ||
                                 (p->text.p[end] | 0x20) == 'e'))
        end++;
    struct span s = span_of(p->text.p + p->pos, end - p->pos);
    if (s.len > JSON_NUMBER_MAX)
        return FAIL_AS(p, E_LIMIT, p->pos, "a number has at most %u characters",
                       (uint64_t)JSON_NUMBER_MAX);
    if (!split_number(s, &n))
        return FAIL(p, p->pos, "'%s' is not a number", s);
    uint64_t bits;
    if (to_integer(&n, &v->as.integer)) {
        v->type = JSON_INTEGER;
    } else if (decimal_to_bits(n.digits, n.count, n.exponent, &bits)) {
        bits |= (uint64_t)n.negative << 63;
        v->type = JSON_REAL;
        memcpy(&v->as.real, &bits, sizeof bits);
    } else {
        return FAIL_AS(p, E_RANGE, p->pos, "'%s' is too large", s);
    }
    p->pos = end;
    return E_OK;
}

/* --- values -------------------------------------------------------------------------- */

static bool take_word(struct parser *p, const char *word)
{
    struct span w = span_of_cstr(word);
    if (!span_starts(span_skip(p->text, p->pos), w))
        return false;
    p->pos += w.len;
    return true;
}

static int open_container(struct parser *p, struct json_value *v, enum json_type type)
{
    if (p->depth == JSON_DEPTH_MAX)
        return FAIL_AS(p, E_LIMIT, p->pos, "more than %u arrays and objects in one another",
                       (uint64_t)JSON_DEPTH_MAX);
    v->type = (uint8_t)type;
    p->open = v;
    p->depth++;
    p->pos++;
    return E_OK;
}

static int begin_value(struct parser *p, struct json_value *v)
{
    uint8_t c = peek(p);
    v->pos = (uint32_t)p->pos;
    if (c == '{' || c == '[')
        return open_container(p, v, c == '{' ? JSON_OBJECT : JSON_ARRAY);
    if (c == '"') {
        v->type = JSON_STRING;
        return read_string(p, &v->as.string);
    }
    if (c == '-' || is_digit(c))
        return read_number(p, v);
    if (take_word(p, "null")) {
        v->type = JSON_NULL;
    } else if (take_word(p, "true") || take_word(p, "false")) {
        v->type = JSON_BOOLEAN;
        v->as.boolean = c == 't';
    } else {
        return FAIL(p, p->pos, "a value is expected here");
    }
    return E_OK;
}

static int add_value(struct parser *p, struct span key, struct json_value **ret)
{
    struct json_value *v = ARENA_NEW(p->arena, struct json_value), *parent = p->open;
    if (!v)
        return fail_memory(p);
    v->parent = parent;
    v->key = key;
    if (parent->as.items.last)
        parent->as.items.last->next = v;
    else
        parent->as.items.first = v;
    parent->as.items.last = v;
    parent->as.items.count++;
    *ret = v;
    return E_OK;
}

static int read_key(struct parser *p, struct span *ret)
{
    size_t at = p->pos;
    if (peek(p) != '"')
        return FAIL(p, at, "a key in quotes is expected here");
    int err = read_string(p, ret);
    if (err)
        return err;
    if (p->open->as.items.count == JSON_KEYS_MAX)
        return FAIL_AS(p, E_LIMIT, at, "more than %u keys in one object", (uint64_t)JSON_KEYS_MAX);
    for (const struct json_value *v = p->open->as.items.first; v; v = v->next)
        if (span_eq(v->key, *ret))
            return FAIL(p, at, "key '%s' is given twice", *ret);
    skip_space(p);
    if (peek(p) != ':')
        return FAIL(p, p->pos, "':' is expected after the key");
    p->pos++;
    skip_space(p);
    return E_OK;
}

/* Within p->open: the next value to be read in *ret; NULL there when it has just been
 * closed. */
static int next_value(struct parser *p, struct json_value **ret)
{
    struct span key = SPAN_NONE;
    bool object = p->open->type == JSON_OBJECT;
    skip_space(p);
    *ret = NULL;
    if (peek(p) == (object ? '}' : ']')) {
        p->pos++;
        p->depth--;
        p->open = p->open->parent;
        return E_OK;
    }
    if (p->open->as.items.count) {
        if (peek(p) != ',')
            return FAIL(p, p->pos, "',' or '%c' is expected here", object ? "}" : "]");
        p->pos++;
        skip_space(p);
    }
    int err = object ? read_key(p, &key) : E_OK;
    return err ? err : add_value(p, key, ret);
}

int json_parse(struct span text, struct arena *arena, const struct json_value **ret,
               struct format_error *err)
{
    struct parser p = { .text = text, .arena = arena, .err = err };
    if (text.len > JSON_TEXT_MAX)
        return format_error_fail(err, E_LIMIT, 0, 0, "the text is longer than %u bytes",
                                 (uint64_t)JSON_TEXT_MAX);
    struct json_value *root = ARENA_NEW(arena, struct json_value), *v = root;
    if (!root)
        return fail_memory(&p);
    skip_space(&p);
    while (v) {
        int status = begin_value(&p, v);
        v = NULL;
        while (!status && p.open && !v)
            status = next_value(&p, &v);
        if (status)
            return status;
    }
    skip_space(&p);
    if (p.pos < text.len)
        return FAIL(&p, p.pos, "nothing may follow the value");
    *ret = root;
    return E_OK;
}

const struct json_value *json_get(const struct json_value *v, const char *key)
{
    if (!v || v->type != JSON_OBJECT)
        return NULL;
    for (v = v->as.items.first; v; v = v->next)
        if (span_eq_cstr(v->key, key))
            return v;
    return NULL;
}

struct span json_get_string(const struct json_value *v, const char *key)
{
    v = json_get(v, key);
    return v && v->type == JSON_STRING ? v->as.string : SPAN_NONE;
}
