/* A module's native code, made in parts: functions that follow each other. Parts know nothing of each
 * other, so several generators may compile them at the same time; where they call each
 * other they leave a list. They are laid behind each other, most of them as soon as they are made, so that
 * a generator's memory is small and near:
 *
 *     entries, functions of the first part | of the next, with entries of its own | ... | adapters
 *
 * All code is relative to where it is, so only what leads from one part to another is changed
 * then, and the numbers in the tables around the code. */
#include "runtime/jobs.h"
#include "x64/gen.h"

enum { PART_ALIGN = 16 }; /* of constants */

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
    size_t bytes = count * size;
    if (p)
        g->env->resize(g->env->ctx, p, bytes ? bytes : 1, 0);
}

/* --- generators ------------------------------------------------------------------------------- */

/* What all parts share. */
static bool begin_module(struct native_gen *g, struct eng_module *m)
{
    const struct eng_env *env = g->env;
    g->first_part = true;
    g->checking = !m->unchecked;
    g->hardened = !env->unhardened;
    g->n = pool_alloc(&m->pool, env, 1, sizeof *g->n);
    if (!g->n || !gen_cpu(g) || !instance_layout(m, &g->layout) || g->layout.bytes >= INT32_MAX)
        return false;
    g->n->funcs = pool_alloc(&m->pool, env, module_func_defined(m), sizeof *g->n->funcs);
    g->n->ways = pool_alloc(&m->pool, env, m->type_count, sizeof *g->n->ways);
    g->ways_out = take(g, m->type_count, sizeof *g->ways_out);
    g->type_out = take(g, m->type_count, sizeof *g->type_out);
    for (uint32_t i = 0; g->type_out && i < m->type_count; i++)
        g->type_out[i] = type_out_bytes(&m->types[i]);
    return g->n->funcs && g->n->ways && g->ways_out && g->type_out;
}

static void share_module(struct native_gen *g, const struct native_gen *first)
{
    g->n = first->n;
    g->bmi2 = first->bmi2;
    g->avx = first->avx;
    g->checking = first->checking;
    g->hardened = first->hardened;
    g->layout = first->layout;
    g->type_out = first->type_out;
    g->ways_out = first->ways_out;
}

/* What the module's code may become, or a part's. */
static size_t code_most(size_t bytes)
{
    enum { CODE_LARGE = 1 << 20, EXPANSION_MOST = 64 };
    return CODE_LARGE + bytes * EXPANSION_MOST;
}

enum { CODE_FIRST = 8192, EXPANSION = 4 }; /* bytes of code, and for each of a body; more is rare */

struct native_gen *native_begin(struct loader *l, size_t bytes, const struct native_gen *first)
{
    enum { VALS_FIRST = 64, LABELS_FIRST = 16 };
    const struct eng_env *env = l->env;
    if (!env->code_create)
        return NULL;
    struct native_gen *g = env->resize(env->ctx, NULL, 0, sizeof *g);
    if (!g)
        return NULL;
    memset(g, 0, sizeof *g);
    g->m = l->m;
    g->env = env;
    g->bytes = l->r.start;
    bool ok = true;
    if (first)
        share_module(g, first);
    else
        ok = begin_module(g, l->m);
    if (ok && gen_grow(g, (void **)&g->vals, &g->val_capacity, VALS_FIRST, sizeof *g->vals) &&
        gen_grow(g, (void **)&g->labels, &g->label_capacity, LABELS_FIRST, sizeof *g->labels) &&
        gen_room(g, CODE_FIRST + bytes * EXPANSION))
        return g;
    native_end(g);
    return NULL;
}

static struct native_mark mark(const struct native_gen *g)
{
    return (struct native_mark){ asm_pos(&g->a), g->map_bytes, g->call_count,
                                 g->far_count,   g->try_count, g->catch_count };
}

/* Is it part p's turn? Then nothing is laid before it is done. */
static void enter_place(struct native_gen *g, const struct native_part *p, const struct native_place *x)
{
    size_t least = CODE_FIRST + p->bytes * EXPANSION;
    if (!x || g->waiting || x->next != p->number || x->room - x->at < least)
        return;
    g->own = g->a;
    g->own.p = g->own.start;
    g->a = (struct assembler){ x->code + x->at, x->code + x->at, x->code + x->room - PART_ALIGN };
    g->in_place = true;
}

