/* The coarse filter: docs/security.md lists the calls and what tests each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/assert.h"
#include "hosts/linux/code.h"
#include "hosts/linux/ctl.h"
#include "hosts/linux/seccomp.h"

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

#define CALL(name) { SYS_##name, #name }

static const struct call {
    uint16_t nr;
    const char *name;
} refused[] = {
    /* other processes */
    CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(kcmp), CALL(pidfd_open),
    CALL(pidfd_getfd), CALL(pidfd_send_signal), CALL(process_madvise), CALL(kill),
    CALL(rt_sigqueueinfo), CALL(rt_tgsigqueueinfo),
    /* new processes and programs; execveat is below */
    CALL(clone), CALL(clone3), CALL(execve), CALL(unshare), CALL(setns),
#ifdef SYS_fork
    CALL(fork), CALL(vfork),
#endif
    /* paths: nothing is there */
    CALL(openat), CALL(openat2), CALL(mknodat), CALL(mkdirat), CALL(unlinkat), CALL(renameat2),
    CALL(linkat), CALL(symlinkat), CALL(truncate), CALL(chdir), CALL(fchmodat), CALL(fchownat),
#ifdef SYS_open
    CALL(open), CALL(creat), CALL(mknod), CALL(mkdir), CALL(rmdir), CALL(unlink), CALL(rename),
    CALL(link), CALL(symlink), CALL(chmod), CALL(chown), CALL(lchown),
#endif
#ifdef SYS_renameat
    CALL(renameat),
#endif
    /* mounts and roots */
    CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(move_mount), CALL(open_tree),
    CALL(fsopen), CALL(fsconfig), CALL(fsmount), CALL(fspick), CALL(mount_setattr), CALL(quotactl),
    CALL(quotactl_fd),
    /* the machine */
    CALL(reboot), CALL(swapon), CALL(swapoff), CALL(init_module), CALL(finit_module),
    CALL(delete_module), CALL(kexec_load),
#ifdef SYS_kexec_file_load
    CALL(kexec_file_load),
#endif
    CALL(acct), CALL(syslog), CALL(settimeofday), CALL(clock_settime), CALL(adjtimex),
    CALL(clock_adjtime), CALL(sethostname), CALL(setdomainname), CALL(vhangup),
#ifdef SYS_iopl
    CALL(iopl), CALL(ioperm), CALL(modify_ldt),
#endif
    CALL(personality),
    /* who it is, and more of what it has */
    CALL(setuid), CALL(setgid), CALL(setreuid), CALL(setregid), CALL(setresuid), CALL(setresgid),
    CALL(setgroups), CALL(setfsuid), CALL(setfsgid), CALL(capset), CALL(setpriority),
    CALL(sched_setscheduler), CALL(sched_setparam), CALL(sched_setattr), CALL(ioprio_set),
    CALL(setrlimit), CALL(mlock), CALL(mlock2), CALL(mlockall),
    /* sockets: it is given those that it may use */
    CALL(socket), CALL(socketpair), CALL(bind), CALL(connect), CALL(listen), CALL(setsockopt),
    CALL(sendmmsg),
    /* large or fragile parts of the kernel that no worker needs */
    CALL(bpf), CALL(perf_event_open), CALL(userfaultfd), CALL(io_uring_setup),
    CALL(io_uring_enter), CALL(io_uring_register), CALL(keyctl), CALL(add_key), CALL(request_key),
    CALL(open_by_handle_at), CALL(name_to_handle_at), CALL(memfd_create), CALL(memfd_secret),
    CALL(fanotify_init), CALL(fanotify_mark), CALL(inotify_init1), CALL(landlock_create_ruleset),
    CALL(landlock_add_rule), CALL(landlock_restrict_self), CALL(lookup_dcookie),
    CALL(remap_file_pages), CALL(mbind), CALL(migrate_pages), CALL(move_pages),
    CALL(set_mempolicy), CALL(pkey_mprotect),
    /* System V and POSIX queues: a way from app to app */
    CALL(shmget), CALL(shmat), CALL(shmctl), CALL(semget), CALL(semop), CALL(semctl), CALL(msgget),
    CALL(msgsnd), CALL(msgrcv), CALL(msgctl), CALL(mq_open), CALL(mq_unlink),
};

/* --- calls that depend on an argument ------------------------------------------------ */

/* One of the bits; the value; of the high half; no matter what. */
enum test { HAS, IS, IS_NOT, HIGH_IS_NOT, ALWAYS };

/* Refused when the test is true of the argument's low half, which is all that the kernel
 * reads of most. Those of one call stand together: behind the last it is allowed. */
