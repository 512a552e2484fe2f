/* Files of one app, by path: performs the CTL_PATH_* and CTL_DIR_* requests.
 *
 * Everything happens beneath one folder, however the path is spelled and whatever symbolic
 * links lie on its way: the kernel resolves it in one step that cannot leave the folder
 * (openat2 with RESOLVE_BENEATH and RESOLVE_NO_MAGICLINKS). Where openat2 is missing,
 * a walk of our own does the same, one component at a time. A path that would leave is
 * WASI_NOTCAPABLE.
 *
 * Operations on a name (make, remove, rename, link) resolve the folder that holds it that
 * way and then act on the last component in it, which is never ".", "..", or
 * followed. */
#ifndef HOSTS_LINUX_PATHS_H
#define HOSTS_LINUX_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosts/linux/ctl.h"

/* An app's folder and the directories that it has open (at most CTL_DIRS_MAX). */
struct paths;

/* dir: descriptor of the folder (O_PATH will do), owned by the result from then on.
 * data_bytes: what the files beneath may hold together, 0 for no bound; looked at when
 * something is opened for writing or made (WASI_DQUOT), so that files that are open
 * already can pass it. NULL when there is no memory; dir is then still the caller's. */
struct paths *paths_new(int dir, uint64_t data_bytes);
/* Closes all; NULL is accepted. */
void paths_free(struct paths *p);

/* May the request, a CTL_PATH_OPEN, change anything? */
bool paths_open_writes(const struct ctl_msg *m);

/* Performs `request`, whose type is CTL_PATH_OPEN to CTL_DIR_CLOSE, with its bytes a and b. Fills
 * in *reply (error, u), reply_data (CTL_DATA_MAX bytes; *ret_len of them) and *ret_fd (-1,
 * or a descriptor to hand over and then close). Nothing in the request is
 * trusted. Never blocks on a peer: a FIFO or device is WASI_ACCES. */
void paths_request(struct paths *p, const struct ctl_msg *request, struct span a, struct span b,
                   struct ctl_msg *reply, uint8_t *reply_data, size_t *ret_len, int *ret_fd);

/* For tests: from now on as if this machine had no openat2. */
void paths_without_openat2(struct paths *p);

#endif
