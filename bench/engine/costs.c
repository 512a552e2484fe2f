#define _GNU_SOURCE
#include "costs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double per(uint64_t total, unsigned count)
{
    return (double)total / count;
}

/* --- loading and starting ------------------------------------------------------------ */

int cost_load(struct embed *e, const char *path, struct span bytes, unsigned count)
{
    uint64_t start = now_ns();
    for (unsigned i = 0; i < count; i++)
        eng_module_free(guest_load(e, path, bytes));
    printf("%.0f\n", per(now_ns() - start, count));
    return 0;
}

int cost_start(struct embed *e, const char *path, struct span bytes, unsigned count)
{
    uint64_t until_first = 0, start = now_ns();
    for (unsigned i = 0; i < count; i++) {
        struct guest g;
        uint64_t begin = now_ns();
        struct eng_module *m = guest_load(e, path, bytes);
        guest_create(e, path, m, &g);
        guest_call(guest_export(&g, path, "first"), 0);
        until_first += now_ns() - begin;
        guest_destroy(&g);
        eng_module_free(m);
    }
    printf("%.0f %.0f\n", per(until_first, count), per(now_ns() - start, count));
    return 0;
}

/* --- calls ------------------------------------------------------------------------------ */

int cost_calls(struct embed *e, const char *path, struct span bytes, unsigned count)
{
    struct guest g;
    struct eng_module *m = guest_load(e, path, bytes);
    guest_create(e, path, m, &g);
    struct eng_func *to_host = guest_export(&g, path, "to_host");
    struct eng_func *same = guest_export(&g, path, "same");
    embed_watch(g.store);
    if (guest_call(to_host, 100) != 4950 || guest_call(same, 77) != 77)
        guest_die(1, path, "calls came to a wrong result");
    uint64_t start = now_ns();
    guest_call(to_host, count);
    uint64_t middle = now_ns();
    for (unsigned i = 0; i < count; i++)
        guest_call(same, i);
    uint64_t end = now_ns();
    embed_watch(NULL);
    printf("%.2f %.2f\n", per(middle - start, count), per(end - middle, count));
    guest_destroy(&g);
    eng_module_free(m);
    return 0;
}

/* --- instances ---------------------------------------------------------------------------- */

/* A line such as "VmPTE:   44 kB" of /proc/self/status, in bytes. */
static uint64_t status_bytes(const char *name)
{
    char line[256];
    uint64_t kilobytes = 0;
    FILE *f = fopen("/proc/self/status", "r");
    if (!f)
        guest_die(1, "/proc/self/status", "cannot be read");
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtoull(line + strlen(name), NULL, 10);
    }
    fclose(f);
    return kilobytes * 1024;
}

/* Of the guest's own memory, what is in RAM. */
static uint64_t guest_resident(const struct guest *g)
{
    struct eng_memory *m = eng_instance_memory(g->instance);
    size_t size = m ? (size_t)eng_memory_size(m) : 0, page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned char *in_core = malloc(size / page + 1);
    uint64_t pages = 0;
    if (!in_core || (size && mincore(eng_memory_at(m, 0, size), size, in_core) < 0))
        guest_die(1, "mincore", "failed");
    for (size_t i = 0; i < size / page; i++)
        pages += in_core[i] & 1;
    free(in_core);
    return pages * page;
}

struct usage {
    uint64_t heap, resident, tables;
};

static struct usage usage_now(const struct embed *e)
{
    return (struct usage){ e->heap_bytes, status_bytes("RssAnon:"), status_bytes("VmPTE:") };
}

