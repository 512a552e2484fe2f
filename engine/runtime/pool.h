/* Memory that is given back all at once: a list of growing chunks from the env. */
#ifndef ENGINE_RUNTIME_POOL_H
#define ENGINE_RUNTIME_POOL_H

#include "engine/engine.h"

struct pool_chunk;

struct pool {
    struct pool_chunk *chunks; /* newest first; allocation is from the first */
    size_t bytes;              /* of all chunks */
};

/* Zeroed, aligned to 8. NULL on exhaustion or overflow of count * size; a count of
 * 0 gives a valid pointer to nothing. */
void *pool_alloc(struct pool *p, const struct eng_env *env, size_t count, size_t size);
void pool_free(struct pool *p, const struct eng_env *env);

#define POOL_ARRAY(p, env, type, count) ((type *)pool_alloc((p), (env), (count), sizeof(type)))

/* Grows an array of the env's to room for at least `need` items, at least doubling
 * it. 0, or E_NOMEM and nothing changed. */
int array_grow(const struct eng_env *env, void **items, uint32_t *capacity, size_t need,
               size_t item_size);

#endif
