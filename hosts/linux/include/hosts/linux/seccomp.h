/* The two system call filters around a worker.
 *
 * The supervisor installs the coarse one before the worker's first instruction: it refuses
 * whatever could reach out of the sandbox, whoever runs in it, with EPERM. The worker adds its
 * own before the first byte of the module is decoded: what it may still do once it holds all that
 * its app was granted. That one knows three kinds of calls: those that work on what is already
 * there (allowed, some only with certain arguments), those that documents name as the ways out
 * of a sandbox (left to the coarse one), and all others (the process is killed). */
#ifndef HOSTS_LINUX_SECCOMP_H
#define HOSTS_LINUX_SECCOMP_H

#include <stdbool.h>

#include "hosts/linux/bpf.h"

/* Fills in *ret. compiles: the one mapping of code (hosts/linux/code.h) may follow, and then
 * seccomp_code_is_mapped(); otherwise nothing can become executable. */
void seccomp_worker(struct bpf_program *ret, bool compiles);

/* To be installed above the other when the code is mapped: from here on no mapping can be
 * executable and no filter can be added. */
void seccomp_code_is_mapped(struct bpf_program *ret);

/* Sets no_new_privs and installs the program for this process, all threads of it, for good. 0 or
 * -errno. */
int seccomp_install(const struct bpf_program *program);

/* The coarse one. worker_fd: what may be executed, with an empty path. tells: what is refused
 * waits for an answer from the filter's listener (seccomp_unotify(2)), which should be EPERM, and
 * ENOSYS for clone3; otherwise it is that without a question. threads: such as
 * CODE_THREAD_FLAGS says may be made, which the worker's filter refuses soon after. */
void seccomp_coarse(struct bpf_program *ret, int worker_fd, bool tells, bool threads);
/* Of a call that the coarse filter may refuse; NULL: of no such. */
const char *seccomp_call_name(int nr);

#endif
