/* What all workers share: the empty root and the empty network, made once.
 *
 * A copy of a whole mount tree and a fresh network namespace for each app would cost half a
 * millisecond and 300 KB a start. So a helper process builds one mount namespace whose
 * only mount is an empty read-only tmpfs, and one network namespace without
 * interfaces; the supervisor keeps a descriptor of each. Every worker enters them and
 * then takes a copy of the (one) mount. The network namespace stays shared: nothing is in
 * it, and no worker can make a socket that would be in it
 * (docs/decisions/0020-workers-share-an-empty-network.md). */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/linux/seccomp.h"
#include "start.h"

void sandbox_lacks(struct sandbox *s, const char *what, const char *why)
{
    if (s->lacks.len)
        strbuf_char(&s->lacks, '\n');
    strbuf_cstr(&s->lacks, what);
    strbuf_cstr(&s->lacks, " not available: ");
    strbuf_cstr(&s->lacks, why);
}

static int write_proc(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    close(fd);
    return n < 0 ? -1 : 0;
}

/* Into a user namespace that maps us to ourselves: there we may make the others. */
static bool enter_user_namespace(struct sandbox *s)
{
    char map[64];
    unsigned uid = geteuid(), gid = getegid();
    if (unshare(CLONE_NEWUSER) < 0) {
        sandbox_lacks(s, "namespaces", errno == EPERM || errno == ENOSPC
                                           ? "this system gives ordinary users no user namespaces"
                                           : strerror(errno));
        return false;
    }
    write_proc("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", uid, uid);
    int r = write_proc("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", gid, gid);
    r |= write_proc("/proc/self/gid_map", map);
    if (r < 0)
        sandbox_lacks(s, "namespaces", "the user namespace refused its id map");
    write_proc("/proc/sys/user/max_user_namespaces", "0"); /* none within this one */
    return r == 0;
}

/* In the helper: everything of the old tree goes away, an empty tmpfs stays. The mount point
 * may be any folder; /proc is always there. */
static int empty_root(void)
{
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
              "size=4k,nr_inodes=1,mode=555") < 0 ||
        chdir("/proc") < 0)
        return -1;
    if (syscall(SYS_pivot_root, ".", ".") == 0) {
        if (umount2(".", MNT_DETACH) < 0)
            return -1;
    } else if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0) {
        return -1; /* an initramfs cannot be pivoted away, but it can be covered */
    }
    if (chdir("/") < 0)
        return -1;
    return mount(NULL, "/", NULL,
                 MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

static int open_namespace(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* The helper: reports 0 or errno through `ready`, then waits until `done` closes. */
static _Noreturn void helper(int ready, int done)
{
    char c;
    int err = 0;
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0 || empty_root() < 0)
        err = errno;
    if (write(ready, &err, sizeof err) == (ssize_t)sizeof err)
        while (read(done, &c, 1) < 0 && errno == EINTR) {
        }
    _exit(0);
}

static bool make_namespaces(struct sandbox *s)
{
    int ready[2], done[2], err = EIO;
    if (pipe2(ready, O_CLOEXEC) < 0)
        return false;
    if (pipe2(done, O_CLOEXEC) < 0) {
        close(ready[0]);
        close(ready[1]);
        return false;
    }
    pid_t pid = fork();
    if (pid == 0) {
        close(done[1]);
        helper(ready[1], done[0]);
    }
    close(ready[1]);
    close(done[0]);
    if (pid > 0 && read(ready[0], &err, sizeof err) == (ssize_t)sizeof err && err == 0) {
        s->mnt_ns = open_namespace(pid, "mnt");
        s->net_ns = open_namespace(pid, "net");
        err = s->mnt_ns < 0 || s->net_ns < 0 ? errno : 0;
    }
    close(ready[0]);
    close(done[1]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    if (err)
        sandbox_lacks(s, "namespaces", strerror(err));
    return err == 0;
}

/* Workers' own descriptors are 0 to 5; what the supervisor holds must lie above. */
static void reserve_low_descriptors(void)
{
    int fd;
    do {
        fd = open("/", O_PATH | O_CLOEXEC);
    } while (fd >= 0 && fd < SANDBOX_FDS);
    if (fd >= 0)
        close(fd);
}

static bool may_change_ids(void)
{
    return geteuid() == 0 && start_can_be(SANDBOX_UID_FIRST);
}

static void open_filter(struct sandbox *s)
{
    int r = sandbox_can_listen();
    if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s->handover) < 0)
        r = -errno;
    s->told = r == 0;
    if (!s->told)
        sandbox_lacks(s, "records of refused system calls", strerror(-r));
    seccomp_coarse(&s->filter, s->worker_fd, s->told, false);
    seccomp_coarse(&s->filter_threads, s->worker_fd, s->told, true);
}

int sandbox_open(struct sandbox *s, const struct sandbox_options *o)
{
    memset(s, 0, sizeof *s);
    strbuf_init(&s->lacks, s->lacks_text, sizeof s->lacks_text);
    s->mnt_ns = s->net_ns = s->cgroup_fd = s->worker_fd = s->handover[0] = s->handover[1] = -1;
    reserve_low_descriptors();
    s->worker_fd = open(o->worker_path, O_RDONLY | O_CLOEXEC);
    if (s->worker_fd < 0) {
        sandbox_lacks(s, o->worker_path, strerror(errno));
        return E_NOENT;
    }
    s->failure = mmap(NULL, sizeof *s->failure, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->failure == MAP_FAILED) {
        s->failure = NULL;
        return E_IO;
    }
    sandbox_cgroup_open(s, o->owns_machine);
    s->as_root = may_change_ids();
    if (geteuid() == 0 && !s->as_root)
        sandbox_lacks(s, "a user id for each app", "only a part of the ids is mapped here");
    s->namespaces = (geteuid() == 0 || enter_user_namespace(s)) && make_namespaces(s);
    s->filter_on = !o->no_filter;
    open_filter(s);
    return E_OK;
}

void sandbox_close(struct sandbox *s)
{
    sandbox_cgroup_close(s);
    int *fds[] = { &s->mnt_ns, &s->net_ns, &s->worker_fd, &s->handover[0], &s->handover[1] };
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
    if (s->failure)
        munmap(s->failure, sizeof *s->failure);
    s->failure = NULL;
}

uid_t sandbox_uid(struct span name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.p[i]) * 16777619u;
    return SANDBOX_UID_FIRST + h % SANDBOX_UID_COUNT;
}
