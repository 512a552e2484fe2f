/* Entering compiled code, and finding the way in it: from places in the code back to the
 * module, from the stack back to the frames. */
#include "x64/frame.h"
#include "x64/gen.h"

/* --- the map ----------------------------------------------------------------------------
 *
 * For each place that can trap, in the order of the code: bytes from the one before (or
 * the function's entry), and twice the zigzag of the distance in the module, plus one
 * when it is behind a call that may have left the instance. Both in LEB128. */

static inline uint8_t *put_varint(uint8_t *p, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *p++ = (uint8_t)(value | 0x80);
    *p++ = (uint8_t)value;
    return p;
}

static inline void put_place(struct native_gen *g, uint32_t pos, uint32_t offset, bool far)
{
    int64_t distance = (int64_t)offset - (int64_t)g->map_offset;
    uint64_t zigzag = (uint64_t)distance << 1 ^ (uint64_t)(distance >> 63);
    uint8_t *p = put_varint(g->map + g->map_bytes, pos - g->map_pos);
    p = put_varint(p, zigzag << 1 | far);
    g->map_bytes = (uint32_t)(p - g->map);
    g->map_pos = pos;
    g->map_offset = offset;
}

/* Not part of gen_place_any(), whose registers it would have to keep. */
static APART void grow_and_put(struct native_gen *g, uint32_t pos,
                                                   uint32_t offset, bool far)
{
    if (gen_grow(g, (void **)&g->map, &g->map_capacity, (size_t)g->map_bytes + PLACE_MAX, 1))
        put_place(g, pos, offset, far);
}

void gen_place_any(struct native_gen *g, uint32_t pos, uint32_t offset, bool far)
{
    if (g->map_capacity - g->map_bytes < PLACE_MAX)
        grow_and_put(g, pos, offset, far);
    else
        put_place(g, pos, offset, far);
}

