/* Numeric instructions: choosing the operand form. */
#include "validate/func.h"

/* Order of the forms in interp/ops_macros.h. */
enum { FORM_SS, FORM_AS, FORM_SI, FORM_AI, FORM_SA, FORM_IS };

static bool is_wide(uint8_t type)
{
    return type_index(type) & 1;
}

static bool imm_zero(uint8_t type, uint64_t bits, uint64_t *operand_word)
{
    if (is_wide(type))
        return false;
    *operand_word |= bits << 32;
    return true;
}

/* An operation of stride ids a form, with an immediate. */
static uint32_t emit_with_imm(struct compiler *c, unsigned op, uint32_t a, uint32_t d, uint8_t type,
                              uint64_t bits)
{
    uint64_t w = operands(a, d, 0, 0);
    bool inlined = imm_zero(type, (uint32_t)bits, &w);
    uint32_t pos = emit(c, op, w);
    if (!inlined)
        emit_word(c, bits);
    return pos;
}

/* The form for operands a and b, both popped; *ra, *rb their slots where the form
 * has any, with a the one that is not an immediate. May swap when `commutes`. */
static unsigned choose_form(struct compiler *c, struct value **a, struct value **b, bool commutes,
                            bool *swapped)
{
    *swapped = false;
    if ((*a)->kind == V_CONST && (*b)->kind == V_CONST) {
        slot_of(c, *a);
        (*a)->kind = V_SLOT;
    }
    bool swap = commutes && ((*a)->kind == V_CONST ||
                             ((*b)->kind != V_CONST && !in_acc(c, *a) && in_acc(c, *b)));
    if (swap) {
        struct value *t = *a;
        *a = *b;
        *b = t;
        *swapped = true;
    }
    if ((*b)->kind == V_CONST)
        return in_acc(c, *a) ? FORM_AI : FORM_SI;
    if ((*a)->kind == V_CONST)
        return FORM_IS;
    return in_acc(c, *a) ? FORM_AS : in_acc(c, *b) ? FORM_SA : FORM_SS;
}

int emit_binary(struct compiler *c, unsigned op, uint8_t type, bool commutes)
{
    uint8_t types[2] = { type, type };
    int err = pop_all(c, types, 2);
    if (err || c->dead)
        return err ? err : push(c, type);
    struct value *a = &c->values[c->value_count], *b = a + 1;
    uint32_t d = home(c, a), pos;
    bool swapped;
    if (op == OP_i32_sub_SS && b->kind == V_CONST) {
        op = OP_i32_add_SS; /* one way to say it, for what looks for increments */
        commutes = true;
        b->bits = -(uint32_t)b->bits;
    }
    if (fuse_binary(c, op, type, a, b, &err))
        return err;
    unsigned form = choose_form(c, &a, &b, commutes, &swapped);
    op += form * 2;
    switch (form) {
    case FORM_SS:
        pos = emit(c, op, operands(slot_of(c, a), d, slot_of(c, b), 0));
        break;
    case FORM_AS:
        claim(c, a);
        pos = emit(c, op, operands(0, d, slot_of(c, b), 0));
        break;
    case FORM_SA:
        claim(c, b);
        pos = emit(c, op, operands(slot_of(c, a), d, 0, 0));
        break;
    case FORM_SI:
        pos = emit_with_imm(c, op, slot_of(c, a), d, type, b->bits);
        break;
    case FORM_AI:
        claim(c, a);
        pos = emit_with_imm(c, op, 0, d, type, b->bits);
        break;
    default:
        pos = emit_with_imm(c, op, slot_of(c, b), d, type, a->bits);
        break;
    }
    return push_result(c, type, pos, op, true);
}

int emit_plain(struct compiler *c, unsigned op, uint8_t type)
{
    uint8_t types[2] = { type, type };
    int err = pop_all(c, types, 2);
    if (err || c->dead)
        return err ? err : push(c, type);
    struct value *v = &c->values[c->value_count];
    uint32_t a = slot_of(c, v), b = slot_of(c, v + 1);
    uint32_t pos = emit(c, op, operands(a, home(c, v), b, 0));
    return push_result(c, type, pos, op, false);
}

