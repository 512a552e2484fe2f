/* Branches and returns: fusing comparisons, linking sites to labels. */
#include "validate/func.h"

enum { COMPARE_IDS = 40, COMPARE_WIDE_IDS = 20, COMPARE_FLOAT_IDS = 12, TEST_NZ = 10, TEST_Z = 11 };

void patch_site(struct compiler *c, uint32_t site, uint32_t target)
{
    uint32_t relative = target - (site - 1);
    c->code[site] = (c->code[site] & UINT32_MAX) | (uint64_t)relative << 32;
}

void patch_list(struct compiler *c, uint32_t site, uint32_t target)
{
    while (site) {
        uint32_t next = (uint32_t)(c->code[site] >> 32);
        patch_site(c, site, target);
        site = next;
    }
}

void link_site(struct compiler *c, uint32_t site, struct label *to)
{
    if (to->kind == L_LOOP) {
        patch_site(c, site, to->code);
        return;
    }
    c->code[site] = (c->code[site] & UINT32_MAX) | (uint64_t)to->patches << 32;
    to->patches = site;
}

static bool last_condition(const struct compiler *c, struct condition *ret)
{
    unsigned op = c->last_op;
    uint64_t w = c->code[c->last + 1];
    if (op >= OP_i32_eq_SS && op < OP_i32_eq_SS + 0u + COMPARE_IDS) {
        ret->type = 0;
        ret->index = (op - OP_i32_eq_SS) / 4;
        ret->form = (op - OP_i32_eq_SS) % 4;
    } else if (!ENG_SMALL && op >= OP_i64_eq_SS && op < OP_i64_eq_SS + 0u + COMPARE_WIDE_IDS) {
        ret->type = 1;
        ret->index = (op - OP_i64_eq_SS) / 2;
        ret->form = (op - OP_i64_eq_SS) % 2 * 2;
    } else if (!ENG_SMALL && op >= OP_f64_eq_SS && op < OP_f64_eq_SS + 0u + COMPARE_FLOAT_IDS) {
        unsigned at = op - OP_f64_eq_SS;
        ret->type = 3;
        ret->index = at / 2;
        ret->form = at % 2;
    } else if (op == OP_i32_and_SS || op == OP_i32_and_AS || op == OP_i32_and_SI ||
               op == OP_i32_and_AI) {
        ret->type = 0;
        ret->index = TEST_NZ;
        ret->form = (op - OP_i32_and_SS) / 2;
    } else {
        return false;
    }
    ret->a = w & 0xffff;
    ret->b = w >> 32 & 0xffff;
    ret->imm = ret->type == 1 ? c->code[c->last + 2] : w >> 32;
    return true;
}

static uint32_t emit_fused(struct compiler *c, const struct condition *k, bool sense, bool back)
{
    static const uint8_t int_not[] = { 1, 0, 8, 9, 6, 7, 4, 5, 2, 3, TEST_Z, TEST_NZ };
    static const uint8_t float_not[] = { 1, 0, 6, 7, 8, 9 };
    static const uint16_t first[] = { OP_br_i32_eq_SS, OP_br_i64_eq_SS, 0, OP_br_f64_eq_SS };
    bool is_float = k->type >= 2;
    unsigned index = sense ? k->index : is_float ? float_not[k->index] : int_not[k->index];
    bool imm = k->form >= 2;
    unsigned op = first[k->type] + back +
                  (k->type == 1 ? index * 4 + imm * 2u : index * (is_float ? 4 : 8) + k->form * 2);
    uint32_t site;
    if (back && k->type == 0 && fuse_count(c, k, index, &site))
        return site;
    if (k->type == 0 && (fuse_load_branch(c, k, index, back, &site) ||
                         fuse_mask_branch(c, k, index, back, &site)))
        return site;
    uint32_t pos = emit(c, op, operands(k->a, imm ? 0 : k->b, 0, 0));
    if (imm)
        emit_word(c, k->imm);
    return pos + 1;
}

