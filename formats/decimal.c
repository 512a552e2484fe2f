#include "decimal.h"

#include <string.h>

#include "base/assert.h"

/* A non-negative integer, least significant word first. Numerators are below 10^310
 * (1030 bits), denominators at most 10^458 (1522 bits: 128 digits behind 330 zeros), and
 * aligning one to the other adds one bit to the longer. */
enum { WORDS = 56 };

struct big {
    uint32_t w[WORDS];
};

static void big_mul_add(struct big *b, uint32_t factor, uint32_t addend)
{
    uint64_t carry = addend;
    for (int i = 0; i < WORDS; i++) {
        carry += (uint64_t)b->w[i] * factor;
        b->w[i] = (uint32_t)carry;
        carry >>= 32;
    }
    base_assert(carry == 0);
}

static int big_bits(const struct big *b)
{
    for (int i = WORDS - 1; i >= 0; i--)
        if (b->w[i])
            return i * 32 + 32 - __builtin_clz(b->w[i]);
    return 0;
}

static void big_shift_left(struct big *b, int bits)
{
    int words = bits / 32, rest = bits % 32;
    base_assert(big_bits(b) + bits <= WORDS * 32);
    for (int i = WORDS - 1; i >= 0; i--) {
        uint32_t hi = i >= words ? b->w[i - words] : 0;
        uint32_t lo = i > words ? b->w[i - words - 1] : 0;
        b->w[i] = rest ? hi << rest | lo >> (32 - rest) : hi;
    }
}

static int big_compare(const struct big *a, const struct big *b)
{
    for (int i = WORDS - 1; i >= 0; i--)
        if (a->w[i] != b->w[i])
            return a->w[i] < b->w[i] ? -1 : 1;
    return 0;
}

static void big_subtract(struct big *a, const struct big *b)
{
    uint64_t borrow = 0;
    for (int i = 0; i < WORDS; i++) {
        uint64_t d = (uint64_t)a->w[i] - b->w[i] - borrow;
        a->w[i] = (uint32_t)d;
        borrow = d >> 63;
    }
}

static void big_power_of_ten(struct big *b, int64_t n)
{
    for (; n > 0; n--)
        big_mul_add(b, 10, 0);
}

/* mantissa: 64 bits, the top one set; value = mantissa * 2^(exponent - 63), plus a
 * little when sticky. False when that rounds beyond the largest binary64. */
static bool assemble(uint64_t mantissa, int exponent, bool sticky, uint64_t *ret)
{
    int drop = 11; /* 64 bits to 53 */
    if (exponent < -1022)
        drop += -1022 - exponent; /* subnormal: fewer */
    if (drop > 64) {
        *ret = 0;
        return true;
    }
    uint64_t kept = drop == 64 ? 0 : mantissa >> drop;
    uint64_t half = 1ull << (drop - 1), rest = mantissa & (half | (half - 1));
    if (rest > half || (rest == half && (sticky || (kept & 1))))
        kept++;
    /* The hidden bit adds itself to the exponent field; a carry out of the fraction
     * does the right thing there too, also from the subnormals. */
    uint64_t field = exponent < -1022 ? 0 : (uint64_t)(exponent + 1022);
    uint64_t bits = (field << 52) + kept;
    if (bits >= 0x7ffull << 52)
        return false;
    *ret = bits;
    return true;
}

bool decimal_to_bits(const uint8_t *digits, size_t count, int64_t exponent, uint64_t *ret)
{
    base_assert(count <= DECIMAL_DIGITS_MAX);
    while (count && *digits == 0) {
        digits++;
        count--;
    }
    /* 0.ddd * 10^magnitude: decide what is far out of range before it costs words. */
    int64_t magnitude = exponent + (int64_t)count;
    if (count == 0 || magnitude < -330) {
        *ret = 0;
        return true;
    }
    if (magnitude > 310)
        return false;
    struct big num, den;
    memset(&num, 0, sizeof num);
    memset(&den, 0, sizeof den);
    den.w[0] = 1;
    for (size_t i = 0; i < count; i++)
        big_mul_add(&num, 10, digits[i]);
    big_power_of_ten(exponent >= 0 ? &num : &den, exponent >= 0 ? exponent : -exponent);

    /* Long division: 64 quotient bits from an aligned start, the rest is sticky. One
     * spare bit on top since num doubles before it is compared. */
    int shift = big_bits(&num) - big_bits(&den);
    big_shift_left(shift > 0 ? &den : &num, shift > 0 ? shift : -shift);
    if (big_compare(&num, &den) < 0) {
        big_shift_left(&num, 1);
        shift--;
    }
    uint64_t quotient = 0;
    for (int i = 0; i < 64; i++) {
        quotient <<= 1;
        if (big_compare(&num, &den) >= 0) {
            big_subtract(&num, &den);
            quotient |= 1;
        }
        big_shift_left(&num, 1);
    }
    return assemble(quotient, shift, big_bits(&num) != 0, ret);
}
