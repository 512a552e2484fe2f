/* libFuzzer target: the JSON reader. Every string that was read is written again and read
 * once more, and must come back the same. */
#include <stdint.h>
#include <stdlib.h>

#include "formats/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct span s)
{
    static uint8_t memory[65536];
    struct arena arena;
    struct strbuf b;
    struct format_error err;
    const struct json_value *v;
    size_t cap = s.len * 6 + 2;
    char *text = malloc(cap);
    base_assert(text != NULL);
    strbuf_init(&b, text, cap);
    strbuf_json(&b, s);
    arena_init(&arena, memory, sizeof memory);
    base_assert(!b.overflow);
    if (s.len < sizeof memory / 8)
        base_assert(json_parse(strbuf_done(&b), &arena, &v, &err) == 0 &&
                    span_eq(v->as.string, s));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[1 << 20];
    struct arena arena;
    struct format_error err;
    const struct json_value *root;
    arena_init(&arena, memory, sizeof memory);
    if (json_parse(span_of(data, size), &arena, &root, &err) < 0) {
        base_assert(err.message[0] && err.line > 0);
        return 0;
    }
    for (const struct json_value *v = root; v;) {
        round_trip(v->key);
        if (v->type == JSON_STRING)
            round_trip(v->as.string);
        const struct json_value *next = json_first(v);
        while (!next && v) {
            next = v->next;
            v = v->parent;
        }
        v = next;
    }
    return 0;
}
