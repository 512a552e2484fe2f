/* Integer arithmetic. */
#include "x64/gen.h"

static bool imm32(const struct gval *v, int32_t *ret)
{
    if (v->kind != G_CONST)
        return false;
    int64_t bits = v->type == ENG_I32 ? (int32_t)v->bits : (int64_t)v->bits;
    *ret = (int32_t)bits;
    return bits >= INT32_MIN && bits <= INT32_MAX;
}

/* op d, v for an op with a form for memory. w: X64_WIDE or 0. */
static inline void apply(struct native_gen *g, uint32_t op, unsigned ext, unsigned d,
                         struct gval *v, uint32_t w)
{
    struct x64_mem m;
    int32_t imm;
    if (v->reg != NO_REG)
        asm_rr(&g->a, op | w, d, v->reg);
    else if (imm32(v, &imm))
        asm_alu_imm(&g->a, w, ext, d, imm);
    else if (val_mem(g, v, &m))
        asm_rm(&g->a, op | w, d, m);
    else /* of two numbers the one that does not fit */
        asm_rr(&g->a, op | w, d, val_temp(g, v));
}

static inline void swap(struct gval **a, struct gval **b)
{
    struct gval *t = *a;
    *a = *b;
    *b = t;
}

struct binary {
    uint32_t op;
    uint8_t ext;
    bool commutes, is_add;
};

/* Sum of registers or of a register and a number that fits, in a third register. */
static bool add_by_lea(struct native_gen *g, unsigned d, const struct gval *a, const struct gval *b,
                       uint32_t w)
{
    int32_t imm;
    if (a->reg == NO_REG || a->reg == d || b->reg == d)
        return false;
    if (b->reg != NO_REG)
        asm_rm(&g->a, OP_LEA | w, d, mem_index(a->reg, b->reg, 0, 0));
    else if (imm32(b, &imm))
        asm_rm(&g->a, OP_LEA | w, d, mem_of(a->reg, imm));
    else
        return false;
    return true;
}

/* a op b into a pinned local that may be an operand too. */
static void binary_into(struct native_gen *g, const struct binary *k, unsigned d, struct gval *a,
                        struct gval *b, uint32_t w)
{
    if (b->reg == d && a->reg != d) {
        if (!k->commutes) { /* d = a - d */
            asm_rr(&g->a, OP_GROUP3 | w, 3, d);
            asm_rr(&g->a, OP_ADD | w, d, val_reg(g, a));
            return;
        }
        swap(&a, &b);
    }
    if (k->is_add && add_by_lea(g, d, a, b, w))
        return;
    val_load(g, a, d);
    apply(g, k->op, k->ext, d, b, w);
}

/* Of operands that have been taken, but for their temporaries. */
static APART void binary_any(struct native_gen *g, uint8_t type, const struct binary *k, struct gval *a,
                             struct gval *b)
{
    uint32_t w = wide_flag(type);
    int32_t imm;
    int_hold(g, a);
    int_hold(g, b);
    if (k->commutes && a->kind == G_CONST && b->kind != G_CONST)
        swap(&a, &b);
    if (b->kind == G_CONST && !imm32(b, &imm))
        val_temp(g, b);
    struct gdest dest = dest_here(g);
    unsigned d = dest.reg;
    if (!dest.set && k->commutes && a->kind != G_REG && b->kind == G_REG)
        swap(&a, &b);
    if (dest.set) {
        binary_into(g, k, d, a, b, w);
        int_release(g, a);
    } else if (a->kind == G_REG) {
        d = a->reg;
        apply(g, k->op, k->ext, d, b, w);
    } else {
        d = gpr_alloc(g);
        if (!k->is_add || !add_by_lea(g, d, a, b, w)) {
            val_load(g, a, d);
            apply(g, k->op, k->ext, d, b, w);
        }
    }
    int_release(g, b);
    int_done(g, dest, type, d);
}

static void binary(struct native_gen *g, uint8_t type, const struct binary *k)
{
    struct gval *a, *b = int_take_two(g, &a);
    binary_any(g, type, k, a, b);
}

