/* Exceptions in compiled code: from the frame that throws to the one that catches.
 *
 * Code that throws has come here through the entry `raise`, which saved the registers that callees
 * keep. Each frame on the way says which of them it saved, so that the frame that catches gets
 * its own back. */
#include "x64/frame.h"
#include "x64/gen.h"

/* What `raise` leaves at `saved`, and takes to go on with a frame: right below it. */
enum { SAVED_R11, SAVED_R12, SAVED_RBP, SAVED_RBX, SAVED_PC, SAVED_WORDS };

/* As the prologue pushes them. */
static const struct {
    uint8_t reg, at;
} order[] = { { RBX, SAVED_RBX }, { RBP, SAVED_RBP }, { R12, SAVED_R12 }, { R11, SAVED_R11 } };

static void restore_saved(const struct native_frame *x, uint64_t *regs)
{
    const uint64_t *p = (const uint64_t *)((const uint8_t *)x->sp + x->f->frame);
    for (unsigned i = 0; i < base_countof(order); i++)
        if (x->f->saved >> order[i].reg & 1)
            regs[order[i].at] = *--p;
}

/* The place behind the function's last. */
static uint32_t function_end(const struct eng_module *m, uint32_t func)
{
    return func + 1 < module_func_defined(m) ? m->funcs[func + 1].offset : UINT32_MAX;
}

static const struct module_catch *find_catch(const struct native_frame *x,
                                             const struct exception *e,
                                             const struct module_try **ret)
{
    const struct eng_module *m = x->m;
    uintptr_t pos = x->pc - (uintptr_t)m->native->base;
    if (x->ended || pos > x->f->tails) /* a call that ended the function is in none of its blocks */
        return NULL;
    return exception_catch(x->inst, x->offset, function_end(m, x->func), e, ret);
}

/* What was caught goes home, above the operands below the block. */
static void put_values(const struct native_frame *x, const struct module_try *t, uint32_t kind,
                       const struct exception *e)
{
    uint8_t *to = (uint8_t *)(uintptr_t)x->sp + t->slot;
    const struct eng_functype *type = &e->tag->type->type;
    const uint64_t *from = e->values;
    for (uint32_t i = 0; kind < CATCH_ALL && i < type->param_count; i++) {
        uint8_t param = type->params[i];
        uint32_t words = type_words(param);
        uint64_t low = is_wide(param) ? *from : (uint32_t)*from;
        memcpy(to, &low, sizeof low);
        if (words > 1)
            memcpy(to + sizeof low, from + 1, sizeof low);
        from += words;
        to += (size_t)1 << x->f->home_shift;
    }
    uint64_t ref = (uintptr_t)e;
    if (kind == CATCH_REF || kind == CATCH_ALL_REF)
        memcpy(to, &ref, sizeof ref);
}

static uint64_t resume(const struct native_frame *x, const struct module_catch *c,
                       const uint64_t *regs, uint64_t stack_limit)
{
    struct eng_store *s = x->s;
    uint64_t *words = (uint64_t *)(uintptr_t)x->sp - SAVED_WORDS;
    memcpy(words, regs, SAVED_WORDS * sizeof *words);
    words[SAVED_PC] = (uintptr_t)x->m->native->base + c->code;
    s->inst = (struct eng_instance *)(uintptr_t)x->inst;
    s->inst->native.stack_limit = stack_limit;
    s->native_bridge = (struct native_bridge *)(uintptr_t)x->bridge;
    s->thrown = NULL;
    return (uintptr_t)words;
}

/* The words to go on with, or a trap's code. */
/* Where in its function a frame is takes time to find, and is wanted of those only that could
 * catch. */
static bool find_frame(struct native_frame *x)
{
    struct native_frame passed = *x;
    if (!native_frame_pass(&passed))
        return false;
    const struct eng_module *m = passed.m;
    if (exception_may_catch(m, m->funcs[passed.func].offset, function_end(m, passed.func)))
        return native_frame_find(x);
    passed.offset = UINT32_MAX;
    *x = passed;
    return true;
}

static uint64_t unwind(struct eng_instance *inst, struct exception *e, const uint64_t *saved)
{
    struct eng_store *s = inst->native.store;
    struct native_frame x = { .s = s, .pc = saved[SAVED_PC], .sp = saved + SAVED_WORDS,
                              .inst = inst, .bridge = s->native_bridge };
    uint64_t regs[SAVED_WORDS];
    memcpy(regs, saved, sizeof regs);
    for (s->thrown = e; find_frame(&x); native_frame_up(&x)) {
        const struct module_try *t;
        if (s->interrupted) { /* deep stacks take their time */
            s->interrupted = 0;
            s->thrown = NULL;
            return ENG_TRAP_INTERRUPTED;
        }
        const struct module_catch *c = find_catch(&x, e, &t);
        if (c) {
            put_values(&x, t, c->kind, e);
            return resume(&x, c, regs, inst->native.stack_limit);
        }
        restore_saved(&x, regs);
    }
    return ENG_TRAP_EXCEPTION;
}

uint64_t h_throw(struct eng_instance *inst, uint64_t *operands, uint64_t tag, uint64_t saved)
{
    struct exception *e = exception_new(inst->store, inst->tags[tag], operands);
    return e ? unwind(inst, e, (const uint64_t *)(uintptr_t)saved) : ENG_TRAP_OUT_OF_MEMORY;
}

uint64_t h_throw_ref(struct eng_instance *inst, uint64_t *ref, uint64_t x, uint64_t saved)
{
    struct exception *e = (struct exception *)ref;
    return e ? unwind(inst, e, (const uint64_t *)(uintptr_t)saved) : ENG_TRAP_NULL_REFERENCE;
}

/* A function of the host or of another tier has thrown. */
uint64_t h_rethrow(struct eng_instance *inst, uint64_t *operands, uint64_t x, uint64_t saved)
{
    struct exception *e = inst->store->thrown;
    return e ? unwind(inst, e, (const uint64_t *)(uintptr_t)saved) : ENG_TRAP_EXCEPTION;
}
