/* SIMD that stays in registers: ChaCha20's block function over four lanes (additions, exclusive
 * ors, rotations by shifts and by shuffles of bytes), the Mandelbrot set in single precision
 * (multiplications, comparisons, masks), and widening multiplications of 16-bit integers.
 * Vectors of 16 bytes, natively as in WebAssembly. */
#include "program.h"

typedef float f32x4 __attribute__((vector_size(16)));
typedef int32_t s32x4 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int16_t s16x4 __attribute__((vector_size(8)));

enum { BLOCKS = SCALED(2400000), SIDE = 400, ROWS = SCALED(1600), LIMIT = 400,
       TAPS = 16, SAMPLES = 512, FILTERS = SCALED(28000) };

static inline u32x4 splat(uint32_t x)
{
    return (u32x4){ x, x, x, x };
}

/* --- ChaCha20 --------------------------------------------------------------------- */

static inline u32x4 rotate16(u32x4 x)
{
    u8x16 b = (u8x16)x;
    return (u32x4)__builtin_shufflevector(b, b, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12,
                                          13);
}

static inline u32x4 rotate8(u32x4 x)
{
    u8x16 b = (u8x16)x;
    return (u32x4)__builtin_shufflevector(b, b, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13,
                                          14);
}

#define TURN_LANES(x, n)                                                                           \
    __builtin_shufflevector(x, x, (n), ((n) + 1) % 4, ((n) + 2) % 4, ((n) + 3) % 4)

static inline void quarter(u32x4 s[4])
{
    s[0] += s[1], s[3] = rotate16(s[3] ^ s[0]);
    s[2] += s[3], s[1] ^= s[2], s[1] = s[1] << 12 | s[1] >> 20;
    s[0] += s[1], s[3] = rotate8(s[3] ^ s[0]);
    s[2] += s[3], s[1] ^= s[2], s[1] = s[1] << 7 | s[1] >> 25;
}

static u32x4 chacha_block(const u32x4 key[4])
{
    u32x4 s[4] = { key[0], key[1], key[2], key[3] };
    for (int i = 0; i < 10; i++) {
        quarter(s);
        s[1] = TURN_LANES(s[1], 1), s[2] = TURN_LANES(s[2], 2), s[3] = TURN_LANES(s[3], 3);
        quarter(s);
        s[1] = TURN_LANES(s[1], 3), s[2] = TURN_LANES(s[2], 2), s[3] = TURN_LANES(s[3], 1);
    }
    return (s[0] + key[0]) ^ (s[1] + key[1]) ^ (s[2] + key[2]) ^ (s[3] + key[3]);
}

static uint64_t chacha(uint64_t sum)
{
    u32x4 key[4] = { { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 },
                     { 1, 2, 3, 4 }, { 5, 6, 7, 8 }, { 0, 9, 10, 11 } };
    u32x4 all = splat(0);
    for (int i = 0; i < BLOCKS; i++) {
        all ^= chacha_block(key);
        key[3] += (u32x4){ 1, 0, 0, 0 };
    }
    for (int i = 0; i < 4; i++)
        sum = mix(sum, all[i]);
    return sum;
}

/* --- the Mandelbrot set, four points at a time -------------------------------------- */

static s32x4 escape(f32x4 cx, float row)
{
    f32x4 cy = { row, row, row, row }, x = { 0 }, y = { 0 };
    const f32x4 four = { 4, 4, 4, 4 };
    s32x4 count = { 0 };
    for (int n = 0; n < LIMIT; n++) {
        f32x4 xx = x * x, yy = y * y;
        s32x4 inside = xx + yy <= four;
        if (!(inside[0] | inside[1] | inside[2] | inside[3]))
            break;
        count -= inside;
        y = (x + x) * y + cy;
        x = xx - yy + cx;
    }
    return count;
}

static uint64_t mandelbrot(uint64_t sum)
{
    const f32x4 step = { 0, 1, 2, 3 };
    for (int j = 0; j < ROWS; j++) {
        for (int i = 0; i < SIDE; i += 4) {
            s32x4 n = escape((step + (float)i) * (3.0f / SIDE) - 2.2f, 2.0f * (float)j / ROWS - 1);
            sum = mix(sum, (uint64_t)n[0] << 32 | (uint32_t)n[1]);
            sum = mix(sum, (uint64_t)n[2] << 32 | (uint32_t)n[3]);
        }
    }
    return sum;
}

/* --- a filter over 16-bit samples ----------------------------------------------------- */

static int16_t samples[SAMPLES + TAPS], taps[TAPS];

static s32x4 filter(void)
{
    s32x4 total = { 0 };
    for (int i = 0; i < SAMPLES; i += 4) {
        s32x4 at = { 0 };
        for (int k = 0; k < TAPS; k++) {
            s16x4 x;
            __builtin_memcpy(&x, samples + i + k, sizeof x);
            at += __builtin_convertvector(x, s32x4) * (int32_t)taps[k];
        }
        total ^= at >> 3;
    }
    return total;
}

static uint64_t filters(uint64_t sum, uint64_t *seed)
{
    for (int i = 0; i < SAMPLES + TAPS; i++)
        samples[i] = (int16_t)random_next(seed);
    for (int i = 0; i < TAPS; i++)
        taps[i] = (int16_t)(random_next(seed) & 0x3ff);
    for (int i = 0; i < FILTERS; i++) {
        s32x4 total = filter();
        samples[i % SAMPLES] ^= (int16_t)total[i % 4];
        sum = mix(sum, (uint32_t)(total[0] ^ total[1] ^ total[2] ^ total[3]));
    }
    return sum;
}

int main(void)
{
    uint64_t seed = 4, sum = 0;
    sum = chacha(sum);
    sum = mandelbrot(sum);
    return finish(filters(sum, &seed));
}
