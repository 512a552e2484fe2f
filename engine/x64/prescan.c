/* A first quick walk of a body: how often locals are used, how large the frame must be;
 * from that, which locals live in registers. */
#include "x64/gen.h"

/* What follows an opcode. */
enum { IM_NONE, IM_INDEX, IM_TWO, IM_I32, IM_I64, IM_F32, IM_F64, IM_BLOCK, IM_TABLE, IM_TYPES,
       IM_PREFIX, IM_SIMD };

static const uint8_t immediates[256] = {
    [0x02] = IM_BLOCK, [0x03] = IM_BLOCK, [0x04] = IM_BLOCK, [0x0c] = IM_INDEX, [0x0d] = IM_INDEX,
    [0x0e] = IM_TABLE, [0x10] = IM_INDEX, [0x11] = IM_TWO, [0x1c] = IM_TYPES, [0x20] = IM_INDEX,
    [0x21] = IM_INDEX, [0x22] = IM_INDEX, [0x23] = IM_INDEX, [0x24] = IM_INDEX, [0x25] = IM_INDEX,
    [0x26] = IM_INDEX,
    [0x28] = IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO,
    IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO, IM_TWO,
    [0x3f] = IM_INDEX, [0x40] = IM_INDEX, [0x41] = IM_I32, [0x42] = IM_I64, [0x43] = IM_F32,
    [0x44] = IM_F64, [0xd0] = IM_INDEX, [0xd2] = IM_INDEX, [0xfc] = IM_PREFIX, [0xfd] = IM_SIMD,
};

uint64_t body_leb_slow(const uint8_t **p, bool is_signed)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        byte = *(*p)++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (is_signed && shift < 64 && byte & 0x40)
        value |= ~(uint64_t)0 << shift;
    return value;
}

static void skip_leb(const uint8_t **p)
{
    while (*(*p)++ & 0x80)
        ;
}

static void skip_prefixed(const uint8_t **p)
{
    uint32_t op = body_u32(p);
    unsigned n = op < 8                                     ? 0
                 : op == 8 || op == 10 || op == 12 || op == 14 ? 2
                                                            : 1;
    while (n--)
        skip_leb(p);
}

bool body_skip(const uint8_t **p, uint8_t opcode)
{
    switch (immediates[opcode]) {
    case IM_NONE:
        return true;
    case IM_INDEX:
    case IM_I32:
    case IM_I64:
    case IM_BLOCK:
        skip_leb(p);
        return true;
    case IM_TWO:
        skip_leb(p);
        skip_leb(p);
        return true;
    case IM_F32:
        *p += 4;
        return true;
    case IM_F64:
        *p += 8;
        return true;
    case IM_TABLE:
        for (uint32_t n = body_u32(p) + 1; n; n--)
            skip_leb(p);
        return true;
    case IM_TYPES:
        for (uint32_t n = body_u32(p); n; n--)
            (*p)++;
        return true;
    case IM_PREFIX:
        skip_prefixed(p);
        return true;
    default:
        return false;
    }
}

uint32_t type_out_bytes(const struct eng_functype *t)
{
    uint32_t ints = 0, floats = 0, stack = 0;
    for (uint32_t i = 0; i < t->param_count; i++)
        if (is_float(t->params[i]) ? floats++ >= ARG_XMMS : ints++ >= ARG_GPRS)
            stack++;
    if (t->result_count > 1 && t->result_count > stack)
        stack = t->result_count;
    return stack * 8;
}

enum { LOOP_DEPTH_MAX = 5, LOOP_SHIFT = 3 };

struct scan {
    unsigned loops;  /* around the present place */
    uint32_t weight; /* of a use there */
    uint32_t depth;  /* of blocks */
};

static void set_loops(struct scan *s, unsigned loops)
{
    s->loops = loops;
    s->weight = UINT32_C(1) << (loops < LOOP_DEPTH_MAX ? loops : LOOP_DEPTH_MAX) * LOOP_SHIFT;
}

