/* Appending instructions, and what is known of the accumulators. */
#include "validate/func.h"

int emit_grow(struct compiler *c, size_t words)
{
    size_t need = c->code_count + words;
    if (need > ENG_MAX_CODE_WORDS)
        return reader_fail(&c->l->r, E_LIMIT, NULL, "module too large: code");
    if (array_grow(c->l->env, (void **)&c->code, &c->code_capacity, need, sizeof *c->code))
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    return 0;
}

uint32_t emit(struct compiler *c, unsigned op, uint64_t operand_word)
{
    base_paranoid(op < OP_COUNT_ && c->code_count + 2 <= c->code_capacity);
    uint32_t pos = c->code_count;
    c->code[pos] = interp_word(c->handlers, op);
    c->code[pos + 1] = operand_word;
    c->code_count = pos + 2;
    c->before_last = c->last;
    c->before_last_op = c->last_op;
    c->last = pos;
    c->last_op = (uint16_t)op;
    return pos;
}

void forget_slot(struct compiler *c, uint32_t slot)
{
    for (int i = 0; i < ACC_CLASSES; i++)
        if (c->acc[i].slot == slot)
            c->acc[i].slot = NO_SLOT;
}

bool in_acc(const struct compiler *c, const struct value *v)
{
    return !ENG_SMALL && v->kind != V_CONST && c->acc[type_class(v->type)].slot == place(c, v);
}

bool made_last(const struct compiler *c, const struct value *v)
{
    const struct acc *a = &c->acc[type_class(v->type)];
    return v->kind == V_SLOT && c->last_op != NO_OP && a->slot == home(c, v) &&
           a->pos == c->last && a->op == c->last_op;
}

void emit_undo(struct compiler *c)
{
    c->code_count = c->last;
    c->last = c->before_last;
    c->last_op = c->before_last_op;
    c->before_last_op = NO_OP;
}

void emit_undo_result(struct compiler *c, enum acc_class k)
{
    emit_undo(c);
    c->acc[k] = c->acc_before[k];
}

void emit_label(struct compiler *c)
{
    c->last_op = c->before_last_op = NO_OP;
    forget_all(c);
}

void forget_all(struct compiler *c)
{
    for (int i = 0; i < ACC_CLASSES; i++)
        c->acc[i].slot = NO_SLOT;
}

static void map_varint(struct compiler *c, uint32_t v)
{
    for (; v >= 0x80; v >>= 7)
        c->map[c->map_count++] = (uint8_t)(v | 0x80);
    c->map[c->map_count++] = (uint8_t)v;
}

int emit_offset(struct compiler *c, uint32_t pos, const uint8_t *at)
{
    uint32_t offset = (uint32_t)(at - c->l->r.start);
    if (array_grow(c->l->env, (void **)&c->map, &c->map_capacity, c->map_count + 10, 1))
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    map_varint(c, pos - c->map_pos);
    map_varint(c, offset - c->map_offset);
    c->map_pos = pos;
    c->map_offset = offset;
    return 0;
}

void claim(struct compiler *c, const struct value *v)
{
    struct acc *a = &c->acc[type_class(v->type)];
    if (v->kind != V_SLOT)
        return; /* a local keeps its slot */
    if (a->has_a) {
        c->code[a->pos] = interp_word(c->handlers, a->op + 1);
        if (c->last == a->pos && c->last_op == a->op)
            c->last_op++;
    }
    a->slot = NO_SLOT;
}

int push_result(struct compiler *c, uint8_t type, uint32_t pos, unsigned op, bool has_a)
{
    int err = push(c, type);
    if (err || c->dead)
        return err;
    uint32_t slot = home(c, &c->values[c->value_count - 1]);
    c->acc_before[type_class(type)] = c->acc[type_class(type)];
    forget_slot(c, slot);
    c->acc[type_class(type)] = (struct acc){ slot, pos, (uint16_t)op, has_a, true };
    return 0;
}
