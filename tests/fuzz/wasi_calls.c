/* Calls imports in any order with any arguments over guest memory that the input
 * filled. The fake host asserts what every host may rely on; AddressSanitizer sees
 * what leaves the guest's memory; the rest is checked here after each call. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "fake/wasi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t next_byte(struct input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->p++;
}

/* Mostly numbers that mean something: descriptors, places, lengths, edges. */
static uint64_t next_number(struct input *in)
{
    uint8_t kind = next_byte(in);
    uint64_t v = 0;
    switch (kind & 7) {
    case 0: return kind >> 3;
    case 1: return (uint64_t)next_byte(in) * 16;
    case 2: return FAKE_MEMORY - (kind >> 3);
    case 3: return 0xffffffffu - (kind >> 3);
    case 4: return UINT64_MAX >> (kind >> 3);
    case 5: return (uint64_t)1 << (kind >> 3);
    default:
        for (int i = 0; i < 4; i++)
            v = v << 8 | next_byte(in);
        return kind & 8 ? v : v & 0xffff;
    }
}

static void check(const struct fake *f)
{
    uint32_t rows = 0;
    for (uint32_t i = 0; i < f->wasi.fd_count; i++) {
        const struct wasi_fd *row = &f->fds[i];
        if (!row->used)
            continue;
        rows++;
        base_assert(f->open[row->handle]);
        base_assert(!(row->base & ~(uint64_t)(WASI_RIGHTS_FILE | WASI_RIGHTS_DIRECTORY |
                                              WASI_RIGHTS_SOCKET | WASI_RIGHTS_LISTENER)));
    }
    base_assert(rows == f->open_count); /* nothing leaks, nothing is shared */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake f;
    struct input in = { data, size };
    /* On the heap, so that a step outside is seen. */
    uint8_t *memory = malloc(FAKE_MEMORY);
    uint32_t counts[WASI_MODULE_COUNT_];
    const struct wasi_function *fns[WASI_MODULE_COUNT_];
    if (!memory)
        abort();
    for (int m = 0; m < WASI_MODULE_COUNT_; m++)
        fns[m] = wasi_functions((enum wasi_module)m, &counts[m]);
    fake_init(&f, memory, FAKE_MEMORY);
    if (size % 2)
        fake_move_away(&f);
    size_t fill = size < 4096 ? size : 4096;
    if (fill)
        memcpy(memory, data, fill);
    for (int call = 0; call < 64 && in.left; call++) {
        uint8_t which = next_byte(&in), mood = next_byte(&in);
        uint64_t a[WASI_PARAMS_MAX];
        uint32_t i = which % (counts[0] + counts[1]);
        for (size_t k = 0; k < WASI_PARAMS_MAX; k++)
            a[k] = next_number(&in);
        f.fail = mood < 16 ? (enum wasi_errno)(mood * 5) : WASI_SUCCESS;
        f.open_as = mood & 32 ? WASI_FILETYPE_DIRECTORY : WASI_FILETYPE_REGULAR_FILE;
        f.ready[mood % FAKE_HANDLES] ^= true;
        wasi_function_call(i < counts[0] ? &fns[0][i] : &fns[1][i - counts[0]], &f.wasi, &f.guest,
                           a);
        check(&f);
    }
    wasi_finish(&f.wasi);
    base_assert(f.open_count == 0);
    free(memory);
    return 0;
}
