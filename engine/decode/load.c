/* From bytes to a module: the header, the order of sections, what they must agree
 * on. What a section holds is read in sections.c and segments.c. */
#include "decode/decode.h"

#include "runtime/native.h"

enum { SECTION_CUSTOM, SECTION_CODE = 10, SECTION_TAG = 13, SECTION_LAST = 13 };

bool loader_may_change(struct loader *l)
{
    l->wants_change |= l->shared;
    return !l->shared;
}

void *loader_alloc(struct loader *l, size_t count, size_t size)
{
    void *p = !loader_may_change(l) ? NULL : pool_alloc(&l->m->pool, l->env, count, size);
    if (!p)
        reader_fail(&l->r, E_NOMEM, NULL, "out of memory");
    return p;
}

static int section_data_count(struct loader *l)
{
    l->data_count = reader_u32(&l->r);
    l->has_data_count = true;
    return 0;
}

/* Place of a section in the order that the specification demands. */
static uint8_t section_order(uint8_t id)
{
    static const uint8_t order[SECTION_LAST + 1] = { 0, 1, 2, 3,  4,  5,  7,
                                                     8, 9, 10, 12, 13, 11, 6 };
    return order[id];
}

static void section_read(struct loader *l, uint8_t id)
{
    static int (*const readers[SECTION_LAST + 1])(struct loader *) = {
        section_custom, section_types,   section_imports, section_functions, section_tables,
        section_memory, section_globals, section_exports, section_start,     section_elements,
        section_code,   section_data,    section_data_count, section_tags,
    };
    readers[id](l);
}

static void section_next(struct loader *l)
{
    struct reader *r = &l->r;
    const uint8_t *at = r->p, *end = r->end;
    uint8_t id = reader_byte(r);
    uint32_t size = reader_u32(r);
    if (r->failed)
        return;
    if (id > SECTION_LAST || (id == SECTION_TAG && l->core_2_only)) {
        reader_fail(r, E_MALFORMED, at, "malformed section id");
        return;
    }
    if (size > reader_left(r)) {
        reader_fail(r, E_MALFORMED, NULL, "unexpected end: length out of bounds");
        return;
    }
    if (id != SECTION_CUSTOM) {
        if (section_order(id) <= l->last_section) {
            reader_fail(r, E_MALFORMED, at, "unexpected content after last section");
            return;
        }
        l->last_section = section_order(id);
    }
    r->end = r->p + size;
    section_read(l, id);
    if (!r->failed && r->p != r->end)
        reader_fail(r, E_MALFORMED, NULL, "section size mismatch");
    r->end = end;
    if (r->failed)
        r->p = end;
}

static void load_sections(struct loader *l)
{
    struct reader *r = &l->r;
    if (reader_left(r) < 4 || memcmp(r->p, "\0asm", 4) != 0) {
        reader_fail(r, E_MALFORMED, NULL,
                    reader_left(r) < 4 ? "unexpected end" : "magic header not detected");
        return;
    }
    r->p += 4;
    if (reader_left(r) < 4 || memcmp(r->p, "\1\0\0\0", 4) != 0) {
        reader_fail(r, E_MALFORMED, NULL,
                    reader_left(r) < 4 ? "unexpected end" : "unknown binary version");
        return;
    }
    r->p += 4;
    while (!r->failed && r->p < r->end)
        section_next(l);
    const struct eng_module *m = l->m;
    if (!r->failed && l->bodies != module_func_defined(m))
        reader_fail(r, E_MALFORMED, NULL, "function and code section have inconsistent lengths");
    if (!r->failed && l->has_data_count && l->data_count != m->data_count)
        reader_fail(r, E_MALFORMED, NULL, "data count and data section have inconsistent lengths");
}

static struct eng_module *module_new(const struct eng_env *env)
{
    struct eng_module *m = env->resize(env->ctx, NULL, 0, sizeof *m);
    if (m) {
        memset(m, 0, sizeof *m);
        m->env = env;
        m->unchecked = env->memory_guarded && !ENG_SMALL;
    }
    return m;
}

int eng_module_load(const struct eng_env *env, struct span bytes, struct eng_module **ret,
                    struct eng_error *err)
{
    struct loader l = { .env = env, .core_2_only = env->core_2_only };
    l.r = (struct reader){ bytes.p, bytes.p, bytes.p + bytes.len, false, err };
    l.end = l.r.end;
    memset(err, 0, sizeof *err);
    if (bytes.len > ENG_MAX_MODULE_BYTES)
        return reader_fail(&l.r, E_LIMIT, NULL, "module too large");
    l.m = module_new(env);
    if (!l.m)
        return reader_fail(&l.r, E_NOMEM, NULL, "out of memory");
    load_sections(&l);
    if (l.r.failed) {
        eng_module_free(l.m);
        return err->code;
    }
    *ret = l.m;
    return 0;
}

void eng_module_free(struct eng_module *m)
{
    if (!m)
        return;
    const struct eng_env *env = m->env;
    if (m->code)
        env->resize(env->ctx, m->code, (size_t)m->code_words * sizeof *m->code, 0);
    if (m->map)
        env->resize(env->ctx, m->map, m->map_bytes, 0);
    native_free(env, m->native);
    if (m->tries)
        env->resize(env->ctx, m->tries, m->try_count * sizeof *m->tries, 0);
    if (m->catches)
        env->resize(env->ctx, m->catches, m->catch_count * sizeof *m->catches, 0);
    pool_free(&m->pool, env);
    env->resize(env->ctx, m, sizeof *m, 0);
}
