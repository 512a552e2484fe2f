/* Waits for the end of its input, as when it is asked to stop, and stores something then. */
#include <vyoma/errno.h>
#include <vyoma/fs.h>

int main(void)
{
    char line[64];
    __wasi_iovec_t v = { (uint8_t *)line, sizeof line };
    __wasi_size_t n = 1;
    vy_print("keeping\n");
    while (n)
        if (__wasi_fd_read(VY_STDIN, &v, 1, &n))
            return 1;
    int err = vy_replace_file(vy_data_dir(), "kept", "kept.new", "all of it", 9);
    vy_print(err ? vy_errno_name(err) : "kept\n");
    return 0;
}
