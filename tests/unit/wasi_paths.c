/* Files by path: what works, and that nothing leaves the folder. Each case runs with
 * openat2 and with the walk that stands in for it. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hosts/linux/paths.h"
#include "lib/test.h"
#include "wasi/abi.h"

static char top[64];            /* a temporary folder: secret, data/ */
static struct paths *paths;
static uint8_t data[CTL_DATA_MAX];
static size_t data_len;
static struct ctl_msg reply;
static int reply_fd;
static bool walk;

static uint16_t ask(struct ctl_msg *m, const char *a, const char *b)
{
    paths_request(paths, m, span_of_cstr(a), span_of_cstr(b), &reply, data, &data_len, &reply_fd);
    return reply.error;
}

static uint16_t path_op(uint16_t type, const char *a, const char *b)
{
    struct ctl_msg m = { .type = type };
    return ask(&m, a, b);
}

/* Opens and closes again; directories stay open and are told by reply.u.opened.dir. */
static uint16_t open_as(const char *path, uint16_t oflags, bool read, bool write, bool follow)
{
    struct ctl_msg m = { .type = CTL_PATH_OPEN };
    m.u.open.oflags = oflags;
    m.u.open.can_read = read;
    m.u.open.can_write = write;
    m.u.open.follow = follow;
    uint16_t e = ask(&m, path, "");
    if (reply_fd >= 0)
        close(reply_fd);
    return e;
}

static uint16_t open_read(const char *path)
{
    return open_as(path, 0, true, false, true);
}

static void in_top(const char *name, char out[160])
{
    snprintf(out, 160, "%s/%s", top, name);
}

static void make_file(const char *name, const char *text)
{
    char path[160];
    in_top(name, path);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void make_link(const char *name, const char *target)
{
    char path[160];
    in_top(name, path);
    CHECK_INT(symlink(target, path), 0);
}

static int open_data(void)
{
    char path[160];
    in_top("data", path);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void setup(void)
{
    char path[160];
    strcpy(top, "/tmp/vyoma-paths-XXXXXX");
    CHECK(mkdtemp(top) != NULL);
    in_top("data", path);
    CHECK_INT(mkdir(path, 0700), 0);
    make_file("secret", "secret");
    make_file("data/file", "hello");
    paths = paths_new(open_data(), 0);
    CHECK(paths != NULL);
    if (walk)
        paths_without_openat2(paths);
}

static void teardown(void)
{
    char command[128];
    paths_free(paths);
    snprintf(command, sizeof command, "rm -rf %s", top);
    CHECK_INT(system(command), 0);
}

static void check_files(void)
{
    struct ctl_msg m = { .type = CTL_PATH_STAT };
    setup();
    CHECK_INT(open_read("file"), 0);
    CHECK(reply.u.opened.has_fd && reply.u.opened.filetype == WASI_FILETYPE_REGULAR_FILE);
    CHECK_INT(open_read("./file"), 0);
    CHECK_INT(open_read("none"), WASI_NOENT);
    CHECK_INT(open_read("file/"), WASI_NOTDIR);
    CHECK_INT(open_read("file/x"), WASI_NOTDIR);
    CHECK_INT(open_read(""), WASI_NOENT);
    CHECK_INT(open_as("new", WASI_O_CREAT | WASI_O_EXCL, true, true, true), 0);
    CHECK_INT(open_as("new", WASI_O_CREAT | WASI_O_EXCL, true, true, true), WASI_EXIST);
    CHECK_INT(open_as("new2/", WASI_O_CREAT, true, true, true), WASI_ISDIR);
    CHECK_INT(open_as("file", WASI_O_DIRECTORY, true, false, true), WASI_NOTDIR);
    CHECK_INT(ask(&m, "file", ""), 0);
    CHECK_INT(reply.u.stat.size, 5);
    CHECK_INT(reply.u.stat.filetype, WASI_FILETYPE_REGULAR_FILE);
    CHECK_INT(ask(&m, "", ""), 0);
    CHECK_INT(reply.u.stat.filetype, WASI_FILETYPE_DIRECTORY);
    m = (struct ctl_msg){ .type = CTL_PATH_SET_TIMES };
    m.u.times.fstflags = WASI_FST_MTIM;
    m.u.times.mtim = 1234567890123456789u;
    CHECK_INT(ask(&m, "file", ""), 0);
    m = (struct ctl_msg){ .type = CTL_PATH_STAT };
    CHECK_INT(ask(&m, "file", ""), 0);
    CHECK(reply.u.stat.mtim == 1234567890123456789u);
    CHECK_INT(path_op(CTL_PATH_LINK, "file", "hard"), 0);
    CHECK_INT(ask(&m, "hard", ""), 0);
    CHECK_INT(reply.u.stat.nlink, 2);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "hard", ""), 0);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "hard", ""), WASI_NOENT);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "file/", ""), WASI_NOTDIR);
    CHECK_INT(path_op(CTL_PATH_RENAME, "file", "renamed"), 0);
    CHECK_INT(path_op(CTL_PATH_RENAME, "file", "renamed"), WASI_NOENT);
    CHECK_INT(path_op(CTL_PATH_RENAME, "renamed", "dir/"), WASI_NOTDIR);
    CHECK_INT(path_op(CTL_PATH_SYMLINK, "renamed", "link"), 0);
    CHECK_INT(path_op(CTL_PATH_READLINK, "link", ""), 0);
    CHECK(data_len == 7 && memcmp(data, "renamed", 7) == 0);
    CHECK_INT(path_op(CTL_PATH_READLINK, "renamed", ""), WASI_INVAL);
    CHECK_INT(open_read("link"), 0);
    CHECK_INT(open_as("link", 0, true, false, false), WASI_LOOP);
    CHECK_INT(ask(&m, "link", ""), 0);
    CHECK_INT(reply.u.stat.filetype, WASI_FILETYPE_SYMBOLIC_LINK);
    teardown();
}

