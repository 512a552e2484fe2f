/* Prologue, epilogue, calls. */
#include "x64/gen.h"

const uint8_t arg_gprs[ARG_GPRS] = { R8, R9, R10, RSI, RDI };

static struct x64_mem ctx(size_t offset)
{
    return mem_of(REG_INST, (int32_t)offset);
}

/* --- moves that happen all at once -------------------------------------------------------- */

enum { MOVES_MAX = 16 };

/* to[i] = from[i] for registers of one class. */
struct moves {
    uint8_t to[MOVES_MAX], from[MOVES_MAX];
    unsigned count;
};

static void add_move(struct moves *m, unsigned to, unsigned from)
{
    if (to == from)
        return;
    m->to[m->count] = (uint8_t)to;
    m->from[m->count++] = (uint8_t)from;
}

static void drop_move(struct moves *m, unsigned i)
{
    m->count--;
    m->to[i] = m->to[m->count];
    m->from[i] = m->from[m->count];
}

/* The first move that writes what none reads; count when there are circles only. */
static unsigned free_move(const struct moves *m)
{
    uint32_t read = 0;
    unsigned i = 0;
    for (unsigned k = 0; k < m->count; k++)
        read |= 1u << m->from[k];
    while (i < m->count && read >> m->to[i] & 1)
        i++;
    return i;
}

static void exchange(struct native_gen *g, bool floats, unsigned a, unsigned b)
{
    struct x64_mem spare = ctx(offsetof(struct native_ctx, spare));
    if (!floats) {
        asm_rr(&g->a, OP_XCHG | X64_WIDE, a, b);
        return;
    }
    asm_rm(&g->a, OP_MOVUPS_STORE, a, spare);
    asm_rr(&g->a, OP_MOVAPS, a, b);
    asm_rm(&g->a, OP_MOVUPS, b, spare);
}

static void run_moves(struct native_gen *g, bool floats, struct moves *m)
{
    while (m->count) {
        unsigned i = free_move(m);
        if (i < m->count) {
            asm_rr(&g->a, floats ? OP_MOVAPS : OP_MOV | X64_WIDE, m->to[i], m->from[i]);
            drop_move(m, i);
            continue;
        }
        unsigned to = m->to[0], from = m->from[0]; /* change places */
        exchange(g, floats, to, from);
        drop_move(m, 0);
        for (unsigned k = 0; k < m->count; k++)
            if (m->from[k] == to)
                m->from[k] = (uint8_t)from;
        for (unsigned k = 0; k < m->count; k++) /* the exchange may have done one */
            if (m->to[k] == m->from[k])
                drop_move(m, k--);
    }
}

/* --- prologue, epilogue -------------------------------------------------------------------------- */

/* Where each parameter comes from. */
struct param_walk {
    uint32_t ints, floats, stack;
};

/* Register of the next parameter of that type, or NO_REG and *ret_at its place. */
static unsigned param_next(struct param_walk *w, uint8_t type, uint32_t *ret_at)
{
    if (is_float(type)) {
        if (w->floats < ARG_XMMS)
            return w->floats++;
    } else if (w->ints < ARG_GPRS) {
        return arg_gprs[w->ints++];
    }
    *ret_at = w->stack * 8;
    w->stack += type_words(type);
    return NO_REG;
}

static void store_reg(struct native_gen *g, uint8_t type, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, is_float(type) ? xmm_store_op(type) : OP_MOV_STORE | X64_WIDE, reg, m);
}

static void load_reg(struct native_gen *g, uint8_t type, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, is_float(type) ? xmm_load_op(type) : OP_MOV | wide_flag(type), reg, m);
}

static void take_params(struct native_gen *g)
{
    const struct eng_functype *t = g->type;
    struct moves ints = { .count = 0 }, floats = { .count = 0 };
    struct param_walk w = { 0 };
    uint32_t at;
    for (uint32_t i = 0; i < t->param_count; i++) {
        const struct glocal *l = &g->locals[i];
        unsigned reg = param_next(&w, t->params[i], &at);
        if (reg == NO_REG || !l->weight)
            continue;
        if (l->reg == NO_REG)
            store_reg(g, t->params[i], reg, local_mem(g, i));
        else
            add_move(is_float(t->params[i]) ? &floats : &ints, l->reg, reg);
    }
    run_moves(g, false, &ints);
    run_moves(g, true, &floats);
    w = (struct param_walk){ 0 };
    for (uint32_t i = 0; i < t->param_count; i++) {
        const struct glocal *l = &g->locals[i];
        if (param_next(&w, t->params[i], &at) != NO_REG || !l->weight)
            continue;
        struct x64_mem from = mem_of(RSP, (int32_t)(g->frame_total + 8 + at));
        if (l->reg != NO_REG)
            load_reg(g, t->params[i], l->reg, from);
        else
            mem_move(g, t->params[i], local_mem(g, i), from);
    }
}

