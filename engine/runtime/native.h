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
    uint32_t tails; /* offset from which on calls are in the place of ones that end it */
    uint16_t saved; /* by number, registers that it keeps for its caller: above frame's end */
    uint8_t home_shift; /* of the size of an operand's home */
    uint8_t keeps_inst; /* the slot at `far` does all the time, not just behind `tails` */
};

/* The way in from outside to functions of a type. */
struct native_way {
    uint32_t code; /* offset, 0 none */
    uint32_t room; /* bytes on the stack of arguments and results */
};

struct native {
    uint8_t *base; /* code memory, sealed */
    size_t bytes;
    struct native_func *funcs;
    uint32_t funcs_end; /* offset behind the last function */
    uint8_t *map;       /* of places in code to module offsets: x64/run.c */
    uint32_t map_bytes, map_capacity;
    uint32_t exit; /* offset of the way out */
    struct native_way *ways; /* by type */
};

/* --- making it: while a module is loaded ---------------------------------------- */

/* Compiles the code section, which l reads next: validate/parts.c. 0; E_UNSUPPORTED, and when the
 * reader has not failed the module is to be interpreted; another error. */
int native_section(struct loader *l);

/* What is noted of a body while it is validated. */
struct native_use {
    uint64_t weight; /* uses, each times 8 for every loop around it; 0: none */
    uint8_t mixed;   /* set by something else than arithmetic: on f32 or f32x4 1, f64x2 2 */
};
enum { CANONICAL = 3 };
struct native_scan {
    struct native_use *uses; /* by local */
    uint32_t *touched;       /* locals that are used, touched_count */
    uint32_t touched_count, use_capacity, touched_capacity;
    uint32_t params;
    uint32_t weight; /* of a use at the present place */
    unsigned loops;
    const uint8_t *last; /* instruction before the one at hand, or NULL */
};
/* Before a body is validated; NULL on exhaustion. */
struct native_scan *native_function_begin(struct native_gen *g, uint32_t params, uint32_t locals);
/* Must native_saw() hear of such instructions? */
bool native_watches(uint8_t opcode);
/* The instruction at `at` has been validated. */
void native_saw(struct native_gen *g, const uint8_t *at);
/* The same of a call of a function of that type, perhaps in another instance. */
void native_saw_call(struct native_gen *g, uint32_t type, bool far);
/* The local, a float or vector, is set by the instruction behind `last`. */
void native_scan_set(struct native_scan *s, uint32_t local, const uint8_t *last);

/* A loop begins (1) or ends (-1). */
static inline void native_scan_loop(struct native_scan *s, int by)
{
    enum { DEPTH_MAX = 5, SHIFT = 3 };
    s->loops += (unsigned)by;
    s->weight = UINT32_C(1) << (s->loops < DEPTH_MAX ? s->loops : DEPTH_MAX) * SHIFT;
}

/* The local's first use. */
static inline void native_scan_touch(struct native_scan *s, uint32_t local)
{
    s->touched[s->touched_count++] = local;
    s->uses[local].mixed = local < s->params ? CANONICAL : 0;
}

static inline void native_scan_use(struct native_scan *s, uint32_t local)
{
    if (!s->uses[local].weight)
        native_scan_touch(s, local);
    s->uses[local].weight += s->weight;
}

/* A body that has just been validated. */
struct native_body {
    const uint8_t *code, *end; /* behind the declarations of locals */
    const uint8_t *local_types; /* by number */
    uint32_t local_count;
    uint32_t height; /* most operands at a time, in slots */
    uint32_t offset; /* of the body in the module */
    bool vectors;    /* some operand or local is a v128 */
};

/* Some numbers of what a generator has made so far. */
struct native_mark {
    uint32_t code, map, calls, fars, tries, catches;
};