static const struct condition {
    struct call call;
    uint32_t arg;
    enum test test;
    uint32_t k;
} conditions[] = {
    /* A listening socket that is shut down could be connected anew, anywhere. */
    { CALL(sendmsg), 2, HAS, MSG_FASTOPEN },
    { CALL(sendto), 3, HAS, MSG_FASTOPEN },
    /* Sockets would tell about the machine's network; files have many more. */
    { CALL(ioctl), 1, IS_NOT, FIONREAD },
    { CALL(fcntl), 1, IS, F_SETLEASE },   /* makes the supervisor's own open wait */
    { CALL(fcntl), 1, IS, F_SETPIPE_SZ }, /* from the one allowance of the user's pipes */
    { CALL(mmap), 3, HAS, MAP_SHARED }, /* memory that RLIMIT_DATA does not count, */
    { CALL(mmap), 3, HAS, MAP_GROWSDOWN },
    { CALL(mmap), 2, HAS, PROT_EXEC },
    { CALL(mprotect), 2, HAS, PROT_EXEC },
    { CALL(fallocate), 1, IS_NOT, 0 }, /* and blocks beyond a file's end, which no limit bounds */
    { CALL(prctl), 0, IS, PR_SET_PDEATHSIG }, /* it would outlive the supervisor */
    { CALL(prctl), 0, IS, PR_SET_SECUREBITS },
    { CALL(prlimit64), 2, IS_NOT, 0 },
    { CALL(prlimit64), 2, HIGH_IS_NOT, 0 },
    { CALL(execveat), 0, ALWAYS, 0 }, /* but for what emit_exception lets through */
};

struct filter {
    uint32_t worker_fd;
    uint32_t refusal;
    uint32_t refusal_clone3; /* ENOSYS: a libc falls back to clone and reads EPERM */
    bool threads;            /* clone may make one */
};

static void emit_condition(struct bpf_program *p, const struct condition *c, uint32_t refusal)
{
    if (c->test == HIGH_IS_NOT)
        bpf_load_argument_high(p, c->arg);
    else
        bpf_load_argument(p, c->arg);
    switch (c->test) {
    case HAS: bpf_emit(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, c->k); break;
    case IS: bpf_unless(p, c->k, 1); break;
    case IS_NOT:
    case HIGH_IS_NOT: bpf_emit(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, c->k); break;
    case ALWAYS: break;
    }
    bpf_return(p, refusal);
}

static void emit_exception(struct bpf_program *p, uint16_t nr, const struct filter *f)
{
    if (nr == SYS_mmap) {
        /* The one mapping that executes: of the file for code (hosts/linux/code.h). */
        bpf_unless_argument(p, 2, CODE_PROT, 5);
        bpf_unless_argument(p, 3, CODE_FLAGS, 3);
        bpf_unless_argument(p, 4, CTL_CODE_FD, 1);
        bpf_return(p, SECCOMP_RET_ALLOW);
    } else if (nr == SYS_execveat) {
        /* The one program start: the worker's descriptor with an empty path. It closes at that
         * very call, and nothing inside can make another of that kind. */
        bpf_unless_argument(p, 0, f->worker_fd, 3);
        bpf_unless_argument(p, 4, AT_EMPTY_PATH, 1);
        bpf_return(p, SECCOMP_RET_ALLOW);
    }
}

/* --- the program ---------------------------------------------------------------------- */

enum answer { ALLOW, REFUSE, REFUSE_CLONE3, REFUSE_CLONE, CONDITIONAL }; /* CONDITIONAL + i: conditions[i] and on */

static void emit_answer(struct bpf_program *p, uint8_t answer, const void *ctx)
{
    const struct filter *f = ctx;
    if (answer == REFUSE_CLONE && f->threads) {
        bpf_unless_argument(p, 0, CODE_THREAD_FLAGS, 1);
        bpf_return(p, SECCOMP_RET_ALLOW);
    }
    if (answer < CONDITIONAL) {
        bpf_return(p, answer == ALLOW    ? SECCOMP_RET_ALLOW
                      : answer == REFUSE_CLONE3 ? f->refusal_clone3
                                                : f->refusal);
        return;
    }
    const struct condition *c = &conditions[answer - CONDITIONAL];
    uint16_t nr = c->call.nr;
    emit_exception(p, nr, f);
    for (; c < conditions + base_countof(conditions) && c->call.nr == nr; c++)
        emit_condition(p, c, f->refusal);
    bpf_return(p, SECCOMP_RET_ALLOW);
}

static void fill_answers(uint8_t answers[BPF_CALLS_MAX])
{
    memset(answers, ALLOW, BPF_CALLS_MAX);
    for (size_t i = 0; i < base_countof(refused); i++)
        answers[refused[i].nr] = refused[i].nr == SYS_clone3  ? REFUSE_CLONE3
                                 : refused[i].nr == SYS_clone ? REFUSE_CLONE
                                                              : REFUSE;
    for (size_t i = base_countof(conditions); i-- > 0;)
        answers[conditions[i].call.nr] = (uint8_t)(CONDITIONAL + i);
}

void seccomp_coarse(struct bpf_program *ret, int worker_fd, bool tells, bool threads)
{
    uint8_t answers[BPF_CALLS_MAX];
    struct filter f = { (uint32_t)worker_fd,
                        tells ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | EPERM,
                        tells ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | ENOSYS, threads };
    fill_answers(answers);
    bpf_begin(ret);
#ifdef __x86_64__
    bpf_emit(ret, BPF_JMP | BPF_JGE | BPF_K, 0, 1, 0x40000000);
    bpf_return(ret, SECCOMP_RET_KILL_PROCESS); /* the x32 table */
#endif
    bpf_calls(ret, answers, emit_answer, &f);
}

const char *seccomp_call_name(int nr)
{
    for (size_t i = 0; i < base_countof(refused); i++)
        if (refused[i].nr == nr)
            return refused[i].name;
    for (size_t i = 0; i < base_countof(conditions); i++)
        if (conditions[i].call.nr == nr)
            return conditions[i].call.name;
    return NULL;
}
