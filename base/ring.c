#include "base/ring.h"

#include "base/assert.h"
#include "base/err.h"

void ring_init(struct ring *r, void *memory, size_t cap)
{
    r->p = memory;
    r->cap = cap;
    r->head = 0;
    r->len = 0;
}

int ring_put(struct ring *r, struct span s)
{
    if (s.len > ring_free(r))
        return E_FULL;
    if (s.len == 0)
        return E_OK;
    size_t tail = r->head + r->len; /* cap is a real object's size: no overflow */
    if (tail >= r->cap)
        tail -= r->cap;
    size_t first = r->cap - tail < s.len ? r->cap - tail : s.len;
    memcpy(r->p + tail, s.p, first);
    if (s.len > first)
        memcpy(r->p, s.p + first, s.len - first);
    r->len += s.len;
    return E_OK;
}

struct span ring_peek(const struct ring *r)
{
    size_t run = r->cap - r->head;
    return span_of(r->p + r->head, r->len < run ? r->len : run);
}

void ring_drop(struct ring *r, size_t n)
{
    base_assert(n <= r->len);
    r->len -= n;
    r->head += n;
    if (r->head >= r->cap)
        r->head -= r->cap;
    if (r->len == 0)
        r->head = 0;
}