static void check_directories(void)
{
    setup();
    CHECK_INT(path_op(CTL_PATH_MKDIR, "dir", ""), 0);
    CHECK_INT(path_op(CTL_PATH_MKDIR, "dir", ""), WASI_EXIST);
    CHECK_INT(path_op(CTL_PATH_MKDIR, "dir/sub/", ""), 0);
    CHECK_INT(path_op(CTL_PATH_MKDIR, ".", ""), WASI_EXIST);
    CHECK_INT(path_op(CTL_PATH_MKDIR, "none/sub", ""), WASI_NOENT);
    CHECK_INT(path_op(CTL_PATH_RMDIR, "dir", ""), WASI_NOTEMPTY);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "dir", ""), WASI_ISDIR);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "dir/", ""), WASI_ISDIR);
    CHECK_INT(path_op(CTL_PATH_RMDIR, "file", ""), WASI_NOTDIR);
    CHECK_INT(path_op(CTL_PATH_RMDIR, "dir/sub/.", ""), WASI_INVAL);
    CHECK_INT(open_as("dir", WASI_O_DIRECTORY, true, false, true), 0);
    uint32_t id = reply.u.opened.dir;
    CHECK(!reply.u.opened.has_fd && id != 0);
    struct ctl_msg m = { .type = CTL_PATH_STAT };
    m.u.path.dir = id;
    CHECK_INT(ask(&m, "sub", ""), 0);
    CHECK_INT(ask(&m, "../file", ""), WASI_NOTCAPABLE); /* that directory is the root of it */
    m.type = CTL_PATH_RENAME;
    m.u.path.dir = 0;
    m.u.path.dir2 = id;
    CHECK_INT(ask(&m, "file", "moved"), 0);
    CHECK_INT(path_op(CTL_PATH_RENAME, "dir/sub", "sub/"), 0);
    m = (struct ctl_msg){ .type = CTL_DIR_SYNC };
    m.u.path.dir = id;
    CHECK_INT(ask(&m, "", ""), 0);
    m.type = CTL_DIR_CLOSE;
    CHECK_INT(ask(&m, "", ""), 0);
    CHECK_INT(ask(&m, "", ""), WASI_BADF);
    m.u.path.dir = 0xffffffff;
    CHECK_INT(ask(&m, "", ""), WASI_BADF);
    for (int i = 1; i < CTL_DIRS_MAX; i++)
        CHECK_INT(open_read("dir"), 0);
    CHECK_INT(open_read("dir"), WASI_NFILE);
    m.u.path.dir = 0; /* /data itself stays */
    CHECK_INT(ask(&m, "", ""), 0);
    CHECK_INT(open_as("dir/moved", 0, true, false, true), 0);
    teardown();
}

/* Reads all entries in pieces of len_max and returns how many there are. */
static int count_entries(uint32_t len_max, uint64_t *ret_dotdot)
{
    struct ctl_msg m = { .type = CTL_DIR_READ };
    int count = 0;
    m.u.read.len_max = len_max;
    do {
        if (ask(&m, "", "") != 0)
            return -1;
        for (size_t at = 0; at < data_len;) {
            struct ctl_dirent d;
            memcpy(&d, data + at, sizeof d);
            const char *name = (const char *)data + at + sizeof d;
            if (d.name_len == 2 && memcmp(name, "..", 2) == 0)
                *ret_dotdot = d.ino;
            count++;
            m.u.read.cookie = d.next;
            at += (sizeof d + d.name_len + 7) & ~(size_t)7;
        }
    } while (data_len);
    return count;
}

