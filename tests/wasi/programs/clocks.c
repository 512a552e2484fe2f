/* grants: 1 */
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static double now(clockid_t id)
{
    struct timespec t;
    CHECK(clock_gettime(id, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
    struct timespec t = { 0, 30 * 1000 * 1000 };
    double mono = now(CLOCK_MONOTONIC), real = now(CLOCK_REALTIME);
    CHECK(nanosleep(&t, NULL) == 0);
    double slept = now(CLOCK_MONOTONIC) - mono;
    CHECK(slept >= 0.030 && slept < 2);
    CHECK(now(CLOCK_REALTIME) - real > 0.029);
    CHECK(real > 1.7e9);
    CHECK(clock_getres(CLOCK_MONOTONIC, &t) == 0 && t.tv_sec == 0 && t.tv_nsec > 0);
    CHECK(now(CLOCK_PROCESS_CPUTIME_ID) < 2);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
    t.tv_nsec += 20 * 1000 * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    CHECK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == 0);
    CHECK(sched_yield() == 0);
    CHECK(usleep(1000) == 0);
    DONE();
}
