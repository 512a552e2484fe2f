/* One app from load to exit, and what happens after that.
 *
 *   WAITING -> LOADING -> SPAWNING -> RUNNING -> STOPPING
 *      ^          |          |           |          |
 *      |          v          v           v          v
 *      |        (the life has ended: after_life decides)
 *   BACKOFF <------ restart policy, within its budget
 *   ENDED, FAILED <- otherwise
 *
 * Every life is loaded anew: the module's hash must be the one of the first life,
 * until the operator reloads. */
#include "state.h"

#include "base/err.h"
#include "formats/error.h"

/* Exit codes of `vyoma run` for an app that never ran; see DESIGN "What a person sees". */
enum { CODE_FAILED = 1, CODE_NOT_FOUND = 3, CODE_DENIED = 5, CODE_HASH = 6, CODE_REFUSED = 126,
       CODE_TRAP = 134, CODE_SIGNAL = 128 };

void life_begin(struct core *c, struct app *a)
{
    a->wish = WISH_NONE;
    a->killed = a->watchdog_hit = a->was_running = a->deliver_open = a->close_wanted = false;
    a->stdin_closed = a->clogged = a->raw_keys = a->denied_import = false;
    a->last_sender = 0;
    a->heard_state = a->heard_len = 0;
    a->lost_system = 0;
    a->input_end_ms = UINT64_MAX;
    a->pid = 0;
    a->exit_code = 0;
    a->exit_kind = CORE_EXIT_CODE;
    a->exit_value = 0;
    apps_set_state(c, a, APP_LOADING);
    c->anything_started = true;
    struct core_action *action = act(c, CORE_ACT_LOAD, a);
    action->name = app_name(a);
}

void life_start(struct core *c, struct app *a)
{
    if (app_is_alive(a) || c->stopping)
        return;
    a->window_count = 0;
    a->backoff_ms = a->backoff_first_ms;
    life_begin(c, a);
}

/* --- the end of a life ------------------------------------------------------------- */

static void record_repair(struct core *c, struct app *a, const char *what)
{
    struct record r;
    audit_begin(c, &r, AUDIT_REPAIR, app_name(a));
    audit_text(&r, "what", span_of_cstr(what));
    audit_int(&r, "attempt", a->window_count);
    audit_int(&r, "code", a->exit_code);
    audit_end(c, &r);
}

static void give_up(struct core *c, struct app *a)
{
    record_repair(c, a, "gave-up");
    screen_notice(c, a, SPAN_LIT("ended too often, is not restarted any more"));
    apps_set_state(c, a, APP_FAILED);
}

/* Restarts within the budget, each later than the one before. */
static void restart_later(struct core *c, struct app *a)
{
    uint64_t window_ms = 1000ull * a->window_secs;
    if (a->window_count == 0 || c->now_ms - a->window_start_ms >= window_ms) {
        a->window_start_ms = c->now_ms;
        a->window_count = 0;
    }
    if (a->restarts_max && a->window_count >= a->restarts_max) {
        give_up(c, a);
        return;
    }
    a->window_count++;
    if (a->was_running && c->now_ms - a->started_ms >= STEADY_MS)
        a->backoff_ms = a->backoff_first_ms;
    a->backoff_until_ms = c->now_ms + a->backoff_ms;
    a->backoff_ms = (uint32_t)min_u64(2ull * a->backoff_ms, a->backoff_max_ms);
    apps_set_state(c, a, APP_BACKOFF);
    timer_want(c, a, a->backoff_until_ms);
}

void life_restart_due(struct core *c, struct app *a)
{
    if (c->stopping)
        return;
    a->restarts++;
    record_repair(c, a, "restart");
    life_begin(c, a);
}

/* May a restart help? Not when the app was refused for what it is. */
enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_HOPELESS };

