/* Runs the engine for the benchmarks, with guarded memories as on Linux.
 *
 *   bench-engine [--tier=interp|baseline] [--threads=N] run FILE      run _start; the guest's output to stdout
 *                                         check FILE    the same, every access checked explicitly
 *                                         load|start|calls|instances|reset FILE N
 *                                                       what those cost, in numbers: costs.h
 *                                         marks FILE    which functions run before the first output
 *                                         tier          nothing, if the tier is built in
 *
 * Exit status 3: the engine lacks the tier or something that FILE uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "costs.h"

static int run(struct embed *e, const char *path, struct span bytes)
{
    struct guest g;
    struct eng_trap trap;
    struct eng_module *m = guest_load(e, path, bytes);
    guest_create(e, path, m, &g);
    embed_watch(g.store);
    int trapped = eng_call(guest_export(&g, path, "_start"), NULL, NULL, &trap);
    embed_watch(NULL);
    if (trapped && trap.code != ENG_TRAP_EXIT)
        guest_die(1, path, eng_trap_message(trap.code));
    guest_destroy(&g);
    eng_module_free(m);
    return trapped ? (int)trap.exit_code : 0;
}

static const struct {
    const char *name;
    int (*measure)(struct embed *e, const char *path, struct span bytes, unsigned count);
} costs[] = {
    { "load", cost_load },
    { "start", cost_start },
    { "calls", cost_calls },
    { "instances", cost_instances },
    { "reset", cost_reset },
    { "marks", cost_marks },
};

static int dispatch(struct embed *e, char **args, int count)
{
    const char *verb = args[0];
    uint8_t *bytes;
    size_t len;
    int status = 64;
    if (count == 1 && strcmp(verb, "tier") == 0)
        return 0;
    if (count < 2 || embed_read_file(args[1], &bytes, &len) < 0)
        guest_die(status, count < 2 ? verb : args[1], "no such command or file");
    if (count == 2 && (strcmp(verb, "run") == 0 || strcmp(verb, "check") == 0))
        status = run(e, args[1], span_of(bytes, len));
    int times = count == 3 ? atoi(args[2]) : strcmp(verb, "marks") == 0;
    for (size_t i = 0; times > 0 && i < sizeof costs / sizeof costs[0]; i++) {
        if (strcmp(verb, costs[i].name) == 0)
            status = costs[i].measure(e, args[1], span_of(bytes, len), (unsigned)times);
    }
    if (status == 64)
        fprintf(stderr, "bench-engine: no such command: %s; see bench/engine/runner.c\n", verb);
    free(bytes);
    return status;
}

int main(int argc, char **argv)
{
    const char *option = "--tier=", *tier = "interp", *many = "--threads=";
    struct embed e;
    int at = 1, threads = 1;
    if (at < argc && strncmp(argv[at], option, strlen(option)) == 0)
        tier = argv[at++] + strlen(option);
    if (at < argc && strncmp(argv[at], many, strlen(many)) == 0)
        threads = atoi(argv[at++] + strlen(many));
    if (at == argc)
        guest_die(64, "usage", "bench-engine [--tier=interp|baseline] [--threads=N] COMMAND ...");
    embed_init(&e, strcmp(argv[at], "check") == 0 ? EMBED_CHECK : EMBED_GUARD);
    guest_choose_tier(&e, tier);
    if (threads > 1)
        embed_use_threads(&e, (unsigned)threads, 0, false);
    return dispatch(&e, argv + at, argc - at);
}
