/* Value types, and lists of them.
 *
 * Of typed references (3.0) there is what tail calls and exceptions need: types such as
 * (ref null $t) and (ref exn) of values that code handles, as numbers from FINE_TYPE on, and
 * which of them are subtypes of which. Nothing can be done with such a value but what can be
 * done with a funcref, externref or exnref, so outside of validation it is one. */
#include "decode/decode.h"

/* Of modules with references to types: the list is searched for each such reference. */
enum { SEARCHED_TYPES_MAX = 1000 };

/* A type that 2.0 does not have is refused by name if 3.0 has it. */
static int refuse_type(struct loader *l, uint8_t t, const uint8_t *at, const char *message)
{
    bool typed = t == 0x63 || t == 0x64, gc = (t >= 0x6a && t <= 0x6e) || (t >= 0x71 && t <= 0x74);
    if (l->core_2_only || (!typed && !gc))
        return reader_fail(&l->r, E_MALFORMED, at, message);
    return reader_fail(&l->r, E_UNSUPPORTED, at,
                       typed ? "typed references not supported" : "GC types not supported");
}

/* (ref null? HEAPTYPE); the first byte has been read. */
static int read_fine_type(struct loader *l, bool nullable, const uint8_t *at, uint8_t *ret)
{
    struct ref_type t = { .nullable = nullable };
    const uint8_t *heap_at = l->r.p;
    int64_t heap = reader_s33(&l->r);
    if (l->r.failed)
        return E_MALFORMED;
    if (heap < 0) {
        t.heap = (uint8_t)(heap & 0x7f);
        if (t.heap != ENG_FUNCREF && t.heap != ENG_EXTERNREF && t.heap != ENG_EXNREF)
            return refuse_type(l, t.heap, heap_at, "malformed heap type");
        if (nullable) {
            *ret = t.heap;
            return 0;
        }
    } else if (heap == l->m->type_count && l->m->types && !l->m->slot_types) {
        return reader_fail(&l->r, E_UNSUPPORTED, heap_at, "recursive types (GC) not supported");
    } else if (heap >= l->m->type_count) {
        return reader_fail(&l->r, E_INVAL, heap_at, "unknown type");
    } else {
        t.heap = ENG_FUNCREF;
        t.is_indexed = true;
        t.index = (uint32_t)heap;
    }
    *ret = type_fine(l, &t);
    return *ret ? 0 : reader_fail(&l->r, E_UNSUPPORTED, at,
                                  "typed references: so many types not supported");
}

int read_valtype(struct loader *l, uint8_t *ret)
{
    const uint8_t *at = l->r.p;
    uint8_t t = reader_byte(&l->r);
    if (l->r.failed)
        return E_MALFORMED;
    if (!ENG_SIMD && t == ENG_V128)
        return reader_fail(&l->r, E_UNSUPPORTED, at, "SIMD type v128 not supported");
    if (t == ENG_EXNREF && !l->core_2_only) {
        *ret = t;
        return 0;
    }
    if ((t == 0x63 || t == 0x64) && !l->core_2_only)
        return read_fine_type(l, t == 0x63, at, ret);
    if (t != ENG_FUNCREF && t != ENG_EXTERNREF && (t < ENG_V128 || t > ENG_I32))
        return refuse_type(l, t, at, "malformed value type");
    *ret = t;
    return 0;
}

int read_reftype(struct loader *l, uint8_t *ret)
{
    const uint8_t *at = l->r.p;
    uint8_t t = reader_byte(&l->r);
    if (l->r.failed)
        return E_MALFORMED;
    if (t != ENG_FUNCREF && t != ENG_EXTERNREF && (t != ENG_EXNREF || l->core_2_only))
        return refuse_type(l, t, at, "malformed reference type");
    *ret = t;
    return 0;
}

/* The list by slot, which is the same when it has no v128. */
static const uint8_t *slot_list(struct loader *l, const uint8_t *types, uint32_t count,
                                uint32_t *ret_count)
{
    *ret_count = eng_slots(types, count);
    if (*ret_count == count)
        return types;
    uint8_t *slots = LOADER_ARRAY(l, uint8_t, *ret_count);
    for (uint32_t i = 0, at = 0; slots && i < count; i++) {
        slots[at++] = types[i];
        if (types[i] == ENG_V128)
            slots[at++] = V128_HIGH;
    }
    return slots;
}

/* The same without what only checking needs to know; what is outside sees these. */
static const uint8_t *plain_list(struct loader *l, const uint8_t *types, uint32_t count)
{
    uint8_t *plain = LOADER_ARRAY(l, uint8_t, count);
    for (uint32_t i = 0; plain && i < count; i++)
        plain[i] = type_plain(l->m, types[i]);
    return plain;
}

