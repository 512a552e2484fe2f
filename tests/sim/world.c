/* What may happen, picked by the seed: what apps do, what the host answers and when, and
 * what goes wrong. */
#include "sim.h"

#include "formats/manifest.h"

static struct rng *dice(struct world *w)
{
    return &w->rng;
}

static void give(struct world *w, struct core_event ev)
{
    model_step(w, &ev);
}

static void give_app(struct world *w, struct sapp *a, struct core_event ev)
{
    ev.app = a->id;
    give(w, ev);
}

/* --- the host's answers ------------------------------------------------------------------ */

static void answer_load(struct world *w, struct sapp *a)
{
    struct core_event ev = { .type = CORE_EV_LOADED };
    a->load_asked = false;
    a->plan = a->next_plan;
    a->ending = true; /* if it is refused */
    a->ending_failed = true;
    a->ending_hopeless = !a->plan.valid;
    if (a->missing || (!w->calm && rng_one_in(dice(w), 15))) {
        a->ending_hopeless = false;
        ev.error = rng_one_in(dice(w), 2) ? E_NOENT : E_IO;
        ev.text = SPAN_LIT("storage said no");
        a->phase = PHASE_LOADING;
    } else {
        ev.text = span_of(a->toml, a->toml_len);
        ev.hash[0] = a->module;
        a->ending_hopeless |= a->module_seen && a->module != a->module_first;
        a->phase = PHASE_LOADED;
    }
    give_app(w, a, ev);
    if (a->phase != PHASE_SPAWNING)
        return;
    if (a->ending_hopeless && !w->meddled)
        fail(w, "%s runs, and its module or manifest should have been refused", a->name);
    a->module_seen = true;
    a->module_first = a->module;
    a->ending = false;
}

static void answer_spawn(struct world *w, struct sapp *a)
{
    struct core_event ev = { .type = CORE_EV_SPAWNED, .pid = (int32_t)(100 + w->step % 10000) };
    a->spawn_asked = false;
    if (!w->calm && rng_one_in(dice(w), 15)) {
        a->ending = a->ending_failed = true;
        a->ending_hopeless = false;
        ev.error = E_IO;
        ev.text = SPAN_LIT("no more processes");
    } else {
        model_life_begins(w, a);
    }
    give_app(w, a, ev);
}

static void answer_deliver(struct world *w, struct sapp *a)
{
    struct core_event ev = { .type = CORE_EV_DELIVERED };
    size_t n = rng_one_in(dice(w), 3) && !w->corruption ? rng_below(dice(w), (uint32_t)a->deliver_len + 1)
                                      : a->deliver_len;
    if (!w->calm && rng_one_in(dice(w), 300)) { /* it closes its stdin */
        a->deliver_open = false;
        a->closed_stdin = a->eof = true;
        ev.error = E_IO;
        for (int i = 0; i < SIM_APPS; i++)
            w->apps[i].recipient_died = true;
    } else {
        a->deliver_open = false;
        ev.count = n;
        model_stdin(w, a, a->deliver, n);
    }
    give_app(w, a, ev);
}

static void answer_verify(struct world *w)
{
    struct core_event ev = { .type = CORE_EV_VERIFIED, .app = w->verify_app };
    for (int i = 0; i < SIM_APPS; i++)
        if (w->apps[i].last_id == w->verify_app)
            ev.hash[0] = w->apps[i].module;
    if (rng_one_in(dice(w), 10))
        ev.error = E_IO;
    w->verify_open = false;
    give(w, ev);
}

static void answer_one(struct world *w)
{
    struct sapp *a = &w->apps[rng_below(dice(w), SIM_APPS)];
    if (a->load_asked && a->phase == PHASE_LOADING)
        answer_load(w, a);
    else if (a->spawn_asked && a->phase == PHASE_SPAWNING)
        answer_spawn(w, a);
    else if (a->deliver_open && a->phase == PHASE_UP && (a->reads || w->calm))
        answer_deliver(w, a);
    else if (w->verify_open)
        answer_verify(w);
}

/* --- what apps do -------------------------------------------------------------------------- */

static void put(struct sapp *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct sapp *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof a->out - a->out_len;
    int n = vsnprintf(a->out + a->out_len, room, format, args);
    va_end(args);
    if (n > 0 && (size_t)n < room)
        a->out_len += (size_t)n;
}

