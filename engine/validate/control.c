/* Control instructions: blocks and what leaves them, select. */
#include "runtime/native.h"
#include "validate/func.h"

static const uint8_t single_types[] = { 0x69, 0, 0, 0, 0, 0, 0x6f, 0x70, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x7c, 0x7d, 0x7e, 0x7f };

static const uint8_t v128_types[] = { ENG_V128, V128_HIGH };

static int read_blocktype(struct compiler *c, struct label *l)
{
    struct reader *r = &c->l->r;
    const uint8_t *at = r->p;
    if (r->p < r->end && *r->p == 0x40) {
        r->p++;
        return 0;
    }
    if (r->p < r->end && (*r->p == 0x63 || *r->p == 0x64) && !c->l->core_2_only) {
        uint8_t *type = LOADER_ARRAY(c->l, uint8_t, 1);
        l->results = type;
        l->result_count = 1;
        return type ? read_valtype(c->l, type) : E_NOMEM;
    }
    if (r->p < r->end && *r->p >= 0x40 && *r->p < 0x80) {
        uint8_t t;
        int err = read_valtype(c->l, &t);
        if (err)
            return err;
        bool wide = ENG_SIMD && t == ENG_V128;
        l->results = wide ? v128_types : &single_types[t - 0x69];
        l->result_count = 1u + wide;
        return 0;
    }
    int64_t i = reader_s33(r);
    if (r->failed)
        return E_MALFORMED;
    if (i < 0)
        return reader_fail(r, E_MALFORMED, at, "malformed block type");
    if (i >= c->m->type_count)
        return fail_at(c, at, "unknown type");
    const struct eng_functype *t = &c->m->slot_types[i];
    l->params = t->params;
    l->results = t->results;
    l->param_count = t->param_count;
    l->result_count = t->result_count;
    return 0;
}

int op_block(struct compiler *c, enum label_kind kind)
{
    struct label l = { .kind = (uint8_t)kind, .dead_outside = c->dead };
    int err = read_blocktype(c, &l);
    l.clauses = c->clause_count;
    if (!err && kind == L_TRY)
        err = read_clauses(c);
    if (!err && kind == L_IF)
        err = pop(c, ENG_I32);
    if (err)
        return err;
    uint32_t cond_at = c->value_count;
    struct value cond = { 0 };
    if (kind == L_IF)
        cond = c->values[cond_at];
    err = check_tops(c, l.params, l.param_count);
    if (err)
        return err;
    if (c->label_count >= ENG_MAX_NESTING)
        return reader_fail(&c->l->r, E_LIMIT, NULL, "blocks nested too deeply");
    if (array_grow(c->l->env, (void **)&c->labels, &c->label_capacity, c->label_count + 1u,
                   sizeof *c->labels))
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    if (!c->dead) {
        settle_locals(c);
        err = settle_top(c, l.param_count);
        if (err)
            return err;
        if (kind == L_IF) {
            c->values[cond_at] = cond;
            l.else_site = emit_branch_if(c, &c->values[cond_at], false, false);
        } else if (kind == L_LOOP) {
            emit_label(c);
            l.code = c->code_count;
        } else if (kind == L_TRY) {
            l.code = c->code_count;
        }
    }
    l.height = c->value_count - l.param_count;
    /* In dead code parameters that were made up are made up as asked for. */
    for (uint32_t i = 0; i < l.param_count; i++)
        c->values[l.height + i].type = l.params[i];
    c->labels[c->label_count++] = l;
    if (c->scan && kind == L_LOOP)
        native_scan_loop(c->scan, 1);
    return 0;
}

static int check_block_end(struct compiler *c, const struct label *l, const uint8_t *at)
{
    int err = check_tops(c, l->results, l->result_count);
    if (!err && c->value_count != l->height + l->result_count)
        err = fail_at(c, at, "type mismatch: values remaining on stack at end of block");
    return err;
}

static void drop_to(struct compiler *c, uint32_t height)
{
    while (c->value_count > height)
        unref(c, &c->values[--c->value_count]);
}

