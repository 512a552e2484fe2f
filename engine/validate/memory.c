/* Loads and stores: choosing how the address is made. */
#include "validate/func.h"

void memory_enter(struct compiler *c, uint32_t memory)
{
    c->memory = memory;
    if (memory && !c->dead)
        emit(c, OP_memory_use, operands_imm(0, 0, memory));
}

void memory_leave(struct compiler *c)
{
    if (c->memory && !c->dead)
        emit(c, OP_memory_use, 0);
    c->memory = 0;
}

/* Guarded loads, in the order of interp/ops_mem.inc; two ids each. */
enum { ADDR_S, ADDR_A, ADDR_SUM, ADDR_CONST, ADDR_PLUS_S, ADDR_PLUS_A, ADDR_SCALED };
enum { SCALED_OFFSET_MAX = 0x3fff };

/* Addresses that the guarded load makes itself: the last instruction made v and is
 * taken back. The position of the load, or 0 when v is nothing of that kind. */
static uint32_t load_made(struct compiler *c, const struct value *v, unsigned op, uint32_t d,
                          uint32_t offset, unsigned *ret_op)
{
    uint32_t a, b, shift, pos;
    if (v->kind == V_CONST && v->bits + offset <= UINT32_MAX) {
        *ret_op = op + ADDR_CONST * 2;
        return emit(c, *ret_op, operands_imm(0, d, (uint32_t)v->bits + offset));
    }
    if (!made_last(c, v))
        return 0;
    uint64_t w = c->code[c->last + 1];
    if (c->last_op == OP_i32_add_SS && offset <= UINT16_MAX) {
        emit_undo_result(c, ACC_INT);
        *ret_op = op + ADDR_SUM * 2;
        return emit(c, *ret_op, operands(w & 0xffff, d, w >> 32 & 0xffff, offset));
    }
    if (c->last_op == OP_i32_add_SI || c->last_op == OP_i32_add_AI) {
        bool acc = c->last_op == OP_i32_add_AI;
        emit_undo_result(c, ACC_INT);
        *ret_op = op + (acc ? ADDR_PLUS_A : ADDR_PLUS_S) * 2;
        pos = emit(c, *ret_op, operands_imm(w & 0xffff, d, offset));
        emit_word(c, w >> 32);
        return pos;
    }
    if (offset <= SCALED_OFFSET_MAX && fused_scaled_sum(c, &a, &b, &shift)) {
        emit_undo_result(c, ACC_INT);
        *ret_op = op + ADDR_SCALED * 2;
        return emit(c, *ret_op, operands(a, d, b, offset << 2 | shift));
    }
    return 0;
}

int emit_load(struct compiler *c, const struct access *x, uint32_t offset, const uint8_t *at)
{
    int err = pop(c, ENG_I32);
    if (err || c->dead)
        return err ? err : push(c, x->type);
    struct value *v = &c->values[c->value_count];
    unsigned op = x->checking;
    uint32_t d = home(c, v), pos = 0;
    if (unchecked(c))
        op = x->guarded;
    if (unchecked(c) && x->guarded < OP_g_i64_load8_s_S) {
        pos = load_made(c, v, op, d, offset, &op);
    }
    if (pos) {
        /* done */
    } else if (in_acc(c, v)) {
        claim(c, v);
        op += ADDR_A * 2;
        pos = emit(c, op, operands_imm(0, d, offset));
    } else {
        uint32_t slot = slot_of(c, v);
        pos = emit(c, op, operands_imm(slot, d, offset));
    }
    err = emit_offset(c, pos, at);
    return err ? err : push_result(c, x->type, pos, op, true);
}

/* Forms of stores; those of floats differ, since both operands may be in
 * accumulators and none is in the code. */
enum { ST_SS, ST_AS, ST_SA, ST_SI, ST_AI, ST_IS, ST_IA };
enum { STF_AA = 3, STF_IS, STF_IA };

int emit_store(struct compiler *c, const struct access *x, uint32_t offset, const uint8_t *at)
{
    uint8_t types[2] = { ENG_I32, x->type };
    int err = pop_all(c, types, 2);
    if (err || c->dead)
        return err;
    struct value *a = &c->values[c->value_count], *v = a + 1;
    bool is_float = type_index(x->type) >= 2;
    bool at_const = unchecked(c) && a->kind == V_CONST && a->bits + offset <= UINT32_MAX;
    if (v->kind == V_CONST && (is_float || at_const)) {
        slot_of(c, v);
        v->kind = V_SLOT;
    }
    bool imm = v->kind == V_CONST, v_acc = in_acc(c, v);
    bool a_acc = !at_const && in_acc(c, a) && (is_float || !v_acc);
    unsigned form;
    if (at_const)
        form = is_float ? (v_acc ? STF_IA : STF_IS) : (v_acc ? ST_IA : ST_IS);
    else if (imm)
        form = a_acc ? ST_AI : ST_SI;
    else if (v_acc)
        form = a_acc ? STF_AA : ST_SA;
    else
        form = a_acc ? ST_AS : ST_SS;
    if (a_acc)
        claim(c, a);
    if (v_acc)
        claim(c, v);
    uint32_t ra = a_acc || at_const ? 0 : slot_of(c, a), rv = v_acc || imm ? 0 : slot_of(c, v);
    uint32_t pos = emit(c, (unchecked(c) ? x->guarded : x->checking) + form,
                        operands_imm(ra, rv, at_const ? (uint32_t)a->bits + offset : offset));
    if (imm)
        emit_word(c, v->bits);
    return emit_offset(c, pos, at);
}