int cost_instances(struct embed *e, const char *path, struct span bytes, unsigned count)
{
    struct guest *all = calloc(count, sizeof *all);
    struct eng_module *m = guest_load(e, path, bytes);
    if (!all)
        guest_die(1, path, "no memory");
    memset(all, 1, count * sizeof *all); /* resident before the first look */
    guest_create(e, path, m, &all[0]);
    guest_call(guest_export(&all[0], path, "first"), 0);
    guest_destroy(&all[0]);

    struct usage before = usage_now(e);
    uint64_t start = now_ns(), create, in_guests = 0;
    for (unsigned i = 0; i < count; i++)
        guest_create(e, path, m, &all[i]);
    create = now_ns() - start;
    for (unsigned i = 0; i < count; i++)
        guest_call(guest_export(&all[i], path, "first"), 0);
    struct usage after = usage_now(e);
    for (unsigned i = 0; i < count; i++)
        in_guests += guest_resident(&all[i]);
    start = now_ns();
    for (unsigned i = 0; i < count; i++)
        guest_destroy(&all[i]);
    printf("%.0f %.0f %.0f %.0f %.0f\n", per(create, count), per(now_ns() - start, count),
           per(after.heap - before.heap, count) - GUEST_STACK_BYTES,
           per(after.resident - before.resident - in_guests, count),
           per(after.tables - before.tables, count));
    eng_module_free(m);
    free(all);
    return 0;
}

/* --- back to the start ----------------------------------------------------------------------- */

enum { PAGE = 4096 };

static uint64_t reset_after(struct guest *g, const struct eng_snapshot *s, size_t pages,
                            unsigned count)
{
    struct eng_memory *m = eng_instance_memory(g->instance);
    uint64_t start = now_ns();
    for (unsigned i = 0; i < count; i++) {
        uint8_t *p = eng_memory_at(m, 0, pages * PAGE);
        for (size_t at = 0; at < pages; at++)
            p[at * PAGE] = (uint8_t)i;
        if (eng_snapshot_restore(s))
            guest_die(1, "reset", "failed");
    }
    return now_ns() - start;
}

int cost_reset(struct embed *e, const char *path, struct span bytes, unsigned count)
{
    struct guest g;
    struct eng_snapshot *s;
    struct eng_module *m = guest_load(e, path, bytes);
    guest_create(e, path, m, &g);
    if (!eng_instance_memory(g.instance) || eng_snapshot_create(g.instance, &s))
        guest_die(1, path, "no snapshot");
    size_t pages = (size_t)eng_memory_size(eng_instance_memory(g.instance)) / PAGE;
    uint64_t one = reset_after(&g, s, 1, count);
    printf("%.0f %.0f %zu\n", per(one, count), per(reset_after(&g, s, pages, count), count), pages);
    eng_snapshot_destroy(s);
    guest_destroy(&g);
    eng_module_free(m);
    return 0;
}

/* --- what runs ---------------------------------------------------------------------------- */

static struct eng_extern export_of(const struct guest *g, const char *name)
{
    struct eng_extern found;
    if (eng_instance_export(g->instance, span_of(name, strlen(name)), &found) < 0)
        found.kind = ENG_EXTERN_TAG; /* none that anybody asks for */
    return found;
}

int cost_marks(struct embed *e, const char *path, struct span bytes, unsigned count)
{
    struct guest g;
    struct eng_module *m = guest_load(e, path, bytes);
    guest_create(e, path, m, &g);
    struct eng_extern start = export_of(&g, "_start"), marks = export_of(&g, "marks");
    if (start.kind != ENG_EXTERN_FUNC)
        start = export_of(&g, "main_coremark");
    if (start.kind != ENG_EXTERN_FUNC || marks.kind != ENG_EXTERN_MEMORY)
        guest_die(1, path, "lacks an export that this needs");
    union eng_value values[2] = { { .bits = 0 }, { .bits = 0 } }; /* of main */
    struct eng_trap trap;
    embed_watch(g.store);
    if (eng_call(start.of.func, values, values, &trap) && trap.code != ENG_TRAP_EXIT)
        guest_die(1, path, eng_trap_message(trap.code));
    embed_watch(NULL);
    const uint8_t *set = eng_memory_at(marks.of.memory, 0, eng_memory_size(marks.of.memory));
    for (uint64_t i = 0; set && i < eng_memory_size(marks.of.memory); i++)
        if (set[i])
            printf("%u\n", (unsigned)i);
    guest_destroy(&g);
    eng_module_free(m);
    return 0;
}
