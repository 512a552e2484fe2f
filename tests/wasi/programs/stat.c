/* grants: 3 */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wasi/api.h>

#include "check.h"

int main(void)
{
    struct stat st, st2;
    struct timespec t[2] = { { 1000, 1 }, { 2000000000, 999999999 } };
    int fd = open("/data/f", O_CREAT | O_RDWR, 0644);
    CHECK(write(fd, "hello", 5) == 5);
    CHECK(fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 5 && st.st_nlink == 1);
    CHECK(stat("/data/f", &st2) == 0 && st.st_ino == st2.st_ino && st.st_dev == st2.st_dev);
    CHECK(st.st_mtim.tv_sec > 1700000000 && st.st_mtim.tv_sec <= time(NULL) + 1);
    CHECK(futimens(fd, t) == 0 && fstat(fd, &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000 && st.st_atim.tv_nsec == 1);
    CHECK(st.st_mtim.tv_sec == 2000000000 && st.st_mtim.tv_nsec == 999999999);
    t[0].tv_nsec = UTIME_OMIT;
    t[1] = (struct timespec){ 5, 6 };
    CHECK(utimensat(AT_FDCWD, "/data/f", t, 0) == 0 && stat("/data/f", &st) == 0);
    CHECK(st.st_atim.tv_sec == 1000 && st.st_mtim.tv_sec == 5 && st.st_mtim.tv_nsec == 6);
    /* By WASI's own name: this C library knows no "now". */
    CHECK(__wasi_path_filestat_set_times(3, 1, "f", 0, 0, __WASI_FSTFLAGS_MTIM_NOW) == 0);
    CHECK(stat("/data/f", &st) == 0 && st.st_atim.tv_sec == 1000);
    CHECK(st.st_mtim.tv_sec > 1700000000);
    CHECK(stat("/data", &st) == 0 && S_ISDIR(st.st_mode));
    CHECK(stat("/data/", &st) == 0 && S_ISDIR(st.st_mode));
    FAILS(stat("/data/none", &st), ENOENT);
    FAILS(stat("/data/f/x", &st), ENOTDIR);
    FAILS(stat("/data/f/", &st), ENOTDIR);
    CHECK(access("/data/f", R_OK) == 0);
    FAILS(access("/data/none", F_OK), ENOENT);
    CHECK(fstat(1, &st) == 0);
    CHECK(truncate("/data/f", 2) == 0 && stat("/data/f", &st) == 0 && st.st_size == 2);
    DONE();
}
