/* System calls that the coarse filter refuses: each waits until the supervisor has put it on
 * record, and is then answered (seccomp_unotify(2)).
 *
 * Only the number is looked at, never the caller's memory, and no call is ever let through: the
 * answer does not depend on anything that can change meanwhile. A worker is one
 * thread and so has one call waiting; its share of our time bounds how many it can make. When we
 * are gone the kernel answers ENOSYS. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hosts/linux/seccomp.h"
#include "internal.h"

/* A kernel may have longer records than the headers know. */
union notice {
    struct seccomp_notif is;
    uint8_t room[256];
};
union answer {
    struct seccomp_notif_resp is;
    uint8_t room[256];
};

/* In a process of its own, since it cannot be undone. */
__attribute__((no_sanitize("address", "undefined"))) static int try_to_listen(void)
{
    struct bpf_program p = { .len = 1, .code = { { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW } } };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return errno;
    int r = bpf_install(&p, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    return r < 0 ? -r : 0; /* EBUSY: someone listens to us */
}

int sandbox_can_listen(void)
{
    struct seccomp_notif_sizes sizes;
    int status;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return -errno;
    if (sizes.seccomp_notif > sizeof(union notice) ||
        sizes.seccomp_notif_resp > sizeof(union answer))
        return -E2BIG;
    pid_t pid = vfork();
    if (pid == 0)
        _exit(try_to_listen());
    if (pid < 0)
        return -errno;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static void tell(struct sup *s, struct app *a, int nr)
{
    char bytes[32];
    struct strbuf b;
    const char *name = seccomp_call_name(nr);
    strbuf_init(&b, bytes, sizeof bytes);
    if (name)
        strbuf_cstr(&b, name);
    else
        strbuf_u64(&b, (uint64_t)nr);
    struct core_event ev = { .type = CORE_EV_DENIED,
                             .app = a->id,
                             .denied = CORE_DENIED_CALL,
                             .text = strbuf_done(&b) };
    sup_event(s, &ev);
}

/* The listener hangs up, which epoll always tells, when nobody is left. To receive then would
 * wait for ever (Linux before 6.11), and we may be process 1. */
static bool is_waiting(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

void refused_readable(struct sup *s, struct app *a)
{
    union notice n;
    union answer r;
    core_app id = a->id;
    memset(&n, 0, sizeof n);
    memset(&r, 0, sizeof r);
    if (a->refused_calls.fd < 0)
        return;
    if (!is_waiting(a->refused_calls.fd)) { /* the last process under the filter is gone */
        sup_watch_close(s, &a->refused_calls);
        return;
    }
    if (ioctl(a->refused_calls.fd, SECCOMP_IOCTL_NOTIF_RECV, &n) < 0)
        return; /* killed meanwhile */
    tell(s, a, n.is.data.nr);
    if (a->id != id || a->refused_calls.fd < 0)
        return;
    r.is.id = n.is.id;
    r.is.error = n.is.data.nr == SYS_clone3 ? -ENOSYS : -EPERM;
    ioctl(a->refused_calls.fd, SECCOMP_IOCTL_NOTIF_SEND, &r); /* ENOENT: it was killed meanwhile */
}
