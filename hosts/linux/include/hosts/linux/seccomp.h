/* The worker's own system call filter: what it may still do once it holds all that
 * its app was granted. Installed before the first byte of the module is decoded.
 *
 * Three kinds of calls: those that work on what is already there (allowed, some only with
 * certain arguments), those that documents name as the ways out of a sandbox (EPERM, so
 * that an attempt can be watched and reported), and all others (the process is
 * killed). */
#ifndef HOSTS_LINUX_SECCOMP_H
#define HOSTS_LINUX_SECCOMP_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

enum { SECCOMP_PROGRAM_MAX = 512 };

struct seccomp_program {
    struct sock_filter code[SECCOMP_PROGRAM_MAX];
    unsigned short len;
    bool compiles;
};

/* Fills in *ret. compiles: the one mapping of code (hosts/linux/code.h) may follow, and then
 * seccomp_code_is_mapped(); otherwise nothing can become executable. */
void seccomp_worker(struct seccomp_program *ret, bool compiles);

/* To be installed above the other when the code is mapped: from here on no mapping can be
 * executable and no filter can be added. */
void seccomp_code_is_mapped(struct seccomp_program *ret);

/* Sets no_new_privs and installs the program for this process, for good. 0 or -errno. */
int seccomp_install(const struct seccomp_program *program);
/* The same for another one, when there is one already. */
int seccomp_add(const struct seccomp_program *program);

#endif
