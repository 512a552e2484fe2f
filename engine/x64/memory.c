/* Linear memory, tables, globals. */
#include "x64/gen.h"

enum { FIRST_LOAD = 0x28, FIRST_STORE = 0x36 };

struct access {
    uint32_t op;
    uint8_t type;
    uint8_t width; /* as a power of two */
};

static const struct access loads[] = {
    { OP_MOV, ENG_I32, 2 },
    { OP_MOV | X64_WIDE, ENG_I64, 3 },
    { OP_MOVSS, ENG_F32, 2 },
    { OP_MOVSD, ENG_F64, 3 },
    { (uint32_t)OP_MOVSX8, ENG_I32, 0 },
    { (uint32_t)OP_MOVZX8, ENG_I32, 0 },
    { OP_MOVSX16, ENG_I32, 1 },
    { OP_MOVZX16, ENG_I32, 1 },
    { (uint32_t)OP_MOVSX8 | X64_WIDE, ENG_I64, 0 },
    { (uint32_t)OP_MOVZX8, ENG_I64, 0 },
    { OP_MOVSX16 | X64_WIDE, ENG_I64, 1 },
    { OP_MOVZX16, ENG_I64, 1 },
    { OP_MOVSXD | X64_WIDE, ENG_I64, 2 },
    { OP_MOV, ENG_I64, 2 },
};

static const struct access stores[] = {
    { OP_MOV_STORE, ENG_I32, 2 },
    { OP_MOV_STORE | X64_WIDE, ENG_I64, 3 },
    { OP_MOVSS_STORE, ENG_F32, 2 },
    { OP_MOVSD_STORE, ENG_F64, 3 },
    { (uint32_t)OP_MOV_STORE8, ENG_I32, 0 },
    { OP_MOV_STORE16, ENG_I32, 1 },
    { (uint32_t)OP_MOV_STORE8, ENG_I64, 0 },
    { OP_MOV_STORE16, ENG_I64, 1 },
    { OP_MOV_STORE, ENG_I64, 2 },
};

static struct x64_mem ctx(size_t offset)
{
    return mem_of(REG_INST, (int32_t)offset);
}

/* Address and offset in one temporary, which is then in *at. */
static unsigned sum_address(struct native_gen *g, struct gval *at, uint32_t offset)
{
    unsigned t;
    if (at->kind == G_CONST) {
        t = gpr_alloc(g);
        asm_mov_imm(&g->a, t, at->bits + offset);
    } else {
        unsigned r = val_reg(g, at);
        t = at->kind == G_REG ? r : gpr_alloc(g);
        if (offset > INT32_MAX) {
            unsigned k = gpr_alloc(g);
            asm_mov_imm(&g->a, k, offset);
            asm_rm(&g->a, OP_LEA | X64_WIDE, t, mem_index(r, k, 0, 0));
            gpr_free(g, k);
        } else if (offset) {
            asm_rm(&g->a, OP_LEA | X64_WIDE, t, mem_of(r, (int32_t)offset));
        } else if (t != r) {
            asm_mov32(&g->a, t, r);
        }
    }
    at->kind = G_REG;
    at->reg = (uint8_t)t;
    return t;
}

/* Checked and, whatever the CPU guesses, below the memory's end. */
static struct x64_mem checked_address(struct native_gen *g, struct gval *at, uint32_t offset,
                                      unsigned width)
{
    unsigned t = sum_address(g, at, offset);
    asm_rm(&g->a, OP_CMP | X64_WIDE, t,
           ctx(offsetof(struct native_ctx, mem_last) + width * sizeof(int64_t)));
    gen_trap_if(g, CC_G, ENG_TRAP_MEMORY_BOUNDS);
    if (g->hardened)
        asm_rm(&g->a, X64_NTH(OP_CMOV, CC_G) | X64_WIDE, t, ctx(offsetof(struct native_ctx, zero)));
    return mem_index(REG_MEM, t, 0, 0);
}

