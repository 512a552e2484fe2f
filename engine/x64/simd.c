/* Vectors: the table of instructions, and those that are one or two of the CPU's. */
#include "x64/simd.h"

#define ROW(op, kind, arg, flags, in, out) { (op), SK_##kind, (arg), (flags), (in), (out) }
#define UN(op) ROW(op, UNARY, 0, 0, 0, 0)
#define BIN(op, flags) ROW(op, BINARY, 0, flags, 0, 0)
#define BOTH(op) BIN(op, SF_COMMUTES)
#define HIGH(op) ROW(op, HIGH, 0, 0, 0, 0)
#define NEG(op) ROW(op, NEGATE, 0, 0, 0, 0)
#define F1(op, in, out) ROW(op, UNARY, 0, 0, in, out)
#define F2(op, shape, flags) ROW(op, BINARY, 0, flags, shape, shape)
#define ROUND(op, mode, shape) ROW(op, ROUND, (mode) | 8, 0, shape, shape)
#define CMP(prefix, how, flags, shape) ROW(X64_OP(prefix, MAP_0F, 0xc2), COMPARE, how, flags, shape, 0)
#define SHIFT(op, how, log2) ROW(op, SHIFT, (how) | (log2) << 4, 0, 0, 0)
#define INT ROW(0, INT, 0, 0, 0, 0)
#define FLOAT(in, out) ROW(0, FLOAT, 0, 0, in, out)
#define LANES ROW(0, LANES, 0, 0, 0, 0)
#define MEM ROW(0, MEMORY, 0, 0, 0, 0)
#define HOLE ROW(0, NONE, 0, 0, 0, 0)
#define LESS(op, log2, flags) ROW(op, COMPARE_U, log2, flags, 0, 0)
#define COMPARE_INTS(log2, eq, gt, min_u, max_u)                                                  \
    BOTH(eq), BIN(eq, SF_COMMUTES | SF_NOT), BIN(gt, SF_SWAPPED), LESS(max_u, log2, SF_NOT),      \
        BIN(gt, 0), LESS(min_u, log2, SF_NOT), BIN(gt, SF_NOT), LESS(min_u, log2, 0),             \
        BIN(gt, SF_SWAPPED | SF_NOT), LESS(max_u, log2, 0)
#define COMPARE_FLOATS(prefix, s)                                                                 \
    CMP(prefix, 0, SF_COMMUTES, s), CMP(prefix, 4, SF_COMMUTES, s), CMP(prefix, 1, 0, s),         \
        CMP(prefix, 1, SF_SWAPPED, s), CMP(prefix, 2, 0, s), CMP(prefix, 2, SF_SWAPPED, s)
#define EIGHT(x) x, x, x, x, x, x, x, x
#define F32_OPS(prefix, s)                                                                        \
    F2(X64_OP(prefix, MAP_0F, SSE_ADD), s, SF_COMMUTES), F2(X64_OP(prefix, MAP_0F, SSE_SUB), s, 0), \
        F2(X64_OP(prefix, MAP_0F, SSE_MUL), s, SF_COMMUTES),                                      \
        F2(X64_OP(prefix, MAP_0F, SSE_DIV), s, 0), FLOAT(s, s), FLOAT(s, s),                      \
        BIN(X64_OP(prefix, MAP_0F, SSE_MIN), SF_SWAPPED),                                         \
        BIN(X64_OP(prefix, MAP_0F, SSE_MAX), SF_SWAPPED)
#define EXTENDS(sx, zx) UN(P66_38(sx)), HIGH(P66_38(sx)), UN(P66_38(zx)), HIGH(P66_38(zx))
#define F32 DIRTY_F32
#define F64 DIRTY_F64

