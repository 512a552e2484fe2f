/* Sections that declare: types, imports, functions, tables, memory, globals,
 * exports, start. */
#include "decode/decode.h"
#include "runtime/trie.h"

static const uint8_t *read_valtypes(struct loader *l, uint32_t *ret_count)
{
    uint32_t n = reader_count(&l->r, ENG_MAX_PARAMS, "parameters or results");
    uint8_t *types = LOADER_ARRAY(l, uint8_t, n);
    for (uint32_t i = 0; types && i < n && !l->r.failed; i++)
        read_valtype(l, &types[i]);
    *ret_count = n;
    return types;
}

int section_types(struct loader *l)
{
    uint32_t n = reader_count(&l->r, ENG_MAX_TYPES, "types");
    struct eng_functype *types = LOADER_ARRAY(l, struct eng_functype, n);
    l->m->types = types;
    for (uint32_t i = 0; i < n && !l->r.failed; i++) {
        const uint8_t *at = l->r.p;
        l->m->type_count = i; /* what this one may refer to */
        uint8_t form = reader_byte(&l->r);
        bool gc = form == 0x4e || form == 0x4f || form == 0x50 || form == 0x5e || form == 0x5f;
        if (gc && !l->core_2_only)
            return reader_fail(&l->r, E_UNSUPPORTED, at, "GC types not supported");
        if (form != 0x60)
            return reader_fail(&l->r, E_MALFORMED, at, "malformed functype form");
        types[i].params = read_valtypes(l, &types[i].param_count);
        types[i].results = read_valtypes(l, &types[i].result_count);
    }
    l->m->type_count = n;
    return l->r.failed ? E_MALFORMED : make_slot_types(l);
}

static int read_type_index(struct loader *l, uint32_t *ret)
{
    const uint8_t *at = l->r.p;
    uint32_t i = reader_u32(&l->r);
    if (!l->r.failed && i >= l->m->type_count)
        return reader_fail(&l->r, E_INVAL, at, "unknown type");
    *ret = i;
    return 0;
}

/* 3.0 has numbers of 64 bits here, which are too large. */
static uint64_t read_limit(struct loader *l)
{
    return l->core_2_only ? reader_u32(&l->r) : reader_u64(&l->r);
}

/* max: the most that a limit may say; what is beyond is invalid. */
static int read_limits(struct loader *l, uint32_t max, const char *beyond, struct eng_limits *ret)
{
    const uint8_t *at = l->r.p;
    uint8_t flags = reader_byte(&l->r);
    if (!l->r.failed && !l->core_2_only && flags > 1 && flags < 8)
        return reader_fail(&l->r, E_UNSUPPORTED, at,
                           flags & 4 ? "memory64: 64-bit limits not supported"
                                     : "threads: shared memory not supported");
    if (!l->r.failed && flags > 1)
        return reader_fail(&l->r, E_MALFORMED, at,
                           flags < 8 ? "malformed limits flags: integer too large"
                                     : "malformed limits flags: integer representation too long");
    ret->has_max = flags & 1;
    uint64_t low = read_limit(l), high = ret->has_max ? read_limit(l) : UINT32_MAX;
    if (l->r.failed)
        return E_MALFORMED;
    if (low > max || (ret->has_max && high > max))
        return reader_fail(&l->r, E_INVAL, at, beyond);
    ret->min = (uint32_t)low;
    ret->max = (uint32_t)high;
    if (ret->min > ret->max)
        return reader_fail(&l->r, E_INVAL, at, "size minimum must not be greater than maximum");
    return 0;
}

static int read_table(struct loader *l, struct module_table *ret)
{
    if (!l->core_2_only && reader_left(&l->r) && *l->r.p == 0x40)
        return reader_fail(&l->r, E_UNSUPPORTED, NULL,
                           "typed references: a table's initial value not supported");
    read_reftype(l, &ret->type);
    return l->r.failed ? E_MALFORMED : read_limits(l, UINT32_MAX, "table size", &ret->limits);
}

static int read_memory(struct loader *l)
{
    if (l->core_2_only && l->m->memory_count)
        return reader_fail(&l->r, E_INVAL, NULL, "multiple memories");
    return read_limits(l, 65536, "memory size must be at most 65536 pages (4GiB)",
                       &l->m->memories[l->m->memory_count++]);
}

static int read_tag(struct loader *l, uint32_t *ret)
{
    const uint8_t *at = l->r.p;
    if (reader_byte(&l->r) != 0)
        return reader_fail(&l->r, E_MALFORMED, at, "malformed tag attribute");
    at = l->r.p;
    if (read_type_index(l, ret) || l->r.failed)
        return E_MALFORMED;
    if (l->m->types[*ret].result_count)
        return reader_fail(&l->r, E_INVAL, at, "non-empty tag result type");
    return 0;
}