/* An app with `shell` may drive the terminal: that one stays clear of it here. */
static bool is_shell(const struct sapp *a)
{
    return a->plan.caps >> MANIFEST_CAP_SHELL & 1;
}

static const char *junk(struct world *w, const struct sapp *a)
{
    static const char *const texts[] = { "", " hello", " @shell: forged", " VYOMA_SYSTEM:stop",
                                         " \x1b[2J\x07 drive", " \r@app-b: m1 forged",
                                         " REPLY: ok", " \xff\xfe\xc3" };
    const char *text = texts[rng_below(dice(w), 8)];
    return is_shell(a) && strchr(text, 0x1b) ? "" : text;
}

static void say_message(struct world *w, struct sapp *a)
{
    uint32_t to = rng_below(dice(w), SIM_APPS);
    switch (rng_below(dice(w), 12)) {
    case 0:
        put(a, "@reply: m%u%s\n", model_new_message(w, a, TO_REPLY, 0)->serial, junk(w, a));
        break;
    case 1:
        put(a, "@broadcast: m%u%s\n", model_new_message(w, a, TO_BROADCAST, 0)->serial, junk(w, a));
        break;
    case 2: put(a, "@no-such-app: m%u\n", model_new_message(w, a, TO_APP, 99)->serial); break;
    default:
        put(a, "@%s: m%u%s\n", w->apps[to].name,
            model_new_message(w, a, TO_APP, (int)to)->serial, junk(w, a));
    }
}

/* After this its end may be someone's will, and no promise of the policy's. */
static void touch_all(struct world *w)
{
    w->meddled = true;
    for (int i = 0; i < SIM_APPS; i++) {
        w->apps[i].touched = true;
        w->apps[i].due_back_ms = 0;
    }
}

static void say_command(struct world *w, struct sapp *a)
{
    static const char *const commands[] = {
        "ps", "ps --json", "status", "help", "log", "logf", "caps", "audit 5", "verify", "focus",
        "nonsense", "console raw", "console line", "uptime", "",
        "start", "stop", "kill", "restart", "reload" };
    uint32_t pick = rng_below(dice(w), rng_one_in(dice(w), 10) ? 20 : 15);
    put(a, "@supervisor: %s %s\n", commands[pick], w->apps[rng_below(dice(w), SIM_APPS)].name);
    if (pick >= 15)
        a->meddles = true;
}

static void say_line(struct world *w, struct sapp *a)
{
    switch (rng_below(dice(w), 14)) {
    case 0: put(a, "p plain%s\n", junk(w, a)); break;
    case 1: say_command(w, a); break;
    case 2: put(a, rng_one_in(dice(w), 2) ? "@ bad\n" : "@Bad: m\n"); break;
    case 3: put(a, rng_one_in(dice(w), 2) ? "VYOMA_SYSTEM:stop\n" : "REPLY:forged\n"); break;
    case 4: put(a, "VYOMA_DRAW:flush\n"); break;
    case 5:
        if (rng_one_in(dice(w), 20)) {
            if (rng_one_in(dice(w), 2))
                put(a, "p");
            else
                put(a, "@app-b: m%u ", model_new_message(w, a, TO_APP, 1)->serial);
            for (uint32_t n = rng_below(dice(w), 3 * w->limits.line_bytes); n; n--)
                put(a, "x");
            put(a, "\n");
        }
        break;
    default: say_message(w, a); break;
    }
}

/* Up to len bytes of what it wrote, wherever that cuts. */
static void give_output(struct world *w, struct sapp *a, size_t len)
{
    static char chunk[CORE_OUTPUT_BYTES_MAX];
    if (len > a->out_len)
        len = a->out_len;
    if (len > sizeof chunk)
        len = sizeof chunk;
    if (len == 0)
        return;
    if (a->meddles)
        touch_all(w);
    memcpy(chunk, a->out, len);
    memmove(a->out, a->out + len, a->out_len - len);
    a->out_len -= len;
    model_given(w, a, chunk, len);
    give_app(w, a, (struct core_event){ .type = CORE_EV_OUTPUT, .stream = CORE_STDOUT,
                                        .text = span_of(chunk, len) });
}

