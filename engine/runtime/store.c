/* Making and freeing a store and the things in it that belong to no instance. */
#include "runtime/store.h"

#include "base/err.h"
#include "interp/interp.h"

enum { STACK_DEFAULT = 1 << 20, STACK_MIN = 4096, PAGES_MAX = 65536, ELEMENTS_MAX = 10000000 };

static void set_options(struct eng_store *s, const struct eng_store_options *options)
{
    if (options)
        s->options = *options;
    if (!s->options.stack_bytes)
        s->options.stack_bytes = STACK_DEFAULT;
    if (s->options.stack_bytes < STACK_MIN)
        s->options.stack_bytes = STACK_MIN;
    if (!s->options.memory_pages_max || s->options.memory_pages_max > PAGES_MAX)
        s->options.memory_pages_max = PAGES_MAX;
    if (!s->options.table_elements_max)
        s->options.table_elements_max = ELEMENTS_MAX;
}

int eng_store_create(const struct eng_env *env, const struct eng_store_options *options,
                     struct eng_store **ret)
{
    struct eng_store *s = env->resize(env->ctx, NULL, 0, sizeof *s);
    if (!s)
        return E_NOMEM;
    memset(s, 0, sizeof *s);
    s->env = env;
    set_options(s, options);
    s->stack_bytes = s->options.stack_bytes & ~(size_t)7;
    s->stack = env->resize(env->ctx, NULL, 0, s->stack_bytes);
    if (!s->stack) {
        env->resize(env->ctx, s, sizeof *s, 0);
        return E_NOMEM;
    }
    s->stack_top = s->stack;
    s->stack_end = s->stack + s->stack_bytes / sizeof *s->stack;
    s->fuel = UINT64_MAX;
    s->exit_code[0] = interp_handlers()[OP_exit];
    s->cross_code[0] = interp_handlers()[OP_ret_cross];
    *ret = s;
    return 0;
}

static void tables_free(struct eng_store *s)
{
    for (struct eng_table *t = s->tables; t; t = t->next)
        if (t->items)
            s->env->resize(s->env->ctx, t->items, t->capacity * sizeof *t->items, 0);
}

void eng_store_destroy(struct eng_store *s)
{
    if (!s)
        return;
    const struct eng_env *env = s->env;
    for (struct eng_memory *m = s->memories; m; m = m->next)
        env->memory_destroy(env->ctx, &m->block);
    tables_free(s);
    while (s->instances) {
        struct eng_instance *i = s->instances;
        s->instances = i->next;
        env->resize(env->ctx, i, i->bytes, 0);
    }
    pool_free(&s->pool, env);
    env->resize(env->ctx, s->stack, s->stack_bytes, 0);
    env->resize(env->ctx, s, sizeof *s, 0);
}

static bool same_type(const struct eng_functype *a, const struct eng_functype *b)
{
    return a->param_count == b->param_count && a->result_count == b->result_count &&
           (!a->param_count || memcmp(a->params, b->params, a->param_count) == 0) &&
           (!a->result_count || memcmp(a->results, b->results, a->result_count) == 0);
}

static unsigned type_hash(const struct eng_functype *t)
{
    uint32_t h = t->param_count * 31 + t->result_count;
    for (uint32_t i = 0; i < t->param_count; i++)
        h = h * 31 + t->params[i];
    for (uint32_t i = 0; i < t->result_count; i++)
        h = h * 31 + t->results[i];
    return (h ^ h >> 7 ^ h >> 14) % TYPE_BUCKETS;
}

const struct store_type *store_type_of(struct eng_store *s, const struct eng_functype *t)
{
    struct store_type **bucket = &s->types[type_hash(t)];
    for (struct store_type *have = *bucket; have; have = have->next)
        if (same_type(&have->type, t))
            return have;
    struct store_type *made = pool_alloc(&s->pool, s->env, 1, sizeof *made);
    uint8_t *bytes = pool_alloc(&s->pool, s->env, (size_t)t->param_count + t->result_count, 1);
    if (!made || !bytes)
        return NULL;
    if (t->param_count)
        memcpy(bytes, t->params, t->param_count);
    if (t->result_count)
        memcpy(bytes + t->param_count, t->results, t->result_count);
    made->type = (struct eng_functype){ bytes, bytes + t->param_count, t->param_count,
                                        t->result_count };
    made->next = *bucket;
    *bucket = made;
    return made;
}

int eng_hostfunc_create(struct eng_store *s, const struct eng_functype *type, eng_hostfunc fn,
                        void *ctx, struct eng_func **ret)
{
    if (!fn)
        return E_INVAL;
    const struct store_type *t = store_type_of(s, type);
    struct hostfunc *h = t ? pool_alloc(&s->pool, s->env, 1, sizeof *h) : NULL;
    if (!h)
        return E_NOMEM;
    h->func.type = t;
    h->func.of.host = h;
    h->store = s;
    h->fn = fn;
    h->ctx = ctx;
    *ret = &h->func;
    return 0;
}

int eng_memory_create(struct eng_store *s, struct eng_limits limits, struct eng_memory **ret)
{
    if (limits.min > PAGES_MAX || (limits.has_max && limits.max < limits.min))
        return E_INVAL;
    return memory_new(s, limits, ret);
}

int eng_table_create(struct eng_store *s, uint8_t elem_type, struct eng_limits limits,
                     struct eng_table **ret)
{
    if ((elem_type != ENG_FUNCREF && elem_type != ENG_EXTERNREF) ||
        (limits.has_max && limits.max < limits.min))
        return E_INVAL;
    return table_new(s, elem_type, limits, ret);
}

int eng_global_create(struct eng_store *s, uint8_t valtype, bool is_mutable,
                      union eng_value value, struct eng_global **ret)
{
    struct eng_global *g = pool_alloc(&s->pool, s->env, 1, sizeof *g);
    if (!g)
        return E_NOMEM;
    *g = (struct eng_global){ value.bits, valtype, is_mutable };
    if (valtype == ENG_I32 || valtype == ENG_F32)
        g->bits = value.i32;
    *ret = g;
    return 0;
}
