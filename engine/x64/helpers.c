/* What compiled code calls in C: rare instructions, calls of the host, fuel. All of it
 * runs on the host's stack. */
#include "interp/numeric.h"
#include "x64/gen.h"

static uint64_t h_refill(struct eng_instance *inst, uint64_t *operands, uint64_t x, uint64_t y)
{
    struct eng_store *s = inst->native.store;
    s->budget = 0; /* less than one was left */
    enum eng_trap_code code = store_refill(s);
    s->budget -= !code;
    return code;
}

/* f is of the host or of another tier. Behind the values at `operands` is the return
 * address of the calling function, which it was called with. */
static uint64_t h_host_call(struct eng_instance *inst, uint64_t *operands, uint64_t func, uint64_t y)
{
    enum { BELOW = 8 }; /* words in use under the operands, five, and some to spare */
    struct eng_store *s = inst->native.store;
    struct eng_func *f = (struct eng_func *)(uintptr_t)func;
    uint32_t room = type_room(f->type);
    uint64_t *end = s->stack_end, limit = inst->native.stack_limit;
    s->pc = (const uint64_t *)(uintptr_t)operands[room];
    s->fp = operands + room + 1;
    s->inst = inst;
    s->stack_end = operands - BELOW;
    enum eng_trap_code code = host_call(s, f, operands, s->active->base);
    s->stack_end = end;
    inst->native.stack_limit = limit;
    return code;
}

static uint64_t h_memory_grow(struct eng_instance *inst, uint64_t *operands, uint64_t x, uint64_t y)
{
    return memory_grow(inst->memories[x], (uint32_t)operands[0]);
}

/* A long one is a place to be interrupted, too. */
static uint64_t range_done(const struct eng_instance *inst, enum eng_trap_code code, uint32_t n)
{
    enum { LONG = 65536 };
    struct eng_store *s = inst->native.store;
    if (code || n < LONG || !s->interrupted)
        return code;
    s->interrupted = 0;
    return ENG_TRAP_INTERRUPTED;
}

static uint64_t h_memory_fill(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    uint32_t n = (uint32_t)p[2];
    return range_done(inst, memory_fill(inst->memories[x], (uint32_t)p[0], (uint32_t)p[1], n), n);
}

static uint64_t h_memory_copy(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    uint32_t n = (uint32_t)p[2];
    return range_done(inst, memory_copy(inst->memories[x], inst->memories[y], (uint32_t)p[0],
                                        (uint32_t)p[1], n), n);
}

static uint64_t h_memory_init(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    uint32_t n = (uint32_t)p[2];
    return range_done(inst, memory_init(inst, (uint32_t)x, inst->memories[y], (uint32_t)p[0],
                                        (uint32_t)p[1], n), n);
}

static uint64_t h_data_drop(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    inst->data_dropped[x] = 1;
    return 0;
}

static uint64_t h_table_grow(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    return table_grow(inst->tables[x], (uint32_t)p[1], p[0]);
}

static uint64_t h_table_fill(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    uint32_t n = (uint32_t)p[2];
    return range_done(inst, table_fill(inst->tables[x], (uint32_t)p[0], p[1], n), n);
}

static uint64_t h_table_copy(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    uint32_t n = (uint32_t)p[2];
    return range_done(
        inst, table_copy(inst->tables[x], inst->tables[y], (uint32_t)p[0], (uint32_t)p[1], n), n);
}

static uint64_t h_table_init(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    uint32_t n = (uint32_t)p[2];
    return range_done(
        inst, table_init(inst, (uint32_t)x, inst->tables[y], (uint32_t)p[0], (uint32_t)p[1], n), n);
}

/* i64.trunc_f*_u, which traps. */
static uint64_t trunc_u64(double a, uint64_t *ret)
{
    if (a != a)
        return ENG_TRAP_INVALID_CONVERSION;
    if (!(a > -1.0 && a < 18446744073709551616.0))
        return ENG_TRAP_INT_OVERFLOW;
    *ret = (uint64_t)a;
    return ENG_TRAP_NONE;
}

/* Conversion x: an opcode, or what follows 0xfc. */
static uint64_t h_convert(struct eng_instance *inst, uint64_t *p, uint64_t x, uint64_t y)
{
    double f64 = num_float64(*p), f32 = (double)num_float32((uint32_t)*p);
    switch (x) {
    case 0:
    case 2:
        *p = (uint32_t)num_sat_i32(x == 0 ? f32 : f64);
        return 0;
    case 1:
    case 3:
        *p = num_sat_u32(x == 1 ? f32 : f64);
        return 0;
    case 4:
    case 6:
        *p = (uint64_t)num_sat_i64(x == 4 ? f32 : f64);
        return 0;
    case 5:
    case 7:
        *p = num_sat_u64(x == 5 ? f32 : f64);
        return 0;
    case 0xaf:
    case 0xb1:
        return trunc_u64(x == 0xaf ? f32 : f64, p);
    case 0xb5:
        *p = num_bits32((float)*p);
        return 0;
    default:
        *p = num_bits64((double)*p);
        return 0;
    }
}

const native_helper native_helpers[H_COUNT] = {
    [H_REFILL] = h_refill,           [H_HOST_CALL] = h_host_call,
    [H_MEMORY_GROW] = h_memory_grow, [H_MEMORY_FILL] = h_memory_fill,
    [H_MEMORY_COPY] = h_memory_copy, [H_MEMORY_INIT] = h_memory_init,
    [H_DATA_DROP] = h_data_drop,     [H_TABLE_GROW] = h_table_grow,
    [H_TABLE_FILL] = h_table_fill,   [H_TABLE_COPY] = h_table_copy,
    [H_TABLE_INIT] = h_table_init,   [H_CONVERT] = h_convert,
    [H_THROW] = h_throw,             [H_THROW_REF] = h_throw_ref,
    [H_RETHROW] = h_rethrow,
};