/* The same in another memory than the first: neither its start nor its size is at hand. */
static struct x64_mem other_address(struct native_gen *g, struct gval *at, struct memarg to,
                                    unsigned width)
{
    struct assembler *a = &g->a;
    unsigned t = sum_address(g, at, to.offset), m = gpr_alloc(g), end = gpr_alloc(g);
    asm_rm(a, OP_MOV | X64_WIDE, m, ctx(g->layout.memories + to.memory * sizeof(void *)));
    asm_rm(a, OP_LEA | X64_WIDE, end, mem_of(t, 1 << width));
    asm_rm(a, OP_CMP | X64_WIDE, end, mem_of(m, offsetof(struct eng_memory, block.size)));
    gpr_free(g, end);
    gen_trap_if(g, CC_A, ENG_TRAP_MEMORY_BOUNDS);
    if (g->hardened)
        asm_rm(a, X64_NTH(OP_CMOV, CC_A) | X64_WIDE, t, ctx(offsetof(struct native_ctx, zero)));
    asm_rm(a, OP_ADD | X64_WIDE, t, mem_of(m, offsetof(struct eng_memory, block.base)));
    gpr_free(g, m);
    return mem_of(t, 0);
}

struct memarg body_memarg(const uint8_t **p)
{
    struct memarg to;
    to.memory = body_u32(p) & MEMARG_HAS_INDEX ? body_u32(p) : 0;
    to.offset = body_u32(p);
    return to;
}

/* All but what mem_address() does itself. */
struct x64_mem mem_address_any(struct native_gen *g, struct gval *at, struct memarg to,
                               unsigned width)
{
    uint32_t offset = to.offset;
    if (to.memory)
        return other_address(g, at, to, width);
    if (g->checking)
        return checked_address(g, at, offset, width);
    if (at->kind == G_CONST && at->bits + offset <= INT32_MAX)
        return mem_of(REG_MEM, (int32_t)(at->bits + offset));
    unsigned r = val_reg(g, at);
    if (offset <= INT32_MAX)
        return mem_index(REG_MEM, r, 0, (int32_t)offset);
    unsigned t = gpr_alloc(g);
    asm_mov_imm(&g->a, t, offset);
    asm_rr(&g->a, OP_ADD | X64_WIDE, t, r);
    val_release(g, at);
    at->kind = G_REG;
    at->reg = (uint8_t)t;
    return mem_index(REG_MEM, t, 0, 0);
}

void mem_place(struct native_gen *g)
{
    gen_place(g, asm_pos(&g->a), gen_offset(g), false);
}

/* The usual access: through a register, in the first memory, unchecked, with an offset of one byte. */
static inline bool is_near(const struct native_gen *g, const struct gval *at)
{
    return g->p[0] < MEMARG_HAS_INDEX && g->p[1] < 0x80 && at->reg != NO_REG && !g->checking;
}

/* An address that is in the frame will have to be in a register. */
static inline void address_in_reg(struct native_gen *g, struct gval *at)
{
    if (at->reg == NO_REG && at->kind != G_CONST)
        val_temp(g, at);
}

/* Of an address that has been taken, but for its temporary. */
static APART void load_any(struct native_gen *g, uint8_t opcode, struct gval *at)
{
    const struct access *x = &loads[opcode - FIRST_LOAD];
    int_hold(g, at);
    if (at->reg == NO_REG && at->kind != G_CONST) { /* from the frame: again, as an operand in a register */
        val_temp(g, at);
        g->count++;
        gen_load(g, opcode);
        return;
    }
    struct memarg to = body_memarg(&g->p);
    struct x64_mem m = mem_address(g, at, to, x->width);
    struct gdest dest = dest_here(g);
    bool f = is_float(x->type), temp = at->kind == G_REG;
    unsigned d = dest.set    ? dest.reg
                 : f         ? xmm_alloc(g)
                 : temp      ? at->reg
                             : gpr_alloc(g);
    mem_place(g);
    asm_rm(&g->a, x->op, d, m);
    if (temp && (f || at->reg != d))
        gpr_free(g, at->reg);
    dest_done(g, dest, x->type, d, false);
}

static APART void load_float(struct native_gen *g, const struct access *x, const struct gval *at)
{
    uint8_t offset = g->p[1];
    g->p += 2;
    int_hold(g, at);
    struct gdest dest = dest_here(g);
    unsigned d = dest.set ? dest.reg : xmm_alloc(g);
    mem_place(g);
    asm_rm_near(&g->a, x->op, d, REG_MEM, at->reg, offset);
    int_release(g, at);
    dest_done(g, dest, x->type, d, false);
}

