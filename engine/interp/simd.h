/* Vectors of 16 bytes and what C does not have for them. Bit-exact: a NaN that arithmetic
 * makes is the positive canonical one, as in numeric.h. Lane 0 is at the low end of the
 * first slot, so slots and memory are read as they lie (little endian). */
#ifndef ENGINE_INTERP_SIMD_H
#define ENGINE_INTERP_SIMD_H

#include "interp/numeric.h"

#define VECTOR(name, T, bytes) typedef T name __attribute__((vector_size(bytes)))
VECTOR(v_i8, int8_t, 16);
VECTOR(v_u8, uint8_t, 16);
VECTOR(v_i16, int16_t, 16);
VECTOR(v_u16, uint16_t, 16);
VECTOR(v_i32, int32_t, 16);
VECTOR(v_u32, uint32_t, 16);
VECTOR(v_i64, int64_t, 16);
VECTOR(v_u64, uint64_t, 16);
VECTOR(v_f32, float, 16);
VECTOR(v_f64, double, 16);
/* Halves. */
VECTOR(h_i8, int8_t, 8);
VECTOR(h_u8, uint8_t, 8);
VECTOR(h_i16, int16_t, 8);
VECTOR(h_u16, uint16_t, 8);
VECTOR(h_i32, int32_t, 8);
VECTOR(h_u32, uint32_t, 8);
VECTOR(h_f32, float, 8);

/* Where the mask's bits are set x, elsewhere y; any two types of vector. */
#define V_SELECT(T, mask, x, y)                                                                   \
    ((T)(((v_u64)(mask) & (v_u64)(x)) | (~(v_u64)(mask) & (v_u64)(y))))

/* Low 0, high 1 half of x, widened to T. */
#define V_HALF(H, x, high)                                                                        \
    __extension__({                                                                               \
        H half_;                                                                                  \
        memcpy(&half_, (const uint8_t *)&(x) + (high)*8, 8);                                      \
        half_;                                                                                    \
    })
#define V_WIDEN(T, H, x, high) __builtin_convertvector(V_HALF(H, x, high), T)

/* The product of two such halves a and b, wrapping around. */
#define V_EXTMUL(T, U, H, high) ((U)V_WIDEN(T, H, a, high) * (U)V_WIDEN(T, H, b, high))

#define SIMD_INT(n, S, U, UT)                                                                     \
    static inline U simd_add_sat_s##n(U a, U b)                                                   \
    {                                                                                             \
        U r = a + b;                                                                              \
        U over = (U)((S)((a ^ r) & (b ^ r)) >> (n - 1));                                          \
        U edge = (U)((S)a >> (n - 1)) ^ (UT)((UT)-1 >> 1);                                        \
        return V_SELECT(U, over, edge, r);                                                        \
    }                                                                                             \
    static inline U simd_sub_sat_s##n(U a, U b)                                                   \
    {                                                                                             \
        U r = a - b;                                                                              \
        U over = (U)((S)((a ^ b) & (a ^ r)) >> (n - 1));                                          \
        U edge = (U)((S)a >> (n - 1)) ^ (UT)((UT)-1 >> 1);                                        \
        return V_SELECT(U, over, edge, r);                                                        \
    }                                                                                             \
    static inline U simd_add_sat_u##n(U a, U b)                                                   \
    {                                                                                             \
        U r = a + b;                                                                              \
        return r | (U)(r < a);                                                                    \
    }                                                                                             \
    static inline U simd_sub_sat_u##n(U a, U b)                                                   \
    {                                                                                             \
        return (a - b) & (U)(a > b);                                                              \
    }                                                                                             \
    static inline U simd_avgr##n(U a, U b)                                                        \
    {                                                                                             \
        return (a | b) - ((a ^ b) >> 1);                                                          \
    }

SIMD_INT(8, v_i8, v_u8, uint8_t)
SIMD_INT(16, v_i16, v_u16, uint16_t)

/* One lane after the other; loops of constant length become vector code where the
 * machine has it. */
