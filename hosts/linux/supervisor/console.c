/* The console: bytes typed, bytes shown.
 *
 * Output is kept in a bounded ring and written without blocking, so that a stopped
 * terminal or a slow reader does not stop the supervisor. Un-booted, apps are not
 * listened to while much is waiting (nothing is lost); in the image, where the system must
 * go on whatever becomes of the serial line, what does not fit is dropped with a notice. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "internal.h"

enum { UNOWNED_WRITE_BYTES = 4096 }; /* what a pipe takes without blocking after POLLOUT */

/* A terminal or pipe is opened anew, so that our O_NONBLOCK is not seen by others
 * who share the descriptor. A file never blocks and keeps its offset. */
static void outlet_open(struct outlet *o, int fd, enum watch_kind kind)
{
    char path[32];
    struct stat st;
    *o = (struct outlet){ .watch = { -1, 0 }, .kind = kind };
    if (fd < 0 || fstat(fd, &st) < 0)
        return;
    o->is_tty = isatty(fd);
    o->watch.fd = fd;
    if (!S_ISFIFO(st.st_mode) && !o->is_tty)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0)
        return;
    o->owned = true;
    o->watch.fd = own;
}

static void outlet_close(struct sup *s, struct outlet *o)
{
    if (o->watch.fd >= 0)
        sup_watch(s, &o->watch, o->kind, 0, 0);
    if (o->owned)
        close(o->watch.fd);
    o->watch.fd = -1;
    o->owned = false;
    o->len = 0;
}

/* Can it take a page now? Asked when the descriptor is not ours and may block. */
static bool takes_more(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    return poll(&p, 1, 0) == 1;
}

/* How many of n bytes went out; 0 when it takes none now; < 0 when its reader is gone. */
static ssize_t outlet_put(struct outlet *o, const uint8_t *p, size_t n)
{
    ssize_t w;
    if (!o->owned) {
        if (!takes_more(o->watch.fd))
            return 0;
        n = n < UNOWNED_WRITE_BYTES ? n : UNOWNED_WRITE_BYTES;
    }
    do {
        w = write(o->watch.fd, p, n);
    } while (w < 0 && errno == EINTR);
    return w < 0 && errno == EAGAIN ? 0 : w;
}

static void outlet_gone(struct sup *s, struct outlet *o)
{
    int error = errno;
    outlet_close(s, o);
    if (o != &s->console.out || s->o->owns_machine)
        return;
    s->console.gone = true;
    s->console.lost = error != EPIPE && error != EIO; /* EIO: a terminal that has hung up */
    if (s->console.lost)
        sup_notice(s, LOG_ERROR, "the output could not be written: %s", strerror(error));
}

/* Too much waits: whoever writes it has to wait too. */
static void set_full(struct sup *s)
{
    struct console *c = &s->console;
    size_t most = c->out.len > c->err.len ? c->out.len : c->err.len;
    bool full = !s->o->owns_machine && most > (size_t)(c->full ? CONSOLE_HIGH / 2 : CONSOLE_HIGH);
    if (full == c->full)
        return;
    c->full = full;
    sup_watch_all_output(s);
}

