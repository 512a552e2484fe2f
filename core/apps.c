/* The table of apps: entries by name, lives by id. An entry outlives its app's lives:
 * what has ended can still be listed, its log read, and it can be started again. */
#include "state.h"

#include "base/err.h"

uint64_t hash_bytes(uint64_t seed, struct span s)
{
    uint64_t h = seed ^ 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.p[i]) * 0x100000001b3u;
    return h ^ h >> 29;
}

static uint32_t name_home(const struct core *c, struct span name)
{
    return (uint32_t)hash_bytes(0, name) & c->names_mask;
}

struct app *apps_find(const struct core *c, struct span name)
{
    if (name.len == 0 || name.len > MANIFEST_NAME_MAX)
        return NULL;
    for (uint32_t i = name_home(c, name); c->names[i]; i = (i + 1) & c->names_mask) {
        struct app *a = app_at(c, c->names[i] - 1u);
        if (span_eq(app_name(a), name))
            return a;
    }
    return NULL;
}

struct app *apps_live(const struct core *c, core_app id)
{
    uint32_t slot = core_app_slot(id);
    if (id == 0 || slot >= c->apps_used)
        return NULL;
    struct app *a = app_at(c, slot);
    return a->id == id ? a : NULL;
}

static void name_insert(struct core *c, struct app *a)
{
    uint32_t i = name_home(c, app_name(a));
    while (c->names[i])
        i = (i + 1) & c->names_mask;
    c->names[i] = (uint16_t)(a->slot + 1);
}

/* Linear probing without tombstones: what comes after the hole is moved into it when
 * its home does not lie between. */
static void name_remove(struct core *c, struct app *a)
{
    uint32_t hole = name_home(c, app_name(a));
    while (c->names[hole] != a->slot + 1u)
        hole = (hole + 1) & c->names_mask;
    for (uint32_t i = (hole + 1) & c->names_mask; c->names[i]; i = (i + 1) & c->names_mask) {
        uint32_t home = name_home(c, app_name(app_at(c, c->names[i] - 1u)));
        if (((i - home) & c->names_mask) < ((i - hole) & c->names_mask))
            continue;
        c->names[hole] = c->names[i];
        hole = i;
    }
    c->names[hole] = 0;
}

static void entry_free(struct core *c, struct app *a)
{
    name_remove(c, a);
    apps_set_state(c, a, APP_FREE);
    shell_forget(c, a);
    console_forget(c, a);
    timer_forget(c, a);
    c->entry_count--;
}

/* The entry that ended longest ago and is not in boot.toml; frees it. */
static struct app *evict(struct core *c)
{
    struct app *oldest = NULL;
    for (uint32_t i = 0; i < c->apps_used; i++) {
        struct app *a = app_at(c, i);
        if ((a->state == APP_ENDED || a->state == APP_FAILED) && !a->configured &&
            (!oldest || a->state_since_ms < oldest->state_since_ms))
            oldest = a;
    }
    if (oldest)
        entry_free(c, oldest);
    return oldest;
}

static void carve_ring(struct ring *r, uint8_t **at, size_t bytes)
{
    ring_init(r, *at, bytes);
    *at += (bytes + 15) & ~(size_t)15;
}

/* Gives the slot's memory to the entry's buffers, in the order of core.c's layout. */
static void entry_buffers(struct core *c, struct app *a)
{
    uint8_t *at = (uint8_t *)a + ((sizeof *a + 15) & ~(size_t)15);
    arena_init(&a->keep, at, MANIFEST_KEEP_BYTES);
    at += MANIFEST_KEEP_BYTES;
    size_t line = (c->limits.line_bytes + 1 + 15) & ~(size_t)15;
    a->out.p = (char *)at;
    a->err.p = (char *)(at + line);
    at += 2 * line;
    carve_ring(&a->log, &at, c->limits.log_bytes);
    carve_ring(&a->hold, &at, 2 * (size_t)CORE_OUTPUT_BYTES_MAX + c->limits.line_bytes + 1);
    carve_ring(&a->in, &at, c->limits.stdin_bytes);
    carve_ring(&a->msgs, &at, c->limits.msg_queue_bytes);
    base_assert(at == (uint8_t *)a + c->slot_bytes);
}

