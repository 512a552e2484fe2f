/* grants: 3 */
#include <fcntl.h>
#include <unistd.h>
#include <wasi/api.h>

#include "check.h"

int main(void)
{
    int fds[128], n = 0;
    __wasi_fdstat_t s;
    int a = open("/data/a", O_CREAT | O_RDWR, 0644), b = open("/data/b", O_CREAT | O_RDWR, 0644);
    CHECK(a == 4 && b == 5); /* 3 is /data */
    CHECK(write(a, "A", 1) == 1 && write(b, "B", 1) == 1);
    CHECK(__wasi_fd_renumber((__wasi_fd_t)a, (__wasi_fd_t)b) == 0);
    FAILS(write(a, "x", 1), EBADF);
    CHECK(lseek(b, 0, SEEK_SET) == 0);
    char c;
    CHECK(read(b, &c, 1) == 1 && c == 'A');
    CHECK(__wasi_fd_fdstat_get((__wasi_fd_t)b, &s) == 0);
    CHECK(s.fs_filetype == __WASI_FILETYPE_REGULAR_FILE && s.fs_flags == 0);
    CHECK(__wasi_fd_fdstat_set_rights((__wasi_fd_t)b, __WASI_RIGHTS_FD_WRITE, 0) == 0);
    FAILS(read(b, &c, 1), EBADF); /* as the C library says it */
    CHECK(__wasi_fd_fdstat_set_rights((__wasi_fd_t)b, s.fs_rights_base, 0) ==
          __WASI_ERRNO_NOTCAPABLE);
    close(b);
    while (n < 128 && (fds[n] = open("/data/a", O_RDONLY)) >= 0)
        n++;
    CHECK(errno == EMFILE && n > 32 && n < 128);
    while (n)
        CHECK(close(fds[--n]) == 0);
    /* Directories are counted by the supervisor. */
    while (n < 128 && (fds[n] = open("/data", O_RDONLY | O_DIRECTORY)) >= 0)
        n++;
    CHECK((errno == EMFILE || errno == ENFILE) && n >= 8 && n < 128);
    while (n)
        CHECK(close(fds[--n]) == 0);
    FAILS(lseek(1, 0, SEEK_CUR), ESPIPE);
    CHECK(close(0) == 0);
    FAILS(read(0, &c, 1), EBADF);
    CHECK(open("/data/a", O_RDONLY) == 4); /* 0 stays free */
    DONE();
}
