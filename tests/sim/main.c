/* sim SEED STEPS [MUTANT]: one seed, every step shown with SIM_VERBOSE=1; prints what happened and
 * the hash of all actions. */
#include "sim.h"

#include <errno.h>

static void report(const struct world *w)
{
    printf("seed %" PRIu64 ": %" PRIu64 " steps, %" PRIu64 " boots, %" PRIu64 " power cuts, "
           "%" PRIu64 " stops\n", w->seed, w->step, w->n_boots, w->n_power_cuts, w->n_stops);
    printf("  lines delivered %" PRIu64 ", refused %" PRIu64 "; messages %" PRIu64
           "; pauses %" PRIu64 "; denials %" PRIu64 "; restarts %" PRIu64 ", given up %" PRIu64
           "; killed %" PRIu64 "; bad manifests %" PRIu64 "; audit records %" PRIu64 "\n",
           w->n_delivered, w->n_refused, w->n_typed, w->n_paused, w->n_denied, w->n_restarts,
           w->n_gave_up, w->n_killed, w->n_bad_manifests, w->n_audits);
    printf("  hash of all actions %016" PRIx64 "\n", w->hash);
}

static bool number(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

int main(int argc, char **argv)
{
    static struct world w;
    uint64_t seed = 1, steps = 20000;
    if ((argc > 1 && !number(argv[1], &seed)) || (argc > 2 && !number(argv[2], &steps))) {
        fputs("sim: SEED and STEPS are numbers from 0 on\n", stderr);
        return 64;
    }
    world_init(&w, seed, steps);
    w.corruption = argc > 3 ? atoi(argv[3]) : 0; /* a mutant's number */
    w.mutation.s = seed;
    w.verbose = getenv("SIM_VERBOSE") != NULL;
    bool good = world_run(&w);
    report(&w);
    if (!good)
        printf("FAILED at step %" PRIu64 " of seed %" PRIu64 ": %s\n"
               "  again, step by step: SIM_VERBOSE=1 make sim SEED=%" PRIu64 " STEPS=%" PRIu64 "\n",
               w.step, w.seed, w.failure, w.seed, w.steps);
    world_free(&w);
    return good ? 0 : 1;
}
