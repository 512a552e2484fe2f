/* The code section: locals and bodies of functions, one after the other into one vector, and the
 * calls among them; or to the native compiler, when parts.c asks for it. */
#include "runtime/native.h"
#include "validate/func.h"

/* n locals of type v128. */
static void wide_locals(uint8_t *types, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        types[2 * i] = ENG_V128;
        types[2 * i + 1] = V128_HIGH;
    }
}

/* Where the numbers of locals are not those of their slots, notes the slots. */
static int name_locals(struct compiler *c)
{
    const struct eng_env *env = c->l->env;
    if (c->local_names == c->local_count)
        return 0;
    if (!c->local_slots)
        c->local_slots = env->resize(env->ctx, NULL, 0, ENG_MAX_LOCALS * sizeof *c->local_slots);
    if (!c->local_slots)
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    for (uint32_t slot = 0, x = 0; slot < c->local_count; slot++)
        if (c->local_types[slot] != V128_HIGH)
            c->local_slots[x++] = (uint16_t)slot;
    return 0;
}

static int read_locals(struct compiler *c)
{
    struct reader *r = &c->l->r;
    uint64_t total = c->type->param_count;
    if (total)
        memcpy(c->local_types, c->type->params, total);
    const uint8_t *at = r->p;
    uint32_t groups = reader_count(r, UINT32_MAX, "locals");
    uint64_t count = total, wide = total - c->param_names;
    for (uint32_t i = 0; i < groups && !r->failed; i++) {
        uint8_t type;
        uint32_t n = reader_u32(r);
        if (r->failed || read_valtype(c->l, &type))
            return E_MALFORMED;
        if (type_is_fine(type) && !c->m->ref_types[type - FINE_TYPE].nullable)
            return reader_fail(r, E_UNSUPPORTED, at, "typed references: locals without an initial "
                                                     "value not supported");
        count += n;
        if (count - wide > UINT32_MAX)
            return reader_fail(r, E_MALFORMED, at, "too many locals");
        if (ENG_SIMD && type == ENG_V128) {
            count += n;
            wide += n;
            if (count <= ENG_MAX_LOCALS)
                wide_locals(c->local_types + count - 2 * n, n);
        } else if (count <= ENG_MAX_LOCALS) {
            memset(c->local_types + count - n, type, n);
        }
    }
    if (!r->failed && count > ENG_MAX_LOCALS)
        return reader_fail(r, E_LIMIT, at, "too many locals");
    c->local_count = (uint32_t)count;
    c->local_names = (uint32_t)(count - wide);
    return r->failed ? E_MALFORMED : name_locals(c);
}

static int begin(struct compiler *c, struct module_func *f)
{
    int err = emit_room(c, EMIT_RESERVE);
    if (err)
        return err;
    c->base = c->local_count + LINK_SLOTS;
    c->value_count = c->max_height = c->lazy = c->wide_pos = 0;
    c->vectors = false;
    c->dead = c->native != NULL; /* native code is made apart */
    emit_word(c, 0); /* the header */
    f->code = c->code_count;
    f->map = c->map_count;
    c->map_pos = f->code;
    c->map_offset = f->offset;
    emit_label(c);
    if (array_grow(c->l->env, (void **)&c->labels, &c->label_capacity, 1, sizeof *c->labels) ||
        array_grow(c->l->env, (void **)&c->values, &c->value_capacity, 1, sizeof *c->values))
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    c->labels[0] = (struct label){ .kind = L_FUNC,
                                   .results = c->type->results,
                                   .result_count = c->type->result_count };
    c->label_count = 1;
    return 0;
}

/* The types of locals by their numbers instead of by slots. */
static void types_by_name(struct compiler *c)
{
    for (uint32_t x = 0; c->local_names != c->local_count && x < c->local_names; x++)
        c->local_types[x] = c->local_types[c->local_slots[x]];
}

