/* The state of an instance, kept to come back to. Memories are the host's to keep when it can
 * (copy-on-write), and copied here when it cannot. */
#include "runtime/store.h"

#include "base/checked.h"
#include "base/err.h"

struct memory_state {
    void *image;   /* the host's, or a copy of `size` bytes; NULL: nothing yet */
    uint64_t size;
    uint32_t pages_min;
};

struct table_state {
    uint64_t *items; /* `size` of them; NULL: nothing yet */
    uint32_t size, size_min;
};

struct global_state {
    uint64_t bits, high;
};

/* Followed by the states, in one allocation of `bytes`. */
struct eng_snapshot {
    struct eng_instance *inst;
    size_t bytes;
    uint32_t memory_count, table_count, global_count;
    struct memory_state *memories;
    struct table_state *tables;
    struct global_state *globals;
    uint8_t *dropped; /* element segments, then data segments */
};

static const struct eng_env *env_of(const struct eng_instance *inst)
{
    return inst->store->env;
}

static struct eng_memory *own_memory(const struct eng_instance *inst, uint32_t i)
{
    return inst->memories[inst->module->memory_imports + i];
}

static struct eng_table *own_table(const struct eng_instance *inst, uint32_t i)
{
    return inst->tables[inst->module->table_imports + i];
}

/* --- what may be kept -------------------------------------------------------------- */

static bool holds_exception(const struct eng_instance *inst, const struct eng_snapshot *s)
{
    for (uint32_t i = 0; i < s->global_count; i++)
        if (inst->own[i].type == ENG_EXNREF && inst->own[i].bits)
            return true;
    for (uint32_t i = 0; i < s->table_count; i++) {
        const struct eng_table *t = own_table(inst, i);
        for (uint32_t k = 0; t->type == ENG_EXNREF && k < t->size; k++)
            if (t->items[k])
                return true;
    }
    return false;
}

static bool add(size_t *total, size_t count, size_t size)
{
    size_t bytes;
    return checked_mul_size(count, size, &bytes) && checked_add_size(*total, bytes, total);
}

/* An empty one for inst, or NULL. */
static struct eng_snapshot *snapshot_new(struct eng_instance *inst)
{
    const struct eng_module *m = inst->module;
    const struct eng_env *env = env_of(inst);
    struct eng_snapshot at = { .inst = inst, .bytes = sizeof at,
                               .memory_count = m->memory_count - m->memory_imports,
                               .table_count = m->table_count - m->table_imports,
                               .global_count = m->global_count - m->global_imports };
    if (!add(&at.bytes, at.memory_count, sizeof *at.memories) ||
        !add(&at.bytes, at.table_count, sizeof *at.tables) ||
        !add(&at.bytes, at.global_count, sizeof *at.globals) ||
        !add(&at.bytes, m->elem_count, 1) || !add(&at.bytes, m->data_count, 1))
        return NULL;
    struct eng_snapshot *s = env->resize(env->ctx, NULL, 0, at.bytes);
    if (!s)
        return NULL;
    memset(s, 0, at.bytes);
    *s = at;
    s->memories = (struct memory_state *)(s + 1);
    s->tables = (struct table_state *)(s->memories + s->memory_count);
    s->globals = (struct global_state *)(s->tables + s->table_count);
    s->dropped = (uint8_t *)(s->globals + s->global_count);
    return s;
}

/* --- keeping ------------------------------------------------------------------------- */

static int keep_memory(struct eng_memory *m, struct memory_state *state)
{
    const struct eng_env *env = m->store->env;
    state->size = m->block.size;
    state->pages_min = m->limits.min;
    if (env->memory_image)
        return env->memory_image(env->ctx, &m->block, &state->image);
    if (state->size > SIZE_MAX)
        return E_NOMEM;
    state->image = state->size ? env->resize(env->ctx, NULL, 0, (size_t)state->size) : NULL;
    if (state->size && !state->image)
        return E_NOMEM;
    if (state->size)
        memcpy(state->image, m->block.base, (size_t)state->size);
    return 0;
}

static int keep_table(const struct eng_table *t, struct table_state *state)
{
    const struct eng_env *env = t->store->env;
    size_t bytes;
    if (!checked_mul_size(t->size, sizeof *state->items, &bytes))
        return E_NOMEM;
    state->items = bytes ? env->resize(env->ctx, NULL, 0, bytes) : NULL;
    if (bytes && !state->items)
        return E_NOMEM;
    if (bytes)
        memcpy(state->items, t->items, bytes);
    state->size = t->size;
    state->size_min = t->limits.min;
    return 0;
}

