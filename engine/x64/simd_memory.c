/* Vectors from and to linear memory. */
#include "x64/simd.h"

enum { LOAD = 0x00, EXTEND_FIRST, EXTEND_LAST = 0x06, SPLAT_8, SPLAT_16, SPLAT_32, SPLAT_64, STORE,
       LOAD_LANE = 0x54, STORE_LANE = 0x58, ZERO_32 = 0x5c, ZERO_64 = 0x5d };

/* One instruction that reads memory of that width. */
static void load(struct native_gen *g, uint32_t op, unsigned width)
{
    struct memarg to = body_memarg(&g->p);
    struct gval at = val_pop(g);
    struct x64_mem m = mem_address(g, &at, to, width);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : xmm_alloc(g);
    mem_place(g);
    asm_rm(&g->a, op, d, m);
    val_release(g, &at);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static void load_extend(struct native_gen *g, uint32_t which)
{
    static const uint32_t ops[] = { P66_38(0x20), P66_38(0x30), P66_38(0x23),
                                    P66_38(0x33), P66_38(0x25), P66_38(0x35) };
    load(g, ops[which - EXTEND_FIRST], 3);
}

static void splat_32(struct native_gen *g)
{
    struct memarg to = body_memarg(&g->p);
    struct gval at = val_pop(g);
    struct x64_mem m = mem_address(g, &at, to, 2);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : xmm_alloc(g);
    mem_place(g);
    if (g->avx) {
        asm_vex_rm(&g->a, P66_38(0x18), d, m, 0); /* vbroadcastss */
    } else {
        asm_rm(&g->a, OP_MOVSS, d, m);
        v_op2_imm(g, OP_PSHUFD, d, d, 0);
    }
    val_release(g, &at);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

/* Through a register: the CPU's own way would wait for what was in d. */
static void splat_narrow(struct native_gen *g, unsigned width)
{
    struct memarg to = body_memarg(&g->p);
    struct gval at = val_pop(g);
    struct x64_mem m = mem_address(g, &at, to, width);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : xmm_alloc(g);
    unsigned r = at.kind == G_REG ? at.reg : gpr_alloc(g);
    mem_place(g);
    asm_rm(&g->a, width ? OP_MOVZX16 : (uint32_t)OP_MOVZX8, r, m);
    simd_splat_int(g, width, d, r);
    gpr_free(g, r);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static void store(struct native_gen *g)
{
    struct memarg to = body_memarg(&g->p);
    struct gval v = v_pop(g, CLEAN), at = val_pop(g);
    unsigned reg = val_reg(g, &v);
    struct x64_mem m = mem_address(g, &at, to, 4);
    mem_place(g);
    asm_rm(&g->a, OP_MOVUPS_STORE, reg, m);
    val_release(g, &at);
    val_release(g, &v);
}

static void load_lane(struct native_gen *g, unsigned width)
{
    static const uint32_t ops[] = { OP_PINSRB, OP_PINSRW, OP_PINSRD, OP_PINSRD | X64_WIDE };
    struct memarg to = body_memarg(&g->p);
    unsigned lane = *g->p++, a;
    struct gval v = v_pop(g, CLEAN), at = val_pop(g);
    a = val_reg(g, &v);
    struct x64_mem m = mem_address(g, &at, to, width);
    struct gdest dest = dest_of(g, ENG_V128);
    unsigned d = dest.set ? dest.reg : v.kind == G_REG ? v.reg : xmm_alloc(g);
    if (!g->avx)
        v_mov(g, d, a);
    mem_place(g);
    if (g->avx)
        asm_vex_rm(&g->a, ops[width], d, m, a);
    else
        asm_rm(&g->a, ops[width], d, m);
    asm_8(&g->a, lane);
    val_release(g, &at);
    if (v.kind == G_REG && v.reg != d)
        val_release(g, &v);
    dest_done(g, dest, ENG_V128, d, CLEAN);
}

static void store_lane(struct native_gen *g, unsigned width)
{
    static const uint32_t ops[] = { OP_PEXTRB, OP_PEXTRW, OP_PEXTRD, OP_PEXTRD | X64_WIDE };
    struct memarg to = body_memarg(&g->p);
    unsigned lane = *g->p++;
    struct gval v = v_pop(g, CLEAN), at = val_pop(g);
    unsigned reg = val_reg(g, &v);
    struct x64_mem m = mem_address(g, &at, to, width);
    mem_place(g);
    if (width == 3) { /* movlps, movhps */
        asm_rm(&g->a, lane ? PNP(0x17) : PNP(0x13), reg, m);
    } else if (width == 2 && !lane) {
        asm_rm(&g->a, OP_MOVSS_STORE, reg, m);
    } else {
        asm_rm(&g->a, ops[width], reg, m);
        asm_8(&g->a, lane);
    }
    val_release(g, &at);
    val_release(g, &v);
}

void simd_memory(struct native_gen *g, unsigned which)
{
    if (which == LOAD)
        load(g, OP_MOVUPS, 4);
    else if (which <= EXTEND_LAST)
        load_extend(g, which);
    else if (which <= SPLAT_16)
        splat_narrow(g, which - SPLAT_8);
    else if (which == SPLAT_32)
        splat_32(g);
    else if (which == SPLAT_64)
        load(g, OP_MOVDDUP, 3);
    else if (which == STORE)
        store(g);
    else if (which < STORE_LANE)
        load_lane(g, which - LOAD_LANE);
    else if (which < ZERO_32)
        store_lane(g, which - STORE_LANE);
    else if (which == ZERO_32)
        load(g, OP_MOVSS, 2);
    else
        load(g, OP_MOVSD, 3);
}
