/* The epoll loop. Each turn gives every ready descriptor one bounded piece of work;
 * epoll hands level-triggered descriptors out in turn, so nobody is passed over. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "internal.h"

enum { STOP_HINT_MS = 300 };

uint64_t sup_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t sup_now_ms(void)
{
    return sup_now_ns() / 1000000;
}

void sup_watch(struct sup *s, struct watch *w, enum watch_kind kind, core_app app,
               uint32_t events)
{
    struct epoll_event ev = { .events = events,
                              .data.u64 = (uint64_t)kind << 32 | app };
    if (w->fd < 0 || w->events == events)
        return;
    int op = !w->events ? EPOLL_CTL_ADD : !events ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
    if (epoll_ctl(s->epoll, op, w->fd, &ev) < 0)
        sup_notice(s, LOG_ERROR, "epoll: %s", strerror(errno));
    w->events = events;
}

void sup_watch_close(struct sup *s, struct watch *w)
{
    if (w->fd < 0)
        return;
    sup_watch(s, w, WATCH_OUT, 0, 0);
    close(w->fd);
    w->fd = -1;
}

/* A paused descriptor leaves the set: an unwanted hang-up would otherwise be reported at
 * every turn. */
void sup_watch_output(struct sup *s, struct app *a)
{
    bool wanted = !a->paused && !a->throttled && !s->console.full;
    sup_watch(s, &a->out, WATCH_OUT, a->id, wanted ? EPOLLIN : 0);
    sup_watch(s, &a->err, WATCH_ERR, a->id, wanted ? EPOLLIN : 0);
    sup_watch(s, &a->ctl, WATCH_CTL, a->id, a->throttled ? 0 : EPOLLIN);
    sup_watch(s, &a->refused_calls, WATCH_REFUSED, a->id, a->throttled ? 0 : EPOLLIN);
}

void sup_watch_all_output(struct sup *s)
{
    for (uint32_t i = 0; i < CORE_APPS_MAX; i++) {
        if (s->apps[i].id)
            sup_watch_output(s, &s->apps[i]);
    }
}

static void handled_signals(struct sup *s, sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGCHLD);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGWINCH);
    if (s->o->owns_machine) {
        sigaddset(set, SIGUSR1);
        sigaddset(set, SIGUSR2);
    }
}

int sup_loop_open(struct sup *s)
{
    sigset_t set;
    handled_signals(s, &set);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->epoll < 0 || s->signals < 0 || sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return E_IO;
    struct watch w = { s->signals, 0 };
    sup_watch(s, &w, WATCH_SIGNALS, 0, EPOLLIN);
    for (size_t i = 0; i < s->o->stop_fds_count; i++) {
        struct watch stop = { s->o->stop_fds[i], 0 };
        sup_watch(s, &stop, WATCH_STOP, (core_app)i, EPOLLIN);
    }
    return E_OK;
}

void sup_loop_close(struct sup *s)
{
    if (s->epoll >= 0)
        close(s->epoll);
    if (s->signals >= 0)
        close(s->signals);
    s->epoll = s->signals = -1;
}

void sup_stop(struct sup *s, enum core_stop stop)
{
    struct core_event ev = { .type = CORE_EV_STOP, .stop = stop };
    sup_event(s, &ev);
}

/* Asked once an app has time to end; asked twice (un-booted) it is ended now. */
static void stop_by_signal(struct sup *s, int sig)
{
    if (s->o->owns_machine) {
        sup_stop(s, sig == SIGUSR2 ? CORE_STOP_REBOOT : CORE_STOP_POWEROFF);
        return;
    }
    if (s->stop_signal) {
        for (uint32_t i = 0; i < CORE_APPS_MAX; i++) {
            if (s->apps[i].id)
                worker_kill(s, &s->apps[i]);
        }
        return;
    }
    s->stop_signal = sig;
    s->stop_hint_ms = sig == SIGINT ? sup_now_ns() / 1000000 + STOP_HINT_MS : 0;
    sup_stop(s, CORE_STOP_EXIT);
}

