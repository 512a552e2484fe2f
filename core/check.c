/* Every invariant of a core, walked. The numbers are README.md's. Slow on purpose: for
 * tests and the simulator. */
#include "state.h"

#define MUST(cond, text) \
    do {                 \
        if (!(cond))     \
            return text; \
    } while (0)

static const char *check_counts(const struct core *c)
{
    uint32_t entries = 0, alive = 0, pending = 0, waiting = 0;
    for (uint32_t i = 0; i < c->apps_used; i++) {
        const struct app *a = app_at(c, i);
        entries += a->state != APP_FREE;
        alive += app_is_alive(a);
        pending += a->state == APP_WAITING || a->state == APP_BACKOFF;
        waiting += a->state == APP_WAITING;
    }
    MUST(c->apps_used <= c->limits.apps, "1: more slots than the limit");
    MUST(entries == c->entry_count, "1: entry_count");
    MUST(alive == c->alive_count, "1: alive_count");
    MUST(pending == c->pending_count, "1: pending_count");
    MUST(waiting == c->waiting_count, "1: waiting_count");
    return NULL;
}

static const char *check_identity(const struct core *c, const struct app *a, uint32_t slot)
{
    MUST(a->state <= APP_STOPPING, "2: no such state");
    if (a->state == APP_FREE)
        return NULL;
    MUST(a->slot == slot, "2: slot number");
    MUST(app_is_alive(a) == (a->id != 0), "2: alive without an id, or an id without a life");
    MUST(!a->id || a->id == ((uint32_t)a->generation << 16 | slot), "2: id");
    MUST(manifest_name_valid(app_name(a)), "3: name");
    MUST(apps_find(c, app_name(a)) == a, "3: an entry is not found by its name");
    return NULL;
}

static const char *check_names(const struct core *c)
{
    uint32_t used = 0;
    for (uint32_t i = 0; i <= c->names_mask; i++)
        used += c->names[i] != 0;
    MUST(used == c->entry_count, "3: the name table's size");
    return NULL;
}

static const char *check_heap(const struct core *c)
{
    for (uint32_t i = 0; i < c->heap_len; i++) {
        const struct app *a = app_at(c, c->heap[i]);
        MUST(a->heap_at == i + 1, "4: heap position");
        MUST(i == 0 || app_at(c, c->heap[(i - 1) / 2])->due_ms <= a->due_ms, "4: heap order");
    }
    return NULL;
}

static const char *check_timer(const struct core *c, const struct app *a)
{
    uint64_t due = app_due(a);
    if (due != UINT64_MAX)
        MUST(a->heap_at && (a->due_ms <= due || a->due_ms <= c->now_ms + 1),
             "4: a need without a timer");
    return NULL;
}

static bool ring_good(const struct ring *r)
{
    return r->len <= r->cap && (r->head < r->cap || r->cap == 0);
}

static const char *check_bounds(const struct core *c, const struct app *a)
{
    MUST(ring_good(&a->in) && ring_good(&a->hold) && ring_good(&a->log) && ring_good(&a->msgs),
         "5: a ring");
    MUST(a->in.cap == c->limits.stdin_bytes && a->msgs.cap == c->limits.msg_queue_bytes,
         "5: a ring's size");
    MUST(a->out.len <= c->limits.line_bytes && a->err.len <= c->limits.line_bytes,
         "5: a line's length");
    MUST(a->out.shown <= a->out.len && a->err.shown <= a->err.len, "5: shown more than there is");
    MUST(a->recv_count <= CORE_REQUESTS_MAX, "5: open requests");
    return NULL;
}

/* Each list: links both ways, count, flags. */
static const char *check_list(const struct core *c, const struct list *l, enum list_kind kind)
{
    uint16_t before = NO_SLOT;
    uint32_t n = 0;
    for (uint16_t slot = l->head; slot != NO_SLOT; n++) {
        MUST(n < l->count && slot < c->apps_used, "6: a list's length");
        const struct link *link = &app_at(c, slot)->links[kind];
        MUST(link->on && link->prev == before, "6: a list's links");
        before = slot;
        slot = link->next;
    }
    MUST(n == l->count && l->tail == before, "6: a list's end");
    return NULL;
}

