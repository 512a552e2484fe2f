/* One function while it is compiled, in one pass over its validated body; private to
 * x64/. README.md has the convention that the code keeps.
 *
 * Invariants:
 * - An i32 in a register, slot or pinned local is zero-extended to 64 bits.
 * - A local is either pinned to one register for the whole function, or in a slot.
 * - At a label every operand below the block is in its home slot or a constant; a single
 *   result is in rax or xmm0, more are in their home slots, and so are parameters.
 * - A value that is `dirty` may be a NaN that arithmetic made, not yet canonical; it is
 *   made so (val_clean) before anybody can see it. Values in slots are clean. Of a v128 dirty
 *   says how its lanes are to be read, and only such arithmetic may take it as it is.
 * - In a function with vectors the home slots have 16 bytes, else 8; X_SCRATCH is free then, and
 *   whatever moves or cleans a value may change it.
 * - refs of a local counts the operands that are G_LOCAL of it. */
#ifndef ENGINE_X64_GEN_H
#define ENGINE_X64_GEN_H

#include "base/err.h"
#include "decode/decode.h"
#include "runtime/native.h"
#include "x64/asm.h"

/* Not part of who calls it, whose registers and frame it would cost all the others. */
#define APART __attribute__((noinline))

/* All through a call from outside: what is left of the budget, memory's start, the instance. */
enum { REG_BUDGET = R13, REG_MEM = R14, REG_INST = R15, NO_REG = 0xff };
enum { XMM_TEMPS = 8 }; /* xmm0 to xmm7; the others are for locals */
enum { X_SCRATCH = 15 }; /* of functions with vectors */

/* Arguments in this order; what does not fit is in the caller's out area. */
enum { ARG_GPRS = 5, ARG_XMMS = 8 };
extern const uint8_t arg_gprs[ARG_GPRS];

enum gval_kind { G_CONST, G_LOCAL, G_REG, G_SLOT };
enum { CLEAN, DIRTY_F32, DIRTY_F64 }; /* scalars: the first two */
struct gval {
    uint8_t type; /* enum eng_valtype */
    uint8_t kind;
    uint8_t reg; /* that it is in, or NO_REG */
    uint8_t dirty;
    uint32_t at; /* of G_LOCAL the local, of G_SLOT the operand whose home it is in */
    uint64_t bits; /* of G_CONST; of a v128 the address of its 16 bytes in the module */
};
enum { VAL_HEAD = 4 }; /* bytes of type, kind, reg, dirty */

enum { SLOT_NONE = UINT32_MAX };
struct glocal {
    uint32_t weight; /* uses, each times 8 for every loop around it; 0: never used */
    uint32_t slot;   /* or SLOT_NONE */
    uint32_t refs;
    /* As operands that are the local begin. */
    uint8_t type;
    uint8_t kind;  /* G_LOCAL */
    uint8_t reg;   /* or NO_REG */
    uint8_t dirty; /* in a register, and only arithmetic set it: not yet canonical */
};

_Static_assert(offsetof(struct glocal, dirty) - offsetof(struct glocal, type) ==
                   offsetof(struct gval, dirty) - offsetof(struct gval, type),
               "a local's head is an operand's");

enum glabel_kind { GL_FUNC, GL_BLOCK, GL_LOOP, GL_IF, GL_ELSE, GL_TRY };
struct glabel {
    uint8_t kind;
    uint32_t height; /* operands below its parameters */
    const uint8_t *params, *results;
    uint32_t param_count, result_count;
    uint32_t code;     /* of a loop: where branches go */
    uint32_t fixups;   /* displacements of branches to its end, each linked to the next; 0 none */
    uint32_t else_fix; /* likewise, of those of an `if` to its other side */
    uint32_t table_fixes; /* entries of tables that lead to its end; index of a fix-up, 0 none */
    uint32_t table_stub; /* fix-ups of the present br_table that need moves */
    uint32_t table_next, table_number;
    uint32_t clauses, from; /* of a try_table: its first in native_gen.clauses; where it begins */
};

/* What a try_table catches, until its end. */
struct gclause {
    uint32_t kind, tag; /* enum catch_kind */
    uint32_t label;     /* that it leads to: place in labels */
};

