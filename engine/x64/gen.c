/* A module's native code: the generator's memory, one function after the other, the end. */
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
    bool any = have > need && !g->dead && !g->error;
    g->limit = g->a.start + (any ? have - need : 0);
}

/* --- memory --------------------------------------------------------------------------------- */

bool gen_more_room(struct native_gen *g, size_t bytes)
{
    size_t have = (size_t)(g->a.end - g->a.start), used = (size_t)(g->a.p - g->a.start);
    if (g->error)
        return false;
    base_assert(g->a.p <= g->a.end);
    size_t want = have * 2 > used + bytes ? have * 2 : used + bytes;
    if (have && want > g->code_most) {
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

static bool cpu_suits(struct native_gen *g)
{
    uint32_t can = g->env->cpu ? g->env->cpu : eng_cpu();
    g->bmi2 = can & CPU_BMI2;
    g->avx = can & CPU_AVX;
    return can & CPU_SUITS;
}

/* --- bodies ------------------------------------------------------------------------------------ */

/* Behind what never returns: up to the end or else that code can reach again. */
static void skip_dead(struct native_gen *g)
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

static void gen_drop(struct native_gen *g)
{
    struct gval *v = val_take(g);
    val_release(g, v);
}

/* Often there are several. */
static inline void gen_local_gets(struct native_gen *g)
{
    for (;;) {
        val_push_local(g, body_u32(&g->p));
        if (*g->p != 0x20)
            return;
        g->p++;
    }
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

/* One instruction whose opcode has been read. The cases in the order of their numbers. */
static inline void gen_any(struct native_gen *g, uint8_t opcode)
{
    switch (opcode) {
    case 0x00:
        gen_unreachable(g);
        break;
    case 0x01:
        break;
    case 0x02:
        gen_block(g, GL_BLOCK);
        break;
    case 0x03:
        gen_block(g, GL_LOOP);
        break;
    case 0x04:
        gen_block(g, GL_IF);
        break;
    case 0x05:
        gen_else(g);
        break;
    case 0x08:
        gen_throw(g);
        break;
    case 0x0a:
        gen_throw_ref(g);
        break;
    case 0x0b:
        gen_end(g);
        break;
    case 0x0c:
        gen_br(g, body_u32(&g->p));
        break;
    case 0x0d:
        gen_br_if(g, body_u32(&g->p));
        break;
    case 0x0e:
        gen_br_table(g);
        break;
    case 0x0f:
        gen_return(g);
        break;
    case 0x10:
        gen_call(g, body_u32(&g->p));
        break;
    case 0x11:
        gen_call_indirect(g);
        break;
    case 0x12:
        gen_return_call(g, body_u32(&g->p));
        break;
    case 0x13:
        gen_return_call_indirect(g);
        break;
    case 0x1a:
        gen_drop(g);
        break;
    case 0x1c:
        g->p++; /* one type */
        body_type(&g->p);
        gen_select(g);
        break;
    case 0x1b:
        gen_select(g);
        break;
    case 0x1f:
        gen_block(g, GL_TRY);
        break;
    case 0x20:
        gen_local_gets(g);
        break;
    case 0x21:
    case 0x22:
        gen_local_set(g, body_u32(&g->p), opcode == 0x22);
        break;
    case 0x23:
        gen_global_get(g, body_u32(&g->p));
        break;
    case 0x24:
        gen_global_set(g, body_u32(&g->p));
        break;
    case 0x25:
        gen_table_get(g);
        break;
    case 0x26:
        gen_table_set(g);
        break;
    case 0x28 ... 0x35:
        gen_load(g, opcode);
        break;
    case 0x36 ... 0x3e:
        gen_store(g, opcode);
        break;
    case 0x3f:
        gen_memory_size(g);
        break;
    case 0x40:
        gen_memory_grow(g);
        break;
    case 0x41:
        val_push_const(g, ENG_I32, (uint32_t)body_s64(&g->p));
        break;
    case 0x42:
        val_push_const(g, ENG_I64, (uint64_t)body_s64(&g->p));
        break;
    case 0x43:
        val_push_const(g, ENG_F32, read_bits(g, 4));
        break;
    case 0x44:
        val_push_const(g, ENG_F64, read_bits(g, 8));
        break;
    case 0x45 ... 0x66:
        gen_compare(g, opcode);
        break;
    case 0x71: /* i32.and */
        if (gen_test(g))
            break;
        gen_numeric(g, opcode);
        break;
    case 0x67 ... 0x70:
    case 0x72 ... 0x8a:
        gen_numeric(g, opcode);
        break;
    case 0x8b ... 0xa6:
    case 0xa8 ... 0xab:
    case 0xae ... 0xbf:
        gen_float(g, opcode);
        break;
    case 0xd0:
        gen_ref_null(g);
        break;
    case 0xd1:
        gen_ref_is_null(g);
        break;
    case 0xd2:
        gen_ref_func(g);
        break;
    case 0xfc:
        gen_bulk(g);
        break;
    case 0xfd:
        gen_simd(g);
        break;
    default: /* 0xa7, 0xac, 0xad, 0xc0 to 0xc4 */
        gen_conversion(g, opcode);
        break;
    }
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
    if (g->dead)
        skip_dead(g);
    else
        gen_set_limit(g);
    return gen_op_room(g);
}

static void compile_body(struct native_gen *g)
{
    while (g->a.p < g->limit || attend(g)) {
        g->at = g->p++;
        gen_any(g, *g->at);
    }
}

static void begin_body(struct native_gen *g, uint32_t index, const struct native_body *body)
{
    g->index = index;
    g->p = body->code;
    g->end = body->end;
    g->bytes = g->l->r.start;
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
    for (uint32_t at = g->call_sites[index]; at;) {
        uint32_t next = asm_read32(&g->a, at);
        asm_patch(&g->a, at, pos);
        at = next;
    }
}

int native_function(struct native_gen *g, uint32_t index, const struct native_body *body)
{
    enum { FUNC_ALIGN = 16 };
    begin_body(g, index, body);
    if (g->error || !gen_room(g, 64))
        return g->error;
    prescan(g, body);
    asm_align(&g->a, FUNC_ALIGN);
    struct native_func *f = &g->n->funcs[index];
    f->code = asm_pos(&g->a);
    f->map = g->n->map_bytes;
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
    return g->error;
}

/* --- a module -------------------------------------------------------------------------------------- */

static void *take(struct native_gen *g, size_t count, size_t size)
{
    size_t bytes = count * size;
    void *p = g->env->resize(g->env->ctx, NULL, 0, bytes ? bytes : 1);
    if (p)
        memset(p, 0, bytes);
    return p;
}

static void give(struct native_gen *g, void *p, size_t count, size_t size)
{
    if (p)
        g->env->resize(g->env->ctx, p, count * size ? count * size : 1, 0);
}

struct native_gen *native_begin(struct loader *l)
{
    enum { CODE_FIRST = 8192, CODE_LARGE = 1 << 20, EXPANSION = 4, EXPANSION_MOST = 64, VALS_FIRST = 64, LABELS_FIRST = 16 };
    const struct eng_env *env = l->env;
    struct eng_module *m = l->m;
    if (!env->code_create)
        return NULL;
    struct native_gen *g = env->resize(env->ctx, NULL, 0, sizeof *g);
    if (!g)
        return NULL;
    memset(g, 0, sizeof *g);
    g->l = l;
    g->m = m;
    g->env = env;
    g->checking = !m->unchecked;
    g->hardened = !env->unhardened;
    g->n = pool_alloc(&m->pool, env, 1, sizeof *g->n);
    g->code_most = CODE_FIRST + CODE_LARGE + reader_left(&l->r) * EXPANSION_MOST;
    bool ok = g->n && cpu_suits(g) && instance_layout(m, &g->layout) &&
              g->layout.bytes < INT32_MAX;
    if (ok) {
        g->n->funcs = pool_alloc(&m->pool, env, module_func_defined(m), sizeof *g->n->funcs);
        g->n->ways = pool_alloc(&m->pool, env, m->type_count, sizeof *g->n->ways);
        g->call_sites = take(g, module_func_defined(m), sizeof *g->call_sites);
        g->far_sites = take(g, m->type_count, sizeof *g->far_sites);
        g->type_out = take(g, m->type_count, sizeof *g->type_out);
        for (uint32_t i = 0; g->type_out && i < m->type_count; i++)
            g->type_out[i] = type_out_bytes(&m->types[i]);
        ok = g->n->funcs && g->n->ways && g->call_sites && g->far_sites && g->type_out &&
             gen_grow(g, (void **)&g->vals, &g->val_capacity, VALS_FIRST, sizeof *g->vals) &&
             gen_grow(g, (void **)&g->labels, &g->label_capacity, LABELS_FIRST,
                      sizeof *g->labels) &&
             gen_room(g, CODE_FIRST + reader_left(&l->r) * EXPANSION);
    }
    if (!ok) {
        native_end(g);
        return NULL;
    }
    gen_entries(g);
    return g;
}

/* What catches exceptions becomes the module's. 0 or E_NOMEM, and then it is not. */
static int give_tries(struct native_gen *g)
{
    struct eng_module *m = g->l->m;
    const struct eng_env *env = g->env;
    if (!g->try_count)
        return 0;
    struct module_try *tries = env->resize(env->ctx, NULL, 0, g->try_count * sizeof *tries);
    struct module_catch *catches = env->resize(env->ctx, NULL, 0, g->catch_count * sizeof *catches);
    if (!tries || !catches) {
        if (tries)
            env->resize(env->ctx, tries, g->try_count * sizeof *tries, 0);
        if (catches)
            env->resize(env->ctx, catches, g->catch_count * sizeof *catches, 0);
        return E_NOMEM;
    }
    memcpy(tries, g->tries, g->try_count * sizeof *tries);
    memcpy(catches, g->catches, g->catch_count * sizeof *catches);
    m->tries = tries;
    m->try_count = g->try_count;
    m->catches = catches;
    m->catch_count = g->catch_count;
    return 0;
}

int native_finish(struct native_gen *g)
{
    struct native *n = g->n;
    n->funcs_end = asm_pos(&g->a);
    n->exit = g->entries.exit;
    if (gen_room(g, 64))
        asm_align(&g->a, 16);
    gen_adapters(g);
    if (g->error)
        return g->error;
    n->bytes = asm_pos(&g->a);
    uint8_t *code = g->env->code_create(g->env->ctx, n->bytes);
    if (!code)
        return E_NOMEM;
    memcpy(code, g->a.start, n->bytes);
    int err = g->env->code_seal(g->env->ctx, code, n->bytes);
    if (!err)
        err = give_tries(g);
    if (err) {
        g->env->code_destroy(g->env->ctx, code, n->bytes);
        return err;
    }
    n->base = code;
    g->l->m->native = n;
    return 0;
}

void native_end(struct native_gen *g)
{
    if (!g)
        return;
    const struct eng_env *env = g->env;
    if (g->n && g->l->m->native != g->n && g->n->map)
        env->resize(env->ctx, g->n->map, g->n->map_capacity, 0);
    if (g->a.start)
        env->resize(env->ctx, g->a.start, (size_t)(g->a.end - g->a.start), 0);
    give(g, g->call_sites, module_func_defined(g->m), sizeof *g->call_sites);
    give(g, g->far_sites, g->m->type_count, sizeof *g->far_sites);
    give(g, g->type_out, g->m->type_count, sizeof *g->type_out);
    struct { void *p; size_t bytes; } arrays[] = {
        { g->locals, g->local_capacity * sizeof *g->locals },
        { g->scan.uses, g->scan.use_capacity * sizeof *g->scan.uses },
        { g->scan.touched, g->scan.touched_capacity * sizeof *g->scan.touched },
        { g->vals, g->val_capacity * sizeof *g->vals },
        { g->labels, g->label_capacity * sizeof *g->labels },
        { g->clauses, g->clause_capacity * sizeof *g->clauses },
        { g->tries, g->try_capacity * sizeof *g->tries },
        { g->catches, g->catch_capacity * sizeof *g->catches },
        { g->fixes, g->fix_capacity * sizeof *g->fixes },
        { g->stubs, g->stub_capacity * sizeof *g->stubs },
        { g->consts, g->const_capacity * sizeof *g->consts },
        { g->wides, g->wide_capacity * sizeof *g->wides },
    };
    for (unsigned i = 0; i < base_countof(arrays); i++)
        if (arrays[i].p)
            env->resize(env->ctx, arrays[i].p, arrays[i].bytes, 0);
    env->resize(env->ctx, g, sizeof *g, 0);
}

void native_free(const struct eng_env *env, struct native *n)
{
    if (!n)
        return;
    env->code_destroy(env->ctx, n->base, n->bytes);
    if (n->map)
        env->resize(env->ctx, n->map, n->map_capacity, 0);
}