static void touch_first(struct native_gen *g, uint32_t x)
{
    struct glocal *l = &g->locals[x];
    if (!gen_grow(g, (void **)&g->touched, &g->touched_capacity, g->touched_count + 1u,
                  sizeof *g->touched))
        return;
    g->touched[g->touched_count++] = x;
    l->type = g->local_types[x];
    l->reg = NO_REG;
    l->slot = SLOT_NONE;
    l->mixed = x < g->type->param_count;
}

static inline void touch(struct native_gen *g, uint32_t x, const struct scan *s)
{
    struct glocal *l = &g->locals[x];
    if (!l->weight)
        touch_first(g, x);
    l->weight += l->weight < UINT32_MAX >> 1 ? s->weight : 0;
}

static void saw_call(struct native_gen *g, const struct eng_functype *t, const struct scan *s,
                     bool far)
{
    g->has_calls = true;
    g->has_far |= far;
    g->calls_weight += g->calls_weight < UINT32_MAX >> 2 ? s->weight : 0;
    uint32_t bytes = t ? type_out_bytes(t) : 0;
    if (bytes > g->out_bytes)
        g->out_bytes = bytes;
}

/* Arithmetic or a number: what it gives is no NaN that must keep its payload. */
static bool makes_canonical(uint8_t opcode)
{
    return (opcode >= 0x8d && opcode <= 0x97) || (opcode >= 0x9b && opcode <= 0xa5) ||
           (opcode >= 0xb2 && opcode <= 0xbb);
}

/* Steps over a number; a NaN counts as something that arithmetic did not make. */
static uint8_t float_const(const uint8_t **p, uint8_t opcode)
{
    uint64_t bits = 0;
    bool f64 = opcode == 0x44;
    memcpy(&bits, *p, f64 ? 8 : 4);
    *p += f64 ? 8 : 4;
    bool nan = f64 ? bits << 1 > UINT64_C(0xffe0000000000000) : (bits & 0x7fffffff) > 0x7f800000;
    return nan ? opcode : 0x92;
}

static bool scan_nesting(struct native_gen *g, struct scan *s, uint8_t opcode)
{
    if (opcode == 0x0b) {
        if (s->depth && g->kinds[--s->depth])
            set_loops(s, s->loops - 1);
        return true;
    }
    if (!gen_grow(g, (void **)&g->kinds, &g->kind_capacity, s->depth + 1u, 1))
        return false;
    g->kinds[s->depth++] = opcode == 0x03;
    if (opcode == 0x03)
        set_loops(s, s->loops + 1);
    return true;
}

/* What is neither a local nor plain. *p is behind the opcode; false on failure. */
static bool scan_other(struct native_gen *g, struct scan *s, const uint8_t **p, uint8_t *opcode)
{
    const struct eng_module *m = g->m;
    uint32_t i;
    switch (*opcode) {
    case 0x10:
        i = body_u32(p);
        saw_call(g, &m->types[m->func_types[i]], s, i < m->func_imports);
        return true;
    case 0x11:
        saw_call(g, &m->types[body_u32(p)], s, true);
        skip_leb(p);
        return true;
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x0b:
        if (!scan_nesting(g, s, *opcode))
            return false;
        break;
    case 0x43:
    case 0x44:
        *opcode = float_const(p, *opcode);
        return true;
    case 0x25:
    case 0x26:
    case 0x6d ... 0x70: /* division */
    case 0x7f ... 0x82:
        g->four_temps = true;
        break;
    case 0x40: /* these become calls of C */
    case 0xaf:
    case 0xb1:
    case 0xb5:
    case 0xba:
    case 0xfc:
        saw_call(g, NULL, s, false);
        break;
    default:
        break;
    }
    return body_skip(p, *opcode);
}

