/* For programs that test WASI from the inside: complaints on stdout, exit code 1. */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_failures;

#define CHECK(cond)                                                                   \
    do {                                                                              \
        if (!(cond)) {                                                                \
            check_failures++;                                                         \
            printf("%s:%d: failed: %s (errno %s)\n", __FILE__, __LINE__, #cond,       \
                   strerror(errno));                                                  \
        }                                                                             \
    } while (0)

/* The call fails with this error. */
#define FAILS(call, error)                                                            \
    do {                                                                              \
        errno = 0;                                                                    \
        long long check_r = (long long)(call);                                        \
        if (check_r != -1 || errno != (error)) {                                      \
            check_failures++;                                                         \
            printf("%s:%d: %s is %lld, %s; expected %s\n", __FILE__, __LINE__, #call, \
                   check_r, strerror(errno), strerror(error));                        \
        }                                                                             \
    } while (0)

#define DONE() return check_failures ? 1 : 0

#endif
