/* From a module to an instance: linking, allocation, segments, start. */
#include "runtime/native.h"

#include "base/checked.h"
#include "base/err.h"
#include "base/strbuf.h"

struct eng_func *instance_func(struct eng_instance *inst, uint32_t i)
{
    uint32_t imported = inst->module->func_imports;
    return i < imported ? inst->imports[i] : &inst->funcs[i - imported];
}

/* Adds `count` items to *total; *ret is where they begin. */
static bool add_part(size_t *total, size_t count, size_t size, size_t *ret)
{
    size_t bytes;
    *ret = *total;
    return checked_mul_size(count, size, &bytes) && checked_add_size(bytes, 7, &bytes) &&
           checked_add_size(*total, bytes & ~(size_t)7, total);
}

bool instance_layout(const struct eng_module *m, struct instance_layout *ret)
{
    size_t n = sizeof(struct eng_instance), own;
    bool ok = add_part(&n, m->global_count - m->global_imports, sizeof(struct eng_global), &own) &&
              add_part(&n, module_func_defined(m), sizeof(struct eng_func), &ret->funcs) &&
              add_part(&n, m->func_imports, sizeof(void *), &ret->imports) &&
              add_part(&n, m->type_count, sizeof(void *), &ret->types) &&
              add_part(&n, m->table_count, sizeof(void *), &ret->tables) &&
              add_part(&n, m->memory_count, sizeof(void *), &ret->memories) &&
              add_part(&n, m->tag_count, sizeof(void *), &ret->tags) &&
              add_part(&n, m->tag_count - m->tag_imports, sizeof(struct eng_tag), &ret->own_tags) &&
              add_part(&n, m->global_count, sizeof(void *), &ret->globals) &&
              add_part(&n, m->elem_count, 1, &ret->elem_dropped) &&
              add_part(&n, m->data_count, 1, &ret->data_dropped);
    ret->bytes = n;
    return ok;
}

/* One allocation holds the instance and all its tables. It joins the store at
 * once: what it exports may already be referred to when creation fails later. */
static struct eng_instance *instance_new(struct eng_store *s, const struct eng_module *m)
{
    struct instance_layout at;
    struct eng_instance *i =
        instance_layout(m, &at) ? s->env->resize(s->env->ctx, NULL, 0, at.bytes) : NULL;
    if (!i)
        return NULL;
    memset(i, 0, at.bytes);
    uint8_t *p = (uint8_t *)i;
    i->bytes = at.bytes;
    i->store = s;
    i->module = m;
    i->funcs = (struct eng_func *)(p + at.funcs);
    i->imports = (struct eng_func **)(p + at.imports);
    i->types = (const struct store_type **)(p + at.types);
    i->tables = (struct eng_table **)(p + at.tables);
    i->memories = (struct eng_memory **)(p + at.memories);
    i->tags = (struct eng_tag **)(p + at.tags);
    i->own_tags = (struct eng_tag *)(p + at.own_tags);
    i->globals = (struct eng_global **)(p + at.globals);
    i->elem_dropped = p + at.elem_dropped;
    i->data_dropped = p + at.data_dropped;
    i->next = s->instances;
    s->instances = i;
    return i;
}

void instance_memory(struct eng_instance *inst)
{
    const struct eng_memory *m = inst->memory;
    inst->native.mem_base = m ? m->block.base : NULL;
    inst->native.mem_size = m ? m->block.size : 0;
    for (unsigned i = 0; i < ACCESS_WIDTHS; i++)
        inst->native.mem_last[i] = (int64_t)inst->native.mem_size - (1 << i);
}

static int link_fail(struct eng_error *err, int code, const char *message,
                     const struct module_import *im)
{
    struct strbuf b;
    memset(err, 0, sizeof *err);
    strbuf_init(&b, err->message, sizeof err->message - 1);
    strbuf_cstr(&b, message);
    if (im) {
        strbuf_cstr(&b, ": ");
        strbuf_printable(&b, span_take(im->module, 48));
        strbuf_cstr(&b, ".");
        strbuf_printable(&b, span_take(im->name, 48));
    }
    err->message[b.len] = 0;
    err->code = code;
    return code;
}

