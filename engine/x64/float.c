/* Floating point. Results may be NaNs of the CPU's making: they are pushed as dirty. */
#include "x64/gen.h"

static uint32_t scalar(uint8_t type, unsigned byte)
{
    return X64_SCALAR(type == ENG_F64, byte);
}

/* op d, v from register, memory or constant. */
static inline void apply(struct native_gen *g, uint32_t op, unsigned d, const struct gval *v)
{
    if (v->reg != NO_REG)
        asm_rr_sse(&g->a, op, d, v->reg);
    else if (v->kind == G_CONST)
        gen_op_const(g, op, d, v->bits);
    else
        asm_sp_sse(&g->a, op, d, val_place(g, v));
}

/* d = v. */
static inline void move_in(struct native_gen *g, uint8_t type, unsigned d, const struct gval *v)
{
    if (v->reg != NO_REG)
        asm_rr_sse(&g->a, OP_MOVAPS, d, v->reg);
    else if (v->kind == G_CONST)
        val_load(g, v, d);
    else
        asm_sp_sse(&g->a, xmm_load_op(type), d, val_place(g, v));
}

/* With three operands; b in a register. */
static void apply_vex(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned b)
{
    asm_vex(&g->a, op, d, b, a);
}

static APART void binary(struct native_gen *g, uint8_t type, unsigned byte, bool commutes)
{
    uint32_t op = scalar(type, byte);
    struct gval *a, *b = float_take_two(g, &a);
    struct gdest dest = dest_here(g);
    bool others = dest.set ? b->reg == dest.reg && a->reg != dest.reg : a->kind != G_REG && b->kind == G_REG;
    if (commutes && others) {
        struct gval *t = a;
        a = b;
        b = t;
    }
    unsigned d = dest.set ? dest.reg : a->kind == G_REG ? a->reg : xmm_alloc(g);
    if (g->avx && a->reg != NO_REG && b->reg != NO_REG && a->reg != d) {
        apply_vex(g, op, d, a->reg, b->reg);
    } else if (b->reg == d && a->reg != d) { /* d = a op d */
        unsigned t = val_temp(g, a);
        apply(g, op, t, b);
        asm_rr(&g->a, OP_MOVAPS, d, t);
    } else {
        if (a->reg != d)
            move_in(g, type, d, a);
        apply(g, op, d, b);
    }
    if (a->reg != d)
        float_release(g, a);
    float_release(g, b);
    float_done(g, dest, type, d, true);
}

/* The specification's: of zeros the sign matters, and a NaN wins. */
static void min_max(struct native_gen *g, uint8_t type, bool max)
{
    struct gval b = val_pop(g), a = val_pop(g);
    unsigned rb = val_reg(g, &b), d = val_temp(g, &a);
    struct assembler *s = &g->a;
    asm_rr(s, type == ENG_F64 ? OP_UCOMISD : OP_UCOMISS, d, rb);
    uint8_t *differ = asm_jcc_short(s, CC_NE);
    uint8_t *nan = asm_jcc_short(s, CC_P);
    asm_rr(s, max ? OP_ANDPS : OP_ORPS, d, rb);
    uint8_t *done = asm_jmp_short(s);
    asm_short_here(s, nan);
    asm_rr(s, scalar(type, SSE_ADD), d, rb);
    uint8_t *done2 = asm_jmp_short(s);
    asm_short_here(s, differ);
    asm_rr(s, scalar(type, max ? SSE_MAX : SSE_MIN), d, rb);
    asm_short_here(s, done);
    asm_short_here(s, done2);
    val_release(g, &b);
    val_push_reg(g, type, d, true);
}

static void copy_sign(struct native_gen *g, uint8_t type)
{
    bool f64 = type == ENG_F64;
    struct gval b = val_pop(g), a = val_pop(g);
    val_clean(g, &a);
    val_clean(g, &b);
    unsigned rb = val_temp(g, &b), d = val_temp(g, &a);
    gen_op_fixed(g, OP_ANDPS, d, f64 ? K_ABS64 : K_ABS32);
    gen_op_fixed(g, OP_ANDPS, rb, f64 ? K_SIGN64 : K_SIGN32);
    asm_rr(&g->a, OP_ORPS, d, rb);
    val_release(g, &b);
    val_push_reg(g, type, d, false);
}

/* abs and neg change a bit of a NaN too, so it must be the right one. */
static void sign_op(struct native_gen *g, uint8_t type, uint32_t op, unsigned k)
{
    struct gval v = val_pop(g);
    val_clean(g, &v);
    unsigned d = val_temp(g, &v);
    gen_op_fixed(g, op, d, k);
    val_push_reg(g, type, d, false);
}

