/* Every form of the compiler's encoder, over all registers and awkward displacements: writes
 * the bytes to the first file named, what they ought to mean as assembler source (Intel
 * syntax) to the second. encoder.py has the assembler check it. */
#include <stdio.h>
#include <stdlib.h>

#include "x64/asm.h"

static const char *const r64[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                   "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
static const char *const r32[] = { "eax", "ecx", "edx",  "ebx",  "esp",  "ebp",  "esi",  "edi",
                                   "r8d", "r9d", "r10d", "r11d", "r12d", "r13d", "r14d", "r15d" };
static const char *const r16[] = { "ax",  "cx",  "dx",   "bx",   "sp",   "bp",   "si",   "di",
                                   "r8w", "r9w", "r10w", "r11w", "r12w", "r13w", "r14w", "r15w" };
static const char *const r8[] = { "al",  "cl",  "dl",   "bl",   "spl",  "bpl",  "sil",  "dil",
                                  "r8b", "r9b", "r10b", "r11b", "r12b", "r13b", "r14b", "r15b" };

static FILE *source;
static struct assembler a;
static uint8_t buffer[1 << 21];

enum kind { QWORD, DWORD, WORD, BYTE, XMM };

static const char *name(enum kind k, unsigned reg)
{
    static char text[4][8];
    static unsigned turn;
    if (k != XMM)
        return (k == QWORD ? r64 : k == DWORD ? r32 : k == WORD ? r16 : r8)[reg];
    char *t = text[turn++ & 3];
    snprintf(t, sizeof text[0], "xmm%u", reg);
    return t;
}

/* mnemonic, operation, class of reg, class of rm, does it write rm? */
struct form {
    const char *name;
    uint32_t op;
    enum kind reg, rm;
    bool reversed;
};

static const struct form forms[] = {
    { "mov", OP_MOV, DWORD, DWORD, false },
    { "mov", OP_MOV | X64_WIDE, QWORD, QWORD, false },
    { "lea", OP_LEA | X64_WIDE, QWORD, QWORD, false },
    { "lea", OP_LEA, DWORD, QWORD, false },
    { "movsxd", OP_MOVSXD | X64_WIDE, QWORD, DWORD, false },
    { "imul", OP_IMUL, DWORD, DWORD, false },
    { "imul", OP_IMUL | X64_WIDE, QWORD, QWORD, false },
    { "add", OP_ADD, DWORD, DWORD, false },
    { "or", OP_OR | X64_WIDE, QWORD, QWORD, false },
    { "and", OP_AND, DWORD, DWORD, false },
    { "sub", OP_SUB | X64_WIDE, QWORD, QWORD, false },
    { "xor", OP_XOR, DWORD, DWORD, false },
    { "cmp", OP_CMP | X64_WIDE, QWORD, QWORD, false },
    { "sbb", OP_SBB, DWORD, DWORD, false },
    { "movzx", (uint32_t)OP_MOVZX8, DWORD, BYTE, false },
    { "movzx", OP_MOVZX16, DWORD, WORD, false },
    { "movsx", (uint32_t)OP_MOVSX8, DWORD, BYTE, false },
    { "movsx", (uint32_t)OP_MOVSX8 | X64_WIDE, QWORD, BYTE, false },
    { "movsx", OP_MOVSX16 | X64_WIDE, QWORD, WORD, false },
    { "lzcnt", OP_LZCNT, DWORD, DWORD, false },
    { "tzcnt", OP_TZCNT | X64_WIDE, QWORD, QWORD, false },
    { "popcnt", OP_POPCNT | X64_WIDE, QWORD, QWORD, false },
    { "cmovg", X64_NTH(OP_CMOV, CC_G), DWORD, DWORD, false },
    { "cmovae", X64_NTH(OP_CMOV, CC_AE) | X64_WIDE, QWORD, QWORD, false },
    { "mov", OP_MOV_STORE, DWORD, DWORD, true },
    { "mov", OP_MOV_STORE | X64_WIDE, QWORD, QWORD, true },
    { "mov", (uint32_t)OP_MOV_STORE8, BYTE, BYTE, true },
    { "mov", OP_MOV_STORE16, WORD, WORD, true },
    { "addsd", X64_SCALAR(1, SSE_ADD), XMM, XMM, false },
    { "mulss", X64_SCALAR(0, SSE_MUL), XMM, XMM, false },
    { "sqrtsd", X64_SCALAR(1, SSE_SQRT), XMM, XMM, false },
    { "movaps", OP_MOVAPS, XMM, XMM, false },
    { "xorps", OP_XORPS, XMM, XMM, false },
    { "ucomiss", OP_UCOMISS, XMM, XMM, false },
    { "ucomisd", OP_UCOMISD, XMM, XMM, false },
    { "cvtsd2ss", OP_CVTSD2SS, XMM, XMM, false },
    { "cvtsi2sd", X64_SCALAR(1, SSE_CVT_FROM_INT), XMM, DWORD, false },
    { "cvtsi2ss", X64_SCALAR(0, SSE_CVT_FROM_INT) | X64_WIDE, XMM, QWORD, false },
    { "cvttsd2si", X64_SCALAR(1, SSE_CVT_TO_INT) | X64_WIDE, QWORD, XMM, false },
    { "movd", OP_MOVD_TO_X, XMM, DWORD, false },
    { "movq", OP_MOVD_TO_X | X64_WIDE, XMM, QWORD, false },
    { "movq", OP_MOVD_FROM_X | X64_WIDE, XMM, QWORD, true },
};

static const char *width(enum kind k)
{
    return k == QWORD ? "qword ptr" : k == DWORD ? "dword ptr" : k == WORD ? "word ptr"
         : k == BYTE ? "byte ptr" : "";
}

static bool is_lea(const struct form *f)
{
    return (f->op | X64_WIDE) == (OP_LEA | X64_WIDE);
}

/* op reg, [base + (index << shift) + disp]; index RSP: none, as the CPU has it. */
static void emit_rm(const struct form *f, unsigned reg, unsigned base, unsigned index,
                    unsigned shift, int32_t disp)
{
    bool lea = is_lea(f);
    asm_rm(&a, f->op, reg, index == RSP ? mem_of(base, disp) : mem_index(base, index, shift, disp));
    fprintf(source, "%s ", f->name);
    if (!f->reversed)
        fprintf(source, "%s, ", name(f->reg, reg));
    fprintf(source, "%s [%s", lea ? "" : width(f->rm), r64[base]);
    if (index != RSP)
        fprintf(source, "+%s*%u", r64[index], 1u << shift);
    fprintf(source, "%+d]", disp);
    fprintf(source, f->reversed ? ", %s\n" : "\n", name(f->reg, reg));
}

static void all_memory(const struct form *f)
{
    static const int32_t disps[] = { 0, 1, 127, -128, 128, -129, INT32_MAX };
    for (unsigned base = 0; base < 16; base++)
        for (unsigned d = 0; d < sizeof disps / sizeof *disps; d++)
            for (unsigned index = 0; index < 16; index++)
                emit_rm(f, index == RSP ? base ^ d : (base + index) & 15, base, index, d & 3,
                        disps[d]);
}

static void all_registers(const struct form *f)
{
    if (is_lea(f))
        return;
    for (unsigned reg = 0; reg < 16; reg++) {
        for (unsigned rm = 0; rm < 16; rm++) {
            asm_rr(&a, f->op, reg, rm);
            if (f->reversed)
                fprintf(source, "%s %s, %s\n", f->name, name(f->rm, rm), name(f->reg, reg));
            else
                fprintf(source, "%s %s, %s\n", f->name, name(f->reg, reg), name(f->rm, rm));
        }
    }
}

static void immediates(void)
{
    static const char *const alu[] = { "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp" };
    static const int32_t imms[] = { 1, -1, 127, -128, 128, INT32_MIN };
    static const uint64_t wides[] = { 0, 5, UINT32_MAX, UINT64_MAX, INT64_MIN, 0x123456789abcdef };
    for (unsigned reg = 0; reg < 16; reg++) {
        for (unsigned i = 0; i < 6; i++) {
            for (unsigned ext = 0; ext < 8; ext++) {
                asm_alu_imm(&a, reg & 1, ext, reg, imms[i]);
                fprintf(source, "%s %s, %d\n", alu[ext], (reg & 1 ? r64 : r32)[reg], imms[i]);
                asm_alu_mem_imm(&a, true, ext, mem_of(reg, 8), imms[i]);
                fprintf(source, "%s qword ptr [%s+8], %d\n", alu[ext], r64[reg], imms[i]);
            }
            asm_mov_imm(&a, reg, wides[i]);
            if (wides[i] <= UINT32_MAX)
                fprintf(source, "mov %s, %llu\n", r32[reg], (unsigned long long)wides[i]);
            else
                fprintf(source, "mov %s, %lld\n", r64[reg], (long long)wides[i]);
        }
        asm_push(&a, reg);
        asm_pop(&a, reg);
        fprintf(source, "push %s\npop %s\n", r64[reg], r64[reg]);
        asm_rr(&a, X64_NTH(OP_SETCC, CC_B), 0, reg);
        fprintf(source, "setb %s\n", r8[reg]);
        asm_rr(&a, OP_SHIFT_IMM | X64_WIDE, EXT_SAR, reg);
        asm_8(&a, 5);
        fprintf(source, "sar %s, 5\n", r64[reg]);
    }
}

static void vex(void)
{
    for (unsigned i = 0; i < 16 * 16 * 16; i++) {
        unsigned d = i & 15, rm = i >> 4 & 15, v = i >> 8;
        asm_vex(&a, X64_OP(0x66, MAP_0F38, 0xf7) | X64_WIDE, d, rm, v);
        fprintf(source, "shlx %s, %s, %s\n", r64[d], r64[rm], r64[v]);
        asm_vex(&a, X64_OP(0xf3, MAP_0F38, 0xf7), d, rm, v);
        fprintf(source, "sarx %s, %s, %s\n", r32[d], r32[rm], r32[v]);
    }
}

/* Vectors with three operands: the short prefix, both long maps, numbers behind, shifts whose
 * opcode has three bits of the register field. */
struct vector_form {
    const char *name;
    uint32_t op;
    int imm; /* or -1 */
};

static const struct vector_form vectors[] = {
    { "vpaddd", X64_OP(0x66, MAP_0F, 0xfe), -1 },
    { "vaddps", X64_OP(0, MAP_0F, 0x58), -1 },
    { "vmovsd", X64_OP(0xf2, MAP_0F, 0x10), -1 },
    { "vpshufb", X64_OP(0x66, MAP_0F38, 0x00), -1 },
    { "vpalignr", X64_OP(0x66, MAP_0F3A, 0x0f), 5 },
    { "vshufps", X64_OP(0, MAP_0F, 0xc6), 0x88 },
};

static void vex_vectors(const struct vector_form *f)
{
    for (unsigned i = 0; i < 16 * 16 * 16; i++) {
        unsigned d = i & 15, rm = i >> 4 & 15, v = i >> 8;
        asm_vex(&a, f->op, d, rm, v);
        fprintf(source, "%s xmm%u, xmm%u, xmm%u", f->name, d, v, rm);
        if (f->imm >= 0) {
            asm_8(&a, (unsigned)f->imm);
            fprintf(source, ", %d", f->imm);
        }
        fputc('\n', source);
    }
}

static void vex_memory(void)
{
    for (unsigned i = 0; i < 16 * 16 * 16; i++) {
        unsigned d = i & 15, base = i >> 4 & 15, index = i >> 8;
        int32_t disp = (int32_t)(i % 3) * 100;
        if (index == RSP)
            continue;
        asm_vex_rm(&a, X64_OP(0x66, MAP_0F, 0xfe), d, mem_index(base, index, i % 4, disp), base);
        fprintf(source, "vpaddd xmm%u, xmm%u, xmmword ptr [%s+%s*%u%+d]\n", d, base, r64[base],
                r64[index], 1u << i % 4, disp);
        asm_vex_rm(&a, X64_OP(0x66, MAP_0F38, 0x18), d, mem_of(base, disp), 0);
        fprintf(source, "vbroadcastss xmm%u, dword ptr [%s%+d]\n", d, r64[base], disp);
    }
}

static void vex_others(void)
{
    for (unsigned i = 0; i < 16 * 16; i++) {
        unsigned d = i & 15, rm = i >> 4;
        asm_vex(&a, X64_OP(0x66, MAP_0F, 0x72), 4, rm, d);
        asm_8(&a, 7);
        fprintf(source, "vpsrad xmm%u, xmm%u, 7\n", d, rm);
        asm_vex(&a, X64_OP(0x66, MAP_0F, 0x70), d, rm, 0);
        asm_8(&a, 0xee);
        fprintf(source, "vpshufd xmm%u, xmm%u, 238\n", d, rm);
        asm_vex(&a, X64_OP(0x66, MAP_0F3A, 0x22) | X64_WIDE, d, rm, d);
        asm_8(&a, 1);
        fprintf(source, "vpinsrq xmm%u, xmm%u, %s, 1\n", d, d, r64[rm]);
        asm_rr(&a, X64_OP(0x66, MAP_0F3A, 0x16) | X64_WIDE, d, rm);
        asm_8(&a, 1);
        fprintf(source, "pextrq %s, xmm%u, 1\n", r64[rm], d);
    }
    /* Against what follows the instruction. */
    uint32_t at = asm_vex_rip(&a, X64_OP(0, MAP_0F, 0x54), 9, 3);
    asm_patch(&a, at, asm_pos(&a) + 64);
    fputs("vandps xmm9, xmm3, xmmword ptr [rip+64]\n", source);
}

static int write_file(const char *path)
{
    FILE *f = fopen(path, "wb");
    size_t n = (size_t)(a.p - a.start);
    return !f || fwrite(a.start, 1, n, f) != n || fclose(f) != 0;
}

/* Those that are made where they are called: the same bytes as the general way, which is checked above. */
static void in_line(void)
{
    static const int32_t numbers[] = { 0, 1, 127, -128, 128, -129, INT32_MAX, INT32_MIN };
    static const uint32_t plain[] = { OP_MOV, OP_ADD, OP_OR, OP_AND, OP_SUB, OP_XOR, OP_CMP, OP_TEST };
    static const uint32_t loads[] = { OP_MOV, (uint32_t)OP_MOVZX8, (uint32_t)OP_MOVSX8, OP_MOVZX16, OP_MOVSXD | X64_WIDE,
                                      OP_MOVSS, OP_MOVSD, OP_MOV_STORE | X64_WIDE,
                                      (uint32_t)OP_MOV_STORE8, OP_MOV_STORE16 };
    static const uint32_t bytes[] = { (uint32_t)OP_MOVZX8, (uint32_t)OP_MOVSX8, X64_NTH(OP_SETCC, CC_E),
                                      X64_NTH(OP_SETCC, CC_P) };
    static const uint32_t floats[] = { OP_MOVAPS, OP_MOVSS, OP_MOVSD, OP_MOVSS_STORE, OP_MOVUPS_STORE,
                                       OP_UCOMISS, OP_UCOMISD, OP_ROUNDSD, OP_CVTSS2SD, X64_SCALAR(true, SSE_ADD) };
    uint8_t one[96], two[96];
    struct assembler x = { one, one, one + sizeof one }, y = { two, two, two + sizeof two };
    for (unsigned i = 0; i < 16 * 16 * 8 * 10; i++) {
        unsigned reg = i & 15, rm = i >> 4 & 15, n = i >> 8 & 7, op = i >> 11;
        uint32_t w = n & 1 ? X64_WIDE : 0;
        x.p = one;
        y.p = two;
        asm_rr_plain(&x, plain[op & 7] | w, reg, rm);
        asm_rr(&y, plain[op & 7] | w, reg, rm);
        asm_alu_imm_plain(&x, w, op & 7, rm, numbers[n]);
        asm_alu_imm(&y, w, op & 7, rm, numbers[n]);
        asm_lea_plain(&x, w, reg, rm, numbers[n]);
        asm_rm(&y, OP_LEA | w, reg, mem_of(rm, numbers[n]));
        asm_sp_plain(&x, plain[op & 7] | w, reg, numbers[n]);
        asm_rm(&y, plain[op & 7] | w, reg, mem_of(RSP, numbers[n]));
        asm_alu_sp_imm(&x, w, op & 7, numbers[n], numbers[reg & 7]);
        asm_alu_mem_imm(&y, w != 0, op & 7, mem_of(RSP, numbers[n]), numbers[reg & 7]);
        asm_rr_byte(&x, bytes[op & 3], reg, rm);
        asm_rr(&y, bytes[op & 3], reg, rm);
        asm_rr_sse(&x, floats[op], reg, rm);
        asm_rr(&y, floats[op], reg, rm);
        asm_sp_sse(&x, floats[op], reg, numbers[n]);
        asm_rm(&y, floats[op], reg, mem_of(RSP, numbers[n]));
        if (rm != RSP) { /* no index */
            uint8_t near = numbers[n] & 0x7f;
            asm_rm_near(&x, loads[op], reg, R14, rm, near);
            asm_rm(&y, loads[op], reg, mem_index(R14, rm, 0, near));
            asm_lea_sum(&x, w, reg, op, rm);
            asm_rm(&y, OP_LEA | w, reg, mem_index(op, rm, 0, 0));
            asm_lea_sum(&x, w, reg, R13, rm);
            asm_rm(&y, OP_LEA | w, reg, mem_index(R13, rm, 0, 0));
        }
        size_t len = (size_t)(x.p - one);
        if (len != (size_t)(y.p - two) || memcmp(one, two, len) != 0) {
            fprintf(stderr, "in line: reg %u, rm %u, number %d, op %u differ\n", reg, rm, (int)numbers[n], op);
            exit(1);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3 || !(source = fopen(argv[2], "w")))
        return 64;
    a = (struct assembler){ buffer, buffer, buffer + sizeof buffer };
    fputs(".intel_syntax noprefix\n", source);
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        all_registers(&forms[i]);
        all_memory(&forms[i]);
    }
    immediates();
    vex();
    for (unsigned i = 0; i < sizeof vectors / sizeof *vectors; i++)
        vex_vectors(&vectors[i]);
    vex_memory();
    vex_others();
    in_line();
    return fclose(source) != 0 || write_file(argv[1]);
}
