/* The encoder of x86-64 instructions, and nothing else: it knows no WebAssembly.
 *
 * An operation is one number: the opcode's bytes, as they are written; how many these are less one;
 * mandatory prefix; whether operands are of 64 bits or a register operand is of 8. Whoever emits
 * has made room before (gen_room). */
#ifndef ENGINE_X64_ASM_H
#define ENGINE_X64_ASM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum x64_reg { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

enum x64_cond {
    CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE,
    CC_LE, CC_G
};

/* A map is what comes before the opcode's last byte, and how many bytes that are. */
enum { MAP_0, MAP_0F = 0x10f, MAP_0F38 = 0x2380f, MAP_0F3A = 0x23a0f };
#define X64_LENGTH(map) ((uint32_t)(map) >> ((uint32_t)(map) > 0xffff ? 16 : 8))
#define X64_PREFIX(prefix)                                                                        \
    ((prefix) == 0 ? 0u : (prefix) == 0x66 ? 1u : (prefix) == 0xf3 ? 2u : 3u /* 0xf2 */)
#define X64_OP(prefix, map, byte)                                                                 \
    (((uint32_t)(map) & ((map) > 0xffff ? 0xffffu : 0xffu)) |                                     \
     (uint32_t)(byte) << 8 * X64_LENGTH(map) | X64_LENGTH(map) << 28 | X64_PREFIX(prefix) << 24)
#define X64_BYTE_REG (UINT32_C(1) << 26) /* spl, bpl, sil, dil need a prefix */
#define X64_WIDE (UINT32_C(1) << 27)     /* 64-bit operands */
/* One of a row of operations whose numbers follow each other: by condition, by width. */
#define X64_NTH(op, cond) ((uint32_t)(op) + ((uint32_t)(cond) << 8))

/* op reg, rm unless said otherwise. */
enum {
    OP_ADD = X64_OP(0, MAP_0, 0x03),
    OP_OR = X64_OP(0, MAP_0, 0x0b),
    OP_AND = X64_OP(0, MAP_0, 0x23),
    OP_SUB = X64_OP(0, MAP_0, 0x2b),
    OP_XOR = X64_OP(0, MAP_0, 0x33),
    OP_CMP = X64_OP(0, MAP_0, 0x3b),
    OP_SBB = X64_OP(0, MAP_0, 0x1b),
    OP_TEST = X64_OP(0, MAP_0, 0x85),
    OP_XCHG = X64_OP(0, MAP_0, 0x87),
    OP_MOV = X64_OP(0, MAP_0, 0x8b),
    OP_MOV_STORE = X64_OP(0, MAP_0, 0x89),
    OP_MOV_STORE8 = (int)(X64_OP(0, MAP_0, 0x88) | X64_BYTE_REG),
    OP_MOV_STORE16 = X64_OP(0x66, MAP_0, 0x89),
    OP_MOV_IMM = X64_OP(0, MAP_0, 0xc7),   /* /0, imm32 sign-extended */
    OP_MOV_IMM8 = X64_OP(0, MAP_0, 0xc6),  /* /0, imm8 */
    OP_MOV_IMM16 = X64_OP(0x66, MAP_0, 0xc7),
    OP_LEA = X64_OP(0, MAP_0, 0x8d),
    OP_MOVSXD = X64_OP(0, MAP_0, 0x63),
    OP_IMUL = X64_OP(0, MAP_0F, 0xaf),
    OP_IMUL_IMM = X64_OP(0, MAP_0, 0x69),
    OP_IMUL_IMM8 = X64_OP(0, MAP_0, 0x6b),
    OP_MOVZX8 = (int)(X64_OP(0, MAP_0F, 0xb6) | X64_BYTE_REG),
    OP_MOVZX16 = X64_OP(0, MAP_0F, 0xb7),
    OP_MOVSX8 = (int)(X64_OP(0, MAP_0F, 0xbe) | X64_BYTE_REG),
    OP_MOVSX16 = X64_OP(0, MAP_0F, 0xbf),
    OP_LZCNT = X64_OP(0xf3, MAP_0F, 0xbd),
    OP_TZCNT = X64_OP(0xf3, MAP_0F, 0xbc),
    OP_POPCNT = X64_OP(0xf3, MAP_0F, 0xb8),
    OP_CMOV = X64_OP(0, MAP_0F, 0x40), /* X64_NTH: by condition */
    OP_SETCC = (int)(X64_OP(0, MAP_0F, 0x90) | X64_BYTE_REG), /* rm only, likewise */
    OP_GROUP1 = X64_OP(0, MAP_0, 0x81), /* add /0 or /1 and /4 sub /5 xor /6 cmp /7, imm32 */
    OP_GROUP1_8 = X64_OP(0, MAP_0, 0x83), /* likewise, imm8 */
    OP_SHIFT_IMM = X64_OP(0, MAP_0, 0xc1), /* rol /0 ror /1 shl /4 shr /5 sar /7 */
    OP_SHIFT_CL = X64_OP(0, MAP_0, 0xd3),
    OP_GROUP3 = X64_OP(0, MAP_0, 0xf7), /* test /0 not /2 neg /3 mul /4 div /6 idiv /7 */
    OP_GROUP5 = X64_OP(0, MAP_0, 0xff), /* call /2 jmp /4 push /6 */
    OP_POP_RM = X64_OP(0, MAP_0, 0x8f), /* /0 */

