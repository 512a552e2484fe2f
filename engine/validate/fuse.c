/* Two operations in one: the last instruction made a value that the next operation
 * takes, and interp/ops_fused.inc has the pair. */
#include "validate/func.h"

enum { OPS2 = 4, NUM2 = 4, OPS2_F64 = 4, NONE = 0xff };
enum { FORM_SS, FORM_AS, FORM_SI, FORM_AI };

/* Number of an operation (its first form) in a list, or NONE. */
static unsigned find(const uint16_t *list, unsigned count, unsigned op)
{
    for (unsigned i = 0; i < count; i++)
        if (list[i] == op)
            return i;
    return NONE;
}

/* The first of a pair with an immediate or a slot as its second operand. */
static const uint16_t with_number[] = { OP_i32_shl_SS, OP_i32_shr_u_SS, OP_i32_rotl_SS,
                                        OP_i32_and_SS, OP_i32_add_SS,   OP_i32_mul_SS };
static const uint16_t with_slot[] = { OP_i32_add_SS, OP_i32_sub_SS, OP_i32_mul_SS,
                                      OP_i32_and_SS, OP_i32_or_SS,  OP_i32_xor_SS };
static const uint16_t with_two_numbers[] = { OP_i32_shl_SS, OP_i32_shr_u_SS, OP_i32_and_SS,
                                             OP_i32_add_SS, OP_i32_mul_SS };
static const uint16_t f64_first[] = { OP_f64_add_SS, OP_f64_sub_SS, OP_f64_mul_SS };

static unsigned second(unsigned op)
{
    static const uint16_t list[] = { OP_i32_add_SS, OP_i32_and_SS, OP_i32_or_SS, OP_i32_xor_SS };
    return find(list, OPS2, op);
}

static unsigned second_number(unsigned op)
{
    static const uint16_t list[] = { OP_i32_add_SS, OP_i32_and_SS, OP_i32_shl_SS, OP_i32_shr_u_SS };
    return find(list, NUM2, op);
}

static unsigned second_f64(unsigned op, bool x_first)
{
    switch (op) {
    case OP_f64_add_SS:
        return 0;
    case OP_f64_sub_SS:
        return x_first ? 1 : 2;
    case OP_f64_mul_SS:
        return 3;
    default:
        return NONE;
    }
}

/* What the last instruction is, as the first of a pair. */
struct first {
    unsigned op, form; /* first form of the operation; FORM_... */
    uint32_t a;
    uint64_t b; /* slot or number */
};

/* Operations that are candidates lie side by side: from their forms back to the first. */
static bool first_of_pair(const struct compiler *c, struct first *ret)
{
    static const struct {
        uint16_t op;
        uint8_t forms;
    } list[] = { { OP_i32_add_SS, 4 },   { OP_i32_sub_SS, 4 },  { OP_i32_mul_SS, 4 },
                 { OP_i32_and_SS, 4 },   { OP_i32_or_SS, 4 },   { OP_i32_xor_SS, 4 },
                 { OP_i32_shl_SS, 4 },   { OP_i32_shr_u_SS, 4 }, { OP_i32_rotl_SS, 4 },
                 { OP_f64_add_SS, 2 },   { OP_f64_sub_SS, 2 },  { OP_f64_mul_SS, 2 } };
    uint64_t w = c->code[c->last + 1];
    for (unsigned i = 0; i < base_countof(list); i++) {
        unsigned at = (unsigned)c->last_op - list[i].op;
        if (at >= list[i].forms * 2u || at & 1)
            continue;
        *ret = (struct first){ list[i].op, at / 2, w & 0xffff, w >> 32 };
        if (ret->form < FORM_SI)
            ret->b &= 0xffff;
        return true;
    }
    return false;
}