static void after_life(struct core *c, struct app *a, enum outcome outcome)
{
    enum app_wish wish = a->wish;
    a->wish = WISH_NONE;
    if (c->stopping || wish == WISH_STOP) {
        a->accept_changed = false;
        apps_set_state(c, a, APP_ENDED);
    } else if (wish == WISH_RESTART || wish == WISH_RELOAD) {
        a->accept_changed = wish == WISH_RELOAD;
        a->restarts++;
        apps_set_state(c, a, APP_ENDED);
        life_begin(c, a);
    } else if (outcome == OUTCOME_HOPELESS) {
        apps_set_state(c, a, APP_FAILED);
    } else if (a->restart == BOOT_RESTART_ALWAYS ||
               (a->restart == BOOT_RESTART_ON_FAILURE && outcome == OUTCOME_FAILED)) {
        restart_later(c, a);
    } else {
        apps_set_state(c, a, outcome == OUTCOME_DONE || a->was_running ? APP_ENDED : APP_FAILED);
    }
}

/* Everything of the life that has ended goes, with what waited for it. */
static void end_life(struct core *c, struct app *a, enum outcome outcome)
{
    act(c, CORE_ACT_UNLOAD, a);
    if (a->links[LIST_DIRTY].on)
        list_remove(c, &c->dirty, LIST_DIRTY, a);
    if (a->links[LIST_HEARERS].on)
        list_remove(c, &c->hearers, LIST_HEARERS, a);
    tally_flush(c, a);
    tally_clear(a);
    ring_drop(&a->in, a->in.len);
    ring_drop(&a->msgs, a->msgs.len);
    a->recv_count = 0;
    a->deliver_open = false;
    shell_forget(c, a);
    after_life(c, a, outcome);
    flow_wake_waiters(c, a);
    console_life_over(c, a);
    if (!a->settled) { /* others do not wait for what may never come up */
        a->settled = true;
        boot_order_advance(c);
    }
    if (!app_is_alive(a) && a->state != APP_BACKOFF && a->by_operator && !c->stopping) {
        c->exit_code = a->exit_code;
        if (a->foreground)
            stop_begin(c, CORE_STOP_EXIT);
    }
}

/* It never came to run. */
static void fail_start(struct core *c, struct app *a, int32_t code, struct span why,
                       enum outcome outcome)
{
    struct record r;
    a->exit_kind = CORE_EXIT_REFUSED;
    a->exit_code = code;
    audit_begin(c, &r, AUDIT_EXIT, app_name(a));
    audit_text(&r, "refused", span_take(why, 300));
    audit_int(&r, "code", code);
    audit_end(c, &r);
    screen_notice(c, a, why);
    end_life(c, a, outcome);
}

/* --- loaded ----------------------------------------------------------------------- */

static bool parse_manifest(struct core *c, struct app *a, struct span text)
{
    struct arena scratch;
    struct format_error err;
    struct manifest parsed;
    char memory[480];
    struct strbuf why;
    strbuf_init(&why, memory, sizeof memory);
    arena_init(&scratch, c->scratch, MANIFEST_SCRATCH_BYTES);
    arena_release(&a->keep, 0);
    memset(&a->manifest, 0, sizeof a->manifest);
    if (manifest_parse(text, &scratch, &a->keep, &parsed, &err) < 0) {
        format_error_write(&why, SPAN_LIT("vyoma.toml"), &err);
    } else if (!span_eq(parsed.name, app_name(a))) {
        strbuf_cstr(&why, "vyoma.toml is of an app called '");
        strbuf_span(&why, parsed.name);
        strbuf_char(&why, '\'');
    } else {
        a->manifest = parsed;
        return true;
    }
    fail_start(c, a, CODE_FAILED, strbuf_done(&why), OUTCOME_HOPELESS);
    return false;
}

static void record_verify(struct core *c, struct app *a, const char *result,
                          const uint8_t hash[SHA256_BYTES])
{
    struct record r;
    audit_begin(c, &r, AUDIT_VERIFY, app_name(a));
    audit_text(&r, "result", span_of_cstr(result));
    audit_hash(&r, "sha256", hash);
    audit_end(c, &r);
}

