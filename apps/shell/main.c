/* The shell on the console. It knows few verbs of its own: every other line goes to the
 * supervisor as "@supervisor: line", and the REPLY: lines that come back are shown, up to
 * REPLY:END. It has no power but that one.
 *
 * What others wrote (logs, messages) is shown behind a carriage return and without control
 * characters: it cannot drive the terminal, and no line of it can begin like one of the
 * protocol, which the supervisor would take for the shell's own. */
#include <vyoma/msg.h>
#include <vyoma/time.h>

#include "edit.h"
#include "input.h"
#include "words.h"

enum { AHEAD_MAX = 1024, ASKED_MAX = 32 };

static const uint64_t ANSWER_NS = 3000000000; /* longest that the prompt waits for an answer */

static struct edit edit;
static struct input input;

/* Commands whose REPLY:END has not come, oldest in bit 0; set: the shell's own, not shown. */
static uint32_t asked_quiet;
static unsigned asked;

static bool input_ended; /* nothing more will be typed */
static bool waiting; /* the prompt comes back with the last END */
static char ahead[AHEAD_MAX]; /* typed meanwhile */
static size_t ahead_len;

/* --- showing ------------------------------------------------------------------------ */

static void flush(void)
{
    vy_flush(&edit.out, VY_STDOUT);
}

static void put_tamed(const char *s)
{
    for (; *s; s++) {
        uint8_t c = (uint8_t)*s;
        bool c1 = c == 0xc2 && ((uint8_t)s[1] & 0xe0) == 0x80;
        vy_char(&edit.out, (c < 32 && c != '\t') || c == 127 || c1 ? '?' : (char)c);
        s += c1;
    }
}

/* A line above the prompt. */
static void show_line(const char *before, const char *text)
{
    bool prompt = edit.shown;
    edit_hide(&edit);
    flush();
    vy_char(&edit.out, '\r');
    put_tamed(before);
    while (strlen(text) > EDIT_OUT_MAX / 2) { /* `out` holds no more at once */
        for (int i = 0; i < EDIT_OUT_MAX / 4; i += 16, text += 16) {
            char piece[17] = { 0 };
            memcpy(piece, text, 16);
            put_tamed(piece);
        }
        flush();
    }
    put_tamed(text);
    vy_char(&edit.out, '\n');
    flush();
    if (prompt)
        edit_show(&edit);
}

/* --- asking ------------------------------------------------------------------------- */

static void ask(const char *command, bool quiet)
{
    if (asked == ASKED_MAX)
        return;
    asked_quiet |= (uint32_t)quiet << asked++;
    flush();
    vy_send_line("supervisor", command);
}

static void learn_names(void)
{
    words_clear();
    ask("ps --json", true);
}

/* Asks the terminal how wide it is: the cursor goes as far right as it can, says where it is,
 * and comes back. The answer reaches edit_key(). */
static void ask_width(void)
{
    vy_str(&edit.out, "\x1b[s\x1b[999C\x1b[6n\x1b[u");
}

/* --- commands ------------------------------------------------------------------------ */

/* "@NAME: text", "NAME: text" and "send NAME text" are messages: true when it was one. */
static bool send_message(const char *line)
{
    char to[VY_NAME_MAX + 1];
    const char *p = vy_after(line, "send ");
    char stop = p ? ' ' : ':';
    if (!p)
        p = line + (line[0] == '@');
    size_t n = 0;
    while (p[n] && p[n] != stop && p[n] != ' ' && n < VY_NAME_MAX)
        n++;
    if (!n || p[n] != stop)
        return false;
    memcpy(to, p, n);
    to[n] = 0;
    p += n + 1;
    flush();
    vy_send_line(to, p + (*p == ' '));
    return true;
}

static void show_own_help(void)
{
    show_line("", "NAME: text         send a message to an app; also: send NAME text");
    show_line("", "history            the lines typed before");
    show_line("", "clear              empty the screen");
    show_line("", "exit               end this shell");
}

/* False: the shell ends. */
static bool run(const char *line)
{
    if (strcmp(line, "help") == 0)
        show_own_help();
    if (strcmp(line, "exit") == 0)
        return false;
    if (strcmp(line, "clear") == 0) {
        vy_str(&edit.out, "\x1b[2J\x1b[H");
    } else if (strcmp(line, "history") == 0) {
        for (uint32_t i = 0; i < edit.history_count; i++)
            show_line("  ", edit.history[i]);
    } else if (*line && !send_message(line)) {
        ask(line, false);
        if (vy_after(line, "start "))
            learn_names();
        if (strcmp(line, "poweroff") == 0 || strcmp(line, "reboot") == 0)
            asked += asked < ASKED_MAX; /* no prompt, unless nothing comes of it */
    }
    return true;
}

/* --- keys --------------------------------------------------------------------------- */

