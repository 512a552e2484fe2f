#include "trust/sha256.h"

#include <sodium/crypto_hash_sha256.h>

_Static_assert(sizeof(struct sha256) == sizeof(crypto_hash_sha256_state), "libsodium's state");
_Static_assert(_Alignof(struct sha256) >= _Alignof(crypto_hash_sha256_state), "alignment");
_Static_assert(SHA256_BYTES == crypto_hash_sha256_BYTES, "length");

static crypto_hash_sha256_state *state_of(struct sha256 *h)
{
    return (crypto_hash_sha256_state *)(void *)h->opaque;
}

/* libsodium's functions return int for uniformity; for SHA-256 it is always 0. */

void sha256_init(struct sha256 *h)
{
    (void)crypto_hash_sha256_init(state_of(h));
}

void sha256_update(struct sha256 *h, struct span bytes)
{
    if (bytes.len)
        (void)crypto_hash_sha256_update(state_of(h), bytes.p, bytes.len);
}

void sha256_final(struct sha256 *h, uint8_t out[SHA256_BYTES])
{
    (void)crypto_hash_sha256_final(state_of(h), out);
}

void sha256_of(struct span bytes, uint8_t out[SHA256_BYTES])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, bytes);
    sha256_final(&h, out);
}