/* Are these the bytes that should run? */
static bool check_hash(struct core *c, struct app *a, const uint8_t hash[SHA256_BYTES])
{
    const char *why = NULL;
    if (a->manifest.has_wasm_sha256 && memcmp(a->manifest.wasm_sha256, hash, SHA256_BYTES) != 0)
        why = "the module's hash is not the wasm_sha256 of vyoma.toml";
    else if (a->has_hash && !a->accept_changed && memcmp(a->hash, hash, SHA256_BYTES) != 0)
        why = "the module has changed since it was first started; 'reload' accepts it";
    if (!why) {
        memcpy(a->hash, hash, SHA256_BYTES);
        a->has_hash = true;
        a->accept_changed = false;
        return true;
    }
    record_verify(c, a, "mismatch", hash);
    fail_start(c, a, CODE_HASH, span_of_cstr(why), OUTCOME_HOPELESS);
    return false;
}

void life_loaded(struct core *c, struct app *a, const struct core_event *ev)
{
    if (a->state != APP_LOADING)
        return;
    if (ev->error < 0) {
        fail_start(c, a, ev->error == E_NOENT ? CODE_NOT_FOUND : CODE_FAILED,
                   ev->text.len ? ev->text : SPAN_LIT("could not be loaded"), OUTCOME_FAILED);
        return;
    }
    if (c->stopping || a->wish != WISH_NONE) {
        a->exit_kind = CORE_EXIT_REFUSED;
        end_life(c, a, OUTCOME_DONE);
        return;
    }
    if (!parse_manifest(c, a, ev->text) || !check_hash(c, a, ev->hash))
        return;
    policy_grant(c, a);
    stdin_begin(c, a);
    apps_set_state(c, a, APP_SPAWNING);
    act(c, CORE_ACT_SPAWN, a)->grants = &a->grants;
    flow_wake_waiters(c, a);
}

/* --- spawned ---------------------------------------------------------------------- */

static void caps_text(const struct manifest *m, struct strbuf *b)
{
    bool first = true;
    strbuf_char(b, '[');
    for (unsigned i = 0; i < MANIFEST_CAP_COUNT; i++) {
        if (!manifest_has(m, (enum manifest_cap)i))
            continue;
        if (!first)
            strbuf_char(b, ',');
        strbuf_json(b, span_of_cstr(manifest_cap_name((enum manifest_cap)i)));
        first = false;
    }
    strbuf_char(b, ']');
}

/* One record a life that lists every grant, one more for each port. */
static void record_spawn(struct core *c, struct app *a)
{
    struct record r;
    audit_begin(c, &r, AUDIT_SPAWN, app_name(a));
    strbuf_cstr(&r.b, ",\"caps\":");
    caps_text(&a->manifest, &r.b);
    audit_int(&r, "pid", a->pid);
    if (a->engine[0])
        audit_text(&r, "engine", span_of_cstr(a->engine));
    audit_hash(&r, "sha256", a->hash);
    audit_end(c, &r);
    for (uint32_t i = 0; i < a->manifest.network.ports_count; i++) {
        audit_begin(c, &r, AUDIT_NET_BIND, app_name(a));
        audit_int(&r, "port", a->manifest.network.ports[i]);
        audit_end(c, &r);
    }
}

