#include "formats/boot.h"

#include "manifest_reader.h"

enum {
    AUDIT_KIB_MIN = 16,
    AUDIT_KIB_MAX = 1024 * 1024,
    GRACE_MS_MAX = 60 * 1000,
    RESTARTS_MAX = 1000,
    WINDOW_SECS_MAX = 24 * 3600,
    BACKOFF_MS_MAX = 3600 * 1000,
    NONE = UINT16_MAX,
    NAME_SLOTS = 2 * BOOT_APPS_MAX, /* a power of two */
};

struct reading {
    struct boot b;
    struct boot_app *apps;
    struct arena *scratch;
    uint16_t *names; /* NAME_SLOTS; open addressing: index of an app, or NONE */
};

/* --- names ------------------------------------------------------------------------ */

static uint32_t hash_name(struct span name)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.p[i]) * 16777619u;
    return h;
}

/* The slot where a name is, or would be put. */
static uint16_t *name_slot(const struct reading *r, struct span name)
{
    uint32_t i = hash_name(name) % NAME_SLOTS;
    while (r->names[i] != NONE && !span_eq(r->apps[r->names[i]].name, name))
        i = (i + 1) % NAME_SLOTS;
    return &r->names[i];
}

static int read_app_name(struct schema *s, const struct schema_key *key,
                         const struct toml_value *v, void *target)
{
    struct boot_app *app = target;
    if (!manifest_name_valid(v->as.string))
        return schema_fail(s, v, "'%s' is no name for an app\na name has 1 to 32 of a-z, 0-9 and "
                                 "'-' (inside)", v->as.string);
    return schema_keep_text(s, v, &app->name);
}

/* --- [[app]] ------------------------------------------------------------------------ */

static int read_restart(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                        void *target)
{
    static const char *const words[] = { "never", "on-failure", "always" };
    unsigned i = 0;
    int err = schema_read_word(s, key, v, words, base_countof(words),
                               "\"never\", \"on-failure\" or \"always\"", &i);
    if (!err)
        ((struct boot_app *)target)->restart = (enum boot_restart)i;
    return err;
}

/* Names become indices once every app is known. */
static int read_after(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                      void *target)
{
    int err = schema_count(s, key, v);
    for (const struct toml_value *item = toml_first(v); item && !err; item = item->next)
        err = schema_element(s, key, item, TOML_STRING);
    return err;
}

#define APP_FIELD(member) SCHEMA_FIELD(struct boot_app, member)
static const struct schema_key app_keys[] = {
    { "name", SCHEMA_STRING, read_app_name, 0, 0, 0, 0, 0 },
    { "start", SCHEMA_BOOLEAN, schema_bool, APP_FIELD(start), 0, 0, 0 },
    { "restart", SCHEMA_STRING, read_restart, 0, 0, 0, 0, 0 },
    { "max_restarts", SCHEMA_INTEGER, schema_uint, APP_FIELD(max_restarts), 0, RESTARTS_MAX, 0 },
    { "window_secs", SCHEMA_INTEGER, schema_uint, APP_FIELD(window_secs), 1, WINDOW_SECS_MAX, 0 },
    { "backoff_ms", SCHEMA_INTEGER, schema_uint, APP_FIELD(backoff_ms), 0, BACKOFF_MS_MAX, 0 },
    { "backoff_max_ms", SCHEMA_INTEGER, schema_uint, APP_FIELD(backoff_max_ms), 0, BACKOFF_MS_MAX,
      0 },
    { "after", SCHEMA_ARRAY, read_after, 0, 0, 0, BOOT_AFTER_MAX, 0 },
};
static const struct schema_table app_table = { "[[app]]", app_keys, base_countof(app_keys) };

struct boot_app boot_app_default(struct span name)
{
    return (struct boot_app){
        .name = name,
        .start = true,
        .restart = BOOT_RESTART_NEVER,
        .max_restarts = 5,
        .window_secs = 60,
        .backoff_ms = 100,
        .backoff_max_ms = 30000,
    };
}