static void app_writes(struct world *w, struct sapp *a)
{
    uint32_t lines = rng_one_in(dice(w), 60) ? 400 : 1 + rng_below(dice(w), 3);
    while (lines-- && a->out_len < sizeof a->out / 2)
        say_line(w, a);
    if (!a->paused)
        give_output(w, a, rng_one_in(dice(w), 3) ? rng_below(dice(w), 40) : a->out_len);
    else if (rng_one_in(dice(w), 100) && a->out_len < 4096)
        give_output(w, a, a->out_len); /* was under way when it was paused */
}

static void app_writes_stderr(struct world *w, struct sapp *a)
{
    static const char text[] = "p error \x1b[31m red\np half";
    if (!(a->plan.caps >> MANIFEST_CAP_STDIO & 1))
        a->other_denials++;
    give_app(w, a, (struct core_event){ .type = CORE_EV_OUTPUT, .stream = CORE_STDERR,
                                        .text = span_of(text, 1 + rng_below(dice(w), is_shell(a)
                                                                                     ? 7
                                                                                     : 24)) });
}

static uint32_t new_request(struct world *w, struct sapp *a)
{
    uint32_t id = ++w->next_request;
    a->recv[a->recv_len++] = id;
    w->answered_id = 0;
    return id;
}

static void request_now(struct world *w, struct sapp *a, const struct core_request *r, bool grant)
{
    give_app(w, a, (struct core_event){ .type = CORE_EV_REQUEST, .request = *r });
    if (w->failure || w->powered)
        return;
    if (w->answered_id != r->id)
        fail(w, "%s: request %u is not answered", a->name, r->id);
    else if ((w->answered_error == 0) != grant)
        fail(w, "%s: request type %d answered %d, should%s be granted", a->name, (int)r->type,
             w->answered_error, grant ? "" : " not");
}

static void request_path(struct world *w, struct sapp *a)
{
    char path[24];
    snprintf(path, sizeof path, "file-%u", rng_below(dice(w), 60));
    struct core_request r = { .type = CORE_REQ_PATH, .id = new_request(w, a),
                              .op = (enum core_path_op)rng_below(dice(w), CORE_PATH_OP_COUNT_),
                              .for_writing = rng_one_in(dice(w), 2), .path = span_of_cstr(path) };
    bool grant = a->plan.caps >> MANIFEST_CAP_FILESYSTEM & 1;
    bool looks = r.op == CORE_PATH_STAT || r.op == CORE_PATH_READLINK;
    a->files += grant && !looks;
    a->other_denials += !grant;
    request_now(w, a, &r, grant);
}

static void request_connect(struct world *w, struct sapp *a)
{
    bool right = rng_one_in(dice(w), 2);
    struct core_request r = { .type = CORE_REQ_CONNECT, .id = new_request(w, a),
                              .path = right ? SPAN_LIT("Host.Example") : SPAN_LIT("evil.example"),
                              .port = rng_one_in(dice(w), 3) ? 1 : a->plan.connect_port };
    bool grant = right && a->plan.connect_port && r.port == a->plan.connect_port &&
                 (a->plan.caps >> MANIFEST_CAP_NETWORK & 1);
    a->connects += grant;
    a->other_denials += !grant;
    request_now(w, a, &r, grant);
}

/* Mostly to someone who can get it. */
static struct sapp *pick_recipient(struct world *w, const struct sapp *a)
{
    int to = 0;
    for (int i = 0; i < 4; i++) {
        to = (int)rng_below(dice(w), SIM_APPS);
        if (w->apps[to].id && plan_may_send(&a->plan, to))
            break;
    }
    return &w->apps[to];
}

