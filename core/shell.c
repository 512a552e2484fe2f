/* The verbs of "@supervisor: verb args". What an answer looks like is in README.md;
 * answers longer than a line are written by jobs.c. */
#include "state.h"

#include "base/err.h"
#include "formats/lines.h"

struct args {
    struct span first, second; /* words; empty when absent */
};

struct verb {
    const char *name;
    void (*run)(struct core *c, struct app *a, const struct args *args);
    bool reads; /* enough to hold `status` */
    const char *help;
};

static bool next_word(struct span *s, struct span *word)
{
    while (s->len && s->p[0] == ' ')
        *s = span_skip(*s, 1);
    *word = span_take(*s, span_find(*s, ' '));
    *s = span_skip(*s, word->len);
    return word->len != 0;
}

static void done(struct core *c, struct app *a, const char *text, struct span name)
{
    char memory[128];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, text);
    strbuf_span(&b, span_take(name, MANIFEST_NAME_MAX));
    reply_line(c, a, strbuf_done(&b));
    reply_end(c, a);
}

static void failed(struct core *c, struct app *a, const char *text, struct span value)
{
    reply_error(c, a, text, value);
    reply_end(c, a);
}

/* The app that a verb is about; answers an error when there is none. */
static struct app *target(struct core *c, struct app *a, struct span name)
{
    struct app *t = apps_find(c, name);
    if (!t)
        failed(c, a, name.len ? "no such app: " : "which app?", name);
    return t;
}

static void job_start(struct core *c, struct app *a, enum job_kind kind, const struct app *t,
                      uint64_t cursor, uint64_t end)
{
    a->job = (struct job){ .kind = (uint8_t)kind,
                           .target = t ? t->slot : 0,
                           .serial = t ? t->serial : 0,
                           .cursor = cursor,
                           .end = end };
    job_run(c, a);
}

/* --- verbs -------------------------------------------------------------------------- */

static void verb_ps(struct core *c, struct app *a, const struct args *args)
{
    bool json = span_eq_cstr(args->first, "--json");
    job_start(c, a, json ? JOB_PS_JSON : JOB_PS, NULL, 0, c->apps_used);
}

static void verb_start(struct core *c, struct app *a, const struct args *args)
{
    int error = E_OK;
    if (!args->first.len) {
        failed(c, a, "which app?", SPAN_NONE);
        return;
    }
    struct app *t = apps_find(c, args->first);
    struct boot_app how = boot_app_default(args->first);
    if (!t)
        t = apps_add(c, &how, &error);
    if (!t)
        failed(c, a, error == E_FULL ? "no room for another app: " : "no name for an app: ",
               args->first);
    else if (app_is_alive(t))
        failed(c, a, "is running already: ", args->first);
    else {
        life_start(c, t);
        done(c, a, "starting ", args->first);
    }
}

/* The same, of one that is running or is about to. */
static struct app *active_target(struct core *c, struct app *a, struct span name)
{
    struct app *t = target(c, a, name);
    if (!t || app_is_alive(t) || t->state == APP_WAITING || t->state == APP_BACKOFF)
        return t;
    failed(c, a, "is not running: ", name);
    return NULL;
}

static void verb_stop(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = active_target(c, a, args->first);
    if (!t)
        return;
    done(c, a, "stopping ", args->first);
    life_stop(c, t, WISH_STOP);
}

static void verb_kill(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = active_target(c, a, args->first);
    if (!t)
        return;
    done(c, a, "killing ", args->first);
    life_kill(c, t, WISH_STOP);
}

static void restart(struct core *c, struct app *a, struct app *t, enum app_wish wish)
{
    done(c, a, wish == WISH_RELOAD ? "reloading " : "restarting ", app_name(t));
    t->accept_changed |= wish == WISH_RELOAD;
    if (app_is_alive(t))
        life_stop(c, t, wish);
    else
        life_start(c, t);
}

static void verb_restart(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = target(c, a, args->first);
    if (t)
        restart(c, a, t, WISH_RESTART);
}

static void verb_reload(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = target(c, a, args->first);
    if (t)
        restart(c, a, t, WISH_RELOAD);
}

static void verb_log(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = target(c, a, args->first);
    if (t)
        job_start(c, a, JOB_LOG, t, t->log_total - t->log.len, t->log_total);
}

static void unfollow(struct core *c, struct app *a)
{
    if (a->follows != NO_SLOT)
        app_at(c, a->follows)->follower = NO_SLOT;
    a->follows = NO_SLOT;
}

