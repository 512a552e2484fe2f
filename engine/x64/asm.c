#include "x64/asm.h"

/* Prefixes and opcode. Bytes that may be absent are written and then kept or not, which is quicker
 * than to guess. rex: bits of that prefix; regs: an or of the numbers of those that may be of 8 bits. */
static inline uint8_t *prefixes(uint8_t *p, uint32_t op, unsigned rex, unsigned regs)
{
    enum { REX = 0x40 };
    rex |= op >> 24 & 8;
    if (op & (UINT32_C(3) << 24 | X64_BYTE_REG)) {
        *p = (uint8_t)(UINT32_C(0xf2f36600) >> (op >> 24 & 3) * 8);
        p += (op >> 24 & 3) != 0;
        if (op & X64_BYTE_REG && regs >= RSP)
            rex |= REX; /* needed, though it says nothing */
    }
    *p = (uint8_t)(REX | rex);
    p += rex != 0;
    memcpy(p, &op, 4);
    return p + (op >> 28) + 1;
}
_Static_assert(X64_WIDE >> 24 == 8, "REX.W");

/* Both could be the byte register; a needless prefix does no harm. */
void asm_rr(struct assembler *a, uint32_t op, unsigned reg, unsigned rm)
{
    uint8_t *p = prefixes(a->p, op, (reg >> 1 & 4) | rm >> 3, reg | rm);
    *p = (uint8_t)(0xc0 | (reg & 7) << 3 | (rm & 7));
    a->p = p + 1;
}

/* What names the memory, behind the opcode at p; where the instruction ends. */
static inline uint8_t *memory(uint8_t *p, unsigned reg, struct x64_mem m)
{
    unsigned modrm = (reg & 7) << 3 | m.rm, any = (m.disp != 0) | m.form >> 1;
    p[1] = m.sib;
    uint8_t *disp = p + 1 + (m.form & MEM_SIB);
    memcpy(disp, &m.disp, 4);
    if (m.disp != (int8_t)m.disp) {
        *p = (uint8_t)(modrm | 2 << 6);
        return disp + 4;
    }
    *p = (uint8_t)(modrm | any << 6);
    return disp + any;
}

void asm_rm(struct assembler *a, uint32_t op, unsigned reg, struct x64_mem m)
{
    a->p = memory(prefixes(a->p, op, (reg >> 1 & 4) | m.rex, reg), reg, m);
}

uint32_t asm_rip(struct assembler *a, uint32_t op, unsigned reg, int32_t disp)
{
    a->p = prefixes(a->p, op, reg >> 1 & 4, 0);
    asm_8(a, (reg & 7) << 3 | 5);
    asm_32(a, (uint32_t)disp);
    return asm_pos(a) - 4;
}

/* Prefix and opcode, in the short form where there is one. */
static void vex(struct assembler *a, uint32_t op, unsigned reg, unsigned rex, unsigned vvvv)
{
    unsigned length = op >> 28, r = (~reg >> 3 & 1) << 7;
    unsigned map = length == 1 ? 1 : (op >> 8 & 0xff) == 0x38 ? 2 : 3;
    unsigned last = (~vvvv & 15) << 3 | (op >> 24 & 3);
    if (map == 1 && !(op & X64_WIDE) && !rex) {
        asm_8(a, 0xc5);
        asm_8(a, r | last);
    } else {
        asm_8(a, 0xc4);
        asm_8(a, r | (~rex & 3) << 5 | map);
        asm_8(a, (op & X64_WIDE ? 0x80u : 0u) | last);
    }
    asm_8(a, op >> 8 * length);
}

