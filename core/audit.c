/* The audit log: one JSON object a line, each with the SHA-256 of the line before it
 * (with its newline), so that a line that was changed or taken out shows. */
#include "state.h"

const char *audit_event_name(enum audit_event event)
{
    static const char *const names[AUDIT_EVENTS] = {
        [AUDIT_SPAWN] = "spawn",           [AUDIT_EXIT] = "exit",
        [AUDIT_FILE_OPEN] = "file_open",   [AUDIT_NET_BIND] = "net_bind",
        [AUDIT_NET_CONNECT] = "net_connect", [AUDIT_IPC_SEND] = "ipc_send",
        [AUDIT_CAP_DENY] = "cap_deny",     [AUDIT_VERIFY] = "verify",
        [AUDIT_AUTH] = "auth",             [AUDIT_REPAIR] = "repair",
        [AUDIT_OTA] = "ota",
    };
    return names[event];
}

/* Room for what audit_end adds: lost, missed, prev, the closing brace. */
enum { TAIL_BYTES = 160 };

void audit_begin(struct core *c, struct record *r, enum audit_event event, struct span app)
{
    strbuf_init(&r->b, r->memory, sizeof r->memory - TAIL_BYTES);
    strbuf_cstr(&r->b, "{\"ts\":\"");
    strbuf_rfc3339(&r->b, c->unix_ms);
    strbuf_cstr(&r->b, "\",\"seq\":");
    strbuf_u64(&r->b, c->audit.seq + 1);
    strbuf_cstr(&r->b, ",\"event\":\"");
    strbuf_cstr(&r->b, audit_event_name(event));
    strbuf_cstr(&r->b, "\",\"app\":");
    strbuf_json(&r->b, app);
}

/* A field that does not fit is left out whole: the line stays JSON. */
static void field_begin(struct record *r, const char *field, struct strbuf *mark)
{
    *mark = r->b;
    strbuf_cstr(&r->b, ",\"");
    strbuf_cstr(&r->b, field);
    strbuf_cstr(&r->b, "\":");
}

static void field_end(struct record *r, const struct strbuf *mark)
{
    if (r->b.overflow)
        r->b = *mark;
}

void audit_text(struct record *r, const char *field, struct span value)
{
    struct strbuf mark;
    field_begin(r, field, &mark);
    strbuf_json(&r->b, value);
    field_end(r, &mark);
}

void audit_int(struct record *r, const char *field, int64_t value)
{
    struct strbuf mark;
    field_begin(r, field, &mark);
    strbuf_i64(&r->b, value);
    field_end(r, &mark);
}

void audit_hash(struct record *r, const char *field, const uint8_t hash[SHA256_BYTES])
{
    struct strbuf mark;
    field_begin(r, field, &mark);
    strbuf_char(&r->b, '"');
    strbuf_hex_bytes(&r->b, span_of(hash, SHA256_BYTES));
    strbuf_char(&r->b, '"');
    field_end(r, &mark);
}

void audit_end(struct core *c, struct record *r)
{
    struct audit *audit = &c->audit;
    base_assert(!r->b.overflow);
    if (c->actions->count >= CORE_ACTIONS_MAX ||
        c->text.size - c->text.used < CORE_AUDIT_BYTES_MAX) {
        audit->missed++; /* the next record says so */
        return;
    }
    r->b.cap = sizeof r->memory;
    if (audit->lost)
        audit_int(r, "lost", (int64_t)audit->lost);
    if (audit->missed)
        audit_int(r, "missed", (int64_t)audit->missed);
    audit_hash(r, "prev", audit->prev);
    strbuf_cstr(&r->b, "}\n");
    base_assert(!r->b.overflow);

    struct span line = step_copy(c, strbuf_done(&r->b), 0);
    act(c, CORE_ACT_AUDIT, NULL)->bytes = line;
    audit->seq++;
    if (audit->lost || audit->missed) {
        audit->claim.seq = audit->seq;
        audit->claim.lost = audit->lost;
        audit->claim.missed = audit->missed;
    }
    audit->lost = audit->missed = 0;
    sha256_of(line, audit->prev);
    uint32_t at = (uint32_t)(audit->seq % CORE_AUDIT_RECENT);
    memcpy(audit->recent[at], line.p, line.len);
    audit->recent_len[at] = (uint32_t)line.len;
}

struct span audit_recent(const struct core *c, uint32_t n)
{
    if (n >= CORE_AUDIT_RECENT || n >= c->audit.seq)
        return SPAN_NONE;
    uint32_t at = (uint32_t)((c->audit.seq - n) % CORE_AUDIT_RECENT);
    uint32_t len = c->audit.recent_len[at];
    return span_of(c->audit.recent[at], len ? len - 1 : 0);
}

/* --- a host that cannot store ---------------------------------------------------------- */

static void notice_losses(struct core *c, const char *after)
{
    char memory[80];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "audit records could not be stored: ");
    strbuf_u64(&b, c->audit.lost_unsaid);
    strbuf_cstr(&b, after);
    screen_notice(c, NULL, strbuf_done(&b));
    c->audit.lost_unsaid = 0;
}

/* Says how many are missing, and shows whether records are stored again. */
static void record_losses(struct core *c)
{
    struct record r;
    audit_begin(c, &r, AUDIT_VERIFY, SPAN_LIT("supervisor"));
    audit_text(&r, "what", SPAN_LIT("audit-log"));
    audit_text(&r, "result", SPAN_LIT("incomplete"));
    audit_end(c, &r);
    c->audit.notice_due_ms = c->now_ms + TALLY_MS;
    wake_at(c, c->audit.notice_due_ms);
}

/* A disk that is full loses every record: what is said about it has a rate of its own. */
void audit_lost(struct core *c, uint64_t count)
{
    struct audit *audit = &c->audit;
    count = count ? count : 1;
    audit->lost += count;
    if (audit->claim.seq + count > audit->seq) { /* nobody will read what it said */
        audit->lost += audit->claim.lost;
        audit->missed += audit->claim.missed;
        audit->claim.seq = audit->claim.lost = audit->claim.missed = 0;
    }
    audit->lost_ever += count;
    audit->lost_unsaid += count;
    audit->lost_seq = audit->seq;
    if (audit->notice_due_ms == UINT64_MAX) {
        notice_losses(c, "");
        record_losses(c);
    }
}

void audit_losses_due(struct core *c)
{
    struct audit *audit = &c->audit;
    if (audit->notice_due_ms > c->now_ms) {
        wake_at(c, audit->notice_due_ms);
        return;
    }
    if (!audit->lost_unsaid && audit->seq > audit->lost_seq) {
        audit->notice_due_ms = UINT64_MAX;
        screen_notice(c, NULL, SPAN_LIT("audit records are stored again"));
        return;
    }
    if (audit->lost_unsaid)
        notice_losses(c, " more");
    record_losses(c);
}
