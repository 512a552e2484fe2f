/* What a person types. The console belongs to one app at a time, the focus; Ctrl-Z or
 * Ctrl-] brings it home to the shell. Lines are edited here and go to the app whole, so
 * that they never mix with other lines on its stdin. An app with `shell` can ask for the
 * keys themselves; they come as lines too. Un-booted, where the input is no terminal or the
 * foreground app no shell, that app gets the bytes as they are. */
#include "state.h"

enum {
    CTRL_C = 0x03, CTRL_D = 0x04, BACKSPACE = 0x08, CTRL_U = 0x15, CTRL_W = 0x17, CTRL_Z = 0x1a,
    ESCAPE = 0x1b, CTRL_RBRACKET = 0x1d, DELETE = 0x7f
};
enum { INPUT_END_MS = 1000 };

static struct app *focus_of(const struct core *c)
{
    return c->console.focus == NO_SLOT ? NULL : app_at(c, c->console.focus);
}

static bool at_home(const struct core *c)
{
    return c->console.focus == c->console.home;
}

void console_size(struct core *c, const struct core_event *ev)
{
    c->console.terminal = ev->count != 0;
    c->console.columns = (uint32_t)min_u64(ev->count, 10000);
    c->console.rows = (uint32_t)min_u64(ev->count2, 10000);
}

/* --- focus ------------------------------------------------------------------------- */

static void tell_focus(struct core *c, struct app *a, bool has)
{
    if (a && app_is_up(a) && c->console.owned)
        stdin_system(c, a, "focus:", has ? SPAN_LIT("on") : SPAN_LIT("off"));
}

void console_focus(struct core *c, struct app *a)
{
    struct app *old = focus_of(c);
    if (!a && c->console.home != NO_SLOT)
        a = app_at(c, c->console.home);
    if (a == old)
        return;
    if (old)
        console_stdin_drained(c, old); /* what it has not read holds up no one else */
    tell_focus(c, old, false);
    c->console.focus = a ? a->slot : NO_SLOT;
    c->console.edit_len = 0;
    if (!c->console.fresh)
        screen_write(c, CORE_STDOUT, SPAN_LIT("\n"));
    if (a && c->console.owned && !at_home(c))
        screen_notice(c, a, SPAN_LIT("has the console; Ctrl-Z returns to the shell"));
    tell_focus(c, a, true);
    if (a && !a->raw_keys)
        output_show_again(c, a);
}

void console_life_over(struct core *c, struct app *a)
{
    struct console *con = &c->console;
    console_stdin_drained(c, a);
    if (con->focus == a->slot && !app_is_alive(a) && !a->foreground && !at_home(c))
        console_focus(c, NULL);
}

void console_forget(struct core *c, struct app *a)
{
    if (c->console.home == a->slot)
        c->console.home = NO_SLOT;
    if (c->console.focus == a->slot)
        c->console.focus = NO_SLOT;
}

/* --- bytes as they are --------------------------------------------------------------- */

/* What was typed, as it was or in lines; nothing more is taken when half of its room is full. False:
 * it has closed its stdin or has none, or the host did not heed PAUSE. */
static bool put_input(struct core *c, struct app *a, struct span s)
{
    if (stdin_put(c, a, s) < 0)
        return false;
    if (ring_free(&a->in) < a->in.cap / 2 && !c->console.paused) {
        c->console.paused = true;
        act(c, CORE_ACT_PAUSE, NULL);
    }
    return true;
}

static void pass_through(struct core *c, struct app *a, struct span s)
{
    c->console.mid_line = s.p[s.len - 1] != '\n';
    put_input(c, a, s);
}

void console_stdin_drained(struct core *c, struct app *a)
{
    if (!c->console.paused || c->console.focus != a->slot)
        return;
    c->console.paused = false;
    act(c, CORE_ACT_RESUME, NULL);
}

static void pass_keys(struct core *c, struct app *a, struct span s)
{
    enum { BYTES_A_LINE = 256 };
    char memory[2 * BYTES_A_LINE + 24];
    while (s.len) {
        struct strbuf b;
        struct span piece = span_take(s, BYTES_A_LINE);
        strbuf_init(&b, memory, sizeof memory);
        strbuf_cstr(&b, "VYOMA_INPUT:bytes:");
        strbuf_hex_bytes(&b, piece);
        strbuf_char(&b, '\n');
        if (!put_input(c, a, strbuf_done(&b)))
            return;
        s = span_skip(s, piece.len);
    }
}

