/* What lives in a store while programs run. Everything hangs off lists of the
 * store and is freed with it; references between instances need no counting. */
#ifndef ENGINE_RUNTIME_STORE_H
#define ENGINE_RUNTIME_STORE_H

#include "runtime/module.h"
#include "runtime/trie.h"

/* A function type made unique in its store: equal types are the same pointer. */
struct store_type {
    struct trie_node node; /* first */
    struct eng_functype type;
    uint32_t param_slots, result_slots;
};

/* Room for a call's arguments, then its results. */
static inline uint32_t type_room(const struct store_type *t)
{
    return t->param_slots > t->result_slots ? t->param_slots : t->result_slots;
}

struct eng_func {
    const uint64_t *code;      /* first instruction for the interpreter, or NULL */
    const uint8_t *native;     /* entry of its native code, or NULL */
    struct eng_instance *inst; /* NULL for a function of the host */
    const struct store_type *type;
    union {
        uint32_t index; /* in its module */
        struct hostfunc *host;
    } of;
};

struct hostfunc {
    struct eng_func func;
    struct eng_store *store;
    eng_hostfunc fn;
    void *ctx;
};

struct eng_memory {
    struct eng_mem_block block;
    struct eng_limits limits; /* pages */
    uint32_t max_pages;       /* smaller of limits.max and the store's */
    struct eng_store *store;
    struct eng_memory *next;
};

struct eng_table {
    uint64_t *items; /* struct eng_func *, or the embedder's references */
    uint32_t size, capacity;
    uint8_t type;
    struct eng_limits limits;
    struct eng_store *store;
    struct eng_table *next;
};

struct eng_global {
    uint64_t bits;
#if ENG_SIMD
    uint64_t high; /* of a v128 */
#endif
    uint8_t type;
    bool is_mutable;
};

/* What native code reaches directly; its register points here. The limit is that of the
 * instance that runs, carried along when another one is called. */
enum { ACCESS_WIDTHS = 5 }; /* 1, 2, 4, 8, 16 bytes */
struct native_ctx {
    uint64_t stack_limit; /* no frame may begin below */
    uint8_t *mem_base;
    uint64_t mem_size;
    int64_t mem_last[ACCESS_WIDTHS]; /* highest address of an access of that width; may be < 0 */
    uint64_t zero;
    struct eng_store *store;
    const void *helpers;  /* C functions that the code calls */
    uint64_t spare[2];
};

struct eng_tag {
    const struct store_type *type;
};

/* An exception that has been thrown; collected when nothing refers to it any more. */
struct exception {
    struct exception *next;
    struct exception *marked; /* list while collecting */
    const struct eng_tag *tag;
    uint32_t slots;
    bool reached;
    uint64_t values[];
};

struct eng_instance {
    struct native_ctx native;
    struct eng_store *store;
    const struct eng_module *module;
    struct eng_memory *memory; /* memories[0], NULL when there is none */
    struct eng_memory **memories;
    struct eng_func **imports; /* imported functions */
    struct eng_func *funcs;    /* defined functions */
    const struct store_type **types;
    struct eng_table **tables;
    struct eng_global **globals; /* whole index space */
    struct eng_tag **tags;       /* likewise */
    struct eng_tag *own_tags;
    uint8_t *elem_dropped, *data_dropped;
    struct eng_instance *next;
    size_t bytes;            /* of this allocation */
    struct eng_global own[]; /* defined globals */
};

/* In the frame of a compiled function whose place others took on the stack by calls that end
 * functions, but which must be returned to (x64/tail.c). */
struct native_bridge {
    struct native_bridge *prev; /* further out */
    const uint64_t *area;       /* of arguments and results of what it called; grows downwards */
    const uint64_t *top;        /* end of area */
    struct eng_instance *inst;  /* last: native_func.far is the place of it */
};

/* What a call from outside changes and puts back, in one piece. pc and fp are exact wherever a trap
 * can happen. Interpreted frames of a new activation start at stack_top and grow up, native ones at
 * stack_end and grow down. */
#define STORE_PLACE                                                                               \
    const uint64_t *pc;                                                                           \
    uint64_t *fp;                                                                                 \
    uint64_t *stack_end;                                                                          \
    struct eng_instance *inst; /* that runs */                                                    \
    uint64_t mem_size;         /* of inst's memory, for the interpreter */                        \
    uint64_t *stack_top;                                                                          \
    struct native_bridge *native_bridge; /* the innermost */                                      \
    uint64_t native_host_sp; /* of the host's stack under the running native activation */

struct store_place {
    STORE_PLACE
};

/* One eng_call that has not returned. */
struct activation {
    struct activation *prev;
    /* Where the guest stood when the host function was called that made this call. */
    struct store_place place;
    void *jump[5]; /* __builtin_setjmp */
    bool native;
    uint64_t *base; /* of a native one: where it and what it calls may keep values */
};

enum { EXIT_WORDS = 2 };

/* A call between instances puts this under the callee's frame. */
enum { BRIDGE_PC, BRIDGE_FP, BRIDGE_INST, BRIDGE_DEST, BRIDGE_RESULTS, BRIDGE_WORDS };

