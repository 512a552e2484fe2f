/* What code needs besides functions: the fixed entries at a module's start, what is out of
 * line behind each function, and the ways in and out by function type. */
#include "x64/gen.h"

static struct x64_mem ctx(size_t offset)
{
    return mem_of(REG_INST, (int32_t)offset);
}

#define CTX(field) ctx(offsetof(struct native_ctx, field))
#define STORE(reg, field) mem_of((reg), (int32_t)offsetof(struct eng_store, field))

static void load64(struct native_gen *g, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, OP_MOV | X64_WIDE, reg, m);
}

static void store64(struct native_gen *g, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, OP_MOV_STORE | X64_WIDE, reg, m);
}

/* A word of memory to another without a register. */
static void copy64(struct native_gen *g, struct x64_mem to, struct x64_mem from)
{
    asm_rm(&g->a, OP_GROUP5, 6, from);
    asm_rm(&g->a, OP_POP_RM, 0, to);
}

static void copy_words(struct native_gen *g, uint32_t n, struct x64_mem to, struct x64_mem from)
{
    for (; n--; to.disp += 8, from.disp += 8)
        copy64(g, to, from);
}

/* --- fixed entries --------------------------------------------------------------------------- */

static const uint64_t fixed[K_COUNT][2] = {
    [K_ABS64] = { 0x7fffffffffffffff, 0x7fffffffffffffff },
    [K_SIGN64] = { 0x8000000000000000, 0x8000000000000000 },
    [K_ABS32] = { 0x7fffffff7fffffff, 0x7fffffff7fffffff },
    [K_SIGN32] = { 0x8000000080000000, 0x8000000080000000 },
    [K_NAN64] = { 0x7ff8000000000000, 0 },
    [K_NAN32] = { 0x7fc00000, 0 },
    [K_MIN63_64] = { 0xc3e0000000000000, 0 },
    [K_MIN63_32] = { 0xdf000000, 0 },
};

/* Callee-saved registers of the System V convention, in the order of being pushed. */
static const uint8_t host_saved[] = { RBX, RBP, R12, R13, R14, R15 };

static void entry_trap(struct native_gen *g)
{
    struct assembler *a = &g->a;
    g->entries.stack = asm_pos(a);
    asm_mov_imm(a, RAX, ENG_TRAP_STACK_EXHAUSTED);
    g->entries.trap = asm_pos(a);
    asm_pop(a, RDX);
    load64(g, RCX, CTX(store));
    store64(g, RDX, STORE(RCX, pc));
    store64(g, RSP, STORE(RCX, fp));
    store64(g, REG_INST, STORE(RCX, inst));
    store64(g, REG_BUDGET, STORE(RCX, budget));
    asm_rm(a, OP_MOV_STORE, RAX, STORE(RCX, trap));
    load64(g, RSP, STORE(RCX, native_host_sp));
    g->entries.exit = asm_pos(a);
    asm_alu_imm(a, true, EXT_ADD, RSP, 8);
    for (unsigned i = base_countof(host_saved); i-- > 0;)
        asm_pop(a, host_saved[i]);
    asm_ret(a);
}

enum { REFILL_GPRS = 8, REFILL_BYTES = REFILL_GPRS * 8 + 16 * 16 };

static void refill_registers(struct native_gen *g, unsigned base, int32_t disp, bool save)
{
    static const uint8_t gprs[REFILL_GPRS] = { RCX, RDX, RSI, RDI, R8, R9, R10, R11 };
    for (unsigned i = 0; i < REFILL_GPRS; i++)
        asm_rm(&g->a, (save ? OP_MOV_STORE : OP_MOV) | X64_WIDE, gprs[i],
               mem_of(base, disp + (int32_t)i * 8));
    for (unsigned i = 0; i < 16; i++)
        asm_rm(&g->a, save ? OP_MOVUPS_STORE : OP_MOVUPS, i,
               mem_of(base, disp + REFILL_GPRS * 8 + (int32_t)i * 16));
}

