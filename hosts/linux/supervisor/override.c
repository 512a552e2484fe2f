/* The operator's --grant and --deny, arguments and environment, written into the text of
 * the manifest, so that core decides about one manifest and knows nothing of options.
 *
 * The text is edited a line at a time, which keeps the line numbers of messages close to the
 * file's; what has been written is parsed again, and when the manifest's layout (inline
 * tables, say) hid a key from this simple reading, that is an error and not a surprise. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "internal.h"

/* More than a manifest may have: what the options add must not be cut off unseen. */
enum { EDIT_BYTES = 2 * MANIFEST_TEXT_MAX, VALUE_BYTES = MANIFEST_TEXT_MAX };

struct edit {
    char *text; /* EDIT_BYTES */
    size_t len;
    char value[VALUE_BYTES]; /* being written */
};

static bool splice(struct edit *e, size_t at, size_t drop, const char *put)
{
    size_t n = strlen(put);
    if (e->len - drop + n >= EDIT_BYTES)
        return false;
    memmove(e->text + at + n, e->text + at + drop, e->len - at - drop + 1);
    memcpy(e->text + at, put, n);
    e->len = e->len - drop + n;
    return true;
}

static size_t line_end(const struct edit *e, size_t at)
{
    while (at < e->len && e->text[at] != '\n')
        at++;
    return at;
}

static size_t skip_blank(const struct edit *e, size_t at)
{
    while (e->text[at] == ' ' || e->text[at] == '\t')
        at++;
    return at;
}

/* Where the body of [table] begins and ends. False: there is no such header. */
static bool find_table(const struct edit *e, const char *table, size_t *from, size_t *to)
{
    size_t len = strlen(table);
    bool found = false;
    size_t begin = strncmp(e->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* a byte order mark */
    for (size_t at = begin; at < e->len; at = line_end(e, at) + 1) {
        size_t p = skip_blank(e, at);
        if (e->text[p] != '[')
            continue;
        if (found) {
            *to = at;
            return true;
        }
        p = skip_blank(e, p + 1);
        if (strncmp(e->text + p, table, len) == 0 && e->text[skip_blank(e, p + len)] == ']') {
            found = true;
            *from = line_end(e, at);
        }
    }
    *to = e->len;
    return found;
}

/* The line of `key` in [from, to): false when there is none. */
static bool find_key(const struct edit *e, const char *key, size_t from, size_t to, size_t *start)
{
    size_t len = strlen(key);
    for (size_t at = from; at < to; at = line_end(e, at) + 1) {
        size_t p = skip_blank(e, at);
        if (strncmp(e->text + p, key, len) == 0 && e->text[skip_blank(e, p + len)] == '=') {
            *start = at;
            return true;
        }
    }
    return false;
}

/* The end of a value that may be a list over several lines. */
static size_t value_end(const struct edit *e, size_t at)
{
    int depth = 0;
    bool quoted = false;
    for (; at < e->len; at++) {
        char c = e->text[at];
        if (c == '"' && e->text[at - 1] != '\\')
            quoted = !quoted;
        if (!quoted && c == '[')
            depth++;
        if (!quoted && c == ']')
            depth--;
        if (c == '\n' && depth <= 0)
            break;
    }
    return at;
}

/* Sets key = value in [table], in place of what was there. */
static bool set_key(struct edit *e, const char *table, const char *key, const char *value)
{
    char head[256];
    size_t from, to, at, drop = 0;
    if (strlen(table) + strlen(key) > sizeof head - 16)
        return false;
    if (!find_table(e, table, &from, &to)) {
        snprintf(head, sizeof head, "\n[%s]\n%s = ", table, key);
        at = e->len;
    } else if (find_key(e, key, from, to, &at)) {
        snprintf(head, sizeof head, "%s = ", key);
        drop = value_end(e, at) - at;
    } else {
        snprintf(head, sizeof head, "\n%s = ", key);
        at = from;
    }
    return splice(e, at, drop, head) && splice(e, at + strlen(head), 0, value);
}

/* Adds an element to the list `key` of [table]. */
static bool add_to_list(struct edit *e, const char *table, const char *key, const char *value)
{
    char text[512];
    size_t from, to, at;
    if (!find_table(e, table, &from, &to) || !find_key(e, key, from, to, &at)) {
        snprintf(text, sizeof text, "[%s]", value);
        return set_key(e, table, key, text);
    }
    const char *open = memchr(e->text + at, '[', value_end(e, at) - at);
    if (!open)
        return false;
    size_t p = (size_t)(open - e->text) + 1;
    size_t first = p + strspn(e->text + p, " \t\r\n");
    snprintf(text, sizeof text, e->text[first] == ']' ? "%s" : "%s, ", value);
    return splice(e, p, 0, text);
}

static bool drop_table(struct edit *e, const char *table)
{
    char header[512];
    size_t from, to;
    snprintf(header, sizeof header, "capabilities.%s", table);
    if (!find_table(e, header, &from, &to))
        return true;
    size_t start = from;
    while (start > 0 && e->text[start - 1] != '\n')
        start--;
    return splice(e, start, to - start, "");
}

/* Text without anything that would end a TOML string. */
static bool plain(const char *text)
{
    return text[strcspn(text, "\"\\\n\r")] == 0 && strlen(text) < 400;
}

static bool grant(struct edit *e, const char *what)
{
    char value[512];
    const char *equals = strchr(what, '=');
    if (!plain(what))
        return false;
    if (!equals)
        return set_key(e, "capabilities", what, "true");
    snprintf(value, sizeof value, "\"%s\"", equals + 1);
    if (strncmp(what, "network.ports=", 14) == 0)
        return add_to_list(e, "capabilities.network", "ports", equals + 1);
    if (strncmp(what, "network.connect=", 16) == 0)
        return add_to_list(e, "capabilities.network", "connect", value);
    if (strncmp(what, "ipc.send=", 9) == 0)
        return add_to_list(e, "capabilities.ipc", "send", value);
    return false;
}

static bool deny(struct edit *e, const char *what)
{
    return plain(what) && drop_table(e, what) && set_key(e, "capabilities", what, "false");
}

static bool set_args(struct edit *e, const char *const *args, size_t count)
{
    struct strbuf b;
    strbuf_init(&b, e->value, sizeof e->value - 1);
    strbuf_char(&b, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            strbuf_cstr(&b, ", ");
        strbuf_json(&b, span_of_cstr(args[i])); /* a JSON string is a TOML one */
    }
    strbuf_char(&b, ']');
    e->value[b.len] = 0;
    return !b.overflow && set_key(e, "app", "args", e->value);
}

static bool add_env(struct edit *e, const char *entry)
{
    char name[128];
    struct strbuf b;
    const char *equals = strchr(entry, '=');
    if (!equals || (size_t)(equals - entry) >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)(equals - entry), entry);
    if (!plain(name))
        return false;
    strbuf_init(&b, e->value, sizeof e->value - 1);
    strbuf_json(&b, span_of_cstr(equals + 1));
    e->value[b.len] = 0;
    return !b.overflow && set_key(e, "env", name, e->value);
}