/* The access itself, which is near, and its place in the map. */
static APART void near_access(struct native_gen *g, uint32_t op, unsigned reg, unsigned at, uint8_t offset)
{
    uint32_t pos = asm_pos(&g->a);
    asm_rm_near(&g->a, op, reg, REG_MEM, at, offset);
    gen_place(g, pos, gen_offset(g), false);
}

void gen_load(struct native_gen *g, uint8_t opcode)
{
    const struct access *x = &loads[opcode - FIRST_LOAD];
    uint32_t top = g->count - 1;
    struct gval *at = &g->vals[top];
    const uint8_t *p = g->p;
    val_shrink(g, top);
    int_leave(g, at);
    if (!is_near(g, at)) {
        load_any(g, opcode, at);
        return;
    }
    if (is_float(x->type)) {
        load_float(g, x, at);
        return;
    }
    unsigned d = dest_look(g, p + 2), from = at->reg;
    if (d == DEST_ASK || !g->gpr_free) {
        load_any(g, opcode, at);
        return;
    }
    d = dest_alone(g, p + 2, d, at, x->type);
    near_access(g, x->op, d, from, p[1]);
}

static void store_const(struct native_gen *g, const struct access *x, struct x64_mem m, uint32_t bits)
{
    switch (x->width) {
    case 0:
        asm_rm(&g->a, OP_MOV_IMM8, 0, m);
        asm_8(&g->a, bits);
        break;
    case 1:
        asm_rm(&g->a, OP_MOV_IMM16, 0, m);
        asm_8(&g->a, bits);
        asm_8(&g->a, bits >> 8);
        break;
    default:
        asm_rm(&g->a, OP_MOV_IMM | (x->width == 3 ? X64_WIDE : 0), 0, m);
        asm_32(&g->a, bits);
        break;
    }
}

/* Can a store have v in itself? */
static inline bool store_has(const struct access *x, const struct gval *v)
{
    return v->kind == G_CONST &&
           (x->width < 3 || ((int64_t)v->bits >= INT32_MIN && (int64_t)v->bits <= INT32_MAX));
}

/* Of v, which is in a register when it has to be. */
static APART void store_far(struct native_gen *g, const struct access *x, struct gval *at,
                            const struct gval *v)
{
    struct memarg to = body_memarg(&g->p);
    struct x64_mem m = mem_address(g, at, to, x->width);
    mem_place(g);
    if (v->reg == NO_REG)
        store_const(g, x, m, (uint32_t)v->bits);
    else
        asm_rm(&g->a, x->op, v->reg, m);
    int_release(g, at);
    val_release(g, v);
}

/* Of operands that have been taken. */
static APART void store_any(struct native_gen *g, const struct access *x, struct gval *at, struct gval *v)
{
    if (v->dirty)
        val_clean(g, v);
    if (v->reg == NO_REG && !store_has(x, v))
        val_temp(g, v);
    address_in_reg(g, at);
    if (v->reg == NO_REG || !is_near(g, at)) {
        store_far(g, x, at, v);
        return;
    }
    int_release(g, at);
    val_release(g, v);
    uint8_t offset = g->p[1];
    g->p += 2;
    near_access(g, x->op, v->reg, at->reg, offset);
}

static APART void store_float(struct native_gen *g, const struct access *x)
{
    struct gval *v = val_take(g), *at = int_take(g);
    store_any(g, x, at, v);
}

/* Of operands that have been taken, but for their temporaries. */
static APART void store_int(struct native_gen *g, const struct access *x, struct gval *at, struct gval *v)
{
    int_hold(g, at);
    int_hold(g, v);
    store_any(g, x, at, v);
}

void gen_store(struct native_gen *g, uint8_t opcode)
{
    const struct access *x = &stores[opcode - FIRST_STORE];
    if (is_float(x->type)) {
        store_float(g, x);
        return;
    }
    uint32_t top = g->count - 2;
    struct gval *at = &g->vals[top], *v = at + 1;
    val_shrink(g, top);
    int_leave(g, v);
    int_leave(g, at);
    if (v->reg == NO_REG || !is_near(g, at)) {
        store_int(g, x, at, v);
        return;
    }
    int_release(g, at);
    int_release(g, v);
    const uint8_t *p = g->p;
    g->p = p + 2;
    near_access(g, x->op, v->reg, at->reg, p[1]);
}

