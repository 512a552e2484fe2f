/* vyoma-bridge ADDRESS PORT text|json DIR...: what `vyoma bridge` runs. Its options are
 * explained and checked there (sdk/cli/bridge.c). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bridge.h"
#include "hosts/linux/resolve.h"

enum { KEY_BYTES = 16 };
enum { EXIT_BAD = 1, EXIT_USED_BADLY = 64, TICK_MS = 500, BACKLOG = 32 };

/* Polled: the signals, the listener, and for each relay its two sides. */
enum { SIGNALS, LISTENER, SIDES };

static struct relay *relays[BRIDGE_CONNECTIONS_MAX];
static size_t relay_count;

static uint64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int fail(const char *what, int error)
{
    fprintf(stderr, "vyoma bridge: %s: %s\n", what, strerror(error));
    return EXIT_BAD;
}

/* The listening socket, and the port that it got in *port; -1 with errno. */
static int listen_on(const struct bridge_options *o, uint16_t *port)
{
    struct sockaddr_storage addr;
    socklen_t len;
    int one = 1;
    if (!resolve_at_once(span_of_cstr(o->address), o->port, &addr, &len)) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr, len) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &len) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    *port = ntohs(addr.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&addr)->sin6_port
                                             : ((struct sockaddr_in *)&addr)->sin_port);
    return fd;
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* More than there is room for wait in the backlog. */
static void accept_one(const struct bridge_options *o, int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    struct relay *r = relay_new(o, fd, now_ms());
    if (r)
        relays[relay_count++] = r;
}

static void turn(struct pollfd *sides, uint64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < relay_count; i++) {
        struct pollfd *p = &sides[2 * i];
        if (relay_turn(relays[i], p[0].revents, p[1].fd >= 0 ? p[1].revents : 0, now))
            relays[kept++] = relays[i];
        else
            relay_free(relays[i]);
    }
    relay_count = kept;
}

static int loop(const struct bridge_options *o, int signals, int listener)
{
    struct pollfd fds[SIDES + 2 * BRIDGE_CONNECTIONS_MAX];
    fds[SIGNALS] = (struct pollfd){ .fd = signals, .events = POLLIN };
    for (;;) {
        bool is_full = relay_count == BRIDGE_CONNECTIONS_MAX;
        fds[LISTENER] = (struct pollfd){ .fd = is_full ? -1 : listener, .events = POLLIN };
        for (size_t i = 0; i < relay_count; i++) {
            struct pollfd *p = &fds[SIDES + 2 * i];
            p[0].fd = relay_events(relays[i], &p[0].events, &p[1].fd, &p[1].events);
            p[0].revents = p[1].revents = 0;
        }
        if (poll(fds, SIDES + 2 * relay_count, relay_count ? TICK_MS : -1) < 0 && errno != EINTR)
            return fail("poll", errno);
        if (fds[SIGNALS].revents)
            return 0;
        turn(&fds[SIDES], now_ms());
        if (fds[LISTENER].revents)
            accept_one(o, listener);
    }
}

static void say_where(const struct bridge_options *o, uint16_t port)
{
    bool is_v6 = strchr(o->address, ':') != NULL;
    char url[256];
    snprintf(url, sizeof url, "ws://%s%s%s:%u/%s", is_v6 ? "[" : "", o->address, is_v6 ? "]" : "",
             port, o->key);
    if (o->json)
        printf("{\"url\":\"%s\"}\n", url);
    else
        printf("%s\nOpen the page with #bridge=%s behind its address. Ctrl-C ends the bridge.\n", url,
               url);
    fflush(stdout);
}

int bridge_run(const struct bridge_options *o)
{
    uint16_t port;
    int signals = open_signals();
    if (signals < 0)
        return fail("signals", errno);
    int listener = listen_on(o, &port);
    if (listener < 0) {
        fprintf(stderr, "vyoma bridge: %s port %u: %s\n", o->address, o->port, strerror(errno));
        close(signals);
        return EXIT_BAD;
    }
    say_where(o, port);
    int code = loop(o, signals, listener);
    while (relay_count)
        relay_free(relays[--relay_count]);
    close(listener);
    close(signals);
    return code;
}

/* Not an argument: those can be seen by everyone on the machine. */
static bool make_key(char text[2 * KEY_BYTES + 1])
{
    uint8_t key[KEY_BYTES];
    struct strbuf b;
    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return false;
    strbuf_init(&b, text, 2 * KEY_BYTES);
    strbuf_hex_bytes(&b, span_of(key, sizeof key));
    text[b.len] = 0;
    return true;
}

int main(int argc, char **argv)
{
    enum { ADDRESS = 1, PORT, FORM, DIRS };
    static char key[2 * KEY_BYTES + 1];
    if (argc < DIRS + 1 || argc > DIRS + BRIDGE_DIRS_MAX) {
        fprintf(stderr, "vyoma-bridge: is for `vyoma bridge` to run\n");
        return EXIT_USED_BADLY;
    }
    struct bridge_options o = {
        .address = argv[ADDRESS],
        .port = (uint16_t)strtoul(argv[PORT], NULL, 10),
        .key = key,
        .json = strcmp(argv[FORM], "json") == 0,
        .apps_dirs = (const char *const *)argv + DIRS,
        .apps_dirs_count = (size_t)(argc - DIRS),
    };
    return make_key(key) ? bridge_run(&o) : fail("no random numbers", errno);
}