static int read_app(struct schema *s, struct reading *r, const struct toml_value *v, uint32_t i)
{
    struct boot_app *app = &r->apps[i];
    *app = boot_app_default(SPAN_NONE);
    app->restart = BOOT_RESTART_ON_FAILURE;
    app->line = schema_line(s, v->pos);
    int err = schema_read_table(s, &app_table, v, app);
    if (!err)
        err = schema_require(s, &app_table, v, "name");
    if (err)
        return err;
    const struct toml_value *first = toml_get(v, "backoff_ms");
    if (app->backoff_ms > app->backoff_max_ms)
        return schema_fail(s, first ? first : v, "'backoff_ms' is larger than 'backoff_max_ms', "
                                                 "which is %u", (uint64_t)app->backoff_max_ms);
    uint16_t *slot = name_slot(r, app->name);
    if (*slot != NONE)
        return schema_fail(s, toml_get(v, "name"), "app '%s' is listed twice\nfirst on line %u",
                           app->name, (uint64_t)r->apps[*slot].line);
    *slot = (uint16_t)i;
    return E_OK;
}

static int read_apps(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     void *target)
{
    struct reading *r = target;
    uint32_t i = 0;
    int err = schema_count(s, key, v);
    if (err)
        return err;
    r->apps = ARENA_ARRAY(r->scratch, struct boot_app, v->as.items.count);
    r->names = ARENA_ARRAY(r->scratch, uint16_t, NAME_SLOTS);
    if (!r->apps || !r->names)
        return schema_fail_memory(s, v);
    memset(r->names, 0xff, NAME_SLOTS * sizeof r->names[0]);
    for (const struct toml_value *item = toml_first(v); item; item = item->next) {
        err = schema_element(s, key, item, TOML_TABLE);
        if (!err)
            err = read_app(s, r, item, i++);
        if (err)
            return err;
    }
    r->b.apps_count = i;
    return E_OK;
}

/* --- the order -------------------------------------------------------------------------- */

/* The graph of `after`, Kahn's way: who waits for an app is a list of edges. */
struct order {
    uint32_t *waiting;  /* of each app: how many before it are not placed yet */
    uint32_t *head;     /* of each app: its first edge + 1 */
    uint32_t *next;     /* of each edge */
    uint32_t *waiter;   /* of each edge */
    uint32_t edges;
    uint32_t *placed;   /* indices in the new order */
    uint32_t *position; /* where in it each app is */
};

static bool order_alloc(struct arena *a, uint32_t apps, struct order *o)
{
    o->waiting = ARENA_ARRAY(a, uint32_t, apps);
    o->head = ARENA_ARRAY(a, uint32_t, apps);
    o->placed = ARENA_ARRAY(a, uint32_t, apps);
    o->position = ARENA_ARRAY(a, uint32_t, apps);
    o->next = ARENA_ARRAY(a, uint32_t, (size_t)apps * BOOT_AFTER_MAX);
    o->waiter = ARENA_ARRAY(a, uint32_t, (size_t)apps * BOOT_AFTER_MAX);
    o->edges = 0;
    return o->waiting && o->head && o->placed && o->position && o->next && o->waiter;
}

/* The edges of app i from the names in its `after`, which become indices in scratch. */
static int link_app(struct schema *s, struct reading *r, struct order *o,
                    const struct toml_value *table, uint32_t i)
{
    const struct toml_value *after = toml_get(table, "after");
    uint32_t n = 0;
    if (!after || after->as.items.count == 0)
        return E_OK;
    uint32_t *list = ARENA_ARRAY(s->keep, uint32_t, after->as.items.count);
    if (!list)
        return schema_fail_memory(s, after);
    for (const struct toml_value *item = toml_first(after); item; item = item->next) {
        uint16_t before = *name_slot(r, item->as.string);
        if (before == NONE)
            return schema_fail(s, item, "'after' of '%s' names '%s', which is no [[app]] here",
                               r->apps[i].name, item->as.string);
        list[n++] = before;
        o->next[o->edges] = o->head[before];
        o->waiter[o->edges] = i;
        o->head[before] = ++o->edges;
        o->waiting[i]++;
    }
    r->apps[i].after = list;
    r->apps[i].after_count = n;
    return E_OK;
}

/* Places what waits for nothing, then what that sets free. Returns how many. */
static uint32_t place(struct order *o, uint32_t apps)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < apps; i++)
        if (o->waiting[i] == 0)
            o->placed[count++] = i;
    for (uint32_t done = 0; done < count; done++) {
        o->position[o->placed[done]] = done;
        for (uint32_t e = o->head[o->placed[done]]; e; e = o->next[e - 1])
            if (--o->waiting[o->waiter[e - 1]] == 0)
                o->placed[count++] = o->waiter[e - 1];
    }
    return count;
}

