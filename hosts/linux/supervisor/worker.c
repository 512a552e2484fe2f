/* One worker's life: pipes, start, output, input, end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "internal.h"

/* Both ends of what an app's life needs. */
struct pipes {
    int in[2], out[2], err[2], ctl[2];
};

static void close_all(struct pipes *p)
{
    int *fds = (int *)p;
    for (size_t i = 0; i < sizeof *p / sizeof(int); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static bool make_pipes(struct pipes *p)
{
    return pipe2(p->in, O_CLOEXEC) == 0 && pipe2(p->out, O_CLOEXEC) == 0 &&
           pipe2(p->err, O_CLOEXEC) == 0 &&
           socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p->ctl) == 0 &&
           fcntl(p->in[1], F_SETFL, O_NONBLOCK) == 0 && fcntl(p->out[0], F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(p->err[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(p->ctl[0], F_SETFL, O_NONBLOCK) == 0;
}

/* Our ends to the app's record, the worker's ends closed. */
static void keep_pipes(struct sup *s, struct app *a, struct pipes *p)
{
    close(p->in[0]);
    close(p->out[1]);
    close(p->err[1]);
    close(p->ctl[1]);
    a->in = (struct watch){ p->in[1], 0 };
    a->out = (struct watch){ p->out[0], 0 };
    a->err = (struct watch){ p->err[0], 0 };
    a->ctl = (struct watch){ p->ctl[0], 0 };
    sup_watch_output(s, a);
}

static pid_t start_process(struct sup *s, struct app *a, const struct core_grants *grants,
                           const struct pipes *p, struct span *why)
{
    snprintf(a->cgroup, sizeof a->cgroup, "%s.%u", a->name, (unsigned)a->id);
    int code = code_open(s, a);
    struct sandbox_start start = {
        .name = span_of_cstr(a->name),
        .fds = { p->in[0], p->out[1], p->err[1], p->ctl[1], a->module_fd, code },
        .memory_bytes = grants->memory_bytes,
        .cpu_percent = grants->cpu_percent,
        .data_bytes = grants->data_bytes,
        .open_files = grants->open_files,
        .threads = code < 0 ? 1 : a->threads,
        .cgroup = a->cgroup,
    };
    return sandbox_start(&s->sandbox, &start, &a->refused_calls.fd, why);
}

static int open_data(struct sup *s, struct app *a, const struct core_grants *grants)
{
    if (!manifest_has(grants->manifest, MANIFEST_CAP_FILESYSTEM))
        return E_OK;
    int dir = data_open_app(s, a->name);
    if (dir < 0)
        return dir;
    a->paths = paths_new(dir, grants->data_bytes);
    if (a->paths)
        return E_OK;
    close(dir);
    snprintf(s->why, sizeof s->why, "no memory for the data folder's table");
    return E_NOMEM;
}

static void end_start(struct sup *s, struct app *a, pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    sandbox_ended(&s->sandbox, a->cgroup);
}

/* Sockets and folders are made before the process: a taken port is an error, not a crash. */
static int prepare(struct sup *s, struct app *a, const struct core_grants *grants,
                   struct ctl_fds *sockets, struct pipes *p)
{
    int r = a->module_fd < 0 ? E_NOENT : open_data(s, a, grants);
    if (r == E_OK)
        r = net_listen(s, grants->manifest, sockets);
    if (r == E_OK && !make_pipes(p)) {
        snprintf(s->why, sizeof s->why, "pipes: %s", strerror(errno));
        r = E_LIMIT;
    }
    return r;
}

static int start_and_tell(struct sup *s, struct app *a, const struct core_grants *grants,
                          const struct ctl_fds *sockets, struct pipes *p, struct span *why)
{
    pid_t pid = start_process(s, a, grants, p, why);
    if (pid < 0)
        return E_IO;
    a->ctl.fd = p->ctl[0];
    int r = control_send_start(s, a, grants, sockets);
    if (r < 0) {
        end_start(s, a, pid);
        a->ctl.fd = -1;
        sup_watch_close(s, &a->refused_calls);
        *why = span_of_cstr(s->why);
        return r;
    }
    a->pid = pid;
    s->running++;
    keep_pipes(s, a, p);
    close(a->module_fd); /* the worker has it */
    a->module_fd = -1;
    return E_OK;
}

int worker_spawn(struct sup *s, struct app *a, const struct core_grants *grants,
                 struct host_spawned *ret)
{
    struct pipes p;
    struct ctl_fds sockets = { .count = 0 };
    memset(&p, 0xff, sizeof p);
    snprintf(s->why, sizeof s->why, "it has no module");
    int r = prepare(s, a, grants, &sockets, &p);
    if (r < 0)
        ret->why = span_of_cstr(s->why);
    else
        r = start_and_tell(s, a, grants, &sockets, &p, &ret->why);
    for (uint32_t i = 0; i < sockets.count; i++)
        close(sockets.fd[i]);
    if (r < 0) {
        close_all(&p);
        return r;
    }
    ret->pid = a->pid;
    return E_OK;
}

int worker_write_stdin(struct sup *s, struct app *a, struct span bytes)
{
    if (a->in.fd < 0)
        return E_IO;
    ssize_t n;
    do {
        n = write(a->in.fd, bytes.p, bytes.len);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        return (int)n;
    if (n < 0 && errno == EAGAIN) {
        sup_watch(s, &a->in, WATCH_IN, a->id, EPOLLOUT);
        return E_AGAIN;
    }
    sup_watch_close(s, &a->in);
    return E_IO;
}

void worker_stdin_ready(struct sup *s, struct app *a)
{
    struct core_event ev = { .type = CORE_EV_DELIVERED, .app = a->id };
    sup_watch(s, &a->in, WATCH_IN, a->id, 0);
    sup_event(s, &ev);
}

void worker_readable(struct sup *s, struct app *a, struct watch *w, enum core_stream stream)
{
    if (w->fd < 0)
        return;
    ssize_t n = read(w->fd, s->output, fair_read_bytes(s));
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        sup_watch_close(s, w);
        worker_finish(s, a);
        return;
    }
    struct core_event ev = { .type = CORE_EV_OUTPUT,
                             .app = a->id,
                             .stream = stream,
                             .text = span_of(s->output, (size_t)n) };
    sup_event(s, &ev);
}

void worker_kill(struct sup *s, struct app *a)
{
    if (a->pid > 0)
        kill(a->pid, SIGKILL);
    a->kill_sent = true;
    (void)s;
}

static struct app *find_pid(struct sup *s, pid_t pid)
{
    for (uint32_t i = 0; i < CORE_APPS_MAX; i++) {
        if (s->apps[i].id && s->apps[i].pid == pid)
            return &s->apps[i];
    }
    return NULL;
}

static uint64_t cpu_ms(const struct rusage *u)
{
    return (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000 +
           (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1000;
}

/* All children that have ended, whoever's they are: as PID 1 we inherit orphans. */
void worker_reap(struct sup *s)
{
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        struct app *a = find_pid(s, pid);
        if (!a)
            continue;
        a->pid = 0;
        a->exited = true;
        a->wait_status = status;
        a->cpu_ms = cpu_ms(&usage);
        s->running--;
        sandbox_ended(&s->sandbox, a->cgroup);
        if (a->throttled) { /* what is left in its pipes is bounded */
            a->throttled = false;
            s->window.throttled--;
            sup_watch_output(s, a);
        }
        worker_finish(s, a);
    }
}

static void fill_exit(const struct app *a, struct core_event *ev)
{
    ev->exit.cpu_ms = a->cpu_ms;
    if (WIFSIGNALED(a->wait_status)) {
        ev->exit.kind = CORE_EXIT_SIGNAL;
        ev->exit.value = WTERMSIG(a->wait_status);
    } else if (a->trapped) {
        ev->exit.kind = CORE_EXIT_TRAP;
        ev->exit.value = a->trap_code;
    } else {
        ev->exit.kind = a->refused ? CORE_EXIT_REFUSED : CORE_EXIT_CODE;
        ev->exit.value = WEXITSTATUS(a->wait_status);
    }
}

/* The last words of an app come before the news of its end. One that was killed while
 * nobody listened to it has none. */
void worker_finish(struct sup *s, struct app *a)
{
    if (!a->exited)
        return;
    if (a->kill_sent && a->paused) {
        sup_watch_close(s, &a->out);
        sup_watch_close(s, &a->err);
    }
    if (a->out.fd >= 0 || a->err.fd >= 0 || a->ctl.fd >= 0)
        return;
    struct core_event ev = { .type = CORE_EV_EXITED, .app = a->id };
    fill_exit(a, &ev);
    sup_watch_close(s, &a->in);
    sup_watch_close(s, &a->refused_calls);
    control_close(s, a);
    a->exited = false;
    sup_event(s, &ev);
}
