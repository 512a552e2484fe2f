/* Blocks, branches, returns. */
#include "x64/gen.h"

/* Value types from the lowest number on, so that a list of one can be pointed to. */
static const uint8_t single_types[] = { ENG_EXNREF, 0, 0, 0, 0, 0, ENG_EXTERNREF, ENG_FUNCREF,
                                        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                                        ENG_V128, ENG_F64, ENG_F32, ENG_I64, ENG_I32 };
_Static_assert(sizeof single_types == ENG_I32 - ENG_EXNREF + 1, "one for each number");

uint8_t body_type(const uint8_t **p)
{
    uint8_t t = *(*p)++;
    if (t != 0x63 && t != 0x64)
        return t;
    int64_t heap = body_s64(p);
    return heap < 0 ? (uint8_t)(heap & 0x7f) : ENG_FUNCREF;
}

static void read_blocktype(struct native_gen *g, struct glabel *l)
{
    uint8_t byte = *g->p;
    if (byte == 0x40) {
        g->p++;
        return;
    }
    if (byte > 0x40 && byte < 0x80) {
        l->results = &single_types[body_type(&g->p) - ENG_EXNREF];
        l->result_count = 1;
        return;
    }
    const struct eng_functype *t = &g->m->types[(uint32_t)body_s64(&g->p)];
    l->params = t->params;
    l->results = t->results;
    l->param_count = t->param_count;
    l->result_count = t->result_count;
}

static struct glabel *push_label(struct native_gen *g, const struct glabel *l)
{
    if (!gen_grow(g, (void **)&g->labels, &g->label_capacity, g->label_count + 1u,
                  sizeof *g->labels))
        g->label_count--; /* failed: never used */
    g->labels[g->label_count] = *l;
    return &g->labels[g->label_count++];
}

/* --- fix-ups --------------------------------------------------------------------------- */

/* The displacement at `at`, counted from base, shall lead to l's end. */
static void link_to(struct native_gen *g, uint32_t *list, uint32_t at, uint32_t base)
{
    if (!gen_grow(g, (void **)&g->fixes, &g->fix_capacity, g->fix_count + 2u, sizeof *g->fixes))
        return;
    g->fixes[++g->fix_count] = (struct gfix){ at, base, *list };
    *list = g->fix_count;
}

static void resolve(struct native_gen *g, uint32_t list, uint32_t target)
{
    for (; list; list = g->fixes[list].next)
        asm_write32(&g->a, g->fixes[list].at, target - g->fixes[list].base);
}

static void link_branch(struct native_gen *g, struct glabel *l, uint32_t at)
{
    link_to(g, &l->fixups, at, at + 4);
}

/* --- moving results to where a label wants them ------------------------------------------- */

/* The operands' state does not change: a branch that may not be taken leaves others to
 * their path. Registers that the moved ones do not need are free to be changed. */
static void move_to_home(struct native_gen *g, uint32_t first, uint32_t home, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct gval v = g->vals[first + i];
        if (v.kind == G_SLOT && v.at == home + i)
            continue;
        if (v.dirty && v.kind == G_REG)
            val_clean_reg(g, v.reg, v.type, v.dirty), v.dirty = CLEAN;
        struct gval copy = v;
        val_store(g, &copy, slot_mem(g, home + i));
        if (copy.kind == G_REG && v.kind != G_REG)
            val_release(g, &copy);
    }
}

static void move_to_result(struct native_gen *g, uint32_t i)
{
    struct gval v = g->vals[i];
    unsigned reg = is_float(v.type) ? 0 : RAX;
    val_load(g, &v, reg);
    if (v.dirty)
        val_clean_reg(g, reg, v.type, v.dirty);
}

static void move_results(struct native_gen *g, const struct glabel *l)
{
    uint32_t n = label_arity(l);
    if (n == 1 && l->kind != GL_LOOP)
        move_to_result(g, g->count - 1);
    else if (n)
        move_to_home(g, g->count - n, l->height, n);
}

static void return_results(struct native_gen *g)
{
    uint32_t n = g->type->result_count, first = g->count - n, at = 0;
    if (n == 1) {
        move_to_result(g, first);
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct gval v = g->vals[first + i];
        struct gval copy = v;
        val_store(g, &copy, mem_of(RSP, (int32_t)(g->frame_total + 8 + at * 8)));
        at += type_words(v.type);
        if (copy.kind == G_REG && v.kind != G_REG)
            val_release(g, &copy);
    }
}

void gen_leave(struct native_gen *g, struct glabel *l)
{
    if (l->kind == GL_FUNC) {
        return_results(g);
        gen_epilogue(g);
        return;
    }
    move_results(g, l);
    uint32_t at = asm_jmp(&g->a, l->code);
    if (l->kind != GL_LOOP)
        link_branch(g, l, at);
}

void gen_end_path(struct native_gen *g)
{
    val_drop_to(g, g->labels[g->label_count - 1].height);
    g->dead = true;
    gen_pause(g);
}

/* --- blocks ------------------------------------------------------------------------------------ */

