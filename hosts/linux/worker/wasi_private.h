/* Shared by the files of the Linux host for WASI. */
#ifndef HOSTS_LINUX_WORKER_PRIVATE_H
#define HOSTS_LINUX_WORKER_PRIVATE_H

#include <errno.h>
#include <string.h>

#include "hosts/linux/wasi_errno.h"
#include "hosts/linux/worker/wasi_linux.h"

static inline bool is_dir(int32_t h)
{
    return h >= WASI_LINUX_DIR;
}

static inline uint32_t dir_id(int32_t h)
{
    return (uint32_t)(h - WASI_LINUX_DIR);
}

static inline enum wasi_errno last_error(void)
{
    return wasi_errno_of(errno);
}

/* After a call on h was interrupted: shall it be made again? What ends soon by itself (a
 * file, the last bytes of stdin, output that somebody takes) shall. */
static inline bool try_again(const struct wasi_linux *l, int32_t h)
{
    return errno == EINTR && (!l->stopping || h <= 2);
}

/* A request whose reply is only an error, or its union. */
enum wasi_errno ask_plain(struct wasi_linux *l, struct ctl_msg *m, struct span a, struct span b);

void wasi_linux_file_ops(struct wasi_host *h);
void wasi_linux_path_ops(struct wasi_host *h);
void wasi_linux_net_ops(struct wasi_host *h);

enum wasi_errno path_stat(void *ctx, int32_t dir, struct span path, bool follow,
                          struct wasi_filestat *ret);
enum wasi_errno path_set_times(void *ctx, int32_t dir, struct span path, bool follow,
                               const struct wasi_times *times);
enum wasi_errno dir_sync(struct wasi_linux *l, int32_t dir);
enum wasi_errno dir_close(struct wasi_linux *l, int32_t dir);

/* Is a standard stream that the guest does not want to wait for unready? */
bool would_block(struct wasi_linux *l, int32_t h, bool write);

#endif
