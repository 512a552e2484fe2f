/* A C library as it is: bzip2's compresses and expands its own three samples at the levels that
 * its own tests use. Both ways have to give the other file, byte for byte. The library and
 * the samples come from Debian's source package when this is built (scripts/debian-source). */
#include <stdlib.h>
#include <string.h>

#include "bzip2_samples.h"
#include "bzlib.h"
#include "program.h"

enum { ROUNDS = SCALED(6) };

/* The library calls this, built without stdio, when it finds itself inconsistent. */
void bz_internal_error(int code)
{
    _Exit(100 + code % 100);
}

/* The sample through the library, in one direction, and then a comparison. */
static uint64_t convert(const struct sample *s, int compress, char *buffer, uint64_t sum)
{
    const struct bytes *from = compress ? &s->plain : &s->packed;
    const struct bytes *to = compress ? &s->packed : &s->plain;
    unsigned len = SAMPLE_BYTES_MAX;
    int result = compress
        ? BZ2_bzBuffToBuffCompress(buffer, &len, (char *)from->at, from->len, s->level, 0, 0)
        : BZ2_bzBuffToBuffDecompress(buffer, &len, (char *)from->at, from->len, 0, 0);
    if (result != BZ_OK || len != to->len || memcmp(buffer, to->at, len) != 0)
        _Exit(2);
    for (unsigned i = 0; i < len; i += 61)
        sum = mix(sum, (uint8_t)buffer[i]);
    return sum;
}

int main(void)
{
    char *buffer = malloc(SAMPLE_BYTES_MAX);
    uint64_t sum = 0;
    if (!buffer)
        return 1;
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < sizeof samples / sizeof samples[0]; i++) {
            sum = convert(&samples[i], 1, buffer, sum);
            for (int repeat = 0; repeat < 3; repeat++)
                sum = convert(&samples[i], 0, buffer, sum);
        }
    }
    free(buffer);
    return finish(sum);
}
