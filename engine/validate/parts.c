/* The code section compiled: divided into parts, which several threads may do.
 *
 * How a section is divided depends on its bytes alone, and so does the code that is made. A thread
 * has a lane: a reader and a compiler of its own, with which it does one part after the other,
 * always the next that nobody has begun. What is wrong with a module is what is wrong first in
 * its order, as if there were one lane: parts are begun in order, so when one fails all before
 * it are done by somebody. Nothing of the module changes while there are several lanes: who
 * would have to change it (types of references, decode/types.c) fails, and all is done again in
 * one lane. */
#include "runtime/jobs.h"
#include "runtime/native.h"
#include "validate/func.h"

enum { PART_BYTES = 32 * 1024, LANES_MAX = 64 }; /* decision 62 */

struct lane {
    struct native_gen *gen;
    int err;         /* of its last part */
    uint32_t failed; /* that part, or UINT32_MAX */
    bool said, wants_change; /* is the error's text there? As in loader */
    const uint8_t *end; /* of what was read, when there is one lane */
    struct eng_error error;
};

struct section {
    struct loader *l;
    uint32_t count; /* of parts */
    struct native_part *parts;
    const uint8_t **bodies; /* where a part's begin, and the last one's end */
    uint32_t part_capacity, body_capacity;
    struct native_part one; /* when it is not divided */
    const uint8_t *one_bodies[2];
    size_t bytes;

    struct native_place place; /* of the code, when there are several */
    uint32_t lane_count;
    struct lane *lanes, one_lane;
    _Atomic uint32_t next; /* part that nobody has begun */
};

/* --- dividing ----------------------------------------------------------------------------------- */

static size_t part_bytes(const struct eng_env *env)
{
    return env->part_bytes ? env->part_bytes : PART_BYTES;
}

/* Adds a body to the last part, or to a new one. False on exhaustion. */
static bool add_body(struct section *x, uint32_t index, const uint8_t *from, const uint8_t *end)
{
    const struct eng_env *env = x->l->env;
    if (!x->count || x->parts[x->count - 1].bytes >= part_bytes(env)) {
        if (array_grow(env, (void **)&x->parts, &x->part_capacity, (size_t)x->count + 1,
                       sizeof *x->parts) ||
            array_grow(env, (void **)&x->bodies, &x->body_capacity, (size_t)x->count + 2,
                       sizeof *x->bodies))
            return false;
        x->bodies[x->count] = from;
        x->parts[x->count++] = (struct native_part){ .first = index };
    }
    struct native_part *last = &x->parts[x->count - 1];
    last->count++;
    last->bytes += (size_t)(end - from);
    x->bodies[x->count] = end;
    return true;
}

/* Only a size is read of each body, and where the next one is depends on it: without this each
 * would wait for memory. A body has some 200 bytes. */
static void prefetch_ahead(const struct reader *r)
{
    enum { LINE = 64, AHEAD = 1024, LINES = 4 };
    if (reader_left(r) >= AHEAD + LINES * LINE)
        for (unsigned i = 0; i < LINES; i++)
            __builtin_prefetch(r->p + AHEAD + i * LINE);
}

/* False when some size is wrong, which its reader will say when it is its turn, or no memory. */
static bool add_bodies(struct section *x)
{
    struct eng_error unused;
    struct reader r = x->l->r;
    r.err = &unused;
    for (uint32_t i = 0; i < module_func_defined(x->l->m); i++) {
        const uint8_t *from = r.p;
        prefetch_ahead(&r);
        reader_bytes(&r, reader_u32(&r));
        if (r.failed || !add_body(x, i, from, r.p))
            return false;
    }
    return true;
}

static void free_parts(struct section *x)
{
    const struct eng_env *env = x->l->env;
    if (x->part_capacity)
        env->resize(env->ctx, x->parts, x->part_capacity * sizeof *x->parts, 0);
    if (x->body_capacity)
        env->resize(env->ctx, x->bodies, x->body_capacity * sizeof *x->bodies, 0);
    x->part_capacity = x->body_capacity = 0;
    x->parts = NULL;
    x->bodies = NULL;
}

static void divide(struct section *x)
{
    const struct reader *r = &x->l->r;
    x->bytes = reader_left(r);
    if (x->bytes > part_bytes(x->l->env) && add_bodies(x))
        return;
    free_parts(x);
    x->count = 1;
    x->one = (struct native_part){ .count = module_func_defined(x->l->m), .bytes = x->bytes };
    x->parts = &x->one;
    x->one_bodies[0] = r->p;
    x->one_bodies[1] = r->end;
    x->bodies = x->one_bodies;
}

/* --- lanes ------------------------------------------------------------------------------------------ */