/* Branches come to where fuel is spent; the way in passes by. */
static void loop_head(struct native_gen *g, struct glabel *l)
{
    uint8_t *over = asm_jmp_short(&g->a);
    asm_align(&g->a, 16);
    l->code = asm_pos(&g->a);
    gen_spend(g, gen_offset(g));
    asm_short_here(&g->a, over);
}

void gen_block(struct native_gen *g, enum glabel_kind kind)
{
    struct glabel l = { .kind = (uint8_t)kind };
    if (kind == GL_IF) {
        struct gval *cond = val_take(g);
        val_flush(g, g->count);
        gen_if_cond(g, cond_of(g, cond));
        return;
    }
    read_blocktype(g, &l);
    if (kind == GL_TRY)
        gen_clauses(g, &l);
    val_flush(g, g->count);
    l.height = g->count - l.param_count;
    if (l.param_count)
        for (uint32_t i = l.height; i < g->count; i++)
            val_settle(g, i);
    struct glabel *made = push_label(g, &l);
    if (kind == GL_LOOP)
        loop_head(g, made);
}

void gen_if_cond(struct native_gen *g, unsigned cond)
{
    struct glabel l = { .kind = GL_IF };
    read_blocktype(g, &l);
    l.height = g->count - l.param_count;
    if (l.param_count) /* constants: no flags change */
        for (uint32_t i = l.height; i < g->count; i++)
            val_settle(g, i);
    if (cond == CC_FEQ) { /* to else when not equal or unordered */
        uint32_t parity = asm_jcc(&g->a, CC_P, 0);
        l.else_fix = asm_jcc(&g->a, CC_NE, 0);
        push_label(g, &l);
        link_to(g, &g->labels[g->label_count - 1].else_more, parity, parity + 4);
        return;
    }
    if (cond == CC_FNE) { /* to else when equal: not unordered */
        uint8_t *unordered = asm_jcc_short(&g->a, CC_P);
        l.else_fix = asm_jcc(&g->a, CC_E, 0);
        asm_short_here(&g->a, unordered);
    } else {
        l.else_fix = asm_jcc(&g->a, cond ^ 1, 0);
    }
    push_label(g, &l);
}

/* Branches of an `if` to its other side lead here. */
static void else_here(struct native_gen *g, struct glabel *l)
{
    asm_patch(&g->a, l->else_fix, asm_pos(&g->a));
    resolve(g, l->else_more, asm_pos(&g->a));
    l->else_fix = l->else_more = 0;
}

void gen_else(struct native_gen *g)
{
    struct glabel *l = &g->labels[g->label_count - 1];
    if (!g->dead) {
        move_results(g, l);
        link_branch(g, l, asm_jmp(&g->a, 0));
    }
    val_drop_to(g, l->height);
    else_here(g, l);
    l->kind = GL_ELSE;
    g->dead = false;
    for (uint32_t i = 0; i < l->param_count; i++)
        val_push_slot(g, l->params[i]);
    g->flushed = g->count;
}

static void push_results(struct native_gen *g, const struct glabel *l)
{
    if (l->result_count == 1) {
        bool f = is_float(l->results[0]);
        if (f)
            g->xmm_free &= ~1u;
        else
            g->gpr_free &= ~(1u << RAX);
        val_push_reg(g, l->results[0], f ? 0 : RAX, false);
    } else {
        for (uint32_t i = 0; i < l->result_count; i++)
            val_push_slot(g, l->results[i]);
    }
}

/* An `if` without else: its parameters are its results when it is not taken. */
static void missing_else(struct native_gen *g, struct glabel *l)
{
    if (l->result_count == 1) {
        if (!g->dead)
            link_branch(g, l, asm_jmp(&g->a, 0));
        else_here(g, l);
        struct gval v = { .type = l->results[0], .kind = G_SLOT, .reg = NO_REG,
                          .at = l->height };
        val_load(g, &v, is_float(v.type) ? 0 : RAX);
    } else {
        else_here(g, l);
    }
}

void gen_end(struct native_gen *g)
{
    struct glabel *l = &g->labels[g->label_count - 1];
    if (l->kind == GL_FUNC) {
        if (!g->dead) {
            return_results(g);
            gen_epilogue(g);
        }
        val_drop_to(g, 0);
        g->label_count = 0;
        gen_pause(g);
        return;
    }
    if (l->kind == GL_TRY)
        gen_try_end(g, l);
    bool joined = l->fixups || l->else_fix;
    if (!joined && !g->dead) { /* nobody else comes here */
        g->label_count--;
        return;
    }
    if (joined) {
        if (!g->dead && l->kind != GL_LOOP)
            move_results(g, l);
        val_drop_to(g, l->height);
        if (l->else_fix)
            missing_else(g, l);
        resolve(g, l->fixups, asm_pos(&g->a));
        g->dead = false;
        push_results(g, l);
        g->flushed = l->height;
    }
    g->label_count--;
}

/* --- branches ------------------------------------------------------------------------------------- */

