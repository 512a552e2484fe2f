/* One function body: every instruction once. */
#include "runtime/native.h"
#include "validate/func.h"

static int read_index(struct compiler *c, uint32_t limit, const char *unknown, uint32_t *ret)
{
    const uint8_t *at = c->l->r.p;
    *ret = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    return *ret < limit ? 0 : fail_at(c, at, unknown);
}

static int op_local(struct compiler *c, uint8_t opcode)
{
    uint32_t x;
    int err = read_index(c, c->local_names, "unknown local", &x);
    if (err)
        return err;
    if (ENG_SIMD && c->local_names != c->local_count)
        x = c->local_slots[x];
    return opcode == 0x20 ? local_get(c, x) : local_set(c, x, opcode == 0x22);
}

static int op_global_get(struct compiler *c)
{
    uint32_t x;
    const struct eng_module *m = c->m;
    int err = read_index(c, m->global_count, "unknown global", &x);
    if (err)
        return err;
    uint8_t type = m->globals[x].type;
    if (ENG_SIMD && type == ENG_V128)
        return v128_global_get(c, x);
    if (c->dead)
        return push(c, type);
    uint32_t d = c->base + c->value_count;
    if (x < m->global_imports) {
        uint32_t pos = emit(c, OP_global_get_far, operands_imm(0, d, x));
        return push_opaque(c, type, pos, OP_global_get_far);
    }
    uint32_t pos = emit(c, OP_global_get, operands_imm(0, d, x - m->global_imports));
    if (type_class(type) != ACC_INT)
        return push_opaque(c, type, pos, OP_global_get);
    return push_result(c, type, pos, OP_global_get, true);
}

static int op_global_set(struct compiler *c)
{
    uint32_t x;
    const struct eng_module *m = c->m;
    const uint8_t *at = c->l->r.p;
    int err = read_index(c, m->global_count, "unknown global", &x);
    if (err)
        return err;
    if (!m->globals[x].is_mutable)
        return fail_at(c, at, "global is immutable");
    if (ENG_SIMD && m->globals[x].type == ENG_V128)
        return v128_global_set(c, x);
    err = pop(c, m->globals[x].type);
    if (err || c->dead)
        return err;
    struct value *v = &c->values[c->value_count];
    bool far = x < m->global_imports;
    if (!far && type_class(v->type) == ACC_INT && in_acc(c, v)) {
        claim(c, v);
        emit(c, OP_global_set_A, operands_imm(0, 0, x - m->global_imports));
        return 0;
    }
    uint32_t slot = slot_of(c, v);
    emit(c, far ? OP_global_set_far : OP_global_set_S,
         operands_imm(slot, 0, far ? x : x - m->global_imports));
    return 0;
}

#define LOAD_ROW(name, t, align) { OP_g_##name##_S, OP_c_##name##_S, ENG_##t, align }
#define STORE_ROW(name, t, align) { OP_g_##name##_SS, OP_c_##name##_SS, ENG_##t, align }
enum { ACCESS_FIRST = 0x28, STORE_FIRST = 0x36, ACCESS_LAST = 0x3e };

static const struct access accesses[] = {
    LOAD_ROW(i32_load, I32, 2),      LOAD_ROW(i64_load, I64, 3),
    LOAD_ROW(f32_load, F32, 2),      LOAD_ROW(f64_load, F64, 3),
    LOAD_ROW(i32_load8_s, I32, 0),   LOAD_ROW(i32_load8_u, I32, 0),
    LOAD_ROW(i32_load16_s, I32, 1),  LOAD_ROW(i32_load16_u, I32, 1),
    LOAD_ROW(i64_load8_s, I64, 0),   LOAD_ROW(i64_load8_u, I64, 0),
    LOAD_ROW(i64_load16_s, I64, 1),  LOAD_ROW(i64_load16_u, I64, 1),
    LOAD_ROW(i64_load32_s, I64, 2),  LOAD_ROW(i64_load32_u, I64, 2),
    STORE_ROW(i32_store, I32, 2),    STORE_ROW(i64_store, I64, 3),
    STORE_ROW(f32_store, F32, 2),    STORE_ROW(f64_store, F64, 3),
    STORE_ROW(i32_store8, I32, 0),   STORE_ROW(i32_store16, I32, 1),
    STORE_ROW(i64_store8, I64, 0),   STORE_ROW(i64_store16, I64, 1),
    STORE_ROW(i64_store32, I64, 2),
};
_Static_assert(base_countof(accesses) == ACCESS_LAST - ACCESS_FIRST + 1, "one row an opcode");

const struct access *access_of(unsigned opcode)
{
    return &accesses[opcode - ACCESS_FIRST];
}