static void check_reading(void)
{
    char name[64];
    uint64_t dotdot = 0;
    struct stat st;
    setup();
    for (int i = 0; i < 700; i++) {
        snprintf(name, sizeof name, "data/an entry with a name of some length %d", i);
        make_file(name, "");
    }
    CHECK_INT(count_entries(CTL_DATA_MAX, &dotdot), 703);
    CHECK_INT(count_entries(200, &dotdot), 703);
    CHECK_INT(count_entries(8, &dotdot), -1);
    int dir = open_data();
    CHECK_INT(fstat(dir, &st), 0);
    CHECK_INT(dotdot, st.st_ino); /* not the number of the folder above */
    close(dir);
    struct ctl_msg m = { .type = CTL_DIR_READ };
    m.u.read.len_max = 4096;
    m.u.read.cookie = UINT64_MAX;
    CHECK_INT(ask(&m, "", ""), WASI_INVAL);
    teardown();
}

static const char *const escapes[] = {
    "..", "../secret", "../data/file", "./../secret", "dir/../../secret", "dir/../..",
    "up", "up/secret", "up/data/file", "abs", "abs/passwd", "abs-file", "chain", "dir/deep/secret",
    "dir/../up/secret", "dir/deep2", "../", "../../../../../../../../etc/passwd",
};

static void make_traps(void)
{
    CHECK_INT(path_op(CTL_PATH_MKDIR, "dir", ""), 0);
    make_link("data/up", "..");
    make_link("data/abs", "/etc");
    make_link("data/abs-file", "/etc/passwd");
    make_link("data/chain", "dir/../chain2");
    make_link("data/chain2", "../secret");
    make_link("data/dir/deep", "../..");
    make_link("data/dir/deep2", "../chain2");
}

static void check_escapes(void)
{
    setup();
    make_traps();
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        const char *p = escapes[i];
        char below[256];
        snprintf(below, sizeof below, "%s/made", p);
        CHECK_INT(open_read(p), WASI_NOTCAPABLE);
        CHECK_INT(open_as(p, WASI_O_CREAT, true, true, true), WASI_NOTCAPABLE);
        CHECK_INT(open_as(p, WASI_O_TRUNC, true, true, true), WASI_NOTCAPABLE);
        struct ctl_msg m = { .type = CTL_PATH_STAT };
        m.u.path.follow = 1;
        CHECK_INT(ask(&m, p, ""), WASI_NOTCAPABLE);
        m = (struct ctl_msg){ .type = CTL_PATH_SET_TIMES };
        m.u.times.follow = 1;
        m.u.times.fstflags = WASI_FST_MTIM_NOW;
        CHECK_INT(ask(&m, p, ""), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_MKDIR, below, ""), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_RMDIR, below, ""), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_UNLINK, below, ""), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_READLINK, below, ""), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_RENAME, below, "here"), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_RENAME, "file", below), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_LINK, below, "here"), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_LINK, "file", below), WASI_NOTCAPABLE);
        CHECK_INT(path_op(CTL_PATH_SYMLINK, "file", below), WASI_NOTCAPABLE);
    }
    CHECK_INT(path_op(CTL_PATH_RMDIR, "..", ""), WASI_NOTCAPABLE);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "../secret", ""), WASI_NOTCAPABLE);
    CHECK_INT(path_op(CTL_PATH_LINK, "../secret", "here"), WASI_NOTCAPABLE);
    CHECK_INT(path_op(CTL_PATH_RENAME, "../secret", "here"), WASI_NOTCAPABLE);
    CHECK_INT(path_op(CTL_PATH_SYMLINK, "/etc/passwd", "here"), WASI_NOTCAPABLE);
    CHECK_INT(open_read("/etc/passwd"), WASI_NOTCAPABLE);
    /* Acting on a name does not follow it: the trap goes, what it points to stays. */
    struct ctl_msg link = { .type = CTL_PATH_LINK };
    link.u.path.follow = 1;
    CHECK_INT(ask(&link, "chain2", "here"), WASI_INVAL);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "chain2", ""), 0);
    CHECK_INT(path_op(CTL_PATH_RMDIR, "up/", ""), WASI_NOTDIR);
    CHECK_INT(path_op(CTL_PATH_RENAME, "up", "down"), 0);
    char path[160];
    in_top("secret", path);
    CHECK_INT(access(path, F_OK), 0);
    teardown();
}

