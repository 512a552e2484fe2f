/* libFuzzer target: boot.toml, and the order that comes out of it. */
#include <stdint.h>

#include "formats/boot.h"
#include "formats/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t scratch_memory[1 << 20], keep_memory[1 << 18];
    struct arena scratch, keep;
    struct boot b;
    struct format_error err;
    arena_init(&scratch, scratch_memory, sizeof scratch_memory);
    arena_init(&keep, keep_memory, sizeof keep_memory);
    if (boot_parse(span_of(data, size), &scratch, &keep, &b, &err) < 0) {
        base_assert(err.message[0] && keep.used == 0);
        return 0;
    }
    for (uint32_t i = 0; i < b.apps_count; i++) {
        base_assert(manifest_name_valid(b.apps[i].name));
        for (uint32_t k = 0; k < b.apps[i].after_count; k++)
            base_assert(b.apps[i].after[k] < i);
    }
    return 0;
}