/* An entry of a table that waits for a label: target - base goes to `at`. */
struct gfix {
    uint32_t at, base, next;
};

/* Code out of line, made at a function's end. */
enum gstub_kind { STUB_TRAP, STUB_TRAP_EAX, STUB_REFILL, STUB_FAR, STUB_BACK, STUB_NAN, STUB_NANS,
                  STUB_TRUNC, STUB_TRUNC64, STUB_TAIL };
struct gstub {
    uint8_t kind, arg, reg; /* arg: trap code, whether f64, or how dirty */
    uint32_t from;          /* displacement of the branch to it */
    uint32_t back;          /* where it returns to */
    uint32_t offset;        /* in the module */
    uint32_t type;          /* of STUB_FAR, STUB_TAIL */
};

/* A constant in the code behind the function. */
struct gconst {
    uint64_t bits;
    uint32_t from;
};
/* One of 16 bytes; the displacements that lead to it are linked. */
struct gwide {
    uint64_t low, high;
    uint32_t from;
};

/* Code that a function has several times. */
struct gpiece {
    uint32_t from, bytes; /* 0: not made yet */
};

/* Fixed places at the start of a module's code. */
struct gentries {
    uint32_t consts; /* enum below, 16 bytes each */
    uint32_t trap;   /* called with eax: reason. Jumped to where a function begins: the
                        call trapped */
    uint32_t stack;  /* jumped to when a function has no room: the call trapped */
    uint32_t refill; /* called; keeps all registers */
    uint32_t call_c; /* called; rax: C function; rsi rdx rcx: its arguments behind the instance */
    uint32_t back;   /* called when another instance returned; rdx: that to go back to */
    uint32_t raise;  /* called; rax: C function; rsi rdx: its arguments behind the instance */
    uint32_t exit;   /* jumped to: back to the host */
};
enum { K_ABS64, K_SIGN64, K_ABS32, K_SIGN32, K_NAN64, K_NAN32, K_MIN63_64, K_MIN63_32, K_COUNT };

/* A displacement that leads out of the part: what to is, the list says. */
struct gsite {
    uint32_t at, to;
};

/* What is called from code: with (instance, operands, x, y). */
typedef uint64_t (*native_helper)(struct eng_instance *inst, uint64_t *operands, uint64_t x,
                                  uint64_t y);
enum helper {
    H_REFILL, H_HOST_CALL, H_MEMORY_GROW, H_MEMORY_FILL, H_MEMORY_COPY, H_MEMORY_INIT,
    H_DATA_DROP, H_TABLE_GROW, H_TABLE_FILL, H_TABLE_COPY, H_TABLE_INIT, H_CONVERT,
    H_THROW, H_THROW_REF, H_RETHROW, H_COUNT
};
/* Through the entry `raise`, whose saved registers y is: unwind.c. Answer where to go on, or with
 * the code of a trap. */
uint64_t h_throw(struct eng_instance *inst, uint64_t *operands, uint64_t tag, uint64_t y);
uint64_t h_throw_ref(struct eng_instance *inst, uint64_t *ref, uint64_t x, uint64_t y);
uint64_t h_rethrow(struct eng_instance *inst, uint64_t *operands, uint64_t x, uint64_t y);
extern const native_helper native_helpers[H_COUNT];

struct native_gen {
    struct assembler a;
    size_t code_most; /* bytes of code that the part may become */
    size_t code_first; /* where it begins */
    const struct eng_module *m;
    const struct eng_env *env;

    /* The same for all parts of a module, made with the first. */
    struct native *n; /* of its funcs each part has its own, and the rest is not there yet */
    bool bmi2, avx, checking, hardened, first_part;
    struct instance_layout layout;
    uint32_t *type_out; /* by type: bytes of arguments and results that are in memory */
    uint32_t *ways_out; /* by type: the adapter to other instances and the host; 0 none */

    /* Of the part. */
    uint32_t first, func_count; /* defined functions */
    struct gentries entries;
    uint32_t *call_sites; /* by function: displacements of calls that wait for it, linked */
    uint32_t call_site_capacity;