/* Does what has `size` now and may grow to have.max satisfy the declared limits? */
static bool limits_match(uint32_t size, const struct eng_limits *have,
                         const struct eng_limits *want)
{
    return size >= want->min && (!want->has_max || (have->has_max && have->max <= want->max));
}

static bool import_match(struct eng_instance *inst, const struct module_import *im,
                         const struct eng_extern *x)
{
    const struct eng_module *m = inst->module;
    if (x->kind != im->kind)
        return false;
    switch (x->kind) {
    case ENG_EXTERN_FUNC:
        return x->of.func->type == inst->types[m->func_types[im->index]];
    case ENG_EXTERN_TABLE:
        return x->of.table->type == m->tables[im->index].type &&
               limits_match(x->of.table->size, &x->of.table->limits,
                            &m->tables[im->index].limits);
    case ENG_EXTERN_MEMORY:
        return limits_match((uint32_t)(x->of.memory->block.size >> 16), &x->of.memory->limits,
                            &m->memories[im->index]);
    case ENG_EXTERN_TAG:
        return x->of.tag->type == inst->types[m->tags[im->index]];
    default:
        return x->of.global->type == m->globals[im->index].type &&
               x->of.global->is_mutable == m->globals[im->index].is_mutable;
    }
}

static void import_take(struct eng_instance *inst, const struct module_import *im,
                        const struct eng_extern *x)
{
    switch (x->kind) {
    case ENG_EXTERN_FUNC:
        inst->imports[im->index] = x->of.func;
        break;
    case ENG_EXTERN_TABLE:
        inst->tables[im->index] = x->of.table;
        break;
    case ENG_EXTERN_MEMORY:
        inst->memories[im->index] = x->of.memory;
        break;
    case ENG_EXTERN_TAG:
        inst->tags[im->index] = x->of.tag;
        break;
    default:
        inst->globals[im->index] = x->of.global;
        break;
    }
}

static int link_imports(struct eng_instance *inst, const struct eng_resolver *resolver,
                        struct eng_error *err)
{
    const struct eng_module *m = inst->module;
    for (uint32_t i = 0; i < m->import_count; i++) {
        const struct module_import *im = &m->imports[i];
        struct eng_import want;
        struct eng_extern x;
        eng_module_import(m, i, &want);
        int code = resolver ? resolver->resolve(resolver->ctx, &want, &x) : E_NOENT;
        if (code)
            return link_fail(err, code, "unknown import", im);
        if (!import_match(inst, im, &x))
            return link_fail(err, E_DENIED, "incompatible import type", im);
        if (x.kind == ENG_EXTERN_MEMORY && !memory_fits(x.of.memory, m))
            return link_fail(err, E_INVAL, "memory has no guard as promised", im);
        import_take(inst, im, &x);
    }
    return 0;
}

static void link_tags(struct eng_instance *inst)
{
    const struct eng_module *m = inst->module;
    for (uint32_t i = m->tag_imports; i < m->tag_count; i++) {
        struct eng_tag *tag = &inst->own_tags[i - m->tag_imports];
        tag->type = inst->types[m->tags[i]];
        inst->tags[i] = tag;
    }
}

static int link_types(struct eng_instance *inst)
{
    const struct eng_module *m = inst->module;
    for (uint32_t i = 0; i < m->type_count; i++) {
        inst->types[i] = store_type_of(inst->store, &m->types[i]);
        if (!inst->types[i])
            return E_NOMEM;
    }
    if (m->native)
        native_link(inst);
    for (uint32_t i = 0; i < module_func_defined(m); i++) {
        struct eng_func *f = &inst->funcs[i];
        if (m->native)
            f->native = m->native->base + m->native->funcs[i].code;
        else
            f->code = m->code + m->funcs[i].code;
        f->inst = inst;
        f->type = inst->types[m->funcs[i].type];
        f->of.index = m->func_imports + i;
    }
    link_tags(inst);
    return 0;
}

