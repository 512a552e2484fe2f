/* One-way messages as fast as they go. `stream sink` counts until it hears "end"; `stream
 * source N` sends N of 8 bytes, waiting a moment whenever the other's queue is full. */
#include <vyoma/args.h>
#include <vyoma/errno.h>
#include <vyoma/msg.h>
#include <vyoma/time.h>

static struct vy_args args;
static char data[64];

static int sink(void)
{
    char from[VY_NAME_MAX + 1];
    size_t len;
    while (vy_recv(from, data, sizeof data, &len, -1) == 0)
        if (len == 3)
            return vy_send(from, "end", 3);
    return 1;
}

static int send(const char *bytes, size_t len)
{
    int err;
    while ((err = vy_send("sink", bytes, len)) == __WASI_ERRNO_AGAIN ||
           err == __WASI_ERRNO_NOENT)
        vy_sleep_ms(1);
    return err;
}

int main(void)
{
    char from[VY_NAME_MAX + 1], text[100];
    struct vy_buf b = VY_BUF(text);
    uint64_t count = 0;
    size_t len;
    vy_args_get(&args);
    if (args.count < 3)
        return sink();
    const char *number = args.v[2];
    vy_parse_u64(&number, &count);
    if (send("first", 5))
        return 1;
    uint64_t start = vy_now_ns();
    for (uint64_t i = 0; i < count; i++)
        if (send("8 bytes.", 8))
            return 1;
    if (send("end", 3) || vy_recv(from, data, sizeof data, &len, 10000))
        return 1;
    uint64_t took = vy_now_ns() - start;
    vy_u64(&b, count * 1000000000 / took);
    vy_str(&b, " a second\n");
    vy_flush(&b, VY_STDOUT);
    return 0;
}
