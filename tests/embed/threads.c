/* The engine's jobs on several threads: each takes the next number until there are none. With
 * `shuffled` the order is another one each time, so that nothing can rely on it. */
#include "embed/embed.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct work {
    eng_job job;
    void *arg;
    const uint32_t *order; /* or NULL: as they are */
    uint32_t count;
    _Atomic uint32_t next;
};

static void *take_jobs(void *p)
{
    struct work *w = p;
    for (uint32_t i; (i = atomic_fetch_add(&w->next, 1)) < w->count;)
        w->job(w->arg, w->order ? w->order[i] : i);
    return NULL;
}

/* Some permutation of the numbers below count, or NULL. */
static uint32_t *shuffle(struct embed *e, uint32_t count)
{
    uint32_t *order = malloc(count * sizeof *order);
    for (uint32_t i = 0; order && i < count; i++) {
        e->shuffled = e->shuffled * 1664525 + 1013904223;
        uint32_t k = (e->shuffled >> 8) % (i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    return order;
}

static void run_jobs(void *ctx, uint32_t count, eng_job job, void *arg)
{
    struct embed *e = ctx;
    pthread_t threads[EMBED_THREADS_MAX];
    uint32_t *order = e->shuffled ? shuffle(e, count) : NULL;
    struct work w = { .job = job, .arg = arg, .order = order, .count = count };
    unsigned started = 0;
    while (started + 1 < e->threads && started + 1 < count && started < EMBED_THREADS_MAX &&
           pthread_create(&threads[started], NULL, take_jobs, &w) == 0)
        started++;
    take_jobs(&w);
    while (started)
        pthread_join(threads[--started], NULL);
    free(order);
}

void embed_use_threads(struct embed *e, unsigned threads, uint32_t part_bytes, bool shuffled)
{
    e->threads = threads;
    e->shuffled = shuffled;
    e->env.part_bytes = part_bytes;
    e->env.threads = threads;
    e->env.run_jobs = run_jobs;
}
