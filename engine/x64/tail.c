/* Calls that end the function.
 *
 * The callee takes over the caller's frame: return address and out area of whoever called stay
 * where they are, arguments beyond registers go into that area, and the call is a jump. It cannot
 * be when the callee is of another instance, to which nobody would come back, or has more
 * arguments than the area holds. Then the function stays on the stack as a *bridge*
 * (struct native_bridge): it calls, and returns what it got. Whatever that callee calls in the
 * same way finds the bridge above its own return address, and goes on there instead of
 * making another. So there is one bridge in a chain of such calls, however long it is.
 *
 * Functions of the host and of other tiers are called. */
#include "x64/gen.h"

static const uint8_t saved_order[] = { RBX, RBP, R12, R11 }; /* as the prologue pushes them */

static struct x64_mem in_inst(size_t offset)
{
    return mem_of(REG_INST, (int32_t)offset);
}

#define BRIDGE(reg, field) mem_of((reg), (int32_t)offsetof(struct native_bridge, field))
#define FUNC(reg, field) mem_of((reg), (int32_t)offsetof(struct eng_func, field))

static void move64(struct native_gen *g, struct x64_mem to, struct x64_mem from)
{
    asm_rm(&g->a, OP_GROUP5, 6, from); /* push */
    asm_rm(&g->a, OP_POP_RM, 0, to);
}

static void load64(struct native_gen *g, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, OP_MOV | X64_WIDE, reg, m);
}

static void store64(struct native_gen *g, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, OP_MOV_STORE | X64_WIDE, reg, m);
}

/* Bytes of arguments that are in memory. */
static uint32_t argument_bytes(const struct eng_functype *t)
{
    const struct eng_functype params = { .params = t->params, .param_count = t->param_count };
    return type_out_bytes(&params);
}

/* Does the area that this function was called with hold what t needs? */
static bool fits(const struct native_gen *g, const struct eng_functype *t)
{
    return type_out_bytes(t) <= type_out_bytes(g->type);
}

/* Arguments are in place for an ordinary call; the frame goes. */
static void replace_frame(struct native_gen *g, const struct eng_functype *t)
{
    int32_t area = (int32_t)g->frame_total + 8, bytes = (int32_t)argument_bytes(t);
    for (int32_t i = 0; i < bytes; i += 8)
        move64(g, mem_of(RSP, area + i), mem_of(RSP, i));
    gen_leave_frame(g);
}

static void go_far(struct native_gen *g, uint32_t type, uint32_t from)
{
    gen_stub(g, (struct gstub){ STUB_TAIL, 0, 0, from, 0, gen_offset(g), type });
    gen_end_path(g);
}

static bool tail_room(struct native_gen *g, const struct eng_functype *t)
{
    return gen_room(g, 1024 + ((size_t)t->param_count + t->result_count + g->count) * 64);
}

void gen_return_call(struct native_gen *g, uint32_t index)
{
    const struct eng_module *m = g->m;
    uint32_t type = m->func_types[index], i = index - m->func_imports;
    const struct eng_functype *t = &m->types[type];
    if (!tail_room(g, t))
        return;
    place_args(g, t);
    gen_spend(g, gen_offset(g));
    if (index < m->func_imports) {
        load64(g, RAX, in_inst(g->layout.imports + index * sizeof(void *)));
        go_far(g, type, asm_jmp(&g->a, 0));
    } else if (!fits(g, t)) {
        asm_rm(&g->a, OP_LEA | X64_WIDE, RAX,
               in_inst(g->layout.funcs + i * sizeof(struct eng_func)));
        go_far(g, type, asm_jmp(&g->a, 0));
    } else {
        replace_frame(g, t);
        gen_link_call(g, i, asm_jmp(&g->a, 0));
        gen_end_path(g);
    }
}

void gen_return_call_indirect(struct native_gen *g)
{
    uint32_t type = body_u32(&g->p), table = body_u32(&g->p);
    const struct eng_functype *t = &g->m->types[type];
    struct assembler *a = &g->a;
    if (!tail_room(g, t))
        return;
    struct gval index = val_pop(g);
    callee_indirect(g, table, type, &index);
    place_args(g, t);
    gpr_free(g, RAX);
    if (!fits(g, t)) {
        go_far(g, type, asm_jmp(a, 0));
        return;
    }
    asm_rm(a, OP_CMP | X64_WIDE, REG_INST, FUNC(RAX, inst));
    uint32_t other = asm_jcc(a, CC_NE, 0);
    replace_frame(g, t);
    asm_rm(a, OP_GROUP5, 4, FUNC(RAX, native)); /* jmp */
    go_far(g, type, other);
}

/* --- out of line: the function is in rax, arguments are in place for a call ----------------- */

/* Above this function's return address is a bridge's area, rdx the bridge. The area grows to
 * what the callee needs, at its lower end, and the frame goes. */