    OP_MOVAPS = X64_OP(0, MAP_0F, 0x28),
    OP_MOVSS = X64_OP(0xf3, MAP_0F, 0x10),
    OP_MOVSD = X64_OP(0xf2, MAP_0F, 0x10),
    OP_MOVSS_STORE = X64_OP(0xf3, MAP_0F, 0x11),
    OP_MOVSD_STORE = X64_OP(0xf2, MAP_0F, 0x11),
    OP_MOVUPS = X64_OP(0, MAP_0F, 0x10),
    OP_MOVUPS_STORE = X64_OP(0, MAP_0F, 0x11),
    OP_MOVD_TO_X = X64_OP(0x66, MAP_0F, 0x6e), /* wide: movq */
    OP_MOVD_FROM_X = X64_OP(0x66, MAP_0F, 0x7e), /* reg is the xmm */
    OP_XORPS = X64_OP(0, MAP_0F, 0x57),
    OP_ANDPS = X64_OP(0, MAP_0F, 0x54),
    OP_ANDNPS = X64_OP(0, MAP_0F, 0x55),
    OP_ORPS = X64_OP(0, MAP_0F, 0x56),
    OP_UCOMISS = X64_OP(0, MAP_0F, 0x2e),
    OP_UCOMISD = X64_OP(0x66, MAP_0F, 0x2e),
    OP_CVTSS2SD = X64_OP(0xf3, MAP_0F, 0x5a),
    OP_CVTSD2SS = X64_OP(0xf2, MAP_0F, 0x5a),
    OP_ROUNDSS = X64_OP(0x66, MAP_0F3A, 0x0a),
    OP_ROUNDSD = X64_OP(0x66, MAP_0F3A, 0x0b),
};
/* Of scalar float operations: f32 or f64 by the prefix. */
#define X64_SCALAR(is_f64, byte) X64_OP((is_f64) ? 0xf2 : 0xf3, MAP_0F, byte)
enum { SSE_SQRT = 0x51, SSE_ADD = 0x58, SSE_MUL = 0x59, SSE_SUB = 0x5c, SSE_MIN = 0x5d,
       SSE_DIV = 0x5e, SSE_MAX = 0x5f, SSE_CVT_FROM_INT = 0x2a, SSE_CVT_TO_INT = 0x2c };

