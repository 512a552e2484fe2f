/* Tables and memory as a whole: instructions with the prefix 0xfc, table.get and
 * table.set. */
#include "validate/func.h"

int push_opaque(struct compiler *c, uint8_t type, uint32_t pos, unsigned op)
{
    if (!c->dead && type_class(type) != ACC_INT) {
        int err = push(c, type);
        c->acc[ACC_INT].slot = NO_SLOT;
        forget_slot(c, home(c, &c->values[c->value_count - 1]));
        return err;
    }
    return push_result(c, type, pos, op, false);
}

static int read_table(struct compiler *c, uint32_t *ret)
{
    const uint8_t *at = c->l->r.p;
    *ret = reader_u32(&c->l->r);
    if (!c->l->r.failed && *ret >= c->m->table_count)
        return fail_at(c, at, "unknown table");
    return c->l->r.failed ? E_MALFORMED : 0;
}

int read_memory_index(struct compiler *c, uint32_t *ret)
{
    struct reader *r = &c->l->r;
    const uint8_t *at = r->p;
    *ret = c->l->core_2_only ? reader_byte(r) : reader_u32(r);
    if (r->failed)
        return E_MALFORMED;
    if (c->l->core_2_only && *ret)
        return reader_fail(r, E_MALFORMED, at, "zero byte expected");
    return *ret < c->m->memory_count ? 0 : fail_at(c, at, "unknown memory");
}

int op_table_get(struct compiler *c, const uint8_t *at)
{
    uint32_t t;
    int err = read_table(c, &t);
    if (!err)
        err = pop(c, ENG_I32);
    if (err || c->dead)
        return err ? err : push(c, c->m->tables[t].type);
    struct value *v = &c->values[c->value_count];
    uint32_t slot = slot_of(c, v);
    uint32_t pos = emit(c, OP_table_get, operands_imm(slot, home(c, v), t));
    err = emit_offset(c, pos, at);
    return err ? err : push_opaque(c, c->m->tables[t].type, pos, OP_table_get);
}

int op_table_set(struct compiler *c, const uint8_t *at)
{
    uint32_t t;
    int err = read_table(c, &t);
    if (err)
        return err;
    uint8_t types[2] = { ENG_I32, c->m->tables[t].type };
    err = pop_all(c, types, 2);
    if (err || c->dead)
        return err;
    struct value *v = &c->values[c->value_count];
    uint32_t index = slot_of(c, v), value = slot_of(c, v + 1);
    return emit_offset(c, emit(c, OP_table_set, operands_imm(index, value, t)), at);
}

/* Three operands at home; the last two are always i32. */
static int emit_range(struct compiler *c, unsigned op, uint8_t first, uint8_t second, uint32_t x,
                      const uint32_t *y, const uint8_t *at)
{
    uint8_t types[3] = { first, second, ENG_I32 };
    int err = check_tops(c, types, 3);
    if (!err)
        err = settle_top(c, 3);
    if (!err)
        err = pop_all(c, types, 3);
    if (err || c->dead)
        return err;
    uint32_t pos = emit(c, op, operands_imm(c->base + c->value_count, 0, x));
    if (y)
        emit_word(c, *y);
    return emit_offset(c, pos, at);
}

static int op_memory_init(struct compiler *c, const uint8_t *at)
{
    const uint8_t *index_at = c->l->r.p;
    uint32_t i = reader_u32(&c->l->r);
    uint32_t memory;
    int err = c->l->r.failed ? E_MALFORMED : read_memory_index(c, &memory);
    if (err)
        return err;
    if (!c->l->has_data_count)
        return reader_fail(&c->l->r, E_MALFORMED, at, "data count section required");
    if (i >= c->l->data_count)
        return fail_at(c, index_at, "unknown data segment");
    return emit_range(c, memory ? OP_memory_init_of : OP_memory_init, ENG_I32, ENG_I32, i,
                      memory ? &memory : NULL, at);
}

static int op_data_drop(struct compiler *c, const uint8_t *at)
{
    uint32_t i = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    if (!c->l->has_data_count)
        return reader_fail(&c->l->r, E_MALFORMED, at, "data count section required");
    if (i >= c->l->data_count)
        return fail_at(c, at, "unknown data segment");
    if (!c->dead)
        emit(c, OP_data_drop, operands_imm(0, 0, i));
    return 0;
}

