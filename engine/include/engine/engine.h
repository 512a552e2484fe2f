/* The WebAssembly engine: decode, validate, instantiate, run.
 *
 * Freestanding: no system call, no global, no allocation that the embedder did
 * not provide. One store is used by one thread at a time; eng_interrupt() alone
 * may be called from any thread or signal handler.
 *
 * Source of all behaviour: the WebAssembly Core Specification 2.0
 * (https://www.w3.org/TR/wasm-core-2/), called "the specification" below, and of 3.0
 * (https://webassembly.github.io/spec/core/) tail calls, extended constant expressions, multiple memories
 * and exceptions.
 * The rest of 3.0 is refused by name (E_UNSUPPORTED).
 *
 * Ownership in one line: the embedder owns the env, modules and the store; the
 * store owns instances, host functions and everything that they hold, since
 * instances refer to one another and die together.
 *
 *     eng_module_load -> eng_store_create -> eng_instance_create -> eng_call
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/strbuf.h"
#include "engine/config.h"

struct eng_module;   /* immutable once loaded; may serve any number of stores */
struct eng_store;    /* all run-time state that can refer to one another */
struct eng_instance; /* owned by its store */
struct eng_func;     /* a function of an instance or of the host; owned by its store */
struct eng_memory;   /* a linear memory; owned by its store */
struct eng_table;
struct eng_global;
struct eng_tag; /* of exceptions */

/* --- values and types ---------------------------------------------------- */

/* Encodings of the specification, section 5.3. */
enum eng_valtype {
    ENG_I32 = 0x7f,
    ENG_I64 = 0x7e,
    ENG_F32 = 0x7d,
    ENG_F64 = 0x7c,
    ENG_V128 = 0x7b,
    ENG_FUNCREF = 0x70,
    ENG_EXTERNREF = 0x6f,
    ENG_EXNREF = 0x69,
};

/* One value in 8 bytes; floats as their bits (f32 in the low half). A funcref is
 * a struct eng_func *, an externref is the embedder's own pointer; NULL is the
 * null reference. An exnref, an exception that was caught, is valid outside until the
 * guest runs again. Unused high bits of i32 and f32 are zero on results and ignored
 * on arguments.
 *
 * A v128 takes two of them, one after the other, lanes from the low end of the first:
 * wherever arrays of values are passed, a value's place is the number of *slots* of the
 * values before it, and eng_slots() counts those. */
union eng_value {
    uint64_t bits;
    uint32_t i32;
    uint64_t i64;
    float f32;
    double f64;
    void *ref;
};

struct eng_functype {
    const uint8_t *params;  /* enum eng_valtype, one byte each */
    const uint8_t *results;
    uint32_t param_count; /* of values, not of slots */
    uint32_t result_count;
};

/* Elements of an array of union eng_value that values of these types take. */
static inline uint32_t eng_slots(const uint8_t *types, uint32_t count)
{
    uint32_t slots = count;
    for (uint32_t i = 0; ENG_SIMD && i < count; i++)
        slots += types[i] == ENG_V128;
    return slots;
}

struct eng_limits {
    uint32_t min;
    uint32_t max; /* UINT32_MAX when has_max is false */
    bool has_max;
};

enum eng_extern_kind {
    ENG_EXTERN_FUNC,
    ENG_EXTERN_TABLE,
    ENG_EXTERN_MEMORY,
    ENG_EXTERN_GLOBAL,
    ENG_EXTERN_TAG,
};

/* Type of an import or export; the field for `kind` is meaningful. */
struct eng_extern_type {
    enum eng_extern_kind kind;
    struct eng_functype func;    /* of a function or tag; borrows from the module */
    struct eng_limits limits;    /* table: elements; memory: 64 KiB pages */
    uint8_t valtype;             /* of a table's elements or a global */
    bool is_mutable;             /* global */
};

/* A run-time thing that can be imported or is exported. */
struct eng_extern {
    enum eng_extern_kind kind;
    union {
        struct eng_func *func;
        struct eng_table *table;
        struct eng_memory *memory;
        struct eng_global *global;
        struct eng_tag *tag;
    } of;
};