    /* Of all parts that it has compiled; positions are places in this memory, and of parts that are
     * laid in what it was then. */
    struct native_part *waiting, *waiting_last; /* to be laid, in order */
    struct assembler own; /* this memory, while `in_place`: the part is made where it will stay */
    bool in_place;
    struct gsite *calls;  /* of functions of other parts */
    uint32_t call_count, call_capacity;
    struct gsite *fars; /* to the way out for a type */
    uint32_t far_count, far_capacity;
    uint8_t *map; /* of native */
    uint32_t map_bytes, map_capacity;

    /* The body. */
    const uint8_t *p, *end;
    const uint8_t *at; /* instruction that is being compiled */
    const uint8_t *ahead; /* of body_peek() */
    const uint8_t *bytes; /* of the module */
    const struct eng_functype *type;
    uint32_t index; /* of defined functions */
    const uint8_t *local_types;
    uint32_t local_count;
    struct glocal *locals;
    uint32_t local_capacity;
    struct native_scan scan;

    struct gval *vals;
    uint32_t count, val_capacity;
    uint8_t *room; /* of code, up to where there is room for any instruction; its start when there is
                    * none, or something failed */
    uint8_t *limit; /* the same, or code's start when there is something else to see to before the
                     * next instruction */
    uint32_t flushed; /* operands below are in slots or constants */
    struct glabel *labels;
    uint32_t label_count, label_capacity;
    struct gclause *clauses;
    uint32_t clause_count, clause_capacity;
    struct module_try *tries; /* of its parts so far */
    uint32_t try_count, try_capacity;
    struct module_catch *catches;
    uint32_t catch_count, catch_capacity;
    struct gfix *fixes;
    uint32_t fix_count, fix_capacity;
    struct gstub *stubs;
    uint32_t stub_count, stub_capacity;
    struct gconst *consts;
    uint32_t const_count, const_capacity;
    struct gwide *wides;
    uint32_t wide_count, wide_capacity;

    uint32_t gpr_free, xmm_free; /* temporaries that hold nothing */
    uint32_t gpr_temps;          /* all of this function */
    uint32_t gpr_owner[16], xmm_owner[16]; /* operand, or SLOT_NONE while held */
    uint32_t gpr_saved; /* callee-saved that the prologue saved */
    uint32_t gpr_volatile, xmm_volatile; /* pinned, saved around calls */
    uint32_t volatile_local[32]; /* by register, xmm from 16 */
    struct gpiece saves, reloads; /* of these, around calls */
    uint32_t out_bytes, value_base, frame_bytes, frame_total;
    uint32_t map_pos, map_offset;
    uint32_t table_number;
    uint32_t calls_weight;
    bool has_calls, has_far, dead;
    bool vectors;       /* some value of this function is a v128 */
    uint8_t home_shift; /* of a home slot's size */
    bool has_tails, has_bridge; /* calls that end it; such that may need a bridge */
    uint32_t tail_bytes;        /* most bytes that those within the module need */
    bool four_temps; /* some instruction needs that many; three do otherwise */
    int error;
};

/* --- memory: gen.c -------------------------------------------------------------- */

/* Makes room for that many bytes of code. False with g->error. */
bool gen_more_room(struct native_gen *g, size_t bytes);
/* Frees an array, and forgets it. */
void gen_give(const struct native_gen *g, void **items, uint32_t *capacity, size_t size);
/* For any instruction, whatever the operands, and for the way to one label. */
bool gen_op_room(struct native_gen *g);
static inline bool gen_room(struct native_gen *g, size_t bytes)
{
    return (size_t)(g->a.end - g->a.p) >= bytes ? !g->error : gen_more_room(g, bytes);
}
/* What an instruction may need has changed: sets room and limit. */
void gen_set_limit(struct native_gen *g);
/* The next instruction is not to be compiled as it comes: the code behind is dead, there is none, or
 * something failed. */
