/* Takes every action, compares it with what may be, and does it in the fake world. */
#include "sim.h"

#include "formats/manifest.h"
#include "trust/sha256.h"

void fail(struct world *w, const char *format, ...)
{
    if (w->failure)
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(w->failure_text, sizeof w->failure_text, format, args);
    va_end(args);
    w->failure = w->failure_text;
}

struct sapp *app_by_id(struct world *w, core_app id)
{
    for (int i = 0; i < SIM_APPS; i++)
        if (id && w->apps[i].id == id)
            return &w->apps[i];
    return NULL;
}

static bool has_cap(const struct sapp *a, enum manifest_cap cap)
{
    return a->plan.caps >> cap & 1;
}

/* --- lives ---------------------------------------------------------------------------- */

void model_life_begins(struct world *w, struct sapp *a)
{
    a->phase = PHASE_UP;
    a->paused = a->asked_to_stop = a->killed = a->eof = a->closed_stdin = false;
    a->reads = true;
    a->out_len = a->line_len = a->given_len = 0;
    a->deliver_open = a->deliver_open && a->deliver_len;
    memset(a->last_serial, 0, sizeof a->last_serial);
    memset(a->last_serial_life, 0, sizeof a->last_serial_life);
    memset(a->heard_from, 0, sizeof a->heard_from);
    a->recv_len = 0;
    a->emitted = a->refused = a->lost = a->wrong = a->arrived = 0;
    a->life_audit_sends = a->life_typed = 0;
    a->has_broadcast = a->recipient_died = a->overrun = false;
    a->files = a->connects = a->send_denials = a->other_denials = 0;
    a->audit_files = a->audit_connects = a->audit_send_denials = a->audit_other_denials = 0;
    a->audit_excess = a->audit_lumped = 0;
}

/* Every grant and every denial of the life is in the log: the counts are the same. */
static void compare_books(struct world *w, struct sapp *a)
{
    if (a->audit_files != a->files)
        fail(w, "%s: %" PRIu64 " files granted, %" PRIu64 " in the log", a->name, a->files,
             a->audit_files);
    if (a->audit_connects != a->connects)
        fail(w, "%s: %" PRIu64 " connections granted, %" PRIu64 " in the log", a->name,
             a->connects, a->audit_connects);
    uint64_t logged = a->audit_send_denials + a->audit_other_denials;
    uint64_t denied = a->send_denials + a->other_denials;
    bool exact = !a->overrun && !a->audit_lumped;
    if (logged + a->audit_lumped < denied && !a->overrun)
        fail(w, "%s: %" PRIu64 " denials, %" PRIu64 " in the log", a->name, denied, logged);
    if (exact && (a->audit_send_denials != a->send_denials ||
                  a->audit_other_denials != a->other_denials))
        fail(w, "%s: denied %" PRIu64 "+%" PRIu64 ", in the log %" PRIu64 "+%" PRIu64, a->name,
             a->send_denials, a->other_denials, a->audit_send_denials, a->audit_other_denials);
    uint64_t sent = a->life_audit_sends;
    if (sent < a->arrived + a->life_typed)
        fail(w, "%s: %" PRIu64 " lines and %" PRIu64 " messages arrived, %" PRIu64 " in the log",
             a->name, a->arrived, a->life_typed, sent);
}

static uint8_t policy_of(const struct world *w, const struct sapp *a)
{
    return w->boot_restart[a - w->apps];
}

void model_life_over(struct world *w, struct sapp *a, bool failed, bool hopeless)
{
    int index = (int)(a - w->apps);
    if (a->phase == PHASE_UP)
        compare_books(w, a);
    for (int i = 0; i < SIM_APPS; i++)
        w->apps[i].recipient_died |= i != index;
    a->phase = PHASE_NONE;
    a->id = 0;
    a->ending = a->paused = false;
    a->queue_len = 0;
    a->recv_len = 0;
    a->deliver_open = false;
    a->out_len = 0;
    uint8_t policy = policy_of(w, a);
    bool back = policy == 2 || (policy == 1 && failed);
    if (back && !hopeless && !a->touched && !w->stopping)
        a->due_back_ms = w->now_ms + 31000;
    a->touched = false;
}

/* --- actions --------------------------------------------------------------------------- */