static void send_typed(struct world *w, struct sapp *a, struct sapp *b)
{
    uint8_t data[2048];
    uint32_t serial = ++w->next_typed;
    size_t len = sizeof serial + rng_below(dice(w), rng_one_in(dice(w), 10) ? 2000 : 40);
    memset(data, 'd', len);
    memcpy(data, &serial, sizeof serial);
    struct core_request r = { .type = CORE_REQ_MSG_SEND, .id = new_request(w, a),
                              .path = span_of_cstr(b->name),
                              .data = span_of(data, len) };
    bool right = plan_may_send(&a->plan, (int)(b - w->apps));
    a->send_denials += !right;
    w->sending = serial;
    w->sending_to = b;
    w->sending_from = (int)(a - w->apps);
    w->sent_directly = false;
    give_app(w, a, (struct core_event){ .type = CORE_EV_REQUEST, .request = r });
    w->sending = 0;
    if (w->failure || w->powered)
        return;
    if (w->answered_id != r.id)
        fail(w, "%s: a message is not answered", a->name);
    else if (w->answered_error == 0 && (!right || !b->id || b->phase < PHASE_SPAWNING))
        fail(w, "%s: a message without a right is accepted", a->name);
    if (w->answered_error != 0)
        return;
    a->life_typed++;
    if (w->sent_directly)
        return;
    if (b->queue_len == SIM_QUEUE) {
        fail(w, "%s: an unbounded queue", b->name);
        return;
    }
    b->queue[(b->queue_head + b->queue_len++) % SIM_QUEUE] =
        (struct typed){ serial, (uint8_t)(a - w->apps) };
}

static void request_recv(struct world *w, struct sapp *a)
{
    if (a->recv_len >= SIM_REQUESTS - 2)
        return;
    struct core_request r = { .type = CORE_REQ_MSG_RECV, .id = new_request(w, a),
                              .timeout_ms = rng_one_in(dice(w), 2)
                                                ? 0
                                                : (int32_t)rng_below(dice(w), 3000) - 1 };
    uint32_t waiting = a->queue_len;
    give_app(w, a, (struct core_event){ .type = CORE_EV_REQUEST, .request = r });
    bool answered = w->answered_id == r.id;
    if (w->powered)
        return;
    if (waiting && !answered)
        fail(w, "%s: there are messages and none is handed over", a->name);
    else if (waiting && w->answered_error)
        fail(w, "%s: a message is refused to its recipient", a->name);
    else if (!waiting && answered && !w->answered_error)
        fail(w, "%s: a message from nowhere", a->name);
}

static void app_requests(struct world *w, struct sapp *a)
{
    if (a->recv_len >= SIM_REQUESTS - 2)
        return;
    switch (rng_below(dice(w), 6)) {
    case 0:
    case 1: request_path(w, a); break;
    case 2: request_connect(w, a); break;
    case 3: request_recv(w, a); break;
    default: send_typed(w, a, pick_recipient(w, a)); break;
    }
}

static void app_ends(struct world *w, struct sapp *a)
{
    struct core_event ev = { .type = CORE_EV_EXITED };
    if (a->killed) {
        ev.exit.kind = CORE_EXIT_SIGNAL;
        ev.exit.value = 9;
    } else {
        ev.exit.kind = (enum core_exit_kind)rng_below(dice(w), 4);
        ev.exit.value = ev.exit.kind == CORE_EXIT_CODE ? (int32_t)rng_below(dice(w), 3) : 6;
        if (ev.exit.kind == CORE_EXIT_CODE && rng_one_in(dice(w), 2))
            give_output(w, a, a->paused ? 0 : a->out_len);
        if (ev.exit.kind == CORE_EXIT_REFUSED)
            give_app(w, a, (struct core_event){ .type = CORE_EV_REFUSED,
                                                .text = SPAN_LIT("vyoma.socket"),
                                                .detail = SPAN_LIT("network") });
        if (ev.exit.kind == CORE_EXIT_TRAP)
            give_app(w, a, (struct core_event){ .type = CORE_EV_TRAPPED,
                                                .text = SPAN_LIT("trap: unreachable") });
    }
    a->ending = true;
    a->ending_failed = ev.exit.kind != CORE_EXIT_CODE || ev.exit.value != 0;
    a->ending_hopeless = ev.exit.kind == CORE_EXIT_REFUSED;
    if (a->asked_to_stop) /* by someone's will; how it ends is then not the policy's */
        a->touched = true;
    give_app(w, a, ev);
}

static void app_acts(struct world *w)
{
    struct sapp *a = &w->apps[rng_below(dice(w), SIM_APPS)];
    if (a->phase != PHASE_UP)
        return;
    if (a->killed && rng_one_in(dice(w), 3)) {
        app_ends(w, a);
        return;
    }
    switch (rng_below(dice(w), 40)) {
    case 0: a->reads = !a->reads; break;
    case 1: app_writes_stderr(w, a); break;
    case 2:
        if (rng_one_in(dice(w), 6) || a->asked_to_stop)
            app_ends(w, a);
        break;
    case 3: case 4: case 5: case 6: case 7: case 8: case 9: app_requests(w, a); break;
    default: app_writes(w, a); break;
    }
}