/* d = a op b of what is in registers or the frame, d as dest_look() said or a temporary. */
static APART void binary_put(struct native_gen *g, uint8_t type, const struct binary *k, struct gval *a,
                             struct gval *b, unsigned d, bool set)
{
    uint32_t w = wide_flag(type);
    unsigned ra = a->reg, rb = b->reg;
    if (a->kind == G_REG && ra != d)
        gpr_free(g, ra);
    if (b->kind == G_REG)
        gpr_free(g, rb);
    if (ra != d && k->is_add && ra != NO_REG && rb != NO_REG) {
        asm_lea_sum(&g->a, w, d, ra, rb);
    } else {
        if (ra != d)
            int_move(g, a, d, w);
        if (rb != NO_REG)
            asm_rr_plain(&g->a, k->op | w, d, rb);
        else
            asm_sp_plain(&g->a, k->op | w, d, val_place(g, b));
    }
    if (set)
        dest_pass(g, g->p);
    else
        int_back(g, type, d);
}

/* The usual case, of an operation of one byte. What is not so is left to binary_any() before anything has
 * been done, so that nobody is called here. */
static inline void binary_often(struct native_gen *g, uint8_t type, const struct binary *k)
{
    uint32_t at = g->count - 2;
    struct gval *a = &g->vals[at], *b = a + 1;
    val_shrink(g, at);
    int_leave(g, b);
    int_leave(g, a);
    unsigned d = dest_look(g, g->p);
    if (a->kind == G_CONST || b->kind == G_CONST || d == DEST_ASK || (b->reg == d && d != NO_REG) ||
        !g->gpr_free) {
        binary_any(g, type, k, a, b);
        return;
    }
    if (d != NO_REG) {
        binary_put(g, type, k, a, b, d, true);
        return;
    }
    if (k->commutes && a->kind != G_REG && b->kind == G_REG)
        swap(&a, &b);
    d = a->kind == G_REG ? a->reg : gpr_next(g);
    binary_put(g, type, k, a, b, d, false);
}

/* A register for the result of an operation on v alone, which may be v's own. */
static unsigned unary_dest(struct native_gen *g, struct gdest dest, const struct gval *v)
{
    if (dest.set)
        return dest.reg;
    return v->kind == G_REG ? v->reg : gpr_alloc(g);
}

static void unary_done(struct native_gen *g, struct gdest dest, const struct gval *v,
                       uint8_t type, unsigned d)
{
    if (v->kind == G_REG && v->reg != d)
        int_release(g, v);
    int_done(g, dest, type, d);
}

/* op d, v from a register or memory. */
static APART void unary(struct native_gen *g, uint8_t in, uint8_t out, uint32_t op)
{
    struct gval *v = int_take(g);
    struct x64_mem m;
    if (v->kind == G_CONST)
        val_temp(g, v);
    struct gdest dest = dest_of(g, out);
    unsigned d = unary_dest(g, dest, v);
    if (val_mem(g, v, &m))
        asm_rm(&g->a, op, d, m);
    else
        asm_rr(&g->a, op, d, val_reg(g, v));
    (void)in;
    unary_done(g, dest, v, out, d);
}

