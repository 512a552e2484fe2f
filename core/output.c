/* From an app's output to lines, and how far it may run ahead.
 *
 * Each stream is cut into lines. On stdout of an app that speaks lines each goes to the
 * broker, the shell or the console; everything else is plain text.
 *
 * Back-pressure: a line whose recipient has no room stays at the head of the sender's
 * hold ring, everything after it behind it, and the sender is paused. It goes on (through
 * the ready list, a bounded number of bytes a step) when the recipient has drained, or
 * when the deadline has passed, and then the line is refused.
 * docs/decisions/0011-back-pressure.md */
#include "state.h"

#include "base/err.h"
#include "formats/lines.h"

enum { READY_BYTES_MAX = 64 * 1024 };

void log_append(struct core *c, struct app *a, struct span line)
{
    struct ring *r = &a->log;
    line = span_take(line, r->cap / 4);
    for (bool half = false; half || ring_free(r) < line.len + 1;) {
        struct span oldest = ring_peek(r);
        size_t n = span_find(oldest, '\n');
        half = n == oldest.len; /* the rest of the line stands at the ring's beginning */
        ring_drop(r, half ? n : n + 1);
    }
    ring_put(r, line);
    ring_put(r, SPAN_LIT("\n"));
    a->log_total += line.len + 1;
    if (a->follower != NO_SLOT)
        shell_follow_line(c, a, line);
}

static void plain_line(struct core *c, struct app *a, enum core_stream stream,
                       struct splitter *sp, struct span line, bool newline)
{
    log_append(c, a, line);
    screen_line(c, a, stream, sp, line, newline);
}


/* --- one line -------------------------------------------------------------------- */

static const char *const protocol_prefixes[] = { "@", "VYOMA_", "REPLY:" };

/* Of text that begins a line: can it be, or still become, one of the protocol? */
static bool may_be_protocol(struct span s)
{
    for (unsigned i = 0; i < base_countof(protocol_prefixes); i++) {
        struct span p = span_of_cstr(protocol_prefixes[i]);
        if (span_starts(s.len < p.len ? p : s, s.len < p.len ? s : p))
            return true;
    }
    return false;
}

static bool has_protocol_prefix(struct span line)
{
    for (unsigned i = 0; i < base_countof(protocol_prefixes); i++)
        if (span_starts(line, span_of_cstr(protocol_prefixes[i])))
            return true;
    return false;
}

static void malformed(struct core *c, struct app *a, struct span line, struct span why)
{
    struct note note = { .event = AUDIT_CAP_DENY,
                         .what = "malformed line",
                         .value = why,
                         .id = hash_bytes(1, why),
                         .count = 1 };
    char memory[160];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "a line was skipped: ");
    strbuf_span(&b, why);
    if (tally_note(c, a, &note))
        screen_notice(c, a, strbuf_done(&b));
    stdin_system(c, a, "error:malformed:", why);
    log_append(c, a, line);
}

static enum sent protocol_line(struct core *c, struct app *a, struct splitter *sp,
                               struct span line)
{
    struct lines parsed;
    lines_parse(line, &parsed);
    switch (parsed.type) {
    case LINES_MESSAGE: return broker_send(c, a, parsed.dest, parsed.text);
    case LINES_REPLY: return broker_reply(c, a, parsed.text);
    case LINES_BROADCAST: broker_broadcast(c, a, parsed.text); break;
    case LINES_SUPERVISOR: return shell_command(c, a, parsed.dest, parsed.text);
    case LINES_DRAW:
        if (!manifest_has(&a->manifest, MANIFEST_CAP_DISPLAY))
            stdin_system(c, a, "error:denied:",
                         policy_deny(c, a, "draw", MANIFEST_CAP_DISPLAY, SPAN_NONE));
        break;
    case LINES_TEXT: plain_line(c, a, CORE_STDOUT, sp, line, true); break;
    case LINES_RESERVED: malformed(c, a, line, SPAN_LIT("reserved for the system")); break;
    default: malformed(c, a, line, span_of_cstr(parsed.error ? parsed.error : "")); break;
    }
    return SENT_DONE;
}

static bool is_protocol(const struct app *a, enum core_stream stream, const struct splitter *sp,
                        struct span line)
{
    return stream == CORE_STDOUT && a->manifest.lines && !sp->more && line.len &&
           (line.p[0] == '@' || line.p[0] == 'V' || line.p[0] == 'R') && has_protocol_prefix(line);
}

static enum sent take_line(struct core *c, struct app *a, enum core_stream stream,
                           struct splitter *sp, struct span line)
{
    if (is_protocol(a, stream, sp, line))
        return protocol_line(c, a, sp, line);
    plain_line(c, a, stream, sp, line, true);
    return SENT_DONE;
}

