/* many STEPS SEEDS: the simulator's own tests. All invariants over many seeds; the same seed
 * gives the same actions; and each mutant is noticed. */
#include "sim.h"

#include "lib/test.h"

static struct world w;
static uint64_t steps_wanted = 1000000, seeds_wanted = 250;
static uint64_t totals[12];

static bool run_seed(uint64_t seed, uint64_t steps, int mutant)
{
    world_init(&w, seed, steps);
    w.corruption = mutant;
    w.mutation.s = seed;
    return world_run(&w);
}

static void how_to_repeat(void)
{
    printf("# seed %" PRIu64 ", step %" PRIu64 ": %s\n# again, step by step: "
           "SIM_VERBOSE=1 make sim SEED=%" PRIu64 " STEPS=%" PRIu64 "\n",
           w.seed, w.step, w.failure, w.seed, w.steps);
}

TEST(every_invariant_holds)
{
    uint64_t done = 0;
    int failures = 0;
    for (uint64_t seed = 1; done < steps_wanted && failures < 5; seed++) {
        bool good = run_seed(seed, steps_wanted / seeds_wanted, 0);
        CHECK(good);
        if (!good) {
            how_to_repeat();
            failures++;
        }
        const uint64_t seen[] = { w.n_delivered, w.n_refused, w.n_typed, w.n_paused, w.n_denied,
                                  w.n_restarts, w.n_gave_up, w.n_killed, w.n_power_cuts,
                                  w.n_bad_manifests, w.n_audits, w.n_stops };
        for (size_t i = 0; i < 12; i++)
            totals[i] += seen[i];
        done += w.step;
        world_free(&w);
    }
    printf("# %" PRIu64 " steps\n", done);
    CHECK(failures || done >= steps_wanted);
}

/* A simulation in which nothing happens proves nothing. */
TEST(everything_has_happened)
{
    static const char *const names[12] = { "lines delivered", "lines refused", "messages",
                                           "pauses", "denials", "restarts", "given up", "killed",
                                           "power cuts", "bad manifests", "audit records",
                                           "stops" };
    for (int i = 0; i < 12; i++) {
        printf("# %s: %" PRIu64 "\n", names[i], totals[i]);
        CHECK(totals[i] >= steps_wanted / 20000);
    }
}

TEST(the_same_seed_gives_the_same_actions)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_seed(seed, 4000, 0);
        uint64_t first = w.hash;
        world_free(&w);
        run_seed(seed, 4000, 0);
        CHECK(w.hash == first);
        world_free(&w);
        run_seed(seed + 1000, 4000, 0);
        CHECK(w.hash != first);
        world_free(&w);
    }
}

TEST(every_mutant_is_noticed)
{
    for (int mutant = 1; mutant_name(mutant); mutant++) {
        bool noticed = false;
        uint32_t applied = 0;
        for (uint64_t seed = 1; seed <= 60 && !noticed; seed++) {
            noticed = !run_seed(seed, 3000, mutant);
            applied += w.corruption_count;
            if (noticed)
                printf("# %s: %s\n", mutant_name(mutant), w.failure);
            world_free(&w);
        }
        if (!noticed)
            printf("# not noticed: %s (done %u times)\n", mutant_name(mutant), applied);
        CHECK(noticed);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        steps_wanted = strtoull(argv[1], NULL, 10);
    seeds_wanted = steps_wanted / 4000 + 1;
    RUN(every_invariant_holds)
    RUN(everything_has_happened)
    RUN(the_same_seed_gives_the_same_actions)
    RUN(every_mutant_is_noticed)
    printf("1..%d\n", test_count);
    return test_failures ? 1 : 0;
}