int emit_unary(struct compiler *c, unsigned op, uint8_t in, uint8_t out, bool plain)
{
    int err = pop(c, in);
    if (err || c->dead)
        return err ? err : push(c, out);
    struct value *a = &c->values[c->value_count];
    uint32_t d = home(c, a), slot = 0;
    if (!plain && in_acc(c, a)) {
        claim(c, a);
        op += 2;
    } else {
        slot = slot_of(c, a);
    }
    uint32_t pos = emit(c, op, operands(slot, d, 0, 0));
    return push_result(c, out, pos, op, !plain);
}

static const uint16_t compare_ops[4] = { OP_i32_eq_SS, OP_i64_eq_SS, OP_f32_eq_SS, OP_f64_eq_SS };

/* a OP b as b OP' a. */
static unsigned compare_swapped(unsigned index, bool is_float)
{
    static const uint8_t ints[] = { 0, 1, 4, 5, 2, 3, 8, 9, 6, 7 };
    static const uint8_t floats[] = { 0, 1, 3, 2, 5, 4 };
    return is_float ? floats[index] : ints[index];
}

int emit_compare(struct compiler *c, unsigned index, uint8_t type)
{
    uint8_t types[2] = { type, type };
    int err = pop_all(c, types, 2);
    if (err || c->dead)
        return err ? err : push(c, ENG_I32);
    unsigned t = type_index(type);
    bool is_float = t >= 2, swapped;
    struct value *a = &c->values[c->value_count], *b = a + 1;
    uint32_t d = home(c, a), pos;
    if (is_float && a->kind == V_CONST) {
        slot_of(c, a);
        a->kind = V_SLOT;
    }
    if (is_float && b->kind == V_CONST) {
        slot_of(c, b);
        b->kind = V_SLOT;
    }
    unsigned form = choose_form(c, &a, &b, true, &swapped);
    if (swapped)
        index = compare_swapped(index, is_float);
    unsigned op = compare_ops[t] + index * (t == 0 ? 4 : 2);
    if (t == 1) { /* no accumulator forms */
        form = form >= FORM_SI ? FORM_SI : FORM_SS;
        op += form / 2;
    } else {
        op += form;
    }
    if (form == FORM_AS || form == FORM_AI)
        claim(c, a);
    uint32_t ra = form == FORM_SS || form == FORM_SI ? slot_of(c, a) : 0;
    if (form == FORM_SI || form == FORM_AI)
        pos = emit_with_imm(c, op, ra, d, type, b->bits);
    else
        pos = emit(c, op, operands(ra, d, slot_of(c, b), 0));
    return push_result(c, ENG_I32, pos, op, false);
}

/* Not of a comparison is the opposite comparison, if there is one. */
static bool invert_last(struct compiler *c, const struct value *v)
{
    static const uint8_t ints[] = { 1, 0, 8, 9, 6, 7, 4, 5, 2, 3 };
    struct acc *a = &c->acc[ACC_INT];
    if (!made_last(c, v))
        return false;
    unsigned op = c->last_op;
    if (op >= OP_i32_eq_SS && op < OP_i32_eq_SS + 40u) {
        unsigned at = op - OP_i32_eq_SS;
        op = OP_i32_eq_SS + ints[at / 4] * 4u + at % 4;
    } else if (op >= OP_i64_eq_SS && op < OP_i64_eq_SS + 20u) {
        unsigned at = op - OP_i64_eq_SS;
        op = OP_i64_eq_SS + ints[at / 2] * 2u + at % 2;
    } else if (op >= OP_f32_eq_SS && op < OP_f32_eq_SS + 24u &&
               (op - OP_f32_eq_SS) % 12 < 4) {
        op = OP_f32_eq_SS + ((op - OP_f32_eq_SS) ^ 2); /* eq and ne */
    } else {
        return false;
    }
    c->code[c->last] = interp_word(c->handlers, op);
    c->last_op = a->op = (uint16_t)op;
    return true;
}

int emit_eqz(struct compiler *c, uint8_t type)
{
    int err = check_top(c, type);
    if (err)
        return err;
    struct value *v = &c->values[c->value_count - 1];
    if (!c->dead && type == ENG_I32 && invert_last(c, v))
        return 0;
    if (quick_applies(c) && v->type == type) {
        v->type = ENG_I32; /* no higher than the quick way, which this one may stand in for */
        return 0;
    }
    err = push(c, type);
    if (err)
        return err;
    c->values[c->value_count - 1].kind = V_CONST;
    return emit_compare(c, 0, type);
}