/* A line that is longer than a line may be. */
static void over_long(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp)
{
    struct span line = span_of(sp->p, sp->len);
    if (is_protocol(a, stream, sp, line)) {
        policy_excess(c, a, "line length", SPAN_NONE);
        stdin_system(c, a, "error:too-long:", span_take(line, 40));
        sp->skip = true;
    } else {
        plain_line(c, a, stream, sp, line, false);
        sp->more = true;
    }
    sp->len = sp->shown = 0;
}

static void line_done(struct splitter *sp)
{
    sp->len = sp->shown = 0;
    sp->whole = sp->more = false;
}

/* Adds s, which has no newline, to the line so far. */
static void add_piece(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp,
                      struct span s)
{
    while (s.len && !sp->skip) {
        struct span piece = span_take(s, c->limits.line_bytes - sp->len);
        memcpy(sp->p + sp->len, piece.p, piece.len);
        sp->len += (uint32_t)piece.len;
        s = span_skip(s, piece.len);
        if (sp->len == c->limits.line_bytes && s.len)
            over_long(c, a, stream, sp);
    }
}

/* One line that has ended. False: it could not go on and waits in the splitter. */
static bool end_line(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp,
                     struct span line)
{
    if (sp->skip) {
        sp->skip = false;
        return true;
    }
    bool direct = sp->len == 0 && line.len <= c->limits.line_bytes;
    if (!direct) {
        add_piece(c, a, stream, sp, line);
        if (sp->skip) {
            sp->skip = false;
            return true;
        }
        line = span_of(sp->p, sp->len);
    }
    if (take_line(c, a, stream, sp, line) != SENT_BLOCKED) {
        line_done(sp);
        return true;
    }
    if (direct) {
        memcpy(sp->p, line.p, line.len);
        sp->len = (uint32_t)line.len;
    }
    sp->whole = true;
    return false;
}

/* Takes lines out of text of stdout. Returns the bytes consumed: all of them, unless a line
 * could not go on; that one is in the splitter then. */
static size_t feed(struct core *c, struct app *a, struct span text)
{
    struct splitter *sp = &a->out;
    if (sp->whole) {
        if (take_line(c, a, CORE_STDOUT, sp, span_of(sp->p, sp->len)) == SENT_BLOCKED)
            return 0;
        line_done(sp);
        if (a->blocked)
            return 0;
        a->block_deadline_ms = 0;
    }
    size_t at = 0;
    while (at < text.len) {
        struct span rest = span_skip(text, at);
        size_t n = span_find(rest, '\n');
        if (n == rest.len) {
            add_piece(c, a, CORE_STDOUT, sp, rest);
            return text.len;
        }
        at += n + 1;
        if (!end_line(c, a, CORE_STDOUT, sp, span_take(rest, n)))
            return at;
        if (a->blocked) /* by the answer to a command, which comes before the next line */
            return at;
        a->block_deadline_ms = 0;
    }
    return at;
}

/* stderr is plain text: it waits for no one, whatever stdout waits for. */
static void feed_stderr(struct core *c, struct app *a, struct span text)
{
    for (size_t n; (n = span_find(text, '\n')) < text.len; text = span_skip(text, n + 1))
        end_line(c, a, CORE_STDERR, &a->err, span_take(text, n));
    add_piece(c, a, CORE_STDERR, &a->err, text);
}

/* A prompt, a progress bar: what the app in focus wrote of a line shows at once, unless
 * it may turn out to be a line of the protocol. */
static void show_partial(struct core *c, struct app *a, enum core_stream stream,
                         struct splitter *sp)
{
    if (sp->len == sp->shown || sp->whole || sp->skip)
        return;
    bool plain = stream == CORE_STDERR || !a->manifest.lines || sp->more ||
                 !may_be_protocol(span_of(sp->p, sp->len));
    if (plain)
        screen_partial(c, a, stream, sp);
}

void output_show_again(struct core *c, struct app *a)
{
    a->out.shown = a->err.shown = 0;
    show_partial(c, a, CORE_STDERR, &a->err);
    show_partial(c, a, CORE_STDOUT, &a->out);
}

