#define _GNU_SOURCE
#include "hosts/linux/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
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

#if defined(__x86_64__)
#define PROGRAM_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define PROGRAM_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this processor's AUDIT_ARCH"
#endif

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

static void emit_load_argument(struct seccomp_program *p, unsigned arg)
{
    emit_load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
}

static void emit_return(struct seccomp_program *p, uint32_t what)
{
    emit(p, BPF_RET | BPF_K, 0, 0, what);
}

/* --- calls that depend on an argument ---------------------------------------------- */

/* Allowed when the low half of the argument equals k. The kernel reads these arguments as 32
 * bits or less, so the high half does not matter. */
static void emit_if_equal(struct seccomp_program *p, unsigned arg, uint32_t k)
{
    emit_load_argument(p, arg);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, k);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* Allowed unless the argument has one of the bits. */
static void emit_unless_bits(struct seccomp_program *p, unsigned arg, uint32_t bits)
{
    emit_load_argument(p, arg);
    emit(p, BPF_JMP | BPF_JSET | BPF_K, 1, 0, bits);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* The next instruction, or `over` more, as the argument equals k or not. */
static void emit_unless_equal(struct seccomp_program *p, unsigned arg, uint32_t k, uint8_t over)
{
    emit_load_argument(p, arg);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, over, k);
}

/* The app's code, whose file the worker seals before. */
static void emit_code(struct seccomp_program *p)
{
    emit_unless_equal(p, 2, CODE_PROT, 5);
    emit_unless_equal(p, 3, CODE_FLAGS, 3);
    emit_unless_equal(p, 4, CTL_CODE_FD, 1);
    emit_return(p, SECCOMP_RET_ALLOW);
}

/* Other memory that is or becomes executable has no use. Shared and growing mappings are not
 * in RLIMIT_DATA's books, */
static void emit_mmap(struct seccomp_program *p)
{
    if (p->compiles)
        emit_code(p);
    emit_load_argument(p, 2);
    emit(p, BPF_JMP | BPF_JSET | BPF_K, 2, 0, PROT_EXEC);
    emit_load_argument(p, 3);
    emit(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, MAP_SHARED | MAP_GROWSDOWN);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
    emit_return(p, SECCOMP_RET_ALLOW);
}

/* nor is what has been written and is then made read-only. */
static void emit_mprotect(struct seccomp_program *p)
{
    emit_if_equal(p, 2, PROT_READ | PROT_WRITE);
}

/* A listening socket that is shut down could be connected anew, anywhere, by sending with
 * this flag. */
static void emit_sendmsg(struct seccomp_program *p) { emit_unless_bits(p, 2, MSG_FASTOPEN); }

static void emit_ioctl(struct seccomp_program *p) { emit_if_equal(p, 1, FIONREAD); }

static void emit_fcntl(struct seccomp_program *p)
{
    if (p->compiles) {
        emit_unless_equal(p, 0, CTL_CODE_FD, 5);
        emit_unless_equal(p, 1, F_ADD_SEALS, 3);
        emit_unless_equal(p, 2, CODE_SEALS_LAST, 1);
        emit_return(p, SECCOMP_RET_ALLOW);
    }
    emit_if_equal(p, 1, F_SETFL);
}

/* A filter more, which can only take away. Without flags: one of them hands out a
 * descriptor from which others' calls are answered. */
static void emit_seccomp(struct seccomp_program *p)
{
    if (p->compiles) {
        emit_unless_equal(p, 0, SECCOMP_SET_MODE_FILTER, 3);
        emit_unless_equal(p, 1, 0, 1);
        emit_return(p, SECCOMP_RET_ALLOW);
    }
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* RLIMIT_FSIZE does not see blocks beyond a file's end. */
static void emit_fallocate(struct seccomp_program *p) { emit_if_equal(p, 1, 0); }

/* On a descriptor alone: the path must be NULL, in both halves. */
static void emit_utimensat(struct seccomp_program *p)
{
    size_t path = offsetof(struct seccomp_data, args[1]);
    emit_load(p, path);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0);
    emit_load(p, path + 4);
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
    emit_return(p, SECCOMP_RET_ALLOW);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
}

static const struct {
    uint16_t nr;
    void (*emit)(struct seccomp_program *p);
} conditional[] = {
    { SYS_sendmsg, emit_sendmsg },     { SYS_mmap, emit_mmap },     { SYS_mprotect, emit_mprotect },
    { SYS_ioctl, emit_ioctl },         { SYS_fcntl, emit_fcntl },
    { SYS_utimensat, emit_utimensat }, { SYS_fallocate, emit_fallocate },
    { SYS_seccomp, emit_seccomp },
};