void gen_br(struct native_gen *g, uint32_t depth)
{
    gen_leave(g, label_at(g, depth));
    gen_end_path(g);
}

void gen_return(struct native_gen *g)
{
    gen_leave(g, &g->labels[0]);
    gen_end_path(g);
}

void gen_unreachable(struct native_gen *g)
{
    uint32_t from = asm_jmp(&g->a, 0);
    gen_stub(g, (struct gstub){ STUB_TRAP, ENG_TRAP_UNREACHABLE, 0, from, 0, gen_offset(g), 0 });
    gen_end_path(g);
}

/* No values move. */
static void branch_plain(struct native_gen *g, struct glabel *l, unsigned cond)
{
    uint32_t at;
    uint8_t *skip = NULL;
    if (cond == CC_FEQ) {
        skip = asm_jcc_short(&g->a, CC_P);
        cond = CC_E;
    } else if (cond == CC_FNE) {
        at = asm_jcc(&g->a, CC_P, l->code);
        if (l->kind != GL_LOOP)
            link_branch(g, l, at);
        cond = CC_NE;
    }
    at = asm_jcc(&g->a, cond, l->code);
    if (l->kind != GL_LOOP)
        link_branch(g, l, at);
    if (skip)
        asm_short_here(&g->a, skip);
}

void gen_br_if_cond(struct native_gen *g, uint32_t depth, unsigned cond)
{
    struct glabel *l = label_at(g, depth);
    if (!label_arity(l) && l->kind != GL_FUNC) {
        branch_plain(g, l, cond);
        return;
    }
    uint32_t skip, also = 0;
    if (cond == CC_FNE) {
        uint8_t *go = asm_jcc_short(&g->a, CC_P);
        skip = asm_jcc(&g->a, CC_E, 0);
        asm_short_here(&g->a, go);
    } else if (cond == CC_FEQ) {
        also = asm_jcc(&g->a, CC_P, 0);
        skip = asm_jcc(&g->a, CC_NE, 0);
    } else {
        skip = asm_jcc(&g->a, cond ^ 1, 0);
    }
    uint32_t gprs = g->gpr_free, xmms = g->xmm_free;
    gen_leave(g, l);
    g->gpr_free = gprs;
    g->xmm_free = xmms;
    asm_patch(&g->a, skip, asm_pos(&g->a));
    if (also)
        asm_patch(&g->a, also, asm_pos(&g->a));
}

void gen_br_if(struct native_gen *g, uint32_t depth)
{
    gen_br_if_cond(g, depth, cond_pop(g));
}

/* --- br_table ------------------------------------------------------------------------------------- */

/* One entry; `table` is its start. Labels that want values moved get a stub. */
static void table_entry(struct native_gen *g, struct glabel *l, uint32_t table, uint32_t *stubs)
{
    uint32_t at = asm_pos(&g->a);
    asm_32(&g->a, l->code - table);
    if (l->kind == GL_FUNC || label_arity(l)) {
        if (l->table_number != g->table_number) {
            l->table_number = g->table_number;
            l->table_stub = 0;
            l->table_next = *stubs;
            *stubs = (uint32_t)(l - g->labels) + 1;
        }
        link_to(g, &l->table_stub, at, table);
    } else if (l->kind != GL_LOOP) {
        link_to(g, &l->fixups, at, table);
    }
}

void gen_br_table(struct native_gen *g)
{
    struct assembler *a = &g->a;
    uint32_t n = body_u32(&g->p), stubs = 0;
    struct gval v = val_pop(g);
    unsigned i = val_temp(g, &v), t = gpr_alloc(g);
    asm_mov_imm(a, t, n);
    asm_rr(a, OP_CMP, i, t);
    asm_rr(a, X64_NTH(OP_CMOV, CC_A), i, t);
    uint32_t lea = asm_rip(a, OP_LEA | X64_WIDE, t, 0);
    asm_rm(a, OP_MOVSXD | X64_WIDE, i, mem_index(t, i, 2, 0));
    asm_rr(a, OP_ADD | X64_WIDE, i, t);
    asm_8(a, 0x3e); /* notrack: the targets are ours alone */
    asm_rr(a, OP_GROUP5, 4, i);
    gpr_free(g, i);
    gpr_free(g, t);
    if (!gen_room(g, (size_t)n * 4 + 64))
        return;
    uint32_t table = asm_pos(a);
    asm_patch(a, lea, table);
    g->table_number++;
    for (uint32_t k = 0; k <= n && !g->error; k++)
        table_entry(g, label_at(g, body_u32(&g->p)), table, &stubs);
    while (stubs && gen_op_room(g)) { /* each moves as many values as its label wants */
        struct glabel *l = &g->labels[stubs - 1];
        resolve(g, l->table_stub, asm_pos(a));
        stubs = l->table_next;
        l->table_stub = 0;
        uint32_t gprs = g->gpr_free, xmms = g->xmm_free;
        gen_leave(g, l);
        g->gpr_free = gprs;
        g->xmm_free = xmms;
    }
    gen_end_path(g);
}