/* --- what the embedder provides ------------------------------------------- */

/* A linear memory's address range.
 * guarded: any address from base + size up to base + 8 GiB + 64 KiB is reserved
 * and faults, so that accesses need no check; the embedder then routes the fault
 * to eng_fault(). When false, base[0, capacity) may be touched and the engine
 * checks every access itself. */
struct eng_mem_block {
    uint8_t *base;
    uint64_t size;     /* bytes accessible now; a multiple of 64 KiB */
    uint64_t capacity; /* bytes that size may reach without moving base */
    bool guarded;
};

/* How functions run. Each tier gives the same results; a module that a tier cannot do
 * is interpreted. */
enum eng_tier {
    ENG_TIER_INTERP,
    ENG_TIER_BASELINE, /* compiled in one pass when the module is loaded (x86-64) */
};

/* A piece of work: the engine's function, called once with arg and each number. */
typedef void (*eng_job)(void *arg, uint32_t i);

/* All that the engine asks of its surroundings. The table and what ctx points to
 * must outlive everything made from it. */
struct eng_env {
    void *ctx;
    /* realloc-like; alignment 16. new_size 0 frees and returns NULL. old NULL (with
     * old_size 0) allocates. NULL on exhaustion, and then old is untouched. */
    void *(*resize)(void *ctx, void *old, size_t old_size, size_t new_size);
    /* Makes a zeroed linear memory. 0, or E_NOMEM. max_bytes: the most that it may
     * ever grow to (as the module declares, at most 4 GiB). */
    int (*memory_create)(void *ctx, uint64_t size, uint64_t max_bytes, struct eng_mem_block *ret);
    /* Grows *block to new_size, new bytes zero; base may move only when the block is
     * not guarded. 0, or E_NOMEM and *block unchanged. */
    int (*memory_grow)(void *ctx, struct eng_mem_block *block, uint64_t new_size);
    void (*memory_destroy)(void *ctx, struct eng_mem_block *block);
    /* For snapshots, and may be NULL: then a snapshot is a copy and restoring copies. An image is
     * what *block holds now, to which memory_restore puts a block back: contents, and the
     * size, whatever the block became since. A host that has copy-on-write pays for
     * the pages that were written only. base may move as in memory_grow. memory_image: 0 and
     * *ret, or E_NOMEM; memory_restore: 0, or E_NOMEM and *block unchanged,
     * whatever its bytes are then. */
    int (*memory_image)(void *ctx, struct eng_mem_block *block, void **ret);
    int (*memory_restore)(void *ctx, struct eng_mem_block *block, void *image);
    void (*memory_forget)(void *ctx, void *image);
    /* A promise that every block of memory_create is guarded: modules loaded with
     * this env contain no explicit checks. When false, modules check and run on
     * either kind. An instance of an unchecking module on a block that is not
     * guarded is refused (E_INVAL). */
    bool memory_guarded;
    /* For compiled tiers only; the functions may be NULL for ENG_TIER_INTERP. Memory for
     * code is first written and then executed, never both: code_create gives `bytes`
     * bytes that can be written, or NULL; of these code_seal makes the first `used` executable and no
     * longer writable, and frees whole pages behind them: 0, or a negative error and nothing is freed;
     * code_destroy frees what there is in either state. Bytes that are not written should cost
     * nothing. After a failure of the first two the module is interpreted. */
    enum eng_tier tier;
    uint32_t cpu; /* of eng_cpu(); 0: asked again for each module */
    bool unhardened; /* leaves out what keeps mispredicted accesses within tables and memories */
    void *(*code_create)(void *ctx, size_t bytes);
    int (*code_seal)(void *ctx, void *p, size_t bytes, size_t used);
    void (*code_destroy)(void *ctx, void *p, size_t bytes);
    /* Large modules are compiled in parts, with which several threads may help; what comes out
     * is the same to the byte, whoever does it. Calls job(arg, i) once for every i < count, in any order and
     * on any threads, and returns when all calls have returned; what they wrote is then
     * visible. Only while a module is loaded. `resize` must be safe to be called
     * by several jobs at once, and is all of this table that they call. threads: how many there
     * are. NULL or one: the engine does all of it by itself. */
    void (*run_jobs)(void *ctx, uint32_t count, eng_job job, void *arg);
    uint32_t threads;
    uint32_t part_bytes; /* of bodies, at least, that a part is made of; 0: as measured to be good */
    /* Refuse what the specification got after 2.0, as a module of 2.0 may not have it. */
    bool core_2_only;
    /* The guest has used up its fuel: how much more it gets; 0: it traps. May wait, to slow it
     * down, and may not touch the store. NULL: it gets none. */
    uint64_t (*refuel)(void *ctx);
};

