/* Vectors in compiled code; private to the simd_*.c. Everything works with SSE4.1; with AVX the
 * same operations are encoded with three operands. */
#ifndef ENGINE_X64_SIMD_H
#define ENGINE_X64_SIMD_H

#include "x64/gen.h"

/* By opcode map and prefix, as the manuals write them. */
#define P66(byte) X64_OP(0x66, MAP_0F, byte)
#define P66_38(byte) X64_OP(0x66, MAP_0F38, byte)
#define P66_3A(byte) X64_OP(0x66, MAP_0F3A, byte)
#define PNP(byte) X64_OP(0, MAP_0F, byte)

enum {
    OP_PAND = P66(0xdb), OP_PANDN = P66(0xdf), OP_POR = P66(0xeb), OP_PXOR = P66(0xef),
    OP_PCMPEQB = P66(0x74), OP_PCMPEQW = P66(0x75), OP_PCMPEQD = P66(0x76),
    OP_PCMPEQQ = P66_38(0x29), OP_PCMPGTD = P66(0x66), OP_PCMPGTQ = P66_38(0x37),
    OP_PADDB = P66(0xfc), OP_PADDW = P66(0xfd), OP_PADDD = P66(0xfe), OP_PADDQ = P66(0xd4),
    OP_PADDUSB = P66(0xdc), OP_PSUBD = P66(0xfa), OP_PSUBQ = P66(0xfb),
    OP_PMULLW = P66(0xd5), OP_PMULHW = P66(0xe5), OP_PMULHUW = P66(0xe4), OP_PMULUDQ = P66(0xf4),
    OP_PMULDQ = P66_38(0x28), OP_PMULHRSW = P66_38(0x0b), OP_PMADDWD = P66(0xf5),
    OP_PMADDUBSW = P66_38(0x04), OP_PMAXSD = P66_38(0x3d),
    OP_PSRLW = P66(0xd1), OP_PSRAW = P66(0xe1), OP_PSLLW = P66(0xf1), OP_PSRLQ = P66(0xd3),
    OP_SHIFT_W = P66(0x71), OP_SHIFT_D = P66(0x72), OP_SHIFT_Q = P66(0x73), /* by a number */
    OP_PUNPCKLBW = P66(0x60), OP_PUNPCKHBW = P66(0x68), OP_PUNPCKLWD = P66(0x61),
    OP_PUNPCKHWD = P66(0x69), OP_PUNPCKLDQ = P66(0x62), OP_PUNPCKHDQ = P66(0x6a),
    OP_PUNPCKLQDQ = P66(0x6c), OP_PUNPCKHQDQ = P66(0x6d),
    OP_PACKSSWB = P66(0x63), OP_PSHUFD = P66(0x70), OP_PSHUFB = P66_38(0x00),
    OP_PSHUFLW = X64_OP(0xf2, MAP_0F, 0x70), OP_PSHUFHW = X64_OP(0xf3, MAP_0F, 0x70),
    OP_PALIGNR = P66_3A(0x0f), OP_SHUFPS = PNP(0xc6), OP_PBLENDW = P66_3A(0x0e),
    OP_MOVDDUP = X64_OP(0xf2, MAP_0F, 0x12), OP_PTEST = P66_38(0x17), OP_PMOVMSKB = P66(0xd7),
    OP_MOVMSKPS = PNP(0x50), OP_MOVMSKPD = P66(0x50),
    OP_PINSRB = P66_3A(0x20), OP_PINSRW = P66(0xc4), OP_PINSRD = P66_3A(0x22),
    OP_PEXTRB = P66_3A(0x14), OP_PEXTRW = P66_3A(0x15), OP_PEXTRD = P66_3A(0x16), /* wide: q */
    OP_INSERTPS = P66_3A(0x21), OP_MOVHLPS = PNP(0x12), OP_MOVLHPS = PNP(0x16),
    OP_CVTTPS2DQ = X64_OP(0xf3, MAP_0F, 0x5b), OP_CVTDQ2PS = PNP(0x5b),
    OP_CVTTPD2DQ = P66(0xe6), OP_CVTDQ2PD = X64_OP(0xf3, MAP_0F, 0xe6),
    OP_PMOVSXBW = P66_38(0x20), OP_PMOVZXBW = P66_38(0x30),
};
enum { SHIFT_RIGHT = 2, SHIFT_ARITHMETIC = 4, SHIFT_LEFT = 6 }; /* extensions of OP_SHIFT_* */

