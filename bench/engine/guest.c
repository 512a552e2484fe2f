#define _GNU_SOURCE
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"

enum { WASI_EFAULT = 21, WASI_ENOSYS = 52 };

_Noreturn void guest_die(int status, const char *what, const char *why)
{
    fprintf(stderr, "bench-engine: %s: %s\n", what, why);
    exit(status);
}

/* --- tiers ------------------------------------------------------------------------- */

#ifdef BENCH_TIERS

/* Whether what was loaded is what was asked for: the engine interprets where it cannot
 * compile, and that must not pass for a figure of the compiler's. */
static bool is_compiled(const struct embed *e, const struct eng_module *m)
{
    struct eng_module_size size;
    eng_module_size(m, &size);
    return e->env.tier == ENG_TIER_INTERP || size.functions == 0 || size.native > 0;
}

static void set_interp(struct embed *e)
{
    e->env.tier = ENG_TIER_INTERP;
}

static void set_baseline(struct embed *e)
{
    /* (module (func)) */
    static const uint8_t probe[] = { 0, 'a', 's', 'm', 1,  0, 0, 0, 1, 4, 1, 0x60,
                                     0, 0,   3,   2,   1,  0, 10, 4, 1, 2, 0, 11 };
    e->env.tier = ENG_TIER_BASELINE;
    struct eng_module *m;
    struct eng_error err;
    if (eng_module_load(&e->env, span_of(probe, sizeof probe), &m, &err) < 0)
        guest_die(1, "baseline", err.message);
    bool compiled = is_compiled(e, m);
    eng_module_free(m);
    if (!compiled)
        guest_die(GUEST_CANNOT_RUN, "baseline", "this tier is not built in");
}

#else

static bool is_compiled(const struct embed *e, const struct eng_module *m)
{
    return true;
}

static void set_interp(struct embed *e)
{
}

static void set_baseline(struct embed *e)
{
    guest_die(GUEST_CANNOT_RUN, "baseline", "this tier is not built in");
}

#endif

void guest_choose_tier(struct embed *e, const char *name)
{
    if (strcmp(name, "interp") == 0)
        set_interp(e);
    else if (strcmp(name, "baseline") == 0)
        set_baseline(e);
    else
        guest_die(64, name, "no such tier: interp or baseline");
}

/* --- as much of WASI as is needed ---------------------------------------------------- */

/* fd_write(fd, iovs, count, written) */
static enum eng_trap_code fd_write(struct eng_call *call, union eng_value *args)
{
    struct eng_memory *m = eng_instance_memory(call->caller);
    uint32_t count = args[2].i32, total = 0;
    uint32_t *iov = m ? eng_memory_at(m, args[1].i32, (uint64_t)count * 8) : NULL;
    uint32_t *written = m ? eng_memory_at(m, args[3].i32, 4) : NULL;
    for (uint32_t i = 0; iov && written && i < count; i++) {
        const void *bytes = eng_memory_at(m, iov[2 * i], iov[2 * i + 1]);
        if (!bytes || write(1, bytes, iov[2 * i + 1]) < 0)
            written = NULL;
        total += iov[2 * i + 1];
    }
    args[0].bits = iov && written ? 0 : WASI_EFAULT;
    if (iov && written)
        *written = total;
    return ENG_TRAP_NONE;
}

static enum eng_trap_code proc_exit(struct eng_call *call, union eng_value *args)
{
    call->trap->exit_code = args[0].i32;
    return ENG_TRAP_EXIT;
}

static enum eng_trap_code no_such_call(struct eng_call *call, union eng_value *args)
{
    args[0].bits = WASI_ENOSYS;
    return ENG_TRAP_NONE;
}

static enum eng_trap_code same(struct eng_call *call, union eng_value *args)
{
    return ENG_TRAP_NONE;
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct guest *g = ctx;
    if (import->type.kind != ENG_EXTERN_FUNC)
        return E_NOENT;
    eng_hostfunc fn = span_eq_cstr(import->module, "bench")      ? same
                      : span_eq_cstr(import->name, "fd_write")  ? fd_write
                      : span_eq_cstr(import->name, "proc_exit") ? proc_exit
                                                                : no_such_call;
    ret->kind = ENG_EXTERN_FUNC;
    return eng_hostfunc_create(g->store, &import->type.func, fn, NULL, &ret->of.func);
}

/* --- guests -------------------------------------------------------------------------- */

struct eng_module *guest_load(struct embed *e, const char *path, struct span bytes)
{
    struct eng_module *m;
    struct eng_error err = { 0 };
    int result = eng_module_load(&e->env, bytes, &m, &err);
    if (result < 0)
        guest_die(result == E_UNSUPPORTED ? GUEST_CANNOT_RUN : 1, path, err.message);
    if (!is_compiled(e, m))
        guest_die(GUEST_CANNOT_RUN, path, "was not compiled");
    return m;
}

void guest_create(struct embed *e, const char *path, const struct eng_module *m,
                  struct guest *ret)
{
    struct eng_error err = { 0 };
    struct eng_trap trap;
    struct eng_resolver resolver = { ret, resolve };
    struct eng_store_options options = { .stack_bytes = GUEST_STACK_BYTES };
    if (eng_store_create(&e->env, &options, &ret->store) < 0)
        guest_die(1, path, "no store");
    int result = eng_instance_create(ret->store, m, &resolver, &ret->instance, &err, &trap);
    if (result != 0)
        guest_die(1, path, result < 0 ? err.message : eng_trap_message(trap.code));
}

void guest_destroy(struct guest *g)
{
    eng_store_destroy(g->store);
    *g = (struct guest){ 0 };
}

struct eng_func *guest_export(const struct guest *g, const char *path, const char *name)
{
    struct eng_extern found;
    if (eng_instance_export(g->instance, span_of(name, strlen(name)), &found) < 0 ||
        found.kind != ENG_EXTERN_FUNC)
        guest_die(1, path, "lacks an export that this needs");
    return found.of.func;
}

uint32_t guest_call(struct eng_func *f, uint32_t argument)
{
    union eng_value in = { .i32 = argument }, out;
    struct eng_trap trap;
    if (eng_call(f, &in, &out, &trap))
        guest_die(1, "guest", eng_trap_message(trap.code));
    return out.i32;
}