static void verb_logf(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = args->first.len || a->follows == NO_SLOT ? target(c, a, args->first)
                                                              : app_at(c, a->follows);
    if (!t)
        return;
    if (a->follows == t->slot) {
        unfollow(c, a);
        done(c, a, "no longer following ", app_name(t));
        return;
    }
    if (t == a) {
        failed(c, a, "cannot follow itself: ", app_name(t));
        return;
    }
    unfollow(c, a);
    if (t->follower != NO_SLOT)
        unfollow(c, app_at(c, t->follower));
    a->follows = t->slot;
    t->follower = a->slot;
    done(c, a, "following ", app_name(t));
}

static void verb_focus(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = target(c, a, args->first);
    if (!t)
        return;
    if (!app_is_alive(t)) {
        failed(c, a, "is not running: ", args->first);
        return;
    }
    if (!c->console.owned) {
        failed(c, a, "there is no console to give: the input is no terminal", SPAN_NONE);
        return;
    }
    done(c, a, "focus on ", args->first);
    console_focus(c, t);
}

/* Decimal digits; false when there is anything else. What is greater than most is most. */
static bool number(struct span s, uint64_t most, uint64_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        *ret = min_u64(10 * *ret + (uint64_t)(s.p[i] - '0'), most);
    }
    return s.len != 0;
}

static void verb_audit(struct core *c, struct app *a, const struct args *args)
{
    uint64_t n = 20, last = c->audit.seq;
    /* People say it either way. */
    struct span count = span_eq_cstr(args->first, "tail") ? args->second : args->first;
    if (count.len && !number(count, CORE_AUDIT_RECENT, &n)) {
        failed(c, a, "how many? audit [N]", SPAN_NONE);
        return;
    }
    job_start(c, a, JOB_AUDIT, NULL, last > n ? last - n + 1 : 1, last + 1);
}

static void verb_verify(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = args->first.len ? target(c, a, args->first) : NULL;
    if (args->first.len && !t)
        return;
    if (t && !t->has_hash)
        failed(c, a, "was never started: ", args->first);
    else if (c->verify.open && c->now_ms - c->verify.since_ms < BLOCK_MS)
        failed(c, a, "another check is going on", SPAN_NONE);
    else
        job_start(c, a, JOB_VERIFY, NULL, t ? t->slot : 0, t ? t->slot + 1u : c->apps_used);
}

static void verb_caps(struct core *c, struct app *a, const struct args *args)
{
    struct app *t = target(c, a, args->first);
    if (!t)
        return;
    if (!t->manifest.name.len) {
        failed(c, a, "was never started: ", args->first);
        return;
    }
    char memory[REPLY_BYTES_MAX];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    for (unsigned i = 0; i < MANIFEST_CAP_COUNT; i++) {
        if (!manifest_has(&t->manifest, (enum manifest_cap)i))
            continue;
        strbuf_cstr(&b, b.len ? " " : "");
        strbuf_cstr(&b, manifest_cap_name((enum manifest_cap)i));
    }
    reply_line(c, a, b.len ? strbuf_done(&b) : SPAN_LIT("none"));
    reply_end(c, a);
}

static void verb_status(struct core *c, struct app *a, const struct args *args)
{
    char memory[REPLY_BYTES_MAX];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "up ");
    strbuf_u64(&b, (c->now_ms - c->start_ms) / 1000);
    strbuf_cstr(&b, " s, ");
    strbuf_u64(&b, c->alive_count);
    strbuf_cstr(&b, " of ");
    strbuf_u64(&b, c->entry_count);
    strbuf_cstr(&b, " apps running, ");
    strbuf_u64(&b, c->audit.seq);
    strbuf_cstr(&b, " audit records, ");
    strbuf_u64(&b, c->audit.lost_ever);
    strbuf_cstr(&b, " lost");
    reply_line(c, a, strbuf_done(&b));
    reply_end(c, a);
}

static void verb_poweroff(struct core *c, struct app *a, const struct args *args)
{
    done(c, a, "powering off", SPAN_NONE);
    stop_begin(c, CORE_STOP_POWEROFF);
}

static void verb_reboot(struct core *c, struct app *a, const struct args *args)
{
    done(c, a, "rebooting", SPAN_NONE);
    stop_begin(c, CORE_STOP_REBOOT);
}

