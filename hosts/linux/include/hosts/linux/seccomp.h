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
#include <stddef.h>

enum { SECCOMP_PROGRAM_MAX = 512 };

struct seccomp_program {
    struct sock_filter code[SECCOMP_PROGRAM_MAX];
    unsigned short len;
};

/* Fills in *ret. */
void seccomp_worker(struct seccomp_program *ret);

/* Sets no_new_privs and installs the program for this process, for good. 0 or -errno. */
int seccomp_install(const struct seccomp_program *program);

#endif