int native_part_begin(struct native_gen *g, struct native_part *p, struct native_place *place)
{
    enter_place(g, p, place);
    if (!gen_room(g, 64) || !gen_grow(g, (void **)&g->call_sites, &g->call_site_capacity, p->count,
                                      sizeof *g->call_sites))
        return g->error;
    memset(g->call_sites, 0, p->count * sizeof *g->call_sites);
    asm_align(&g->a, PART_ALIGN);
    p->gen = g;
    p->from = mark(g);
    g->first = p->first;
    g->func_count = p->count;
    g->code_first = p->from.code;
    g->code_most = code_most(p->bytes);
    gen_entries(g);
    return g->error;
}

void native_part_end(struct native_gen *g, struct native_part *p)
{
    p->to = mark(g);
}

/* --- laying them while others are made ---------------------------------------------------------- */

void native_place_begin(struct native_place *x, const struct eng_env *env, size_t body_bytes)
{
    x->room = CODE_FIRST + body_bytes * EXPANSION;
    x->at = 0;
    x->next = 0;
    x->code = env->code_create ? env->code_create(env->ctx, x->room) : NULL;
}

void native_place_end(struct native_place *x, const struct eng_env *env)
{
    if (x->code)
        env->code_destroy(env->ctx, x->code, x->room);
    x->code = NULL;
}

/* A part's code into the module's at `to`, where the next one follows. */
static void copy_part(const struct native_part *p, uint8_t *to)
{
    uint32_t bytes = p->to.code - p->from.code;
    struct assembler end = { to - p->code_place, to + bytes, NULL };
    memcpy(to, p->gen->a.start + p->from.code, bytes);
    asm_align(&end, PART_ALIGN);
}

/* p, whose turn it is, lies where the next one goes: who has that turn may see it. */
static void pass_turn(struct native_part *p, struct native_place *x)
{
    size_t bytes = p->to.code - p->from.code;
    p->code_place = (uint32_t)x->at;
    p->laid = true;
    x->at = (x->at + bytes + PART_ALIGN - 1) & ~(size_t)(PART_ALIGN - 1);
    x->next++;
}

static bool lay_waiting(struct native_part *p, struct native_place *x)
{
    size_t bytes = p->to.code - p->from.code;
    if (x->next != p->number || bytes + PART_ALIGN > x->room - x->at)
        return false;
    p->code_place = (uint32_t)x->at;
    copy_part(p, x->code + x->at);
    pass_turn(p, x);
    return true;
}

void native_lay(struct native_gen *g, struct native_part *p, struct native_place *x)
{
    p->later = NULL;
    if (g->in_place) {
        asm_align(&g->a, PART_ALIGN);
        pass_turn(p, x);
        g->a = g->own;
        g->in_place = false;
        return;
    }
    if (g->waiting)
        g->waiting_last->later = p;
    else
        g->waiting = p;
    g->waiting_last = p;
    while (g->waiting && lay_waiting(g->waiting, x))
        g->waiting = g->waiting->later;
    if (!g->waiting)
        g->a.p = g->a.start;
}

void native_rest(struct native_gen *g)
{
    gen_give(g, (void **)&g->call_sites, &g->call_site_capacity, sizeof *g->call_sites);
    gen_give(g, (void **)&g->locals, &g->local_capacity, sizeof *g->locals);
    gen_give(g, (void **)&g->scan.uses, &g->scan.use_capacity, sizeof *g->scan.uses);
    gen_give(g, (void **)&g->scan.touched, &g->scan.touched_capacity, sizeof *g->scan.touched);
    gen_give(g, (void **)&g->vals, &g->val_capacity, sizeof *g->vals);
    gen_give(g, (void **)&g->labels, &g->label_capacity, sizeof *g->labels);
    gen_give(g, (void **)&g->clauses, &g->clause_capacity, sizeof *g->clauses);
    gen_give(g, (void **)&g->fixes, &g->fix_capacity, sizeof *g->fixes);
    gen_give(g, (void **)&g->stubs, &g->stub_capacity, sizeof *g->stubs);
    gen_give(g, (void **)&g->consts, &g->const_capacity, sizeof *g->consts);
    gen_give(g, (void **)&g->wides, &g->wide_capacity, sizeof *g->wides);
}

