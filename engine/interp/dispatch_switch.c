/* Dispatch in plain C: a loop around a switch. For every compiler and machine. */
#include "interp/machine.h"

#define DISPATCH() continue
#define NEXT(words)                                                                               \
    {                                                                                             \
        pc += (words);                                                                            \
        continue;                                                                                 \
    }
#define JUMP(words) NEXT(words)
#define JUMP_BACK(words)                                                                          \
    {                                                                                             \
        pc += (words);                                                                            \
        if (UNLIKELY(SPEND()))                                                              \
            goto refill;                                                                          \
        continue;                                                                                 \
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

const uint64_t *interp_handlers(void)
{
    return NULL;
}

void interp_run(struct eng_store *st, const uint64_t *pc, uint64_t *fp, struct eng_instance *inst)
{
    uint64_t r0 = 0;
    float s0 = 0;
    double d0 = 0;
    uint64_t budget = st->budget;
    uint32_t trap;
    st->inst = inst;
    st->fp = fp;
    uint8_t *mem = interp_memory(st, inst);
    for (;;) {
        switch ((enum op)*pc) {
#define OP(name, ...)                                                                             \
    case OP_##name:                                                                               \
    op_##name: __attribute__((unused)) {                                                          \
        __VA_ARGS__                                                                               \
    }
#define ABSENT(name, ...)
#include "interp/ops_all.inc"
#undef OP
#undef ABSENT
        default:
            __builtin_unreachable();
        }
    refill:
        trap = store_refill(st);
        budget = st->budget;
        if (trap)
            goto raise_trap;
        budget--;
        continue;
    refill_retry:
        trap = store_refill(st);
        budget = st->budget;
        if (trap)
            goto raise_trap;
            }
raise_trap:
    st->pc = pc;
finish:
    st->trap = trap;
    st->budget = budget;
}
