/* Every import, with good and bad input, over a fake memory and a fake host. */
#include "base/assert.h"
#include "base/err.h"
#include "lib/test.h"
#include "fake/wasi.h"

static uint8_t memory[FAKE_MEMORY];
static struct fake f;

/* Arguments are 64 bits wide; what a test writes as int is a guest's i32. */
#define CALL(name, ...) \
    fake_call(&f, "wasi_snapshot_preview1", name, (const uint64_t[9]){ __VA_ARGS__ })
#define VYOMA(name, ...) fake_call(&f, "vyoma", name, (const uint64_t[9]){ __VA_ARGS__ })

/* Every test runs twice: over a guest whose memory is ours, and over one that lies elsewhere. */
static bool is_remote;

static void fresh(void)
{
    fake_init(&f, memory, sizeof memory);
    if (is_remote)
        fake_move_away(&f);
}
#define FRESH() fresh()

enum { OUT = 1024, OUT2 = 1032, TEXT = 2048, IOVS = 4096, BIG = 8192 };
enum { DATA = 3, LISTENER = 4 };
#define END ((uint64_t)FAKE_MEMORY)
#define WILD 0xfffffffcu /* near the end of 32 bits: sums wrap when nobody looks */

static uint32_t u32_at(uint32_t p)
{
    uint32_t v;
    memcpy(&v, memory + p, 4);
    return v;
}

static uint64_t u64_at(uint32_t p)
{
    uint64_t v;
    memcpy(&v, memory + p, 8);
    return v;
}

static uint32_t put_text(uint32_t p, const char *s)
{
    memcpy(memory + p, s, strlen(s));
    return (uint32_t)strlen(s);
}

static void put_iov(uint32_t i, uint32_t buf, uint32_t len)
{
    struct wasi_abi_iovec v = { buf, len };
    memcpy(memory + IOVS + i * 8, &v, sizeof v);
}

#define ALL_RIGHTS ((uint64_t)(WASI_RIGHTS_FILE | WASI_RIGHTS_DIRECTORY))

/* Opens "name" beneath /data with everything and returns the descriptor. */
static uint32_t open_file(void)
{
    uint32_t n = put_text(TEXT, "name");
    CHECK_INT(CALL("path_open", DATA, 1, TEXT, n, 0, WASI_RIGHTS_FILE, 0, 0, OUT), WASI_SUCCESS);
    return u32_at(OUT);
}

TEST(args_and_environ)
{
    FRESH();
    CHECK_INT(CALL("args_sizes_get", OUT, OUT2), 0);
    CHECK_INT(u32_at(OUT), 2);
    CHECK_INT(u32_at(OUT2), 6);
    CHECK_INT(CALL("args_get", OUT, TEXT), 0);
    CHECK_INT(u32_at(OUT), TEXT);
    CHECK_INT(u32_at(OUT + 4), TEXT + 4);
    CHECK(memcmp(memory + TEXT, "app\0x", 6) == 0);
    CHECK_INT(CALL("environ_sizes_get", OUT, OUT2), 0);
    CHECK_INT(u32_at(OUT), 1);
    CHECK_INT(CALL("environ_get", OUT, TEXT), 0);
    CHECK_STR((char *)memory + TEXT, "K=V");
    CHECK_INT(CALL("args_sizes_get", END - 3, OUT), WASI_FAULT);
    CHECK_INT(CALL("args_sizes_get", OUT, WILD), WASI_FAULT);
    CHECK_INT(CALL("args_get", END - 7, TEXT), WASI_FAULT);
    CHECK_INT(CALL("args_get", OUT, END - 5), WASI_FAULT);
    CHECK_INT(CALL("environ_get", WILD, WILD), WASI_FAULT);
    CHECK_INT(wasi_set_args(&f.wasi, (struct wasi_strings){ SPAN_LIT("a\0b"), 1 }), E_MALFORMED);
    CHECK_INT(wasi_set_args(&f.wasi, (struct wasi_strings){ SPAN_LIT("a\0"), 2 }), E_MALFORMED);
    CHECK_INT(wasi_set_env(&f.wasi, (struct wasi_strings){ SPAN_NONE, 0 }), 0);
    CHECK_INT(CALL("environ_get", OUT, TEXT), 0);
}

TEST(clocks_and_random)
{
    FRESH();
    for (uint64_t id = 0; id < 4; id++) {
        CHECK_INT(CALL("clock_time_get", id, 1, OUT), 0);
        CHECK_INT(u64_at(OUT), 1000000);
        CHECK_INT(CALL("clock_res_get", id, OUT), 0);
        CHECK_INT(u64_at(OUT), 1000);
    }
    CHECK_INT(CALL("clock_time_get", 4, 0, OUT), WASI_INVAL);
    CHECK_INT(CALL("clock_res_get", 0xffffffff, OUT), WASI_INVAL);
    CHECK_INT(CALL("clock_time_get", 0, 0, END - 7), WASI_FAULT);
    CHECK_INT(CALL("clock_res_get", 0, WILD), WASI_FAULT);
    CHECK_INT(CALL("random_get", OUT, 3), 0);
    CHECK_INT(u32_at(OUT) & 0xffffff, 0xa5a5a5);
    CHECK_INT(CALL("random_get", END, 0), 0);
    CHECK_INT(CALL("random_get", END, 1), WASI_FAULT);
    CHECK_INT(CALL("random_get", 1, 0xffffffff), WASI_FAULT);
    f.fail = WASI_IO;
    CHECK_INT(CALL("random_get", OUT, 3), WASI_IO);
    CHECK_INT(CALL("clock_time_get", 0, 0, OUT), WASI_IO);
    f.host.clock_now = NULL;
    CHECK_INT(CALL("clock_time_get", 0, 0, OUT), WASI_NOSYS);
}

TEST(process)
{
    FRESH();
    CHECK_INT(CALL("sched_yield", 0), 0);
    CHECK_INT(CALL("proc_raise", 0), 0);
    CHECK_INT(CALL("proc_raise", 17), 0);
    CHECK_INT(CALL("proc_raise", 31), WASI_INVAL);
    CHECK(!f.wasi.exited);
    CHECK_INT(CALL("proc_raise", 6), 0);
    CHECK(f.wasi.exited);
    CHECK_INT(f.wasi.exit_code, 134);
    FRESH();
    CALL("proc_exit", 42);
    CHECK(f.wasi.exited);
    CHECK_INT(f.wasi.exit_code, 42);
}

