/* grants: 1; stdin: "x" */
#include <fcntl.h>
#include <poll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    char c[8];
    struct pollfd p[2] = { { .fd = 0, .events = POLLIN }, { .fd = 1, .events = POLLOUT } };
    CHECK(poll(&p[1], 1, 1000) == 1 && (p[1].revents & POLLOUT));
    CHECK(poll(p, 1, 5000) == 1 && (p[0].revents & POLLIN));
    CHECK(read(0, c, sizeof c) > 0);
    while (read(0, c, sizeof c) > 0) {
    }
    /* The end of a stream is readable. */
    CHECK(poll(p, 1, 5000) == 1);
    double before = now();
    struct timeval t = { 0, 30000 };
    CHECK(select(0, NULL, NULL, NULL, &t) == 0);
    CHECK(now() - before >= 0.030);
    CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0 && (fcntl(0, F_GETFL) & O_NONBLOCK));
    CHECK(fcntl(0, F_SETFL, 0) == 0);
    DONE();
}