static const char *trimmed(char *line)
{
    size_t n = strlen(line);
    while (n && line[n - 1] == ' ')
        line[--n] = 0;
    return line + strspn(line, " ");
}

static void complete(void)
{
    char add[VY_NAME_MAX + 2];
    if (edit.cursor == edit.len && words_complete(edit.line, add))
        edit_insert(&edit, add, strlen(add));
}

/* The prompt, now or after the answers that are still to come. */
static void next_prompt(void)
{
    waiting = asked != 0;
    if (!waiting)
        edit_begin(&edit);
}

static bool take_key(uint8_t key)
{
    bool go_on = true;
    switch (edit_key(&edit, key)) {
    case EDIT_LINE:
        edit_remember(&edit);
        go_on = run(trimmed(edit.line));
        next_prompt();
        break;
    case EDIT_CANCEL: next_prompt(); break;
    case EDIT_END: go_on = false; break;
    case EDIT_COMPLETE: complete(); break;
    case EDIT_CLEAR:
        vy_str(&edit.out, "\x1b[2J\x1b[H");
        ask_width();
        edit_show(&edit);
        break;
    default: break;
    }
    flush();
    return go_on;
}

static void stop_waiting(void)
{
    asked = 0;
    asked_quiet = 0;
    next_prompt();
}

/* Keys typed while an answer is coming wait for the prompt; Ctrl-C waits for nothing. */
static bool handle_key(uint8_t key)
{
    if (!waiting)
        return take_key(key);
    if (key == 3) {
        ahead_len = 0;
        stop_waiting();
    } else if (ahead_len < AHEAD_MAX) {
        ahead[ahead_len++] = (char)key;
    }
    return true;
}

static bool replay_keys(void)
{
    while (ahead_len && !waiting) {
        uint8_t key = (uint8_t)ahead[0];
        memmove(ahead, ahead + 1, --ahead_len);
        if (!take_key(key))
            return false;
    }
    return true;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Keys as the supervisor of a booted machine sends them. */
static bool handle_hex_keys(const char *s)
{
    for (; s[0] && hex(s[0]) >= 0 && hex(s[1]) >= 0; s += 2)
        if (!handle_key((uint8_t)(hex(s[0]) * 16 + hex(s[1]))))
            return false;
    return true;
}

/* --- the supervisor's lines ------------------------------------------------------------ */

static void answered(void)
{
    if (asked) {
        asked--;
        asked_quiet >>= 1;
    }
    if (waiting && !asked)
        next_prompt();
}

static void handle_reply(const char *text)
{
    const char *rest;
    bool quiet = asked && (asked_quiet & 1);
    if (strcmp(text, "END") == 0)
        answered();
    else if ((rest = vy_after(text, "log:")))
        show_line("", rest);
    else if (quiet)
        words_learn(text + (*text == ' '));
    else
        show_line("", text + (*text == ' '));
}

static void handle_system(const char *text)
{
    const char *error = vy_after(text, "error:");
    if (error) {
        bool denied = vy_after(error, "denied:") != NULL;
        show_line("error: ", error + strcspn(error, ":") + 1);
        if (denied && asked)
            answered();
    } else if (strcmp(text, "end") == 0) {
        input_ended = true;
    } else if ((strcmp(text, "redraw") == 0 || strcmp(text, "focus:on") == 0) && edit.shown) {
        edit_show(&edit);
    }
}

/* False: the shell ends. */
static bool handle_line(char *line)
{
    char *sender, *message;
    const char *text;
    if ((text = vy_after(line, "VYOMA_INPUT:bytes:")))
        return handle_hex_keys(text);
    if ((text = vy_after(line, "REPLY:"))) {
        handle_reply(text);
    } else if ((text = vy_after(line, "VYOMA_SYSTEM:"))) {
        handle_system(text);
    } else if ((message = vy_message(line, &sender))) {
        char from[VY_NAME_MAX + 4];
        struct vy_buf b = VY_BUF(from);
        vy_str(&b, sender);
        vy_bytes(&b, ": ", 3);
        show_line(b.overflow ? "" : from, message);
    }
    return true;
}

int main(void)
{
    edit_init(&edit, "vyoma> ", 80);
    ask("console raw", true);
    learn_names();
    ask_width();
    next_prompt();
    for (bool go_on = true; go_on;) {
        uint8_t key;
        char *line;
        flush();
        switch (input_next(&input, waiting ? ANSWER_NS : UINT64_MAX, &key, &line)) {
        case INPUT_END: /* what was typed is still done, though no answer can come */
            stop_waiting();
            go_on = false;
            while (ahead_len && replay_keys())
                stop_waiting();
            break;
        case INPUT_IDLE: stop_waiting(); break;
        case INPUT_LINE: go_on = handle_line(line); break;
        case INPUT_KEY: go_on = handle_key(key); break;
        }
        go_on = go_on && replay_keys() && !(input_ended && !waiting && !ahead_len);
    }
    return 0;
}
