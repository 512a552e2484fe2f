/* What is known of a body before it is compiled, noted while it is validated: how often locals
 * are used, how large the frame must be; from that, which locals live in registers. */
#include "x64/gen.h"

/* What follows an opcode. */
enum { IM_NONE, IM_INDEX, IM_TWO, IM_I32, IM_I64, IM_F32, IM_F64, IM_BLOCK, IM_TABLE, IM_TYPES,
       IM_PREFIX, IM_SIMD, IM_MEMARG, IM_TRY };

static const uint8_t immediates[256] = {
    [0x02] = IM_BLOCK, [0x03] = IM_BLOCK, [0x04] = IM_BLOCK, [0x0c] = IM_INDEX, [0x0d] = IM_INDEX,
    [0x0e] = IM_TABLE, [0x10] = IM_INDEX, [0x11] = IM_TWO, [0x1c] = IM_TYPES, [0x20] = IM_INDEX,
    [0x21] = IM_INDEX, [0x22] = IM_INDEX, [0x23] = IM_INDEX, [0x24] = IM_INDEX, [0x25] = IM_INDEX,
    [0x26] = IM_INDEX, [0x08] = IM_INDEX, [0x1f] = IM_TRY, [0x12] = IM_INDEX, [0x13] = IM_TWO,
    [0x28] = IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG,
    IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG,
    IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG, IM_MEMARG,
    [0x3f] = IM_INDEX, [0x40] = IM_INDEX, [0x41] = IM_I32, [0x42] = IM_I64, [0x43] = IM_F32,
    [0x44] = IM_F64, [0xd0] = IM_INDEX, [0xd2] = IM_INDEX, [0xfc] = IM_PREFIX, [0xfd] = IM_SIMD,
};

