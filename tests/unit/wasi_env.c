/* The worker's heap for the engine: contents survive, blocks do not overlap. */
#include "base/err.h"
#include "hosts/linux/worker/env.h"
#include "hosts/linux/worker/helpers.h"
#include "lib/test.h"

enum { BLOCKS = 64 };

struct block {
    uint8_t *p;
    size_t size;
    uint8_t mark;
};

static struct env env;
static struct block blocks[BLOCKS];

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static bool holds(const struct block *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (b->p[i] != b->mark)
            return false;
    return true;
}

static void change(struct block *b, size_t size, uint8_t mark)
{
    size_t kept = size < b->size ? size : b->size;
    CHECK(holds(b, b->size)); /* nobody wrote into it */
    uint8_t *p = env.engine.resize(env.engine.ctx, b->p, b->size, size);
    CHECK((p != NULL) == (size != 0));
    CHECK((uintptr_t)p % 16 == 0);
    b->p = p;
    CHECK(holds(b, kept));
    b->size = size;
    b->mark = mark;
    if (p)
        memset(p, mark, size);
}

TEST(blocks_keep_what_is_in_them)
{
    uint32_t state = 7;
    CHECK_INT(env_init(&env), 0);
    for (int i = 0; i < 40000; i++) {
        struct block *b = &blocks[next_random(&state) % BLOCKS];
        uint32_t kind = next_random(&state) % 16;
        size_t size = kind == 0 ? 0 : next_random(&state) % (kind < 14 ? 600 : 60000);
        change(b, size, (uint8_t)i);
    }
    for (int i = 0; i < BLOCKS; i++)
        change(&blocks[i], 0, 0);
    /* 64 blocks of at most 16 KB each; what was freed is used again */
    CHECK(env.heap_used < 4u << 20);
}

TEST(the_last_block_grows_in_place)
{
    CHECK_INT(env_init(&env), 0);
    struct block b = { 0 };
    change(&b, 100, 1);
    uint8_t *first = b.p;
    for (size_t size = 200; size < 14000; size += 100)
        change(&b, size, (uint8_t)size);
    CHECK(b.p == first);
    change(&b, 0, 0);
    CHECK_INT(env.heap_used, 0);
}

TEST(too_much_is_refused)
{
    CHECK_INT(env_init(&env), 0);
    struct block b = { 0 };
    change(&b, 1000, 3);
    CHECK(env.engine.resize(env.engine.ctx, b.p, b.size, SIZE_MAX) == NULL);
    CHECK(env.engine.resize(env.engine.ctx, b.p, b.size, SIZE_MAX / 2 - 64) == NULL);
    CHECK(env.engine.resize(env.engine.ctx, NULL, 0, SIZE_MAX - 8) == NULL);
    change(&b, 0, 0);
}

TEST(linear_memories)
{
    struct eng_mem_block m;
    CHECK_INT(env_init(&env), 0);
    CHECK_INT(env.engine.memory_create(env.engine.ctx, 65536, 4 * 65536, &m), 0);
    CHECK(m.guarded && m.size == 65536 && m.capacity == 4 * 65536);
    m.base[0] = m.base[65535] = 1;
    CHECK_INT(env.engine.memory_grow(env.engine.ctx, &m, 3 * 65536), 0);
    CHECK(m.size == 3 * 65536 && m.base[65535] == 1 && m.base[65536] == 0);
    m.base[3 * 65536 - 1] = 1;
    env.engine.memory_destroy(env.engine.ctx, &m);
    CHECK_INT(env.engine.memory_create(env.engine.ctx, 0, 0, &m), 0);
    env.engine.memory_destroy(env.engine.ctx, &m);
}

/* --- helpers ------------------------------------------------------------------------- */

enum { JOBS = 40, JOB_BLOCKS = 16, JOB_CHANGES = 3000 };

static struct job {
    struct block blocks[JOB_BLOCKS];
    unsigned runs, wrong;
    bool elsewhere; /* not on the process's own stack */
} jobs[JOBS];
static uintptr_t own_stack;

static void change_own(struct job *j, struct block *b, size_t size, uint8_t mark)
{
    size_t kept = size < b->size ? size : b->size;
    uint8_t *p = env.engine.resize(env.engine.ctx, b->p, b->size, size);
    struct block now = { p, size, mark }, was = { p, kept, b->mark };
    j->wrong += (p != NULL) != (size != 0) || (p && !holds(&was, kept));
    if (p)
        memset(p, mark, size);
    *b = now;
}

static void use_heap(void *arg, uint32_t i)
{
    struct job *j = (struct job *)arg + i;
    uint32_t state = i;
    uintptr_t here = (uintptr_t)&state;
    j->elsewhere = (here > own_stack ? here - own_stack : own_stack - here) > 64 * 1024;
    for (int k = 0; k < JOB_CHANGES; k++) {
        size_t most = next_random(&state) % 16 < 15 ? 700 : 40000;
        change_own(j, &j->blocks[next_random(&state) % JOB_BLOCKS], next_random(&state) % most,
                   (uint8_t)(i + (unsigned)k));
    }
    for (int k = 0; k < JOB_BLOCKS; k++)
        change_own(j, &j->blocks[k], 0, 0);
    j->runs++;
}

TEST(helpers_share_the_heap)
{
    unsigned helped = 0;
    CHECK_INT(env_init(&env), 0);
    own_stack = (uintptr_t)&helped;
    unsigned helpers = helpers_start();
    if (!helpers)
        printf("# one processor: nobody helps\n");
    env_share(&env, helpers);
    for (unsigned round = 1; helpers && round <= 4; round++) {
        env.engine.run_jobs(env.engine.ctx, JOBS, use_heap, jobs);
        for (int i = 0; i < JOBS; i++) {
            CHECK_INT(jobs[i].runs, round);
            CHECK_INT(jobs[i].wrong, 0);
            helped += jobs[i].elsewhere;
        }
    }
    CHECK(!helpers || helped);
    helpers_end();
    env_share(&env, 0);
    CHECK(!env.engine.run_jobs);
}

TEST_MAIN(RUN(blocks_keep_what_is_in_them) RUN(the_last_block_grows_in_place)
              RUN(too_much_is_refused) RUN(linear_memories)
              RUN(helpers_share_the_heap))
