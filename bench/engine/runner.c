/* Runs the engine for the benchmarks, with guarded memories as on Linux.
 *
 *   bench-engine run FILE          run _start; the guest's output goes to stdout
 *   bench-engine check FILE        the same, every access checked explicitly
 *   bench-engine load FILE N       load N times, print the mean nanoseconds
 *   bench-engine start FILE N      load, instantiate and destroy N times, the same
 *
 * Guests see as much of WASI as their C library needs to print and exit. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "embed/embed.h"

enum { WASI_EFAULT = 21, WASI_ENOSYS = 52 };

struct guest {
    struct eng_store *store;
};

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench-engine: %s: %s\n", what, why);
    exit(1);
}

/* --- as much of WASI as is needed ---------------------------------------------- */

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

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct guest *g = ctx;
    if (import->type.kind != ENG_EXTERN_FUNC)
        return E_NOENT;
    eng_hostfunc fn = span_eq_cstr(import->name, "fd_write")    ? fd_write
                      : span_eq_cstr(import->name, "proc_exit") ? proc_exit
                                                                : no_such_call;
    ret->kind = ENG_EXTERN_FUNC;
    return eng_hostfunc_create(g->store, &import->type.func, fn, NULL, &ret->of.func);
}

/* --- commands -------------------------------------------------------------------- */

static struct eng_module *load(struct embed *e, const char *path, struct span bytes)
{
    struct eng_module *m;
    struct eng_error err = { 0 };
    if (eng_module_load(&e->env, bytes, &m, &err) < 0)
        die(path, err.message);
    return m;
}

static struct eng_instance *instantiate(struct embed *e, const char *path, struct guest *g,
                                        const struct eng_module *m)
{
    struct eng_error err = { 0 };
    struct eng_trap trap;
    struct eng_instance *inst;
    struct eng_resolver resolver = { g, resolve };
    if (eng_store_create(&e->env, NULL, &g->store) < 0)
        die(path, "no store");
    int result = eng_instance_create(g->store, m, &resolver, &inst, &err, &trap);
    if (result != 0)
        die(path, result < 0 ? err.message : eng_trap_message(trap.code));
    return inst;
}

static int run(struct embed *e, const char *path, struct span bytes)
{
    struct guest g = { 0 };
    struct eng_module *m = load(e, path, bytes);
    struct eng_instance *inst = instantiate(e, path, &g, m);
    struct eng_extern entry;
    struct eng_trap trap;
    if (eng_instance_export(inst, SPAN_LIT("_start"), &entry) < 0 || entry.kind != ENG_EXTERN_FUNC)
        die(path, "has no _start");
    embed_watch(g.store);
    int trapped = eng_call(entry.of.func, NULL, NULL, &trap);
    embed_watch(NULL);
    if (trapped && trap.code != ENG_TRAP_EXIT)
        die(path, eng_trap_message(trap.code));
    eng_store_destroy(g.store);
    eng_module_free(m);
    return trapped ? (int)trap.exit_code : 0;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int repeat(struct embed *e, const char *path, struct span bytes, bool with_instance,
                  unsigned rounds)
{
    uint64_t start = now_ns();
    for (unsigned i = 0; i < rounds; i++) {
        struct guest g = { 0 };
        struct eng_module *m = load(e, path, bytes);
        if (with_instance)
            instantiate(e, path, &g, m);
        eng_store_destroy(g.store);
        eng_module_free(m);
    }
    printf("%llu\n", (unsigned long long)((now_ns() - start) / rounds));
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    struct embed e;
    uint8_t *bytes;
    size_t len;
    if (argc > 2 && embed_read_file(argv[2], &bytes, &len) < 0)
        die(argv[2], "cannot be read");
    embed_init(&e, strcmp(verb, "check") == 0 ? EMBED_CHECK : EMBED_GUARD);
    int rounds = argc == 4 ? atoi(argv[3]) : 0, status = 64;
    if (argc == 3 && (strcmp(verb, "run") == 0 || strcmp(verb, "check") == 0))
        status = run(&e, argv[2], span_of(bytes, len));
    else if (rounds > 0 && (strcmp(verb, "load") == 0 || strcmp(verb, "start") == 0))
        status = repeat(&e, argv[2], span_of(bytes, len), *verb == 's', (unsigned)rounds);
    else
        fprintf(stderr, "usage: bench-engine run|check FILE, load|start FILE ROUNDS\n");
    if (argc > 2)
        free(bytes);
    return status;
}
