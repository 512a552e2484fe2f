/* Exceptions: making, catching, and freeing those that nothing refers to.
 *
 * References lie in frames, globals, tables and other exceptions. Frames do not say which of
 * their slots hold one, so every word that could be a reference counts as one: a number that
 * happens to look like an address keeps an exception alive for longer, no more. */
#include "base/checked.h"
#include "interp/interp.h"

enum { LIMIT_MIN = 1 << 16 };

static size_t exception_bytes(uint32_t slots)
{
    return sizeof(struct exception) + (size_t)slots * sizeof(uint64_t);
}

/* Addresses of all exceptions, for one collection: open addressing, a power of two. */
struct known {
    struct exception **slots;
    size_t mask;
    struct exception *reached; /* whose values are still to be looked at */
};

static size_t known_at(const struct known *k, uint64_t address)
{
    return (size_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 20) & k->mask;
}

static void known_add(struct known *k, struct exception *e)
{
    size_t at = known_at(k, (uintptr_t)e);
    while (k->slots[at])
        at = (at + 1) & k->mask;
    k->slots[at] = e;
}

static void reach(struct known *k, uint64_t word)
{
    size_t at = known_at(k, word);
    while (k->slots[at] && (uintptr_t)k->slots[at] != word)
        at = (at + 1) & k->mask;
    struct exception *e = k->slots[at];
    if (!e || e->reached)
        return;
    e->reached = true;
    e->marked = k->reached;
    k->reached = e;
}

static void reach_all(struct known *k, const uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        reach(k, words[i]);
}

static void reach_roots(struct eng_store *s, struct known *k)
{
    /* Between the frames of both ends is what earlier ones left, which does no harm. */
    reach_all(k, s->stack, s->stack_bytes / sizeof *s->stack);
    for (const struct eng_table *t = s->tables; t; t = t->next)
        if (t->type == ENG_EXNREF)
            reach_all(k, t->items, t->size);
    for (const struct eng_instance *i = s->instances; i; i = i->next)
        for (uint32_t g = 0; g < i->module->global_count; g++)
            if (i->globals[g] && i->globals[g]->type == ENG_EXNREF)
                reach(k, i->globals[g]->bits);
    if (s->thrown)
        reach(k, (uintptr_t)s->thrown);
    while (k->reached) {
        struct exception *e = k->reached;
        k->reached = e->marked;
        reach_all(k, e->values, e->slots);
    }
}

static void sweep(struct eng_store *s)
{
    struct exception **at = &s->exceptions;
    while (*at) {
        struct exception *e = *at;
        if (e->reached) {
            e->reached = false;
            at = &e->next;
            continue;
        }
        *at = e->next;
        s->exception_bytes -= exception_bytes(e->slots);
        s->env->resize(s->env->ctx, e, exception_bytes(e->slots), 0);
    }
}

static void collect(struct eng_store *s)
{
    size_t count = 0, size = 16;
    for (const struct exception *e = s->exceptions; e; e = e->next)
        count++;
    while (size < count * 2)
        size *= 2;
    struct known k = { .mask = size - 1 };
    k.slots = s->env->resize(s->env->ctx, NULL, 0, size * sizeof(struct exception *));
    if (!k.slots)
        return; /* later, then */
    memset(k.slots, 0, size * sizeof(struct exception *));
    for (struct exception *e = s->exceptions; e; e = e->next)
        known_add(&k, e);
    reach_roots(s, &k);
    s->env->resize(s->env->ctx, k.slots, size * sizeof(struct exception *), 0);
    sweep(s);
    s->exception_limit = s->exception_bytes * 2 > LIMIT_MIN ? s->exception_bytes * 2 : LIMIT_MIN;
}

struct exception *exception_new(struct eng_store *s, const struct eng_tag *tag,
                                const uint64_t *values)
{
    uint32_t slots = tag->type->param_slots;
    if (s->exception_bytes > s->exception_limit)
        collect(s);
    struct exception *e = s->env->resize(s->env->ctx, NULL, 0, exception_bytes(slots));
    if (!e)
        return NULL;
    *e = (struct exception){ .next = s->exceptions, .tag = tag, .slots = slots };
    if (slots)
        memcpy(e->values, values, slots * sizeof *values);
    s->exceptions = e;
    s->exception_bytes += exception_bytes(slots);
    if (!s->exception_limit)
        s->exception_limit = LIMIT_MIN;
    return e;
}

