/* The interpreter: instructions of the internal form and how they are run.
 *
 * An instruction is one word that finds its handler (what that is only the
 * dispatch file knows), one word of operands, and for some a third. README.md
 * describes the form; this header is all that the emitter and the runtime see. */
#ifndef ENGINE_INTERP_INTERP_H
#define ENGINE_INTERP_INTERP_H

#include "interp/ops_macros.h"
#include "runtime/store.h"

enum op {
#define OP(name, ...) OP_##name,
#define ABSENT(name, ...) OP_##name,
#include "interp/ops_all.inc"
#undef OP
#undef ABSENT
    OP_COUNT_
};

/* First words of instructions, by enum op; NULL: an operation's number is its word. */
const uint64_t *interp_handlers(void);

static inline uint64_t interp_word(const uint64_t *handlers, unsigned op)
{
    return handlers ? handlers[op] : op;
}

/* Runs from pc in frame fp until an exit instruction or a trap; s->trap says
 * which. s->budget must be valid. */
void interp_run(struct eng_store *s, const uint64_t *pc, uint64_t *fp, struct eng_instance *inst);

#endif