static void cross_bridge(struct native_gen *g, const struct eng_functype *t)
{
    struct assembler *a = &g->a;
    int32_t at = (int32_t)g->frame_total;
    for (unsigned i = 0; i < base_countof(saved_order); i++)
        if (g->gpr_saved >> saved_order[i] & 1)
            load64(g, saved_order[i], mem_of(RSP, at -= 8));
    load64(g, RCX, BRIDGE(RDX, top));
    asm_alu_imm(a, true, EXT_SUB, RCX, (int32_t)type_out_bytes(t));
    asm_rm(a, OP_CMP | X64_WIDE, RCX, BRIDGE(RDX, area));
    asm_rm(a, X64_NTH(OP_CMOV, CC_A) | X64_WIDE, RCX, BRIDGE(RDX, area));
    store64(g, RCX, BRIDGE(RDX, area));
    load64(g, RDX, mem_of(RSP, (int32_t)g->frame_total)); /* where the bridge goes on */
    for (int32_t i = (int32_t)argument_bytes(t) - 8; i >= 0; i -= 8) /* upwards, may overlap */
        move64(g, mem_of(RCX, i), mem_of(RSP, i));
    store64(g, RDX, mem_of(RCX, -8));
    asm_rm(a, OP_LEA | X64_WIDE, RSP, mem_of(RCX, -8));
    load64(g, RCX, FUNC(RAX, inst));
    gen_switch_instance(g, RCX, RDX);
    asm_rm(a, OP_GROUP5, 4, FUNC(RAX, native)); /* jmp */
}

/* This function becomes a bridge; rdx: the one before. */
static void make_bridge(struct native_gen *g, int32_t bridge)
{
    struct assembler *a = &g->a;
    store64(g, RDX, mem_of(RSP, bridge + (int32_t)offsetof(struct native_bridge, prev)));
    store64(g, RSP, mem_of(RSP, bridge + (int32_t)offsetof(struct native_bridge, area)));
    asm_rm(a, OP_LEA | X64_WIDE, RDX, mem_of(RSP, (int32_t)g->out_bytes));
    store64(g, RDX, mem_of(RSP, bridge + (int32_t)offsetof(struct native_bridge, top)));
    asm_rm(a, OP_LEA | X64_WIDE, RDX, mem_of(RSP, bridge));
    load64(g, RCX, in_inst(offsetof(struct native_ctx, store)));
    store64(g, RDX, mem_of(RCX, offsetof(struct eng_store, native_bridge)));
}

/* The bridge is crossed for the last time; rdx is it. */
static void end_bridge(struct native_gen *g)
{
    load64(g, RCX, in_inst(offsetof(struct native_ctx, store)));
    load64(g, RDX, mem_of(RCX, offsetof(struct eng_store, native_bridge)));
    load64(g, RSI, BRIDGE(RDX, prev));
    store64(g, RSI, mem_of(RCX, offsetof(struct eng_store, native_bridge)));
}

/* Results are from rsp on when there are several; rdx: the place of a bridge in this frame. */
static void return_call_results(struct native_gen *g, const struct eng_functype *t)
{
    enum { SIZE = sizeof(struct native_bridge) };
    struct assembler *a = &g->a;
    int32_t area = SIZE + (int32_t)(g->frame_total - g->frame_bytes) + 8;
    uint32_t slots = eng_slots(t->results, t->result_count);
    for (uint32_t i = 0; t->result_count > 1 && i < slots; i++)
        move64(g, mem_of(RDX, area + (int32_t)i * 8), mem_of(RSP, (int32_t)i * 8));
    asm_rm(a, OP_LEA | X64_WIDE, RSP, mem_of(RDX, SIZE));
    load64(g, RDX, BRIDGE(RDX, inst));
    asm_rr(a, OP_CMP | X64_WIDE, REG_INST, RDX);
    uint8_t *same = asm_jcc_short(a, CC_E);
    asm_call(a, g->entries.back);
    asm_short_here(a, same);
    gen_restore_saved(g);
    asm_ret(a);
}

void gen_tail_stub(struct native_gen *g, uint32_t type, uint32_t offset)
{
    struct assembler *a = &g->a;
    const struct eng_functype *t = &g->m->types[type];
    int32_t bridge = (int32_t)(g->frame_bytes - sizeof(struct native_bridge));
    if (!gen_room(g, 512 + ((size_t)t->param_count + t->result_count) * 64))
        return;
    asm_alu_mem_imm(a, true, EXT_CMP, FUNC(RAX, native), 0);
    uint32_t host = asm_jcc(a, CC_E, 0);
    load64(g, RCX, in_inst(offsetof(struct native_ctx, store)));
    load64(g, RDX, mem_of(RCX, offsetof(struct eng_store, native_bridge)));
    asm_rm(a, OP_LEA | X64_WIDE, RCX, mem_of(RSP, (int32_t)g->frame_total + 8));
    asm_rm(a, OP_CMP | X64_WIDE, RCX, BRIDGE(RDX, area));
    uint32_t none = asm_jcc(a, CC_NE, 0);
    cross_bridge(g, t);
    asm_patch(a, host, asm_pos(a));
    asm_rm(a, OP_LEA | X64_WIDE, RDX, mem_of(RSP, bridge));
    store64(g, REG_INST, BRIDGE(RDX, inst));
    gen_call_far(g, type, offset);
    asm_rm(a, OP_LEA | X64_WIDE, RDX, mem_of(RSP, bridge));
    uint32_t done = asm_jmp(a, 0);
    asm_patch(a, none, asm_pos(a));
    make_bridge(g, bridge);
    store64(g, REG_INST, BRIDGE(RDX, inst));
    gen_call_far(g, type, offset);
    end_bridge(g);
    asm_patch(a, done, asm_pos(a));
    return_call_results(g, t);
}
