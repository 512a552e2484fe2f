/* A bump allocator over memory that the caller owns. Nothing is freed one by
 * one: remember a mark, and release back to it. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/span.h"

struct arena {
    uint8_t *base;
    size_t size; /* bytes that may be handed out */
    size_t used; /* invariant: used <= size */
};

static inline void arena_init(struct arena *a, void *memory, size_t size)
{
    a->base = (uint8_t *)memory;
    a->size = size;
    a->used = 0;
}

/* Zeroed memory for count items, aligned to `align` (a power of two, relative to
 * the address). NULL when the arena is used up or the size overflows. */
static inline void *arena_alloc(struct arena *a, size_t count, size_t item_size, size_t align)
{
    size_t size, end;
    base_assert(align != 0 && (align & (align - 1)) == 0);
    if (!checked_mul_size(count, item_size, &size))
        return NULL;
    size_t pad = (size_t)(-(uintptr_t)(a->base + a->used) & (align - 1));
    if (!checked_add_size(a->used, pad, &end) || !checked_add_size(end, size, &end) ||
        end > a->size)
        return NULL;
    uint8_t *p = a->base + a->used + pad;
    a->used = end;
    memset(p, 0, size);
    return p;
}

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), 1, sizeof(type), _Alignof(type)))
#define ARENA_ARRAY(a, type, count) \
    ((type *)arena_alloc((a), (count), sizeof(type), _Alignof(type)))

/* A copy of s, NUL-terminated beyond its length. p is NULL on exhaustion. */
static inline struct span arena_copy(struct arena *a, struct span s)
{
    size_t size;
    uint8_t *p = checked_add_size(s.len, 1, &size) ? arena_alloc(a, size, 1, 1) : NULL;
    if (!p)
        return SPAN_NONE;
    if (s.len)
        memcpy(p, s.p, s.len);
    return span_of(p, s.len);
}

static inline size_t arena_mark(const struct arena *a)
{
    return a->used;
}

static inline void arena_release(struct arena *a, size_t mark)
{
    base_assert(mark <= a->used);
    a->used = mark;
}

#endif
