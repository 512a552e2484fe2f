/* The numeric instructions, whose opcodes 0x45 to 0xc4 and 0xfc 0 to 7 need no
 * more than a row of a table. */
#include "validate/func.h"

enum { N_COMPARE, N_EQZ, N_UNARY, N_UNARY_PLAIN, N_COMMUTING, N_ORDERED, N_PLAIN };

struct numeric {
    uint16_t op; /* first form; of a comparison its number */
    uint8_t kind, in, out;
};

#define CMP(t, i) { i, N_COMPARE, ENG_##t, 0 }
#define INT_CMPS(t)                                                                               \
    CMP(t, 0), CMP(t, 1), CMP(t, 2), CMP(t, 3), CMP(t, 4), CMP(t, 5), CMP(t, 6), CMP(t, 7),       \
        CMP(t, 8), CMP(t, 9)
#define FLOAT_CMPS(t) CMP(t, 0), CMP(t, 1), CMP(t, 2), CMP(t, 3), CMP(t, 4), CMP(t, 5)
#define UNA(name, in, out) { OP_##name##_S, N_UNARY, ENG_##in, ENG_##out }
#define COM(name, t) { OP_##name##_SS, N_COMMUTING, ENG_##t, 0 }
#define ORD(name, t) { OP_##name##_SS, N_ORDERED, ENG_##t, 0 }
/* Operations of one form. */
#define UNP(name, in, out) { OP_##name##_S, N_UNARY_PLAIN, ENG_##in, ENG_##out }
#define PLN(name, t) { OP_##name##_SS, N_PLAIN, ENG_##t, 0 }
#define INT_OPS(t, T)                                                                             \
    UNP(t##_clz, T, T), UNP(t##_ctz, T, T), UNP(t##_popcnt, T, T), COM(t##_add, T),               \
        ORD(t##_sub, T), COM(t##_mul, T), PLN(t##_div_s, T), PLN(t##_div_u, T),                   \
        PLN(t##_rem_s, T), PLN(t##_rem_u, T), COM(t##_and, T), COM(t##_or, T), COM(t##_xor, T),   \
        ORD(t##_shl, T), ORD(t##_shr_s, T), ORD(t##_shr_u, T), ORD(t##_rotl, T), PLN(t##_rotr, T)
#define FLOAT_OPS(t, T)                                                                           \
    UNA(t##_abs, T, T), UNA(t##_neg, T, T), UNP(t##_ceil, T, T), UNP(t##_floor, T, T),            \
        UNP(t##_trunc, T, T), UNP(t##_nearest, T, T), UNA(t##_sqrt, T, T), COM(t##_add, T),       \
        ORD(t##_sub, T), COM(t##_mul, T), ORD(t##_div, T), PLN(t##_min, T), PLN(t##_max, T),      \
        PLN(t##_copysign, T)

enum { NUMERIC_FIRST = 0x45, NUMERIC_LAST = 0xc4 };

static const struct numeric numerics[] = {
    { 0, N_EQZ, ENG_I32, 0 },
    INT_CMPS(I32),
    { 0, N_EQZ, ENG_I64, 0 },
    INT_CMPS(I64),
    FLOAT_CMPS(F32),
    FLOAT_CMPS(F64),
    INT_OPS(i32, I32),
    INT_OPS(i64, I64),
    FLOAT_OPS(f32, F32),
    FLOAT_OPS(f64, F64),
    UNA(i32_wrap_i64, I64, I32),
    UNP(i32_trunc_f32_s, F32, I32),
    UNP(i32_trunc_f32_u, F32, I32),
    UNP(i32_trunc_f64_s, F64, I32),
    UNP(i32_trunc_f64_u, F64, I32),
    UNA(i64_extend_i32_s, I32, I64),
    UNA(i64_extend_i32_u, I32, I64),
    UNP(i64_trunc_f32_s, F32, I64),
    UNP(i64_trunc_f32_u, F32, I64),
    UNP(i64_trunc_f64_s, F64, I64),
    UNP(i64_trunc_f64_u, F64, I64),
    UNP(f32_convert_i32_s, I32, F32),
    UNP(f32_convert_i32_u, I32, F32),
    UNP(f32_convert_i64_s, I64, F32),
    UNP(f32_convert_i64_u, I64, F32),
    UNP(f32_demote_f64, F64, F32),
    UNA(f64_convert_i32_s, I32, F64),
    UNP(f64_convert_i32_u, I32, F64),
    UNP(f64_convert_i64_s, I64, F64),
    UNP(f64_convert_i64_u, I64, F64),
    UNA(f64_promote_f32, F32, F64),
    UNP(i32_reinterpret_f32, F32, I32),
    UNA(i64_reinterpret_f64, F64, I64),
    UNP(f32_reinterpret_i32, I32, F32),
    UNA(f64_reinterpret_i64, I64, F64),
    UNP(i32_extend8_s, I32, I32),
    UNP(i32_extend16_s, I32, I32),
    UNP(i64_extend8_s, I64, I64),
    UNP(i64_extend16_s, I64, I64),
    UNP(i64_extend32_s, I64, I64),
};
_Static_assert(base_countof(numerics) == NUMERIC_LAST - NUMERIC_FIRST + 1, "one row an opcode");

static const struct numeric saturating[] = {
    UNP(i32_trunc_sat_f32_s, F32, I32), UNP(i32_trunc_sat_f32_u, F32, I32),
    UNP(i32_trunc_sat_f64_s, F64, I32), UNP(i32_trunc_sat_f64_u, F64, I32),
    UNP(i64_trunc_sat_f32_s, F32, I64), UNP(i64_trunc_sat_f32_u, F32, I64),
    UNP(i64_trunc_sat_f64_s, F64, I64), UNP(i64_trunc_sat_f64_u, F64, I64),
};

static bool can_trap(unsigned op)
{
    return (op >= OP_i32_div_s_SS && op < OP_i32_and_SS) ||
           (op >= OP_i64_div_s_SS && op < OP_i64_and_SS) ||
           (op >= OP_i32_trunc_f32_s_S && op < OP_i32_trunc_sat_f32_s_S);
}

static int op_row(struct compiler *c, const struct numeric *n, const uint8_t *at)
{
    int err = 0;
    switch (n->kind) {
    case N_COMPARE:
        return emit_compare(c, n->op, n->in);
    case N_EQZ:
        return emit_eqz(c, n->in);
    case N_UNARY:
    case N_UNARY_PLAIN:
        err = emit_unary(c, n->op, n->in, n->out, n->kind == N_UNARY_PLAIN);
        break;
    case N_PLAIN:
        err = emit_plain(c, n->op, n->in);
        break;
    default:
        err = emit_binary(c, n->op, n->in, n->kind == N_COMMUTING);
        break;
    }
    if (!err && !c->dead && can_trap(n->op))
        err = emit_offset(c, c->last, at);
    return err;
}

unsigned numeric_signature(unsigned opcode, uint8_t *ret_in, uint8_t *ret_out)
{
    if (opcode < NUMERIC_FIRST || opcode > NUMERIC_LAST)
        return 0;
    const struct numeric *n = &numerics[opcode - NUMERIC_FIRST];
    bool tests = n->kind == N_COMPARE || n->kind == N_EQZ;
    *ret_in = n->in;
    *ret_out = tests ? ENG_I32 : n->kind == N_UNARY || n->kind == N_UNARY_PLAIN ? n->out : n->in;
    return n->kind == N_EQZ || n->kind == N_UNARY || n->kind == N_UNARY_PLAIN ? 1 : 2;
}

bool op_numeric(struct compiler *c, unsigned opcode, int *ret)
{
    if (opcode < NUMERIC_FIRST || opcode > NUMERIC_LAST)
        return false;
    *ret = op_row(c, &numerics[opcode - NUMERIC_FIRST], c->l->r.p - 1);
    return true;
}

bool op_saturating(struct compiler *c, unsigned opcode, int *ret)
{
    if (opcode >= base_countof(saturating))
        return false;
    *ret = op_row(c, &saturating[opcode], c->l->r.p);
    return true;
}