static inline void gen_pause(struct native_gen *g)
{
    g->limit = g->a.start;
}
/* Code can reach the next instruction again. */
static inline void gen_resume(struct native_gen *g)
{
    g->dead = false;
    g->limit = g->room;
}
static inline void gen_fail(struct native_gen *g, int error)
{
    g->error = error;
    g->room = g->a.start;
    gen_pause(g);
}
bool gen_grow_more(struct native_gen *g, void **items, uint32_t *capacity, size_t need, size_t size);
static inline bool gen_grow(struct native_gen *g, void **items, uint32_t *capacity, size_t need,
                            size_t size)
{
    return need <= *capacity || gen_grow_more(g, items, capacity, need, size);
}
/* Records that the code before the present position (of a call) or at pos comes from
 * the module's offset. far: a call that may leave the instance. */
void gen_place_any(struct native_gen *g, uint32_t pos, uint32_t offset, bool far);
enum { PLACE_MAX = 16 }; /* bytes of a place in the map, whose form is in run.c */
static inline void gen_place(struct native_gen *g, uint32_t pos, uint32_t offset, bool far)
{
    uint32_t code = pos - g->map_pos, ahead = offset - g->map_offset, bytes = g->map_bytes;
    if ((code >> 7 | ahead >> 5) || bytes + PLACE_MAX > g->map_capacity) {
        gen_place_any(g, pos, offset, far);
        return;
    }
    g->map_bytes = bytes + 2;
    uint8_t *to = g->map + bytes;
    to[0] = (uint8_t)code;
    to[1] = (uint8_t)(ahead << 2 | far);
    g->map_pos = pos;
    g->map_offset = offset;
}
/* Makes room for one more. */
bool gen_more_stubs(struct native_gen *g);
static inline void gen_stub(struct native_gen *g, struct gstub stub)
{
    if (g->stub_count < g->stub_capacity || gen_more_stubs(g))
        g->stubs[g->stub_count++] = stub;
}
static inline uint32_t gen_offset(const struct native_gen *g)
{
    return (uint32_t)(g->at - g->bytes);
}
/* Traps with `code` when the condition holds. */
static inline void gen_trap_if(struct native_gen *g, unsigned cond, enum eng_trap_code code)
{
    uint32_t from = asm_jcc(&g->a, cond, 0);
    gen_stub(g, (struct gstub){ STUB_TRAP, (uint8_t)code, 0, from, 0, gen_offset(g), 0 });
}
/* op reg, [constant]; k of the fixed ones. */
void gen_op_fixed(struct native_gen *g, uint32_t op, unsigned reg, unsigned k);
/* op reg, [constant bits] behind the function. */
void gen_op_const(struct native_gen *g, uint32_t op, unsigned reg, uint64_t bits);
/* The displacement at `at`, with which an instruction ends, is to lead to those 16 bytes. */
void gen_wide(struct native_gen *g, uint32_t at, uint64_t low, uint64_t high);

/* In the alignment of a memory access: the number of a memory follows. */
enum { MEMARG_HAS_INDEX = 64 };

/* --- reading --------------------------------------------------------------------- */

uint64_t body_leb_slow(const uint8_t **p, bool is_signed);
static inline uint32_t body_u32(const uint8_t **p)
{
    if (**p < 0x80)
        return *(*p)++;
    return (uint32_t)body_leb_slow(p, false);
}
static inline int64_t body_s64(const uint8_t **p)
{
    if (**p < 0x80)
        return (int64_t)(*(*p)++ ^ 0x40) - 0x40;
    return (int64_t)body_leb_slow(p, true);
}
/* The number at p, which is read again when it is its turn; g->ahead is behind it. Not by way of a
 * local variable's address, which would cost its function more than this. */
static inline uint32_t body_peek(struct native_gen *g, const uint8_t *p)
{
    g->ahead = p;
    return body_u32(&g->ahead);
}
/* A value type as code handles it: every reference to a function is a funcref. */
uint8_t body_type(const uint8_t **p);
/* Steps over the immediates of the instruction whose opcode was read. */
void body_skip(const uint8_t **p, uint8_t opcode);
/* What this CPU can; false when that is too little. */
bool gen_cpu(struct native_gen *g);
/* Chooses where locals live and how large the frame is. */
void prescan(struct native_gen *g, const struct native_body *body);

/* --- types ----------------------------------------------------------------------- */