enum { EXT_ADD, EXT_OR, EXT_ADC, EXT_SBB, EXT_AND, EXT_SUB, EXT_XOR, EXT_CMP };
enum { EXT_ROL = 0, EXT_ROR = 1, EXT_SHL = 4, EXT_SHR = 5, EXT_SAR = 7 };

/* base + (index << shift) + disp, as far as the instruction's other operands do not matter. */
struct x64_mem {
    uint8_t rex;  /* its bits X and B */
    uint8_t rm;   /* of the byte ModRM */
    uint8_t sib;  /* the byte behind it */
    uint8_t form; /* below */
    int32_t disp;
};
enum { MEM_SIB = 1, MEM_DISP = 2 }; /* there is a byte SIB; a displacement, though it be 0 */

/* Code under construction. Positions are offsets from start. */
struct assembler {
    uint8_t *start, *p, *end;
};

static inline uint32_t asm_pos(const struct assembler *a)
{
    return (uint32_t)(a->p - a->start);
}
static inline void asm_8(struct assembler *a, unsigned v)
{
    *a->p++ = (uint8_t)v;
}
static inline void asm_32(struct assembler *a, uint32_t v)
{
    memcpy(a->p, &v, 4);
    a->p += 4;
}
static inline void asm_64(struct assembler *a, uint64_t v)
{
    memcpy(a->p, &v, 8);
    a->p += 8;
}
static inline uint32_t asm_read32(const struct assembler *a, uint32_t at)
{
    uint32_t v;
    memcpy(&v, a->start + at, 4);
    return v;
}
static inline void asm_write32(struct assembler *a, uint32_t at, uint32_t v)
{
    memcpy(a->start + at, &v, 4);
}

static inline struct x64_mem mem_index(unsigned base, unsigned index, unsigned shift, int32_t disp)
{
    bool must = (base & 7) == RBP; /* and r13 */
    return (struct x64_mem){ (uint8_t)((index >> 3) << 1 | base >> 3), 4,
                             (uint8_t)(shift << 6 | (index & 7) << 3 | (base & 7)),
                             (uint8_t)(MEM_SIB | (must ? MEM_DISP : 0)), disp };
}
static inline struct x64_mem mem_of(unsigned base, int32_t disp)
{
    bool must = (base & 7) == RBP, sib = (base & 7) == RSP; /* and r12 */
    return (struct x64_mem){ (uint8_t)(base >> 3), (uint8_t)(base & 7), 4 << 3 | RSP,
                             (uint8_t)(sib | (must ? MEM_DISP : 0)), disp };
}

/* Register forms, and those with memory: reg is a register or the opcode's extension. */
void asm_rr(struct assembler *a, uint32_t op, unsigned reg, unsigned rm);
void asm_rm(struct assembler *a, uint32_t op, unsigned reg, struct x64_mem m);
/* The memory is `disp` bytes from the end of this instruction; `more` bytes of
 * immediate follow. The position of the displacement, to be patched. */
uint32_t asm_rip(struct assembler *a, uint32_t op, unsigned reg, int32_t disp);
/* VEX-encoded, three operands: BMI2's op reg, rm, vvvv; AVX's op reg, vvvv, rm. Of two operands
 * vvvv is 0. */
void asm_vex(struct assembler *a, uint32_t op, unsigned reg, unsigned rm, unsigned vvvv);
void asm_vex_rm(struct assembler *a, uint32_t op, unsigned reg, struct x64_mem m, unsigned vvvv);
/* As asm_rip, to be patched. */
uint32_t asm_vex_rip(struct assembler *a, uint32_t op, unsigned reg, unsigned vvvv);

/* Some of the above for those who emit most of all code, made where they are called. The first two: of an
 * operation of one byte without prefix; and of that, with mem_of(RSP, disp). */
