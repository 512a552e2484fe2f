/* grants: 3 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static void make(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static int holds(const char *path, const char *text)
{
    char got[64] = "";
    FILE *f = fopen(path, "r");
    if (!f)
        return 0;
    fread(got, 1, sizeof got - 1, f);
    fclose(f);
    return strcmp(got, text) == 0;
}

int main(void)
{
    struct stat a, b;
    make("/data/one", "1");
    make("/data/two", "2");
    CHECK(rename("/data/one", "/data/uno") == 0 && holds("/data/uno", "1"));
    CHECK(rename("/data/uno", "/data/two") == 0 && holds("/data/two", "1"));
    FAILS(rename("/data/uno", "/data/x"), ENOENT);
    CHECK(mkdir("/data/d", 0755) == 0 && mkdir("/data/e", 0755) == 0);
    CHECK(rename("/data/two", "/data/d/two") == 0 && holds("/data/d/two", "1"));
    FAILS(rename("/data/e", "/data/d"), ENOTEMPTY);
    FAILS(rename("/data/d", "/data/d/below"), EINVAL);
    FAILS(rename("/data/d/two", "/data/e"), EISDIR);
    CHECK(rename("/data/d", "/data/e/d") == 0 && holds("/data/e/d/two", "1"));
    CHECK(link("/data/e/d/two", "/data/hard") == 0);
    CHECK(stat("/data/hard", &a) == 0 && stat("/data/e/d/two", &b) == 0);
    CHECK(a.st_ino == b.st_ino && a.st_nlink == 2);
    FAILS(link("/data/hard", "/data/hard"), EEXIST);
    FAILS(link("/data/e", "/data/f"), EPERM);
    CHECK(unlink("/data/hard") == 0 && holds("/data/e/d/two", "1"));
    FAILS(unlink("/data/hard"), ENOENT);
    /* A file lives on while it is open. */
    int fd = open("/data/e/d/two", O_RDONLY);
    char c;
    CHECK(unlink("/data/e/d/two") == 0 && read(fd, &c, 1) == 1 && c == '1');
    close(fd);
    CHECK(remove("/data/e/d") == 0);
    DONE();
}