/* Is it in xmm registers? Floats and vectors are. */
static inline bool is_float(uint8_t type)
{
    return (uint8_t)(type - ENG_V128) <= ENG_F32 - ENG_V128;
}
static inline bool is_wide(uint8_t type)
{
    return type != ENG_I32 && type != ENG_F32;
}
static inline uint32_t wide_flag(uint8_t type)
{
    return is_wide(type) ? X64_WIDE : 0;
}
/* Words of 8 bytes in arrays and out areas. */
static inline uint32_t type_words(uint8_t type)
{
    return 1 + (type == ENG_V128);
}
static inline uint32_t xmm_load_op(uint8_t type)
{
    return type == ENG_F64 ? OP_MOVSD : type == ENG_F32 ? OP_MOVSS : OP_MOVUPS;
}
static inline uint32_t xmm_store_op(uint8_t type)
{
    return type == ENG_F64 ? OP_MOVSD_STORE : type == ENG_F32 ? OP_MOVSS_STORE : OP_MOVUPS_STORE;
}
/* Bytes of arguments and results of calls of type t that are in memory. */
uint32_t type_out_bytes(const struct eng_functype *t);

/* --- instructions -------------------------------------------------------------------- */

void gen_local_set(struct native_gen *g, uint32_t x, bool tee);
void gen_global_get(struct native_gen *g, uint32_t x);
void gen_global_set(struct native_gen *g, uint32_t x);
/* numeric.c */
void gen_numeric(struct native_gen *g, uint8_t opcode);
void gen_conversion(struct native_gen *g, uint8_t opcode);
/* simd.c: prefix 0xfd. */
void gen_simd(struct native_gen *g);
/* Steps over what follows 0xfd. */
void simd_skip(const uint8_t **p);
/* As canonical() in prescan.c, of what is at p behind 0xfd. */
uint8_t simd_canonical(const uint8_t *p);
/* What the top operand and a number that is not pushed, the next instruction's second operand, come to: an
 * integer operation whose opcode is at g->p. False when that is better done with the number pushed. */
bool gen_numeric_const(struct native_gen *g, uint64_t bits);
bool gen_compare_const(struct native_gen *g, uint64_t bits); /* compare.c */
void gen_shift_const(struct native_gen *g, uint64_t bits);
/* float.c */
void gen_float(struct native_gen *g, uint8_t opcode);
/* Saturating conversion, 0xfc `which`. */
void gen_saturate(struct native_gen *g, uint32_t which);
/* compare.c */
/* i32.and whose result is only tested; false when it is not. */
bool gen_test(struct native_gen *g);
void gen_compare(struct native_gen *g, uint8_t opcode);
void gen_select(struct native_gen *g);
/* For an instruction whose i32 result is a condition of flags. Its operands have been popped and
 * no flags set yet: who takes the result? Then, with flags set: he does. */
enum cond_use { USE_VALUE, USE_BRANCH, USE_IF, USE_SELECT };
enum cond_use cond_ahead(struct native_gen *g);
void cond_done(struct native_gen *g, enum cond_use use, unsigned cond);
/* Conditions beyond the CPU's: equality of floats. */
enum { CC_FEQ = 16, CC_FNE = 17 };
/* The top operand as a condition of the flags just set: not zero. */
unsigned cond_pop(struct native_gen *g);
/* The same of an operand that has been popped. */
unsigned cond_of(struct native_gen *g, struct gval *v);
/* memory.c */
struct memarg {
    uint32_t memory, offset;
};
struct memarg body_memarg(const uint8_t **p);
void gen_load(struct native_gen *g, uint8_t opcode);
void gen_store(struct native_gen *g, uint8_t opcode);
/* Where an access of a width (as a power of two) goes, checked; what it needs is held in *at, an
 * operand that was popped. mem_place() comes right before the instruction. */
struct x64_mem mem_address_any(struct native_gen *g, struct gval *at, struct memarg to,
                               unsigned width);
