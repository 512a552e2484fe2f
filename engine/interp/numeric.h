/* The numeric functions of the specification (section 4.3) that C does not have,
 * without libm and without SSE4.1. */
#ifndef ENGINE_INTERP_NUMERIC_H
#define ENGINE_INTERP_NUMERIC_H

#include <stdint.h>
#include <string.h>

static inline uint32_t num_bits32(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline uint64_t num_bits64(double x)
{
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}

static inline float num_float32(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline double num_float64(uint64_t u)
{
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

static inline uint32_t num_popcnt32(uint32_t x)
{
    x -= x >> 1 & 0x55555555u;
    x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
    return ((x + (x >> 4)) & 0x0f0f0f0fu) * 0x01010101u >> 24;
}

static inline uint64_t num_popcnt64(uint64_t x)
{
    return num_popcnt32((uint32_t)x) + num_popcnt32((uint32_t)(x >> 32));
}

/* One set for each width: n bits, type T, bits type U, integer type I that holds
 * every value below LIMIT = 2^mantissa, from which on all floats are integers. */
#define NUM_FLOAT(n, T, U, I, LIMIT, SIGN, NAN_BITS)                                              \
    static inline T num_canon##n(T x)                                                             \
    {                                                                                             \
        return __builtin_expect(x != x, 0) ? num_float##n(NAN_BITS) : x;                          \
    }                                                                                             \
    static inline T num_copysign##n(T x, T sign)                                                  \
    {                                                                                             \
        return num_float##n((num_bits##n(x) & ~(SIGN)) | (num_bits##n(sign) & (SIGN)));           \
    }                                                                                             \
    static inline T num_abs##n(T x)                                                               \
    {                                                                                             \
        return num_float##n(num_bits##n(x) & ~(SIGN));                                            \
    }                                                                                             \
    static inline T num_neg##n(T x)                                                               \
    {                                                                                             \
        return num_float##n(num_bits##n(x) ^ (SIGN));                                             \
    }                                                                                             \
    static inline T num_trunc##n(T x)                                                             \
    {                                                                                             \
        return num_abs##n(x) < (LIMIT) ? num_copysign##n((T)(I)x, x) : x;                         \
    }                                                                                             \
    static inline T num_floor##n(T x)                                                             \
    {                                                                                             \
        T t = num_trunc##n(x);                                                                    \
        return t > x ? t - 1 : t;                                                                 \
    }                                                                                             \
    static inline T num_ceil##n(T x)                                                              \
    {                                                                                             \
        T t = num_trunc##n(x);                                                                    \
        return t < x ? num_copysign##n(t + 1, x) : t;                                             \
    }                                                                                             \
    static inline T num_nearest##n(T x)                                                           \
    {                                                                                             \
        T a = num_abs##n(x);                                                                      \
        return a < (LIMIT) ? num_copysign##n((a + (LIMIT)) - (LIMIT), x) : x;                     \
    }                                                                                             \
    static inline T num_min##n(T a, T b)                                                          \
    {                                                                                             \
        if (a < b)                                                                                \
            return a;                                                                             \
        if (b < a)                                                                                \
            return b;                                                                             \
        return a == b ? num_float##n(num_bits##n(a) | num_bits##n(b)) : num_float##n(NAN_BITS);   \
    }                                                                                             \
    static inline T num_max##n(T a, T b)                                                          \
    {                                                                                             \
        if (a > b)                                                                                \
            return a;                                                                             \
        if (b > a)                                                                                \
            return b;                                                                             \
        return a == b ? num_float##n(num_bits##n(a) & num_bits##n(b)) : num_float##n(NAN_BITS);   \
    }

NUM_FLOAT(32, float, uint32_t, int32_t, 8388608.0f, 0x80000000u, 0x7fc00000u)
NUM_FLOAT(64, double, uint64_t, int64_t, 4503599627370496.0, 0x8000000000000000u,
          0x7ff8000000000000u)

static inline float num_sqrt32(float x)
{
    return __builtin_sqrtf(x);
}

static inline double num_sqrt64(double x)
{
    return __builtin_sqrt(x);
}

/* Saturating truncation; NaN gives 0. A float widened to double is exact. */
static inline int32_t num_sat_i32(double x)
{
    if (x != x)
        return 0;
    return x <= -2147483648.0 ? INT32_MIN : x >= 2147483648.0 ? INT32_MAX : (int32_t)x;
}

static inline uint32_t num_sat_u32(double x)
{
    if (!(x > 0))
        return 0;
    return x >= 4294967296.0 ? UINT32_MAX : (uint32_t)x;
}

static inline int64_t num_sat_i64(double x)
{
    if (x != x)
        return 0;
    return x <= -9223372036854775808.0  ? INT64_MIN
           : x >= 9223372036854775808.0 ? INT64_MAX
                                        : (int64_t)x;
}

static inline uint64_t num_sat_u64(double x)
{
    if (!(x > 0))
        return 0;
    return x >= 18446744073709551616.0 ? UINT64_MAX : (uint64_t)x;
}

#endif
