/* Calls from and to the outside, fuel, interruption, faults. */
#include "engine/limits.h"
#include "interp/interp.h"
#include "runtime/native.h"

/* Values of these types, slot by slot; `to` may be `from`. Of a number of 32 bits no more is read: the
 * rest is anything, and a read of 64 bits where 32 have just been written waits for that write. */
static void copy_values(uint64_t *to, const uint64_t *from, const uint8_t *types, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, to++, from++) {
        if (types[i] == ENG_I32 || types[i] == ENG_F32) {
            uint32_t bits;
            memcpy(&bits, from, sizeof bits);
            *to = bits;
        } else {
            *to = *from;
            if (ENG_SIMD && types[i] == ENG_V128)
                *++to = *++from;
        }
    }
}

static void take_args(uint64_t *frame, const struct eng_functype *t, const union eng_value *args)
{
    copy_values(frame, (const uint64_t *)args, t->params, t->param_count);
}

static void give_results(union eng_value *results, const struct eng_functype *t,
                         const uint64_t *frame)
{
    copy_values((uint64_t *)results, frame, t->results, t->result_count);
}

enum eng_trap_code store_refill(struct eng_store *s)
{
    if (s->interrupted) {
        s->interrupted = 0;
        s->budget = 0;
        return ENG_TRAP_INTERRUPTED;
    }
    if (!s->fuel && s->env->refuel)
        s->fuel = s->env->refuel(s->env->ctx);
    uint64_t take = s->fuel < ENG_INTERRUPT_PERIOD ? s->fuel : ENG_INTERRUPT_PERIOD;
    s->budget = take;
    if (!take)
        return ENG_TRAP_OUT_OF_FUEL;
    if (s->fuel != UINT64_MAX)
        s->fuel -= take;
    return ENG_TRAP_NONE;
}

void store_settle(struct eng_store *s)
{
    if (s->fuel != UINT64_MAX)
        s->fuel += s->budget;
    s->budget = 0;
}

/* f belongs to another tier: a new activation. */
static enum eng_trap_code tier_call(struct eng_func *f, uint64_t *args, struct eng_trap *trap)
{
    return eng_call(f, (union eng_value *)args, (union eng_value *)args, trap) ? trap->code
                                                                               : ENG_TRAP_NONE;
}

enum eng_trap_code host_call(struct eng_store *s, struct eng_func *f, uint64_t *args,
                             uint64_t *top)
{
    struct eng_trap trap;
    uint64_t *above = s->stack_top;
    enum eng_trap_code code;
    trap.exit_code = 0;
    trap.host_error = 0;
    store_settle(s);
    s->thrown = NULL; /* what comes back as an exception is of this call */
    s->stack_top = top;
    s->guest_runs = false;
    if (f->inst) {
        code = tier_call(f, args, &trap);
    } else {
        struct eng_call call = { s, s->inst, f->of.host->ctx, &trap };
        code = f->of.host->fn(&call, (union eng_value *)args);
    }
    s->guest_runs = true;
    s->stack_top = above;
    if (code) {
        s->exit_status = trap.exit_code;
        s->host_error = trap.host_error;
        return code;
    }
    give_results((union eng_value *)args, &f->type->type, args);
    return s->fuel ? store_refill(s) : ENG_TRAP_NONE;
}

static int fail(struct eng_trap *trap, enum eng_trap_code code)
{
    memset(trap, 0, sizeof *trap);
    trap->code = code;
    return 1;
}

static int call_host(struct eng_func *f, const union eng_value *args, union eng_value *results,
                     struct eng_trap *trap)
{
    struct eng_store *s = f->of.host->store;
    const struct store_type *t = f->type;
    uint64_t *frame = s->stack_top;
    uint32_t room = type_room(t);
    if ((size_t)(s->stack_end - frame) < room)
        return fail(trap, ENG_TRAP_STACK_EXHAUSTED);
    take_args(frame, &t->type, args);
    uint64_t *top = s->stack_top;
    struct eng_instance *inst = s->inst;
    memset(trap, 0, sizeof *trap);
    struct eng_call call = { s, inst, f->of.host->ctx, trap };
    s->stack_top = frame + room;
    enum eng_trap_code code = f->of.host->fn(&call, (union eng_value *)frame);
    s->stack_top = top;
    if (code) {
        trap->code = code;
        return 1;
    }
    give_results(results, &t->type, frame);
    return 0;
}

/* Nothing faults where every access is checked, and a target without setjmp is no obstacle. */
#if ENG_SMALL
#define CATCH_FAULTS(s) ((void)(s), 0)
#define THROW_FAULT(s) __builtin_trap()
#else
#define CATCH_FAULTS(s) __builtin_setjmp((s)->active->jump)
#define THROW_FAULT(s) __builtin_longjmp((s)->active->jump, 1)
#endif

/* Apart, for what setjmp does to the caller's variables. After a fault trap is set
 * by eng_fault(), like pc. */
static __attribute__((noinline)) void run_guarded(struct eng_store *s, struct eng_func *f,
                                                  uint64_t *frame)
{
    s->guest_runs = true;
    if (CATCH_FAULTS(s) == 0)
        interp_run(s, f->code, frame, f->inst);
    s->guest_runs = false;
}