static void unary(struct native_gen *g, uint8_t out, uint32_t op, int imm)
{
    struct gval *v = val_take(g);
    struct gdest dest = dest_of(g, out);
    unsigned d = dest.set ? dest.reg : v->kind == G_REG ? v->reg : xmm_alloc(g), r;
    if (v->kind == G_CONST) {
        val_load(g, v, d);
        asm_rr(&g->a, op, d, d);
    } else {
        if (!val_in_reg(v, &r) || r != d) /* the rest of d would be waited for */
            asm_rr(&g->a, OP_XORPS, d, d);
        apply(g, op, d, v);
    }
    if (imm >= 0)
        asm_8(&g->a, (unsigned)imm);
    if (v->kind == G_REG && v->reg != d)
        val_release(g, v);
    dest_done(g, dest, out, d, true);
}

static void round_to(struct native_gen *g, uint8_t type, unsigned mode)
{
    enum { NO_INEXACT = 8 };
    struct gval *v = &g->vals[g->count - 1];
    if (v->kind != G_REG) { /* the immediate follows the memory operand: no constant */
        struct gval t = val_pop(g);
        unsigned r = val_temp(g, &t);
        val_push_reg(g, type, r, t.dirty);
    }
    unary(g, type, type == ENG_F64 ? OP_ROUNDSD : OP_ROUNDSS, (int)(mode | NO_INEXACT));
}

enum { ABS, NEG, CEIL, FLOOR, TRUNC, NEAREST, SQRT, ADD, SUB, MUL, DIV, MIN, MAX, COPYSIGN,
       FLOAT_OPS };

static void arithmetic(struct native_gen *g, uint8_t opcode)
{
    bool f64 = opcode >= 0x99;
    uint8_t type = f64 ? ENG_F64 : ENG_F32;
    switch ((opcode - 0x8b) % FLOAT_OPS) {
    case ABS:
        sign_op(g, type, OP_ANDPS, f64 ? K_ABS64 : K_ABS32);
        break;
    case NEG:
        sign_op(g, type, OP_XORPS, f64 ? K_SIGN64 : K_SIGN32);
        break;
    case CEIL:
        round_to(g, type, 2);
        break;
    case FLOOR:
        round_to(g, type, 1);
        break;
    case TRUNC:
        round_to(g, type, 3);
        break;
    case NEAREST:
        round_to(g, type, 0);
        break;
    case SQRT:
        unary(g, type, scalar(type, SSE_SQRT), -1);
        break;
    case ADD:
        binary(g, type, SSE_ADD, true);
        break;
    case SUB:
        binary(g, type, SSE_SUB, false);
        break;
    case MUL:
        binary(g, type, SSE_MUL, true);
        break;
    case DIV:
        binary(g, type, SSE_DIV, false);
        break;
    case MIN:
        min_max(g, type, false);
        break;
    case MAX:
        min_max(g, type, true);
        break;
    default:
        copy_sign(g, type);
        break;
    }
}

/* --- conversions ---------------------------------------------------------------------------- */

static void from_int(struct native_gen *g, uint8_t out, bool wide)
{
    struct gval v = val_pop(g);
    unsigned r = val_reg(g, &v);
    struct gdest dest = dest_of(g, out);
    unsigned d = dest.set ? dest.reg : xmm_alloc(g);
    asm_rr(&g->a, OP_XORPS, d, d);
    asm_rr(&g->a, scalar(out, SSE_CVT_FROM_INT) | (wide ? X64_WIDE : 0), d, r);
    val_release(g, &v);
    dest_done(g, dest, out, d, false);
}

/* To i32: by way of 64 bits, whose low half must be all of it. */
static void to_i32(struct native_gen *g, uint8_t in, bool is_signed)
{
    struct gval v = val_pop(g);
    unsigned x = val_reg(g, &v), d = gpr_alloc(g), t = gpr_alloc(g);
    asm_rr(&g->a, scalar(in, SSE_CVT_TO_INT) | X64_WIDE, d, x);
    asm_rr(&g->a, is_signed ? OP_MOVSXD | X64_WIDE : OP_MOV, t, d);
    asm_rr(&g->a, OP_CMP | X64_WIDE, t, d);
    uint32_t from = asm_jcc(&g->a, CC_NE, 0);
    gen_stub(g, (struct gstub){ STUB_TRUNC, in == ENG_F64, (uint8_t)x, from, 0, gen_offset(g), 0 });
    if (is_signed)
        asm_mov32(&g->a, d, d);
    gpr_free(g, t);
    val_release(g, &v);
    val_push_reg(g, ENG_I32, d, false);
}

