/* What the operations need beside their operands; private to dispatch_*.c. */
#ifndef ENGINE_INTERP_MACHINE_H
#define ENGINE_INTERP_MACHINE_H

#include <string.h>

#include "interp/interp.h"
#include "interp/numeric.h"
#if ENG_SIMD
#include "interp/simd.h"
#endif

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Takes a unit of the budget: true when there was none. A borrow is what CPUs test for free. */
#define SPEND() UNLIKELY(__builtin_sub_overflow(budget, 1, &budget))
/* Memory accesses of before and after stay apart. */
#define BARRIER() __asm__ volatile("" ::: "memory")
/* Keeps a short loop from becoming a call of memset. */
#define KEEP_LOOP(p) __asm__ volatile("" : "+r"(p))

/* Frames the call of f, whose arguments are at args, by the frame fp of st->inst.
 * The new pc, and st->fp and st->inst changed; NULL when the stack is exhausted. */
const uint64_t *interp_cross(struct eng_store *st, const struct eng_func *f, uint64_t *fp,
                             uint64_t *args, const uint64_t *ret);

/* The same for a call that ends the function in frame fp, whose link is at `link`: in the place
 * of that frame. */
const uint64_t *interp_cross_tail(struct eng_store *st, const struct eng_func *f, uint64_t *fp,
                                  const uint64_t *args, const uint64_t *link);

/* Base of inst's memory, whose size becomes st's. */
static inline uint8_t *interp_memory(struct eng_store *st, const struct eng_instance *inst)
{
    const struct eng_memory *m = inst->memory;
    st->mem_size = m ? m->block.size : 0;
    return m ? m->block.base : NULL;
}

static inline void interp_move(uint64_t *d, const uint64_t *s, uint32_t count)
{
    memmove(d, s, (size_t)count * sizeof *d);
}

#endif
