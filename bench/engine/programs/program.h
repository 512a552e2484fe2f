/* What every benchmark program shares: a generator of repeatable numbers and one line of
 * output, the checksum that has to be the same however the program was run.
 *
 * ROUNDS scales each program to 0.3 to 0.5 s of native time on a 2020s desktop; DIVISOR
 * makes that a share, for engines that take long. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>
#include <unistd.h>

#ifndef DIVISOR
#define DIVISOR 1
#endif

/* For constants that a program's time is proportional to. At least 1. */
#define SCALED(n) (((n) + DIVISOR - 1) / DIVISOR)

/* xorshift64*: state never 0. */
static inline uint32_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)((*state * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

static inline uint64_t mix(uint64_t sum, uint64_t value)
{
    return (sum ^ value) * UINT64_C(0x100000001b3);
}

/* Prints sum in hexadecimal without the weight of printf. Returns main's status. */
static inline int finish(uint64_t sum)
{
    char line[17];
    for (int i = 0; i < 16; i++)
        line[i] = "0123456789abcdef"[sum >> (60 - 4 * i) & 15];
    line[16] = '\n';
    return write(1, line, sizeof line) == (ssize_t)sizeof line ? 0 : 1;
}

#endif
