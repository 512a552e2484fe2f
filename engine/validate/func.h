/* One function body while it is checked and compiled; private to validate/.
 *
 * Checking keeps the specification's two stacks: of values (with types) and of
 * labels. Emission piggybacks on the same entries: a value also says where it is,
 * so that local.get, constants and moves cost nothing until somebody needs them.
 *
 * Invariants:
 * - a v128 is two values, of types ENG_V128 and V128_HIGH and of one kind: the stacks
 *   count slots.
 * - value i, when its kind is V_SLOT, is in slot base + i (its home).
 * - while `dead` nothing is emitted; values then may be anything.
 * - at a label's code every value that is not a constant is at home, and the
 *   accumulators are unknown.
 * - refs[x] counts the values that are V_LOCAL x; lazy is the sum. */
#ifndef ENGINE_VALIDATE_FUNC_H
#define ENGINE_VALIDATE_FUNC_H

#include "decode/decode.h"
#include "interp/interp.h"

enum value_kind { V_SLOT, V_LOCAL, V_CONST };

struct value {
    uint8_t type; /* enum eng_valtype; 0 unknown, in dead code only */
    uint8_t kind;
    uint16_t local;
    uint64_t bits; /* of V_CONST */
};

enum label_kind { L_FUNC, L_BLOCK, L_LOOP, L_IF, L_ELSE, L_TRY };

struct label {
    uint8_t kind;
    bool unreachable;  /* the rest of the block, up to its end or else */
    bool dead_outside; /* dead at its start */
    uint32_t height;   /* values below the block's parameters */
    const uint8_t *params, *results;
    uint32_t param_count, result_count;
    uint32_t code;      /* of a loop */
    uint32_t patches;   /* site of the last branch to its end, 0 none */
    uint32_t else_site; /* branch of an if that waits for its else or end, 0 none */
    uint32_t table;     /* number of the last br_table that looked at it */
    uint32_t stub_patches, stub_next;
    uint32_t clauses; /* of a try_table: its first in compiler clauses, which it ends */
};

/* What a try_table catches, until its end. */
struct clause {
    uint32_t kind, tag; /* enum catch_kind */
    uint32_t label;     /* that it leads to: place in labels */
};

/* The accumulator of a class and what it mirrors. */
struct acc {
    uint32_t slot; /* NO_SLOT: nothing known */
    uint32_t pos;  /* instruction that wrote both */
    uint16_t op;   /* of it */
    bool has_a;    /* op + 1 writes the accumulator alone */
    bool has_d;    /* the slot may be changed in the instruction */
};

enum acc_class { ACC_INT, ACC_F32, ACC_F64, ACC_CLASSES };
enum { NO_SLOT = UINT32_MAX, NO_OP = UINT16_MAX, LAZY_MAX = 32, EMIT_RESERVE = 256 };

/* For quick.c, of a numeric instruction: operands (0: none of its), the result's type, and what the
 * two upmost types masked are. Of one that accesses memory count is one more than its alignment may
 * be. */
struct quick_row {
    uint8_t count, out, is_i32_binary;
    uint16_t mask, in;
};
enum { QUICK_BELOW = 4, QUICK_VALUES = 252 };

struct compiler {
    struct loader *l;
    struct eng_module *m;
    const uint64_t *handlers;
    struct native_gen *native; /* validation only: dead from start to end; or NULL */
    struct native_scan *scan;  /* of native */
    struct quick_row quick[256];
    uint8_t quick_types[QUICK_BELOW + QUICK_VALUES]; /* of the innermost block, above zeros */
    /* The last instruction whose result may be arithmetic's, for quick.c, and what is behind it. */
    const uint8_t *made, *made_end;

    /* Grown through the env, kept from function to function. */
    struct value *values;
    uint32_t value_count, value_capacity;
    struct label *labels;
    uint32_t label_count, label_capacity;
    uint64_t *code;
    uint32_t code_count, code_capacity;
    uint8_t *map;
    uint32_t map_count, map_capacity;
    struct clause *clauses;
    uint32_t clause_count, clause_capacity;
    struct module_try *tries;
    uint32_t try_count, try_capacity;
    struct module_catch *catches;
    uint32_t catch_count, catch_capacity;
    uint32_t *call_sites; /* per defined function: last call of it, 0 none */
    uint8_t *local_types; /* ENG_MAX_LOCALS */
    uint8_t *refs;        /* likewise */
    uint16_t *local_slots; /* of the locals by number, when local_names < local_count */

