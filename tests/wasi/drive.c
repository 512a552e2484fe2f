/* Stands in for the supervisor: starts the real worker, filter and all, with everything
 * that the command line grants, and serves its requests. For programs of tests/wasi.
 *
 * usage: wasi-drive WORKER MODULE CAPS DIR FLAGS PORTS ENV... -- ARG...
 * CAPS: enum wasi_cap bits. DIR: /data, or "". FLAGS: enum ctl_start_flags bits. PORTS: how many
 * sockets listen, on ports that the system chooses (told as VYOMA_TEST_PORT_0 and so on in
 * the environment). Bit 16 of FLAGS: after 0.2 s the worker gets SIGTERM; bit 17: paths are
 * served as where openat2 is missing. With CTL_START_COMPILE there is a file for code;
 * bit 18: of one page only; bit 19: it is CTL_START_CODE_KEPT, and holds something else.
 * CTL_REFUSED, CTL_TRAP and CTL_TRACE are shown on stderr.
 * Exits as the worker does. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"
#include "hosts/linux/paths.h"
#include "wasi/abi.h"

enum { SEND_SIGTERM = 1 << 16, NO_OPENAT2 = 1 << 17, CODE_SMALL = 1 << 18, CODE_OTHER = 1 << 19 };

static uint8_t data[CTL_DATA_MAX], reply_data[CTL_DATA_MAX];
static struct paths *paths;
static int channel;
static pid_t worker;

/* One message that an app may send itself. */
static uint8_t kept[CTL_MSG_BYTES_MAX];
static size_t kept_len;
static bool has_kept;

static void on_alarm(int sig)
{
    (void)sig;
    kill(worker, SIGTERM);
}

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(99);
}

static int load(const char *path)
{
    char buffer[65536];
    ssize_t n;
    int file = open(path, O_RDONLY | O_CLOEXEC), fd = memfd_create("module", MFD_CLOEXEC);
    if (file < 0 || fd < 0)
        fail(path);
    while ((n = read(file, buffer, sizeof buffer)) > 0)
        if (write(fd, buffer, (size_t)n) != n)
            fail("write");
    close(file);
    return fd;
}

/* As the supervisor makes it; -1 when nothing is compiled. */
static int code_file(int flags, int module)
{
    struct stat st;
    if (!(flags & CTL_START_COMPILE))
        return -1;
    int fd = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || fstat(module, &st) < 0 ||
        ftruncate(fd, flags & CODE_SMALL ? 4096 : (off_t)code_room((size_t)st.st_size)) < 0)
        fail("code");
    int seals = flags & CODE_OTHER ? CODE_SEALS_FIRST | CODE_SEALS_LAST : CODE_SEALS_FIRST;
    if (fcntl(fd, F_ADD_SEALS, seals) < 0)
        fail("seals");
    return fd;
}

static pid_t start_worker(const char *program, int module, int code, int ctl)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int fds[3] = { fcntl(ctl, F_DUPFD, 10), fcntl(module, F_DUPFD, 10), fcntl(code, F_DUPFD, 10) };
    dup2(fds[0], CTL_WORKER_FD);
    dup2(fds[1], CTL_MODULE_FD);
    if (code >= 0)
        dup2(fds[2], CTL_CODE_FD);
    for (int fd = code >= 0 ? CTL_CODE_FD + 1 : CTL_CODE_FD; fd < 64; fd++)
        close(fd);
    execl(program, program, (char *)NULL);
    _exit(98);
}

static int listen_anywhere(uint16_t *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        fail("listen");
    *ret_port = ntohs(a.sin_port);
    return fd;
}

static void put_string(struct strbuf *b, const char *s)
{
    strbuf_span(b, span_of(s, strlen(s) + 1));
}

static void send_start(char **argv, int argc)
{
    struct ctl_msg m = { .type = CTL_START };
    struct ctl_fds fds = { .count = (uint32_t)atoi(argv[6]) };
    struct strbuf strings, env;
    char env_bytes[4096], port[64];
    int i = 7;
    m.u.start.caps = (uint32_t)atoi(argv[3]);
    m.u.start.flags = (uint32_t)atoi(argv[5]) & 0xffff;
    if (atoi(argv[5]) & CODE_OTHER)
        m.u.start.flags |= CTL_START_CODE_KEPT;
    m.u.start.fuel = 1000000;
    m.u.start.memory_pages = 256;
    m.u.start.port_count = (uint16_t)fds.count;
    strbuf_init(&env, env_bytes, sizeof env_bytes);
    strbuf_init(&strings, (char *)data, sizeof data);
    for (uint32_t k = 0; k < fds.count; k++, m.u.start.env_count++) {
        fds.fd[k] = listen_anywhere(&m.u.start.ports[k]);
        snprintf(port, sizeof port, "VYOMA_TEST_PORT_%u=%u", k, m.u.start.ports[k]);
        put_string(&env, port);
    }
    for (; i < argc && strcmp(argv[i], "--") != 0; i++, m.u.start.env_count++)
        put_string(&env, argv[i]);
    put_string(&strings, "test-app");
    m.u.start.arg_count = 1;
    for (i++; i < argc; i++, m.u.start.arg_count++)
        put_string(&strings, argv[i]);
    strbuf_span(&strings, strbuf_done(&env));
    if (ctl_send(channel, &m, SPAN_LIT("test-app"), strbuf_done(&strings), &fds, 0) < 0)
        fail("start");
    for (uint32_t k = 0; k < fds.count; k++)
        close(fds.fd[k]);
}

