/* Fair shares of the supervisor's time.
 *
 * The supervisor is one thread that every message passes through; an app that floods it
 * would slow all others down. Time is cut into windows of 10 ms. What is done for an app
 * is charged to it. When more than one app was active in the last window, each may use
 * an equal part of this one; whoever has used up its part is not listened to until the
 * next window (its pipe fills and it blocks). One piece of work can cost more than what was
 * left: the rest is owed, and taken off the parts that follow. An app alone is never slowed
 * down. */
#include "internal.h"

enum { WINDOW_NS = 10 * 1000 * 1000, READ_BYTES_SHARED = 4096 };

static uint64_t share_ns(const struct sup *s)
{
    uint64_t active = s->window.active > s->window.active_before ? s->window.active
                                                                 : s->window.active_before;
    return active > 1 ? WINDOW_NS / active : UINT64_MAX;
}

/* Enters a into this window, with what it still owes for those before. */
static void enter_window(struct sup *s, struct app *a)
{
    uint64_t passed = s->window.number - a->window, share = share_ns(s);
    if (!passed)
        return;
    a->spent_ns = a->spent_ns / passed > share ? a->spent_ns - passed * share : 0;
    a->window = s->window.number;
    s->window.active++;
}

size_t fair_read_bytes(const struct sup *s)
{
    return share_ns(s) == UINT64_MAX ? OUTPUT_READ_BYTES : READ_BYTES_SHARED;
}

void fair_charge(struct sup *s, struct app *a, uint64_t ns)
{
    enter_window(s, a);
    a->spent_ns += ns;
    if (a->throttled || a->spent_ns <= share_ns(s))
        return;
    a->throttled = true;
    s->window.throttled++;
    sup_watch_output(s, a);
}

static void unthrottle(struct sup *s)
{
    for (uint32_t i = 0; i < CORE_APPS_MAX && s->window.throttled; i++) {
        struct app *a = &s->apps[i];
        if (!a->id || !a->throttled)
            continue;
        enter_window(s, a);
        if (a->spent_ns > share_ns(s))
            continue; /* it owes more than the whole of this window's part */
        a->throttled = false;
        s->window.throttled--;
        sup_watch_output(s, a);
    }
}

void fair_turn(struct sup *s, uint64_t now_ns)
{
    if (now_ns < s->window.ends_ns)
        return;
    s->window.active_before = s->window.active;
    s->window.active = 0;
    s->window.number++;
    s->window.ends_ns = now_ns + WINDOW_NS;
    if (s->window.throttled)
        unthrottle(s);
}

int fair_timeout_ms(const struct sup *s, uint64_t now_ns)
{
    if (!s->window.throttled)
        return -1;
    return now_ns >= s->window.ends_ns
               ? 0
               : (int)((s->window.ends_ns - now_ns + 999999) / 1000000);
}
