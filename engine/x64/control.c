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

static APART void read_type(struct native_gen *g, struct glabel *l)
{
    uint8_t byte = *g->p;
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

/* A label whose type is read; it is none of the labels yet. */
static inline struct glabel *next_label(struct native_gen *g, enum glabel_kind kind)
{
    if (!gen_grow(g, (void **)&g->labels, &g->label_capacity, g->label_count + 1u,
                  sizeof *g->labels))
        g->label_count--; /* failed: never used */
    struct glabel *l = &g->labels[g->label_count];
    *l = (struct glabel){ .kind = (uint8_t)kind };
    if (*g->p == 0x40)
        g->p++;
    else
        read_type(g, l);
    return l;
}

static APART void settle_from(struct native_gen *g, uint32_t height)
{
    for (uint32_t i = height; i < g->count; i++)
        val_settle(g, i);
}

/* Now it is, and its parameters are in their homes. */
static inline void push_label(struct native_gen *g, struct glabel *l)
{
    g->label_count++;
    l->height = g->count - l->param_count;
    if (l->param_count)
        settle_from(g, l->height);
}

/* --- fix-ups --------------------------------------------------------------------------- */

/* A branch that ends here waits for the list's label. */
static inline void link_here(struct native_gen *g, uint32_t *list)
{
    uint8_t *p = g->a.p;
    memcpy(p, list, 4);
    *list = (uint32_t)(p - g->a.start);
    g->a.p = p + 4;
}

/* All of the list lead here. */
static inline void resolve(struct native_gen *g, uint32_t list)
{
    uint8_t *start = g->a.start;
    uint32_t here = (uint32_t)(g->a.p - start) - 4;
    while (list) {
        uint32_t by = here - list;
        uint8_t *at = start + list;
        memcpy(&list, at, 4);
        memcpy(at, &by, 4);
    }
}

/* To l, or on to its end. */
static inline void branch_disp(struct native_gen *g, struct glabel *l)
{
    if (l->kind != GL_LOOP)
        link_here(g, &l->fixups);
    else
        asm_32(&g->a, l->code - (asm_pos(&g->a) + 4));
}

static inline void jump_to(struct native_gen *g, struct glabel *l)
{
    asm_8(&g->a, 0xe9);
    branch_disp(g, l);
}

/* The opcode of a branch, whose displacement is to follow. */
static inline void put_jcc(struct native_gen *g, unsigned cond)
{
    uint8_t *p = g->a.p;
    uint16_t code = (uint16_t)(0x800f | cond << 8);
    memcpy(p, &code, 2);
    g->a.p = p + 2;
}

/* The displacement at `at` of a table, counted from base, shall lead to a label, whose list it is. There is
 * room for it. */
static inline void link_entry(struct native_gen *g, uint32_t *list, uint32_t at, uint32_t base)
{
    uint32_t i = ++g->fix_count;
    g->fixes[i] = (struct gfix){ at, base, *list };
    *list = i;
}

static void resolve_entries(struct native_gen *g, uint32_t list)
{
    uint32_t target = asm_pos(&g->a);
    for (; list; list = g->fixes[list].next)
        asm_write32(&g->a, g->fixes[list].at, target - g->fixes[list].base);
}

/* --- moving results to where a label wants them ------------------------------------------- */

/* The operands' state does not change: a branch that may not be taken leaves others to
 * their path. Registers that the moved ones do not need are free to be changed. */
static APART void move_to_home(struct native_gen *g, uint32_t first, uint32_t home,
                                                   uint32_t n)
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

static inline void move_to_result(struct native_gen *g)
{
    const struct gval *v = &g->vals[g->count - 1];
    unsigned reg = is_float(v->type) ? 0 : RAX;
    if (v->reg != reg)
        val_load(g, v, reg);
    if (v->dirty)
        val_clean_reg(g, reg, v->type, v->dirty);
}

static inline void move_results(struct native_gen *g, const struct glabel *l)
{
    uint32_t n = label_arity(l);
    if (!n)
        return;
    if (n == 1 && l->kind != GL_LOOP)
        move_to_result(g);
    else
        move_to_home(g, g->count - n, l->height, n);
}

static APART void return_several(struct native_gen *g)
{
    uint32_t n = g->type->result_count, first = g->count - n, at = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct gval v = g->vals[first + i];
        struct gval copy = v;
        val_store(g, &copy, mem_of(RSP, (int32_t)(g->frame_total + 8 + at * 8)));
        at += type_words(v.type);
        if (copy.kind == G_REG && v.kind != G_REG)
            val_release(g, &copy);
    }
}

