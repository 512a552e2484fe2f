/* Loads and stores. `op` is the guarded operation's first form. */
#include "validate/func.h"

static unsigned mode(const struct compiler *c, unsigned op)
{
    return c->m->unchecked ? op : op + (OP_c_i32_load_S - OP_g_i32_load_S);
}

/* When the address was just made by adding two slots, the load adds them. */
static bool sum_of_slots(struct compiler *c, const struct value *v, uint32_t offset,
                         uint64_t *ret)
{
    const struct acc *a = &c->acc[ACC_INT];
    if (v->kind != V_SLOT || a->slot != home(c, v) || a->pos != c->last ||
        c->last_op != OP_i32_add_SS || offset > UINT16_MAX)
        return false;
    *ret = c->code[c->last + 1];
    return true;
}

int emit_load(struct compiler *c, unsigned op, uint8_t type, uint32_t offset, const uint8_t *at)
{
    int err = pop(c, ENG_I32);
    if (err || c->dead)
        return err ? err : push(c, type);
    struct value *v = &c->values[c->value_count];
    uint32_t d = home(c, v), pos;
    uint64_t sum;
    op = mode(c, op);
    if (sum_of_slots(c, v, offset, &sum)) {
        emit_undo(c);
        c->acc[ACC_INT].slot = NO_SLOT;
        op += 4;
        pos = emit(c, op, operands(sum & 0xffff, d, sum >> 32 & 0xffff, offset));
    } else if (in_acc(c, v)) {
        claim(c, v);
        op += 2;
        pos = emit(c, op, operands_imm(0, d, offset));
    } else {
        uint32_t slot = slot_of(c, v);
        pos = emit(c, op, operands_imm(slot, d, offset));
    }
    err = emit_offset(c, pos, at);
    return err ? err : push_result(c, type, pos, op, true);
}

int emit_store(struct compiler *c, unsigned op, uint8_t type, uint32_t offset, const uint8_t *at)
{
    uint8_t types[2] = { ENG_I32, type };
    int err = pop_all(c, types, 2);
    if (err || c->dead)
        return err;
    struct value *a = &c->values[c->value_count], *v = a + 1;
    bool is_float = type_index(type) >= 2, imm = false;
    bool v_acc = in_acc(c, v), a_acc = in_acc(c, a);
    enum { SS, AS, SA, SI, AI, AA = 3 } form;
    if (v->kind == V_CONST && is_float) {
        slot_of(c, v);
        v->kind = V_SLOT;
    }
    imm = v->kind == V_CONST;
    if (is_float)
        form = v_acc ? (a_acc ? AA : SA) : (a_acc ? AS : SS);
    else if (imm)
        form = a_acc ? AI : SI;
    else
        form = v_acc ? SA : a_acc ? AS : SS;
    bool use_a = is_float ? form == AA || form == AS : form == AS || form == AI;
    bool use_v = form == SA || (is_float && form == AA);
    if (use_a)
        claim(c, a);
    if (use_v)
        claim(c, v);
    uint32_t ra = use_a ? 0 : slot_of(c, a), rv = use_v || imm ? 0 : slot_of(c, v);
    uint32_t pos = emit(c, mode(c, op) + (unsigned)form, operands_imm(ra, rv, offset));
    if (imm)
        emit_word(c, v->bits);
    return emit_offset(c, pos, at);
}