int read_memarg(struct compiler *c, uint32_t align_max, struct memarg *ret, const uint8_t *at)
{
    enum { HAS_INDEX = 64 };
    struct reader *r = &c->l->r;
    const uint8_t *align_at = r->p;
    uint32_t align = reader_u32(r);
    bool old = c->l->core_2_only, index = !old && align & HAS_INDEX;
    ret->memory = index ? reader_u32(r) : 0;
    uint64_t offset = old ? reader_u32(r) : reader_u64(r);
    ret->offset = (uint32_t)offset;
    if (r->failed)
        return E_MALFORMED;
    if (align >= (old ? 32 : 2 * HAS_INDEX))
        return reader_fail(r, E_MALFORMED, align_at, "malformed memop flags");
    align -= index ? HAS_INDEX : 0;
    if (offset > UINT32_MAX)
        return fail_at(c, align_at, "offset out of range");
    if (ret->memory >= c->m->memory_count)
        return fail_at(c, at, ret->memory ? "unknown memory" : "unknown memory 0");
    if (align > align_max)
        return fail_at(c, align_at, "alignment must not be larger than natural");
    return 0;
}

static int op_access(struct compiler *c, uint8_t opcode, const uint8_t *at)
{
    const struct access *a = access_of(opcode);
    struct memarg memarg;
    int err = read_memarg(c, a->align, &memarg, at);
    if (err)
        return err;
    memory_enter(c, memarg.memory);
    err = opcode < STORE_FIRST ? emit_load(c, a, memarg.offset, at)
                               : emit_store(c, a, memarg.offset, at);
    memory_leave(c);
    return err;
}

static int op_memory(struct compiler *c, uint8_t opcode, const uint8_t *at)
{
    uint32_t memory;
    int err = read_memory_index(c, &memory);
    if (err)
        return err;
    if (opcode == 0x3f) {
        if (c->dead)
            return push(c, ENG_I32);
        unsigned op = memory ? OP_memory_size_of : OP_memory_size;
        uint32_t pos = emit(c, op, operands_imm(0, c->base + c->value_count, memory));
        return push_opaque(c, ENG_I32, pos, op);
    }
    err = pop(c, ENG_I32);
    if (err || c->dead)
        return err ? err : push(c, ENG_I32);
    struct value *v = &c->values[c->value_count];
    uint32_t slot = slot_of(c, v);
    unsigned op = memory ? OP_memory_grow_of : OP_memory_grow;
    uint32_t pos = emit(c, op, operands_imm(slot, home(c, v), memory));
    return push_opaque(c, ENG_I32, pos, op);
}

static int push_const(struct compiler *c, uint8_t type, uint64_t bits)
{
    int err = push(c, type);
    if (!err && !c->dead) {
        c->values[c->value_count - 1].kind = V_CONST;
        c->values[c->value_count - 1].bits = bits;
    }
    return err;
}

static int op_select_typed(struct compiler *c)
{
    const uint8_t *at = c->l->r.p;
    uint8_t type = 0;
    uint32_t n = reader_u32(&c->l->r);
    if (!c->l->r.failed && n != 1)
        return fail_at(c, at, "invalid result arity");
    int err = c->l->r.failed ? E_MALFORMED : read_valtype(c->l, &type);
    return err ? err : op_select(c, type);
}

static int op_ref_is_null(struct compiler *c)
{
    struct value *v = pop_any(c);
    if (!v)
        return E_INVAL;
    if (v->type && !is_reference(v->type))
        return fail_at(c, NULL, "type mismatch");
    if (c->dead)
        return push(c, ENG_I32);
    /* The value takes its place again, as a number that may be compared with 0. */
    if (v->kind == V_LOCAL) {
        c->refs[v->local]++;
        c->lazy++;
    }
    v->type = ENG_I64;
    c->value_count++;
    return emit_eqz(c, ENG_I64);
}

static int op_ref_func(struct compiler *c)
{
    const uint8_t *at = c->l->r.p;
    uint32_t i;
    int err = read_index(c, c->m->func_count, "unknown function", &i);
    if (err)
        return err;
    const uint8_t *refs = c->l->func_refs;
    if (!refs || !(refs[i / 8] >> i % 8 & 1))
        return fail_at(c, at, "undeclared function reference");
    uint8_t type = ENG_FUNCREF;
    if (c->m->ref_type_count) { /* else nobody can ask for more */
        type = type_fine(c->l, &(struct ref_type){ ENG_FUNCREF, false, true, c->m->func_types[i] });
        if (!type)
            return reader_fail(&c->l->r, E_UNSUPPORTED, at,
                               "typed references: so many types not supported");
    }
    if (c->dead)
        return push(c, type);
    uint32_t pos = emit(c, OP_ref_func, operands_imm(0, c->base + c->value_count, i));
    return push_opaque(c, type, pos, OP_ref_func);
}

static int op_ref_null(struct compiler *c)
{
    uint8_t type;
    int err = read_heaptype(c->l, &type);
    return err ? err : push_const(c, type, 0);
}