static void outlet_keep(struct outlet *o, struct span bytes)
{
    if (!o->bytes) {
        void *p = mmap(NULL, CONSOLE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
        if (p == MAP_FAILED) {
            o->dropped += bytes.len;
            return;
        }
        o->bytes = p;
    }
    size_t room = CONSOLE_BYTES - o->len;
    size_t n = bytes.len < room ? bytes.len : room;
    o->dropped += bytes.len - n;
    for (size_t done = 0; done < n;) {
        size_t at = (o->head + o->len) % CONSOLE_BYTES;
        size_t piece = CONSOLE_BYTES - at < n - done ? CONSOLE_BYTES - at : n - done;
        memcpy(o->bytes + at, bytes.p + done, piece);
        o->len += piece;
        done += piece;
    }
}

void tty_write(struct sup *s, enum core_stream stream, struct span bytes)
{
    struct outlet *o = stream == CORE_STDERR ? &s->console.err : &s->console.out;
    while (o->watch.fd >= 0 && o->len == 0 && bytes.len) {
        ssize_t n = outlet_put(o, bytes.p, bytes.len);
        if (n < 0) {
            outlet_gone(s, o);
            return;
        }
        if (n == 0)
            break;
        bytes = span_skip(bytes, (size_t)n);
    }
    if (o->watch.fd < 0 || !bytes.len)
        return;
    outlet_keep(o, bytes);
    sup_watch(s, &o->watch, o->kind, 0, EPOLLOUT);
    set_full(s);
}

static void tell_dropped(struct sup *s, struct outlet *o)
{
    char text[80];
    int n = snprintf(text, sizeof text, "\n[console: %llu bytes were dropped]\n",
                     (unsigned long long)o->dropped);
    o->dropped = 0;
    tty_write(s, o->kind == WATCH_CONSOLE_ERR ? CORE_STDERR : CORE_STDOUT,
                  span_of(text, (size_t)n));
}

void tty_drain(struct sup *s, struct outlet *o)
{
    while (o->len) {
        size_t n = CONSOLE_BYTES - o->head < o->len ? CONSOLE_BYTES - o->head : o->len;
        ssize_t w = outlet_put(o, o->bytes + o->head, n);
        if (w < 0) {
            outlet_gone(s, o);
            break;
        }
        if (w == 0)
            break;
        o->head = (o->head + (size_t)w) % CONSOLE_BYTES;
        o->len -= (size_t)w;
    }
    if (!o->len && o->watch.fd >= 0) {
        sup_watch(s, &o->watch, o->kind, 0, 0);
        if (o->dropped)
            tell_dropped(s, o);
    }
    set_full(s);
}

void tty_flush(struct sup *s)
{
    struct outlet *outlets[] = { &s->console.out, &s->console.err };
    for (size_t i = 0; i < 2; i++) {
        struct outlet *o = outlets[i];
        while (o->len && o->watch.fd >= 0) {
            struct pollfd p[2] = { { o->watch.fd, POLLOUT, 0 }, { s->signals, POLLIN, 0 } };
            int timeout = s->o->owns_machine ? 2000 : -1;
            if (poll(p, 2, timeout) <= 0 || p[1].revents)
                break;
            tty_drain(s, o);
        }
    }
}

/* --- input ------------------------------------------------------------------- */

static void watch_input(struct sup *s)
{
    struct console *c = &s->console;
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = (uint64_t)WATCH_CONSOLE_IN << 32 };
    bool wanted = !c->in_paused && !c->in_closed;
    if (c->in.fd < 0 || c->in_always_ready || wanted == (c->in.events != 0))
        return;
    if (epoll_ctl(s->epoll, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, c->in.fd, &ev) < 0 &&
        errno == EPERM)
        c->in_always_ready = true;
    c->in.events = wanted ? EPOLLIN : 0;
}

static void set_raw(struct console *c)
{
    struct termios t;
    if (tcgetattr(c->in.fd, &c->saved) < 0)
        return;
    t = c->saved;
    t.c_iflag &= ~(tcflag_t)(ICRNL | IXON | BRKINT | INPCK | ISTRIP);
    t.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    c->raw = tcsetattr(c->in.fd, TCSANOW, &t) == 0;
}

void tty_open(struct sup *s)
{
    struct console *c = &s->console;
    c->in = (struct watch){ s->o->console_in, 0 };
    c->in_is_tty = c->in.fd >= 0 && isatty(c->in.fd);
    outlet_open(&c->out, s->o->console_out, WATCH_CONSOLE_OUT);
    outlet_open(&c->err, s->o->console_err, WATCH_CONSOLE_ERR);
    if (s->o->console_raw && c->in_is_tty)
        set_raw(c);
    watch_input(s);
}

void tty_close(struct sup *s)
{
    struct console *c = &s->console;
    struct outlet *outlets[] = { &c->out, &c->err };
    if (c->raw)
        tcsetattr(c->in.fd, TCSADRAIN, &c->saved);
    c->raw = false;
    for (size_t i = 0; i < 2; i++) {
        outlet_close(s, outlets[i]);
        if (outlets[i]->bytes)
            munmap(outlets[i]->bytes, CONSOLE_BYTES);
        outlets[i]->bytes = NULL;
    }
}

void tty_pause(struct sup *s, bool paused)
{
    s->console.in_paused = paused;
    watch_input(s);
}

void tty_readable(struct sup *s)
{
    struct console *c = &s->console;
    uint8_t bytes[CONSOLE_READ_BYTES];
    if (c->in_paused || c->in_closed)
        return;
    ssize_t n = read(c->in.fd, bytes, sizeof bytes);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        c->in_closed = true;
        watch_input(s);
        n = 0;
    }
    struct core_event ev = { .type = CORE_EV_CONSOLE, .text = span_of(bytes, (size_t)n) };
    sup_event(s, &ev);
}

void tty_size(struct sup *s)
{
    struct winsize size;
    struct core_event ev = { .type = CORE_EV_CONSOLE_SIZE };
    if (s->console.out.is_tty && ioctl(s->o->console_out, TIOCGWINSZ, &size) == 0) {
        ev.count = size.ws_col ? size.ws_col : 80;
        ev.count2 = size.ws_row ? size.ws_row : 24;
        sup_event(s, &ev);
    }
}
