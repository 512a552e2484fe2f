/* Answers to a shell that may be longer than what its stdin takes at once: written line
 * by line, as it reads them. While one is being written the shell's further output
 * waits (flow_block on itself), so that answers never mix. */
#include "state.h"

#include "base/err.h"

enum { REPLY_ROOM = REPLY_BYTES_MAX + 256 };

bool reply_has_room(const struct app *a)
{
    return ring_free(&a->in) >= REPLY_ROOM;
}

static void reply(struct core *c, struct app *a, const char *prefix, struct span text,
                  struct span value)
{
    char memory[REPLY_ROOM];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, prefix);
    strbuf_printable(&b, span_take(text, REPLY_BYTES_MAX));
    strbuf_printable(&b, span_take(value, MANIFEST_NAME_MAX));
    strbuf_char(&b, '\n');
    if (stdin_put(c, a, strbuf_done(&b)) < 0)
        a->lost_system++;
}

void reply_line(struct core *c, struct app *a, struct span text)
{
    reply(c, a, "REPLY: ", text, SPAN_NONE);
}

void reply_error(struct core *c, struct app *a, const char *text, struct span value)
{
    reply(c, a, "REPLY:error: ", span_of_cstr(text), value);
}

void reply_end(struct core *c, struct app *a)
{
    reply(c, a, "REPLY:END", SPAN_NONE, SPAN_NONE);
}

/* --- lines of each kind; false when there are no more ---------------------------------- */

static void column(struct strbuf *b, struct span s, size_t width)
{
    strbuf_span(b, s);
    for (size_t n = s.len; n < width; n++)
        strbuf_char(b, ' ');
    strbuf_char(b, ' ');
}

static void column_u64(struct strbuf *b, uint64_t v, size_t width)
{
    char memory[24];
    struct strbuf n;
    strbuf_init(&n, memory, sizeof memory);
    strbuf_u64(&n, v);
    column(b, strbuf_done(&n), width);
}

static uint64_t uptime_s(const struct core *c, const struct app *a)
{
    return app_is_up(a) ? (c->now_ms - a->started_ms) / 1000 : 0;
}

static void ps_text(const struct core *c, const struct app *a, struct strbuf *b)
{
    column(b, app_name(a), 16);
    column_u64(b, a->pid > 0 && app_is_up(a) ? (uint64_t)a->pid : 0, 7);
    column(b, span_of_cstr(app_state_name(a)), 9);
    column_u64(b, uptime_s(c, a), 8);
    column_u64(b, a->restarts, 8);
    column_u64(b, a->sent, 8);
    column_u64(b, a->received, 8);
    strbuf_u64(b, a->grants.memory_bytes / 1024);
}

static void json_int(struct strbuf *b, const char *name, int64_t v)
{
    strbuf_cstr(b, ",\"");
    strbuf_cstr(b, name);
    strbuf_cstr(b, "\":");
    strbuf_i64(b, v);
}

static void ps_json(const struct core *c, const struct app *a, struct strbuf *b)
{
    strbuf_cstr(b, "{\"name\":");
    strbuf_json(b, app_name(a));
    strbuf_cstr(b, ",\"state\":");
    strbuf_json(b, span_of_cstr(app_state_name(a)));
    json_int(b, "pid", app_is_up(a) ? a->pid : 0);
    json_int(b, "uptime_s", (int64_t)uptime_s(c, a));
    json_int(b, "restarts", a->restarts);
    json_int(b, "sent", (int64_t)a->sent);
    json_int(b, "received", (int64_t)a->received);
    json_int(b, "memory_bytes", (int64_t)a->grants.memory_bytes);
    json_int(b, "code", a->exit_code);
    if (a->engine[0]) {
        strbuf_cstr(b, ",\"engine\":");
        strbuf_json(b, span_of_cstr(a->engine));
    }
    strbuf_char(b, '}');
}

static bool next_ps(struct core *c, struct job *job, struct strbuf *b)
{
    if (job->kind == JOB_PS && !job->serial) { /* once, above the first app */
        job->serial = 1;
        strbuf_cstr(b, "NAME             PID     STATE     UP/s     RESTARTS SENT     RECEIVED "
                       "MEMORY/KiB");
        return true;
    }
    while (job->cursor < c->apps_used) {
        const struct app *t = app_at(c, (uint32_t)job->cursor++);
        if (t->state == APP_FREE)
            continue;
        if (job->kind == JOB_PS)
            ps_text(c, t, b);
        else
            ps_json(c, t, b);
        return true;
    }
    return false;
}

/* Byte i, counted from the oldest. */
static char ring_at(const struct ring *r, size_t i)
{
    size_t at = r->head + i;
    return (char)r->p[at >= r->cap ? at - r->cap : at];
}

