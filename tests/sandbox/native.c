/* A hostile program in the worker's place: what the layers under the engine do when the
 * engine and the worker have been taken over.
 *
 * The supervisor starts it exactly as it starts a worker. What it shall try comes as the
 * app's first argument, over the control channel. Each attempt prints one line,
 * "name: result", where the result is the error's name, "done" when it was let
 * through, or numbers. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"
#include "hosts/linux/seccomp.h"

/* errno as a name: the numbers differ between processors, and messages between libcs. */
static const char *strerrorname(int err)
{
    static const struct {
        int err;
        const char *name;
    } names[] = {
        { EPERM, "EPERM" }, { ENOENT, "ENOENT" }, { ESRCH, "ESRCH" }, { EACCES, "EACCES" },
        { EROFS, "EROFS" }, { EINVAL, "EINVAL" }, { ENOSYS, "ENOSYS" }, { EAGAIN, "EAGAIN" },
        { ENOMEM, "ENOMEM" }, { EMFILE, "EMFILE" }, { EBUSY, "EBUSY" }, { ENODEV, "ENODEV" },
        { ENETUNREACH, "ENETUNREACH" }, { ENOSPC, "ENOSPC" }, { EFBIG, "EFBIG" }, { EBADF, "EBADF" },
        { ENOEXEC, "ENOEXEC" }, { EFAULT, "EFAULT" }, { EXDEV, "EXDEV" },
        { ENOTBLK, "ENOTBLK" }, { EOPNOTSUPP, "EOPNOTSUPP" }, { EUSERS, "EUSERS" },
        { ENOKEY, "ENOKEY" }, { EAFNOSUPPORT, "EAFNOSUPPORT" }, { EMSGSIZE, "EMSGSIZE" },
    };
    static char number[24];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (names[i].err == err)
            return names[i].name;
    }
    snprintf(number, sizeof number, "error %d", err);
    return number;
}

/* A booted console shows 60 lines of an app at once and 20 a second after that; the audit log
 * names 32 kinds of refused calls at once and 8 a second after that. */
static void report(const char *name, long result)
{
    static unsigned lines;
    struct timespec pause = { .tv_nsec = 130 * 1000 * 1000 };
    if (++lines > 30)
        nanosleep(&pause, NULL);
    printf("%s: %s\n", name, result < 0 ? strerrorname(errno) : "done");
    fflush(stdout);
}

/* --- one attempt each: < 0 with errno when it was refused ----------------------------- */

static long try_open(const char *path)
{
    return open(path, O_RDONLY | O_NONBLOCK);
}

static long try_read_other_data(void)
{
    static const char *const paths[] = { "/data", "/data/apps/victim/secret", "../victim/secret",
                                         "../../../etc/passwd", "/etc/shadow" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        long fd = try_open(paths[i]);
        if (fd >= 0)
            return fd;
    }
    return -1;
}

static long try_write_root(void) { return open("/file", O_CREAT | O_RDWR, 0600); }
static long try_proc(void) { return try_open("/proc/self/maps"); }
static long try_sys(void) { return try_open("/sys/kernel"); }
static long try_dev(void) { return try_open("/dev/null"); }
static long try_mknod(void) { return mknod("/null", S_IFCHR | 0666, 0x103); }
static long try_mount(void) { return mount("none", "/", "tmpfs", 0, ""); }
static long try_mount_proc(void) { return mount("proc", "/", "proc", 0, ""); }
static long try_umount(void) { return umount2("/", MNT_DETACH); }
static long try_pivot_root(void) { return syscall(SYS_pivot_root, ".", "."); }
static long try_chroot(void) { return chroot("/"); }
static long try_remount(void) { return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL); }
static long try_open_tree(void) { return syscall(SYS_open_tree, AT_FDCWD, "/", 1); }
static long try_fsopen(void) { return syscall(SYS_fsopen, "tmpfs", 0); }
static long try_reboot(void) { return syscall(SYS_reboot, 0xfee1dead, 672274793, 0x1234567, 0); }
static long try_swapon(void) { return swapon("/dev/vda", 0); }
static long try_swapoff(void) { return swapoff("/dev/vda"); }
static long try_init_module(void) { return syscall(SYS_init_module, "", 0, ""); }
static long try_finit_module(void) { return syscall(SYS_finit_module, 4, "", 0); }
static long try_delete_module(void) { return syscall(SYS_delete_module, "x", 0); }
static long try_kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static long try_settime(void)
{
    struct timespec t = { 0, 0 };
    return clock_settime(CLOCK_REALTIME, &t);
}
static long try_sethostname(void) { return sethostname("mine", 4); }
static long try_unshare_user(void) { return unshare(CLONE_NEWUSER); }
static long try_unshare_mount(void) { return unshare(CLONE_NEWNS); }
static long try_setns(void) { return setns(3, 0); }
static long try_setuid_root(void) { return setuid(0); }
static long try_setgroups(void) { return syscall(SYS_setgroups, 0, NULL); }
static long try_ptrace_init(void) { return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL); }
static long try_vm_read(void)
{
    char c;
    struct iovec local = { &c, 1 }, remote = { (void *)0x400000, 1 };
    return syscall(SYS_process_vm_readv, 2, &local, 1, &remote, 1, 0);
}

