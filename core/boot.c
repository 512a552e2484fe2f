/* Coming up: boot.toml, the apps that the operator names, and the order of their starts. */
#include "state.h"

#include "base/err.h"
#include "formats/error.h"

/* What boot.toml may say up to is what there is room for. */
_Static_assert((int)BOOT_APPS_MAX == (int)CORE_APPS_MAX, "apps");
_Static_assert((int)BOOT_LINE_BYTES_MAX == (int)CORE_LINE_BYTES_MAX, "line_bytes");
_Static_assert((int)BOOT_STDIN_BYTES_MAX == (int)CORE_STDIN_BYTES_MAX, "stdin_bytes");
_Static_assert((int)BOOT_MSG_QUEUE_BYTES_MAX == (int)CORE_MSG_QUEUE_BYTES_MAX, "msg_queue_bytes");
_Static_assert((int)BOOT_LOG_BYTES_MAX == (int)CORE_LOG_BYTES_MAX, "log_bytes");

/* The first record of every boot. It joins this boot's chain to the stored log. */
static void record_log_state(struct core *c, const struct core_event *ev)
{
    static const uint8_t none[SHA256_BYTES];
    struct record r;
    bool fresh = memcmp(ev->hash, none, sizeof none) == 0;
    memcpy(c->audit.prev, ev->hash, SHA256_BYTES);
    c->audit.seq = ev->count2;
    audit_begin(c, &r, AUDIT_VERIFY, SPAN_LIT("supervisor"));
    audit_text(&r, "what", SPAN_LIT("audit-log"));
    audit_text(&r, "result", ev->error < 0 ? SPAN_LIT("broken")
                             : fresh       ? SPAN_LIT("new")
                                           : SPAN_LIT("ok"));
    audit_end(c, &r);
    if (ev->error < 0)
        screen_notice(c, NULL, SPAN_LIT("the audit log's chain is broken"));
}

/* Without a boot.toml that can be read nothing is known about what should run. */
static void halt(struct core *c, struct span why)
{
    struct record r;
    audit_begin(c, &r, AUDIT_VERIFY, SPAN_LIT("supervisor"));
    audit_text(&r, "what", SPAN_LIT("boot.toml"));
    audit_text(&r, "result", SPAN_LIT("refused"));
    audit_text(&r, "why", span_take(why, 300));
    audit_end(c, &r);
    screen_notice(c, NULL, why);
    c->exit_code = 1;
    stop_begin(c, c->owns_machine ? CORE_STOP_POWEROFF : CORE_STOP_EXIT);
}

static bool add_app(struct core *c, const struct boot_app *b)
{
    int error;
    struct app *a = apps_add(c, b, &error);
    if (!a)
        return false;
    a->configured = true;
    for (uint32_t i = 0; i < b->after_count && i < BOOT_AFTER_MAX; i++)
        a->after[a->after_count++] = (uint16_t)b->after[i]; /* slots are handed out in order */
    if (b->start)
        apps_set_state(c, a, APP_WAITING);
    else
        a->settled = true;
    return true;
}

/* The spans of b end when this returns: apps use the same memory. */
static bool apply(struct core *c, const struct boot *b, struct strbuf *why)
{
    struct core_limits limits = { .apps = b->limits.apps,
                                  .line_bytes = b->limits.line_bytes,
                                  .stdin_bytes = b->limits.stdin_bytes,
                                  .msg_queue_bytes = b->limits.msg_queue_bytes,
                                  .log_bytes = b->limits.log_bytes };
    c->defaults.memory_bytes = b->defaults.memory_bytes;
    c->defaults.data_bytes = b->defaults.data_bytes;
    c->defaults.cpu_percent = b->defaults.cpu_percent;
    c->defaults.open_files = b->defaults.open_files;
    c->defaults.messages_per_sec = b->defaults.messages_per_sec;
    c->stop_grace_ms = b->stop_grace_ms;
    apps_lower_limits(c, &limits);
    for (uint32_t i = 0; i < b->apps_count; i++) {
        if (add_app(c, &b->apps[i]))
            continue;
        strbuf_cstr(why, "boot.toml names more apps than there is room for");
        return false;
    }
    struct app *home = apps_find(c, b->focus);
    if (home) {
        home->is_home = true;
        c->console.home = home->slot;
    }
    return true;
}

