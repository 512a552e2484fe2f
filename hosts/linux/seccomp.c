#define _GNU_SOURCE
#include "hosts/linux/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"

/* Allowed whatever the arguments. */
static const uint16_t allowed[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_recvmsg, SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
    SYS_clock_gettime, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_lseek, SYS_accept4,
    SYS_shutdown, SYS_close, SYS_fstat, SYS_ftruncate,
    SYS_fsync, SYS_fdatasync, SYS_fadvise64, SYS_clock_getres, SYS_getrandom, SYS_sched_yield,
    SYS_munmap, SYS_mremap, SYS_madvise, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit_group,
    SYS_exit,
};

/* EPERM, by the coarse filter (emit_answer below). docs/security.md lists them. */
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
    SYS_openat, SYS_execve, SYS_execveat, SYS_socket, SYS_connect, SYS_bind, SYS_listen, SYS_kill,
#ifdef SYS_open
    SYS_open, SYS_fork, SYS_vfork,
#endif
};

/* --- calls that depend on an argument ---------------------------------------------- */

/* Allowed when the low half of the argument equals k. The kernel reads these arguments as 32
 * bits or less, so the high half does not matter. */
static void emit_if_equal(struct bpf_program *p, unsigned arg, uint32_t k)
{
    bpf_load_argument(p, arg);
    bpf_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k);
    bpf_return(p, SECCOMP_RET_ALLOW);
    bpf_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* Allowed unless the argument has one of the bits. */
static void emit_unless_bits(struct bpf_program *p, unsigned arg, uint32_t bits)
{
    bpf_load_argument(p, arg);
    bpf_emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, bits);
    bpf_return(p, SECCOMP_RET_ALLOW);
    bpf_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* Other memory that is or becomes executable has no use. Shared and growing mappings are not
 * in RLIMIT_DATA's books, */
static void emit_mmap(struct bpf_program *p)
{
    bpf_load_argument(p, 2);
    bpf_emit(p, BPF_JMP | BPF_JSET | BPF_K, 2, 0, PROT_EXEC);
    bpf_load_argument(p, 3);
    bpf_emit(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, MAP_SHARED | MAP_GROWSDOWN);
    bpf_return(p, SECCOMP_RET_KILL_PROCESS);
    bpf_return(p, SECCOMP_RET_ALLOW);
}

/* nor is what has been written and is then made read-only. */
static void emit_mprotect(struct bpf_program *p) { emit_if_equal(p, 2, PROT_READ | PROT_WRITE); }

/* A listening socket that is shut down could be connected anew, anywhere, by sending with
 * this flag. */
static void emit_sendmsg(struct bpf_program *p) { emit_unless_bits(p, 2, MSG_FASTOPEN); }

static void emit_ioctl(struct bpf_program *p) { emit_if_equal(p, 1, FIONREAD); }

static void emit_fcntl(struct bpf_program *p) { emit_if_equal(p, 1, F_SETFL); }

static void emit_seccomp(struct bpf_program *p) { bpf_return(p, SECCOMP_RET_KILL_PROCESS); }

/* Left to the coarse filter, but for the threads that it may let through: those have been made. */
static void emit_clone(struct bpf_program *p)
{
    bpf_unless_argument(p, 0, CODE_THREAD_FLAGS, 1);
    bpf_return(p, SECCOMP_RET_KILL_PROCESS);
    bpf_return(p, SECCOMP_RET_TRACE);
}

/* RLIMIT_FSIZE does not see blocks beyond a file's end. */
static void emit_fallocate(struct bpf_program *p) { emit_if_equal(p, 1, 0); }