int op_else(struct compiler *c, const uint8_t *at)
{
    struct label *l = &c->labels[c->label_count - 1];
    if (l->kind != L_IF)
        return reader_fail(&c->l->r, E_MALFORMED, at, "else without if: unexpected token");
    int err = check_block_end(c, l, at);
    if (err)
        return err;
    if (!c->dead) {
        err = settle_top(c, l->result_count);
        if (err)
            return err;
        link_site(c, emit(c, OP_br, 0) + 1, l);
    }
    drop_to(c, l->height);
    if (l->else_site)
        patch_site(c, l->else_site, c->code_count);
    emit_label(c);
    l->else_site = 0;
    l->kind = L_ELSE;
    l->unreachable = false;
    c->dead = l->dead_outside;
    return push_all(c, l->params, l->param_count);
}

bool types_match(const struct compiler *c, const uint8_t *a, uint32_t n, const uint8_t *b,
                 uint32_t m)
{
    for (uint32_t i = 0; n == m && i < n; i++)
        if (!type_matches(c->m, a[i], b[i]))
            return false;
    return n == m;
}

int op_end(struct compiler *c, const uint8_t *at)
{
    struct label *l = &c->labels[c->label_count - 1];
    int err = check_block_end(c, l, at);
    if (err)
        return err;
    if (l->kind == L_IF &&
        !types_match(c, l->params, l->param_count, l->results, l->result_count))
        return fail_at(c, at, "type mismatch: if without else");
    if (l->kind == L_FUNC) {
        err = emit_return(c);
        c->label_count--;
        return err;
    }
    if (c->scan && l->kind == L_LOOP)
        native_scan_loop(c->scan, -1);
    if (l->kind == L_TRY) {
        err = try_end(c, l);
        if (err)
            return err;
    }
    bool live = !c->dead, joined = l->patches || l->else_site;
    if (live && joined)
        err = settle_top(c, l->result_count);
    if (err)
        return err;
    if (joined || !live) {
        drop_to(c, l->height);
        patch_list(c, l->patches, c->code_count);
        if (l->else_site)
            patch_site(c, l->else_site, c->code_count);
        emit_label(c);
        err = push_all(c, l->results, l->result_count);
    } else {
        for (uint32_t i = 0; i < l->result_count; i++)
            c->values[l->height + i].type = l->results[i];
    }
    c->dead = l->dead_outside || !(live || joined);
    c->label_count--;
    return err;
}

static struct label *read_label(struct compiler *c)
{
    const uint8_t *at = c->l->r.p;
    uint32_t depth = reader_u32(&c->l->r);
    if (!c->l->r.failed && depth >= c->label_count)
        fail_at(c, at, "unknown label");
    return c->l->r.failed ? NULL : &c->labels[c->label_count - 1 - depth];
}

int op_br(struct compiler *c)
{
    struct label *l = read_label(c);
    int err = l ? check_tops(c, label_types(l), label_arity(l)) : E_INVAL;
    if (!err)
        err = emit_br(c, l);
    if (!err)
        set_unreachable(c);
    return err;
}

int op_br_if(struct compiler *c)
{
    struct label *l = read_label(c);
    int err = l ? pop(c, ENG_I32) : E_INVAL;
    if (err)
        return err;
    struct value cond = c->values[c->value_count];
    uint32_t at = c->value_count, n = label_arity(l);
    err = check_tops(c, label_types(l), n);
    if (err)
        return err;
    /* What was made up now has the label's types. */
    for (uint32_t i = 0; i < n; i++)
        c->values[c->value_count - n + i].type = label_types(l)[i];
    if (c->dead)
        return 0;
    c->values[at] = cond;
    return emit_br_if(c, &c->values[at], l);
}

/* Checks label l once a table and says where its entry leads to. */
static int table_entry(struct compiler *c, struct label *l, uint32_t arity, uint32_t *stubs)
{
    if (label_arity(l) != arity)
        return fail_at(c, NULL, "type mismatch: br_table targets have different types");
    bool seen = l->table == c->table_number;
    int err = seen ? 0 : check_tops(c, label_types(l), arity);
    if (err)
        return err;
    if (!seen) {
        l->table = c->table_number;
        l->stub_patches = 0;
        if (label_moves(c, l)) {
            l->stub_next = *stubs;
            *stubs = (uint32_t)(l - c->labels) + 1;
        }
    }
    if (c->dead)
        return 0;
    err = emit_room(c, EMIT_RESERVE);
    if (err)
        return err;
    uint32_t site = c->code_count;
    emit_word(c, 0);
    if (label_moves(c, l)) {
        c->code[site] = (uint64_t)l->stub_patches << 32;
        l->stub_patches = site;
    } else {
        link_site(c, site, l);
    }
    return 0;
}

