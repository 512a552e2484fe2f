/* Records that an app could cause in floods: messages, files opened, connections,
 * denials. The first of each kind is written at once; repeats are counted, and the
 * counts are written at most every TALLY_MS and when the app ends. Nothing goes
 * unrecorded: over any time the counts add up to what happened.
 * docs/decisions/0012-audit-aggregation.md */
#include "state.h"

static void write_entry(struct core *c, struct app *a, const struct tally *t, struct span value,
                        uint32_t count, uint64_t bytes)
{
    struct record r;
    audit_begin(c, &r, t->event, app_name(a));
    if (t->event == AUDIT_IPC_SEND) {
        audit_text(&r, "to", value);
    } else {
        audit_text(&r, "what", span_of_cstr(t->what));
        audit_text(&r, "value", value);
    }
    if (t->manifest_key) {
        audit_text(&r, "table", span_of_cstr(t->table));
        audit_text(&r, "key", span_of_cstr(t->manifest_key));
    }
    audit_int(&r, "count", count);
    if (t->event == AUDIT_IPC_SEND)
        audit_int(&r, "bytes", (int64_t)bytes);
    audit_end(c, &r);
}

static void flush_entry(struct core *c, struct app *a, struct tally *t)
{
    if (t->count)
        write_entry(c, a, t, span_of(t->value, t->value_len), t->count, t->bytes);
    t->count = 0;
    t->bytes = 0;
}

/* Kinds that came too fast, or pushed one another out of the table: only a number. */
static void flush_others(struct core *c, struct app *a)
{
    for (unsigned e = 0; e < AUDIT_EVENTS; e++) {
        if (!a->tally_other[e])
            continue;
        struct record r;
        audit_begin(c, &r, (enum audit_event)e, app_name(a));
        audit_text(&r, e == AUDIT_IPC_SEND ? "to" : "what", SPAN_LIT("(others)"));
        audit_int(&r, "count", a->tally_other[e]);
        audit_end(c, &r);
        a->tally_other[e] = 0;
    }
}

static void want_flush(struct core *c, struct app *a)
{
    if (a->tally_due_ms != UINT64_MAX)
        return;
    a->tally_due_ms = c->now_ms + TALLY_MS;
    timer_want(c, a, a->tally_due_ms);
}

static void count_other(struct core *c, struct app *a, uint8_t event, uint32_t count)
{
    if (count) {
        a->tally_other[event] += count;
        want_flush(c, a);
    }
}

static void entry_set(struct tally *t, uint64_t key, const struct note *n)
{
    memset(t, 0, sizeof *t);
    t->key = key;
    t->what = n->what;
    t->table = n->table;
    t->manifest_key = n->manifest_key;
    t->event = (uint8_t)n->event;
    struct span value = span_take(n->value, TALLY_VALUE_MAX);
    t->value_len = (uint8_t)value.len;
    if (value.len)
        memcpy(t->value, value.p, value.len);
}

bool tally_note(struct core *c, struct app *a, const struct note *n)
{
    uint64_t key = n->id * 16 + n->event + 1;
    unsigned kind = n->event == AUDIT_CAP_DENY ? TALLY_DENIALS : TALLY_GRANTS;
    struct tally *t = &a->tallies[kind].entries[(key ^ key >> 32) % TALLY_ENTRIES];
    if (t->key == key) {
        t->count += n->count;
        t->bytes += n->bytes;
        want_flush(c, a);
        return false;
    }
    if (!bucket_take(&a->tallies[kind].bucket, c->now_ms, TALLY_PER_SEC, TALLY_BURST, 1)) {
        count_other(c, a, (uint8_t)n->event, n->count);
        return false;
    }
    count_other(c, a, t->event, t->key ? t->count : 0);
    entry_set(t, key, n);
    write_entry(c, a, t, span_take(n->value, TALLY_VALUE_MAX), n->count, n->bytes);
    return true;
}

void tally_flush(struct core *c, struct app *a)
{
    for (unsigned i = 0; i < TALLY_KINDS * TALLY_ENTRIES; i++)
        flush_entry(c, a, &a->tallies[i / TALLY_ENTRIES].entries[i % TALLY_ENTRIES]);
    flush_others(c, a);
    a->tally_due_ms = UINT64_MAX;
}

void tally_clear(struct app *a)
{
    for (unsigned i = 0; i < TALLY_KINDS * TALLY_ENTRIES; i++)
        a->tallies[i / TALLY_ENTRIES].entries[i % TALLY_ENTRIES].key = 0;
}
