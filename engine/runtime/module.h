/* A loaded module: what decode and validate make and the runtime reads. Immutable
 * after eng_module_load. All of it lives in the chunks of `pool`, but for code and
 * map, which grow while functions are compiled. */
#ifndef ENGINE_RUNTIME_MODULE_H
#define ENGINE_RUNTIME_MODULE_H

#include "base/assert.h"
#include "engine/engine.h"
#include "runtime/pool.h"

/* A defined function. */
struct module_func {
    uint32_t type;
    uint32_t code;   /* index in module code of its first instruction */
    uint32_t map;    /* index in module map of its offsets */
    uint32_t offset; /* of its body, from the module's first byte */
};

/* The word before a function's first instruction. */
struct code_header {
    uint16_t frame_slots; /* locals, link and the most operands */
    uint16_t link;        /* slot of the return address: the number of locals */
    uint16_t params;
    uint16_t zero; /* unused */
};
_Static_assert(sizeof(struct code_header) == 8, "one word of code");

enum { LINK_SLOTS = 2 }; /* return address, caller's frame */

/* In lists of types by slot, the second one of a v128. */
enum { V128_HIGH = 1 };

enum constexpr_kind { CE_CONST, CE_GLOBAL, CE_FUNC, CE_V128, CE_OP, CE_TERMS };

struct constexpr {
    uint8_t kind; /* enum constexpr_kind */
    uint32_t index; /* CE_OP: opcode of an instruction with two operands. CE_TERMS: count */
    uint64_t bits; /* of CE_CONST; a null reference is 0. CE_V128: address of two words.
                      CE_TERMS: of that many instructions, each struct constexpr */
};

/* A reference type beyond funcref, externref, exnref: validation only. */
struct ref_type {
    uint8_t heap; /* ENG_FUNCREF, ENG_EXTERNREF, ENG_EXNREF */
    bool nullable, is_indexed;
    uint32_t index; /* of a function type */
};
enum { FINE_TYPE = 0x80, FINE_TYPES_MAX = 127 }; /* number of the first such type */

static inline bool type_is_fine(uint8_t type)
{
    return type >= FINE_TYPE;
}

struct module_global {
    uint8_t type;
    bool is_mutable;
    struct constexpr init; /* of a defined one */
};

struct module_table {
    uint8_t type;
    struct eng_limits limits;
};

struct module_import {
    struct span module, name;
    uint8_t kind;   /* enum eng_extern_kind */
    uint32_t index; /* in the index space of its kind */
};

struct module_export {
    struct span name;
    uint8_t kind;
    uint32_t index;
};

enum segment_mode { SEGMENT_ACTIVE, SEGMENT_PASSIVE, SEGMENT_DECLARED };

struct module_elem {
    uint8_t mode, type;
    uint32_t table;
    struct constexpr offset;
    uint32_t count;
    const struct constexpr *items;
};

/* A block that catches: its code, words [from, to). The list is in the order of `to`, so
 * that the first one around a place is the innermost. Of native code from and to are offsets in the
 * module, slot is in bytes from the stack pointer and module_catch.code an offset in the code. */
struct module_try {
    uint32_t from, to;
    uint32_t catches, catch_count; /* in module catches */
    uint32_t slot;                 /* where what is caught is put */
};

enum catch_kind { CATCH, CATCH_REF, CATCH_ALL, CATCH_ALL_REF };

struct module_catch {
    uint32_t kind, tag;
    uint32_t code; /* word at which it goes on */
};

struct module_data {
    uint8_t mode;
    uint32_t memory;
    struct constexpr offset;
    struct span bytes;
};

struct eng_module {
    const struct eng_env *env;
    struct pool pool;

    struct eng_functype *types;
    /* The same with a v128 as two entries, ENG_V128 and V128_HIGH: what code handles are
     * slots. Where no type has any, these are the same. */
    struct eng_functype *slot_types;
    uint32_t type_count;
    struct ref_type *ref_types; /* which slot_types, but no others, may name from FINE_TYPE on */
    uint32_t ref_type_count;
    uint16_t *first_types; /* of types that references name: the first equal one plus 1 */
    /* Index spaces: imported things first. */
    uint32_t *func_types; /* type index of each function */
    uint32_t func_count, func_imports;
    struct module_func *funcs; /* defined: func_count - func_imports */
    struct module_table *tables;
    uint32_t table_count, table_imports;
    struct eng_limits *memories;
    uint32_t memory_count, memory_imports;
    struct module_global *globals;
    uint32_t global_count, global_imports;

    uint32_t *tags; /* type indices */
    uint32_t tag_count, tag_imports;

    struct module_import *imports;
    uint32_t import_count;
    struct module_export *exports;
    uint32_t export_count;
    struct module_elem *elems;
    uint32_t elem_count;
    struct module_data *datas;
    uint32_t data_count;
    bool has_start;
    uint32_t start;

    uint64_t *code;
    uint32_t code_words;
    uint8_t *map; /* of code words to module offsets: validate/emit.h */
    uint32_t map_bytes;
    struct native *native; /* NULL: interpreted, and code is there */
    struct module_try *tries;
    uint32_t try_count;
    struct module_catch *catches;
    uint32_t catch_count;
    bool unchecked;    /* memory operations rely on guard pages */
    struct span names; /* function names: the subsection's vector, well-formed */
};

static inline uint32_t module_func_defined(const struct eng_module *m)
{
    return m->func_count - m->func_imports;
}

#endif
