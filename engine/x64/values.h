/* Operands at compile time: what every instruction takes and gives. Part of gen.h. */
#ifndef ENGINE_X64_VALUES_H
#define ENGINE_X64_VALUES_H

#include "x64/gen.h"

/* Places in the frame, from rsp. */
static inline int32_t slot_place(const struct native_gen *g, uint32_t operand)
{
    return (int32_t)(g->value_base + (operand << g->home_shift));
}
static inline int32_t local_place(const struct native_gen *g, const struct glocal *l)
{
    return (int32_t)(g->out_bytes + l->slot * 8);
}
static inline struct x64_mem slot_mem(const struct native_gen *g, uint32_t operand)
{
    return mem_of(RSP, slot_place(g, operand));
}
static inline struct x64_mem local_mem(const struct native_gen *g, uint32_t local)
{
    return mem_of(RSP, local_place(g, &g->locals[local]));
}

/* Of an operand that is neither in a register nor a number. */
static inline int32_t val_place(const struct native_gen *g, const struct gval *v)
{
    return v->kind == G_SLOT ? slot_place(g, v->at) : local_place(g, &g->locals[v->at]);
}

/* Makes room for one more operand. */
void val_room(struct native_gen *g);

/* One more operand, to be filled in. */
static inline struct gval *val_push(struct native_gen *g)
{
    if (__builtin_expect(g->count == g->val_capacity, 0))
        val_room(g);
    return &g->vals[g->count++];
}

static inline void val_push_reg(struct native_gen *g, uint8_t type, unsigned reg, unsigned dirty)
{
    (is_float(type) ? g->xmm_owner : g->gpr_owner)[reg] = g->count;
    struct gval *v = val_push(g);
    v->type = type;
    v->kind = G_REG;
    v->reg = (uint8_t)reg;
    v->dirty = (uint8_t)dirty;
}

static inline void val_push_const(struct native_gen *g, uint8_t type, uint64_t bits)
{
    struct gval *v = val_push(g);
    v->type = type;
    v->kind = G_CONST;
    v->reg = NO_REG;
    v->dirty = CLEAN;
    v->bits = bits;
}

static inline void val_push_local(struct native_gen *g, uint32_t x)
{
    struct glocal *l = &g->locals[x];
    struct gval *v = val_push(g);
    memcpy(&v->type, &l->type, VAL_HEAD);
    v->at = x;
    l->refs++;
}

static inline void val_push_slot(struct native_gen *g, uint8_t type)
{
    struct gval *v = val_push(g);
    v->type = type;
    v->kind = G_SLOT;
    v->reg = NO_REG;
    v->dirty = CLEAN;
    v->at = g->count - 1;
}

static inline void gpr_free(struct native_gen *g, unsigned reg)
{
    g->gpr_free |= 1u << reg & g->gpr_temps;
}

static inline void xmm_free(struct native_gen *g, unsigned reg)
{
    g->xmm_free |= 1u << reg & ((1u << XMM_TEMPS) - 1);
}

/* The top operand, which stays where it is until something is pushed; its temporary, if any, is
 * held for the caller. */
static inline struct gval *val_take(struct native_gen *g)
{
    uint32_t at = --g->count;
    struct gval *v = &g->vals[at];
    if (g->flushed > at)
        g->flushed = at;
    if (v->kind == G_LOCAL)
        g->locals[v->at].refs--;
    else if (v->kind == G_REG)
        (is_float(v->type) ? g->xmm_owner : g->gpr_owner)[v->reg] = SLOT_NONE;
    return v;
}

static inline struct gval val_pop(struct native_gen *g)
{
    return *val_take(g);
}

/* Gives up v's temporary. */
static inline void val_release(struct native_gen *g, const struct gval *v)
{
    if (v->kind != G_REG)
        return;
    if (is_float(v->type))
        xmm_free(g, v->reg);
    else
        gpr_free(g, v->reg);
}