/* Every process that could be anywhere: 1 is ourselves in our own namespace. */
static long try_kill_others(void)
{
    for (pid_t pid = 2; pid < 65536; pid++) {
        if (kill(pid, 0) == 0)
            return 0;
    }
    errno = ESRCH;
    return -1;
}

static long try_kill_all(void) { return kill(-1, SIGKILL); }
static long try_pidfd(void) { return syscall(SYS_pidfd_open, 1, 0); }
static long try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid;
}
static long try_vfork_raw(void)
{
#ifdef SYS_fork
    long pid = syscall(SYS_fork);
    if (pid == 0)
        _exit(0);
    return pid;
#else
    errno = EPERM;
    return -1;
#endif
}
static long try_clone3(void)
{
    struct { uint64_t v[11]; } args = { { 0 } };
    args.v[4] = SIGCHLD;
    long pid = syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        _exit(0);
    return pid;
}
static long try_thread(void) { return syscall(SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0, 0, 0); }
static long try_execve(void)
{
    char *argv[] = { NULL };
    return execve("/bin/sh", argv, argv);
}
static long try_execveat(void)
{
    char *argv[] = { NULL };
    return syscall(SYS_execveat, CTL_MODULE_FD, "", argv, argv, AT_EMPTY_PATH);
}
static long try_memfd(void) { return syscall(SYS_memfd_create, "x", 0); }
static long try_module_write(void) { return write(CTL_MODULE_FD, "x", 1); }
static long try_module_grow(void) { return ftruncate(CTL_MODULE_FD, 1 << 20); }
static long try_module_map_write(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, CTL_MODULE_FD, 0);
    return p == MAP_FAILED ? -1 : 0;
}
/* Memory that executes: none but what the supervisor made for code. */
static long try_map_executable(int prot, int flags, int fd)
{
    void *p = mmap(NULL, 4096, prot, flags, fd, 0);
    return p == MAP_FAILED ? -1 : 0;
}
static long try_exec_memory(void)
{
    return try_map_executable(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}
static long try_exec_write_memory(void)
{
    return try_map_executable(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}
static long try_exec_module(void)
{
    return try_map_executable(PROT_READ | PROT_EXEC, MAP_PRIVATE, CTL_MODULE_FD);
}
static long try_exec_code_writable(void)
{
    return try_map_executable(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE, CTL_CODE_FD);
}
static long try_exec_code_shared(void)
{
    return try_map_executable(PROT_READ | PROT_EXEC, MAP_SHARED, CTL_CODE_FD);
}
static long try_exec_protect(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? -1 : mprotect(p, 4096, PROT_READ | PROT_EXEC);
}
static long try_exec_protect_key(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? -1 : syscall(SYS_pkey_mprotect, p, 4096, PROT_READ | PROT_EXEC, 0);
}
static long try_code_grow(void) { return ftruncate(CTL_CODE_FD, 1 << 20); }
static long try_module_unseal(void) { return fcntl(CTL_MODULE_FD, 1033, 0); }

static long try_socket_inet(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static long try_socket_unix(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static long try_socket_raw(void) { return socket(AF_PACKET, SOCK_RAW, 0); }
static long try_socket_netlink(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static long try_socketpair(void)
{
    int fds[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

/* Through every layer that could stop it: the socket, the connection. */
static long try_connect(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(22) };
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&addr, sizeof addr);
}
static long try_bind_control(void)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "\0vyoma" };
    return bind(CTL_WORKER_FD, (struct sockaddr *)&addr, sizeof addr);
}

static long try_keyctl(void) { return syscall(SYS_keyctl, 0, -3, 1); }
static long try_add_key(void) { return syscall(SYS_add_key, "user", "x", "y", 1, -3); }
static long try_userfaultfd(void) { return syscall(SYS_userfaultfd, 1); }
static long try_handle(void)
{
    char handle[64] = { 0 };
    return syscall(SYS_open_by_handle_at, CTL_MODULE_FD, handle, 0);
}
static long try_io_uring(void)
{
    struct io_uring_params p = { 0 };
    return syscall(SYS_io_uring_setup, 1, &p);
}
static long try_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long try_perf(void)
{
    char attr[128] = { 0 };
    attr[4] = (char)sizeof attr;
    return syscall(SYS_perf_event_open, attr, 0, -1, -1, 0);
}
static long try_iopl(void)
{
#ifdef SYS_iopl
    return syscall(SYS_iopl, 3);
#else
    errno = EPERM;
    return -1;
#endif
}
static long try_syslog(void) { return syscall(SYS_syslog, 3, NULL, 0); }
static long try_shmget(void) { return syscall(SYS_shmget, 0x1234, 4096, 01600); }
static long try_mq_open(void) { return syscall(SYS_mq_open, "q", O_CREAT | O_RDWR, 0600, NULL); }
static long try_nice(void) { return setpriority(PRIO_PROCESS, 0, -10); }
static long try_realtime(void)
{
    struct sched_param p = { .sched_priority = 10 };
    return syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p);
}
static long try_raise_limit(void)
{
    struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };
    return setrlimit(RLIMIT_NOFILE, &r);
}
static long try_mlock(void)
{
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? -1 : mlock(p, 1 << 20);
}
/* Memory that RLIMIT_DATA does not count. */
static long try_map(int flags)
{
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? -1 : 0;
}
static long try_shared_memory(void) { return try_map(MAP_SHARED); }
static long try_stack_memory(void) { return try_map(MAP_PRIVATE | MAP_GROWSDOWN); }
static long try_raise_stack(void)
{
    struct rlimit r = { 1 << 30, 1 << 30 };
    return setrlimit(RLIMIT_STACK, &r);
}
static long try_pipe_size(void) { return fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20); }
static long try_lease(void) { return fcntl(STDOUT_FILENO, F_SETLEASE, F_RDLCK); }
static long try_outlive(void) { return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); }
static long try_socket_option(void)
{
    int size = 1 << 20;
    return setsockopt(CTL_WORKER_FD, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}
static long try_keep_caps(void) { return prctl(PR_SET_SECUREBITS, 0, 0, 0, 0); }
static long try_new_privs(void) { return prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0); }