void life_spawned(struct core *c, struct app *a, const struct core_event *ev)
{
    if (a->state != APP_SPAWNING)
        return;
    if (ev->error < 0) {
        fail_start(c, a, ev->error == E_DENIED ? CODE_DENIED : CODE_FAILED,
                   ev->text.len ? ev->text : SPAN_LIT("could not be started"), OUTCOME_FAILED);
        return;
    }
    enum app_wish wish = (enum app_wish)a->wish;
    a->pid = ev->pid;
    struct span engine = span_take(ev->detail, ENGINE_NAME_MAX);
    memset(a->engine, 0, sizeof a->engine);
    if (engine.len)
        memcpy(a->engine, engine.p, engine.len);
    a->was_running = true;
    a->started_ms = a->last_sign_ms = c->now_ms;
    apps_set_state(c, a, APP_RUNNING);
    record_spawn(c, a);
    if (a->manifest.watchdog_secs)
        timer_want(c, a, c->now_ms + 1000ull * a->manifest.watchdog_secs);
    if (app_takes_lines(a) && a->manifest.ipc.accept_broadcast)
        list_push(c, &c->hearers, LIST_HEARERS, a);
    if (a->in.len || (a->close_wanted && !a->stdin_closed))
        list_push(c, &c->dirty, LIST_DIRTY, a);
    console_app_up(c, a);
    if (!a->settled) {
        a->settled = true;
        boot_order_advance(c);
    }
    if (c->stop_killing) /* too late to be asked */
        life_kill(c, a, WISH_STOP);
    else if (c->stopping || wish != WISH_NONE)
        life_stop(c, a, wish == WISH_NONE ? WISH_STOP : wish);
}

/* Where vyoma.toml grants `key`, or would; 0: in no one place. */
static uint32_t line_of_key(const struct manifest *m, struct span key)
{
    struct manifest_place place = { .line = 0 };
    int power = -1;
    if (span_eq_cstr(key, "network.ports"))
        power = MANIFEST_POWER_LISTEN;
    else if (span_eq_cstr(key, "network.connect"))
        power = MANIFEST_POWER_CONNECT;
    for (int cap = 0; cap < MANIFEST_CAP_COUNT && power < 0; cap++)
        if (span_eq_cstr(key, manifest_cap_name((enum manifest_cap)cap)))
            power = cap;
    if (power >= 0)
        manifest_place(m, power, &place);
    return place.line;
}

void life_refused(struct core *c, struct app *a, const struct core_event *ev)
{
    struct record r;
    a->denied_import = true;
    audit_begin(c, &r, AUDIT_CAP_DENY, app_name(a));
    audit_text(&r, "what", SPAN_LIT("import"));
    audit_text(&r, "value", span_take(ev->text, 120));
    audit_text(&r, "key", span_take(ev->detail, 120));
    audit_int(&r, "count", 1);
    audit_end(c, &r);

    char memory[400];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "may not import ");
    strbuf_span(&b, span_take(ev->text, 120));
    strbuf_cstr(&b, ": needs ");
    strbuf_span(&b, span_take(ev->detail, 120));
    strbuf_cstr(&b, " in vyoma.toml");
    uint32_t line = line_of_key(&a->manifest, ev->detail);
    if (line) {
        strbuf_cstr(&b, " (line ");
        strbuf_u64(&b, line);
        strbuf_char(&b, ')');
    }
    screen_notice(c, a, strbuf_done(&b));
}

static void log_lines(struct core *c, struct app *a, struct span lines)
{
    for (unsigned i = 0; lines.len && i < NOTICE_LINES_MAX; i++) {
        size_t n = span_find(lines, '\n');
        log_append(c, a, span_take(lines, n));
        lines = span_skip(lines, n + 1);
    }
}

void life_trapped(struct core *c, struct app *a, const struct core_event *ev)
{
    if (!app_is_up(a))
        return;
    if (ev->error < 0)
        policy_excess(c, a, "control protocol", ev->text);
    log_append(c, a, ev->text);
    log_lines(c, a, ev->detail);
    screen_notice_lines(c, a, ev->text, ev->detail);
}

static void record_exit(struct core *c, struct app *a, const struct core_event *ev,
                        uint32_t unsent)
{
    static const char *const kinds[] = { "code", "trap", "signal", "refused" };
    struct record r;
    audit_begin(c, &r, AUDIT_EXIT, app_name(a));
    audit_int(&r, kinds[a->exit_kind], a->exit_value);
    audit_int(&r, "pid", a->pid);
    audit_int(&r, "ms", (int64_t)(c->now_ms - a->started_ms));
    audit_int(&r, "cpu_ms", (int64_t)ev->exit.cpu_ms);
    if (a->watchdog_hit)
        audit_text(&r, "why", SPAN_LIT("watchdog"));
    if (unsent)
        audit_int(&r, "unsent", unsent);
    audit_end(c, &r);
}