int make_slot_types(struct loader *l)
{
    struct eng_module *m = l->m;
    bool wide = m->ref_type_count > 0;
    m->slot_types = m->types;
    for (uint32_t i = 0; ENG_SIMD && i < m->type_count && !wide; i++) {
        const struct eng_functype *t = &m->types[i];
        wide = eng_slots(t->params, t->param_count) != t->param_count ||
               eng_slots(t->results, t->result_count) != t->result_count;
    }
    if (!wide)
        return 0;
    struct eng_functype *types = LOADER_ARRAY(l, struct eng_functype, m->type_count);
    for (uint32_t i = 0; types && i < m->type_count; i++) {
        struct eng_functype *t = &m->types[i];
        types[i].params = slot_list(l, t->params, t->param_count, &types[i].param_count);
        types[i].results = slot_list(l, t->results, t->result_count, &types[i].result_count);
        if (m->ref_type_count) {
            t->params = plain_list(l, t->params, t->param_count);
            t->results = plain_list(l, t->results, t->result_count);
        }
    }
    m->slot_types = types;
    return l->r.failed ? E_NOMEM : 0;
}

static bool same_ref(const struct ref_type *a, const struct ref_type *b)
{
    return a->heap == b->heap && a->nullable == b->nullable && a->is_indexed == b->is_indexed &&
           (!a->is_indexed || a->index == b->index);
}

static bool same_signature(const struct eng_functype *x, const struct eng_functype *y)
{
    return x->param_count == y->param_count && x->result_count == y->result_count &&
           (!x->param_count || !memcmp(x->params, y->params, x->param_count)) &&
           (!x->result_count || !memcmp(x->results, y->results, x->result_count));
}

/* The first type that is equal to type i. Those that i mentions have been replaced by the
 * first of their kind before, so comparing numbers compares all of them. */
static uint32_t first_equal(const struct eng_module *m, uint32_t i)
{
    const struct eng_functype *types = m->slot_types ? m->slot_types : m->types;
    uint32_t k = 0;
    while (k < i && !same_signature(&types[k], &types[i]))
        k++;
    return k;
}

uint8_t type_fine(struct loader *l, const struct ref_type *want)
{
    struct eng_module *m = l->m;
    struct ref_type canonical = *want, *t = &canonical;
    if (t->is_indexed && m->type_count > SEARCHED_TYPES_MAX)
        return 0;
    if (!m->first_types && loader_may_change(l)) /* each is searched for once */
        m->first_types = POOL_ARRAY(&m->pool, m->env, uint16_t, SEARCHED_TYPES_MAX);
    if (!m->first_types)
        return 0;
    if (t->is_indexed) {
        uint16_t *first = &m->first_types[t->index];
        if (!*first && !loader_may_change(l))
            return 0;
        if (!*first)
            *first = (uint16_t)(first_equal(m, t->index) + 1);
        t->index = *first - 1u;
    }
    for (uint32_t i = 0; i < m->ref_type_count; i++)
        if (same_ref(&m->ref_types[i], t))
            return (uint8_t)(FINE_TYPE + i);
    if (!loader_may_change(l) || m->ref_type_count == FINE_TYPES_MAX)
        return 0;
    if (!m->ref_types)
        m->ref_types = POOL_ARRAY(&m->pool, m->env, struct ref_type, FINE_TYPES_MAX);
    if (!m->ref_types)
        return 0;
    m->ref_types[m->ref_type_count] = *t;
    return (uint8_t)(FINE_TYPE + m->ref_type_count++);
}

static struct ref_type ref_of(const struct eng_module *m, uint8_t type)
{
    return type_is_fine(type) ? m->ref_types[type - FINE_TYPE]
                              : (struct ref_type){ .heap = type, .nullable = true };
}

bool type_matches(const struct eng_module *m, uint8_t have, uint8_t want)
{
    if (have == want)
        return true;
    if (!type_is_fine(have) && !type_is_fine(want))
        return false;
    struct ref_type h = ref_of(m, have), w = ref_of(m, want);
    return h.heap == w.heap && (w.nullable || !h.nullable) &&
           (!w.is_indexed || (h.is_indexed && h.index == w.index));
}

uint8_t type_plain(const struct eng_module *m, uint8_t type)
{
    return type_is_fine(type) ? m->ref_types[type - FINE_TYPE].heap : type;
}

int read_heaptype(struct loader *l, uint8_t *ret)
{
    if (l->core_2_only || (reader_left(&l->r) && *l->r.p >= 0x40))
        return read_reftype(l, ret);
    return read_fine_type(l, true, l->r.p, ret);
}
