/* The smallest embedder of the engine: what the specification runner, the fuzzers
 * and the engine's benchmarks share. Over libc, for programs of the build machine.
 *
 * Both kinds of linear memory live in an address range of 8 GiB + 64 KiB that
 * faults outside the memory. With EMBED_GUARD the engine relies on that and a fault
 * is a trap of the guest. With EMBED_CHECK the engine has to check by itself, the
 * memory moves whenever it grows, and a fault is a crash: a forgotten check or a
 * stale base cannot go unseen. Snapshots are copy-on-write with the former, copies with the latter.
 *
 * One thread but for jobs; one store at a time owns the faults (embed_watch). */
#ifndef EMBED_EMBED_H
#define EMBED_EMBED_H

#include "engine/engine.h"

enum embed_memory { EMBED_GUARD, EMBED_CHECK };

/* Budgets of one environment: what a guest asks beyond them gets E_NOMEM. */
struct embed {
    struct eng_env env; /* pass &embed.env to the engine */
    enum embed_memory kind;
    uint64_t memory_bytes_max; /* of all linear memories together */
    uint64_t heap_bytes_max;   /* of all that the engine allocates */
    uint64_t memory_bytes; /* in use now */
    _Atomic uint64_t heap_bytes;
    unsigned threads;  /* that work on jobs */
    uint32_t shuffled; /* 0, or the state of random numbers: jobs come in any order */
};

enum { EMBED_THREADS_MAX = 16 };

/* EMBED_TIER=baseline in the environment makes every program that embeds the engine this
 * way compile its modules; EMBED_UNHARDENED set makes compiled code do without its defence
 * against mispredicted accesses, to measure it; EMBED_CPU_LEAST set makes it do without the
 * instructions that not every CPU has; EMBED_CORE_2 set refuses what came after 2.0.
 * EMBED_PARTS=BYTES makes it compile in parts of so many bytes, in any order on three threads. */

/* Prepares *e with budgets of 4 GiB for memories and 1 GiB for the heap; the caller
 * may lower them before its first use. e must not move afterwards. */
void embed_init(struct embed *e, enum embed_memory kind);

/* Compiles in parts of part_bytes (0: as the engine likes it) on so many threads. */
void embed_use_threads(struct embed *e, unsigned threads, uint32_t part_bytes, bool shuffled);

/* From now on faults in guarded memories of s are its traps; NULL: of nobody. The
 * first call installs the signal handler, on a stack of its own. */
void embed_watch(struct eng_store *s);

/* Reads a whole file into fresh memory (free with free()). 0, or E_NOENT, E_IO, E_NOMEM. */
int embed_read_file(const char *path, uint8_t **ret, size_t *ret_len);

#endif
