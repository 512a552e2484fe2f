/* The quick way through nearly all of any body, for modules that are validated only (their code
 * is made by a compiler): instructions whose operands are all there, of the types they should be,
 * and not more than one result. Whatever is unusual, and every error, is left to the general
 * way, at the instruction's start. */
#include "runtime/native.h"
#include "validate/func.h"

/* The compiler's state, as long as nobody else needs it: in registers, hence the inlining. */
struct quick {
    struct compiler *c;
    const uint8_t *at, *p, *end; /* an instruction, what follows its opcode, the body's end */
    const uint8_t *last;         /* the instruction before it, or NULL */
    struct value *top;           /* behind the values */
    struct value *bottom;        /* first of the innermost block */
    struct value *limit, *high;  /* where no more may be pushed; the highest that top was, or limit */
    struct native_use *uses;     /* of native_scan */
    const uint8_t *types;        /* of locals */
    uint32_t locals;
    uint32_t weight; /* of native_scan */
};

#define QUICK static inline __attribute__((always_inline))

void quick_begin(struct compiler *c)
{
    enum { FIRST_LOAD = 0x28, LAST_STORE = 0x3e };
    memset(c->quick, 0, sizeof c->quick);
    for (unsigned i = 0; i < 256; i++) {
        struct quick_row *row = &c->quick[i];
        if (!native_watches((uint8_t)i))
            row->count = (uint8_t)numeric_signature(i, &row->in, &row->out);
    }
    for (unsigned i = FIRST_LOAD; i <= LAST_STORE && c->m->memory_count; i++)
        c->quick[i].count = access_of(i)->align + 1u;
}

/* --- values ------------------------------------------------------------------------------ */

QUICK bool has(const struct quick *q, uint32_t count)
{
    return q->top >= q->bottom + count;
}

QUICK bool push_quick(struct quick *q, uint8_t type)
{
    if (__builtin_expect(q->top == q->high, 0)) { /* never above: one comparison for both bounds */
        if (q->top == q->limit)
            return false;
        q->high++;
    }
    q->top->type = type;
    q->top->kind = V_SLOT;
    q->top++;
    return true;
}

QUICK bool unary(struct quick *q, uint8_t in, uint8_t out)
{
    if (!has(q, 1) || q->top[-1].type != in)
        return false;
    q->top[-1].type = out;
    return true;
}

QUICK bool binary(struct quick *q, uint8_t in, uint8_t out)
{
    if (!has(q, 2) || q->top[-1].type != in || q->top[-2].type != in)
        return false;
    q->top--;
    q->top[-1].type = out;
    return true;
}

QUICK bool numeric(struct quick *q, uint8_t opcode)
{
    const struct quick_row *row = &q->c->quick[opcode];
    return row->count == 1 ? unary(q, row->in, row->out)
                           : row->count && binary(q, row->in, row->out);
}

/* --- immediates -------------------------------------------------------------------------- */

enum { LEB_MAX = 10 };

/* Length of the LEB128 at p, behind which there are LEB_MAX bytes; 9 when it has more than 8. */
QUICK unsigned leb_length(const uint8_t *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    word = ~word & UINT64_C(0x8080808080808080);
    return word ? (unsigned)__builtin_ctzll(word) / 8 + 1 : 9;
}

/* Steps over an unsigned number, of few enough bytes that it cannot have too many bits. */
QUICK bool skip_unsigned(struct quick *q)
{
    enum { MOST = 4 };
    if (q->p < q->end && *q->p < 0x80) {
        q->p++;
        return true;
    }
    if (q->end - q->p < LEB_MAX)
        return false;
    unsigned n = leb_length(q->p);
    q->p += n;
    return n <= MOST;
}

/* Is the last byte that a number may have, of which so many bits count, filled with its sign? */
QUICK bool sign_filled(uint8_t byte, unsigned bits)
{
    uint8_t rest = (uint8_t)(0x7f >> (bits - 1) << (bits - 1));
    return (byte & (0x80 | rest)) == 0 || (byte & (0x80 | rest)) == rest;
}

/* Steps over a signed number of 32 bits, or of 64. */
QUICK bool skip_signed(struct quick *q, bool wide)
{
    const uint8_t *p = q->p;
    if (p < q->end && *p < 0x80) {
        q->p++;
        return true;
    }
    if (q->end - p < LEB_MAX)
        return false;
    unsigned n = leb_length(p);
    if (wide && n > 8 && p[8] >= 0x80)
        n = LEB_MAX;
    q->p += n;
    return wide ? n < LEB_MAX || sign_filled(p[9], 1) : n < 5 || (n == 5 && sign_filled(p[4], 4));
}

