/* Constant expressions: read, checked, and computed when a module is instantiated. */
#include "decode/decode.h"
#include "runtime/store.h"

/* Operands that an expression may have waiting. */
enum { DEPTH_MAX = 64 };

static int const_ref_func(struct loader *l, struct constexpr *ret)
{
    const uint8_t *at = l->r.p;
    ret->kind = CE_FUNC;
    ret->index = reader_u32(&l->r);
    if (!l->r.failed && ret->index >= l->m->func_count)
        return reader_fail(&l->r, E_INVAL, at, "unknown function");
    if (!l->r.failed)
        mark_func_ref(l, ret->index);
    return ENG_FUNCREF;
}

static int const_global(struct loader *l, struct constexpr *ret)
{
    const struct eng_module *m = l->m;
    const uint8_t *at = l->r.p;
    ret->kind = CE_GLOBAL;
    ret->index = reader_u32(&l->r);
    /* Of the module's own those before this one, which is not counted yet. */
    uint32_t known = l->core_2_only ? m->global_imports : m->global_count;
    if (!l->r.failed && ret->index >= known)
        return reader_fail(&l->r, E_INVAL, at, "unknown global");
    if (!l->r.failed && m->globals[ret->index].is_mutable)
        return reader_fail(&l->r, E_INVAL, at, "constant expression required");
    return l->r.failed ? E_MALFORMED : m->globals[ret->index].type;
}

static int const_simd(struct loader *l, const uint8_t *at, struct constexpr *ret)
{
    uint32_t opcode = reader_u32(&l->r);
    if (!ENG_SIMD)
        return reader_fail(&l->r, E_UNSUPPORTED, at,
                           "SIMD instruction in constant expression not supported");
    if (!l->r.failed && opcode != 12)
        return reader_fail(&l->r, E_INVAL, at, "constant expression required");
    uint64_t *words = l->r.failed ? NULL : LOADER_ARRAY(l, uint64_t, 2);
    if (!words)
        return E_NOMEM;
    words[0] = reader_fixed64(&l->r);
    words[1] = reader_fixed64(&l->r);
    ret->kind = CE_V128;
    ret->bits = (uintptr_t)words;
    return ENG_V128;
}

/* One instruction; its type, or a negative error. */
static int const_instruction(struct loader *l, uint8_t opcode, const uint8_t *at,
                             struct constexpr *ret)
{
    uint8_t type = 0;
    ret->kind = CE_CONST;
    switch (opcode) {
    case 0x6a:
    case 0x6b:
    case 0x6c:
    case 0x7c:
    case 0x7d:
    case 0x7e:
        if (l->core_2_only)
            return reader_fail(&l->r, E_INVAL, at, "constant expression required");
        ret->kind = CE_OP;
        ret->index = opcode;
        return opcode < 0x7c ? ENG_I32 : ENG_I64;
    case 0x41:
        ret->bits = (uint32_t)reader_s32(&l->r);
        return ENG_I32;
    case 0x42:
        ret->bits = (uint64_t)reader_s64(&l->r);
        return ENG_I64;
    case 0x43:
        ret->bits = reader_fixed32(&l->r);
        return ENG_F32;
    case 0x44:
        ret->bits = reader_fixed64(&l->r);
        return ENG_F64;
    case 0xd0:
        ret->bits = 0;
        return read_reftype(l, &type) ? E_MALFORMED : type;
    case 0xd2:
        return const_ref_func(l, ret);
    case 0x23:
        return const_global(l, ret);
    case 0xfd:
        return const_simd(l, at, ret);
    default:
        return reader_fail(&l->r, opcode > 0xd2 ? E_MALFORMED : E_INVAL, at,
                           opcode > 0xd2 ? "illegal opcode" : "constant expression required");
    }
}

/* Checks one expression up to its end; how many instructions it has. The first of them, so
 * many as there is room for, are stored. 0, or the error. */
static int const_terms(struct loader *l, uint8_t type, struct constexpr *terms, uint32_t room,
                       uint32_t *ret_count)
{
    const uint8_t *first = l->r.p;
    uint8_t types[DEPTH_MAX];
    uint32_t depth = 0, count = 0;
    for (;; count++) {
        const uint8_t *at = l->r.p;
        struct constexpr term = { 0 };
        uint8_t opcode = reader_byte(&l->r);
        if (l->r.failed)
            return E_MALFORMED;
        if (opcode == 0x0b)
            break;
        int t = const_instruction(l, opcode, at, &term);
        if (l->r.failed)
            return E_MALFORMED;
        if (term.kind == CE_OP) {
            if (depth < 2 || types[depth - 1] != t || types[depth - 2] != t)
                return reader_fail(&l->r, E_INVAL, at, "type mismatch");
            depth -= 2;
        }
        if (depth == DEPTH_MAX)
            return reader_fail(&l->r, E_LIMIT, at, "constant expression too deep");
        types[depth++] = (uint8_t)t;
        if (count < room)
            terms[count] = term;
    }
    *ret_count = count;
    return depth == 1 && types[0] == type ? 0
                                          : reader_fail(&l->r, E_INVAL, first, "type mismatch");
}

int read_constexpr(struct loader *l, uint8_t type, struct constexpr *ret)
{
    const uint8_t *first = l->r.p;
    uint32_t count;
    int err = const_terms(l, type, ret, 1, &count);
    if (err || count == 1)
        return err;
    l->r.p = first;
    struct constexpr *terms = LOADER_ARRAY(l, struct constexpr, count);
    if (!terms)
        return E_NOMEM;
    *ret = (struct constexpr){ CE_TERMS, count, (uintptr_t)terms };
    return const_terms(l, type, terms, count, &count);
}

static uint64_t apply(uint32_t opcode, uint64_t a, uint64_t b)
{
    switch (opcode) {
    case 0x6a:
        return (uint32_t)(a + b);
    case 0x6b:
        return (uint32_t)(a - b);
    case 0x6c:
        return (uint32_t)(a * b);
    case 0x7c:
        return a + b;
    case 0x7d:
        return a - b;
    default:
        return a * b;
    }
}

static uint64_t one_value(struct eng_instance *inst, const struct constexpr *e)
{
    switch (e->kind) {
    case CE_GLOBAL:
        return inst->globals[e->index]->bits;
    case CE_FUNC:
        return (uintptr_t)instance_func(inst, e->index);
    default:
        return e->bits;
    }
}

uint64_t constexpr_value(struct eng_instance *inst, const struct constexpr *e)
{
    if (e->kind != CE_TERMS)
        return one_value(inst, e);
    const struct constexpr *terms = (const struct constexpr *)(uintptr_t)e->bits;
    uint64_t stack[DEPTH_MAX];
    uint32_t depth = 0;
    for (uint32_t i = 0; i < e->index; i++) {
        if (terms[i].kind == CE_OP) {
            depth--;
            stack[depth - 1] = apply(terms[i].index, stack[depth - 1], stack[depth]);
        } else {
            stack[depth++] = one_value(inst, &terms[i]);
        }
    }
    return stack[0];
}
