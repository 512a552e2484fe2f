/* Dispatch by tail calls: every operation is a function that ends in a jump to the
 * next one, and the machine's registers are its arguments. With preserve_none
 * (clang 19 on x86-64) all of them stay in the CPU's registers. */
#include "interp/machine.h"

#if __has_attribute(preserve_none)
#define CONVENTION __attribute__((preserve_none))
#else
#define CONVENTION
#endif

/* The order is that of preserve_none's registers: r12 to r15, rdi, rsi, rdx. What
 * nearly every operation uses comes where instructions are shortest, and rcx, which
 * shifts need, is left free. */
#define PARAMS                                                                                    \
    struct eng_store *st, struct eng_instance *inst, uint8_t *mem, uint64_t budget,               \
        const uint64_t *pc, uint64_t *fp, uint64_t r0, float s0, double d0
#define ARGS st, inst, mem, budget, pc, fp, r0, s0, d0

typedef CONVENTION void (*handler)(PARAMS);

#define DISPATCH() __attribute__((musttail)) return ((handler)(uintptr_t)*pc)(ARGS)
#define NEXT(words)                                                                               \
    do {                                                                                          \
        pc += (words);                                                                            \
        DISPATCH();                                                                               \
    } while (0)
#define JUMP(words) NEXT(words)
#define JUMP_BACK(words)                                                                          \
    do {                                                                                          \
        pc += (words);                                                                            \
        if (UNLIKELY(SPEND()))                                                              \
            __attribute__((musttail)) return refill(ARGS);                                        \
        DISPATCH();                                                                               \
    } while (0)
#define CONTINUE(name) __attribute__((musttail)) return op_##name(ARGS)
#define REFILL_RETRY() __attribute__((musttail)) return refill_retry(ARGS)
#define TRAP(code)                                                                                \
    do {                                                                                          \
        r0 = (uint64_t)(code);                                                                    \
        __attribute__((musttail)) return raise_trap(ARGS);                                        \
    } while (0)
#define FINISH(code)                                                                              \
    do {                                                                                          \
        st->trap = (code);                                                                        \
        st->budget = budget;                                                                      \
        return;                                                                                   \
    } while (0)

static CONVENTION __attribute__((noinline)) void raise_trap(PARAMS)
{
    st->pc = pc;
    FINISH((uint32_t)r0);
}

/* The unit that ran out has been jumped for already. */
static CONVENTION __attribute__((noinline)) void refill(PARAMS)
{
    uint32_t code = store_refill(st);
    budget = st->budget;
    if (code)
        TRAP(code);
    budget--;
    DISPATCH();
}

/* The instruction will be executed again and take its unit then. */
static CONVENTION __attribute__((noinline)) void refill_retry(PARAMS)
{
    uint32_t code = store_refill(st);
    budget = st->budget;
    if (code)
        TRAP(code);
    DISPATCH();
}

#define OP(name, ...)                                                                             \
    static CONVENTION void op_##name(PARAMS)                                                      \
    {                                                                                             \
        __VA_ARGS__                                                                               \
    }
#include "interp/ops_all.inc"
#undef OP

static const handler handlers[OP_COUNT_] = {
#define OP(name, ...) op_##name,
#include "interp/ops_all.inc"
#undef OP
};

const uint64_t *interp_handlers(void)
{
    _Static_assert(sizeof(handler) == sizeof(uint64_t), "a handler is a word");
    return (const uint64_t *)handlers;
}

void interp_run(struct eng_store *st, const uint64_t *pc, uint64_t *fp, struct eng_instance *inst)
{
    st->inst = inst;
    st->fp = fp;
    uint8_t *mem = interp_memory(st, inst);
    ((handler)(uintptr_t)*pc)(st, inst, mem, st->budget, pc, fp, 0, 0, 0);
}