static inline void asm_rr_plain(struct assembler *a, uint32_t op, unsigned reg, unsigned rm)
{
    uint8_t *p = a->p;
    unsigned rex = (op >> 24 & 8) | (reg >> 1 & 4) | rm >> 3;
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    p[0] = (uint8_t)op;
    p[1] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->p = p + 2;
}
static inline void asm_sp_plain(struct assembler *a, uint32_t op, unsigned reg, int32_t disp)
{
    uint8_t *p = a->p;
    unsigned rex = (op >> 24 & 8) | (reg >> 1 & 4), any = disp != 0, small = disp == (int8_t)disp;
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    p[0] = (uint8_t)op;
    p[1] = (uint8_t)((small ? any : 2) << 6 | (reg & 7) << 3 | 4);
    p[2] = 4 << 3 | RSP;
    memcpy(p + 3, &disp, 4);
    a->p = p + 3 + (small ? any : 4);
}
/* Of an operation of two bytes without prefix, whose operands may be of 8 bits. */
static inline void asm_rr_byte(struct assembler *a, uint32_t op, unsigned reg, unsigned rm)
{
    uint8_t *p = a->p;
    *p = (uint8_t)(0x40 | (reg >> 1 & 4) | rm >> 3);
    p += (reg | rm) >= RSP;
    memcpy(p, &op, 2);
    p[2] = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->p = p + 3;
}
/* Prefixes, of which rex are that one's bits, and opcode; where the operands follow. Bytes that may be absent
 * are written and then kept or not, which is quicker than to guess. */
static inline uint8_t *asm_prefixes(uint8_t *p, uint32_t op, unsigned rex)
{
    *p = (uint8_t)(UINT32_C(0xf2f36600) >> (op >> 24 & 3) * 8);
    p += (op >> 24 & 3) != 0;
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    memcpy(p, &op, 4);
    return p + (op >> 28) + 1;
}
/* Of any operation that is not wide and has no operands of 8 bits; and of that, with mem_of(RSP, disp). */
static inline void asm_rr_sse(struct assembler *a, uint32_t op, unsigned reg, unsigned rm)
{
    uint8_t *p = asm_prefixes(a->p, op, (reg >> 1 & 4) | rm >> 3);
    *p = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->p = p + 1;
}
static inline void asm_sp_sse(struct assembler *a, uint32_t op, unsigned reg, int32_t disp)
{
    unsigned any = disp != 0, small = disp == (int8_t)disp;
    uint8_t *p = asm_prefixes(a->p, op, reg >> 1 & 4);
    p[0] = (uint8_t)((small ? any : 2) << 6 | (reg & 7) << 3 | 4);
    p[1] = 4 << 3 | RSP;
    memcpy(p + 2, &disp, 4);
    a->p = p + 2 + (small ? any : 4);
}
/* asm_alu_imm(); w: X64_WIDE or 0. */
static inline void asm_alu_imm_plain(struct assembler *a, uint32_t w, unsigned ext, unsigned reg,
                                     int32_t imm)
{
    uint8_t *p = a->p;
    unsigned rex = (w >> 24 & 8) | reg >> 3, small = imm == (int8_t)imm;
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    p[0] = (uint8_t)(0x81 | small << 1);
    p[1] = (uint8_t)(0xc0 | ext << 3 | (reg & 7));
    memcpy(p + 2, &imm, 4);
    a->p = p + (small ? 3 : 6);
}
/* asm_alu_mem_imm() with mem_of(RSP, disp). */
static inline void asm_alu_sp_imm(struct assembler *a, uint32_t w, unsigned ext, int32_t disp, int32_t imm)
{
    unsigned small = imm == (int8_t)imm;
    asm_sp_plain(a, (0x81 | small << 1) | w, ext, disp);
    memcpy(a->p, &imm, 4);
    a->p += small ? 1 : 4;
}
/* asm_rm() of OP_LEA with mem_of(base, disp). */
static inline void asm_lea_plain(struct assembler *a, uint32_t w, unsigned reg, unsigned base, int32_t disp)
{
    uint8_t *p = a->p;
    unsigned rex = (w >> 24 & 8) | (reg >> 1 & 4) | base >> 3, small = disp == (int8_t)disp;
    unsigned any = (disp != 0) | ((base & 7) == RBP);
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    p[0] = 0x8d;
    p[1] = (uint8_t)((small ? any : 2) << 6 | (reg & 7) << 3 | (base & 7));
    p[2] = 4 << 3 | RSP;
    p += 2 + ((base & 7) == RSP);
    memcpy(p, &disp, 4);
    a->p = p + (small ? any : 4);
}
/* asm_rm() of OP_LEA with mem_index(base, index, 0, 0). */
static inline void asm_lea_sum(struct assembler *a, uint32_t w, unsigned reg, unsigned base, unsigned index)
{
    uint8_t *p = a->p;
    unsigned rex = (w >> 24 & 8) | (reg >> 1 & 4) | (index >> 2 & 2) | base >> 3, any = (base & 7) == RBP;
    *p = (uint8_t)(0x40 | rex);
    p += rex != 0;
    p[0] = 0x8d;
    p[1] = (uint8_t)(any << 6 | (reg & 7) << 3 | 4);
    p[2] = (uint8_t)((index & 7) << 3 | (base & 7));
    p[3] = 0;
    a->p = p + 3 + any;
}
/* asm_rm() with mem_index(base, index, 0, disp) of a base with a REX bit whose number is not r13, and a
 * displacement below 128. */
