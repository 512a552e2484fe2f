/* One guest of the benchmarks: a module, a store and an instance, with as much of WASI as its
 * C library needs to print and exit. Whatever goes wrong ends the process. */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>

#include "embed/embed.h"

enum { GUEST_STACK_BYTES = 1 << 20, GUEST_CANNOT_RUN = 3 /* exit status */ };

struct guest {
    struct eng_store *store;
    struct eng_instance *instance;
};

_Noreturn void guest_die(int status, const char *what, const char *why);

/* Chooses how modules of e will run: "interp" or "baseline". Ends the process with
 * GUEST_CANNOT_RUN when the engine was built without it. */
void guest_choose_tier(struct embed *e, const char *name);

/* Ends the process with GUEST_CANNOT_RUN when the engine lacks what the module uses. */
struct eng_module *guest_load(struct embed *e, const char *path, struct span bytes);

/* A store of its own with one instance of m. The functions that it imports from "bench" do
 * nothing but give back their first argument. */
void guest_create(struct embed *e, const char *path, const struct eng_module *m,
                  struct guest *ret);
void guest_destroy(struct guest *g);

struct eng_func *guest_export(const struct guest *g, const char *path, const char *name);

/* Calls f, which takes an i32 and gives one. */
uint32_t guest_call(struct eng_func *f, uint32_t argument);

#endif
