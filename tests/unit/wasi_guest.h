/* A guest with a fake memory on a fake host, and short forms, for the tests of WASI. */
#ifndef TESTS_UNIT_WASI_GUEST_H
#define TESTS_UNIT_WASI_GUEST_H

#include "base/assert.h"
#include "base/err.h"
#include "fake/wasi.h"
#include "lib/test.h"

static uint8_t memory[FAKE_MEMORY];
static struct fake f;

/* Arguments are 64 bits wide; what a test writes as int is a guest's i32. */
#define CALL(name, ...) \
    fake_call(&f, "wasi_snapshot_preview1", name, (const uint64_t[9]){ __VA_ARGS__ })
#define VYOMA(name, ...) fake_call(&f, "vyoma", name, (const uint64_t[9]){ __VA_ARGS__ })

/* Every test runs twice: over a guest whose memory is ours, and over one that lies elsewhere. */
static bool is_remote;

static inline void fresh(void)
{
    fake_init(&f, memory, sizeof memory);
    if (is_remote)
        fake_move_away(&f);
}
#define FRESH() fresh()

enum { OUT = 1024, OUT2 = 1032, TEXT = 2048, IOVS = 4096, BIG = 8192 };
enum { DATA = 3, LISTENER = 4 };
#define END ((uint64_t)FAKE_MEMORY)
#define WILD 0xfffffffcu /* near the end of 32 bits: sums wrap when nobody looks */

static inline uint32_t u32_at(uint32_t p)
{
    uint32_t v;
    memcpy(&v, memory + p, 4);
    return v;
}

static inline uint64_t u64_at(uint32_t p)
{
    uint64_t v;
    memcpy(&v, memory + p, 8);
    return v;
}

static inline uint32_t put_text(uint32_t p, const char *s)
{
    memcpy(memory + p, s, strlen(s));
    return (uint32_t)strlen(s);
}

static inline void put_iov(uint32_t i, uint32_t buf, uint32_t len)
{
    struct wasi_abi_iovec v = { buf, len };
    memcpy(memory + IOVS + i * 8, &v, sizeof v);
}

#define ALL_RIGHTS ((uint64_t)(WASI_RIGHTS_FILE | WASI_RIGHTS_DIRECTORY))

/* Opens "name" beneath /data with everything and returns the descriptor. */
static inline uint32_t open_file(void)
{
    uint32_t n = put_text(TEXT, "name");
    CHECK_INT(CALL("path_open", DATA, 1, TEXT, n, 0, WASI_RIGHTS_FILE, 0, 0, OUT), WASI_SUCCESS);
    return u32_at(OUT);
}

#endif
