/* Dispatch by computed goto, for compilers that have it but no tail calls. */
#include "interp/machine.h"

#define DISPATCH() goto *(const void *)(uintptr_t)*pc
#define NEXT(words)                                                                               \
    {                                                                                             \
        pc += (words);                                                                            \
        DISPATCH();                                                                               \
    }
#define JUMP(words) NEXT(words)
#define JUMP_BACK(words)                                                                          \
    {                                                                                             \
        pc += (words);                                                                            \
        if (UNLIKELY(SPEND()))                                                              \
            goto refill;                                                                          \
        DISPATCH();                                                                               \
    }
#define CONTINUE(name) goto op_##name
#define REFILL_RETRY() goto refill_retry
#define TRAP(code)                                                                                \
    {                                                                                             \
        trap = (uint32_t)(code);                                                                  \
        goto raise_trap;                                                                          \
    }
#define FINISH(code)                                                                              \
    {                                                                                             \
        trap = (code);                                                                            \
        goto finish;                                                                              \
    }

/* Runs, or with a NULL store returns the labels: they are visible in here only. */
static const uint64_t *run(struct eng_store *st, const uint64_t *pc, uint64_t *fp,
                           struct eng_instance *inst)
{
    static const void *const labels[OP_COUNT_] = {
#define OP(name, ...) &&op_##name,
#include "interp/ops_all.inc"
#undef OP
    };
    uint64_t r0 = 0;
    float s0 = 0;
    double d0 = 0;
    uint32_t trap;
    if (!st)
        return (const uint64_t *)labels;
    uint64_t budget = st->budget;
    st->inst = inst;
    st->fp = fp;
    uint8_t *mem = interp_memory(st, inst);
    DISPATCH();
refill:
    trap = store_refill(st);
    budget = st->budget;
    if (trap)
        goto raise_trap;
    budget--;
    DISPATCH();
refill_retry:
    trap = store_refill(st);
    budget = st->budget;
    if (trap)
        goto raise_trap;
    DISPATCH();
raise_trap:
    st->pc = pc;
finish:
    st->trap = trap;
    st->budget = budget;
    return NULL;
#define OP(name, ...)                                                                             \
    op_##name:                                                                                    \
    {                                                                                             \
        __VA_ARGS__                                                                               \
    }
#include "interp/ops_all.inc"
#undef OP
}

const uint64_t *interp_handlers(void)
{
    _Static_assert(sizeof(void *) == sizeof(uint64_t), "a label is a word");
    return run(NULL, NULL, NULL, NULL);
}

void interp_run(struct eng_store *st, const uint64_t *pc, uint64_t *fp, struct eng_instance *inst)
{
    run(st, pc, fp, inst);
}