/* For the walk: 0 nothing follows, 1 one number of LEB128, 2 two, 3 look closer. */
static uint8_t scan_class(uint8_t opcode)
{
    switch (immediates[opcode]) {
    case IM_NONE:
        return (opcode >= 0x6d && opcode <= 0x70) || (opcode >= 0x7f && opcode <= 0x82) ||
                       opcode == 0x0b || opcode == 0xaf || opcode == 0xb1 || opcode == 0xb5 ||
                       opcode == 0xba
                   ? 3
                   : 0;
    case IM_INDEX:
    case IM_I32:
    case IM_I64:
        return opcode == 0x10 || opcode == 0x25 || opcode == 0x26 || opcode == 0x40 ? 3 : 1;
    case IM_TWO:
        return opcode == 0x11 ? 3 : 2;
    default:
        return 3;
    }
}

static bool scan_body(struct native_gen *g)
{
    struct scan s = { 0 };
    const uint8_t *p = g->p, *end = g->end, *classes = g->scan_classes;
    uint8_t before = 0;
    set_loops(&s, 0);
    while (p < end) {
        uint8_t opcode = *p++, class = classes[opcode];
        if (opcode >= 0x20 && opcode <= 0x22) {
            uint32_t x = body_u32(&p);
            touch(g, x, &s);
            if (opcode != 0x20 && !makes_canonical(before))
                g->locals[x].mixed = true;
        } else if (class == 3) {
            if (!scan_other(g, &s, &p, &opcode)) {
                g->error = g->error ? g->error : E_UNSUPPORTED;
                return false;
            }
        } else {
            for (; class; class--)
                skip_leb(&p);
        }
        before = opcode;
    }
    return !g->error;
}

void prescan_begin(struct native_gen *g)
{
    for (unsigned i = 0; i < 256; i++)
        g->scan_classes[i] = scan_class((uint8_t)i);
}

/* --- registers ---------------------------------------------------------------------- */

enum { BEST_MAX = 9 }; /* no class has more registers */

/* The heaviest locals of a class, the heaviest first. */
struct best {
    uint32_t locals[BEST_MAX];
    unsigned count;
};

static void best_add(const struct native_gen *g, struct best *b, uint32_t x)
{
    uint32_t weight = g->locals[x].weight;
    unsigned i = b->count;
    if (i == BEST_MAX) {
        if (g->locals[b->locals[i - 1]].weight >= weight)
            return;
        i--;
    } else {
        b->count++;
    }
    for (; i && g->locals[b->locals[i - 1]].weight < weight; i--)
        b->locals[i] = b->locals[i - 1];
    b->locals[i] = x;
}

/* The register in which parameter x arrives, or NO_REG. */
static unsigned arrives_in(const struct native_gen *g, uint32_t x)
{
    uint32_t ints = 0;
    if (x >= g->type->param_count)
        return NO_REG;
    for (uint32_t i = 0; i < x; i++)
        ints += !is_float(g->type->params[i]);
    return ints < ARG_GPRS ? arg_gprs[ints] : NO_REG;
}

static const uint8_t callee_saved[] = { RBX, RBP, R12, R11 };
static const uint8_t caller_saved[] = { R8, R9, R10, RSI, RDI }; /* the last is a temporary when four are needed */

static unsigned pick(const uint8_t *from, unsigned n, uint32_t *used)
{
    for (unsigned i = 0; i < n; i++) {
        if (!(*used >> from[i] & 1)) {
            *used |= 1u << from[i];
            return from[i];
        }
    }
    return NO_REG;
}

