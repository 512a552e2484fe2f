/* Memory for one app in our own engine, out of one range of bytes that nobody else uses: what
 * the engine allocates, and the guest's memory. No globals: several heaps lie in one address
 * space, a place of it each, and whoever uses one may vanish at any moment.
 *
 *     begin            top      limit                       end
 *     | engine's blocks |  room  | the guest's memory, grows |
 *
 * Until the first guest's memory is made limit is end. Further memories are ordinary blocks. */
#ifndef HOSTS_BROWSER_HEAP_H
#define HOSTS_BROWSER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEAP_ALIGN = 16,
    HEAP_STEP = 65536, /* what reach() is asked for is a multiple of this beyond begin, or end */
    HEAP_ROOM_PART = 8, /* this part of what is left stays the engine's beside a guest's memory */
};

struct heap {
    uint8_t *begin, *top, *limit, *end;
    uint8_t *reached;          /* below it bytes may have been used; beyond it they are zero */
    uint8_t *guest;            /* the memory between limit and end, or NULL */
    struct heap_hole *holes;   /* free blocks below top, by address, none beside another */
    /* Bytes up to `to` are going to be used: false when they cannot be. May be NULL. */
    bool (*reach)(void *ctx, uint8_t *to);
    void *ctx;
};

/* [begin, end) is borrowed, and zero but for what `reached` says. begin: aligned to HEAP_ALIGN. */
void heap_init(struct heap *h, uint8_t *begin, uint8_t *end,
               bool (*reach)(void *ctx, uint8_t *to), void *ctx);

/* As eng_env.resize. */
void *heap_resize(struct heap *h, void *old, size_t old_size, size_t new_size);

/* A guest's memory: zeroed bytes, NULL when there is no room. Growing one gives its address,
 * which may be another, with the new bytes zero; or NULL, and it is untouched. */
uint8_t *heap_memory_create(struct heap *h, size_t size);
uint8_t *heap_memory_grow(struct heap *h, uint8_t *base, size_t size, size_t new_size);
void heap_memory_destroy(struct heap *h, uint8_t *base, size_t size);

#endif