#define SIMD_LANES(S, U, UT, BITS, LANES)                                                         \
    static inline U U##_splat(UT x)                                                               \
    {                                                                                             \
        return (U){ 0 } + x;                                                                      \
    }                                                                                             \
    static inline uint32_t U##_all_true(U a)                                                      \
    {                                                                                             \
        v_u64 zero = (v_u64)(a == U##_splat(0));                                                  \
        return (zero[0] | zero[1]) == 0;                                                          \
    }                                                                                             \
    static inline uint32_t U##_bitmask(U a)                                                       \
    {                                                                                             \
        uint32_t r = 0;                                                                           \
        for (int i = 0; i < LANES; i++)                                                           \
            r |= (uint32_t)(a[i] >> (BITS - 1)) << i;                                             \
        return r;                                                                                 \
    }                                                                                             \
    static inline U U##_shl(U a, uint32_t n)                                                      \
    {                                                                                             \
        return a << U##_splat((UT)(n & (BITS - 1)));                                              \
    }                                                                                             \
    static inline U U##_shr_u(U a, uint32_t n)                                                    \
    {                                                                                             \
        return a >> U##_splat((UT)(n & (BITS - 1)));                                              \
    }                                                                                             \
    static inline U U##_shr_s(U a, uint32_t n)                                                    \
    {                                                                                             \
        return (U)((S)a >> (S)U##_splat((UT)(n & (BITS - 1))));                                   \
    }                                                                                             \
    static inline U U##_abs(U a)                                                                  \
    {                                                                                             \
        U sign = (U)((S)a >> (BITS - 1));                                                         \
        return (a ^ sign) - sign;                                                                 \
    }

SIMD_LANES(v_i8, v_u8, uint8_t, 8, 16)
SIMD_LANES(v_i16, v_u16, uint16_t, 16, 8)
SIMD_LANES(v_i32, v_u32, uint32_t, 32, 4)
SIMD_LANES(v_i64, v_u64, uint64_t, 64, 2)

static inline v_u8 simd_popcnt(v_u8 x)
{
    x -= x >> 1 & 0x55;
    x = (x & 0x33) + (x >> 2 & 0x33);
    return (x + (x >> 4)) & 0x0f;
}

static inline v_u8 simd_swizzle(v_u8 a, v_u8 at)
{
    v_u8 r = { 0 };
    for (int i = 0; i < 16; i++)
        r[i] = at[i] < 16 ? a[at[i] & 15] : 0;
    return r;
}

/* lanes: of a, then of b; below 32. */
static inline v_u8 simd_shuffle(v_u8 a, v_u8 b, const uint8_t *lanes)
{
    uint8_t both[32];
    v_u8 r = { 0 };
    memcpy(both, &a, 16);
    memcpy(both + 16, &b, 16);
    for (int i = 0; i < 16; i++)
        r[i] = both[lanes[i] & 31];
    return r;
}

static inline v_i16 simd_q15mulr(v_i16 a, v_i16 b)
{
    v_i16 r = { 0 };
    for (int i = 0; i < 8; i++) {
        int32_t x = ((int32_t)a[i] * b[i] + 0x4000) >> 15;
        r[i] = (int16_t)(x > INT16_MAX ? INT16_MAX : x);
    }
    return r;
}

static inline v_u32 simd_dot(v_i16 a, v_i16 b)
{
    v_u32 r = { 0 };
    for (int i = 0; i < 4; i++)
        r[i] = (uint32_t)(a[2 * i] * b[2 * i]) + (uint32_t)(a[2 * i + 1] * b[2 * i + 1]);
    return r;
}

#define SIMD_NARROW(name, A, R, T, LANES, MIN, MAX)                                               \
    static inline R name(A a, A b)                                                                \
    {                                                                                             \
        R r = { 0 };                                                                              \
        for (int i = 0; i < LANES; i++) {                                                         \
            r[i] = (T)(a[i] < (MIN) ? (MIN) : a[i] > (MAX) ? (MAX) : a[i]);                       \
            r[i + LANES] = (T)(b[i] < (MIN) ? (MIN) : b[i] > (MAX) ? (MAX) : b[i]);               \
        }                                                                                         \
        return r;                                                                                 \
    }
SIMD_NARROW(simd_narrow16_s, v_i16, v_i8, int8_t, 8, INT8_MIN, INT8_MAX)
SIMD_NARROW(simd_narrow16_u, v_i16, v_u8, uint8_t, 8, 0, UINT8_MAX)
SIMD_NARROW(simd_narrow32_s, v_i32, v_i16, int16_t, 4, INT16_MIN, INT16_MAX)
SIMD_NARROW(simd_narrow32_u, v_i32, v_u16, uint16_t, 4, 0, UINT16_MAX)

/* V: floats, U: their bits. */
#define SIMD_FLOAT(n, V, U, NAN_BITS)                                                             \
    static inline V simd_canon##n(V x)                                                            \
    {                                                                                             \
        return V_SELECT(V, x == x, x, U##_splat(NAN_BITS));                                       \
    }                                                                                             \
    static inline V simd_min##n(V a, V b)                                                         \
    {                                                                                             \
        V equal = (V)((U)a | (U)b), rest = V_SELECT(V, a == b, equal, U##_splat(NAN_BITS));       \
        return V_SELECT(V, a < b, a, V_SELECT(V, b < a, b, rest));                                \
    }                                                                                             \
    static inline V simd_max##n(V a, V b)                                                         \
    {                                                                                             \
        V equal = (V)((U)a & (U)b), rest = V_SELECT(V, a == b, equal, U##_splat(NAN_BITS));       \
        return V_SELECT(V, a > b, a, V_SELECT(V, b > a, b, rest));                                \
    }
SIMD_FLOAT(32, v_f32, v_u32, 0x7fc00000u)
SIMD_FLOAT(64, v_f64, v_u64, 0x7ff8000000000000u)

#define SIMD_EACH(name, V, LANES, EXPR)                                                           \
    static inline V name(V a)                                                                     \
    {                                                                                             \
        V r = { 0 };                                                                              \
        for (int i = 0; i < LANES; i++)                                                           \
            r[i] = EXPR(a[i]);                                                                    \
        return r;                                                                                 \
    }
#define SIMD_ROUND(n, V, LANES)                                                                   \
    SIMD_EACH(simd_ceil##n, V, LANES, num_ceil##n)                                                \
    SIMD_EACH(simd_floor##n, V, LANES, num_floor##n)                                              \
    SIMD_EACH(simd_trunc##n, V, LANES, num_trunc##n)                                              \
    SIMD_EACH(simd_nearest##n, V, LANES, num_nearest##n)                                          \
    SIMD_EACH(simd_sqrt##n, V, LANES, num_sqrt##n)
SIMD_ROUND(32, v_f32, 4)
SIMD_ROUND(64, v_f64, 2)

/* To the lower lanes; the others are zero. */
#define SIMD_TO(name, A, R, LANES, EXPR)                                                          \
    static inline R name(A a)                                                                     \
    {                                                                                             \
        R r = { 0 };                                                                              \
        for (int i = 0; i < LANES; i++)                                                           \
            r[i] = EXPR;                                                                          \
        return r;                                                                                 \
    }
SIMD_TO(simd_trunc_sat32_s, v_f32, v_i32, 4, num_sat_i32((double)a[i]))
SIMD_TO(simd_trunc_sat32_u, v_f32, v_u32, 4, num_sat_u32((double)a[i]))
SIMD_TO(simd_trunc_sat64_s, v_f64, v_i32, 2, num_sat_i32(a[i]))
SIMD_TO(simd_trunc_sat64_u, v_f64, v_u32, 2, num_sat_u32(a[i]))
SIMD_TO(simd_demote, v_f64, v_f32, 2, num_canon32((float)a[i]))
SIMD_TO(simd_promote, v_f32, v_f64, 2, num_canon64((double)a[i]))
SIMD_TO(simd_convert32_s, v_i32, v_f32, 4, (float)a[i])
SIMD_TO(simd_convert32_u, v_u32, v_f32, 4, (float)a[i])
SIMD_TO(simd_convert64_s, v_i32, v_f64, 2, (double)a[i])
SIMD_TO(simd_convert64_u, v_u32, v_f64, 2, (double)a[i])

#endif