struct eng_store {
    union {
        struct {
            STORE_PLACE
        };
        struct store_place place; /* all of these */
    };
    uint64_t budget;           /* of the interpreter, whenever it does not run */
    uint32_t trap;             /* enum eng_trap_code of the last run */
    volatile uint32_t interrupted;
    volatile bool guest_runs; /* a fault now is the guest's */
    uint64_t fuel; /* not counting budget */
    struct activation *active;
    uint32_t depth; /* of eng_call */
    uint64_t *stack;
    struct native_bridge no_bridge; /* ends the list of them */
    uint32_t exit_status; /* of the last ENG_TRAP_EXIT */
    int host_error;       /* of the last ENG_TRAP_HOST */
    uint64_t exit_code[EXIT_WORDS]; /* instructions to which calls from outside return */
    uint64_t cross_code[EXIT_WORDS];
    size_t stack_bytes;

    const struct eng_env *env;
    struct eng_store_options options;
    struct pool pool;
    struct trie_node *types; /* of struct store_type */
    struct eng_memory *memories;
    struct eng_table *tables;
    struct eng_instance *instances;
    struct exception *exceptions;
    size_t exception_bytes, exception_limit; /* collected when there are more */
    struct exception *thrown;                /* by the last ENG_TRAP_EXCEPTION */
};

/* The unique type equal to t; NULL on exhaustion. */
const struct store_type *store_type_of(struct eng_store *s, const struct eng_functype *t);

/* 0, or E_NOMEM. Limits as declared, checked by the caller. */
int memory_new(struct eng_store *s, struct eng_limits limits, struct eng_memory **ret);
int table_new(struct eng_store *s, uint8_t type, struct eng_limits limits, struct eng_table **ret);

/* Old size in pages, or UINT32_MAX when it cannot grow. */
uint32_t memory_grow(struct eng_memory *m, uint32_t pages);
/* Old size, or UINT32_MAX; new elements are `value`. */
uint32_t table_grow(struct eng_table *t, uint32_t count, uint64_t value);

/* The instructions that work on ranges. */
enum eng_trap_code memory_fill(struct eng_memory *m, uint32_t d, uint32_t value, uint32_t n);
enum eng_trap_code memory_copy(struct eng_memory *to, struct eng_memory *from, uint32_t d,
                               uint32_t s, uint32_t n);
enum eng_trap_code memory_init(struct eng_instance *inst, uint32_t segment, struct eng_memory *m,
                               uint32_t d, uint32_t s, uint32_t n);
enum eng_trap_code table_fill(struct eng_table *t, uint32_t d, uint64_t value, uint32_t n);
enum eng_trap_code table_copy(struct eng_table *to, struct eng_table *from, uint32_t d, uint32_t s,
                              uint32_t n);
enum eng_trap_code table_init(struct eng_instance *inst, uint32_t segment, struct eng_table *t,
                              uint32_t d, uint32_t s, uint32_t n);

/* Where an instance of m has its parts, in bytes from its start. */
struct instance_layout {
    size_t funcs, imports, types, tables, memories, tags, own_tags, globals, elem_dropped,
        data_dropped, bytes;
};
/* False when it would be too large. */
bool instance_layout(const struct eng_module *m, struct instance_layout *ret);
/* Tells native code about its memory: after linking and whenever it grows. */
void instance_memory(struct eng_instance *inst);

/* Adds a frame to a backtrace. index: in the module's function index space. */
void trap_frame(struct eng_trap *trap, const struct eng_instance *inst, uint32_t index,
                uint32_t offset);

/* Function i of inst's index space. */
struct eng_func *instance_func(struct eng_instance *inst, uint32_t i);
uint64_t constexpr_value(struct eng_instance *inst, const struct constexpr *e);

/* A new exception with the tag's values; NULL on exhaustion. */
struct exception *exception_new(struct eng_store *s, const struct eng_tag *tag,
                                const uint64_t *values);
void exceptions_free(struct eng_store *s);
/* Has the function from place `from` to `end` blocks that catch? */
bool exception_may_catch(const struct eng_module *m, uint32_t from, uint32_t end);
/* What of inst's blocks catches e at place `at` of the function whose blocks end by `end`, and the
 * block; NULL when nothing does. */
const struct module_catch *exception_catch(const struct eng_instance *inst, uint32_t at,
                                           uint32_t end, const struct exception *e,
                                           const struct module_try **ret);
/* Finds who catches e, thrown at s->pc in frame s->fp of s->inst: where to go on, and s->fp and
 * s->inst changed. NULL when nobody does: s->thrown is e, or NULL after an interruption. */
const uint64_t *exception_unwind(struct eng_store *s, struct exception *e);

/* Calls a function of the host or of another tier, whose arguments start at args; results
 * replace them. The caller has stored pc, fp and budget. What is called may have
 * its own activations between top and s->stack_end. */
enum eng_trap_code host_call(struct eng_store *s, struct eng_func *f, uint64_t *args,
                             uint64_t *top);

/* Gives the interpreter a new budget in s->budget. ENG_TRAP_NONE, or the reason
 * to stop. */
enum eng_trap_code store_refill(struct eng_store *s);
/* The reverse: what is left of the budget is fuel again. */
void store_settle(struct eng_store *s);

/* As memory_new for an instance's own memory: what the module relies on. */
static inline bool memory_fits(const struct eng_memory *m, const struct eng_module *module)
{
    return m->block.guarded || !module->unchecked;
}

/* The defined function that holds code word `at`. */
uint32_t module_func_at(const struct eng_module *m, uint32_t at);
/* A word inside of the call that returns to `ret`; code of the store stays as it is. */
const uint64_t *trap_call_site(const struct eng_store *s, uint64_t ret);

/* Fills trap for what stopped the guest at s->pc, s->fp. */
void trap_fill(struct eng_store *s, enum eng_trap_code code, struct eng_trap *trap);

#endif