/* On a descriptor alone: the path must be NULL, in both halves. */
static void emit_utimensat(struct bpf_program *p)
{
    bpf_unless_argument(p, 1, 0, 3);
    bpf_load_argument_high(p, 1);
    bpf_unless(p, 0, 1);
    bpf_return(p, SECCOMP_RET_ALLOW);
    bpf_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* --- and what is allowed besides while there is code to be mapped --------------------- */

/* The app's code, whose file the worker seals before. */
static void allow_code(struct bpf_program *p)
{
    bpf_unless_argument(p, 2, CODE_PROT, 5);
    bpf_unless_argument(p, 3, CODE_FLAGS, 3);
    bpf_unless_argument(p, 4, CTL_CODE_FD, 1);
    bpf_return(p, SECCOMP_RET_ALLOW);
}

static void allow_seals(struct bpf_program *p)
{
    bpf_unless_argument(p, 0, CTL_CODE_FD, 5);
    bpf_unless_argument(p, 1, F_ADD_SEALS, 3);
    bpf_unless_argument(p, 2, CODE_SEALS_LAST, 1);
    bpf_return(p, SECCOMP_RET_ALLOW);
}

/* A filter more, which can only take away. Without flags: one of them hands out a
 * descriptor from which others' calls are answered. */
static void allow_filter(struct bpf_program *p)
{
    bpf_unless_argument(p, 0, SECCOMP_SET_MODE_FILTER, 3);
    bpf_unless_argument(p, 1, 0, 1);
    bpf_return(p, SECCOMP_RET_ALLOW);
}

static const struct {
    uint16_t nr;
    void (*emit)(struct bpf_program *p);
    void (*compiling)(struct bpf_program *p); /* before it, or NULL */
} conditional[] = {
    { SYS_sendmsg, emit_sendmsg, NULL },
    { SYS_mmap, emit_mmap, allow_code },
    { SYS_mprotect, emit_mprotect, NULL },
    { SYS_ioctl, emit_ioctl, NULL },
    { SYS_fcntl, emit_fcntl, allow_seals },
    { SYS_utimensat, emit_utimensat, NULL },
    { SYS_fallocate, emit_fallocate, NULL },
    { SYS_clone, emit_clone, NULL },
    { SYS_seccomp, emit_seccomp, allow_filter },
};

/* --- the program ------------------------------------------------------------------------ */

enum answer { KILL, ALLOW, REFUSE, CONDITIONAL }; /* CONDITIONAL + i: as conditional[i] says */

static void fill_answers(uint8_t answers[BPF_CALLS_MAX])
{
    memset(answers, KILL, BPF_CALLS_MAX);
    for (size_t i = 0; i < base_countof(allowed); i++)
        answers[allowed[i]] = ALLOW;
    for (size_t i = 0; i < base_countof(refused); i++)
        answers[refused[i]] = REFUSE;
    for (size_t i = 0; i < base_countof(conditional); i++)
        answers[conditional[i].nr] = (uint8_t)(CONDITIONAL + i);
}

/* What is refused is left to the supervisor's filter, which stands behind this one and
 * tells the supervisor: an errno from here would outrank it. Without it, or were it to allow the
 * call, there is nobody to trace it, and the answer is ENOSYS. */
static void emit_answer(struct bpf_program *p, uint8_t answer, const void *ctx)
{
    const bool *compiles = ctx;
    switch (answer) {
    case KILL: bpf_return(p, SECCOMP_RET_KILL_PROCESS); break;
    case ALLOW: bpf_return(p, SECCOMP_RET_ALLOW); break;
    case REFUSE: bpf_return(p, SECCOMP_RET_TRACE); break;
    default:
        if (*compiles && conditional[answer - CONDITIONAL].compiling)
            conditional[answer - CONDITIONAL].compiling(p);
        conditional[answer - CONDITIONAL].emit(p);
        break;
    }
}

void seccomp_worker(struct bpf_program *ret, bool compiles)
{
    uint8_t answers[BPF_CALLS_MAX];
    fill_answers(answers);
    bpf_begin(ret);
    bpf_calls(ret, answers, emit_answer, &compiles);
}

/* The other filter stays on: it has looked at the processor, and at everything else. */
void seccomp_code_is_mapped(struct bpf_program *ret)
{
    ret->len = 0;
    bpf_load(ret, offsetof(struct seccomp_data, nr));
    bpf_emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 5, 0, SYS_seccomp);
    bpf_emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, SYS_mmap);
    bpf_emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_mprotect);
    bpf_return(ret, SECCOMP_RET_ALLOW);
    bpf_load_argument(ret, 2);
    bpf_emit(ret, BPF_JMP | BPF_JSET | BPF_K, 0, 1, PROT_EXEC);
    bpf_return(ret, SECCOMP_RET_KILL_PROCESS);
    bpf_return(ret, SECCOMP_RET_ALLOW);
}

int seccomp_install(const struct bpf_program *program)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    int r = bpf_install(program, SECCOMP_FILTER_FLAG_TSYNC);
    return r > 0 ? -EBUSY : r; /* some thread has another filter, which cannot be */
}
