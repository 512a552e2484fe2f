/* The quick way through nearly all of any body, for modules that are validated only (their code
 * is made by a compiler): instructions whose operands are all there, of the types they should be,
 * and not more than one result. Whatever is unusual, and every error, is left to the general
 * way, at the instruction's start. */
#include "runtime/native.h"
#include "validate/func.h"

/* The types of the innermost block's values are apart, one byte each, with zeros below, which are no
 * operand's type: a comparison of operands' types sees too that they are there. A block's
 * values go to the compiler's when another block begins in it.
 *
 * Immediates are read without a look at the body's end: behind `stop` there are PAD bytes of the
 * module. An instruction that turns out to reach beyond the body is left to the general way, which
 * fails, whatever has become of the values. */
struct quick {
    struct compiler *c;
    const uint8_t *p, *next, *stop; /* an instruction, the one behind it */
    uint8_t *top;          /* behind the types of the block's values */
    uint8_t *limit, *high; /* where no more may be pushed; the highest that top was, or limit */
    struct label *label, *last_label; /* the innermost, and which that may become */
    struct native_use *uses; /* of native_scan */
    const uint8_t *types;    /* of locals */
    size_t locals, locals_short; /* how many; how many have numbers of one byte */
    uint64_t weight; /* of native_scan */
};

enum { PAD = 16 };

#define QUICK static inline __attribute__((always_inline))

void quick_begin(struct compiler *c)
{
    enum { FIRST_LOAD = 0x28, LAST_STORE = 0x3e };
    memset(c->quick, 0, sizeof c->quick);
    memset(c->quick_types, 0, sizeof c->quick_types);
    for (unsigned i = 0; i < 256; i++) {
        struct quick_row *row = &c->quick[i];
        uint8_t in = 0;
        row->count = (uint8_t)numeric_signature(i, &in, &row->out);
        row->mask = row->count == 1 ? 0xff00 : row->count == 2 ? 0xffff : 0;
        row->in = row->count ? (uint16_t)(row->mask & in * 0x101) : 1; /* which is never */
        row->is_i32_binary = row->count == 2 && in == ENG_I32 && row->out == ENG_I32 &&
                             !native_watches((uint8_t)i);
    }
    for (unsigned i = FIRST_LOAD; i <= LAST_STORE && c->m->memory_count; i++)
        c->quick[i].count = access_of(i)->align + 1u;
}

/* --- values ------------------------------------------------------------------------------ */

QUICK uint8_t *bottom(const struct quick *q)
{
    return q->c->quick_types + QUICK_BELOW;
}

/* The two upmost types, the top's above. */
QUICK uint16_t two(const struct quick *q)
{
    uint16_t types;
    memcpy(&types, q->top - 2, sizeof types);
    return types;
}

QUICK uint16_t pair(uint8_t below, uint8_t top)
{
    return (uint16_t)(below | top << 8);
}

QUICK bool push_quick(struct quick *q, uint8_t type)
{
    if (__builtin_expect(q->top == q->high, 0)) { /* never above: one comparison for both bounds */
        if (q->top == q->limit)
            return false;
        q->high++;
    }
    *q->top++ = type;
    return true;
}

QUICK bool unary(struct quick *q, uint8_t in, uint8_t out)
{
    if (q->top[-1] != in)
        return false;
    if (in != out)
        q->top[-1] = out;
    q->next = q->p + 1;
    return true;
}

QUICK bool binary(struct quick *q, uint8_t in, uint8_t out)
{
    if (two(q) != pair(in, in))
        return false;
    q->top--;
    if (in != out)
        q->top[-1] = out;
    q->next = q->p + 1;
    return true;
}

/* The instruction may give a float that arithmetic made. */
QUICK void note_made(struct quick *q)
{
    q->c->made = q->p;
    q->c->made_end = q->next;
}

QUICK bool numeric(struct quick *q)
{
    const struct quick_row *row = &q->c->quick[*q->p];
    if ((two(q) & row->mask) != row->in)
        return false;
    q->top -= row->count - 1;
    q->top[-1] = row->out;
    q->next = q->p + 1;
    note_made(q);
    return true;
}

/* The same of one that the compiler is to hear of. */
QUICK bool watched(struct quick *q)
{
    if (!numeric(q))
        return false;
    native_saw(q->c->native, q->p);
    return true;
}

