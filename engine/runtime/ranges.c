/* Memories and tables: making, growing, and the instructions on ranges of them. */
#include "runtime/store.h"

#include "base/checked.h"
#include "base/err.h"

enum { PAGE_SHIFT = 16, PAGES_MAX = 65536 };

int memory_new(struct eng_store *s, struct eng_limits limits, struct eng_memory **ret)
{
    struct eng_memory *m = pool_alloc(&s->pool, s->env, 1, sizeof *m);
    uint32_t max = limits.has_max && limits.max < PAGES_MAX ? limits.max : PAGES_MAX;
    if (max > s->options.memory_pages_max)
        max = s->options.memory_pages_max;
    if (!m || limits.min > max)
        return E_NOMEM;
    int err = s->env->memory_create(s->env->ctx, (uint64_t)limits.min << PAGE_SHIFT,
                                    (uint64_t)max << PAGE_SHIFT, &m->block);
    if (err)
        return err;
    m->limits = limits;
    m->max_pages = max;
    m->store = s;
    m->next = s->memories;
    s->memories = m;
    *ret = m;
    return 0;
}

uint32_t memory_grow(struct eng_memory *m, uint32_t pages)
{
    const struct eng_env *env = m->store->env;
    uint32_t old = (uint32_t)(m->block.size >> PAGE_SHIFT);
    if (pages > m->max_pages || old > m->max_pages - pages)
        return UINT32_MAX;
    if (pages && env->memory_grow(env->ctx, &m->block, (uint64_t)(old + pages) << PAGE_SHIFT))
        return UINT32_MAX;
    m->limits.min = old + pages;
    for (struct eng_instance *i = m->store->instances; i; i = i->next)
        if (i->memory == m)
            instance_memory(i);
    return old;
}

enum eng_trap_code memory_fill(struct eng_memory *m, uint32_t d, uint32_t value, uint32_t n)
{
    if (!range_within(d, n, m->block.size))
        return ENG_TRAP_MEMORY_BOUNDS;
    if (n)
        memset(m->block.base + d, (int)(value & 0xff), n);
    return ENG_TRAP_NONE;
}

enum eng_trap_code memory_copy(struct eng_memory *to, struct eng_memory *from, uint32_t d,
                               uint32_t s, uint32_t n)
{
    if (!range_within(d, n, to->block.size) || !range_within(s, n, from->block.size))
        return ENG_TRAP_MEMORY_BOUNDS;
    if (n)
        memmove(to->block.base + d, from->block.base + s, n);
    return ENG_TRAP_NONE;
}

enum eng_trap_code memory_init(struct eng_instance *inst, uint32_t segment, struct eng_memory *m,
                               uint32_t d, uint32_t s, uint32_t n)
{
    const struct module_data *data = &inst->module->datas[segment];
    size_t size = inst->data_dropped[segment] ? 0 : data->bytes.len;
    if (!range_within(s, n, size) || !range_within(d, n, m->block.size))
        return ENG_TRAP_MEMORY_BOUNDS;
    if (n)
        memcpy(m->block.base + d, data->bytes.p + s, n);
    return ENG_TRAP_NONE;
}

/* Room for `need` elements; the new ones are not set. */
static bool table_reserve(struct eng_table *t, uint32_t need)
{
    const struct eng_env *env = t->store->env;
    uint64_t capacity = t->size ? (uint64_t)t->capacity * 2 : need;
    if (need <= t->capacity)
        return true;
    capacity = capacity < need ? need : capacity;
    if (capacity > t->store->options.table_elements_max)
        capacity = t->store->options.table_elements_max;
    void *items = env->resize(env->ctx, t->items, t->capacity * sizeof *t->items,
                              (size_t)capacity * sizeof *t->items);
    if (!items)
        return false;
    t->items = items;
    t->capacity = (uint32_t)capacity;
    return true;
}

int table_new(struct eng_store *s, uint8_t type, struct eng_limits limits, struct eng_table **ret)
{
    struct eng_table *t = pool_alloc(&s->pool, s->env, 1, sizeof *t);
    if (!t || limits.min > s->options.table_elements_max)
        return E_NOMEM;
    t->type = type;
    t->limits = limits;
    t->store = s;
    if (!table_reserve(t, limits.min))
        return E_NOMEM;
    t->size = limits.min;
    if (t->size)
        memset(t->items, 0, (size_t)t->size * sizeof *t->items);
    t->next = s->tables;
    s->tables = t;
    *ret = t;
    return 0;
}

uint32_t table_grow(struct eng_table *t, uint32_t count, uint64_t value)
{
    uint32_t old = t->size, max = t->store->options.table_elements_max;
    if (t->limits.max < max)
        max = t->limits.max;
    if (count > max || old > max - count || !table_reserve(t, old + count))
        return UINT32_MAX;
    for (uint32_t i = 0; i < count; i++)
        t->items[old + i] = value;
    t->size = t->limits.min = old + count;
    return old;
}

enum eng_trap_code table_fill(struct eng_table *t, uint32_t d, uint64_t value, uint32_t n)
{
    if (!range_within(d, n, t->size))
        return ENG_TRAP_TABLE_BOUNDS;
    for (uint32_t i = 0; i < n; i++)
        t->items[d + i] = value;
    return ENG_TRAP_NONE;
}

enum eng_trap_code table_copy(struct eng_table *to, struct eng_table *from, uint32_t d, uint32_t s,
                              uint32_t n)
{
    if (!range_within(d, n, to->size) || !range_within(s, n, from->size))
        return ENG_TRAP_TABLE_BOUNDS;
    if (n)
        memmove(to->items + d, from->items + s, (size_t)n * sizeof *to->items);
    return ENG_TRAP_NONE;
}

enum eng_trap_code table_init(struct eng_instance *inst, uint32_t segment, struct eng_table *t,
                              uint32_t d, uint32_t s, uint32_t n)
{
    const struct module_elem *e = &inst->module->elems[segment];
    uint32_t size = inst->elem_dropped[segment] ? 0 : e->count;
    if (!range_within(s, n, size) || !range_within(d, n, t->size))
        return ENG_TRAP_TABLE_BOUNDS;
    for (uint32_t i = 0; i < n; i++)
        t->items[d + i] = constexpr_value(inst, &e->items[s + i]);
    return ENG_TRAP_NONE;
}
