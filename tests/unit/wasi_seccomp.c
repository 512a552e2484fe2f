/* The worker's system call filter, call by call, each in a process of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "hosts/linux/seccomp.h"
#include "lib/test.h"

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#else
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

enum { KILLED = -1, WORKED = 0 }; /* or an errno */

/* What becomes of a call under the filter. Nothing but system calls happens in the child,
 * since whatever a libc or a sanitizer likes to do besides is not allowed there. */
__attribute__((no_sanitize("address", "undefined"))) static int try_call(long nr, long a, long b,
                                                                         long c, long d)
{
    int status;
    struct seccomp_program program;
    seccomp_worker(&program);
    pid_t pid = fork();
    if (pid == 0) {
        if (seccomp_install(&program) < 0)
            _exit(200);
        long r = syscall(nr, a, b, c, d, 0, 0);
        syscall(SYS_exit_group, r < 0 ? errno : 0);
    }
    if (waitpid(pid, &status, 0) != pid)
        return 201;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? KILLED : 202;
    return WEXITSTATUS(status);
}

TEST(the_documented_ways_out_are_refused)
{
    static const long calls[] = {
        SYS_ptrace, SYS_mount, SYS_umount2, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_init_module,
        SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_pivot_root, SYS_chroot,
        SYS_unshare, SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_keyctl, SYS_process_vm_readv,
        SYS_process_vm_writev, SYS_openat, SYS_socket, SYS_connect, SYS_bind, SYS_listen,
        SYS_execve, SYS_execveat, SYS_clone, SYS_kill, SYS_settimeofday, SYS_sethostname,
#ifdef SYS_open
        SYS_open, SYS_fork, SYS_vfork,
#endif
    };
    for (size_t i = 0; i < base_countof(calls); i++) {
        int r = try_call(calls[i], 0, 0, 0, 0);
        if (r != EPERM)
            printf("# call %ld\n", calls[i]);
        CHECK_INT(r, EPERM);
    }
}

TEST(unknown_calls_kill)
{
    static const long calls[] = {
        SYS_getpid, SYS_clone3, SYS_io_uring_setup, SYS_memfd_create, SYS_getdents64, SYS_openat2,
        SYS_unlinkat, SYS_renameat, SYS_mkdirat, SYS_symlinkat, SYS_linkat, SYS_fchmod, SYS_fchown,
        SYS_sysinfo, SYS_uname, SYS_prctl, SYS_setuid, SYS_rt_sigaction, SYS_dup, SYS_pipe2,
        SYS_socketpair, SYS_sendto, SYS_recvfrom, SYS_sendmmsg, SYS_getsockname, SYS_setsockopt,
        SYS_shmget, SYS_msgget, SYS_inotify_init1,
        SYS_timer_create, SYS_tgkill, SYS_seccomp, 999,
    };
    for (size_t i = 0; i < base_countof(calls); i++) {
        int r = try_call(calls[i], 0, 0, 0, 0);
        if (r != KILLED)
            printf("# call %ld\n", calls[i]);
        CHECK_INT(r, KILLED);
    }
}

TEST(foreign_call_tables_kill)
{
#ifdef __x86_64__
    CHECK_INT(try_call(SYS_getpid | 0x40000000, 0, 0, 0, 0), KILLED);
    CHECK_INT(try_call(SYS_write | 0x40000000, 1, 0, 0, 0), KILLED);
#endif
    CHECK_INT(try_call(-1, 0, 0, 0, 0), KILLED);
}

TEST(what_works_on_open_descriptors_is_allowed)
{
    struct iovec { void *p; size_t n; } v = { NULL, 0 };
    int fd = memfd_create("test", MFD_CLOEXEC);
    CHECK_INT(try_call(SYS_write, fd, (long)"x", 1, 0), WORKED);
    CHECK_INT(try_call(SYS_writev, fd, (long)&v, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_lseek, fd, 0, SEEK_SET, 0), WORKED);
    CHECK_INT(try_call(SYS_ftruncate, fd, 10, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_fallocate, fd, 0, 0, 10), WORKED);
    CHECK_INT(try_call(SYS_fsync, fd, 0, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_close, fd, 0, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_sched_yield, 0, 0, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_read, -1, 0, 0, 0), EBADF);
    CHECK_INT(try_call(SYS_accept4, -1, 0, 0, 0), EBADF);
    CHECK_INT(try_call(SYS_recvmsg, -1, 0, 0, 0), EBADF);
    close(fd);
}