/* Notes how high the values were, which begin at that height. */
QUICK void keep_height(const struct quick *q, uint32_t height)
{
    uint32_t high = height + (uint32_t)(q->high - bottom(q));
    if (high > q->c->max_height)
        q->c->max_height = high;
}

/* The block's values begin at that height. */
QUICK void set_height(struct quick *q, uint32_t height)
{
    struct compiler *c = q->c;
    uint32_t room = ENG_MAX_FRAME_SLOTS - c->base;
    room = (room < c->value_capacity ? room : c->value_capacity) - height;
    room = room < QUICK_VALUES ? room : QUICK_VALUES;
    uint32_t high = c->max_height - height; /* what a clause catches counts, and is on no stack */
    q->limit = bottom(q) + room;
    q->high = bottom(q) + (high < room ? high : room);
}

/* Types of the compiler's values from a height on, count of them at most QUICK_VALUES. */
static void take_types(struct compiler *c, uint32_t height, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        c->quick_types[QUICK_BELOW + i] = c->values[height + i].type;
}

static void give_types(struct compiler *c, uint32_t height, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        c->values[height + i].type = c->quick_types[QUICK_BELOW + i];
        c->values[height + i].kind = V_SLOT;
    }
}

/* --- immediates -------------------------------------------------------------------------- */

/* Length of the LEB128 at p; one more than `most`, at most 7, when it has more bytes than that. */
QUICK unsigned leb_length(const uint8_t *p, unsigned most)
{
    uint64_t word;
    memcpy(&word, p, sizeof word);
    word = (~word & UINT64_C(0x8080808080808080)) | UINT64_C(0x80) << 8 * most;
    return (unsigned)__builtin_ctzll(word) / 8 + 1;
}

/* Steps from p over an unsigned number, of few enough bytes that it cannot have too many bits. */
QUICK bool skip_unsigned(struct quick *q, const uint8_t *p)
{
    enum { MOST = 4 };
    q->next = p + 1;
    if (*p < 0x80)
        return true;
    unsigned n = leb_length(p, MOST);
    q->next = p + n;
    return n <= MOST;
}

/* Is the last byte that a number may have, of which so many bits count, filled with its sign? */
QUICK bool sign_filled(uint8_t byte, unsigned bits)
{
    uint8_t rest = (uint8_t)(0x7f >> (bits - 1) << (bits - 1));
    return (byte & (0x80 | rest)) == 0 || (byte & (0x80 | rest)) == rest;
}

/* Steps over a signed number of 32 bits. */
QUICK bool skip_s32(struct quick *q)
{
    enum { MOST = 5 };
    const uint8_t *p = q->p + 1;
    q->next = p + 1;
    if (*p < 0x80)
        return true;
    unsigned n = leb_length(p, MOST);
    q->next = p + n;
    return n < MOST || (n == MOST && sign_filled(p[4], 4));
}

QUICK bool skip_s64(struct quick *q)
{
    enum { MOST = 10 };
    const uint8_t *p = q->p + 1;
    unsigned n = 1;
    while (n < MOST && p[n - 1] >= 0x80)
        n++;
    q->next = p + n;
    return n < MOST || sign_filled(p[MOST - 1], 1);
}

/* An index below the limit, of one or two bytes. */
QUICK bool index_quick(struct quick *q, size_t limit, size_t *ret)
{
    size_t x = q->p[1];
    q->next = q->p + 2;
    if (__builtin_expect(x >= 0x80, 0)) {
        size_t more = *q->next++;
        if (more >= 0x80)
            return false;
        x = (x & 0x7f) | more << 7;
    }
    *ret = x;
    return x < limit;
}

/* --- instructions ------------------------------------------------------------------------ */

/* With the operation that its number is for; when that is beyond the body nothing has changed. */
QUICK bool i32_const(struct quick *q)
{
    if (!skip_s32(q))
        return false;
    if (!q->c->quick[*q->next].is_i32_binary || q->top[-1] != ENG_I32 || q->top == q->high)
        return push_quick(q, ENG_I32);
    q->next++;
    return true;
}

QUICK bool i64_const(struct quick *q)
{
    return skip_s64(q) && push_quick(q, ENG_I64);
}

QUICK bool float_const(struct quick *q, uint8_t type, unsigned bytes)
{
    q->next = q->p + 1 + bytes;
    note_made(q);
    return push_quick(q, type);
}

