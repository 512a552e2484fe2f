/* SIMD that waits for memory: passes over three arrays far larger than the inner caches, with
 * one or two operations a vector. A scaled addition in single precision, the larger of two
 * bytes, and a sum of each. Vectors of 16 bytes, natively as in WebAssembly. */
#include "program.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));

enum { ROUNDS = SCALED(100), VECTORS = 1 << 19 };

static u32x4 first[VECTORS], second[VECTORS], out[VECTORS];

static u32x4 splat(uint32_t x)
{
    return (u32x4){ x, x, x, x };
}

static void fill(uint64_t seed)
{
    for (int i = 0; i < VECTORS; i++) {
        uint32_t x = random_next(&seed), y = random_next(&seed);
        first[i] = (u32x4){ x, x * 3, x * 5, x * 7 };
        second[i] = (u32x4){ y, y * 9, y * 11, y * 13 };
    }
}

/* out = first * a + second as floats between 1 and 2, whatever bits the arrays hold. */
static void scaled_add(float a)
{
    const u32x4 mantissa = splat(0x7fffff), one = splat(0x3f800000);
    const f32x4 factor = { a, a, a, a };
    for (int i = 0; i < VECTORS; i++) {
        f32x4 x = (f32x4)((first[i] & mantissa) | one), y = (f32x4)((second[i] & mantissa) | one);
        out[i] = (u32x4)(x * factor + y);
    }
}

/* first = the larger of the bytes of first and out, plus a step that differs by byte, so that
 * they never settle. */
static void blend(void)
{
    for (int i = 0; i < VECTORS; i++) {
        u8x16 x = (u8x16)first[i], y = (u8x16)out[i];
        first[i] = (u32x4)(__builtin_elementwise_max(x, y) + (u8x16)splat(0x11070503));
    }
}

static uint64_t sum_of(const u32x4 *array, uint64_t sum)
{
    u32x4 total = splat(0);
    for (int i = 0; i < VECTORS; i++)
        total = (total << 1 | total >> 31) ^ array[i];
    for (int i = 0; i < 4; i++)
        sum = mix(sum, total[i]);
    return sum;
}

int main(void)
{
    uint64_t sum = 0;
    fill(128);
    for (int i = 0; i < ROUNDS; i++) {
        scaled_add(1.0f + (float)i / 64);
        sum = sum_of(out, sum);
        blend();
        sum = sum_of(first, sum);
    }
    return finish(sum);
}