void output_event(struct core *c, struct app *a, const struct core_event *ev)
{
    if (!app_is_up(a) || ev->text.len == 0)
        return;
    a->last_sign_ms = c->now_ms;
    if (!manifest_has(&a->manifest, MANIFEST_CAP_STDIO)) {
        policy_deny(c, a, "write to", MANIFEST_CAP_STDIO, SPAN_LIT("stdout"));
        return;
    }
    if (ev->stream == CORE_STDERR) {
        feed_stderr(c, a, ev->text);
        show_partial(c, a, CORE_STDERR, &a->err);
        return;
    }
    struct span rest = ev->text;
    if (!a->paused) {
        rest = span_skip(rest, feed(c, a, rest));
        show_partial(c, a, CORE_STDOUT, &a->out);
    }
    if (ring_put(&a->hold, rest) < 0)
        policy_excess(c, a, "output while paused", SPAN_NONE);
}

/* --- waiting and going on ---------------------------------------------------------- */

void flow_block(struct core *c, struct app *a, struct app *on)
{
    base_assert(!a->blocked && !a->links[LIST_FLOW].on);
    a->blocked = true;
    a->waits_on = NO_SLOT;
    if (on) {
        a->waits_on = on->slot;
        list_push(c, &on->waiters, LIST_FLOW, a);
    }
    if (!a->block_deadline_ms)
        a->block_deadline_ms = c->now_ms + BLOCK_MS;
    timer_want(c, a, a->block_deadline_ms);
    if (!a->paused) {
        a->paused = true;
        act(c, CORE_ACT_PAUSE, a);
    }
}

void flow_wake(struct core *c, struct app *a)
{
    if (!a->blocked)
        return;
    if (a->waits_on != NO_SLOT)
        list_remove(c, &app_at(c, a->waits_on)->waiters, LIST_FLOW, a);
    a->waits_on = NO_SLOT;
    a->blocked = false;
    list_push(c, &c->ready, LIST_FLOW, a);
}

void flow_wake_waiters(struct core *c, struct app *b)
{
    while (b->waiters.count)
        flow_wake(c, app_at(c, b->waiters.head));
}

/* The deadline has passed. A recipient that kept a sender waiting so long keeps no one
 * else: until it drains, what is sent to it is refused. */
void flow_expired(struct core *c, struct app *a)
{
    if (a->job.kind) {
        if (a->waits_on != NO_SLOT)
            policy_excess(c, a, "unread answer", SPAN_NONE);
        job_abandon(c, a);
        flow_wake(c, a);
    } else if (a->waits_on != NO_SLOT) {
        struct app *b = app_at(c, a->waits_on);
        b->clogged = true;
        flow_wake_waiters(c, b);
    }
}

static void resume(struct core *c, struct app *a, size_t *budget)
{
    if (a->job.kind && !job_run(c, a))
        return;
    while (a->hold.len || a->out.whole) {
        size_t n = feed(c, a, span_take(ring_peek(&a->hold), *budget));
        ring_drop(&a->hold, n);
        if (a->blocked)
            return;
        *budget -= min_u64(*budget, n + 64);
        if (*budget == 0) {
            list_push(c, &c->ready, LIST_FLOW, a);
            return;
        }
    }
    show_partial(c, a, CORE_STDOUT, &a->out);
    a->block_deadline_ms = 0;
    if (a->paused) {
        a->paused = false;
        act(c, CORE_ACT_RESUME, a);
    }
}

void flow_run_ready(struct core *c)
{
    size_t budget = READY_BYTES_MAX;
    for (uint32_t n = c->ready.count; n && budget && step_has_room(c); n--)
        resume(c, list_pop(c, &c->ready, LIST_FLOW), &budget);
    if (c->ready.count)
        wake_at(c, c->now_ms);
}

static void finish_stream(struct core *c, struct app *a, enum core_stream stream,
                          struct splitter *sp)
{
    struct span line = span_of(sp->p, sp->len);
    if (sp->len && !is_protocol(a, stream, sp, line))
        plain_line(c, a, stream, sp, line, false);
    line_done(sp); /* half a message is not a message */
    sp->skip = false;
}

uint32_t flow_finish(struct core *c, struct app *a)
{
    uint64_t sent = a->sent;
    uint32_t lines = 0;
    a->finishing = true;
    a->job.kind = JOB_NONE;
    if (a->blocked)
        flow_wake(c, a);
    if (a->links[LIST_FLOW].on)
        list_remove(c, &c->ready, LIST_FLOW, a);
    while (a->hold.len || a->out.whole) {
        lines += a->out.whole;
        ring_drop(&a->hold, feed(c, a, ring_peek(&a->hold)));
    }
    finish_stream(c, a, CORE_STDOUT, &a->out);
    finish_stream(c, a, CORE_STDERR, &a->err);
    a->finishing = a->paused = false;
    a->block_deadline_ms = 0;
    return a->sent > sent ? 0 : lines;
}