/* An index below the limit, of one or two bytes. */
QUICK bool index_quick(struct quick *q, uint32_t limit, uint32_t *ret)
{
    if (q->p == q->end)
        return false;
    uint32_t x = *q->p++;
    if (__builtin_expect(x >= 0x80, 0)) {
        uint32_t more = q->p == q->end ? 0x80 : *q->p++;
        if (more >= 0x80)
            return false;
        x = (x & 0x7f) | more << 7;
    }
    *ret = x;
    return x < limit;
}

/* --- instructions ------------------------------------------------------------------------ */

QUICK bool constant(struct quick *q, uint8_t type)
{
    return skip_signed(q, type == ENG_I64) && push_quick(q, type);
}

QUICK bool fixed(struct quick *q, uint8_t type, unsigned bytes)
{
    if (q->end - q->p < (ptrdiff_t)bytes)
        return false;
    q->p += bytes;
    return push_quick(q, type);
}

QUICK void use_local(struct quick *q, uint32_t x)
{
    if (!q->uses[x].weight)
        native_scan_first(q->c->scan, x);
    q->uses[x].weight += q->weight;
}

QUICK bool get_local(struct quick *q)
{
    uint32_t x;
    if (!index_quick(q, q->locals, &x) || !push_quick(q, q->types[x]))
        return false;
    use_local(q, x);
    return true;
}

QUICK bool set_local(struct quick *q, bool tee)
{
    uint32_t x;
    if (!index_quick(q, q->locals, &x))
        return false;
    uint8_t type = q->types[x];
    if (!has(q, 1) || q->top[-1].type != type)
        return false;
    q->top -= !tee;
    use_local(q, x);
    if (type < ENG_I64)
        native_scan_set(q->c->scan, x, q->last);
    return true;
}

QUICK bool global(struct quick *q, bool set)
{
    const struct eng_module *m = q->c->m;
    uint32_t x;
    if (!index_quick(q, m->global_count, &x) || m->globals[x].type == ENG_V128)
        return false;
    const struct module_global *global = &m->globals[x];
    if (!set)
        return push_quick(q, global->type);
    if (!global->is_mutable || !has(q, 1) || q->top[-1].type != global->type)
        return false;
    q->top--;
    return true;
}

/* An alignment that says of which memory is too large here. */
QUICK bool memarg(struct quick *q, uint8_t opcode)
{
    return q->p < q->end && *q->p++ < q->c->quick[opcode].count && skip_unsigned(q);
}

QUICK bool load(struct quick *q, uint8_t opcode, uint8_t type)
{
    return memarg(q, opcode) && unary(q, ENG_I32, type);
}

QUICK bool store(struct quick *q, uint8_t opcode, uint8_t type)
{
    if (!memarg(q, opcode) || !has(q, 2) || q->top[-1].type != type || q->top[-2].type != ENG_I32)
        return false;
    q->top -= 2;
    return true;
}

QUICK bool drop(struct quick *q)
{
    if (!has(q, 1) || q->top[-1].type == V128_HIGH)
        return false;
    q->top--;
    return true;
}

/* Of numbers. */
QUICK bool select_quick(struct quick *q)
{
    if (!has(q, 3) || q->top[-1].type != ENG_I32 || q->top[-2].type < ENG_F64 ||
        q->top[-2].type > ENG_I32 || q->top[-3].type != q->top[-2].type)
        return false;
    q->top -= 2;
    return true;
}

QUICK bool call(struct quick *q)
{
    const struct eng_module *m = q->c->m;
    uint32_t i;
    if (!index_quick(q, m->func_count, &i))
        return false;
    const struct eng_functype *t = &m->slot_types[m->func_types[i]];
    uint32_t n = t->param_count;
    if (!has(q, n) || t->result_count > 1)
        return false;
    struct value *first = q->top - n;
    for (uint32_t k = 0; k < n; k++)
        if (first[k].type != t->params[k])
            return false;
    if (!n && q->top == q->limit)
        return false;
    q->top = first;
    if (t->result_count)
        push_quick(q, t->results[0]);
    native_saw_call(q->c->native, m->func_types[i], i < m->func_imports);
    return true;
}

/* --- blocks ------------------------------------------------------------------------------- */

QUICK struct label *label_quick(const struct quick *q, uint32_t depth)
{
    return &q->c->labels[q->c->label_count - 1 - depth];
}

/* The innermost block has become another one. */
QUICK void new_bottom(struct quick *q)
{
    q->bottom = q->c->values + label_quick(q, 0)->height;
}