/* --- line editing ---------------------------------------------------------------------- */

static void echo(struct core *c, struct span s)
{
    if (c->console.terminal)
        screen_write(c, CORE_STDOUT, s);
}

static void deliver_line(struct core *c, struct app *a)
{
    struct console *con = &c->console;
    echo(c, SPAN_LIT("\n"));
    con->edit[con->edit_len] = '\n'; /* one byte is kept free for it */
    if (a && app_is_alive(a) && stdin_put(c, a, span_of(con->edit, con->edit_len + 1)) < 0)
        screen_notice(c, a, SPAN_LIT("does not take input now; the line is lost"));
    con->edit_len = 0;
}

/* Takes the last character off. */
static void erase_one(struct core *c)
{
    struct console *con = &c->console;
    if (!con->edit_len)
        return;
    do
        con->edit_len--;
    while (con->edit_len && ((uint8_t)con->edit[con->edit_len] & 0xc0) == 0x80);
    echo(c, SPAN_LIT("\b \b"));
}

static void erase_word(struct core *c)
{
    struct console *con = &c->console;
    while (con->edit_len && con->edit[con->edit_len - 1] == ' ')
        erase_one(c);
    while (con->edit_len && con->edit[con->edit_len - 1] != ' ')
        erase_one(c);
}

static void insert(struct core *c, uint8_t ch)
{
    struct console *con = &c->console;
    if (ch < 0x20 && ch != '\t')
        return;
    if (con->edit_len + 1 >= EDIT_BYTES_MAX) {
        echo(c, SPAN_LIT("\a"));
        return;
    }
    con->edit[con->edit_len++] = (char)ch;
    echo(c, span_of(&ch, 1));
}

/* The shell itself is not ended by a slip of the finger: there the line is dropped. */
static void interrupt(struct core *c, struct app *a)
{
    c->console.edit_len = 0;
    echo(c, SPAN_LIT("^C\n"));
    if (!a || at_home(c))
        return;
    if (a->state == APP_STOPPING)
        life_kill(c, a, WISH_STOP);
    else
        life_stop(c, a, WISH_STOP);
}

/* Arrow keys and the like mean nothing here: ESC [ ... letter is swallowed. A control
 * character is never a part of one: Enter after Escape is Enter. */
static bool in_escape(struct core *c, uint8_t ch)
{
    uint8_t *state = &c->console.escape;
    if (ch < 0x20)
        *state = ch == ESCAPE;
    else if (*state == 1)
        *state = ch == '[' || ch == 'O' ? 2 : 0;
    else if (*state == 2)
        *state = ch >= 0x40 && ch <= 0x7e ? 0 : 2;
    else
        return false;
    return ch >= 0x20 || ch == ESCAPE;
}

static void key(struct core *c, uint8_t ch)
{
    struct app *a = focus_of(c);
    if (in_escape(c, ch))
        return;
    switch (ch) {
    case '\r':
    case '\n': deliver_line(c, a); break;
    case BACKSPACE:
    case DELETE: erase_one(c); break;
    case CTRL_U:
        while (c->console.edit_len)
            erase_one(c);
        break;
    case CTRL_W: erase_word(c); break;
    case CTRL_C: interrupt(c, a); break;
    case CTRL_D:
        if (a && !c->console.edit_len && !at_home(c))
            stdin_close(c, a);
        break;
    case CTRL_Z:
    case CTRL_RBRACKET: console_focus(c, NULL); break;
    default: insert(c, ch); break;
    }
}

/* An app that asks the supervisor and does nothing for a person: its stdin is for the answers,
 * and goes on when the console has ended. */
static bool reads_answers_alone(const struct app *a)
{
    return app_takes_lines(a) && manifest_has(&a->manifest, MANIFEST_CAP_STATUS) &&
           !manifest_has(&a->manifest, MANIFEST_CAP_SHELL);
}

/* The answers to a shell come over the stdin that would be closed. One that takes keys is told
 * by a line, and ends by itself when it has done what was typed; others have a moment to ask
 * for keys, since input from a file ends before they can. */