void gen_memory_size(struct native_gen *g)
{
    uint32_t memory = body_u32(&g->p);
    struct gdest dest = dest_of(g, ENG_I32);
    unsigned d = dest.set ? dest.reg : gpr_alloc(g);
    if (memory) {
        asm_rm(&g->a, OP_MOV | X64_WIDE, d, ctx(g->layout.memories + memory * sizeof(void *)));
        asm_rm(&g->a, OP_MOV | X64_WIDE, d, mem_of(d, offsetof(struct eng_memory, block.size)));
    } else {
        asm_rm(&g->a, OP_MOV | X64_WIDE, d, ctx(offsetof(struct native_ctx, mem_size)));
    }
    asm_rr(&g->a, OP_SHIFT_IMM | X64_WIDE, EXT_SHR, d);
    asm_8(&g->a, 16);
    dest_done(g, dest, ENG_I32, d, false);
}

/* --- globals --------------------------------------------------------------------------- */

/* Where global x is; *ret_held: a temporary that the address needs, or NO_REG. */
static struct x64_mem global_mem(struct native_gen *g, uint32_t x, unsigned *ret_held)
{
    const struct eng_module *m = g->m;
    *ret_held = NO_REG;
    if (x >= m->global_imports)
        return ctx(offsetof(struct eng_instance, own) +
                   (x - m->global_imports) * sizeof(struct eng_global));
    unsigned t = gpr_alloc(g);
    asm_rm(&g->a, OP_MOV | X64_WIDE, t, ctx(g->layout.globals + x * sizeof(void *)));
    *ret_held = t;
    return mem_of(t, 0);
}

void gen_global_get(struct native_gen *g, uint32_t x)
{
    uint8_t type = g->m->globals[x].type;
    unsigned held;
    struct x64_mem m = global_mem(g, x, &held);
    struct gdest dest = dest_of(g, type);
    bool f = is_float(type);
    unsigned d = dest.set ? dest.reg : f ? xmm_alloc(g) : gpr_alloc(g);
    asm_rm(&g->a, f ? xmm_load_op(type) : OP_MOV | wide_flag(type), d, m);
    if (held != NO_REG)
        gpr_free(g, held);
    dest_done(g, dest, type, d, false);
}

void gen_global_set(struct native_gen *g, uint32_t x)
{
    struct gval *v = val_take(g);
    unsigned held;
    val_clean(g, v);
    if (v->kind != G_CONST)
        val_reg(g, v);
    struct x64_mem m = global_mem(g, x, &held);
    val_store(g, v, m);
    val_release(g, v);
    if (held != NO_REG)
        gpr_free(g, held);
}

void gen_ref_func(struct native_gen *g)
{
    uint32_t i = body_u32(&g->p), imports = g->m->func_imports;
    unsigned d = gpr_alloc(g);
    if (i < imports)
        asm_rm(&g->a, OP_MOV | X64_WIDE, d, ctx(g->layout.imports + i * sizeof(void *)));
    else
        asm_rm(&g->a, OP_LEA | X64_WIDE, d,
               ctx(g->layout.funcs + (i - imports) * sizeof(struct eng_func)));
    val_push_reg(g, ENG_FUNCREF, d, false);
}

/* --- tables ------------------------------------------------------------------------------ */

/* Element i of table t: address in a temporary that is held; i is changed. */
static struct x64_mem table_element(struct native_gen *g, uint32_t t, unsigned i,
                                    enum eng_trap_code code, unsigned *ret_held)
{
    struct assembler *a = &g->a;
    unsigned r = gpr_alloc(g), mask = gpr_alloc(g);
    asm_rm(a, OP_MOV | X64_WIDE, r, ctx(g->layout.tables + t * sizeof(void *)));
    asm_rm(a, OP_CMP, i, mem_of(r, offsetof(struct eng_table, size)));
    gen_trap_if(g, CC_AE, code);
    if (g->hardened) { /* all ones when the index is below, whatever the CPU guesses */
        asm_rr(a, OP_SBB, mask, mask);
        asm_rr(a, OP_AND, i, mask);
    }
    gpr_free(g, mask);
    asm_rm(a, OP_MOV | X64_WIDE, r, mem_of(r, offsetof(struct eng_table, items)));
    *ret_held = r;
    return mem_index(r, i, 3, 0);
}

