/* Opening a path that cannot leave a folder (hosts/linux/paths.h). */
#ifndef HOSTS_LINUX_BENEATH_H
#define HOSTS_LINUX_BENEATH_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens path (relative, not empty) beneath dir with open's flags and mode; close-on-exec is
 * added. Symbolic links are followed as O_NOFOLLOW says, but never out of dir. The
 * descriptor, or a negative errno: -EXDEV when the path would leave. *no_openat2 is set
 * when the kernel does not know the call, and chooses the walk when it is set. */
int beneath_open(int dir, const char *path, int flags, mode_t mode, bool *no_openat2);

#endif
