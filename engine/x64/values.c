/* Operands at compile time: where they are, and the temporaries that hold them. */
#include "x64/gen.h"

/* --- registers --------------------------------------------------------------------- */

/* v, operand i, is in its home from now on. */
static void is_home(struct gval *v, uint32_t i)
{
    v->kind = G_SLOT;
    v->reg = NO_REG;
    v->at = i;
    v->dirty = CLEAN;
}

/* val_store() to a place in the frame. */
static inline void store_frame(struct native_gen *g, struct gval *v, int32_t place)
{
    if (v->dirty || v->kind == G_CONST || v->type == ENG_V128) {
        val_store(g, v, mem_of(RSP, place));
    } else if (v->reg == NO_REG) { /* as mem_move() */
        asm_sp_plain(&g->a, OP_GROUP5, 6, val_place(g, v));
        asm_sp_plain(&g->a, OP_POP_RM, 0, place);
    } else if (is_float(v->type)) {
        asm_sp_sse(&g->a, xmm_store_op(v->type), v->reg, place);
    } else {
        asm_sp_plain(&g->a, OP_MOV_STORE | X64_WIDE, v->reg, place);
    }
}

static void spill(struct native_gen *g, uint32_t i)
{
    struct gval *v = &g->vals[i];
    store_frame(g, v, slot_place(g, i));
    if (is_float(v->type))
        xmm_free(g, v->reg);
    else
        gpr_free(g, v->reg);
    is_home(v, i);
}

/* The deepest operand among those that own one of `regs`. */
static uint32_t deepest(const uint32_t *owner, uint32_t regs)
{
    uint32_t best = SLOT_NONE;
    for (; regs; regs &= regs - 1) {
        uint32_t i = owner[__builtin_ctz(regs)];
        best = i < best ? i : best;
    }
    return best;
}

void gpr_spill(struct native_gen *g, uint32_t not_these)
{
    uint32_t i = deepest(g->gpr_owner, g->gpr_temps & ~g->gpr_free & ~not_these);
    base_assert(i != SLOT_NONE);
    spill(g, i);
}

void xmm_spill(struct native_gen *g)
{
    uint32_t i = deepest(g->xmm_owner, (1u << XMM_TEMPS) - 1);
    base_assert(i != SLOT_NONE);
    spill(g, i);
}

void gpr_take(struct native_gen *g, unsigned reg)
{
    if (!(g->gpr_free >> reg & 1)) {
        uint32_t i = g->gpr_owner[reg];
        base_assert(i != SLOT_NONE);
        if (g->gpr_free) {
            unsigned to = gpr_alloc(g);
            asm_mov(&g->a, to, reg);
            g->vals[i].reg = (uint8_t)to;
            g->gpr_owner[to] = i;
        } else {
            spill(g, i);
        }
    }
    g->gpr_free &= ~(1u << reg);
    g->gpr_owner[reg] = SLOT_NONE;
}

void xmm_take(struct native_gen *g, unsigned reg)
{
    if (!(g->xmm_free >> reg & 1)) {
        base_assert(g->xmm_owner[reg] != SLOT_NONE);
        spill(g, g->xmm_owner[reg]);
    }
    g->xmm_free &= ~(1u << reg);
    g->xmm_owner[reg] = SLOT_NONE;
}

/* --- pushing and popping --------------------------------------------------------------- */

void val_room(struct native_gen *g)
{
    if (!gen_grow(g, (void **)&g->vals, &g->val_capacity, g->count + 1u, sizeof *g->vals))
        g->count--; /* the function has failed; what is written does not matter */
    gen_set_limit(g);
}

void val_drop_to(struct native_gen *g, uint32_t count)
{
    while (g->count > count) {
        struct gval *v = val_take(g);
        val_release(g, v);
    }
}

/* --- reading ------------------------------------------------------------------------- */

