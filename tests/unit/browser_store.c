/* Files of apps in a browser: the tree, its log on a disk that can fail, what an app may do. */
#include "base/err.h"
#include "hosts/browser/files.h"
#include "hosts/browser/journal.h"
#include "lib/test.h"
#include "wasi/wasi.h"

enum { DISK_BYTES = 8 << 20, HANDLES = 12 };

/* Two files in memory. What is not behind a barrier can be lost, and room can run out. */
static struct disk {
    uint8_t bytes[2][DISK_BYTES];
    size_t len[2], room;
    uint32_t writes, fail_at; /* the write (from 1) that fails; 0: none */
    bool torn;                /* it then writes a half */
    uint32_t clears;
} disk;

static int disk_write(void *ctx, uint32_t file, uint64_t at, struct span bytes, bool frees)
{
    struct disk *d = ctx;
    size_t len = bytes.len;
    bool fails = d->fail_at && ++d->writes >= d->fail_at;
    if (at + len > d->room + (frees ? 4096 : 0))
        return E_FULL;
    if (fails)
        len = d->torn && d->writes == d->fail_at ? len / 2 : 0;
    memcpy(d->bytes[file] + at, bytes.p, len);
    if (at + len > d->len[file] && len)
        d->len[file] = at + len;
    return fails ? E_IO : E_OK;
}

static int disk_clear(void *ctx, uint32_t file)
{
    struct disk *d = ctx;
    d->clears++;
    if (d->fail_at && ++d->writes >= d->fail_at)
        return E_IO;
    memset(d->bytes[file], 0, d->len[file]);
    d->len[file] = 0;
    return E_OK;
}

static int disk_barrier(void *ctx) { return E_OK; }

static const struct store_disk ops = { &disk, disk_write, disk_clear, disk_barrier };
static struct store store;
static struct files files;
static struct file_handle handles[HANDLES];

/* Reads what is on the disk. As store_ready(). */
static int begin(void)
{
    uint64_t len[2] = { disk.len[0], disk.len[1] };
    struct span head[2] = { span_of(disk.bytes[0], len[0] < 24 ? len[0] : 24),
                            span_of(disk.bytes[1], len[1] < 24 ? len[1] : 24) };
    CHECK_INT(store_init(&store, &ops), E_OK);
    store.time_ns = 1000;
    int file = store_choose(&store, head, len);
    if (file < 0)
        return file;
    for (size_t at = 24, step = 1; file < 2 && at < len[file]; at += step) {
        step = step * 7 % 1000 + 1; /* any pieces */
        step = step < len[file] - at ? step : (size_t)len[file] - at;
        store_feed(&store, span_of(disk.bytes[file] + at, step));
    }
    return store_ready(&store, file < 2 ? len[file] : 0);
}

static void check_tree(void)
{
    const char *fault = tree_check(&store.tree);
    CHECK_STR(fault ? fault : "", "");
}

static void open_app(const char *name, uint64_t data_max)
{
    CHECK_INT(files_init(&files, &store, span_of_cstr(name), data_max, handles, HANDLES), 0);
}

static void fresh(void)
{
    memset(&disk, 0, sizeof disk);
    disk.room = DISK_BYTES;
    CHECK_INT(begin(), E_OK);
    open_app("app", 0);
}

static void end(void)
{
    check_tree();
    files_finish(&files);
    check_tree();
    store_free(&store);
}

static void reload(void)
{
    end();
    disk.fail_at = disk.writes = 0;
    CHECK_INT(begin(), E_OK);
    check_tree();
    open_app("app", 0);
}

/* --- short words for calls ---------------------------------------------------------------- */

static int try_open(const char *path, uint16_t oflags, bool write)
{
    struct wasi_open how = { .path = span_of_cstr(path), .oflags = oflags, .follow = true,
                             .can_read = true, .can_write = write };
    struct wasi_opened opened;
    enum wasi_errno e = files_open(&files, &how, &opened);
    return e == WASI_SUCCESS ? opened.handle : -(int)e;
}

static int put(const char *path, const char *text)
{
    size_t n = 0;
    int h = try_open(path, WASI_O_CREAT | WASI_O_TRUNC, true);
    if (h < 0)
        return -h;
    enum wasi_errno e = files_write(&files, h, UINT64_MAX, span_of_cstr(text), &n);
    files_close(&files, h);
    return e == WASI_SUCCESS && n != strlen(text) ? WASI_IO : (int)e;
}

