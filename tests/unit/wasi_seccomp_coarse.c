/* The coarse filter beside the worker's. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>

#include "hosts/linux/code.h"
#include "hosts/linux/seccomp.h"
#include "lib/bpf.h"
#include "lib/test.h"

enum { WORKER_FD = 77, CALLS = 70000 };

/* Whatever the worker's filter leaves to it, it must refuse: else the answer is ENOSYS and nobody is
 * told. */
TEST(what_is_left_to_it_is_refused)
{
    struct bpf_program worker, telling, silent;
    uint32_t left = 0;
    seccomp_worker(&worker, true);
    seccomp_coarse(&telling, WORKER_FD, true, false);
    seccomp_coarse(&silent, WORKER_FD, false, false);
    for (uint32_t nr = 0; nr < CALLS; nr++) {
        if (bpf_decide(&worker, nr) != SECCOMP_RET_TRACE)
            continue;
        left++;
        CHECK_INT(bpf_decide(&telling, nr), SECCOMP_RET_USER_NOTIF);
        CHECK_INT(bpf_decide(&silent, nr), SECCOMP_RET_ERRNO | EPERM);
    }
    CHECK(left > 40);
}

TEST(what_it_refuses_has_a_name)
{
    struct bpf_program telling, silent;
    uint32_t refused = 0;
    seccomp_coarse(&telling, WORKER_FD, true, false);
    seccomp_coarse(&silent, WORKER_FD, false, false);
    for (uint32_t nr = 0; nr < CALLS; nr++) {
        uint32_t answer = bpf_decide(&telling, nr);
        if (answer == SECCOMP_RET_USER_NOTIF) {
            refused++;
            CHECK(seccomp_call_name((int)nr) != NULL);
            CHECK_INT(bpf_decide(&silent, nr),
                      SECCOMP_RET_ERRNO | (nr == SYS_clone3 ? ENOSYS : EPERM));
        } else {
            CHECK_INT(answer, SECCOMP_RET_ALLOW);
            CHECK_INT(bpf_decide(&silent, nr), SECCOMP_RET_ALLOW);
        }
    }
    CHECK(refused > 120);
    CHECK_STR(seccomp_call_name(SYS_ptrace), "ptrace");
    CHECK(seccomp_call_name(SYS_read) == NULL);
#ifdef __x86_64__
    CHECK_INT(bpf_decide(&telling, 0x40000000 | SYS_getpid), SECCOMP_RET_KILL_PROCESS);
#endif
}

/* Of all calls one answer differs, and that with one argument alone. */
TEST(one_kind_of_thread)
{
    struct bpf_program without, with;
    seccomp_coarse(&without, WORKER_FD, true, false);
    seccomp_coarse(&with, WORKER_FD, true, true);
    for (uint32_t nr = 0; nr < CALLS; nr++)
        CHECK_INT(bpf_decide(&with, nr), bpf_decide(&without, nr));
    CHECK_INT(bpf_decide_first(&with, SYS_clone, CODE_THREAD_FLAGS), SECCOMP_RET_ALLOW);
    CHECK_INT(bpf_decide_first(&without, SYS_clone, CODE_THREAD_FLAGS), SECCOMP_RET_USER_NOTIF);
    for (unsigned bit = 0; bit < 32; bit++)
        CHECK_INT(bpf_decide_first(&with, SYS_clone, CODE_THREAD_FLAGS ^ UINT64_C(1) << bit),
                  SECCOMP_RET_USER_NOTIF);
}

TEST_MAIN(RUN(what_is_left_to_it_is_refused) RUN(what_it_refuses_has_a_name)
          RUN(one_kind_of_thread))