static const char *check_flow(const struct core *c, const struct app *a)
{
    bool on = a->links[LIST_FLOW].on;
    bool ready = on && !a->blocked;
    MUST(a->waits_on == NO_SLOT || (a->blocked && on), "6: waits without being on a list");
    MUST(!a->blocked || on == (a->waits_on != NO_SLOT), "6: blocked on nothing");
    MUST(!a->blocked || a->paused, "6: blocked and not paused");
    MUST(!a->paused || a->blocked || ready, "6: paused for ever");
    MUST((a->hold.len == 0 && !a->out.whole) || a->blocked || ready, "6: held for ever");
    MUST(!a->blocked || (a->block_deadline_ms && a->block_deadline_ms != UINT64_MAX),
         "6: blocked without a deadline");
    MUST(a->job.kind == JOB_NONE || a->blocked || ready, "6: an answer that nobody goes on with");
    return NULL;
}

static const char *check_stdin(const struct app *a)
{
    bool wants = a->in.len || (a->close_wanted && !a->stdin_closed);
    MUST(!app_is_up(a) || !wants || a->deliver_open || a->links[LIST_DIRTY].on,
         "7: waiting for a delivery that does not come");
    MUST(!a->recv_count || !a->msgs.len, "9: a receive waits beside a message");
    return NULL;
}

static const char *check_ended(const struct app *a)
{
    if (app_is_alive(a) || a->state == APP_FREE)
        return NULL;
    MUST(!a->in.len && !a->msgs.len && !a->hold.len && !a->recv_count, "8: a queue of no one");
    MUST(!a->job.kind && !a->blocked && !a->paused, "8: flow of no one");
    MUST(!a->links[LIST_DIRTY].on && !a->links[LIST_HEARERS].on && !a->links[LIST_FLOW].on,
         "8: on a list without a life");
    return NULL;
}

static const char *check_relations(const struct core *c, const struct app *a)
{
    MUST(a->follower == NO_SLOT || app_at(c, a->follower)->follows == a->slot, "10: follower");
    MUST(a->follows == NO_SLOT || app_at(c, a->follows)->follower == a->slot, "10: follows");
    if (app_is_up(a)) {
        MUST(a->grants.manifest == &a->manifest, "11: grants of another manifest");
        MUST(span_eq(a->manifest.name, app_name(a)), "11: a manifest of another app");
    }
    return NULL;
}

static const char *check_app(const struct core *c, const struct app *a, uint32_t slot)
{
    const char *e = check_identity(c, a, slot);
    if (e || a->state == APP_FREE)
        return e;
    if ((e = check_timer(c, a)) || (e = check_bounds(c, a)) || (e = check_flow(c, a)) ||
        (e = check_stdin(a)) || (e = check_ended(a)) || (e = check_relations(c, a)))
        return e;
    return check_list(c, &a->waiters, LIST_FLOW);
}

static const char *check_console(const struct core *c)
{
    const struct console *con = &c->console;
    MUST(con->edit_len < EDIT_BYTES_MAX, "5: the edited line's length");
    MUST(con->ahead_len <= EDIT_BYTES_MAX, "5: what was typed ahead");
    MUST(con->focus == NO_SLOT || app_at(c, con->focus)->state != APP_FREE, "10: focus");
    MUST(con->home == NO_SLOT || app_at(c, con->home)->state != APP_FREE, "10: home");
    MUST(con->focus != NO_SLOT || con->home == NO_SLOT || !app_is_up(app_at(c, con->home)),
         "10: nobody has the focus, and the shell is up");
    MUST(!c->powered || c->stopping, "12: the power went off unasked");
    return NULL;
}

const char *core_check(const struct core *c)
{
    const char *e;
    if ((e = check_counts(c)) || (e = check_names(c)) || (e = check_heap(c)) ||
        (e = check_list(c, &c->ready, LIST_FLOW)) || (e = check_list(c, &c->dirty, LIST_DIRTY)) ||
        (e = check_list(c, &c->hearers, LIST_HEARERS)) || (e = check_console(c)))
        return e;
    for (uint32_t i = 0; i < c->apps_used; i++)
        if ((e = check_app(c, app_at(c, i), i)))
            return e;
    return NULL;
}
