/* Prologue, epilogue, calls. */
#include "x64/gen.h"

const uint8_t arg_gprs[ARG_GPRS] = { R8, R9, R10, RSI, RDI };
enum { ARG_GPR_LIST = R8 | R9 << 4 | R10 << 8 | RSI << 12 | RDI << 16 };

static struct x64_mem ctx(size_t offset)
{
    return mem_of(REG_INST, (int32_t)offset);
}

/* --- moves that happen all at once -------------------------------------------------------- */

enum { MOVES_MAX = 8 }; /* arguments of one class in registers */

/* Moves between registers of one class while they are collected, in a list of their own: as
 * instructions between general registers, of three bytes. */
struct moves {
    unsigned count;
    uint32_t written, read; /* registers; the second may have others that none writes */
};

/* mov to, from */
static inline uint32_t move_code(unsigned to, unsigned from)
{
    static const uint32_t from_code[16] = { 0xc08b48, 0xc18b48, 0xc28b48, 0xc38b48, 0xc48b48, 0xc58b48,
                                            0xc68b48, 0xc78b48, 0xc08b49, 0xc18b49, 0xc28b49, 0xc38b49,
                                            0xc48b49, 0xc58b49, 0xc68b49, 0xc78b49 };
    return from_code[from] | (to >> 1 & 4) | (to & 7) << 19;
}

static inline unsigned move_to(uint32_t code)
{
    return (code >> 19 & 7) | (code << 1 & 8);
}

static inline unsigned move_from(uint32_t code)
{
    return (code >> 16 & 7) | (code << 3 & 8);
}

static inline void add_move(struct moves *m, uint32_t *list, unsigned to, unsigned from)
{
    m->read |= 1u << from;
    if (to == from)
        return;
    m->written |= 1u << to;
    list[m->count++] = move_code(to, from);
}

/* Those that wait for each other, as they are done: the first is in front. */
struct ties {
    uint8_t to[MOVES_MAX], from[MOVES_MAX];
    unsigned count;
};

static void drop_tie(struct ties *m, unsigned i)
{
    m->count--;
    m->to[i] = m->to[m->count];
    m->from[i] = m->from[m->count];
}

/* The first move that writes what none reads; count when there are circles only. */
static unsigned free_tie(const struct ties *m)
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

static void run_ties(struct native_gen *g, bool floats, struct ties *m)
{
    while (m->count) {
        unsigned i = free_tie(m);
        if (i < m->count) {
            asm_rr(&g->a, floats ? OP_MOVAPS : OP_MOV | X64_WIDE, m->to[i], m->from[i]);
            drop_tie(m, i);
            continue;
        }
        unsigned to = m->to[0], from = m->from[0]; /* change places */
        exchange(g, floats, to, from);
        drop_tie(m, 0);
        for (unsigned k = 0; k < m->count; k++)
            if (m->from[k] == to)
                m->from[k] = (uint8_t)from;
        for (unsigned k = 0; k < m->count; k++) /* the exchange may have done one */
            if (m->to[k] == m->from[k])
                drop_tie(m, k--);
    }
}

/* Some write what others read. */
static APART void run_tied(struct native_gen *g, bool floats, const uint32_t *list,
                                               unsigned count)
{
    struct ties t = { .count = count };
    for (unsigned i = 0; i < count; i++) {
        t.to[i] = (uint8_t)move_to(list[i]);
        t.from[i] = (uint8_t)move_from(list[i]);
    }
    run_ties(g, floats, &t);
}

/* All at once. When none waits for another it is still the order of run_ties(): the first, and
 * from the last one back to the second. */
static inline void move_ints(struct native_gen *g, struct moves m, const uint32_t *list)
{
    if (m.written & m.read) {
        run_tied(g, false, list, m.count);
    } else if (m.count) {
        uint8_t *p = g->a.p;
        memcpy(p, list, 4);
        p += 3;
        for (const uint32_t *last = list + m.count - 1; last > list; last--, p += 3)
            memcpy(p, last, 4);
        g->a.p = p;
    }
}

