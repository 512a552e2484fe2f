/* Files and paths: every import, with good and bad input, over a fake memory and a fake host. */
#include "wasi_guest.h"

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

static void run_all(void)
{
    RUN(reading_and_writing)
    RUN(transfers_check_guest_memory)
    RUN(long_iovec_lists_are_taken_in_part)
    RUN(seeking)
    RUN(file_controls)
    RUN(fdstat_and_filestat)
    RUN(each_path_call_needs_its_right)
    RUN(paths_are_checked_everywhere)
    RUN(paths_need_directories)
    RUN(path_arguments_reach_the_host)
    RUN(opening)
    RUN(preopens)
    RUN(directory_entries)
}

TEST_MAIN(run_all(); is_remote = true; run_all();)
