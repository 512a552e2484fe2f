/* Out of /data by every way that a path offers. */
#include <vyoma/errno.h>
#include <vyoma/time.h>

#include "rogue.h"

/* Tries to open and read it; closes it again. */
static int read_path(const char *path)
{
    char byte;
    size_t n;
    return vy_read_file(data_dir, path, &byte, 1, &n);
}

static void read_each(const char *name, const char *const *paths)
{
    for (; *paths; paths++)
        report(name, *paths, read_path(*paths));
}

static void dotdot(const char *name, uint64_t argument)
{
    static const char *const paths[] = {
        "..", "../", "../..", "./..", "a/../..", "../rogue/../..", "../../../../../../etc/passwd",
        "..//..//etc/passwd", "./../etc/passwd", NULL,
    };
    (void)!__wasi_path_create_directory(data_dir, "a");
    read_each(name, paths);
    (void)!__wasi_path_remove_directory(data_dir, "a");
}

static void absolute(const char *name, uint64_t argument)
{
    static const char *const paths[] = { "/", "//", "/etc/passwd", "/data", "/init", NULL };
    read_each(name, paths);
}

static void other_app(const char *name, uint64_t argument)
{
    static const char *const paths[] = {
        "../bystander/secret", "../storage-demo/counter", "../../data/bystander/secret",
        "/data/bystander/secret", "../audit.log", "../../audit.log", NULL,
    };
    read_each(name, paths);
}

static void proc(const char *name, uint64_t argument)
{
    static const char *const paths[] = {
        "/proc/self/maps", "/proc/1/environ", "/proc/self/fd/3", "/proc/self/root/etc/passwd",
        "proc/self/maps", "../../../proc/1/mem", "/sys/kernel", NULL,
    };
    read_each(name, paths);
}

static void dev(const char *name, uint64_t argument)
{
    static const char *const paths[] = {
        "/dev/mem", "/dev/kmsg", "/dev/vda", "/dev/null", "../../../dev/mem", NULL,
    };
    read_each(name, paths);
}

/* A symbolic link may be made; it must lead nowhere outside. */
static void symlinks(const char *name, uint64_t argument)
{
    static const char *const targets[] = {
        "/etc/passwd", "/", "..", "../..", "/proc/self/exe", "../bystander/secret", NULL,
    };
    for (const char *const *t = targets; *t; t++) {
        (void)!__wasi_path_unlink_file(data_dir, "link");
        int err = __wasi_path_symlink(*t, data_dir, "link");
        if (!err)
            err = read_path("link");
        report(name, *t, err);
        if (!__wasi_path_symlink("link", data_dir, "chain")) {
            report(name, "chain", read_path("chain"));
            (void)!__wasi_path_unlink_file(data_dir, "chain");
        }
        report(name, "through it", read_path("link/etc/passwd"));
    }
    (void)!__wasi_path_unlink_file(data_dir, "link");
}

/* Swaps a folder for a link to the outside while opening a file through it. */
static void symlink_race(const char *name, uint64_t rounds)
{
    uint64_t wins = 0;
    (void)!__wasi_path_create_directory(data_dir, "race");
    vy_append_file(data_dir, "race/passwd", "mine", 4);
    for (uint64_t i = 0; i < rounds; i++) {
        char bytes[8];
        size_t n = 0;
        (void)!__wasi_path_rename(data_dir, "race", data_dir, "race.away");
        (void)!__wasi_path_symlink("/etc", data_dir, "race");
        if (vy_read_file(data_dir, "race/passwd", bytes, 4, &n) == 0 && memcmp(bytes, "mine", 4))
            wins++;
        (void)!__wasi_path_unlink_file(data_dir, "race");
        (void)!__wasi_path_rename(data_dir, "race.away", data_dir, "race");
    }
    (void)!__wasi_path_unlink_file(data_dir, "race/passwd");
    (void)!__wasi_path_remove_directory(data_dir, "race");
    report(name, NULL, wins ? 0 : __WASI_ERRNO_NOTCAPABLE);
}

static void hard_links(const char *name, uint64_t argument)
{
    static const char *const from[] = { "/etc/passwd", "../bystander/secret", "../../etc/passwd",
                                        NULL };
    for (const char *const *f = from; *f; f++)
        report(name, *f, __wasi_path_link(data_dir, 0, *f, data_dir, "stolen"));
    vy_append_file(data_dir, "own", "x", 1);
    report(name, "to ../planted", __wasi_path_link(data_dir, 0, "own", data_dir, "../planted"));
    report(name, "to /planted", __wasi_path_link(data_dir, 0, "own", data_dir, "/planted"));
    (void)!__wasi_path_unlink_file(data_dir, "own");
}