static uint64_t get_varint(const struct native *n, uint32_t *at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = n->map[(*at)++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
}

struct place {
    uint32_t func; /* defined function */
    uint32_t offset;
    bool far;
};

/* The function that has code at pos, by halving. */
static uint32_t func_at(const struct eng_module *m, uint32_t pos)
{
    uint32_t low = 0, high = module_func_defined(m);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (m->native->funcs[middle].code <= pos)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* False when pc is not exactly a place of m's functions. */
static bool find_place(const struct eng_module *m, uintptr_t pc, struct place *ret)
{
    const struct native *n = m->native;
    uintptr_t pos = pc - (uintptr_t)n->base;
    if (!module_func_defined(m) || pos < n->funcs[0].code || pos > n->funcs_end)
        return false;
    uint32_t f = func_at(m, (uint32_t)pos - 1), count = module_func_defined(m);
    /* A return address behind a function's last instruction is still its own. */
    for (uint32_t i = f; i < count && i < f + 2; i++) {
        uint32_t at = n->funcs[i].map, end = i + 1 < count ? n->funcs[i + 1].map : n->map_bytes;
        uint64_t place = n->funcs[i].code, offset = m->funcs[i].offset;
        while (at < end && place <= pos) {
            place += get_varint(n, &at);
            uint64_t word = get_varint(n, &at), zigzag = word >> 1;
            offset += zigzag & 1 ? ~(zigzag >> 1) : zigzag >> 1;
            if (place == pos) {
                *ret = (struct place){ i, (uint32_t)offset, word & 1 };
                return true;
            }
        }
    }
    return false;
}

bool native_access_at(const struct eng_instance *inst, uintptr_t pc)
{
    struct place at;
    return inst->module->native && find_place(inst->module, pc, &at);
}

/* --- the stack ------------------------------------------------------------------------------ */

/* The place behind the call that pc returns to: of inst's module if it is one, of
 * another instance's otherwise. */
static bool find_caller(const struct eng_store *s, const struct eng_instance *inst, uintptr_t pc,
                        struct place *ret, const struct eng_module **ret_module)
{
    *ret_module = inst->module;
    if (find_place(inst->module, pc, ret))
        return true;
    for (const struct eng_instance *i = s->instances; i; i = i->next) {
        *ret_module = i->module;
        if (i->module->native && find_place(i->module, pc, ret))
            return true;
    }
    return false; /* outside of all functions: the way in */
}

static void enter_frame(struct native_frame *x)
{
    x->ended = x->sp == x->bridge->area;
    if (x->ended) {
        x->inst = x->bridge->inst;
        x->sp = (const uint64_t *)((const uint8_t *)&x->bridge->inst - x->f->far);
        x->bridge = x->bridge->prev;
    } else if (x->far) {
        x->inst = (const struct eng_instance *)(uintptr_t)
            *(const uint64_t *)((const uint8_t *)x->sp + x->f->far);
    }
}

bool native_frame_find(struct native_frame *x)
{
    struct place at;
    if (!x->found || x->pc != x->found) { /* recursion stays where it is */
        if (!find_caller(x->s, x->inst, x->pc, &at, &x->m))
            return false;
        x->found = x->pc;
        x->f = &x->m->native->funcs[at.func];
        x->func = at.func;
        x->offset = at.offset;
        x->far = at.far;
    }
    enter_frame(x);
    return true;
}

static bool in_functions(const struct eng_module *m, uintptr_t pc)
{
    const struct native *n = m->native;
    return n && module_func_defined(m) && pc > (uintptr_t)n->base + n->funcs[0].code &&
           pc <= (uintptr_t)n->base + n->funcs_end;
}

bool native_frame_pass(struct native_frame *x)
{
    const struct eng_instance *i = x->inst;
    if (!in_functions(i->module, x->pc))
        for (i = x->s->instances; i && !in_functions(i->module, x->pc);)
            i = i->next;
    if (!i)
        return false;
    const struct native *n = i->module->native;
    uintptr_t pos = x->pc - (uintptr_t)n->base;
    x->m = i->module;
    x->func = func_at(x->m, (uint32_t)pos - 1);
    x->f = &n->funcs[x->func];
    x->far = x->f->far && (x->f->keeps_inst || pos > x->f->tails);
    x->found = 0;
    enter_frame(x);
    return true;
}

void native_frame_up(struct native_frame *x)
{
    x->sp = (const uint64_t *)((const uint8_t *)x->sp + x->f->frame);
    x->pc = *x->sp++;
}

void native_walk(struct eng_store *s, const void *pc, const uint64_t *sp,
                 const struct eng_instance *inst, const struct native_bridge *bridge,
                 struct eng_trap *trap)
{
    struct native_frame x = { .s = s, .pc = (uintptr_t)pc, .sp = sp, .inst = inst,
                              .bridge = bridge };
    for (; trap->frame_count < ENG_BACKTRACE_MAX ? native_frame_find(&x) : native_frame_pass(&x);
         native_frame_up(&x))
        if (!x.ended)
            trap_frame(trap, x.inst, x.m->func_imports + x.func, x.offset);
}

/* --- the way in --------------------------------------------------------------------------------- */

void native_link(struct eng_instance *inst)
{
    inst->native.store = inst->store;
    inst->native.helpers = native_helpers;
}

_Noreturn void native_unwind(struct eng_store *s)
{
    const struct native *n = s->inst->module->native;
    __asm__ volatile("mov %0, %%rsp\n\tnotrack jmp *%1"
                     :
                     : "r"(s->native_host_sp), "r"(n->base + n->exit)
                     : "memory");
    __builtin_unreachable();
}

typedef void (*native_enter)(struct eng_instance *inst, const uint8_t *code,
                             const union eng_value *args, uint64_t *sp, union eng_value *results);

void native_run(struct eng_store *s, struct eng_func *f, const struct native_way *way,
                const union eng_value *args, union eng_value *results)
{
    struct eng_instance *inst = f->inst;
    uint64_t *sp = (uint64_t *)((uintptr_t)s->stack_end & ~(uintptr_t)15);
    native_enter enter;
    const uint8_t *code = inst->module->native->base + way->code;
    memcpy(&enter, &code, sizeof enter);
    s->inst = inst;
    inst->native.stack_limit = (uintptr_t)s->active->base + NATIVE_SLACK;
    enter(inst, f->native, args, sp, results);
}