#define ATTEMPT(name) { #name, try_##name }
static const struct {
    const char *name;
    long (*fn)(void);
} attempts[] = {
    ATTEMPT(read_other_data), ATTEMPT(write_root), ATTEMPT(proc), ATTEMPT(sys), ATTEMPT(dev),
    ATTEMPT(mknod), ATTEMPT(mount), ATTEMPT(mount_proc), ATTEMPT(umount), ATTEMPT(pivot_root),
    ATTEMPT(chroot), ATTEMPT(remount), ATTEMPT(open_tree), ATTEMPT(fsopen), ATTEMPT(reboot),
    ATTEMPT(swapon), ATTEMPT(swapoff), ATTEMPT(init_module), ATTEMPT(finit_module),
    ATTEMPT(delete_module), ATTEMPT(kexec), ATTEMPT(settime), ATTEMPT(sethostname),
    ATTEMPT(unshare_user), ATTEMPT(unshare_mount), ATTEMPT(setns), ATTEMPT(setuid_root),
    ATTEMPT(setgroups), ATTEMPT(ptrace_init), ATTEMPT(vm_read), ATTEMPT(kill_others),
    ATTEMPT(kill_all), ATTEMPT(pidfd), ATTEMPT(fork), ATTEMPT(vfork_raw), ATTEMPT(clone3),
    ATTEMPT(thread), ATTEMPT(execve), ATTEMPT(execveat), ATTEMPT(memfd), ATTEMPT(module_write),
    ATTEMPT(module_grow), ATTEMPT(module_map_write), ATTEMPT(module_unseal),
    ATTEMPT(socket_inet), ATTEMPT(socket_unix), ATTEMPT(socket_raw), ATTEMPT(socket_netlink),
    ATTEMPT(socketpair), ATTEMPT(connect), ATTEMPT(bind_control), ATTEMPT(keyctl),
    ATTEMPT(add_key), ATTEMPT(userfaultfd), ATTEMPT(handle), ATTEMPT(io_uring), ATTEMPT(bpf),
    ATTEMPT(perf), ATTEMPT(iopl), ATTEMPT(syslog), ATTEMPT(shmget), ATTEMPT(mq_open),
    ATTEMPT(nice), ATTEMPT(realtime), ATTEMPT(raise_limit), ATTEMPT(mlock), ATTEMPT(keep_caps),
    ATTEMPT(new_privs), ATTEMPT(shared_memory), ATTEMPT(stack_memory), ATTEMPT(raise_stack),
    ATTEMPT(exec_memory), ATTEMPT(exec_write_memory), ATTEMPT(exec_module),
    ATTEMPT(exec_code_writable), ATTEMPT(exec_code_shared), ATTEMPT(exec_protect),
    ATTEMPT(exec_protect_key), ATTEMPT(code_grow), ATTEMPT(pipe_size), ATTEMPT(lease), ATTEMPT(outlive), ATTEMPT(socket_option),
};