const struct simd_row simd_rows[256] = {
    /* 0x00: memory, constants, shuffles, splats, lanes */
    EIGHT(MEM), MEM, MEM, MEM, MEM, LANES, LANES, LANES, LANES,
    EIGHT(LANES), EIGHT(LANES),
    /* 0x20 */
    LANES, LANES, LANES,
    COMPARE_INTS(0, OP_PCMPEQB, P66(0x64), P66(0xda), P66(0xde)),
    COMPARE_INTS(1, OP_PCMPEQW, P66(0x65), P66_38(0x3a), P66_38(0x3e)),
    COMPARE_INTS(2, OP_PCMPEQD, OP_PCMPGTD, P66_38(0x3b), P66_38(0x3f)),
    /* 0x41 */
    COMPARE_FLOATS(0, F32), COMPARE_FLOATS(0x66, F64),
    INT, BOTH(OP_PAND), BIN(OP_PANDN, SF_SWAPPED),
    /* 0x50 */
    BOTH(OP_POR), BOTH(OP_PXOR), INT, LANES, EIGHT(MEM), MEM, MEM,
    F1(P66(0x5a), F64, F32), F1(PNP(0x5a), F32, F64),
    /* 0x60 */
    UN(P66_38(0x1c)), NEG(P66(0xf8)), INT, LANES, LANES, BIN(OP_PACKSSWB, 0), BIN(P66(0x67), 0),
    ROUND(P66_3A(0x08), 2, F32), ROUND(P66_3A(0x08), 1, F32), ROUND(P66_3A(0x08), 3, F32),
    ROUND(P66_3A(0x08), 0, F32), INT, INT, INT, BOTH(OP_PADDB), BOTH(P66(0xec)),
    /* 0x70 */
    BOTH(OP_PADDUSB), BIN(P66(0xf8), 0), BIN(P66(0xe8), 0), BIN(P66(0xd8), 0),
    ROUND(P66_3A(0x09), 2, F64), ROUND(P66_3A(0x09), 1, F64), BOTH(P66_38(0x38)), BOTH(P66(0xda)),
    BOTH(P66_38(0x3c)), BOTH(P66(0xde)), ROUND(P66_3A(0x09), 3, F64), BOTH(P66(0xe0)),
    INT, INT, INT, INT,
    /* 0x80 */
    UN(P66_38(0x1d)), NEG(P66(0xf9)), INT, LANES, LANES, BIN(P66(0x6b), 0), BIN(P66_38(0x2b), 0),
    EXTENDS(0x20, 0x30), SHIFT(OP_PSLLW, SHIFT_LEFT, 1), SHIFT(OP_PSRAW, SHIFT_ARITHMETIC, 1),
    SHIFT(OP_PSRLW, SHIFT_RIGHT, 1), BOTH(OP_PADDW), BOTH(P66(0xed)),
    /* 0x90 */
    BOTH(P66(0xdd)), BIN(P66(0xf9), 0), BIN(P66(0xe9), 0), BIN(P66(0xd9), 0),
    ROUND(P66_3A(0x09), 0, F64), BOTH(OP_PMULLW), BOTH(P66(0xea)), BOTH(P66_38(0x3a)),
    BOTH(P66(0xee)), BOTH(P66_38(0x3e)), HOLE, BOTH(P66(0xe3)), INT, INT, INT, INT,
    /* 0xa0 */
    UN(P66_38(0x1e)), NEG(OP_PSUBD), HOLE, LANES, LANES, HOLE, HOLE, EXTENDS(0x23, 0x33),
    SHIFT(P66(0xf2), SHIFT_LEFT, 2), SHIFT(P66(0xe2), SHIFT_ARITHMETIC, 2),
    SHIFT(P66(0xd2), SHIFT_RIGHT, 2), BOTH(OP_PADDD), HOLE,
    /* 0xb0 */
    HOLE, BIN(OP_PSUBD, 0), HOLE, HOLE, HOLE, BOTH(P66_38(0x40)), BOTH(P66_38(0x39)),
    BOTH(P66_38(0x3b)), BOTH(OP_PMAXSD), BOTH(P66_38(0x3f)), BOTH(OP_PMADDWD), HOLE,
    INT, INT, INT, INT,
    /* 0xc0 */
    INT, NEG(OP_PSUBQ), HOLE, LANES, LANES, HOLE, HOLE, EXTENDS(0x25, 0x35),
    SHIFT(P66(0xf3), SHIFT_LEFT, 3), INT, SHIFT(OP_PSRLQ, SHIFT_RIGHT, 3), BOTH(OP_PADDQ), HOLE,
    /* 0xd0 */
    HOLE, BIN(OP_PSUBQ, 0), HOLE, HOLE, HOLE, INT, BOTH(OP_PCMPEQQ),
    BIN(OP_PCMPEQQ, SF_COMMUTES | SF_NOT), ROW(0, COMPARE_64, 0, SF_SWAPPED, 0, 0),
    ROW(0, COMPARE_64, 0, 0, 0, 0), ROW(0, COMPARE_64, 0, SF_NOT, 0, 0),
    ROW(0, COMPARE_64, 0, SF_SWAPPED | SF_NOT, 0, 0), INT, INT, INT, INT,
    /* 0xe0 */
    FLOAT(0, 0), FLOAT(0, 0), HOLE, F1(PNP(SSE_SQRT), F32, F32), F32_OPS(0, F32),
    FLOAT(0, 0), FLOAT(0, 0), HOLE, F1(P66(SSE_SQRT), F64, F64), F32_OPS(0x66, F64),
    /* 0xf8 */
    FLOAT(F32, 0), FLOAT(F32, 0), F1(OP_CVTDQ2PS, 0, 0), FLOAT(0, 0), FLOAT(F64, 0), FLOAT(F64, 0),
    F1(OP_CVTDQ2PD, 0, 0), FLOAT(0, 0),
};