uint32_t emit_branch_if(struct compiler *c, struct value *cond, bool sense, bool back)
{
    struct condition k;
    uint32_t site;
    if (made_last(c, cond) && last_condition(c, &k)) {
        emit_undo_result(c, ACC_INT);
        return emit_fused(c, &k, sense, back);
    }
    if (in_acc(c, cond)) {
        k = (struct condition){ .index = sense, .form = 3 };
        if (back && cond->kind == V_LOCAL && fuse_count(c, &k, sense, &site))
            return site;
        if (fuse_load_branch(c, &k, sense, back, &site))
            return site;
    }
    unsigned op = sense ? OP_br_nz_S : OP_br_z_S;
    uint32_t slot = 0;
    if (in_acc(c, cond)) {
        claim(c, cond);
        op += 2;
    } else {
        slot = slot_of(c, cond);
    }
    return emit(c, op + back, operands(slot, 0, 0, 0)) + 1;
}

bool label_moves(const struct compiler *c, const struct label *l)
{
    uint32_t n = label_arity(l);
    return l->kind == L_FUNC || (n && c->value_count - n != l->height);
}

static void emit_jump(struct compiler *c, struct label *to)
{
    uint32_t pos = emit(c, to->kind == L_LOOP ? OP_br_back : OP_br, 0);
    link_site(c, pos + 1, to);
}

static void emit_ret_settled(struct compiler *c)
{
    static const uint16_t ops[ACC_CLASSES] = { OP_ret_i64_S, OP_ret_f32_S, OP_ret_f64_S };
    uint32_t n = c->type->result_count, from = c->base + c->value_count - n;
    if (n == 0)
        emit(c, OP_ret, operands(c->local_count, 0, 0, 0));
    else if (n == 1)
        emit(c, ops[type_class(c->type->results[0])], operands(c->local_count, from, 0, 0));
    else
        emit(c, OP_ret_n, operands_imm(c->local_count, from, n));
}

void emit_leave(struct compiler *c, struct label *to)
{
    uint32_t n = label_arity(to), from = c->base + c->value_count - n;
    if (to->kind == L_FUNC) {
        emit_ret_settled(c);
        return;
    }
    if (n == 1)
        emit_copy(c, from, c->base + to->height, label_types(to)[0]);
    else if (ENG_SIMD && n == 2 && label_types(to)[0] == ENG_V128)
        v128_copy(c, from, c->base + to->height);
    else
        emit(c, OP_copy_n, operands_imm(from, c->base + to->height, n));
    emit_jump(c, to);
}

int emit_return(struct compiler *c)
{
    static const uint16_t ops[ACC_CLASSES] = { OP_ret_i64_S, OP_ret_f32_S, OP_ret_f64_S };
    uint32_t n = c->type->result_count, slot = 0;
    if (c->dead)
        return 0;
    if (n != 1) {
        int err = settle_top(c, n);
        if (!err)
            emit_ret_settled(c);
        return err;
    }
    struct value *v = &c->values[c->value_count - 1];
    unsigned op = ops[type_class(v->type)];
    if (in_acc(c, v)) {
        claim(c, v);
        op++;
    } else {
        slot = slot_of(c, v);
    }
    emit(c, op, operands(c->local_count, slot, 0, 0));
    return 0;
}

int emit_br(struct compiler *c, struct label *to)
{
    uint32_t n = label_arity(to);
    if (c->dead)
        return 0;
    if (to->kind == L_FUNC)
        return emit_return(c);
    if (n == 1) {
        struct value *v = &c->values[c->value_count - 1];
        if (label_moves(c, to))
            move_to(c, v, c->base + to->height);
        else
            settle(c, v);
        emit_jump(c, to);
        return 0;
    }
    int err = settle_top(c, n);
    if (err)
        return err;
    if (label_moves(c, to))
        emit_leave(c, to);
    else
        emit_jump(c, to);
    return 0;
}

int emit_br_if(struct compiler *c, struct value *cond, struct label *to)
{
    if (c->dead)
        return 0;
    int err = settle_top(c, label_arity(to));
    if (err)
        return err;
    if (!label_moves(c, to)) {
        link_site(c, emit_branch_if(c, cond, true, to->kind == L_LOOP), to);
        return 0;
    }
    uint32_t site = emit_branch_if(c, cond, false, false);
    emit_leave(c, to);
    patch_site(c, site, c->code_count);
    c->last_op = NO_OP; /* a label, but one at which the accumulators are known */
    return 0;
}