static bool next_log(struct core *c, struct job *job, struct strbuf *b)
{
    const struct app *t = app_at(c, job->target);
    if (t->serial != job->serial)
        return false;
    uint64_t oldest = t->log_total - t->log.len;
    if (job->cursor < oldest)
        job->cursor = oldest;
    if (job->cursor >= job->end)
        return false;
    char raw[REPLY_BYTES_MAX];
    struct strbuf line;
    strbuf_init(&line, raw, sizeof raw);
    for (;;) {
        char ch = job->cursor < job->end ? ring_at(&t->log, (size_t)(job->cursor - oldest)) : '\n';
        job->cursor++;
        if (ch == '\n')
            break;
        strbuf_char(&line, ch); /* what does not fit is cut off */
    }
    strbuf_printable(b, strbuf_done(&line));
    return true;
}

static bool next_audit(struct core *c, struct job *job, struct strbuf *b)
{
    while (job->cursor < job->end) {
        uint64_t back = c->audit.seq - job->cursor++;
        struct span line = back < CORE_AUDIT_RECENT ? audit_recent(c, (uint32_t)back) : SPAN_NONE;
        if (!line.len)
            continue;
        strbuf_span(b, span_take(line, REPLY_BYTES_MAX));
        return true;
    }
    return false;
}

static bool next_line(struct core *c, struct app *a, struct strbuf *b)
{
    switch ((enum job_kind)a->job.kind) {
    case JOB_PS:
    case JOB_PS_JSON: return next_ps(c, &a->job, b);
    case JOB_LOG: return next_log(c, &a->job, b);
    case JOB_AUDIT: return next_audit(c, &a->job, b);
    case JOB_HELP: {
        const char *line = shell_help((uint32_t)a->job.cursor++);
        if (line)
            strbuf_cstr(b, line);
        return line != NULL;
    }
    default: return false;
    }
}

/* --- checking modules against storage ---------------------------------------------------- */

bool verify_start(struct core *c, core_app asker, struct app *target)
{
    if (c->verify.open && c->now_ms - c->verify.since_ms < BLOCK_MS)
        return false;
    c->verify.open = true;
    c->verify.asker = asker;
    c->verify.target = target->slot;
    c->verify.serial = target->serial;
    c->verify.since_ms = c->now_ms;
    struct core_action *action = act(c, CORE_ACT_VERIFY, NULL);
    action->app = target->last_id;
    action->name = app_name(target);
    return true;
}

/* Starts the next check of a JOB_VERIFY; false when all are done. */
static bool next_verify(struct core *c, struct app *a)
{
    while (a->job.cursor < a->job.end && a->job.cursor < c->apps_used) {
        struct app *t = app_at(c, (uint32_t)a->job.cursor++);
        if (t->state != APP_FREE && t->has_hash && verify_start(c, a->id, t))
            return true;
    }
    return false;
}

static const char *verify_result(const struct app *t, const struct core_event *ev)
{
    if (ev->error < 0)
        return "unreadable";
    return memcmp(ev->hash, t->hash, SHA256_BYTES) == 0 ? "ok" : "changed";
}

static void verify_answer(struct core *c, struct app *a, struct span name, const char *result)
{
    char memory[MANIFEST_NAME_MAX + 24];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    column(&b, name, 16);
    strbuf_cstr(&b, result);
    reply_line(c, a, strbuf_done(&b));
    flow_wake(c, a);
    a->block_deadline_ms = 0; /* each check has its own time */
}

void shell_verified(struct core *c, const struct core_event *ev)
{
    struct app *t = app_at(c, c->verify.target);
    if (!c->verify.open || c->verify.target >= c->apps_used || ev->app != t->last_id ||
        t->serial != c->verify.serial)
        return;
    c->verify.open = false;
    const char *result = verify_result(t, ev);
    struct record r;
    audit_begin(c, &r, AUDIT_VERIFY, app_name(t));
    audit_text(&r, "result", span_of_cstr(result));
    audit_hash(&r, "sha256", ev->hash);
    audit_end(c, &r);
    struct app *a = apps_live(c, c->verify.asker);
    if (a && a->job.kind == JOB_VERIFY)
        verify_answer(c, a, app_name(t), result);
}

void job_abandon(struct core *c, struct app *a)
{
    a->job.kind = JOB_NONE;
    reply_error(c, a, "no answer in time", SPAN_NONE);
    reply_end(c, a);
}

/* --- going on ------------------------------------------------------------------------------ */

bool job_run(struct core *c, struct app *a)
{
    while (a->job.kind && !a->finishing && !a->stdin_closed && !a->close_wanted) {
        char memory[REPLY_BYTES_MAX];
        struct strbuf b;
        if (!reply_has_room(a)) {
            flow_block(c, a, a);
            return false;
        }
        if (a->job.kind == JOB_VERIFY && next_verify(c, a)) {
            flow_block(c, a, NULL);
            return false;
        }
        strbuf_init(&b, memory, sizeof memory);
        if (!next_line(c, a, &b)) {
            reply_end(c, a);
            a->job.kind = JOB_NONE;
        } else {
            reply_line(c, a, strbuf_done(&b));
            a->block_deadline_ms = 0;
        }
    }
    a->job.kind = JOB_NONE;
    return true;
}
