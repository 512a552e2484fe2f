/* A bounded byte queue over a caller's memory. One reader, one writer, no
 * concurrency. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct ring {
    uint8_t *p;
    size_t cap;
    size_t head; /* index of the oldest byte; < cap, or 0 when cap is 0 */
    size_t len;  /* invariant: len <= cap */
};

void ring_init(struct ring *r, void *memory, size_t cap);
static inline size_t ring_free(const struct ring *r) { return r->cap - r->len; }
/* All of s or nothing: 0, or E_FULL. */
int ring_put(struct ring *r, struct span s);
/* The oldest bytes that lie in one piece; empty when the ring is. Valid until the
 * next call on r. */
struct span ring_peek(const struct ring *r);
/* Drops the n oldest bytes. Asserts n <= len. */
void ring_drop(struct ring *r, size_t n);

#endif
