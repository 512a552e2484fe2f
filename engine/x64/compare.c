/* Comparisons, and what is done with them at once: branches, `if`, select. */
#include "x64/gen.h"

static unsigned invert(unsigned cond)
{
    return cond ^ 1; /* also of CC_FEQ and CC_FNE */
}

/* --- looking ahead ------------------------------------------------------------------ */

/* Where negations of what comes out end. */
static inline const uint8_t *past_eqz(const struct native_gen *g)
{
    const uint8_t *p = g->p;
    while (*p == 0x45)
        p++;
    return p;
}

/* Who takes the result of the comparison whose operands have been popped? p: past_eqz(). */
static inline enum cond_use use_at(struct native_gen *g, const uint8_t *p)
{
    if (*p == 0x04)
        return USE_IF;
    if (*p == 0x0d) {
        uint32_t depth = p[1] < 0x80 ? p[1] : body_peek(g, p + 1);
        return label_arity(label_at(g, depth)) ? USE_VALUE : USE_BRANCH;
    }
    if (*p == 0x1b && !is_float(g->vals[g->count - 1].type))
        return USE_SELECT;
    return USE_VALUE;
}

static enum cond_use use_of(struct native_gen *g)
{
    return use_at(g, past_eqz(g));
}

/* A condition beyond the CPU's in `to`; d: a temporary, which is held. */
static void flags_to_reg(struct native_gen *g, unsigned cond, unsigned d, unsigned to)
{
    unsigned t = gpr_alloc(g);
    bool eq = cond == CC_FEQ;
    asm_rr_byte(&g->a, X64_NTH(OP_SETCC, eq ? CC_NP : CC_P), 0, t);
    asm_rr_byte(&g->a, X64_NTH(OP_SETCC, eq ? CC_E : CC_NE), 0, d);
    asm_rr_plain(&g->a, eq ? OP_AND : OP_OR, d, t);
    gpr_free(g, t);
    asm_rr_byte(&g->a, (uint32_t)OP_MOVZX8, to, d);
}

static APART void materialise(struct native_gen *g, unsigned cond)
{
    struct gdest dest = dest_here(g);
    unsigned d = gpr_alloc(g), to = dest.set ? dest.reg : d;
    if (cond >= CC_FEQ) {
        flags_to_reg(g, cond, d, to);
    } else {
        asm_rr_byte(&g->a, X64_NTH(OP_SETCC, cond), 0, d);
        asm_rr_byte(&g->a, (uint32_t)OP_MOVZX8, to, d);
    }
    if (dest.set)
        gpr_free(g, d);
    int_done(g, dest, ENG_I32, to);
}

/* d = cond ? v : d, or the opposite for equality of floats. */
static void cmov(struct native_gen *g, unsigned cond, unsigned d, struct gval *v)
{
    struct x64_mem m;
    uint32_t op = X64_NTH(OP_CMOV, cond) | wide_flag(v->type);
    if (val_mem(g, v, &m))
        asm_rm(&g->a, op, d, m);
    else
        asm_rr(&g->a, op, d, val_reg(g, v));
}

static void select_int(struct native_gen *g, unsigned cond)
{
    struct gval b = val_pop(g), a = val_pop(g);
    uint8_t type = a.type;
    if (a.kind == G_CONST)
        val_temp(g, &a);
    if (b.kind == G_CONST)
        val_temp(g, &b);
    if (cond == CC_FEQ) {
        struct gval t = a;
        a = b;
        b = t;
        cond = CC_FNE;
    }
    struct gdest dest = dest_of(g, type);
    unsigned rb = NO_REG, d;
    bool b_in = val_in_reg(&b, &rb);
    if (cond != CC_FNE && !(dest.set && b_in && rb == dest.reg) &&
        (dest.set || b.kind != G_REG)) { /* in a's place: the other one moves in */
        d = dest.set ? dest.reg : a.kind == G_REG ? a.reg : gpr_alloc(g);
        val_load(g, &a, d);
        cmov(g, invert(cond), d, &b);
    } else {
        d = dest.set ? dest.reg : b.kind == G_REG ? b.reg : gpr_alloc(g);
        unsigned ra;
        if (val_in_reg(&a, &ra) && ra == d && !(b_in && rb == d)) {
            unsigned t = gpr_alloc(g);
            val_load(g, &a, t);
            a.kind = G_REG;
            a.reg = (uint8_t)t;
        }
        val_load(g, &b, d);
        cmov(g, cond == CC_FNE ? (unsigned)CC_NE : cond, d, &a);
        if (cond == CC_FNE)
            cmov(g, CC_P, d, &a);
    }
    if (a.kind == G_REG && a.reg != d)
        val_release(g, &a);
    if (b.kind == G_REG && b.reg != d)
        val_release(g, &b);
    dest_done(g, dest, type, d, false);
}