static void check_harmless_detours(void)
{
    setup();
    make_traps();
    make_link("data/in", "dir/../file");
    make_link("data/loop", "loop");
    make_link("data/to-dir", "dir/");
    make_link("data/dangling", "dir/born");
    CHECK_INT(open_read("dir/../file"), 0);
    CHECK_INT(open_read("dir/.././dir//../file"), 0);
    CHECK_INT(open_read("in"), 0);
    CHECK_INT(open_read("loop"), WASI_LOOP);
    CHECK_INT(open_read("to-dir/../in"), 0);
    CHECK_INT(open_as("to-dir/", WASI_O_DIRECTORY, true, false, false), 0);
    CHECK_INT(open_as("dangling", WASI_O_CREAT, true, true, true), 0);
    CHECK_INT(open_read("dir/born"), 0);
    char name[300];
    memset(name, 'x', 299);
    name[299] = 0;
    CHECK_INT(open_read(name), WASI_NAMETOOLONG);
    CHECK_INT(path_op(CTL_PATH_MKDIR, name, ""), WASI_NAMETOOLONG);
    teardown();
}

static void check_special_files(void)
{
    char path[160];
    setup();
    in_top("data/fifo", path);
    CHECK_INT(mkfifo(path, 0600), 0);
    CHECK_INT(open_read("fifo"), WASI_ACCES);
    CHECK(open_as("fifo", 0, true, true, true) != 0);
    CHECK(open_as("fifo", 0, false, true, true) != 0);
    teardown();
}

/* A thread keeps exchanging a folder with a link that leads out; no open may ever reach
 * what lies there. */
static volatile bool stop_racing;

static void *racer(void *arg)
{
    char a[160], b[160];
    in_top("data/swap", a);
    in_top("data/other", b);
    while (!stop_racing)
        renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
    return arg;
}

static void check_races(void)
{
    pthread_t thread;
    int reached = 0, opened = 0;
    setup();
    CHECK_INT(path_op(CTL_PATH_MKDIR, "swap", ""), 0);
    make_file("data/swap/secret", "mine");
    make_link("data/other", "..");
    stop_racing = false;
    CHECK_INT(pthread_create(&thread, NULL, racer, NULL), 0);
    for (int i = 0; i < 3000; i++) {
        struct ctl_msg m = { .type = CTL_PATH_OPEN };
        char text[16] = "";
        m.u.open.can_read = 1;
        m.u.open.follow = 1;
        if (ask(&m, i & 1 ? "swap/secret" : "swap/../swap/secret", "") == 0) {
            opened++;
            ssize_t n = read(reply_fd, text, sizeof text - 1);
            reached += n == 6;
            close(reply_fd);
        }
    }
    stop_racing = true;
    pthread_join(thread, NULL);
    CHECK_INT(reached, 0);
    CHECK(opened > 0);
    teardown();
}

static void check_room(void)
{
    static char bytes[65536];
    setup();
    paths_free(paths);
    paths = paths_new(open_data(), 32768);
    if (walk)
        paths_without_openat2(paths);
    CHECK_INT(open_as("small", WASI_O_CREAT, true, true, true), 0);
    memset(bytes, 'x', sizeof bytes - 1);
    make_file("data/big", bytes);
    usleep(600 * 1000); /* a count serves for half a second */
    CHECK_INT(open_as("more", WASI_O_CREAT, true, true, true), WASI_DQUOT);
    CHECK_INT(path_op(CTL_PATH_MKDIR, "more", ""), WASI_DQUOT);
    CHECK_INT(path_op(CTL_PATH_SYMLINK, "x", "more"), WASI_DQUOT);
    CHECK_INT(path_op(CTL_PATH_LINK, "small", "more"), WASI_DQUOT);
    CHECK_INT(open_read("big"), 0);
    CHECK_INT(path_op(CTL_PATH_UNLINK, "big", ""), 0);
    usleep(600 * 1000);
    CHECK_INT(open_as("more", WASI_O_CREAT, true, true, true), 0);
    teardown();
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        count++;
    closedir(d);
    return count;
}

/* Nothing stays open after a case. */
static void run_closed(void (*check)(void))
{
    int before = count_descriptors();
    check();
    CHECK_INT(count_descriptors(), before);
}

#define BOTH(name)             \
    TEST(name)                 \
    {                          \
        walk = false;          \
        run_closed(check_##name);   \
    }                          \
    TEST(name##_by_walk)       \
    {                          \
        walk = true;           \
        run_closed(check_##name);   \
    }

BOTH(files)
BOTH(directories)
BOTH(reading)
BOTH(escapes)
BOTH(harmless_detours)
BOTH(special_files)
BOTH(races)
BOTH(room)

TEST_MAIN(RUN(files) RUN(files_by_walk) RUN(directories) RUN(directories_by_walk) RUN(reading)
              RUN(reading_by_walk) RUN(escapes) RUN(escapes_by_walk) RUN(harmless_detours)
                  RUN(harmless_detours_by_walk) RUN(special_files) RUN(special_files_by_walk)
                      RUN(races) RUN(races_by_walk) RUN(room) RUN(room_by_walk))
