#include "status.h"

#include <vyoma/msg.h>

enum { APPS_BYTES = 65536, PAGE_BYTES = 131072 };

static const uint64_t FRESH_NS = 1000000000;

/* The answer that is coming in: one JSON object a line. */
static char apps[APPS_BYTES];
static size_t apps_len;
static bool asked;
static uint64_t asked_ns, answered_ns;
static bool answered, too_long;

static char page_bytes[PAGE_BYTES], json_bytes[APPS_BYTES + 64];
static struct source page = { .text = page_bytes, .type = "text/html; charset=utf-8" };
static struct source json = { .text = json_bytes, .type = "application/json" };

enum status_answer status_ask(uint64_t now_ns)
{
    if (answered && now_ns - answered_ns < FRESH_NS)
        return STATUS_READY;
    if (!asked || now_ns - asked_ns > FRESH_NS) {
        if (asked) { /* no answer in a second: go on with the last one, if there was any */
            asked = false;
            answered_ns = now_ns;
            return answered ? STATUS_READY : STATUS_NONE;
        }
        asked = true;
        asked_ns = now_ns;
        apps_len = 0;
        too_long = false;
        vy_print("@supervisor: ps --json\n");
    }
    return STATUS_WAIT;
}

struct source *status_source(bool want_json)
{
    struct source *s = want_json ? &json : &page;
    s->users++;
    return s;
}

/* --- the page ----------------------------------------------------------------------- */

static void write_json(void)
{
    struct vy_buf b = VY_BUF(json_bytes);
    vy_str(&b, "{\"apps\":[");
    for (size_t i = 0; i < apps_len; i++)
        vy_char(&b, apps[i] == '\n' ? (i + 1 < apps_len ? ',' : ']') : apps[i]);
    vy_str(&b, apps_len ? "}\n" : "]}\n");
    json.size = b.len;
}

/* Text of a JSON string or number at *s into HTML; moves *s behind it. Escapes stay as they
 * are: names and states have none. */
static void write_value(struct vy_buf *b, const char **s)
{
    const char *p = *s;
    char stop = *p == '"' ? '"' : ',';
    p += stop == '"';
    for (; *p && *p != '\n' && *p != stop && !(stop == ',' && *p == '}'); p++) {
        if (*p == '\\' && p[1] && p[1] != '\n')
            vy_char(b, *p++);
        if (*p == '<' || *p == '>' || *p == '&')
            vy_str(b, *p == '<' ? "&lt;" : *p == '>' ? "&gt;" : "&amp;");
        else
            vy_char(b, *p);
    }
    *s = p + (*p == '"');
}

/* A table's row from one flat JSON object; the keys instead of the values for its head. */
static void write_row(struct vy_buf *b, const char *s, bool head)
{
    const char *cell = head ? "<th>" : "<td>";
    size_t before = b->len;
    vy_str(b, "<tr>");
    while (*s && *s != '\n') {
        if (*s != '"') {
            s++;
            continue;
        }
        vy_str(b, cell);
        if (head) {
            write_value(b, &s);
            s += *s == ':';
            struct vy_buf nowhere = { NULL, 0, 0, false };
            write_value(&nowhere, &s);
        } else {
            struct vy_buf nowhere = { NULL, 0, 0, false };
            write_value(&nowhere, &s);
            s += *s == ':';
            write_value(b, &s);
        }
    }
    vy_str(b, "</tr>\n");
    if (b->overflow)
        b->len = before; /* whole rows only */
}

static void write_page(void)
{
    struct vy_buf b = { page_bytes, sizeof page_bytes - 256, 0, false };
    vy_str(&b, "<!doctype html><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"2\">"
               "<title>Vyoma: running apps</title><style>body{font:16px/1.5 sans-serif;"
               "margin:2em}td,th{padding:.1em 1em .1em 0;text-align:left}</style>"
               "<h1>Running apps</h1>\n<table>\n");
    for (const char *s = apps; s < apps + apps_len; s = strchr(s, '\n') + 1) {
        if (s == apps)
            write_row(&b, s, true);
        write_row(&b, s, false);
    }
    b.cap = sizeof page_bytes;
    vy_str(&b, "</table>\n<p><a href=\"/status.json\">The same as JSON</a>\n");
    page.size = b.len;
}

/* --- the supervisor's answer ---------------------------------------------------------- */

bool status_line(const char *line)
{
    const char *text = vy_after(line, "REPLY: ");
    if (text && asked && *text == '{') {
        size_t n = strlen(text);
        too_long |= n + 2 > sizeof apps - apps_len;
        if (!too_long) {
            memcpy(apps + apps_len, text, n);
            apps[apps_len + n] = '\n';
            apps_len += n + 1;
            apps[apps_len] = 0;
        }
    }
    if (!asked || strcmp(line, "REPLY:END") != 0)
        return false;
    asked = false;
    answered = true;
    answered_ns = asked_ns;
    if (!page.users)
        write_page();
    if (!json.users)
        write_json();
    return true;
}
