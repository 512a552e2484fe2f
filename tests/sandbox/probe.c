/* A well-behaved app for the tests of the sandbox: does the one thing that its arguments say.
 *
 *     probe hear              prints every line that reaches its stdin, between < and >
 *     probe connect HOST PORT connects, says hello, prints what comes back
 *     probe read PATH         prints the beginning of a file of /data
 *     probe write PATH TEXT
 *     probe idle              does nothing, for long
 *     probe crash-once        traps the first time it runs, says so the second time, then idle */
#include <vyoma/args.h>
#include <vyoma/fs.h>
#include <vyoma/net.h>
#include <vyoma/time.h>

static struct vy_args args;
static char line_bytes[4096 + 1];

static int hear(void)
{
    struct vy_lines in = VY_LINES(VY_STDIN, line_bytes);
    vy_println("hearing");
    for (char *line; (line = vy_line(&in));) {
        vy_print("<");
        vy_print(line);
        vy_println(">");
    }
    return 0;
}

static int talk(const char *host, const char *port)
{
    char bytes[128];
    uint64_t n = 0;
    size_t got = 0;
    int fd;
    vy_parse_u64(&port, &n);
    int err = vy_connect(host, (uint16_t)n, &fd);
    if (err)
        return err;
    vy_write(fd, "hello\n", 6);
    const __wasi_iovec_t run = { (uint8_t *)bytes, sizeof bytes };
    err = __wasi_fd_read(fd, &run, 1, &got);
    return err ? err : vy_write(VY_STDOUT, bytes, got);
}

static int read_file(const char *path)
{
    char bytes[128];
    size_t n = 0;
    int err = vy_read_file(vy_data_dir(), path, bytes, sizeof bytes, &n);
    return err ? err : vy_write(VY_STDOUT, bytes, n);
}

static void crash_once(void)
{
    char byte;
    size_t n = 0;
    if (vy_read_file(vy_data_dir(), "crashed", &byte, 1, &n) == 0 && n == 1) {
        vy_println("back again");
        return;
    }
    vy_append_file(vy_data_dir(), "crashed", "1", 1);
    __builtin_trap();
}

static bool is(const char *verb)
{
    return args.count > 1 && strcmp(args.v[1], verb) == 0;
}

int main(void)
{
    vy_args_get(&args);
    if (is("hear"))
        return hear();
    if (is("connect") && args.count > 3)
        return talk(args.v[2], args.v[3]);
    if (is("read") && args.count > 2)
        return read_file(args.v[2]);
    if (is("write") && args.count > 3)
        return vy_append_file(vy_data_dir(), args.v[2], args.v[3], strlen(args.v[3]));
    if (is("crash-once"))
        crash_once();
    vy_println("idle");
    for (;;)
        vy_sleep_ms(1000000);
}
