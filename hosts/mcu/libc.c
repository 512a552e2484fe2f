/* The few functions of a C library that base, engine and wasi use. Debian's newlib has them, in a
 * package of 370 MB; these are 60 lines. */
#include <stdint.h>
#include <string.h>

double sqrt(double x);

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    while (n--)
        *d++ = *s++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *d = to;
    const uint8_t *s = from;
    if (d <= s)
        return memcpy(to, from, n);
    while (n--)
        d[n] = s[n];
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    uint8_t *d = to;
    while (n--)
        *d++ = (uint8_t)byte;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x < *y ? -1 : 1;
    return 0;
}

void *memchr(const void *s, int byte, size_t n)
{
    const uint8_t *p = s;
    for (; n; n--, p++)
        if (*p == (uint8_t)byte)
            return (void *)(uintptr_t)p;
    return NULL;
}

size_t strlen(const char *s)
{
    size_t n = 0;
    while (s[n])
        n++;
    return n;
}

char *strchr(const char *s, int c)
{
    return memchr(s, c, strlen(s) + 1);
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (uint8_t)*a - (uint8_t)*b;
}

/* One bit of the root after the other, and one more to round to nearest, as IEEE 754 asks; the FPU
 * has single precision only. */
double sqrt(double x)
{
    enum { FRACTION = 52, BIAS = 1023, SPECIAL = 0x7ff };
    uint64_t bits, hidden = (uint64_t)1 << FRACTION;
    memcpy(&bits, &x, sizeof bits);
    int32_t exponent = (int32_t)(bits >> FRACTION & SPECIAL);
    uint64_t fraction = bits & (hidden - 1);
    if (x != x || bits << 1 == 0 || bits == (uint64_t)SPECIAL << FRACTION)
        return x;
    if (bits >> 63)
        return (x - x) / (x - x);
    if (exponent)
        fraction |= hidden;
    else
        for (exponent = 1; !(fraction & hidden); exponent--)
            fraction <<= 1;
    exponent -= BIAS;
    if (exponent & 1)
        fraction <<= 1, exponent--;
    /* root * root <= fraction * 2^54 < (root + 1)^2, of 54 bits: one for rounding. */
    uint64_t root = 0, rest = 0;
    for (int i = 0; i <= FRACTION + 1; i++) {
        rest = rest << 2 | (fraction >> FRACTION & 3);
        fraction = (fraction & (hidden - 1)) << 2;
        uint64_t try = root << 2 | 1;
        root <<= 1;
        if (rest >= try) {
            rest -= try;
            root |= 1;
        }
    }
    root = (root >> 1) + (root & 1); /* never half-way: the square of that has too many bits */
    bits = ((uint64_t)(exponent / 2 + BIAS) << FRACTION) + (root - hidden);
    memcpy(&x, &bits, sizeof x);
    return x;
}
