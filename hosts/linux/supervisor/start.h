/* The child's side of a start: from clone to the worker's first instruction. */
#ifndef HOSTS_LINUX_START_H
#define HOSTS_LINUX_START_H

#include <stdbool.h>
#include <sys/types.h>

#include "sandbox.h"

/* What the child could not do. In memory shared with it. */
struct sandbox_failure {
    const char *step; /* NULL: nothing failed */
    int error;        /* errno */
};

/* Can a process take this uid here? (In a container only some are mapped.) Asked in a
 * child of its own. */
bool start_can_be(uid_t uid);

#endif
