/* Messages as lines. The sender's name in a delivered line is always put there by the
 * core: "@sender: text\n" is built here and nowhere else. */
#include "state.h"

#include "base/err.h"
#include "formats/lines.h"

static enum sent refuse(struct core *c, struct app *a, const char *what, struct span text)
{
    stdin_system(c, a, what, text);
    return SENT_REFUSED;
}

/* "to: why" for an error line. */
static enum sent refuse_to(struct core *c, struct app *a, const char *what, struct span to,
                           const char *why)
{
    char memory[160];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_span(&b, span_take(to, MANIFEST_NAME_MAX));
    strbuf_cstr(&b, ": ");
    strbuf_cstr(&b, why);
    return refuse(c, a, what, strbuf_done(&b));
}

/* "@sender: text\n" in c->line; empty when that would be longer than a line may be. */
static struct span frame(struct core *c, const struct app *a, struct span text)
{
    struct strbuf b;
    size_t framing = 1u + a->name_len + 2u;
    if (text.len + framing > c->limits.line_bytes)
        return SPAN_NONE;
    strbuf_init(&b, c->line, c->limits.line_bytes + LINE_FRAMING_MAX);
    lines_write_message(&b, app_name(a), text);
    base_assert(!b.overflow);
    return strbuf_done(&b);
}

static void note_sent(struct core *c, struct app *a, const struct app *b, size_t bytes)
{
    struct note note = { .event = AUDIT_IPC_SEND,
                         .value = app_name(b),
                         .id = b->serial,
                         .count = 1,
                         .bytes = bytes };
    a->sent++;
    tally_note(c, a, &note);
}

/* Will b take lines soon, so that waiting for it makes sense? */
static bool is_coming(const struct app *b)
{
    return b->state == APP_WAITING || b->state == APP_BACKOFF || b->state == APP_LOADING;
}

/* b has no room now: a waits, unless b has used up its time or a has ended. */
static enum sent wait_for(struct core *c, struct app *a, struct app *b)
{
    if (!b->clogged && !a->finishing && !c->stopping) {
        flow_block(c, a, b);
        return SENT_BLOCKED;
    }
    policy_excess(c, a, "message to a full queue", app_name(b));
    return refuse_to(c, a, "error:full:", app_name(b), "does not read its messages");
}

static enum sent deliver(struct core *c, struct app *a, struct app *b, struct span text)
{
    if (is_coming(b))
        return wait_for(c, a, b);
    if (!app_takes_lines(b))
        return refuse_to(c, a, "error:no-app:", app_name(b),
                         app_is_alive(b) ? "does not take lines" : "is not running");
    struct span line = frame(c, a, text);
    if (!line.p) {
        policy_excess(c, a, "line length", app_name(b));
        return refuse_to(c, a, "error:too-long:", app_name(b), "the message is too long");
    }
    if (b->stdin_closed || b->close_wanted)
        return refuse_to(c, a, "error:closed:", app_name(b), "has closed its input");
    if (ring_free(&b->in) < line.len)
        return wait_for(c, a, b);
    if (!policy_within_rate(c, a)) {
        policy_excess(c, a, "messages a second", app_name(b));
        return refuse_to(c, a, "error:rate:", app_name(b), "too many messages a second");
    }
    stdin_put(c, b, line);
    b->received++;
    note_sent(c, a, b, text.len);
    return SENT_DONE;
}

enum sent broker_send(struct core *c, struct app *a, struct span to, struct span text)
{
    if (!policy_may_send(a, to))
        return refuse(c, a, "error:denied:",
                      policy_deny(c, a, "send to", MANIFEST_POWER_SEND, to));
    struct app *b = apps_find(c, to);
    if (!b)
        return refuse_to(c, a, "error:no-app:", to, "no such app");
    return deliver(c, a, b, text);
}

/* Whoever has sent something may be answered, as long as that life of it lasts. */
enum sent broker_reply(struct core *c, struct app *a, struct span text)
{
    struct app *b = apps_live(c, a->last_sender);
    if (!b)
        return refuse(c, a, "error:no-app:", SPAN_LIT("reply: there is no one to answer"));
    return deliver(c, a, b, text);
}

/* A broadcast never waits: an app that has no room now misses it. */
static bool broadcast_to(struct core *c, struct app *a, struct app *b, struct span line)
{
    if (b == a || !app_takes_lines(b) || !policy_may_send(a, app_name(b)))
        return true;
    if (!bucket_take(&c->broadcast_all, c->now_ms, BROADCAST_ALL_PER_SEC, BROADCAST_ALL_PER_SEC,
                     1) ||
        stdin_put(c, b, line) < 0)
        return false;
    b->received++;
    note_sent(c, a, b, line.len - 1u - a->name_len - 3u);
    return true;
}

void broker_broadcast(struct core *c, struct app *a, struct span text)
{
    const struct manifest *m = &a->manifest;
    if (!manifest_has(m, MANIFEST_CAP_IPC) || (!m->ipc.send_any && m->ipc.send_count == 0)) {
        refuse(c, a, "error:denied:",
               policy_deny(c, a, "broadcast", MANIFEST_POWER_SEND, SPAN_NONE));
        return;
    }
    struct span line = frame(c, a, text);
    if (!line.p) {
        policy_excess(c, a, "line length", SPAN_LIT("broadcast"));
        refuse_to(c, a, "error:too-long:", SPAN_LIT("broadcast"), "the message is too long");
        return;
    }
    if (!policy_within_rate(c, a) ||
        !bucket_take(&a->broadcasts, c->now_ms, BROADCAST_PER_SEC, BROADCAST_PER_SEC, 1)) {
        policy_excess(c, a, "broadcasts a second", SPAN_NONE);
        refuse_to(c, a, "error:rate:", SPAN_LIT("broadcast"), "too many messages a second");
        return;
    }
    uint32_t missed = 0;
    for (uint16_t slot = c->hearers.head; slot != NO_SLOT;) {
        struct app *b = app_at(c, slot);
        slot = b->links[LIST_HEARERS].next;
        missed += !broadcast_to(c, a, b, line);
    }
    if (missed) {
        policy_excess(c, a, "broadcast to a full queue", SPAN_NONE);
        refuse_to(c, a, "error:full:", SPAN_LIT("broadcast"), "some apps had no room for it");
    }
}
