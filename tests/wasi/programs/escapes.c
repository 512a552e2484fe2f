/* grants: 3; traps: yes */
/* The folder above /data holds "secret"; /data holds links that lead out (made from
 * outside). Nothing here may succeed. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#include "check.h"

enum { DATA = 3 };

/* Past the C library, which would refuse some of these by itself. */
static const char *const paths[] = {
    "..", "../secret", "./../secret", "sub/../../secret", "sub/..//../secret", "../data/../secret",
    "out/secret", "out/data/f", "abs/passwd", "abs-file", "chain", "sub/out2/secret",
    "/etc/passwd", "/", "//", "/data/f", "out/..", "../../../../../../etc/passwd",
};

static void by_wasi(const char *p)
{
    __wasi_fd_t fd;
    __wasi_filestat_t st;
    __wasi_rights_t rw = __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE;
    uint8_t buf[64];
    __wasi_size_t n;
    char below[128];
    const uint16_t denied = __WASI_ERRNO_NOTCAPABLE;
    snprintf(below, sizeof below, "%s/made", p);
    CHECK(__wasi_path_open(DATA, 1, p, 0, __WASI_RIGHTS_FD_READ, 0, 0, &fd) == denied);
    CHECK(__wasi_path_open(DATA, 1, p, __WASI_OFLAGS_CREAT, rw, 0, 0, &fd) == denied);
    CHECK(__wasi_path_open(DATA, 1, p, __WASI_OFLAGS_DIRECTORY, 0, 0, 0, &fd) == denied);
    CHECK(__wasi_path_filestat_get(DATA, 1, p, &st) == denied);
    CHECK(__wasi_path_filestat_set_times(DATA, 1, p, 0, 0, __WASI_FSTFLAGS_MTIM_NOW) == denied);
    CHECK(__wasi_path_create_directory(DATA, below) == denied);
    CHECK(__wasi_path_remove_directory(DATA, below) == denied);
    CHECK(__wasi_path_unlink_file(DATA, below) == denied);
    CHECK(__wasi_path_readlink(DATA, below, buf, sizeof buf, &n) == denied);
    CHECK(__wasi_path_rename(DATA, below, DATA, "here") == denied);
    CHECK(__wasi_path_rename(DATA, "f", DATA, below) == denied);
    CHECK(__wasi_path_link(DATA, 0, below, DATA, "here") == denied);
    CHECK(__wasi_path_link(DATA, 0, "f", DATA, below) == denied);
    CHECK(__wasi_path_symlink("f", DATA, below) == denied);
}

int main(void)
{
    int fd = open("/data/f", O_CREAT | O_WRONLY, 0644);
    CHECK(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        by_wasi(paths[i]);
    CHECK(open("/data/../secret", O_RDONLY) == -1);
    CHECK(open("/etc/passwd", O_RDONLY) == -1);
    CHECK(open("/proc/self/mem", O_RDONLY) == -1);
    CHECK(open("/dev/null", O_RDONLY) == -1);
    CHECK(open("/data/abs-file", O_RDONLY) == -1);
    CHECK(opendir("/") == NULL);
    FAILS(open("/data/fifo", O_RDONLY), EACCES);
    /* The number of the folder above does not show. */
    struct stat st;
    CHECK(stat("/data", &st) == 0);
    DIR *d = opendir("/data");
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, "..") == 0)
            CHECK(e->d_ino == st.st_ino);
    closedir(d);
    DONE();
}
