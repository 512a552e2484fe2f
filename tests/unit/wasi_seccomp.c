/* The worker's system call filter, call by call, each in a process of its own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"
#include "hosts/linux/seccomp.h"
#include "lib/bpf.h"
#include "lib/test.h"

enum { KILLED = -1, WORKED = 0 }; /* or an errno */

/* What becomes of a call under the filter. Nothing but system calls happens in the child,
 * since whatever a libc or a sanitizer likes to do besides is not allowed there. */
static bool compiles, code_is_mapped;
__attribute__((no_sanitize("address", "undefined"))) static int try_6(long nr, long a, long b, long c,
                                                                      long d, long e, long f)
{
    int status;
    struct bpf_program program, second;
    seccomp_worker(&program, compiles);
    seccomp_code_is_mapped(&second);
    pid_t pid = fork();
    if (pid == 0) {
        if (seccomp_install(&program) < 0 || (code_is_mapped && bpf_install(&second, 0) < 0))
            _exit(200);
        long r = syscall(nr, a, b, c, d, e, f);
        syscall(SYS_exit_group, r < 0 ? errno : 0);
    }
    if (waitpid(pid, &status, 0) != pid)
        return 201;
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == SIGSYS ? KILLED : 202;
    return WEXITSTATUS(status);
}

static int try_call(long nr, long a, long b, long c, long d)
{
    return try_6(nr, a, b, c, d, 0, 0);
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
        if (r != ENOSYS) /* without the supervisor's filter, whose answer is EPERM */
            printf("# call %ld\n", calls[i]);
        CHECK_INT(r, ENOSYS);
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

static int try_map(int prot, int flags, int fd)
{
    void *room = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int r = try_6(SYS_mmap, (long)room, 4096, prot, flags, fd, 0);
    munmap(room, 4096);
    return r;
}

/* The file for code where the worker has it. What has the number now is put back. */
static int put_code_file(void)
{
    int saved = fcntl(CTL_CODE_FD, F_DUPFD_CLOEXEC, 16);
    int fd = memfd_create("code", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    if (fd != CTL_CODE_FD) {
        CHECK_INT(dup2(fd, CTL_CODE_FD), CTL_CODE_FD);
        close(fd);
    }
    return saved;
}

TEST(code_is_mapped_once)
{
    int saved = put_code_file(), other = fcntl(CTL_CODE_FD, F_DUPFD_CLOEXEC, 16);
    long all = F_SEAL_SEAL | F_SEAL_WRITE;
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS, CTL_CODE_FD), KILLED); /* it interprets */
    CHECK_INT(try_call(SYS_fcntl, CTL_CODE_FD, F_ADD_SEALS, CODE_SEALS_LAST, 0), KILLED);
    CHECK_INT(try_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0, 0), KILLED);
    compiles = true;
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS, CTL_CODE_FD), WORKED);
    CHECK_INT(try_map(CODE_PROT | PROT_WRITE, CODE_FLAGS, CTL_CODE_FD), KILLED);
    CHECK_INT(try_map(PROT_EXEC, CODE_FLAGS, CTL_CODE_FD), KILLED);
    CHECK_INT(try_map(CODE_PROT, MAP_SHARED | MAP_FIXED, CTL_CODE_FD), KILLED);
    CHECK_INT(try_map(CODE_PROT, MAP_PRIVATE, CTL_CODE_FD), KILLED);
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS | MAP_ANONYMOUS, CTL_CODE_FD), KILLED);
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS, other), KILLED);
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS, CTL_MODULE_FD), KILLED);
    CHECK_INT(try_map(PROT_READ | PROT_WRITE, MAP_SHARED, CTL_CODE_FD), KILLED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, CODE_PROT, 0), KILLED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, CODE_PROT | PROT_WRITE, 0), KILLED);
    CHECK_INT(try_call(SYS_memfd_create, (long)"x", 0, 0, 0), KILLED);
    CHECK_INT(try_call(SYS_fcntl, CTL_CODE_FD, F_ADD_SEALS, F_SEAL_SEAL, 0), KILLED);
    CHECK_INT(try_call(SYS_fcntl, other, F_ADD_SEALS, all, 0), KILLED);
    CHECK_INT(try_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0, 0), EFAULT);
    CHECK_INT(try_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, 0, 0), KILLED);
    CHECK_INT(try_call(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 0, 0), KILLED);
    CHECK_INT(fcntl(CTL_CODE_FD, F_ADD_SEALS, CODE_SEALS_LAST), 0);
    CHECK_INT(try_call(SYS_pwrite64, CTL_CODE_FD, (long)"x", 1, 0), EPERM);
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS, CTL_CODE_FD), WORKED);
    code_is_mapped = true;
    CHECK_INT(try_map(CODE_PROT, CODE_FLAGS, CTL_CODE_FD), KILLED);
    CHECK_INT(try_map(PROT_READ, CODE_FLAGS, CTL_CODE_FD), WORKED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, CODE_PROT, 0), KILLED);
    CHECK_INT(try_call(SYS_mprotect, 0, 0, PROT_READ | PROT_WRITE, 0), WORKED);
    CHECK_INT(try_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 0, 0), KILLED);
    CHECK_INT(try_call(SYS_getpid, 0, 0, 0, 0), KILLED);
    CHECK_INT(try_call(SYS_openat, 0, 0, 0, 0), ENOSYS);
    compiles = code_is_mapped = false;
    close(other);
    close(CTL_CODE_FD);
    if (saved >= 0) {
        dup2(saved, CTL_CODE_FD);
        close(saved);
    }
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
    struct bpf_program p;
    seccomp_worker(&p, true); /* the wider one */
    uint32_t allowed = 0;
    for (uint32_t nr = 0; nr < 70000; nr++)
        allowed += bpf_decide(&p, nr) == SECCOMP_RET_ALLOW;
    CHECK_INT(allowed, base_countof(expected));
    for (size_t i = 0; i < base_countof(expected); i++)
        CHECK_INT(bpf_decide(&p, expected[i]), SECCOMP_RET_ALLOW);
    CHECK_INT(bpf_decide(&p, UINT32_MAX), SECCOMP_RET_KILL_PROCESS);
    CHECK_INT(bpf_decide(&p, 0x40000000), SECCOMP_RET_KILL_PROCESS);
}

TEST_MAIN(RUN(the_documented_ways_out_are_refused) RUN(unknown_calls_kill)
              RUN(foreign_call_tables_kill) RUN(what_works_on_open_descriptors_is_allowed)
                  RUN(arguments_are_looked_at) RUN(code_is_mapped_once)
                      RUN(nothing_else_is_allowed))