/* --- d = a op b --------------------------------------------------------------------- */

/* d may be a, and b only if a is too. */
void v_op3(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned b);
void v_op3_imm(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned b,
                unsigned imm);

/* d = d op b */
void v_op(struct native_gen *g, uint32_t op, unsigned d, unsigned b);

/* d = op a */
void v_op2(struct native_gen *g, uint32_t op, unsigned d, unsigned a);
void v_op2_imm(struct native_gen *g, uint32_t op, unsigned d, unsigned a, unsigned imm);

void v_mov(struct native_gen *g, unsigned d, unsigned a);

/* d = a op constant */
void v_const2(struct native_gen *g, uint32_t op, unsigned d, unsigned a, uint64_t low,
              uint64_t high);

/* The same with the constant's halves alike. */
void v_const(struct native_gen *g, uint32_t op, unsigned d, unsigned a, uint64_t half);

/* d = the constant of those halves */
void v_load_const(struct native_gen *g, unsigned d, uint64_t half);

void v_zero(struct native_gen *g, unsigned d);
void v_ones(struct native_gen *g, unsigned d);

/* d = a shifted; op: of OP_SHIFT_*, ext: SHIFT_* */
void v_shift(struct native_gen *g, uint32_t op, unsigned ext, unsigned d, unsigned a,
             unsigned bits);

/* --- operands ------------------------------------------------------------------------- */

/* The top operand; canonical unless its lanes are read as `dirty` says. */
struct gval v_pop(struct native_gen *g, unsigned dirty);
void v_push(struct native_gen *g, unsigned reg, unsigned dirty);

/* --- by opcode ------------------------------------------------------------------------- */

enum simd_kind {
    SK_NONE,
    SK_UNARY,      /* op d, a */
    SK_ROUND,      /* the same with the number arg */
    SK_BINARY,     /* d = a op b */
    SK_COMPARE,    /* the same with the number arg: floats */
    SK_COMPARE_U,  /* a == (a op b); arg: log2 of the lanes' bytes */
    SK_COMPARE_64,
    SK_NEGATE,     /* 0 op a */
    SK_HIGH,       /* op d, higher half of a */
    SK_SHIFT,      /* arg: SHIFT_*, and log2 of the lanes' bytes from bit 4 */
    SK_INT,        /* routines of simd_int.c, simd_float.c, simd_lanes.c, simd_memory.c: by opcode */
    SK_FLOAT,
    SK_LANES,
    SK_MEMORY,
};
enum { SF_COMMUTES = 1, SF_SWAPPED = 2 /* operands change places */, SF_NOT = 4 /* complement */ };

struct simd_row {
    uint32_t op;
    uint8_t kind, arg;
    uint8_t flags : 4, in : 2, out : 2; /* how dirty operands may and the result will be */
};
extern const struct simd_row simd_rows[256];

void simd_shift(struct native_gen *g, const struct simd_row *row);
void simd_compare_64(struct native_gen *g, const struct simd_row *row);
void simd_int(struct native_gen *g, unsigned which);
void simd_float(struct native_gen *g, unsigned which);
void simd_lanes(struct native_gen *g, unsigned which);
void simd_memory(struct native_gen *g, unsigned which);
void simd_shuffle(struct native_gen *g);
void simd_swizzle(struct native_gen *g);
/* The register r in all lanes (of 1 << log2 bytes) of d; uses X_SCRATCH. */
void simd_splat_int(struct native_gen *g, unsigned log2, unsigned d, unsigned r);

#endif