static void select_float(struct native_gen *g, struct gval *cond)
{
    struct gval b = val_pop(g), a = val_pop(g);
    val_clean(g, &a);
    val_clean(g, &b);
    unsigned d = val_temp(g, &a), r = val_reg(g, cond);
    asm_rr(&g->a, OP_TEST, r, r);
    uint8_t *keep = asm_jcc_short(&g->a, CC_NE);
    val_load(g, &b, d);
    asm_short_here(&g->a, keep);
    val_release(g, &b);
    val_release(g, cond);
    val_push_reg(g, a.type, d, false);
}

/* --- conditions --------------------------------------------------------------------------- */

/* p: past_eqz(). */
static inline void use_cond_at(struct native_gen *g, enum cond_use use, const uint8_t *p, unsigned cond)
{
    if ((p - g->p) & 1)
        cond = invert(cond);
    g->p = p + 1;
    switch (use) {
    case USE_BRANCH:
        gen_br_if_cond(g, body_u32(&g->p), cond);
        break;
    case USE_IF:
        gen_if_cond(g, cond);
        break;
    case USE_SELECT:
        select_int(g, cond);
        break;
    default:
        g->p = p;
        materialise(g, cond);
        break;
    }
}

static void use_cond(struct native_gen *g, enum cond_use use, unsigned cond)
{
    use_cond_at(g, use, past_eqz(g), cond);
}

enum cond_use cond_ahead(struct native_gen *g)
{
    enum cond_use use = use_of(g);
    if (use == USE_IF)
        val_flush(g, g->count);
    return use;
}

void cond_done(struct native_gen *g, enum cond_use use, unsigned cond)
{
    use_cond(g, use, cond);
}

unsigned cond_of(struct native_gen *g, struct gval *v)
{
    if (v->reg == NO_REG && v->kind != G_CONST) {
        asm_alu_sp_imm(&g->a, 0, EXT_CMP, val_place(g, v), 0);
    } else {
        unsigned r = val_reg(g, v);
        asm_rr_plain(&g->a, OP_TEST, r, r);
    }
    val_release(g, v);
    return CC_NE;
}

unsigned cond_pop(struct native_gen *g)
{
    struct gval *v = val_take(g);
    return cond_of(g, v);
}

void gen_select(struct native_gen *g)
{
    if (is_float(g->vals[g->count - 2].type)) {
        struct gval cond = val_pop(g);
        select_float(g, &cond);
    } else {
        select_int(g, cond_pop(g));
    }
}

/* --- comparing ---------------------------------------------------------------------------------- */

/* Flags of a compared with a number. */
static inline void compare_const(struct native_gen *g, struct gval *a, bool wide, int32_t imm)
{
    uint32_t w = wide ? X64_WIDE : 0;
    if (a->reg == NO_REG) {
        if (a->kind != G_CONST) {
            asm_alu_sp_imm(&g->a, w, EXT_CMP, val_place(g, a), imm);
            return;
        }
        val_temp(g, a);
    }
    if (imm == 0)
        asm_rr_plain(&g->a, OP_TEST | w, a->reg, a->reg);
    else
        asm_alu_imm_plain(&g->a, w, EXT_CMP, a->reg, imm);
}

/* Flags of a compared with b, or of b with a: true then. */
static APART bool compare_any(struct native_gen *g, struct gval *a, struct gval *b, bool wide)
{
    uint32_t w = wide ? X64_WIDE : 0;
    bool swapped = a->kind == G_CONST && b->kind != G_CONST;
    if (swapped) {
        struct gval *t = a;
        a = b;
        b = t;
    }
    int64_t imm = wide ? (int64_t)b->bits : (int32_t)b->bits;
    if (b->kind == G_CONST && imm >= INT32_MIN && imm <= INT32_MAX) {
        compare_const(g, a, wide, (int32_t)imm);
        return swapped;
    }
    unsigned r = val_reg(g, a);
    if (b->reg == NO_REG && b->kind != G_CONST)
        asm_sp_plain(&g->a, OP_CMP | w, r, val_place(g, b));
    else
        asm_rr_plain(&g->a, OP_CMP | w, r, val_reg(g, b));
    return swapped;
}

static inline bool compare_ints(struct native_gen *g, struct gval *a, struct gval *b, bool wide)
{
    uint32_t w = wide ? X64_WIDE : 0;
    if (a->reg == NO_REG || b->kind == G_CONST)
        return compare_any(g, a, b, wide);
    if (b->reg == NO_REG)
        asm_sp_plain(&g->a, OP_CMP | w, a->reg, val_place(g, b));
    else
        asm_rr_plain(&g->a, OP_CMP | w, a->reg, b->reg);
    return false;
}

