/* One start. The child shares the supervisor's memory until it has executed the worker
 * (CLONE_VM with CLONE_VFORK, as posix_spawn does), so that the price of a start does not
 * grow with the supervisor's size. It therefore makes nothing but system calls, and
 * writes nothing but its own stack and the failure record. */
#define _GNU_SOURCE
#include "start.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/linux/ctl.h"

/* The sanitizers keep books about stacks that a shared one would upset: they get a copy. */
#if defined(__SANITIZE_ADDRESS__)
#define START_SHARES_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define START_SHARES_MEMORY 0
#endif
#endif
#ifndef START_SHARES_MEMORY
#define START_SHARES_MEMORY 1
#endif

enum { OPEN_FILES_DEFAULT = 64, OPEN_FILES_OWN = 16, STACK_BYTES = 8 * 1024 * 1024 };

struct child {
    const struct sandbox *s;
    const struct sandbox_start *start;
    struct sandbox_failure *failure;
    uid_t uid;
    char host_name[64];
    char *argv[3];
};

static _Noreturn void fail(const struct child *c, const char *step)
{
    c->failure->step = step;
    c->failure->error = errno;
    _exit(127);
}

static void enter_namespaces(const struct child *c)
{
    if (!c->s->namespaces)
        return;
    if (setns(c->s->net_ns, CLONE_NEWNET) < 0)
        fail(c, "enter the empty network namespace");
    if (setns(c->s->mnt_ns, CLONE_NEWNS) < 0)
        fail(c, "enter the empty root");
    if (unshare(CLONE_NEWNS) < 0)
        fail(c, "make a mount namespace");
    if (sethostname(c->host_name, strlen(c->host_name)) < 0)
        fail(c, "set the host name");
}

static void place_descriptors(const struct child *c)
{
    int count = c->start->fds[SANDBOX_FDS - 1] < 0 ? SANDBOX_FDS - 1 : SANDBOX_FDS;
    for (int i = 0; i < count; i++) {
        if (dup2(c->start->fds[i], i) < 0)
            fail(c, "place descriptors");
    }
    /* Whatever else is open, perhaps inherited by the supervisor itself, stays outside. */
    if (syscall(SYS_close_range, count, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
        fail(c, "close all other descriptors (Linux 5.11)");
}

static void limit(const struct child *c, int resource, uint64_t value)
{
    struct rlimit r, old;
    if (getrlimit(resource, &old) == 0 && old.rlim_max < value)
        value = old.rlim_max;
    r.rlim_cur = r.rlim_max = value;
    if (setrlimit(resource, &r) < 0)
        fail(c, "set a resource limit");
}

/* Address space is not limited: the engine reserves 8 GiB of it for guard pages and uses a
 * few. RLIMIT_DATA counts what is writable, which is the same promise as memory.max. */
static void set_limits(const struct child *c)
{
    uint32_t files = c->start->open_files ? c->start->open_files : OPEN_FILES_DEFAULT;
    limit(c, RLIMIT_CORE, 0);
    limit(c, RLIMIT_STACK, STACK_BYTES); /* which RLIMIT_DATA does not count */
    limit(c, RLIMIT_NOFILE, (uint64_t)files + OPEN_FILES_OWN);
    limit(c, RLIMIT_MEMLOCK, 0);
    limit(c, RLIMIT_MSGQUEUE, 0);
    limit(c, RLIMIT_SIGPENDING, 64);
    if (c->start->data_bytes)
        limit(c, RLIMIT_FSIZE, c->start->data_bytes);
    if (c->start->memory_bytes)
        limit(c, RLIMIT_DATA, c->start->memory_bytes + SANDBOX_MEMORY_SLACK);
}

static void drop_privileges(const struct child *c)
{
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    bool privileged = c->s->as_root || c->s->namespaces;
    if (privileged) {
        for (int cap = 0; cap <= 63; cap++) {
            if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
                if (errno == EINVAL)
                    break; /* one past the kernel's last */
                fail(c, "drop the bounding set");
            }
        }
        if (prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
                  SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                  SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED, 0, 0, 0) < 0)
            fail(c, "lock the secure bits");
    }
    /* Raw calls: a libc's setuid would try to tell threads that are not there. */
    if (c->s->as_root &&
        (syscall(SYS_setgroups, 0, NULL) < 0 ||
         syscall(SYS_setresgid, c->uid, c->uid, c->uid) < 0 ||
         syscall(SYS_setresuid, c->uid, c->uid, c->uid) < 0))
        fail(c, "become the app's user");
    if (c->s->as_root) /* counted per uid, which is the app's own from here on */
        limit(c, RLIMIT_NPROC, c->start->threads);
    if (syscall(SYS_capset, &header, none) < 0)
        fail(c, "drop capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        fail(c, "set no_new_privs");
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        fail(c, "ask for the death signal");
}

static void reset_signals(void)
{
    sigset_t none;
    for (int sig = 1; sig < 32; sig++)
        signal(sig, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN); /* a full data folder is an error, not a death */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The listener's number must lie below RLIMIT_NOFILE, and all low ones may be taken. */
static void make_room_for_listener(const struct child *c)
{
    int fd = SANDBOX_FDS;
    while (fd == c->s->worker_fd || fd == c->s->handover[1])
        fd++;
    close(fd);
}

/* The supervisor keeps the listener; here it closes with the others. */
static void install_filter(const struct child *c)
{
    struct ctl_msg m = { .type = 0 };
    if (c->s->told)
        make_room_for_listener(c);
    int fd = bpf_install(c->start->threads > 1 ? &c->s->filter_threads : &c->s->filter,
                         c->s->told ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
    errno = fd < 0 ? -fd : 0;
    if (fd < 0)
        fail(c, "install the system call filter");
    struct ctl_fds fds = { .fd = { fd }, .count = 1 };
    if (c->s->told && ctl_send(c->s->handover[1], &m, SPAN_NONE, SPAN_NONE, &fds, 0) < 0)
        fail(c, "hand over the filter's listener");
}

/* What the child has sent before it became the worker, or failed to. */
static int take_listener(const struct sandbox *s)
{
    struct ctl_msg m;
    struct ctl_fds fds = { .count = 0 };
    if (!s->told || !s->filter_on ||
        ctl_recv(s->handover[0], &m, NULL, 0, &fds, MSG_DONTWAIT) < 0 || fds.count != 1)
        return -1;
    return fds.fd[0];
}

__attribute__((no_sanitize("address", "undefined"))) static _Noreturn void
run_child(const struct child *c)
{
    static char *const no_env[] = { NULL };
    enter_namespaces(c);
    setsid();
    umask(077);
    place_descriptors(c);
    set_limits(c);
    reset_signals();
    drop_privileges(c);
    if (c->s->filter_on)
        install_filter(c);
    syscall(SYS_execveat, c->s->worker_fd, "", c->argv, no_env, AT_EMPTY_PATH);
    fail(c, "execute the worker");
}

/* The call by hand: with the memory shared, the child must not return through a frame that
 * the parent will use again, a libc's syscall() for one. */
static long clone3_raw(const struct clone_args *args)
{
#if defined(__x86_64__)
    long r;
    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"((long)SYS_clone3), "D"(args), "S"(sizeof *args)
                     : "rcx", "r11", "memory");
    return r;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = SYS_clone3;
    register long x0 __asm__("x0") = (long)args;
    register long x1 __asm__("x1") = sizeof *args;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1) : "memory");
    return x0;
#endif
}