/* To this machine only, whatever the name: the port is what tests choose. */
static int connect_here(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    close(fd);
    return -1;
}

static void answer(struct ctl_msg *m, struct span a, struct span b, int fd)
{
    struct ctl_fds fds = { .fd = { fd }, .count = fd >= 0 };
    m->type = CTL_REPLY;
    ctl_send(channel, m, a, b, &fds, 0);
    if (fd >= 0)
        close(fd);
}

static void answer_recv(struct ctl_msg *reply, const struct ctl_msg *m)
{
    if (!has_kept && m->u.recv.timeout_ms == 5000)
        return; /* a test of waiting */
    if (!has_kept) {
        reply->error = m->u.recv.timeout_ms ? WASI_TIMEDOUT : WASI_AGAIN;
        answer(reply, SPAN_NONE, SPAN_NONE, -1);
        return;
    }
    if (m->u.recv.data_max < kept_len || m->u.recv.from_max < 8) {
        reply->error = WASI_MSGSIZE;
        reply->u.sizes.from_len = 8;
        reply->u.sizes.data_len = (uint32_t)kept_len;
        answer(reply, SPAN_NONE, SPAN_NONE, -1);
        return;
    }
    has_kept = false;
    answer(reply, SPAN_LIT("test-app"), span_of(kept, kept_len), -1);
}

static void serve(const struct ctl_msg *m)
{
    struct ctl_msg reply = { .seq = m->seq };
    struct span a = ctl_a(m, data), b = ctl_b(m, data);
    size_t len = 0;
    int fd = -1;
    if (m->type == CTL_NET_CONNECT) {
        fd = connect_here(m->u.net.port);
        reply.error = fd < 0 ? WASI_CONNREFUSED : 0;
        answer(&reply, SPAN_NONE, SPAN_NONE, fd);
    } else if (m->type == CTL_MSG_SEND) {
        reply.error = span_eq_cstr(a, "test-app") ? 0 : WASI_NOENT;
        has_kept = !reply.error;
        memcpy(kept, b.p, kept_len = b.len);
        answer(&reply, SPAN_NONE, SPAN_NONE, -1);
    } else if (m->type == CTL_MSG_RECV) {
        answer_recv(&reply, m);
    } else if (paths) {
        paths_request(paths, m, a, b, &reply, reply_data, &len, &fd);
        answer(&reply, span_of(reply_data, len), SPAN_NONE, fd);
    } else {
        reply.error = WASI_NOTCAPABLE;
        answer(&reply, SPAN_NONE, SPAN_NONE, -1);
    }
}

static void show(const char *what, const struct ctl_msg *m)
{
    fprintf(stderr, "%s: %.*s\n", what, (int)m->a_len, (char *)data);
    if (m->type == CTL_REFUSED)
        fprintf(stderr, "%s: %.*s, key %s\n", what, (int)m->b_len, (char *)data + m->a_len,
                m->u.refused.key);
}

static void serve_all(void)
{
    struct ctl_msg m;
    while (ctl_recv(channel, &m, data, sizeof data, NULL, 0) == 0) {
        switch (m.type) {
        case CTL_RUNNING:
        case CTL_DENIED: break;
        case CTL_REFUSED: show("refused", &m); break;
        case CTL_TRAP: show("trapped", &m); break;
        case CTL_TRACE: show("trace", &m); break;
        default: serve(&m); break;
        }
    }
}

int main(int argc, char **argv)
{
    int pair[2], status;
    if (argc < 8)
        return 97;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        fail("socketpair");
    if (argv[4][0]) {
        int dir = open(argv[4], O_PATH | O_DIRECTORY | O_CLOEXEC);
        paths = dir < 0 ? NULL : paths_new(dir, 0);
        if (!paths)
            fail(argv[4]);
        if (atoi(argv[5]) & NO_OPENAT2)
            paths_without_openat2(paths);
    }
    channel = pair[0];
    int module = load(argv[2]), code = code_file(atoi(argv[5]), module);
    worker = start_worker(argv[1], module, code, pair[1]);
    if (atoi(argv[5]) & SEND_SIGTERM) {
        struct itimerval after = { .it_value = { 0, 200 * 1000 } };
        signal(SIGALRM, on_alarm);
        setitimer(ITIMER_REAL, &after, NULL);
    }
    close(pair[1]);
    close(module);
    send_start(argv, argc);
    serve_all();
    if (waitpid(worker, &status, 0) < 0)
        fail("waitpid");
    if (WIFSIGNALED(status))
        fprintf(stderr, "killed by signal %d\n", WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