/* Why a module was refused. `offset`: byte in the module, for decode and
 * validation errors. `message` is NUL-terminated, for people, and uses the
 * phrases of the specification's tests where they exist ("type mismatch"). */
struct eng_error {
    int code; /* E_MALFORMED decoding, E_INVAL validation, E_UNSUPPORTED, E_NOMEM,
                 E_NOENT unknown import, E_DENIED incompatible import, E_LIMIT */
    size_t offset;
    char message[160];
};

/* What this CPU can, for eng_env: a virtual machine may need tens of microseconds to tell.
 * Never 0. */
uint32_t eng_cpu(void);
/* The same less what compiled code can do without, to test what it does then. */
uint32_t eng_cpu_least(void);

/* --- modules -------------------------------------------------------------- */

/* Decodes and validates bytes in one pass and makes the internal form. `bytes`
 * may be freed afterwards. 0 and *ret (free with eng_module_free), or a negative
 * error with *err filled in. */
int eng_module_load(const struct eng_env *env, struct span bytes, struct eng_module **ret,
                    struct eng_error *err);
/* NULL is accepted. No store may still hold an instance of it. */
void eng_module_free(struct eng_module *m);

uint32_t eng_module_import_count(const struct eng_module *m);
uint32_t eng_module_export_count(const struct eng_module *m);

struct eng_import {
    struct span module, name; /* borrow from m */
    struct eng_extern_type type;
};
struct eng_export {
    struct span name;
    struct eng_extern_type type;
};
/* Assert i < count. */
void eng_module_import(const struct eng_module *m, uint32_t i, struct eng_import *ret);
void eng_module_export(const struct eng_module *m, uint32_t i, struct eng_export *ret);

/* Bytes that the loaded module occupies: code is the internal form alone, native what has
 * been compiled. */
struct eng_module_size {
    size_t total;
    size_t code;
    size_t native;
    uint32_t functions; /* defined, not imported */
};
void eng_module_size(const struct eng_module *m, struct eng_module_size *ret);

/* --- traps ---------------------------------------------------------------- */

enum eng_trap_code {
    ENG_TRAP_NONE = 0,
    ENG_TRAP_UNREACHABLE,
    ENG_TRAP_INT_DIV_BY_ZERO,
    ENG_TRAP_INT_OVERFLOW,
    ENG_TRAP_INVALID_CONVERSION, /* float to int out of range or NaN */
    ENG_TRAP_MEMORY_BOUNDS,
    ENG_TRAP_TABLE_BOUNDS,
    ENG_TRAP_UNDEFINED_ELEMENT,      /* call_indirect index outside the table */
    ENG_TRAP_UNINITIALIZED_ELEMENT,  /* call_indirect through null */
    ENG_TRAP_INDIRECT_TYPE,          /* call_indirect type mismatch */
    ENG_TRAP_STACK_EXHAUSTED,
    ENG_TRAP_INTERRUPTED, /* eng_interrupt() */
    ENG_TRAP_OUT_OF_FUEL,
    ENG_TRAP_OUT_OF_MEMORY, /* the embedder had no memory to give */
    ENG_TRAP_EXIT,  /* a host function asked to end the program; exit_code is its */
    ENG_TRAP_HOST,  /* a host function failed; host_error is its */
    ENG_TRAP_EXCEPTION, /* no handler; returned by a host function: it goes on in its caller */
    ENG_TRAP_NULL_REFERENCE,
    ENG_TRAP_COUNT_,
};

