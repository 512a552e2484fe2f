/* grants: 3 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    char text[64];
    struct stat st;
    FILE *f = fopen("/data/real", "w");
    CHECK(f && fputs("real", f) >= 0 && fclose(f) == 0);
    CHECK(mkdir("/data/d", 0755) == 0);
    CHECK(symlink("real", "/data/link") == 0);
    FAILS(symlink("real", "/data/link"), EEXIST);
    CHECK(symlink("../real", "/data/d/link") == 0);
    CHECK(symlink("self", "/data/self") == 0);
    CHECK(symlink("d", "/data/to-d") == 0);
    CHECK(readlink("/data/d/link", text, sizeof text) == 7 && memcmp(text, "../real", 7) == 0);
    CHECK(readlink("/data/link", text, 2) == 2 && memcmp(text, "re", 2) == 0);
    FAILS(readlink("/data/real", text, sizeof text), EINVAL);
    CHECK(lstat("/data/link", &st) == 0 && S_ISLNK(st.st_mode) && st.st_size == 4);
    CHECK(stat("/data/link", &st) == 0 && S_ISREG(st.st_mode));
    CHECK(stat("/data/d/link", &st) == 0 && S_ISREG(st.st_mode));
    CHECK(stat("/data/to-d/link", &st) == 0 && S_ISREG(st.st_mode));
    FAILS(stat("/data/self", &st), ELOOP);
    FAILS(open("/data/self", O_RDONLY), ELOOP);
    FAILS(open("/data/link", O_RDONLY | O_NOFOLLOW), ELOOP);
    int fd = open("/data/link", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, 4) == 4 && memcmp(text, "real", 4) == 0);
    close(fd);
    CHECK(rename("/data/link", "/data/moved") == 0 && lstat("/data/moved", &st) == 0 &&
          S_ISLNK(st.st_mode));
    CHECK(unlink("/data/moved") == 0 && stat("/data/real", &st) == 0);
    FAILS(symlink("/etc/passwd", "/data/absolute"), ENOTCAPABLE);
    DONE();
}