static void load_vector(struct native_gen *g, const struct gval *v, unsigned reg)
{
    enum { OP_PCMPEQD = X64_OP(0x66, MAP_0F, 0x76) };
    uint64_t words[2];
    vector_bits(v, words);
    if (!(words[0] | words[1]))
        asm_rr(&g->a, OP_XORPS, reg, reg);
    else if ((words[0] & words[1]) == UINT64_MAX)
        asm_rr(&g->a, OP_PCMPEQD, reg, reg);
    else
        gen_wide(g, asm_rip(&g->a, OP_MOVAPS, reg, 0), words[0], words[1]);
}

static void load_float(struct native_gen *g, const struct gval *v, unsigned reg)
{
    if (v->reg != NO_REG)
        asm_rr_sse(&g->a, OP_MOVAPS, reg, v->reg);
    else if (v->kind != G_CONST)
        asm_sp_sse(&g->a, xmm_load_op(v->type), reg, val_place(g, v));
    else if (v->bits == 0)
        asm_rr_sse(&g->a, OP_XORPS, reg, reg);
    else if (v->type == ENG_V128)
        load_vector(g, v, reg);
    else
        gen_op_const(g, xmm_load_op(v->type), reg, v->bits);
}

void val_load(struct native_gen *g, const struct gval *v, unsigned reg)
{
    if (v->reg == reg)
        return;
    if (is_float(v->type))
        load_float(g, v, reg);
    else if (v->reg != NO_REG)
        asm_rr_plain(&g->a, OP_MOV | wide_flag(v->type), reg, v->reg);
    else if (v->kind == G_CONST)
        asm_mov_imm(&g->a, reg, v->bits);
    else
        asm_sp_plain(&g->a, OP_MOV | wide_flag(v->type), reg, val_place(g, v));
}

unsigned val_temp(struct native_gen *g, struct gval *v)
{
    if (v->kind == G_REG)
        return v->reg;
    unsigned reg;
    if (is_float(v->type)) {
        reg = xmm_alloc(g);
        load_float(g, v, reg);
    } else {
        reg = gpr_alloc(g);
        if (v->kind == G_CONST)
            asm_mov_imm(&g->a, reg, v->bits);
        else
            int_move(g, v, reg, wide_flag(v->type));
    }
    v->kind = G_REG;
    v->reg = (uint8_t)reg;
    return reg;
}

/* --- canonical NaN ------------------------------------------------------------------- */

/* Leaves in X_SCRATCH ones for lanes that are NaN when there are any. */
static void clean_vector(struct native_gen *g, unsigned reg, unsigned dirty)
{
    enum { OP_PTEST = X64_OP(0x66, MAP_0F38, 0x17), UNORDERED = 3 };
    uint32_t cmp = X64_OP(dirty == DIRTY_F64 ? 0x66 : 0, MAP_0F, 0xc2);
    if (g->avx) {
        asm_vex(&g->a, cmp, X_SCRATCH, reg, reg);
    } else {
        asm_rr(&g->a, OP_MOVAPS, X_SCRATCH, reg);
        asm_rr(&g->a, cmp, X_SCRATCH, X_SCRATCH);
    }
    asm_8(&g->a, UNORDERED);
    asm_rr(&g->a, OP_PTEST, X_SCRATCH, X_SCRATCH);
    uint32_t from = asm_jcc(&g->a, CC_NE, 0);
    gen_stub(g, (struct gstub){ STUB_NANS, (uint8_t)dirty, (uint8_t)reg, from, asm_pos(&g->a), 0, 0 });
}

void val_clean_reg(struct native_gen *g, unsigned reg, uint8_t type, unsigned dirty)
{
    bool f64 = type == ENG_F64;
    if (type == ENG_V128) {
        clean_vector(g, reg, dirty);
        return;
    }
    asm_rr(&g->a, f64 ? OP_UCOMISD : OP_UCOMISS, reg, reg);
    uint32_t from = asm_jcc(&g->a, CC_P, 0);
    gen_stub(g, (struct gstub){ STUB_NAN, f64, (uint8_t)reg, from, asm_pos(&g->a), 0, 0 });
}

