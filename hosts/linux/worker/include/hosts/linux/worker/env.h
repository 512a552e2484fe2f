/* What the engine asks of its surroundings, for one process that runs one app.
 *
 * Linear memories lie in a reserved range that faults beyond the memory's size, so the
 * engine checks nothing. The heap is one reserved range too, made writable as it grows.
 * Only pages that are touched cost anything. */
#ifndef HOSTS_LINUX_WORKER_ENV_H
#define HOSTS_LINUX_WORKER_ENV_H

#include "engine/engine.h"

enum { ENV_CLASSES = 40 };

struct env_free_block {
    struct env_free_block *next;
};

struct env {
    struct eng_env engine; /* give &engine to the engine */
    uint8_t *heap;
    size_t heap_used, heap_writable; /* heap_used <= heap_writable */
    struct env_free_block *free[ENV_CLASSES]; /* each of blocks of one size */
    size_t code_room;
    bool code_kept;
    int code_error; /* why code could not be sealed; 0 */
    _Atomic bool locked; /* the heap: env_share */
};

/* 0 or E_NOMEM. */
int env_init(struct env *e);

/* From now on modules are compiled, into CTL_CODE_FD: once in the life of the process. room:
 * the file's size; kept: it is sealed, and what differs from it is not used (E_DENIED). Whenever
 * code cannot be had, also because it passes the room or the data limit (E_LIMIT), the module is
 * interpreted. */
void env_compile(struct env *e, size_t room, bool kept, bool unhardened);

/* While helpers are at work the heap is theirs too: as many as helpers_start() said. */
void env_share(struct env *e, unsigned helpers);

/* Installs the handler of memory faults, on a stack of its own. 0 or E_IO. */
int env_catch_faults(void);
/* Faults in guarded memories of s become traps of the guest; any other fault kills the
 * process, as it would without a handler. NULL: of nobody. */
void env_watch(struct eng_store *s);

#endif
