/* What the public header lets one ask of modules, instances and what they hold. */
#include "base/err.h"
#include "runtime/native.h"

uint32_t eng_module_import_count(const struct eng_module *m)
{
    return m->import_count;
}

uint32_t eng_module_export_count(const struct eng_module *m)
{
    return m->export_count;
}

static void extern_type(const struct eng_module *m, uint8_t kind, uint32_t index,
                        struct eng_extern_type *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->kind = (enum eng_extern_kind)kind;
    switch (ret->kind) {
    case ENG_EXTERN_FUNC:
        ret->func = m->types[m->func_types[index]];
        break;
    case ENG_EXTERN_TABLE:
        ret->limits = m->tables[index].limits;
        ret->valtype = m->tables[index].type;
        break;
    case ENG_EXTERN_MEMORY:
        ret->limits = m->memories[index];
        break;
    case ENG_EXTERN_GLOBAL:
        ret->valtype = m->globals[index].type;
        ret->is_mutable = m->globals[index].is_mutable;
        break;
    case ENG_EXTERN_TAG:
        ret->func = m->types[m->tags[index]];
        break;
    }
}

void eng_module_import(const struct eng_module *m, uint32_t i, struct eng_import *ret)
{
    base_assert(i < m->import_count);
    const struct module_import *im = &m->imports[i];
    ret->module = im->module;
    ret->name = im->name;
    extern_type(m, im->kind, im->index, &ret->type);
}

void eng_module_export(const struct eng_module *m, uint32_t i, struct eng_export *ret)
{
    base_assert(i < m->export_count);
    const struct module_export *ex = &m->exports[i];
    ret->name = ex->name;
    extern_type(m, ex->kind, ex->index, &ret->type);
}

void eng_module_size(const struct eng_module *m, struct eng_module_size *ret)
{
    ret->code = (size_t)m->code_words * sizeof *m->code;
    ret->native = m->native ? m->native->bytes : 0;
    ret->total = sizeof *m + m->pool.bytes + ret->code + m->map_bytes + ret->native +
                 (m->native ? m->native->map_capacity : 0);
    ret->functions = module_func_defined(m);
}

const struct eng_module *eng_instance_module(const struct eng_instance *inst)
{
    return inst->module;
}

int eng_instance_export(struct eng_instance *inst, struct span name, struct eng_extern *ret)
{
    const struct eng_module *m = inst->module;
    for (uint32_t i = 0; i < m->export_count; i++) {
        const struct module_export *ex = &m->exports[i];
        if (!span_eq(ex->name, name))
            continue;
        ret->kind = (enum eng_extern_kind)ex->kind;
        switch (ret->kind) {
        case ENG_EXTERN_FUNC:
            ret->of.func = instance_func(inst, ex->index);
            break;
        case ENG_EXTERN_TABLE:
            ret->of.table = inst->tables[ex->index];
            break;
        case ENG_EXTERN_MEMORY:
            ret->of.memory = inst->memories[ex->index];
            break;
        case ENG_EXTERN_GLOBAL:
            ret->of.global = inst->globals[ex->index];
            break;
        case ENG_EXTERN_TAG:
            ret->of.tag = inst->tags[ex->index];
            break;
        }
        return 0;
    }
    return E_NOENT;
}

void eng_func_type(const struct eng_func *f, struct eng_functype *ret)
{
    *ret = f->type->type;
}

struct eng_memory *eng_instance_memory(const struct eng_instance *inst)
{
    return inst->memory;
}

void *eng_memory_at(struct eng_memory *m, uint64_t addr, uint64_t len)
{
    /* A memory of no bytes may have no address, but must still give one. */
    static const uint8_t nothing[1];
    if (addr > m->block.size || len > m->block.size - addr)
        return NULL;
    return m->block.base ? m->block.base + addr : (void *)(uintptr_t)nothing;
}

uint64_t eng_memory_size(const struct eng_memory *m)
{
    return m->block.size;
}

uint8_t eng_global_type(const struct eng_global *g, bool *ret_mutable)
{
    if (ret_mutable)
        *ret_mutable = g->is_mutable;
    return g->type;
}

void eng_global_get(const struct eng_global *g, union eng_value *ret)
{
    bool narrow = g->type == ENG_I32 || g->type == ENG_F32;
    ret->bits = narrow ? (uint32_t)g->bits : g->bits;
#if ENG_SIMD
    if (g->type == ENG_V128)
        ret[1].bits = g->high;
#endif
}

uint32_t eng_table_size(const struct eng_table *t)
{
    return t->size;
}

int eng_table_get(const struct eng_table *t, uint32_t i, union eng_value *ret)
{
    if (i >= t->size)
        return E_RANGE;
    ret->bits = t->items[i];
    return 0;
}