static void do_attempts(void)
{
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
        report(attempts[i].name, attempts[i].fn());
    printf("attempts: %zu\n", sizeof attempts / sizeof *attempts);
}

/* --- under the worker's own filter as well -------------------------------------------------- */

/* Calls that both filters refuse: an errno from one must not hide them from whom the other
 * tells. Nothing that a libc may do besides is allowed from here on. */
static void do_as_worker(void)
{
    static const long calls[] = { SYS_ptrace, SYS_mount, SYS_reboot, SYS_openat, SYS_socket,
                                  SYS_clone, SYS_execve, SYS_kill, SYS_bpf };
    static const char *const names[] = { "ptrace", "mount", "reboot", "openat", "socket",
                                         "clone", "execve", "kill", "bpf" };
    int errors[sizeof calls / sizeof *calls];
    struct bpf_program program;
    seccomp_worker(&program, false);
    printf("as_worker: ");
    fflush(stdout); /* a libc asks what it is, the first time */
    printf("%d\n", seccomp_install(&program));
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        errors[i] = syscall(calls[i], -1L, 0L, 0L, 0L, 0L) < 0 ? errno : 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        printf("%s: %s\n", names[i], strerrorname(errors[i]));
    fflush(stdout);
    _exit(0);
}

/* --- threads that compile --------------------------------------------------------------- */

/* A thread, or with other flags a process, that waits for ever. What the kernel says. */
static long make_waiting(unsigned long flags)
{
    long r = -ENOSYS;
#ifdef __x86_64__
    static uint8_t stack[4096]; /* nobody uses it */
    static uint32_t tid;
    register void *child_tid __asm__("r10") = &tid;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n"
                     "2:\tmov %[pause], %%eax\n\t"
                     "syscall\n\t"
                     "jmp 2b\n"
                     "1:"
                     : "=a"(r)
                     : "a"((long)SYS_clone), "D"(flags), "S"(stack + sizeof stack), "d"(0L),
                       "r"(child_tid), [pause] "i"(SYS_pause)
                     : "rcx", "r11", "memory");
#endif
    return r;
}

