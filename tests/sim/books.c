/* The model's books about lines: what an app said, what another heard, and what the audit
 * log says of it. */
#include "sim.h"

#include "formats/manifest.h"
#include "trust/sha256.h"

bool plan_may_send(const struct plan *p, int to)
{
    return (p->caps >> MANIFEST_CAP_IPC & 1) && (p->send_any || (to >= 0 && p->send >> to & 1));
}

static bool has_cap(const struct sapp *a, enum manifest_cap cap)
{
    return a->plan.caps >> cap & 1;
}

static bool speaks(const struct sapp *a)
{
    return a->plan.lines && has_cap(a, MANIFEST_CAP_STDIO);
}

struct message *model_new_message(struct world *w, struct sapp *from, enum to kind, int to)
{
    uint32_t serial = ++w->next_serial;
    struct message *m = &w->messages[serial % SIM_MESSAGES];
    *m = (struct message){ .serial = serial, .from = (uint8_t)(from - w->apps),
                           .to_kind = (uint8_t)kind, .to = (uint8_t)to, .life = from->id };
    return m;
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

/* --- what the core was told ---------------------------------------------------------- */

static void given_address(struct world *w, struct sapp *a, const char *name, size_t len)
{
    bool shell = has_cap(a, MANIFEST_CAP_SHELL);
    if (len == 5 && begins(name, "reply")) {
        a->emitted++;
    } else if (len == 9 && begins(name, "broadcast")) {
        a->wrong++;
        a->has_broadcast = true;
        if (!has_cap(a, MANIFEST_CAP_IPC) || (!a->plan.send_any && !a->plan.send_listed))
            a->other_denials++;
    } else if (len == 10 && begins(name, "supervisor")) {
        a->wrong++;
        if (!shell && !has_cap(a, MANIFEST_CAP_STATUS))
            a->other_denials++;
        else if (!shell)
            a->overrun = true; /* some verbs are denied, some not: not counted */
    } else {
        a->emitted++;
        a->send_denials += !plan_may_send(&a->plan, app_index(w, span_of(name, len)));
    }
}

static void given_line(struct world *w, struct sapp *a, const char *line)
{
    const char *colon = strchr(line, ':');
    bool bad_name = begins(line, "@Bad");
    if (line[0] == '@' && !bad_name && colon && colon - line >= 2)
        given_address(w, a, line + 1, (size_t)(colon - line) - 1);
    else if (line[0] == '@' || begins(line, "VYOMA_SYSTEM") || begins(line, "REPLY:"))
        a->wrong++;
    else if (begins(line, "VYOMA_DRAW:flush")) {
        a->wrong++;
        a->other_denials += !has_cap(a, MANIFEST_CAP_DISPLAY);
    }
}

void model_given(struct world *w, struct sapp *a, const char *bytes, size_t len)
{
    if (!has_cap(a, MANIFEST_CAP_STDIO))
        a->other_denials++;
    if (!speaks(a))
        return;
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n') {
            if (a->given_len < sizeof a->given - 1)
                a->given[a->given_len++] = bytes[i];
            continue;
        }
        a->given[a->given_len] = 0;
        if (a->given_len > w->limits.line_bytes) {
            a->wrong++;
            a->overrun = true;
        } else {
            given_line(w, a, a->given);
        }
        a->given_len = 0;
    }
}

/* --- what an app heard --------------------------------------------------------------- */

static bool may_arrive(struct world *w, const struct message *m, struct sapp *to)
{
    struct sapp *from = &w->apps[m->from];
    int index = (int)(to - w->apps);
    if (m->life != from->id)
        return true; /* its rights died with it; checked by name and order only */
    switch (m->to_kind) {
    case TO_APP: return m->to == index && plan_may_send(&from->plan, index);
    case TO_REPLY: return from->heard_from[index] == to->id;
    default: return to->plan.hears && plan_may_send(&from->plan, index);
    }
}

static void heard_message(struct world *w, struct sapp *a, const char *line)
{
    const char *colon = strstr(line, ": m");
    int index = (int)(a - w->apps);
    if (!colon) {
        fail(w, "%s got a message that no one wrote: %.60s", a->name, line);
        return;
    }
    int from = app_index(w, span_of(line + 1, (size_t)(colon - line) - 1));
    uint32_t serial = (uint32_t)strtoul(colon + 3, NULL, 10);
    struct message *m = &w->messages[serial % SIM_MESSAGES];
    if (m->serial != serial)
        return; /* older than the books go back */
    if (from != m->from)
        fail(w, "%s: sender's name is not true: %.60s", a->name, line);
    else if (m->seen >> index & 1)
        fail(w, "%s got message %u twice", a->name, serial);
    else if (!may_arrive(w, m, a))
        fail(w, "%s got a message without its sender's right: %.60s", a->name, line);
    else if (a->last_serial_life[from] == m->life && a->last_serial[from] > serial)
        fail(w, "%s got message %u of %s after %u", a->name, serial, w->apps[from].name,
             a->last_serial[from]);
    m->seen |= 1u << index;
    if (from < 0)
        return;
    a->last_serial[from] = serial;
    a->last_serial_life[from] = m->life;
    a->heard_from[from] = w->apps[from].id;
    w->n_delivered++;
    if (m->life == w->apps[from].id && m->to_kind != TO_BROADCAST)
        w->apps[from].arrived++;
}

