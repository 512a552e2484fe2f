/* The stacks of the validation algorithm (specification, appendix "Validation
 * Algorithm"). */
#include "validate/func.h"

int fail_at(struct compiler *c, const uint8_t *at, const char *message)
{
    return reader_fail(&c->l->r, E_INVAL, at, message);
}

static int no_memory(struct compiler *c)
{
    return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
}

static int grow_values(struct compiler *c, uint32_t more)
{
    size_t need = (size_t)c->value_count + more;
    if (c->base + need > ENG_MAX_FRAME_SLOTS)
        return reader_fail(&c->l->r, E_LIMIT, NULL, "function too large: operand stack");
    if (array_grow(c->l->env, (void **)&c->values, &c->value_capacity, need, sizeof *c->values))
        return no_memory(c);
    return 0;
}

int push(struct compiler *c, uint8_t type)
{
    if (c->value_count == c->value_capacity || c->base + c->value_count >= ENG_MAX_FRAME_SLOTS) {
        int err = grow_values(c, 1);
        if (err)
            return err;
    }
    c->values[c->value_count++] = (struct value){ type, V_SLOT, 0, 0 };
    c->vectors |= ENG_SIMD && type == V128_HIGH;
    if (c->value_count > c->max_height)
        c->max_height = c->value_count;
    return 0;
}

int push_type(struct compiler *c, uint8_t type)
{
    int err = push(c, type);
    return !err && ENG_SIMD && type == ENG_V128 ? push(c, V128_HIGH) : err;
}

int push_all(struct compiler *c, const uint8_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int err = push(c, types[i]);
        if (err)
            return err;
    }
    return 0;
}

/* Dead code may take values that are not there: they are made here, unknown. */
static int ensure(struct compiler *c, uint32_t count)
{
    const struct label *l = &c->labels[c->label_count - 1];
    uint32_t have = c->value_count - l->height;
    if (have >= count)
        return 0;
    if (!l->unreachable)
        return fail_at(c, NULL, "type mismatch");
    uint32_t missing = count - have;
    int err = grow_values(c, missing);
    if (err)
        return err;
    memmove(c->values + l->height + missing, c->values + l->height, have * sizeof *c->values);
    memset(c->values + l->height, 0, missing * sizeof *c->values);
    c->value_count += missing;
    if (c->value_count > c->max_height)
        c->max_height = c->value_count;
    return 0;
}

int check_tops(struct compiler *c, const uint8_t *types, uint32_t count)
{
    int err = ensure(c, count);
    if (err)
        return err;
    struct value *v = c->values + c->value_count - count;
    for (uint32_t i = 0; i < count; i++) {
        if (v[i].type == 0)
            continue; /* made up, and may be made up differently next time */
        if (v[i].type != types[i] && !type_matches(c->m, v[i].type, types[i]))
            return fail_at(c, NULL, "type mismatch");
    }
    return 0;
}

int check_top(struct compiler *c, uint8_t type)
{
    return check_tops(c, &type, 1);
}

struct value *pop_any(struct compiler *c)
{
    if (ensure(c, 1))
        return NULL;
    struct value *v = &c->values[--c->value_count];
    unref(c, v);
    return v;
}

int pop(struct compiler *c, uint8_t type)
{
    int err = check_tops(c, &type, 1);
    if (!err)
        unref(c, &c->values[--c->value_count]);
    return err;
}

int pop_all(struct compiler *c, const uint8_t *types, uint32_t count)
{
    int err = check_tops(c, types, count);
    for (uint32_t i = 0; i < count && !err; i++)
        unref(c, &c->values[--c->value_count]);
    return err;
}

void set_unreachable(struct compiler *c)
{
    struct label *l = &c->labels[c->label_count - 1];
    while (c->value_count > l->height)
        unref(c, &c->values[--c->value_count]);
    l->unreachable = true;
    c->dead = true;
}