TEST(arguments_are_looked_at)
{
    long anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    int fd = memfd_create("test", MFD_CLOEXEC), available;
    CHECK_INT(try_call(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, anonymous), WORKED);
    CHECK_INT(try_call(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, anonymous), KILLED);
    CHECK_INT(try_call(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS), KILLED);
    CHECK_INT(try_call(SYS_mmap, 0, 4096, PROT_READ, anonymous | MAP_GROWSDOWN), KILLED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, PROT_READ | PROT_WRITE, 0), WORKED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, PROT_READ, 0), KILLED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, PROT_READ | PROT_WRITE | PROT_EXEC, 0), KILLED);
    CHECK_INT(try_call(SYS_fcntl, fd, F_SETFL, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_fcntl, fd, F_DUPFD, 0, 0), KILLED);
    CHECK_INT(try_call(SYS_ioctl, -1, FIONREAD, (long)&available, 0), EBADF);
    CHECK_INT(try_call(SYS_ioctl, fd, TIOCSTI, (long)"x", 0), KILLED);
    CHECK_INT(try_call(SYS_sendmsg, -1, 0, MSG_NOSIGNAL, 0), EBADF);
    CHECK_INT(try_call(SYS_sendmsg, -1, 0, MSG_NOSIGNAL | MSG_FASTOPEN, 0), KILLED);
    CHECK_INT(try_call(SYS_fallocate, fd, 0, 0, 10), WORKED);
    CHECK_INT(try_call(SYS_fallocate, fd, 1, 0, 10), KILLED); /* FALLOC_FL_KEEP_SIZE */
    CHECK_INT(try_call(SYS_utimensat, fd, 0, 0, 0), WORKED);
    CHECK_INT(try_call(SYS_utimensat, AT_FDCWD, (long)"/tmp", 0, 0), KILLED);
    CHECK_INT(try_call(SYS_utimensat, fd, (long)0x100000000, 0, 0), KILLED);
    close(fd);
}

/* What the program says to one call whose arguments have all bits set: conditional ones
 * are not allowed then. */
static uint32_t decide(const struct seccomp_program *p, uint32_t nr)
{
    struct seccomp_data d = { .nr = (int)nr, .arch = THIS_ARCH };
    uint32_t a = 0;
    memset(d.args, 0xff, sizeof d.args);
    for (unsigned pc = 0; pc < p->len; pc++) {
        const struct sock_filter *f = &p->code[pc];
        bool jump;
        switch (f->code) {
        case BPF_LD | BPF_W | BPF_ABS: memcpy(&a, (const char *)&d + f->k, 4); continue;
        case BPF_RET | BPF_K: return f->k;
        case BPF_JMP | BPF_JEQ | BPF_K: jump = a == f->k; break;
        case BPF_JMP | BPF_JGE | BPF_K: jump = a >= f->k; break;
        case BPF_JMP | BPF_JSET | BPF_K: jump = (a & f->k) != 0; break;
        default: return 1;
        }
        pc += jump ? f->jt : f->jf;
    }
    return 2;
}

/* The whole list once more, as a second opinion: whoever adds a call adds it twice. */
TEST(nothing_else_is_allowed)
{
    static const uint32_t expected[] = {
        SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg, SYS_ppoll, SYS_clock_gettime,
        SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_lseek, SYS_accept4, SYS_shutdown,
        SYS_close, SYS_fstat, SYS_ftruncate, SYS_fsync, SYS_fdatasync,
        SYS_fadvise64, SYS_clock_getres, SYS_getrandom, SYS_sched_yield, SYS_munmap, SYS_mremap,
        SYS_madvise, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit_group, SYS_exit,
#ifdef SYS_poll
        SYS_poll,
#endif
    };
    struct seccomp_program p;
    seccomp_worker(&p);
    uint32_t allowed = 0;
    for (uint32_t nr = 0; nr < 70000; nr++)
        allowed += decide(&p, nr) == SECCOMP_RET_ALLOW;
    CHECK_INT(allowed, base_countof(expected));
    for (size_t i = 0; i < base_countof(expected); i++)
        CHECK_INT(decide(&p, expected[i]), SECCOMP_RET_ALLOW);
    CHECK_INT(decide(&p, UINT32_MAX), SECCOMP_RET_KILL_PROCESS);
    CHECK_INT(decide(&p, 0x40000000), SECCOMP_RET_KILL_PROCESS);
}

TEST_MAIN(RUN(the_documented_ways_out_are_refused) RUN(unknown_calls_kill)
              RUN(foreign_call_tables_kill) RUN(what_works_on_open_descriptors_is_allowed)
                  RUN(arguments_are_looked_at) RUN(nothing_else_is_allowed))