static int read_elem(struct compiler *c, uint32_t *ret)
{
    const uint8_t *at = c->l->r.p;
    *ret = reader_u32(&c->l->r);
    if (!c->l->r.failed && *ret >= c->m->elem_count)
        return fail_at(c, at, "unknown elem segment");
    return c->l->r.failed ? E_MALFORMED : 0;
}

static int op_table_init(struct compiler *c, const uint8_t *at)
{
    uint32_t segment, t;
    int err = read_elem(c, &segment);
    if (!err)
        err = read_table(c, &t);
    if (err)
        return err;
    if (c->m->elems[segment].type != c->m->tables[t].type)
        return fail_at(c, at, "type mismatch");
    return emit_range(c, OP_table_init, ENG_I32, ENG_I32, segment, &t, at);
}

static int op_elem_drop(struct compiler *c)
{
    uint32_t segment;
    int err = read_elem(c, &segment);
    if (!err && !c->dead)
        emit(c, OP_elem_drop, operands_imm(0, 0, segment));
    return err;
}

static int op_table_copy(struct compiler *c, const uint8_t *at)
{
    uint32_t to, from;
    int err = read_table(c, &to);
    if (!err)
        err = read_table(c, &from);
    if (err)
        return err;
    if (c->m->tables[to].type != c->m->tables[from].type)
        return fail_at(c, at, "type mismatch");
    return emit_range(c, OP_table_copy, ENG_I32, ENG_I32, to, &from, at);
}

static int op_memory_copy(struct compiler *c, const uint8_t *at)
{
    uint32_t to, from;
    int err = read_memory_index(c, &to);
    if (!err)
        err = read_memory_index(c, &from);
    if (err)
        return err;
    bool first = !to && !from;
    return emit_range(c, first ? OP_memory_copy : OP_memory_copy_of, ENG_I32, ENG_I32, to,
                      first ? NULL : &from, at);
}

static int op_memory_fill(struct compiler *c, const uint8_t *at)
{
    uint32_t memory;
    int err = read_memory_index(c, &memory);
    return err ? err
               : emit_range(c, memory ? OP_memory_fill_of : OP_memory_fill, ENG_I32, ENG_I32,
                            memory, NULL, at);
}

static int op_table_grow(struct compiler *c)
{
    uint32_t t;
    int err = read_table(c, &t);
    if (err)
        return err;
    uint8_t types[2] = { c->m->tables[t].type, ENG_I32 };
    err = check_tops(c, types, 2);
    if (!err)
        err = settle_top(c, 2);
    if (!err)
        err = pop_all(c, types, 2);
    if (err || c->dead)
        return err ? err : push(c, ENG_I32);
    uint32_t slot = c->base + c->value_count;
    uint32_t pos = emit(c, OP_table_grow, operands_imm(slot, slot, t));
    return push_opaque(c, ENG_I32, pos, OP_table_grow);
}

static int op_table_size(struct compiler *c)
{
    uint32_t t;
    int err = read_table(c, &t);
    if (err || c->dead)
        return err ? err : push(c, ENG_I32);
    uint32_t pos = emit(c, OP_table_size, operands_imm(0, c->base + c->value_count, t));
    return push_opaque(c, ENG_I32, pos, OP_table_size);
}

int op_bulk(struct compiler *c, unsigned opcode, const uint8_t *at)
{
    uint32_t t;
    int err;
    switch (opcode) {
    case 8:
        return op_memory_init(c, at);
    case 9:
        return op_data_drop(c, at);
    case 10:
        return op_memory_copy(c, at);
    case 11:
        return op_memory_fill(c, at);
    case 12:
        return op_table_init(c, at);
    case 13:
        return op_elem_drop(c);
    case 14:
        return op_table_copy(c, at);
    case 15:
        return op_table_grow(c);
    case 16:
        return op_table_size(c);
    case 17:
        err = read_table(c, &t);
        return err ? err
                   : emit_range(c, OP_table_fill, ENG_I32, c->m->tables[t].type, t, NULL, at);
    default:
        return reader_fail(&c->l->r, E_MALFORMED, at, "illegal opcode");
    }
}
