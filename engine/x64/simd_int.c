/* Vectors of integers: what is more than one of the CPU's instructions. In each routine all
 * registers are taken first, since taking one may change X_SCRATCH. */
#include "x64/simd.h"

enum { NOT = 0x4d, BITSELECT = 0x52, POPCNT = 0x62, SHIFTS_8 = 0x6b, EXTADDS = 0x7c, Q15MULR = 0x82,
       EXTMULS_16 = 0x9c, EXTMULS_32 = 0xbc, ABS_64 = 0xc0, SHR_S_64 = 0xcc, MUL_64 = 0xd5,
       EXTMULS_64 = 0xdc };

/* Operands that have been popped, in registers, and where the result goes: d is neither a nor b
 * unless it is a temporary of a. */
struct two {
    struct gval va, vb;
    unsigned a, b, d;
};

static struct two pop_two(struct native_gen *g)
{
    struct two t;
    t.vb = v_pop(g, CLEAN);
    t.va = v_pop(g, CLEAN);
    t.b = val_reg(g, &t.vb);
    t.a = val_reg(g, &t.va);
    t.d = t.va.kind == G_REG ? t.va.reg : xmm_alloc(g);
    return t;
}

static void push_two(struct native_gen *g, const struct two *t)
{
    val_release(g, &t->vb);
    v_push(g, t->d, CLEAN);
}

static struct two pop_one(struct native_gen *g)
{
    struct two t = { .vb = { .kind = G_CONST, .reg = NO_REG } };
    t.va = v_pop(g, CLEAN);
    t.a = val_reg(g, &t.va);
    t.d = t.va.kind == G_REG ? t.va.reg : xmm_alloc(g);
    return t;
}

/* --- shifts -------------------------------------------------------------------------------- */

/* The count modulo `bits`, in X_SCRATCH and with `more` added; v is released. */
static void count_to_scratch(struct native_gen *g, struct gval *v, unsigned bits, unsigned more)
{
    unsigned r = val_temp(g, v);
    asm_alu_imm(&g->a, false, EXT_AND, r, (int32_t)bits - 1);
    if (more)
        asm_alu_imm(&g->a, false, EXT_ADD, r, (int32_t)more);
    asm_rr(&g->a, OP_MOVD_TO_X, X_SCRATCH, r);
    val_release(g, v);
}