/* As many as the worker may have, of that kind alone, and none any more under its own filter. */
static void do_threads(void)
{
    enum { MOST = 40 };
    struct bpf_program program;
    int made = 0;
    long r = 0;
    while (made < MOST && (r = make_waiting(CODE_THREAD_FLAGS)) > 0)
        made++;
    printf("threads: %s after %d\n", r < 0 ? strerrorname((int)-r) : "done", made);
    r = make_waiting(CODE_THREAD_FLAGS | CLONE_SETTLS);
    printf("other_thread: %s\n", r < 0 ? strerrorname((int)-r) : "done");
    r = make_waiting(SIGCHLD);
    printf("process: %s\n", r < 0 ? strerrorname((int)-r) : "done");
    fflush(stdout);
    seccomp_worker(&program, true);
    int installed = seccomp_install(&program);
    printf("worker_filter: %s\n", installed < 0 ? strerrorname(-installed) : "done");
    fflush(stdout);
    make_waiting(CODE_THREAD_FLAGS); /* kills */
    printf("thread_later: done\n");
    fflush(stdout);
    _exit(0);
}

/* --- a socket that it was given ------------------------------------------------------- */

static struct ctl_fds given;

/* What can be made of a listening socket: the world outside is on its other side. */
static void do_listener(const char *port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
    char bytes[] = "hello";
    struct iovec iov = { bytes, 5 };
    struct mmsghdr m = { .msg_hdr = { .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &iov,
                                      .msg_iovlen = 1 } };
    struct ifconf interfaces = { .ifc_len = 0 };
    int fd = given.fd[0], one = 1, nodelay = 0;
    socklen_t len = sizeof nodelay;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
    printf("given: %u\nnodelay: %d\n", given.count, nodelay);
    report("interfaces", ioctl(fd, SIOCGIFCONF, &interfaces));
    report("listener_option", setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    report("shutdown", shutdown(fd, SHUT_RDWR));
    report("listen_again", listen(fd, 1));
    report("connect_it", connect(fd, (struct sockaddr *)&to, sizeof to));
    report("sendto_it", sendto(fd, bytes, 5, MSG_FASTOPEN, (struct sockaddr *)&to, sizeof to));
    shutdown(fd, SHUT_RDWR);
    report("sendmsg_it", sendmsg(fd, &m.msg_hdr, MSG_FASTOPEN));
    shutdown(fd, SHUT_RDWR);
    report("sendmmsg_it", sendmmsg(fd, &m, 1, MSG_FASTOPEN));
}

/* --- what it is -------------------------------------------------------------------------- */

static void do_identity(void)
{
    char host[65] = "";
    int fds = 0;
    for (int fd = 0; fd < 65536; fd++)
        fds += fcntl(fd, F_GETFD) >= 0;
    gethostname(host, sizeof host - 1);
    printf("pid: %d\nppid: %d\nhost: %s\nfds: %d\nuid: %u\n", getpid(), getppid(), host, fds,
           getuid());
    printf("no_new_privs: %d\nseccomp: %d\nbounding: ", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
           prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
    int bits = 0;
    for (int cap = 0; cap < 64; cap++)
        bits += prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1;
    printf("%d\n", bits);
}

/* --- the file for code ------------------------------------------------------------------- */

/* As the worker does it, and then once more. */
static void do_code(void)
{
    enum { PAGE = 4096 };
    uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static const uint8_t ret[] = { 0xc3 };
    report("code_written", pwrite(CTL_CODE_FD, ret, sizeof ret, 0));
    report("code_sealed", fcntl(CTL_CODE_FD, F_ADD_SEALS, CODE_SEALS_LAST));
    report("code_mapped", mmap(p, PAGE, CODE_PROT, CODE_FLAGS, CTL_CODE_FD, 0) == p ? 0 : -1);
    report("code_rewritten", pwrite(CTL_CODE_FD, "x", 1, 0));
    report("code_unsealed", fcntl(CTL_CODE_FD, F_ADD_SEALS, 0));
    report("code_made_writable", mprotect(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC));
    void *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, CTL_CODE_FD, 0);
    report("code_mapped_writable", shared == MAP_FAILED ? -1 : 0);
    /* Out of the way and written to, and then it is to execute again. */
    report("code_copied", mprotect(p, PAGE, PROT_READ | PROT_WRITE));
    p[0] = 0xcc;
    report("copy_made_executable", mprotect(p, PAGE, PROT_READ | PROT_EXEC));
}

/* --- exhaustion ---------------------------------------------------------------------------- */

static void do_memory(void)
{
    const size_t piece = 1 << 20;
    unsigned long mb = 0;
    for (char *p; (p = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                            0)) != MAP_FAILED && mb < 100000; mb++) {
        for (size_t i = 0; i < piece; i += 4096)
            p[i] = 1;
    }
    printf("memory: %s after %lu MB\n", strerrorname(errno), mb);
}