static struct app *slot_take(struct core *c)
{
    if (c->entry_count == c->apps_used)
        return c->apps_used < c->limits.apps ? app_at(c, c->apps_used) : evict(c);
    for (uint32_t i = 0; i < c->apps_used; i++)
        if (app_at(c, i)->state == APP_FREE)
            return app_at(c, i);
    return NULL;
}

struct app *apps_add(struct core *c, const struct boot_app *how, int *error)
{
    struct span name = how->name;
    *error = E_INVAL;
    if (!manifest_name_valid(name))
        return NULL;
    *error = E_FULL;
    struct app *a = slot_take(c);
    if (!a)
        return NULL;
    uint16_t generation = a->generation;
    uint32_t slot = (uint32_t)((size_t)((uint8_t *)a - c->slots) / c->slot_bytes);
    if (slot == c->apps_used)
        c->apps_used++;
    memset(a, 0, sizeof *a);
    a->slot = (uint16_t)slot;
    a->generation = generation;
    a->serial = ++c->next_serial;
    memcpy(a->name_text, name.p, name.len);
    a->name_len = (uint8_t)name.len;
    a->waits_on = a->follower = a->follows = NO_SLOT;
    list_init(&a->waiters);
    entry_buffers(c, a);
    a->tally_due_ms = a->hidden_due_ms = a->input_end_ms = UINT64_MAX;
    a->restart = (uint8_t)how->restart;
    a->restarts_max = how->max_restarts;
    a->window_secs = how->window_secs;
    a->backoff_ms = a->backoff_first_ms = how->backoff_ms;
    a->backoff_max_ms = how->backoff_max_ms;
    bucket_fill(&a->shows, c->now_ms, SHOW_BURST);
    for (unsigned k = 0; k < TALLY_KINDS; k++)
        bucket_fill(&a->tallies[k].bucket, c->now_ms, TALLY_BURST);
    bucket_fill(&a->broadcasts, c->now_ms, BROADCAST_PER_SEC);
    name_insert(c, a);
    c->entry_count++;
    apps_set_state(c, a, APP_ENDED);
    *error = E_OK;
    return a;
}

static uint32_t lower(uint32_t now, uint32_t wanted)
{
    return wanted && wanted < now ? wanted : now;
}

void apps_lower_limits(struct core *c, const struct core_limits *l)
{
    base_assert(c->apps_used == 0);
    struct core_limits wanted = { .apps = lower(c->limits.apps, l->apps),
                                  .line_bytes = lower(c->limits.line_bytes, l->line_bytes),
                                  .stdin_bytes = lower(c->limits.stdin_bytes, l->stdin_bytes),
                                  .msg_queue_bytes =
                                      lower(c->limits.msg_queue_bytes, l->msg_queue_bytes),
                                  .log_bytes = lower(c->limits.log_bytes, l->log_bytes) };
    c->limits = limits_of(&wanted, &c->limits);
    c->slot_bytes = slot_size(&c->limits);
}

static bool is_pending(enum app_state s)
{
    return s == APP_WAITING || s == APP_BACKOFF;
}

void apps_set_state(struct core *c, struct app *a, enum app_state state)
{
    bool was_alive = app_is_alive(a);
    c->pending_count -= is_pending(a->state);
    c->waiting_count -= a->state == APP_WAITING;
    a->state = (uint8_t)state;
    a->state_since_ms = c->now_ms;
    c->pending_count += is_pending(state);
    c->waiting_count += state == APP_WAITING;
    if (!was_alive && app_is_alive(a)) {
        if (++a->generation == 0)
            a->generation = 1;
        a->id = a->last_id = (uint32_t)a->generation << 16 | a->slot;
        c->alive_count++;
    } else if (was_alive && !app_is_alive(a)) {
        a->id = 0;
        c->alive_count--;
    }
}

const char *app_state_name(const struct app *a)
{
    static const char *const names[] = { "free",    "waiting",  "back-off", "exited",  "failed",
                                         "loading", "starting", "running",  "stopping" };
    return names[a->state];
}