    const struct eng_functype *type; /* of slots */
    uint32_t local_count;            /* slots of locals, parameters included */
    uint32_t local_names, param_names; /* how many locals, parameters these are */
    uint32_t base; /* slot of value 0 */
    uint32_t max_height;
    uint32_t lazy;
    uint32_t map_pos, map_offset; /* last recorded */
    uint32_t last;                /* position of the last instruction, when last_op is one */
    uint16_t last_op;             /* NO_OP after a label */
    bool dead;
    bool vectors; /* there was an operand of type v128 */
    struct acc acc[ACC_CLASSES];
    struct acc acc_before[ACC_CLASSES]; /* before the last result of the class */
    uint32_t before_last; /* likewise of the instruction before it */
    uint16_t before_last_op;
    uint32_t table_number;
    uint32_t memory; /* that the instruction at hand accesses */
    uint32_t wide_pos; /* instruction whose result, a v128, may still go elsewhere; 0 none */
};

/* 0 i32, 1 i64 and references, 2 f32, 3 f64. */
static inline unsigned type_index(uint8_t type)
{
    return type < ENG_F64 || type > ENG_I32 ? 1 : ENG_I32 - type;
}

static inline enum acc_class type_class(uint8_t type)
{
    return type == ENG_F32 ? ACC_F32 : type == ENG_F64 ? ACC_F64 : ACC_INT;
}

/* --- checking: check.c --------------------------------------------------------- */

int fail_at(struct compiler *c, const uint8_t *at, const char *message);
int push(struct compiler *c, uint8_t type); /* one slot, at home */
int push_type(struct compiler *c, uint8_t type); /* all slots of a value */
int push_all(struct compiler *c, const uint8_t *types, uint32_t count);
/* Does the top value have this type? It stays. Fails with "type mismatch". */
int check_top(struct compiler *c, uint8_t type);
/* The top `count` values; in dead code missing ones are made up. */
int check_tops(struct compiler *c, const uint8_t *types, uint32_t count);
/* Removes the top value, whatever it is; its place remains readable. */
struct value *pop_any(struct compiler *c);
int pop(struct compiler *c, uint8_t type);
int pop_all(struct compiler *c, const uint8_t *types, uint32_t count);
/* The rest of the block cannot be reached. */
void set_unreachable(struct compiler *c);

/* --- emission: emit.c, moves.c, branch.c ----------------------------------------- */

int emit_grow(struct compiler *c, size_t words);
/* Records that the instruction at pos comes from the module's offset. */
int emit_offset(struct compiler *c, uint32_t pos, const uint8_t *at);
/* Drops the last instruction; what it mirrored is unknown afterwards. */
void emit_undo(struct compiler *c);
/* Drops the last instruction, which made the value that the class's accumulator mirrors, and
 * knows again what that was before. */
void emit_undo_result(struct compiler *c, enum acc_class k);
void forget_slot(struct compiler *c, uint32_t slot);
void forget_all(struct compiler *c);
/* No instruction before this place may be merged with one after it. */
void emit_label(struct compiler *c);

static inline int emit_room(struct compiler *c, size_t words)
{
    return c->code_count + words <= c->code_capacity ? 0 : emit_grow(c, words);
}

static inline uint64_t operands(uint32_t a, uint32_t d, uint32_t b, uint32_t e)
{
    return a | (uint64_t)d << 16 | (uint64_t)b << 32 | (uint64_t)e << 48;
}
static inline uint64_t operands_imm(uint32_t a, uint32_t d, uint32_t imm)
{
    return a | (uint64_t)d << 16 | (uint64_t)imm << 32;
}
static inline uint32_t home(const struct compiler *c, const struct value *v)
{
    return c->base + (uint32_t)(v - c->values);
}

/* Uses v from the accumulator: its producer need not store it. */
void claim(struct compiler *c, const struct value *v);
/* A slot that holds v; constants are put into their home. */
uint32_t slot_of(struct compiler *c, struct value *v);
/* Puts the value at the top minus `depth` into its home. */
void settle(struct compiler *c, struct value *v);
int settle_top(struct compiler *c, uint32_t count);
/* Puts all that refers to locals into its home. */
void settle_locals(struct compiler *c);
/* A result of type in the home of the new top, written by the last instruction at pos. */
int push_result(struct compiler *c, uint8_t type, uint32_t pos, unsigned op, bool has_a);
/* Puts v, which was popped, into slot, which is not among the values. */
void emit_copy(struct compiler *c, uint32_t from, uint32_t slot, uint8_t type);
void move_to(struct compiler *c, struct value *v, uint32_t slot);
/* Before local x changes: values that are its old content go home. */
void preserve(struct compiler *c, uint32_t x);
int local_get(struct compiler *c, uint32_t x);
int local_set(struct compiler *c, uint32_t x, bool tee);