/* What has been validated goes to the native compiler; nothing was emitted. */
static int compile_native(struct compiler *c, const struct module_func *f, const uint8_t *body)
{
    types_by_name(c);
    struct native_body b = { body,          c->l->r.p,     c->local_types,
                             c->local_names, c->max_height, f->offset,
                             c->vectors || c->local_names != c->local_count };
    int err = native_function(c->native, (uint32_t)(f - c->m->funcs), &b);
    return err == E_NOMEM ? reader_fail(&c->l->r, err, NULL, "out of memory") : err;
}

static int compile_one(struct compiler *c, struct module_func *f)
{
    c->type = &c->m->slot_types[f->type];
    c->param_names = c->m->types[f->type].param_count;
    f->offset = (uint32_t)(c->l->r.p - c->l->r.start);
    int err = read_locals(c);
    const uint8_t *body = c->l->r.p;
    if (!err && c->native) {
        c->scan = native_function_begin(c->native, c->param_names, c->local_names);
        if (!c->scan)
            err = reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    }
    if (!err)
        err = begin(c, f);
    if (!err)
        err = compile_body(c);
    if (err)
        return err;
    if (c->native)
        return compile_native(c, f, body);
    base_paranoid(c->lazy == 0 || c->value_count);
    while (c->value_count)
        unref(c, &c->values[--c->value_count]);
    /* Results may need more room than operands ever did. */
    uint32_t slots = c->base + c->max_height;
    struct code_header h = { (uint16_t)(slots + 1), (uint16_t)c->local_count,
                             (uint16_t)c->type->param_count, 0 };
    memcpy(&c->code[f->code - 1], &h, sizeof h);
    return 0;
}

int bodies_compile(struct compiler *c, uint32_t first, uint32_t count)
{
    struct reader *r = &c->l->r;
    const uint8_t *section_end = r->end;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = reader_u32(r);
        if (r->failed)
            return E_MALFORMED;
        if (size > (size_t)(section_end - r->p))
            return reader_fail(r, E_MALFORMED, NULL, "unexpected end: length out of bounds");
        if (size > ENG_MAX_FUNCTION_BYTES)
            return reader_fail(r, E_LIMIT, NULL, "function too large");
        r->end = r->p + size;
        int err = compile_one(c, &c->m->funcs[first + i]);
        if (err)
            return err;
        r->end = section_end;
    }
    return 0;
}

/* The same for what catches exceptions. */
static int hand_over_tries(struct compiler *c)
{
    const struct eng_env *env = c->l->env;
    struct eng_module *m = c->m;
    if (!c->try_count)
        return 0;
    m->tries = env->resize(env->ctx, c->tries, c->try_capacity * sizeof *c->tries,
                           c->try_count * sizeof *c->tries);
    if (!m->tries)
        return E_NOMEM;
    m->try_count = c->try_count;
    c->tries = NULL;
    m->catches = env->resize(env->ctx, c->catches, c->catch_capacity * sizeof *c->catches,
                             c->catch_count * sizeof *c->catches);
    if (!m->catches)
        return E_NOMEM;
    m->catch_count = c->catch_count;
    c->catches = NULL;
    return 0;
}

/* Gives code and map to the module, no larger than they are, and resolves calls. */
static int hand_over(struct compiler *c)
{
    const struct eng_env *env = c->l->env;
    struct eng_module *m = c->m;
    size_t bytes = (size_t)c->code_count * sizeof *c->code;
    uint64_t *code = env->resize(env->ctx, c->code, c->code_capacity * sizeof *c->code,
                                 bytes ? bytes : 1);
    if (!code)
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    c->code = NULL;
    m->code = code;
    m->code_words = c->code_count;
    uint8_t *map = c->map ? env->resize(env->ctx, c->map, c->map_capacity, c->map_count) : NULL;
    if (c->map && !map && c->map_count)
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    c->map = NULL;
    m->map = map;
    m->map_bytes = c->map_count;
    if (hand_over_tries(c))
        return reader_fail(&c->l->r, E_NOMEM, NULL, "out of memory");
    for (uint32_t i = 0; i < module_func_defined(m); i++) {
        uint32_t site = c->call_sites[i];
        while (site) {
            uint32_t next = (uint32_t)code[site];
            code[site] = (uintptr_t)&code[m->funcs[i].code];
            site = next;
        }
    }
    return 0;
}

