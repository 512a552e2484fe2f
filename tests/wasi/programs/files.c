/* grants: 3 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

static void stdio_files(void)
{
    char text[64] = "";
    FILE *f = fopen("/data/a.txt", "w+");
    CHECK(f != NULL);
    CHECK(fprintf(f, "line %d\nline %d\n", 1, 2) == 14);
    CHECK(fseek(f, 7, SEEK_SET) == 0 && ftell(f) == 7);
    CHECK(fgets(text, sizeof text, f) && strcmp(text, "line 2\n") == 0);
    CHECK(fseek(f, -2, SEEK_END) == 0 && fgetc(f) == '2');
    CHECK(fclose(f) == 0);
    f = fopen("/data/a.txt", "a");
    CHECK(f && fputs("line 3\n", f) >= 0 && fclose(f) == 0);
    f = fopen("/data/a.txt", "r");
    CHECK(f && fread(text, 1, sizeof text, f) == 21 && memcmp(text + 14, "line 3\n", 7) == 0);
    CHECK(fputs("no", f) < 0 || fflush(f) != 0);
    fclose(f);
    CHECK(fopen("/data/none/x", "w") == NULL && errno == ENOENT);
    CHECK(fopen("/data/a.txt", "wx") == NULL && errno == EEXIST);
}

static void raw_files(void)
{
    char a[8], b[8];
    struct iovec v[2] = { { a, 3 }, { b, 5 } };
    struct stat st;
    int fd = open("/data/raw", O_CREAT | O_EXCL | O_RDWR, 0644);
    CHECK(fd >= 0);
    CHECK(write(fd, "0123456789", 10) == 10);
    CHECK(lseek(fd, 0, SEEK_CUR) == 10);
    CHECK(pwrite(fd, "ab", 2, 4) == 2);
    CHECK(pread(fd, a, 4, 3) == 4 && memcmp(a, "3ab6", 4) == 0);
    CHECK(lseek(fd, 1, SEEK_SET) == 1);
    CHECK(readv(fd, v, 2) == 8 && memcmp(a, "123", 3) == 0 && memcmp(b, "ab678", 5) == 0);
    CHECK(read(fd, a, 8) == 1 && read(fd, a, 8) == 0);
    CHECK(ftruncate(fd, 4) == 0 && fstat(fd, &st) == 0 && st.st_size == 4);
    CHECK(posix_fallocate(fd, 0, 4096) == 0 && fstat(fd, &st) == 0 && st.st_size == 4096);
    CHECK(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL) == 0);
    CHECK(fsync(fd) == 0 && fdatasync(fd) == 0);
    FAILS(lseek(fd, -1, SEEK_SET), EINVAL);
    FAILS(ftruncate(fd, -1), EINVAL);
    CHECK(close(fd) == 0);
    FAILS(close(fd), EBADF);
    FAILS(read(fd, a, 1), EBADF);
}

static void append_and_modes(void)
{
    char c;
    int fd = open("/data/raw", O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, "x", 1) == 1);
    CHECK(read(fd, &c, 1) == -1);
    CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && (fcntl(fd, F_GETFL) & O_APPEND));
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && write(fd, "y", 1) == 1);
    close(fd);
    fd = open("/data/raw", O_RDONLY);
    CHECK(lseek(fd, 0, SEEK_END) == 2);
    CHECK(write(fd, "z", 1) == -1);
    close(fd);
}

/* A host may do less than was asked for (docs/browser.md). */
static int write_all(int fd, const char *bytes, size_t len)
{
    for (ssize_t n; len; bytes += n, len -= (size_t)n)
        if ((n = write(fd, bytes, len)) <= 0)
            return -1;
    return 0;
}

static int read_all(int fd, char *bytes, size_t len)
{
    for (ssize_t n; len; bytes += n, len -= (size_t)n)
        if ((n = read(fd, bytes, len)) <= 0)
            return -1;
    return 0;
}

static void big_file(void)
{
    static char block[100000];
    int fd = open("/data/big", O_CREAT | O_RDWR, 0644);
    for (int i = 0; i < 20; i++) {
        memset(block, 'a' + i, sizeof block);
        CHECK(write_all(fd, block, sizeof block) == 0);
    }
    CHECK(lseek(fd, 1900000, SEEK_SET) == 1900000);
    CHECK(read_all(fd, block, sizeof block) == 0 && block[0] == 't' && block[99999] == 't');
    close(fd);
}

int main(void)
{
    stdio_files();
    raw_files();
    append_and_modes();
    big_file();
    DONE();
}