static const char *get(const char *path)
{
    static char text[256];
    size_t n = 0;
    int h = try_open(path, 0, false);
    if (h < 0)
        return wasi_errno_name((enum wasi_errno)-h);
    enum wasi_errno e = files_read(&files, h, 0, text, sizeof text - 1, &n);
    text[n] = 0;
    files_close(&files, h);
    return e == WASI_SUCCESS ? text : wasi_errno_name(e);
}

static int rename_to(const char *from, const char *to)
{
    return files_rename(&files, 0, span_of_cstr(from), 0, span_of_cstr(to));
}
static int make_dir(const char *path) { return files_mkdir(&files, 0, span_of_cstr(path)); }
static int unlink_it(const char *path) { return files_unlink(&files, 0, span_of_cstr(path)); }
static int link_to(const char *from, const char *to)
{
    return files_link(&files, 0, span_of_cstr(from), false, 0, span_of_cstr(to));
}
static int symlink_to(const char *target, const char *path)
{
    return files_symlink(&files, span_of_cstr(target), 0, span_of_cstr(path));
}
static struct wasi_filestat stat_of(const char *path)
{
    struct wasi_filestat st = { 0 };
    files_stat(&files, 0, span_of_cstr(path), false, &st);
    return st;
}

/* --- cases -------------------------------------------------------------------------------- */

TEST(reload_keeps_what_was_written)
{
    fresh();
    CHECK_INT(put("a", "one"), 0);
    CHECK_INT(make_dir("d"), 0);
    CHECK_INT(put("d/b", "two"), 0);
    CHECK_INT(link_to("d/b", "c"), 0);
    CHECK_INT(symlink_to("d/b", "s"), 0);
    struct wasi_filestat before = stat_of("d");
    reload();
    CHECK_STR(get("a"), "one");
    CHECK_STR(get("s"), "two");
    CHECK_INT(stat_of("c").nlink, 2);
    CHECK_INT(stat_of("c").ino, stat_of("d/b").ino);
    CHECK_INT(stat_of("d").mtim, before.mtim);
    CHECK_INT(stat_of("d").ino, before.ino);
    end();
}

TEST(writing_anew_changes_nothing)
{
    fresh();
    store.time_ns = 5;
    CHECK_INT(put("a", "one"), 0);
    CHECK_INT(make_dir("d"), 0);
    CHECK_INT(make_dir("d/e"), 0);
    CHECK_INT(make_dir("f"), 0);
    CHECK_INT(put("d/e/x", "deep"), 0);
    CHECK_INT(link_to("a", "d/hard"), 0);
    CHECK_INT(symlink_to("../a", "d/s"), 0);
    struct wasi_times times = { .atim = 7, .mtim = 8, .fstflags = WASI_FST_ATIM | WASI_FST_MTIM };
    CHECK_INT(files_set_times(&files, 0, SPAN_LIT("d"), true, &times), 0);
    uint64_t generation = store.generation;
    CHECK_INT(store_compact(&store), E_OK);
    CHECK_INT(store.generation, generation + 1);
    CHECK_INT(put("last", "!"), 0);
    reload();
    CHECK_STR(get("d/s"), "one");
    CHECK_STR(get("d/e/x"), "deep");
    CHECK_STR(get("last"), "!");
    CHECK_INT(stat_of("a").nlink, 2);
    CHECK_INT(stat_of("d").atim, 7);
    CHECK_INT(stat_of("d").mtim, 8);
    CHECK_INT(stat_of("d").nlink, 3);
    end();
}

/* Every way that a page can go away while it replaces a file leaves the old or the new. */
TEST(cut_anywhere_leaves_old_or_new)
{
    static uint8_t whole[DISK_BYTES];
    fresh();
    CHECK_INT(put("f", "old"), 0);
    size_t from = disk.len[store.file];
    CHECK_INT(put("f.new", "new"), 0);
    CHECK_INT(rename_to("f.new", "f"), 0);
    uint32_t file = store.file;
    size_t len = disk.len[file];
    memcpy(whole, disk.bytes[file], len);
    for (size_t cut = from; cut <= len; cut++) {
        end();
        memset(&disk, 0, sizeof disk);
        disk.room = DISK_BYTES;
        memcpy(disk.bytes[file], whole, cut);
        disk.len[file] = cut;
        CHECK_INT(begin(), E_OK);
        open_app("app", 0);
        CHECK_STR(get("f"), cut == len ? "new" : "old");
        CHECK_INT(put("after", "still writes"), 0);
        reload();
        CHECK_STR(get("f"), cut == len ? "new" : "old");
        CHECK_STR(get("after"), "still writes");
    }
    end();
}

