/* What waits for an app's stdin: whole lines, bounded, delivered in order. Nothing but
 * the functions here puts a byte there, which is why an app can trust the frame of
 * each line that it reads. */
#include "state.h"

#include "base/err.h"

bool app_takes_lines(const struct app *a)
{
    return (a->state == APP_SPAWNING || app_is_up(a)) && a->manifest.lines &&
           manifest_has(&a->manifest, MANIFEST_CAP_STDIO);
}

static void mark_dirty(struct core *c, struct app *a)
{
    if (!a->links[LIST_DIRTY].on && !a->deliver_open && app_is_up(a))
        list_push(c, &c->dirty, LIST_DIRTY, a);
}

int stdin_put(struct core *c, struct app *a, struct span s)
{
    if (a->stdin_closed || a->close_wanted)
        return E_IO;
    int r = ring_put(&a->in, s);
    if (r == E_OK)
        mark_dirty(c, a);
    return r;
}

/* Lines that did not fit are at least counted: the app hears of them with the next. */
static void tell_lost(struct core *c, struct app *a)
{
    char memory[48];
    struct strbuf b;
    if (!a->lost_system)
        return;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "VYOMA_SYSTEM:lost:");
    strbuf_u64(&b, a->lost_system);
    strbuf_char(&b, '\n');
    if (stdin_put(c, a, strbuf_done(&b)) == E_OK)
        a->lost_system = 0;
}

void stdin_system(struct core *c, struct app *a, const char *what, struct span text)
{
    char memory[640];
    struct strbuf b;
    if (!app_takes_lines(a))
        return;
    tell_lost(c, a);
    strbuf_init(&b, memory, sizeof memory - 1);
    strbuf_cstr(&b, "VYOMA_SYSTEM:");
    strbuf_cstr(&b, what);
    strbuf_printable(&b, text);
    b.cap = sizeof memory;
    strbuf_char(&b, '\n');
    if (stdin_put(c, a, strbuf_done(&b)) < 0)
        a->lost_system++;
}

void stdin_begin(struct core *c, struct app *a)
{
    if (manifest_has(&a->manifest, MANIFEST_CAP_STDIO))
        return;
    ring_drop(&a->in, a->in.len);
    a->stdin_closed = true;
    console_stdin_drained(c, a);
}

void stdin_close(struct core *c, struct app *a)
{
    if (a->stdin_closed || a->close_wanted)
        return;
    a->close_wanted = true;
    mark_dirty(c, a);
}

/* "@reply" answers the message that the app was given last, not one that still waits here:
 * someone who slips in behind must not get an answer that is not meant for him. So the
 * names are read from what goes out, line by line, in any split. */
enum { HEARD_START, HEARD_NAME, HEARD_MESSAGE, HEARD_OTHER };

static void heard_line(struct core *c, struct app *a)
{
    if (a->heard_state == HEARD_MESSAGE) {
        struct app *sender = apps_find(c, span_of(a->heard, a->heard_len));
        a->last_sender = sender ? sender->id : 0;
    }
    a->heard_state = HEARD_START;
}

static void heard_bytes(struct core *c, struct app *a, struct span s)
{
    for (; s.len; s = span_skip(s, 1)) {
        if (a->heard_state >= HEARD_MESSAGE)
            s = span_skip(s, span_find(s, '\n'));
        if (s.len == 0)
            return;
        uint8_t ch = s.p[0];
        if (ch == '\n') {
            heard_line(c, a);
        } else if (a->heard_state == HEARD_START) {
            a->heard_state = ch == '@' ? HEARD_NAME : HEARD_OTHER;
            a->heard_len = 0;
        } else if (ch == ':') {
            a->heard_state = HEARD_MESSAGE;
        } else if (a->heard_len == sizeof a->heard) {
            a->heard_state = HEARD_OTHER;
        } else {
            a->heard[a->heard_len++] = (char)ch;
        }
    }
}

/* The app reads no more: what waits will never be read. */
static void closed_by_app(struct core *c, struct app *a)
{
    ring_drop(&a->in, a->in.len);
    a->stdin_closed = true;
    flow_wake_waiters(c, a);
}

void stdin_delivered(struct core *c, struct app *a, const struct core_event *ev)
{
    if (!a->deliver_open)
        return;
    a->deliver_open = false;
    if (ev->error < 0) {
        closed_by_app(c, a);
        return;
    }
    struct span taken = ring_peek(&a->in);
    if (ev->count < taken.len)
        taken.len = (size_t)ev->count;
    if (a->manifest.lines)
        heard_bytes(c, a, taken);
    ring_drop(&a->in, taken.len);
    if (a->in.len || a->close_wanted)
        mark_dirty(c, a);
    if (ring_free(&a->in) < a->in.cap / 2)
        return;
    a->clogged = false;
    flow_wake_waiters(c, a);
    console_stdin_drained(c, a);
}

void stdin_flush(struct core *c)
{
    struct app *a;
    while (c->actions->count + 2 < CORE_ACTIONS_MAX &&
           (a = list_pop(c, &c->dirty, LIST_DIRTY)) != NULL) {
        if (a->in.len) {
            act(c, CORE_ACT_DELIVER, a)->bytes = ring_peek(&a->in);
            a->deliver_open = true;
        } else if (a->close_wanted && !a->stdin_closed) {
            a->stdin_closed = true;
            act(c, CORE_ACT_CLOSE_STDIN, a);
        }
    }
    if (c->dirty.count)
        wake_at(c, c->now_ms);
}
