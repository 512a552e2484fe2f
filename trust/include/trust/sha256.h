/* SHA-256 (FIPS 180-4), by libsodium. Link with $(TRUST_LIBS_rel) or
 * $(TRUST_LIBS_dbg), see trust/README.md. */
#ifndef TRUST_SHA256_H
#define TRUST_SHA256_H

#include <stdint.h>

#include "base/span.h"

enum { SHA256_BYTES = 32 };

/* A hash being computed. The caller's storage; may be copied to fork a hash. */
struct sha256 {
    uint64_t opaque[13];
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, struct span bytes);
/* Writes the hash. h must be initialised again before another use. */
void sha256_final(struct sha256 *h, uint8_t out[SHA256_BYTES]);

/* The hash of bytes in one go. */
void sha256_of(struct span bytes, uint8_t out[SHA256_BYTES]);

#endif