static int32_t shell_code(const struct app *a)
{
    switch (a->exit_kind) {
    case CORE_EXIT_CODE: return a->exit_value;
    case CORE_EXIT_TRAP: return CODE_TRAP;
    case CORE_EXIT_SIGNAL: return CODE_SIGNAL + (a->exit_value & 127);
    default: return a->denied_import ? CODE_DENIED : CODE_REFUSED;
    }
}

void life_exited(struct core *c, struct app *a, const struct core_event *ev)
{
    if (!app_is_up(a))
        return;
    uint32_t unsent = flow_finish(c, a);
    a->exit_kind = (unsigned)ev->exit.kind <= CORE_EXIT_REFUSED ? (uint8_t)ev->exit.kind
                                                                : CORE_EXIT_REFUSED;
    a->exit_value = ev->exit.value;
    a->exit_code = shell_code(a);
    tally_flush(c, a);
    record_exit(c, a, ev, unsent);
    bool failed = a->exit_code != 0 || a->watchdog_hit;
    /* In the foreground a code speaks for itself, where it comes from does not. */
    bool tell = !a->foreground || a->watchdog_hit;
    if (failed && a->wish == WISH_NONE && tell && !c->stopping) {
        char memory[80];
        struct strbuf b;
        strbuf_init(&b, memory, sizeof memory);
        strbuf_cstr(&b, a->watchdog_hit ? "watchdog: no sign of life, ended with code "
                                        : "ended with code ");
        strbuf_i64(&b, a->exit_code);
        screen_notice(c, a, strbuf_done(&b));
    }
    end_life(c, a,
             a->exit_kind == CORE_EXIT_REFUSED ? OUTCOME_HOPELESS
             : failed                          ? OUTCOME_FAILED
                                               : OUTCOME_DONE);
}

/* --- stopping --------------------------------------------------------------------- */

void life_stop(struct core *c, struct app *a, enum app_wish wish)
{
    if (app_is_alive(a))
        a->wish = (uint8_t)wish;
    if (a->state == APP_WAITING || a->state == APP_BACKOFF) {
        a->accept_changed = false;
        apps_set_state(c, a, APP_ENDED);
        flow_wake_waiters(c, a);
        a->settled = true;
        boot_order_advance(c);
    } else if (a->state == APP_RUNNING && !c->stop_grace_ms) {
        life_kill(c, a, wish);
    } else if (a->state == APP_RUNNING) {
        apps_set_state(c, a, APP_STOPPING);
        a->kill_at_ms = c->now_ms + c->stop_grace_ms;
        timer_want(c, a, a->kill_at_ms);
        act(c, CORE_ACT_ASK_STOP, a);
        stdin_system(c, a, "stop", SPAN_NONE);
        stdin_close(c, a);
    }
}

void life_kill(struct core *c, struct app *a, enum app_wish wish)
{
    if (!app_is_up(a)) {
        life_stop(c, a, wish);
        return;
    }
    a->wish = (uint8_t)wish;
    if (a->state == APP_RUNNING)
        apps_set_state(c, a, APP_STOPPING);
    if (!a->killed)
        act(c, CORE_ACT_KILL, a);
    a->killed = true;
}

/* An app that promised signs of life and shows none is killed; its restart policy then
 * does the rest. */
void life_watchdog(struct core *c, struct app *a)
{
    uint64_t silence_ms = 1000ull * a->manifest.watchdog_secs;
    if (!silence_ms || a->killed || c->now_ms - a->last_sign_ms < silence_ms)
        return;
    if (a->paused) { /* we keep it from speaking */
        a->last_sign_ms = c->now_ms;
        return;
    }
    a->watchdog_hit = true;
    life_kill(c, a, (enum app_wish)a->wish);
}
