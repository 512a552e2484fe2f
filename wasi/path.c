/* Everything that names a file by a path. */
#include "internal.h"

/* A directory descriptor with `rights` and a path at a[1], a[2]. */
static enum wasi_errno get_dir_path(struct wasi *w, const struct wasi_guest *g, uint32_t fd,
                                    uint32_t path, uint32_t path_len, uint64_t rights,
                                    struct wasi_fd **ret_dir, struct span *ret_path)
{
    enum wasi_errno e = fd_get_dir(w, fd, rights, ret_dir);
    return e == WASI_SUCCESS ? guest_path(w, g, path, path_len, ret_path) : e;
}

static bool lookup_valid(uint32_t flags)
{
    return !(flags & ~(uint32_t)WASI_LOOKUP_SYMLINK_FOLLOW);
}

WASI_CALL(wasi_path_create_directory)
{
    struct wasi_fd *dir;
    struct span path;
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2],
                                     WASI_RIGHT_PATH_CREATE_DIRECTORY, &dir, &path);
    return e == WASI_SUCCESS ? HOST_CALL(w, path_mkdir, dir->handle, path) : e;
}

WASI_CALL(wasi_path_remove_directory)
{
    struct wasi_fd *dir;
    struct span path;
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2],
                                     WASI_RIGHT_PATH_REMOVE_DIRECTORY, &dir, &path);
    return e == WASI_SUCCESS ? HOST_CALL(w, path_rmdir, dir->handle, path) : e;
}

WASI_CALL(wasi_path_unlink_file)
{
    struct wasi_fd *dir;
    struct span path;
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2],
                                     WASI_RIGHT_PATH_UNLINK_FILE, &dir, &path);
    return e == WASI_SUCCESS ? HOST_CALL(w, path_unlink, dir->handle, path) : e;
}

WASI_CALL(wasi_path_filestat_get)
{
    struct wasi_fd *dir;
    struct span path;
    struct wasi_filestat s;
    uint32_t flags = (uint32_t)a[1];
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[2], (uint32_t)a[3],
                                     WASI_RIGHT_PATH_FILESTAT_GET, &dir, &path);
    if (e != WASI_SUCCESS)
        return e;
    if (!lookup_valid(flags))
        return WASI_INVAL;
    if (!guest_has(g, (uint32_t)a[4], sizeof(struct wasi_abi_filestat)))
        return WASI_FAULT;
    e = HOST_CALL(w, path_stat, dir->handle, path, flags != 0, &s);
    return e == WASI_SUCCESS ? filestat_put(g, (uint32_t)a[4], &s) : e;
}

WASI_CALL(wasi_path_filestat_set_times)
{
    struct wasi_fd *dir;
    struct span path;
    uint32_t flags = (uint32_t)a[1], fstflags = (uint32_t)a[6];
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[2], (uint32_t)a[3],
                                     WASI_RIGHT_PATH_FILESTAT_SET_TIMES, &dir, &path);
    if (e != WASI_SUCCESS)
        return e;
    if (!lookup_valid(flags) || !fstflags_valid(fstflags))
        return WASI_INVAL;
    struct wasi_times times = { .atim = a[4], .mtim = a[5], .fstflags = (uint16_t)fstflags };
    return HOST_CALL(w, path_set_times, dir->handle, path, flags != 0, &times);
}

WASI_CALL(wasi_path_link)
{
    struct wasi_fd *from_dir, *to_dir;
    struct span from, to;
    uint32_t flags = (uint32_t)a[1];
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[2], (uint32_t)a[3],
                                     WASI_RIGHT_PATH_LINK_SOURCE, &from_dir, &from);
    if (e == WASI_SUCCESS)
        e = get_dir_path(w, g, (uint32_t)a[4], (uint32_t)a[5], (uint32_t)a[6],
                         WASI_RIGHT_PATH_LINK_TARGET, &to_dir, &to);
    if (e == WASI_SUCCESS && !lookup_valid(flags))
        e = WASI_INVAL;
    if (e != WASI_SUCCESS)
        return e;
    return HOST_CALL(w, path_link, from_dir->handle, from, flags != 0, to_dir->handle, to);
}

WASI_CALL(wasi_path_rename)
{
    struct wasi_fd *from_dir, *to_dir;
    struct span from, to;
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2],
                                     WASI_RIGHT_PATH_RENAME_SOURCE, &from_dir, &from);
    if (e == WASI_SUCCESS)
        e = get_dir_path(w, g, (uint32_t)a[3], (uint32_t)a[4], (uint32_t)a[5],
                         WASI_RIGHT_PATH_RENAME_TARGET, &to_dir, &to);
    if (e != WASI_SUCCESS)
        return e;
    return HOST_CALL(w, path_rename, from_dir->handle, from, to_dir->handle, to);
}

/* An absolute target is refused at once: no path could ever be resolved through it, and a
 * program that learns this early says something useful. */
WASI_CALL(wasi_path_symlink)
{
    struct wasi_fd *dir;
    struct span target, path;
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[2], (uint32_t)a[3], (uint32_t)a[4],
                                     WASI_RIGHT_PATH_SYMLINK, &dir, &path);
    if (e == WASI_SUCCESS)
        e = guest_path(w, g, (uint32_t)a[0], (uint32_t)a[1], &target);
    return e == WASI_SUCCESS ? HOST_CALL(w, path_symlink, target, dir->handle, path) : e;
}