/* A leaf takes what needs no saving first; others what calls keep. */
static unsigned pick_gpr(struct native_gen *g, uint32_t x, uint32_t *used)
{
    uint32_t weight = g->locals[x].weight;
    unsigned in = arrives_in(g, x), reg = NO_REG;
    if (!g->has_calls) {
        if (in != NO_REG && !(in == RDI && g->four_temps) && !(*used >> in & 1)) {
            *used |= 1u << in;
            return in;
        }
        reg = pick(caller_saved, base_countof(caller_saved) - g->four_temps, used);
        if (reg == NO_REG && weight > 2)
            reg = pick(callee_saved, base_countof(callee_saved), used);
        return reg;
    }
    if (weight > 1)
        reg = pick(callee_saved, base_countof(callee_saved), used);
    if (reg == NO_REG && weight / 2 > g->calls_weight)
        reg = pick(caller_saved, base_countof(caller_saved) - g->four_temps, used);
    return reg;
}

static void pin_gprs(struct native_gen *g, const struct best *b)
{
    uint32_t used = 0;
    for (unsigned i = 0; i < b->count; i++) {
        unsigned reg = pick_gpr(g, b->locals[i], &used);
        if (reg == NO_REG)
            break;
        g->locals[b->locals[i]].reg = (uint8_t)reg;
        g->volatile_local[reg] = b->locals[i];
    }
    for (unsigned i = 0; i < base_countof(callee_saved); i++)
        g->gpr_saved |= used & 1u << callee_saved[i];
    g->gpr_volatile = used & ~g->gpr_saved;
    g->gpr_temps = 1u << RAX | 1u << RCX | 1u << RDX | (~used & (1u << RSI | 1u << RDI));
    g->gpr_free = g->gpr_temps;
}

static void pin_xmms(struct native_gen *g, const struct best *b)
{
    for (unsigned i = 0; i < b->count && i < 16 - XMM_TEMPS; i++) {
        uint32_t x = b->locals[i];
        unsigned reg = XMM_TEMPS + i;
        if (g->has_calls && g->locals[x].weight / 2 <= g->calls_weight)
            break;
        g->locals[x].reg = (uint8_t)reg;
        g->volatile_local[16 + reg] = x;
        g->xmm_volatile |= 1u << reg;
    }
    g->xmm_free = (1u << XMM_TEMPS) - 1;
}

static void pin_locals(struct native_gen *g)
{
    struct best ints = { .count = 0 }, floats = { .count = 0 };
    for (uint32_t i = 0; i < g->touched_count; i++) {
        uint32_t x = g->touched[i];
        best_add(g, is_float(g->locals[x].type) ? &floats : &ints, x);
    }
    pin_gprs(g, &ints);
    pin_xmms(g, &floats);
}

bool prescan(struct native_gen *g, const struct native_body *body)
{
    g->has_calls = g->has_far = g->four_temps = false;
    g->out_bytes = g->calls_weight = 0;
    g->gpr_saved = g->gpr_volatile = g->xmm_volatile = 0;
    g->touched_count = 0;
    uint32_t had = g->local_capacity;
    if (!gen_grow(g, (void **)&g->locals, &g->local_capacity, g->local_count, sizeof *g->locals))
        return false;
    if (g->local_capacity > had)
        memset(g->locals + had, 0, (g->local_capacity - had) * sizeof *g->locals);
    if (!scan_body(g))
        return false;
    pin_locals(g);
    uint32_t slots = 0;
    for (uint32_t i = 0; i < g->touched_count; i++) {
        struct glocal *l = &g->locals[g->touched[i]];
        bool kept = l->reg != NO_REG && !is_float(l->type) && (g->gpr_saved >> l->reg & 1);
        if (l->reg == NO_REG || (g->has_calls && !kept))
            l->slot = slots++;
        l->mixed |= l->reg == NO_REG; /* what is in memory is clean */
        l->dirty = is_float(l->type) && !l->mixed;
    }
    unsigned saved = (unsigned)__builtin_popcount(g->gpr_saved);
    g->value_base = g->out_bytes + slots * 8;
    g->frame_bytes = g->value_base + (body->height + 1 + g->has_far) * 8;
    g->frame_total = g->frame_bytes + saved * 8;
    return true;
}
