/* Constant expressions, element and data segments, custom sections. */
#include "decode/decode.h"

void mark_func_ref(struct loader *l, uint32_t i)
{
    if (!l->func_refs)
        l->func_refs = LOADER_ARRAY(l, uint8_t, (size_t)l->m->func_count / 8 + 1);
    if (l->func_refs)
        l->func_refs[i / 8] |= (uint8_t)(1 << i % 8);
}

static int const_ref_func(struct loader *l, struct constexpr *ret)
{
    const uint8_t *at = l->r.p;
    ret->kind = CE_FUNC;
    ret->index = reader_u32(&l->r);
    if (!l->r.failed && ret->index >= l->m->func_count)
        return reader_fail(&l->r, E_INVAL, at, "unknown function");
    if (!l->r.failed)
        mark_func_ref(l, ret->index);
    return ENG_FUNCREF;
}

static int const_global(struct loader *l, struct constexpr *ret)
{
    const struct eng_module *m = l->m;
    const uint8_t *at = l->r.p;
    ret->kind = CE_GLOBAL;
    ret->index = reader_u32(&l->r);
    if (!l->r.failed && ret->index >= m->global_imports)
        return reader_fail(&l->r, E_INVAL, at, "unknown global");
    if (!l->r.failed && m->globals[ret->index].is_mutable)
        return reader_fail(&l->r, E_INVAL, at, "constant expression required");
    return l->r.failed ? E_MALFORMED : m->globals[ret->index].type;
}

static int const_simd(struct loader *l, const uint8_t *at, struct constexpr *ret)
{
    uint32_t opcode = reader_u32(&l->r);
    if (!ENG_SIMD)
        return reader_fail(&l->r, E_UNSUPPORTED, at,
                           "SIMD instruction in constant expression not supported");
    if (!l->r.failed && opcode != 12)
        return reader_fail(&l->r, E_INVAL, at, "constant expression required");
    uint64_t *words = l->r.failed ? NULL : LOADER_ARRAY(l, uint64_t, 2);
    if (!words)
        return E_NOMEM;
    words[0] = reader_fixed64(&l->r);
    words[1] = reader_fixed64(&l->r);
    ret->kind = CE_V128;
    ret->bits = (uintptr_t)words;
    return ENG_V128;
}

/* One instruction; its type, or a negative error. */
static int const_instruction(struct loader *l, uint8_t opcode, const uint8_t *at,
                             struct constexpr *ret)
{
    uint8_t type = 0;
    ret->kind = CE_CONST;
    switch (opcode) {
    case 0x41:
        ret->bits = (uint32_t)reader_s32(&l->r);
        return ENG_I32;
    case 0x42:
        ret->bits = (uint64_t)reader_s64(&l->r);
        return ENG_I64;
    case 0x43:
        ret->bits = reader_fixed32(&l->r);
        return ENG_F32;
    case 0x44:
        ret->bits = reader_fixed64(&l->r);
        return ENG_F64;
    case 0xd0:
        ret->bits = 0;
        return read_reftype(l, &type) ? E_MALFORMED : type;
    case 0xd2:
        return const_ref_func(l, ret);
    case 0x23:
        return const_global(l, ret);
    case 0xfd:
        return const_simd(l, at, ret);
    default:
        return reader_fail(&l->r, opcode > 0xd2 ? E_MALFORMED : E_INVAL, at,
                           opcode > 0xd2 ? "illegal opcode" : "constant expression required");
    }
}

int read_constexpr(struct loader *l, uint8_t type, struct constexpr *ret)
{
    const uint8_t *first = l->r.p;
    uint32_t count = 0;
    bool match = true;
    for (;;) {
        const uint8_t *at = l->r.p;
        uint8_t opcode = reader_byte(&l->r);
        if (l->r.failed)
            return E_MALFORMED;
        if (opcode == 0x0b)
            break;
        int t = const_instruction(l, opcode, at, ret);
        if (l->r.failed)
            return E_MALFORMED;
        match = match && t == type;
        count++;
    }
    if (count != 1 || !match)
        return reader_fail(&l->r, E_INVAL, first, "type mismatch");
    return 0;
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
        uint32_t memory = flags == 2 ? reader_u32(&l->r) : 0;
        if (!l->r.failed && memory >= l->m->memory_count)
            return reader_fail(&l->r, E_INVAL, at, "unknown memory");
        if (!l->r.failed)
            read_constexpr(l, ENG_I32, &d->offset);
    }
    struct span bytes = reader_bytes(&l->r, reader_u32(&l->r));
    uint8_t *copy = l->r.failed ? NULL : LOADER_ARRAY(l, uint8_t, bytes.len);
    if (copy && bytes.len)
        memcpy(copy, bytes.p, bytes.len);
    d->bytes = span_of(copy, bytes.len);
    return 0;
}

int section_data(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_SEGMENTS, "data segments");
    m->datas = LOADER_ARRAY(l, struct module_data, n);
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        data_one(l, &m->datas[i]);
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
