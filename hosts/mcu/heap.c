/* A first-fit heap over one stretch of memory. Free blocks are a list in the order of their
 * addresses, and neighbours are joined; sizes come from the caller, so blocks in use need no head. */
#include "mcu.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

struct free_block {
    size_t size; /* bytes, a multiple of GRAIN */
    struct free_block *next;
};

enum { GRAIN = 16 };

extern uint8_t heap_begin[], heap_end[];

static struct free_block *first;
static size_t used, most;
static bool is_ready;

static size_t grains(size_t size)
{
    return (size + GRAIN - 1) & ~(size_t)(GRAIN - 1);
}

/* Puts [p, p + size) on the list. */
static void give(uint8_t *p, size_t size)
{
    struct free_block *before = NULL, *after = first, *block = (struct free_block *)p;
    for (; after && (uint8_t *)after < p; after = after->next)
        before = after;
    *block = (struct free_block){ size, after };
    if (after && p + size == (uint8_t *)after)
        *block = (struct free_block){ size + after->size, after->next };
    if (before && (uint8_t *)before + before->size == p)
        *before = (struct free_block){ before->size + block->size, block->next };
    else if (before)
        before->next = block;
    else
        first = block;
}

static void *take(size_t size)
{
    for (struct free_block **at = &first; *at; at = &(*at)->next) {
        struct free_block *block = *at;
        if (block->size < size)
            continue;
        if (block->size == size) {
            *at = block->next;
        } else {
            struct free_block *rest = (struct free_block *)((uint8_t *)block + size);
            *rest = (struct free_block){ block->size - size, block->next };
            *at = rest;
        }
        return block;
    }
    return NULL;
}

static void *resized(void *old, size_t old_size, size_t new_size)
{
    if (old && new_size == old_size)
        return old;
    if (old && new_size < old_size) { /* what is too much goes back */
        give((uint8_t *)old + new_size, old_size - new_size);
        return old;
    }
    void *p = take(new_size);
    if (p && old) {
        memcpy(p, old, old_size);
        give(old, old_size);
    }
    return p;
}

void *heap_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    if (!is_ready)
        give(heap_begin, (size_t)(heap_end - heap_begin) & ~(size_t)(GRAIN - 1));
    is_ready = true;
    if (new_size > SIZE_MAX / 2)
        return NULL;
    old_size = old ? grains(old_size) : 0;
    new_size = grains(new_size);
    void *p = NULL;
    if (new_size)
        p = resized(old, old_size, new_size);
    else if (old)
        give(old, old_size);
    if (p || !new_size) {
        used = used - old_size + new_size;
        most = used > most ? used : most;
    }
    return p;
}

size_t heap_most(size_t *ret_all)
{
    *ret_all = (size_t)(heap_end - heap_begin);
    return most;
}