/* x op2 c, or c op2 x: the pair's first id, or 0. */
static unsigned pair_id(const struct first *f, unsigned op2, bool x_first, bool c_number,
                        uint8_t type)
{
    bool number = f->form >= FORM_SI;
    unsigned i, k;
    if (type == ENG_F64) {
        i = find(f64_first, base_countof(f64_first), f->op);
        k = second_f64(op2, x_first);
        return c_number || number || i == NONE || k == NONE
                   ? 0
                   : OP_f64_add_add_SSS + (i * OPS2_F64 + k) * 3;
    }
    if (c_number) {
        k = second_number(op2);
        i = number ? find(with_two_numbers, base_countof(with_two_numbers), f->op)
                   : find(with_slot, base_countof(with_slot), f->op);
        if (i == NONE || k == NONE)
            return 0;
        return (number ? OP_i32_shl_add_SII : OP_i32_add_add_SSI) + (i * NUM2 + k) * 2;
    }
    k = second(op2);
    i = number ? find(with_number, base_countof(with_number), f->op)
               : find(with_slot, base_countof(with_slot), f->op);
    if (i == NONE || k == NONE)
        return 0;
    return (number ? OP_i32_shl_add_SIS : OP_i32_add_add_SSS) + (i * OPS2 + k) * 3;
}

static bool commutes(unsigned op)
{
    return op == OP_i32_add_SS || op == OP_i32_mul_SS || op == OP_i32_and_SS ||
           op == OP_i32_or_SS || op == OP_i32_xor_SS;
}

/* The last instruction loaded one operand from a slot plus numbers; it keeps its
 * position, which is recorded. */
static bool fuse_load_op(struct compiler *c, unsigned op, struct value *a, struct value *b,
                         int *ret)
{
    bool x_first = !made_last(c, b);
    struct value *x = x_first ? a : b, *v = x_first ? b : a;
    unsigned k = second_f64(op, x_first);
    if (!made_last(c, x) || k == NONE || v->kind == V_CONST ||
        (c->last_op != OP_g_f64_load_S && c->last_op != OP_g_f64_load_SI))
        return false;
    uint64_t w = c->code[c->last + 1];
    uint64_t number = c->last_op == OP_g_f64_load_SI ? c->code[c->last + 2] : 0;
    uint32_t d = home(c, a);
    emit_undo_result(c, ACC_F64);
    bool v_acc = in_acc(c, v);
    if (v_acc)
        claim(c, v);
    uint64_t slot = v_acc ? 0 : slot_of(c, v);
    unsigned id = OP_f64_load_add_S + k * 2 + v_acc;
    uint32_t pos = emit(c, id, (w & 0xffffffff0000ffffu) | (uint64_t)d << 16);
    emit_word(c, number | slot << 32);
    *ret = push_result(c, ENG_F64, pos, id, false);
    return true;
}

bool fuse_binary(struct compiler *c, unsigned op, uint8_t type, struct value *a, struct value *b,
                 int *ret)
{
    struct first f;
    if (type != ENG_I32 && type != ENG_F64)
        return false;
    if (type == ENG_F64 && c->m->unchecked && fuse_load_op(c, op, a, b, ret))
        return true;
    bool x_first = !made_last(c, b);
    const struct value *x = x_first ? a : b;
    struct value *v = x_first ? b : a;
    if (!made_last(c, x) || !first_of_pair(c, &f))
        return false;
    bool number = v->kind == V_CONST;
    if (number && (type == ENG_F64 || (!x_first && !commutes(op))))
        return false;
    unsigned id = pair_id(&f, op, x_first, number, type);
    if (!id)
        return false;
    uint32_t d = home(c, a), pos;
    bool f_acc = f.form == FORM_AS || f.form == FORM_AI;
    emit_undo_result(c, type_class(type));
    bool f_number = f.form >= FORM_SI;
    if (number) {
        id += f_acc;
        pos = emit(c, id, operands(f.a, d, f_number ? 0 : (uint32_t)f.b, 0));
        emit_word(c, f_number ? f.b | v->bits << 32 : v->bits);
    } else {
        bool v_acc = !f_acc && in_acc(c, v);
        if (v_acc)
            claim(c, v);
        id += f_acc ? 1 : v_acc ? 2 : 0;
        uint32_t slot = v_acc ? 0 : slot_of(c, v);
        pos = f_number ? emit(c, id, operands(f.a, d, slot, 0))
                       : emit(c, id, operands(f.a, d, (uint32_t)f.b, slot));
        if (f_number)
            emit_word(c, f.b);
    }
    *ret = push_result(c, type, pos, id, false);
    return true;
}