void simd_shift(struct native_gen *g, const struct simd_row *row)
{
    static const uint32_t by_number[] = { 0, OP_SHIFT_W, OP_SHIFT_D, OP_SHIFT_Q };
    unsigned ext = row->arg & 15, log2 = row->arg >> 4, bits = 8u << log2;
    struct gval n = val_pop(g), v = v_pop(g, CLEAN);
    unsigned a = val_reg(g, &v);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : v.kind == G_REG ? v.reg : xmm_alloc(g);
    if (n.kind == G_CONST) {
        v_shift(g, by_number[log2], ext, d, a, (unsigned)n.bits & (bits - 1));
    } else {
        count_to_scratch(g, &n, bits, 0);
        v_op3(g, row->op, d, a, X_SCRATCH);
    }
    if (v.kind == G_REG && v.reg != d)
        val_release(g, &v);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static uint64_t bytes_of(unsigned byte)
{
    return (byte & 0xff) * UINT64_C(0x0101010101010101);
}

/* There are no shifts of bytes: words are shifted, and what came from the neighbour goes. */
static void shift_8_by(struct native_gen *g, unsigned ext, unsigned n)
{
    struct two t = pop_one(g);
    unsigned sign = 0x80u >> n;
    v_shift(g, OP_SHIFT_W, ext == SHIFT_LEFT ? SHIFT_LEFT : SHIFT_RIGHT, t.d, t.a, n);
    v_const(g, OP_PAND, t.d, t.d, bytes_of(ext == SHIFT_LEFT ? 0xffu << n : 0xffu >> n));
    if (ext == SHIFT_ARITHMETIC) { /* (x ^ sign) - sign */
        v_load_const(g, X_SCRATCH, bytes_of(sign));
        v_op(g, OP_PXOR, t.d, X_SCRATCH);
        v_op(g, P66(0xf8), t.d, X_SCRATCH);
    }
    push_two(g, &t);
}

/* Odd and even bytes apart. */
static void shift_8_logical(struct native_gen *g, unsigned ext, struct gval *n)
{
    uint64_t low = 0x00ff00ff00ff00ff;
    uint32_t op = ext == SHIFT_LEFT ? OP_PSLLW : OP_PSRLW;
    struct two t = pop_one(g);
    unsigned other = xmm_alloc(g);
    count_to_scratch(g, n, 8, 0);
    v_op3(g, op, other, t.a, X_SCRATCH);
    v_const(g, OP_PAND, other, other, ext == SHIFT_LEFT ? low : ~low);
    v_const(g, OP_PAND, t.d, t.a, ext == SHIFT_LEFT ? ~low : low);
    v_op(g, op, t.d, X_SCRATCH);
    v_op(g, OP_POR, t.d, other);
    xmm_free(g, other);
    push_two(g, &t);
}

/* Each byte twice in a word, then back. */
static void shift_8_signed(struct native_gen *g, struct gval *n)
{
    struct two t = pop_one(g);
    unsigned other = xmm_alloc(g);
    count_to_scratch(g, n, 8, 8);
    v_op3(g, OP_PUNPCKHBW, other, t.a, t.a);
    v_op3(g, OP_PUNPCKLBW, t.d, t.a, t.a);
    v_op(g, OP_PSRAW, other, X_SCRATCH);
    v_op(g, OP_PSRAW, t.d, X_SCRATCH);
    v_op(g, OP_PACKSSWB, t.d, other);
    xmm_free(g, other);
    push_two(g, &t);
}

static void shift_8(struct native_gen *g, unsigned which)
{
    static const uint8_t exts[] = { SHIFT_LEFT, SHIFT_ARITHMETIC, SHIFT_RIGHT };
    unsigned ext = exts[which - SHIFTS_8];
    struct gval n = val_pop(g);
    if (n.kind == G_CONST)
        shift_8_by(g, ext, n.bits & 7);
    else if (ext == SHIFT_ARITHMETIC)
        shift_8_signed(g, &n);
    else
        shift_8_logical(g, ext, &n);
}

/* As of bytes: (x ^ sign) - sign, sign shifted along. */
static void shr_s_64(struct native_gen *g)
{
    uint64_t sign = UINT64_C(1) << 63;
    struct gval n = val_pop(g);
    struct two t = pop_one(g);
    unsigned m = xmm_alloc(g);
    if (n.kind == G_CONST) {
        v_load_const(g, m, sign >> (n.bits & 63));
        v_shift(g, OP_SHIFT_Q, SHIFT_RIGHT, t.d, t.a, n.bits & 63);
    } else {
        count_to_scratch(g, &n, 64, 0);
        v_load_const(g, m, sign);
        v_op(g, OP_PSRLQ, m, X_SCRATCH);
        v_op3(g, OP_PSRLQ, t.d, t.a, X_SCRATCH);
    }
    v_op(g, OP_PXOR, t.d, m);
    v_op(g, OP_PSUBQ, t.d, m);
    xmm_free(g, m);
    push_two(g, &t);
}

/* --- comparisons ---------------------------------------------------------------------------- */

/* d = a > b without SSE4.2: by the higher halves, or when they are equal by the borrow of b - a. */
static void greater_64(struct native_gen *g, unsigned d, unsigned a, unsigned b)
{
    v_op3(g, OP_PSUBQ, X_SCRATCH, b, a);
    v_op3(g, OP_PCMPEQD, d, a, b);
    v_op(g, OP_PAND, X_SCRATCH, d);
    v_op3(g, OP_PCMPGTD, d, a, b);
    v_op(g, OP_POR, d, X_SCRATCH);
    v_op2_imm(g, OP_PSHUFD, d, d, 0xf5);
}

void simd_compare_64(struct native_gen *g, const struct simd_row *row)
{
    struct gval b = v_pop(g, CLEAN), a = v_pop(g, CLEAN);
    unsigned rb = val_reg(g, &b), ra = val_reg(g, &a), d = xmm_alloc(g);
    if (row->flags & SF_SWAPPED) {
        unsigned t = ra;
        ra = rb;
        rb = t;
    }
    if (g->avx)
        v_op3(g, OP_PCMPGTQ, d, ra, rb);
    else
        greater_64(g, d, ra, rb);
    if (row->flags & SF_NOT) {
        v_ones(g, X_SCRATCH);
        v_op(g, OP_PXOR, d, X_SCRATCH);
    }
    val_release(g, &a);
    val_release(g, &b);
    v_push(g, d, CLEAN);
}

/* --- bits -------------------------------------------------------------------------------------- */

static void complement(struct native_gen *g)
{
    struct two t = pop_one(g);
    v_ones(g, X_SCRATCH);
    v_op3(g, OP_PXOR, t.d, t.a, X_SCRATCH);
    push_two(g, &t);
}

/* ((a ^ b) & mask) ^ b */
static void bitselect(struct native_gen *g)
{
    struct gval mask = v_pop(g, CLEAN);
    unsigned m = val_reg(g, &mask);
    struct two t = pop_two(g);
    v_op3(g, OP_PXOR, t.d, t.a, t.b);
    v_op(g, OP_PAND, t.d, m);
    v_op(g, OP_PXOR, t.d, t.b);
    val_release(g, &mask);
    push_two(g, &t);
}

/* Of half bytes, by a table. */
static void popcnt(struct native_gen *g)
{
    enum { HALF = 0x0f };
    uint64_t low = 0x0302020102010100, high = 0x0403030203020201;
    struct gval v = v_pop(g, CLEAN);
    unsigned x = val_temp(g, &v), sum = xmm_alloc(g);
    v_shift(g, OP_SHIFT_W, SHIFT_RIGHT, X_SCRATCH, x, 4);
    v_const(g, OP_PAND, X_SCRATCH, X_SCRATCH, bytes_of(HALF));
    v_const(g, OP_PAND, x, x, bytes_of(HALF));
    gen_wide(g, asm_rip(&g->a, OP_MOVAPS, sum, 0), low, high);
    v_op(g, OP_PSHUFB, sum, X_SCRATCH);
    gen_wide(g, asm_rip(&g->a, OP_MOVAPS, X_SCRATCH, 0), low, high);
    v_op(g, OP_PSHUFB, X_SCRATCH, x);
    v_op(g, OP_PADDB, sum, X_SCRATCH);
    val_release(g, &v);
    v_push(g, sum, CLEAN);
}

/* --- sums and products ---------------------------------------------------------------------------- */

static void extadd(struct native_gen *g, unsigned which)
{
    uint64_t words = 0x0001000100010001;
    struct two t = pop_one(g);
    switch (which) {
    case 0: /* the first operand is unsigned, the second signed */
        v_load_const(g, X_SCRATCH, bytes_of(1));
        v_op3(g, OP_PMADDUBSW, X_SCRATCH, X_SCRATCH, t.a);
        v_mov(g, t.d, X_SCRATCH);
        break;
    case 1:
        v_const(g, OP_PMADDUBSW, t.d, t.a, bytes_of(1));
        break;
    case 2:
        v_const(g, OP_PMADDWD, t.d, t.a, words);
        break;
    default: /* of x - 0x8000, which is signed */
        v_const(g, OP_PXOR, t.d, t.a, words << 15);
        v_const(g, OP_PMADDWD, t.d, t.d, words);
        v_const(g, OP_PADDD, t.d, t.d, 0x0001000000010000);
        break;
    }
    push_two(g, &t);
}

/* The CPU does not saturate: only -1 times -1 gives 0x8000, which is to be 0x7fff. */
static void q15mulr(struct native_gen *g)
{
    struct two t = pop_two(g);
    v_op3(g, OP_PMULHRSW, t.d, t.a, t.b);
    v_load_const(g, X_SCRATCH, 0x8000800080008000);
    v_op(g, OP_PCMPEQW, X_SCRATCH, t.d);
    v_op(g, OP_PXOR, t.d, X_SCRATCH);
    push_two(g, &t);
}

/* Which of four: low_s, high_s, low_u, high_u. */
static void extmul_16(struct native_gen *g, unsigned which)
{
    uint32_t widen = which < 2 ? OP_PMOVSXBW : OP_PMOVZXBW;
    struct two t = pop_two(g);
    if (which & 1) {
        v_op2_imm(g, OP_PSHUFD, X_SCRATCH, t.b, 0xee);
        v_op2_imm(g, OP_PSHUFD, t.d, t.a, 0xee);
        t.b = X_SCRATCH;
        t.a = t.d;
    }
    v_op2(g, widen, X_SCRATCH, t.b);
    v_op2(g, widen, t.d, t.a);
    v_op(g, OP_PMULLW, t.d, X_SCRATCH);
    push_two(g, &t);
}

static void extmul_32(struct native_gen *g, unsigned which)
{
    struct two t = pop_two(g);
    v_op3(g, which < 2 ? OP_PMULHW : OP_PMULHUW, X_SCRATCH, t.a, t.b);
    v_op3(g, OP_PMULLW, t.d, t.a, t.b);
    v_op(g, which & 1 ? OP_PUNPCKHWD : OP_PUNPCKLWD, t.d, X_SCRATCH);
    push_two(g, &t);
}

static void extmul_64(struct native_gen *g, unsigned which)
{
    unsigned order = which & 1 ? 0xfa : 0x50;
    struct two t = pop_two(g);
    v_op2_imm(g, OP_PSHUFD, X_SCRATCH, t.b, order);
    v_op2_imm(g, OP_PSHUFD, t.d, t.a, order);
    v_op(g, which < 2 ? OP_PMULDQ : OP_PMULUDQ, t.d, X_SCRATCH);
    push_two(g, &t);
}

static void abs_64(struct native_gen *g)
{
    struct two t = pop_one(g);
    v_op2_imm(g, OP_PSHUFD, X_SCRATCH, t.a, 0xf5);
    v_shift(g, OP_SHIFT_D, SHIFT_ARITHMETIC, X_SCRATCH, X_SCRATCH, 31);
    v_op3(g, OP_PXOR, t.d, t.a, X_SCRATCH);
    v_op(g, OP_PSUBQ, t.d, X_SCRATCH);
    push_two(g, &t);
}

/* low * low + ((high * low + low * high) << 32) */
static void mul_64(struct native_gen *g)
{
    struct two t = pop_two(g);
    unsigned other = xmm_alloc(g);
    v_shift(g, OP_SHIFT_Q, SHIFT_RIGHT, X_SCRATCH, t.a, 32);
    v_op(g, OP_PMULUDQ, X_SCRATCH, t.b);
    v_shift(g, OP_SHIFT_Q, SHIFT_RIGHT, other, t.b, 32);
    v_op(g, OP_PMULUDQ, other, t.a);
    v_op(g, OP_PADDQ, X_SCRATCH, other);
    v_shift(g, OP_SHIFT_Q, SHIFT_LEFT, X_SCRATCH, X_SCRATCH, 32);
    v_op3(g, OP_PMULUDQ, t.d, t.a, t.b);
    v_op(g, OP_PADDQ, t.d, X_SCRATCH);
    xmm_free(g, other);
    push_two(g, &t);
}

void simd_int(struct native_gen *g, unsigned which)
{
    switch (which) {
    case NOT:
        complement(g);
        break;
    case BITSELECT:
        bitselect(g);
        break;
    case POPCNT:
        popcnt(g);
        break;
    case SHIFTS_8 ... SHIFTS_8 + 2:
        shift_8(g, which);
        break;
    case EXTADDS ... EXTADDS + 3:
        extadd(g, which - EXTADDS);
        break;
    case Q15MULR:
        q15mulr(g);
        break;
    case EXTMULS_16 ... EXTMULS_16 + 3:
        extmul_16(g, which - EXTMULS_16);
        break;
    case EXTMULS_32 ... EXTMULS_32 + 3:
        extmul_32(g, which - EXTMULS_32);
        break;
    case ABS_64:
        abs_64(g);
        break;
    case SHR_S_64:
        shr_s_64(g);
        break;
    case MUL_64:
        mul_64(g);
        break;
    default:
        extmul_64(g, which - EXTMULS_64);
        break;
    }
}