static APART void multiply(struct native_gen *g, uint8_t type)
{
    static const struct binary mul = { OP_IMUL, 0, true, false };
    struct gval *b = &g->vals[g->count - 1];
    struct x64_mem m;
    int32_t imm;
    if (b[-1].kind == G_CONST && b->kind != G_CONST && b->kind != G_REG) {
        struct gval t = *b;
        *b = b[-1];
        b[-1] = t;
    }
    if (!imm32(b, &imm)) {
        if (b[-1].kind == G_CONST) { /* the other way round, both in registers */
            struct gval v = b[-1];
            b[-1].kind = G_REG;
            b[-1].reg = (uint8_t)gpr_alloc(g);
            asm_mov_imm(&g->a, b[-1].reg, v.bits);
            g->gpr_owner[b[-1].reg] = g->count - 2;
        }
        binary(g, type, &mul);
        return;
    }
    struct gval k = val_pop(g), *a = int_take(g);
    if (a->kind == G_CONST)
        val_temp(g, a);
    struct gdest dest = dest_of(g, type);
    unsigned d = unary_dest(g, dest, a);
    bool small = imm >= -128 && imm <= 127;
    uint32_t op = (small ? OP_IMUL_IMM8 : OP_IMUL_IMM) | wide_flag(type);
    (void)k;
    if (imm > 0 && (imm & (imm - 1)) == 0) {
        val_load(g, a, d);
        asm_rr(&g->a, OP_SHIFT_IMM | wide_flag(type), EXT_SHL, d);
        asm_8(&g->a, (unsigned)__builtin_ctz((unsigned)imm));
    } else {
        if (val_mem(g, a, &m))
            asm_rm(&g->a, op, d, m);
        else
            asm_rr(&g->a, op, d, val_reg(g, a));
        if (small)
            asm_8(&g->a, (unsigned)imm);
        else
            asm_32(&g->a, (uint32_t)imm);
    }
    unary_done(g, dest, a, type, d);
}

/* --- and: masks that are moves, and tests ------------------------------------------------- */

static APART bool and_as_move(struct native_gen *g, uint8_t type)
{
    struct gval *k = &g->vals[g->count - 1];
    if (k->kind != G_CONST || (k->bits != 0xff && k->bits != 0xffff && k->bits != 0xffffffff))
        return false;
    uint32_t op = k->bits == 0xff ? OP_MOVZX8 : k->bits == 0xffff ? OP_MOVZX16 : OP_MOV;
    val_pop(g);
    unary(g, type, type, (uint32_t)op);
    return true;
}

/* --- shifts ---------------------------------------------------------------------------------- */

/* (a << k) + b as one address. */
static bool shift_and_add(struct native_gen *g, uint8_t type, struct gval *a, unsigned k)
{
    uint8_t add = type == ENG_I32 ? 0x6a : 0x7c;
    if (k < 1 || k > 3 || *g->p != add || !g->count || g->vals[g->count - 1].kind == G_CONST)
        return false;
    g->p++;
    struct gval *b = int_take(g);
    unsigned ra = val_reg(g, a), rb = val_reg(g, b);
    struct gdest dest = dest_of(g, type);
    unsigned d = dest.set ? dest.reg : a->kind == G_REG ? a->reg : b->kind == G_REG ? b->reg : gpr_alloc(g);
    asm_rm(&g->a, OP_LEA | wide_flag(type), d, mem_index(rb, ra, k, 0));
    if (a->kind == G_REG && a->reg != d)
        int_release(g, a);
    if (b->kind == G_REG && b->reg != d)
        int_release(g, b);
    int_done(g, dest, type, d);
    return true;
}

/* Of an operand that has been taken, but for its temporary. */
static APART void shift_any(struct native_gen *g, uint8_t type, struct gval *a, unsigned ext, unsigned k)
{
    uint32_t w = wide_flag(type);
    int_hold(g, a);
    if (ext == EXT_SHL && shift_and_add(g, type, a, k))
        return;
    if (a->kind == G_CONST)
        val_temp(g, a);
    struct gdest dest = dest_of(g, type);
    unsigned d = unary_dest(g, dest, a), from;
    bool rotates = ext == EXT_ROL || ext == EXT_ROR;
    if (rotates && g->bmi2 && val_in_reg(a, &from) && from != d) {
        asm_vex(&g->a, X64_OP(0xf2, MAP_0F3A, 0xf0) | w, d, from, 0);
        asm_8(&g->a, ext == EXT_ROR ? k : -k & (is_wide(type) ? 63 : 31));
    } else if (ext == EXT_SHL && k == 1 && val_in_reg(a, &from) && from != d) {
        asm_rm(&g->a, OP_LEA | w, d, mem_index(from, from, 0, 0));
    } else {
        val_load(g, a, d);
        asm_rr_plain(&g->a, OP_SHIFT_IMM | w, ext, d);
        asm_8(&g->a, k);
    }
    unary_done(g, dest, a, type, d);
}

