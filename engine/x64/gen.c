/* Native code of bodies: the generator's memory, one function after the other. What becomes of
 * it is in module.c. */
#include "x64/gen.h"

/* Bytes of code that one instruction may make: operands and results may all have to move. */
static size_t op_need(const struct native_gen *g)
{
    enum { ROOM_PER_OP = 1024, ROOM_PER_OPERAND = 32 };
    size_t results = g->type ? g->type->result_count : 0;
    return ROOM_PER_OP + (results + g->val_capacity) * ROOM_PER_OPERAND;
}

void gen_set_limit(struct native_gen *g)
{
    size_t have = (size_t)(g->a.end - g->a.start), need = op_need(g);
    g->room = g->a.start + (have > need && !g->error ? have - need : 0);
    g->limit = g->dead ? g->a.start : g->room;
}

/* --- memory --------------------------------------------------------------------------------- */

/* There is no more room where the part was to stay: what there is of it moves to the generator's memory. */
static bool leave_place(struct native_gen *g, size_t bytes)
{
    struct assembler in = g->a;
    size_t used = (size_t)(in.p - in.start);
    g->a = g->own;
    g->in_place = false;
    if (!gen_room(g, used + bytes))
        return false;
    memcpy(g->a.start, in.start, used);
    g->a.p += used;
    gen_set_limit(g);
    return true;
}

bool gen_more_room(struct native_gen *g, size_t bytes)
{
    if (g->in_place)
        return leave_place(g, bytes); /* once */
    size_t have = (size_t)(g->a.end - g->a.start), used = (size_t)(g->a.p - g->a.start);
    if (g->error)
        return false;
    base_assert(g->a.p <= g->a.end);
    size_t want = have * 2 > used + bytes ? have * 2 : used + bytes;
    if (used > g->code_first + g->code_most) {
        gen_fail(g, E_UNSUPPORTED); /* so much code that interpreting is better */
        return false;
    }
    uint8_t *p = want <= INT32_MAX ? g->env->resize(g->env->ctx, g->a.start, have, want) : NULL;
    if (!p) {
        gen_fail(g, E_NOMEM);
        return false;
    }
    g->a.start = p;
    g->a.p = p + used;
    g->a.end = p + want;
    gen_set_limit(g);
    return true;
}

bool gen_grow_more(struct native_gen *g, void **items, uint32_t *capacity, size_t need, size_t size)
{
    if (array_grow(g->env, items, capacity, need, size))
        gen_fail(g, E_NOMEM);
    return !g->error;
}

void gen_give(const struct native_gen *g, void **items, uint32_t *capacity, size_t size)
{
    if (*items)
        g->env->resize(g->env->ctx, *items, *capacity * size, 0);
    *items = NULL;
    *capacity = 0;
}

bool gen_more_stubs(struct native_gen *g)
{
    return gen_grow(g, (void **)&g->stubs, &g->stub_capacity, g->stub_count + 1u, sizeof *g->stubs);
}

void gen_op_fixed(struct native_gen *g, uint32_t op, unsigned reg, unsigned k)
{
    uint32_t at = asm_rip(&g->a, op, reg, 0);
    asm_patch(&g->a, at, g->entries.consts + k * 16);
}

void gen_op_const(struct native_gen *g, uint32_t op, unsigned reg, uint64_t bits)
{
    uint32_t at = asm_rip(&g->a, op, reg, 0);
    if (gen_grow(g, (void **)&g->consts, &g->const_capacity, g->const_count + 1u,
                 sizeof *g->consts))
        g->consts[g->const_count++] = (struct gconst){ bits, at };
}

void gen_wide(struct native_gen *g, uint32_t at, uint64_t low, uint64_t high)
{
    enum { LOOKED_AT = 16 };
    for (uint32_t i = g->wide_count; i > 0 && g->wide_count - i < LOOKED_AT; i--) {
        struct gwide *w = &g->wides[i - 1];
        if (w->low == low && w->high == high) {
            asm_write32(&g->a, at, w->from);
            w->from = at;
            return;
        }
    }
    asm_write32(&g->a, at, 0);
    if (gen_grow(g, (void **)&g->wides, &g->wide_capacity, g->wide_count + 1u, sizeof *g->wides))
        g->wides[g->wide_count++] = (struct gwide){ low, high, at };
}

