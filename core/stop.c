/* The end of everything: all are asked, after a time of grace killed, then the power goes
 * off. In batches, so that a thousand apps do not make one step long. */
#include "state.h"

enum { BATCH = 256 };

void stop_begin(struct core *c, enum core_stop stop)
{
    if (c->stopping) { /* asked twice: no more grace */
        c->stop_hasty = true;
        c->stop_kill_ms = c->now_ms;
        wake_at(c, c->now_ms);
        return;
    }
    c->stopping = true;
    c->stop = stop;
    c->stop_cursor = 0;
    c->stop_kill_ms = c->now_ms + c->stop_grace_ms;
    c->stop_force_ms = UINT64_MAX;
    wake_at(c, c->now_ms);
}

static void stop_one(struct core *c, struct app *a)
{
    if (c->stop_killing && app_is_up(a))
        life_kill(c, a, WISH_STOP);
    else if (!c->stop_killing)
        life_stop(c, a, WISH_STOP);
}

/* Each app is asked once, then each is killed once. */
void stop_continue(struct core *c)
{
    if (!c->stopping)
        return;
    if (!c->stop_killing && c->stop_kill_ms <= c->now_ms) {
        c->stop_killing = true;
        c->stop_cursor = 0;
        c->stop_force_ms = c->now_ms + STOP_FORCE_MS;
    }
    for (unsigned i = 0; i < BATCH && c->stop_cursor < c->apps_used && step_has_room(c); i++)
        stop_one(c, app_at(c, c->stop_cursor++));
    if (c->stop_cursor < c->apps_used)
        wake_at(c, c->now_ms);
    else
        wake_at(c, c->stop_killing ? c->stop_force_ms : c->stop_kill_ms);
}

/* Nothing runs and nothing will, and nobody asked for a machine that waits. */
static bool is_idle(const struct core *c)
{
    return c->booted && !c->owns_machine && c->anything_started && c->alive_count == 0 &&
           c->pending_count == 0;
}

void stop_check(struct core *c)
{
    if (!c->stopping && is_idle(c)) {
        c->stopping = true;
        c->stop = CORE_STOP_EXIT;
    }
    if (!c->stopping)
        return;
    bool forced = c->stop_killing && c->stop_force_ms <= c->now_ms;
    if (c->alive_count && !forced)
        return;
    struct core_action *action = act(c, CORE_ACT_POWER, NULL);
    action->stop = c->stop;
    action->code = c->exit_code;
    c->powered = true;
}
