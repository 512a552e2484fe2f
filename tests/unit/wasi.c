/* What is left of the imports when files (wasi_files.c) and waiting (wasi_waiting.c) have gone: with
 * good and bad input, over a fake memory and a fake host. */
#include "wasi_guest.h"

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
    RUN(a_guest_without_memory)
    RUN(rights_only_shrink)
    RUN(the_table_is_bounded)
    RUN(closing_and_renumbering)
    RUN(capabilities_of_imports)
    RUN(table_of_functions)
    RUN(refusals_are_told)
    RUN(tracing)
    RUN(a_host_that_offers_nothing)
    RUN(a_remote_guest_gets_what_fits)
}

TEST_MAIN(run_all(); is_remote = true; run_all();)
