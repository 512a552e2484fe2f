/* libFuzzer target: the manifest reader, then every question about what it made. */
#include <stdint.h>

#include "formats/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_span(struct span s)
{
    base_assert(s.len == 0 || (s.p != NULL && s.p[s.len] == 0));
}

static void check(const struct manifest *m)
{
    char text[512];
    struct strbuf b;
    base_assert(manifest_name_valid(m->name));
    base_assert(m->caps >> MANIFEST_CAP_COUNT == 0);
    check_span(m->version);
    check_span(m->wasm);
    check_span(m->icon);
    check_span(m->window.title);
    for (uint32_t i = 0; i < m->network.ports_count; i++)
        base_assert(m->network.ports[i] && (i == 0 || m->network.ports[i - 1] < m->network.ports[i]));
    for (uint32_t i = 0; i < m->network.connect_count; i++)
        check_span(m->network.connect[i].host);
    for (uint32_t i = 0; i < m->args_count; i++)
        check_span(m->args[i]);
    for (uint32_t i = 0; i < m->env_count; i++)
        check_span(m->env[i].value);
    for (uint32_t i = 0; i < m->menu_count; i++)
        base_assert(m->menu[i].label.len && m->menu[i].command.len);
    for (int power = 0; power < MANIFEST_POWER_COUNT; power++) {
        strbuf_init(&b, text, sizeof text);
        manifest_hint_write(&b, m, power, SPAN_LIT("x"));
        base_assert(!b.overflow);
    }
    (void)manifest_may_connect(m, SPAN_LIT("h"), 1);
    (void)manifest_may_send(m, SPAN_LIT("b"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch_memory[MANIFEST_SCRATCH_BYTES], keep_memory[MANIFEST_KEEP_BYTES];
    struct arena scratch, keep;
    struct manifest m;
    struct format_error err;
    arena_init(&scratch, scratch_memory, sizeof scratch_memory);
    arena_init(&keep, keep_memory, sizeof keep_memory);
    if (manifest_parse(span_of(data, size), &scratch, &keep, &m, &err) == 0)
        check(&m);
    else
        base_assert(err.message[0] && keep.used == 0);
    base_assert(scratch.used == 0);
    return 0;
}
