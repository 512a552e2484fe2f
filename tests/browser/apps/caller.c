/* caller HOST PORT: connects, sends pieces and reads each back, ends its side, and says what came
 * of it. */
#include <vyoma/args.h>
#include <vyoma/errno.h>
#include <vyoma/net.h>

enum { PIECE = 8192, PIECES = 128 };

static char out[PIECE], in[PIECE];

static int fail(const char *what, int err)
{
    vy_print(what);
    vy_print(": ");
    vy_println(vy_errno_name(err));
    return 1;
}

/* Up to len bytes; fewer only at the end. */
static int read_all(int fd, size_t len, size_t *got)
{
    *got = 0;
    while (*got < len) {
        __wasi_iovec_t v[2] = { { (uint8_t *)in + *got, 1 }, { (uint8_t *)in + *got + 1, len - *got - 1 } };
        __wasi_size_t n = 0;
        __wasi_roflags_t flags;
        int err = __wasi_sock_recv(fd, v, 2, 0, &n, &flags);
        if (err || !n)
            return err;
        *got += n;
    }
    return 0;
}

static int echo(int fd)
{
    size_t got;
    for (int i = 0; i < PIECES; i++) {
        memset(out, 'a' + i % 26, sizeof out);
        int err = vy_write(fd, out, sizeof out);
        if (!err)
            err = read_all(fd, sizeof in, &got);
        if (err)
            return err;
        if (got != sizeof in || memcmp(in, out, sizeof in) != 0)
            return __WASI_ERRNO_IO;
    }
    return 0;
}

/* What came instead of the echo's first piece, and all that follows. */
static int listen_only(int fd)
{
    size_t total = sizeof in, got;
    int err;
    while (!(err = read_all(fd, sizeof in, &got)) && got)
        total += got;
    if (err)
        return fail("listening", err);
    char memory[80];
    struct vy_buf b = VY_BUF(memory);
    vy_str(&b, "nobody echoes, ");
    vy_u64(&b, total);
    vy_str(&b, " bytes and the end\n");
    vy_flush(&b, VY_STDOUT);
    return 0;
}

int main(void)
{
    static struct vy_args args;
    uint64_t port = 0;
    size_t got;
    int fd;
    vy_args_get(&args);
    const char *digits = args.count > 2 ? args.v[2] : "";
    vy_parse_u64(&digits, &port);
    int err = vy_connect(args.count > 1 ? args.v[1] : "", (uint16_t)port, &fd);
    if (err)
        return fail("connect", err);
    if ((err = echo(fd)) == __WASI_ERRNO_IO)
        return listen_only(fd);
    if (err)
        return fail("echo", err);
    vy_println("1 MiB there and back");
    if ((err = __wasi_sock_shutdown(fd, __WASI_SDFLAGS_WR)))
        return fail("shutdown", err);
    if ((err = read_all(fd, sizeof in, &got)))
        return fail("the end", err);
    vy_print("then: ");
    vy_write(VY_STDOUT, in, got);
    vy_print("\n");
    return 0;
}