/* The same three of what is no float. */
static inline void int_untie(struct native_gen *g, const struct gval *v)
{
    if (v->kind == G_LOCAL)
        g->locals[v->at].refs--;
    else if (v->kind == G_REG)
        g->gpr_owner[v->reg] = SLOT_NONE;
}
static inline struct gval *int_take(struct native_gen *g)
{
    uint32_t at = --g->count;
    struct gval *v = &g->vals[at];
    if (g->flushed > at)
        g->flushed = at;
    int_untie(g, v);
    return v;
}
/* The top one and, below it, *ret_a. */
static inline struct gval *int_take_two(struct native_gen *g, struct gval **ret_a)
{
    uint32_t at = g->count -= 2;
    struct gval *a = &g->vals[at], *b = a + 1;
    if (g->flushed > at)
        g->flushed = at;
    int_untie(g, b);
    int_untie(g, a);
    *ret_a = a;
    return b;
}
static inline void int_release(struct native_gen *g, const struct gval *v)
{
    if (v->kind == G_REG)
        gpr_free(g, v->reg);
}
static inline void int_push(struct native_gen *g, uint8_t type, unsigned reg)
{
    g->gpr_owner[reg] = g->count;
    struct gval *v = val_push(g);
    v->type = type;
    v->kind = G_REG;
    v->reg = (uint8_t)reg;
    v->dirty = CLEAN;
}

/* And of floats. */
static inline void float_untie(struct native_gen *g, const struct gval *v)
{
    if (v->kind == G_LOCAL)
        g->locals[v->at].refs--;
    else if (v->kind == G_REG)
        g->xmm_owner[v->reg] = SLOT_NONE;
}
static inline struct gval *float_take_two(struct native_gen *g, struct gval **ret_a)
{
    uint32_t at = g->count -= 2;
    struct gval *a = &g->vals[at], *b = a + 1;
    if (g->flushed > at)
        g->flushed = at;
    float_untie(g, b);
    float_untie(g, a);
    *ret_a = a;
    return b;
}
static inline void float_release(struct native_gen *g, const struct gval *v)
{
    if (v->kind == G_REG)
        xmm_free(g, v->reg);
}
static inline void float_push(struct native_gen *g, uint8_t type, unsigned reg, unsigned dirty)
{
    g->xmm_owner[reg] = g->count;
    struct gval *v = val_push(g);
    v->type = type;
    v->kind = G_REG;
    v->reg = (uint8_t)reg;
    v->dirty = (uint8_t)dirty;
}

/* Removes operands above `count`. */
void val_drop_to(struct native_gen *g, uint32_t count);

/* Spill the deepest operand in a temporary that is none of these. */
void gpr_spill(struct native_gen *g, uint32_t not_these);
void xmm_spill(struct native_gen *g);

/* A free temporary, held; something may be spilled for it. */
static inline unsigned gpr_alloc_not(struct native_gen *g, uint32_t not_these)
{
    if (__builtin_expect(!(g->gpr_free & ~not_these), 0))
        gpr_spill(g, not_these);
    unsigned reg = (unsigned)__builtin_ctz(g->gpr_free & ~not_these);
    g->gpr_free &= ~(1u << reg);
    g->gpr_owner[reg] = SLOT_NONE;
    return reg;
}
static inline unsigned gpr_alloc(struct native_gen *g)
{
    return gpr_alloc_not(g, 0);
}
static inline unsigned xmm_alloc(struct native_gen *g)
{
    if (__builtin_expect(!g->xmm_free, 0))
        xmm_spill(g);
    unsigned reg = (unsigned)__builtin_ctz(g->xmm_free);
    g->xmm_free &= ~(1u << reg);
    g->xmm_owner[reg] = SLOT_NONE;
    return reg;
}
/* Makes a given temporary free and holds it; an operand in it moves away. */
void gpr_take(struct native_gen *g, unsigned reg);
void xmm_take(struct native_gen *g, unsigned reg);