enum { FIRST_I32 = 0x46, FIRST_I64 = 0x51 };
/* In the order of the opcodes: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u. */
static const uint8_t int_conds[] = { CC_E, CC_NE, CC_L, CC_B, CC_G, CC_A, CC_LE, CC_BE, CC_GE, CC_AE };
static const uint8_t int_swapped[] = { CC_E,  CC_NE, CC_G,  CC_A, CC_L,
                                       CC_B, CC_GE, CC_AE, CC_LE, CC_BE };

static APART void gen_compare_int(struct native_gen *g, unsigned index, bool wide)
{
    struct gval *a, *b = int_take_two(g, &a);
    const uint8_t *p = past_eqz(g);
    enum cond_use use = use_at(g, p);
    if (use == USE_IF)
        val_flush(g, g->count);
    bool swapped = compare_ints(g, a, b, wide);
    int_release(g, a);
    int_release(g, b);
    use_cond_at(g, use, p, swapped ? int_swapped[index] : int_conds[index]);
}

/* eq ne lt gt le ge; for less the operands change places, so that NaN is never. */
static APART void gen_compare_float(struct native_gen *g, unsigned index, bool f64)
{
    static const uint8_t conds[] = { CC_FEQ, CC_FNE, CC_A, CC_A, CC_AE, CC_AE };
    struct gval *b = val_take(g), *a = val_take(g);
    enum cond_use use = use_of(g);
    if (index == 2 || index == 4) {
        struct gval *t = a;
        a = b;
        b = t;
    }
    unsigned r = val_reg(g, a);
    struct x64_mem m;
    if (use == USE_IF)
        val_flush(g, g->count);
    uint32_t op = f64 ? OP_UCOMISD : OP_UCOMISS;
    if (b->kind == G_CONST && b->bits)
        gen_op_const(g, op, r, b->bits);
    else if (val_mem(g, b, &m))
        asm_rm(&g->a, op, r, m);
    else
        asm_rr(&g->a, op, r, val_reg(g, b));
    val_release(g, a);
    val_release(g, b);
    use_cond(g, use, conds[index]);
}

/* The same of the top operand and a number. */
static APART void gen_compare_imm(struct native_gen *g, unsigned index, bool wide, int32_t imm)
{
    struct gval *a = int_take(g);
    const uint8_t *p = past_eqz(g);
    enum cond_use use = use_at(g, p);
    if (use == USE_IF)
        val_flush(g, g->count);
    compare_const(g, a, wide, imm);
    int_release(g, a);
    use_cond_at(g, use, p, int_conds[index]);
}

bool gen_compare_const(struct native_gen *g, uint64_t bits)
{
    bool wide = *g->p >= FIRST_I64;
    int32_t imm = (int32_t)bits;
    if (wide && (int64_t)bits != imm)
        return false;
    g->at = g->p++;
    gen_compare_imm(g, *g->at - (wide ? FIRST_I64 : FIRST_I32), wide, imm);
    return true;
}

void gen_compare(struct native_gen *g, uint8_t opcode)
{
    if (opcode == 0x45 || opcode == 0x50)
        gen_compare_imm(g, 0, opcode == 0x50, 0);
    else if (opcode < 0x5b)
        gen_compare_int(g, opcode - (opcode < FIRST_I64 ? FIRST_I32 : FIRST_I64), opcode >= FIRST_I64);
    else
        gen_compare_float(g, opcode - (opcode < 0x61 ? 0x5bu : 0x61u), opcode >= 0x61);
}

/* An i32.and that is only asked whether it is zero. */
bool gen_test(struct native_gen *g)
{
    const uint8_t *p = g->p;
    while (*p == 0x45)
        p++;
    if (*p != 0x0d && *p != 0x04)
        return false;
    if (*p == 0x0d && label_arity(label_at(g, body_peek(g, p + 1))))
        return false;
    struct gval *b = int_take(g), *a = int_take(g);
    enum cond_use use = use_of(g);
    unsigned ra = val_reg(g, a);
    if (use == USE_IF)
        val_flush(g, g->count);
    if (b->kind == G_CONST) {
        asm_rr(&g->a, OP_GROUP3, 0, ra);
        asm_32(&g->a, (uint32_t)b->bits);
    } else {
        asm_rr(&g->a, OP_TEST, ra, val_reg(g, b));
    }
    int_release(g, a);
    int_release(g, b);
    use_cond(g, use, CC_NE);
    return true;
}