/* "integer divide by zero" and so on, in the specification tests' words. */
const char *eng_trap_message(enum eng_trap_code code);

enum { ENG_BACKTRACE_MAX = 32 };

struct eng_frame {
    uint32_t func_index; /* in its module's function index space */
    uint32_t offset;     /* of the instruction, from the module's first byte */
    struct span name;    /* from the name section, or the export's; empty if none */
    const struct eng_instance *instance;
};

struct eng_trap {
    enum eng_trap_code code;
    uint32_t exit_code;
    int host_error;
    uint32_t depth;       /* frames on the stack; may exceed ENG_BACKTRACE_MAX */
    uint32_t frame_count; /* of those recorded, innermost first */
    struct eng_frame frames[ENG_BACKTRACE_MAX];
};
/* The backtrace for people, a line each: "at name (function 12, offset 0x1a2b)". What does not fit
 * into b is left out. */
void eng_trap_write(const struct eng_trap *trap, struct strbuf *b);

/* --- stores, instances ---------------------------------------------------- */

struct eng_store_options {
    uint32_t stack_bytes; /* for all guest frames; 0 means 1 MiB */
    uint32_t memory_pages_max; /* most pages a memory may grow to; 0 means 65,536 */
    uint32_t table_elements_max; /* most elements a table may have; 0 means 10,000,000 */
};

int eng_store_create(const struct eng_env *env, const struct eng_store_options *options,
                     struct eng_store **ret);
/* Frees all instances, functions, memories. NULL is accepted. */
void eng_store_destroy(struct eng_store *s);

/* Where a call to the host stands. Valid only during that call. */
struct eng_call {
    struct eng_store *store;
    struct eng_instance *caller; /* instance that made the call */
    void *ctx;                   /* as given to eng_hostfunc_create */
    struct eng_trap *trap;       /* fill exit_code or host_error before returning a trap */
};

/* A function of the host. args: the parameters' slots, which the function overwrites
 * with its results (the array has room for the larger of both).
 * ENG_TRAP_NONE, or the trap to raise. May call eng_call(). */
typedef enum eng_trap_code (*eng_hostfunc)(struct eng_call *call, union eng_value *args);

/* type is copied. 0, E_NOMEM or E_INVAL (no fn, or more parameters or results than
 * ENG_MAX_PARAMS). */
int eng_hostfunc_create(struct eng_store *s, const struct eng_functype *type, eng_hostfunc fn,
                        void *ctx, struct eng_func **ret);

/* Things to import that no module defines (the specification tests' "spectest").
 * 0, E_NOMEM, E_INVAL. value: the slots of one value. */
int eng_memory_create(struct eng_store *s, struct eng_limits limits, struct eng_memory **ret);
int eng_table_create(struct eng_store *s, uint8_t elem_type, struct eng_limits limits,
                     struct eng_table **ret);
int eng_global_create(struct eng_store *s, uint8_t valtype, bool is_mutable,
                      const union eng_value *value, struct eng_global **ret);

/* type, which is copied, has no results. */
int eng_tag_create(struct eng_store *s, const struct eng_functype *type, struct eng_tag **ret);

/* Finds what to link for one import: 0 with *ret, or a negative error (E_NOENT:
 * there is none). The engine checks the type afterwards. */
struct eng_resolver {
    void *ctx;
    int (*resolve)(void *ctx, const struct eng_import *import, struct eng_extern *ret);
};

/* Links, allocates, runs element and data segments and the start function.
 * 0 and *ret. E_NOENT or another error with *err for link errors; 1 when a segment
 * or the start function trapped, with *trap. As the specification says, writes
 * made to imported memories and tables before a trap remain. */
int eng_instance_create(struct eng_store *s, const struct eng_module *m,
                        const struct eng_resolver *resolver, struct eng_instance **ret,
                        struct eng_error *err, struct eng_trap *trap);