TEST(reading_and_writing)
{
    FRESH();
    uint32_t fd = open_file();
    put_text(TEXT, "hello world");
    put_iov(0, TEXT, 5);
    put_iov(1, TEXT + 5, 6);
    CHECK_INT(CALL("fd_write", fd, IOVS, 2, OUT), 0);
    CHECK_INT(u32_at(OUT), 11);
    CHECK(memcmp(f.file, "hello world", 11) == 0);
    CHECK_INT(CALL("fd_tell", fd, OUT), 0);
    CHECK_INT(u64_at(OUT), 11);
    CHECK_INT(CALL("fd_seek", fd, (uint64_t)-5, 2, OUT), 0);
    CHECK_INT(u64_at(OUT), 6);
    put_iov(0, BIG, 100);
    CHECK_INT(CALL("fd_read", fd, IOVS, 1, OUT), 0);
    CHECK_INT(u32_at(OUT), 5);
    CHECK(memcmp(memory + BIG, "world", 5) == 0);
    CHECK_INT(CALL("fd_pread", fd, IOVS, 1, 2, OUT), 0);
    CHECK_INT(u32_at(OUT), 9);
    put_iov(0, BIG, 2);
    CHECK_INT(CALL("fd_pwrite", fd, IOVS, 1, 20, OUT), 0);
    CHECK_INT(f.file_len, 22);
    CHECK_INT(CALL("fd_read", 0, IOVS, 1, OUT), 0);
    CHECK_INT(CALL("fd_write", 1, IOVS, 1, OUT), 0);
    CHECK_INT(CALL("fd_write", 1, IOVS, 0, OUT), 0); /* no buffers is no error */
    CHECK_INT(CALL("fd_pread", fd, IOVS, 1, (uint64_t)INT64_MAX + 1, OUT), WASI_INVAL);
    CHECK_INT(CALL("fd_pwrite", fd, IOVS, 1, UINT64_MAX, OUT), WASI_INVAL);
}

TEST(transfers_check_guest_memory)
{
    static const char *const names[] = { "fd_read", "fd_write" };
    FRESH();
    uint32_t fd = open_file();
    for (size_t i = 0; i < 2; i++) {
        put_iov(0, TEXT, 5);
        CHECK_INT(CALL(names[i], fd, IOVS, 1, END - 3), WASI_FAULT);
        CHECK_INT(CALL(names[i], fd, END - 7, 1, OUT), WASI_FAULT);
        CHECK_INT(CALL(names[i], fd, WILD, 1, OUT), WASI_FAULT);
        CHECK_INT(CALL(names[i], fd, IOVS, 0x20000000, OUT), WASI_INVAL); /* 8 * count wraps */
        CHECK_INT(CALL(names[i], fd, IOVS, 1025, OUT), WASI_INVAL);
        put_iov(0, END, 1);
        CHECK_INT(CALL(names[i], fd, IOVS, 1, OUT), WASI_FAULT);
        put_iov(0, 16, 0xffffffff);
        CHECK_INT(CALL(names[i], fd, IOVS, 1, OUT), WASI_FAULT);
        put_iov(0, WILD, 8);
        CHECK_INT(CALL(names[i], fd, IOVS, 1, OUT), WASI_FAULT);
        CHECK_INT(CALL(names[i], 99, IOVS, 1, OUT), WASI_BADF);
        CHECK_INT(CALL(names[i], 0xffffffff, IOVS, 1, OUT), WASI_BADF);
    }
    CHECK_INT(CALL("fd_read", 1, IOVS, 0, OUT), WASI_NOTCAPABLE);
    CHECK_INT(CALL("fd_write", 0, IOVS, 0, OUT), WASI_NOTCAPABLE);
    CHECK_INT(CALL("fd_write", DATA, IOVS, 0, OUT), WASI_NOTCAPABLE);
}

TEST(long_iovec_lists_are_taken_in_part)
{
    FRESH();
    uint32_t fd = open_file();
    for (uint32_t i = 0; i < 1024; i++)
        put_iov(i, TEXT, 1);
    CHECK_INT(CALL("fd_write", fd, IOVS, 1024, OUT), 0);
    CHECK_INT(u32_at(OUT), WASI_IOV_CHUNK);
}

TEST(a_guest_without_memory)
{
    FRESH();
    f.guest = (struct wasi_guest){ NULL, 0, NULL };
    CHECK_INT(CALL("fd_write", 1, 0, 0, 0), WASI_FAULT);
    CHECK_INT(CALL("args_get", 0, 0), WASI_FAULT);
    CHECK_INT(CALL("random_get", 0, 0), WASI_FAULT);
    CHECK_INT(CALL("poll_oneoff", 0, 0, 1, 0), WASI_FAULT);
    CHECK_INT(CALL("path_open", DATA, 1, 0, 0, 0, 0, 0, 0, 0), WASI_FAULT);
    CHECK_INT(CALL("fd_close", 1), 0);
}

TEST(seeking)
{
    FRESH();
    uint32_t fd = open_file();
    CHECK_INT(CALL("fd_seek", fd, 0, 3, OUT), WASI_INVAL);
    CHECK_INT(CALL("fd_seek", fd, 0, 0, END - 7), WASI_FAULT);
    CHECK_INT(CALL("fd_seek", 1, 0, 0, OUT), WASI_SPIPE);
    CHECK_INT(CALL("fd_tell", 0, OUT), WASI_SPIPE);
    CHECK_INT(CALL("fd_seek", DATA, 0, 0, OUT), WASI_ISDIR);
    CHECK_INT(CALL("fd_pread", 0, IOVS, 0, 0, OUT), WASI_SPIPE);
    CHECK_INT(CALL("fd_pwrite", 1, IOVS, 0, 0, OUT), WASI_SPIPE);
    CHECK_INT(CALL("fd_seek", 77, 0, 0, OUT), WASI_BADF);
    /* Telling needs less than seeking. */
    CHECK_INT(CALL("fd_fdstat_set_rights", fd, WASI_RIGHT_FD_TELL, 0), 0);
    CHECK_INT(CALL("fd_seek", fd, 0, WASI_WHENCE_CUR, OUT), 0);
    CHECK_INT(CALL("fd_seek", fd, 1, WASI_WHENCE_CUR, OUT), WASI_NOTCAPABLE);
}

TEST(file_controls)
{
    FRESH();
    uint32_t fd = open_file();
    CHECK_INT(CALL("fd_advise", fd, 0, 10, 5), 0);
    CHECK_INT(CALL("fd_advise", fd, 0, 10, 6), WASI_INVAL);
    CHECK_INT(CALL("fd_advise", fd, UINT64_MAX, 10, 0), WASI_INVAL);
    CHECK_INT(CALL("fd_advise", 0, 0, 10, 0), WASI_SPIPE);
    CHECK_INT(CALL("fd_allocate", fd, 10, 20), 0);
    CHECK_INT(f.number[0], 30);
    CHECK_INT(CALL("fd_allocate", fd, 10, 0), WASI_INVAL);
    CHECK_INT(CALL("fd_allocate", fd, UINT64_MAX, 2), WASI_INVAL);
    CHECK_INT(CALL("fd_allocate", fd, INT64_MAX, 1), WASI_INVAL);
    CHECK_INT(CALL("fd_sync", fd), 0);
    CHECK_STR(f.call, "sync");
    CHECK_INT(CALL("fd_datasync", fd), 0);
    CHECK_STR(f.call, "datasync");
    CHECK_INT(CALL("fd_sync", 1), WASI_NOTCAPABLE);
    CHECK_INT(CALL("fd_datasync", 50), WASI_BADF);
    CHECK_INT(CALL("fd_filestat_set_size", fd, 123), 0);
    CHECK_INT(f.number[0], 123);
    CHECK_INT(CALL("fd_filestat_set_size", fd, UINT64_MAX), WASI_INVAL);
    CHECK_INT(CALL("fd_filestat_set_size", DATA, 1), WASI_NOTCAPABLE);
    CHECK_INT(CALL("fd_filestat_set_times", fd, 1, 2, 1 | 8), 0);
    CHECK_INT(f.number[2], 9);
    CHECK_INT(CALL("fd_filestat_set_times", fd, 1, 2, 1 | 2), WASI_INVAL);
    CHECK_INT(CALL("fd_filestat_set_times", fd, 1, 2, 4 | 8), WASI_INVAL);
    CHECK_INT(CALL("fd_filestat_set_times", fd, 1, 2, 16), WASI_INVAL);
    f.fail = WASI_NOSPC;
    CHECK_INT(CALL("fd_allocate", fd, 10, 20), WASI_NOSPC);
}

