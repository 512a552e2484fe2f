/* Keeps a counter and a diary in /data over restarts and power cuts, then walks through
 * folders: make, write, rename, list, remove. Says what it did and whether it held.
 *
 *     storage-demo [reset] */
#include <vyoma/args.h>
#include <vyoma/errno.h>
#include <vyoma/fs.h>
#include <vyoma/time.h>

static struct vy_args args;
static int data_dir;
static int failures;

static void say(const char *what, int err)
{
    char text[160];
    struct vy_buf b = VY_BUF(text);
    vy_str(&b, "storage-demo: ");
    vy_str(&b, what);
    vy_str(&b, err ? ": " : ": ok");
    if (err)
        vy_str(&b, vy_errno_name(err));
    vy_char(&b, '\n');
    vy_flush(&b, VY_STDOUT);
    failures += err != 0;
}

/* The counter's file is replaced as a whole, so that a power cut leaves the old or the new. */
static void count_start(void)
{
    char text[32] = "";
    size_t len = 0;
    uint64_t count = 0;
    int err = vy_read_file(data_dir, "counter", text, sizeof text - 1, &len);
    text[err ? 0 : len] = 0;
    const char *s = text;
    vy_parse_u64(&s, &count);
    struct vy_buf b = VY_BUF(text);
    vy_u64(&b, ++count);
    err = vy_replace_file(data_dir, "counter", "counter.new", text, b.len);

    char line[80];
    struct vy_buf l = VY_BUF(line);
    vy_str(&l, "start number ");
    vy_bytes(&l, text, b.len);
    vy_char(&l, '\0');
    say(line, err);
}

/* One line a start, at the end of the diary. */
static void write_diary(void)
{
    char line[64];
    struct vy_buf b = VY_BUF(line);
    vy_str(&b, "started at ");
    vy_u64(&b, vy_unix_ns() / 1000000000);
    vy_char(&b, '\n');
    say("a line in the diary", vy_append_file(data_dir, "diary.txt", line, b.len));
}

/* Counts the entries of a folder, "." and ".." aside. */
static int list(const char *path, uint32_t *ret)
{
    static uint8_t entries[1024];
    int fd = -1;
    int err = vy_open(data_dir, path, __WASI_OFLAGS_DIRECTORY, __WASI_RIGHTS_FD_READDIR, 0, &fd);
    __wasi_dircookie_t cookie = __WASI_DIRCOOKIE_START;
    *ret = 0;
    for (bool more = !err; more;) {
        __wasi_size_t used = 0;
        err = __wasi_fd_readdir(fd, entries, sizeof entries, cookie, &used);
        more = !err && used == sizeof entries;
        for (size_t at = 0; at + sizeof(__wasi_dirent_t) <= used;) {
            __wasi_dirent_t entry;
            memcpy(&entry, entries + at, sizeof entry);
            at += sizeof entry + entry.d_namlen;
            if (at > used)
                break;
            const uint8_t *name = entries + at - entry.d_namlen;
            *ret += !(name[0] == '.' && (entry.d_namlen == 1 ||
                                         (entry.d_namlen == 2 && name[1] == '.')));
            cookie = entry.d_next;
        }
    }
    if (fd >= 0)
        (void)!__wasi_fd_close(fd);
    return err;
}

static int expect_entries(const char *path, uint32_t want)
{
    uint32_t count = 0;
    int err = list(path, &count);
    return err ? err : count == want ? 0 : __WASI_ERRNO_IO;
}

static int expect_text(const char *path, const char *want)
{
    char text[64];
    size_t len = 0;
    int err = vy_read_file(data_dir, path, text, sizeof text, &len);
    return err ? err : len == strlen(want) && memcmp(text, want, len) == 0 ? 0 : __WASI_ERRNO_IO;
}

static int expect_gone(const char *path)
{
    __wasi_filestat_t stat;
    int err = __wasi_path_filestat_get(data_dir, 0, path, &stat);
    return err == __WASI_ERRNO_NOENT ? 0 : err ? err : __WASI_ERRNO_EXIST;
}

static void walk_folders(void)
{
    say("make a folder", __wasi_path_create_directory(data_dir, "shelf"));
    say("write a file in it", vy_append_file(data_dir, "shelf/one", "first", 5));
    say("write another", vy_append_file(data_dir, "shelf/two", "second", 6));
    say("list both", expect_entries("shelf", 2));
    say("rename one over the other",
        __wasi_path_rename(data_dir, "shelf/one", data_dir, "shelf/two"));
    say("list what is left", expect_entries("shelf", 1));
    say("read it", expect_text("shelf/two", "first"));
    int err = __wasi_path_remove_directory(data_dir, "shelf");
    say("a full folder is not removed", err == __WASI_ERRNO_NOTEMPTY ? 0 : err ? err : -1);
    say("remove the file", __wasi_path_unlink_file(data_dir, "shelf/two"));
    say("remove the folder", __wasi_path_remove_directory(data_dir, "shelf"));
    say("it is gone", expect_gone("shelf"));
}

/* What a crash half-way through the walk may have left. */
static void tidy(void)
{
    (void)!__wasi_path_unlink_file(data_dir, "shelf/one");
    (void)!__wasi_path_unlink_file(data_dir, "shelf/two");
    (void)!__wasi_path_remove_directory(data_dir, "shelf");
}

static void reset(void)
{
    tidy();
    (void)!__wasi_path_unlink_file(data_dir, "counter");
    (void)!__wasi_path_unlink_file(data_dir, "diary.txt");
    say("forget the counter", expect_gone("counter"));
    say("forget the diary", expect_gone("diary.txt"));
}

int main(void)
{
    vy_args_get(&args);
    data_dir = vy_data_dir();
    if (data_dir < 0) {
        vy_warn("storage-demo: there is no /data: it needs filesystem = true");
        return 1;
    }
    if (args.count > 1 && strcmp(args.v[1], "reset") == 0) {
        reset();
        return failures != 0;
    }
    if (args.count > 1) {
        vy_warn("usage: storage-demo [reset]");
        return 64;
    }
    tidy();
    count_start();
    write_diary();
    walk_folders();
    return failures != 0;
}