WASI_CALL(wasi_path_readlink)
{
    struct wasi_fd *dir;
    struct span path;
    size_t len = 0;
    uint32_t cap = (uint32_t)a[4];
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[1], (uint32_t)a[2],
                                     WASI_RIGHT_PATH_READLINK, &dir, &path);
    if (e != WASI_SUCCESS)
        return e;
    if (!guest_has(g, (uint32_t)a[3], cap) || !guest_has(g, (uint32_t)a[5], 4))
        return WASI_FAULT;
    if (cap > WASI_PATH_MAX)
        cap = WASI_PATH_MAX; /* no target is longer */
    void *p = guest_out(g, (uint32_t)a[3], cap);
    e = HOST_CALL(w, path_readlink, dir->handle, path, p, cap, &len);
    if (e != WASI_SUCCESS)
        return e;
    guest_wrote(g, (uint32_t)a[3], p, len);
    guest_put_u32(g, (uint32_t)a[5], (uint32_t)len);
    return WASI_SUCCESS;
}

/* Rights that the directory itself needs for such an opening. */
static uint64_t open_rights(uint32_t oflags)
{
    uint64_t rights = WASI_RIGHT_PATH_OPEN;
    if (oflags & WASI_O_CREAT)
        rights |= WASI_RIGHT_PATH_CREATE_FILE;
    if (oflags & WASI_O_TRUNC)
        rights |= WASI_RIGHT_PATH_FILESTAT_SET_SIZE;
    return rights;
}

/* Rights that must be inheritable: those asked for, as far as they mean anything for
 * a file or directory, and those that the flags imply. */
static uint64_t inherited_rights(uint64_t base, uint64_t inheriting, uint32_t fdflags)
{
    uint64_t rights = (base | inheriting) & (WASI_RIGHTS_FILE | WASI_RIGHTS_DIRECTORY);
    if (fdflags & (WASI_FDFLAG_SYNC | WASI_FDFLAG_RSYNC))
        rights |= WASI_RIGHT_FD_SYNC;
    if (fdflags & WASI_FDFLAG_DSYNC)
        rights |= WASI_RIGHT_FD_DATASYNC;
    return rights;
}

static bool open_flags_valid(uint32_t lookup, uint32_t oflags, uint32_t fdflags)
{
    return lookup_valid(lookup) && !(oflags & ~(uint32_t)WASI_O_ALL) &&
           !(fdflags & ~(uint32_t)WASI_FDFLAGS_ALL) &&
           /* a directory cannot be made by opening */
           (oflags & (WASI_O_DIRECTORY | WASI_O_CREAT)) != (WASI_O_DIRECTORY | WASI_O_CREAT);
}

static enum wasi_errno open_row(struct wasi *w, const struct wasi_open *how, uint64_t base,
                                uint64_t inheriting, int *ret_fd)
{
    struct wasi_opened opened;
    int fd = fd_free(w);
    if (fd < 0)
        return WASI_MFILE;
    enum wasi_errno e = HOST_CALL(w, path_open, how, &opened);
    if (e != WASI_SUCCESS)
        return e;
    bool is_dir = opened.filetype == WASI_FILETYPE_DIRECTORY;
    base &= is_dir ? WASI_RIGHTS_DIRECTORY : WASI_RIGHTS_FILE;
    inheriting &= is_dir ? WASI_RIGHTS_DIRECTORY | WASI_RIGHTS_FILE : 0;
    fd_take(w, fd, opened.handle, opened.filetype, base, inheriting)->flags = how->fdflags;
    *ret_fd = fd;
    return WASI_SUCCESS;
}

WASI_CALL(wasi_path_open)
{
    struct wasi_fd *dir;
    struct span path;
    uint32_t lookup = (uint32_t)a[1], oflags = (uint32_t)a[4], fdflags = (uint32_t)a[7];
    uint64_t base = a[5], inheriting = a[6];
    int fd;
    enum wasi_errno e = get_dir_path(w, g, (uint32_t)a[0], (uint32_t)a[2], (uint32_t)a[3],
                                     open_rights(oflags), &dir, &path);
    if (e != WASI_SUCCESS)
        return e;
    if (!open_flags_valid(lookup, oflags, fdflags))
        return WASI_INVAL;
    if (inherited_rights(base, inheriting, fdflags) & ~dir->inheriting)
        return lacks_right(w);
    if (!guest_has(g, (uint32_t)a[8], 4))
        return WASI_FAULT;
    struct wasi_open how = {
        .dir = dir->handle,
        .path = path,
        .oflags = (uint16_t)oflags,
        .fdflags = (uint16_t)fdflags,
        .follow = lookup != 0,
        .can_read = (base & (WASI_RIGHT_FD_READ | WASI_RIGHT_FD_READDIR)) != 0,
        .can_write = (base & (WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_ALLOCATE |
                              WASI_RIGHT_FD_FILESTAT_SET_SIZE)) != 0,
    };
    e = open_row(w, &how, base, inheriting, &fd);
    if (e == WASI_SUCCESS)
        guest_put_u32(g, (uint32_t)a[8], (uint32_t)fd);
    return e;
}
