/* libFuzzer target: the TOML reader, on any bytes. The first byte chooses the flags and
 * the size of the arena. Every borrowed string is read, so that a stray one is seen. */
#include <stdint.h>

#include "base/err.h"
#include "formats/toml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t sum(struct span s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.p[i];
    return n;
}

/* Depth is bounded by the reader: keys' parts and nested values. */
static uint64_t walk(const struct toml_value *v)
{
    uint64_t n = sum(v->key);
    if (v->type == TOML_STRING)
        n += sum(v->as.string);
    for (const struct toml_value *i = toml_first(v); i; i = i->next)
        n += walk(i);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 20];
    struct arena arena;
    struct toml_doc doc;
    struct format_error err;
    if (size == 0)
        return 0;
    arena_init(&arena, memory, data[0] & 2 ? sizeof memory : data[0] * 64u);
    int status = toml_parse(span_of(data + 1, size - 1), data[0] & 1, &arena, &doc, &err);
    if (status == E_OK)
        return walk(doc.root) == UINT64_MAX;
    base_assert(err.message[0] && (err.line == 0) == (err.column == 0));
    return 0;
}