/* --- the rest of the world ---------------------------------------------------------------- */

static void time_passes(struct world *w)
{
    uint32_t scale = rng_below(dice(w), 4);
    uint64_t ms = rng_below(dice(w), scale == 3 ? 4000 : scale == 2 ? 300 : 10);
    w->now_ms += ms;
    w->unix_ms += ms;
    if (w->timer_ms && w->timer_ms <= w->now_ms) {
        w->timer_ms = 0;
        give(w, (struct core_event){ .type = CORE_EV_TIMER });
    }
    model_after_time(w);
}

static void clock_faults(struct world *w)
{
    switch (rng_below(dice(w), 3)) {
    case 0: w->unix_ms = rng_next(dice(w)) % 4000000000000u; break;
    case 1: /* a monotonic clock that goes back: the core must not */
        w->now_ms -= w->now_ms < 50 ? 0 : 50;
        give(w, (struct core_event){ .type = CORE_EV_TIMER });
        w->now_ms += 50;
        break;
    default:
        w->now_ms += 20000;
        w->stop_by_ms += 20000;
        break;
    }
}

static void someone_types(struct world *w)
{
    static const char *const keys[] = { "\x1a", "\x1d", "\x7f\x7f", "\x17", "\x15", "\x04",
                                        "\x1b[A", "\t" };
    char text[64];
    if (w->console_paused)
        return;
    if (rng_one_in(dice(w), 3))
        snprintf(text, sizeof text, "%s", keys[rng_below(dice(w), 8)]);
    else
        snprintf(text, sizeof text, "\x15" "c%u typed\r", ++w->next_console);
    if (rng_one_in(dice(w), 40)) {
        touch_all(w);
        snprintf(text, sizeof text, "\x03");
    }
    give(w, (struct core_event){ .type = CORE_EV_CONSOLE, .text = span_of_cstr(text) });
}

static void storage_changes(struct world *w)
{
    struct sapp *a = &w->apps[rng_below(dice(w), SIM_APPS)];
    switch (rng_below(dice(w), 4)) {
    case 0: a->module = (uint8_t)rng_next(dice(w)); break;
    case 1: a->missing = !a->missing; break;
    case 2: plan_make(w, a); break;
    default: plan_corrupt(w, a); break;
    }
}

static void stop_now(struct world *w)
{
    w->stopping = true;
    w->stop_by_ms = w->now_ms + 2000 + 2000 + 10000; /* late timers */
    w->n_stops++;
    give(w, (struct core_event){ .type = CORE_EV_STOP,
                                 .stop = rng_one_in(dice(w), 2) ? CORE_STOP_POWEROFF
                                                                : CORE_STOP_REBOOT });
}

/* An event of a life that is over, or of none. */
static void stale_event(struct world *w)
{
    struct sapp *a = &w->apps[rng_below(dice(w), SIM_APPS)];
    core_app id = a->id ? a->id - 0x10000 : a->last_id;
    if (rng_one_in(dice(w), 3))
        id = (core_app)rng_next(dice(w));
    if (app_by_id(w, id))
        return;
    static const enum core_event_type types[] = { CORE_EV_LOADED, CORE_EV_SPAWNED, CORE_EV_OUTPUT,
                                                  CORE_EV_DELIVERED, CORE_EV_REQUEST,
                                                  CORE_EV_TRAPPED, CORE_EV_REFUSED,
                                                  CORE_EV_EXITED, CORE_EV_DENIED };
    give(w, (struct core_event){ .type = types[rng_below(dice(w), 9)], .app = id, .count = 7,
                                 .stream = CORE_STDOUT, .text = SPAN_LIT("@app-b: m0\n") });
}

static void tell_lost(struct world *w)
{
    uint32_t n = w->lost_now;
    w->lost_now = 0;
    give(w, (struct core_event){ .type = CORE_EV_AUDIT_LOST, .count = n });
}