static inline void return_results(struct native_gen *g)
{
    uint32_t n = g->type->result_count;
    if (n == 1)
        move_to_result(g);
    else if (n)
        return_several(g);
}

void gen_leave(struct native_gen *g, struct glabel *l)
{
    if (l->kind == GL_FUNC) {
        return_results(g);
        gen_epilogue(g);
        return;
    }
    move_results(g, l);
    jump_to(g, l);
}

static inline void drop_to(struct native_gen *g, uint32_t count)
{
    if (g->count > count)
        val_drop_to(g, count);
}

void gen_end_path(struct native_gen *g)
{
    drop_to(g, g->labels[g->label_count - 1].height);
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

static void gen_if(struct native_gen *g)
{
    struct gval *cond = val_take(g);
    val_flush(g, g->count);
    gen_if_cond(g, cond_of(g, cond));
}

void gen_block(struct native_gen *g, enum glabel_kind kind)
{
    if (kind == GL_IF) {
        gen_if(g);
        return;
    }
    struct glabel *l = next_label(g, kind);
    if (kind == GL_TRY)
        gen_clauses(g, l);
    if (g->flushed < g->count)
        val_flush(g, g->count);
    push_label(g, l);
    if (kind == GL_LOOP)
        loop_head(g, l);
}

/* The branch of an `if` to its other side. */
static inline void branch_else(struct native_gen *g, struct glabel *l, unsigned cond)
{
    put_jcc(g, cond);
    link_here(g, &l->else_fix);
}

static APART void branch_else_float(struct native_gen *g, struct glabel *l,
                                                        unsigned cond)
{
    if (cond == CC_FEQ) { /* when not equal or unordered */
        branch_else(g, l, CC_P);
        branch_else(g, l, CC_NE);
    } else { /* when equal: not unordered */
        uint8_t *unordered = asm_jcc_short(&g->a, CC_P);
        branch_else(g, l, CC_E);
        asm_short_here(&g->a, unordered);
    }
}

void gen_if_cond(struct native_gen *g, unsigned cond)
{
    struct glabel *l = next_label(g, GL_IF);
    push_label(g, l); /* parameters that move now are constants: no flags change */
    if (cond >= CC_FEQ)
        branch_else_float(g, l, cond);
    else
        branch_else(g, l, cond ^ 1);
}

/* Branches of an `if` to its other side lead here. */
static void else_here(struct native_gen *g, struct glabel *l)
{
    resolve(g, l->else_fix);
    l->else_fix = 0;
}

void gen_else(struct native_gen *g)
{
    struct glabel *l = &g->labels[g->label_count - 1];
    if (!g->dead) {
        move_results(g, l);
        jump_to(g, l);
    }
    drop_to(g, l->height);
    else_here(g, l);
    l->kind = GL_ELSE;
    gen_resume(g);
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

/* An `if` without else: its parameter is its result when it is not taken. */
static APART void missing_else(struct native_gen *g, struct glabel *l)
{
    if (!g->dead)
        jump_to(g, l);
    else_here(g, l);
    struct gval v = { .type = l->results[0], .kind = G_SLOT, .reg = NO_REG, .at = l->height };
    val_load(g, &v, is_float(v.type) ? 0 : RAX);
}

static inline void end_function(struct native_gen *g)
{
    if (!g->dead) {
        return_results(g);
        gen_epilogue(g);
    }
    g->count = g->label_count = 0; /* what operands held matters no more */
    gen_pause(g);
}

static APART void end_any(struct native_gen *g)
{
    struct glabel *l = &g->labels[g->label_count - 1];
    if (l->kind == GL_FUNC) {
        end_function(g);
        return;
    }
    if (l->kind == GL_TRY)
        gen_try_end(g, l);
    g->label_count--;
    if (!(l->fixups | l->else_fix | l->table_fixes)) /* nobody else comes here */
        return;
    if (!g->dead && l->kind != GL_LOOP)
        move_results(g, l);
    drop_to(g, l->height);
    if (l->else_fix && l->result_count == 1)
        missing_else(g, l);
    else
        resolve(g, l->else_fix);
    resolve(g, l->fixups);
    if (l->table_fixes)
        resolve_entries(g, l->table_fixes);
    gen_resume(g);
    if (l->result_count)
        push_results(g, l);
    g->flushed = l->height;
}

void gen_end(struct native_gen *g)
{
    struct glabel *l = &g->labels[g->label_count - 1];
    bool plain = l->kind != GL_FUNC && l->kind != GL_TRY;
    if (!plain || l->result_count || l->table_fixes || g->count != l->height) {
        end_any(g);
        return;
    }
    g->label_count--;
    if (!(l->fixups | l->else_fix)) /* nobody else comes here */
        return;
    resolve(g, l->else_fix);
    resolve(g, l->fixups);
    gen_resume(g);
    g->flushed = l->height;
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

/* On a condition of the CPU's. */
static inline void branch_if(struct native_gen *g, struct glabel *l, unsigned cond)
{
    put_jcc(g, cond);
    branch_disp(g, l);
}

/* On one that is not. */
static APART void branch_if_float(struct native_gen *g, struct glabel *l,
                                                      unsigned cond)
{
    if (cond == CC_FEQ) {
        uint8_t *skip = asm_jcc_short(&g->a, CC_P);
        branch_if(g, l, CC_E);
        asm_short_here(&g->a, skip);
    } else {
        branch_if(g, l, CC_P);
        branch_if(g, l, CC_NE);
    }
}

/* Over the code that moves values, when the condition does not hold. */
static APART void branch_moving(struct native_gen *g, struct glabel *l, unsigned cond)
{
    uint8_t *go = NULL;
    uint32_t skip = 0, gprs = g->gpr_free, xmms = g->xmm_free;
    if (cond == CC_FNE) {
        go = asm_jcc_short(&g->a, CC_P);
        cond = CC_NE;
    } else if (cond == CC_FEQ) {
        put_jcc(g, CC_P);
        link_here(g, &skip);
        cond = CC_E;
    }
    put_jcc(g, cond ^ 1);
    link_here(g, &skip);
    if (go)
        asm_short_here(&g->a, go);
    gen_leave(g, l);
    g->gpr_free = gprs;
    g->xmm_free = xmms;
    resolve(g, skip);
}

void gen_br_if_cond(struct native_gen *g, uint32_t depth, unsigned cond)
{
    struct glabel *l = label_at(g, depth);
    if (label_arity(l) || l->kind == GL_FUNC)
        branch_moving(g, l, cond);
    else if (cond >= CC_FEQ)
        branch_if_float(g, l, cond);
    else
        branch_if(g, l, cond);
}

void gen_br_if(struct native_gen *g, uint32_t depth)
{
    gen_br_if_cond(g, depth, cond_pop(g));
}

/* --- br_table ------------------------------------------------------------------------------------- */

/* An entry that leads to a label that wants values moved: there is a stub for all of these. */
static APART void moving_entry(struct native_gen *g, struct glabel *l, uint32_t at,
                                                   uint32_t table, uint32_t *stubs)
{
    if (l->table_number != g->table_number) {
        l->table_number = g->table_number;
        l->table_stub = 0;
        l->table_next = *stubs;
        *stubs = (uint32_t)(l - g->labels) + 1;
    }
    link_entry(g, &l->table_stub, at, table);
}

/* The entries, of which there are n. Stubs that they need, linked. */
static uint32_t table_entries(struct native_gen *g, uint32_t n)
{
    struct glabel *top = label_at(g, 0);
    const uint8_t *from = g->p;
    uint32_t table = asm_pos(&g->a), stubs = 0;
    for (uint32_t i = 0, at = table; i < n; i++, at += 4) {
        uint32_t depth = *from < 0x80 ? *from++ : (uint32_t)body_leb_slow(&from, false);
        struct glabel *l = top - depth;
        asm_write32(&g->a, at, l->code - table);
        if (l->kind == GL_FUNC || label_arity(l))
            moving_entry(g, l, at, table, &stubs);
        else if (l->kind != GL_LOOP)
            link_entry(g, &l->table_fixes, at, table);
    }
    g->p = from;
    g->a.p += (size_t)n * 4;
    return stubs;
}

void gen_br_table(struct native_gen *g)
{
    struct assembler *a = &g->a;
    uint32_t n = body_u32(&g->p);
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
    if (!gen_room(g, (size_t)n * 4 + 64) ||
        !gen_grow(g, (void **)&g->fixes, &g->fix_capacity, (size_t)g->fix_count + n + 2,
                  sizeof *g->fixes))
        return;
    asm_patch(a, lea, asm_pos(a));
    g->table_number++;
    uint32_t stubs = table_entries(g, n + 1);
    while (stubs && gen_op_room(g)) { /* each moves as many values as its label wants */
        struct glabel *l = &g->labels[stubs - 1];
        resolve_entries(g, l->table_stub);
        stubs = l->table_next;
        l->table_stub = 0;
        uint32_t gprs = g->gpr_free, xmms = g->xmm_free;
        gen_leave(g, l);
        g->gpr_free = gprs;
        g->xmm_free = xmms;
    }
    gen_end_path(g);
}
