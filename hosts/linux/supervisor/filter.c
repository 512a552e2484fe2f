/* The coarse system call filter, on from before the worker's first instruction.
 *
 * The worker adds a narrow allowlist of its own before it looks at its module
 * (hosts/linux/seccomp.c). This one is for the time before, and stands behind the
 * other: it refuses with EPERM whatever could reach out of the sandbox, whoever runs
 * in it. docs/security.md lists the calls and what tests each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/assert.h"
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"
#include "sandbox.h"

#if defined(__x86_64__)
#define FILTER_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define FILTER_ARCH AUDIT_ARCH_AARCH64
#else
#error "name this processor's AUDIT_ARCH"
#endif

/* Calls newer than a libc's headers, the same number on every processor. */
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

static const uint32_t refused[] = {
    /* other processes */
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_open,
    SYS_pidfd_getfd, SYS_pidfd_send_signal, SYS_process_madvise,
    /* new processes and programs; execveat is below, clone3 says ENOSYS so that a libc falls
     * back to clone and reads EPERM */
    SYS_clone, SYS_execve, SYS_unshare, SYS_setns,
#ifdef SYS_fork
    SYS_fork, SYS_vfork,
#endif
    /* mounts and roots */
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_move_mount, SYS_open_tree, SYS_fsopen,
    SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_quotactl, SYS_quotactl_fd,
    /* the machine */
    SYS_reboot, SYS_swapon, SYS_swapoff, SYS_init_module, SYS_finit_module, SYS_delete_module,
    SYS_kexec_load,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
    SYS_acct, SYS_syslog, SYS_settimeofday, SYS_clock_settime, SYS_adjtimex, SYS_clock_adjtime,
    SYS_sethostname, SYS_setdomainname, SYS_vhangup,
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
#ifdef SYS_mknod
    SYS_mknod,
#endif
    SYS_mknodat, SYS_personality,
    /* sockets: it is given those that it may use */
    SYS_socket, SYS_socketpair, SYS_bind, SYS_connect, SYS_listen, SYS_setsockopt, SYS_sendmmsg,
    /* large or fragile parts of the kernel that no worker needs */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_keyctl, SYS_add_key, SYS_request_key, SYS_open_by_handle_at,
    SYS_name_to_handle_at, SYS_memfd_create, SYS_memfd_secret, SYS_fanotify_init,
    SYS_fanotify_mark, SYS_inotify_init1, SYS_landlock_create_ruleset, SYS_landlock_add_rule,
    SYS_landlock_restrict_self, SYS_lookup_dcookie, SYS_remap_file_pages, SYS_mbind,
    SYS_migrate_pages, SYS_move_pages, SYS_set_mempolicy, SYS_pkey_mprotect,
    /* System V and POSIX queues: a way from app to app */
    SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semop, SYS_semctl, SYS_msgget, SYS_msgsnd,
    SYS_msgrcv, SYS_msgctl, SYS_mq_open, SYS_mq_unlink,
};

static void emit(struct sandbox *s, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
    base_assert(s->filter_len < SANDBOX_FILTER_MAX);
    s->filter[s->filter_len++] = (struct sock_filter){ code, jt, jf, k };
}