static void entry_refill(struct native_gen *g)
{
    struct assembler *a = &g->a;
    g->entries.refill = asm_pos(a);
    asm_push(a, RAX);
    asm_push(a, RBX);
    asm_mov(a, RBX, RSP);
    load64(g, RAX, CTX(store));
    load64(g, RAX, STORE(RAX, native_host_sp));
    refill_registers(g, RAX, -REFILL_BYTES, true);
    asm_rm(a, OP_LEA | X64_WIDE, RSP, mem_of(RAX, -REFILL_BYTES));
    asm_mov(a, RDI, REG_INST);
    load64(g, RAX, CTX(helpers));
    asm_rm(a, OP_GROUP5, 2, mem_of(RAX, H_REFILL * 8));
    asm_rr(a, OP_TEST, RAX, RAX);
    uint8_t *stop = asm_jcc_short(a, CC_NE);
    uint8_t *near = asm_jmp_short(a);
    asm_short_here(a, stop);
    asm_mov(a, RSP, RBX);
    asm_pop(a, RBX);
    asm_alu_imm(a, true, EXT_ADD, RSP, 8);
    asm_rr(a, OP_XOR, REG_BUDGET, REG_BUDGET);
    asm_jmp(a, g->entries.trap);
    asm_short_here(a, near);
    load64(g, RAX, CTX(store));
    load64(g, REG_BUDGET, STORE(RAX, budget));
    refill_registers(g, RSP, 0, false);
    asm_mov(a, RSP, RBX);
    asm_pop(a, RBX);
    asm_pop(a, RAX);
    asm_ret(a);
}

static void entry_call_c(struct native_gen *g)
{
    struct assembler *a = &g->a;
    g->entries.call_c = asm_pos(a);
    asm_push(a, RBX);
    asm_push(a, R11); /* callee-saved with us, but not in C */
    asm_push(a, RBP); /* these may refer to an exception, which is looked for on this stack */
    asm_push(a, R12);
    asm_mov(a, RBX, RSP);
    load64(g, RDI, CTX(store));
    store64(g, REG_BUDGET, STORE(RDI, budget));
    load64(g, RSP, STORE(RDI, native_host_sp));
    asm_mov(a, RDI, REG_INST);
    asm_rr(a, OP_GROUP5, 2, RAX);
    asm_mov(a, RSP, RBX);
    load64(g, RDI, CTX(store));
    load64(g, REG_BUDGET, STORE(RDI, budget));
    asm_alu_imm(a, true, EXT_ADD, RSP, 16);
    asm_pop(a, R11);
    asm_pop(a, RBX);
    asm_ret(a);
}

/* The C function answers with words on this stack to go on with, or a trap's code: unwind.c. */
static void entry_raise(struct native_gen *g)
{
    static const uint8_t saved[] = { RBX, RBP, R12, R11 };
    enum { TRAP_MAX = 255 };
    struct assembler *a = &g->a;
    g->entries.raise = asm_pos(a);
    for (unsigned i = 0; i < base_countof(saved); i++)
        asm_push(a, saved[i]);
    asm_mov(a, RBX, RSP);
    asm_mov(a, RCX, RSP);
    load64(g, RDI, CTX(store));
    load64(g, RSP, STORE(RDI, native_host_sp));
    asm_mov(a, RDI, REG_INST);
    asm_rr(a, OP_GROUP5, 2, RAX);
    asm_alu_imm(a, true, EXT_CMP, RAX, TRAP_MAX);
    uint8_t *caught = asm_jcc_short(a, CC_A);
    asm_rm(a, OP_LEA | X64_WIDE, RSP, mem_of(RBX, sizeof saved * 8));
    asm_jmp(a, g->entries.trap);
    asm_short_here(a, caught);
    asm_mov(a, RSP, RAX);
    load64(g, RCX, CTX(store));
    load64(g, REG_INST, STORE(RCX, inst));
    load64(g, REG_MEM, CTX(mem_base));
    for (unsigned i = base_countof(saved); i-- > 0;)
        asm_pop(a, saved[i]);
    asm_pop(a, RCX);
    asm_8(a, 0x3e); /* notrack: the targets are ours alone */
    asm_rr(a, OP_GROUP5, 4, RCX);
}

