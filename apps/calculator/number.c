#include "number.h"

enum { DIGITS = 14, EXPONENT_MAX = 9999 };

/* v * 10^e, in few steps so that little is lost. */
static double scale(double v, int e)
{
    static const double exact[] = { 1e0, 1e1, 1e2, 1e4, 1e8, 1e16 };
    for (; e > 22 && v != 0 && v - v == 0; e -= 22)
        v *= 1e22;
    for (; e < -22 && v != 0; e += 22)
        v /= 1e22;
    double p = 1;
    int left = e < 0 ? -e : e;
    for (int i = 5, step = 16; i >= 1; i--, step /= 2)
        if (left >= step) {
            p *= exact[i];
            left -= step;
        }
    return e < 0 ? v / p : v * p;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                              : -1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* An exponent at *s: "e", a sign, digits. Leaves *s alone when it is not one. */
static int read_exponent(const char **s)
{
    const char *p = *s;
    if ((*p | 32) != 'e')
        return 0;
    bool minus = *++p == '-';
    p += *p == '-' || *p == '+';
    if (!is_digit(*p))
        return 0;
    int e = 0;
    for (; is_digit(*p); p++)
        e = e < EXPONENT_MAX ? e * 10 + (*p - '0') : e;
    *s = p;
    return minus ? -e : e;
}

bool number_read(const char **s, double *ret)
{
    const char *p = *s;
    double v = 0;
    if (p[0] == '0' && (p[1] | 32) == 'x' && hex_digit(p[2]) >= 0) {
        for (p += 2; hex_digit(*p) >= 0; p++)
            v = v * 16 + hex_digit(*p);
        *s = p;
        *ret = v;
        return true;
    }
    uint64_t digits = 0;
    int e = 0;
    bool point = false, any = false;
    for (; is_digit(*p) || (*p == '.' && !point); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (digits < 100000000000000000) {
            digits = digits * 10 + (uint64_t)(*p - '0');
            e -= point;
        } else {
            e += !point; /* beyond what a double holds: only the place counts */
        }
    }
    if (!any)
        return false;
    e += read_exponent(&p);
    *s = p;
    *ret = scale((double)digits, e);
    return true;
}

/* v > 0 as `DIGITS` digits and the exponent of the first: v = d.ddd * 10^ret. */
static int to_digits(double v, char digits[DIGITS])
{
    int e = DIGITS - 1;
    double low = scale(1, DIGITS - 1), high = scale(1, DIGITS);
    for (int step = 256; step; step /= 2) {
        while (v >= high && scale(v, -step) >= low && e < 400) {
            v = scale(v, -step);
            e += step;
        }
        while (v < low && scale(v, step) < high && e > -400) {
            v = scale(v, step);
            e -= step;
        }
    }
    uint64_t n = (uint64_t)(v + 0.5);
    if (n >= (uint64_t)high) {
        n /= 10;
        e++;
    }
    for (int i = DIGITS; i-- > 0; n /= 10)
        digits[i] = (char)('0' + n % 10);
    return e;
}

void number_write(struct vy_buf *out, double v)
{
    char digits[DIGITS];
    if (v != v) {
        vy_str(out, "not a number");
        return;
    }
    if (v < 0)
        vy_char(out, '-');
    v = __builtin_fabs(v);
    if (v - v != 0) {
        vy_str(out, "infinity");
        return;
    }
    if (v < 1e15 && v == __builtin_trunc(v)) {
        vy_u64(out, (uint64_t)v);
        return;
    }
    int e = to_digits(v, digits);
    int used = DIGITS;
    while (used > 1 && digits[used - 1] == '0')
        used--;
    bool exponent = e > DIGITS || e < -6;
    int whole = exponent ? 1 : e + 1; /* digits in front of the point */
    if (whole <= 0)
        vy_str(out, "0.");
    for (int i = whole; i < 0; i++)
        vy_char(out, '0');
    for (int i = 0; i < used || i < whole; i++) {
        if (i == whole && i > 0)
            vy_char(out, '.');
        vy_char(out, i < DIGITS ? digits[i] : '0');
    }
    if (exponent) {
        vy_char(out, 'e');
        vy_i64(out, e);
    }
}
