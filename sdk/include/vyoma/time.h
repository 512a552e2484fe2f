/* Clocks, waiting and randomness. */
#ifndef VYOMA_TIME_H
#define VYOMA_TIME_H

#include <vyoma/io.h>

/* Nanoseconds of a clock that only goes forward; its zero means nothing. */
VY_FN uint64_t vy_now_ns(void)
{
    __wasi_timestamp_t t = 0;
    (void)!__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &t);
    return t;
}

/* Nanoseconds since 1970 UTC; may jump when the clock is set. */
VY_FN uint64_t vy_unix_ns(void)
{
    __wasi_timestamp_t t = 0;
    (void)!__wasi_clock_time_get(__WASI_CLOCKID_REALTIME, 1, &t);
    return t;
}

/* Waits until fd can be read or the time is over (timeout_ns UINT64_MAX: no end to it;
 * fd -1: only waits). True when fd can be read, is at its end or broken. */
VY_FN bool vy_wait(int fd, uint64_t timeout_ns)
{
    __wasi_subscription_t subs[2];
    __wasi_event_t events[2];
    __wasi_size_t n = 0;
    memset(subs, 0, sizeof subs);
    if (fd >= 0) {
        subs[n].userdata = 1;
        subs[n].u.tag = __WASI_EVENTTYPE_FD_READ;
        subs[n++].u.u.fd_read.file_descriptor = fd;
    }
    if (timeout_ns != UINT64_MAX) {
        subs[n].u.tag = __WASI_EVENTTYPE_CLOCK;
        subs[n].u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
        subs[n++].u.u.clock.timeout = timeout_ns;
    }
    __wasi_size_t got = 0;
    if (n == 0 || __wasi_poll_oneoff(subs, events, n, &got))
        return fd >= 0;
    for (__wasi_size_t i = 0; i < got; i++)
        if (events[i].userdata == 1)
            return true;
    return false;
}

VY_FN void vy_sleep_ms(uint32_t ms)
{
    vy_wait(-1, (uint64_t)ms * 1000000);
}

VY_FN uint64_t vy_random(void)
{
    uint64_t v = 0;
    (void)!__wasi_random_get((uint8_t *)&v, sizeof v);
    return v;
}

/* A moment in the proleptic Gregorian calendar, UTC. */
struct vy_date {
    uint32_t year, month, day; /* month and day from 1 */
    uint32_t hour, minute, second;
    uint32_t weekday; /* 0 is Sunday */
};

/* From seconds since 1970. Days are counted from 1 March of year 0, so that the leap day is
 * the last of its year; 146,097 days are 400 years. */
VY_FN void vy_date_from_unix(uint64_t seconds, struct vy_date *ret)
{
    uint64_t days = seconds / 86400 + 719468;
    uint32_t rest = (uint32_t)(seconds % 86400);
    uint32_t era = (uint32_t)(days / 146097);
    uint32_t doe = (uint32_t)(days % 146097);
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t m = (5 * doy + 2) / 153;
    ret->day = doy - (153 * m + 2) / 5 + 1;
    ret->month = m < 10 ? m + 3 : m - 9;
    ret->year = yoe + era * 400 + (m >= 10);
    ret->hour = rest / 3600;
    ret->minute = rest / 60 % 60;
    ret->second = rest % 60;
    ret->weekday = (uint32_t)((days + 3) % 7); /* 1 March of year 0 was a Wednesday */
}

#endif
