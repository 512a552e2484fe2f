/* Vectors of floats: what is more than one of the CPU's instructions. Registers are taken first,
 * since taking one may change X_SCRATCH. */
#include "x64/simd.h"

enum { ABS_F32 = 0xe0, NEG_F32, MIN_F32 = 0xe8, MAX_F32, ABS_F64 = 0xec, NEG_F64, MIN_F64 = 0xf4,
       MAX_F64, TRUNC_F32_S = 0xf8, TRUNC_F32_U, CONVERT_F32_U = 0xfb, TRUNC_F64_S, TRUNC_F64_U,
       CONVERT_F64_U = 0xff };
enum { CMP_EQ, CMP_LE = 2 };

#define SHAPE(is_f64, byte) X64_OP((is_f64) ? 0x66 : 0, MAP_0F, byte)
#define SSE_CMP 0xc2

struct one {
    struct gval v;
    unsigned a, d; /* d is a temporary */
};

static struct one pop_one(struct native_gen *g, unsigned dirty)
{
    struct one t = { .v = v_pop(g, dirty) };
    t.a = val_reg(g, &t.v);
    t.d = t.v.kind == G_REG ? t.v.reg : xmm_alloc(g);
    return t;
}

/* abs and neg change a bit of a NaN too, so it must be the right one. */
static void sign_op(struct native_gen *g, uint32_t op, uint64_t mask)
{
    struct gval v = v_pop(g, CLEAN);
    unsigned a = val_reg(g, &v);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : v.kind == G_REG ? v.reg : xmm_alloc(g);
    v_const(g, op, d, a, mask);
    if (v.kind == G_REG && v.reg != d)
        val_release(g, &v);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

/* The CPU gives the second operand when one is NaN or both are zeros: both ways, and what differs
 * is put together. */
static void min_max(struct native_gen *g, bool f64, bool max)
{
    unsigned how = f64 ? DIRTY_F64 : DIRTY_F32;
    uint32_t op = SHAPE(f64, max ? SSE_MAX : SSE_MIN);
    struct gval b = v_pop(g, how), a = v_pop(g, how);
    unsigned rb = val_reg(g, &b), ra = val_reg(g, &a);
    unsigned d = a.kind == G_REG ? a.reg : xmm_alloc(g);
    v_op3(g, op, X_SCRATCH, rb, ra);
    v_op3(g, op, d, ra, rb);
    if (max) { /* a NaN stays one, and of -0 and +0 the difference is +0 */
        v_op(g, OP_XORPS, d, X_SCRATCH);
        v_op(g, OP_ORPS, X_SCRATCH, d);
        v_op3(g, SHAPE(f64, SSE_SUB), X_SCRATCH, X_SCRATCH, d);
        v_mov(g, d, X_SCRATCH);
    } else {
        v_op(g, OP_ORPS, d, X_SCRATCH);
    }
    val_release(g, &b);
    v_push(g, d, how);
}

/* NaN becomes 0; the CPU gives 0x80000000 for what does not fit, and above it is to be one less. */
static void trunc_f32_s(struct native_gen *g)
{
    struct one t = pop_one(g, DIRTY_F32);
    v_op3_imm(g, SHAPE(false, SSE_CMP), X_SCRATCH, t.a, t.a, CMP_EQ);
    v_op3(g, OP_ANDPS, t.d, t.a, X_SCRATCH);
    v_load_const(g, X_SCRATCH, 0x4f0000004f000000); /* 2^31 */
    v_op3_imm(g, SHAPE(false, SSE_CMP), X_SCRATCH, X_SCRATCH, t.d, CMP_LE);
    v_op2(g, OP_CVTTPS2DQ, t.d, t.d);
    v_op(g, OP_PXOR, t.d, X_SCRATCH);
    v_push(g, t.d, CLEAN);
}

/* What is below 2^31, and the part from there on apart. */
static void trunc_f32_u(struct native_gen *g)
{
    struct one t = pop_one(g, DIRTY_F32);
    unsigned over = xmm_alloc(g);
    v_zero(g, X_SCRATCH);
    v_op3(g, SHAPE(false, SSE_MAX), t.d, t.a, X_SCRATCH);
    v_load_const(g, X_SCRATCH, 0x4f0000004f000000);
    v_op3(g, SHAPE(false, SSE_SUB), over, t.d, X_SCRATCH);
    v_op3_imm(g, SHAPE(false, SSE_CMP), X_SCRATCH, X_SCRATCH, over, CMP_LE);
    v_op2(g, OP_CVTTPS2DQ, over, over);
    v_op(g, OP_PXOR, over, X_SCRATCH);
    v_zero(g, X_SCRATCH);
    v_op(g, OP_PMAXSD, over, X_SCRATCH);
    v_op2(g, OP_CVTTPS2DQ, t.d, t.d);
    v_op(g, OP_PADDD, t.d, over);
    xmm_free(g, over);
    v_push(g, t.d, CLEAN);
}

/* MIN with a NaN gives the second operand: 0. */
static void trunc_f64_s(struct native_gen *g)
{
    struct one t = pop_one(g, DIRTY_F64);
    v_op3_imm(g, SHAPE(true, SSE_CMP), X_SCRATCH, t.a, t.a, CMP_EQ);
    v_const(g, OP_ANDPS, X_SCRATCH, X_SCRATCH, 0x41dfffffffc00000); /* 2^31 - 1 */
    v_op3(g, SHAPE(true, SSE_MIN), t.d, t.a, X_SCRATCH);
    v_op2(g, OP_CVTTPD2DQ, t.d, t.d);
    v_push(g, t.d, CLEAN);
}

/* Added to 2^52 the number is in the lower half. */
static void trunc_f64_u(struct native_gen *g)
{
    enum { TOWARDS_ZERO = 3 | 8 };
    struct one t = pop_one(g, DIRTY_F64);
    v_zero(g, X_SCRATCH);
    v_op3(g, SHAPE(true, SSE_MAX), t.d, t.a, X_SCRATCH);
    v_const(g, SHAPE(true, SSE_MIN), t.d, t.d, 0x41efffffffe00000); /* 2^32 - 1 */
    v_op2_imm(g, P66_3A(0x09), t.d, t.d, TOWARDS_ZERO);
    v_const(g, SHAPE(true, SSE_ADD), t.d, t.d, 0x4330000000000000);
    v_op3_imm(g, OP_SHUFPS, t.d, t.d, X_SCRATCH, 0x88);
    v_push(g, t.d, CLEAN);
}

/* Lower and higher 16 bits are exact; only the last sum is rounded. */
static void convert_f32_u(struct native_gen *g)
{
    struct one t = pop_one(g, CLEAN);
    v_zero(g, X_SCRATCH);
    v_op3_imm(g, OP_PBLENDW, X_SCRATCH, X_SCRATCH, t.a, 0x55);
    v_op3(g, OP_PSUBD, t.d, t.a, X_SCRATCH);
    v_op2(g, OP_CVTDQ2PS, X_SCRATCH, X_SCRATCH);
    v_shift(g, OP_SHIFT_D, SHIFT_RIGHT, t.d, t.d, 1);
    v_op2(g, OP_CVTDQ2PS, t.d, t.d);
    v_op(g, SHAPE(false, SSE_ADD), t.d, t.d);
    v_op(g, SHAPE(false, SSE_ADD), t.d, X_SCRATCH);
    v_push(g, t.d, CLEAN);
}

/* 2^52 + x has x as its lower half. */
static void convert_f64_u(struct native_gen *g)
{
    struct one t = pop_one(g, CLEAN);
    v_const(g, OP_PUNPCKLDQ, t.d, t.a, 0x4330000043300000);
    v_const(g, SHAPE(true, SSE_SUB), t.d, t.d, 0x4330000000000000);
    v_push(g, t.d, CLEAN);
}

void simd_float(struct native_gen *g, unsigned which)
{
    const uint64_t sign_32 = 0x8000000080000000, sign_64 = UINT64_C(1) << 63;
    switch (which) {
    case ABS_F32:
        sign_op(g, OP_ANDPS, ~sign_32);
        break;
    case NEG_F32:
        sign_op(g, OP_XORPS, sign_32);
        break;
    case ABS_F64:
        sign_op(g, OP_ANDPS, ~sign_64);
        break;
    case NEG_F64:
        sign_op(g, OP_XORPS, sign_64);
        break;
    case MIN_F32:
    case MAX_F32:
        min_max(g, false, which == MAX_F32);
        break;
    case MIN_F64:
    case MAX_F64:
        min_max(g, true, which == MAX_F64);
        break;
    case TRUNC_F32_S:
        trunc_f32_s(g);
        break;
    case TRUNC_F32_U:
        trunc_f32_u(g);
        break;
    case CONVERT_F32_U:
        convert_f32_u(g);
        break;
    case TRUNC_F64_S:
        trunc_f64_s(g);
        break;
    case TRUNC_F64_U:
        trunc_f64_u(g);
        break;
    default:
        convert_f64_u(g);
        break;
    }
}