static void heard_line(struct world *w, struct sapp *a, const char *line)
{
    bool commands = has_cap(a, MANIFEST_CAP_SHELL) || has_cap(a, MANIFEST_CAP_STATUS);
    if (line[0] == 'c' && w->owned)
        return; /* typed */
    if (!speaks(a))
        fail(w, "%s does not speak lines and got: %.60s", a->name, line);
    else if (line[0] == '@')
        heard_message(w, a, line);
    else if (begins(line, "VYOMA_SYSTEM:error:"))
        a->refused++, w->n_refused++;
    else if (begins(line, "VYOMA_SYSTEM:lost:"))
        a->lost += strtoull(line + 18, NULL, 10);
    else if (begins(line, "REPLY:") && !commands)
        fail(w, "%s got an answer and may not ask: %.60s", a->name, line);
    else if (begins(line, "VYOMA_INPUT:bytes:") && !has_cap(a, MANIFEST_CAP_SHELL))
        fail(w, "%s got keys: %.60s", a->name, line);
    else if (!begins(line, "VYOMA_SYSTEM:") && !begins(line, "REPLY:") &&
             !begins(line, "VYOMA_INPUT:bytes:"))
        fail(w, "%s got a line of nobody's: %.60s", a->name, line);
}

void model_stdin(struct world *w, struct sapp *a, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\n') {
            if (a->line_len < sizeof a->line - 1)
                a->line[a->line_len++] = (char)bytes[i];
            else
                fail(w, "%s got a line that is too long", a->name);
            continue;
        }
        a->line[a->line_len] = 0;
        a->line_len = 0;
        heard_line(w, a, a->line);
    }
}

/* --- the audit log --------------------------------------------------------------------- */

static bool field(const char *line, const char *name, char *ret, size_t size)
{
    char key[40];
    snprintf(key, sizeof key, ",\"%s\":", name);
    const char *p = strstr(line, key);
    if (!p)
        return false;
    p += strlen(key);
    bool quoted = *p == '"';
    p += quoted;
    size_t n = 0;
    while (*p && *p != (quoted ? '"' : ',') && *p != '}' && n + 1 < size)
        ret[n++] = *p++;
    ret[n] = 0;
    return true;
}

static void audit_denial(struct sapp *a, const char *what, uint64_t count)
{
    static const char *const excess[] = { "line length", "message to a full queue",
                                          "messages a second", "broadcasts a second",
                                          "broadcast to a full queue", "output while paused",
                                          "malformed line", "unread answer", "message size",
                                          "open requests", "control protocol", "import", "escape" };
    for (size_t i = 0; i < sizeof excess / sizeof excess[0]; i++) {
        if (strcmp(what, excess[i]) == 0) {
            a->audit_excess += count;
            return;
        }
    }
    if (strcmp(what, "(others)") == 0)
        a->audit_lumped += count;
    else if (strcmp(what, "send to") == 0)
        a->audit_send_denials += count;
    else
        a->audit_other_denials += count;
}

/* Against its chain, then into the books. */
void model_audit(struct world *w, struct span line)
{
    char text[CORE_AUDIT_BYTES_MAX + 1], event[24] = "", app[40] = "", what[64] = "", count[24];
    snprintf(text, sizeof text, "%.*s", (int)line.len, (const char *)line.p);
    if (line.len > CORE_AUDIT_BYTES_MAX || line.len < 100 || line.p[line.len - 1] != '\n') {
        fail(w, "an audit record of %zu bytes", line.len);
        return;
    }
    char prev[65], hex[65];
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", w->prev[i]);
    if (!w->chain_unchecked &&
        (!field(text, "prev", prev, sizeof prev) || strcmp(prev, hex) != 0))
        fail(w, "the audit chain is broken at: %.80s", text);
    sha256_of(line, w->prev);
    field(text, "event", event, sizeof event);
    field(text, "app", app, sizeof app);
    field(text, "what", what, sizeof what);
    uint64_t n = field(text, "count", count, sizeof count) ? strtoull(count, NULL, 10) : 1;
    if (field(text, "missed", count, sizeof count))
        fail(w, "the core had no room for audit records: %.80s", text);
    w->n_audits++;
    int index = app_index(w, span_of_cstr(app));
    if (index < 0)
        return;
    struct sapp *a = &w->apps[index];
    if (strcmp(event, "ipc_send") == 0)
        a->life_audit_sends += n;
    else if (strcmp(event, "file_open") == 0)
        a->audit_files += n;
    else if (strcmp(event, "net_connect") == 0)
        a->audit_connects += n;
    else if (strcmp(event, "cap_deny") == 0)
        audit_denial(a, what, n), w->n_denied += n;
    else if (strcmp(event, "repair") == 0 && strcmp(what, "gave-up") == 0) {
        w->n_gave_up++;
        a->due_back_ms = 0;
        uint32_t recent = 0;
        for (uint32_t i = 0; i < a->restarts_len; i++)
            recent += w->now_ms - a->restarts_at[i] <= 1000ull * w->boot_window[index];
        if (recent < w->boot_max[index] && w->boot_restart[index] && !w->meddled)
            fail(w, "%s was given up after %u restarts of %u", a->name, recent,
                 w->boot_max[index]);
    }
}