static void one_step(struct world *w)
{
    if (w->lost_now && !w->powered)
        tell_lost(w);
    uint32_t pick = rng_below(dice(w), 1000);
    if (pick < 450)
        app_acts(w);
    else if (pick < 800)
        answer_one(w);
    else if (pick < 930)
        time_passes(w);
    else if (pick < 945)
        someone_types(w);
    else if (pick < 960)
        stale_event(w);
    else if (pick < 970)
        storage_changes(w);
    else if (pick < 973)
        clock_faults(w);
    else if (pick < 978)
        give(w, (struct core_event){ .type = CORE_EV_START,
                                     .name = span_of_cstr(
                                         w->apps[rng_below(dice(w), SIM_APPS)].name) });
    else if (pick < 979 && rng_one_in(dice(w), 3))
        stop_now(w);
}

/* --- from power on to power off -------------------------------------------------------------- */

/* No more faults; everyone reads; what was asked is answered; time goes on. */
static void calm_down(struct world *w)
{
    w->calm = true;
    w->disk_full = 0;
    for (uint32_t i = 0; i < 30000 && !w->failure && !w->powered; i++) {
        if (w->lost_now)
            tell_lost(w);
        struct sapp *a = &w->apps[i % SIM_APPS];
        a->reads = true;
        if (a->phase == PHASE_UP && a->killed)
            app_ends(w, a);
        else if (a->phase == PHASE_UP && a->out_len && !a->paused)
            give_output(w, a, a->out_len);
        answer_one(w);
        if (i % 40 == 39)
            w->now_ms += 50; /* 37 seconds in all: longer than any deadline */
        if (w->timer_ms && w->timer_ms <= w->now_ms) {
            w->timer_ms = 0;
            give(w, (struct core_event){ .type = CORE_EV_TIMER });
        }
        if (i % 40 == 39)
            model_after_time(w);
    }
    if (!w->failure && !w->powered)
        model_at_rest(w);
}

static void wind_down(struct world *w)
{
    if (!w->stopping && !w->powered)
        stop_now(w);
    for (uint32_t i = 0; i < 3000 && !w->failure && !w->powered; i++) {
        struct sapp *a = &w->apps[i % SIM_APPS];
        answer_one(w);
        if (a->phase == PHASE_UP && (a->killed || a->asked_to_stop) && rng_one_in(dice(w), 4))
            app_ends(w, a);
        w->now_ms += 5;
        if (w->timer_ms && w->timer_ms <= w->now_ms) {
            w->timer_ms = 0;
            give(w, (struct core_event){ .type = CORE_EV_TIMER });
        }
        model_after_time(w);
    }
    if (!w->failure && !w->powered)
        fail(w, "the power never went off");
}

/* The last record may not have reached storage, or only a part of it. */
static void power_cut(struct world *w)
{
    w->n_power_cuts++;
    if (w->log_len > w->log_last) {
        size_t len = w->log_len - w->log_last;
        w->gap |= w->last_says_lost;
        w->log_len = w->log_last + rng_below(dice(w), (uint32_t)len + 1);
    }
}

void world_init(struct world *w, uint64_t seed, uint64_t steps)
{
    static const char *const names[SIM_APPS] = { "shell", "app-b", "c", "a-long-name-of-an-app",
                                                 "e5", "f", "logger", "h", "i-i", "jay" };
    struct core_limits few = { .apps = SIM_APPS };
    char *log = w->log;
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->steps = steps;
    w->rng.s = seed * 0x2545f4914f6cdd1du + 1;
    w->hash = 0xcbf29ce484222325u;
    w->log = log ? log : malloc(SIM_LOG);
    w->actions = calloc(1, sizeof *w->actions);
    w->memory_bytes = core_size(&few);
    w->memory = NULL;
    for (int i = 0; i < SIM_APPS; i++) {
        struct sapp *a = &w->apps[i];
        snprintf(a->name, sizeof a->name, "%s", names[i]);
        a->module = (uint8_t)i;
    }
    for (int i = 0; i < SIM_APPS; i++)
        plan_make(w, &w->apps[i]);
    w->now_ms = 1000;
    w->unix_ms = 1700000000000;
}

void world_free(struct world *w)
{
    free(w->memory);
    free(w->actions);
    free(w->log);
    memset(w, 0, sizeof *w);
}

