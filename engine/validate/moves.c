/* Moves between slots: locals, constants and values that must be at home. */
#include "validate/func.h"

static void emit_const(struct compiler *c, const struct value *v, uint32_t slot)
{
    if (v->bits <= UINT32_MAX) {
        emit(c, OP_const32, operands_imm(0, slot, (uint32_t)v->bits));
    } else {
        emit(c, OP_const64, operands(0, slot, 0, 0));
        emit_word(c, v->bits);
    }
    forget_slot(c, slot);
}

/* Up to four neighbouring copies become one instruction. */
void emit_copy(struct compiler *c, uint32_t from, uint32_t slot, uint8_t type)
{
    if (type == ENG_F32) {
        emit(c, OP_copy32, operands(from, slot, 0, 0));
    } else if (c->last_op == OP_copy) {
        c->code[c->last] = interp_word(c->handlers, OP_copy2);
        c->code[c->last + 1] |= operands(0, 0, from, slot);
        c->last_op = OP_copy2;
    } else if (c->last_op == OP_copy2) {
        c->code[c->last] = interp_word(c->handlers, OP_copy3);
        emit_word(c, operands(from, slot, 0, 0));
        c->last_op = OP_copy3;
    } else if (c->last_op == OP_copy3) {
        c->code[c->last] = interp_word(c->handlers, OP_copy4);
        c->code[c->last + 2] |= operands(0, 0, from, slot);
        c->last_op = OP_copy4;
    } else {
        emit(c, OP_copy, operands(from, slot, 0, 0));
    }
    forget_slot(c, slot);
}

static void emit_set(struct compiler *c, uint8_t type, uint32_t slot)
{
    static const uint16_t ops[ACC_CLASSES] = { OP_set_i, OP_set_f32, OP_set_f64 };
    emit(c, ops[type_class(type)], operands(0, slot, 0, 0));
}

uint32_t slot_of(struct compiler *c, struct value *v)
{
    if (v->kind == V_LOCAL)
        return v->local;
    if (v->kind == V_CONST && !c->dead) {
        if (ENG_SIMD && v->type == ENG_V128)
            v128_to(c, v, home(c, v));
        else
            emit_const(c, v, home(c, v));
    }
    return home(c, v);
}

/* The value will be read from its home where the accumulators are not known: what made it
 * must keep writing there, also when the accumulator's earlier state comes back because a
 * comparison becomes a part of its branch. */
static void pin(struct compiler *c, const struct value *v)
{
    c->wide_pos = 0;
    struct acc *states[] = { &c->acc[type_class(v->type)], &c->acc_before[type_class(v->type)] };
    for (unsigned i = 0; i < base_countof(states); i++)
        if (states[i]->slot == home(c, v))
            states[i]->has_a = states[i]->has_d = false;
}

static void settle_v128(struct compiler *c, struct value *v)
{
    v128_to(c, v, home(c, v));
    for (unsigned i = 0; i < 2; i++) {
        unref(c, &v[i]);
        v[i].kind = V_SLOT;
    }
}

void settle(struct compiler *c, struct value *v)
{
    if (c->dead)
        return;
    if (ENG_SIMD && v->type == V128_HIGH)
        v--;
    if (v->kind == V_SLOT) {
        pin(c, v);
        return;
    }
    uint32_t slot = home(c, v);
    if (ENG_SIMD && v->type == ENG_V128) {
        settle_v128(c, v);
        return;
    }
    if (v->kind == V_CONST) {
        emit_const(c, v, slot);
    } else if (in_acc(c, v)) {
        unref(c, v);
        emit_set(c, v->type, slot);
    } else {
        unref(c, v);
        emit_copy(c, v->local, slot, v->type);
    }
    v->kind = V_SLOT;
}

int settle_top(struct compiler *c, uint32_t count)
{
    int err = emit_room(c, (size_t)count * 3 + EMIT_RESERVE);
    if (err)
        return err;
    for (uint32_t i = c->value_count - count; i < c->value_count; i++)
        settle(c, &c->values[i]);
    return 0;
}

void settle_locals(struct compiler *c)
{
    for (uint32_t i = c->value_count; c->lazy && i-- > 0;)
        if (c->values[i].kind == V_LOCAL)
            settle(c, &c->values[i]);
}