QUICK void use_local(struct quick *q, size_t x)
{
    struct native_use *use = &q->uses[x];
    if (__builtin_expect(!use->weight, 0))
        native_scan_touch(q->c->scan, (uint32_t)x);
    use->weight += q->weight;
}

QUICK bool local_index(struct quick *q, size_t *ret)
{
    *ret = q->p[1];
    q->next = q->p + 2;
    return __builtin_expect(*ret < q->locals_short, 1) || index_quick(q, q->locals, ret);
}

QUICK bool get_local(struct quick *q)
{
    size_t x;
    if (!local_index(q, &x) || !push_quick(q, q->types[x]))
        return false;
    use_local(q, x);
    return true;
}

QUICK bool set_local(struct quick *q, bool tee)
{
    size_t x;
    if (!local_index(q, &x))
        return false;
    uint8_t type = q->types[x];
    if (q->top[-1] != type)
        return false;
    q->top -= !tee;
    use_local(q, x);
    if (type < ENG_I64)
        native_scan_set(q->c->scan, (uint32_t)x, q->c->made_end == q->p ? q->c->made : NULL);
    return true;
}

QUICK bool global(struct quick *q, bool set)
{
    const struct eng_module *m = q->c->m;
    size_t x;
    if (!index_quick(q, m->global_count, &x) || m->globals[x].type == ENG_V128)
        return false;
    const struct module_global *global = &m->globals[x];
    if (!set)
        return push_quick(q, global->type);
    if (!global->is_mutable || q->top[-1] != global->type)
        return false;
    q->top--;
    return true;
}

/* An alignment that says of which memory is too large here. */
QUICK bool memarg(struct quick *q)
{
    return q->p[1] < q->c->quick[*q->p].count && skip_unsigned(q, q->p + 2);
}

QUICK bool load(struct quick *q, uint8_t type)
{
    if (!memarg(q) || q->top[-1] != ENG_I32)
        return false;
    if (type != ENG_I32)
        q->top[-1] = type;
    return true;
}

QUICK bool store(struct quick *q, uint8_t type)
{
    if (!memarg(q) || two(q) != pair(ENG_I32, type))
        return false;
    q->top -= 2;
    return true;
}

QUICK bool drop(struct quick *q)
{
    if (q->top[-1] <= V128_HIGH)
        return false;
    q->top--;
    q->next = q->p + 1;
    return true;
}

/* Of numbers. */
QUICK bool select_quick(struct quick *q)
{
    uint8_t type = q->top[-2];
    if (q->top[-1] != ENG_I32 || type < ENG_F64 || type > ENG_I32 || q->top[-3] != type)
        return false;
    q->top -= 2;
    q->next = q->p + 1;
    return true;
}