static void zero_locals(struct native_gen *g)
{
    for (uint32_t i = 0; i < g->scan.touched_count && gen_room(g, 64); i++) {
        uint32_t x = g->scan.touched[i];
        const struct glocal *l = &g->locals[x];
        if (x < g->type->param_count)
            continue;
        if (l->reg == NO_REG && l->type == ENG_V128) {
            struct gval zero = { .type = ENG_V128, .kind = G_CONST, .reg = NO_REG };
            val_store(g, &zero, local_mem(g, x));
        } else if (l->reg == NO_REG) {
            asm_rm(&g->a, OP_MOV_IMM | X64_WIDE, 0, local_mem(g, x));
            asm_32(&g->a, 0);
        } else {
            asm_rr(&g->a, is_float(l->type) ? OP_XORPS : OP_XOR, l->reg, l->reg);
        }
    }
}

enum { SMALL_FRAME = 128 };

/* Is there room for the frame? A small one of a function that calls nothing is in the
 * slack that is left below the limit. */
static void check_stack(struct native_gen *g)
{
    struct x64_mem limit = ctx(offsetof(struct native_ctx, stack_limit));
    if (!g->has_calls && !g->has_tails && g->frame_total <= SMALL_FRAME)
        return;
    if (g->frame_total <= SMALL_FRAME) {
        asm_rm(&g->a, OP_CMP | X64_WIDE, RSP, limit);
    } else {
        asm_rm(&g->a, OP_LEA | X64_WIDE, RAX, mem_of(RSP, -(int32_t)g->frame_total));
        asm_rm(&g->a, OP_CMP | X64_WIDE, RAX, limit);
    }
    asm_jcc(&g->a, CC_B, g->entries.stack);
}

void gen_prologue(struct native_gen *g)
{
    static const uint8_t saved[] = { RBX, RBP, R12, R11 };
    if (!gen_room(g, 512 + (size_t)g->type->param_count * 24))
        return;
    asm_endbr(&g->a);
    check_stack(g);
    for (unsigned i = 0; i < base_countof(saved); i++)
        if (g->gpr_saved >> saved[i] & 1)
            asm_push(&g->a, saved[i]);
    if (g->frame_bytes)
        asm_alu_imm(&g->a, true, EXT_SUB, RSP, (int32_t)g->frame_bytes);
    take_params(g);
    zero_locals(g);
    if (g->has_far)
        asm_rm(&g->a, OP_MOV_STORE | X64_WIDE, REG_INST,
               mem_of(RSP, (int32_t)(g->frame_bytes - 8)));
}

void gen_restore_saved(struct native_gen *g)
{
    static const uint8_t saved[] = { R11, R12, RBP, RBX };
    for (unsigned i = 0; i < base_countof(saved); i++)
        if (g->gpr_saved >> saved[i] & 1)
            asm_pop(&g->a, saved[i]);
}

void gen_leave_frame(struct native_gen *g)
{
    if (g->frame_bytes)
        asm_alu_imm(&g->a, true, EXT_ADD, RSP, (int32_t)g->frame_bytes);
    gen_restore_saved(g);
}

void gen_epilogue(struct native_gen *g)
{
    gen_leave_frame(g);
    asm_ret(&g->a);
}

void gen_spend(struct native_gen *g, uint32_t offset)
{
    /* sub REG_BUDGET, 1; jb, whose displacement is at `from` */
    static const uint8_t code[] = { 0x49, 0x83, 0xe8 | (REG_BUDGET & 7), 1, 0x0f, 0x82 };
    memcpy(g->a.p, code, sizeof code);
    g->a.p += sizeof code;
    uint32_t from = asm_pos(&g->a);
    asm_32(&g->a, 0);
    gen_stub(g, (struct gstub){ STUB_REFILL, 0, 0, from, asm_pos(&g->a), offset, 0 });
}

/* --- around calls -------------------------------------------------------------------------------- */

void gen_save_locals(struct native_gen *g)
{
    for (uint32_t regs = g->gpr_volatile; regs; regs &= regs - 1) {
        uint32_t x = g->volatile_local[__builtin_ctz(regs)];
        store_reg(g, g->locals[x].type, g->locals[x].reg, local_mem(g, x));
    }
    for (uint32_t regs = g->xmm_volatile; regs; regs &= regs - 1) {
        uint32_t x = g->volatile_local[16 + __builtin_ctz(regs)];
        store_reg(g, g->locals[x].type, g->locals[x].reg, local_mem(g, x));
    }
}

