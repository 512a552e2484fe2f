#include "runtime/pool.h"

#include "base/checked.h"
#include "base/err.h"

struct pool_chunk {
    struct pool_chunk *next;
    size_t size; /* of the whole chunk, this header included */
    size_t used;
};

enum { CHUNK_MIN = 2048, CHUNK_MAX = 1 << 20 };

static struct pool_chunk *chunk_add(struct pool *p, const struct eng_env *env, size_t need)
{
    size_t size = p->bytes < CHUNK_MIN ? CHUNK_MIN : p->bytes > CHUNK_MAX ? CHUNK_MAX : p->bytes;
    if (need > SIZE_MAX - sizeof(struct pool_chunk))
        return NULL;
    need += sizeof(struct pool_chunk);
    size = need > size ? need : size;
    struct pool_chunk *c = env->resize(env->ctx, NULL, 0, size);
    if (!c)
        return NULL;
    *c = (struct pool_chunk){ p->chunks, size, sizeof *c };
    p->chunks = c;
    p->bytes += size;
    return c;
}

void *pool_alloc(struct pool *p, const struct eng_env *env, size_t count, size_t size)
{
    size_t bytes;
    if (!checked_mul_size(count, size, &bytes) || bytes > SIZE_MAX - 7)
        return NULL;
    bytes = (bytes + 7) & ~(size_t)7;
    struct pool_chunk *c = p->chunks;
    if (!c || c->size - c->used < bytes)
        c = chunk_add(p, env, bytes);
    if (!c)
        return NULL;
    uint8_t *at = (uint8_t *)c + c->used;
    c->used += bytes;
    memset(at, 0, bytes);
    return at;
}

void pool_free(struct pool *p, const struct eng_env *env)
{
    while (p->chunks) {
        struct pool_chunk *c = p->chunks;
        p->chunks = c->next;
        env->resize(env->ctx, c, c->size, 0);
    }
    p->bytes = 0;
}

int array_grow(const struct eng_env *env, void **items, uint32_t *capacity, size_t need,
               size_t item_size)
{
    size_t bytes, count = *capacity < 16 ? 32 : (size_t)*capacity * 2;
    if (need <= *capacity)
        return 0;
    count = count < need ? need : count;
    if (count > UINT32_MAX || !checked_mul_size(count, item_size, &bytes))
        return E_NOMEM;
    void *grown = env->resize(env->ctx, *items, *capacity * item_size, bytes);
    if (!grown)
        return E_NOMEM;
    *items = grown;
    *capacity = (uint32_t)count;
    return 0;
}