QUICK bool call(struct quick *q)
{
    const struct eng_module *m = q->c->m;
    size_t i;
    if (!index_quick(q, m->func_count, &i))
        return false;
    const struct eng_functype *t = &m->slot_types[m->func_types[i]];
    uint32_t n = t->param_count;
    if (n > (size_t)(q->top - bottom(q)) || t->result_count > 1)
        return false;
    uint8_t *first = q->top - n;
    for (uint32_t k = 0; k < n; k++)
        if (first[k] != t->params[k])
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

QUICK void loop_quick(struct quick *q, int by)
{
    native_scan_loop(q->c->scan, by);
    q->weight = q->c->scan->weight;
}

QUICK bool block(struct quick *q, enum label_kind kind)
{
    static const uint8_t types[] = { ENG_F64, ENG_F32, ENG_I64, ENG_I32 };
    struct compiler *c = q->c;
    q->next = q->p + 2;
    if (q->next > q->stop || q->label == q->last_label)
        return false;
    uint8_t type = q->p[1];
    bool none = type == 0x40;
    if (!none && (type < ENG_F64 || type > ENG_I32))
        return false;
    if (kind == L_IF) {
        if (q->top[-1] != ENG_I32)
            return false;
        q->top--;
    }
    uint32_t height = q->label->height, outside = (uint32_t)(q->top - bottom(q));
    if (outside) {
        give_types(c, height, outside);
        keep_height(q, height);
        height += outside;
        set_height(q, height);
        q->top = bottom(q);
    }
    c->label_count++;
    *++q->label = (struct label){ .kind = (uint8_t)kind,
                                  .dead_outside = true,
                                  .height = height,
                                  .results = none ? NULL : &types[type - ENG_F64],
                                  .result_count = !none,
                                  .clauses = c->clause_count };
    if (kind == L_LOOP)
        loop_quick(q, 1);
    return true;
}

/* Are l's results all that is on the stack? */
QUICK bool at_end(const struct quick *q, const struct label *l)
{
    return l->result_count <= 1 && q->top == bottom(q) + l->result_count &&
           (!l->result_count || q->top[-1] == l->results[0]);
}

QUICK bool else_quick(struct quick *q)
{
    struct label *l = q->label;
    if (l->kind != L_IF || l->param_count || !at_end(q, l))
        return false;
    l->kind = L_ELSE;
    l->unreachable = false;
    q->top = bottom(q);
    q->next = q->p + 1;
    return true;
}

QUICK bool end_quick(struct quick *q)
{
    const struct label *l = q->label;
    q->next = q->p + 1;
    if (l->kind == L_TRY || !at_end(q, l) ||
        (l->kind == L_IF && (l->param_count || l->result_count)))
        return false;
    if (l->kind == L_FUNC) {
        q->c->label_count = 0;
        q->stop = q->next;
        return true;
    }
    uint32_t height = l[-1].height, outside = l->height - height;
    if (outside) {
        uint8_t type = q->top[-1];
        if (outside + l->result_count > QUICK_VALUES)
            return false;
        keep_height(q, l->height);
        take_types(q->c, height, outside);
        set_height(q, height);
        q->top = bottom(q) + outside;
        if (l->result_count)
            *q->top++ = type;
    }
    if (l->kind == L_LOOP)
        loop_quick(q, -1);
    q->c->label_count--;
    q->label--;
    return true;
}

/* Are the values that a branch to l takes along below `skip` others, which are there? */
QUICK bool can_leave(const struct quick *q, const struct label *l, uint32_t skip)
{
    uint32_t arity = label_arity(l);
    return !arity || (arity == 1 && q->top[-1 - (int)skip] == label_types(l)[0]);
}

QUICK void end_path(struct quick *q)
{
    q->top = bottom(q);
    q->label->unreachable = true;
}

QUICK bool unreachable(struct quick *q)
{
    end_path(q);
    q->next = q->p + 1;
    return true;
}

QUICK bool br(struct quick *q)
{
    size_t depth;
    if (!index_quick(q, q->c->label_count, &depth) || !can_leave(q, q->label - depth, 0))
        return false;
    end_path(q);
    return true;
}

QUICK bool br_if(struct quick *q)
{
    size_t depth;
    if (!index_quick(q, q->c->label_count, &depth) || q->top[-1] != ENG_I32 ||
        !can_leave(q, q->label - depth, 1))
        return false;
    q->top--;
    return true;
}

/* Targets that take no values along, with numbers of one byte. */
QUICK bool br_table(struct quick *q)
{
    size_t count;
    if (!index_quick(q, ENG_MAX_BR_TABLE, &count) || q->top[-1] != ENG_I32 ||
        q->next > q->stop || (size_t)(q->stop - q->next) <= count)
        return false;
    const uint8_t *end = q->next + count + 1;
    for (; q->next < end; q->next++)
        if (*q->next >= 0x80 || *q->next >= q->c->label_count ||
            label_arity(q->label - *q->next))
            return false;
    end_path(q);
    return true;
}

QUICK bool return_quick(struct quick *q)
{
    if (!can_leave(q, &q->c->labels[0], 0))
        return false;
    end_path(q);
    q->next = q->p + 1;
    return true;
}

/* --- all of them -------------------------------------------------------------------------- */

/* From one instruction to the next. An instruction that is not for this way ends it, with nothing
 * changed. */
#define NEXT                                                                                      \
    do {                                                                                          \
        if (__builtin_expect(q.next >= q.stop, 0))                                                \
            goto edge;                                                                            \
        q.p = q.next;                                                                             \
        goto *handlers[*q.p];                                                                     \
    } while (0)
#define ON(name, done)                                                                            \
    name:                                                                                         \
    if (__builtin_expect(!(done), 0))                                                             \
        goto out;                                                                                 \
    NEXT

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
        [0x0e] = &&on_br_table,
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
        [0x50] = &&on_numeric,
        [0x51 ... 0x5a] = &&on_i64_compare,
        [0x5b ... 0x69] = &&on_numeric,
        [0x6a ... 0x6c] = &&on_i32_binary,
        [0x6d ... 0x70] = &&on_watched,
        [0x71 ... 0x78] = &&on_i32_binary,
        [0x79 ... 0x7b] = &&on_numeric,
        [0x7c ... 0x7e] = &&on_i64_binary,
        [0x7f ... 0x82] = &&on_watched,
        [0x83 ... 0x8a] = &&on_i64_binary,
        [0x8b ... 0xae] = &&on_numeric,
        [0xaf] = &&on_watched,
        [0xb0] = &&on_numeric,
        [0xb1] = &&on_watched,
        [0xb2 ... 0xb4] = &&on_numeric,
        [0xb5] = &&on_watched,
        [0xb6 ... 0xb9] = &&on_numeric,
        [0xba] = &&on_watched,
        [0xbb ... 0xc4] = &&on_numeric,
        [0xc5 ... 0xff] = &&out,
    };
    struct reader *r = &c->l->r;
    struct label *l = &c->labels[c->label_count - 1];
    uint32_t count = c->value_count - l->height;
    size_t left = (size_t)(c->l->end - r->p), body_left = reader_left(r);
    if (count > QUICK_VALUES || left < PAD)
        return;
    struct quick q = { .c = c, .next = r->p, .label = l, .uses = c->scan->uses,
                       .weight = c->scan->weight, .types = c->local_types,
                       .locals = c->local_count };
    q.locals_short = q.locals < 0x80 ? q.locals : 0x80;
    uint32_t labels = c->label_capacity < ENG_MAX_NESTING ? c->label_capacity : ENG_MAX_NESTING;
    q.last_label = c->labels + labels - 1;
    c->made = c->scan->last;
    c->made_end = r->p;
    q.p = r->p;
    q.stop = body_left < left - PAD ? r->end : r->p + (left - PAD);
    q.top = bottom(&q) + count;
    take_types(c, l->height, count);
    set_height(&q, l->height);
    NEXT;
    ON(on_unreachable, unreachable(&q));
    ON(on_block, block(&q, L_BLOCK));
    ON(on_loop, block(&q, L_LOOP));
    ON(on_if, block(&q, L_IF));
    ON(on_else, else_quick(&q));
    ON(on_end, end_quick(&q));
    ON(on_br, br(&q));
    ON(on_br_if, br_if(&q));
    ON(on_br_table, br_table(&q));
    ON(on_return, return_quick(&q));
    ON(on_call, call(&q));
    ON(on_drop, drop(&q));
    ON(on_select, select_quick(&q));
    ON(on_local_get, get_local(&q));
    ON(on_local_set, set_local(&q, false));
    ON(on_local_tee, set_local(&q, true));
    ON(on_global_get, global(&q, false));
    ON(on_global_set, global(&q, true));
    ON(on_load_i32, load(&q, ENG_I32));
    ON(on_load_i64, load(&q, ENG_I64));
    ON(on_load_f32, load(&q, ENG_F32));
    ON(on_load_f64, load(&q, ENG_F64));
    ON(on_store_i32, store(&q, ENG_I32));
    ON(on_store_i64, store(&q, ENG_I64));
    ON(on_store_f32, store(&q, ENG_F32));
    ON(on_store_f64, store(&q, ENG_F64));
    ON(on_i32_const, i32_const(&q));
    ON(on_i64_const, i64_const(&q));
    ON(on_f32_const, float_const(&q, ENG_F32, 4));
    ON(on_f64_const, float_const(&q, ENG_F64, 8));
    ON(on_i32_unary, unary(&q, ENG_I32, ENG_I32));
    ON(on_i32_binary, binary(&q, ENG_I32, ENG_I32));
    ON(on_i64_compare, binary(&q, ENG_I64, ENG_I32));
    ON(on_i64_binary, binary(&q, ENG_I64, ENG_I64));
    ON(on_numeric, numeric(&q));
    ON(on_watched, watched(&q));
edge:
    if (q.next <= r->end)
        q.p = q.next;
out:
    r->p = q.p;
    c->scan->last = c->made_end == q.p ? c->made : NULL;
    count = (uint32_t)(q.top - bottom(&q));
    give_types(c, q.label->height, count);
    c->value_count = q.label->height + count;
    keep_height(&q, q.label->height);
}
