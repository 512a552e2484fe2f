/* Element and data segments, custom sections. */
#include "decode/decode.h"

void mark_func_ref(struct loader *l, uint32_t i)
{
    if (!l->func_refs)
        l->func_refs = LOADER_ARRAY(l, uint8_t, (size_t)l->m->func_count / 8 + 1);
    if (l->func_refs)
        l->func_refs[i / 8] |= (uint8_t)(1 << i % 8);
}

static int elem_indices(struct loader *l, struct constexpr *items, uint32_t n)
{
    for (uint32_t i = 0; i < n && !l->r.failed; i++) {
        const uint8_t *at = l->r.p;
        uint32_t f = reader_u32(&l->r);
        if (!l->r.failed && f >= l->m->func_count)
            return reader_fail(&l->r, E_INVAL, at, "unknown function");
        if (!l->r.failed)
            mark_func_ref(l, f);
        items[i] = (struct constexpr){ CE_FUNC, f, 0 };
    }
    return 0;
}

static int elem_one(struct loader *l, struct module_elem *e)
{
    enum { PASSIVE = 1, EXPLICIT = 2, EXPRESSIONS = 4 };
    const uint8_t *at = l->r.p;
    uint32_t flags = reader_u32(&l->r);
    if (!l->r.failed && flags > 7)
        return reader_fail(&l->r, E_MALFORMED, at, "malformed elements segment kind");
    e->mode = !(flags & PASSIVE) ? SEGMENT_ACTIVE
              : flags & EXPLICIT ? SEGMENT_DECLARED
                                 : SEGMENT_PASSIVE;
    e->type = ENG_FUNCREF;
    if (e->mode == SEGMENT_ACTIVE) {
        e->table = flags & EXPLICIT ? reader_u32(&l->r) : 0;
        if (!l->r.failed && e->table >= l->m->table_count)
            return reader_fail(&l->r, E_INVAL, at, "unknown table");
        if (!l->r.failed)
            read_constexpr(l, ENG_I32, &e->offset);
    }
    if (flags & (PASSIVE | EXPLICIT) && !l->r.failed) {
        const uint8_t *kind_at = l->r.p;
        if (flags & EXPRESSIONS)
            read_reftype(l, &e->type);
        else if (reader_byte(&l->r) != 0)
            return reader_fail(&l->r, E_MALFORMED, kind_at, "malformed element kind");
    }
    if (l->r.failed)
        return E_MALFORMED;
    if (e->mode == SEGMENT_ACTIVE && l->m->tables[e->table].type != e->type)
        return reader_fail(&l->r, E_INVAL, at, "type mismatch");
    e->count = reader_count(&l->r, ENG_MAX_TABLE_ELEMENTS, "elements in a segment");
    struct constexpr *items = LOADER_ARRAY(l, struct constexpr, e->count);
    e->items = items;
    if (!(flags & EXPRESSIONS))
        return elem_indices(l, items, e->count);
    for (uint32_t i = 0; i < e->count && !l->r.failed; i++)
        read_constexpr(l, e->type, &items[i]);
    return 0;
}

int section_elements(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_SEGMENTS, "element segments");
    m->elems = LOADER_ARRAY(l, struct module_elem, n);
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        elem_one(l, &m->elems[i]);
    m->elem_count = n;
    return 0;
}

static int data_one(struct loader *l, struct module_data *d)
{
    const uint8_t *at = l->r.p;
    uint32_t flags = reader_u32(&l->r);
    if (!l->r.failed && flags > 2)
        return reader_fail(&l->r, E_MALFORMED, at, "malformed data segment kind");
    d->mode = flags == 1 ? SEGMENT_PASSIVE : SEGMENT_ACTIVE;
    if (d->mode == SEGMENT_ACTIVE) {
        d->memory = flags == 2 ? reader_u32(&l->r) : 0;
        if (!l->r.failed && d->memory >= l->m->memory_count)
            return reader_fail(&l->r, E_INVAL, at, "unknown memory");
        if (!l->r.failed)
            read_constexpr(l, ENG_I32, &d->offset);
    }
    d->bytes = reader_bytes(&l->r, reader_u32(&l->r)); /* the loader's, until all are there */
    return 0;
}

/* Gives the segments' bytes to the module. */
static void keep_data(struct loader *l, uint32_t count)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < count; i++)
        bytes += l->m->datas[i].bytes.len;
    uint8_t *copy = LOADER_ARRAY(l, uint8_t, bytes);
    for (uint32_t i = 0; i < count && copy; i++) {
        struct span *data = &l->m->datas[i].bytes;
        if (data->len)
            memcpy(copy, data->p, data->len);
        *data = span_of(copy, data->len);
        copy += data->len;
    }
}

int section_data(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_SEGMENTS, "data segments");
    m->datas = LOADER_ARRAY(l, struct module_data, n);
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        data_one(l, &m->datas[i]);
    if (!l->r.failed)
        keep_data(l, n);
    m->data_count = n;
    return 0;
}

/* Subsection 1 of the name section, kept for backtraces. A malformed one is no
 * error (specification, appendix "Custom Sections"): there are just no names. */
static void custom_names(struct loader *l)
{
    struct eng_error ignored;
    struct reader r = l->r;
    r.err = &ignored;
    while (r.p < r.end) {
        uint8_t id = reader_byte(&r);
        struct span body = reader_bytes(&r, reader_u32(&r));
        if (r.failed || body.len > ENG_MAX_NAME_BYTES)
            return;
        if (id != 1)
            continue;
        uint8_t *copy = LOADER_ARRAY(l, uint8_t, body.len);
        if (copy && body.len)
            memcpy(copy, body.p, body.len);
        if (copy)
            l->m->names = span_of(copy, body.len);
        return;
    }
}

int section_custom(struct loader *l)
{
    struct span name = reader_name(&l->r);
    if (!l->r.failed && span_eq_cstr(name, "name"))
        custom_names(l);
    l->r.p = l->r.end;
    return 0;
}