static void on_load(struct world *w, const struct core_action *act)
{
    int index = app_index(w, act->name);
    if (index < 0)
        return; /* a name that only a corrupted boot.toml knows */
    struct sapp *a = &w->apps[index];
    if (a->id)
        fail(w, "%s is loaded while it lives", a->name);
    if (act->app == a->last_id || !act->app)
        fail(w, "%s has its old id again", a->name);
    if (w->stopping)
        fail(w, "%s is started while everything ends", a->name);
    if (a->restarts_len == 64)
        memmove(a->restarts_at, a->restarts_at + 1, sizeof a->restarts_at[0] * --a->restarts_len);
    if (a->last_id) {
        a->restarts_at[a->restarts_len++] = w->now_ms;
        w->n_restarts++;
    }
    a->id = a->last_id = act->app;
    a->phase = PHASE_LOADING;
    a->load_asked = true;
    a->due_back_ms = 0;
    a->touched = a->deliver_open = false;
}

static void check_grants(struct world *w, struct sapp *a, const struct core_grants *g)
{
    const struct plan *p = &a->plan;
    const struct manifest *m = g ? g->manifest : NULL;
    if (!m || !p->valid)
        fail(w, "%s is started without a manifest that allows it", a->name);
    else if (m->caps != p->caps)
        fail(w, "%s: granted %x, declared %x", a->name, m->caps, p->caps);
    else if ((m->network.ports_count ? m->network.ports[0] : 0) != p->port)
        fail(w, "%s: granted another port", a->name);
    else if (m->ipc.send_any != p->send_any || m->ipc.accept_broadcast != p->hears)
        fail(w, "%s: granted other messages", a->name);
    else if (p->memory_kib && g->memory_bytes != 1024ull * p->memory_kib)
        fail(w, "%s: granted other memory", a->name);
    else if (!span_eq_cstr(g->name, a->name))
        fail(w, "%s: grants of another", a->name);
}

static void on_deliver(struct world *w, struct sapp *a, const struct core_action *act)
{
    if (a->phase != PHASE_UP)
        fail(w, "%s gets input before it runs", a->name);
    else if (a->deliver_open)
        fail(w, "%s gets a second DELIVER", a->name);
    else if (a->closed_stdin)
        fail(w, "%s gets input after its end", a->name);
    else if (act->bytes.len == 0 || act->bytes.len > w->limits.stdin_bytes)
        fail(w, "%s gets %zu bytes", a->name, act->bytes.len);
    else {
        memcpy(a->deliver, act->bytes.p, act->bytes.len);
        a->deliver_len = act->bytes.len;
        a->deliver_open = true;
    }
}

static void on_reply(struct world *w, struct sapp *a, const struct core_action *act)
{
    uint32_t i = 0;
    while (i < a->recv_len && a->recv[i] != act->request_id)
        i++;
    if (i == a->recv_len) {
        fail(w, "%s: request %u is answered and was not open", a->name, act->request_id);
        return;
    }
    memmove(&a->recv[i], &a->recv[i + 1], (a->recv_len - i - 1) * sizeof a->recv[0]);
    a->recv_len--;
    if (act->request_id == w->next_request) { /* the one asked in this step, if one was */
        w->answered_id = act->request_id;
        w->answered_error = act->error;
    }
    if (act->name.len == 0 || act->error)
        return;
    /* A typed message: the next of the queue, or the one being sent right now. */
    uint32_t serial = 0;
    if (act->bytes.len >= sizeof serial)
        memcpy(&serial, act->bytes.p, sizeof serial);
    int from = app_index(w, act->name);
    if (!a->queue_len && w->sending && w->sending_to == a && serial == w->sending) {
        w->sent_directly = true;
        if (from != w->sending_from)
            fail(w, "%s: the sender of a message is not true", a->name);
    } else if (!a->queue_len || a->queue[a->queue_head].serial != serial) {
        fail(w, "%s got message %u out of turn", a->name, serial);
    } else {
        if (a->queue[a->queue_head].from != from)
            fail(w, "%s: the sender of a message is not true", a->name);
        a->queue_head = (a->queue_head + 1) % SIM_QUEUE;
        a->queue_len--;
    }
    if (from >= 0)
        a->heard_from[from] = w->apps[from].id;
    w->n_typed++;
}

static void on_pause(struct world *w, struct sapp *a, bool pause)
{
    bool *state = a ? &a->paused : &w->console_paused;
    if (*state == pause)
        fail(w, "%s is %s twice", a ? a->name : "the console", pause ? "paused" : "resumed");
    *state = pause;
    w->n_paused += pause;
}