/* Temporary with v in it, which may be changed. v was popped. */
unsigned val_temp(struct native_gen *g, struct gval *v);
/* Register that holds v, for reading only when v is a pinned local. */
static inline unsigned val_reg(struct native_gen *g, struct gval *v)
{
    return v->reg != NO_REG ? v->reg : val_temp(g, v);
}
/* Loads v into that register, which is held or of a local. v keeps its own. */
void val_load(struct native_gen *g, const struct gval *v, unsigned reg);
/* A value of that type from memory to memory, with no register but X_SCRATCH. */
void mem_move(struct native_gen *g, uint8_t type, struct x64_mem to, struct x64_mem from);
/* Stores v, which is clean or not, at m. */
void val_store(struct native_gen *g, struct gval *v, struct x64_mem m);
/* Is v in memory? Where. */
static inline bool val_mem(const struct native_gen *g, const struct gval *v, struct x64_mem *ret)
{
    if (v->kind == G_SLOT) {
        *ret = slot_mem(g, v->at);
        return true;
    }
    if (v->kind == G_LOCAL && v->reg == NO_REG) {
        *ret = local_mem(g, v->at);
        return true;
    }
    return false;
}

/* Is v in a register now? Which. */
static inline bool val_in_reg(const struct gval *v, unsigned *ret)
{
    if (v->reg == NO_REG)
        return false;
    *ret = v->reg;
    return true;
}

/* Makes NaN of a value of that type in reg canonical. Changes flags. */
void val_clean_reg(struct native_gen *g, unsigned reg, uint8_t type, unsigned dirty);
/* The same for a value: it may have to move to a temporary. */
void val_clean(struct native_gen *g, struct gval *v);

/* The bits of a constant v128. */
static inline void vector_bits(const struct gval *v, uint64_t ret[2])
{
    ret[0] = ret[1] = 0;
    if (v->bits)
        memcpy(ret, (const void *)(uintptr_t)v->bits, 16);
}

/* Puts operand i into its home. */
void val_settle(struct native_gen *g, uint32_t i);
/* Everything below `count` that is not constant. */
void val_flush(struct native_gen *g, uint32_t count);
/* Operands in temporaries go home: a call follows. */
void val_flush_temps(struct native_gen *g);
/* Local x changes: operands that are its old content are copied. */
void val_preserve(struct native_gen *g, uint32_t local);

/* Where the result of the present instruction should go: into a pinned local when it is
 * set next. The instruction that sets it is left unread until the result is there. */
struct gdest {
    bool set;
    uint8_t reg; /* or NO_REG */
};
struct gdest dest_ahead(struct native_gen *g);
void dest_set(struct native_gen *g, uint8_t type, unsigned reg, unsigned dirty);

static inline struct gdest dest_of(struct native_gen *g, uint8_t type)
{
    if (*g->p == 0x21 || *g->p == 0x22)
        return dest_ahead(g);
    return (struct gdest){ .set = false, .reg = NO_REG };
}

/* The same in place, for those who ask most. */
static inline struct gdest dest_here(struct native_gen *g)
{
    const uint8_t *p = g->p;
    if (*p != 0x21 && *p != 0x22)
        return (struct gdest){ .set = false, .reg = NO_REG };
    if (p[1] >= 0x80 || g->locals[p[1]].refs)
        return dest_ahead(g);
    uint8_t reg = g->locals[p[1]].reg;
    return (struct gdest){ reg != NO_REG, reg };
}

/* The same for those that call nobody: p is at what comes next, operands have been taken. The register, or
 * NO_REG for a temporary, or DEST_ASK: dest_of() has to do it. */