/* At least two bytes. */
uint64_t body_leb_slow(const uint8_t **p, bool is_signed)
{
    enum { SIGN_OF_TWO = 0x2000 };
    const uint8_t *two = *p;
    uint64_t value = (two[0] & 0x7f) | (uint64_t)two[1] << 7;
    if (two[1] < 0x80) {
        *p += 2;
        return is_signed ? (value ^ SIGN_OF_TWO) - SIGN_OF_TWO : value;
    }
    unsigned shift = 7;
    uint8_t byte;
    const uint8_t *at = two + 1;
    value = two[0];
    do { /* each takes the bit that says so from the one before it */
        byte = *at++;
        value += ((uint64_t)byte - 1) << shift;
        shift += 7;
    } while (byte & 0x80);
    *p = at;
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

static void skip_blocktype(const uint8_t **p)
{
    if (**p == 0x63 || **p == 0x64)
        body_type(p);
    else
        skip_leb(p);
}

static void skip_clauses(const uint8_t **p)
{
    for (uint32_t n = body_u32(p); n; n--) {
        if (*(*p)++ < CATCH_ALL)
            skip_leb(p); /* tag */
        skip_leb(p);
    }
}

void body_skip(const uint8_t **p, uint8_t opcode)
{
    switch (immediates[opcode]) {
    case IM_NONE:
        return;
    case IM_INDEX:
    case IM_I32:
    case IM_I64:
        skip_leb(p);
        return;
    case IM_BLOCK:
        skip_blocktype(p);
        return;
    case IM_TRY:
        skip_blocktype(p);
        skip_clauses(p);
        return;
    case IM_MEMARG:
        if (body_u32(p) & MEMARG_HAS_INDEX)
            skip_leb(p);
        skip_leb(p);
        return;
    case IM_TWO:
        skip_leb(p);
        skip_leb(p);
        return;
    case IM_F32:
        *p += 4;
        return;
    case IM_F64:
        *p += 8;
        return;
    case IM_TABLE:
        for (uint32_t n = body_u32(p) + 1; n; n--)
            skip_leb(p);
        return;
    case IM_TYPES:
        for (uint32_t n = body_u32(p); n; n--)
            body_type(p);
        return;
    case IM_PREFIX:
        skip_prefixed(p);
        return;
    case IM_SIMD:
        simd_skip(p);
        return;
    }
}

uint32_t type_out_bytes(const struct eng_functype *t)
{
    uint32_t ints = 0, floats = 0, stack = 0;
    for (uint32_t i = 0; i < t->param_count; i++)
        if (is_float(t->params[i]) ? floats++ >= ARG_XMMS : ints++ >= ARG_GPRS)
            stack += type_words(t->params[i]);
    uint32_t results = t->result_count > 1 ? eng_slots(t->results, t->result_count) : 0;
    stack = results > stack ? results : stack;
    return stack * 8;
}

/* Of C, for an instruction. */
static void saw_helper(struct native_gen *g)
{
    g->has_calls = true;
    g->calls_weight += g->calls_weight < UINT32_MAX >> 2 ? g->scan.weight : 0;
}

void native_saw_call(struct native_gen *g, uint32_t type, bool far)
{
    saw_helper(g);
    g->has_far |= far;
    if (g->type_out[type] > g->out_bytes)
        g->out_bytes = g->type_out[type];
}

/* far: perhaps to another instance. */
static void saw_tail(struct native_gen *g, uint32_t type, bool far)
{
    uint32_t bytes = g->type_out[type];
    g->has_tails = true;
    g->has_bridge |= far;
    if (bytes > g->tail_bytes)
        g->tail_bytes = bytes;
    if (bytes > g->out_bytes)
        g->out_bytes = bytes;
}

/* Arithmetic or a number: what it gives is no NaN that must keep its payload. */
static uint8_t canonical_op(uint8_t opcode)
{
    bool is = (opcode >= 0x8d && opcode <= 0x97) || (opcode >= 0x9b && opcode <= 0xa5) ||
              (opcode >= 0xb2 && opcode <= 0xbb);
    return is ? CANONICAL : 0;
}

/* Of a number; a NaN counts as something that arithmetic did not make. */
static bool canonical_const(const uint8_t *p, bool f64)
{
    uint64_t bits = 0;
    memcpy(&bits, p, f64 ? 8 : 4);
    return f64 ? bits << 1 <= UINT64_C(0xffe0000000000000) : (bits & 0x7fffffff) <= 0x7f800000;
}

/* Does the instruction give a float whose NaN, if it is one, arithmetic made? Read as f32 or f32x4
 * (bit 0), as f64x2 (1). */
static uint8_t canonical(const uint8_t *at)
{
    switch (at ? *at : 0) {
    case 0x43:
    case 0x44:
        return canonical_const(at + 1, *at == 0x44) ? CANONICAL : 0;
    case 0xfd:
        return simd_canonical(at + 1);
    default:
        return at ? canonical_op(*at) : 0;
    }
}

void native_scan_set(struct native_scan *s, uint32_t local, const uint8_t *last)
{
    s->uses[local].mixed |= (uint8_t)(~canonical(last) & CANONICAL);
}

enum scan_watch { WATCH_NONE, WATCH_LOCAL, WATCH_TRY, WATCH_CALL, WATCH_INDIRECT, WATCH_TEMPS,
                  WATCH_HELPER, WATCH_TAIL };

static enum scan_watch watch_of(uint8_t opcode)
{
    switch (opcode) {
    case 0x1f:
        return WATCH_TRY;
    case 0x10:
        return WATCH_CALL;
    case 0x11:
        return WATCH_INDIRECT;
    case 0x20 ... 0x22:
        return WATCH_LOCAL;
    case 0x25:
    case 0x26:
    case 0x6d ... 0x70: /* division */
    case 0x7f ... 0x82:
        return WATCH_TEMPS;
    case 0x08: /* these become calls of C */
    case 0x0a:
    case 0x40:
    case 0xaf:
    case 0xb1:
    case 0xb5:
    case 0xba:
    case 0xfc:
        return WATCH_HELPER;
    case 0x12:
    case 0x13:
        return WATCH_TAIL;
    default:
        return WATCH_NONE;
    }
}

bool native_watches(uint8_t opcode)
{
    return watch_of(opcode) != WATCH_NONE;
}

static bool is_access(uint8_t opcode)
{
    return opcode >= 0x28 && opcode <= 0x3e;
}

static void saw_local(struct native_scan *s, const uint8_t *at)
{
    const uint8_t *p = at + 1;
    uint32_t x = body_u32(&p);
    native_scan_use(s, x);
    if (*at != 0x20)
        native_scan_set(s, x, s->last);
}

void native_saw(struct native_gen *g, const uint8_t *at)
{
    const struct eng_module *m = g->m;
    const uint8_t *p = at + 1;
    uint32_t i;
    switch (watch_of(*at)) {
    case WATCH_NONE: /* but for those that name a memory, which take the slow way here */
        g->four_temps |= is_access(*at) && *p & MEMARG_HAS_INDEX;
        break;
    case WATCH_LOCAL:
        saw_local(&g->scan, at);
        break;
    case WATCH_TRY: /* what can be caught comes from a call */
        g->has_calls = true;
        break;
    case WATCH_CALL:
        i = body_u32(&p);
        native_saw_call(g, m->func_types[i], i < m->func_imports);
        break;
    case WATCH_INDIRECT:
        native_saw_call(g, body_u32(&p), true);
        break;
    case WATCH_TEMPS:
        g->four_temps = true;
        break;
    case WATCH_HELPER:
        saw_helper(g);
        break;
    case WATCH_TAIL:
        i = body_u32(&p);
        if (*at == 0x12)
            saw_tail(g, m->func_types[i], i < m->func_imports);
        else
            saw_tail(g, i, true);
        break;
    }
    g->scan.last = at;
}

struct native_scan *native_function_begin(struct native_gen *g, uint32_t params, uint32_t locals)
{
    struct native_scan *s = &g->scan;
    uint32_t had = s->use_capacity, had_locals = g->local_capacity;
    g->has_calls = g->has_far = g->four_temps = g->has_tails = g->has_bridge = false;
    g->out_bytes = g->calls_weight = g->tail_bytes = 0;
    if (!gen_grow(g, (void **)&s->uses, &s->use_capacity, locals, sizeof *s->uses) ||
        !gen_grow(g, (void **)&s->touched, &s->touched_capacity, locals, sizeof *s->touched) ||
        !gen_grow(g, (void **)&g->locals, &g->local_capacity, locals, sizeof *g->locals))
        return NULL;
    if (s->use_capacity > had)
        memset(s->uses + had, 0, (s->use_capacity - had) * sizeof *s->uses);
    if (g->local_capacity > had_locals)
        memset(g->locals + had_locals, 0, (g->local_capacity - had_locals) * sizeof *g->locals);
    s->touched_count = 0;
    s->params = params;
    s->last = NULL;
    s->loops = 0;
    native_scan_loop(s, 0);
    return s;
}

/* Of a float or vector; mixed: of native_use. */
static uint8_t dirty_of(uint8_t mixed)
{
    return !(mixed & 1) ? DIRTY_F32 : !(mixed & 2) ? DIRTY_F64 : CLEAN;
}

/* --- registers ---------------------------------------------------------------------- */

enum { BEST_MAX = 9 }; /* no class has more registers */

/* The heaviest locals of a class, the heaviest first: weight << 32 | local. */
struct best {
    uint64_t locals[BEST_MAX];
    unsigned count;
};

static inline void best_add(struct best *b, uint32_t x, uint32_t weight)
{
    uint64_t key = (uint64_t)weight << 32;
    unsigned i = b->count;
    if (i == BEST_MAX) {
        if (b->locals[i - 1] >= key)
            return;
        i--;
    } else {
        b->count++;
    }
    for (; i && b->locals[i - 1] < key; i--)
        b->locals[i] = b->locals[i - 1];
    b->locals[i] = key | x;
}

/* What has been seen of locals becomes the generator's own; all are in slots. */
static void take_uses(struct native_gen *g, struct best *ints, struct best *floats)
{
    enum { WEIGHT_MAX = INT32_MAX };
    const uint32_t *touched = g->scan.touched;
    struct native_use *uses = g->scan.uses;
    struct glocal *locals = g->locals;
    for (uint32_t i = 0, n = g->scan.touched_count; i < n; i++) {
        uint32_t x = touched[i];
        struct native_use *use = &uses[x];
        uint32_t weight = use->weight < WEIGHT_MAX ? (uint32_t)use->weight : WEIGHT_MAX;
        uint8_t type = g->local_types[x], dirty = CLEAN;
        if (is_float(type)) {
            dirty = dirty_of(use->mixed);
            best_add(floats, x, weight);
        } else {
            best_add(ints, x, weight);
        }
        locals[x] = (struct glocal){ .weight = weight,
                                     .slot = 0, /* until it needs none */
                                     .type = type,
                                     .kind = G_LOCAL,
                                     .reg = NO_REG,
                                     .dirty = dirty };
        *use = (struct native_use){ 0 };
    }
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

/* Registers that are left, four bits each, the next lowest; and all that are used. */
struct left {
    uint32_t callee_saved, caller_saved, used;
};
enum {
    CALLEE_SAVED = RBX | RBP << 4 | R12 << 8 | R11 << 12,
    CALLER_SAVED = R8 | R9 << 4 | R10 << 8 | RSI << 12, /* and RDI, unless four temporaries are needed */
    CALLEE_SAVED_SET = 1 << RBX | 1 << RBP | 1 << R12 | 1 << R11
};

static inline unsigned pick(uint32_t *list, uint32_t *used)
{
    for (; *list; *list >>= 4) {
        unsigned reg = *list & 15;
        if (*used >> reg & 1)
            continue;
        *used |= 1u << reg;
        return reg;
    }
    return NO_REG;
}

/* A leaf takes what needs no saving first, and a parameter where it arrives. */
static unsigned pick_leaf(const struct native_gen *g, struct left *left, uint32_t x, uint32_t weight)
{
    unsigned in = arrives_in(g, x);
    if (in != NO_REG && !(in == RDI && g->four_temps) && !(left->used >> in & 1)) {
        left->used |= 1u << in;
        return in;
    }
    unsigned reg = pick(&left->caller_saved, &left->used);
    if (reg == NO_REG && weight > 2)
        reg = pick(&left->callee_saved, &left->used);
    return reg;
}

/* Others what calls keep. */
static inline unsigned pick_kept(const struct native_gen *g, struct left *left, uint32_t weight)
{
    unsigned reg = NO_REG;
    if (weight > 1)
        reg = pick(&left->callee_saved, &left->used);
    if (reg == NO_REG && weight / 2 > g->calls_weight)
        reg = pick(&left->caller_saved, &left->used);
    return reg;
}

/* kept: by calls, or there are none. */
static inline void pin(struct native_gen *g, uint32_t x, unsigned reg, bool kept)
{
    g->locals[x].reg = (uint8_t)reg;
    if (kept)
        g->locals[x].slot = SLOT_NONE;
}

static void pin_gprs(struct native_gen *g, const struct best *b)
{
    struct left left = { CALLEE_SAVED, CALLER_SAVED | (g->four_temps ? 0 : RDI << 16), 0 };
    for (unsigned i = 0; i < b->count; i++) {
        uint32_t x = (uint32_t)b->locals[i], weight = (uint32_t)(b->locals[i] >> 32);
        unsigned reg = g->has_calls ? pick_kept(g, &left, weight) : pick_leaf(g, &left, x, weight);
        if (reg == NO_REG)
            break;
        pin(g, x, reg, !g->has_calls || CALLEE_SAVED_SET >> reg & 1);
        g->volatile_local[reg] = x;
    }
    g->gpr_saved = left.used & CALLEE_SAVED_SET;
    g->gpr_volatile = left.used & ~g->gpr_saved;
    g->gpr_temps = 1u << RAX | 1u << RCX | 1u << RDX | (~left.used & (1u << RSI | 1u << RDI));
    g->gpr_free = g->gpr_temps;
}

static void pin_xmms(struct native_gen *g, const struct best *b)
{
    unsigned most = 16 - XMM_TEMPS - g->vectors; /* X_SCRATCH is the last */
    for (unsigned i = 0; i < b->count && i < most; i++) {
        uint32_t x = (uint32_t)b->locals[i], weight = (uint32_t)(b->locals[i] >> 32);
        unsigned reg = XMM_TEMPS + i;
        if (g->has_calls && weight / 2 <= g->calls_weight)
            break;
        pin(g, x, reg, !g->has_calls);
        g->volatile_local[16 + reg] = x;
        g->xmm_volatile |= 1u << reg;
    }
    g->xmm_free = (1u << XMM_TEMPS) - 1;
}

/* Which locals live where; bytes of slots. */
static uint32_t place_locals(struct native_gen *g)
{
    struct best ints, floats;
    uint32_t words = 0;
    ints.count = floats.count = 0;
    take_uses(g, &ints, &floats);
    pin_gprs(g, &ints);
    pin_xmms(g, &floats);
    for (uint32_t i = 0, n = g->scan.touched_count; i < n; i++) {
        struct glocal *l = &g->locals[g->scan.touched[i]];
        if (l->slot == SLOT_NONE)
            continue;
        if (l->reg == NO_REG)
            l->dirty = CLEAN; /* what is in memory is */
        l->slot = words;
        words += type_words(l->type);
    }
    return words * 8;
}

void prescan(struct native_gen *g, const struct native_body *body)
{
    g->xmm_volatile = 0;
    g->vectors = body->vectors;
    g->home_shift = body->vectors ? 4 : 3;
    g->has_bridge |= g->tail_bytes > g->type_out[g->m->funcs[g->index].type];
    uint32_t slots = place_locals(g);
    unsigned saved = 0;
    for (uint32_t regs = g->gpr_saved; regs; regs &= regs - 1)
        saved++;
    g->value_base = g->out_bytes + slots;
    uint32_t back = g->has_bridge ? sizeof(struct native_bridge) : g->has_far * 8u;
    g->frame_bytes = g->value_base + ((body->height + 1) << g->home_shift) + back;
    g->frame_total = g->frame_bytes + saved * 8;
}
