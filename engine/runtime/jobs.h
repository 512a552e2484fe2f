/* Work that may be done in parts, at the same time where the embedder has threads. */
#ifndef ENGINE_RUNTIME_JOBS_H
#define ENGINE_RUNTIME_JOBS_H

#include "engine/engine.h"

/* How many can be at work at once. */
static inline uint32_t jobs_threads(const struct eng_env *env)
{
    return env->run_jobs && env->threads > 1 ? env->threads : 1;
}

/* Calls job(arg, i) for all i < count, and returns when all calls have returned. */
static inline void jobs_run(const struct eng_env *env, uint32_t count,
                            eng_job job, void *arg)
{
    if (jobs_threads(env) > 1 && count > 1)
        env->run_jobs(env->ctx, count, job, arg);
    else
        for (uint32_t i = 0; i < count; i++)
            job(arg, i);
}

#endif