/* A flipped bit anywhere ends the log there; nothing is made of it. */
TEST(damage_is_found)
{
    fresh();
    CHECK_INT(put("f", "one"), 0);
    CHECK_INT(put("g", "two"), 0);
    uint32_t file = store.file;
    static uint8_t whole[DISK_BYTES];
    size_t len = disk.len[file];
    memcpy(whole, disk.bytes[file], len);
    for (size_t at = 24; at < len; at++) {
        end();
        memset(&disk, 0, sizeof disk);
        disk.room = DISK_BYTES;
        memcpy(disk.bytes[file], whole, len);
        disk.bytes[file][at] ^= 0x10;
        disk.len[file] = len;
        CHECK_INT(begin(), E_OK);
        check_tree();
        CHECK(store.dropped > 0);
        open_app("app", 0);
        CHECK_STR(get("g"), strcmp(get("g"), "noent") == 0 ? "noent" : "");
    }
    end();
}

TEST(a_log_that_is_none_is_left_alone)
{
    memset(&disk, 0, sizeof disk);
    disk.room = DISK_BYTES;
    memset(disk.bytes[0], 'x', 100);
    disk.len[0] = 100;
    CHECK_INT(begin(), E_MALFORMED);
    CHECK_INT(disk.len[0], 100);
    CHECK_INT(disk.bytes[0][99], 'x');
    store_free(&store);
}

/* As people's browsers keep them: a head, and of a record its length and sum. */
TEST(sums_are_those_of_logs_that_exist)
{
    static const uint8_t wanted[JOURNAL_HEAD_BYTES] = {
        'v', 'y', 'o', 'm', 'a', '1', '\n', 0, 0xef, 0xcd, 0xab, 0x89,
        0x67, 0x45, 0x23, 0x01, 0xc8, 0xc4, 0xdc, 0xef };
    static uint8_t record[JOURNAL_RECORD_MAX];
    uint8_t head[JOURNAL_HEAD_BYTES];
    uint32_t sum;
    journal_head_write(head, UINT64_C(0x0123456789abcdef));
    CHECK(memcmp(head, wanted, sizeof head) == 0);
    CHECK(journal_head_read(span_of(wanted, sizeof wanted)) == UINT64_C(0x0123456789abcdef));
    struct tree_change c = { .op = TREE_MAKE, .type = 2, .ino = 3, .parent = 4,
                             .name = SPAN_LIT("name"),
                             .data = SPAN_LIT("some data of 23 bytes..") };
    CHECK_INT(journal_write(&c, 7, 9, record), 83);
    memcpy(&sum, record + 4, sizeof sum);
    CHECK_INT(sum, 0xb7814b65);
}

/* Whole, and yet it cannot be made, for want of memory perhaps: what follows it is not thrown away. */
TEST(a_record_that_cannot_be_made_is_left_alone)
{
    static uint8_t record[JOURNAL_RECORD_MAX], whole[DISK_BYTES];
    struct tree_change c = { .op = TREE_WRITE, .ino = 9999, .data = SPAN_LIT("lost") };
    fresh();
    CHECK_INT(put("f", "one"), 0);
    uint32_t file = store.file;
    size_t len = journal_write(&c, store.generation, store.count, record);
    memcpy(disk.bytes[file] + store.end, record, len);
    disk.len[file] = store.end + len;
    memcpy(whole, disk.bytes[file], sizeof whole);
    end();
    CHECK_INT(begin(), E_MALFORMED);
    CHECK(memcmp(whole, disk.bytes[file], sizeof whole) == 0);
    CHECK_INT(disk.len[1 - file], 0);
    store_free(&store);
}

/* Each write of a compaction fails once, in part or wholly; what was there stays. */
TEST(failing_while_writing_anew)
{
    int failures = 0;
    for (uint32_t fail = 1; fail < 9; fail++)
        for (int torn = 0; torn < 2; torn++) {
            fresh();
            CHECK_INT(put("a", "one"), 0);
            disk.torn = torn;
            disk.writes = 0;
            disk.fail_at = fail;
            int compacted = store_compact(&store), r = put("b", "two");
            failures += compacted != E_OK;
            reload();
            CHECK_STR(get("a"), "one");
            CHECK(r != 0 || strcmp(get("b"), "two") == 0);
            end();
        }
    CHECK_INT(failures, 6); /* clearing, its contents, its head */
}