bool fused_scaled_sum(const struct compiler *c, uint32_t *a, uint32_t *b, uint32_t *shift)
{
    uint64_t w = c->code[c->last + 1];
    if (c->last_op != OP_i32_shl_add_SIS || c->code[c->last + 2] > 3)
        return false;
    *a = w & 0xffff;
    *b = w >> 32 & 0xffff;
    *shift = (uint32_t)c->code[c->last + 2];
    return true;
}

bool fuse_count(struct compiler *c, const struct condition *k, unsigned index, uint32_t *ret_site)
{
    /* eq ne lt_s lt_u gt_s gt_u: pairs of ids from ne on */
    static const uint8_t pairs[] = { NONE, 0, 1, 2, 3, 4 };
    const struct acc *acc = &c->acc[ACC_INT];
    if (index >= base_countof(pairs) || pairs[index] == NONE || !(k->form & 1) ||
        c->last_op != OP_i32_add_SI || acc->pos != c->last)
        return false;
    uint64_t w = c->code[c->last + 1];
    bool number = k->form == FORM_AI;
    /* It reads what it compares with before it writes: that must not be the counter itself. */
    if ((w >> 16 & 0xffff) != acc->slot || (!number && k->b == acc->slot))
        return false;
    struct acc kept = *acc;
    emit_undo(c);
    uint32_t pos = emit(c, OP_count_ne_S + pairs[index] * 2u + number,
                        operands(w & 0xffff, w >> 16 & 0xffff, 0, 0));
    emit_word(c, w >> 32 | (number ? k->imm : k->b) << 32);
    kept.has_a = kept.has_d = false;
    c->acc[ACC_INT] = kept;
    *ret_site = pos + 1;
    return true;
}

bool fuse_load_branch(struct compiler *c, const struct condition *k, unsigned index, bool back,
                      uint32_t *ret_site)
{
    const struct acc *acc = &c->acc[ACC_INT];
    bool byte = c->last_op == OP_g_i32_load8_u_S || c->last_op == OP_g_i32_load8_u_S_A;
    if (index > 1 || k->form != FORM_AI || c->last_op == NO_OP ||
        (!byte && c->last_op != OP_g_i32_load_S && c->last_op != OP_g_i32_load_S_A))
        return false;
    uint64_t w = c->code[c->last + 1];
    /* The comparison's operand was this load's result: nothing came in between. */
    struct acc kept = *acc;
    emit_undo(c);
    uint32_t pos = emit(c, (byte ? OP_i32_load8_u_br_eq : OP_i32_load_br_eq) + index * 2 + back,
                        operands(w & 0xffff, w >> 16 & 0xffff, 0, 0));
    emit_word(c, w >> 32 | k->imm << 32);
    kept.has_a = kept.has_d = false;
    c->acc[ACC_INT] = kept;
    *ret_site = pos + 1;
    return true;
}

bool fuse_mask_branch(struct compiler *c, const struct condition *k, unsigned index, bool back,
                      uint32_t *ret_site)
{
    /* Taken from the accumulator alone: its value was a temporary, and is gone after this. */
    bool acc = c->last_op == OP_i32_and_AI + 1;
    if (index > 1 || k->form != FORM_AI || (c->last_op != OP_i32_and_SI + 1 && !acc))
        return false;
    uint64_t w = c->code[c->last + 1];
    emit_undo(c);
    c->acc[ACC_INT].slot = NO_SLOT;
    uint32_t pos = emit(c, OP_mask_br_eq_S + index * 4 + acc * 2u + back,
                        operands(w & 0xffff, 0, 0, 0));
    emit_word(c, w >> 32 | k->imm << 32);
    *ret_site = pos + 1;
    return true;
}

void fuse_increments(struct compiler *c)
{
    uint64_t second = c->code[c->last + 1], first = c->code[c->before_last + 1];
    struct acc *acc = &c->acc[ACC_INT];
    emit_undo(c);
    emit_undo(c);
    uint32_t pos = emit(c, OP_i32_add_SI_twice,
                        operands(second & 0xffff, second >> 16 & 0xffff, first & 0xffff,
                                 first >> 16 & 0xffff));
    emit_word(c, first >> 32 | second >> 32 << 32);
    acc->pos = pos;
    acc->op = OP_i32_add_SI_twice;
}