void native_end(struct native_gen *g)
{
    if (!g)
        return;
    const struct eng_env *env = g->env;
    native_rest(g);
    if (g->in_place) /* its part has failed */
        g->a = g->own;
    if (g->a.start)
        env->resize(env->ctx, g->a.start, (size_t)(g->a.end - g->a.start), 0);
    gen_give(g, (void **)&g->calls, &g->call_capacity, sizeof *g->calls);
    gen_give(g, (void **)&g->fars, &g->far_capacity, sizeof *g->fars);
    gen_give(g, (void **)&g->map, &g->map_capacity, 1);
    gen_give(g, (void **)&g->tries, &g->try_capacity, sizeof *g->tries);
    gen_give(g, (void **)&g->catches, &g->catch_capacity, sizeof *g->catches);
    if (g->first_part) {
        give(g, g->ways_out, g->m->type_count, sizeof *g->ways_out);
        give(g, g->type_out, g->m->type_count, sizeof *g->type_out);
    }
    env->resize(env->ctx, g, sizeof *g, 0);
}

/* --- laying them behind each other ------------------------------------------------------------ */

/* The parts on the way into one module. */
struct layout {
    struct eng_module *m;
    struct native_part *parts;
    uint32_t count;
    const uint32_t *ways_out; /* of native_gen */
    struct native n; /* becomes the module's */
    uint32_t try_count, catch_count;
};

static struct native_part *last_of(struct layout *x)
{
    return &x->parts[x->count - 1];
}

/* Adapters, at the end of the last part. */
static int add_adapters(struct layout *x, struct native_gen *g, size_t body_bytes)
{
    for (uint32_t i = 0; i < x->count; i++)
        for (uint32_t k = x->parts[i].from.fars; k < x->parts[i].to.fars; k++)
            g->ways_out[x->parts[i].gen->fars[k].to] = 1;
    x->n.funcs_end = asm_pos(&g->a);
    x->n.exit = g->entries.exit;
    g->code_most = code_most(body_bytes);
    if (gen_room(g, 64))
        asm_align(&g->a, 16);
    gen_adapters(g);
    native_part_end(g, last_of(x));
    return g->error;
}

/* Gives each part its place. E_UNSUPPORTED when there is too much of it. */
static int place_parts(struct layout *x, size_t body_bytes)
{
    size_t code = 0, map = 0, tries = 0, catches = 0;
    for (uint32_t i = 0; i < x->count; i++) {
        struct native_part *p = &x->parts[i];
        code = (code + PART_ALIGN - 1) & ~(size_t)(PART_ALIGN - 1);
        p->code_place = (uint32_t)code;
        p->map_place = (uint32_t)map;
        code += p->to.code - p->from.code;
        map += p->to.map - p->from.map;
        tries += p->to.tries - p->from.tries;
        catches += p->to.catches - p->from.catches;
        if (code > INT32_MAX || map > INT32_MAX || catches > INT32_MAX)
            return E_UNSUPPORTED;
    }
    if (x->count > 1 && code > code_most(body_bytes))
        return E_UNSUPPORTED;
    x->n.bytes = code;
    x->n.map_bytes = (uint32_t)map;
    x->try_count = (uint32_t)tries;
    x->catch_count = (uint32_t)catches;
    return 0;
}

/* From a position in the generator's memory to the place in the module's code; modulo 2^32. */
static uint32_t shift_of(const struct native_part *p)
{
    return p->code_place - p->from.code;
}

static void move_tables(struct layout *x, struct native_gen *last)
{
    uint32_t by = shift_of(last_of(x));
    for (uint32_t i = 0; i < x->count; i++) {
        const struct native_part *p = &x->parts[i];
        for (uint32_t k = 0; k < p->count; k++) {
            struct native_func *f = &x->n.funcs[p->first + k];
            f->code += shift_of(p);
            f->tails += shift_of(p);
            f->map += p->map_place - p->from.map;
        }
    }
    for (uint32_t t = 0; t < x->m->type_count; t++) {
        x->n.ways[t].code += x->n.ways[t].code ? by : 0;
        last->ways_out[t] += last->ways_out[t] ? by : 0;
    }
    x->n.funcs_end += by;
    x->n.exit += by;
}

