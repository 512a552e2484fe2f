/* Vectors: constants, lanes to and from scalars, tests. Shuffles are in simd_shuffle.c. */
#include "x64/simd.h"

enum { CONST = 0x0c, SHUFFLE, SWIZZLE, SPLAT_8, SPLAT_16, SPLAT_32, SPLAT_64, SPLAT_F32, SPLAT_F64,
       EXTRACT_8_S, EXTRACT_8_U, REPLACE_8, EXTRACT_16_S, EXTRACT_16_U, REPLACE_16, EXTRACT_32,
       REPLACE_32, EXTRACT_64, REPLACE_64, EXTRACT_F32, REPLACE_F32, EXTRACT_F64, REPLACE_F64,
       ANY_TRUE = 0x53 };

static void constant(struct native_gen *g)
{
    uint64_t words[2];
    memcpy(words, g->p, 16);
    val_push_const(g, ENG_V128, words[0] | words[1] ? (uint64_t)(uintptr_t)g->p : 0);
    g->p += 16;
}

/* --- splats ----------------------------------------------------------------------------- */

/* The register r in all lanes of d. */
void simd_splat_int(struct native_gen *g, unsigned log2, unsigned d, unsigned r)
{
    asm_rr(&g->a, OP_MOVD_TO_X | (log2 == 3 ? X64_WIDE : 0), d, r);
    switch (log2) {
    case 0:
        v_zero(g, X_SCRATCH);
        v_op(g, OP_PSHUFB, d, X_SCRATCH);
        break;
    case 1:
        v_op2_imm(g, OP_PSHUFLW, d, d, 0);
        v_op2_imm(g, OP_PSHUFD, d, d, 0);
        break;
    case 2:
        v_op2_imm(g, OP_PSHUFD, d, d, 0);
        break;
    default:
        v_op(g, OP_PUNPCKLQDQ, d, d);
        break;
    }
}

static uint64_t repeated(uint64_t bits, unsigned log2)
{
    static const uint64_t ones[] = { 0x0101010101010101, 0x0001000100010001, 0x100000001, 1 };
    uint64_t mask = log2 == 3 ? UINT64_MAX : (UINT64_C(1) << (8u << log2)) - 1;
    return (bits & mask) * ones[log2];
}