void preserve(struct compiler *c, uint32_t x)
{
    for (uint32_t i = c->value_count; c->refs[x] && i-- > 0;)
        if (c->values[i].kind == V_LOCAL && c->values[i].local == x)
            settle(c, &c->values[i]);
}

/* May the instruction that made v write elsewhere? */
static bool retargetable(const struct compiler *c, const struct value *v)
{
    return made_last(c, v) && c->acc[type_class(v->type)].has_d;
}

static void retarget(struct compiler *c, const struct value *v, uint32_t slot)
{
    struct acc *a = &c->acc[type_class(v->type)];
    uint64_t *w = &c->code[a->pos + 1];
    *w = (*w & ~((uint64_t)0xffff << 16)) | (uint64_t)slot << 16;
    forget_slot(c, slot);
    a->slot = slot;
    a->has_a = a->has_d = false;
    if (c->last_op == OP_i32_add_SI && c->before_last_op == OP_i32_add_SI)
        fuse_increments(c);
}

/* The same, with the last instruction taken back until x's old content is safe.
 * Not for one whose position has been recorded. */
static void preserve_before_last(struct compiler *c, uint32_t x, const struct value *v)
{
    struct acc *a = &c->acc[type_class(v->type)];
    uint64_t words[4];
    uint32_t count = c->code_count - c->last;
    uint16_t op = c->last_op;
    struct acc saved = *a;
    base_assert(count <= base_countof(words));
    memcpy(words, &c->code[c->last], count * sizeof *words);
    emit_undo(c);
    /* The accumulator is as it was before; copies do not use it from here. */
    a->slot = NO_SLOT;
    preserve(c, x);
    c->before_last_op = NO_OP;
    c->last = c->code_count;
    c->last_op = op;
    for (uint32_t i = 0; i < count; i++)
        emit_word(c, words[i]);
    saved.pos = c->last;
    *a = saved;
    c->acc_before[type_class(v->type)].slot = NO_SLOT;
}

void move_to(struct compiler *c, struct value *v, uint32_t slot)
{
    if (c->dead)
        return;
    if (retargetable(c, v)) {
        retarget(c, v, slot);
    } else if (v->kind == V_CONST) {
        emit_const(c, v, slot);
    } else if (in_acc(c, v)) {
        struct acc *a = &c->acc[type_class(v->type)];
        claim(c, v);
        forget_slot(c, slot);
        emit_set(c, v->type, slot);
        if (v->kind == V_SLOT)
            *a = (struct acc){ slot, c->last, c->last_op, false, false };
    } else {
        emit_copy(c, slot_of(c, v), slot, v->type);
    }
}

int local_get(struct compiler *c, uint32_t x)
{
    if (ENG_SIMD && c->local_types[x] == ENG_V128)
        return v128_local_get(c, x);
    int err = push(c, c->local_types[x]);
    if (err || c->dead)
        return err;
    struct value *v = &c->values[c->value_count - 1];
    if (c->lazy >= LAZY_MAX) {
        emit_copy(c, x, home(c, v), v->type);
        return 0;
    }
    v->kind = V_LOCAL;
    v->local = (uint16_t)x;
    c->refs[x]++;
    c->lazy++;
    return 0;
}

int local_set(struct compiler *c, uint32_t x, bool tee)
{
    if (ENG_SIMD && c->local_types[x] == ENG_V128)
        return v128_local_set(c, x, tee);
    int err = pop(c, c->local_types[x]);
    if (err)
        return err;
    struct value *v = &c->values[c->value_count];
    uint8_t type = c->local_types[x];
    if (c->dead)
        return tee ? push(c, type) : 0;
    struct value set = *v;
    if (!(v->kind == V_LOCAL && v->local == x)) {
        if (c->refs[x] && retargetable(c, v) && c->map_pos != c->last)
            preserve_before_last(c, x, v);
        preserve(c, x);
        move_to(c, v, x);
    }
    if (!tee)
        return 0;
    if (set.kind != V_CONST) {
        bool source = set.kind == V_LOCAL && c->local_types[set.local] == type;
        return local_get(c, source ? set.local : x);
    }
    err = push(c, type);
    c->values[c->value_count - 1].kind = V_CONST;
    c->values[c->value_count - 1].bits = set.bits;
    return err;
}
