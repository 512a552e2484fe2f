#include "lib/test.h"
#include "trust/sha256.h"

static const char *hex_of(const uint8_t hash[SHA256_BYTES])
{
    static char text[2 * SHA256_BYTES + 1];
    for (int i = 0; i < SHA256_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return text;
}

/* The examples of FIPS 180-4 (NIST's "SHA256.pdf" example values). */
TEST(sha256_published_examples)
{
    uint8_t hash[SHA256_BYTES];
    sha256_of(SPAN_NONE, hash);
    CHECK_STR(hex_of(hash), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    sha256_of(SPAN_LIT("abc"), hash);
    CHECK_STR(hex_of(hash), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256_of(SPAN_LIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), hash);
    CHECK_STR(hex_of(hash), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(sha256_in_pieces_is_the_same)
{
    static uint8_t million[1000000];
    uint8_t hash[SHA256_BYTES];
    struct sha256 h;
    memset(million, 'a', sizeof million);
    sha256_init(&h);
    for (size_t at = 0, step = 1; at < sizeof million; at += step, step = step % 97 + 1)
        sha256_update(&h, span_take(span_of(million + at, sizeof million - at), step));
    sha256_final(&h, hash);
    CHECK_STR(hex_of(hash), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(sha256_can_be_forked)
{
    uint8_t one[SHA256_BYTES], two[SHA256_BYTES];
    struct sha256 h, fork;
    sha256_init(&h);
    sha256_update(&h, SPAN_LIT("ab"));
    fork = h;
    sha256_update(&h, SPAN_LIT("c"));
    sha256_final(&h, one);
    sha256_update(&fork, SPAN_LIT("c"));
    sha256_final(&fork, two);
    CHECK(memcmp(one, two, sizeof one) == 0);
}

TEST_MAIN(RUN(sha256_published_examples) RUN(sha256_in_pieces_is_the_same)
              RUN(sha256_can_be_forked))
