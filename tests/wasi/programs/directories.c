/* grants: 3 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wasi/api.h>

#include "check.h"

static int seen[300];

static void fill(void)
{
    char path[64];
    CHECK(mkdir("/data/many", 0755) == 0);
    FAILS(mkdir("/data/many", 0755), EEXIST);
    for (int i = 0; i < 300; i++) {
        snprintf(path, sizeof path, "/data/many/file-with-a-longer-name-%d", i);
        int fd = open(path, O_CREAT | O_WRONLY, 0644);
        CHECK(fd >= 0);
        close(fd);
    }
}

static int count(DIR *d)
{
    int n = 0;
    memset(seen, 0, sizeof seen);
    for (struct dirent *e; (e = readdir(d));) {
        int i = -1;
        n++;
        if (e->d_name[0] == '.') {
            CHECK(e->d_type == DT_DIR);
            continue;
        }
        CHECK(sscanf(e->d_name, "file-with-a-longer-name-%d", &i) == 1 && i >= 0 && i < 300);
        CHECK(!seen[i]++ && e->d_type == DT_REG && e->d_ino != 0);
    }
    return n;
}

/* With every right that /data has, as some libraries open it. */
static void open_with_all_rights(void)
{
    __wasi_fdstat_t s;
    __wasi_fd_t fd;
    CHECK(__wasi_fd_fdstat_get(3, &s) == 0);
    CHECK(__wasi_path_open(3, 0, ".", __WASI_OFLAGS_DIRECTORY, s.fs_rights_base,
                           s.fs_rights_inheriting, 0, &fd) == 0);
    CHECK(__wasi_fd_close(fd) == 0);
}

int main(void)
{
    open_with_all_rights();
    fill();
    DIR *d = opendir("/data/many");
    CHECK(d != NULL);
    CHECK(count(d) == 302);
    rewinddir(d);
    CHECK(count(d) == 302);
    /* Entries that go away while reading do no harm. */
    rewinddir(d);
    CHECK(readdir(d) != NULL);
    CHECK(unlinkat(dirfd(d), "file-with-a-longer-name-7", 0) == 0);
    while (readdir(d)) {
    }
    struct stat st;
    CHECK(fstatat(dirfd(d), "file-with-a-longer-name-8", &st, 0) == 0 && S_ISREG(st.st_mode));
    int fd = openat(dirfd(d), "file-with-a-longer-name-8", O_RDONLY);
    CHECK(fd >= 0);
    close(fd);
    FAILS(openat(dirfd(d), "../many", O_RDONLY), ENOTCAPABLE);
    CHECK(fsync(dirfd(d)) == 0);
    CHECK(closedir(d) == 0);
    FAILS(rmdir("/data/many"), ENOTEMPTY);
    FAILS(unlink("/data/many"), EISDIR);
    CHECK(mkdir("/data/empty", 0700) == 0 && rmdir("/data/empty") == 0);
    FAILS(rmdir("/data/empty"), ENOENT);
    CHECK(opendir("/data/none") == NULL && errno == ENOENT);
    CHECK(opendir("/data/many/file-with-a-longer-name-9") == NULL && errno == ENOTDIR);
    FAILS(open("/data/many", O_WRONLY), EISDIR);
    DONE();
}