TEST(fdstat_and_filestat)
{
    FRESH();
    struct wasi_abi_fdstat s;
    CHECK_INT(CALL("fd_fdstat_get", 1, OUT), 0);
    memcpy(&s, memory + OUT, sizeof s);
    CHECK_INT(s.filetype, WASI_FILETYPE_CHARACTER_DEVICE);
    CHECK(s.rights_base & WASI_RIGHT_FD_WRITE);
    CHECK(!(s.rights_base & (WASI_RIGHT_FD_SEEK | WASI_RIGHT_FD_TELL))); /* or it is no terminal */
    CHECK_INT(CALL("fd_fdstat_get", DATA, OUT), 0);
    memcpy(&s, memory + OUT, sizeof s);
    CHECK_INT(s.filetype, WASI_FILETYPE_DIRECTORY);
    CHECK_INT(s.rights_inheriting, ALL_RIGHTS);
    CHECK_INT(CALL("fd_fdstat_get", 1, END - 23), WASI_FAULT);
    CHECK_INT(CALL("fd_fdstat_get", 11, OUT), WASI_BADF);

    uint32_t fd = open_file();
    CHECK_INT(CALL("fd_fdstat_set_flags", fd, WASI_FDFLAG_APPEND), 0);
    CHECK_INT(f.number[0], WASI_FDFLAG_APPEND);
    CHECK_INT(CALL("fd_fdstat_get", fd, OUT), 0);
    memcpy(&s, memory + OUT, sizeof s);
    CHECK_INT(s.flags, WASI_FDFLAG_APPEND);
    CHECK_INT(CALL("fd_fdstat_set_flags", fd, 32), WASI_INVAL);
    CHECK_INT(CALL("fd_fdstat_set_flags", fd, WASI_FDFLAG_SYNC), WASI_NOTSUP);
    f.fds[fd].flags |= WASI_FDFLAG_SYNC;
    CHECK_INT(CALL("fd_fdstat_set_flags", fd, WASI_FDFLAG_NONBLOCK), 0);
    CHECK_INT(f.fds[fd].flags, WASI_FDFLAG_SYNC | WASI_FDFLAG_NONBLOCK);
    CHECK_INT(CALL("fd_fdstat_set_flags", fd, WASI_FDFLAG_SYNC | WASI_FDFLAG_APPEND), 0);
    f.fds[fd].flags = WASI_FDFLAG_APPEND;
    f.fail = WASI_NOTSUP;
    CHECK_INT(CALL("fd_fdstat_set_flags", fd, 0), WASI_NOTSUP);
    CHECK_INT(f.fds[fd].flags, WASI_FDFLAG_APPEND);
    f.fail = 0;

    struct wasi_abi_filestat st;
    CHECK_INT(CALL("fd_filestat_get", fd, OUT), 0);
    memcpy(&st, memory + OUT, sizeof st);
    CHECK(st.dev == 1 && st.ino == 2 && st.nlink == 3 && st.size == 4 && st.atim == 5 &&
          st.mtim == 6 && st.ctim == 7 && st.filetype == WASI_FILETYPE_REGULAR_FILE);
    CHECK_INT(CALL("fd_filestat_get", fd, END - 63), WASI_FAULT);
    CHECK_INT(CALL("fd_filestat_get", 1, OUT), 0);
    CHECK_INT(memory[OUT + 16], WASI_FILETYPE_CHARACTER_DEVICE);
}

TEST(rights_only_shrink)
{
    FRESH();
    uint32_t fd = open_file();
    CHECK_INT(CALL("fd_fdstat_set_rights", fd, WASI_RIGHT_FD_READ, 0), 0);
    CHECK_INT(CALL("fd_fdstat_set_rights", fd, WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE, 0),
              WASI_NOTCAPABLE);
    CHECK_INT(CALL("fd_fdstat_set_rights", fd, 0, 1), WASI_NOTCAPABLE);
    put_iov(0, TEXT, 1);
    CHECK_INT(CALL("fd_write", fd, IOVS, 1, OUT), WASI_NOTCAPABLE);
    CHECK_INT(CALL("fd_read", fd, IOVS, 1, OUT), 0);
    /* What the directory may not pass on cannot be opened. */
    uint64_t inheriting = ALL_RIGHTS & ~(uint64_t)WASI_RIGHT_FD_WRITE;
    CHECK_INT(CALL("fd_fdstat_set_rights", DATA, WASI_RIGHTS_DIRECTORY, inheriting), 0);
    uint32_t n = put_text(TEXT, "name");
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, WASI_RIGHT_FD_WRITE, 0, 0, OUT),
              WASI_NOTCAPABLE);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, WASI_RIGHT_FD_READ, WASI_RIGHT_FD_WRITE, 0,
                   OUT), WASI_NOTCAPABLE);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, WASI_RIGHT_FD_READ, 0, 0, OUT), 0);
}