/* Forgets what only lived in memory. */
static void forget(struct world *w)
{
    for (int i = 0; i < SIM_APPS; i++) {
        struct sapp *a = &w->apps[i], old = *a;
        memset(a, 0, sizeof *a);
        memcpy(a->name, old.name, sizeof a->name);
        memcpy(a->toml, old.toml, sizeof a->toml);
        a->toml_len = old.toml_len;
        a->next_plan = old.next_plan;
        a->module = old.module;
        a->missing = old.missing;
    }
    w->timer_ms = 0;
    w->calm = w->stopping = w->powered = w->verify_open = w->console_paused = false;
    w->lost_now = 0;
    w->meddled = false;
}

/* What a host does: check the stored log, cut off a torn line, tell the core. */
static void read_log(struct world *w, struct core_event *ev)
{
    struct audit_chain chain;
    audit_chain_init(&chain);
    audit_chain_feed(&chain, span_of(w->log, w->log_len));
    if (!audit_chain_holds(&chain)) {
        if (!w->chain_spoilt && !w->gap && !w->chain_unchecked)
            fail(w, "the stored audit chain does not hold at line %" PRIu64, chain.broken_at);
        ev->error = E_MALFORMED;
    } else if (w->chain_spoilt) {
        fail(w, "a record was changed and the chain does not show it");
    }
    w->chain_spoilt = w->gap = false;
    memcpy(ev->hash, chain.last, sizeof ev->hash);
    memcpy(w->prev, chain.last, sizeof w->prev);
    ev->count2 = chain.seq;
    w->log_len = w->log_last = chain.good_bytes;
    if (ev->error || w->log_len > 200000) /* as a host would: put a spoilt or long log aside */
        w->log_len = w->log_last = 0;
}

void world_boot(struct world *w)
{
    struct rng *r = dice(w);
    struct core_event ev = { .type = CORE_EV_BOOT };
    forget(w);
    free(w->memory);
    w->limits = (struct core_limits){ .apps = SIM_APPS };
    if (rng_one_in(r, 2)) {
        w->limits.line_bytes = 256 + rng_below(r, 600);
        w->limits.stdin_bytes = 4096 + rng_below(r, 3000);
        w->limits.msg_queue_bytes = 1024 + rng_below(r, 8000);
        w->limits.log_bytes = 1024 + rng_below(r, 3000);
    } else {
        w->limits.line_bytes = CORE_LINE_BYTES_MAX;
        w->limits.stdin_bytes = CORE_STDIN_BYTES_MAX;
    }
    w->memory = calloc(1, core_size(&w->limits));
    w->core = core_init(w->memory, &w->limits);
    plan_boot(w);
    w->owned = true;
    w->n_boots++;
    read_log(w, &ev);
    ev.text = span_of_cstr(w->boot);
    ev.count = 1;
    w->foreign = !w->boot_good || w->boot_restart[0] + w->boot_restart[1] + w->boot_restart[2] +
                                          w->boot_restart[3] == 0;
    if (!w->boot_good)
        w->stopping = true, w->stop_by_ms = w->now_ms + 5000;
    give(w, ev);
}

/* Changes a byte of a record that is not the last: the next boot must see it. */
static void spoil_log(struct world *w)
{
    if (w->log_len < 4000 || w->log_last < 2000)
        return;
    w->log[rng_below(dice(w), 1500)] ^= 1;
    w->chain_spoilt = true;
}

bool world_run(struct world *w)
{
    while (w->step < w->steps && !w->failure) {
        world_boot(w);
        uint64_t end = w->step + 200 + rng_below(dice(w), 1500);
        /* One that stands still gives no steps: what counts is turns too. */
        for (uint32_t turns = 0; w->step < end && turns < 8000 && !w->failure && !w->powered;
             turns++)
            one_step(w);
        if (!w->failure && rng_one_in(dice(w), 3)) {
            power_cut(w);
            continue;
        }
        if (!w->stopping && rng_one_in(dice(w), 2))
            calm_down(w);
        if (!w->failure)
            wind_down(w);
        if (!w->failure && w->lost_now == 0 && rng_one_in(dice(w), 10))
            spoil_log(w);
    }
    return w->failure == NULL;
}