static APART void move_floats(struct native_gen *g, struct moves m,
                                                  const uint32_t *list)
{
    if (m.written & m.read) {
        run_tied(g, true, list, m.count);
        return;
    }
    asm_rr(&g->a, OP_MOVAPS, move_to(list[0]), move_from(list[0]));
    for (unsigned i = m.count - 1; i; i--)
        asm_rr(&g->a, OP_MOVAPS, move_to(list[i]), move_from(list[i]));
}

/* --- prologue, epilogue -------------------------------------------------------------------------- */

/* Where each parameter comes from. */
struct param_walk {
    uint32_t ints, floats, stack;
};

/* Register of the next parameter of that type, or NO_REG and *ret_at its place. */
static inline unsigned param_next(struct param_walk *w, uint8_t type, uint32_t *ret_at)
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

static inline void store_local(struct native_gen *g, const struct glocal *l, unsigned reg)
{
    int32_t disp = local_place(g, l);
    if (is_float(l->type))
        asm_sp_sse(&g->a, xmm_store_op(l->type), reg, disp);
    else
        asm_sp_plain(&g->a, OP_MOV_STORE | X64_WIDE, reg, disp);
}

static void load_reg(struct native_gen *g, uint8_t type, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, is_float(type) ? xmm_load_op(type) : OP_MOV | wide_flag(type), reg, m);
}