static int op_prefixed(struct compiler *c, const uint8_t *at)
{
    int err;
    uint32_t opcode = reader_u32(&c->l->r);
    if (c->l->r.failed)
        return E_MALFORMED;
    return op_saturating(c, opcode, &err) ? err : op_bulk(c, opcode, at);
}

static int op_drop(struct compiler *c)
{
    const struct value *v = pop_any(c);
    return !v || (ENG_SIMD && v->type == V128_HIGH && !pop_any(c)) ? E_INVAL : 0;
}

/* Instructions that 2.0 does not have. */
static int op_new(struct compiler *c, uint8_t opcode, const uint8_t *at)
{
    struct reader *r = &c->l->r;
    switch (c->l->core_2_only ? 0xff : opcode) {
    case 0x08:
        return op_throw(c, at);
    case 0x0a:
        return op_throw_ref(c, at);
    case 0x12:
        return op_return_call(c, at);
    case 0x13:
        return op_return_call_indirect(c, at);
    case 0x1f:
        return op_try_table(c);
    case 0x14:
    case 0x15:
    case 0xd3:
    case 0xd4:
    case 0xd5:
    case 0xd6:
        return reader_fail(r, E_UNSUPPORTED, at,
                           "instruction of typed references or GC not supported");
    case 0xfb:
        return reader_fail(r, E_UNSUPPORTED, at, "GC instruction not supported");
    case 0xfe:
        return reader_fail(r, E_UNSUPPORTED, at, "atomic instruction (threads) not supported");
    default:
        return reader_fail(r, E_MALFORMED, at, "illegal opcode");
    }
}

static int op_other(struct compiler *c, uint8_t opcode, const uint8_t *at)
{
    int err;
    if (opcode >= ACCESS_FIRST && opcode <= ACCESS_LAST)
        return op_access(c, opcode, at);
    if (op_numeric(c, opcode, &err))
        return err;
    switch (opcode) {
    case 0x3f:
    case 0x40:
        return op_memory(c, opcode, at);
    case 0x1c:
        return op_select_typed(c);
    case 0x25:
        return op_table_get(c, at);
    case 0x26:
        return op_table_set(c, at);
    case 0xd0:
        return op_ref_null(c);
    case 0xd1:
        return op_ref_is_null(c);
    case 0xd2:
        return op_ref_func(c);
    case 0xfc:
        return op_prefixed(c, at);
    case 0xfd:
        return op_simd(c, at);
    default:
        return op_new(c, opcode, at);
    }
}

static int op_any(struct compiler *c, uint8_t opcode, const uint8_t *at)
{
    struct reader *r = &c->l->r;
    switch (opcode) {
    case 0x00:
        return op_unreachable(c, at);
    case 0x01:
        return 0;
    case 0x02:
        return op_block(c, L_BLOCK);
    case 0x03:
        return op_block(c, L_LOOP);
    case 0x04:
        return op_block(c, L_IF);
    case 0x05:
        return op_else(c, at);
    case 0x0b:
        return op_end(c, at);
    case 0x0c:
        return op_br(c);
    case 0x0d:
        return op_br_if(c);
    case 0x0e:
        return op_br_table(c);
    case 0x0f:
        return op_return(c);
    case 0x10:
        return op_call(c, at);
    case 0x11:
        return op_call_indirect(c, at);
    case 0x1a:
        return op_drop(c);
    case 0x1b:
        return op_select(c, 0);
    case 0x20:
    case 0x21:
    case 0x22:
        return op_local(c, opcode);
    case 0x23:
        return op_global_get(c);
    case 0x24:
        return op_global_set(c);
    case 0x41:
        return push_const(c, ENG_I32, (uint32_t)reader_s32(r));
    case 0x42:
        return push_const(c, ENG_I64, (uint64_t)reader_s64(r));
    case 0x43:
        return push_const(c, ENG_F32, reader_fixed32(r));
    case 0x44:
        return push_const(c, ENG_F64, reader_fixed64(r));
    default:
        return op_other(c, opcode, at);
    }
}

int compile_body(struct compiler *c)
{
    struct reader *r = &c->l->r;
    while (c->label_count) {
        if (quick_applies(c))
            quick_run(c);
        if (!c->label_count)
            break;
        const uint8_t *at = r->p;
        if (at == r->end)
            return reader_fail(r, E_MALFORMED, at, "unexpected end of section or function");
        int err = emit_room(c, EMIT_RESERVE);
        if (!err) {
            r->p++;
            err = op_any(c, *at, at);
        }
        if (err || r->failed)
            return err ? err : E_MALFORMED;
        if (c->native)
            native_saw(c->native, at);
    }
    if (r->p != r->end)
        return reader_fail(r, E_MALFORMED, NULL, "section size mismatch: bytes after function's end");
    return 0;
}