TEST(each_path_call_needs_its_right)
{
    static const struct {
        const char *name;
        uint64_t right;
        uint64_t a[9];
    } calls[] = {
        { "path_create_directory", WASI_RIGHT_PATH_CREATE_DIRECTORY, { DATA, TEXT, 1 } },
        { "path_remove_directory", WASI_RIGHT_PATH_REMOVE_DIRECTORY, { DATA, TEXT, 1 } },
        { "path_unlink_file", WASI_RIGHT_PATH_UNLINK_FILE, { DATA, TEXT, 1 } },
        { "path_filestat_get", WASI_RIGHT_PATH_FILESTAT_GET, { DATA, 0, TEXT, 1, OUT } },
        { "path_filestat_set_times", WASI_RIGHT_PATH_FILESTAT_SET_TIMES,
          { DATA, 0, TEXT, 1, 0, 0, 0 } },
        { "path_link", WASI_RIGHT_PATH_LINK_SOURCE, { DATA, 0, TEXT, 1, DATA, TEXT, 1 } },
        { "path_link", WASI_RIGHT_PATH_LINK_TARGET, { DATA, 0, TEXT, 1, DATA, TEXT, 1 } },
        { "path_rename", WASI_RIGHT_PATH_RENAME_SOURCE, { DATA, TEXT, 1, DATA, TEXT, 1 } },
        { "path_rename", WASI_RIGHT_PATH_RENAME_TARGET, { DATA, TEXT, 1, DATA, TEXT, 1 } },
        { "path_symlink", WASI_RIGHT_PATH_SYMLINK, { TEXT, 1, DATA, TEXT, 1 } },
        { "path_readlink", WASI_RIGHT_PATH_READLINK, { DATA, TEXT, 1, BIG, 8, OUT } },
        { "path_open", WASI_RIGHT_PATH_OPEN, { DATA, 0, TEXT, 1, 0, 0, 0, 0, OUT } },
        { "path_open", WASI_RIGHT_PATH_CREATE_FILE,
          { DATA, 0, TEXT, 1, WASI_O_CREAT, 0, 0, 0, OUT } },
        { "path_open", WASI_RIGHT_PATH_FILESTAT_SET_SIZE,
          { DATA, 0, TEXT, 1, WASI_O_TRUNC, 0, 0, 0, OUT } },
        { "fd_readdir", WASI_RIGHT_FD_READDIR, { DATA, BIG, 64, 0, OUT } },
    };
    for (size_t i = 0; i < base_countof(calls); i++) {
        FRESH();
        put_text(TEXT, "x");
        CHECK_INT(fake_call(&f, "wasi_snapshot_preview1", calls[i].name, calls[i].a), 0);
        CHECK_INT(CALL("fd_fdstat_set_rights", DATA, WASI_RIGHTS_DIRECTORY & ~calls[i].right,
                       ALL_RIGHTS), 0);
        f.calls = 0;
        CHECK_INT(fake_call(&f, "wasi_snapshot_preview1", calls[i].name, calls[i].a),
                  WASI_NOTCAPABLE);
        CHECK_INT(f.calls, 0);
    }
}

/* All that take a path, as functions of where it lies and how long it is. */
static enum wasi_errno path_call(size_t which, uint64_t p, uint64_t n)
{
    put_text(BIG, "ok");
    switch (which) {
    case 0: return CALL("path_create_directory", DATA, p, n);
    case 1: return CALL("path_remove_directory", DATA, p, n);
    case 2: return CALL("path_unlink_file", DATA, p, n);
    case 3: return CALL("path_filestat_get", DATA, 1, p, n, OUT);
    case 4: return CALL("path_filestat_set_times", DATA, 1, p, n, 1, 2, 5);
    case 5: return CALL("path_link", DATA, 0, p, n, DATA, BIG, 2);
    case 6: return CALL("path_link", DATA, 0, BIG, 2, DATA, p, n);
    case 7: return CALL("path_rename", DATA, p, n, DATA, BIG, 2);
    case 8: return CALL("path_rename", DATA, BIG, 2, DATA, p, n);
    case 9: return CALL("path_symlink", p, n, DATA, BIG, 2);
    case 10: return CALL("path_symlink", BIG, 2, DATA, p, n);
    case 11: return CALL("path_readlink", DATA, p, n, BIG, 8, OUT);
    default: return CALL("path_open", DATA, 1, p, n, 0, 0, 0, 0, OUT);
    }
}

TEST(paths_are_checked_everywhere)
{
    for (size_t i = 0; i < 13; i++) {
        FRESH();
        CHECK_INT(path_call(i, TEXT, put_text(TEXT, "a/../b")), 0);
        CHECK_INT(f.calls, 1);
        CHECK_INT(path_call(i, TEXT, put_text(TEXT, "/etc/passwd")), WASI_NOTCAPABLE);
        CHECK_INT(path_call(i, TEXT, put_text(TEXT, "/")), WASI_NOTCAPABLE);
        CHECK_INT(path_call(i, TEXT, 0), WASI_NOENT);
        memcpy(memory + TEXT, "a\0b", 3);
        CHECK_INT(path_call(i, TEXT, 3), WASI_INVAL);
        CHECK_INT(path_call(i, TEXT, put_text(TEXT, "a\xff")), WASI_ILSEQ);
        memset(memory + 16384, 'x', 5000);
        CHECK_INT(path_call(i, 16384, WASI_PATH_MAX), 0);
        CHECK_INT(path_call(i, 16384, WASI_PATH_MAX + 1), WASI_NAMETOOLONG);
        CHECK_INT(path_call(i, END - 1, 2), WASI_FAULT);
        CHECK_INT(path_call(i, WILD, 8), WASI_FAULT);
        CHECK_INT(path_call(i, TEXT, 0xffffffff), WASI_FAULT);
    }
}

TEST(paths_need_directories)
{
    FRESH();
    uint32_t fd = open_file(), n = put_text(TEXT, "x");
    CHECK_INT(CALL("path_create_directory", fd, TEXT, n), WASI_NOTDIR);
    CHECK_INT(CALL("path_create_directory", 1, TEXT, n), WASI_NOTDIR);
    CHECK_INT(CALL("path_create_directory", 15, TEXT, n), WASI_BADF);
    CHECK_INT(CALL("path_rename", DATA, TEXT, n, fd, TEXT, n), WASI_NOTDIR);
    CHECK_INT(CALL("fd_readdir", fd, BIG, 64, 0, OUT), WASI_NOTDIR);
    CHECK_INT(CALL("path_open", fd, 0, TEXT, n, 0, 0, 0, 0, OUT), WASI_NOTDIR);
}

TEST(path_arguments_reach_the_host)
{
    FRESH();
    uint32_t n = put_text(TEXT, "from");
    put_text(TEXT + 8, "to");
    CHECK_INT(CALL("path_rename", DATA, TEXT, n, DATA, TEXT + 8, 2), 0);
    CHECK_STR(f.call, "path_rename");
    CHECK_STR(f.path, "from");
    CHECK_STR(f.path2, "to");
    CHECK_INT(CALL("path_symlink", TEXT, n, DATA, TEXT + 8, 2), 0);
    CHECK_STR(f.path, "from");
    CHECK_INT(CALL("path_link", DATA, 1, TEXT, n, DATA, TEXT + 8, 2), 0);
    CHECK_INT(f.number[0], 1);
    CHECK_INT(CALL("path_link", DATA, 2, TEXT, n, DATA, TEXT + 8, 2), WASI_INVAL);
    CHECK_INT(CALL("path_filestat_get", DATA, 2, TEXT, n, OUT), WASI_INVAL);
    CHECK_INT(CALL("path_filestat_get", DATA, 0, TEXT, n, END - 63), WASI_FAULT);
    CHECK_INT(CALL("path_filestat_set_times", DATA, 0, TEXT, n, 7, 8, 5), 0);
    CHECK(f.number[0] == 7 && f.number[1] == 8 && f.number[2] == 5 && f.number[3] == 0);
    CHECK_INT(CALL("path_filestat_set_times", DATA, 0, TEXT, n, 7, 8, 3), WASI_INVAL);
    CHECK_INT(CALL("path_readlink", DATA, TEXT, n, BIG, 3, OUT), 0);
    CHECK_INT(u32_at(OUT), 3);
    CHECK_INT(CALL("path_readlink", DATA, TEXT, n, END - 2, 3, OUT), WASI_FAULT);
    CHECK_INT(CALL("path_readlink", DATA, TEXT, n, BIG, 3, END - 3), WASI_FAULT);
    f.fail = WASI_NOTCAPABLE;
    CHECK_INT(CALL("path_unlink_file", DATA, TEXT, n), WASI_NOTCAPABLE);
}