/* --- what the CPU can ------------------------------------------------------------------------ */

struct cpuid {
    uint32_t a, b, c, d;
};

static struct cpuid cpuid(uint32_t leaf)
{
    struct cpuid r;
    __asm__("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(0));
    return r;
}

enum { CPU_KNOWN = 1, CPU_SUITS = 2, CPU_BMI2 = 4, CPU_AVX = 8 };

uint32_t eng_cpu(void)
{
    enum { SSE41 = 1 << 19, POPCNT = 1 << 23, OSXSAVE = 1 << 27, AVX = 1 << 28, LZCNT = 1 << 5,
           BMI1 = 1 << 3, BMI2 = 1 << 8, YMM_STATE = 6 };
    struct cpuid one = cpuid(1), seven = { 0 }, extended = { 0 };
    uint32_t can = CPU_KNOWN;
    if (cpuid(0).a >= 7)
        seven = cpuid(7);
    if (cpuid(0x80000000).a >= 0x80000001)
        extended = cpuid(0x80000001);
    if (seven.b & BMI2)
        can |= CPU_BMI2;
    if (one.c & OSXSAVE) {
        uint32_t low, high;
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        if (one.c & AVX && (low & YMM_STATE) == YMM_STATE)
            can |= CPU_AVX;
    }
    /* What the code takes for granted. */
    if ((one.c & SSE41) && (one.c & POPCNT) && (extended.c & LZCNT) && (seven.b & BMI1))
        can |= CPU_SUITS;
    return can;
}

uint32_t eng_cpu_least(void)
{
    return eng_cpu() & (CPU_KNOWN | CPU_SUITS);
}

bool gen_cpu(struct native_gen *g)
{
    uint32_t can = g->env->cpu ? g->env->cpu : eng_cpu();
    g->bmi2 = can & CPU_BMI2;
    g->avx = can & CPU_AVX;
    return can & CPU_SUITS;
}

/* --- bodies ------------------------------------------------------------------------------------ */

/* Behind what never returns: up to the end or else that code can reach again. */
static APART void skip_dead(struct native_gen *g)
{
    uint32_t depth = 0;
    for (;;) {
        uint8_t opcode = *g->p;
        if (depth == 0 && (opcode == 0x0b || opcode == 0x05))
            return;
        g->p++;
        if (opcode == 0x0b)
            depth--;
        else if ((opcode >= 0x02 && opcode <= 0x04) || opcode == 0x1f)
            depth++;
        body_skip(&g->p, opcode);
    }
}

static uint64_t read_bits(struct native_gen *g, unsigned bytes)
{
    uint64_t bits = 0;
    memcpy(&bits, g->p, bytes);
    g->p += bytes;
    return bits;
}

/* The number at p, which g->p is then behind. */
static inline uint32_t read_u32(struct native_gen *g, const uint8_t *p)
{
    uint32_t x = *p++;
    if (x >= 0x80) {
        uint32_t more = *p++;
        if (more >= 0x80) {
            g->p = p - 2;
            return (uint32_t)body_leb_slow(&g->p, false);
        }
        x = (x & 0x7f) | more << 7;
    }
    g->p = p;
    return x;
}

/* The same of a signed one. */
static inline int64_t read_s64(struct native_gen *g, const uint8_t *p)
{
    int64_t x = *p++, sign = 0x40;
    if (x >= 0x80) {
        int64_t more = *p++;
        if (more >= 0x80) {
            g->p = p - 2;
            return (int64_t)body_leb_slow(&g->p, true);
        }
        x = (x & 0x7f) | more << 7;
        sign = 0x2000;
    }
    g->p = p;
    return (x ^ sign) - sign;
}

static void gen_drop(struct native_gen *g)
{
    struct gval *v = val_take(g);
    val_release(g, v);
}

/* The one that is read most; false when its number is long, or there is no room. */
static inline bool gen_local_get(struct native_gen *g, const uint8_t *p)
{
    uint32_t x = *p;
    if (__builtin_expect(x >= 0x80 || g->count == g->val_capacity, 0))
        return false;
    val_push_local(g, x);
    return true;
}

static void gen_select_typed(struct native_gen *g)
{
    g->p++; /* one type */
    body_type(&g->p);
    gen_select(g);
}

static void gen_ref_null(struct native_gen *g)
{
    int64_t heap = body_s64(&g->p);
    val_push_const(g, heap < 0 ? (uint8_t)(heap & 0x7f) : ENG_FUNCREF, 0);
}

static void gen_ref_is_null(struct native_gen *g)
{
    g->vals[g->count - 1].type = ENG_I64;
    gen_compare(g, 0x50);
}

/* Most numbers are the second operand of what comes next, and need no place of their own. False when it
 * is pushed for which there is room, so that no code was made. */
static inline bool gen_const(struct native_gen *g, uint8_t type, uint64_t bits)
{
    enum { PUSHED, NUMERIC, COMPARED, SHIFTED };
    static const uint8_t uses[256] = {
        [0x46 ... 0x4f] = COMPARED, [0x51 ... 0x5a] = COMPARED,
        [0x6a ... 0x6b] = NUMERIC,  [0x71 ... 0x73] = NUMERIC,  [0x74 ... 0x78] = SHIFTED,
        [0x7c ... 0x7d] = NUMERIC,  [0x83 ... 0x85] = NUMERIC,  [0x86 ... 0x8a] = SHIFTED,
    };
    uint8_t use = uses[*g->p];
    if (use == NUMERIC) {
        if (gen_numeric_const(g, bits))
            return true;
    } else if (use == COMPARED) {
        if (gen_compare_const(g, bits))
            return true;
    } else if (use == SHIFTED) {
        gen_shift_const(g, bits);
        return true;
    }
    bool room = g->count != g->val_capacity;
    val_push_const(g, type, bits);
    return !room;
}

bool gen_op_room(struct native_gen *g)
{
    size_t need = op_need(g) + 1;
    return (size_t)(g->a.end - g->a.p) >= need || gen_room(g, need);
}

/* Whatever keeps the next instruction from being compiled right away. False when there is none. */
static bool attend(struct native_gen *g)
{
    if (g->error || !g->label_count)
        return false;
    if (g->dead && *g->p != 0x0b && *g->p != 0x05)
        skip_dead(g);
    return g->a.p < g->room || gen_op_room(g);
}

/* From one instruction to the next, which is at p; the latter when nothing has been compiled since the
 * last. A jump for each kind is what a CPU guesses best by; clang 19 makes a few of them all. */
#define NEXT                                                                                      \
    do {                                                                                          \
        if (g->a.p >= g->limit && !attend(g))                                                     \
            return;                                                                               \
        p = g->p;                                                                                 \
        NEXT_HERE;                                                                                \
    } while (0)
#define NEXT_HERE                                                                                 \
    do {                                                                                          \
        g->at = p;                                                                                \
        goto *kinds[*p++];                                                                        \
    } while (0)
/* What has no immediates, or reads them itself; and what reads from p. */
#define ON(kind, done)                                                                            \
    kind:                                                                                         \
    g->p = p;                                                                                     \
    done;                                                                                         \
    NEXT
#define ON_READING(kind, done)                                                                    \
    kind:                                                                                         \
    done;                                                                                         \
    NEXT
#define OPCODE p[-1]

static void compile_body(struct native_gen *g)
{
    static const void *const kinds[256] = {
        [0x00] = &&on_unreachable,
        [0x01] = &&on_nop,
        [0x02] = &&on_block,
        [0x03] = &&on_loop,
        [0x04] = &&on_if,
        [0x05] = &&on_else,
        [0x06 ... 0x07] = &&on_none,
        [0x08] = &&on_throw,
        [0x09] = &&on_none,
        [0x0a] = &&on_throw_ref,
        [0x0b] = &&on_end,
        [0x0c] = &&on_br,
        [0x0d] = &&on_br_if,
        [0x0e] = &&on_br_table,
        [0x0f] = &&on_return,
        [0x10] = &&on_call,
        [0x11] = &&on_call_indirect,
        [0x12] = &&on_return_call,
        [0x13] = &&on_return_call_indirect,
        [0x14 ... 0x19] = &&on_none,
        [0x1a] = &&on_drop,
        [0x1b] = &&on_select,
        [0x1c] = &&on_select_typed,
        [0x1d ... 0x1e] = &&on_none,
        [0x1f] = &&on_try_table,
        [0x20] = &&on_local_get,
        [0x21] = &&on_local_set,
        [0x22] = &&on_local_tee,
        [0x23] = &&on_global_get,
        [0x24] = &&on_global_set,
        [0x25] = &&on_table_get,
        [0x26] = &&on_table_set,
        [0x27] = &&on_none,
        [0x28 ... 0x35] = &&on_load,
        [0x36 ... 0x3e] = &&on_store,
        [0x3f] = &&on_memory_size,
        [0x40] = &&on_memory_grow,
        [0x41] = &&on_i32_const,
        [0x42] = &&on_i64_const,
        [0x43] = &&on_f32_const,
        [0x44] = &&on_f64_const,
        [0x45 ... 0x66] = &&on_compare,
        [0x67 ... 0x70] = &&on_numeric,
        [0x71] = &&on_i32_and,
        [0x72 ... 0x8a] = &&on_numeric,
        [0x8b ... 0xa6] = &&on_float,
        [0xa7] = &&on_conversion,
        [0xa8 ... 0xab] = &&on_float,
        [0xac ... 0xad] = &&on_conversion,
        [0xae ... 0xbf] = &&on_float,
        [0xc0 ... 0xc4] = &&on_conversion,
        [0xc5 ... 0xcf] = &&on_none,
        [0xd0] = &&on_ref_null,
        [0xd1] = &&on_ref_is_null,
        [0xd2] = &&on_ref_func,
        [0xd3 ... 0xfb] = &&on_none,
        [0xfc] = &&on_bulk,
        [0xfd] = &&on_simd,
        [0xfe ... 0xff] = &&on_none,
    };
    const uint8_t *p;
    NEXT;
    ON(on_unreachable, gen_unreachable(g));
    ON(on_nop, (void)0);
    ON(on_block, gen_block(g, GL_BLOCK));
    ON(on_loop, gen_block(g, GL_LOOP));
    ON(on_if, gen_block(g, GL_IF));
    ON(on_try_table, gen_block(g, GL_TRY));
    ON(on_else, gen_else(g));
    ON(on_end, gen_end(g));
    ON_READING(on_br, gen_br(g, read_u32(g, p)));
    ON_READING(on_br_if, gen_br_if(g, read_u32(g, p)));
    ON(on_br_table, gen_br_table(g));
    ON(on_return, gen_return(g));
    ON_READING(on_call, gen_call(g, read_u32(g, p)));
    ON(on_call_indirect, gen_call_indirect(g));
    ON_READING(on_return_call, gen_return_call(g, read_u32(g, p)));
    ON(on_return_call_indirect, gen_return_call_indirect(g));
    ON(on_throw, gen_throw(g));
    ON(on_throw_ref, gen_throw_ref(g));
    ON(on_drop, gen_drop(g));
    ON(on_select, gen_select(g));
    ON(on_select_typed, gen_select_typed(g));
on_local_get:
    if (gen_local_get(g, p)) {
        p++;
        NEXT_HERE;
    }
    val_push_local(g, read_u32(g, p));
    NEXT;
    ON_READING(on_local_set, gen_local_set(g, read_u32(g, p), false));
    ON_READING(on_local_tee, gen_local_set(g, read_u32(g, p), true));
    ON_READING(on_global_get, gen_global_get(g, read_u32(g, p)));
    ON_READING(on_global_set, gen_global_set(g, read_u32(g, p)));
    ON(on_table_get, gen_table_get(g));
    ON(on_table_set, gen_table_set(g));
    ON(on_load, gen_load(g, OPCODE));
    ON(on_store, gen_store(g, OPCODE));
    ON(on_memory_size, gen_memory_size(g));
    ON(on_memory_grow, gen_memory_grow(g));
on_i32_const:
    if (gen_const(g, ENG_I32, (uint32_t)read_s64(g, p)))
        NEXT;
    p = g->p;
    NEXT_HERE;
on_i64_const:
    if (gen_const(g, ENG_I64, (uint64_t)read_s64(g, p)))
        NEXT;
    p = g->p;
    NEXT_HERE;
    ON(on_f32_const, val_push_const(g, ENG_F32, read_bits(g, 4)));
    ON(on_f64_const, val_push_const(g, ENG_F64, read_bits(g, 8)));
    ON(on_compare, gen_compare(g, OPCODE));
    ON(on_i32_and, gen_test(g) ? (void)0 : gen_numeric(g, OPCODE));
    ON(on_numeric, gen_numeric(g, OPCODE));
    ON(on_float, gen_float(g, OPCODE));
    ON(on_conversion, gen_conversion(g, OPCODE));
    ON(on_ref_null, gen_ref_null(g));
    ON(on_ref_is_null, gen_ref_is_null(g));
    ON(on_ref_func, gen_ref_func(g));
    ON(on_bulk, gen_bulk(g));
    ON(on_simd, gen_simd(g));
on_none: /* no opcode, which validation has refused */
    gen_fail(g, E_INVAL);
}

static void begin_body(struct native_gen *g, uint32_t index, const struct native_body *body)
{
    g->index = index;
    g->p = body->code;
    g->end = body->end;
    g->type = &g->m->types[g->m->funcs[index].type];
    g->local_types = body->local_types;
    g->local_count = body->local_count;
    g->count = g->flushed = g->clause_count = 0;
    g->stub_count = g->const_count = g->wide_count = g->fix_count = 0;
    g->dead = false;
    gen_set_limit(g);
}

static void link_calls(struct native_gen *g, uint32_t index, uint32_t pos)
{
    for (uint32_t at = g->call_sites[index - g->first]; at;) {
        uint32_t next = asm_read32(&g->a, at);
        asm_patch(&g->a, at, pos);
        at = next;
    }
}

/* Where a function begins among 16 bytes is its number modulo 4. Some CPUs (Zen 3) guess an indirect call's
 * target by the calls and returns before it, of which they know where each was, in quarters of 16
 * bytes, and nothing else: functions of one shape that follow each other in a table would look alike. */
static void align_function(struct native_gen *g, uint32_t index)
{
    enum { ALIGN = 16, QUARTER = 4 };
    asm_align_at(&g->a, ALIGN, index * QUARTER % ALIGN);
}

int native_function(struct native_gen *g, uint32_t index, const struct native_body *body)
{
    begin_body(g, index, body);
    if (g->error || !gen_room(g, 64))
        return g->error;
    prescan(g, body);
    align_function(g, index);
    struct native_func *f = &g->n->funcs[index];
    f->code = asm_pos(&g->a);
    f->map = g->map_bytes;
    f->frame = g->frame_total;
    f->far = g->has_far || g->has_bridge ? g->frame_bytes - 8 : 0;
    f->keeps_inst = g->has_far;
    f->saved = (uint16_t)g->gpr_saved;
    f->home_shift = g->home_shift;
    g->map_pos = f->code;
    g->map_offset = body->offset;
    link_calls(g, index, f->code);
    g->labels[0] = (struct glabel){ .kind = GL_FUNC,
                                    .results = g->type->results,
                                    .result_count = g->type->result_count };
    g->label_count = 1;
    gen_prologue(g);
    compile_body(g);
    if (!g->error)
        gen_out_of_line(g);
    for (uint32_t i = 0; i < g->scan.touched_count; i++)
        g->locals[g->scan.touched[i]].weight = 0;
    if (!g->error && asm_pos(&g->a) > g->code_first + g->code_most)
        gen_fail(g, E_UNSUPPORTED); /* whether or not there was room: all generators agree */
    return g->error;
}