static bool apply(struct sup *s, struct edit *e)
{
    const struct supervisor_options *o = s->o;
    for (size_t i = 0; i < o->grants_count; i++) {
        snprintf(s->why, sizeof s->why, "--grant %s cannot be written into this manifest",
                 o->grants[i]);
        if (!grant(e, o->grants[i]))
            return false;
    }
    for (size_t i = 0; i < o->denies_count; i++) {
        snprintf(s->why, sizeof s->why, "--deny %s cannot be written into this manifest",
                 o->denies[i]);
        if (!deny(e, o->denies[i]))
            return false;
    }
    snprintf(s->why, sizeof s->why, "the arguments are too long: a manifest has %d bytes",
             MANIFEST_TEXT_MAX);
    if (o->args_count && !set_args(e, o->args, o->args_count))
        return false;
    for (size_t i = 0; i < o->env_count; i++) {
        snprintf(s->why, sizeof s->why, "--env %.100s cannot be written into this manifest",
                 o->env[i]);
        if (!add_env(e, o->env[i]))
            return false;
    }
    return true;
}

static bool has_port(const struct manifest *m, const char *text)
{
    return manifest_may_listen(m, (uint16_t)atoi(text));
}

static bool has_destination(const struct manifest *m, const char *text)
{
    const char *colon = strrchr(text, ':');
    return colon && manifest_may_connect(m, span_of(text, (size_t)(colon - text)),
                                         (uint16_t)atoi(colon + 1));
}

/* Does the manifest now say what was asked for? */
static bool holds(const struct manifest *m, const char *what, bool granted)
{
    if (strncmp(what, "network.ports=", 14) == 0)
        return has_port(m, what + 14);
    if (strncmp(what, "network.connect=", 16) == 0)
        return has_destination(m, what + 16);
    if (strncmp(what, "ipc.send=", 9) == 0)
        return manifest_may_send(m, span_of_cstr(what + 9));
    for (int cap = 0; cap < MANIFEST_CAP_COUNT; cap++) {
        if (strcmp(what, manifest_cap_name(cap)) == 0)
            return manifest_has(m, cap) == granted;
    }
    return false;
}

static bool all_hold(struct sup *s, const struct edit *e)
{
    struct manifest m;
    struct format_error err;
    const struct supervisor_options *o = s->o;
    if (!load_parse(e->text, e->len, &m, &err)) {
        struct strbuf b;
        strbuf_init(&b, s->why, sizeof s->why - 1);
        strbuf_cstr(&b, "with what the options add: ");
        format_error_write(&b, SPAN_LIT("vyoma.toml"), &err);
        s->why[b.len] = 0;
        return false;
    }
    for (size_t i = 0; i < o->grants_count + o->denies_count; i++) {
        bool granted = i < o->grants_count;
        const char *what = granted ? o->grants[i] : o->denies[i - o->grants_count];
        snprintf(s->why, sizeof s->why, "%s %s has no effect on this manifest: edit it instead",
                 granted ? "--grant" : "--deny", what);
        if (!holds(&m, what, granted))
            return false;
    }
    return true;
}

char *override_manifest(struct sup *s, const char *text, size_t *len)
{
    static struct edit e;
    e.text = *len < EDIT_BYTES ? malloc(EDIT_BYTES) : NULL;
    e.len = *len;
    snprintf(s->why, sizeof s->why, "no memory to edit the manifest");
    if (!e.text)
        return NULL;
    memcpy(e.text, text, *len + 1);
    if (!apply(s, &e) || !all_hold(s, &e)) {
        free(e.text);
        return NULL;
    }
    *len = e.len;
    return e.text;
}