/* d = a shifted, of registers. */
static APART void shift_put(struct native_gen *g, uint32_t w, unsigned ext, unsigned d, unsigned a,
                            unsigned k)
{
    if (a != d) {
        if (ext == EXT_SHL && k == 1) {
            asm_lea_sum(&g->a, w, d, a, a);
            return;
        }
        asm_rr_plain(&g->a, OP_MOV | w, d, a);
    }
    asm_rr_plain(&g->a, OP_SHIFT_IMM | w, ext, d);
    asm_8(&g->a, k);
}

/* Might that be an address together with an addition that follows? */
static inline bool may_scale(const uint8_t *p, unsigned ext, unsigned k)
{
    return ext == EXT_SHL && k - 1 < 3 && (*p == 0x6a || *p == 0x7c);
}

static void shift_const(struct native_gen *g, uint8_t type, unsigned ext, unsigned k)
{
    const uint8_t *p = g->p;
    uint32_t top = g->count - 1;
    struct gval *a = &g->vals[top];
    k &= is_wide(type) ? 63 : 31;
    val_shrink(g, top);
    int_leave(g, a);
    unsigned d = dest_look(g, p), from = a->reg;
    if (ext < EXT_SHL || from == NO_REG || d == DEST_ASK || !g->gpr_free || may_scale(p, ext, k)) {
        shift_any(g, type, a, ext, k);
        return;
    }
    d = dest_alone(g, p, d, a, type);
    shift_put(g, wide_flag(type), ext, d, from, k);
}

static APART void shift_bmi(struct native_gen *g, uint8_t type, unsigned prefix)
{
    struct gval *b = int_take(g), *a = int_take(g);
    unsigned rb = val_reg(g, b), ra = val_reg(g, a);
    struct gdest dest = dest_of(g, type);
    unsigned d = dest.set ? dest.reg : a->kind == G_REG ? a->reg : b->kind == G_REG ? b->reg : gpr_alloc(g);
    asm_vex(&g->a, X64_OP(prefix, MAP_0F38, 0xf7) | wide_flag(type), d, ra, rb);
    if (a->kind == G_REG && a->reg != d)
        int_release(g, a);
    if (b->kind == G_REG && b->reg != d)
        int_release(g, b);
    int_done(g, dest, type, d);
}

static APART void shift_cl(struct native_gen *g, uint8_t type, unsigned ext)
{
    struct gval b = val_pop(g), a = val_pop(g);
    if (a.kind == G_REG && a.reg == RCX) { /* out of the way */
        unsigned to = gpr_alloc_not(g, 1u << RCX);
        asm_mov(&g->a, to, RCX);
        gpr_free(g, RCX);
        a.reg = (uint8_t)to;
    }
    if (!(b.kind == G_REG && b.reg == RCX)) {
        gpr_take(g, RCX);
        val_load(g, &b, RCX);
        int_release(g, &b);
    }
    unsigned d = val_temp(g, &a);
    asm_rr(&g->a, OP_SHIFT_CL | wide_flag(type), ext, d);
    gpr_free(g, RCX);
    struct gdest none = { .set = false };
    int_done(g, none, type, d);
}

static APART void shift(struct native_gen *g, uint8_t type, unsigned ext)
{
    const struct gval *k = &g->vals[g->count - 1];
    if (k->kind == G_CONST) {
        unsigned bits = (unsigned)k->bits;
        val_pop(g);
        shift_const(g, type, ext, bits);
    } else if (g->bmi2 && ext >= EXT_SHL) {
        shift_bmi(g, type, ext == EXT_SHL ? 0x66 : ext == EXT_SHR ? 0xf2 : 0xf3);
    } else {
        shift_cl(g, type, ext);
    }
}