/* --- without compiling ---------------------------------------------------------------- */

enum { FIRST_STORE = 0x0b, CONST = 0x0c, SHUFFLE = 0x0d, EXTRACT_FIRST = 0x15, REPLACE_LAST = 0x22,
       LOAD_LANE_FIRST = 0x54, STORE_LANE_LAST = 0x5b };

void simd_skip(const uint8_t **p)
{
    uint32_t which = body_u32(p);
    if (which == CONST || which == SHUFFLE) {
        *p += 16;
    } else if (simd_rows[which & 255].kind == SK_MEMORY) {
        body_memarg(p);
        *p += which >= LOAD_LANE_FIRST && which <= STORE_LANE_LAST;
    } else {
        *p += which >= EXTRACT_FIRST && which <= REPLACE_LAST;
    }
}

/* Has no lane of the constant at p a NaN, as f32 (bit 0), as f64 (bit 1)? */
static uint8_t canonical_const(const uint8_t *p)
{
    uint64_t wide[2];
    uint32_t narrow[4];
    uint8_t can = CANONICAL;
    memcpy(wide, p, 16);
    memcpy(narrow, p, 16);
    for (unsigned i = 0; i < 4; i++)
        if ((narrow[i] & 0x7fffffff) > 0x7f800000)
            can &= 2;
    for (unsigned i = 0; i < 2; i++)
        if (wide[i] << 1 > UINT64_C(0xffe0000000000000))
            can &= 1;
    return can;
}

uint8_t simd_canonical(const uint8_t *p)
{
    uint32_t which = body_u32(&p);
    if (which == CONST)
        return canonical_const(p);
    unsigned out = simd_rows[which & 255].out;
    return out == DIRTY_F32 ? 1 : out == DIRTY_F64 ? 2 : 0;
}

/* --- one or two instructions ----------------------------------------------------------- */

static void complement(struct native_gen *g, unsigned d)
{
    v_ones(g, X_SCRATCH);
    v_op(g, OP_PXOR, d, X_SCRATCH);
}

static unsigned dest_reg(struct native_gen *g, struct gdest dest, const struct gval *a)
{
    return dest.set ? dest.reg : a->kind == G_REG ? a->reg : xmm_alloc(g);
}

static void release_but(struct native_gen *g, const struct gval *v, unsigned d)
{
    if (v->kind == G_REG && v->reg != d)
        val_release(g, v);
}

static void unary(struct native_gen *g, const struct simd_row *row)
{
    struct gval a = v_pop(g, row->in);
    unsigned r = val_reg(g, &a);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest_reg(g, dest, &a);
    if (row->kind == SK_HIGH) {
        v_op2_imm(g, OP_PSHUFD, d, r, 0xee);
        r = d;
    }
    v_op2(g, row->op, d, r);
    if (row->kind == SK_ROUND)
        asm_8(&g->a, row->arg);
    release_but(g, &a, d);
    dest_done(g, dest, ENG_V128, d, row->out);
}