/* Those that came in memory. */
static void take_stack_params(struct native_gen *g)
{
    const struct eng_functype *t = g->type;
    struct param_walk w = { 0 };
    for (uint32_t i = 0, at = 0; i < t->param_count; i++) {
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

static void take_params(struct native_gen *g)
{
    const uint8_t *types = g->type->params;
    struct moves ints = { 0 }, floats = { 0 };
    uint32_t int_list[MOVES_MAX], float_list[MOVES_MAX];
    struct param_walk w = { 0 };
    const struct glocal *l = g->locals;
    for (uint32_t i = 0, n = g->type->param_count, at = 0; i < n; i++, l++) {
        unsigned reg = param_next(&w, types[i], &at);
        if (reg == NO_REG || !l->weight)
            continue;
        if (l->reg == NO_REG)
            store_local(g, l, reg);
        else if (is_float(types[i]))
            add_move(&floats, float_list, l->reg, reg);
        else
            add_move(&ints, int_list, l->reg, reg);
    }
    move_ints(g, ints, int_list);
    if (floats.count)
        move_floats(g, floats, float_list);
    if (w.stack)
        take_stack_params(g);
}

static void zero_local(struct native_gen *g, uint32_t x)
{
    const struct glocal *l = &g->locals[x];
    if (l->reg != NO_REG) {
        if (is_float(l->type))
            asm_rr(&g->a, OP_XORPS, l->reg, l->reg);
        else
            asm_rr_plain(&g->a, OP_XOR, l->reg, l->reg);
    } else if (l->type == ENG_V128) {
        struct gval zero = { .type = ENG_V128, .kind = G_CONST, .reg = NO_REG };
        val_store(g, &zero, local_mem(g, x));
    } else {
        asm_sp_plain(&g->a, OP_MOV_IMM | X64_WIDE, 0, local_place(g, l));
        asm_32(&g->a, 0);
    }
}

static void zero_locals(struct native_gen *g)
{
    uint32_t params = g->type->param_count, n = g->scan.touched_count;
    if (!gen_room(g, (size_t)n * 24 + 64))
        return;
    const uint32_t *touched = g->scan.touched;
    for (uint32_t i = 0; i < n; i++)
        if (touched[i] >= params)
            zero_local(g, touched[i]);
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

static void push_saved(struct native_gen *g)
{
    static const uint8_t saved[] = { RBX, RBP, R12, R11 };
    for (unsigned i = 0; i < base_countof(saved); i++)
        if (g->gpr_saved >> saved[i] & 1)
            asm_push(&g->a, saved[i]);
}

void gen_restore_saved(struct native_gen *g)
{
    static const uint8_t saved[] = { R11, R12, RBP, RBX };
    for (unsigned i = 0; i < base_countof(saved); i++)
        if (g->gpr_saved >> saved[i] & 1)
            asm_pop(&g->a, saved[i]);
}

void gen_prologue(struct native_gen *g)
{
    if (!gen_room(g, 512 + (size_t)g->type->param_count * 24))
        return;
    g->saves.bytes = g->reloads.bytes = 0;
    asm_endbr(&g->a);
    check_stack(g);
    push_saved(g);
    if (g->frame_bytes)
        asm_alu_imm_plain(&g->a, X64_WIDE, EXT_SUB, RSP, (int32_t)g->frame_bytes);
    take_params(g);
    zero_locals(g);
    if (g->has_far)
        asm_sp_plain(&g->a, OP_MOV_STORE | X64_WIDE, REG_INST, (int32_t)g->frame_bytes - 8);
}

void gen_leave_frame(struct native_gen *g)
{
    if (g->frame_bytes)
        asm_alu_imm_plain(&g->a, X64_WIDE, EXT_ADD, RSP, (int32_t)g->frame_bytes);
    gen_restore_saved(g);
}

void gen_epilogue(struct native_gen *g)
{
    gen_leave_frame(g);
    asm_ret(&g->a);
}

/* What of it is in line. */
enum { SPEND_BYTES = 10 };
static inline void put_spend(struct native_gen *g, uint8_t *p, uint32_t offset)
{
    /* sub REG_BUDGET, 1; jb 0 */
    static const uint8_t code[SPEND_BYTES] = { 0x49, 0x83, 0xe8 | (REG_BUDGET & 7), 1, 0x0f, 0x82 };
    memcpy(p, code, sizeof code);
    uint32_t back = (uint32_t)(p - g->a.start) + SPEND_BYTES;
    gen_stub(g, (struct gstub){ STUB_REFILL, 0, 0, back - 4, back, offset, 0 });
}

void gen_spend(struct native_gen *g, uint32_t offset)
{
    put_spend(g, g->a.p, offset);
    g->a.p += SPEND_BYTES;
}

/* --- around calls -------------------------------------------------------------------------------- */

/* The same code as before, which is not far from here and does not depend on its place. */
static inline void repeat(struct native_gen *g, struct gpiece piece)
{
    const uint8_t *from = g->a.start + piece.from;
    uint8_t *to = g->a.p;
    for (uint32_t i = 0; i < piece.bytes; i += 8) { /* what is too much is overwritten */
        uint64_t word;
        memcpy(&word, from + i, 8);
        memcpy(to + i, &word, 8);
    }
    g->a.p = to + piece.bytes;
}

static APART void save_locals(struct native_gen *g)
{
    uint32_t from = asm_pos(&g->a);
    if (g->saves.bytes) {
        repeat(g, g->saves);
        return;
    }
    for (uint32_t regs = g->gpr_volatile; regs; regs &= regs - 1) {
        const struct glocal *l = &g->locals[g->volatile_local[__builtin_ctz(regs)]];
        store_local(g, l, l->reg);
    }
    for (uint32_t regs = g->xmm_volatile; regs; regs &= regs - 1) {
        const struct glocal *l = &g->locals[g->volatile_local[16 + __builtin_ctz(regs)]];
        store_local(g, l, l->reg);
    }
    g->saves = (struct gpiece){ from, asm_pos(&g->a) - from };
}

static APART void reload_locals(struct native_gen *g)
{
    uint32_t from = asm_pos(&g->a);
    if (g->reloads.bytes) {
        repeat(g, g->reloads);
        return;
    }
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
    g->reloads = (struct gpiece){ from, asm_pos(&g->a) - from };
}

static inline bool any_volatile(const struct native_gen *g)
{
    return (g->gpr_volatile | g->xmm_volatile) != 0;
}

static inline void save(struct native_gen *g)
{
    if (any_volatile(g))
        save_locals(g);
}

static inline void reload(struct native_gen *g)
{
    if (any_volatile(g) || g->checking)
        reload_locals(g);
}

void gen_save_locals(struct native_gen *g)
{
    save(g);
}

void gen_reload_locals(struct native_gen *g)
{
    reload(g);
}

/* An argument that is in no register: a whole number, and any. */
static inline void load_int(struct native_gen *g, const struct gval *v, unsigned reg)
{
    if (v->kind == G_CONST)
        asm_mov_imm(&g->a, reg, v->bits);
    else
        int_move(g, v, reg, wide_flag(v->type));
}

static inline void load_arg(struct native_gen *g, const struct gval *v, unsigned reg)
{
    if (is_float(v->type))
        val_load(g, v, reg);
    else
        load_int(g, v, reg);
}

/* Arguments on their way, but for whole numbers that are in registers and stay in such. */
struct args {
    struct {
        const struct gval *v;
        unsigned reg;
    } late[ARG_GPRS + ARG_XMMS]; /* in no register yet */
    unsigned late_count;
    struct moves floats;
    uint32_t float_list[MOVES_MAX];
    uint32_t xmm_count, stack;
};

static inline void arg_late(struct args *a, const struct gval *v, unsigned reg)
{
    a->late[a->late_count].v = v;
    a->late[a->late_count++].reg = reg;
}

static APART void arg_stack(struct native_gen *g, struct args *a, struct gval *v)
{
    val_store(g, v, mem_of(RSP, (int32_t)(a->stack * 8)));
    a->stack += type_words(v->type);
}

static APART void arg_float(struct native_gen *g, struct args *a, struct gval *v)
{
    if (v->dirty) /* in a register, and canonical is as good there */
        val_clean(g, v);
    if (a->xmm_count < ARG_XMMS && v->reg != NO_REG) {
        add_move(&a->floats, a->float_list, a->xmm_count++, v->reg);
    } else if (a->xmm_count < ARG_XMMS) {
        arg_late(a, v, a->xmm_count++);
    } else {
        if (v->reg != NO_REG)
            a->floats.read |= 1u << v->reg;
        arg_stack(g, a, v);
    }
}

static inline void drop_args(struct native_gen *g, uint32_t count, uint32_t gprs, uint32_t xmms)
{
    g->count = count;
    if (g->flushed > count)
        g->flushed = count;
    g->gpr_free |= gprs & g->gpr_temps;
    g->xmm_free |= xmms & ((1u << XMM_TEMPS) - 1);
}

static APART void place_any(struct native_gen *g, const struct eng_functype *t)
{
    struct args a;
    struct moves ints = { 0 };
    uint32_t int_list[MOVES_MAX];
    uint32_t count = g->count - t->param_count;
    uint32_t gprs = ARG_GPR_LIST; /* that are left */
    struct gval *v = &g->vals[count], *end = v + t->param_count;
    a.late_count = a.xmm_count = a.stack = 0;
    a.floats = (struct moves){ 0 };
    for (; v < end; v++) {
        if (v->kind == G_LOCAL)
            g->locals[v->at].refs--;
        if (is_float(v->type)) {
            arg_float(g, &a, v);
            continue;
        }
        unsigned reg = gprs & 15, from = v->reg; /* RAX is none of them */
        gprs >>= 4;
        if (from == NO_REG) {
            if (reg)
                arg_late(&a, v, reg);
        } else if (reg) {
            add_move(&ints, int_list, reg, from);
        } else {
            ints.read |= 1u << from;
        }
        if (!reg)
            arg_stack(g, &a, v);
    }
    move_ints(g, ints, int_list);
    if (a.floats.count)
        move_floats(g, a.floats, a.float_list);
    for (unsigned i = 0; i < a.late_count; i++)
        load_arg(g, a.late[i].v, a.late[i].reg);
    drop_args(g, count, ints.read, a.floats.read);
}

/* A whole number that is in no register yet. */
struct late_int {
    const struct gval *v;
    unsigned reg;
};

/* Arguments of which all go to general registers, which is usual; a float, or one too many, and it is
 * place_any() that does it all. */
void place_args(struct native_gen *g, const struct eng_functype *t)
{
    struct late_int late[ARG_GPRS];
    uint32_t list[MOVES_MAX], count = g->count - t->param_count, gprs = ARG_GPR_LIST;
    struct gval *v = &g->vals[count], *end = v + t->param_count;
    struct moves ints = { 0 };
    unsigned late_count = 0;
    if (t->param_count > ARG_GPRS) {
        place_any(g, t);
        return;
    }
    for (struct gval *w = v; w < end; w++)
        if (is_float(w->type)) {
            place_any(g, t);
            return;
        }
    for (; v < end; v++, gprs >>= 4) {
        unsigned reg = gprs & 15, from = v->reg;
        if (v->kind == G_LOCAL)
            g->locals[v->at].refs--;
        if (from != NO_REG)
            add_move(&ints, list, reg, from);
        else
            late[late_count++] = (struct late_int){ v, reg };
    }
    move_ints(g, ints, list);
    for (unsigned i = 0; i < late_count; i++)
        load_int(g, late[i].v, late[i].reg);
    drop_args(g, count, ints.read, 0);
}

/* Operands below the arguments leave the temporaries. */
static void spill_below(struct native_gen *g, uint32_t count)
{
    for (uint32_t i = g->flushed; i < count; i++)
        if (g->vals[i].kind == G_REG)
            val_settle(g, i);
}

/* The one result, in xmm0. */
static APART void take_float(struct native_gen *g, uint8_t type)
{
    xmm_take(g, 0);
    struct gdest dest = dest_of(g, type);
    if (dest.set) {
        asm_rr(&g->a, OP_MOVAPS, dest.reg, 0);
        xmm_free(g, 0);
    }
    dest_done(g, dest, type, dest.set ? dest.reg : 0u, false);
}

static APART void take_several(struct native_gen *g, const struct eng_functype *t)
{
    for (uint32_t i = 0, at = 0; i < t->result_count; i++) {
        mem_move(g, t->results[i], slot_mem(g, g->count), mem_of(RSP, (int32_t)(at * 8)));
        at += type_words(t->results[i]);
        val_push_slot(g, t->results[i]);
    }
}

/* In rax. No operand is in a temporary. */
static inline void take_int(struct native_gen *g, uint8_t type)
{
    g->gpr_free &= ~(1u << RAX);
    g->gpr_owner[RAX] = SLOT_NONE;
    struct gdest dest = dest_here(g);
    if (dest.set) {
        asm_rr_plain(&g->a, OP_MOV | X64_WIDE, dest.reg, RAX);
        gpr_free(g, RAX);
    }
    int_done(g, dest, type, dest.set ? dest.reg : (unsigned)RAX);
}

/* After the call; results are where the callee left them. */
static inline void take_results(struct native_gen *g, const struct eng_functype *t)
{
    reload(g);
    if (t->result_count == 0)
        return;
    uint8_t type = t->results[0];
    if (t->result_count > 1)
        take_several(g, t);
    else if (is_float(type))
        take_float(g, type);
    else
        take_int(g, type);
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
    uint32_t type = m->func_types[index], offset = gen_offset(g);
    const struct eng_functype *t = &m->types[type];
    if (!gen_room(g, 1024 + ((size_t)t->param_count + t->result_count + g->count) * 48))
        return;
    spill_below(g, g->count - t->param_count);
    save(g);
    place_args(g, t);
    uint8_t *p = g->a.p;
    put_spend(g, p, offset);
    if (index < m->func_imports) {
        g->a.p = p + SPEND_BYTES;
        asm_rm(&g->a, OP_MOV | X64_WIDE, RAX, ctx(g->layout.imports + index * sizeof(void *)));
        call_far(g, type);
    } else {
        p[SPEND_BYTES] = 0xe8; /* asm_call() */
        g->a.p = p + SPEND_BYTES + 5;
        uint32_t pos = asm_pos(&g->a);
        gen_link_call(g, index - m->func_imports, pos - 4);
        gen_place(g, pos, offset, false);
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