/* --- division ----------------------------------------------------------------------------------- */

/* Unsigned by a power of two. */
static bool divide_shift(struct native_gen *g, uint8_t type, bool rem)
{
    struct gval *k = &g->vals[g->count - 1];
    if (k->kind != G_CONST || !k->bits || (k->bits & (k->bits - 1)))
        return false;
    if (rem) {
        static const struct binary mask = { OP_AND, EXT_AND, true, false };
        k->bits--;
        binary(g, type, &mask);
    } else {
        unsigned n = (unsigned)__builtin_ctzll(k->bits);
        val_pop(g);
        shift_const(g, type, EXT_SHR, n);
    }
    return true;
}

/* Signed: the two divisors that need care. Leaves the place to jump to behind the
 * division when it has been done here. */
static uint8_t *divide_care(struct native_gen *g, const struct gval *b, unsigned rb, bool wide,
                            bool rem)
{
    if (b->kind == G_CONST)
        return NULL; /* neither 0 nor -1 */
    asm_alu_imm(&g->a, wide, EXT_CMP, rb, -1);
    uint8_t *no = asm_jcc_short(&g->a, CC_NE), *done = NULL;
    if (rem) {
        asm_rr(&g->a, OP_XOR, RDX, RDX);
        done = asm_jmp_short(&g->a);
    } else {
        asm_alu_imm(&g->a, wide, EXT_CMP, RAX, 1);
        gen_trap_if(g, CC_O, ENG_TRAP_INT_OVERFLOW);
    }
    asm_short_here(&g->a, no);
    return done;
}

static APART void divide(struct native_gen *g, uint8_t type, bool is_signed, bool rem)
{
    bool wide = is_wide(type);
    uint32_t w = wide_flag(type), fixed = 1u << RAX | 1u << RDX;
    if (!is_signed && divide_shift(g, type, rem))
        return;
    struct gval b = val_pop(g), a = val_pop(g);
    struct gval divisor = b;
    bool plain = b.kind == G_CONST && b.bits && b.bits != (wide ? UINT64_MAX : UINT32_MAX);
    if (!plain)
        divisor.kind = G_SLOT;
    /* b somewhere else than rax and rdx, then a in rax. */
    unsigned rb;
    if (!val_in_reg(&b, &rb) || (fixed >> rb & 1)) {
        unsigned to = gpr_alloc_not(g, fixed);
        val_load(g, &b, to);
        int_release(g, &b);
        b.kind = G_REG;
        b.reg = (uint8_t)to;
        rb = to;
    }
    if (!(a.kind == G_REG && a.reg == RAX)) {
        gpr_take(g, RAX);
        val_load(g, &a, RAX);
        int_release(g, &a);
    }
    gpr_take(g, RDX);
    if (!plain) {
        asm_rr(&g->a, OP_TEST | w, rb, rb);
        gen_trap_if(g, CC_E, ENG_TRAP_INT_DIV_BY_ZERO);
    }
    uint8_t *done = is_signed ? divide_care(g, &divisor, rb, wide, rem) : NULL;
    if (is_signed) {
        if (wide)
            asm_8(&g->a, 0x48);
        asm_8(&g->a, 0x99); /* cdq, cqo */
    } else {
        asm_rr(&g->a, OP_XOR, RDX, RDX);
    }
    asm_rr(&g->a, OP_GROUP3 | w, is_signed ? 7 : 6, rb);
    if (done)
        asm_short_here(&g->a, done);
    int_release(g, &b);
    gpr_free(g, rem ? RAX : RDX);
    unsigned from = rem ? RDX : RAX;
    struct gdest dest = dest_of(g, type);
    if (dest.set) {
        asm_rr(&g->a, OP_MOV | w, dest.reg, from);
        gpr_free(g, from);
        from = dest.reg;
    }
    int_done(g, dest, type, from);
}

/* --- all of them ------------------------------------------------------------------------------------ */