QUICK void loop_quick(struct quick *q, int by)
{
    native_scan_loop(q->c->scan, by);
    q->weight = q->c->scan->weight;
}

QUICK bool block(struct quick *q, enum label_kind kind)
{
    static const uint8_t types[] = { ENG_F64, ENG_F32, ENG_I64, ENG_I32 };
    struct compiler *c = q->c;
    if (q->p == q->end || c->label_count == c->label_capacity || c->label_count >= ENG_MAX_NESTING)
        return false;
    uint8_t type = *q->p++;
    bool none = type == 0x40;
    if (!none && (type < ENG_F64 || type > ENG_I32))
        return false;
    if (kind == L_IF) {
        if (!has(q, 1) || q->top[-1].type != ENG_I32)
            return false;
        q->top--;
    }
    c->labels[c->label_count++] = (struct label){ .kind = (uint8_t)kind,
                                                  .dead_outside = true,
                                                  .height = (uint32_t)(q->top - c->values),
                                                  .results = none ? NULL : &types[type - ENG_F64],
                                                  .result_count = !none,
                                                  .clauses = c->clause_count };
    q->bottom = q->top;
    if (kind == L_LOOP)
        loop_quick(q, 1);
    return true;
}

/* Are l's results all that is on the stack? */
QUICK bool at_end(const struct quick *q, const struct label *l)
{
    return l->result_count <= 1 && q->top == q->bottom + l->result_count &&
           (!l->result_count || q->bottom->type == l->results[0]);
}

QUICK bool else_quick(struct quick *q)
{
    struct label *l = label_quick(q, 0);
    if (l->kind != L_IF || l->param_count || !at_end(q, l))
        return false;
    l->kind = L_ELSE;
    l->unreachable = false;
    q->top = q->bottom;
    return true;
}

QUICK bool end_quick(struct quick *q)
{
    struct label *l = label_quick(q, 0);
    if (l->kind == L_FUNC || l->kind == L_TRY || !at_end(q, l) ||
        (l->kind == L_IF && (l->param_count || l->result_count)))
        return false;
    if (l->kind == L_LOOP)
        loop_quick(q, -1);
    q->c->label_count--;
    new_bottom(q);
    return true;
}

/* Are the values that a branch to l takes along below `skip` others? */
QUICK bool can_leave(const struct quick *q, const struct label *l, uint32_t skip)
{
    uint32_t arity = label_arity(l);
    return arity <= 1 && has(q, arity + skip) &&
           (!arity || q->top[-1 - (int)skip].type == label_types(l)[0]);
}

QUICK void end_path(struct quick *q)
{
    q->top = q->bottom;
    label_quick(q, 0)->unreachable = true;
}

QUICK bool br(struct quick *q)
{
    uint32_t depth;
    if (!index_quick(q, q->c->label_count, &depth) || !can_leave(q, label_quick(q, depth), 0))
        return false;
    end_path(q);
    return true;
}

QUICK bool br_if(struct quick *q)
{
    uint32_t depth;
    if (!index_quick(q, q->c->label_count, &depth) || !has(q, 1) || q->top[-1].type != ENG_I32 ||
        !can_leave(q, label_quick(q, depth), 1))
        return false;
    q->top--;
    return true;
}

QUICK bool return_quick(struct quick *q)
{
    if (!can_leave(q, &q->c->labels[0], 0))
        return false;
    end_path(q);
    return true;
}

/* --- all of them -------------------------------------------------------------------------- */

/* From one instruction to the next. Each handler has its own jump, which is what a CPU guesses by, and
 * an instruction that is not for this way ends it, with nothing changed but p. */
#define NEXT                                                                                      \
    do {                                                                                          \
        q.last = q.at;                                                                            \
        q.at = q.p;                                                                               \
        if (q.p == q.end)                                                                         \
            goto out;                                                                             \
        goto *handlers[*q.p++];                                                                   \
    } while (0)
#define ON(name, done)                                                                            \
    name:                                                                                         \
    if (!(done))                                                                                  \
        goto out;                                                                                 \
    NEXT
#define OPCODE (*q.at)