/* No text of an app without `shell` may drive the terminal; the core itself uses ESC [ K. */
static void on_console(struct world *w, const struct core_action *act)
{
    for (size_t i = 0; i < act->bytes.len; i++) {
        uint8_t ch = act->bytes.p[i];
        bool own = ch == 0x1b && i + 2 < act->bytes.len && act->bytes.p[i + 1] == '[' &&
                   act->bytes.p[i + 2] == 'K';
        bool fine = ch >= 0x20 || ch == '\n' || ch == '\r' || ch == '\t' || ch == '\b' ||
                    ch == '\a' || own;
        if (w->owned && (!fine || ch == 0x7f))
            fail(w, "a control character %02x reaches the terminal", ch);
    }
}

static bool says_lost(struct span line)
{
    char text[CORE_AUDIT_BYTES_MAX + 1];
    snprintf(text, sizeof text, "%.*s", (int)line.len, (const char *)line.p);
    return strstr(text, ",\"lost\":") != NULL;
}

static void on_audit(struct world *w, const struct core_action *act)
{
    model_audit(w, act->bytes);
    if (w->log_len + act->bytes.len > SIM_LOG)
        return;
    if (!w->calm && rng_one_in(&w->rng, 3000))
        w->disk_full = 1 + rng_below(&w->rng, 40);
    if (w->lost_now || w->disk_full) {
        w->disk_full -= w->disk_full != 0;
        w->lost_now++;
        w->gap = true;
        return;
    }
    w->last_says_lost = w->gap && says_lost(act->bytes);
    w->gap &= !w->last_says_lost;
    w->log_last = w->log_len;
    memcpy(w->log + w->log_len, act->bytes.p, act->bytes.len);
    w->log_len += act->bytes.len;
    w->log_records++;
}

static void on_app_action(struct world *w, struct sapp *a, const struct core_action *act)
{
    switch (act->type) {
    case CORE_ACT_SPAWN:
        if (a->phase != PHASE_LOADED)
            fail(w, "%s is spawned out of turn", a->name);
        check_grants(w, a, act->grants);
        a->phase = PHASE_SPAWNING;
        a->spawn_asked = true;
        break;
    case CORE_ACT_UNLOAD:
        if (!a->ending)
            fail(w, "%s is unloaded while it lives", a->name);
        model_life_over(w, a, a->ending_failed, a->ending_hopeless);
        break;
    case CORE_ACT_DELIVER: on_deliver(w, a, act); break;
    case CORE_ACT_CLOSE_STDIN:
        if (a->deliver_open)
            fail(w, "%s: stdin is closed before all is delivered", a->name);
        a->closed_stdin = true;
        break;
    case CORE_ACT_REPLY: on_reply(w, a, act); break;
    case CORE_ACT_ASK_STOP: a->asked_to_stop = true; break;
    case CORE_ACT_KILL:
        if (a->phase != PHASE_UP || a->killed)
            fail(w, "%s is killed out of turn", a->name);
        a->killed = true;
        w->n_killed++;
        break;
    default: fail(w, "an action %d", (int)act->type);
    }
}

static void hash_in(struct world *w, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < len; i++)
        w->hash = (w->hash ^ p[i]) * 0x100000001b3u;
}

static void on_action(struct world *w, const struct core_action *act)
{
    if (w->powered) {
        fail(w, "an action after the power went off");
        return;
    }
    switch (act->type) {
    case CORE_ACT_LOAD: on_load(w, act); return;
    case CORE_ACT_CONSOLE:
    case CORE_ACT_CONSOLE_ERR: on_console(w, act); return;
    case CORE_ACT_AUDIT: on_audit(w, act); return;
    case CORE_ACT_TIMER: w->timer_ms = act->at_ms; return;
    case CORE_ACT_VERIFY:
        w->verify_open = true;
        w->verify_app = act->app;
        return;
    case CORE_ACT_POWER:
        w->powered = true;
        for (int i = 0; i < SIM_APPS; i++)
            if (w->apps[i].phase == PHASE_UP && !w->apps[i].killed)
                fail(w, "%s outlives the system", w->apps[i].name);
        if (!w->stopping && w->owned && w->boot_good)
            fail(w, "the power goes off unasked");
        return;
    case CORE_ACT_PAUSE:
    case CORE_ACT_RESUME:
        if (act->app && !app_by_id(w, act->app) && !w->foreign)
            fail(w, "a pause of an old life");
        else if (!act->app || app_by_id(w, act->app))
            on_pause(w, app_by_id(w, act->app), act->type == CORE_ACT_PAUSE);
        return;
    default: break;
    }
    struct sapp *a = app_by_id(w, act->app);
    if (a)
        on_app_action(w, a, act);
    else if (!w->foreign)
        fail(w, "action %d for %x, which does not live", (int)act->type, act->app);
}