/* Makes the frame of f at the top of the stack; NULL when there is no room. */
static uint64_t *frame_make(struct eng_store *s, const struct eng_func *f,
                            const union eng_value *args)
{
    uint64_t *frame = s->stack_top;
    size_t room = (size_t)(s->stack_end - frame);
    const struct code_header *h = (const struct code_header *)(f->code - 1);
    if (room < (size_t)h->frame_slots + f->type->result_slots)
        return NULL;
    take_args(frame, &f->type->type, args);
    for (uint32_t i = h->params; i < h->link; i++)
        frame[i] = 0;
    frame[h->link] = (uintptr_t)s->exit_code;
    frame[h->link + 1] = 0;
    return frame;
}

/* After a run. 0, or 1 with *trap. */
static int ended(struct eng_store *s, struct eng_trap *trap)
{
    s->guest_runs = false;
    store_settle(s);
    if (s->trap)
        trap_fill(s, (enum eng_trap_code)s->trap, trap);
    return s->trap != ENG_TRAP_NONE;
}

static int call_interp(struct eng_func *f, const union eng_value *args, union eng_value *results,
                       struct eng_trap *trap)
{
    struct eng_store *s = f->inst->store;
    struct activation here;
    here.native = false;
    uint64_t *frame = frame_make(s, f, args);
    enum eng_trap_code code = frame ? store_refill(s) : ENG_TRAP_STACK_EXHAUSTED;
    if (code)
        return fail(trap, code);
    here.prev = s->active;
    here.place = s->place;
    s->active = &here;
    s->stack_top = s->stack_end; /* nothing may start above but what host_call lets */
    run_guarded(s, f, frame);
    int trapped = ended(s, trap);
    s->active = here.prev;
    s->place = here.place;
    if (trapped)
        return 1;
    give_results(results, &f->type->type, frame);
    return 0;
}

/* Takes the arguments from where they are and puts the results where they shall be. */
static int call_native(struct eng_func *f, const union eng_value *args, union eng_value *results,
                       struct eng_trap *trap)
{
    struct eng_store *s = f->inst->store;
    struct activation here;
    const struct native_way *way = native_way_of(f);
    size_t room = (size_t)((uint8_t *)s->stack_end - (uint8_t *)s->stack_top);
    enum eng_trap_code code =
        room >= way->room + (size_t)NATIVE_ROOM ? store_refill(s) : ENG_TRAP_STACK_EXHAUSTED;
    if (code)
        return fail(trap, code);
    here.native = true;
    here.prev = s->active;
    here.place = s->place;
    here.base = s->stack_top;
    s->active = &here;
    s->stack_top = s->stack_end; /* as above */
    s->guest_runs = true;
    native_run(s, f, way, args, results);
    int trapped = ended(s, trap);
    s->active = here.prev;
    s->place = here.place;
    return trapped;
}

int eng_call(struct eng_func *f, const union eng_value *args, union eng_value *results,
             struct eng_trap *trap)
{
    struct eng_store *s = f->inst ? f->inst->store : f->of.host->store;
    if (s->depth == ENG_MAX_REENTRY)
        return fail(trap, ENG_TRAP_STACK_EXHAUSTED);
    s->depth++;
    int ret = f->native ? call_native(f, args, results, trap)
              : f->inst ? call_interp(f, args, results, trap)
                        : call_host(f, args, results, trap);
    s->depth--;
    return ret;
}

void eng_interrupt(struct eng_store *s)
{
    s->interrupted = 1;
}

void eng_set_fuel(struct eng_store *s, uint64_t fuel)
{
    s->fuel = fuel;
}

uint64_t eng_fuel(const struct eng_store *s)
{
    return s->fuel;
}

/* Does the running guest's memory have a guard, and is address in it? */
static bool in_guard(const struct eng_store *s, uintptr_t address)
{
    enum { OFFSETS = 2 }; /* address and offset reach 4 GiB each */
    if (!s->guest_runs || !s->active || !s->inst)
        return false;
    const struct eng_memory *m = s->inst->memory;
    if (!m || !m->block.guarded)
        return false;
    uint64_t from = (uintptr_t)m->block.base;
    return address >= from && address - from < ((uint64_t)OFFSETS << 32) + 65536;
}

static _Noreturn void fault(struct eng_store *s)
{
    s->trap = ENG_TRAP_MEMORY_BOUNDS;
    s->budget = 0; /* it was in a register */
    if (s->active->native)
        native_unwind(s);
    THROW_FAULT(s);
}

void eng_fault(struct eng_store *s, uintptr_t address)
{
    if (in_guard(s, address) && !s->active->native)
        fault(s);
}

void eng_fault_at(struct eng_store *s, uintptr_t address, uintptr_t pc, uintptr_t sp)
{
    if (!in_guard(s, address) || (s->active->native && !native_access_at(s->inst, pc)))
        return;
    if (s->active->native) {
        s->pc = (const uint64_t *)pc;
        s->fp = (uint64_t *)sp;
    }
    fault(s);
}