static void do_descriptors(void)
{
    int n = 0;
    while (dup(0) >= 0)
        n++;
    printf("descriptors: %s after %d\n", strerrorname(errno), n);
}

static void do_fork_bomb(void)
{
    int n = 0;
    for (; n < 1000; n++) {
        pid_t pid = fork();
        if (pid < 0)
            break;
        if (pid == 0) {
            pause();
            _exit(0);
        }
    }
    printf("fork_bomb: %s after %d\n", n < 1000 ? strerrorname(errno) : "done", n);
}

/* Children that nobody waits for, and grandchildren that lose their parents. */
static void do_zombies(void)
{
    int made = 0;
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (fork() == 0) {
                sleep(1000);
                _exit(0);
            }
            _exit(0);
        }
        made += pid > 0;
    }
    printf("zombies: %d\n", made);
}

static void do_flood(void)
{
    static char lines[65536];
    memset(lines, 'x', sizeof lines);
    for (size_t i = 99; i < sizeof lines; i += 100)
        lines[i] = '\n';
    for (;;) {
        if (write(1, lines, sizeof lines) < 0)
            return;
    }
}

static void do_spin(void)
{
    for (volatile unsigned long i = 0;; i++) {
    }
}

/* --- the control channel ----------------------------------------------------------------------- */

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Random packets; half of them with a plausible head, so that they get past the first checks. */
static void do_garbage(const char *seed)
{
    static uint8_t packet[CTL_PACKET_MAX + 100];
    random_state = strtoull(seed, NULL, 10) * 2654435761u + 88172645463325252u;
    for (int n = 0; n < 200; n++) {
        size_t len = random_next() % (random_next() % 4 ? 200 : sizeof packet);
        for (size_t i = 0; i < len; i++)
            packet[i] = (uint8_t)random_next();
        struct ctl_msg m;
        if (len >= sizeof m && random_next() % 2) {
            memcpy(&m, packet, sizeof m);
            m.type = (uint16_t)(random_next() % 72);
            m.a_len = (uint32_t)(random_next() % (len - sizeof m + 1));
            m.b_len = (uint32_t)(len - sizeof m - m.a_len);
            memcpy(packet, &m, sizeof m);
        }
        if (send(CTL_WORKER_FD, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
            break;
        while (recv(CTL_WORKER_FD, packet, sizeof packet, MSG_DONTWAIT) > 0) {
        }
    }
    printf("garbage: survived\n");
}

static void send_stat(uint32_t seq)
{
    struct ctl_msg m = { .type = CTL_PATH_STAT, .seq = seq };
    ctl_send(CTL_WORKER_FD, &m, SPAN_LIT("x"), SPAN_NONE, NULL, MSG_DONTWAIT);
}

static void do_send_descriptor(void)
{
    struct ctl_msg m = { .type = CTL_PATH_STAT, .seq = 1 };
    struct ctl_fds fds = { .fd = { 0 }, .count = 1 };
    ctl_send(CTL_WORKER_FD, &m, SPAN_LIT("x"), SPAN_NONE, &fds, 0);
    sleep(5);
    printf("send_descriptor: survived\n");
}

static void do_unread_replies(void)
{
    for (uint32_t i = 1; i < 100000; i++)
        send_stat(i);
    sleep(5);
    printf("unread_replies: survived\n");
}

/* Asks to read up and out of its folder, past what a guest could even send. */
static void do_escape(void)
{
    static const char *const paths[] = { "..", "../victim/secret", "/etc/passwd",
                                         "a/../../victim/secret", "\0hidden", "" };
    static uint8_t data[CTL_DATA_MAX];
    for (uint32_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct ctl_msg m = { .type = CTL_PATH_OPEN, .seq = i + 1 };
        struct ctl_fds fds;
        m.u.open.can_read = 1;
        m.u.open.dir = i == 5 ? 31 : 0; /* the last: a folder that is not open */
        ctl_send(CTL_WORKER_FD, &m, span_of_cstr(paths[i]), SPAN_NONE, NULL, 0);
        if (ctl_recv(CTL_WORKER_FD, &m, data, sizeof data, &fds, 0) < 0)
            break;
        printf("escape %u: error %u, %u descriptors\n", i, m.error, fds.count);
    }
}

/* Blocks beyond a file's end, which RLIMIT_FSIZE does not see. */
static void do_hoard(void)
{
    static uint8_t data[CTL_DATA_MAX];
    struct ctl_msg m = { .type = CTL_PATH_OPEN, .seq = 1 };
    struct ctl_fds fds = { .count = 0 };
    m.u.open.oflags = 1; /* create */
    m.u.open.can_read = m.u.open.can_write = 1;
    ctl_send(CTL_WORKER_FD, &m, SPAN_LIT("hoard"), SPAN_NONE, NULL, 0);
    if (ctl_recv(CTL_WORKER_FD, &m, data, sizeof data, &fds, 0) < 0 || fds.count != 1) {
        printf("hoard: no file, error %u\n", m.error);
        return;
    }
    report("hoard", fallocate(fds.fd[0], FALLOC_FL_KEEP_SIZE, 0, 64 << 20));
    report("beyond_limit", fallocate(fds.fd[0], 0, 0, 64 << 20));
    report("within_limit", fallocate(fds.fd[0], 0, 0, 1 << 16));
}

/* As many refusals as it likes, each of which would be a record of the audit log. */
static void do_last_words(void)
{
    for (int i = 0; i < 20000; i++) {
        struct ctl_msg m = { .type = CTL_REFUSED, .u.refused.key = "forged" };
        if (ctl_send(CTL_WORKER_FD, &m, SPAN_LIT("x"), SPAN_LIT("forged.import"), NULL, 0) < 0)
            break;
    }
    sleep(5);
    printf("last_words: survived\n");
}

static void do_close_control(void)
{
    close(CTL_WORKER_FD);
    printf("close_control: still here\n");
}

/* --- starting ------------------------------------------------------------------------------------ */

static uint8_t start_data[CTL_DATA_MAX];

/* argv[1] and argv[2] of the app, from the start packet. */
static bool read_start(const char **verb, const char **value)
{
    struct ctl_msg m;
    if (ctl_recv(CTL_WORKER_FD, &m, start_data, sizeof start_data - 1, &given, 0) < 0 ||
        m.type != CTL_START || m.u.start.arg_count < 2)
        return false;
    const char *strings = (const char *)ctl_b(&m, start_data).p;
    *verb = strings + strlen(strings) + 1;
    *value = m.u.start.arg_count > 2 ? *verb + strlen(*verb) + 1 : "";
    return true;
}

int main(void)
{
    const char *verb, *value;
    if (!read_start(&verb, &value)) {
        printf("no start packet\n");
        return 1;
    }
    static const struct {
        const char *verb;
        void (*fn)(void);
    } verbs[] = {
        { "attempts", do_attempts }, { "identity", do_identity }, { "memory", do_memory },
        { "descriptors", do_descriptors }, { "fork_bomb", do_fork_bomb },
        { "zombies", do_zombies }, { "flood", do_flood }, { "spin", do_spin },
        { "send_descriptor", do_send_descriptor }, { "unread_replies", do_unread_replies },
        { "escape", do_escape }, { "close_control", do_close_control },
        { "last_words", do_last_words }, { "hoard", do_hoard },
        { "code", do_code }, { "as_worker", do_as_worker },
        { "threads", do_threads },
    };
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verb, verbs[i].verb) == 0)
            verbs[i].fn();
    }
    if (strcmp(verb, "garbage") == 0)
        do_garbage(value);
    if (strcmp(verb, "listener") == 0)
        do_listener(value);
    if (strcmp(verb, "exit") == 0)
        return atoi(value);
    if (strcmp(verb, "signal") == 0) {
        signal(atoi(value), SIG_DFL);
        kill(getpid(), atoi(value)); /* process 1 of a namespace is deaf to its own */
        *(volatile int *)0 = 0;
    }
    return 0;
}