static void keep_rest(struct eng_snapshot *s)
{
    const struct eng_instance *inst = s->inst;
    const struct eng_module *m = inst->module;
    for (uint32_t i = 0; i < s->global_count; i++) {
        s->globals[i].bits = inst->own[i].bits;
#if ENG_SIMD
        s->globals[i].high = inst->own[i].high;
#endif
    }
    if (m->elem_count)
        memcpy(s->dropped, inst->elem_dropped, m->elem_count);
    if (m->data_count)
        memcpy(s->dropped + m->elem_count, inst->data_dropped, m->data_count);
}

int eng_snapshot_create(struct eng_instance *inst, struct eng_snapshot **ret)
{
    struct eng_snapshot *s = inst->store->active ? NULL : snapshot_new(inst);
    if (!s)
        return inst->store->active ? E_INVAL : E_NOMEM;
    int err = holds_exception(inst, s) ? E_INVAL : 0;
    for (uint32_t i = 0; i < s->memory_count && !err; i++)
        err = keep_memory(own_memory(inst, i), &s->memories[i]);
    for (uint32_t i = 0; i < s->table_count && !err; i++)
        err = keep_table(own_table(inst, i), &s->tables[i]);
    if (err) {
        eng_snapshot_destroy(s);
        return err;
    }
    keep_rest(s);
    *ret = s;
    return 0;
}

/* --- coming back ---------------------------------------------------------------------- */

/* A block of the size that it had, when it has another by now. */
static int resize_block(struct eng_memory *m, uint64_t size)
{
    const struct eng_env *env = m->store->env;
    struct eng_mem_block fresh;
    if (m->block.size == size)
        return 0;
    int err = env->memory_create(env->ctx, size, (uint64_t)m->max_pages << 16, &fresh);
    if (err)
        return err;
    env->memory_destroy(env->ctx, &m->block);
    m->block = fresh;
    return 0;
}

static int restore_memory(struct eng_memory *m, const struct memory_state *state)
{
    const struct eng_env *env = m->store->env;
    int err;
    if (env->memory_image) {
        err = env->memory_restore(env->ctx, &m->block, state->image);
    } else {
        err = resize_block(m, state->size);
        if (!err && state->size)
            memcpy(m->block.base, state->image, (size_t)state->size);
    }
    if (err)
        return err;
    m->limits.min = state->pages_min;
    for (struct eng_instance *i = m->store->instances; i; i = i->next)
        if (i->memory == m)
            instance_memory(i);
    return 0;
}

/* A table never gets smaller than it was, so its items have the room. */
static void restore_table(struct eng_table *t, const struct table_state *state)
{
    base_assert(t->capacity >= state->size);
    if (state->size)
        memcpy(t->items, state->items, state->size * sizeof *t->items);
    t->size = state->size;
    t->limits.min = state->size_min;
}

int eng_snapshot_restore(const struct eng_snapshot *s)
{
    struct eng_instance *inst = s->inst;
    const struct eng_module *m = inst->module;
    if (inst->store->active)
        return E_INVAL;
    for (uint32_t i = 0; i < s->memory_count; i++) {
        int err = restore_memory(own_memory(inst, i), &s->memories[i]);
        if (err)
            return err;
    }
    for (uint32_t i = 0; i < s->table_count; i++)
        restore_table(own_table(inst, i), &s->tables[i]);
    for (uint32_t i = 0; i < s->global_count; i++) {
        inst->own[i].bits = s->globals[i].bits;
#if ENG_SIMD
        inst->own[i].high = s->globals[i].high;
#endif
    }
    if (m->elem_count)
        memcpy(inst->elem_dropped, s->dropped, m->elem_count);
    if (m->data_count)
        memcpy(inst->data_dropped, s->dropped + m->elem_count, m->data_count);
    return 0;
}

void eng_snapshot_destroy(struct eng_snapshot *s)
{
    if (!s)
        return;
    const struct eng_env *env = env_of(s->inst);
    for (uint32_t i = 0; i < s->memory_count; i++) {
        struct memory_state *state = &s->memories[i];
        if (env->memory_image && state->image)
            env->memory_forget(env->ctx, state->image);
        else if (state->image)
            env->resize(env->ctx, state->image, (size_t)state->size, 0);
    }
    for (uint32_t i = 0; i < s->table_count; i++)
        if (s->tables[i].items)
            env->resize(env->ctx, s->tables[i].items, s->tables[i].size * sizeof *s->tables[i].items,
                        0);
    env->resize(env->ctx, s, s->bytes, 0);
}