/* Moves that a table's targets need come after the table. */
static int table_stubs(struct compiler *c, uint32_t stubs)
{
    while (stubs) {
        struct label *l = &c->labels[stubs - 1];
        int err = emit_room(c, EMIT_RESERVE);
        if (err)
            return err;
        patch_list(c, l->stub_patches, c->code_count);
        c->last_op = NO_OP;
        emit_leave(c, l);
        stubs = l->stub_next;
    }
    return 0;
}

int op_br_table(struct compiler *c)
{
    struct reader *r = &c->l->r;
    uint32_t n = reader_count(r, ENG_MAX_BR_TABLE, "targets in br_table"), stubs = 0;
    struct reader ahead = *r;
    for (uint32_t i = 0; i < n; i++)
        reader_u32(&ahead);
    uint32_t depth = reader_u32(&ahead);
    int err = r->failed || ahead.failed ? E_MALFORMED : pop(c, ENG_I32);
    if (ahead.failed)
        r->failed = true;
    if (err)
        return err;
    if (depth >= c->label_count)
        return fail_at(c, NULL, "unknown label");
    uint32_t arity = label_arity(&c->labels[c->label_count - 1 - depth]);
    struct value cond = c->values[c->value_count];
    uint32_t at = c->value_count;
    err = check_tops(c, label_types(&c->labels[c->label_count - 1 - depth]), arity);
    if (!err && !c->dead) {
        err = settle_top(c, arity);
        c->values[at] = cond;
        struct value *v = &c->values[at];
        bool acc = in_acc(c, v);
        if (acc)
            claim(c, v);
        if (!err)
            emit(c, acc ? OP_br_table_A : OP_br_table_S,
                 operands_imm(acc ? 0 : slot_of(c, v), 0, n));
    }
    c->table_number++;
    for (uint32_t i = 0; i <= n && !err; i++) {
        struct label *l = read_label(c);
        err = l ? table_entry(c, l, arity, &stubs) : E_INVAL;
    }
    if (!err && !c->dead)
        err = table_stubs(c, stubs);
    if (!err)
        set_unreachable(c);
    return err;
}

int op_return(struct compiler *c)
{
    int err = check_tops(c, c->type->results, c->type->result_count);
    if (!err)
        err = emit_return(c);
    if (!err)
        set_unreachable(c);
    return err;
}

int op_unreachable(struct compiler *c, const uint8_t *at)
{
    if (!c->dead) {
        int err = emit_offset(c, emit(c, OP_unreachable, 0), at);
        if (err)
            return err;
    }
    set_unreachable(c);
    return 0;
}

/* type 0: the instruction without one, for numbers only. */
int op_select(struct compiler *c, uint8_t type)
{
    static const uint16_t ops[ACC_CLASSES] = { OP_select_i64_S, OP_select_f32_S, OP_select_f64_S };
    int err = pop(c, ENG_I32);
    if (err)
        return err;
    const struct label *l = &c->labels[c->label_count - 1];
    if (ENG_SIMD && (type == ENG_V128 || (!type && c->value_count > l->height &&
                                          c->values[c->value_count - 1].type == V128_HIGH)))
        return op_select_v128(c);
    const struct value *b = pop_any(c);
    uint8_t tb = b ? b->type : 0;
    const struct value *a = b ? pop_any(c) : NULL;
    if (!a)
        return E_INVAL;
    uint8_t ta = a->type;
    if (type) {
        if ((ta && !type_matches(c->m, ta, type)) || (tb && !type_matches(c->m, tb, type)))
            return fail_at(c, NULL, "type mismatch");
    } else {
        type = ta ? ta : tb;
        if ((ta && tb && ta != tb) || is_reference(type))
            return fail_at(c, NULL, "type mismatch");
    }
    if (c->dead)
        return push(c, type);
    struct value *v = &c->values[c->value_count];
    bool acc = in_acc(c, &v[2]);
    if (acc)
        claim(c, &v[2]);
    uint32_t cond = acc ? 0 : slot_of(c, &v[2]);
    uint32_t sa = slot_of(c, &v[0]), sb = slot_of(c, &v[1]), d = home(c, v);
    unsigned op = ops[type_class(type)] + acc;
    uint32_t pos = emit(c, op, operands(sa, d, sb, cond));
    return push_result(c, type, pos, op, false);
}