TEST(opening)
{
    FRESH();
    uint32_t n = put_text(TEXT, "file");
    CHECK_INT(CALL("path_open", DATA, 1, TEXT, n, WASI_O_CREAT | WASI_O_EXCL,
                   WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE, 0, WASI_FDFLAG_APPEND, OUT), 0);
    CHECK_INT(u32_at(OUT), 5);
    CHECK(f.number[0] == 5 && f.number[1] == 1 && f.number[2] == 3 && f.number[3] == 1);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, WASI_RIGHT_FD_READ, 0, 0, OUT), 0);
    CHECK(f.number[2] == 1 && f.number[3] == 0);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, WASI_O_DIRECTORY | WASI_O_CREAT, 0, 0, 0, OUT),
              WASI_INVAL);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 16, 0, 0, 0, OUT), WASI_INVAL);
    CHECK_INT(CALL("path_open", DATA, 2, TEXT, n, 0, 0, 0, 0, OUT), WASI_INVAL);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 32, OUT), WASI_INVAL);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 0, END - 3), WASI_FAULT);
    uint32_t open_before = f.open_count;
    f.fail = WASI_NOENT;
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 0, OUT), WASI_NOENT);
    f.fail = 0;
    CHECK_INT(f.open_count, open_before);
    /* A directory gets a directory's rights, however much was asked for. */
    f.open_as = WASI_FILETYPE_DIRECTORY;
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, ALL_RIGHTS, ALL_RIGHTS, 0, OUT), 0);
    struct wasi_fd *row = &f.fds[u32_at(OUT)];
    CHECK_INT(row->base, WASI_RIGHTS_DIRECTORY);
    CHECK_INT(row->inheriting, ALL_RIGHTS);
}

TEST(the_table_is_bounded)
{
    FRESH();
    uint32_t n = put_text(TEXT, "x");
    for (uint32_t fd = 5; fd < 16; fd++)
        CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 0, OUT), 0);
    uint32_t open_before = f.open_count;
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 0, OUT), WASI_MFILE);
    CHECK_INT(CALL("sock_accept", LISTENER, 0, OUT), WASI_MFILE);
    CHECK_INT(VYOMA("net_connect", TEXT, 1, 80, OUT), WASI_MFILE);
    CHECK_INT(f.open_count, open_before);
    CHECK_INT(CALL("fd_close", 9), 0);
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 0, OUT), 0);
    CHECK_INT(u32_at(OUT), 9);
    CHECK_INT(CALL("fd_close", 0), 0); /* 0 to 2 stay stdio's own */
    CHECK_INT(CALL("path_open", DATA, 0, TEXT, n, 0, 0, 0, 0, OUT), WASI_MFILE);
    wasi_finish(&f.wasi);
    CHECK_INT(f.open_count, 0);
}

TEST(closing_and_renumbering)
{
    FRESH();
    uint32_t a = open_file(), b = open_file();
    int32_t a_handle = f.fds[a].handle;
    CHECK_INT(CALL("fd_renumber", a, b), 0);
    CHECK_INT(f.fds[b].handle, a_handle);
    CHECK_INT(CALL("fd_close", a), WASI_BADF);
    CHECK_INT(CALL("fd_renumber", b, b), 0);
    CHECK_INT(CALL("fd_renumber", b, 14), WASI_BADF);
    CHECK_INT(CALL("fd_renumber", 14, b), WASI_BADF);
    CHECK_INT(CALL("fd_renumber", 0xffffffff, b), WASI_BADF);
    CHECK_INT(CALL("fd_close", b), 0);
    CHECK_INT(CALL("fd_close", b), WASI_BADF);
    CHECK_INT(f.open_count, FAKE_FIRST_NEW);
    b = open_file();
    f.fail = WASI_IO; /* the number is free again even when the host complains */
    CHECK_INT(CALL("fd_close", b), WASI_IO);
    f.fail = 0;
    CHECK_INT(CALL("fd_close", b), WASI_BADF);
}

TEST(preopens)
{
    FRESH();
    CHECK_INT(CALL("fd_prestat_get", DATA, OUT), 0);
    CHECK_INT(u32_at(OUT), 0);
    CHECK_INT(u32_at(OUT + 4), 5);
    CHECK_INT(CALL("fd_prestat_dir_name", DATA, TEXT, 5), 0);
    CHECK(memcmp(memory + TEXT, "/data", 5) == 0);
    CHECK_INT(CALL("fd_prestat_dir_name", DATA, TEXT, 4), WASI_NAMETOOLONG);
    CHECK_INT(CALL("fd_prestat_dir_name", DATA, END - 4, 5), WASI_FAULT);
    CHECK_INT(CALL("fd_prestat_get", DATA, END - 7), WASI_FAULT);
    CHECK_INT(CALL("fd_prestat_get", 1, OUT), WASI_BADF);
    CHECK_INT(CALL("fd_prestat_get", LISTENER, OUT), WASI_BADF); /* ends a library's search */
    CHECK_INT(CALL("fd_prestat_dir_name", 12, TEXT, 5), WASI_BADF);
}

TEST(directory_entries)
{
    FRESH();
    CHECK_INT(CALL("fd_readdir", DATA, BIG, 4096, 0, OUT), 0);
    CHECK_INT(u32_at(OUT), 3 * 31);
    for (uint32_t i = 0; i < 3; i++) {
        struct wasi_abi_dirent d;
        memcpy(&d, memory + BIG + i * 31, sizeof d);
        CHECK(d.next == i + 1 && d.ino == 100 + i && d.name_len == 7 && d.filetype == 4);
        CHECK(memcmp(memory + BIG + i * 31 + 24, "entry-", 6) == 0);
    }
    CHECK_INT(CALL("fd_readdir", DATA, BIG, 4096, 2, OUT), 0);
    CHECK_INT(u32_at(OUT), 31);
    CHECK_INT(CALL("fd_readdir", DATA, BIG, 4096, 3, OUT), 0);
    CHECK_INT(u32_at(OUT), 0);
    /* What does not fit is cut, and a full buffer says that there is more. */
    for (uint32_t len = 0; len <= 93; len++) {
        memset(memory + BIG, 0xee, 128);
        CHECK_INT(CALL("fd_readdir", DATA, BIG, len, 0, OUT), 0);
        CHECK_INT(u32_at(OUT), len);
        CHECK_INT(memory[BIG + len], 0xee);
    }
    CHECK_INT(CALL("fd_readdir", DATA, END - 8, 9, 0, OUT), WASI_FAULT);
    CHECK_INT(CALL("fd_readdir", DATA, BIG, 64, 0, END - 3), WASI_FAULT);
    CHECK_INT(CALL("fd_readdir", DATA, BIG, 0xffffffff, 0, OUT), WASI_FAULT);
}

