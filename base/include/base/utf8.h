/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, at most U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Bytes of the well-formed sequence at the start of s (1 to 4), its scalar value
 * in *ret; 0 when s is empty or does not start with a well-formed sequence. */
unsigned utf8_next(struct span s, uint32_t *ret);

/* Writes cp's encoding (1 to 4 bytes) to out[4] and returns its length; 0 when
 * cp is a surrogate or beyond U+10FFFF. */
unsigned utf8_encode(uint32_t cp, uint8_t out[4]);

bool utf8_valid(struct span s);

#endif