/* A part's code and map to their places: a job. */
static void lay_part(void *arg, uint32_t i)
{
    const struct layout *x = arg;
    const struct native_part *p = &x->parts[i];
    const struct native_gen *g = p->gen;
    uint32_t bytes = p->to.code - p->from.code, by = shift_of(p);
    struct assembler to = { .start = x->n.base };
    if (!p->laid && i + 1 < x->count)
        copy_part(p, x->n.base + p->code_place);
    else if (!p->laid)
        memcpy(x->n.base + p->code_place, g->a.start + p->from.code, bytes);
    for (uint32_t k = p->from.calls; k < p->to.calls; k++)
        asm_patch(&to, g->calls[k].at + by, x->n.funcs[g->calls[k].to].code);
    for (uint32_t k = p->from.fars; k < p->to.fars; k++)
        asm_patch(&to, g->fars[k].at + by, x->ways_out[g->fars[k].to]);
    if (p->to.map > p->from.map)
        memcpy(x->n.map + p->map_place, g->map + p->from.map, p->to.map - p->from.map);
}

/* What catches exceptions becomes the module's. 0 or E_NOMEM, and then it is not. */
static int give_tries(struct layout *x, struct native_gen *g)
{
    if (!x->try_count)
        return 0;
    struct module_try *tries = take(g, x->try_count, sizeof *tries);
    struct module_catch *catches = take(g, x->catch_count, sizeof *catches);
    if (!tries || !catches) {
        give(g, tries, x->try_count, sizeof *tries);
        give(g, catches, x->catch_count, sizeof *catches);
        return E_NOMEM;
    }
    x->m->tries = tries;
    x->m->try_count = x->try_count;
    x->m->catches = catches;
    x->m->catch_count = x->catch_count;
    for (uint32_t i = 0, at = 0; i < x->count; i++) {
        const struct native_part *p = &x->parts[i];
        for (uint32_t k = p->from.tries; k < p->to.tries; k++) {
            *tries = p->gen->tries[k];
            tries++->catches += at - p->from.catches;
        }
        for (uint32_t k = p->from.catches; k < p->to.catches; k++) {
            catches[at] = p->gen->catches[k];
            catches[at++].code += shift_of(p);
        }
    }
    return 0;
}

/* Memory for all of the code: where parts have been laid, or when that is too small, another. */
static bool find_place(struct layout *x, struct native_place *place, const struct eng_env *env)
{
    if (place->code && x->n.bytes <= place->room)
        return true;
    struct native_place other = { .room = x->n.bytes };
    other.code = env->code_create(env->ctx, other.room);
    if (other.code && place->at)
        memcpy(other.code, place->code, place->at);
    native_place_end(place, env);
    place->code = other.code;
    place->room = other.room;
    return other.code;
}

static int make_code(struct layout *x, struct native_gen *g, struct native_place *place)
{
    const struct eng_env *env = g->env;
    if (!find_place(x, place, env))
        return E_NOMEM;
    x->n.base = place->code;
    jobs_run(env, x->count, lay_part, x);
    int err = env->code_seal(env->ctx, x->n.base, place->room, x->n.bytes);
    if (err)
        return err;
    place->code = NULL; /* the module's */
    err = give_tries(x, g);
    if (err)
        env->code_destroy(env->ctx, x->n.base, x->n.bytes);
    return err;
}

int native_finish(struct eng_module *m, struct native_part *parts, uint32_t count,
                  struct native_gen *last, struct native_place *place, size_t body_bytes)
{
    struct native *n = last->n;
    struct layout x = { .m = m, .parts = parts, .count = count, .ways_out = last->ways_out,
                        .n = *n };
    int err = add_adapters(&x, last, body_bytes);
    if (!err)
        err = place_parts(&x, body_bytes);
    if (err)
        return err;
    move_tables(&x, last);
    x.n.map_capacity = x.n.map_bytes;
    if (x.n.map_bytes)
        x.n.map = take(last, x.n.map_bytes, 1);
    err = x.n.map_bytes && !x.n.map ? E_NOMEM : make_code(&x, last, place);
    if (err) {
        give(last, x.n.map, x.n.map_bytes, 1);
        return err;
    }
    *n = x.n;
    m->native = n;
    return 0;
}

void native_free(const struct eng_env *env, struct native *n)
{
    if (!n)
        return;
    env->code_destroy(env->ctx, n->base, n->bytes);
    if (n->map)
        env->resize(env->ctx, n->map, n->map_capacity, 0);
}