static void put_clock_sub(uint32_t i, uint64_t userdata, uint32_t id, uint64_t timeout,
                          uint16_t flags)
{
    struct wasi_abi_subscription s = { .userdata = userdata, .tag = WASI_EVENT_CLOCK, .id = id,
                                       .timeout = timeout, .flags = flags };
    memcpy(memory + BIG + i * sizeof s, &s, sizeof s);
}

static void put_fd_sub(uint32_t i, uint64_t userdata, uint8_t tag, uint32_t fd)
{
    struct wasi_abi_subscription s = { .userdata = userdata, .tag = tag, .id = fd };
    memcpy(memory + BIG + i * sizeof s, &s, sizeof s);
}

static struct wasi_abi_event event_at(uint32_t p, uint32_t i)
{
    struct wasi_abi_event e;
    memcpy(&e, memory + p + i * sizeof e, sizeof e);
    return e;
}

enum { EVENTS = 32768 };

TEST(poll_clocks)
{
    FRESH();
    put_clock_sub(0, 7, WASI_CLOCK_MONOTONIC, 5000, 0);
    put_clock_sub(1, 8, WASI_CLOCK_REALTIME, 3000, 0);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 2, OUT), 0);
    CHECK_INT(f.number[0], 3000);
    CHECK_INT(u32_at(OUT), 1);
    CHECK_INT(event_at(EVENTS, 0).userdata, 8);
    CHECK_INT(event_at(EVENTS, 0).type, WASI_EVENT_CLOCK);
    put_clock_sub(0, 1, WASI_CLOCK_REALTIME, f.now_ns + 500, WASI_SUBCLOCK_ABSTIME);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 1, OUT), 0);
    CHECK_INT(f.number[0], 500);
    CHECK_INT(u32_at(OUT), 1);
    put_clock_sub(0, 1, WASI_CLOCK_MONOTONIC, 5, WASI_SUBCLOCK_ABSTIME); /* long past */
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 1, OUT), 0);
    CHECK_INT(f.number[0], 0);
    CHECK_INT(u32_at(OUT), 1);
    put_clock_sub(0, 9, 77, 5, 0);
    put_clock_sub(1, 10, WASI_CLOCK_MONOTONIC, 1000, 0);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 2, OUT), 0);
    CHECK_INT(u32_at(OUT), 1);
    CHECK_INT(event_at(EVENTS, 0).error, WASI_INVAL);
    put_clock_sub(0, 9, WASI_CLOCK_MONOTONIC, UINT64_MAX, 0);
    put_clock_sub(1, 9, WASI_CLOCK_MONOTONIC, 5, 2); /* unknown flag */
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 2, OUT), 0);
    CHECK_INT(u32_at(OUT), 1);
}

TEST(poll_descriptors)
{
    FRESH();
    put_fd_sub(0, 1, WASI_EVENT_FD_READ, 0);
    put_fd_sub(1, 2, WASI_EVENT_FD_WRITE, 1);
    put_clock_sub(2, 3, WASI_CLOCK_MONOTONIC, 100, 0);
    f.ready[FAKE_OUT] = true;
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 3, OUT), 0);
    CHECK_INT(u32_at(OUT), 1);
    CHECK_INT(event_at(EVENTS, 0).userdata, 2);
    CHECK_INT(event_at(EVENTS, 0).nbytes, 10);
    CHECK_INT(event_at(EVENTS, 0).type, WASI_EVENT_FD_WRITE);
    f.ready[FAKE_OUT] = false;
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 3, OUT), 0);
    CHECK_INT(u32_at(OUT), 1);
    CHECK_INT(event_at(EVENTS, 0).userdata, 3);
    f.ready[FAKE_IN] = true;
    put_fd_sub(1, 2, WASI_EVENT_FD_READ, 9);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 2, OUT), 0);
    CHECK_INT(f.number[0], 0); /* a bad descriptor ends the wait */
    CHECK_INT(u32_at(OUT), 2);
    CHECK_INT(event_at(EVENTS, 0).flags, WASI_EVENT_HANGUP);
    CHECK_INT(event_at(EVENTS, 1).error, WASI_BADF);
    put_fd_sub(0, 1, WASI_EVENT_FD_READ, DATA);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 1, OUT), 0);
    CHECK_INT(event_at(EVENTS, 0).error, WASI_NOTCAPABLE);
}

TEST(poll_refusals)
{
    FRESH();
    put_clock_sub(0, 7, WASI_CLOCK_MONOTONIC, 5, 0);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 0, OUT), WASI_INVAL);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, WASI_POLL_MAX + 1, OUT), WASI_INVAL);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 0x10000001, OUT), WASI_INVAL);
    CHECK_INT(CALL("poll_oneoff", END - 47, EVENTS, 1, OUT), WASI_FAULT);
    CHECK_INT(CALL("poll_oneoff", BIG, END - 31, 1, OUT), WASI_FAULT);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 1, END - 3), WASI_FAULT);
    CHECK_INT(CALL("poll_oneoff", WILD, EVENTS, 1, OUT), WASI_FAULT);
    put_fd_sub(0, 1, 3, 0);
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 1, OUT), WASI_INVAL);
    put_clock_sub(0, 7, WASI_CLOCK_MONOTONIC, 5, 0);
    CHECK_INT(CALL("poll_oneoff", BIG, BIG, 1, OUT), 0); /* lists may overlap */
    CHECK_INT(u32_at(OUT), 1);
    f.fail = WASI_INTR;
    CHECK_INT(CALL("poll_oneoff", BIG, EVENTS, 1, OUT), WASI_INTR);
}

