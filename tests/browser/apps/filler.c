/* Writes until it may not any more; then makes room, and writes again. */
#include <vyoma/errno.h>
#include <vyoma/fs.h>

static char block[65536];

static void say(uint64_t bytes, int err)
{
    char memory[80];
    struct vy_buf b = VY_BUF(memory);
    vy_u64(&b, bytes);
    vy_str(&b, " bytes, then ");
    vy_str(&b, vy_errno_name(err));
    vy_char(&b, '\n');
    vy_flush(&b, VY_STDOUT);
}

int main(void)
{
    int dir = vy_data_dir(), fd = -1;
    uint64_t bytes = 0;
    (void)!__wasi_path_unlink_file(dir, "big");
    int err = vy_open(dir, "big", __WASI_OFLAGS_CREAT, VY_WRITE, 0, &fd);
    memset(block, 'x', sizeof block);
    while (!err) {
        __wasi_ciovec_t v = { (uint8_t *)block, sizeof block };
        __wasi_size_t n = 0;
        err = __wasi_fd_write(fd, &v, 1, &n);
        bytes += err ? 0 : n;
        if (!err && bytes % (1 << 20) == 0)
            err = __wasi_fd_sync(fd);
    }
    say(bytes, err);
    (void)!__wasi_fd_close(fd);
    err = __wasi_path_unlink_file(dir, "big");
    vy_print(err ? vy_errno_name(err) : "deleted\n");
    err = vy_append_file(dir, "small", "x", 1);
    vy_print(err ? vy_errno_name(err) : "and written again\n");
    return 0;
}