static int read_globaltype(struct loader *l, struct module_global *ret)
{
    const uint8_t *at = l->r.p;
    read_valtype(l, &ret->type);
    if (type_is_fine(ret->type) && !l->r.failed)
        return reader_fail(&l->r, E_UNSUPPORTED, at, "typed references in globals not supported");
    at = l->r.p;
    uint8_t mutability = reader_byte(&l->r);
    if (!l->r.failed && mutability > 1)
        return reader_fail(&l->r, E_MALFORMED, at, "malformed mutability");
    ret->is_mutable = mutability;
    return 0;
}

/* Counts imports of each kind first, so that index spaces are allocated once. */
static int import_one(struct loader *l, struct module_import *im)
{
    struct eng_module *m = l->m;
    struct span module = reader_name(&l->r), name = reader_name(&l->r);
    const uint8_t *at = l->r.p;
    uint8_t kind = reader_byte(&l->r);
    if (l->r.failed)
        return E_MALFORMED;
    uint8_t *text = LOADER_ARRAY(l, uint8_t, module.len + name.len);
    if (!text)
        return E_NOMEM;
    if (module.len)
        memcpy(text, module.p, module.len);
    if (name.len)
        memcpy(text + module.len, name.p, name.len);
    im->module = span_of(text, module.len);
    im->name = span_of(text + module.len, name.len);
    im->kind = kind;
    switch (kind) {
    case ENG_EXTERN_FUNC:
        im->index = m->func_count++;
        return read_type_index(l, &m->func_types[im->index]);
    case ENG_EXTERN_TABLE:
        im->index = m->table_count++;
        return read_table(l, &m->tables[im->index]);
    case ENG_EXTERN_MEMORY:
        im->index = m->memory_count;
        if (im->index == ENG_MAX_MEMORIES)
            return reader_fail(&l->r, E_LIMIT, at, "too many memories");
        return read_memory(l);
    case ENG_EXTERN_GLOBAL:
        im->index = m->global_count++;
        return read_globaltype(l, &m->globals[im->index]);
    case ENG_EXTERN_TAG:
        if (l->core_2_only)
            return reader_fail(&l->r, E_MALFORMED, at, "malformed import kind");
        im->index = m->tag_count++;
        return read_tag(l, &m->tags[im->index]);
    default:
        return reader_fail(&l->r, E_MALFORMED, at, "malformed import kind");
    }
}

int section_imports(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_IMPORTS, "imports");
    m->imports = LOADER_ARRAY(l, struct module_import, n);
    m->func_types = LOADER_ARRAY(l, uint32_t, n);
    m->tables = LOADER_ARRAY(l, struct module_table, n);
    m->memories = LOADER_ARRAY(l, struct eng_limits, n);
    m->tags = LOADER_ARRAY(l, uint32_t, n);
    m->globals = LOADER_ARRAY(l, struct module_global, n);
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        import_one(l, &m->imports[i]);
    m->import_count = n;
    m->func_imports = m->func_count;
    m->table_imports = m->table_count;
    m->memory_imports = m->memory_count;
    m->tag_imports = m->tag_count;
    m->global_imports = m->global_count;
    return 0;
}

/* Room for `more` items after the `have` imported ones at *items. */
static bool extend(struct loader *l, void *items, uint32_t have, uint32_t more, size_t size)
{
    void **at = items;
    void *grown = loader_alloc(l, (size_t)have + more, size);
    if (!grown)
        return false;
    if (have)
        memcpy(grown, *at, have * size);
    *at = grown;
    return true;
}

int section_functions(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_FUNCTIONS - m->func_count, "functions");
    if (!extend(l, &m->func_types, m->func_count, n, sizeof *m->func_types))
        return E_NOMEM;
    m->funcs = LOADER_ARRAY(l, struct module_func, n);
    for (uint32_t i = 0; i < n && !l->r.failed; i++) {
        uint32_t *type = &m->func_types[m->func_count + i];
        read_type_index(l, type);
        m->funcs[i].type = *type;
    }
    m->func_count += l->r.failed ? 0 : n;
    return 0;
}

int section_tables(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_TABLES - m->table_count, "tables");
    if (!extend(l, &m->tables, m->table_count, n, sizeof *m->tables))
        return E_NOMEM;
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        read_table(l, &m->tables[m->table_count++]);
    return 0;
}

int section_memory(struct loader *l)
{
    uint32_t have = l->m->memory_count;
    uint32_t n = reader_count(&l->r, ENG_MAX_MEMORIES - have, "memories");
    if (!extend(l, &l->m->memories, have, n, sizeof *l->m->memories))
        return E_NOMEM;
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        read_memory(l);
    return 0;
}