/* --- what happens at every instruction ----------------------------------------------- */

static inline void emit_word(struct compiler *c, uint64_t word)
{
    base_paranoid(c->code_count < c->code_capacity);
    c->code[c->code_count++] = word;
}

/* Appends an instruction; its position. Room has been made. */
uint32_t emit(struct compiler *c, unsigned op, uint64_t operand_word);

static inline void unref(struct compiler *c, const struct value *v)
{
    if (v->kind != V_LOCAL)
        return;
    c->refs[v->local]--;
    c->lazy--;
}

static inline uint32_t place(const struct compiler *c, const struct value *v)
{
    return v->kind == V_LOCAL ? v->local : home(c, v);
}

/* Is v, which was popped and is used once, in the accumulator of its class? */
bool in_acc(const struct compiler *c, const struct value *v);

/* Did the last instruction make v, in its home? */
bool made_last(const struct compiler *c, const struct value *v);

/* Numeric instructions: numeric.c. `in` and `out` are types. */
int emit_binary(struct compiler *c, unsigned op, uint8_t type, bool commutes);
/* plain: the operation has one form, slots to slot. */
int emit_unary(struct compiler *c, unsigned op, uint8_t in, uint8_t out, bool plain);
int emit_plain(struct compiler *c, unsigned op, uint8_t type);
int emit_compare(struct compiler *c, unsigned index, uint8_t type);
int emit_eqz(struct compiler *c, uint8_t type);

/* Two operations in one: fuse.c. False when there is no such pair; *ret as usual. a and b
 * were popped; op is the first form of a binary operation. */
bool fuse_binary(struct compiler *c, unsigned op, uint8_t type, struct value *a, struct value *b,
                 int *ret);
/* The last instruction increments a local and branch k tests it: one instruction, its site. */
struct condition;
bool fuse_count(struct compiler *c, const struct condition *k, unsigned index, uint32_t *ret_site);
/* The last two instructions add numbers to slots: one instruction. */
void fuse_increments(struct compiler *c);
/* The last instruction loaded what branch k tests: one instruction, its site. */
bool fuse_load_branch(struct compiler *c, const struct condition *k, unsigned index, bool back,
                      uint32_t *ret_site);
/* The last instruction masked what branch k tests: one instruction, its site. */
bool fuse_mask_branch(struct compiler *c, const struct condition *k, unsigned index, bool back,
                      uint32_t *ret_site);
/* Was the last instruction x = (a << n) + b of slots? */
bool fused_scaled_sum(const struct compiler *c, uint32_t *a, uint32_t *b, uint32_t *shift);

/* A comparison as the emitter left it, or an `and`. index: of the branch family. */
struct condition {
    unsigned type, index, form;
    uint32_t a, b;
    uint64_t imm;
};

/* Memory: memory.c. The operation's first guarded and first checking form. */
struct access {
    uint16_t guarded, checking;
    uint8_t type, align;
};
/* The alignment, offset and memory of the instruction at `at`. */
struct memarg {
    uint32_t offset, memory;
};
int read_memarg(struct compiler *c, uint32_t align_max, struct memarg *ret, const uint8_t *at);
int read_memory_index(struct compiler *c, uint32_t *ret);
/* Before and after an access: makes the memory the one that accesses go to, and the first one
 * again. Does accesses' code rely on guard pages in between? */
void memory_enter(struct compiler *c, uint32_t memory);
void memory_leave(struct compiler *c);
static inline bool unchecked(const struct compiler *c)
{
    return c->m->unchecked && !c->memory;
}
int emit_load(struct compiler *c, const struct access *x, uint32_t offset, const uint8_t *at);
int emit_store(struct compiler *c, const struct access *x, uint32_t offset, const uint8_t *at);

/* Branches: branch.c. cond was popped. */
/* A branch taken when (cond != 0) == sense, to be patched; its site. */
uint32_t emit_branch_if(struct compiler *c, struct value *cond, bool sense, bool back);
void patch_site(struct compiler *c, uint32_t site, uint32_t target);
void patch_list(struct compiler *c, uint32_t site, uint32_t target);
/* Leads the branch at site to label `to`, now or when its end is known. */
void link_site(struct compiler *c, uint32_t site, struct label *to);
int emit_br(struct compiler *c, struct label *to);
int emit_br_if(struct compiler *c, struct value *cond, struct label *to);
int emit_return(struct compiler *c);
/* The values that a branch to l takes along. */
static inline uint32_t label_arity(const struct label *l)
{
    return l->kind == L_LOOP ? l->param_count : l->result_count;
}
static inline const uint8_t *label_types(const struct label *l)
{
    return l->kind == L_LOOP ? l->params : l->results;
}
/* Must values move when a branch to l is taken? They do not when they are at the
 * right height already. */