static inline struct x64_mem mem_address(struct native_gen *g, struct gval *at, struct memarg to,
                                         unsigned width)
{
    if (at->reg != NO_REG && !to.memory && to.offset <= INT32_MAX && !g->checking)
        return mem_index(REG_MEM, at->reg, 0, (int32_t)to.offset);
    return mem_address_any(g, at, to, width);
}
void mem_place(struct native_gen *g);
void gen_memory_size(struct native_gen *g);
void gen_memory_grow(struct native_gen *g);
void table_function(struct native_gen *g, uint32_t table, unsigned i);
void gen_table_get(struct native_gen *g);
void gen_table_set(struct native_gen *g);
void gen_bulk(struct native_gen *g);
void gen_ref_func(struct native_gen *g);
/* control.c */
void gen_block(struct native_gen *g, enum glabel_kind kind);
/* `if` on flags that are set; everything has been flushed. */
void gen_if_cond(struct native_gen *g, unsigned cond);
void gen_else(struct native_gen *g);
void gen_end(struct native_gen *g);
void gen_br(struct native_gen *g, uint32_t depth);
void gen_br_if(struct native_gen *g, uint32_t depth);
void gen_br_if_cond(struct native_gen *g, uint32_t depth, unsigned cond);
void gen_br_table(struct native_gen *g);
void gen_return(struct native_gen *g);
void gen_unreachable(struct native_gen *g);
/* Branches to l, or returns, with its values. */
void gen_leave(struct native_gen *g, struct glabel *l);
/* What follows cannot be reached. */
void gen_end_path(struct native_gen *g);
static inline struct glabel *label_at(struct native_gen *g, uint32_t depth)
{
    return &g->labels[g->label_count - 1 - depth];
}
static inline uint32_t label_arity(const struct glabel *l)
{
    return l->kind == GL_LOOP ? l->param_count : l->result_count;
}
/* calls.c */
void gen_call(struct native_gen *g, uint32_t index);
void gen_call_indirect(struct native_gen *g);
/* Calls a C helper on the top n operands; its answer is in rax, held. result_slots
 * operands are then where they were. */
void call_helper(struct native_gen *g, enum helper h, uint32_t n, uint32_t x, uint32_t y);
/* Pops the operands that are the arguments of a call of type t and puts them where the callee
 * expects them. No other operand is in a temporary but what is held or needed no more. */
void place_args(struct native_gen *g, const struct eng_functype *t);
/* Element `index` of a table, checked to be a function of that type, into rax, which is held. A
 * unit of fuel is spent first. */
void callee_indirect(struct native_gen *g, uint32_t table, uint32_t type, struct gval *index);
/* The displacement at `at` leads to defined function i, once that is known. */
void gen_link_call(struct native_gen *g, uint32_t i, uint32_t at);
void gen_prologue(struct native_gen *g);
/* Registers and stack as they were when the function was entered. */
void gen_leave_frame(struct native_gen *g);
void gen_restore_saved(struct native_gen *g); /* of that, the last part: from rsp */
void gen_epilogue(struct native_gen *g);
/* Pinned locals that calls do not keep, before and after one. */
void gen_save_locals(struct native_gen *g);
void gen_reload_locals(struct native_gen *g);
/* try.c */
void gen_clauses(struct native_gen *g, struct glabel *l);
void gen_try_end(struct native_gen *g, struct glabel *l);
void gen_throw(struct native_gen *g);
void gen_throw_ref(struct native_gen *g);
/* tail.c */
void gen_return_call(struct native_gen *g, uint32_t index);
void gen_return_call_indirect(struct native_gen *g);
void gen_tail_stub(struct native_gen *g, uint32_t type, uint32_t offset);
/* A unit of fuel; out of line when there is none. */
void gen_spend(struct native_gen *g, uint32_t offset);
/* stubs.c */
void gen_entries(struct native_gen *g);
/* To a function in rax that may be of another instance or the host's; its place. */
void gen_call_far(struct native_gen *g, uint32_t type, uint32_t offset);
/* Makes the instance in `to` the running one. */
void gen_switch_instance(struct native_gen *g, unsigned to, unsigned scratch);
void gen_out_of_line(struct native_gen *g);
/* Ways in for the types of defined functions, and out for those in ways_out, which then says where
 * they are. */
void gen_adapters(struct native_gen *g);

#include "x64/values.h"

#endif