/* Parsing needs memory for as long as it lasts. Nothing runs yet, so the last slots lend
 * theirs; what was written is wiped, since slots begin as zeros. apply() reads the result
 * while it fills the first slots: there must be room for both. */
static bool parse_and_apply(struct core *c, struct span text, struct strbuf *why)
{
    size_t total = (size_t)c->limits.apps * c->slot_bytes;
    size_t need = boot_arena_bytes(text.len);
    uint8_t *end = c->slots + total;
    struct arena scratch, keep;
    struct boot boot;
    struct format_error err = { 0 };
    if (text.len > BOOT_TEXT_MAX || need > total / 2) {
        strbuf_cstr(why, "boot.toml is too long");
        return false;
    }
    arena_init(&scratch, end - need, need);
    arena_init(&keep, end - 2 * need, need);
    bool ok = boot_parse(text, &scratch, &keep, &boot, &err) == E_OK;
    memset(scratch.base, 0, scratch.size);
    if (!ok) {
        format_error_write(why, SPAN_LIT("boot.toml"), &err);
    } else if (boot.apps_count * c->slot_bytes > total - 2 * need) {
        strbuf_cstr(why, "boot.toml names more apps than there is room for");
        ok = false;
    } else {
        ok = apply(c, &boot, why);
    }
    memset(keep.base, 0, keep.size);
    return ok;
}

void boot_event(struct core *c, const struct core_event *ev)
{
    char memory[480];
    struct strbuf why;
    if (c->booted)
        return;
    c->booted = true;
    c->owns_machine = ev->count == CORE_BOOT_MACHINE;
    c->console.owned = ev->count != CORE_BOOT_GUEST;
    c->console.terminal = c->owns_machine;
    c->start_ms = c->now_ms;
    bucket_fill(&c->broadcast_all, c->now_ms, BROADCAST_ALL_PER_SEC);
    bucket_fill(&c->console.notices, c->now_ms, NOTICE_BURST);
    bucket_fill(&c->console.shows_all, c->now_ms, SHOW_ALL_BURST);
    bucket_fill(&c->console.focus_bytes, c->now_ms, FOCUS_BYTES_PER_SEC);
    record_log_state(c, ev);
    strbuf_init(&why, memory, sizeof memory);
    if (ev->text.len && !parse_and_apply(c, ev->text, &why)) {
        halt(c, strbuf_done(&why));
        return;
    }
    boot_order_advance(c);
}

void boot_start(struct core *c, const struct core_event *ev)
{
    int error;
    struct app *a = apps_find(c, ev->name);
    struct boot_app how = boot_app_default(ev->name);
    if (c->stopping)
        return;
    if (!a)
        a = apps_add(c, &how, &error);
    if (!a) {
        c->anything_started = true; /* so that the end of nothing is an end */
        c->exit_code = 1;
        screen_notice(c, NULL, error == E_FULL ? SPAN_LIT("there is no room for another app")
                                               : SPAN_LIT("this is no name for an app"));
        if (ev->count == 1)
            stop_begin(c, CORE_STOP_EXIT);
        return;
    }
    a->by_operator = true;
    if (ev->count == 1) {
        a->foreground = true;
        c->console.focus = c->console.home = a->slot;
    }
    life_start(c, a);
}

static bool is_its_turn(const struct core *c, const struct app *a)
{
    for (unsigned i = 0; i < a->after_count; i++)
        if (!app_at(c, a->after[i])->settled)
            return false;
    return true;
}

/* boot.toml has no circles, and every app settles in the end: it comes up, or its first
 * start fails, or it is not to be started. So everyone's turn comes. */
void boot_order_advance(struct core *c)
{
    if (c->stopping)
        return;
    for (uint32_t i = 0; i < c->apps_used && c->waiting_count; i++) {
        struct app *a = app_at(c, i);
        if (a->state == APP_WAITING && is_its_turn(c, a))
            life_begin(c, a);
    }
}
