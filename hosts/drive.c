/* Turns core's actions into calls of a host's table, and what those answer into events.
 *
 * Answers wait in a ring until all actions of the step are done: core's texts, which
 * actions borrow, live only until the next core_step. */
#include "hosts/host.h"

#include "base/assert.h"
#include "base/err.h"

void host_init(struct host *h, struct core *core, const struct host_ops *ops)
{
    h->core = core;
    h->ops = ops;
    h->answers_head = 0;
    h->answers_count = 0;
    h->audits_lost = 0;
}

static struct host_answer *answer_new(struct host *h, enum core_event_type type, core_app app,
                                      int error)
{
    base_assert(h->answers_count < base_countof(h->answers));
    uint32_t at = (h->answers_head + h->answers_count++) % base_countof(h->answers);
    h->answers[at] = (struct host_answer){ .type = type, .app = app, .error = error };
    return &h->answers[at];
}

static void do_load(struct host *h, const struct core_action *a)
{
    struct host_loaded loaded = { 0 };
    int r = h->ops->load(h->ops->ctx, a->app, a->name, &loaded);
    if (r == E_AGAIN)
        return;
    struct host_answer *answer = answer_new(h, CORE_EV_LOADED, a->app, r);
    answer->text = loaded.manifest;
    memcpy(answer->hash, loaded.hash, sizeof answer->hash);
}

static void do_spawn(struct host *h, const struct core_action *a)
{
    struct host_spawned spawned = { 0 };
    int r = h->ops->spawn(h->ops->ctx, a->app, a->grants, &spawned);
    if (r == E_AGAIN)
        return;
    struct host_answer *answer = answer_new(h, CORE_EV_SPAWNED, a->app, r);
    answer->pid = spawned.pid;
    answer->text = spawned.why;
}

static void do_verify(struct host *h, const struct core_action *a)
{
    uint8_t hash[32] = { 0 };
    int r = h->ops->verify(h->ops->ctx, a->app, a->name, hash);
    if (r == E_AGAIN)
        return;
    struct host_answer *answer = answer_new(h, CORE_EV_VERIFIED, a->app, r);
    memcpy(answer->hash, hash, sizeof answer->hash);
}

static void do_deliver(struct host *h, const struct core_action *a)
{
    int r = h->ops->write_stdin(h->ops->ctx, a->app, a->bytes);
    if (r == E_AGAIN)
        return;
    struct host_answer *answer = answer_new(h, CORE_EV_DELIVERED, a->app, r < 0 ? r : 0);
    answer->count = r > 0 ? (uint64_t)r : 0;
}

static void do_action(struct host *h, const struct core_action *a)
{
    const struct host_ops *ops = h->ops;
    switch (a->type) {
    case CORE_ACT_LOAD: do_load(h, a); break;
    case CORE_ACT_SPAWN: do_spawn(h, a); break;
    case CORE_ACT_VERIFY: do_verify(h, a); break;
    case CORE_ACT_DELIVER: do_deliver(h, a); break;
    case CORE_ACT_UNLOAD: ops->unload(ops->ctx, a->app); break;
    case CORE_ACT_CLOSE_STDIN: ops->close_stdin(ops->ctx, a->app); break;
    case CORE_ACT_PAUSE: ops->pause_output(ops->ctx, a->app, true); break;
    case CORE_ACT_RESUME: ops->pause_output(ops->ctx, a->app, false); break;
    case CORE_ACT_REPLY:
        ops->reply(ops->ctx, a->app, a->request_id, a->error, a->name, a->bytes);
        break;
    case CORE_ACT_ASK_STOP: ops->ask_stop(ops->ctx, a->app); break;
    case CORE_ACT_KILL: ops->kill(ops->ctx, a->app); break;
    case CORE_ACT_CONSOLE: ops->console(ops->ctx, CORE_STDOUT, a->bytes); break;
    case CORE_ACT_CONSOLE_ERR:
        if (a->is_notice && ops->notice)
            ops->notice(ops->ctx, a->bytes);
        else
            ops->console(ops->ctx, CORE_STDERR, a->bytes);
        break;
    case CORE_ACT_AUDIT:
        if (h->audits_lost || ops->audit(ops->ctx, a->bytes) < 0)
            h->audits_lost++; /* one gap: what comes after it waits until core knows */
        break;
    case CORE_ACT_TIMER: ops->timer(ops->ctx, a->at_ms); break;
    case CORE_ACT_POWER: ops->power(ops->ctx, a->stop, a->code); break;
    }
}

static void step(struct host *h, struct core_event *event)
{
    event->now_ms = h->ops->now_ms(h->ops->ctx);
    event->unix_ms = h->ops->unix_ms(h->ops->ctx);
    h->actions.count = 0;
    core_step(h->core, event, &h->actions);
    for (uint32_t i = 0; i < h->actions.count; i++)
        do_action(h, &h->actions.list[i]);
}

static void step_answers(struct host *h)
{
    while (h->answers_count) {
        struct host_answer answer = h->answers[h->answers_head];
        h->answers_head = (h->answers_head + 1) % base_countof(h->answers);
        h->answers_count--;
        struct core_event ev = { .type = answer.type,
                                 .app = answer.app,
                                 .error = answer.error,
                                 .pid = answer.pid,
                                 .count = answer.count,
                                 .text = answer.text };
        memcpy(ev.hash, answer.hash, sizeof ev.hash);
        step(h, &ev);
    }
}

void host_event(struct host *h, struct core_event *event)
{
    base_assert(h->answers_count == 0); /* not from within a host_ops function */
    step(h, event);
    step_answers(h);
    /* Core's record about the loss may be lost as well. It does not write one for each
     * loss, so this ends. */
    while (h->audits_lost) {
        struct core_event lost = { .type = CORE_EV_AUDIT_LOST, .count = h->audits_lost };
        h->audits_lost = 0;
        step(h, &lost);
        step_answers(h);
    }
}
