/* Files of the app's own folder, /data. Paths are relative to it ("notes/today.txt");
 * there is nothing else to see. Needs filesystem = true in [capabilities]. */
#ifndef VYOMA_FS_H
#define VYOMA_FS_H

#include <vyoma/io.h>

enum { VY_FD_FIRST = 3, VY_FD_SCAN = 64 };

/* The descriptor of /data, or -1: the app was not given one. */
VY_FN int vy_data_dir(void)
{
    for (int fd = VY_FD_FIRST; fd < VY_FD_FIRST + VY_FD_SCAN; fd++) {
        __wasi_prestat_t stat;
        if (__wasi_fd_prestat_get(fd, &stat) == 0)
            return fd;
    }
    return -1;
}

#define VY_READ (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_TELL | \
                 __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_POLL_FD_READWRITE)
#define VY_WRITE (__WASI_RIGHTS_FD_WRITE | __WASI_RIGHTS_FD_SEEK | __WASI_RIGHTS_FD_SYNC | \
                  __WASI_RIGHTS_FD_DATASYNC | __WASI_RIGHTS_FD_ALLOCATE | \
                  __WASI_RIGHTS_FD_FILESTAT_GET | __WASI_RIGHTS_FD_FILESTAT_SET_SIZE)

/* Opens `path` beneath `dir`. oflags: __WASI_OFLAGS_...; rights: VY_READ, VY_WRITE or both;
 * fdflags: __WASI_FDFLAGS_APPEND or 0. Symbolic links are followed while they stay beneath. */
VY_FN int vy_open(int dir, const char *path, int oflags, uint64_t rights, int fdflags, int *ret)
{
    return __wasi_path_open(dir, __WASI_LOOKUPFLAGS_SYMLINK_FOLLOW, path,
                            (__wasi_oflags_t)oflags, rights, 0, (__wasi_fdflags_t)fdflags, ret);
}

/* Up to cap bytes of the file from its start; *len is what there was. */
VY_FN int vy_read_file(int dir, const char *path, void *bytes, size_t cap, size_t *len)
{
    int fd = -1, err = vy_open(dir, path, 0, VY_READ, 0, &fd);
    if (err)
        return err;
    *len = 0;
    while (*len < cap) {
        __wasi_iovec_t v = { (uint8_t *)bytes + *len, cap - *len };
        __wasi_size_t n = 0;
        err = __wasi_fd_read(fd, &v, 1, &n);
        if (err || n == 0)
            break;
        *len += n;
    }
    (void)!__wasi_fd_close(fd);
    return err;
}

/* Replaces the file's contents so that, whatever happens meanwhile, either the old or the new
 * ones are found afterwards: writes `temporary`, syncs it, and renames it over `path`. */
VY_FN int vy_replace_file(int dir, const char *path, const char *temporary, const void *bytes,
                          size_t len)
{
    int fd = -1;
    int err = vy_open(dir, temporary, __WASI_OFLAGS_CREAT | __WASI_OFLAGS_TRUNC, VY_WRITE, 0, &fd);
    if (err)
        return err;
    err = vy_write(fd, bytes, len);
    if (!err)
        err = __wasi_fd_sync(fd);
    (void)!__wasi_fd_close(fd);
    return err ? err : __wasi_path_rename(dir, temporary, dir, path);
}

/* Adds to the end of the file in one write. */
VY_FN int vy_append_file(int dir, const char *path, const void *bytes, size_t len)
{
    int fd = -1;
    int err = vy_open(dir, path, __WASI_OFLAGS_CREAT, VY_WRITE, __WASI_FDFLAGS_APPEND, &fd);
    if (err)
        return err;
    err = vy_write(fd, bytes, len);
    (void)!__wasi_fd_close(fd);
    return err;
}

#endif