void gen_switch_instance(struct native_gen *g, unsigned to, unsigned scratch)
{
    load64(g, scratch, CTX(stack_limit));
    store64(g, scratch, mem_of(to, offsetof(struct native_ctx, stack_limit)));
    asm_mov(&g->a, REG_INST, to);
    load64(g, REG_MEM, CTX(mem_base));
    load64(g, scratch, CTX(store));
    store64(g, REG_INST, STORE(scratch, inst));
}

static void entry_back(struct native_gen *g)
{
    g->entries.back = asm_pos(&g->a);
    gen_switch_instance(g, RDX, RCX);
    asm_ret(&g->a);
}

void gen_entries(struct native_gen *g)
{
    if (!gen_room(g, 2048))
        return;
    g->entries.consts = asm_pos(&g->a);
    memcpy(g->a.p, fixed, sizeof fixed);
    g->a.p += sizeof fixed;
    entry_trap(g);
    entry_refill(g);
    entry_call_c(g);
    entry_raise(g);
    entry_back(g);
}

/* --- out of line, behind a function --------------------------------------------------------- */

void gen_call_far(struct native_gen *g, uint32_t type, uint32_t offset)
{
    uint32_t at = asm_call(&g->a, 0);
    if (gen_grow(g, (void **)&g->fars, &g->far_capacity, (size_t)g->far_count + 1,
                 sizeof *g->fars))
        g->fars[g->far_count++] = (struct gsite){ at, type };
    gen_place(g, asm_pos(&g->a), offset, true);
}

static void call_back(struct native_gen *g)
{
    load64(g, RDX, mem_of(RSP, (int32_t)(g->frame_bytes - 8)));
    asm_call(&g->a, g->entries.back);
}

static void trap_now(struct native_gen *g, uint32_t offset)
{
    asm_call(&g->a, g->entries.trap);
    gen_place(g, asm_pos(&g->a), offset, false);
}

/* A conversion to an integer found something that does not fit, or NaN. With `back`: or
 * the smallest i64, which does. */
static void stub_trunc(struct native_gen *g, const struct gstub *s)
{
    struct assembler *a = &g->a;
    uint32_t op = s->arg ? OP_UCOMISD : OP_UCOMISS;
    asm_rr(a, op, s->reg, s->reg);
    uint8_t *nan = asm_jcc_short(a, CC_P);
    if (s->kind == STUB_TRUNC64) {
        gen_op_fixed(g, op, s->reg, s->arg ? K_MIN63_64 : K_MIN63_32);
        asm_jcc(a, CC_E, s->back);
    }
    asm_mov_imm(a, RAX, ENG_TRAP_INT_OVERFLOW);
    uint8_t *known = asm_jmp_short(a);
    asm_short_here(a, nan);
    asm_mov_imm(a, RAX, ENG_TRAP_INVALID_CONVERSION);
    asm_short_here(a, known);
    trap_now(g, s->offset);
}

/* gen_place() of a place that is most often some way back in the module, or ahead. */
static inline void place_stub(struct native_gen *g, uint32_t pos, uint32_t offset)
{
    int32_t distance = (int32_t)(offset - g->map_offset);
    uint32_t code = pos - g->map_pos, number = ((uint32_t)distance << 1 ^ (uint32_t)(distance >> 31)) << 1;
    if (code >= 0x80 || (uint32_t)distance + 0x1000 >= 0x2000 ||
        g->map_capacity - g->map_bytes < PLACE_MAX) {
        gen_place_any(g, pos, offset, false);
        return;
    }
    bool two = number >= 0x80;
    uint8_t *p = g->map + g->map_bytes;
    g->map_bytes += 2u + two;
    p[0] = (uint8_t)code;
    p[1] = (uint8_t)((number & 0x7f) | (uint32_t)two << 7);
    p[2] = (uint8_t)(number >> 7);
    g->map_pos = pos;
    g->map_offset = offset;
}

