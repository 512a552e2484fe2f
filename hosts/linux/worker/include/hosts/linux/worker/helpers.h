/* Threads that help to compile a large module: the engine's jobs (eng_env.run_jobs).
 *
 * They are made before the worker's system call filter, which lets nobody make a thread, and wait
 * at a pipe; so the filter need not know of them. They are gone before the app starts. */
#ifndef HOSTS_LINUX_WORKER_HELPERS_H
#define HOSTS_LINUX_WORKER_HELPERS_H

#include "engine/engine.h"

/* One fewer than there are processors, at most CODE_THREADS_MAX - 1; fewer when the system gives no
 * more. Their number. */
unsigned helpers_start(void);
/* Runs the jobs on all of them and the caller. */
void helpers_run(uint32_t count, eng_job job, void *arg);
/* Ends them, and returns when there are none. */
void helpers_end(void);

#endif