void asm_vex(struct assembler *a, uint32_t op, unsigned reg, unsigned rm, unsigned vvvv)
{
    vex(a, op, reg, rm >> 3, vvvv);
    asm_8(a, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

void asm_vex_rm(struct assembler *a, uint32_t op, unsigned reg, struct x64_mem m, unsigned vvvv)
{
    vex(a, op, reg, m.rex, vvvv);
    a->p = memory(a->p, reg, m);
}

uint32_t asm_vex_rip(struct assembler *a, uint32_t op, unsigned reg, unsigned vvvv)
{
    vex(a, op, reg, 0, vvvv);
    asm_8(a, (reg & 7) << 3 | 5);
    asm_32(a, 0);
    return asm_pos(a) - 4;
}

void asm_alu_imm(struct assembler *a, bool wide, unsigned ext, unsigned reg, int32_t imm)
{
    uint32_t w = wide ? X64_WIDE : 0;
    if (imm >= -128 && imm <= 127) {
        asm_rr(a, OP_GROUP1_8 | w, ext, reg);
        asm_8(a, (unsigned)imm);
    } else {
        asm_rr(a, OP_GROUP1 | w, ext, reg);
        asm_32(a, (uint32_t)imm);
    }
}

void asm_alu_mem_imm(struct assembler *a, bool wide, unsigned ext, struct x64_mem m, int32_t imm)
{
    uint32_t w = wide ? X64_WIDE : 0;
    if (imm >= -128 && imm <= 127) {
        asm_rm(a, OP_GROUP1_8 | w, ext, m);
        asm_8(a, (unsigned)imm);
    } else {
        asm_rm(a, OP_GROUP1 | w, ext, m);
        asm_32(a, (uint32_t)imm);
    }
}

void asm_mov_imm(struct assembler *a, unsigned reg, uint64_t imm)
{
    if (imm <= UINT32_MAX) {
        if (reg >= R8)
            asm_8(a, 0x41);
        asm_8(a, 0xb8 | (reg & 7));
        asm_32(a, (uint32_t)imm);
    } else if ((int64_t)imm >= INT32_MIN && (int64_t)imm < 0) {
        asm_rr(a, OP_MOV_IMM | X64_WIDE, 0, reg);
        asm_32(a, (uint32_t)imm);
    } else {
        asm_8(a, reg >= R8 ? 0x49 : 0x48);
        asm_8(a, 0xb8 | (reg & 7));
        asm_64(a, imm);
    }
}

void asm_push(struct assembler *a, unsigned reg)
{
    if (reg >= R8)
        asm_8(a, 0x41);
    asm_8(a, 0x50 | (reg & 7));
}

void asm_pop(struct assembler *a, unsigned reg)
{
    if (reg >= R8)
        asm_8(a, 0x41);
    asm_8(a, 0x58 | (reg & 7));
}

void asm_ret(struct assembler *a)
{
    asm_8(a, 0xc3);
}

static uint32_t branch(struct assembler *a, uint32_t target)
{
    uint32_t at = asm_pos(a);
    asm_32(a, target - (at + 4));
    return at;
}

uint32_t asm_jmp(struct assembler *a, uint32_t target)
{
    asm_8(a, 0xe9);
    return branch(a, target);
}

uint32_t asm_jcc(struct assembler *a, unsigned cond, uint32_t target)
{
    asm_8(a, 0x0f);
    asm_8(a, 0x80 | cond);
    return branch(a, target);
}

uint32_t asm_call(struct assembler *a, uint32_t target)
{
    asm_8(a, 0xe8);
    return branch(a, target);
}

uint8_t *asm_jcc_short(struct assembler *a, unsigned cond)
{
    asm_8(a, 0x70 | cond);
    asm_8(a, 0);
    return a->p;
}

uint8_t *asm_jmp_short(struct assembler *a)
{
    asm_8(a, 0xeb);
    asm_8(a, 0);
    return a->p;
}

void asm_short_here(struct assembler *a, uint8_t *at)
{
    at[-1] = (uint8_t)(a->p - at);
}

void asm_endbr(struct assembler *a)
{
    asm_32(a, 0xfa1e0ff3);
}

void asm_align_at(struct assembler *a, unsigned to, unsigned rest)
{
    static const uint8_t nops[9][9] = {
        { 0x90 },
        { 0x66, 0x90 },
        { 0x0f, 0x1f, 0x00 },
        { 0x0f, 0x1f, 0x40, 0x00 },
        { 0x0f, 0x1f, 0x44, 0x00, 0x00 },
        { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
        { 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
        { 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
        { 0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
    };
    unsigned n = (rest - asm_pos(a)) & (to - 1);
    while (n) {
        unsigned take = n < 9 ? n : 9;
        memcpy(a->p, nops[take - 1], take);
        a->p += take;
        n -= take;
    }
}
