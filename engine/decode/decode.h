/* State while a module is loaded; private to decode/ and validate/. */
#ifndef ENGINE_DECODE_DECODE_H
#define ENGINE_DECODE_DECODE_H

#include "decode/reader.h"
#include "engine/limits.h"
#include "runtime/module.h"

struct loader {
    struct reader r;
    const uint8_t *end; /* of the module */
    struct eng_module *m;
    const struct eng_env *env;
    uint8_t *func_refs;     /* bit per function: may ref.func name it in code */
    uint32_t data_count;    /* of the data count section */
    bool has_data_count;
    bool has_code;
    uint32_t bodies;        /* of the code section */
    uint8_t last_section;   /* highest in order so far */
    bool core_2_only;       /* of the env */
    /* Others load parts of the same module at this moment: nothing of it may change. */
    bool shared;
    bool wants_change; /* it would have had to, and what failed because of that must be done anew */
};

/* Each reads one section whose bytes are exactly l->r. 0 or the error. */
int section_types(struct loader *l);
int section_imports(struct loader *l);
int section_functions(struct loader *l);
int section_tables(struct loader *l);
int section_memory(struct loader *l);
int section_tags(struct loader *l);
int section_globals(struct loader *l);
int section_exports(struct loader *l);
int section_start(struct loader *l);
int section_elements(struct loader *l);
int section_data(struct loader *l);
int section_custom(struct loader *l);

/* A constant expression of the given type. */
int read_constexpr(struct loader *l, uint8_t type, struct constexpr *ret);
int read_valtype(struct loader *l, uint8_t *ret);
int read_reftype(struct loader *l, uint8_t *ret);
/* That of ref.null, as a type. */
int read_heaptype(struct loader *l, uint8_t *ret);
int make_slot_types(struct loader *l);
/* The number of a type, 0 when there is none left. */
uint8_t type_fine(struct loader *l, const struct ref_type *t);
/* May a value of type `have` be used as one of `want`? */
bool type_matches(const struct eng_module *m, uint8_t have, uint8_t want);
/* What a type is outside of validation. */
uint8_t type_plain(const struct eng_module *m, uint8_t type);

/* Remembers that function i may be taken a reference of. */
void mark_func_ref(struct loader *l, uint32_t i);

/* Is the module this loader's alone, and may change? Remembers that it was asked. */
bool loader_may_change(struct loader *l);
/* Memory of the module, or NULL with the error set. */
void *loader_alloc(struct loader *l, size_t count, size_t size);
#define LOADER_ARRAY(l, type, count) ((type *)loader_alloc((l), (count), sizeof(type)))

/* All bodies of the code section: validate/code.c. */
int section_code(struct loader *l);

#endif
