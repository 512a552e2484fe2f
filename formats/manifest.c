/* The tables of vyoma.toml other than [capabilities], and the whole. */
#include "formats/manifest.h"

#include "manifest_reader.h"

enum {
    WATCHDOG_SECS_MAX = 3600,
    COORDINATE_MAX = 32767,
    WINDOW_SIZE_MAX = 16384,
    LAYER_MAX = 65535,
    MESSAGES_MAX = 1000 * 1000, /* a second */
    OPEN_FILES_MAX = 1024,
    PAGE_BYTES = 64 * 1024, /* of WebAssembly's memory */
    ENV_NAME_MAX = 64,
};
static const int64_t memory_max = 4ll << 30, data_max = 1ll << 40;

bool manifest_name_valid(struct span name)
{
    if (name.len == 0 || name.len > MANIFEST_NAME_MAX || name.p[0] == '-' ||
        name.p[name.len - 1] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.p[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return !span_eq_cstr(name, "supervisor") && !span_eq_cstr(name, "broadcast") &&
           !span_eq_cstr(name, "reply");
}

/* --- [app] ------------------------------------------------------------------------ */

static struct manifest *manifest_of(void *target)
{
    return &((struct manifest_reading *)target)->m;
}

static int read_name(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     void *target)
{
    if (!manifest_name_valid(v->as.string))
        return schema_fail(s, v, "'%s' is no name for an app\na name has 1 to 32 of a-z, 0-9 and "
                                 "'-' (inside); supervisor, broadcast and reply are taken",
                           v->as.string);
    return schema_keep_text(s, v, &manifest_of(target)->name);
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int read_sha256(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                       void *target)
{
    struct manifest *m = manifest_of(target);
    struct span hex = v->as.string;
    bool good = hex.len == 2 * sizeof m->wasm_sha256;
    for (size_t i = 0; good && i < sizeof m->wasm_sha256; i++) {
        int hi = hex_value(hex.p[2 * i]), lo = hex_value(hex.p[2 * i + 1]);
        good = hi >= 0 && lo >= 0;
        m->wasm_sha256[i] = good ? (uint8_t)(hi << 4 | lo) : 0;
    }
    if (!good)
        return schema_fail(s, v, "'%c' in %c is no SHA-256\nit has 64 hex digits; `vyoma hash` "
                                 "prints them", key->name, s->table->name);
    m->has_wasm_sha256 = true;
    return E_OK;
}

static int read_engine(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                       void *target)
{
    struct manifest *m = manifest_of(target);
    m->own_engine = span_eq_cstr(v->as.string, "vyoma");
    if (!m->own_engine && !span_eq_cstr(v->as.string, "host"))
        return schema_fail(s, v, "'%c' in %c is neither \"host\" nor \"vyoma\"", key->name,
                           s->table->name);
    return E_OK;
}

static int read_lines(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                      void *target)
{
    struct manifest_reading *r = target;
    r->lines_said = true;
    r->m.power_line[MANIFEST_POWER_LINES] = schema_line(s, v->key_pos);
    return schema_bool(s, key, v, target);
}

static int read_manifest_version(struct schema *s, const struct schema_key *key,
                                 const struct toml_value *v, void *target)
{
    struct manifest_reading *r = target;
    if (r->version_said)
        return schema_fail_key(s, v, "'%c' is given twice, in [app] and at the top", key->name);
    if (v->as.integer > MANIFEST_VERSION_NOW)
        return schema_fail(s, v, "'%c' is %d\nthis system knows versions up to %d", key->name,
                           v->as.integer, (int64_t)MANIFEST_VERSION_NOW);
    r->version_said = true;
    return schema_uint(s, key, v, target);
}

int manifest_read_watchdog(struct schema *s, const struct schema_key *key,
                           const struct toml_value *v, void *target)
{
    struct manifest_reading *r = target;
    struct schema_key whole = { key->name, SCHEMA_INTEGER, NULL, MANIFEST_FIELD(watchdog_secs), 0,
                                WATCHDOG_SECS_MAX, 0 };
    if (r->watchdog_said)
        return schema_fail_key(s, v, "'%c' is given twice, in [app] and in [capabilities]",
                               key->name);
    r->watchdog_said = true;
    return schema_uint(s, &whole, v, target);
}

static int read_args(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     void *target)
{
    struct manifest *m = manifest_of(target);
    return schema_read_strings(s, key, v, &m->args, &m->args_count);
}

static const struct schema_key app_keys[] = {
    { "name", SCHEMA_STRING, read_name, 0, 0, 0, 0, 0 },
    { "version", SCHEMA_STRING, schema_text, MANIFEST_FIELD(version), 1,
      MANIFEST_TEXT_FIELD_MAX, 0 },
    { "description", SCHEMA_STRING, schema_text, MANIFEST_FIELD(description), 0,
      MANIFEST_TEXT_FIELD_MAX, 0 },
    { "wasm", SCHEMA_STRING, schema_path, MANIFEST_FIELD(wasm), 1, MANIFEST_PATH_MAX, 0 },
    { "icon", SCHEMA_STRING, schema_path, MANIFEST_FIELD(icon), 1, MANIFEST_PATH_MAX, 0 },
    { "wasm_sha256", SCHEMA_STRING, read_sha256, 0, 0, 0, 0, 0 },
    { "engine", SCHEMA_STRING, read_engine, 0, 0, 0, 0, 0 },
    { "manifest_version", SCHEMA_INTEGER, read_manifest_version,
      MANIFEST_FIELD(manifest_version), 1, MANIFEST_VERSION_NOW, 0 },
    { "lines", SCHEMA_BOOLEAN, read_lines, MANIFEST_FIELD(lines), 0, 0, 0 },
    { "watchdog_secs", SCHEMA_INTEGER, manifest_read_watchdog, 0, 0, 0, 0, 0 },
    { "args", SCHEMA_ARRAY, read_args, 0, 0, 0, MANIFEST_ARGS_MAX, MANIFEST_ARG_BYTES_MAX },
};
static const struct schema_table app_table = { "[app]", app_keys, base_countof(app_keys) };

/* --- [window], [[menu_items]] -------------------------------------------------------- */

static const struct schema_key window_keys[] = {
    { "x", SCHEMA_INTEGER, schema_int, MANIFEST_FIELD(window.x), -COORDINATE_MAX, COORDINATE_MAX,
      0 },
    { "y", SCHEMA_INTEGER, schema_int, MANIFEST_FIELD(window.y), -COORDINATE_MAX, COORDINATE_MAX,
      0 },
    { "w", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(window.w), 0, WINDOW_SIZE_MAX, 0 },
    { "h", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(window.h), 0, WINDOW_SIZE_MAX, 0 },
    /* Older manifests have these names too. */
    { "width", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(window.w), 0, WINDOW_SIZE_MAX, 0 },
    { "height", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(window.h), 0, WINDOW_SIZE_MAX, 0 },
    { "z", SCHEMA_INTEGER, schema_int, MANIFEST_FIELD(window.z), 0, LAYER_MAX, 0 },
    { "title", SCHEMA_STRING, schema_text, MANIFEST_FIELD(window.title), 0,
      MANIFEST_TEXT_FIELD_MAX, 0 },
};
static const struct schema_table window_table = { "[window]", window_keys,
                                                  base_countof(window_keys) };

#define MENU_FIELD(member) SCHEMA_FIELD(struct manifest_menu_item, member)
static const struct schema_key menu_keys[] = {
    { "menu", SCHEMA_STRING, schema_text, MENU_FIELD(menu), 0, MANIFEST_TEXT_FIELD_MAX, 0 },
    { "label", SCHEMA_STRING, schema_text, MENU_FIELD(label), 1, MANIFEST_TEXT_FIELD_MAX, 0 },
    { "shortcut", SCHEMA_STRING, schema_text, MENU_FIELD(shortcut), 0, MANIFEST_TEXT_FIELD_MAX, 0 },
    { "command", SCHEMA_STRING, schema_text, MENU_FIELD(command), 1, MANIFEST_TEXT_FIELD_MAX, 0 },
};
static const struct schema_table menu_table = { "[[menu_items]]", menu_keys,
                                                base_countof(menu_keys) };

static int read_menu(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     void *target)
{
    struct manifest *m = manifest_of(target);
    uint32_t n = 0;
    int err = schema_count(s, key, v);
    if (err)
        return err;
    struct manifest_menu_item *items =
        ARENA_ARRAY(s->keep, struct manifest_menu_item, v->as.items.count);
    if (!items)
        return schema_fail_memory(s, v);
    for (const struct toml_value *item = toml_first(v); item; item = item->next, n++) {
        err = schema_element(s, key, item, TOML_TABLE);
        if (!err)
            err = schema_read_table(s, &menu_table, item, &items[n]);
        if (!err)
            err = schema_require(s, &menu_table, item, "label");
        if (err)
            return err;
        if (items[n].command.len == 0)
            items[n].command = items[n].label;
    }
    m->menu = items;
    m->menu_count = n;
    return E_OK;
}

/* --- [limits], [env] --------------------------------------------------------------------- */

static int read_bytes(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                      void *target)
{
    struct schema_key bounded = *key;
    bounded.min = PAGE_BYTES;
    bounded.max = span_eq_cstr(span_of_cstr(key->name), "memory") ? memory_max : data_max;
    bounded.extra = PAGE_BYTES;
    return schema_bytes(s, &bounded, v, target);
}

#define LIMITS_FIELD(member) SCHEMA_FIELD(struct manifest_limits, member)
const struct schema_key manifest_limits_keys[MANIFEST_LIMITS_KEYS] = {
    { "memory", SCHEMA_STRING, read_bytes, LIMITS_FIELD(memory_bytes), 0, 0, 0 },
    { "data", SCHEMA_STRING, read_bytes, LIMITS_FIELD(data_bytes), 0, 0, 0 },
    { "cpu_percent", SCHEMA_INTEGER, schema_uint, LIMITS_FIELD(cpu_percent), 1, 100, 0 },
    { "messages_per_sec", SCHEMA_INTEGER, schema_uint, LIMITS_FIELD(messages_per_sec), 1,
      MESSAGES_MAX, 0 },
    { "open_files", SCHEMA_INTEGER, schema_uint, LIMITS_FIELD(open_files), 1, OPEN_FILES_MAX, 0 },
};
static const struct schema_table limits_table = { "[limits]", manifest_limits_keys,
                                                  MANIFEST_LIMITS_KEYS };

static bool is_env_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.len > 0 && name.len <= ENV_NAME_MAX;
}

static int read_env_entry(struct schema *s, const struct toml_value *v, struct manifest_env *ret)
{
    if (!is_env_name(v->key))
        return schema_fail_key(s, v, "'%s' in [env] is no variable's name\n"
                                     "it has letters, digits and '_'", v->key);
    if (v->type != TOML_STRING)
        return schema_fail(s, v, "'%s' in [env] is %c; it must be a string", v->key,
                           toml_type_name(v->type));
    if (v->as.string.len > MANIFEST_ARG_BYTES_MAX ||
        span_find(v->as.string, 0) < v->as.string.len)
        return schema_fail(s, v, "'%s' in [env] is longer than %u bytes or has a NUL character",
                           v->key, (uint64_t)MANIFEST_ARG_BYTES_MAX);
    ret->name = arena_copy(s->keep, v->key);
    return ret->name.p ? schema_keep_text(s, v, &ret->value) : schema_fail_memory(s, v);
}

static int read_env(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                    void *target)
{
    struct manifest *m = manifest_of(target);
    uint32_t n = 0;
    int err = schema_count(s, key, v);
    if (err)
        return err;
    struct manifest_env *list = ARENA_ARRAY(s->keep, struct manifest_env, v->as.items.count);
    if (!list)
        return schema_fail_memory(s, v);
    for (const struct toml_value *item = toml_first(v); item && !err; item = item->next)
        err = read_env_entry(s, item, &list[n++]);
    m->env = list;
    m->env_count = n;
    return err;
}

/* --- the whole ------------------------------------------------------------------------------ */

static int read_app(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                    void *target)
{
    manifest_of(target)->app_line = schema_line(s, v->key_pos);
    return schema_read_table(s, &app_table, v, target);
}

static int read_capabilities(struct schema *s, const struct schema_key *key,
                             const struct toml_value *v, void *target)
{
    manifest_of(target)->capabilities_line = schema_line(s, v->key_pos);
    return schema_read_table(s, &manifest_caps_table, v, target);
}

static int read_window(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                       void *target)
{
    manifest_of(target)->window.present = true;
    return schema_read_table(s, &window_table, v, target);
}

static int read_limits(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                       void *target)
{
    return schema_read_table(s, &limits_table, v, &manifest_of(target)->limits);
}

static const struct schema_key root_keys[] = {
    { "manifest_version", SCHEMA_INTEGER, read_manifest_version,
      MANIFEST_FIELD(manifest_version), 1, MANIFEST_VERSION_NOW, 0 },
    { "app", SCHEMA_TABLE, read_app, 0, 0, 0, 0, 0 },
    { "capabilities", SCHEMA_TABLE, read_capabilities, 0, 0, 0, 0, 0 },
    { "window", SCHEMA_TABLE, read_window, 0, 0, 0, 0, 0 },
    { "menu_items", SCHEMA_ARRAY, read_menu, 0, 0, 0, MANIFEST_MENU_MAX, 0 },
    { "limits", SCHEMA_TABLE, read_limits, 0, 0, 0, 0, 0 },
    { "env", SCHEMA_TABLE, read_env, 0, 0, 0, MANIFEST_ENV_MAX, 0 },
};
static const struct schema_table root_table = { "the manifest", root_keys,
                                                base_countof(root_keys) };

/* In the order in which hints look for a misplaced key. */
static const struct schema_table *const all_tables[] = {
    &app_table, &manifest_caps_table, &manifest_network_table, &limits_table, &window_table,
    &menu_table, &manifest_gpio_table, &manifest_i2c_table, &manifest_spi_table,
    &manifest_uart_table, &manifest_adc_table, &manifest_ipc_table, &root_table,
};

static int read_manifest(struct schema *s, struct manifest_reading *r)
{
    const struct toml_value *root = s->doc->root;
    r->m.gpio.direction = MANIFEST_INPUT;
    r->m.uart.baud = 115200;
    int err = schema_read_table(s, &root_table, root, r);
    const struct toml_value *app = toml_get(root, "app");
    if (!err && !app)
        return format_error_fail(s->err, E_MALFORMED, 1, 1, "the manifest has no [app] table\n"
                                                            "it names the app and its module");
    static const char *const required[] = { "name", "version", "wasm" };
    for (size_t i = 0; i < base_countof(required) && !err; i++)
        err = schema_require(s, &app_table, app, required[i]);
    return err ? err : manifest_caps_finish(s, r);
}

int manifest_parse(struct span text, struct arena *scratch, struct arena *keep,
                   struct manifest *ret, struct format_error *err)
{
    struct toml_doc doc;
    struct manifest_reading r;
    struct schema s = { .doc = &doc, .keep = keep, .err = err, .tables = all_tables,
                        .tables_count = base_countof(all_tables) };
    size_t scratch_mark = arena_mark(scratch), keep_mark = arena_mark(keep);
    if (text.len > MANIFEST_TEXT_MAX)
        return format_error_fail(err, E_LIMIT, 0, 0, "the manifest is longer than %u bytes",
                                 (uint64_t)MANIFEST_TEXT_MAX);
    memset(&r, 0, sizeof r);
    int status = toml_parse(text, TOML_REFINE, scratch, &doc, err);
    if (!status)
        status = read_manifest(&s, &r);
    arena_release(scratch, scratch_mark);
    if (status) {
        arena_release(keep, keep_mark);
        return status == E_RANGE ? E_MALFORMED : status;
    }
    *ret = r.m;
    return E_OK;
}