static void out_of_line(struct native_gen *g, const struct gstub *s)
{
    struct assembler *a = &g->a;
    asm_patch(a, s->from, asm_pos(a));
    switch ((enum gstub_kind)s->kind) {
    case STUB_TRAP:
        asm_mov_imm(a, RAX, s->arg);
        trap_now(g, s->offset);
        return;
    case STUB_TRAP_EAX:
        trap_now(g, s->offset);
        return;
    case STUB_TRUNC:
    case STUB_TRUNC64:
        stub_trunc(g, s);
        return;
    case STUB_TAIL:
        gen_tail_stub(g, s->type, s->offset);
        return;
    case STUB_REFILL:
        return;
    case STUB_FAR:
        gen_call_far(g, s->type, s->offset);
        call_back(g);
        break;
    case STUB_BACK:
        call_back(g);
        break;
    case STUB_NANS: /* all ones in those lanes, less what is too much */
        asm_rr(a, OP_ORPS, s->reg, X_SCRATCH);
        if (s->arg == DIRTY_F64)
            gen_wide(g, asm_rip(a, OP_ANDPS, X_SCRATCH, 0), 0x8007ffffffffffff, 0x8007ffffffffffff);
        else
            gen_wide(g, asm_rip(a, OP_ANDPS, X_SCRATCH, 0), 0x803fffff803fffff, 0x803fffff803fffff);
        asm_rr(a, OP_XORPS, s->reg, X_SCRATCH);
        break;
    case STUB_NAN:
        gen_op_fixed(g, s->arg ? OP_MOVSD : OP_MOVSS, s->reg, s->arg ? K_NAN64 : K_NAN32);
        break;
    }
    asm_jmp(a, s->back);
}

/* Most of all: where a unit of fuel is spent. */
static inline void stub_refill(struct native_gen *g, const struct gstub *s)
{
    uint8_t *p = g->a.p, *start = g->a.start;
    uint32_t pos = (uint32_t)(p - start), there = g->entries.refill - (pos + 5);
    uint32_t from = s->from, to_here = pos - (from + 4), back = s->back - (pos + 10), offset = s->offset;
    memcpy(start + from, &to_here, 4);
    p[0] = 0xe8; /* call */
    memcpy(p + 1, &there, 4);
    p[5] = 0xe9; /* jmp */
    memcpy(p + 6, &back, 4);
    g->a.p = p + 10;
    place_stub(g, pos + 5, offset);
}

void gen_out_of_line(struct native_gen *g)
{
    uint32_t n = g->stub_count;
    for (uint32_t i = 0; i < n && gen_room(g, 128); i++) {
        const struct gstub *s = &g->stubs[i];
        if (s->kind == STUB_REFILL)
            stub_refill(g, s);
        else if (s->kind != STUB_TAIL)
            out_of_line(g, s);
    }
    g->n->funcs[g->index].tails = asm_pos(&g->a);
    for (uint32_t i = 0; g->has_bridge && i < n && gen_room(g, 128); i++)
        if (g->stubs[i].kind == STUB_TAIL)
            out_of_line(g, &g->stubs[i]);
    size_t bytes = (size_t)g->wide_count * 16 + (size_t)g->const_count * 8;
    if (!bytes || !gen_room(g, bytes + 32))
        return;
    asm_align(&g->a, g->wide_count ? 16 : 8);
    for (uint32_t i = 0; i < g->wide_count; i++) {
        for (uint32_t at = g->wides[i].from; at;) {
            uint32_t next = asm_read32(&g->a, at);
            asm_patch(&g->a, at, asm_pos(&g->a));
            at = next;
        }
        asm_64(&g->a, g->wides[i].low);
        asm_64(&g->a, g->wides[i].high);
    }
    for (uint32_t i = 0; i < g->const_count; i++) {
        asm_patch(&g->a, g->consts[i].from, asm_pos(&g->a));
        asm_64(&g->a, g->consts[i].bits);
    }
}

/* --- adapters by function type ---------------------------------------------------------------- */