/* Changing what is outside. */
static void change_outside(const char *name, uint64_t argument)
{
    vy_append_file(data_dir, "own", "x", 1);
    report(name, "rename", __wasi_path_rename(data_dir, "own", data_dir, "../planted"));
    report(name, "rename away",
           __wasi_path_rename(data_dir, "../bystander/secret", data_dir, "stolen"));
    report(name, "mkdir", __wasi_path_create_directory(data_dir, "../planted"));
    report(name, "rmdir", __wasi_path_remove_directory(data_dir, "../bystander"));
    report(name, "unlink", __wasi_path_unlink_file(data_dir, "../bystander/secret"));
    report(name, "create", vy_append_file(data_dir, "../planted", "x", 1));
    report(name, "symlink", __wasi_path_symlink("x", data_dir, "../planted"));
    report(name, "times", __wasi_path_filestat_set_times(data_dir, 0, "../bystander/secret", 0, 0,
                                                         __WASI_FSTFLAGS_MTIM_NOW));
    (void)!__wasi_path_unlink_file(data_dir, "own");
}

/* Forms that a careless host reads in another way than it checks them. */
static void odd_paths(const char *name, uint64_t argument)
{
    static char path[5000];
    memset(path, 'a', sizeof path - 1);
    report(name, "5,000 bytes", read_path(path));
    for (size_t i = 0; i + 2 < sizeof path; i += 3)
        memcpy(path + i, "../", 3);
    path[sizeof path - 2] = 0;
    report(name, "1,600 times ..", read_path(path));
    report(name, "not UTF-8", read_path("\xff\xfe"));
    report(name, "empty", read_path(""));
    report(name, "a file of the system", read_path("vyoma.toml"));
}

/* Descriptors that nobody handed over. */
static void descriptors(const char *name, uint64_t argument)
{
    uint64_t found = 0;
    for (int fd = 3; fd < 1024; fd++) {
        __wasi_fdstat_t stat;
        if (__wasi_fd_fdstat_get(fd, &stat))
            continue;
        bool known = fd == data_dir || stat.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM;
        found += !known;
    }
    report(name, "to find more than /data and the port", found ? 0 : __WASI_ERRNO_BADF);
    __wasi_fdstat_t stat;
    if (__wasi_fd_fdstat_get(data_dir, &stat) == 0)
        report(name, "to gain rights",
               __wasi_fd_fdstat_set_rights(data_dir, UINT64_MAX, UINT64_MAX));
    report(name, "-1", __wasi_fd_close(-1));
    report(name, "2147483647", __wasi_fd_sync(0x7fffffff));
}

static void open_files(const char *name, uint64_t argument)
{
    static int fds[2000];
    int n = 0, err = 0;
    vy_append_file(data_dir, "own", "x", 1);
    while (n < 2000 && !(err = vy_open(data_dir, "own", 0, VY_READ, 0, &fds[n])))
        n++;
    report(name, "two thousand", err);
    tell(name, "open at once:", (uint64_t)n);
    while (n)
        (void)!__wasi_fd_close(fds[--n]);
    (void)!__wasi_path_unlink_file(data_dir, "own");
}

static void fill_disk(const char *name, uint64_t mebibytes)
{
    static char block[65536];
    uint64_t written = 0;
    int err = 0;
    while (!err && written < mebibytes << 20)
        if (!(err = vy_append_file(data_dir, "big", block, sizeof block)))
            written += sizeof block;
    report(name, "by writing", err);
    tell(name, "KiB written:", written >> 10);
    int fd = -1;
    if (!vy_open(data_dir, "big", 0, VY_WRITE, 0, &fd)) {
        report(name, "by making it long", __wasi_fd_filestat_set_size(fd, mebibytes << 20));
        report(name, "by reserving", __wasi_fd_allocate(fd, 0, mebibytes << 20));
        (void)!__wasi_fd_close(fd);
    }
    (void)!__wasi_path_unlink_file(data_dir, "big");
}

const struct attempt path_attempts[] = {
    { "dotdot", dotdot, 0, true },
    { "absolute", absolute, 0, true },
    { "other-app", other_app, 0, true },
    { "proc", proc, 0, true },
    { "dev", dev, 0, true },
    { "symlinks", symlinks, 0, true },
    { "symlink-race", symlink_race, 200, true },
    { "hard-links", hard_links, 0, true },
    { "change-outside", change_outside, 0, true },
    { "odd-paths", odd_paths, 0, true },
    { "descriptors", descriptors, 0, true },
    { "open-files", open_files, 0, true },
    { "fill-disk", fill_disk, 256, true },
    { NULL, NULL, 0, false },
};