TEST(sockets)
{
    FRESH();
    CHECK_INT(CALL("sock_accept", LISTENER, WASI_FDFLAG_NONBLOCK, OUT), 0);
    uint32_t s = u32_at(OUT);
    CHECK_INT(f.fds[s].filetype, WASI_FILETYPE_SOCKET_STREAM);
    CHECK_INT(f.fds[s].flags, WASI_FDFLAG_NONBLOCK);
    CHECK_INT(CALL("sock_accept", s, 0, OUT), WASI_NOTCAPABLE);
    CHECK_INT(CALL("sock_accept", 1, 0, OUT), WASI_NOTSOCK);
    CHECK_INT(CALL("sock_accept", LISTENER, 1, OUT), WASI_INVAL);
    CHECK_INT(CALL("sock_accept", LISTENER, 0, END - 3), WASI_FAULT);
    put_text(TEXT, "GET /");
    put_iov(0, TEXT, 5);
    CHECK_INT(CALL("sock_send", s, IOVS, 1, 0, OUT), 0);
    CHECK_INT(u32_at(OUT), 5);
    CHECK_INT(CALL("sock_send", s, IOVS, 1, 1, OUT), WASI_INVAL);
    CHECK_INT(CALL("sock_send", s, IOVS, 1, 0, END - 3), WASI_FAULT);
    put_iov(0, BIG, 3);
    CHECK_INT(CALL("sock_recv", s, IOVS, 1, WASI_RI_PEEK, OUT, OUT2), 0);
    CHECK_INT(u32_at(OUT), 3);
    CHECK_INT(u32_at(OUT2) & 0xffff, WASI_RO_DATA_TRUNCATED);
    CHECK(memcmp(memory + BIG, "GET", 3) == 0);
    CHECK_INT(CALL("sock_recv", s, IOVS, 1, 4, OUT, OUT2), WASI_INVAL);
    CHECK_INT(CALL("sock_recv", s, IOVS, 1, 0, OUT, END - 1), WASI_FAULT);
    CHECK_INT(CALL("sock_recv", LISTENER, IOVS, 1, 0, OUT, END - 1), WASI_FAULT);
    CHECK_INT(CALL("sock_recv", 0, IOVS, 1, 0, OUT, OUT2), WASI_NOTSOCK);
    CHECK_INT(CALL("fd_read", s, IOVS, 1, OUT), 0);
    CHECK_INT(CALL("sock_shutdown", s, 3), 0);
    CHECK_INT(CALL("sock_shutdown", s, 0), WASI_INVAL);
    CHECK_INT(CALL("sock_shutdown", s, 4), WASI_INVAL);
    CHECK_INT(CALL("sock_shutdown", LISTENER, 3), WASI_NOTCAPABLE);
    CHECK_INT(CALL("sock_shutdown", 15, 3), WASI_BADF);
    CHECK_INT(CALL("fd_close", s), 0);
}

TEST(vyoma_module)
{
    FRESH();
    CHECK_INT(VYOMA("app_name", TEXT, 10, OUT), 0);
    CHECK_INT(u32_at(OUT), 6);
    CHECK(memcmp(memory + TEXT, "tester", 6) == 0);
    CHECK_INT(VYOMA("app_name", TEXT, 5, OUT), WASI_RANGE);
    CHECK_INT(VYOMA("app_name", END, 1, OUT), WASI_FAULT);
    CHECK_INT(VYOMA("app_name", TEXT, 10, END - 3), WASI_FAULT);

    put_text(TEXT, "pong");
    CHECK_INT(VYOMA("msg_send", TEXT, 4, BIG, 100), 0);
    CHECK_STR(f.path, "pong");
    CHECK_INT(f.number[0], 100);
    CHECK_INT(VYOMA("msg_send", TEXT, 0, BIG, 1), WASI_INVAL);
    CHECK_INT(VYOMA("msg_send", TEXT, 256, BIG, 1), WASI_INVAL);
    CHECK_INT(VYOMA("msg_send", TEXT, 4, END - 4, 5), WASI_FAULT);
    CHECK_INT(VYOMA("msg_send", WILD, 8, BIG, 5), WASI_FAULT);

    CHECK_INT(VYOMA("msg_recv", TEXT, 32, BIG, 64, OUT, 0), 0);
    CHECK_INT(u32_at(OUT), 4);
    CHECK_INT(u32_at(OUT + 4), 5);
    CHECK(memcmp(memory + BIG, "hello", 5) == 0);
    CHECK_INT(VYOMA("msg_recv", TEXT, 32, BIG, 2, OUT, 0), WASI_MSGSIZE);
    CHECK_INT(u32_at(OUT + 4), 5);
    CHECK_INT(VYOMA("msg_recv", TEXT, 32, BIG, 64, OUT, (uint32_t)-2), WASI_INVAL);
    CHECK_INT(VYOMA("msg_recv", TEXT, 32, BIG, 64, END - 7, 0), WASI_FAULT);
    CHECK_INT(VYOMA("msg_recv", TEXT, 0xffffffff, BIG, 64, OUT, 0), WASI_FAULT);

    uint32_t n = put_text(TEXT, "example.org");
    CHECK_INT(VYOMA("net_connect", TEXT, n, 443, OUT), 0);
    CHECK_STR(f.path, "example.org");
    CHECK_INT(f.number[0], 443);
    CHECK_INT(CALL("sock_shutdown", u32_at(OUT), 2), 0);
    CHECK_INT(VYOMA("net_connect", TEXT, n, 0, OUT), WASI_INVAL);
    CHECK_INT(VYOMA("net_connect", TEXT, n, 65536, OUT), WASI_INVAL);
    CHECK_INT(VYOMA("net_connect", TEXT, n, 80, END - 3), WASI_FAULT);
    f.fail = WASI_NOTCAPABLE;
    CHECK_INT(VYOMA("net_connect", TEXT, n, 80, OUT), WASI_NOTCAPABLE);
    f.fail = 0;

    CHECK_INT(VYOMA("net_listener", 8080, OUT), 0);
    CHECK_INT(u32_at(OUT), LISTENER);
    CHECK_INT(VYOMA("net_listener", 8081, OUT), WASI_NOTCAPABLE);
    CHECK_INT(VYOMA("net_listener", 0, OUT), WASI_INVAL);
    CHECK_INT(VYOMA("net_listener", 8080 + 65536, OUT), WASI_INVAL);
    CHECK_INT(VYOMA("net_listener", 8080, END), WASI_FAULT);
}

static uint32_t need_of(const char *name)
{
    struct wasi_need need;
    CHECK_INT(wasi_capability_of(SPAN_LIT("wasi_snapshot_preview1"), span_of_cstr(name), &need), 0);
    return need.any_of;
}

TEST(capabilities_of_imports)
{
    struct wasi_need need;
    static const char *const simple[] = { "fd_close", "fd_fdstat_get", "fd_prestat_get",
                                          "fd_prestat_dir_name", "fd_read", "fd_seek", "fd_write",
                                          "fd_fdstat_set_flags" };
    for (size_t i = 0; i < base_countof(simple); i++)
        CHECK(need_of(simple[i]) & WASI_CAP_STDIO);
    CHECK_INT(need_of("path_open"), WASI_CAP_FILESYSTEM);
    CHECK_INT(need_of("sock_accept"), WASI_CAP_LISTEN | WASI_CAP_CONNECT);
    CHECK_INT(need_of("clock_time_get"), 0);
    CHECK_INT(need_of("poll_oneoff"), 0);
    CHECK_INT(wasi_capability_of(SPAN_LIT("vyoma"), SPAN_LIT("net_connect"), &need), 0);
    CHECK_STR(need.key, "network.connect");
    CHECK_INT(wasi_capability_of(SPAN_LIT("vyoma"), SPAN_LIT("app_name"), &need), 0);
    CHECK(need.any_of == 0 && need.key == NULL);
    CHECK_INT(wasi_capability_of(SPAN_LIT("vyoma"), SPAN_LIT("fd_write"), &need), E_NOENT);
    CHECK_INT(wasi_capability_of(SPAN_LIT("env"), SPAN_LIT("fd_write"), &need), E_NOENT);
    CHECK_INT(wasi_capability_of(SPAN_LIT("wasi_snapshot_preview1"), SPAN_NONE, &need), E_NOENT);
}

