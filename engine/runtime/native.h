/* Native code of a module, as the runtime sees it: what x64/ makes and runs. On a
 * machine without a compiler native_none.c takes its place, and every module is
 * interpreted. x64/README.md describes convention, frames and tables. */
#ifndef ENGINE_RUNTIME_NATIVE_H
#define ENGINE_RUNTIME_NATIVE_H

#include "runtime/store.h"

struct loader;
struct native_gen;

/* Bytes of the stack that native code may use without asking: entry, frames of small
 * functions that call nothing, the way to a trap. */
enum { NATIVE_SLACK = 512, NATIVE_ROOM = 2 * NATIVE_SLACK };

struct native_func {
    uint32_t code;  /* offset of its entry */
    uint32_t map;   /* index in the map of its first place */
    uint32_t frame; /* bytes from the stack pointer in its body to its return address */
    uint32_t far;   /* offset from there of the slot that keeps its instance; 0 none */
};

struct native {
    uint8_t *base; /* code memory, sealed */
    size_t bytes;
    struct native_func *funcs;
    uint32_t funcs_end; /* offset behind the last function */
    uint8_t *map;       /* of places in code to module offsets: x64/places.c */
    uint32_t map_bytes, map_capacity;
    uint32_t exit;   /* offset of the way out */
    uint32_t *enter; /* by type: offset of the way in from outside, 0 none */
};

/* --- making it: while a module is loaded ---------------------------------------- */

/* A body that has just been validated. */
struct native_body {
    const uint8_t *code, *end; /* behind the declarations of locals */
    const uint8_t *local_types;
    uint32_t local_count;
    uint32_t height; /* most operands at a time */
    uint32_t offset; /* of the body in the module */
};

/* NULL when this machine or env cannot, or on exhaustion. */
struct native_gen *native_begin(struct loader *l);
/* Defined functions in order. 0, E_UNSUPPORTED (the module is to be interpreted), or
 * another negative error. */
int native_function(struct native_gen *g, uint32_t index, const struct native_body *body);
/* Seals the code and gives it to the module. The same errors. */
int native_finish(struct native_gen *g);
/* Frees the generator; NULL is accepted. */
void native_end(struct native_gen *g);
/* Frees what a module got; NULL is accepted. */
void native_free(const struct eng_env *env, struct native *n);

/* --- running it -------------------------------------------------------------------- */

/* Prepares an instance of a module with native code. */
void native_link(struct eng_instance *inst);

/* Calls f, which has native code, as a new activation. args are replaced by results.
 * Traps as in store.h: s->pc and s->fp tell where the guest stood. */
void native_run(struct eng_store *s, struct eng_func *f, uint64_t *args);

/* Ends the running native activation of s from wherever it is, also from a signal handler:
 * its native_run returns. */
_Noreturn void native_unwind(struct eng_store *s);

/* Is there an access to memory at pc in the running instance's code? */
bool native_access_at(const struct eng_instance *inst, uintptr_t pc);

/* Frames from (pc, sp) of inst to the start of the activation. */
void native_walk(struct eng_store *s, const void *pc, const uint64_t *sp,
                 const struct eng_instance *inst, struct eng_trap *trap);

#endif