void bodies_end(struct compiler *c)
{
    const struct eng_env *env = c->l->env;
    if (c->values)
        env->resize(env->ctx, c->values, c->value_capacity * sizeof *c->values, 0);
    if (c->labels)
        env->resize(env->ctx, c->labels, c->label_capacity * sizeof *c->labels, 0);
    if (c->code)
        env->resize(env->ctx, c->code, c->code_capacity * sizeof *c->code, 0);
    if (c->map)
        env->resize(env->ctx, c->map, c->map_capacity, 0);
    if (c->clauses)
        env->resize(env->ctx, c->clauses, c->clause_capacity * sizeof *c->clauses, 0);
    if (c->tries)
        env->resize(env->ctx, c->tries, c->try_capacity * sizeof *c->tries, 0);
    if (c->catches)
        env->resize(env->ctx, c->catches, c->catch_capacity * sizeof *c->catches, 0);
    if (c->call_sites)
        env->resize(env->ctx, c->call_sites,
                    (size_t)module_func_defined(c->m) * sizeof *c->call_sites, 0);
    if (c->local_types)
        env->resize(env->ctx, c->local_types, 2 * ENG_MAX_LOCALS, 0);
    if (c->local_slots)
        env->resize(env->ctx, c->local_slots, ENG_MAX_LOCALS * sizeof *c->local_slots, 0);
}

int bodies_begin(struct compiler *c, struct loader *l, struct native_gen *native)
{
    const struct eng_env *env = l->env;
    size_t calls = native ? 0 : (size_t)module_func_defined(l->m) * sizeof *c->call_sites;
    *c = (struct compiler){ .l = l, .m = l->m, .handlers = interp_handlers(), .native = native };
    if (native)
        quick_begin(c);
    else
        c->call_sites = env->resize(env->ctx, NULL, 0, calls);
    c->local_types = env->resize(env->ctx, NULL, 0, 2 * ENG_MAX_LOCALS);
    if ((!native && !c->call_sites) || !c->local_types)
        return reader_fail(&l->r, E_NOMEM, NULL, "out of memory");
    c->refs = c->local_types + ENG_MAX_LOCALS;
    if (!native) { /* else nobody counts */
        memset(c->call_sites, 0, calls);
        memset(c->refs, 0, ENG_MAX_LOCALS);
    }
    size_t words = native ? 0 : reader_left(&l->r) * (ENG_SMALL ? 2 : 5) / 2;
    return emit_room(c, words + EMIT_RESERVE);
}

static int interpret_section(struct loader *l)
{
    struct compiler c;
    int err = bodies_begin(&c, l, NULL);
    if (!err)
        err = bodies_compile(&c, 0, module_func_defined(l->m));
    if (!err)
        err = hand_over(&c);
    bodies_end(&c);
    return err;
}

int section_code(struct loader *l)
{
    struct reader *r = &l->r;
    uint32_t count = reader_count(r, ENG_MAX_FUNCTIONS, "functions");
    if (r->failed)
        return E_MALFORMED;
    l->bodies = count;
    if (count != module_func_defined(l->m))
        return reader_fail(r, E_MALFORMED, NULL,
                           "function and code section have inconsistent lengths");
    if (!count)
        return 0;
    const uint8_t *start = r->p;
    int err = l->env->tier == ENG_TIER_BASELINE ? native_section(l) : E_UNSUPPORTED;
    if (err != E_UNSUPPORTED || r->failed)
        return err;
    r->p = start; /* what cannot be compiled is interpreted */
    return interpret_section(l);
}
