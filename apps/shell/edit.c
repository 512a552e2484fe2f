#include "edit.h"

static bool is_continuation(char c)
{
    return ((uint8_t)c & 0xc0) == 0x80;
}

static size_t next_char(const struct edit *e, size_t i)
{
    do
        i++;
    while (i < e->len && is_continuation(e->line[i]));
    return i < e->len ? i : e->len;
}

static size_t prev_char(const struct edit *e, size_t i)
{
    while (i && is_continuation(e->line[--i]))
        ;
    return i;
}

/* Columns of line[a, b). */
static uint32_t width(const struct edit *e, size_t a, size_t b)
{
    uint32_t n = 0;
    for (; a < b; a++)
        n += !is_continuation(e->line[a]);
    return n;
}

static uint32_t room(const struct edit *e)
{
    uint32_t prompt = (uint32_t)strlen(e->prompt);
    return e->columns > prompt + 4 ? e->columns - prompt - 1 : 4;
}

void edit_init(struct edit *e, const char *prompt, uint32_t columns)
{
    memset(e, 0, sizeof *e);
    e->prompt = prompt;
    e->columns = columns;
    e->out = (struct vy_buf)VY_BUF(e->out_bytes);
}

/* --- drawing ---------------------------------------------------------------- */

/* Moves the window so that the cursor is inside it. */
static void follow_cursor(struct edit *e)
{
    uint32_t cols = room(e);
    if (e->cursor < e->from)
        e->from = e->cursor;
    while (width(e, e->from, e->cursor) >= cols)
        e->from = next_char(e, e->from);
    if (width(e, 0, e->len) < cols)
        e->from = 0;
}

void edit_show(struct edit *e)
{
    follow_cursor(e);
    size_t end = e->from;
    for (uint32_t n = room(e); n && end < e->len; n--)
        end = next_char(e, end);
    vy_char(&e->out, '\r');
    vy_str(&e->out, e->prompt);
    vy_bytes(&e->out, e->line + e->from, end - e->from);
    vy_str(&e->out, "\x1b[K");
    uint32_t back = width(e, e->cursor, end);
    if (back) {
        vy_str(&e->out, "\x1b[");
        vy_u64(&e->out, back);
        vy_char(&e->out, 'D');
    }
    e->shown = true;
}

void edit_hide(struct edit *e)
{
    if (e->shown)
        vy_str(&e->out, "\r\x1b[K");
    e->shown = false;
}

void edit_begin(struct edit *e)
{
    e->len = e->cursor = e->from = 0;
    e->line[0] = 0;
    e->history_at = e->history_count;
    edit_show(e);
}

/* --- changing ---------------------------------------------------------------- */

static void splice(struct edit *e, size_t at, size_t drop, const char *bytes, size_t n)
{
    if (e->len - drop + n > EDIT_LINE_MAX)
        return;
    memmove(e->line + at + n, e->line + at + drop, e->len - at - drop);
    memcpy(e->line + at, bytes, n);
    e->len += n - drop;
    e->line[e->len] = 0;
    e->cursor = at + n;
}

void edit_insert(struct edit *e, const char *bytes, size_t n)
{
    splice(e, e->cursor, 0, bytes, n);
    edit_show(e);
}

static void delete_range(struct edit *e, size_t a, size_t b)
{
    if (a != b) {
        splice(e, a, b - a, "", 0);
        edit_show(e);
    }
}

/* Within what is shown only the cursor moves. */
static void move_to(struct edit *e, size_t at)
{
    size_t before = e->cursor, from = e->from;
    e->cursor = at;
    follow_cursor(e);
    if (!e->shown || e->from != from) {
        edit_show(e);
    } else if (at != before) {
        vy_str(&e->out, "\x1b[");
        vy_u64(&e->out, at < before ? width(e, at, before) : width(e, before, at));
        vy_char(&e->out, at < before ? 'D' : 'C');
    }
}

static size_t word_left(const struct edit *e)
{
    size_t i = e->cursor;
    while (i && e->line[i - 1] == ' ')
        i--;
    while (i && e->line[i - 1] != ' ')
        i--;
    return i;
}

static size_t word_right(const struct edit *e)
{
    size_t i = e->cursor;
    while (i < e->len && e->line[i] == ' ')
        i++;
    while (i < e->len && e->line[i] != ' ')
        i++;
    return i;
}

/* A typed character at the line's end needs no redrawing while it fits. */
static void type(struct edit *e, char c)
{
    bool at_end = e->cursor == e->len && e->shown && width(e, e->from, e->len) + 1 < room(e);
    size_t before = e->len;
    splice(e, e->cursor, 0, &c, 1);
    if (!at_end)
        edit_show(e);
    else if (e->len > before)
        vy_char(&e->out, c);
}

