/* Making and freeing a store and the things in it that belong to no instance. */
#include "runtime/store.h"

#include "base/err.h"
#include "engine/limits.h"
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
    s->native_bridge = &s->no_bridge;
    s->exit_code[0] = interp_word(interp_handlers(), OP_exit);
    s->cross_code[0] = interp_word(interp_handlers(), OP_ret_cross);
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
    exceptions_free(s);
    while (s->instances) {
        struct eng_instance *i = s->instances;
        s->instances = i->next;
        env->resize(env->ctx, i, i->bytes, 0);
    }
    pool_free(&s->pool, env);
    env->resize(env->ctx, s->stack, s->stack_bytes, 0);
    env->resize(env->ctx, s, sizeof *s, 0);
}

/* The bytes of both lists, with one between them that is no type. */
static struct span type_key(const struct eng_functype *t, uint8_t *key)
{
    if (t->param_count)
        memcpy(key, t->params, t->param_count);
    key[t->param_count] = 0;
    if (t->result_count)
        memcpy(key + t->param_count + 1, t->results, t->result_count);
    return span_of(key, (size_t)t->param_count + 1 + t->result_count);
}

const struct store_type *store_type_of(struct eng_store *s, const struct eng_functype *t)
{
    uint8_t bytes[2 * ENG_MAX_PARAMS + 1];
    base_assert(t->param_count <= ENG_MAX_PARAMS && t->result_count <= ENG_MAX_PARAMS);
    struct span key = type_key(t, bytes);
    struct trie_node *have = trie_find(&s->types, key);
    if (have)
        return (const struct store_type *)have;
    struct store_type *made = pool_alloc(&s->pool, s->env, 1, sizeof *made);
    uint8_t *copy = made ? pool_alloc(&s->pool, s->env, key.len, 1) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, key.p, key.len);
    made->node.key = span_of(copy, key.len);
    made->type = (struct eng_functype){ copy, copy + t->param_count + 1, t->param_count,
                                        t->result_count };
    made->param_slots = eng_slots(t->params, t->param_count);
    made->result_slots = eng_slots(t->results, t->result_count);
    trie_add(&s->types, &made->node);
    return made;
}

int eng_hostfunc_create(struct eng_store *s, const struct eng_functype *type, eng_hostfunc fn,
                        void *ctx, struct eng_func **ret)
{
    if (!fn || type->param_count > ENG_MAX_PARAMS || type->result_count > ENG_MAX_PARAMS)
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

int eng_tag_create(struct eng_store *s, const struct eng_functype *type, struct eng_tag **ret)
{
    if (type->result_count)
        return E_INVAL;
    const struct store_type *t = store_type_of(s, type);
    struct eng_tag *tag = t ? pool_alloc(&s->pool, s->env, 1, sizeof *tag) : NULL;
    if (!tag)
        return E_NOMEM;
    tag->type = t;
    *ret = tag;
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
    if ((elem_type != ENG_FUNCREF && elem_type != ENG_EXTERNREF && elem_type != ENG_EXNREF) ||
        (limits.has_max && limits.max < limits.min))
        return E_INVAL;
    return table_new(s, elem_type, limits, ret);
}

int eng_global_create(struct eng_store *s, uint8_t valtype, bool is_mutable,
                      const union eng_value *value, struct eng_global **ret)
{
    struct eng_global *g = pool_alloc(&s->pool, s->env, 1, sizeof *g);
    if (!g)
        return E_NOMEM;
    *g = (struct eng_global){ .bits = value->bits, .type = valtype, .is_mutable = is_mutable };
    if (valtype == ENG_I32 || valtype == ENG_F32)
        g->bits = value->i32;
#if ENG_SIMD
    if (valtype == ENG_V128)
        g->high = value[1].bits;
#endif
    *ret = g;
    return 0;
}
