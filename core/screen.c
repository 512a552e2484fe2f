/* What is shown at the console, and how much of it.
 *
 * The app that has the focus writes as it likes, the others' lines carry their name. An
 * app without `shell` cannot drive the terminal: its control characters become '?'. A
 * flood never makes the console unusable: lines past a rate are only counted, and stay
 * in the app's log. Text that is no terminal's (un-booted, into a file or pipe) is the
 * foreground app's own bytes, all of them. */
#include "state.h"

#include "base/utf8.h"

enum { PROMPT_BYTES_MAX = 256 }; /* put back after a line of someone else's */

static bool has_focus(const struct core *c, const struct app *a)
{
    return c->console.focus == a->slot;
}

static bool may_drive_terminal(const struct core *c, const struct app *a)
{
    return !c->console.terminal || manifest_has(&a->manifest, MANIFEST_CAP_SHELL);
}

/* Shows s as it is. Text of one stream in one step becomes one action. */
void screen_write(struct core *c, enum core_stream stream, struct span s)
{
    if (s.len == 0)
        return;
    enum core_action_type type = stream == CORE_STDERR ? CORE_ACT_CONSOLE_ERR : CORE_ACT_CONSOLE;
    struct core_actions *acts = c->actions;
    struct core_action *last = acts->count ? &acts->list[acts->count - 1] : NULL;
    struct span copy = step_copy(c, s, STEP_AUDIT_BYTES);
    if (!copy.p || (acts->count + ACTIONS_RESERVE > CORE_ACTIONS_MAX))
        return;
    c->console.fresh = s.p[s.len - 1] == '\n';
    if (last && last->type == type && last->bytes.p + last->bytes.len == copy.p &&
        last->is_notice == c->console.notice) {
        last->bytes.len += copy.len;
        return;
    }
    last = act(c, type, NULL);
    last->bytes = copy;
    last->is_notice = c->console.notice;
}

static bool is_tame(uint8_t ch)
{
    return ch == '\n' || ch == '\r' || ch == '\t';
}

/* Control characters but newline, return and tab become '?'. Runs between them go out
 * through strbuf_printable, in pieces that end at a character's boundary. */
static void write_tamed(struct core *c, enum core_stream stream, struct span s)
{
    char memory[512];
    while (s.len) {
        struct strbuf b;
        size_t n = 0;
        strbuf_init(&b, memory, sizeof memory);
        while (n < s.len && n < sizeof memory - 4) {
            uint32_t cp;
            unsigned k = utf8_next(span_skip(s, n), &cp);
            if (k == 1 && is_tame(s.p[n]))
                strbuf_char(&b, (char)s.p[n]);
            else
                strbuf_printable(&b, span_take(span_skip(s, n), k ? k : 1));
            n += k ? k : 1;
        }
        screen_write(c, stream, strbuf_done(&b));
        s = span_skip(s, n);
    }
}

static void write_as_allowed(struct core *c, const struct app *a, enum core_stream stream,
                             struct span s)
{
    if (may_drive_terminal(c, a))
        screen_write(c, stream, s);
    else
        write_tamed(c, stream, s);
}

/* --- lines between what the person sees and types ------------------------------------ */

static enum core_stream others_stream(const struct core *c)
{
    return c->console.owned ? CORE_STDOUT : CORE_STDERR;
}

static bool edits(const struct core *c, const struct app *focus)
{
    return c->console.owned && c->console.terminal && !(focus && focus->raw_keys);
}

/* Makes room for a line of someone else's: what stands on the present line goes away. */
static void line_open(struct core *c)
{
    if (c->console.fresh)
        return;
    screen_write(c, others_stream(c),
                 c->console.owned && c->console.terminal ? SPAN_LIT("\r\x1b[K") : SPAN_LIT("\n"));
}

/* Puts back the prompt and what was typed after it. */
static void line_close(struct core *c)
{
    struct app *focus = c->console.focus == NO_SLOT ? NULL : app_at(c, c->console.focus);
    if (focus && focus->raw_keys)
        stdin_system(c, focus, "redraw", SPAN_NONE);
    if (!edits(c, focus))
        return;
    if (focus && focus->out.shown)
        write_as_allowed(c, focus, CORE_STDOUT,
                         span_take(span_of(focus->out.p, focus->out.shown), PROMPT_BYTES_MAX));
    screen_write(c, CORE_STDOUT, span_of(c->console.edit, c->console.edit_len));
}

static void write_prefixed(struct core *c, struct span name, struct span line)
{
    char memory[MANIFEST_NAME_MAX + 4];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_char(&b, '[');
    strbuf_span(&b, span_take(name, MANIFEST_NAME_MAX));
    strbuf_cstr(&b, "] ");
    bool fresh = c->console.fresh;
    line_open(c);
    screen_write(c, others_stream(c), strbuf_done(&b));
    while (line.len) { /* in pieces: strbuf_printable never lengthens, but needs memory */
        char piece[512];
        size_t n = line.len < sizeof piece ? line.len : sizeof piece - 4;
        while (n < line.len && n > sizeof piece - 8 && (line.p[n] & 0xc0) == 0x80)
            n--;
        strbuf_init(&b, piece, sizeof piece);
        strbuf_printable(&b, span_take(line, n));
        screen_write(c, others_stream(c), strbuf_done(&b));
        line = span_skip(line, n);
    }
    screen_write(c, others_stream(c), SPAN_LIT("\n"));
    if (!fresh)
        line_close(c);
}

