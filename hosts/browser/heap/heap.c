/* First fit among the holes, else the top. The engine tells sizes when it frees, so that blocks have
 * no headers; a hole's first bytes are its size and the next one. */
#include "hosts/browser/heap.h"

#include <string.h>

#include "base/assert.h"

struct heap_hole {
    size_t size;
    struct heap_hole *next;
};

_Static_assert(sizeof(struct heap_hole) <= HEAP_ALIGN, "a hole fits into the smallest block");

/* What a block of so many bytes takes; 0: more than there can be. */
static size_t rounded(size_t size)
{
    return size > SIZE_MAX / 2 ? 0 : (size + HEAP_ALIGN - 1) / HEAP_ALIGN * HEAP_ALIGN;
}

static size_t left(const uint8_t *from, const uint8_t *to) { return (size_t)(to - from); }

void heap_init(struct heap *h, uint8_t *begin, uint8_t *end,
               bool (*reach)(void *ctx, uint8_t *to), void *ctx)
{
    base_assert(((uintptr_t)begin % HEAP_ALIGN) == 0 && begin <= end);
    *h = (struct heap){ .begin = begin, .top = begin, .limit = end, .end = end,
                        .reached = begin, .reach = reach, .ctx = ctx };
}

static bool reach(struct heap *h, uint8_t *to)
{
    if (to <= h->reached)
        return true;
    size_t steps = (left(h->begin, to) + HEAP_STEP - 1) / HEAP_STEP * HEAP_STEP;
    to = steps > left(h->begin, h->end) ? h->end : h->begin + steps;
    if (h->reach && !h->reach(h->ctx, to))
        return false;
    h->reached = to;
    return true;
}

/* --- the engine's blocks ------------------------------------------------------------------ */

static void put_back(struct heap *h, uint8_t *p, size_t size)
{
    struct heap_hole **at = &h->holes, *before = NULL;
    while (*at && (uint8_t *)*at < p) {
        before = *at;
        at = &before->next;
    }
    struct heap_hole *hole = (struct heap_hole *)(void *)p, *after = *at;
    bool joins = after && p + size == (uint8_t *)after;
    *hole = (struct heap_hole){ joins ? size + after->size : size, joins ? after->next : after };
    *at = hole;
    if (before && (uint8_t *)before + before->size == p) {
        before->size += hole->size;
        before->next = hole->next;
        hole = before;
    }
    if ((uint8_t *)hole + hole->size != h->top)
        return;
    h->top = (uint8_t *)hole; /* it is the last: found anew, for its link */
    for (at = &h->holes; *at != hole; at = &(*at)->next)
        ;
    *at = NULL;
}

static void *take(struct heap *h, size_t size)
{
    for (struct heap_hole **at = &h->holes; *at; at = &(*at)->next) {
        struct heap_hole *hole = *at;
        if (hole->size < size)
            continue;
        if (hole->size == size) {
            *at = hole->next;
            return hole;
        }
        hole->size -= size; /* its end: the list stays as it is */
        return (uint8_t *)hole + hole->size;
    }
    if (size > left(h->top, h->limit) || !reach(h, h->top + size))
        return NULL;
    h->top += size;
    return h->top - size;
}

/* In place: the last block grows and shrinks with the top, any block gives its end back. */
static bool resized_in_place(struct heap *h, uint8_t *p, size_t old_size, size_t new_size)
{
    if (new_size <= old_size) {
        if (new_size < old_size)
            put_back(h, p + new_size, old_size - new_size);
        return true;
    }
    if (p + old_size != h->top || new_size - old_size > left(h->top, h->limit) ||
        !reach(h, p + new_size))
        return false;
    h->top = p + new_size;
    return true;
}

void *heap_resize(struct heap *h, void *old, size_t old_size, size_t new_size)
{
    size_t had = rounded(old_size), wants = rounded(new_size);
    if (!old || !had)
        return wants ? take(h, wants) : NULL;
    if (!new_size) {
        put_back(h, old, had);
        return NULL;
    }
    if (wants && resized_in_place(h, old, had, wants))
        return old;
    void *p = wants ? take(h, wants) : NULL;
    if (p) {
        memcpy(p, old, old_size < new_size ? old_size : new_size);
        put_back(h, old, had);
    }
    return p;
}

/* --- the guest's memory ------------------------------------------------------------------- */

/* Bytes that nobody has used since they were zero are left alone: no page is touched for them. */
static bool clear(struct heap *h, uint8_t *from, size_t size)
{
    uint8_t *used = h->reached;
    if (!reach(h, from + size))
        return false;
    if (from < used)
        memset(from, 0, left(from, used) < size ? left(from, used) : size);
    return true;
}

static uint8_t *first_memory(struct heap *h, size_t size)
{
    size_t all = left(h->top, h->end), room = all / HEAP_ROOM_PART;
    room -= room % HEAP_ALIGN;
    if (size > all - room || !clear(h, h->top + room, size))
        return NULL;
    h->limit = h->guest = h->top + room;
    return h->guest;
}

uint8_t *heap_memory_create(struct heap *h, size_t size)
{
    if (!h->guest)
        return first_memory(h, size);
    uint8_t *p = heap_resize(h, NULL, 0, size ? size : 1);
    if (p)
        memset(p, 0, size);
    return p;
}

uint8_t *heap_memory_grow(struct heap *h, uint8_t *base, size_t size, size_t new_size)
{
    if (base == h->guest) {
        bool fits = new_size <= left(base, h->end) && clear(h, base + size, new_size - size);
        return fits ? base : NULL;
    }
    uint8_t *p = heap_resize(h, base, size ? size : 1, new_size);
    if (p)
        memset(p + size, 0, new_size - size);
    return p;
}

void heap_memory_destroy(struct heap *h, uint8_t *base, size_t size)
{
    if (base != h->guest) {
        heap_resize(h, base, size ? size : 1, 0);
        return;
    }
    h->guest = NULL;
    h->limit = h->end;
}
