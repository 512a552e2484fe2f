/* Decimal to binary64, correctly rounded (to nearest, ties to even), with integers
 * only: freestanding, and the same on every machine. */
#ifndef FORMATS_DECIMAL_H
#define FORMATS_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DECIMAL_DIGITS_MAX = 128 };

/* value = (the count decimal digits, each 0 to 9) * 10^exponent, exactly. Returns the
 * bits of the nearest binary64 (sign bit clear) in *ret; false when it is too large for
 * one. Too small is 0. Asserts count <= DECIMAL_DIGITS_MAX. */
bool decimal_to_bits(const uint8_t *digits, size_t count, int64_t exponent, uint64_t *ret);

#endif