/* --- history ------------------------------------------------------------------ */

void edit_remember(struct edit *e)
{
    if (e->len == 0 || e->len >= sizeof e->history[0])
        return;
    if (e->history_count && strcmp(e->history[e->history_count - 1], e->line) == 0)
        return;
    if (e->history_count == EDIT_HISTORY_MAX) {
        e->history_count--;
        memmove(e->history[0], e->history[1], sizeof e->history[0] * e->history_count);
    }
    memcpy(e->history[e->history_count++], e->line, e->len + 1);
}

static void recall(struct edit *e, uint32_t at)
{
    if (at > e->history_count || at == e->history_at)
        return;
    if (e->history_at == e->history_count && e->len < sizeof e->draft)
        memcpy(e->draft, e->line, e->len + 1);
    e->history_at = at;
    const char *text = at == e->history_count ? e->draft : e->history[at];
    splice(e, 0, e->len, text, strlen(text));
    e->from = 0;
    edit_show(e);
}

/* --- keys --------------------------------------------------------------------- */

static void arrow(struct edit *e, uint8_t final)
{
    bool by_word = e->param[1] == 5 || e->param[1] == 3; /* Ctrl, Alt */
    switch (final) {
    case 'A': recall(e, e->history_at - 1); break;
    case 'B': recall(e, e->history_at + 1); break;
    case 'C': move_to(e, by_word ? word_right(e) : next_char(e, e->cursor)); break;
    case 'D': move_to(e, by_word ? word_left(e) : prev_char(e, e->cursor)); break;
    case 'H': move_to(e, 0); break;
    case 'F': move_to(e, e->len); break;
    case 'R': /* the answer to a question for the cursor's place: row;column */
        if (e->param[1] >= 10)
            e->columns = e->param[1];
        edit_show(e);
        break;
    default: break;
    }
}

static void tilde(struct edit *e)
{
    switch (e->param[0]) {
    case 1: case 7: move_to(e, 0); break;
    case 4: case 8: move_to(e, e->len); break;
    case 3: delete_range(e, e->cursor, next_char(e, e->cursor)); break;
    default: break;
    }
}

static void escape_key(struct edit *e, uint8_t byte)
{
    if (e->escape == 1) {
        e->escape = byte == '[' || byte == 'O' ? byte : 0;
        e->param[0] = e->param[1] = e->param_at = 0;
        if (byte == 'b')
            move_to(e, word_left(e));
        else if (byte == 'f')
            move_to(e, word_right(e));
        else if (byte == 'd')
            delete_range(e, e->cursor, word_right(e));
        return;
    }
    if (byte == ';') {
        e->param_at = 1;
    } else if (byte >= '0' && byte <= '9') {
        uint32_t *p = &e->param[e->param_at];
        *p = *p < 10000 ? *p * 10 + (byte - '0') : *p;
    } else if (byte >= 0x40) {
        e->escape = 0;
        if (byte == '~')
            tilde(e);
        else
            arrow(e, byte);
    }
}

static enum edit_event finish(struct edit *e, enum edit_event event)
{
    if (e->cursor != e->len)
        move_to(e, e->len);
    vy_str(&e->out, event == EDIT_CANCEL ? "^C\n" : "\n");
    e->shown = false;
    return event;
}

static enum edit_event control_key(struct edit *e, uint8_t byte)
{
    switch (byte) {
    case '\r': case '\n': return finish(e, EDIT_LINE);
    case 3: return finish(e, EDIT_CANCEL);
    case 4:
        if (e->len == 0)
            return finish(e, EDIT_END);
        delete_range(e, e->cursor, next_char(e, e->cursor));
        break;
    case '\t': return EDIT_COMPLETE;
    case 12: return EDIT_CLEAR;
    case 1: move_to(e, 0); break;
    case 5: move_to(e, e->len); break;
    case 2: move_to(e, prev_char(e, e->cursor)); break;
    case 6: move_to(e, next_char(e, e->cursor)); break;
    case 8: case 127: delete_range(e, prev_char(e, e->cursor), e->cursor); break;
    case 11: delete_range(e, e->cursor, e->len); break;
    case 14: recall(e, e->history_at + 1); break;
    case 16: recall(e, e->history_at - 1); break;
    case 21: delete_range(e, 0, e->cursor); break;
    case 23: delete_range(e, word_left(e), e->cursor); break;
    case 27: e->escape = 1; break;
    default: break;
    }
    return EDIT_NONE;
}

enum edit_event edit_key(struct edit *e, uint8_t byte)
{
    if (e->escape)
        escape_key(e, byte);
    else if (byte < 32 || byte == 127)
        return control_key(e, byte);
    else
        type(e, (char)byte);
    return EDIT_NONE;
}