struct arg_walk {
    uint32_t ints, floats, stack;
};

static unsigned arg_next(struct arg_walk *w, uint8_t type, uint32_t *ret_at)
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

/* Arguments or results between an array at base and registers. */
static void array_load(struct native_gen *g, uint8_t type, unsigned reg, struct x64_mem m)
{
    asm_rm(&g->a, is_float(type) ? xmm_load_op(type) : OP_MOV | wide_flag(type), reg, m);
}

static void array_store(struct native_gen *g, uint8_t type, unsigned reg, struct x64_mem m)
{
    uint32_t op = type == ENG_V128  ? OP_MOVUPS_STORE
                  : is_float(type) ? OP_MOVSD_STORE
                                   : OP_MOV_STORE | X64_WIDE;
    asm_rm(&g->a, op, reg, m);
}

/* Of results at rbx that have 32 bits, what is above these. An i32 in a register has nothing there. */
static void clear_above(struct native_gen *g, const struct eng_functype *t)
{
    bool from_reg = t->result_count == 1;
    for (uint32_t i = 0, slot = 0; i < t->result_count; slot += type_words(t->results[i++])) {
        if (t->results[i] != ENG_F32 && (t->results[i] != ENG_I32 || from_reg))
            continue;
        asm_rm(&g->a, OP_MOV_IMM, 0, mem_of(RBX, (int32_t)(slot * 8 + 4)));
        asm_32(&g->a, 0);
    }
}

/* Called in System V's convention as native_enter. */
static void adapter_in(struct native_gen *g, uint32_t type)
{
    const struct eng_functype *t = &g->m->types[type];
    struct assembler *a = &g->a;
    struct arg_walk w = { 0 };
    uint32_t at = 0;
    g->n->ways[type] = (struct native_way){ asm_pos(a), g->type_out[type] };
    asm_endbr(a);
    for (unsigned i = 0; i < base_countof(host_saved); i++)
        asm_push(a, host_saved[i]);
    asm_alu_imm(a, true, EXT_SUB, RSP, 8);
    asm_mov(a, REG_INST, RDI);
    load64(g, RAX, CTX(store));
    store64(g, RSP, STORE(RAX, native_host_sp));
    load64(g, REG_BUDGET, STORE(RAX, budget));
    load64(g, REG_MEM, CTX(mem_base));
    asm_mov(a, RBX, R8); /* the results' place */
    asm_mov(a, RAX, RSI);
    asm_rm(a, OP_LEA | X64_WIDE, RSP, mem_of(RCX, -(int32_t)g->type_out[type]));
    for (uint32_t i = 0, slot = 0; i < t->param_count; i++) {
        struct x64_mem from = mem_of(RDX, (int32_t)(slot * 8));
        slot += type_words(t->params[i]);
        unsigned reg = arg_next(&w, t->params[i], &at);
        if (reg != NO_REG) {
            array_load(g, t->params[i], reg, from);
        } else if (t->params[i] == ENG_I32) { /* what is above it is not ours to believe */
            asm_rm(a, OP_MOV, RCX, from);
            store64(g, RCX, mem_of(RSP, (int32_t)at));
        } else {
            copy_words(g, type_words(t->params[i]), mem_of(RSP, (int32_t)at), from);
        }
    }
    asm_rr(a, OP_GROUP5, 2, RAX);
    if (t->result_count == 1)
        array_store(g, t->results[0], is_float(t->results[0]) ? 0 : RAX, mem_of(RBX, 0));
    if (t->result_count > 1)
        copy_words(g, eng_slots(t->results, t->result_count), mem_of(RBX, 0), mem_of(RSP, 0));
    clear_above(g, t);
    load64(g, RCX, CTX(store));
    store64(g, REG_BUDGET, STORE(RCX, budget));
    asm_rm(a, OP_MOV_IMM, 0, STORE(RCX, trap));
    asm_32(a, 0);
    load64(g, RSP, STORE(RCX, native_host_sp));
    asm_jmp(a, g->entries.exit);
}