static inline void asm_rm_near(struct assembler *a, uint32_t op, unsigned reg, unsigned base,
                               unsigned index, uint8_t disp)
{
    unsigned any = disp != 0, rex = (op >> 24 & 8) | (reg >> 1 & 4) | (index >> 2 & 2) | base >> 3;
    uint8_t *p = asm_prefixes(a->p, op, rex);
    p[0] = (uint8_t)(any << 6 | (reg & 7) << 3 | 4);
    p[1] = (uint8_t)((index & 7) << 3 | (base & 7));
    p[2] = disp;
    a->p = p + 2 + any;
}

/* op of OP_GROUP1 with an immediate, the shortest way. */
void asm_alu_imm(struct assembler *a, bool wide, unsigned ext, unsigned reg, int32_t imm);
void asm_alu_mem_imm(struct assembler *a, bool wide, unsigned ext, struct x64_mem m, int32_t imm);
/* Any 64-bit number; does not touch flags. */
void asm_mov_imm(struct assembler *a, unsigned reg, uint64_t imm);
void asm_push(struct assembler *a, unsigned reg);
void asm_pop(struct assembler *a, unsigned reg);
void asm_ret(struct assembler *a);
/* Branches with 32-bit displacements; the position of it. */
uint32_t asm_jmp(struct assembler *a, uint32_t target);
uint32_t asm_jcc(struct assembler *a, unsigned cond, uint32_t target);
uint32_t asm_call(struct assembler *a, uint32_t target);
/* Short forward branch; asm_short_here ends it at the present place. */
uint8_t *asm_jcc_short(struct assembler *a, unsigned cond);
uint8_t *asm_jmp_short(struct assembler *a);
void asm_short_here(struct assembler *a, uint8_t *at);
/* Makes the branch whose displacement is at `at` lead to target. */
static inline void asm_patch(struct assembler *a, uint32_t at, uint32_t target)
{
    asm_write32(a, at, target - (at + 4));
}
void asm_endbr(struct assembler *a);
/* Fills up with no-operations to `rest` more than a multiple of `to`, a power of two. */
void asm_align_at(struct assembler *a, unsigned to, unsigned rest);
static inline void asm_align(struct assembler *a, unsigned to)
{
    asm_align_at(a, to, 0);
}

static inline void asm_mov(struct assembler *a, unsigned d, unsigned s)
{
    asm_rr(a, OP_MOV | X64_WIDE, d, s);
}
static inline void asm_mov32(struct assembler *a, unsigned d, unsigned s)
{
    asm_rr(a, OP_MOV, d, s);
}

#endif
