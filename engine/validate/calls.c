/* Calls, and calls that end the function. */
#include "validate/func.h"

/* Results of a call that has just been emitted; a single one is in its accumulator too. */
static int push_call_results(struct compiler *c, const struct eng_functype *t)
{
    forget_all(c);
    int err = push_all(c, t->results, t->result_count);
    if (!err && t->result_count == 1 && !c->dead)
        c->acc[type_class(t->results[0])] =
            (struct acc){ home(c, &c->values[c->value_count - 1]), c->last, c->last_op, false, false };
    return err;
}

static int read_callee(struct compiler *c, uint32_t *ret)
{
    const uint8_t *at = c->l->r.p;
    *ret = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    return *ret < c->m->func_count ? 0 : fail_at(c, at, "unknown function");
}

int op_call(struct compiler *c, const uint8_t *at)
{
    struct eng_module *m = c->m;
    uint32_t i;
    int err = read_callee(c, &i);
    if (err)
        return err;
    const struct eng_functype *t = &m->slot_types[m->func_types[i]];
    err = check_tops(c, t->params, t->param_count);
    if (!err)
        err = settle_top(c, t->param_count);
    if (!err)
        err = pop_all(c, t->params, t->param_count);
    if (err || c->dead)
        return err ? err : push_call_results(c, t);
    uint32_t args = c->base + c->value_count, pos;
    if (i < m->func_imports) {
        pos = emit(c, OP_call_import, operands_imm(args, 0, i));
    } else {
        uint32_t *sites = &c->call_sites[i - m->func_imports];
        pos = emit(c, OP_call, operands(args, 0, 0, 0));
        emit_word(c, *sites);
        *sites = pos + 2;
    }
    err = emit_offset(c, pos, at);
    return err ? err : push_call_results(c, t);
}

static int read_indirect(struct compiler *c, uint32_t *ret_type, uint32_t *ret_table,
                         const uint8_t *at)
{
    struct eng_module *m = c->m;
    *ret_type = reader_u32(&c->l->r);
    const uint8_t *table_at = c->l->r.p;
    *ret_table = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    if (*ret_table >= m->table_count)
        return fail_at(c, table_at, "unknown table");
    if (m->tables[*ret_table].type != ENG_FUNCREF)
        return fail_at(c, table_at, "type mismatch: call_indirect needs a table of functions");
    return *ret_type < m->type_count ? 0 : fail_at(c, at, "unknown type");
}

int op_call_indirect(struct compiler *c, const uint8_t *at)
{
    uint32_t type, table;
    int err = read_indirect(c, &type, &table, at);
    if (err)
        return err;
    const struct eng_functype *t = &c->m->slot_types[type];
    err = pop(c, ENG_I32);
    if (err)
        return err;
    struct value index = c->values[c->value_count];
    uint32_t index_place = c->value_count;
    err = check_tops(c, t->params, t->param_count);
    if (!err)
        err = settle_top(c, t->param_count);
    if (err)
        return err;
    bool acc = false;
    uint32_t slot = 0;
    if (!c->dead) {
        c->values[index_place] = index;
        acc = in_acc(c, &c->values[index_place]);
        if (acc)
            claim(c, &c->values[index_place]);
        else
            slot = slot_of(c, &c->values[index_place]);
    }
    err = pop_all(c, t->params, t->param_count);
    if (err || c->dead)
        return err ? err : push_call_results(c, t);
    uint32_t args = c->base + c->value_count;
    uint32_t pos = emit(c, acc ? OP_call_indirect_A : OP_call_indirect_S,
                        operands_imm(args, slot, type));
    emit_word(c, table);
    err = emit_offset(c, pos, at);
    return err ? err : push_call_results(c, t);
}

/* The arguments of a call that ends the function are at home; whether it may end so. */
static int check_tail(struct compiler *c, const struct eng_functype *t)
{
    if (!types_match(c, t->results, t->result_count, c->type->results, c->type->result_count))
        return fail_at(c, NULL, "type mismatch: results of a tail call");
    int err = check_tops(c, t->params, t->param_count);
    if (!err)
        err = settle_top(c, t->param_count);
    return err ? err : pop_all(c, t->params, t->param_count);
}

/* For functions of the host: returns what the call returned. */
static int finish_tail(struct compiler *c, const struct eng_functype *t, uint32_t pos,
                       const uint8_t *at)
{
    int err = emit_offset(c, pos, at);
    if (!err)
        err = push_call_results(c, t);
    return err ? err : emit_return(c);
}

int op_return_call(struct compiler *c, const uint8_t *at)
{
    struct eng_module *m = c->m;
    uint32_t i;
    int err = read_callee(c, &i);
    if (err)
        return err;
    const struct eng_functype *t = &m->slot_types[m->func_types[i]];
    err = check_tail(c, t);
    if (!err && !c->dead) {
        uint32_t args = c->base + c->value_count;
        if (i < m->func_imports) {
            uint32_t pos = emit(c, OP_return_call_import, operands_imm(args, c->local_count, i));
            err = finish_tail(c, t, pos, at);
        } else {
            uint32_t *sites = &c->call_sites[i - m->func_imports];
            uint32_t pos = emit(c, OP_return_call, operands(args, c->local_count, 0, 0));
            emit_word(c, *sites);
            *sites = pos + 2;
            err = emit_offset(c, pos, at);
        }
    }
    if (!err)
        set_unreachable(c);
    return err;
}

int op_return_call_indirect(struct compiler *c, const uint8_t *at)
{
    uint32_t type, table;
    int err = read_indirect(c, &type, &table, at);
    if (!err)
        err = pop(c, ENG_I32);
    if (err)
        return err;
    const struct eng_functype *t = &c->m->slot_types[type];
    uint32_t index_at = c->value_count;
    uint64_t index = c->dead ? 0 : slot_of(c, &c->values[index_at]);
    err = check_tail(c, t);
    if (!err && !c->dead) {
        uint32_t pos = emit(c, OP_return_call_indirect,
                            operands_imm(c->base + c->value_count, c->local_count, type));
        emit_word(c, table | index << 32);
        err = finish_tail(c, t, pos, at);
    }
    if (!err)
        set_unreachable(c);
    return err;
}