static void tell_input_end(struct core *c, struct app *a)
{
    a->input_end_ms = UINT64_MAX;
    if (c->console.mid_line)
        stdin_put(c, a, SPAN_LIT("\n"));
    stdin_system(c, a, "end", SPAN_NONE);
}

static void end_input(struct core *c, struct app *a)
{
    if (!app_takes_lines(a) || !manifest_has(&a->manifest, MANIFEST_CAP_SHELL)) {
        stdin_close(c, a);
    } else if (a->raw_keys) {
        tell_input_end(c, a);
    } else {
        a->input_end_ms = c->now_ms + INPUT_END_MS;
        timer_want(c, a, a->input_end_ms);
    }
}

void console_input_due(struct core *c, struct app *a)
{
    a->input_end_ms = UINT64_MAX;
    stdin_close(c, a);
}

/* --- typing to whom is not there yet ------------------------------------------------- */

/* What is on the line that it will edit itself from now on. */
static void give_line_begun(struct core *c, struct app *a)
{
    char keys[EDIT_BYTES_MAX];
    struct span s = span_of(keys, c->console.edit_len);
    if (s.len)
        memcpy(keys, c->console.edit, s.len);
    while (c->console.edit_len)
        erase_one(c);
    pass_keys(c, a, s);
}

void console_keys_wanted(struct core *c, struct app *a)
{
    a->raw_keys = true;
    if (focus_of(c) == a)
        give_line_begun(c, a);
    if (a->input_end_ms != UINT64_MAX)
        tell_input_end(c, a);
}

/* The shell is not up: not yet, or not again. Then keys wait, as on any terminal, as many as
 * a line has room for; what is more gets a bell. */
static bool nobody_home(const struct core *c)
{
    const struct app *a = focus_of(c);
    return !a || (at_home(c) && !app_is_up(a));
}

static void keep_ahead(struct core *c, struct span s)
{
    struct console *con = &c->console;
    if (s.len > EDIT_BYTES_MAX - con->ahead_len)
        echo(c, SPAN_LIT("\a"));
    s = span_take(s, EDIT_BYTES_MAX - con->ahead_len);
    if (s.len)
        memcpy(con->ahead + con->ahead_len, s.p, s.len);
    con->ahead_len += (uint32_t)s.len;
}

static void type_keys(struct core *c, struct span s)
{
    while (s.len) {
        struct app *a = focus_of(c);
        if (nobody_home(c)) {
            keep_ahead(c, s);
            return;
        }
        if (a->raw_keys && app_is_up(a)) {
            size_t n = at_home(c) ? s.len : span_find(s, CTRL_RBRACKET);
            pass_keys(c, a, span_take(s, n));
            if (n < s.len)
                console_focus(c, NULL);
            s = span_skip(s, n + 1);
        } else {
            key(c, s.p[0]);
            s = span_skip(s, 1);
        }
    }
}

static void type_ahead(struct core *c)
{
    char keys[EDIT_BYTES_MAX];
    struct span s = span_of(keys, c->console.ahead_len);
    if (c->stopping || !s.len)
        return;
    memcpy(keys, c->console.ahead, s.len);
    c->console.ahead_len = 0;
    type_keys(c, s);
}

void console_app_up(struct core *c, struct app *a)
{
    struct console *con = &c->console;
    bool shell = manifest_has(&a->manifest, MANIFEST_CAP_SHELL);
    if (con->home == NO_SLOT && shell)
        con->home = a->slot;
    if (con->home == a->slot && con->focus == NO_SLOT)
        con->focus = a->slot;
    if (con->focus == a->slot) {
        tell_focus(c, a, true);
        type_ahead(c);
    }
}

void console_event(struct core *c, const struct core_event *ev)
{
    struct app *a = focus_of(c);
    if (c->stopping)
        return;
    if (!c->console.owned) {
        if (a && app_is_alive(a) && ev->text.len)
            pass_through(c, a, ev->text);
        else if (a && app_is_alive(a) && !reads_answers_alone(a))
            end_input(c, a);
        return;
    }
    struct span s = ev->text;
    if (!s.len && !c->owns_machine) { /* the terminal is gone */
        console_focus(c, NULL);
        a = focus_of(c);
        if (a && app_is_alive(a))
            stdin_close(c, a);
    }
    type_keys(c, s);
}
