/* Shuffles: one instruction when the lanes allow it, at most three. */
#include "x64/simd.h"

enum { LANES = 16, HIGH_BIT = 0x80 };

/* Do groups of `size` bytes move as a whole? */
static bool in_groups(const uint8_t *lanes, unsigned size)
{
    for (unsigned i = 0; i < LANES; i++)
        if (lanes[i] % size != i % size || lanes[i] / size != lanes[i - i % size] / size)
            return false;
    return true;
}

static bool all_of(const uint8_t *lanes, unsigned operand)
{
    for (unsigned i = 0; i < LANES; i++)
        if (lanes[i] >> 4 != operand)
            return false;
    return true;
}

/* Four groups of four bytes as an immediate. */
static unsigned dwords(const uint8_t *lanes)
{
    unsigned imm = 0;
    for (unsigned i = 0; i < 4; i++)
        imm |= (lanes[i * 4] / 4u & 3) << i * 2;
    return imm;
}

/* Bytes for PSHUFB that takes what is of that operand. */
static void picks(const uint8_t *lanes, unsigned operand, uint64_t ret[2])
{
    uint8_t bytes[LANES];
    for (unsigned i = 0; i < LANES; i++)
        bytes[i] = lanes[i] >> 4 == operand ? lanes[i] & 15 : HIGH_BIT;
    memcpy(ret, bytes, LANES);
}

static void one_operand(struct native_gen *g, const uint8_t *lanes, struct gval *a)
{
    unsigned r = val_reg(g, a);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : a->kind == G_REG ? a->reg : xmm_alloc(g);
    if (in_groups(lanes, 4)) {
        v_op2_imm(g, OP_PSHUFD, d, r, dwords(lanes));
    } else {
        uint64_t bytes[2];
        picks(lanes, lanes[0] >> 4, bytes);
        v_const2(g, OP_PSHUFB, d, r, bytes[0], bytes[1]);
    }
    if (a->kind == G_REG && a->reg != d)
        val_release(g, a);
    dest_done(g, dest, ENG_V128, d, a->dirty);
}

/* An instruction that does it with two operands. */
struct one_op {
    uint32_t op;
    bool swapped; /* b is the first */
    int imm;      /* or -1 */
};

static bool interleaves(const uint8_t *lanes, unsigned size, unsigned from, unsigned first)
{
    for (unsigned i = 0; i < LANES; i++) {
        unsigned group = i / size, operand = group % 2 ^ first;
        if (lanes[i] != operand * LANES + from + group / 2 * size + i % size)
            return false;
    }
    return true;
}

static bool find_interleave(const uint8_t *lanes, struct one_op *ret)
{
    static const uint32_t ops[][2] = { { OP_PUNPCKLBW, OP_PUNPCKHBW }, { OP_PUNPCKLWD, OP_PUNPCKHWD },
                                       { OP_PUNPCKLDQ, OP_PUNPCKHDQ },
                                       { OP_PUNPCKLQDQ, OP_PUNPCKHQDQ } };
    unsigned first = lanes[0] >> 4, from = lanes[0] & 15;
    for (unsigned log2 = 0; log2 < 4 && (from == 0 || from == 8); log2++) {
        if (interleaves(lanes, 1u << log2, from, first)) {
            *ret = (struct one_op){ ops[log2][from / 8], first, -1 };
            return true;
        }
    }
    return false;
}

static bool find_align(const uint8_t *lanes, struct one_op *ret)
{
    for (unsigned i = 1; i < LANES; i++)
        if (lanes[i] != (lanes[0] + i) % (2 * LANES))
            return false;
    /* PALIGNR's first operand is the higher half. */
    *ret = (struct one_op){ OP_PALIGNR, lanes[0] < LANES, lanes[0] % LANES };
    return true;
}

static bool find_blend(const uint8_t *lanes, struct one_op *ret)
{
    unsigned imm = 0;
    for (unsigned i = 0; i < LANES; i++) {
        if (lanes[i] % LANES != i || lanes[i] >> 4 != lanes[i & ~1u] >> 4)
            return false;
        imm |= (lanes[i] >> 4 & 1u) << i / 2;
    }
    *ret = (struct one_op){ OP_PBLENDW, false, (int)imm };
    return true;
}