/* The log of what is gone goes too. */
TEST(a_long_log_is_written_anew)
{
    static char text[60000];
    memset(text, 'x', sizeof text - 1);
    fresh();
    uint64_t generation = store.generation, longest = 0;
    for (int i = 0; i < 300; i++) {
        CHECK_INT(put("f", text), 0);
        longest = store.end > longest ? store.end : longest;
    }
    CHECK(store.generation > generation && store.generation < generation + 10);
    CHECK(longest > STORE_SLACK && longest < STORE_SLACK + (1 << 20));
    reload();
    CHECK_INT(stat_of("f").size, sizeof text - 1);
    end();
}

TEST(no_room)
{
    static char text[3000];
    memset(text, 'x', sizeof text - 1);
    fresh();
    disk.room = 20000;
    int made = 0, e = 0;
    char name[] = "f0";
    for (; made < 9 && e == 0; made++, name[1]++)
        e = put(name, text);
    CHECK_INT(e, WASI_NOSPC);
    uint32_t clears = disk.clears;
    for (int i = 0; i < 10; i++)
        CHECK_INT(put("f9", text), WASI_NOSPC);
    CHECK(disk.clears <= clears + 2); /* not all is written anew each time */
    CHECK_INT(unlink_it("f0"), 0);
    CHECK_INT(unlink_it("f1"), 0);
    disk.room = 20000;
    reload();
    CHECK_STR(get("f0"), "noent");
    CHECK_INT(stat_of("f2").size, sizeof text - 1);
    CHECK_INT(strlen(get("f2")), 255); /* as much as get() shows */
    end();
}

TEST(bound_of_an_app)
{
    static uint8_t block[65536];
    size_t n = 0;
    fresh();
    files.data_max = 65536;
    int h = try_open("f", WASI_O_CREAT, true);
    CHECK(h > 0);
    CHECK_INT(files_write(&files, h, 0, span_of(block, 40000), &n), 0);
    CHECK_INT(files_write(&files, h, 40000, span_of(block, 40000), &n), 0);
    CHECK_INT(n, 25536);
    CHECK_INT(files_write(&files, h, 65536, span_of(block, 1), &n), WASI_FBIG);
    CHECK_INT(files_set_size(&files, h, 65537), WASI_FBIG);
    CHECK_INT(-try_open("g", WASI_O_CREAT, true), WASI_DQUOT);
    CHECK_INT(make_dir("d"), WASI_DQUOT);
    CHECK_INT(files_set_size(&files, h, 8192), 0);
    int g = try_open("g", WASI_O_CREAT, true);
    CHECK_INT(files_write(&files, g, 0, span_of(block, 60000), &n), WASI_DQUOT);
    CHECK_INT(files_write(&files, g, 0, span_of(block, 50000), &n), 0);
    end();
}

/* The others are as well off as before, and the page's memory has an end. */
TEST(bounds_of_all)
{
    static uint8_t block[65536];
    size_t n = 0;
    memset(&disk, 0, sizeof disk);
    CHECK_INT(store_init(&store, NULL), E_OK); /* nothing lasts: no disk of 64 MiB here */
    open_app("app", 0);
    int h = try_open("f", WASI_O_CREAT, true), e = 0;
    uint64_t at = 0;
    for (; e == 0 && at < TREE_FILE_MAX; at += n)
        e = files_write(&files, h, at, span_of(block, sizeof block), &n);
    CHECK_INT(e, WASI_NOSPC);
    CHECK(store.tree.bytes <= TREE_BYTES_MAX && at > TREE_BYTES_MAX * 9ull / 10);
    CHECK_INT(files_set_size(&files, h, 0), 0);
    for (at = 0, e = 0; e == 0 && at < TREE_FILE_MAX; at += 1 << 20) /* holes cost a little */
        e = files_write(&files, h, at, span_of(block, 1), &n);
    CHECK_INT(e, 0);
    CHECK_INT(files_write(&files, h, TREE_FILE_MAX, span_of(block, 1), &n), WASI_FBIG);
    uint32_t made = 0;
    for (e = 0; e == 0; made++) {
        char name[16];
        snprintf(name, sizeof name, "%u", made);
        e = put(name, "");
    }
    CHECK_INT(e, WASI_NOSPC);
    CHECK(made > 16000 && made <= TREE_TOP_ENTRIES_MAX);
    CHECK_INT(rename_to("1", "renamed"), 0);
    CHECK_INT(unlink_it("2"), 0);
    CHECK_INT(put("2", "again"), 0);
    end();
}