void gen_table_get(struct native_gen *g)
{
    uint32_t t = body_u32(&g->p);
    struct gval index = val_pop(g);
    unsigned i = val_temp(g, &index), r;
    struct x64_mem m = table_element(g, t, i, ENG_TRAP_TABLE_BOUNDS, &r);
    asm_rm(&g->a, OP_MOV | X64_WIDE, i, m);
    gpr_free(g, r);
    val_push_reg(g, g->m->tables[t].type, i, false);
}

void gen_table_set(struct native_gen *g)
{
    uint32_t t = body_u32(&g->p);
    struct gval v = val_pop(g), index = val_pop(g);
    unsigned i = val_temp(g, &index), r;
    struct x64_mem m = table_element(g, t, i, ENG_TRAP_TABLE_BOUNDS, &r);
    asm_rm(&g->a, OP_LEA | X64_WIDE, i, m);
    gpr_free(g, r);
    val_store(g, &v, mem_of(i, 0));
    gpr_free(g, i);
    val_release(g, &v);
}

/* Loads function element i (a temporary, changed) of table t into it: call_indirect. */
void table_function(struct native_gen *g, uint32_t t, unsigned i)
{
    unsigned r;
    struct x64_mem m = table_element(g, t, i, ENG_TRAP_UNDEFINED_ELEMENT, &r);
    asm_rm(&g->a, OP_MOV | X64_WIDE, i, m);
    gpr_free(g, r);
}

/* --- ranges: helpers in C ----------------------------------------------------------------- */

static void range_op(struct native_gen *g, enum helper h, uint32_t x, uint32_t y)
{
    call_helper(g, h, 3, x, y);
    asm_rr(&g->a, OP_TEST, RAX, RAX);
    uint32_t from = asm_jcc(&g->a, CC_NE, 0);
    gen_stub(g, (struct gstub){ STUB_TRAP_EAX, 0, 0, from, 0, gen_offset(g), 0 });
    gpr_free(g, RAX);
    val_drop_to(g, g->count - 3);
}

static void grow_op(struct native_gen *g, enum helper h, uint32_t n, uint32_t x)
{
    call_helper(g, h, n, x, 0);
    val_drop_to(g, g->count - n);
    val_push_reg(g, ENG_I32, RAX, false);
}

static void drop_op(struct native_gen *g, size_t at)
{
    asm_rm(&g->a, OP_MOV_IMM8, 0, ctx(at));
    asm_8(&g->a, 1);
}

static void table_size(struct native_gen *g, uint32_t t)
{
    unsigned d = gpr_alloc(g);
    asm_rm(&g->a, OP_MOV | X64_WIDE, d, ctx(g->layout.tables + t * sizeof(void *)));
    asm_rm(&g->a, OP_MOV, d, mem_of(d, offsetof(struct eng_table, size)));
    val_push_reg(g, ENG_I32, d, false);
}

void gen_memory_grow(struct native_gen *g)
{
    grow_op(g, H_MEMORY_GROW, 1, body_u32(&g->p));
}

/* Prefix 0xfc. */
void gen_bulk(struct native_gen *g)
{
    uint32_t which = body_u32(&g->p), x, y;
    if (which < 8) {
        gen_saturate(g, which);
        return;
    }
    x = body_u32(&g->p);
    y = which == 8 || which == 10 || which == 12 || which == 14 ? body_u32(&g->p) : 0;
    switch (which) {
    case 8:
        range_op(g, H_MEMORY_INIT, x, y);
        break;
    case 9:
        call_helper(g, H_DATA_DROP, 0, x, 0);
        gpr_free(g, RAX);
        break;
    case 10:
        range_op(g, H_MEMORY_COPY, x, y);
        break;
    case 11:
        range_op(g, H_MEMORY_FILL, x, 0);
        break;
    case 12:
        range_op(g, H_TABLE_INIT, x, y);
        break;
    case 13:
        drop_op(g, g->layout.elem_dropped + x);
        break;
    case 14:
        range_op(g, H_TABLE_COPY, x, y);
        break;
    case 15:
        grow_op(g, H_TABLE_GROW, 2, x);
        break;
    case 16:
        table_size(g, x);
        break;
    default:
        range_op(g, H_TABLE_FILL, x, 0);
        break;
    }
}