void gen_reload_locals(struct native_gen *g)
{
    for (uint32_t regs = g->gpr_volatile; regs; regs &= regs - 1) {
        uint32_t x = g->volatile_local[__builtin_ctz(regs)];
        load_reg(g, g->locals[x].type, g->locals[x].reg, local_mem(g, x));
    }
    for (uint32_t regs = g->xmm_volatile; regs; regs &= regs - 1) {
        uint32_t x = g->volatile_local[16 + __builtin_ctz(regs)];
        load_reg(g, g->locals[x].type, g->locals[x].reg, local_mem(g, x));
    }
    if (g->checking)
        asm_rm(&g->a, OP_MOV | X64_WIDE, REG_MEM, ctx(offsetof(struct native_ctx, mem_base)));
}

void place_args(struct native_gen *g, const struct eng_functype *t)
{
    struct moves ints, floats;
    struct param_walk w = { 0 };
    struct gval *v = &g->vals[g->count - t->param_count];
    struct {
        struct gval *v;
        unsigned reg;
    } args[ARG_GPRS + ARG_XMMS]; /* in registers */
    unsigned n = 0;
    uint32_t at;
    ints.count = floats.count = 0;
    for (uint32_t i = 0; i < t->param_count; i++, v++) {
        if (v->dirty) /* in a register, and canonical is as good there */
            val_clean(g, v);
        unsigned reg = param_next(&w, t->params[i], &at);
        if (reg == NO_REG) {
            val_store(g, v, mem_of(RSP, (int32_t)at));
            continue;
        }
        args[n].v = v;
        args[n++].reg = reg;
        if (v->reg != NO_REG)
            add_move(is_float(v->type) ? &floats : &ints, reg, v->reg);
    }
    run_moves(g, false, &ints);
    run_moves(g, true, &floats);
    for (unsigned i = 0; i < n; i++)
        if (args[i].v->reg == NO_REG)
            val_load(g, args[i].v, args[i].reg);
}

/* Operands below the arguments leave the temporaries. */
static void spill_below(struct native_gen *g, uint32_t count)
{
    for (uint32_t i = g->flushed; i < count; i++)
        if (g->vals[i].kind == G_REG)
            val_settle(g, i);
}

/* After the call; results are where the callee left them. */
static void take_results(struct native_gen *g, const struct eng_functype *t)
{
    gen_reload_locals(g);
    val_drop_to(g, g->count - t->param_count);
    if (t->result_count == 1) {
        uint8_t type = t->results[0];
        bool f = is_float(type);
        if (f)
            xmm_take(g, 0);
        else
            gpr_take(g, RAX);
        struct gdest dest = dest_of(g, type);
        if (dest.set) {
            asm_rr(&g->a, f ? OP_MOVAPS : OP_MOV | X64_WIDE, dest.reg, f ? 0 : RAX);
            if (f)
                xmm_free(g, 0);
            else
                gpr_free(g, RAX);
        }
        dest_done(g, dest, type, dest.set ? dest.reg : f ? 0u : (unsigned)RAX, false);
        return;
    }
    for (uint32_t i = 0, at = 0; i < t->result_count; i++) {
        mem_move(g, t->results[i], slot_mem(g, g->count), mem_of(RSP, (int32_t)(at * 8)));
        at += type_words(t->results[i]);
        val_push_slot(g, t->results[i]);
    }
}

/* Out of this instance and back. */
static void call_far(struct native_gen *g, uint32_t type)
{
    gen_call_far(g, type, gen_offset(g));
    asm_rm(&g->a, OP_CMP | X64_WIDE, REG_INST, mem_of(RSP, (int32_t)(g->frame_bytes - 8)));
    uint32_t from = asm_jcc(&g->a, CC_NE, 0);
    gen_stub(g, (struct gstub){ STUB_BACK, 0, 0, from, asm_pos(&g->a), 0, 0 });
}

void gen_link_call(struct native_gen *g, uint32_t i, uint32_t at)
{
    uint32_t own = i - g->first;
    if (own <= g->index - g->first) {
        asm_patch(&g->a, at, g->n->funcs[i].code);
    } else if (own < g->func_count) {
        asm_write32(&g->a, at, g->call_sites[own]);
        g->call_sites[own] = at;
    } else if (gen_grow(g, (void **)&g->calls, &g->call_capacity, (size_t)g->call_count + 1,
                        sizeof *g->calls)) {
        g->calls[g->call_count++] = (struct gsite){ at, i };
    }
}

