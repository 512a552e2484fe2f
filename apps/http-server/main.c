/* The loop: waits for connections, for bytes on them and for the supervisor's answers, all at
 * once, and gives each connection its turn. Bounded everywhere: connections, buffers, time.
 *
 * It serves on every listening socket that it was born with; the ports are in vyoma.toml. */
#include <vyoma/fs.h>
#include <vyoma/net.h>
#include <vyoma/time.h>

#include "conn.h"
#include "status.h"

enum {
    CONNS = 96,
    LISTENERS = 4,
    SUBSCRIPTIONS = CONNS + LISTENERS + 2, /* poll_oneoff takes 128 */
    ACCEPT_ROUND = 16,
};

/* userdata of subscriptions that are not connections */
enum { ON_LISTENER = 1000, ON_STDIN = 2000, ON_CLOCK = 2001 };

/* After a failed accept (no descriptor is left): as long is not tried again. */
static const uint64_t ACCEPT_PAUSE_NS = 100000000;

static struct conn conns[CONNS];
static uint64_t accept_from_ns;
static int listeners[LISTENERS];
static unsigned listener_count;
static char line_bytes[4096 + 64];
static struct vy_lines lines = VY_LINES(VY_STDIN, line_bytes);

static void find_listeners(void)
{
    for (int fd = VY_FD_FIRST; fd < VY_FD_FIRST + VY_FD_SCAN; fd++) {
        __wasi_fdstat_t stat;
        if (listener_count < LISTENERS && __wasi_fd_fdstat_get(fd, &stat) == 0 &&
            stat.fs_filetype == __WASI_FILETYPE_SOCKET_STREAM) {
            vy_nonblocking(fd);
            listeners[listener_count++] = fd;
        }
    }
}

/* A place for one more, now or from *ret_ns on: a free one, or that of who has waited longest
 * for a request, so that idle clients keep nobody out. */
static struct conn *find_place(uint64_t *ret_ns)
{
    struct conn *longest = conns;
    *ret_ns = UINT64_MAX;
    for (struct conn *c = conns; c < conns + CONNS; c++) {
        uint64_t at_ns = c->state == CONN_FREE ? 0 : conn_yields_at(c);
        if (at_ns < *ret_ns) {
            *ret_ns = at_ns;
            longest = c;
        }
    }
    return longest;
}

static void accept_some(int listener, uint64_t now_ns)
{
    for (int i = 0; i < ACCEPT_ROUND; i++) {
        uint64_t from_ns;
        int fd;
        struct conn *c = find_place(&from_ns);
        if (from_ns > now_ns)
            return;
        int err = vy_accept(listener, &fd);
        if (err) {
            accept_from_ns = err == __WASI_ERRNO_AGAIN ? now_ns : now_ns + ACCEPT_PAUSE_NS;
            return;
        }
        if (c->state != CONN_FREE)
            conn_close(c);
        conn_open(c, fd, now_ns);
        conn_pump(c, now_ns);
    }
}

/* --- waiting ---------------------------------------------------------------------- */

static __wasi_subscription_t subs[SUBSCRIPTIONS];
static __wasi_event_t events[SUBSCRIPTIONS];
static __wasi_size_t sub_count;

static void watch(int fd, bool write, uint64_t userdata)
{
    __wasi_subscription_t *s = &subs[sub_count++];
    memset(s, 0, sizeof *s);
    s->userdata = userdata;
    s->u.tag = write ? __WASI_EVENTTYPE_FD_WRITE : __WASI_EVENTTYPE_FD_READ;
    s->u.u.fd_read.file_descriptor = fd; /* fd_write has the same layout */
}

static void watch_clock(uint64_t wait_ns)
{
    __wasi_subscription_t *s = &subs[sub_count++];
    memset(s, 0, sizeof *s);
    s->userdata = ON_CLOCK;
    s->u.tag = __WASI_EVENTTYPE_CLOCK;
    s->u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    s->u.u.clock.timeout = wait_ns;
}

/* What to wait for; with a clock only while there is a deadline, so that an idle server
 * costs nothing. */
static void prepare(uint64_t now_ns)
{
    uint64_t due = UINT64_MAX, room_ns;
    sub_count = 0;
    find_place(&room_ns);
    for (struct conn *c = conns; c < conns + CONNS; c++) {
        if (c->state == CONN_FREE)
            continue;
        uint64_t deadline = c->ready ? now_ns : c->deadline_ns;
        if (c->state == CONN_WAITS_STATUS && deadline > now_ns + 100000000)
            deadline = now_ns + 100000000;
        due = deadline < due ? deadline : due;
        if (c->state != CONN_WAITS_STATUS && !c->ready)
            watch(c->fd, c->wants_write, (uint64_t)(c - conns));
    }
    if (now_ns < accept_from_ns)
        due = accept_from_ns < due ? accept_from_ns : due;
    if (now_ns < room_ns)
        due = room_ns < due ? room_ns : due;
    for (unsigned i = 0; now_ns >= room_ns && now_ns >= accept_from_ns && i < listener_count; i++)
        watch(listeners[i], false, ON_LISTENER + i);
    if (!lines.eof)
        watch(VY_STDIN, false, ON_STDIN);
    if (due != UINT64_MAX)
        watch_clock(due > now_ns ? due - now_ns : 0);
}

/* --- events ----------------------------------------------------------------------- */

static void read_lines(void)
{
    char *line;
    do
        if ((line = vy_line(&lines)))
            status_line(line);
    while (line && memchr(lines.p + lines.start, '\n', lines.end - lines.start));
}

static void handle(const __wasi_event_t *e, uint64_t now_ns)
{
    if (e->userdata < CONNS)
        conn_pump(&conns[e->userdata], now_ns);
    else if (e->userdata >= ON_LISTENER && e->userdata < ON_LISTENER + LISTENERS)
        accept_some(listeners[e->userdata - ON_LISTENER], now_ns);
    else if (e->userdata == ON_STDIN)
        read_lines();
}

static void look_after_conns(uint64_t now_ns)
{
    for (struct conn *c = conns; c < conns + CONNS; c++) {
        if (c->state == CONN_WAITS_STATUS || (c->state != CONN_FREE && c->ready))
            conn_pump(c, now_ns);
        if (c->state != CONN_FREE && c->deadline_ns <= now_ns)
            conn_timeout(c, now_ns);
    }
}

int main(void)
{
    sources_init(vy_data_dir());
    find_listeners();
    if (!listener_count) {
        vy_warn("http-server: no listening socket: it needs ports in [capabilities.network]");
        return 1;
    }
    vy_println("http-server: ready");
    for (;;) {
        __wasi_size_t n = 0;
        prepare(vy_now_ns());
        int err = __wasi_poll_oneoff(subs, events, sub_count, &n);
        if (err && err != __WASI_ERRNO_INTR)
            return 1;
        uint64_t now_ns = vy_now_ns();
        for (__wasi_size_t i = 0; i < n; i++)
            handle(&events[i], now_ns);
        look_after_conns(now_ns);
    }
}