/* From any app that could not be placed, going back along what it waits for leads into the
 * circle within as many steps as there are apps. */
static int fail_circle(struct schema *s, const struct reading *r, const struct order *o,
                       const struct toml_value *list)
{
    uint32_t i = 0;
    while (o->waiting[i] == 0)
        i++;
    for (uint32_t steps = 0; steps < r->b.apps_count; steps++) {
        uint32_t k = 0;
        while (o->waiting[r->apps[i].after[k]] == 0)
            k++;
        i = r->apps[i].after[k];
    }
    const struct toml_value *item = toml_first(list);
    for (uint32_t n = 0; n < i; n++)
        item = item->next;
    return schema_fail(s, toml_get(item, "after"), "'%s' would have to start before itself\n"
                                                   "the 'after' lists make a circle",
                       r->apps[i].name);
}

/* Puts the apps into keep in their order, with `after` as positions there. */
static int keep_apps(struct schema *s, struct reading *r, const struct order *o)
{
    struct boot_app *apps = ARENA_ARRAY(s->keep, struct boot_app, r->b.apps_count);
    if (!apps)
        return schema_fail_memory(s, s->doc->root);
    for (uint32_t at = 0; at < r->b.apps_count; at++) {
        apps[at] = r->apps[o->placed[at]];
        uint32_t *after = (uint32_t *)apps[at].after; /* the arena's, and still ours alone */
        for (uint32_t k = 0; k < apps[at].after_count; k++)
            after[k] = o->position[after[k]];
    }
    r->b.apps = apps;
    return E_OK;
}

static int order_apps(struct schema *s, struct reading *r)
{
    struct order o;
    const struct toml_value *list = toml_get(s->doc->root, "app");
    uint32_t i = 0;
    int err = E_OK;
    if (!order_alloc(r->scratch, r->b.apps_count, &o))
        return schema_fail_memory(s, s->doc->root);
    for (const struct toml_value *item = toml_first(list); item && !err; item = item->next)
        err = link_app(s, r, &o, item, i++);
    if (err)
        return err;
    if (place(&o, r->b.apps_count) < r->b.apps_count)
        return fail_circle(s, r, &o, list);
    return keep_apps(s, r, &o);
}

/* --- [system], [limits], [defaults] --------------------------------------------------------- */

static int read_hostname(struct schema *s, const struct schema_key *key,
                         const struct toml_value *v, void *target)
{
    struct reading *r = target;
    if (!manifest_name_valid(v->as.string))
        return schema_fail(s, v, "'%c' in %c is '%s'\nit has 1 to 32 of a-z, 0-9 and '-' (inside)",
                           key->name, s->table->name, v->as.string);
    return schema_keep_text(s, v, &r->b.hostname);
}

static int read_log_level(struct schema *s, const struct schema_key *key,
                          const struct toml_value *v, void *target)
{
    static const char *const words[] = { "error", "warn", "info", "debug" };
    unsigned i = 0;
    int err = schema_read_word(s, key, v, words, base_countof(words),
                               "\"error\", \"warn\", \"info\" or \"debug\"", &i);
    if (!err)
        ((struct reading *)target)->b.log_level = (enum log_level)i;
    return err;
}

static int read_focus(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                      void *target)
{
    struct reading *r = target;
    return schema_keep_text(s, v, &r->b.focus);
}

#define BOOT_FIELD(member) SCHEMA_FIELD(struct reading, b.member)
static const struct schema_key system_keys[] = {
    { "hostname", SCHEMA_STRING, read_hostname, 0, 0, 0, 0, 0 },
    { "log_level", SCHEMA_STRING, read_log_level, 0, 0, 0, 0, 0 },
    { "focus", SCHEMA_STRING, read_focus, 0, 0, 0, 0, 0 },
    { "audit_max_kib", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(audit_max_kib), AUDIT_KIB_MIN,
      AUDIT_KIB_MAX, 0 },
    { "stop_grace_ms", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(stop_grace_ms), 0, GRACE_MS_MAX, 0 },
};
static const struct schema_table system_table = { "[system]", system_keys,
                                                  base_countof(system_keys) };