static void emit_load(struct sandbox *s, size_t offset)
{
    emit(s, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void emit_return(struct sandbox *s, uint32_t what)
{
    emit(s, BPF_RET | BPF_K, 0, 0, what);
}

/* If the loaded value is k go on with the next instruction, else skip `over`. */
static void emit_unless(struct sandbox *s, uint32_t k, uint8_t over)
{
    emit(s, BPF_JMP | BPF_JEQ | BPF_K, 0, over, k);
}

/* The one program start: the worker's descriptor with an empty path. Its descriptor
 * closes at that very call, and nothing inside can make another of that kind. */
static void emit_execveat(struct sandbox *s)
{
    emit_unless(s, SYS_execveat, 6);
    emit_load(s, offsetof(struct seccomp_data, args[0]));
    emit_unless(s, (uint32_t)s->worker_fd, 3);
    emit_load(s, offsetof(struct seccomp_data, args[4]));
    emit_unless(s, AT_EMPTY_PATH, 1);
    emit_return(s, SECCOMP_RET_ALLOW);
    emit_return(s, SECCOMP_RET_ERRNO | EPERM);
}

static void emit_load_argument(struct sandbox *s, unsigned arg)
{
    emit_load(s, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t));
}

/* The one mapping that executes: of the file for code (hosts/linux/code.h). Leaves the call's
 * number loaded when nothing is to be executable. */
static void emit_code(struct sandbox *s)
{
    emit_unless(s, SYS_mmap, 10);
    emit_load_argument(s, 2);
    emit(s, BPF_JMP | BPF_JSET | BPF_K, 0, 7, PROT_EXEC);
    emit_unless(s, CODE_PROT, 5);
    emit_load_argument(s, 3);
    emit_unless(s, CODE_FLAGS, 3);
    emit_load_argument(s, 4);
    emit_unless(s, CTL_CODE_FD, 1);
    emit_return(s, SECCOMP_RET_ALLOW);
    emit_return(s, SECCOMP_RET_ERRNO | EPERM);
    emit_load(s, offsetof(struct seccomp_data, nr));
}

/* --- calls that depend on an argument ------------------------------------------------ */

enum test { HAS, HAS_ALL, IS, IS_NOT }; /* one of the bits, all of them; the value */

/* Refused when the test is true of the argument's low half, which is all that the kernel
 * reads of these. Those of one call stand together: behind the last it is allowed, without a
 * look at the long list. Such calls are filtered anew each time, and some are frequent. */
static const struct condition {
    uint32_t nr;
    uint32_t arg;
    enum test test;
    uint32_t k;
} conditions[] = {
    /* A listening socket that is shut down could be connected anew, anywhere. */
    { SYS_sendmsg, 2, HAS, MSG_FASTOPEN },
    { SYS_sendto, 3, HAS, MSG_FASTOPEN },
    /* Sockets would tell about the machine's network; files have many more. */
    { SYS_ioctl, 1, IS_NOT, FIONREAD },
    { SYS_fcntl, 1, IS, F_SETLEASE },   /* makes the supervisor's own open wait */
    { SYS_fcntl, 1, IS, F_SETPIPE_SZ }, /* from the one allowance of the user's pipes */
    /* Memory that RLIMIT_DATA does not count. */
    { SYS_mmap, 3, HAS_ALL, MAP_SHARED | MAP_ANONYMOUS },
    { SYS_mmap, 3, HAS, MAP_GROWSDOWN },
    { SYS_mprotect, 2, HAS, PROT_EXEC },
    { SYS_fallocate, 1, IS_NOT, 0 }, /* blocks beyond a file's end, which no limit bounds */
    { SYS_prctl, 0, IS, PR_SET_PDEATHSIG }, /* it would outlive the supervisor */
};

/* Needs the call's number loaded and leaves it so. */
static void emit_condition(struct sandbox *s, const struct condition *c, bool is_last)
{
    emit_unless(s, c->nr, c->test == HAS_ALL ? 5 : 4);
    emit_load_argument(s, c->arg);
    switch (c->test) {
    case HAS: emit(s, BPF_JMP | BPF_JSET | BPF_K, 0, 1, c->k); break;
    case HAS_ALL:
        emit(s, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->k);
        emit_unless(s, c->k, 1);
        break;
    case IS: emit_unless(s, c->k, 1); break;
    case IS_NOT: emit(s, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, c->k); break;
    }
    emit_return(s, SECCOMP_RET_ERRNO | EPERM);
    if (is_last)
        emit_return(s, SECCOMP_RET_ALLOW);
    else
        emit_load(s, offsetof(struct seccomp_data, nr));
}

void sandbox_filter_build(struct sandbox *s)
{
    s->filter_len = 0;
    emit_load(s, offsetof(struct seccomp_data, arch));
    emit(s, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, FILTER_ARCH);
    emit_return(s, SECCOMP_RET_KILL_PROCESS); /* another processor's call numbers */
    emit_load(s, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    emit(s, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000);
    emit_return(s, SECCOMP_RET_KILL_PROCESS); /* the x32 table */
#endif
    emit_execveat(s);
    emit_load(s, offsetof(struct seccomp_data, nr));
    emit_unless(s, SYS_clone3, 1);
    emit_return(s, SECCOMP_RET_ERRNO | ENOSYS);
    emit_code(s);
    size_t rules = base_countof(conditions);
    for (size_t i = 0; i < rules; i++) {
        bool is_last = i + 1 == rules || conditions[i + 1].nr != conditions[i].nr;
        emit_condition(s, &conditions[i], is_last);
    }
    size_t count = base_countof(refused);
    for (size_t i = 0; i < count; i++)
        emit(s, BPF_JMP | BPF_JEQ | BPF_K, (uint8_t)(count - i), 0, refused[i]);
    emit_return(s, SECCOMP_RET_ALLOW);
    emit_return(s, SECCOMP_RET_ERRNO | EPERM);
}