/* To the host or another tier: arguments into an array. */
static void adapter_host(struct native_gen *g, const struct eng_functype *t)
{
    struct assembler *a = &g->a;
    uint32_t params = eng_slots(t->params, t->param_count);
    uint32_t results = eng_slots(t->results, t->result_count), at = 0;
    int32_t bytes = (int32_t)(params > results ? params : results) * 8;
    struct arg_walk w = { 0 };
    asm_rm(a, OP_LEA | X64_WIDE, RCX, mem_of(RSP, -bytes));
    asm_rm(a, OP_CMP | X64_WIDE, RCX, CTX(stack_limit));
    asm_jcc(a, CC_B, g->entries.stack);
    if (bytes)
        asm_alu_imm(a, true, EXT_SUB, RSP, bytes);
    for (uint32_t i = 0, slot = 0; i < t->param_count; i++) {
        struct x64_mem to = mem_of(RSP, (int32_t)(slot * 8));
        slot += type_words(t->params[i]);
        unsigned reg = arg_next(&w, t->params[i], &at);
        if (reg != NO_REG)
            array_store(g, t->params[i], reg, to);
        else
            copy_words(g, type_words(t->params[i]), to, mem_of(RSP, bytes + 8 + (int32_t)at));
    }
    asm_mov(a, RSI, RSP);
    asm_mov(a, RDX, RAX);
    load64(g, RAX, CTX(helpers));
    load64(g, RAX, mem_of(RAX, H_HOST_CALL * 8));
    asm_call(a, g->entries.call_c);
    asm_rr(a, OP_TEST, RAX, RAX);
    uint8_t *fine = asm_jcc_short(a, CC_E);
    if (bytes)
        asm_alu_imm(a, true, EXT_ADD, RSP, bytes);
    asm_alu_imm(a, false, EXT_CMP, RAX, ENG_TRAP_EXCEPTION);
    asm_jcc(a, CC_NE, g->entries.trap);
    load64(g, RAX, CTX(helpers));
    load64(g, RAX, mem_of(RAX, H_RETHROW * 8));
    asm_jmp(a, g->entries.raise);
    asm_short_here(a, fine);
    if (t->result_count == 1)
        array_load(g, t->results[0], is_float(t->results[0]) ? 0 : RAX, mem_of(RSP, 0));
    if (t->result_count > 1)
        copy_words(g, results, mem_of(RSP, bytes + 8), mem_of(RSP, 0));
    if (bytes)
        asm_alu_imm(a, true, EXT_ADD, RSP, bytes);
    asm_ret(a);
}

/* To whatever function of the type is in rax. */
static void adapter_far(struct native_gen *g, uint32_t type)
{
    struct assembler *a = &g->a;
    g->ways_out[type] = asm_pos(a);
    load64(g, RDX, mem_of(RAX, offsetof(struct eng_func, native)));
    asm_rr(a, OP_TEST | X64_WIDE, RDX, RDX);
    uint32_t host = asm_jcc(a, CC_E, 0);
    load64(g, RCX, mem_of(RAX, offsetof(struct eng_func, inst)));
    gen_switch_instance(g, RCX, RAX);
    asm_rr(a, OP_GROUP5, 4, RDX);
    asm_patch(a, host, asm_pos(a));
    adapter_host(g, &g->m->types[type]);
}

void gen_adapters(struct native_gen *g)
{
    const struct eng_module *m = g->m;
    for (uint32_t i = 0; i < module_func_defined(m); i++) {
        uint32_t type = m->funcs[i].type;
        const struct eng_functype *t = &m->types[type];
        if (!g->n->ways[type].code &&
            gen_room(g, 512 + ((size_t)t->param_count + t->result_count) * 48))
            adapter_in(g, type);
    }
    for (uint32_t i = 0; i < m->type_count; i++) {
        const struct eng_functype *t = &m->types[i];
        if (g->ways_out[i] && gen_room(g, 512 + ((size_t)t->param_count + t->result_count) * 48))
            adapter_far(g, i);
    }
}