static const struct schema_key limits_keys[] = {
    { "apps", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(limits.apps), 1, BOOT_APPS_MAX, 0 },
    { "line_bytes", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(limits.line_bytes), 256,
      BOOT_LINE_BYTES_MAX, 0 },
    { "stdin_bytes", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(limits.stdin_bytes), 4096,
      BOOT_STDIN_BYTES_MAX, 0 },
    { "msg_queue_bytes", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(limits.msg_queue_bytes), 1024,
      BOOT_MSG_QUEUE_BYTES_MAX, 0 },
    { "log_bytes", SCHEMA_INTEGER, schema_uint, BOOT_FIELD(limits.log_bytes), 1024,
      BOOT_LOG_BYTES_MAX, 0 },
};
static const struct schema_table limits_table = { "[limits]", limits_keys,
                                                  base_countof(limits_keys) };

static const struct schema_table defaults_table = { "[defaults]", manifest_limits_keys,
                                                    MANIFEST_LIMITS_KEYS };

static int read_plain_table(struct schema *s, const struct schema_key *key,
                            const struct toml_value *v, void *target)
{
    static const struct schema_table *const tables[] = { &system_table, &limits_table };
    return schema_read_table(s, tables[key->extra], v, target);
}

static int read_defaults(struct schema *s, const struct schema_key *key,
                         const struct toml_value *v, void *target)
{
    return schema_read_table(s, &defaults_table, v, &((struct reading *)target)->b.defaults);
}

static const struct schema_key root_keys[] = {
    { "system", SCHEMA_TABLE, read_plain_table, 0, 0, 0, 0, 0 },
    { "limits", SCHEMA_TABLE, read_plain_table, 0, 0, 0, 0, 1 },
    { "defaults", SCHEMA_TABLE, read_defaults, 0, 0, 0, 0, 0 },
    { "app", SCHEMA_ARRAY, read_apps, 0, 0, 0, BOOT_APPS_MAX, 0 },
};
static const struct schema_table root_table = { "boot.toml", root_keys, base_countof(root_keys) };
static const struct schema_table *const all_tables[] = {
    &app_table, &system_table, &limits_table, &defaults_table, &root_table,
};

/* --- the whole --------------------------------------------------------------------------------- */

static int check_focus(struct schema *s, const struct reading *r)
{
    const struct toml_value *focus = toml_get(toml_get(s->doc->root, "system"), "focus");
    if (!focus || (r->names && *name_slot(r, r->b.focus) != NONE))
        return E_OK;
    return schema_fail(s, focus, "'focus' names '%s', which is no [[app]] here", r->b.focus);
}

static int read_boot(struct schema *s, struct reading *r)
{
    r->b.log_level = LOG_INFO;
    r->b.audit_max_kib = 1024;
    r->b.stop_grace_ms = 2000;
    r->b.hostname = arena_copy(s->keep, SPAN_LIT("vyoma"));
    if (!r->b.hostname.p)
        return schema_fail_memory(s, s->doc->root);
    int err = schema_read_table(s, &root_table, s->doc->root, r);
    if (!err)
        err = check_focus(s, r);
    return err ? err : order_apps(s, r);
}

int boot_parse(struct span text, struct arena *scratch, struct arena *keep, struct boot *ret,
               struct format_error *err)
{
    struct toml_doc doc;
    struct reading r;
    struct schema s = { .doc = &doc, .keep = keep, .err = err, .tables = all_tables,
                        .tables_count = base_countof(all_tables) };
    size_t scratch_mark = arena_mark(scratch), keep_mark = arena_mark(keep);
    if (text.len > BOOT_TEXT_MAX)
        return format_error_fail(err, E_LIMIT, 0, 0, "the text is longer than %u bytes",
                                 (uint64_t)BOOT_TEXT_MAX);
    memset(&r, 0, sizeof r);
    r.scratch = scratch;
    int status = toml_parse(text, 0, scratch, &doc, err);
    if (!status)
        status = read_boot(&s, &r);
    arena_release(scratch, scratch_mark);
    if (status) {
        arena_release(keep, keep_mark);
        return status == E_RANGE ? E_MALFORMED : status;
    }
    *ret = r.b;
    return E_OK;
}
