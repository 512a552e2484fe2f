/* For machines without a compiler: every module is interpreted. */
#include "runtime/native.h"

#include "base/err.h"

uint32_t eng_cpu(void)
{
    return 1;
}

uint32_t eng_cpu_least(void)
{
    return 1;
}

int native_section(struct loader *l)
{
    return E_UNSUPPORTED;
}

struct native_scan *native_function_begin(struct native_gen *g, uint32_t params, uint32_t locals)
{
    return NULL;
}

bool native_watches(uint8_t opcode)
{
    return false;
}

void native_saw(struct native_gen *g, const uint8_t *at)
{
}

void native_saw_call(struct native_gen *g, uint32_t type, bool far)
{
}

void native_scan_set(struct native_scan *s, uint32_t local, const uint8_t *last)
{
}

int native_function(struct native_gen *g, uint32_t index, const struct native_body *body)
{
    return E_UNSUPPORTED;
}

void native_free(const struct eng_env *env, struct native *n)
{
}

void native_link(struct eng_instance *inst)
{
}

void native_run(struct eng_store *s, struct eng_func *f, const struct native_way *way,
                const union eng_value *args, union eng_value *results)
{
}

_Noreturn void native_unwind(struct eng_store *s)
{
    __builtin_trap(); /* nothing native runs */
}

bool native_access_at(const struct eng_instance *inst, uintptr_t pc)
{
    return false;
}

void native_walk(struct eng_store *s, const void *pc, const uint64_t *sp,
                 const struct eng_instance *inst, const struct native_bridge *bridge,
                 struct eng_trap *trap)
{
}
