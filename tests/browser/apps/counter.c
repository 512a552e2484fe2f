/* Works for two seconds and says how much of it was done. */
#include <vyoma/io.h>

enum { PIECE = 20000 };

static uint64_t now_ns(void)
{
    __wasi_timestamp_t t = 0;
    return __wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &t) ? 0 : t;
}

int main(void)
{
    char bytes[64];
    struct vy_buf out = VY_BUF(bytes);
    uint64_t end = now_ns() + 2000000000u, count = 0;
    for (; now_ns() < end; count++)
        for (volatile int i = 0; i < PIECE; i++) {
        }
    vy_str(&out, "counted ");
    vy_u64(&out, count);
    vy_char(&out, '\n');
    vy_flush(&out, VY_STDOUT);
    return 0;
}