/* Functions that follow each other, and what was made of them. */
struct native_part {
    uint32_t first, count; /* defined functions */
    size_t bytes;          /* of their bodies */
    /* By x64/module.c: whose memory it is in, from where to where, and where it goes. */
    const struct native_gen *gen;
    struct native_mark from, to;
    uint32_t code_place, map_place;
    bool laid;                 /* in native_place, and no longer in the generator's memory */
    uint32_t number;           /* which of the module's it is */
    struct native_part *later; /* the generator's next part that is not laid */
};

/* Code memory that parts are laid into, in order, while later ones are being made. It may turn out to be too
 * small; then the rest waits for native_finish(). */
struct native_place {
    uint8_t *code; /* NULL: there is none */
    size_t room, at;
    _Atomic uint32_t next; /* part whose turn it is: whoever has made it may change `at`, and then this */
};

/* A generator, which compiles parts one after the other into memory of its own. Several of a module
 * may work at the same time; `first` is the one that was made before all others, NULL for
 * that one itself. bytes: of bodies, about as many as it will be given. NULL when this machine
 * or env cannot, or on exhaustion. */
struct native_gen *native_begin(struct loader *l, size_t bytes, const struct native_gen *first);
/* From here on functions are those of part p: any, but later in the module than those before. When it is its
 * turn it is made where it will stay; not the last, whose `place` is NULL. The same errors as native_function(). */
int native_part_begin(struct native_gen *g, struct native_part *p, struct native_place *place);
/* The part's functions in order. 0, E_UNSUPPORTED (the module is to be interpreted), or
 * another negative error. */
int native_function(struct native_gen *g, uint32_t index, const struct native_body *body);
void native_part_end(struct native_gen *g, struct native_part *p);
/* Gets a place for the code of so many bytes of bodies, if there is memory; frees it. */
void native_place_begin(struct native_place *x, const struct eng_env *env, size_t body_bytes);
void native_place_end(struct native_place *x, const struct eng_env *env);
/* A part, not the last, is done: lays it, and what waited before it, unless it is not their turn. */
void native_lay(struct native_gen *g, struct native_part *p, struct native_place *x);
/* All of the generator's parts are done: frees what only compiling needed. */
void native_rest(struct native_gen *g);
/* Seals the code of all parts, which are all the module's functions in order, and gives it to the
 * module. last: the generator of the last one; place: what some are laid in; body_bytes: of all bodies.
 * The same errors. */
int native_finish(struct eng_module *m, struct native_part *parts, uint32_t count,
                  struct native_gen *last, struct native_place *place, size_t body_bytes);
/* Frees the generator, the first one after all others; NULL is accepted. */
void native_end(struct native_gen *g);
/* Frees what a module got; NULL is accepted. */
void native_free(const struct eng_env *env, struct native *n);

/* --- running it -------------------------------------------------------------------- */

/* Prepares an instance of a module with native code. */
void native_link(struct eng_instance *inst);

static inline const struct native_way *native_way_of(const struct eng_func *f)
{
    const struct eng_module *m = f->inst->module;
    return &m->native->ways[m->func_types[f->of.index]];
}

/* Calls f, which has native code, as a new activation, for which there is room. results may be
 * args. Traps as in store.h: s->pc and s->fp tell where the guest stood. */
void native_run(struct eng_store *s, struct eng_func *f, const struct native_way *way,
                const union eng_value *args, union eng_value *results);

/* Ends the running native activation of s from wherever it is, also from a signal handler:
 * its native_run returns. */
_Noreturn void native_unwind(struct eng_store *s);

/* Is there an access to memory at pc in the running instance's code? */
bool native_access_at(const struct eng_instance *inst, uintptr_t pc);

/* Frames from (pc, sp) of inst to the start of the activation, whose innermost bridge is given. */
void native_walk(struct eng_store *s, const void *pc, const uint64_t *sp,
                 const struct eng_instance *inst, const struct native_bridge *bridge,
                 struct eng_trap *trap);

#endif
