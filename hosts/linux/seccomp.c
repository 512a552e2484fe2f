#define _GNU_SOURCE
#include "hosts/linux/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"

#if defined(__x86_64__)
#define PROGRAM_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define PROGRAM_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this processor's AUDIT_ARCH"
#endif

/* Allowed whatever the arguments; the frequent ones first. */
static const uint16_t allowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg, SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_clock_gettime, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_lseek, SYS_accept4,
    SYS_shutdown, SYS_close, SYS_fstat, SYS_ftruncate, SYS_fallocate,
    SYS_fsync, SYS_fdatasync, SYS_fadvise64, SYS_clock_getres, SYS_getrandom, SYS_sched_yield,
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit_group,
    SYS_exit,
};

/* EPERM. docs/security.md lists them. */
static const uint16_t refused[] = {
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_mount, SYS_umount2,
    SYS_pivot_root, SYS_chroot, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_init_module,
    SYS_finit_module, SYS_delete_module, SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_unshare, SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl,
    SYS_add_key, SYS_request_key, SYS_open_by_handle_at, SYS_acct, SYS_syslog, SYS_quotactl,
    SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname,
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm,
#endif
    SYS_openat, SYS_execve, SYS_execveat, SYS_clone, SYS_socket, SYS_connect, SYS_bind,
    SYS_listen, SYS_kill,
#ifdef SYS_open
    SYS_open, SYS_fork, SYS_vfork,
#endif
};

static void emit(struct seccomp_program *p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    base_assert(p->len < SECCOMP_PROGRAM_MAX);
    p->code[p->len++] = (struct sock_filter){ code, jt, jf, k };
}

static void emit_load(struct seccomp_program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct seccomp_program *p, uint32_t what)
{
    emit(p, BPF_RET | BPF_K, 0, 0, what);
}

/* nr is answered with `what`. */
static void emit_call(struct seccomp_program *p, uint32_t nr, uint32_t what)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr);
    emit_return(p, what);
}

/* nr is allowed when the low half of argument `arg` equals k, and else kills. The kernel
 * reads these arguments as 32 bits or less, so the high half does not matter. */
static void emit_call_if_equal(struct seccomp_program *p, uint32_t nr, unsigned arg, uint32_t k)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, nr);
    emit_load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* nr is allowed unless argument `arg` has one of the bits, and else kills. */
static void emit_call_unless_bits(struct seccomp_program *p, uint32_t nr, unsigned arg,
                                  uint32_t bits)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, nr);
    emit_load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
    emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, bits);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* Memory that is or becomes executable has no use: the engine interprets. A listening
 * socket that is shut down can be connected anew, anywhere, by sending with MSG_FASTOPEN. */
static void emit_arguments(struct seccomp_program *p)
{
    emit_call_unless_bits(p, SYS_sendmsg, 2, MSG_FASTOPEN);
    emit_call_unless_bits(p, SYS_mmap, 2, PROT_EXEC);
    emit_call_unless_bits(p, SYS_mprotect, 2, PROT_EXEC);
    emit_call_if_equal(p, SYS_ioctl, 1, FIONREAD);
    emit_call_if_equal(p, SYS_fcntl, 1, F_SETFL);
}

/* utimensat on a descriptor alone: its path must be NULL, in both halves. */
static void emit_futimens(struct seccomp_program *p)
{
    size_t path = offsetof(struct seccomp_data, args[1]);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 6, SYS_utimensat);
    emit_load(p, path);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
    emit_load(p, path + 4);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

void seccomp_worker(struct seccomp_program *ret)
{
    ret->len = 0;
    emit_load(ret, offsetof(struct seccomp_data, arch));
    emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, PROGRAM_ARCH);
    emit_return(ret, SECCOMP_RET_KILL_PROCESS); /* another processor's call numbers */
    emit_load(ret, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    emit(ret, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000);
    emit_return(ret, SECCOMP_RET_KILL_PROCESS); /* the x32 table */
#endif
    for (size_t i = 0; i < base_countof(allowed); i++)
        emit_call(ret, allowed[i], SECCOMP_RET_ALLOW);
    emit_arguments(ret);
    emit_futimens(ret);
    for (size_t i = 0; i < base_countof(refused); i++)
        emit_call(ret, refused[i], SECCOMP_RET_ERRNO | EPERM);
    emit_return(ret, SECCOMP_RET_KILL_PROCESS);
}

int seccomp_install(const struct seccomp_program *program)
{
    struct sock_fprog f = { program->len, (struct sock_filter *)(uintptr_t)program->code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f) < 0)
        return -errno;
    return 0;
}
