/* The decoder and validator: any bytes are a module or a clean refusal. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "embed/embed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void touch(struct span s)
{
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < s.len; i++)
        sum = (uint8_t)(sum + s.p[i]);
}

/* What can be asked of a module must be there in full. */
static void inspect(const struct eng_module *m)
{
    struct eng_module_size size;
    eng_module_size(m, &size);
    for (uint32_t i = 0; i < eng_module_import_count(m); i++) {
        struct eng_import import;
        eng_module_import(m, i, &import);
        touch(import.module);
        touch(import.name);
        if (import.type.kind == ENG_EXTERN_FUNC)
            touch(span_of(import.type.func.params, import.type.func.param_count));
    }
    for (uint32_t i = 0; i < eng_module_export_count(m); i++) {
        struct eng_export export;
        eng_module_export(m, i, &export);
        touch(export.name);
        if (export.type.kind == ENG_EXTERN_FUNC)
            touch(span_of(export.type.func.results, export.type.func.result_count));
    }
}

/* A refusal says why; nothing stays allocated. */
static void load(struct embed *e, struct span bytes)
{
    struct eng_module *m = NULL;
    struct eng_error err = { 0 };
    int result = eng_module_load(&e->env, bytes, &m, &err);
    if (result == 0) {
        inspect(m);
        eng_module_free(m);
    } else {
        base_assert(result < 0 && err.code == result && err.message[0]);
        base_assert(memchr(err.message, 0, sizeof err.message));
        base_assert(err.offset <= bytes.len);
    }
    base_assert(e->heap_bytes == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct embed e;
    embed_init(&e, EMBED_GUARD);
    e.heap_bytes_max = UINT64_C(256) << 20;
    load(&e, span_of(data, size));
    /* Again with too little memory, which must fail as cleanly. */
    e.heap_bytes_max = size ? (uint64_t)data[size - 1] * 64 : 0;
    load(&e, span_of(data, size));
    return 0;
}
