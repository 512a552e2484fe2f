/* Exceptions: throwing, and blocks that catch.
 *
 * A try_table costs a jump over its clauses. Each clause is a piece of code at the block's end, to
 * which only unwind.c leads: what was caught is then in the homes of the operands above those below
 * the block, and a branch takes it to the clause's label. Which calls a block is around is
 * told by their offsets in the module, from module_try.from up to its end. */
#include "x64/gen.h"

enum { HAS_TAG = CATCH_ALL }; /* kinds below have one */

static bool has_reference(uint32_t kind)
{
    return kind == CATCH_REF || kind == CATCH_ALL_REF;
}

/* Of l, which is about to be pushed. */
void gen_clauses(struct native_gen *g, struct glabel *l)
{
    l->clauses = g->clause_count;
    uint32_t n = body_u32(&g->p);
    if (!gen_grow(g, (void **)&g->clauses, &g->clause_capacity, (size_t)g->clause_count + n,
                  sizeof *g->clauses))
        return;
    for (uint32_t i = 0; i < n; i++) {
        struct gclause c = { .kind = *g->p++ };
        c.tag = c.kind < HAS_TAG ? body_u32(&g->p) : 0;
        c.label = g->label_count - 1 - body_u32(&g->p);
        g->clauses[g->clause_count++] = c;
    }
    l->from = (uint32_t)(g->p - g->bytes);
}

static void clause(struct native_gen *g, const struct gclause *c)
{
    const struct eng_functype *t = c->kind < HAS_TAG ? &g->m->types[g->m->tags[c->tag]] : NULL;
    uint32_t n = t ? t->param_count : 0, height = g->count;
    if (!gen_room(g, 1024 + ((size_t)n + g->type->result_count + g->count) * 48))
        return;
    g->catches[g->catch_count++] = (struct module_catch){ c->kind, c->tag, asm_pos(&g->a) };
    gen_reload_locals(g);
    for (uint32_t i = 0; i < n; i++)
        val_push_slot(g, t->params[i]);
    if (has_reference(c->kind))
        val_push_slot(g, ENG_EXNREF);
    gen_leave(g, &g->labels[c->label]);
    val_drop_to(g, height);
}

void gen_try_end(struct native_gen *g, struct glabel *l)
{
    uint32_t n = g->clause_count - l->clauses;
    g->clause_count = l->clauses;
    if (!n ||
        !gen_grow(g, (void **)&g->tries, &g->try_capacity, (size_t)g->try_count + 1,
                  sizeof *g->tries) ||
        !gen_grow(g, (void **)&g->catches, &g->catch_capacity, (size_t)g->catch_count + n,
                  sizeof *g->catches))
        return;
    if (!g->dead)
        gen_leave(g, l);
    val_drop_to(g, l->height);
    g->tries[g->try_count++] = (struct module_try){ l->from, gen_offset(g), g->catch_count, n,
                                                    g->value_base + (l->height << g->home_shift) };
    for (uint32_t i = 0; i < n && !g->error; i++)
        clause(g, &g->clauses[l->clauses + i]);
    g->dead = true; /* nothing falls through these */
    gen_pause(g);
}

/* The values for C, in a row of words: each where it was or below. */
static void pack(struct native_gen *g, const struct eng_functype *t)
{
    struct x64_mem to = slot_mem(g, g->count - t->param_count);
    for (uint32_t i = 0; i < t->param_count; i++) {
        struct x64_mem from = slot_mem(g, g->count - t->param_count + i);
        if (from.disp != to.disp)
            mem_move(g, t->params[i], to, from);
        to.disp += (int32_t)(type_words(t->params[i]) * 8);
    }
}

static void raise_with(struct native_gen *g, enum helper h)
{
    struct assembler *a = &g->a;
    asm_rm(a, OP_MOV | X64_WIDE, RAX, mem_of(REG_INST, offsetof(struct native_ctx, helpers)));
    asm_rm(a, OP_MOV | X64_WIDE, RAX, mem_of(RAX, (int32_t)(h * sizeof(void *))));
    asm_call(a, g->entries.raise);
    gen_place(g, asm_pos(a), gen_offset(g), false);
    gen_end_path(g);
}

void gen_throw(struct native_gen *g)
{
    uint32_t tag = body_u32(&g->p);
    const struct eng_functype *t = &g->m->types[g->m->tags[tag]];
    if (!gen_room(g, 1024 + ((size_t)t->param_count + g->count) * 48))
        return;
    for (uint32_t i = g->count - t->param_count; i < g->count; i++)
        val_settle(g, i);
    gen_save_locals(g);
    pack(g, t);
    asm_rm(&g->a, OP_LEA | X64_WIDE, RSI, slot_mem(g, g->count - t->param_count));
    asm_mov_imm(&g->a, RDX, tag);
    raise_with(g, H_THROW);
}

void gen_throw_ref(struct native_gen *g)
{
    struct gval v = val_pop(g);
    gen_save_locals(g);
    val_load(g, &v, RSI);
    val_release(g, &v);
    raise_with(g, H_THROW_REF);
}
