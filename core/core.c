/* The machine itself: its memory, and from an event to the files that know what to
 * do about it. */
#include "state.h"

#include "base/checked.h"
#include "base/err.h"

#define CORE_MAGIC 0x56796f6d61436f72u /* "VyomaCor" */

static uint32_t limit(uint32_t wanted, uint32_t least, uint32_t most)
{
    if (wanted == 0 || wanted > most)
        return most;
    least = least < most ? least : most;
    return wanted < least ? least : wanted;
}

/* The nearest workable limits to l that are not above most. */
struct core_limits limits_of(const struct core_limits *l, const struct core_limits *most)
{
    static const struct core_limits constants = { CORE_APPS_MAX, CORE_LINE_BYTES_MAX,
                                                  CORE_STDIN_BYTES_MAX, CORE_MSG_QUEUE_BYTES_MAX,
                                                  CORE_LOG_BYTES_MAX };
    struct core_limits zero = { 0 };
    if (!l)
        l = &zero;
    if (!most)
        most = &constants;
    struct core_limits r;
    r.apps = limit(l->apps, 1, most->apps);
    r.line_bytes = limit(l->line_bytes, 256, most->line_bytes);
    uint32_t lines = 4 * (r.line_bytes + LINE_FRAMING_MAX);
    r.stdin_bytes = limit(l->stdin_bytes, lines > 4096 ? lines : 4096, most->stdin_bytes);
    r.msg_queue_bytes = limit(l->msg_queue_bytes, 1024, most->msg_queue_bytes);
    r.log_bytes = limit(l->log_bytes, 1024, most->log_bytes);
    return r;
}

/* Bytes of a slot's parts, in this order. */
struct slot_layout {
    size_t keep, line, log, hold, in, msgs, total;
};

static size_t round16(size_t n)
{
    return (n + 15) & ~(size_t)15;
}

static struct slot_layout layout_of(const struct core_limits *l)
{
    struct slot_layout s;
    s.keep = MANIFEST_KEEP_BYTES;
    s.line = round16(l->line_bytes + 1);
    s.log = round16(l->log_bytes);
    s.hold = round16(2 * (size_t)CORE_OUTPUT_BYTES_MAX + l->line_bytes + 1);
    s.in = round16(l->stdin_bytes);
    s.msgs = round16(l->msg_queue_bytes);
    s.total = round16(sizeof(struct app)) + s.keep + 2 * s.line + s.log + s.hold + s.in + s.msgs;
    return s;
}

static uint32_t names_size(uint32_t apps)
{
    uint32_t n = 4;
    while (n < 2 * apps)
        n *= 2;
    return n;
}

static size_t text_size(const struct core_limits *l)
{
    return STEP_AUDIT_BYTES + STEP_TEXT_BYTES + round16(l->msg_queue_bytes);
}

size_t slot_size(const struct core_limits *l)
{
    return layout_of(l).total;
}

size_t core_size(const struct core_limits *limits)
{
    struct core_limits l = limits_of(limits, NULL);
    return round16(sizeof(struct core)) + round16(names_size(l.apps) * sizeof(uint16_t)) +
           round16(l.apps * sizeof(uint16_t)) + round16(l.line_bytes + LINE_FRAMING_MAX) +
           MANIFEST_SCRATCH_BYTES + (size_t)CORE_AUDIT_RECENT * CORE_AUDIT_BYTES_MAX +
           text_size(&l) + (size_t)l.apps * layout_of(&l).total;
}

/* The next `bytes` of the block. */
static void *carve(uint8_t **at, size_t bytes)
{
    void *p = *at;
    *at += round16(bytes);
    return p;
}