bool label_moves(const struct compiler *c, const struct label *l);
/* Moves them (all are at home), or returns, and branches. */
void emit_leave(struct compiler *c, struct label *to);
/* The numeric instructions' table: opcodes.c. False when there is none. */
bool op_numeric(struct compiler *c, unsigned opcode, int *ret);
bool op_saturating(struct compiler *c, unsigned opcode, int *ret);

/* Control instructions: control.c, calls.c */
/* As many types in a as in b, each usable as that of b? */
bool types_match(const struct compiler *c, const uint8_t *a, uint32_t n, const uint8_t *b,
                 uint32_t m);
static inline bool is_reference(uint8_t type)
{
    return type == ENG_FUNCREF || type == ENG_EXTERNREF || type == ENG_EXNREF || type_is_fine(type);
}
int op_block(struct compiler *c, enum label_kind kind);
int op_else(struct compiler *c, const uint8_t *at);
int op_end(struct compiler *c, const uint8_t *at);
int op_br(struct compiler *c);
int op_br_if(struct compiler *c);
int op_br_table(struct compiler *c);
int op_return(struct compiler *c);
int op_call(struct compiler *c, const uint8_t *at);
int op_call_indirect(struct compiler *c, const uint8_t *at);
/* Exceptions: try.c */
int op_try_table(struct compiler *c);
int op_throw(struct compiler *c, const uint8_t *at);
int op_throw_ref(struct compiler *c, const uint8_t *at);
/* The code of a try_table's clauses, behind its body. */
int try_end(struct compiler *c, struct label *l);
int read_clauses(struct compiler *c);
int op_return_call(struct compiler *c, const uint8_t *at);
int op_return_call_indirect(struct compiler *c, const uint8_t *at);
int op_select(struct compiler *c, uint8_t type);
/* Instructions with the prefix 0xfc beyond conversions, and table.get/set: bulk.c */
int op_bulk(struct compiler *c, unsigned opcode, const uint8_t *at);
int op_table_get(struct compiler *c, const uint8_t *at);
int op_table_set(struct compiler *c, const uint8_t *at);
/* A result that only r0 may mirror. */
int push_opaque(struct compiler *c, uint8_t type, uint32_t pos, unsigned op);
/* Instructions with the prefix 0xfd, and what others do with a v128: simd.c; without SIMD
 * they are refused, in simd_names.c. */
int op_simd(struct compiler *c, const uint8_t *at);
enum { SIMD_RELAXED_FIRST = 0x100, SIMD_RELAXED_LAST = 0x113 }; /* never supported */
int op_select_v128(struct compiler *c);
int v128_global_get(struct compiler *c, uint32_t x);
int v128_global_set(struct compiler *c, uint32_t x);
int v128_local_get(struct compiler *c, uint32_t x);
int v128_local_set(struct compiler *c, uint32_t x, bool tee);
void v128_copy(struct compiler *c, uint32_t from, uint32_t slot);
/* Both slots of a constant or local into slot and the next. */
void v128_to(struct compiler *c, const struct value *v, uint32_t slot);
int op_unreachable(struct compiler *c, const uint8_t *at);

/* Operands of a numeric instruction of one byte, 0 when it is none: opcodes.c */
unsigned numeric_signature(unsigned opcode, uint8_t *ret_in, uint8_t *ret_out);
/* A load or store: body.c */
const struct access *access_of(unsigned opcode);
/* Validates as many instructions as can be done in a straight line: quick.c */
void quick_begin(struct compiler *c);
static inline bool quick_applies(const struct compiler *c)
{
    return c->native && c->local_names == c->local_count; /* numbers of locals are slots */
}
void quick_run(struct compiler *c);

/* All instructions of a body: body.c */
int compile_body(struct compiler *c);

/* Bodies: code.c. A compiler for l, native or for the interpreter when it is NULL. 0, or E_NOMEM
 * with the reader's error set; bodies_end() either way. */
int bodies_begin(struct compiler *c, struct loader *l, struct native_gen *native);
/* Those of defined functions [first, first + count), which l reads next. */
int bodies_compile(struct compiler *c, uint32_t first, uint32_t count);
void bodies_end(struct compiler *c);

#endif