void exceptions_free(struct eng_store *s)
{
    while (s->exceptions) {
        struct exception *e = s->exceptions;
        s->exceptions = e->next;
        s->env->resize(s->env->ctx, e, exception_bytes(e->slots), 0);
    }
}

/* --- catching ----------------------------------------------------------------------- */

/* The first block whose code ends behind word `at`. */
static uint32_t first_try(const struct eng_module *m, uint32_t at)
{
    uint32_t low = 0, high = m->try_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->tries[middle].to <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What of the block catches e, or NULL. */
static const struct module_catch *find_catch(const struct eng_instance *inst,
                                             const struct module_try *t, const struct exception *e)
{
    const struct module_catch *list = inst->module->catches + t->catches;
    for (uint32_t i = 0; i < t->catch_count; i++)
        if (list[i].kind >= CATCH_ALL || inst->tags[list[i].tag] == e->tag)
            return &list[i];
    return NULL;
}

bool exception_may_catch(const struct eng_module *m, uint32_t from, uint32_t end)
{
    uint32_t i = first_try(m, from);
    return i < m->try_count && m->tries[i].to <= end;
}

const struct module_catch *exception_catch(const struct eng_instance *inst, uint32_t at,
                                           uint32_t end, const struct exception *e,
                                           const struct module_try **ret)
{
    const struct eng_module *m = inst->module;
    for (uint32_t i = first_try(m, at); i < m->try_count && m->tries[i].to <= end; i++) {
        const struct module_try *t = &m->tries[i];
        const struct module_catch *c = t->from <= at ? find_catch(inst, t, e) : NULL;
        if (!c)
            continue;
        *ret = t;
        return c;
    }
    return NULL;
}

/* Where function f of inst, in frame fp and at word `at`, goes on with e; NULL when not. */
static const uint64_t *catch_in(const struct eng_instance *inst, uint32_t f, uint32_t at,
                                uint64_t *fp, struct exception *e)
{
    const struct eng_module *m = inst->module;
    uint32_t end = f + 1 < module_func_defined(m) ? m->funcs[f + 1].code : m->code_words;
    const struct module_try *t;
    const struct module_catch *c = exception_catch(inst, at, end, e, &t);
    if (!c)
        return NULL;
    uint64_t *slot = fp + t->slot;
    if (c->kind < CATCH_ALL) {
        memcpy(slot, e->values, e->slots * sizeof *slot);
        slot += e->slots;
    }
    if (c->kind == CATCH_REF || c->kind == CATCH_ALL_REF)
        *slot = (uintptr_t)e;
    return m->code + c->code;
}

/* A function of the host that was called to end the one at pc: none of its blocks is around. */
static bool ends_function(const uint64_t *pc)
{
    const uint64_t *handlers = interp_handlers();
    return *pc == interp_word(handlers, OP_return_call_import) ||
           *pc == interp_word(handlers, OP_return_call_indirect);
}

const uint64_t *exception_unwind(struct eng_store *s, struct exception *e)
{
    const uint64_t *pc = s->pc;
    uint64_t *fp = s->fp;
    struct eng_instance *inst = s->inst;
    bool ended = ends_function(pc);
    s->thrown = e;
    while (pc != s->exit_code) {
        if (s->interrupted) { /* deep stacks take their time */
            s->interrupted = 0;
            s->thrown = NULL;
            return NULL;
        }
        if (pc == s->cross_code) {
            pc = trap_call_site(s, fp[BRIDGE_PC]);
            inst = (struct eng_instance *)(uintptr_t)fp[BRIDGE_INST];
            fp = (uint64_t *)(uintptr_t)fp[BRIDGE_FP];
            continue;
        }
        const struct eng_module *m = inst->module;
        uint32_t at = (uint32_t)(pc - m->code), f = module_func_at(m, at);
        const uint64_t *next = ended ? NULL : catch_in(inst, f, at, fp, e);
        ended = false;
        if (next) {
            s->thrown = NULL;
            s->fp = fp;
            s->inst = inst;
            return next;
        }
        const struct code_header *h = (const struct code_header *)&m->code[m->funcs[f].code - 1];
        pc = trap_call_site(s, fp[h->link]);
        fp = (uint64_t *)(uintptr_t)fp[h->link + 1];
    }
    return NULL;
}