struct core *core_init(void *memory, const struct core_limits *limits)
{
    uint8_t *at = memory;
    struct core *c = carve(&at, sizeof *c);
    c->magic = CORE_MAGIC;
    c->limits = limits_of(limits, NULL);
    uint32_t names = names_size(c->limits.apps);
    c->names = carve(&at, names * sizeof *c->names);
    c->names_mask = names - 1;
    c->heap = carve(&at, c->limits.apps * sizeof *c->heap);
    c->line = carve(&at, c->limits.line_bytes + LINE_FRAMING_MAX);
    c->scratch = carve(&at, MANIFEST_SCRATCH_BYTES);
    c->audit.recent = (char(*)[CORE_AUDIT_BYTES_MAX])carve(
        &at, (size_t)CORE_AUDIT_RECENT * CORE_AUDIT_BYTES_MAX);
    c->text_bytes = text_size(&c->limits);
    c->text_base = carve(&at, c->text_bytes);
    c->slots = at;
    c->slot_bytes = slot_size(&c->limits);
    c->stop_grace_ms = STOP_GRACE_MS;
    list_init(&c->ready);
    list_init(&c->dirty);
    list_init(&c->hearers);
    c->wake_ms = c->armed_ms = c->audit.notice_due_ms = UINT64_MAX;
    c->console.focus = c->console.home = NO_SLOT;
    c->console.terminal = c->console.fresh = true;
    return c;
}

/* --- actions ------------------------------------------------------------------ */

bool step_has_room(const struct core *c)
{
    return c->actions->count + ACTIONS_RESERVE < CORE_ACTIONS_MAX &&
           c->text.size - c->text.used > STEP_AUDIT_BYTES / 2;
}

struct core_action *act(struct core *c, enum core_action_type type, const struct app *a)
{
    base_assert(c->actions->count < CORE_ACTIONS_MAX);
    struct core_action *action = &c->actions->list[c->actions->count++];
    memset(action, 0, sizeof *action);
    action->type = type;
    action->app = a ? a->id : 0;
    return action;
}

struct span step_copy(struct core *c, struct span s, size_t reserve)
{
    size_t need;
    if (!checked_add_size(s.len, reserve, &need) || c->text.size - c->text.used < need)
        return SPAN_NONE;
    uint8_t *p = c->text.base + c->text.used;
    if (s.len)
        memcpy(p, s.p, s.len);
    c->text.used += s.len;
    return span_of(p, s.len);
}

void act_reply(struct core *c, const struct app *a, uint32_t request_id, int error,
               struct span name, struct span bytes)
{
    struct core_action *action = act(c, CORE_ACT_REPLY, a);
    action->request_id = request_id;
    action->error = error;
    action->name = name;
    action->bytes = bytes;
}

void wake_at(struct core *c, uint64_t at_ms)
{
    c->wake_ms = min_u64(c->wake_ms, at_ms);
}

/* --- one step ------------------------------------------------------------------ */

/* Events of one live app. An id of an earlier life finds nothing here. */
static void app_event(struct core *c, const struct core_event *ev)
{
    struct app *a = apps_live(c, ev->app);
    if (!a)
        return;
    switch (ev->type) {
    case CORE_EV_LOADED: life_loaded(c, a, ev); break;
    case CORE_EV_SPAWNED: life_spawned(c, a, ev); break;
    case CORE_EV_OUTPUT: output_event(c, a, ev); break;
    case CORE_EV_DELIVERED: stdin_delivered(c, a, ev); break;
    case CORE_EV_REQUEST: request_event(c, a, &ev->request); break;
    case CORE_EV_TRAPPED: life_trapped(c, a, ev); break;
    case CORE_EV_REFUSED: life_refused(c, a, ev); break;
    case CORE_EV_EXITED: life_exited(c, a, ev); break;
    case CORE_EV_DENIED: policy_denied(c, a, ev->denied, ev->text); break;
    default: break;
    }
}