void gen_call(struct native_gen *g, uint32_t index)
{
    const struct eng_module *m = g->m;
    uint32_t type = m->func_types[index];
    const struct eng_functype *t = &m->types[type];
    if (!gen_room(g, 1024 + ((size_t)t->param_count + t->result_count + g->count) * 48))
        return;
    spill_below(g, g->count - t->param_count);
    gen_save_locals(g);
    place_args(g, t);
    gen_spend(g, gen_offset(g));
    if (index < m->func_imports) {
        asm_rm(&g->a, OP_MOV | X64_WIDE, RAX, ctx(g->layout.imports + index * sizeof(void *)));
        call_far(g, type);
    } else {
        gen_link_call(g, index - m->func_imports, asm_call(&g->a, 0));
        gen_place(g, asm_pos(&g->a), gen_offset(g), false);
    }
    take_results(g, t);
}

void callee_indirect(struct native_gen *g, uint32_t table, uint32_t type, struct gval *index)
{
    struct assembler *a = &g->a;
    /* The index waits in rax, which no argument is in. */
    if (!(index->kind == G_REG && index->reg == RAX)) {
        gpr_take(g, RAX);
        val_load(g, index, RAX);
        val_release(g, index);
    }
    gen_spend(g, gen_offset(g));
    table_function(g, table, RAX);
    asm_rr(a, OP_TEST | X64_WIDE, RAX, RAX);
    gen_trap_if(g, CC_E, ENG_TRAP_UNINITIALIZED_ELEMENT);
    unsigned k = gpr_alloc(g);
    asm_rm(a, OP_MOV | X64_WIDE, k, ctx(g->layout.types + type * sizeof(void *)));
    asm_rm(a, OP_CMP | X64_WIDE, k, mem_of(RAX, offsetof(struct eng_func, type)));
    gpr_free(g, k);
    gen_trap_if(g, CC_NE, ENG_TRAP_INDIRECT_TYPE);
}

void gen_call_indirect(struct native_gen *g)
{
    uint32_t type = body_u32(&g->p), table = body_u32(&g->p);
    const struct eng_functype *t = &g->m->types[type];
    struct assembler *a = &g->a;
    if (!gen_room(g, 1024 + ((size_t)t->param_count + t->result_count + g->count) * 48))
        return;
    struct gval index = val_pop(g);
    spill_below(g, g->count - t->param_count);
    callee_indirect(g, table, type, &index);
    gen_save_locals(g);
    place_args(g, t);
    gpr_free(g, RAX);
    asm_rm(a, OP_CMP | X64_WIDE, REG_INST, mem_of(RAX, offsetof(struct eng_func, inst)));
    uint32_t other = asm_jcc(a, CC_NE, 0);
    asm_rm(a, OP_GROUP5, 2, mem_of(RAX, offsetof(struct eng_func, native)));
    gen_place(g, asm_pos(a), gen_offset(g), false);
    gen_stub(g, (struct gstub){ STUB_FAR, 0, 0, other, asm_pos(a), gen_offset(g), type });
    take_results(g, t);
}

void call_helper(struct native_gen *g, enum helper h, uint32_t n, uint32_t x, uint32_t y)
{
    struct assembler *a = &g->a;
    val_flush_temps(g);
    for (uint32_t i = g->count - n; i < g->count; i++)
        val_settle(g, i);
    for (uint32_t i = 1; i < n && g->home_shift > 3; i++) { /* words in a row, for C */
        struct x64_mem to = slot_mem(g, g->count - n);
        to.disp += (int32_t)(i * 8);
        mem_move(g, ENG_I64, to, slot_mem(g, g->count - n + i));
    }
    gen_save_locals(g);
    if (n)
        asm_rm(a, OP_LEA | X64_WIDE, RSI, slot_mem(g, g->count - n));
    asm_mov_imm(a, RDX, x);
    asm_mov_imm(a, RCX, y);
    asm_rm(a, OP_MOV | X64_WIDE, RAX, ctx(offsetof(struct native_ctx, helpers)));
    asm_rm(a, OP_MOV | X64_WIDE, RAX, mem_of(RAX, (int32_t)(h * sizeof(void *))));
    asm_call(a, g->entries.call_c);
    gen_reload_locals(g);
    g->gpr_free &= ~(1u << RAX);
    g->gpr_owner[RAX] = SLOT_NONE;
}
