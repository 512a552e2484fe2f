/* Operations on vectors in registers, by SSE or by AVX. Out of line: they are used in many places. */
#include "x64/simd.h"

void v_op3(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned b)
{
    if (g->avx) {
        asm_vex(&g->a, op, d, b, a);
        return;
    }
    base_assert(d != b || d == a);
    if (d != a)
        asm_rr(&g->a, OP_MOVAPS, d, a);
    asm_rr(&g->a, op, d, b);
}

void v_op3_imm(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned b,
                unsigned imm)
{
    v_op3(g, op, d, a, b);
    asm_8(&g->a, imm);
}

void v_op(struct native_gen *g, uint32_t op, unsigned d, unsigned b)
{
    v_op3(g, op, d, d, b);
}

void v_op2(struct native_gen *g, uint32_t op, unsigned d, unsigned a)
{
    if (g->avx)
        asm_vex(&g->a, op, d, a, 0);
    else
        asm_rr(&g->a, op, d, a);
}

void v_op2_imm(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned imm)
{
    v_op2(g, op, d, a);
    asm_8(&g->a, imm);
}

void v_mov(struct native_gen *g, unsigned d, unsigned a)
{
    if (d != a)
        asm_rr(&g->a, OP_MOVAPS, d, a);
}

void v_const2(struct native_gen *g, uint32_t op, unsigned d, unsigned a, uint64_t low,
              uint64_t high)
{
    if (g->avx) {
        gen_wide(g, asm_vex_rip(&g->a, op, d, a), low, high);
        return;
    }
    v_mov(g, d, a);
    gen_wide(g, asm_rip(&g->a, op, d, 0), low, high);
}

void v_const(struct native_gen *g, uint32_t op, unsigned d, unsigned a, uint64_t half)
{
    v_const2(g, op, d, a, half, half);
}

void v_load_const(struct native_gen *g, unsigned d, uint64_t half)
{
    gen_wide(g, asm_rip(&g->a, OP_MOVAPS, d, 0), half, half);
}

void v_zero(struct native_gen *g, unsigned d)
{
    v_op(g, OP_PXOR, d, d);
}

void v_ones(struct native_gen *g, unsigned d)
{
    v_op(g, OP_PCMPEQD, d, d);
}

void v_shift(struct native_gen *g, uint32_t op, unsigned ext, unsigned d, unsigned a,
             unsigned bits)
{
    if (g->avx) {
        asm_vex(&g->a, op, ext, a, d);
    } else {
        v_mov(g, d, a);
        asm_rr(&g->a, op, ext, d);
    }
    asm_8(&g->a, bits);
}

struct gval v_pop(struct native_gen *g, unsigned dirty)
{
    struct gval v = val_pop(g);
    if (v.dirty != dirty)
        val_clean(g, &v);
    return v;
}

void v_push(struct native_gen *g, unsigned reg, unsigned dirty)
{
    val_push_reg(g, ENG_V128, reg, dirty);
}