static void dispatch(struct core *c, const struct core_event *ev)
{
    switch (ev->type) {
    case CORE_EV_BOOT: boot_event(c, ev); break;
    case CORE_EV_START: boot_start(c, ev); break;
    case CORE_EV_CONSOLE: console_event(c, ev); break;
    case CORE_EV_CONSOLE_SIZE: console_size(c, ev); break;
    case CORE_EV_VERIFIED: shell_verified(c, ev); break;
    case CORE_EV_TIMER: c->armed_ms = UINT64_MAX; break;
    case CORE_EV_STOP: stop_begin(c, ev->stop); break;
    case CORE_EV_AUDIT_LOST: audit_lost(c, ev->count); break;
    default: app_event(c, ev); break;
    }
}

/* Each need of an app that has come due. Ends with the timer set for the next. */
static void app_timers(struct core *c, struct app *a)
{
    uint64_t now = c->now_ms;
    if (a->state == APP_BACKOFF && a->backoff_until_ms <= now)
        life_restart_due(c, a);
    if (a->state == APP_STOPPING && !a->killed && a->kill_at_ms <= now)
        life_kill(c, a, a->wish);
    if (app_is_up(a))
        life_watchdog(c, a);
    if (a->blocked && a->block_deadline_ms <= now)
        flow_expired(c, a);
    if (a->tally_due_ms <= now)
        tally_flush(c, a);
    if (a->hidden_due_ms <= now)
        screen_hidden_due(c, a);
    if (a->input_end_ms <= now)
        console_input_due(c, a);
    messages_expire(c, a);
}

/* The earliest need of an app; UINT64_MAX when it has none. */
uint64_t app_due(const struct app *a)
{
    uint64_t due = min_u64(min_u64(a->tally_due_ms, a->hidden_due_ms), a->input_end_ms);
    if (a->state == APP_BACKOFF)
        due = min_u64(due, a->backoff_until_ms);
    if (a->state == APP_STOPPING && !a->killed)
        due = min_u64(due, a->kill_at_ms);
    if (app_is_up(a) && a->manifest.watchdog_secs && !a->killed)
        due = min_u64(due, a->last_sign_ms + 1000ull * a->manifest.watchdog_secs);
    if (a->blocked)
        due = min_u64(due, a->block_deadline_ms);
    return min_u64(due, messages_deadline(a));
}

static void run_timers(struct core *c)
{
    enum { BATCH = 4 };
    for (int i = 0; i < BATCH && step_has_room(c); i++) {
        struct app *a = timer_pop(c, c->now_ms);
        if (!a)
            return;
        app_timers(c, a);
        uint64_t due = a->state == APP_FREE ? UINT64_MAX : app_due(a);
        if (due != UINT64_MAX) /* never again in this step: others want their turn */
            timer_want(c, a, due > c->now_ms ? due : c->now_ms + 1);
    }
}

/* One TIMER action, when the time that the host knows is not the right one. */
static void arm_timer(struct core *c)
{
    uint64_t at = c->wake_ms;
    if (c->heap_len)
        at = min_u64(at, app_at(c, c->heap[0])->due_ms);
    if (at == UINT64_MAX || at == c->armed_ms || c->powered)
        return;
    /* A timer that goes off early costs one empty step; one that is replaced at every
     * step costs a system call each. So an earlier one is left alone. */
    if (c->armed_ms < at && c->armed_ms > c->now_ms)
        return;
    act(c, CORE_ACT_TIMER, NULL)->at_ms = at;
    c->armed_ms = at;
}

void core_step(struct core *c, const struct core_event *event, struct core_actions *actions)
{
    base_assert(c->magic == CORE_MAGIC);
    c->actions = actions;
    actions->count = 0;
    arena_init(&c->text, c->text_base, c->text_bytes);
    if (event->now_ms > c->now_ms)
        c->now_ms = event->now_ms;
    c->unix_ms = event->unix_ms;
    if (c->powered)
        return;
    if (c->wake_ms <= c->now_ms)
        c->wake_ms = UINT64_MAX;
    dispatch(c, event);
    run_timers(c);
    audit_losses_due(c);
    stop_continue(c);
    flow_run_ready(c);
    stdin_flush(c);
    stop_check(c);
    arm_timer(c);
}
