/* Exceptions: throw, throw_ref, try_table.
 *
 * Each clause of a try_table gets a piece of code behind the body, to which only
 * exception_unwind() leads: what was caught is at home then, as if it had just been pushed
 * onto the values below the block, and a branch takes it to the clause's label. */
#include "validate/func.h"

static const uint8_t exnref = ENG_EXNREF;

static int read_tag(struct compiler *c, uint32_t *ret)
{
    const uint8_t *at = c->l->r.p;
    *ret = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    return *ret < c->m->tag_count ? 0 : fail_at(c, at, "unknown tag");
}

int op_throw(struct compiler *c, const uint8_t *at)
{
    uint32_t tag;
    int err = read_tag(c, &tag);
    if (err)
        return err;
    const struct eng_functype *t = &c->m->slot_types[c->m->tags[tag]];
    err = check_tops(c, t->params, t->param_count);
    if (!err)
        err = settle_top(c, t->param_count);
    if (!err)
        err = pop_all(c, t->params, t->param_count);
    if (!err && !c->dead)
        err = emit_offset(c, emit(c, OP_throw, operands_imm(c->base + c->value_count, 0, tag)), at);
    if (!err)
        set_unreachable(c);
    return err;
}

int op_throw_ref(struct compiler *c, const uint8_t *at)
{
    int err = pop(c, ENG_EXNREF);
    if (!err && !c->dead) {
        uint32_t slot = slot_of(c, &c->values[c->value_count]);
        err = emit_offset(c, emit(c, OP_throw_ref, operands_imm(slot, 0, 0)), at);
    }
    if (!err)
        set_unreachable(c);
    return err;
}

static bool has_reference(uint32_t kind)
{
    return kind == CATCH_REF || kind == CATCH_ALL_REF;
}

/* The types of what a clause catches: those of its tag, then perhaps a reference. */
static const uint8_t *caught(const struct compiler *c, const struct clause *k, uint32_t *ret_count)
{
    const struct eng_functype *t =
        k->kind < CATCH_ALL ? &c->m->slot_types[c->m->tags[k->tag]] : NULL;
    *ret_count = t ? t->param_count : 0;
    return t ? t->params : NULL;
}

static int check_clause(struct compiler *c, const struct clause *k, const uint8_t *at)
{
    const struct label *l = &c->labels[k->label];
    uint32_t n;
    const uint8_t *types = caught(c, k, &n), *want = label_types(l);
    bool match = label_arity(l) == n + has_reference(k->kind) && types_match(c, types, n, want, n);
    if (match && has_reference(k->kind) && want[n] != ENG_EXNREF) {
        uint8_t caught_ref = type_fine(c->l, &(struct ref_type){ .heap = ENG_EXNREF });
        match = caught_ref && type_matches(c->m, caught_ref, want[n]);
    }
    return match ? 0 : fail_at(c, at, "type mismatch");
}

/* For the native compiler: the operands that there are when k has caught something. */
static void note_caught(struct compiler *c, const struct clause *k)
{
    uint32_t n;
    const uint8_t *types = caught(c, k, &n);
    for (uint32_t i = 0; i < n; i++)
        c->vectors |= types[i] == V128_HIGH;
    n += c->value_count + has_reference(k->kind);
    if (c->native && n > c->max_height)
        c->max_height = n;
}

static int read_clause(struct compiler *c)
{
    struct reader *r = &c->l->r;
    const uint8_t *at = r->p;
    struct clause k = { .kind = reader_byte(r) };
    if (r->failed || k.kind > CATCH_ALL_REF)
        return reader_fail(r, E_MALFORMED, at, "malformed catch clause");
    int err = k.kind < CATCH_ALL ? read_tag(c, &k.tag) : 0;
    if (err)
        return err;
    const uint8_t *label_at = r->p;
    uint32_t depth = reader_u32(r);
    if (r->failed)
        return E_MALFORMED;
    if (depth >= c->label_count)
        return fail_at(c, label_at, "unknown label");
    k.label = c->label_count - 1 - depth;
    if (array_grow(c->l->env, (void **)&c->clauses, &c->clause_capacity, c->clause_count + 1u,
                   sizeof *c->clauses))
        return reader_fail(r, E_NOMEM, NULL, "out of memory");
    c->clauses[c->clause_count++] = k;
    note_caught(c, &k);
    return check_clause(c, &k, at);
}

int read_clauses(struct compiler *c)
{
    uint32_t n = reader_count(&c->l->r, ENG_MAX_CATCHES, "catch clauses");
    int err = c->l->r.failed ? E_MALFORMED : 0;
    for (uint32_t i = 0; i < n && !err; i++)
        err = read_clause(c);
    return err;
}

int op_try_table(struct compiler *c)
{
    return op_block(c, L_TRY);
}

/* Code that takes what k caught, which is on the stack, to its label. */
static int emit_clause(struct compiler *c, const struct clause *k)
{
    uint32_t n, height = c->value_count;
    const uint8_t *types = caught(c, k, &n);
    int err = emit_room(c, EMIT_RESERVE);
    if (!err)
        err = push_all(c, types, n);
    if (!err && has_reference(k->kind))
        err = push_all(c, &exnref, 1);
    if (err)
        return err;
    emit_label(c);
    c->wide_pos = 0;
    struct module_catch *m = &c->catches[c->catch_count++];
    *m = (struct module_catch){ k->kind, k->tag, c->code_count };
    err = emit_br(c, &c->labels[k->label]);
    c->value_count = height;
    return err;
}

int try_end(struct compiler *c, struct label *l)
{
    const struct eng_env *env = c->l->env;
    uint32_t n = c->clause_count - l->clauses;
    c->clause_count = l->clauses;
    if (l->dead_outside || !n)
        return 0;
    struct module_try t = { l->code, c->code_count, c->catch_count, n, c->base + l->height };
    int err = 0;
    if (!c->dead) {
        err = settle_top(c, l->result_count);
        if (!err)
            link_site(c, emit(c, OP_br, 0) + 1, l);
    }
    while (c->value_count > l->height)
        unref(c, &c->values[--c->value_count]);
    if (!err && (array_grow(env, (void **)&c->tries, &c->try_capacity, c->try_count + 1u,
                            sizeof *c->tries) ||
                 array_grow(env, (void **)&c->catches, &c->catch_capacity,
                            (size_t)c->catch_count + n, sizeof *c->catches)))
        err = reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    if (err)
        return err;
    c->tries[c->try_count++] = t;
    c->dead = false;
    for (uint32_t i = 0; i < n && !err; i++)
        err = emit_clause(c, &c->clauses[l->clauses + i]);
    c->dead = true; /* nothing falls through these */
    return err;
}