static void splat_const(struct native_gen *g, uint64_t half)
{
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : xmm_alloc(g);
    if (half == 0)
        v_zero(g, d);
    else
        v_load_const(g, d, half);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static void splat(struct native_gen *g, unsigned which)
{
    bool f = which >= SPLAT_F32;
    unsigned log2 = f ? which - SPLAT_F32 + 2 : which - SPLAT_8, d;
    struct gval v = val_pop(g);
    if (v.kind == G_CONST) {
        splat_const(g, repeated(v.bits, log2));
        return;
    }
    unsigned dirty = v.dirty ? log2 - 1 : CLEAN, r = val_reg(g, &v);
    struct gdest dest = dest_of(g, ENG_V128);
    d = dest.set ? dest.reg : f && v.kind == G_REG ? v.reg : xmm_alloc(g);
    if (!f)
        simd_splat_int(g, log2, d, r);
    else if (log2 == 3)
        v_op2(g, OP_MOVDDUP, d, r);
    else if (g->avx)
        v_op3_imm(g, OP_SHUFPS, d, r, r, 0);
    else
        v_op2_imm(g, OP_PSHUFD, d, r, 0);
    if (!(f && v.kind == G_REG && v.reg == d))
        val_release(g, &v);
    dest_done(g, dest, ENG_V128, d, dirty);
}

/* --- single lanes ------------------------------------------------------------------------ */

static void extract_int(struct native_gen *g, unsigned log2, bool is_signed)
{
    static const uint32_t ops[] = { OP_PEXTRB, OP_PEXTRW, OP_PEXTRD, OP_PEXTRD | X64_WIDE };
    unsigned lane = *g->p++;
    uint8_t type = log2 == 3 ? ENG_I64 : ENG_I32;
    struct gval v = v_pop(g, CLEAN);
    unsigned r = val_reg(g, &v);
    struct gdest dest = dest_of(g, type);
    unsigned d = dest.set ? dest.reg : gpr_alloc(g);
    if (log2 >= 2 && !lane) {
        asm_rr(&g->a, OP_MOVD_FROM_X | wide_flag(type), r, d);
    } else {
        asm_rr(&g->a, ops[log2], r, d);
        asm_8(&g->a, lane);
    }
    if (is_signed)
        asm_rr(&g->a, log2 ? OP_MOVSX16 : (uint32_t)OP_MOVSX8, d, d);
    val_release(g, &v);
    dest_done(g, dest, type, d, false);
}

static void extract_float(struct native_gen *g, bool f64)
{
    unsigned lane = *g->p++;
    uint8_t type = f64 ? ENG_F64 : ENG_F32;
    struct gval v = v_pop(g, f64 ? DIRTY_F64 : DIRTY_F32);
    unsigned r = val_reg(g, &v);
    struct gdest dest = dest_of(g, type);
    unsigned d = dest.set ? dest.reg : v.kind == G_REG ? v.reg : xmm_alloc(g);
    if (!lane)
        v_mov(g, d, r);
    else
        v_op2_imm(g, OP_PSHUFD, d, r, f64 ? 0xee : lane);
    if (v.kind == G_REG && v.reg != d)
        val_release(g, &v);
    dest_done(g, dest, type, d, v.dirty != CLEAN);
}

static void replace_int(struct native_gen *g, unsigned log2)
{
    static const uint32_t ops[] = { OP_PINSRB, OP_PINSRW, OP_PINSRD, OP_PINSRD | X64_WIDE };
    unsigned lane = *g->p++;
    struct gval b = val_pop(g), a = v_pop(g, CLEAN);
    unsigned rb = val_reg(g, &b), ra = val_reg(g, &a);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : a.kind == G_REG ? a.reg : xmm_alloc(g);
    if (g->avx) {
        asm_vex(&g->a, ops[log2], d, rb, ra);
    } else {
        v_mov(g, d, ra);
        asm_rr(&g->a, ops[log2], d, rb);
    }
    asm_8(&g->a, lane);
    val_release(g, &b);
    if (a.kind == G_REG && a.reg != d)
        val_release(g, &a);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static void replace_float(struct native_gen *g, bool f64)
{
    unsigned lane = *g->p++, how = f64 ? DIRTY_F64 : DIRTY_F32;
    struct gval b = val_pop(g), a = v_pop(g, how);
    if (!a.dirty || !b.dirty) { /* what is not arithmetic's keeps its payload */
        val_clean(g, &a);
        val_clean(g, &b);
    }
    unsigned rb = val_reg(g, &b), ra = val_reg(g, &a), dirty = a.dirty;
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : a.kind == G_REG ? a.reg : xmm_alloc(g);
    if (!f64)
        v_op3_imm(g, OP_INSERTPS, d, ra, rb, lane << 4);
    else
        v_op3(g, lane ? OP_PUNPCKLQDQ : OP_MOVSD, d, ra, rb);
    val_release(g, &b);
    if (a.kind == G_REG && a.reg != d)
        val_release(g, &a);
    dest_done(g, dest, ENG_V128, d, dirty);
}

/* --- tests -------------------------------------------------------------------------------- */

/* log2 of the lanes' bytes; -1: any bit. */
static void test(struct native_gen *g, int log2)
{
    static const uint32_t ops[] = { OP_PCMPEQB, OP_PCMPEQW, OP_PCMPEQD, OP_PCMPEQQ };
    struct gval v = v_pop(g, CLEAN);
    unsigned r = val_reg(g, &v);
    enum cond_use use = cond_ahead(g);
    if (log2 >= 0) {
        v_zero(g, X_SCRATCH);
        v_op(g, ops[log2], X_SCRATCH, r);
        r = X_SCRATCH;
    }
    v_op2(g, OP_PTEST, r, r);
    val_release(g, &v);
    cond_done(g, use, log2 < 0 ? CC_NE : CC_E);
}

static void bitmask(struct native_gen *g, unsigned log2)
{
    static const uint32_t ops[] = { OP_PMOVMSKB, OP_PMOVMSKB, OP_MOVMSKPS, OP_MOVMSKPD };
    struct gval v = v_pop(g, CLEAN);
    unsigned r = val_reg(g, &v);
    struct gdest dest = dest_of(g, ENG_I32);
    unsigned d = dest.set ? dest.reg : gpr_alloc(g);
    if (log2 == 1) {
        v_op3(g, OP_PACKSSWB, X_SCRATCH, r, r);
        r = X_SCRATCH;
    }
    v_op2(g, ops[log2], d, r);
    if (log2 == 1)
        asm_rr(&g->a, (uint32_t)OP_MOVZX8, d, d);
    val_release(g, &v);
    dest_done(g, dest, ENG_I32, d, false);
}

void simd_lanes(struct native_gen *g, unsigned which)
{
    switch (which) {
    case CONST:
        constant(g);
        break;
    case SHUFFLE:
        simd_shuffle(g);
        break;
    case SWIZZLE:
        simd_swizzle(g);
        break;
    case SPLAT_8 ... SPLAT_F64:
        splat(g, which);
        break;
    case EXTRACT_8_S:
    case EXTRACT_8_U:
        extract_int(g, 0, which == EXTRACT_8_S);
        break;
    case EXTRACT_16_S:
    case EXTRACT_16_U:
        extract_int(g, 1, which == EXTRACT_16_S);
        break;
    case EXTRACT_32:
    case EXTRACT_64:
        extract_int(g, which == EXTRACT_64 ? 3 : 2, false);
        break;
    case EXTRACT_F32:
    case EXTRACT_F64:
        extract_float(g, which == EXTRACT_F64);
        break;
    case REPLACE_8:
        replace_int(g, 0);
        break;
    case REPLACE_16:
        replace_int(g, 1);
        break;
    case REPLACE_32:
    case REPLACE_64:
        replace_int(g, which == REPLACE_64 ? 3 : 2);
        break;
    case REPLACE_F32:
    case REPLACE_F64:
        replace_float(g, which == REPLACE_F64);
        break;
    case ANY_TRUE:
        test(g, -1);
        break;
    default: /* 0x63 all_true, 0x64 bitmask of i8x16; 0x20 a shape more */
        if (which & 4)
            bitmask(g, (which - 0x63) >> 5);
        else
            test(g, (int)(which - 0x63) >> 5);
        break;
    }
}