static int compile_part(struct section *x, struct compiler *c, uint32_t i)
{
    struct native_part *p = &x->parts[i];
    struct reader *r = &c->l->r;
    r->p = x->bodies[i];
    r->end = x->bodies[i + 1];
    struct native_place *place = x->place.code && i + 1 < x->count ? &x->place : NULL;
    p->number = i;
    int err = native_part_begin(c->native, p, place);
    if (err == E_NOMEM)
        return reader_fail(r, err, NULL, "out of memory");
    if (!err)
        err = bodies_compile(c, p->first, p->count);
    native_part_end(c->native, p);
    if (!err && place)
        native_lay(c->native, p, place);
    return err;
}

/* A job: as many parts as come to it. */
static void run_lane(void *arg, uint32_t number)
{
    struct section *x = arg;
    struct lane *lane = &x->lanes[number];
    struct loader l = *x->l;
    struct compiler c;
    l.r.err = &lane->error;
    l.shared = x->lane_count > 1;
    lane->failed = UINT32_MAX;
    if (number)
        lane->gen = native_begin(&l, x->bytes / x->lane_count, x->lanes[0].gen);
    if (!lane->gen)
        return; /* others do it */
    int err = bodies_begin(&c, &l, lane->gen);
    for (uint32_t i; (i = x->next++) < x->count;) {
        if (!err)
            err = compile_part(x, &c, i);
        if (!err)
            continue;
        lane->failed = i;
        x->next = x->count; /* what has not begun need not */
    }
    bodies_end(&c);
    native_rest(lane->gen);
    lane->err = err;
    lane->said = l.r.failed;
    lane->wants_change = l.wants_change;
    lane->end = x->lane_count == 1 ? l.r.p : NULL;
}

/* False when the machine or env cannot, or on exhaustion. */
static bool begin_lanes(struct section *x, uint32_t wanted)
{
    const struct eng_env *env = x->l->env;
    wanted = wanted > LANES_MAX ? LANES_MAX : wanted;
    wanted = wanted > x->count ? x->count : wanted;
    x->lanes = wanted > 1 ? env->resize(env->ctx, NULL, 0, wanted * sizeof *x->lanes) : NULL;
    x->lane_count = x->lanes ? wanted : 1;
    if (!x->lanes)
        x->lanes = &x->one_lane;
    memset(x->lanes, 0, x->lane_count * sizeof *x->lanes);
    x->lanes[0].gen = native_begin(x->l, x->bytes / x->lane_count, NULL);
    return x->lanes[0].gen;
}

static void end_lanes(struct section *x)
{
    const struct eng_env *env = x->l->env;
    uint32_t count = x->lane_count;
    while (x->lane_count)
        native_end(x->lanes[--x->lane_count].gen);
    if (x->lanes != &x->one_lane)
        env->resize(env->ctx, x->lanes, count * sizeof *x->lanes, 0);
}

/* Whose part is the first that failed, or NULL. */
static const struct lane *first_failure(const struct section *x)
{
    const struct lane *first = NULL;
    for (uint32_t i = 0; i < x->lane_count; i++)
        if (x->lanes[i].failed < (first ? first->failed : UINT32_MAX))
            first = &x->lanes[i];
    return first;
}

/* --- the section ------------------------------------------------------------------------------------- */

static int finish(struct section *x)
{
    const struct native_part *last = &x->parts[x->count - 1];
    for (uint32_t i = 0; i < x->lane_count; i++)
        if (x->lanes[i].gen == last->gen)
            return native_finish(x->l->m, x->parts, x->count, x->lanes[i].gen, &x->place, x->bytes)
                       ? E_UNSUPPORTED
                       : 0;
    return E_UNSUPPORTED;
}

/* 0; E_UNSUPPORTED, and when the reader has not failed the module is to be interpreted; another
 * error. *ret_again: some lane must have the module for itself. */
static int compile_in_lanes(struct section *x, uint32_t lanes, bool *ret_again)
{
    struct reader *r = &x->l->r;
    int err = E_UNSUPPORTED;
    *ret_again = false;
    x->next = 0;
    x->place.code = NULL;
    x->place.at = 0;
    if (x->count > 1)
        native_place_begin(&x->place, x->l->env, x->bytes);
    if (begin_lanes(x, lanes)) {
        jobs_run(x->l->env, x->lane_count, run_lane, x);
        const struct lane *failed = first_failure(x);
        *ret_again = failed && failed->wants_change;
        err = failed ? failed->err : finish(x);
        if (failed && failed->said && !*ret_again) {
            *r->err = failed->error;
            r->failed = true;
            r->p = r->end;
        }
        if (!err)
            r->p = x->lanes[0].end ? x->lanes[0].end : x->bodies[x->count];
    }
    end_lanes(x);
    native_place_end(&x->place, x->l->env);
    return err;
}

int native_section(struct loader *l)
{
    struct section x = { .l = l };
    bool again;
    divide(&x);
    int err = compile_in_lanes(&x, jobs_threads(l->env), &again);
    if (again)
        err = compile_in_lanes(&x, 1, &again);
    free_parts(&x);
    return err;
}