/* --- apps' lines ------------------------------------------------------------------- */

static void hide(struct core *c, struct app *a)
{
    a->hidden++;
    if (a->hidden_due_ms == UINT64_MAX) {
        a->hidden_due_ms = c->now_ms + 1000;
        timer_want(c, a, a->hidden_due_ms);
    }
}

void screen_hidden_due(struct core *c, struct app *a)
{
    char memory[64];
    struct strbuf b;
    a->hidden_due_ms = UINT64_MAX;
    if (!a->hidden)
        return;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "... ");
    strbuf_u64(&b, a->hidden);
    strbuf_cstr(&b, " lines not shown");
    a->hidden = 0;
    write_prefixed(c, app_name(a), strbuf_done(&b));
}

/* Of the app in focus, n bytes more: the rate matters only for a real console. */
static bool focus_may_show(struct core *c, struct app *a, size_t n)
{
    if (!c->console.owned ||
        bucket_take(&c->console.focus_bytes, c->now_ms, FOCUS_BYTES_PER_SEC, FOCUS_BYTES_PER_SEC,
                    n))
        return true;
    hide(c, a);
    return false;
}

void screen_line(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp,
                 struct span line, bool newline)
{
    if (has_focus(c, a)) {
        if (!focus_may_show(c, a, line.len + 1))
            return;
        write_as_allowed(c, a, stream, span_skip(line, sp->shown));
        if (newline)
            screen_write(c, stream, SPAN_LIT("\n"));
        return;
    }
    if (!bucket_take(&a->shows, c->now_ms, SHOW_PER_SEC, SHOW_BURST, 1) ||
        !bucket_take(&c->console.shows_all, c->now_ms, SHOW_ALL_PER_SEC, SHOW_ALL_BURST, 1)) {
        hide(c, a);
        return;
    }
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    if (line.len && line.p[0] == '\r') /* as the shell's lines begin */
        line = span_skip(line, 1);
    write_prefixed(c, app_name(a), line);
}

/* Bytes of s up to an unfinished UTF-8 sequence at its end. */
static size_t whole_characters(struct span s)
{
    for (size_t back = 1; back <= 3 && back <= s.len; back++) {
        uint8_t ch = s.p[s.len - back];
        if ((ch & 0xc0) == 0x80)
            continue;
        size_t need = ch >= 0xf0 ? 4 : ch >= 0xe0 ? 3 : ch >= 0xc0 ? 2 : 1;
        return need > back ? s.len - back : s.len;
    }
    return s.len;
}

void screen_partial(struct core *c, struct app *a, enum core_stream stream, struct splitter *sp)
{
    if (!has_focus(c, a))
        return;
    size_t end = may_drive_terminal(c, a) ? sp->len : whole_characters(span_of(sp->p, sp->len));
    if (end <= sp->shown || !focus_may_show(c, a, end - sp->shown))
        return;
    write_as_allowed(c, a, stream, span_of(sp->p + sp->shown, end - sp->shown));
    sp->shown = (uint32_t)end;
}

static void write_printable_line(struct core *c, struct span line)
{
    char shown[640];
    struct strbuf b;
    strbuf_init(&b, shown, sizeof shown);
    strbuf_printable(&b, span_take(line, sizeof shown));
    screen_write(c, CORE_STDERR, strbuf_done(&b));
    screen_write(c, CORE_STDERR, SPAN_LIT("\n"));
}

void screen_notice(struct core *c, const struct app *a, struct span text)
{
    screen_notice_lines(c, a, text, SPAN_NONE);
}

void screen_notice_lines(struct core *c, const struct app *a, struct span text,
                         struct span more)
{
    if (!bucket_take(&c->console.notices, c->now_ms, NOTICE_PER_SEC, NOTICE_BURST, 1))
        return;
    char memory[MANIFEST_NAME_MAX + 16];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "vyoma");
    if (a) {
        strbuf_cstr(&b, ": ");
        strbuf_span(&b, app_name(a));
    }
    bool fresh = c->console.fresh;
    line_open(c);
    c->console.notice = !c->owns_machine;
    screen_write(c, CORE_STDERR, strbuf_done(&b));
    screen_write(c, CORE_STDERR, SPAN_LIT(": "));
    write_printable_line(c, text);
    for (unsigned i = 0; more.len && i < NOTICE_LINES_MAX; i++) {
        size_t n = span_find(more, '\n');
        screen_write(c, CORE_STDERR, SPAN_LIT("  ")); /* an app must not write as if it were us */
        write_printable_line(c, span_take(more, n));
        more = span_skip(more, n + 1);
    }
    c->console.notice = false;
    if (!fresh)
        line_close(c);
}