static void on_signals(struct sup *s)
{
    struct signalfd_siginfo info;
    while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            worker_reap(s);
        else if (info.ssi_signo == SIGWINCH)
            tty_size(s);
        else if (info.ssi_signo == SIGHUP && s->o->owns_machine)
            continue; /* the console's line dropped: the machine goes on */
        else
            stop_by_signal(s, (int)info.ssi_signo);
    }
}

static void on_app(struct sup *s, struct app *a, enum watch_kind kind)
{
    uint64_t before = sup_now_ns();
    core_app id = a->id;
    switch (kind) {
    case WATCH_OUT: worker_readable(s, a, &a->out, CORE_STDOUT); break;
    case WATCH_ERR: worker_readable(s, a, &a->err, CORE_STDERR); break;
    case WATCH_IN: worker_stdin_ready(s, a); break;
    case WATCH_CTL: control_readable(s, a); break;
    case WATCH_REFUSED: refused_readable(s, a); break;
    case WATCH_CONNECT: net_connect_ready(s, a); break;
    default: break;
    }
    if (a->id == id)
        fair_charge(s, a, sup_now_ns() - before);
}

static void on_event(struct sup *s, uint64_t data)
{
    enum watch_kind kind = (enum watch_kind)(data >> 32);
    core_app id = (core_app)data;
    struct app *a;
    switch (kind) {
    case WATCH_SIGNALS: on_signals(s); break;
    case WATCH_CONSOLE_IN: tty_readable(s); break;
    case WATCH_CONSOLE_OUT: tty_drain(s, &s->console.out); break;
    case WATCH_CONSOLE_ERR: tty_drain(s, &s->console.err); break;
    case WATCH_STOP:
        if (s->o->is_stop(s->o->stop_fds[id]))
            sup_stop(s, CORE_STOP_POWEROFF);
        break;
    default:
        a = sup_app(s, id);
        /* Pauses of this very turn count: what is not wanted any more is left where it is. */
        if (a && !(a->throttled && kind != WATCH_IN) &&
            !((a->paused || s->console.full) && (kind == WATCH_OUT || kind == WATCH_ERR)))
            on_app(s, a, kind);
        break;
    }
}

/* Input that is a file is always there. */
static bool console_may_read(const struct sup *s)
{
    return s->console.in_always_ready && !s->console.in_paused && !s->console.in_closed;
}

static int min_timeout(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int timeout_ms(struct sup *s, uint64_t now_ns)
{
    uint64_t now = now_ns / 1000000;
    int timeout = fair_timeout_ms(s, now_ns);
    if (console_may_read(s))
        return 0;
    if (s->connecting || s->stop_hint_ms)
        timeout = min_timeout(timeout, s->stop_hint_ms ? STOP_HINT_MS : 1000);
    if (s->timer_ms)
        timeout = min_timeout(timeout, s->timer_ms <= now              ? 0
                                       : s->timer_ms - now > 3600000 ? 3600000
                                                                     : (int)(s->timer_ms - now));
    return timeout;
}

static void on_time(struct sup *s, uint64_t now_ms)
{
    if (s->timer_ms && now_ms >= s->timer_ms) {
        struct core_event ev = { .type = CORE_EV_TIMER };
        s->timer_ms = 0;
        sup_event(s, &ev);
    }
    if (s->connecting)
        net_connect_timeouts(s, now_ms);
    if (console_may_read(s))
        tty_readable(s);
    if (s->stop_hint_ms && now_ms >= s->stop_hint_ms) {
        s->stop_hint_ms = 0;
        if (s->console.err.is_tty)
            sup_notice(s, LOG_INFO, "asked to stop; Ctrl-C again: at once");
    }
    if (s->console.gone && !s->stop_signal && !s->done) {
        s->stop_signal = SIGPIPE;
        sup_stop(s, CORE_STOP_EXIT);
    }
}

void sup_loop(struct sup *s)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!s->done) {
        int n = epoll_wait(s->epoll, events, EVENTS_AT_ONCE, timeout_ms(s, sup_now_ns()));
        if (n < 0 && errno != EINTR)
            sup_notice(s, LOG_ERROR, "epoll_wait: %s", strerror(errno));
        uint64_t now = sup_now_ns();
        fair_turn(s, now);
        for (int i = 0; i < n && !s->done; i++)
            on_event(s, events[i].data.u64);
        if (!s->done)
            on_time(s, now / 1000000);
    }
}