static __attribute__((noinline)) long clone_child(const struct clone_args *args,
                                                  const struct child *c)
{
    long r = clone3_raw(args);
    if (r == 0)
        run_child(c);
    return r;
}

static void fill_child(struct child *c, const struct sandbox *s, const struct sandbox_start *start)
{
    static char program[] = "vyoma-run";
    size_t len = start->name.len < sizeof c->host_name - 1 ? start->name.len
                                                           : sizeof c->host_name - 1;
    c->s = s;
    c->start = start;
    c->failure = s->failure;
    c->uid = sandbox_uid(start->name);
    memcpy(c->host_name, start->name.p, len);
    c->host_name[len] = 0;
    c->argv[0] = program;
    c->argv[1] = c->host_name;
    c->argv[2] = NULL;
}

pid_t sandbox_start(struct sandbox *s, const struct sandbox_start *start, int *listener,
                    struct span *why)
{
    static char text[160];
    struct child child;
    struct clone_args args = { .exit_signal = SIGCHLD };
    fill_child(&child, s, start);
    args.flags = CLONE_VFORK | (START_SHARES_MEMORY ? CLONE_VM : 0);
    if (s->namespaces)
        args.flags |= CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
    int cgroup = sandbox_cgroup_make(s, start);
    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    }
    *s->failure = (struct sandbox_failure){ NULL, 0 };
    long pid = clone_child(&args, &child);
    if (cgroup >= 0)
        close(cgroup);
    *listener = take_listener(s);
    if (pid > 0 && !s->failure->step)
        return (pid_t)pid;
    if (*listener >= 0)
        close(*listener);
    *listener = -1;
    if (pid > 0)
        waitpid((pid_t)pid, NULL, 0);
    sandbox_ended(s, start->cgroup);
    snprintf(text, sizeof text, "%s: %s", pid > 0 ? s->failure->step : "clone",
             strerror(pid > 0 ? s->failure->error : (int)-pid));
    *why = span_of_cstr(text);
    return E_IO;
}

bool start_can_be(uid_t uid)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(syscall(SYS_setresuid, uid, uid, uid) == 0 ? 0 : 1);
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0;
}
