/* The memory file that holds an app's compiled code, descriptor CTL_CODE_FD of its worker.
 *
 *     supervisor                          worker
 *       made: empty, of a fixed size,
 *       sealed against another      ->      compiles into ordinary memory, writes the file,
 *                                           seals it, maps it: code
 *       CTL_RUNNING: sealed? then it     <-
 *       is kept, by the module's hash
 *       given to the next worker    ->      compiles as well, compares, maps it when it is the
 *                                           same: one copy in memory for all
 *
 * Nobody runs what another process compiled: equal bytes are all that is shared. The only
 * mapping that may execute is of this descriptor, with CODE_PROT and CODE_FLAGS: both system
 * call filters say so, and after it the worker's refuses that too
 * (docs/decisions/0060-compiled-code-in-the-worker.md). */
#ifndef HOSTS_LINUX_CODE_H
#define HOSTS_LINUX_CODE_H

#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define F_SEAL_SEAL 0x0001
#define F_SEAL_SHRINK 0x0002
#define F_SEAL_GROW 0x0004
#define F_SEAL_WRITE 0x0008
#endif

enum {
    CODE_SEALS_FIRST = F_SEAL_GROW | F_SEAL_SHRINK, /* by the supervisor: its size bounds it */
    CODE_SEALS_LAST = F_SEAL_WRITE | F_SEAL_SEAL,   /* by the worker */
    CODE_PROT = PROT_READ | PROT_EXEC,
    CODE_FLAGS = MAP_PRIVATE | MAP_FIXED,
};

/* Threads that compile a module, the process's own included: one, or as many as there are
 * processors up to this. */
enum { CODE_THREADS_MAX = 8 };
static inline unsigned code_threads(size_t module_bytes)
{
    enum { LARGE = 128 * 1024 }; /* decision 62 */
    return module_bytes < LARGE ? 1 : CODE_THREADS_MAX;
}
/* The only thread that may be made, and that not for long: worker/helpers.c. */
#define CODE_THREAD_FLAGS                                                                         \
    (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |           \
     CLONE_CHILD_CLEARTID)

/* Bytes that the code of a module may have; with more it is interpreted. Compilers' modules
 * become 3 to 6 times as large. */
static inline size_t code_room(size_t module_bytes)
{
    enum { FIRST = 64 * 1024, EXPANSION = 16, MOST = 64 * 1024 * 1024 };
    return module_bytes > (MOST - FIRST) / EXPANSION ? (size_t)MOST
                                                     : FIRST + module_bytes * EXPANSION;
}

#endif