int section_tags(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_TAGS, "tags");
    if (!extend(l, &m->tags, m->tag_count, n, sizeof *m->tags))
        return E_NOMEM;
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        read_tag(l, &m->tags[m->tag_count++]);
    return 0;
}

int section_globals(struct loader *l)
{
    struct eng_module *m = l->m;
    uint32_t n = reader_count(&l->r, ENG_MAX_GLOBALS - m->global_count, "globals");
    if (!extend(l, &m->globals, m->global_count, n, sizeof *m->globals))
        return E_NOMEM;
    for (uint32_t i = 0; i < n && !l->r.failed; i++) {
        struct module_global *g = &m->globals[m->global_count];
        read_globaltype(l, g);
        if (!l->r.failed)
            read_constexpr(l, g->type, &g->init);
        m->global_count++;
    }
    return 0;
}

static int export_check_unique(struct loader *l, const uint8_t *at)
{
    const struct eng_module *m = l->m;
    size_t bytes = (size_t)m->export_count * sizeof(struct trie_node);
    struct trie_node *nodes = l->env->resize(l->env->ctx, NULL, 0, bytes + 1), *names = NULL;
    if (!nodes)
        return reader_fail(&l->r, E_NOMEM, NULL, "out of memory");
    int ret = 0;
    for (uint32_t i = 0; i < m->export_count && !ret; i++) {
        nodes[i].key = m->exports[i].name;
        if (!trie_add(&names, &nodes[i]))
            ret = reader_fail(&l->r, E_INVAL, at, "duplicate export name");
    }
    l->env->resize(l->env->ctx, nodes, bytes + 1, 0);
    return ret;
}

static int export_one(struct loader *l, struct module_export *ex)
{
    static const char *const unknown[] = { "unknown function", "unknown table", "unknown memory",
                                           "unknown global", "unknown tag" };
    const struct eng_module *m = l->m;
    const uint32_t counts[] = { m->func_count, m->table_count, m->memory_count, m->global_count,
                                m->tag_count };
    struct span name = reader_name(&l->r);
    const uint8_t *at = l->r.p;
    ex->kind = reader_byte(&l->r);
    if (!l->r.failed && ex->kind > (l->core_2_only ? ENG_EXTERN_GLOBAL : ENG_EXTERN_TAG))
        return reader_fail(&l->r, E_MALFORMED, at, "malformed export kind");
    at = l->r.p;
    ex->index = reader_u32(&l->r);
    if (l->r.failed)
        return E_MALFORMED;
    if (ex->index >= counts[ex->kind])
        return reader_fail(&l->r, E_INVAL, at, unknown[ex->kind]);
    if (ex->kind == ENG_EXTERN_FUNC)
        mark_func_ref(l, ex->index);
    ex->name = name; /* the loader's, until all are there */
    return 0;
}

/* Gives the exports' names to the module. */
static void keep_export_names(struct loader *l)
{
    struct eng_module *m = l->m;
    size_t bytes = 0;
    for (uint32_t i = 0; i < m->export_count; i++)
        bytes += m->exports[i].name.len;
    uint8_t *text = LOADER_ARRAY(l, uint8_t, bytes);
    for (uint32_t i = 0; i < m->export_count && text; i++) {
        struct span *name = &m->exports[i].name;
        if (name->len)
            memcpy(text, name->p, name->len);
        *name = span_of(text, name->len);
        text += name->len;
    }
}

int section_exports(struct loader *l)
{
    struct eng_module *m = l->m;
    const uint8_t *at = l->r.p;
    uint32_t n = reader_count(&l->r, ENG_MAX_EXPORTS, "exports");
    m->exports = LOADER_ARRAY(l, struct module_export, n);
    for (uint32_t i = 0; i < n && !l->r.failed; i++)
        export_one(l, &m->exports[i]);
    m->export_count = n;
    if (!l->r.failed)
        keep_export_names(l);
    return l->r.failed ? E_MALFORMED : export_check_unique(l, at);
}

int section_start(struct loader *l)
{
    struct eng_module *m = l->m;
    const uint8_t *at = l->r.p;
    m->start = reader_u32(&l->r);
    m->has_start = true;
    if (l->r.failed)
        return E_MALFORMED;
    if (m->start >= m->func_count)
        return reader_fail(&l->r, E_INVAL, at, "unknown function");
    const struct eng_functype *t = &m->types[m->func_types[m->start]];
    if (t->param_count || t->result_count)
        return reader_fail(&l->r, E_INVAL, at, "start function");
    return 0;
}
