/* What the engine's own work costs, apart from running programs. Each prints numbers, blanks
 * between them, and returns main's status. `count` of everything is done; times are means. */
#ifndef COSTS_H
#define COSTS_H

#include "guest.h"

/* Nanoseconds to load the module. */
int cost_load(struct embed *e, const char *path, struct span bytes, unsigned count);

/* Nanoseconds from bytes to the end of the first call (of the export "first"), and from bytes
 * through that until all is destroyed. */
int cost_start(struct embed *e, const char *path, struct span bytes, unsigned count);

/* Nanoseconds of a call from the guest to the host, and of one from the host to the guest,
 * both of one i32. Exports: "to_host" makes as many calls as its argument says, "same" gives
 * its argument back. */
int cost_calls(struct embed *e, const char *path, struct span bytes, unsigned count);

/* Of a store with one instance, all of them alive together: nanoseconds to create, nanoseconds
 * to destroy; bytes of the engine's heap without the guest's stack and memory; bytes resident
 * without the guest's memory; bytes of page tables. */
int cost_instances(struct embed *e, const char *path, struct span bytes, unsigned count);

/* Nanoseconds to write to one page of a guest's memory and put its instance back, and the same
 * after writing to all of its pages; then how many those are. */
int cost_reset(struct embed *e, const char *path, struct span bytes, unsigned count);

/* Runs the module's "_start" (or "main_coremark") once and prints which bytes of the memory that it
 * exports as "marks" are set then: lazy.py. */
int cost_marks(struct embed *e, const char *path, struct span bytes, unsigned count);

#endif