/* A state of an instance to come back to: the memories, tables and globals that it defines, and
 * which segments are dropped. What it imports belongs to others and stays as it is. The start
 * function is not run again. Any number of snapshots may be taken and restored, in any order.
 * E_INVAL while a guest of the store runs, and when a table or global holds an exception, which
 * lives no longer than something refers to it; E_NOMEM. */
struct eng_snapshot;
int eng_snapshot_create(struct eng_instance *inst, struct eng_snapshot **ret);
/* 0, or an error after which some parts are restored and others not; again may succeed. */
int eng_snapshot_restore(const struct eng_snapshot *snapshot);
/* NULL is accepted. Before the instance's store is destroyed. */
void eng_snapshot_destroy(struct eng_snapshot *snapshot);

const struct eng_module *eng_instance_module(const struct eng_instance *inst);

/* 0, or E_NOENT. */
int eng_instance_export(struct eng_instance *inst, struct span name, struct eng_extern *ret);

void eng_func_type(const struct eng_func *f, struct eng_functype *ret);

/* Runs f. args: the parameters' slots; results: room for the results'. 0, or 1 with
 * *trap. A trap leaves the store usable. Host functions may call back in; more than
 * ENG_MAX_REENTRY calls in one another trap with ENG_TRAP_STACK_EXHAUSTED, since each takes some
 * KB of the host's own stack. */
int eng_call(struct eng_func *f, const union eng_value *args, union eng_value *results,
             struct eng_trap *trap);

/* --- the guest's state ---------------------------------------------------- */

/* The caller's memory 0 ("memory" of WASI), or NULL. */
struct eng_memory *eng_instance_memory(const struct eng_instance *inst);
/* Bytes [addr, addr + len) of m, or NULL when they do not all exist. Valid until
 * the guest runs again or the memory grows. len 0 gives a non-NULL pointer for
 * addr <= size. */
void *eng_memory_at(struct eng_memory *m, uint64_t addr, uint64_t len);
uint64_t eng_memory_size(const struct eng_memory *m); /* bytes */

uint8_t eng_global_type(const struct eng_global *g, bool *ret_mutable);
/* ret: one slot, two for a v128. */
void eng_global_get(const struct eng_global *g, union eng_value *ret);
uint32_t eng_table_size(const struct eng_table *t);
/* 0 or E_RANGE */
int eng_table_get(const struct eng_table *t, uint32_t i, union eng_value *ret);

/* --- stopping a guest ----------------------------------------------------- */

/* Makes whatever runs in s trap with ENG_TRAP_INTERRUPTED within the next
 * ENG_INTERRUPT_PERIOD loop heads and calls, or at the next eng_call if nothing
 * runs. Safe from any thread and signal handler. Cleared when it has been
 * delivered. */
enum { ENG_INTERRUPT_PERIOD = 1024 };
void eng_interrupt(struct eng_store *s);

/* Fuel: one unit a loop iteration or call, checked there. UINT64_MAX (the default)
 * is unlimited. What comes when it is used up: eng_env.refuel. */
void eng_set_fuel(struct eng_store *s, uint64_t fuel);
uint64_t eng_fuel(const struct eng_store *s);

/* For an embedder with guarded memories: call from the handler of a memory fault,
 * on the thread that runs s, with the address that faulted. If it lies in a guard
 * of one of s's memories while guest code runs, does not return: the guest traps
 * with ENG_TRAP_MEMORY_BOUNDS. Returns otherwise: a real fault. The handler's
 * signal must not stay blocked (SA_NODEFER). */
void eng_fault(struct eng_store *s, uintptr_t address);
/* The same with the program counter and the stack pointer at the fault, which compiled
 * tiers need: a fault of theirs is the guest's only at an access to memory. The
 * handler must run on a stack of its own (SA_ONSTACK), as must every handler of a signal
 * that may arrive while compiled code runs. */
void eng_fault_at(struct eng_store *s, uintptr_t address, uintptr_t pc, uintptr_t sp);

#endif
