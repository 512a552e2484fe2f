/* SIMD: instructions with the prefix 0xfd, and values of type v128 in locals, globals and
 * select. Their operations take slots and give slots; no accumulator holds a v128. */
#include "validate/func.h"

#if ENG_SIMD

static const uint8_t vectors[] = { ENG_V128, V128_HIGH, ENG_V128, V128_HIGH, ENG_V128,
                                       V128_HIGH };

/* --- values ------------------------------------------------------------------------- */

static uint32_t next_home(const struct compiler *c)
{
    return c->base + c->value_count;
}

/* The result of the instruction at pos, which writes it to the next home. */
static int push_v128(struct compiler *c, uint32_t pos)
{
    uint32_t slot = next_home(c);
    int err = push_type(c, ENG_V128);
    forget_slot(c, slot);
    forget_slot(c, slot + 1);
    c->wide_pos = pos;
    return err;
}

void v128_copy(struct compiler *c, uint32_t from, uint32_t slot)
{
    emit(c, OP_v128_copy, operands(from, slot, 0, 0));
    forget_slot(c, slot);
    forget_slot(c, slot + 1);
}

void v128_to(struct compiler *c, const struct value *v, uint32_t slot)
{
    if (v->kind != V_CONST) {
        v128_copy(c, place(c, v), slot);
        return;
    }
    emit(c, OP_v128_const, operands(0, slot, 0, 0));
    emit_word(c, v[0].bits);
    emit_word(c, v[1].bits);
    forget_slot(c, slot);
    forget_slot(c, slot + 1);
}

static int push_const(struct compiler *c, uint64_t low, uint64_t high)
{
    int err = push_type(c, ENG_V128);
    if (err || c->dead)
        return err;
    struct value *v = &c->values[c->value_count - 2];
    v[0].kind = v[1].kind = V_CONST;
    v[0].bits = low;
    v[1].bits = high;
    return 0;
}

int v128_local_get(struct compiler *c, uint32_t x)
{
    int err = push_type(c, ENG_V128);
    if (err || c->dead)
        return err;
    struct value *v = &c->values[c->value_count - 2];
    if (c->lazy + 2 > LAZY_MAX) {
        v128_copy(c, x, home(c, v));
        return 0;
    }
    for (uint32_t i = 0; i < 2; i++) {
        v[i].kind = V_LOCAL;
        v[i].local = (uint16_t)(x + i);
        c->refs[x + i]++;
        c->lazy++;
    }
    return 0;
}

/* The value was popped. What made it last may write to the local instead. */
static void set_local(struct compiler *c, const struct value *v, uint32_t x)
{
    preserve(c, x);
    bool made = v->kind == V_SLOT && c->last_op != NO_OP && c->wide_pos &&
                c->wide_pos == c->last && (c->code[c->last + 1] >> 16 & 0xffff) == home(c, v);
    if (!made) {
        v128_to(c, v, x);
        return;
    }
    uint64_t *w = &c->code[c->last + 1];
    *w = (*w & ~((uint64_t)0xffff << 16)) | (uint64_t)x << 16;
    c->wide_pos = 0;
}

int v128_local_set(struct compiler *c, uint32_t x, bool tee)
{
    int err = pop_all(c, vectors, 2);
    if (err)
        return err;
    if (c->dead)
        return tee ? push_type(c, ENG_V128) : 0;
    struct value v[2] = { c->values[c->value_count], c->values[c->value_count + 1] };
    if (!(v->kind == V_LOCAL && v->local == x))
        set_local(c, &c->values[c->value_count], x);
    if (!tee)
        return 0;
    return v->kind == V_CONST ? push_const(c, v[0].bits, v[1].bits) : v128_local_get(c, x);
}

int v128_global_get(struct compiler *c, uint32_t x)
{
    if (c->dead)
        return push_type(c, ENG_V128);
    return push_v128(c, emit(c, OP_v128_global_get, operands_imm(0, next_home(c), x)));
}

int v128_global_set(struct compiler *c, uint32_t x)
{
    int err = pop_all(c, vectors, 2);
    if (!err && !c->dead)
        emit(c, OP_v128_global_set,
             operands_imm(slot_of(c, &c->values[c->value_count]), 0, x));
    return err;
}

