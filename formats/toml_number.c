/* Integers and floats: one token, already delimited. */
#include "decimal.h"
#include "toml_parser.h"

_Static_assert((int)TOML_NUMBER_MAX <= (int)DECIMAL_DIGITS_MAX, "every number converts exactly");

static int fail_number(struct toml_parser *p, struct span token, const char *hint)
{
    return TOML_FAIL(p, p->pos, "'%s' is not a number\n%c", token, hint);
}

static int fail_range(struct toml_parser *p, struct span token)
{
    return TOML_FAIL_AS(p, E_RANGE, p->pos, "'%s' does not fit in 64 bits", token);
}

static int digit_in(uint8_t c, unsigned base)
{
    unsigned d = 99;
    if (toml_is_digit(c))
        d = c - '0';
    else if (c >= 'a' && c <= 'f')
        d = c - 'a' + 10u;
    else if (c >= 'A' && c <= 'F')
        d = c - 'A' + 10u;
    return d < base ? (int)d : -1;
}

/* Digits with single underscores between them, from *at on; their values to out. The
 * count, or -1 when there is none or an underscore stands alone. */
static int read_digits(struct span token, size_t *at, unsigned base, uint8_t *out)
{
    int n = 0;
    size_t i = *at;
    for (;;) {
        int d = i < token.len ? digit_in(token.p[i], base) : -1;
        if (d < 0)
            return -1; /* the start, or after an underscore */
        while (d >= 0) {
            out[n++] = (uint8_t)d;
            i++;
            d = i < token.len ? digit_in(token.p[i], base) : -1;
        }
        *at = i;
        if (i >= token.len || token.p[i] != '_')
            return n;
        i++;
    }
}

static int make_integer(struct toml_parser *p, struct span token, const uint8_t *digits, int count,
                        unsigned base, bool negative, struct toml_value *v)
{
    uint64_t n = 0;
    for (int i = 0; i < count; i++)
        if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digits[i], &n))
            return fail_range(p, token);
    if (n > (uint64_t)INT64_MAX + negative)
        return fail_range(p, token);
    v->type = TOML_INTEGER;
    v->as.integer = negative ? (int64_t)(0 - n) : (int64_t)n;
    return E_OK;
}

static int read_prefixed(struct toml_parser *p, struct span token, unsigned base,
                         struct toml_value *v)
{
    uint8_t digits[TOML_NUMBER_MAX];
    size_t at = 2;
    int n = read_digits(token, &at, base, digits);
    if (n < 0 || at != token.len)
        return fail_number(p, token, base == 16  ? "0x takes hex digits"
                                     : base == 8 ? "0o takes the digits 0 to 7"
                                                 : "0b takes the digits 0 and 1");
    return make_integer(p, token, digits, n, base, false, v);
}

static void set_real(struct toml_value *v, uint64_t bits, bool negative)
{
    bits |= (uint64_t)negative << 63;
    v->type = TOML_FLOAT;
    memcpy(&v->as.real, &bits, sizeof v->as.real);
}

/* An exponent's value, with anything beyond 99,999 as that: far out of range anyway. */
static int64_t exponent_of(const uint8_t *digits, int n)
{
    int64_t e = 0;
    for (int i = 0; i < n; i++)
        e = e > 9999 ? 99999 : e * 10 + digits[i];
    return e;
}

/* at is behind the integer part, whose digits are in `digits`. */
static int read_float(struct toml_parser *p, struct span token, size_t at, uint8_t *digits,
                      int count, bool negative, struct toml_value *v)
{
    static const char hint[] = "digits are needed on both sides of '.' and after 'e'";
    int64_t exponent = 0;
    if (token.p[at] == '.') {
        at++;
        int n = read_digits(token, &at, 10, digits + count);
        if (n < 0)
            return fail_number(p, token, hint);
        count += n;
        exponent = -n;
    }
    if (at < token.len && (token.p[at] == 'e' || token.p[at] == 'E')) {
        uint8_t e[TOML_NUMBER_MAX];
        at++;
        bool minus = at < token.len && token.p[at] == '-';
        if (minus || (at < token.len && token.p[at] == '+'))
            at++;
        int n = read_digits(token, &at, 10, e);
        if (n < 0)
            return fail_number(p, token, hint);
        exponent += minus ? -exponent_of(e, n) : exponent_of(e, n);
    }
    if (at != token.len)
        return fail_number(p, token, "");
    uint64_t bits;
    if (!decimal_to_bits(digits, (size_t)count, exponent, &bits))
        return fail_range(p, token);
    set_real(v, bits, negative);
    return E_OK;
}

static bool read_special(struct span word, bool negative, struct toml_value *v)
{
    if (span_eq_cstr(word, "inf"))
        set_real(v, 0x7ffull << 52, negative);
    else if (span_eq_cstr(word, "nan"))
        set_real(v, 0x7ff8ull << 48, negative);
    else
        return false;
    return true;
}

int toml_read_number(struct toml_parser *p, struct span token, struct toml_value *v)
{
    uint8_t digits[TOML_NUMBER_MAX];
    if (token.len > TOML_NUMBER_MAX)
        return TOML_FAIL_AS(p, E_LIMIT, p->pos, "a number has at most %u characters",
                            (uint64_t)TOML_NUMBER_MAX);
    if (token.len > 1 && token.p[0] == '0') {
        uint8_t c = token.p[1];
        if (c == 'x' || c == 'o' || c == 'b')
            return read_prefixed(p, token, c == 'x' ? 16 : c == 'o' ? 8 : 2, v);
    }
    bool sign = token.p[0] == '+' || token.p[0] == '-', negative = token.p[0] == '-';
    size_t at = sign;
    if (read_special(span_skip(token, at), negative, v))
        return E_OK;
    int n = read_digits(token, &at, 10, digits);
    if (n < 0)
        return fail_number(p, token, "");
    if (n > 1 && digits[0] == 0)
        return fail_number(p, token, "numbers do not begin with 0; octal is 0o17");
    if (at == token.len)
        return make_integer(p, token, digits, n, 10, negative, v);
    if (token.p[at] != '.' && token.p[at] != 'e' && token.p[at] != 'E')
        return fail_number(p, token, "underscores stand between digits; text goes in quotes");
    return read_float(p, token, at, digits, n, negative, v);
}
