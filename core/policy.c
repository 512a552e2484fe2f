/* Who may do what. Every decision is here or in formats/manifest.h's three questions,
 * and every refusal says which key of the manifest would change it. */
#include "state.h"

enum { DENY_TEXT_MAX = 512, MEMORY_DEFAULT = 64 * 1024 * 1024, FILES_DEFAULT = 64 };

bool policy_may_send(const struct app *a, struct span to)
{
    return manifest_may_send(&a->manifest, to);
}

static uint64_t note_id(const char *what, struct span value)
{
    return hash_bytes(hash_bytes(0, span_of_cstr(what)), value);
}

struct span policy_deny(struct core *c, struct app *a, const char *what, int power,
                        struct span value)
{
    char memory[DENY_TEXT_MAX];
    struct strbuf b;
    struct manifest_place place;
    struct span shown = span_take(value, TALLY_VALUE_MAX);
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "may not ");
    strbuf_cstr(&b, what);
    if (shown.len) {
        strbuf_cstr(&b, " '");
        strbuf_printable(&b, shown);
        strbuf_char(&b, '\'');
    }
    strbuf_cstr(&b, ": ");
    manifest_hint_write(&b, &a->manifest, power, value);
    manifest_place(&a->manifest, power, &place);
    struct note note = { .event = AUDIT_CAP_DENY,
                         .what = what,
                         .value = value,
                         .table = place.table,
                         .manifest_key = place.key,
                         .id = note_id(what, value),
                         .count = 1 };
    if (tally_note(c, a, &note))
        screen_notice(c, a, strbuf_done(&b));
    struct span text = step_copy(c, strbuf_done(&b), STEP_AUDIT_BYTES);
    return text.p ? text : SPAN_LIT("denied");
}

void policy_excess(struct core *c, struct app *a, const char *what, struct span value)
{
    struct note note = { .event = AUDIT_CAP_DENY,
                         .what = what,
                         .value = value,
                         .table = "[limits]",
                         .id = note_id(what, value),
                         .count = 1 };
    tally_note(c, a, &note);
}

void policy_denied(struct core *c, struct app *a, enum core_denied what, struct span value)
{
    switch (what) {
    case CORE_DENIED_ESCAPE: policy_excess(c, a, "escape", value); break;
    case CORE_DENIED_LISTEN: policy_deny(c, a, "listen on", MANIFEST_POWER_LISTEN, value); break;
    case CORE_DENIED_RIGHTS: policy_excess(c, a, "rights", value); break;
    case CORE_DENIED_FILES: policy_excess(c, a, "open files", value); break;
    case CORE_DENIED_DATA: policy_excess(c, a, "data", value); break;
    case CORE_DENIED_POINTER: policy_excess(c, a, "pointer", value); break;
    case CORE_DENIED_CALL: policy_excess(c, a, "system call", value); break;
    default: break;
    }
}

static uint32_t messages_per_sec(const struct core *c, const struct app *a)
{
    uint32_t own = a->manifest.limits.messages_per_sec;
    return own ? own : c->defaults.messages_per_sec;
}

bool policy_within_rate(struct core *c, struct app *a)
{
    uint32_t rate = messages_per_sec(c, a);
    return rate == 0 || bucket_take(&a->rate, c->now_ms, rate, rate, 1);
}

static uint64_t first_of(uint64_t own, uint64_t of_boot, uint64_t otherwise)
{
    return own ? own : of_boot ? of_boot : otherwise;
}

void policy_grant(struct core *c, struct app *a)
{
    const struct manifest *m = &a->manifest;
    struct core_grants *g = &a->grants;
    memset(g, 0, sizeof *g);
    g->manifest = m;
    g->name = app_name(a);
    g->memory_bytes = first_of(m->limits.memory_bytes, c->defaults.memory_bytes, MEMORY_DEFAULT);
    g->cpu_percent = (uint32_t)first_of(m->limits.cpu_percent, c->defaults.cpu_percent, 0);
    g->open_files =
        (uint32_t)first_of(m->limits.open_files, c->defaults.open_files, FILES_DEFAULT);
    g->data_bytes = first_of(m->limits.data_bytes, c->defaults.data_bytes, 0);
    bucket_fill(&a->rate, c->now_ms, messages_per_sec(c, a));
}