TEST(table_of_functions)
{
    uint32_t count;
    for (int m = 0; m < WASI_MODULE_COUNT_; m++) {
        const struct wasi_function *fn = wasi_functions((enum wasi_module)m, &count);
        for (uint32_t i = 0; i < count; i++) {
            CHECK(strlen(fn[i].params) <= WASI_PARAMS_MAX);
            CHECK_INT(strspn(fn[i].params, "iI"), strlen(fn[i].params));
            CHECK(!(fn[i].any_of & ~(uint32_t)WASI_CAPS_ALL));
            for (uint32_t j = 0; j < i; j++)
                CHECK(strcmp(fn[i].name, fn[j].name) != 0);
        }
    }
}

/* What the host never sees is told to it, once each. */
TEST(refusals_are_told)
{
    FRESH();
    CALL("path_unlink_file", DATA, TEXT, put_text(TEXT, "/etc/passwd"));
    CHECK_STR(f.denied, "0 /etc/passwd");
    put_text(BIG, "ok");
    CALL("path_symlink", TEXT, put_text(TEXT, "/etc"), DATA, BIG, 2);
    CHECK_STR(f.denied, "0 /etc");
    VYOMA("net_listener", 22, OUT);
    CHECK_STR(f.denied, "1 22");
    VYOMA("net_listener", 70000, OUT);
    CHECK_STR(f.denied, "1 70000");
    CALL("fd_write", 0, IOVS, 0, OUT);
    CHECK_STR(f.denied, "2 fd_write");
    CALL("fd_fdstat_set_rights", DATA, UINT64_MAX, UINT64_MAX);
    CHECK_STR(f.denied, "2 fd_fdstat_set_rights");
    CALL("fd_read", 0, WILD, 1, OUT);
    CHECK_STR(f.denied, "5 fd_read");
    CHECK_INT(f.denials, 7);
    uint32_t fd = open_file();
    f.fail = WASI_FBIG;
    CALL("fd_filestat_set_size", fd, 1u << 30);
    CHECK_STR(f.denied, "4 fd_filestat_set_size");
    f.fail = 0;
    while (CALL("path_open", DATA, 0, TEXT, 4, 0, 0, 0, 0, OUT) == WASI_SUCCESS)
        continue;
    CHECK_STR(f.denied, "3 path_open");
    CHECK_INT(f.denials, 9);
    CALL("fd_close", 999); /* not these: looking for descriptors, what the host refuses */
    CALL("path_unlink_file", DATA, TEXT, 0);
    f.fail = WASI_NOTCAPABLE;
    CALL("path_unlink_file", DATA, TEXT, put_text(TEXT, "../x"));
    CHECK_INT(f.denials, 9);
    f.host.denied = NULL;
    CALL("fd_write", 0, IOVS, 0, OUT);
    CHECK_INT(f.denials, 9);
}

TEST(tracing)
{
    FRESH();
    CALL("fd_seek", 1, (uint64_t)-2, 1, OUT);
    CHECK_STR(f.line, "fd_seek(1, -2, 1, 1024) = spipe");
    CALL("proc_exit", 3);
    CHECK_STR(f.line, "proc_exit(3)");
    uint32_t lines = f.lines;
    f.host.trace = NULL;
    CALL("sched_yield", 0);
    CHECK_INT(f.lines, lines);
    CHECK_STR(wasi_errno_name(WASI_NOTCAPABLE), "notcapable");
    CHECK_STR(wasi_errno_name((enum wasi_errno)77), "unknown");
}

TEST(a_host_that_offers_nothing)
{
    uint32_t count;
    FRESH();
    f.host = (struct wasi_host){ .ctx = &f };
    const struct wasi_function *fn = wasi_functions(WASI_MODULE_PREVIEW1, &count);
    for (uint32_t i = 0; i < count; i++) {
        for (uint64_t fd = 0; fd < 5; fd++) {
            const uint64_t a[9] = { fd, OUT, 1, OUT, OUT, OUT, OUT, 0, OUT };
            wasi_function_call(&fn[i], &f.wasi, &f.guest, a);
        }
    }
    FRESH();
    f.host.read = NULL;
    CHECK_INT(CALL("fd_read", 0, IOVS, 0, OUT), WASI_NOSYS);
}

/* What is borrowed of a remote guest is bounded; a transfer is cut there, random bytes are not. */
TEST(a_remote_guest_gets_what_fits)
{
    static uint8_t large[2 * WASI_WINDOW_BYTES + 4096];
    fake_init(&f, large, sizeof large);
    if (is_remote)
        fake_move_away(&f);
    struct wasi_abi_iovec v[2] = { { BIG, WASI_WINDOW_BYTES - 1 }, { BIG, 5 } };
    memcpy(large + IOVS, v, sizeof v);
    CHECK_INT(CALL("fd_read", 0, IOVS, 2, OUT), 0);
    CHECK_INT(f.iov_bytes, is_remote ? WASI_WINDOW_BYTES : WASI_WINDOW_BYTES + 4);
    CHECK_INT(CALL("random_get", 0, sizeof large), 0);
    CHECK(large[0] && large[sizeof large - 1]);
}

static void run_all(void)
{
    RUN(args_and_environ)
    RUN(clocks_and_random)
    RUN(process)
    RUN(reading_and_writing)
    RUN(transfers_check_guest_memory)
    RUN(long_iovec_lists_are_taken_in_part)
    RUN(a_guest_without_memory)
    RUN(seeking)
    RUN(file_controls)
    RUN(fdstat_and_filestat)
    RUN(rights_only_shrink)
    RUN(each_path_call_needs_its_right)
    RUN(paths_are_checked_everywhere)
    RUN(paths_need_directories)
    RUN(path_arguments_reach_the_host)
    RUN(opening)
    RUN(the_table_is_bounded)
    RUN(closing_and_renumbering)
    RUN(preopens)
    RUN(directory_entries)
    RUN(poll_clocks)
    RUN(poll_descriptors)
    RUN(poll_refusals)
    RUN(sockets)
    RUN(vyoma_module)
    RUN(capabilities_of_imports)
    RUN(table_of_functions)
    RUN(refusals_are_told)
    RUN(tracing)
    RUN(a_host_that_offers_nothing)
    RUN(a_remote_guest_gets_what_fits)
}

TEST_MAIN(run_all(); is_remote = true; run_all();)
