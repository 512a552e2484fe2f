/* Answers each connection with one line. The supervisor has bound the port already. */
#include <vyoma/net.h>

int main(void)
{
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"
                                 "Hello from my-app\n";
    char request[1024];
    int listener, fd;
    int err = vy_listener(8080, &listener);
    if (err)
        return err;
    vy_println("my-app: http://localhost:8080/");
    for (;;) {
        if (__wasi_sock_accept(listener, 0, &fd))
            continue;
        __wasi_iovec_t v = { (uint8_t *)request, sizeof request };
        __wasi_size_t n;
        if (__wasi_fd_read(fd, &v, 1, &n) == 0)
            vy_write(fd, answer, sizeof answer - 1);
        __wasi_fd_close(fd);
    }
}