static void verb_console(struct core *c, struct app *a, const struct args *args)
{
    bool raw = span_eq_cstr(args->first, "raw");
    if (!raw && !span_eq_cstr(args->first, "line")) {
        failed(c, a, "console raw, or console line", SPAN_NONE);
        return;
    }
    a->raw_keys = raw;
    if (raw)
        console_keys_wanted(c, a);
    done(c, a, raw ? "console raw" : "console line", SPAN_NONE);
}

static void verb_help(struct core *c, struct app *a, const struct args *args)
{
    job_start(c, a, JOB_HELP, NULL, 0, UINT32_MAX);
}

static const struct verb verbs[] = {
    { "ps", verb_ps, true, "ps [--json]        the apps and their states" },
    { "status", verb_status, true, "status             the system in one line" },
    { "uptime", verb_status, true, NULL },
    { "help", verb_help, true, "help               this list" },
    { "start", verb_start, false, "start NAME         start an app" },
    { "stop", verb_stop, false, "stop NAME          ask an app to end" },
    { "kill", verb_kill, false, "kill NAME          end it now" },
    { "restart", verb_restart, false, "restart NAME       stop it, start it again" },
    { "reload", verb_reload, false, "reload NAME        the same, from what storage holds now" },
    { "log", verb_log, false, "log NAME           its recent output" },
    { "logf", verb_logf, false, "logf NAME          follow its output; again: stop" },
    { "focus", verb_focus, false, "focus NAME         give it the console (Ctrl-Z returns)" },
    { "caps", verb_caps, false, "caps NAME          what it may do" },
    { "audit", verb_audit, false, "audit [tail] [N]   the last N audit records" },
    { "verify", verb_verify, false, "verify [NAME]      compare modules with storage" },
    { "console", verb_console, false, "console raw|line   keys, or edited lines" },
    { "poweroff", verb_poweroff, false, "poweroff           end everything" },
    { "reboot", verb_reboot, false, "reboot             and begin again" },
};

const char *shell_help(uint32_t n)
{
    for (unsigned i = 0; i < base_countof(verbs); i++)
        if (verbs[i].help && n-- == 0)
            return verbs[i].help;
    return NULL;
}

static const struct verb *find_verb(struct span name)
{
    for (unsigned i = 0; i < base_countof(verbs); i++)
        if (span_eq_cstr(name, verbs[i].name))
            return &verbs[i];
    return NULL;
}

static bool may_use(const struct app *a, const struct verb *v)
{
    return manifest_has(&a->manifest, MANIFEST_CAP_SHELL) ||
           (v && v->reads && manifest_has(&a->manifest, MANIFEST_CAP_STATUS));
}

enum sent shell_command(struct core *c, struct app *a, struct span verb, struct span args)
{
    const struct verb *v = find_verb(verb);
    if (!may_use(a, v)) {
        int power = v && v->reads ? MANIFEST_CAP_STATUS : MANIFEST_CAP_SHELL;
        struct span why = policy_deny(c, a, "command the supervisor to", power, verb);
        stdin_system(c, a, "error:denied:", why);
        return SENT_DONE;
    }
    if (!reply_has_room(a) && !a->finishing && !a->stdin_closed) {
        if (!a->clogged) {
            flow_block(c, a, a);
            return SENT_BLOCKED;
        }
        policy_excess(c, a, "unread answer", SPAN_NONE);
        stdin_system(c, a, "error:full:", SPAN_LIT("supervisor: its answers are not read"));
        return SENT_DONE;
    }
    struct args words;
    next_word(&args, &words.first);
    next_word(&args, &words.second);
    if (v)
        v->run(c, a, &words);
    else
        failed(c, a, "unknown command; 'help' lists them: ", verb);
    return SENT_DONE;
}

/* --- following a log ---------------------------------------------------------------- */

void shell_follow_line(struct core *c, struct app *a, struct span line)
{
    struct app *f = app_at(c, a->follower);
    char memory[REPLY_BYTES_MAX + MANIFEST_NAME_MAX + 24];
    struct strbuf b;
    if (!reply_has_room(f))
        return; /* the follower reads too slowly: it misses lines, nobody waits */
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "REPLY:log:");
    strbuf_span(&b, app_name(a));
    strbuf_cstr(&b, ": ");
    strbuf_printable(&b, span_take(line, REPLY_BYTES_MAX));
    strbuf_char(&b, '\n');
    stdin_put(c, f, strbuf_done(&b));
}

void shell_forget(struct core *c, struct app *a)
{
    unfollow(c, a);
    if (a->state == APP_FREE && a->follower != NO_SLOT)
        unfollow(c, app_at(c, a->follower));
}
