/* What the supervisor is compared with, by native programs and no supervisor at all.
 *
 *     bare hello          prints one line
 *     bare start N        starts itself N times with `hello`: median time to its output
 *     bare pingpong N     N round trips of 8 bytes over a Unix socket pair, two processes
 *     bare stream N       N messages of 8 bytes one way */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_MAX = 1000 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double start_once(const char *program)
{
    int out[2];
    char c;
    if (pipe2(out, O_CLOEXEC) < 0)
        return -1;
    double start = now_us();
    pid_t pid = vfork();
    if (pid == 0) {
        dup2(out[1], 1);
        execl(program, program, "hello", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    ssize_t n = read(out[0], &c, 1);
    double took = now_us() - start;
    close(out[0]);
    waitpid(pid, NULL, 0);
    return n == 1 ? took : -1;
}

static int start_many(const char *program, int count)
{
    static double took[START_MAX];
    for (int i = 0; i < count && i < START_MAX; i++) {
        took[i] = start_once(program);
        usleep(2000);
    }
    qsort(took, (size_t)count, sizeof *took, by_value);
    printf("median %.0f us, best %.0f us\n", took[count / 2], took[0]);
    return took[0] < 0;
}

static int ping_pong(long count)
{
    char bytes[8] = "8 bytes";
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
        return 1;
    if (fork() == 0) {
        close(fds[0]);
        while (recv(fds[1], bytes, sizeof bytes, 0) > 0 && send(fds[1], bytes, sizeof bytes, 0) > 0) {
        }
        _exit(0);
    }
    close(fds[1]);
    double start = now_us();
    for (long i = 0; i < count; i++) {
        if (send(fds[0], bytes, sizeof bytes, 0) < 0 || recv(fds[0], bytes, sizeof bytes, 0) <= 0)
            return 1;
    }
    printf("%.2f us each\n", (now_us() - start) / (double)count);
    return 0;
}

static int stream(long count)
{
    char bytes[8] = "8 bytes";
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) < 0)
        return 1;
    if (fork() == 0) {
        close(fds[0]);
        for (long i = 0; i < count; i++)
            recv(fds[1], bytes, sizeof bytes, 0);
        send(fds[1], bytes, sizeof bytes, 0);
        _exit(0);
    }
    double start = now_us();
    for (long i = 0; i < count; i++)
        send(fds[0], bytes, sizeof bytes, 0);
    recv(fds[0], bytes, sizeof bytes, 0);
    printf("%.0f a second\n", (double)count * 1e6 / (now_us() - start));
    return 0;
}

int main(int argc, char **argv)
{
    long count = argc > 2 ? atol(argv[2]) : 100;
    if (argc > 1 && strcmp(argv[1], "start") == 0)
        return start_many(argv[0], count < START_MAX ? (int)count : START_MAX);
    if (argc > 1 && strcmp(argv[1], "pingpong") == 0)
        return ping_pong(count);
    if (argc > 1 && strcmp(argv[1], "stream") == 0)
        return stream(count);
    puts("hello");
    return 0;
}