void val_clean(struct native_gen *g, struct gval *v)
{
    if (!v->dirty)
        return;
    /* A pinned local that is dirty holds nothing but results: to make it canonical in
     * place is unseen. */
    unsigned reg = val_reg(g, v);
    val_clean_reg(g, reg, v->type, v->dirty);
    v->dirty = CLEAN;
}

/* --- writing ------------------------------------------------------------------------- */

static void store_const(struct native_gen *g, const struct gval *v, struct x64_mem m)
{
    int64_t bits = (int64_t)v->bits;
    if (v->type == ENG_V128) {
        val_load(g, v, X_SCRATCH);
        asm_rm(&g->a, OP_MOVUPS_STORE, X_SCRATCH, m);
    } else if (v->type == ENG_F32) {
        asm_rm(&g->a, OP_MOV_IMM, 0, m);
        asm_32(&g->a, (uint32_t)v->bits);
    } else if (bits >= INT32_MIN && bits <= INT32_MAX) {
        asm_rm(&g->a, OP_MOV_IMM | X64_WIDE, 0, m);
        asm_32(&g->a, (uint32_t)v->bits);
    } else {
        asm_rm(&g->a, OP_MOV_IMM, 0, m);
        asm_32(&g->a, (uint32_t)v->bits);
        m.disp += 4;
        asm_rm(&g->a, OP_MOV_IMM, 0, m);
        asm_32(&g->a, (uint32_t)(v->bits >> 32));
    }
}

/* What is above the bits of a float or an i32 goes along. */
void mem_move(struct native_gen *g, uint8_t type, struct x64_mem to, struct x64_mem from)
{
    if (type == ENG_V128) {
        asm_rm(&g->a, OP_MOVUPS, X_SCRATCH, from);
        asm_rm(&g->a, OP_MOVUPS_STORE, X_SCRATCH, to);
    } else {
        asm_rm(&g->a, OP_GROUP5, 6, from);
        asm_rm(&g->a, OP_POP_RM, 0, to);
    }
}

void val_store(struct native_gen *g, struct gval *v, struct x64_mem m)
{
    struct x64_mem from;
    unsigned reg;
    if (v->kind == G_CONST) {
        store_const(g, v, m);
        return;
    }
    if (val_mem(g, v, &from) && !v->dirty) {
        mem_move(g, v->type, m, from);
        return;
    }
    val_clean(g, v);
    reg = val_reg(g, v);
    asm_rm(&g->a, is_float(v->type) ? xmm_store_op(v->type) : OP_MOV_STORE | X64_WIDE, reg, m);
}

/* --- moving operands home --------------------------------------------------------------- */

void val_settle(struct native_gen *g, uint32_t i)
{
    struct gval *v = &g->vals[i];
    if (v->kind == G_SLOT && v->at == i)
        return;
    struct gval copy = *v;
    store_frame(g, &copy, slot_place(g, i));
    if (v->kind == G_LOCAL) {
        g->locals[v->at].refs--;
        if (copy.kind == G_REG)
            val_release(g, &copy);
    }
    if (v->kind == G_REG)
        val_release(g, v);
    is_home(v, i);
}

void val_flush(struct native_gen *g, uint32_t count)
{
    for (uint32_t i = g->flushed; i < count; i++)
        if (g->vals[i].kind != G_CONST)
            val_settle(g, i);
    if (count > g->flushed)
        g->flushed = count;
}

void val_flush_temps(struct native_gen *g)
{
    uint32_t held = g->gpr_temps & ~g->gpr_free, floats = ~g->xmm_free & ((1u << XMM_TEMPS) - 1);
    for (; held; held &= held - 1) {
        unsigned reg = (unsigned)__builtin_ctz(held);
        if (g->gpr_owner[reg] != SLOT_NONE)
            spill(g, g->gpr_owner[reg]);
    }
    for (; floats; floats &= floats - 1) {
        unsigned reg = (unsigned)__builtin_ctz(floats);
        if (g->xmm_owner[reg] != SLOT_NONE)
            spill(g, g->xmm_owner[reg]);
    }
}