void quick_run(struct compiler *c)
{
    static const void *const handlers[256] = {
        [0x00] = &&on_unreachable,
        [0x01] = &&out,
        [0x02] = &&on_block,
        [0x03] = &&on_loop,
        [0x04] = &&on_if,
        [0x05] = &&on_else,
        [0x06 ... 0x0a] = &&out,
        [0x0b] = &&on_end,
        [0x0c] = &&on_br,
        [0x0d] = &&on_br_if,
        [0x0e] = &&out,
        [0x0f] = &&on_return,
        [0x10] = &&on_call,
        [0x11 ... 0x19] = &&out,
        [0x1a] = &&on_drop,
        [0x1b] = &&on_select,
        [0x1c ... 0x1f] = &&out,
        [0x20] = &&on_local_get,
        [0x21] = &&on_local_set,
        [0x22] = &&on_local_tee,
        [0x23] = &&on_global_get,
        [0x24] = &&on_global_set,
        [0x25 ... 0x27] = &&out,
        [0x28] = &&on_load_i32,
        [0x29] = &&on_load_i64,
        [0x2a] = &&on_load_f32,
        [0x2b] = &&on_load_f64,
        [0x2c ... 0x2f] = &&on_load_i32,
        [0x30 ... 0x35] = &&on_load_i64,
        [0x36] = &&on_store_i32,
        [0x37] = &&on_store_i64,
        [0x38] = &&on_store_f32,
        [0x39] = &&on_store_f64,
        [0x3a ... 0x3b] = &&on_store_i32,
        [0x3c ... 0x3e] = &&on_store_i64,
        [0x3f ... 0x40] = &&out,
        [0x41] = &&on_i32_const,
        [0x42] = &&on_i64_const,
        [0x43] = &&on_f32_const,
        [0x44] = &&on_f64_const,
        [0x45] = &&on_i32_unary,
        [0x46 ... 0x4f] = &&on_i32_binary,
        [0x50 ... 0x69] = &&on_numeric,
        [0x6a ... 0x6c] = &&on_i32_binary,
        [0x6d ... 0x70] = &&out,
        [0x71 ... 0x78] = &&on_i32_binary,
        [0x79 ... 0xc4] = &&on_numeric,
        [0xc5 ... 0xff] = &&out,
    };
    struct reader *r = &c->l->r;
    uint32_t room = ENG_MAX_FRAME_SLOTS - c->base;
    struct quick q = { .c = c, .p = r->p, .at = c->scan->last, .end = r->end,
                       .uses = c->scan->uses, .weight = c->scan->weight, .types = c->local_types,
                       .locals = c->local_count };
    q.top = c->values + c->value_count;
    q.limit = c->values + (room < c->value_capacity ? room : c->value_capacity);
    q.high = c->values + c->max_height; /* what a clause catches counts, and is on no stack */
    if (q.high > q.limit)
        q.high = q.limit;
    new_bottom(&q);
    NEXT;
    ON(on_unreachable, (end_path(&q), true));
    ON(on_block, block(&q, L_BLOCK));
    ON(on_loop, block(&q, L_LOOP));
    ON(on_if, block(&q, L_IF));
    ON(on_else, else_quick(&q));
    ON(on_end, end_quick(&q));
    ON(on_br, br(&q));
    ON(on_br_if, br_if(&q));
    ON(on_return, return_quick(&q));
    ON(on_call, call(&q));
    ON(on_drop, drop(&q));
    ON(on_select, select_quick(&q));
    ON(on_local_get, get_local(&q));
    ON(on_local_set, set_local(&q, false));
    ON(on_local_tee, set_local(&q, true));
    ON(on_global_get, global(&q, false));
    ON(on_global_set, global(&q, true));
    ON(on_load_i32, load(&q, OPCODE, ENG_I32));
    ON(on_load_i64, load(&q, OPCODE, ENG_I64));
    ON(on_load_f32, load(&q, OPCODE, ENG_F32));
    ON(on_load_f64, load(&q, OPCODE, ENG_F64));
    ON(on_store_i32, store(&q, OPCODE, ENG_I32));
    ON(on_store_i64, store(&q, OPCODE, ENG_I64));
    ON(on_store_f32, store(&q, OPCODE, ENG_F32));
    ON(on_store_f64, store(&q, OPCODE, ENG_F64));
    ON(on_i32_const, constant(&q, ENG_I32));
    ON(on_i64_const, constant(&q, ENG_I64));
    ON(on_f32_const, fixed(&q, ENG_F32, 4));
    ON(on_f64_const, fixed(&q, ENG_F64, 8));
    ON(on_i32_unary, unary(&q, ENG_I32, ENG_I32));
    ON(on_i32_binary, binary(&q, ENG_I32, ENG_I32));
    ON(on_numeric, numeric(&q, OPCODE));
out:
    r->p = q.at;
    c->scan->last = q.last;
    c->value_count = (uint32_t)(q.top - c->values);
    if (q.high > c->values + c->max_height)
        c->max_height = (uint32_t)(q.high - c->values);
}