/* Whatever is done when all is taken: a log of it can be read again. */
TEST(nothing_goes_beyond_the_bound)
{
    enum { FILES = 40 };
    static uint8_t block[65536];
    char name[16], longer[TREE_NAME_MAX + 1];
    size_t n = 0;
    int e = 0, refused = 0;
    memset(&disk, 0, sizeof disk);
    CHECK_INT(store_init(&store, NULL), E_OK);
    open_app("app", 0);
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_INT(put(name, ""), 0);
    }
    int h = try_open("f", WASI_O_CREAT, true);
    uint64_t at = 0;
    for (size_t piece = sizeof block; piece >= TREE_PAGE; piece /= 2)
        for (e = 0; e == 0; at += e ? 0 : n) {
            e = files_write(&files, h, at, span_of(block, piece), &n);
            CHECK(store.tree.bytes <= TREE_BYTES_MAX);
        }
    for (int i = 0; i < FILES; i++) { /* a page and the places for some */
        snprintf(name, sizeof name, "%d", i);
        int other = try_open(name, 0, true);
        (void)files_write(&files, other, (uint64_t)i << 20, span_of(block, 1), &n);
        CHECK_INT(files_close(&files, other), 0);
        CHECK(store.tree.bytes <= TREE_BYTES_MAX);
    }
    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        memset(longer, 'a', sizeof longer - 1);
        longer[sizeof longer - 1] = 0;
        memcpy(longer, name, strlen(name));
        e = rename_to(name, longer);
        refused += e == WASI_NOSPC;
        CHECK(e == 0 || e == WASI_NOSPC);
        CHECK(store.tree.bytes <= TREE_BYTES_MAX);
    }
    CHECK(refused > 0);
    end();
}

/* Links of four thousand bytes count as nothing for an app's own bound. */
TEST(apps_leave_room_for_others)
{
    static char target[TREE_DATA_MAX];
    char name[16];
    int e = 0;
    memset(&disk, 0, sizeof disk);
    CHECK_INT(store_init(&store, NULL), E_OK);
    open_app("app", 1 << 20);
    files.leaves = 4 << 20;
    memset(target, 'x', 4000);
    for (int i = 0; e == 0 && i < 20000; i++) {
        snprintf(name, sizeof name, "%d", i);
        e = symlink_to(target, name);
    }
    CHECK(e == WASI_NOSPC && store.tree.bytes + files.leaves <= TREE_BYTES_MAX);
    files_finish(&files);
    open_app("other", 0);
    CHECK_INT(put("f", "there is room"), 0);
    end();
}

TEST(open_files_outlive_their_names)
{
    char text[8] = "";
    size_t n;
    fresh();
    CHECK_INT(put("f", "one"), 0);
    int h = try_open("f", 0, true);
    CHECK_INT(unlink_it("f"), 0);
    CHECK_INT(files_write(&files, h, 0, SPAN_LIT("two"), &n), 0);
    CHECK_INT(files_read(&files, h, 0, text, 3, &n), 0);
    CHECK_STR(text, "two");
    CHECK_INT(put("f", "three"), 0);
    check_tree();
    reload();
    CHECK_STR(get("f"), "three");
    CHECK_INT(store.tree.node_count, 3); /* root, app, f */
    end();
}

TEST(paths_stay_in_the_folder)
{
    fresh();
    CHECK_INT(make_dir("d"), 0);
    CHECK_INT(put("d/f", "x"), 0);
    static const char *const out[] = { "..", "../app", "d/../..", "./../app/d/f", "up", "up/app",
                                       "d/up/..", "/", "/d", "d/../../app/d/f" };
    CHECK_INT(symlink_to("..", "up"), 0);
    CHECK_INT(symlink_to("../..", "d/up"), 0);
    CHECK_INT(symlink_to("/d", "no"), WASI_NOTCAPABLE);
    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        CHECK_INT(-try_open(out[i], 0, false), WASI_NOTCAPABLE);
        CHECK_INT(-try_open(out[i], WASI_O_CREAT, true), WASI_NOTCAPABLE);
    }
    CHECK_STR(get("d/../d/./f"), "x");
    CHECK_INT(make_dir("d/up/x"), WASI_NOTCAPABLE);
    CHECK_INT(rename_to("d/f", "up/f"), WASI_NOTCAPABLE);
    CHECK_INT(link_to("up/f", "g"), WASI_NOTCAPABLE);
    int dir = try_open("d", WASI_O_DIRECTORY, false);
    struct wasi_filestat st;
    CHECK_INT(files_stat(&files, dir, SPAN_LIT("../d/f"), true, &st), WASI_NOTCAPABLE);
    CHECK_INT(files_stat(&files, dir, SPAN_LIT("f"), true, &st), 0);
    end();
}

