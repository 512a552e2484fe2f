/* Fannkuch: over all permutations of 1..N, how often can the first FIRST elements be
 * reversed, FIRST being the first element, until it is 1. */
#include "program.h"

enum { ROUNDS = SCALED(2), N = 10 };

static int flips(const int *permutation)
{
    int p[N], count = 0;
    for (int i = 0; i < N; i++)
        p[i] = permutation[i];
    for (int first = p[0]; first; first = p[0], count++) {
        for (int lo = 0, hi = first; lo < hi; lo++, hi--) {
            int t = p[lo];
            p[lo] = p[hi];
            p[hi] = t;
        }
    }
    return count;
}

/* The next permutation in the order of rotations of growing prefixes; 0 at the end. */
static int next(int *p, int *turns)
{
    for (int size = 2; size <= N; size++) {
        int first = p[0];
        for (int i = 0; i + 1 < size; i++)
            p[i] = p[i + 1];
        p[size - 1] = first;
        if (++turns[size] < size)
            return 1;
        turns[size] = 0;
    }
    return 0;
}

/* From the identity, with the elements renamed so that rounds differ. */
static uint64_t all_permutations(int first)
{
    int p[N], turns[N + 1] = { 0 }, most = 0, sign = 1;
    int64_t checksum = 0;
    for (int i = 0; i < N; i++)
        p[i] = (i + first) % N;
    do {
        int count = flips(p);
        most = count > most ? count : most;
        checksum += sign * count;
        sign = -sign;
    } while (next(p, turns));
    return mix((uint64_t)checksum, (uint64_t)most);
}

int main(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < ROUNDS; i++)
        sum = mix(sum, all_permutations(i));
    return finish(sum);
}