/* --- the decision --------------------------------------------------------------------
 *
 * Call numbers fall into runs with the same answer. A balanced tree of comparisons finds the
 * run, in seven steps or so: the kernel tries every call there is on a new filter, so a list would
 * cost each app's start a sixth of a millisecond. */

enum { CALLS_MAX = 512 }; /* what lies above, the x32 table too, is in the last run */
enum answer { KILL, ALLOW, REFUSE, CONDITIONAL }; /* CONDITIONAL + i: as conditional[i] says */

struct run {
    uint32_t from;
    uint8_t answer;
};

static void fill_answers(uint8_t answers[CALLS_MAX])
{
    memset(answers, KILL, CALLS_MAX);
    for (size_t i = 0; i < base_countof(allowed); i++)
        answers[allowed[i]] = ALLOW;
    for (size_t i = 0; i < base_countof(refused); i++)
        answers[refused[i]] = REFUSE;
    for (size_t i = 0; i < base_countof(conditional); i++)
        answers[conditional[i].nr] = (uint8_t)(CONDITIONAL + i);
}

static size_t find_runs(const uint8_t answers[CALLS_MAX], struct run runs[CALLS_MAX + 1])
{
    size_t count = 0;
    for (uint32_t nr = 0; nr < CALLS_MAX; nr++)
        if (nr == 0 || answers[nr] != answers[nr - 1])
            runs[count++] = (struct run){ nr, answers[nr] };
    runs[count++] = (struct run){ CALLS_MAX, KILL };
    return count;
}

static void emit_answer(struct seccomp_program *p, uint8_t answer)
{
    switch (answer) {
    case KILL: emit_return(p, SECCOMP_RET_KILL_PROCESS); break;
    case ALLOW: emit_return(p, SECCOMP_RET_ALLOW); break;
    case REFUSE: emit_return(p, SECCOMP_RET_ERRNO | EPERM); break;
    default: conditional[answer - CONDITIONAL].emit(p); break;
    }
}

/* Recursion is as deep as the logarithm of the number of runs. */
static void emit_tree(struct seccomp_program *p, const struct run *runs, size_t count)
{
    size_t half = count / 2;
    if (count == 1) {
        emit_answer(p, runs[0].answer);
        return;
    }
    unsigned short at = p->len;
    emit(p, BPF_JMP | BPF_JGE | BPF_K, 0, 0, runs[half].from);
    emit_tree(p, runs, half);
    base_assert(p->len - at - 1 <= UINT8_MAX);
    p->code[at].jt = (uint8_t)(p->len - at - 1);
    emit_tree(p, runs + half, count - half);
}

void seccomp_worker(struct seccomp_program *ret, bool compiles)
{
    uint8_t answers[CALLS_MAX];
    struct run runs[CALLS_MAX + 1];
    fill_answers(answers);
    size_t count = find_runs(answers, runs);
    ret->len = 0;
    ret->compiles = compiles;
    emit_load(ret, offsetof(struct seccomp_data, arch));
    emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, PROGRAM_ARCH);
    emit_return(ret, SECCOMP_RET_KILL_PROCESS); /* another processor's call numbers */
    emit_load(ret, offsetof(struct seccomp_data, nr));
    emit_tree(ret, runs, count);
}

/* The other filter stays on: it has looked at the processor, and at everything else. */
void seccomp_code_is_mapped(struct seccomp_program *ret)
{
    ret->len = 0;
    emit_load(ret, offsetof(struct seccomp_data, nr));
    emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 5, 0, SYS_seccomp);
    emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, SYS_mmap);
    emit(ret, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, SYS_mprotect);
    emit_return(ret, SECCOMP_RET_ALLOW);
    emit_load_argument(ret, 2);
    emit(ret, BPF_JMP | BPF_JSET | BPF_K, 0, 1, PROT_EXEC);
    emit_return(ret, SECCOMP_RET_KILL_PROCESS);
    emit_return(ret, SECCOMP_RET_ALLOW);
}

int seccomp_install(const struct seccomp_program *program)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return seccomp_add(program);
}

int seccomp_add(const struct seccomp_program *program)
{
    struct sock_fprog f = { program->len, (struct sock_filter *)(uintptr_t)program->code };
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f) < 0)
        return -errno;
    return 0;
}