TEST(errors_are_those_of_linux)
{
    fresh();
    CHECK_INT(put("f", "x"), 0);
    CHECK_INT(make_dir("d"), 0);
    CHECK_INT(make_dir("d/sub"), 0);
    CHECK_INT(make_dir("e"), 0);
    CHECK_INT(make_dir("f"), WASI_EXIST);
    CHECK_INT(make_dir("none/x"), WASI_NOENT);
    CHECK_INT(make_dir("f/x"), WASI_NOTDIR);
    CHECK_INT(make_dir("."), WASI_EXIST);
    CHECK_INT(unlink_it("d"), WASI_ISDIR);
    CHECK_INT(unlink_it("f/"), WASI_NOTDIR);
    CHECK_INT(files_rmdir(&files, 0, SPAN_LIT("d")), WASI_NOTEMPTY);
    CHECK_INT(files_rmdir(&files, 0, SPAN_LIT("f")), WASI_NOTDIR);
    CHECK_INT(files_rmdir(&files, 0, SPAN_LIT("d/.")), WASI_INVAL);
    CHECK_INT(rename_to("d", "d/sub/x"), WASI_INVAL);
    CHECK_INT(rename_to("e", "d"), WASI_NOTEMPTY);
    CHECK_INT(rename_to("f", "e"), WASI_ISDIR);
    CHECK_INT(rename_to("e", "f"), WASI_NOTDIR);
    CHECK_INT(rename_to("f", "g/"), WASI_NOTDIR);
    CHECK_INT(rename_to("f", "f"), 0);
    CHECK_INT(link_to("d", "x"), WASI_PERM);
    CHECK_INT(link_to("f", "e"), WASI_EXIST);
    CHECK_INT(-try_open("f/", 0, false), WASI_NOTDIR);
    CHECK_INT(-try_open("d", 0, true), WASI_ISDIR);
    CHECK_INT(-try_open("new/", WASI_O_CREAT, true), WASI_ISDIR);
    CHECK_INT(-try_open("f", WASI_O_CREAT | WASI_O_EXCL, true), WASI_EXIST);
    CHECK_INT(-try_open("f", WASI_O_DIRECTORY, false), WASI_NOTDIR);
    CHECK_INT(symlink_to("loop", "loop"), 0);
    CHECK_INT(-try_open("loop", 0, false), WASI_LOOP);
    CHECK_INT(symlink_to("made", "s"), 0);
    CHECK_INT(put("s", "through"), 0);
    CHECK_STR(get("made"), "through");
    CHECK_INT(files_close(&files, 7), WASI_BADF);
    CHECK_INT(files_close(&files, -1), WASI_BADF);
    CHECK_INT(files_close(&files, 1 << 30), WASI_BADF);
    end();
}

TEST(an_app_has_no_other_apps_files)
{
    struct file_handle others[4];
    struct files other;
    fresh();
    CHECK_INT(put("f", "mine"), 0);
    CHECK_INT(files_init(&other, &store, SPAN_LIT("other"), 0, others, 4), 0);
    struct wasi_filestat st;
    CHECK_INT(files_stat(&other, 0, SPAN_LIT("f"), true, &st), WASI_NOENT);
    CHECK_INT(files_stat(&other, 0, SPAN_LIT("../app/f"), true, &st), WASI_NOTCAPABLE);
    files_finish(&other);
    end();
}

TEST_MAIN(RUN(reload_keeps_what_was_written) RUN(writing_anew_changes_nothing)
          RUN(cut_anywhere_leaves_old_or_new) RUN(damage_is_found)
          RUN(a_log_that_is_none_is_left_alone) RUN(sums_are_those_of_logs_that_exist)
          RUN(a_record_that_cannot_be_made_is_left_alone)
          RUN(failing_while_writing_anew) RUN(a_long_log_is_written_anew) RUN(no_room)
          RUN(bound_of_an_app) RUN(bounds_of_all) RUN(nothing_goes_beyond_the_bound) RUN(apps_leave_room_for_others) RUN(open_files_outlive_their_names)
          RUN(paths_stay_in_the_folder) RUN(errors_are_those_of_linux)
          RUN(an_app_has_no_other_apps_files))
