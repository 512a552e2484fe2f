#include "module.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

static void *resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    if (new_size == 0) {
        free(old);
        return NULL;
    }
    return realloc(old, new_size);
}

/* A module that is only looked at needs no linear memory. */
static int memory_create(void *ctx, uint64_t size, uint64_t max_bytes, struct eng_mem_block *ret)
{
    return E_NOMEM;
}

static int memory_grow(void *ctx, struct eng_mem_block *block, uint64_t new_size)
{
    return E_NOMEM;
}

static void memory_destroy(void *ctx, struct eng_mem_block *block)
{
}

static const struct eng_env env = {
    .resize = resize,
    .memory_create = memory_create,
    .memory_grow = memory_grow,
    .memory_destroy = memory_destroy,
};

int cli_module_load(const struct cli *c, const char *path, struct cli_module *ret)
{
    struct eng_error err;
    memset(ret, 0, sizeof *ret);
    int code = cli_read_file(c, path, CLI_MODULE_MAX, &ret->bytes);
    if (code)
        return code;
    if (eng_module_load(&env, ret->bytes, &ret->module, &err) < 0) {
        bool magic = ret->bytes.len >= 4 && memcmp(ret->bytes.p, "\0asm", 4) == 0;
        code = cli_fail(c, CLI_FAILED, magic ? NULL : "this is not a WebAssembly module",
                        "%s: at byte %zu: %s", path, err.offset, err.message);
        cli_module_free(ret);
    }
    return code;
}

void cli_module_free(struct cli_module *m)
{
    eng_module_free(m->module);
    free((void *)m->bytes.p);
    m->module = NULL;
    m->bytes = SPAN_NONE;
}

static const char *valtype_name(uint8_t t)
{
    switch (t) {
    case ENG_I32: return "i32";
    case ENG_I64: return "i64";
    case ENG_F32: return "f32";
    case ENG_F64: return "f64";
    case ENG_V128: return "v128";
    case ENG_FUNCREF: return "funcref";
    case ENG_EXNREF: return "exnref";
    default: return "externref";
    }
}

static void write_types(struct strbuf *b, const uint8_t *types, uint32_t count)
{
    strbuf_char(b, '(');
    for (uint32_t i = 0; i < count; i++) {
        strbuf_cstr(b, i ? ", " : "");
        strbuf_cstr(b, valtype_name(types[i]));
    }
    strbuf_char(b, ')');
}

static void write_limits(struct strbuf *b, const struct eng_limits *l)
{
    strbuf_char(b, ' ');
    strbuf_u64(b, l->min);
    strbuf_cstr(b, "..");
    if (l->has_max)
        strbuf_u64(b, l->max);
}

void cli_extern_write(struct strbuf *b, const struct eng_extern_type *type)
{
    switch (type->kind) {
    case ENG_EXTERN_FUNC:
        strbuf_cstr(b, "func ");
        write_types(b, type->func.params, type->func.param_count);
        strbuf_cstr(b, " -> ");
        write_types(b, type->func.results, type->func.result_count);
        break;
    case ENG_EXTERN_TABLE:
        strbuf_cstr(b, "table ");
        strbuf_cstr(b, valtype_name(type->valtype));
        write_limits(b, &type->limits);
        break;
    case ENG_EXTERN_MEMORY:
        strbuf_cstr(b, "memory");
        write_limits(b, &type->limits);
        break;
    case ENG_EXTERN_GLOBAL:
        strbuf_cstr(b, type->is_mutable ? "global mutable " : "global ");
        strbuf_cstr(b, valtype_name(type->valtype));
        break;
    case ENG_EXTERN_TAG:
        strbuf_cstr(b, "tag ");
        write_types(b, type->func.params, type->func.param_count);
        break;
    }
}