/* The condition was popped and is above the operands. */
int op_select_v128(struct compiler *c)
{
    int err = pop_all(c, vectors, 4);
    if (err || c->dead)
        return err ? err : push_type(c, ENG_V128);
    struct value *v = &c->values[c->value_count];
    uint32_t a = slot_of(c, &v[0]), b = slot_of(c, &v[2]), test = slot_of(c, &v[4]);
    return push_v128(c, emit(c, OP_v128_select, operands(a, next_home(c), b, test)));
}

/* --- the instructions ------------------------------------------------------------------ */

enum {
    NONE,
    UNARY,
    BINARY,
    TERNARY,
    SHIFT,   /* v128, i32 */
    TEST,    /* v128 to i32 */
    SPLAT,   /* type to v128 */
    EXTRACT, /* v128 to type */
    REPLACE, /* v128, type */
    LOAD,
    STORE,
    LOAD_LANE,
    STORE_LANE,
    CONST,
    SHUFFLE,
};

struct simd {
    uint16_t op; /* of memory: guarded */
    uint8_t kind, type;
    uint8_t size; /* number of lanes, or log2 of the bytes in memory */
};

#define ROW(name, kind, type, size) { OP_##name, kind, type, size }
#define V1(name) ROW(name, UNARY, 0, 0)
#define V2(name) ROW(name, BINARY, 0, 0)
#define SHF(name) ROW(name, SHIFT, 0, 0)
#define TST(name) ROW(name, TEST, 0, 0)
#define SPL(name, t) ROW(name, SPLAT, ENG_##t, 0)
#define EXT(name, t, lanes) ROW(name, EXTRACT, ENG_##t, lanes)
#define REP(name, t, lanes) ROW(name, REPLACE, ENG_##t, lanes)
#define MEM(name, kind, size) ROW(g_v128_##name, kind, 0, size)
#define COMPARE(shape)                                                                            \
    V2(shape##_eq), V2(shape##_ne), V2(shape##_lt_s), V2(shape##_lt_u), V2(shape##_gt_s),    \
        V2(shape##_gt_u), V2(shape##_le_s), V2(shape##_le_u), V2(shape##_ge_s),               \
        V2(shape##_ge_u)
#define COMPARE_FLOAT(shape)                                                                      \
    V2(shape##_eq), V2(shape##_ne), V2(shape##_lt), V2(shape##_gt), V2(shape##_le),          \
        V2(shape##_ge)
#define EXTEND(shape, from)                                                                       \
    V1(shape##_extend_low_##from##_s), V1(shape##_extend_high_##from##_s),                        \
        V1(shape##_extend_low_##from##_u), V1(shape##_extend_high_##from##_u)
#define EXTMUL(shape, from)                                                                       \
    V2(shape##_extmul_low_##from##_s), V2(shape##_extmul_high_##from##_s),                      \
        V2(shape##_extmul_low_##from##_u), V2(shape##_extmul_high_##from##_u)
#define SHIFTS(shape) SHF(shape##_shl), SHF(shape##_shr_s), SHF(shape##_shr_u)
#define SATURATING(shape, op) V2(shape##_##op), V2(shape##_##op##_sat_s), V2(shape##_##op##_sat_u)
#define MINMAX(shape) V2(shape##_min_s), V2(shape##_min_u), V2(shape##_max_s), V2(shape##_max_u)
#define ARITHMETIC(shape)                                                                         \
    V2(shape##_add), V2(shape##_sub), V2(shape##_mul), V2(shape##_div), V2(shape##_min),     \
        V2(shape##_max), V2(shape##_pmin), V2(shape##_pmax)
#define HOLE { 0, NONE, 0, 0 }

/* By opcode. */
static const struct simd instructions[] = {
    /* 0x00 */
    MEM(load, LOAD, 4), MEM(load8x8_s, LOAD, 3), MEM(load8x8_u, LOAD, 3), MEM(load16x4_s, LOAD, 3),
    MEM(load16x4_u, LOAD, 3), MEM(load32x2_s, LOAD, 3), MEM(load32x2_u, LOAD, 3),
    MEM(load8_splat, LOAD, 0), MEM(load16_splat, LOAD, 1), MEM(load32_splat, LOAD, 2),
    MEM(load64_splat, LOAD, 3), MEM(store, STORE, 4), ROW(v128_const, CONST, 0, 0),
    ROW(i8x16_shuffle, SHUFFLE, 0, 0), V2(i8x16_swizzle), SPL(i8x16_splat, I32),
    /* 0x10 */
    SPL(i16x8_splat, I32), SPL(i32x4_splat, I32), SPL(i64x2_splat, I64), SPL(i32x4_splat, F32),
    SPL(i64x2_splat, F64), EXT(i8x16_extract_lane_s, I32, 16), EXT(i8x16_extract_lane_u, I32, 16),
    REP(i8x16_replace_lane, I32, 16), EXT(i16x8_extract_lane_s, I32, 8),
    EXT(i16x8_extract_lane_u, I32, 8), REP(i16x8_replace_lane, I32, 8),
    EXT(i32x4_extract_lane, I32, 4), REP(i32x4_replace_lane, I32, 4),
    EXT(i64x2_extract_lane, I64, 2), REP(i64x2_replace_lane, I64, 2),
    EXT(f32x4_extract_lane, F32, 4),
    /* 0x20 */
    REP(i32x4_replace_lane, F32, 4), EXT(f64x2_extract_lane, F64, 2),
    REP(i64x2_replace_lane, F64, 2), COMPARE(i8x16), COMPARE(i16x8), COMPARE(i32x4),
    /* 0x41 */
    COMPARE_FLOAT(f32x4), COMPARE_FLOAT(f64x2), V1(v128_not), V2(v128_and), V2(v128_andnot),
    /* 0x50 */
    V2(v128_or), V2(v128_xor), ROW(v128_bitselect, TERNARY, 0, 0), TST(v128_any_true),
    MEM(load8_lane, LOAD_LANE, 0), MEM(load16_lane, LOAD_LANE, 1), MEM(load32_lane, LOAD_LANE, 2),
    MEM(load64_lane, LOAD_LANE, 3), MEM(store8_lane, STORE_LANE, 0),
    MEM(store16_lane, STORE_LANE, 1), MEM(store32_lane, STORE_LANE, 2),
    MEM(store64_lane, STORE_LANE, 3), MEM(load32_zero, LOAD, 2), MEM(load64_zero, LOAD, 3),
    V1(f32x4_demote_f64x2_zero), V1(f64x2_promote_low_f32x4),
    /* 0x60 */
    V1(i8x16_abs), V1(i8x16_neg), V1(i8x16_popcnt), TST(i8x16_all_true), TST(i8x16_bitmask),
    V2(i8x16_narrow_i16x8_s), V2(i8x16_narrow_i16x8_u), V1(f32x4_ceil), V1(f32x4_floor),
    V1(f32x4_trunc), V1(f32x4_nearest), SHIFTS(i8x16), SATURATING(i8x16, add),
    SATURATING(i8x16, sub), V1(f64x2_ceil), V1(f64x2_floor), MINMAX(i8x16), V1(f64x2_trunc),
    V2(i8x16_avgr_u),
    /* 0x7c */
    V1(i16x8_extadd_pairwise_i8x16_s), V1(i16x8_extadd_pairwise_i8x16_u),
    V1(i32x4_extadd_pairwise_i16x8_s), V1(i32x4_extadd_pairwise_i16x8_u),
    /* 0x80 */
    V1(i16x8_abs), V1(i16x8_neg), V2(i16x8_q15mulr_sat_s), TST(i16x8_all_true),
    TST(i16x8_bitmask), V2(i16x8_narrow_i32x4_s), V2(i16x8_narrow_i32x4_u),
    EXTEND(i16x8, i8x16), SHIFTS(i16x8), SATURATING(i16x8, add), SATURATING(i16x8, sub),
    V1(f64x2_nearest), V2(i16x8_mul), MINMAX(i16x8), HOLE, V2(i16x8_avgr_u),
    EXTMUL(i16x8, i8x16),
    /* 0xa0 */
    V1(i32x4_abs), V1(i32x4_neg), HOLE, TST(i32x4_all_true), TST(i32x4_bitmask), HOLE, HOLE,
    EXTEND(i32x4, i16x8), SHIFTS(i32x4), V2(i32x4_add), HOLE, HOLE, V2(i32x4_sub), HOLE, HOLE,
    HOLE, V2(i32x4_mul), MINMAX(i32x4), V2(i32x4_dot_i16x8_s), HOLE, EXTMUL(i32x4, i16x8),
    /* 0xc0 */
    V1(i64x2_abs), V1(i64x2_neg), HOLE, TST(i64x2_all_true), TST(i64x2_bitmask), HOLE, HOLE,
    EXTEND(i64x2, i32x4), SHIFTS(i64x2), V2(i64x2_add), HOLE, HOLE, V2(i64x2_sub), HOLE, HOLE,
    HOLE, V2(i64x2_mul), V2(i64x2_eq), V2(i64x2_ne), V2(i64x2_lt_s), V2(i64x2_gt_s),
    V2(i64x2_le_s), V2(i64x2_ge_s), EXTMUL(i64x2, i32x4),
    /* 0xe0 */
    V1(f32x4_abs), V1(f32x4_neg), HOLE, V1(f32x4_sqrt), ARITHMETIC(f32x4), V1(f64x2_abs),
    V1(f64x2_neg), HOLE, V1(f64x2_sqrt), ARITHMETIC(f64x2), V1(i32x4_trunc_sat_f32x4_s),
    V1(i32x4_trunc_sat_f32x4_u), V1(f32x4_convert_i32x4_s), V1(f32x4_convert_i32x4_u),
    V1(i32x4_trunc_sat_f64x2_s_zero), V1(i32x4_trunc_sat_f64x2_u_zero),
    V1(f64x2_convert_low_i32x4_s), V1(f64x2_convert_low_i32x4_u),
};
_Static_assert(base_countof(instructions) == 256, "one row an opcode");

/* One to three vectors to one. */
static int op_values(struct compiler *c, const struct simd *s)
{
    uint32_t slots = s->kind == UNARY ? 2 : s->kind == BINARY ? 4 : 6;
    int err = pop_all(c, vectors, slots);
    if (err || c->dead)
        return err ? err : push_type(c, ENG_V128);
    struct value *v = &c->values[c->value_count];
    uint32_t a = slot_of(c, v), b = slots > 2 ? slot_of(c, v + 2) : 0;
    uint32_t mask = slots > 4 ? slot_of(c, v + 4) : 0;
    return push_v128(c, emit(c, s->op, operands(a, next_home(c), b, mask)));
}

static int op_shift(struct compiler *c, const struct simd *s)
{
    static const uint8_t types[] = { ENG_V128, V128_HIGH, ENG_I32 };
    int err = pop_all(c, types, 3);
    if (err || c->dead)
        return err ? err : push_type(c, ENG_V128);
    struct value *v = &c->values[c->value_count];
    uint32_t a = slot_of(c, v), b = slot_of(c, v + 2);
    return push_v128(c, emit(c, s->op, operands(a, next_home(c), b, 0)));
}

static int op_splat(struct compiler *c, const struct simd *s)
{
    int err = pop(c, s->type);
    if (err || c->dead)
        return err ? err : push_type(c, ENG_V128);
    uint32_t a = slot_of(c, &c->values[c->value_count]);
    return push_v128(c, emit(c, s->op, operands(a, next_home(c), 0, 0)));
}

static int read_lane(struct compiler *c, uint32_t lanes, uint32_t *ret)
{
    const uint8_t *at = c->l->r.p;
    *ret = reader_byte(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    return *ret < lanes ? 0 : fail_at(c, at, "invalid lane index");
}

/* A scalar of a vector; a test is one too. */
static int op_extract(struct compiler *c, const struct simd *s)
{
    uint32_t lane = 0;
    uint8_t type = s->kind == TEST ? ENG_I32 : s->type;
    int err = s->kind == TEST ? 0 : read_lane(c, s->size, &lane);
    if (!err)
        err = pop_all(c, vectors, 2);
    if (err || c->dead)
        return err ? err : push(c, type);
    uint32_t a = slot_of(c, &c->values[c->value_count]);
    uint32_t pos = emit(c, s->op, operands(a, next_home(c), 0, lane));
    return push_result(c, type, pos, s->op, false);
}

static int op_replace(struct compiler *c, const struct simd *s)
{
    const uint8_t types[] = { ENG_V128, V128_HIGH, s->type };
    uint32_t lane;
    int err = read_lane(c, s->size, &lane);
    if (!err)
        err = pop_all(c, types, 3);
    if (err || c->dead)
        return err ? err : push_type(c, ENG_V128);
    struct value *v = &c->values[c->value_count];
    uint32_t a = slot_of(c, v), b = slot_of(c, v + 2);
    return push_v128(c, emit(c, s->op, operands(a, next_home(c), b, lane)));
}

static int op_shuffle(struct compiler *c)
{
    uint64_t words[2];
    const uint8_t *at = c->l->r.p;
    struct span lanes = reader_bytes(&c->l->r, sizeof words);
    if (c->l->r.failed)
        return E_MALFORMED;
    for (size_t i = 0; i < lanes.len; i++)
        if (lanes.p[i] >= 32)
            return fail_at(c, at + i, "invalid lane index");
    int err = pop_all(c, vectors, 4);
    if (err || c->dead)
        return err ? err : push_type(c, ENG_V128);
    memcpy(words, lanes.p, sizeof words);
    struct value *v = &c->values[c->value_count];
    uint32_t a = slot_of(c, v), b = slot_of(c, v + 2);
    uint32_t pos = emit(c, OP_i8x16_shuffle, operands(a, next_home(c), b, 0));
    emit_word(c, words[0]);
    emit_word(c, words[1]);
    return push_v128(c, pos);
}

/* Loads and stores, of a lane or all. */
static int op_memory(struct compiler *c, const struct simd *s, const uint8_t *at)
{
    static const uint8_t types[] = { ENG_I32, ENG_V128, V128_HIGH };
    struct memarg memarg;
    uint32_t lane = 0;
    bool load = s->kind == LOAD || s->kind == LOAD_LANE, of_lane = s->kind >= LOAD_LANE;
    int err = read_memarg(c, s->size, &memarg, at);
    if (!err && of_lane)
        err = read_lane(c, 16u >> s->size, &lane);
    if (!err)
        err = pop_all(c, types, s->kind == LOAD ? 1 : 3);
    if (err || c->dead)
        return err || !load ? err : push_type(c, ENG_V128);
    struct value *v = &c->values[c->value_count];
    memory_enter(c, memarg.memory);
    unsigned op = s->op + (unchecked(c) ? 0u : OP_c_v128_load - OP_g_v128_load);
    uint32_t a = slot_of(c, v), vector = s->kind == LOAD ? 0 : slot_of(c, v + 1);
    uint32_t pos = emit(c, op, operands_imm(a, load ? next_home(c) : vector, memarg.offset));
    if (of_lane)
        emit_word(c, load ? vector | (uint64_t)lane << 16 : lane);
    memory_leave(c);
    err = emit_offset(c, pos, at);
    return err || !load ? err : push_v128(c, pos);
}

static int op_row(struct compiler *c, const struct simd *s, const uint8_t *at)
{
    uint64_t low;
    switch (s->kind) {
    case SHIFT:
        return op_shift(c, s);
    case SPLAT:
        return op_splat(c, s);
    case TEST:
    case EXTRACT:
        return op_extract(c, s);
    case REPLACE:
        return op_replace(c, s);
    case LOAD:
    case STORE:
    case LOAD_LANE:
    case STORE_LANE:
        return op_memory(c, s, at);
    case CONST:
        low = reader_fixed64(&c->l->r);
        return push_const(c, low, reader_fixed64(&c->l->r));
    case SHUFFLE:
        return op_shuffle(c);
    default:
        return op_values(c, s);
    }
}

int op_simd(struct compiler *c, const uint8_t *at)
{
    uint32_t opcode = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    if (opcode >= SIMD_RELAXED_FIRST && opcode <= SIMD_RELAXED_LAST)
        return reader_fail(&c->l->r, E_UNSUPPORTED, at, "relaxed SIMD instruction not supported");
    if (opcode >= base_countof(instructions) || instructions[opcode].kind == NONE)
        return reader_fail(&c->l->r, E_MALFORMED, at, "illegal opcode");
    return op_row(c, &instructions[opcode], at);
}

#endif