enum { DEST_ASK = 0x100 };
static inline unsigned dest_look(const struct native_gen *g, const uint8_t *p)
{
    if (*p != 0x21 && *p != 0x22)
        return NO_REG;
    if (p[1] >= 0x80 || g->locals[p[1]].refs)
        return DEST_ASK;
    return g->locals[p[1]].reg;
}

/* Taking an operand in part: its temporary, if any, has been given up or is the result's before anybody
 * looks for its owner. Else int_hold() follows. */
static inline void int_leave(struct native_gen *g, const struct gval *v)
{
    if (v->kind == G_LOCAL)
        g->locals[v->at].refs--;
}
static inline void int_hold(struct native_gen *g, const struct gval *v)
{
    if (v->kind == G_REG)
        g->gpr_owner[v->reg] = SLOT_NONE;
}
static inline void val_shrink(struct native_gen *g, uint32_t count)
{
    g->count = count;
    if (g->flushed > count)
        g->flushed = count;
}

/* An operand again where one was taken. */
static inline void int_back(struct native_gen *g, uint8_t type, unsigned reg)
{
    g->gpr_owner[reg] = g->count;
    struct gval *v = &g->vals[g->count++];
    v->type = type;
    v->kind = G_REG;
    v->reg = (uint8_t)reg;
    v->dirty = CLEAN;
}

/* Goes on behind the instruction at p, which sets the local that dest_look() found. */
static inline void dest_pass(struct native_gen *g, const uint8_t *p)
{
    g->p = p + 2;
    if (*p != 0x22)
        return;
    struct glocal *l = &g->locals[p[1]];
    struct gval *v = &g->vals[g->count++];
    memcpy(&v->type, &l->type, VAL_HEAD);
    v->at = p[1];
    l->refs++;
}

/* A temporary, of which there is one, that becomes an operand's at once. */
static inline unsigned gpr_next(struct native_gen *g)
{
    unsigned reg = (unsigned)__builtin_ctz(g->gpr_free);
    g->gpr_free &= g->gpr_free - 1;
    return reg;
}

/* Where the result of an operation on v alone goes, which has been taken, but for its temporary, and is in a
 * register; found: what dest_look(g, p) said, and not DEST_ASK. Goes on behind what sets it. */
static inline unsigned dest_alone(struct native_gen *g, const uint8_t *p, unsigned found,
                                  const struct gval *v, uint8_t type)
{
    unsigned reg = v->reg;
    bool temp = v->kind == G_REG;
    if (found != NO_REG) {
        if (temp)
            gpr_free(g, reg);
        dest_pass(g, p);
        return found;
    }
    g->p = p;
    reg = temp ? reg : gpr_next(g);
    int_back(g, type, reg);
    return reg;
}

/* Moves v, which is no number, into a register other than v's. */
static inline void int_move(struct native_gen *g, const struct gval *v, unsigned reg, uint32_t w)
{
    if (v->reg != NO_REG)
        asm_rr_plain(&g->a, OP_MOV | w, reg, v->reg);
    else
        asm_sp_plain(&g->a, OP_MOV | w, reg, val_place(g, v));
}

/* The result, of type in reg, which is d's register if d.set. */
static inline void dest_done(struct native_gen *g, struct gdest d, uint8_t type,
                             unsigned reg, unsigned dirty)
{
    if (d.set)
        dest_set(g, type, reg, dirty);
    else
        val_push_reg(g, type, reg, dirty);
}

static inline void float_done(struct native_gen *g, struct gdest d, uint8_t type, unsigned reg,
                              unsigned dirty)
{
    if (d.set)
        dest_set(g, type, reg, dirty);
    else
        float_push(g, type, reg, dirty);
}

static inline void int_done(struct native_gen *g, struct gdest d, uint8_t type, unsigned reg)
{
    if (!d.set) {
        int_push(g, type, reg);
        return;
    }
    bool tee = *g->p++ == 0x22;
    uint32_t x = body_u32(&g->p);
    if (tee)
        val_push_local(g, x);
}

#endif
