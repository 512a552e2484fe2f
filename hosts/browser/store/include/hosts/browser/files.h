/* What one app can do with its folder: struct wasi_host's calls about files, with the errors that
 * Linux has for them. Paths are resolved beneath the folder that they start from, links too;
 * there is no way above it. */
#ifndef HOSTS_BROWSER_FILES_H
#define HOSTS_BROWSER_FILES_H

#include "hosts/browser/store.h"
#include "wasi/host.h"

enum { FILES_LINKS_MAX = 40 }; /* symbolic links that one path may lead over */

struct file_handle {
    struct tree_node *node; /* NULL: free */
    uint64_t position;
    bool can_read, can_write, append;
};

struct files {
    struct store *store;
    struct tree_node *top;
    uint64_t data_max; /* bytes; 0: no bound */
    uint64_t leaves;   /* bytes of TREE_BYTES_MAX that are for others; 0 after files_init() */
    uint32_t handle_count;
    struct file_handle *handles; /* 0 is /data */
};

/* handles: handle_count of them, borrowed. */
enum wasi_errno files_init(struct files *f, struct store *s, struct span app, uint64_t data_max,
                           struct file_handle *handles, uint32_t handle_count);
/* Closes what is open. */
void files_finish(struct files *f);

enum wasi_errno files_open(struct files *f, const struct wasi_open *how, struct wasi_opened *ret);
enum wasi_errno files_close(struct files *f, int32_t h);
/* ret: at most len bytes. at UINT64_MAX: where the handle is, which moves on. */
enum wasi_errno files_read(struct files *f, int32_t h, uint64_t at, void *to, size_t len, size_t *ret);
enum wasi_errno files_write(struct files *f, int32_t h, uint64_t at, struct span bytes, size_t *ret);
enum wasi_errno files_seek(struct files *f, int32_t h, int64_t delta, enum wasi_whence whence,
                           uint64_t *ret);
enum wasi_errno files_allocate(struct files *f, int32_t h, uint64_t at, uint64_t len);
enum wasi_errno files_set_flags(struct files *f, int32_t h, uint16_t fdflags);
enum wasi_errno files_set_size(struct files *f, int32_t h, uint64_t size);
/* path empty: of the handle itself. */
enum wasi_errno files_stat(struct files *f, int32_t h, struct span path, bool follow,
                           struct wasi_filestat *ret);
enum wasi_errno files_set_times(struct files *f, int32_t h, struct span path, bool follow,
                                const struct wasi_times *times);
enum wasi_errno files_readdir(struct files *f, int32_t dir, uint64_t cookie,
                              const struct wasi_dirent_sink *sink);

enum wasi_errno files_mkdir(struct files *f, int32_t dir, struct span path);
enum wasi_errno files_rmdir(struct files *f, int32_t dir, struct span path);
enum wasi_errno files_unlink(struct files *f, int32_t dir, struct span path);
enum wasi_errno files_rename(struct files *f, int32_t dir, struct span from, int32_t to_dir,
                             struct span to);
enum wasi_errno files_link(struct files *f, int32_t dir, struct span from, bool follow,
                           int32_t to_dir, struct span to);
enum wasi_errno files_symlink(struct files *f, struct span target, int32_t dir, struct span path);
/* The target lives until the next change. */
enum wasi_errno files_readlink(struct files *f, int32_t dir, struct span path, struct span *ret);

/* Is there a file or folder open as h? */
bool files_has(const struct files *f, int32_t h);

#endif