static void to_i64(struct native_gen *g, uint8_t in)
{
    struct gval v = val_pop(g);
    unsigned x = val_reg(g, &v), d = gpr_alloc(g);
    asm_rr(&g->a, scalar(in, SSE_CVT_TO_INT) | X64_WIDE, d, x);
    asm_alu_imm(&g->a, true, EXT_CMP, d, 1);
    uint32_t from = asm_jcc(&g->a, CC_O, 0);
    gen_stub(g, (struct gstub){ STUB_TRUNC64, in == ENG_F64, (uint8_t)x, from, asm_pos(&g->a),
                                gen_offset(g), 0 });
    val_release(g, &v);
    val_push_reg(g, ENG_I64, d, false);
}

static void move_bits(struct native_gen *g, uint8_t in, uint8_t out)
{
    struct gval v = val_pop(g);
    struct x64_mem m;
    uint32_t w = wide_flag(out);
    val_clean(g, &v);
    if (v.kind == G_CONST) {
        val_push_const(g, out, v.bits);
        return;
    }
    bool to_float = is_float(out);
    struct gdest dest = dest_of(g, out);
    unsigned d = dest.set ? dest.reg : to_float ? xmm_alloc(g) : gpr_alloc(g);
    if (val_mem(g, &v, &m))
        asm_rm(&g->a, to_float ? (out == ENG_F64 ? OP_MOVSD : OP_MOVSS) : OP_MOV | w, d, m);
    else if (to_float)
        asm_rr(&g->a, OP_MOVD_TO_X | w, d, val_reg(g, &v));
    else
        asm_rr(&g->a, OP_MOVD_FROM_X | w, val_reg(g, &v), d);
    (void)in;
    val_release(g, &v);
    dest_done(g, dest, out, d, false);
}

/* Out of the ordinary: in C. The helper knows operation `which` by its opcode. */
static void convert_helper(struct native_gen *g, uint32_t which, uint8_t out)
{
    call_helper(g, H_CONVERT, 1, which, 0);
    asm_rr(&g->a, OP_TEST, RAX, RAX);
    uint32_t from = asm_jcc(&g->a, CC_NE, 0);
    gen_stub(g, (struct gstub){ STUB_TRAP_EAX, 0, 0, from, 0, gen_offset(g), 0 });
    gpr_free(g, RAX);
    val_drop_to(g, g->count - 1);
    val_push_slot(g, out);
}

static void conversion(struct native_gen *g, uint8_t opcode)
{
    switch (opcode) {
    case 0xa8:
    case 0xa9:
        to_i32(g, ENG_F32, opcode == 0xa8);
        break;
    case 0xaa:
    case 0xab:
        to_i32(g, ENG_F64, opcode == 0xaa);
        break;
    case 0xae:
        to_i64(g, ENG_F32);
        break;
    case 0xb0:
        to_i64(g, ENG_F64);
        break;
    case 0xaf:
    case 0xb1:
        convert_helper(g, opcode, ENG_I64);
        break;
    case 0xb2:
    case 0xb3:
    case 0xb4:
        from_int(g, ENG_F32, opcode != 0xb2);
        break;
    case 0xb7:
    case 0xb8:
    case 0xb9:
        from_int(g, ENG_F64, opcode != 0xb7);
        break;
    case 0xb5:
        convert_helper(g, opcode, ENG_F32);
        break;
    case 0xba:
        convert_helper(g, opcode, ENG_F64);
        break;
    case 0xb6:
        unary(g, ENG_F32, OP_CVTSD2SS, -1);
        break;
    case 0xbb:
        unary(g, ENG_F64, OP_CVTSS2SD, -1);
        break;
    case 0xbc:
        move_bits(g, ENG_F32, ENG_I32);
        break;
    case 0xbd:
        move_bits(g, ENG_F64, ENG_I64);
        break;
    case 0xbe:
        move_bits(g, ENG_I32, ENG_F32);
        break;
    default:
        move_bits(g, ENG_I64, ENG_F64);
        break;
    }
}

void gen_float(struct native_gen *g, uint8_t opcode)
{
    if (opcode < 0xa7)
        arithmetic(g, opcode);
    else
        conversion(g, opcode);
}

void gen_saturate(struct native_gen *g, uint32_t which)
{
    convert_helper(g, which, which < 4 ? ENG_I32 : ENG_I64);
}