void val_preserve(struct native_gen *g, uint32_t x)
{
    struct glocal *l = &g->locals[x];
    for (uint32_t i = g->count; l->refs && i-- > 0;) {
        struct gval *v = &g->vals[i];
        if (v->kind != G_LOCAL || v->at != x)
            continue;
        bool f = is_float(l->type);
        if (!(f ? g->xmm_free : g->gpr_free)) {
            val_settle(g, i);
            continue;
        }
        unsigned reg = f ? xmm_alloc(g) : gpr_alloc(g);
        val_load(g, v, reg);
        v->kind = G_REG;
        v->reg = (uint8_t)reg;
        (f ? g->xmm_owner : g->gpr_owner)[reg] = i;
        l->refs--;
    }
}

/* --- destinations and locals -------------------------------------------------------------- */

struct gdest dest_ahead(struct native_gen *g)
{
    uint32_t x = body_peek(g, g->p + 1);
    const struct glocal *l = &g->locals[x];
    uint8_t reg = l->reg;
    if (reg != NO_REG && l->refs)
        val_preserve(g, x);
    return (struct gdest){ reg != NO_REG, reg };
}

void dest_set(struct native_gen *g, uint8_t type, unsigned reg, unsigned dirty)
{
    bool tee = *g->p++ == 0x22;
    uint32_t x = body_u32(&g->p);
    if (dirty && dirty != g->locals[x].dirty)
        val_clean_reg(g, reg, type, dirty);
    if (tee)
        val_push_local(g, x);
}

/* Of an operand that has been taken, and is not the local. */
static void local_set_any(struct native_gen *g, uint32_t x, struct gval *v)
{
    struct glocal *l = &g->locals[x];
    if (l->refs)
        val_preserve(g, x);
    if (v->dirty && v->dirty != l->dirty)
        val_clean(g, v);
    if (l->reg != NO_REG)
        val_load(g, v, l->reg);
    else
        store_frame(g, v, local_place(g, l));
    val_release(g, v);
}

/* The usual case: of an integer in a register or, for a local in one, in the frame. v was taken, but for its
 * temporary. */
static inline bool local_set_often(struct native_gen *g, struct glocal *l, const struct gval *v)
{
    if (v->reg != NO_REG) {
        if (l->reg == NO_REG)
            asm_sp_plain(&g->a, OP_MOV_STORE | X64_WIDE, v->reg, local_place(g, l));
        else if (l->reg != v->reg)
            asm_rr_plain(&g->a, OP_MOV | wide_flag(v->type), l->reg, v->reg);
        int_release(g, v);
        return true;
    }
    if (v->kind == G_CONST || l->reg == NO_REG)
        return false;
    asm_sp_plain(&g->a, OP_MOV | wide_flag(v->type), l->reg, val_place(g, v));
    return true;
}

void gen_local_set(struct native_gen *g, uint32_t x, bool tee)
{
    struct glocal *l = &g->locals[x];
    uint32_t top = g->count - 1;
    struct gval *v = &g->vals[top];
    val_shrink(g, top);
    int_leave(g, v);
    bool same = v->kind == G_LOCAL && v->at == x;
    if (!same && (l->refs || is_float(v->type) || !local_set_often(g, l, v))) {
        if (v->kind == G_REG)
            (is_float(v->type) ? g->xmm_owner : g->gpr_owner)[v->reg] = SLOT_NONE;
        local_set_any(g, x, v);
    }
    if (tee) { /* in v's place */
        g->count = top + 1;
        memcpy(&v->type, &l->type, VAL_HEAD);
        v->at = x;
        l->refs++;
    }
}