static void negate(struct native_gen *g, const struct simd_row *row)
{
    struct gval a = v_pop(g, CLEAN);
    unsigned r = val_reg(g, &a);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest_reg(g, dest, &a);
    v_zero(g, X_SCRATCH);
    v_op(g, row->op, X_SCRATCH, r);
    v_mov(g, d, X_SCRATCH);
    release_but(g, &a, d);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static void swap(struct gval *a, struct gval *b)
{
    struct gval t = *a;
    *a = *b;
    *b = t;
}

static bool is_in(const struct native_gen *g, const struct gval *v, unsigned reg)
{
    unsigned r;
    return val_in_reg(v, &r) && r == reg;
}

/* d = a op b with three operands: b may be in memory. */
static void apply_vex(struct native_gen *g, uint32_t op, unsigned d, unsigned a, struct gval *b)
{
    struct x64_mem m;
    uint64_t words[2];
    if (b->kind == G_CONST) {
        vector_bits(b, words);
        gen_wide(g, asm_vex_rip(&g->a, op, d, a), words[0], words[1]);
    } else if (val_mem(g, b, &m)) {
        asm_vex_rm(&g->a, op, d, m, a);
    } else {
        asm_vex(&g->a, op, d, val_reg(g, b), a);
    }
}

/* With two; d holds a. Memory operands would have to be aligned. */
static void apply(struct native_gen *g, uint32_t op, unsigned d, struct gval *b)
{
    unsigned r = X_SCRATCH;
    uint64_t words[2];
    if (b->kind == G_CONST) {
        vector_bits(b, words);
        gen_wide(g, asm_rip(&g->a, op, d, 0), words[0], words[1]);
        return;
    }
    if (!val_in_reg(b, &r))
        val_load(g, b, r);
    asm_rr(&g->a, op, d, r);
}

static void binary(struct native_gen *g, const struct simd_row *row)
{
    struct gval b = v_pop(g, row->in), a = v_pop(g, row->in);
    if (row->flags & SF_SWAPPED)
        swap(&a, &b);
    struct gdest dest = dest_of(g, ENG_V128);
    bool number = row->kind == SK_COMPARE, commutes = row->flags & SF_COMMUTES;
    unsigned d, ra;
    if (commutes && (dest.set ? is_in(g, &b, dest.reg) : b.kind == G_REG && a.kind != G_REG))
        swap(&a, &b);
    if (commutes && g->avx && !val_in_reg(&a, &ra) && val_in_reg(&b, &ra) && !number)
        swap(&a, &b);
    if (number) /* which would follow a constant's displacement */
        val_reg(g, &b);
    if (g->avx) {
        ra = val_reg(g, &a);
        d = dest.set ? dest.reg : a.kind == G_REG ? a.reg : b.kind == G_REG ? b.reg : xmm_alloc(g);
        apply_vex(g, row->op, d, ra, &b);
    } else {
        d = dest_reg(g, dest, &a);
        if (is_in(g, &b, d) && !is_in(g, &a, d)) {
            v_mov(g, X_SCRATCH, d);
            val_load(g, &a, d);
            asm_rr(&g->a, row->op, d, X_SCRATCH);
        } else {
            val_load(g, &a, d);
            apply(g, row->op, d, &b);
        }
    }
    if (number)
        asm_8(&g->a, row->arg);
    if (row->flags & SF_NOT)
        complement(g, d);
    release_but(g, &a, d);
    release_but(g, &b, d);
    dest_done(g, dest, ENG_V128, d, row->out);
}

static void compare_unsigned(struct native_gen *g, const struct simd_row *row)
{
    struct gval b = v_pop(g, CLEAN), a = v_pop(g, CLEAN);
    unsigned rb = val_reg(g, &b), d = val_temp(g, &a);
    v_op3(g, row->op, X_SCRATCH, d, rb);
    v_op(g, X64_NTH(OP_PCMPEQB, row->arg), d, X_SCRATCH);
    if (row->flags & SF_NOT)
        complement(g, d);
    val_release(g, &b);
    v_push(g, d, CLEAN);
}

/* --- all of them -------------------------------------------------------------------------- */

void gen_simd(struct native_gen *g)
{
    uint32_t which = body_u32(&g->p);
    const struct simd_row *row = &simd_rows[which & 255];
    switch ((enum simd_kind)row->kind) {
    case SK_NONE:
        break;
    case SK_UNARY:
    case SK_ROUND:
    case SK_HIGH:
        unary(g, row);
        break;
    case SK_BINARY:
    case SK_COMPARE:
        binary(g, row);
        break;
    case SK_COMPARE_U:
        compare_unsigned(g, row);
        break;
    case SK_COMPARE_64:
        simd_compare_64(g, row);
        break;
    case SK_NEGATE:
        negate(g, row);
        break;
    case SK_SHIFT:
        simd_shift(g, row);
        break;
    case SK_INT:
        simd_int(g, which);
        break;
    case SK_FLOAT:
        simd_float(g, which);
        break;
    case SK_LANES:
        simd_lanes(g, which);
        break;
    case SK_MEMORY:
        simd_memory(g, which);
        break;
    }
}
