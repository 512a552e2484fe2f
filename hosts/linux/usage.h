/* How much a folder holds, for a bound on an app's data.
 *
 * A file system that keeps accounts per folder is not to be had everywhere, so the files
 * are counted when it matters: before something is made or opened for writing. The result
 * serves for a while, so that an app which opens many files does not make the supervisor
 * count all the time. The bound is therefore soft; a single file has RLIMIT_FSIZE. */
#ifndef HOSTS_LINUX_USAGE_H
#define HOSTS_LINUX_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct usage {
    uint64_t max;  /* bytes on disk; 0: no bound */
    uint64_t used; /* when last counted */
    uint64_t counted_ms; /* monotonic; 0: never */
};

void usage_init(struct usage *u, uint64_t max);
/* Is there room beneath dir? Counts when the last count is old. */
bool usage_has_room(struct usage *u, int dir);

#endif