enum { CLZ, CTZ, POPCNT, ADD, SUB, MUL, DIV_S, DIV_U, REM_S, REM_U, AND, OR, XOR, SHL, SHR_S, SHR_U,
       ROTL, ROTR, INT_OPS };
enum { FIRST_I32 = 0x67, FIRST_I64 = 0x79 };

static const struct binary add = { OP_ADD, EXT_ADD, true, true };

static const struct binary sub = { OP_SUB, EXT_SUB, false, false }, and = { OP_AND, EXT_AND, true, false },
                           or = { OP_OR, EXT_OR, true, false }, xor = { OP_XOR, EXT_XOR, true, false };

static void subtract(struct native_gen *g, uint8_t type)
{
    struct gval *k = &g->vals[g->count - 1];
    int32_t imm;
    if (imm32(k, &imm) && imm != INT32_MIN) { /* as a sum, which has more forms */
        k->bits = type == ENG_I32 ? (uint32_t)-imm : (uint64_t)-(int64_t)imm;
        binary(g, type, &add);
    } else {
        binary(g, type, &sub);
    }
}

static APART void numeric_any(struct native_gen *g, uint8_t opcode)
{
    bool wide = opcode >= FIRST_I64;
    uint8_t type = wide ? ENG_I64 : ENG_I32;
    uint32_t w = wide_flag(type);
    switch (opcode - (wide ? FIRST_I64 : FIRST_I32)) {
    case CLZ:
        unary(g, type, type, OP_LZCNT | w);
        break;
    case CTZ:
        unary(g, type, type, OP_TZCNT | w);
        break;
    case POPCNT:
        unary(g, type, type, OP_POPCNT | w);
        break;
    case ADD:
        binary(g, type, &add);
        break;
    case SUB:
        subtract(g, type);
        break;
    case MUL:
        multiply(g, type);
        break;
    case DIV_S:
        divide(g, type, true, false);
        break;
    case DIV_U:
        divide(g, type, false, false);
        break;
    case REM_S:
        divide(g, type, true, true);
        break;
    case REM_U:
        divide(g, type, false, true);
        break;
    case AND:
        if (!and_as_move(g, type))
            binary(g, type, &and);
        break;
    case OR:
        binary(g, type, &or);
        break;
    case XOR:
        binary(g, type, &xor);
        break;
    case SHL:
        shift(g, type, EXT_SHL);
        break;
    case SHR_S:
        shift(g, type, EXT_SAR);
        break;
    case SHR_U:
        shift(g, type, EXT_SHR);
        break;
    case ROTL:
        shift(g, type, EXT_ROL);
        break;
    default:
        shift(g, type, EXT_ROR);
        break;
    }
}

void gen_numeric(struct native_gen *g, uint8_t opcode)
{
    static const struct binary *const often[INT_OPS] = {
        [ADD] = &add, [SUB] = &sub, [AND] = &and, [OR] = &or, [XOR] = &xor,
    };
    bool wide = opcode >= FIRST_I64;
    const struct binary *k = often[opcode - (wide ? FIRST_I64 : FIRST_I32)];
    if (k && g->vals[g->count - 1].kind != G_CONST)
        binary_often(g, wide ? ENG_I64 : ENG_I32, k);
    else
        numeric_any(g, opcode);
}

/* Is `and` with that number a move, or is its result only tested? */
static bool and_is_special(const struct native_gen *g, uint64_t bits)
{
    uint8_t then = g->p[1];
    bool tested = then == 0x45 || then == 0x0d || then == 0x04;
    return tested || bits == 0xff || bits == 0xffff || bits == 0xffffffff;
}

/* Of an operand that has been taken, but for its temporary. */
static APART bool numeric_const_any(struct native_gen *g, struct gval *a, unsigned ext, int32_t imm,
                                    uint8_t type)
{
    uint32_t w = wide_flag(type);
    int_hold(g, a);
    struct gdest dest = dest_here(g);
    unsigned d = dest.set ? dest.reg : a->kind == G_REG ? a->reg : gpr_alloc(g);
    if (ext == EXT_ADD && a->reg != NO_REG && a->reg != d) {
        asm_rm(&g->a, OP_LEA | w, d, mem_of(a->reg, imm));
    } else {
        val_load(g, a, d);
        asm_alu_imm(&g->a, w, ext, d, imm);
    }
    if (a->reg != d)
        int_release(g, a);
    int_done(g, dest, type, d);
    return true;
}

