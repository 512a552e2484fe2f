/* Waiting, sockets and messages, over a fake memory and a fake host. */
#include "wasi_guest.h"

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

static void run_all(void)
{
    RUN(poll_clocks)
    RUN(poll_descriptors)
    RUN(poll_refusals)
    RUN(sockets)
    RUN(vyoma_module)
}

TEST_MAIN(run_all(); is_remote = true; run_all();)