static void print_bytes(struct span s)
{
    const char *wide = getenv("SIM_WIDTH");
    size_t limit = wide ? strtoul(wide, NULL, 10) : 100;
    for (size_t i = 0; i < s.len && i < limit; i++) {
        uint8_t ch = s.p[i];
        printf(ch == '\n' ? "\\n" : ch < 0x20 || ch >= 0x7f ? "\\x%02x" : "%c", ch);
    }
    printf(s.len > limit ? "... (%zu)\n" : "\n", s.len);
}

static void print_action(const struct core_action *act)
{
    static const char *const names[] = {
        "LOAD", "SPAWN", "UNLOAD", "DELIVER", "CLOSE_STDIN", "PAUSE", "RESUME", "REPLY",
        "ASK_STOP", "KILL", "CONSOLE", "CONSOLE_ERR", "AUDIT", "VERIFY", "TIMER", "POWER" };
    printf("    %s %x", names[act->type], act->app);
    if (act->type == CORE_ACT_TIMER)
        printf(" at %" PRIu64, act->at_ms);
    if (act->type == CORE_ACT_REPLY)
        printf(" #%u %d", act->request_id, act->error);
    printf(" %.*s |", (int)act->name.len, act->name.len ? (const char *)act->name.p : "");
    print_bytes(act->bytes);
}

void model_actions(struct world *w)
{
    for (uint32_t i = 0; i < w->actions->count && !w->failure; i++) {
        const struct core_action *act = &w->actions->list[i];
        if (w->verbose)
            print_action(act);
        hash_in(w, &act->type, sizeof act->type);
        hash_in(w, &act->app, sizeof act->app);
        hash_in(w, act->name.p, act->name.len);
        hash_in(w, act->bytes.p, act->bytes.len);
        on_action(w, act);
    }
}

void model_step(struct world *w, const struct core_event *ev)
{
    struct core_event event = *ev;
    if (w->powered || w->failure)
        return;
    event.now_ms = w->now_ms;
    event.unix_ms = w->unix_ms;
    w->step++;
    if (w->verbose) {
        printf("step %" PRIu64 " at %" PRIu64 ": event %d app %x error %d: ", w->step, w->now_ms,
               (int)ev->type, ev->app, ev->error);
        print_bytes(ev->text);
    }
    core_step(w->core, &event, w->actions);
    const char *broken = core_check(w->core);
    if (broken)
        fail(w, "core_check: %s", broken);
    if (w->corruption)
        mutant_apply(w);
    model_actions(w);
}

/* --- promises about time ---------------------------------------------------------------- */

void model_after_time(struct world *w)
{
    if (w->timer_ms && w->timer_ms <= w->now_ms)
        return; /* the host owes a timer: the core could not know */
    for (int i = 0; i < SIM_APPS; i++) {
        struct sapp *a = &w->apps[i];
        if (a->due_back_ms && a->due_back_ms < w->now_ms && !w->stopping && !w->meddled)
            fail(w, "%s has not come back by %" PRIu64, a->name, a->due_back_ms);
    }
    if (w->stopping && !w->powered && w->stop_by_ms < w->now_ms)
        fail(w, "everything should have ended by now");
}

/* The accounts of one app whose life goes on, after everything has come to rest. */
static void rest_one(struct world *w, struct sapp *a)
{
    if (a->paused)
        fail(w, "%s is paused for ever", a->name);
    if (a->phase != PHASE_UP)
        return;
    compare_books(w, a);
    if (a->deliver_open)
        fail(w, "%s has input that it was not given", a->name);
    if (a->queue_len && a->recv_len)
        fail(w, "%s waits for a message that waits for it", a->name);
    if (a->overrun || a->has_broadcast || a->closed_stdin || !a->plan.lines ||
        !has_cap(a, MANIFEST_CAP_STDIO))
        return;
    uint64_t accepted = a->life_audit_sends - a->life_typed;
    if (accepted > a->emitted)
        fail(w, "%s sent more than it said", a->name);
    uint64_t not_accepted = a->emitted - accepted;
    if (not_accepted > a->refused + a->lost)
        fail(w, "%s: %" PRIu64 " messages vanished", a->name,
             not_accepted - a->refused - a->lost);
    if (!a->recipient_died && a->arrived != accepted)
        fail(w, "%s: %" PRIu64 " messages accepted, %" PRIu64 " arrived", a->name, accepted,
             a->arrived);
    (void)has_cap;
}

void model_at_rest(struct world *w)
{
    for (int i = 0; i < SIM_APPS && !w->stopping; i++)
        rest_one(w, &w->apps[i]);
    if (w->console_paused)
        fail(w, "the console is paused for ever");
}