/* d = a op imm of registers. */
static APART bool const_put(struct native_gen *g, uint32_t w, unsigned ext, unsigned d, unsigned a,
                            int32_t imm)
{
    if (a != d) {
        if (ext == EXT_ADD) {
            asm_lea_plain(&g->a, w, d, a, imm);
            return true;
        }
        asm_rr_plain(&g->a, OP_MOV | w, d, a);
    }
    asm_alu_imm_plain(&g->a, w, ext, d, imm);
    return true;
}

bool gen_numeric_const(struct native_gen *g, uint64_t bits)
{
    static const uint8_t exts[] = { [ADD] = EXT_ADD, [SUB] = EXT_SUB, [AND] = EXT_AND, [OR] = EXT_OR,
                                    [XOR] = EXT_XOR };
    const uint8_t *p = g->p;
    bool wide = *p >= FIRST_I64;
    unsigned ext = exts[*p - (wide ? FIRST_I64 : FIRST_I32)];
    uint32_t at = g->count - 1;
    struct gval *a = &g->vals[at];
    int32_t imm = (int32_t)bits;
    if (a->kind == G_CONST || (wide && (int64_t)bits != imm))
        return false;
    if (ext == EXT_SUB) { /* as a sum, which has more forms */
        if (imm == INT32_MIN)
            return false;
        ext = EXT_ADD;
        imm = -imm;
    } else if (ext == EXT_AND && and_is_special(g, bits)) {
        return false;
    }
    g->at = p++;
    g->p = p;
    val_shrink(g, at);
    int_leave(g, a);
    uint8_t type = wide ? ENG_I64 : ENG_I32;
    unsigned d = dest_look(g, p), from = a->reg;
    if (d == DEST_ASK || from == NO_REG || !g->gpr_free)
        return numeric_const_any(g, a, ext, imm, type);
    d = dest_alone(g, p, d, a, type);
    return const_put(g, wide_flag(type), ext, d, from, imm);
}

void gen_shift_const(struct native_gen *g, uint64_t bits)
{
    static const uint8_t exts[] = { EXT_SHL, EXT_SAR, EXT_SHR, EXT_ROL, EXT_ROR };
    bool wide = *g->p >= FIRST_I64;
    unsigned ext = exts[*g->p - (wide ? FIRST_I64 : FIRST_I32) - SHL];
    g->at = g->p++;
    shift_const(g, wide ? ENG_I64 : ENG_I32, ext, (unsigned)bits);
}

/* Integer to integer, and between classes without change. */
void gen_conversion(struct native_gen *g, uint8_t opcode)
{
    switch (opcode) {
    case 0xa7: /* wrap */
        unary(g, ENG_I64, ENG_I32, OP_MOV);
        break;
    case 0xac:
        unary(g, ENG_I32, ENG_I64, OP_MOVSXD | X64_WIDE);
        break;
    case 0xad: /* extended already */
        g->vals[g->count - 1].type = ENG_I64;
        break;
    case 0xc0:
        unary(g, ENG_I32, ENG_I32, (uint32_t)OP_MOVSX8);
        break;
    case 0xc1:
        unary(g, ENG_I32, ENG_I32, OP_MOVSX16);
        break;
    case 0xc2:
        unary(g, ENG_I64, ENG_I64, (uint32_t)OP_MOVSX8 | X64_WIDE);
        break;
    case 0xc3:
        unary(g, ENG_I64, ENG_I64, OP_MOVSX16 | X64_WIDE);
        break;
    default:
        unary(g, ENG_I64, ENG_I64, OP_MOVSXD | X64_WIDE);
        break;
    }
}