static bool find_shufps(const uint8_t *lanes, struct one_op *ret)
{
    unsigned first = lanes[0] >> 4;
    if (!in_groups(lanes, 4) || lanes[4] >> 4 != first || lanes[8] >> 4 == first ||
        lanes[12] >> 4 == first)
        return false;
    *ret = (struct one_op){ OP_SHUFPS, first, (int)dwords(lanes) };
    return true;
}

static void two_operands(struct native_gen *g, const struct one_op *o, struct gval *a, struct gval *b)
{
    unsigned ra = val_reg(g, a), rb = val_reg(g, b);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set && (dest.reg != rb || g->avx) ? dest.reg
                 : a->kind == G_REG                     ? a->reg
                                                        : xmm_alloc(g);
    v_op3(g, o->op, d, ra, rb);
    if (o->imm >= 0)
        asm_8(&g->a, (unsigned)o->imm);
    if (dest.set)
        v_mov(g, dest.reg, d);
    if (dest.set && d != dest.reg)
        xmm_free(g, d);
    if (a->kind == G_REG && (dest.set || a->reg != d))
        val_release(g, a);
    val_release(g, b);
    dest_done(g, dest, ENG_V128, dest.set ? dest.reg : d, CLEAN);
}

static void any_lanes(struct native_gen *g, const uint8_t *lanes, struct gval *a, struct gval *b)
{
    uint64_t of_a[2], of_b[2];
    unsigned rb = val_reg(g, b), d = val_temp(g, a);
    picks(lanes, 0, of_a);
    picks(lanes, 1, of_b);
    v_const2(g, OP_PSHUFB, X_SCRATCH, rb, of_b[0], of_b[1]);
    v_const2(g, OP_PSHUFB, d, d, of_a[0], of_a[1]);
    v_op(g, OP_POR, d, X_SCRATCH);
    val_release(g, b);
    v_push(g, d, CLEAN);
}

static bool find(const uint8_t *lanes, struct one_op *ret)
{
    return find_interleave(lanes, ret) || find_align(lanes, ret) || find_blend(lanes, ret) ||
           find_shufps(lanes, ret);
}

static bool same(const struct gval *a, const struct gval *b)
{
    return a->kind == b->kind && (a->kind == G_LOCAL ? a->at == b->at
                                  : a->kind == G_CONST && a->bits == b->bits);
}

void simd_shuffle(struct native_gen *g)
{
    const uint8_t *lanes = g->p;
    uint8_t own[LANES];
    struct one_op o;
    g->p += LANES;
    struct gval b = val_pop(g), a = val_pop(g);
    if (same(&a, &b)) {
        for (unsigned i = 0; i < LANES; i++)
            own[i] = lanes[i] & 15;
        lanes = own;
    }
    bool only_a = all_of(lanes, 0), only_b = all_of(lanes, 1);
    struct gval *used = only_b ? &b : &a;
    /* Lanes that move as a whole may stay as they are. */
    if (!(only_a || only_b) || !in_groups(lanes, used->dirty == DIRTY_F64 ? 8 : 4)) {
        val_clean(g, &a);
        val_clean(g, &b);
    }
    if (only_a || only_b) {
        val_release(g, only_b ? &a : &b);
        one_operand(g, lanes, used);
    } else if (find(lanes, &o)) {
        two_operands(g, &o, o.swapped ? &b : &a, o.swapped ? &a : &b);
    } else {
        any_lanes(g, lanes, &a, &b);
    }
}

/* Numbers beyond 15 give 0: PSHUFB wants their high bit. */
void simd_swizzle(struct native_gen *g)
{
    struct gval b = v_pop(g, CLEAN), a = v_pop(g, CLEAN);
    if (b.kind == G_CONST) {
        uint8_t bytes[LANES];
        uint64_t words[2];
        vector_bits(&b, words);
        memcpy(bytes, words, LANES);
        for (unsigned i = 0; i < LANES; i++)
            bytes[i] = bytes[i] < LANES ? bytes[i] : HIGH_BIT;
        memcpy(words, bytes, LANES);
        unsigned d = val_temp(g, &a);
        v_const2(g, OP_PSHUFB, d, d, words[0], words[1]);
        v_push(g, d, CLEAN);
        return;
    }
    unsigned rb = val_reg(g, &b), d = val_temp(g, &a);
    v_load_const(g, X_SCRATCH, 0x7070707070707070);
    v_op(g, OP_PADDUSB, X_SCRATCH, rb);
    v_op(g, OP_PSHUFB, d, X_SCRATCH);
    val_release(g, &b);
    v_push(g, d, CLEAN);
}
