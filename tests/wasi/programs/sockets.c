/* grants: 13; ports: 2 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#define VYOMA(name) __attribute__((import_module("vyoma"), import_name(#name)))
VYOMA(net_connect) int vyoma_net_connect(const char *, size_t, int port, int *fd);
VYOMA(net_listener) int vyoma_net_listener(int port, int *fd);

static int port(int i)
{
    char name[] = "VYOMA_TEST_PORT_0";
    name[sizeof name - 2] = (char)('0' + i);
    return atoi(getenv(name));
}

int main(void)
{
    int listener = -1, other = -1, client, server;
    char text[32];
    CHECK(vyoma_net_listener(port(0), &listener) == 0 && listener == 3);
    CHECK(vyoma_net_listener(port(1), &other) == 0 && other == 4);
    CHECK(vyoma_net_listener(1, &other) != 0);
    CHECK(vyoma_net_connect("localhost", 9, port(0), &client) == 0);
    CHECK((server = accept(listener, NULL, NULL)) >= 0);
    CHECK(send(client, "hello", 5, 0) == 5);
    struct pollfd p = { .fd = server, .events = POLLIN };
    CHECK(poll(&p, 1, 2000) == 1 && (p.revents & POLLIN));
    CHECK(recv(server, text, sizeof text, MSG_PEEK) == 5);
    CHECK(recv(server, text, sizeof text, 0) == 5 && memcmp(text, "hello", 5) == 0);
    CHECK(write(server, "world", 5) == 5 && read(client, text, sizeof text) == 5);
    CHECK(fcntl(server, F_SETFL, O_NONBLOCK) == 0);
    FAILS(recv(server, text, 1, 0), EAGAIN);
    CHECK(shutdown(client, SHUT_WR) == 0);
    CHECK(poll(&p, 1, 2000) == 1 && recv(server, text, 1, 0) == 0);
    CHECK(close(client) == 0);
    CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
    FAILS(accept(listener, NULL, NULL), EAGAIN);
    FAILS(accept(server, NULL, NULL), ENOTCAPABLE);
    FAILS(accept(1, NULL, NULL), ENOTSOCK);
    /* Writing to whom has gone is an error and not the end. */
    for (int i = 0; i < 100 && write(server, text, 1) == 1; i++)
        usleep(1000);
    CHECK(errno == EPIPE || errno == ECONNRESET);
    DONE();
}