static int allocate(struct eng_instance *inst, struct eng_error *err)
{
    const struct eng_module *m = inst->module;
    for (uint32_t i = m->memory_imports; i < m->memory_count; i++) {
        if (memory_new(inst->store, m->memories[i], &inst->memories[i]))
            return link_fail(err, E_NOMEM, "out of memory: linear memory", NULL);
        if (!memory_fits(inst->memories[i], m))
            return link_fail(err, E_INVAL, "memory has no guard as promised", NULL);
    }
    inst->memory = m->memory_count ? inst->memories[0] : NULL;
    for (uint32_t i = m->table_imports; i < m->table_count; i++)
        if (table_new(inst->store, m->tables[i].type, m->tables[i].limits, &inst->tables[i]))
            return link_fail(err, E_NOMEM, "out of memory: table", NULL);
    for (uint32_t i = m->global_imports; i < m->global_count; i++) {
        struct eng_global *g = &inst->own[i - m->global_imports];
        inst->globals[i] = g;
        g->type = m->globals[i].type;
        g->is_mutable = m->globals[i].is_mutable;
        const struct constexpr *init = &m->globals[i].init;
#if ENG_SIMD
        if (g->type == ENG_V128) {
            const uint64_t *words = (const uint64_t *)(uintptr_t)init->bits;
            const struct eng_global *from =
                init->kind == CE_GLOBAL ? inst->globals[init->index] : NULL;
            g->bits = from ? from->bits : words[0];
            g->high = from ? from->high : words[1];
            continue;
        }
#endif
        g->bits = constexpr_value(inst, init);
    }
    return 0;
}

static enum eng_trap_code run_segments(struct eng_instance *inst)
{
    const struct eng_module *m = inst->module;
    enum eng_trap_code code = ENG_TRAP_NONE;
    for (uint32_t i = 0; i < m->elem_count && !code; i++) {
        const struct module_elem *e = &m->elems[i];
        if (e->mode == SEGMENT_ACTIVE)
            code = table_init(inst, i, inst->tables[e->table],
                              (uint32_t)constexpr_value(inst, &e->offset), 0, e->count);
        if (e->mode != SEGMENT_PASSIVE && !code)
            inst->elem_dropped[i] = 1;
    }
    for (uint32_t i = 0; i < m->data_count && !code; i++) {
        const struct module_data *d = &m->datas[i];
        if (d->mode != SEGMENT_ACTIVE)
            continue;
        code = memory_init(inst, i, inst->memories[d->memory], (uint32_t)constexpr_value(inst, &d->offset), 0,
                           (uint32_t)d->bytes.len);
        if (!code)
            inst->data_dropped[i] = 1;
    }
    return code;
}

int eng_instance_create(struct eng_store *s, const struct eng_module *m,
                        const struct eng_resolver *resolver, struct eng_instance **ret,
                        struct eng_error *err, struct eng_trap *trap)
{
    struct eng_instance *inst = instance_new(s, m);
    if (!inst || link_types(inst))
        return link_fail(err, E_NOMEM, "out of memory", NULL);
    int code = link_imports(inst, resolver, err);
    if (!code)
        code = allocate(inst, err);
    if (code)
        return code;
    instance_memory(inst);
    enum eng_trap_code stopped = run_segments(inst);
    if (stopped) {
        memset(trap, 0, sizeof *trap);
        trap->code = stopped;
        return 1;
    }
    if (m->has_start && eng_call(instance_func(inst, m->start), NULL, NULL, trap))
        return 1;
    *ret = inst;
    return 0;
}
