#include "schema.h"

#include "base/utf8.h"

enum { WORD_MAX = 32 }; /* longer keys get no suggestion */

int schema_fail_memory(struct schema *s, const struct toml_value *v)
{
    return schema_fail_at(s, E_NOMEM, v->pos, "there is no memory left for this value");
}

uint32_t schema_line(const struct schema *s, uint32_t pos)
{
    uint32_t line, column;
    format_where(s->doc->text, pos, &line, &column);
    return line;
}

/* --- unknown keys ---------------------------------------------------------------- */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions, replacements and swaps of neighbours that lead from a to b
 * (optimal string alignment); both at most WORD_MAX long. */
static unsigned edit_distance(struct span a, struct span b)
{
    uint8_t rows[3][WORD_MAX + 1];
    uint8_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        last[j] = (uint8_t)j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = (uint8_t)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned same = a.p[i - 1] == b.p[j - 1];
            unsigned d = min3(last[j] + 1u, now[j - 1] + 1u, last[j - 1] + !same);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1u < d)
                d = before[j - 2] + 1u;
            now[j] = (uint8_t)d;
        }
        uint8_t *unused = before;
        before = last;
        last = now;
        now = unused;
    }
    return last[b.len];
}

const char *schema_nearest(const struct schema_table *t, struct span name)
{
    const char *nearest = NULL;
    unsigned best = name.len < 4 ? 2 : name.len < 8 ? 3 : 4; /* one more than is near */
    if (name.len == 0 || name.len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct span candidate = span_of_cstr(t->keys[i].name);
        unsigned d = candidate.len > WORD_MAX ? best : edit_distance(name, candidate);
        if (d < best) {
            best = d;
            nearest = t->keys[i].name;
        }
    }
    return nearest;
}

static const struct schema_key *find_key(const struct schema_table *t, struct span name)
{
    for (size_t i = 0; i < t->count; i++)
        if (span_eq_cstr(name, t->keys[i].name))
            return &t->keys[i];
    return NULL;
}

static int fail_unknown(struct schema *s, const struct toml_value *v)
{
    const char *near = schema_nearest(s->table, v->key);
    if (near)
        return schema_fail_key(s, v, "unknown key '%s' in %c\ndid you mean '%c'?", v->key,
                               s->table->name, near);
    for (size_t i = 0; i < s->tables_count; i++)
        if (find_key(s->tables[i], v->key))
            return schema_fail_key(s, v, "unknown key '%s' in %c\nit belongs in %c", v->key,
                                   s->table->name, s->tables[i]->name);
    return schema_fail_key(s, v, "unknown key '%s' in %c\ndocs/manifest.md lists the keys", v->key,
                           s->table->name);
}

/* --- tables ------------------------------------------------------------------------ */

/* "a boolean or a table" */
static const char *types_name(unsigned types)
{
    switch (types) {
    case SCHEMA_BOOLEAN | SCHEMA_TABLE: return "a boolean or a table";
    case SCHEMA_STRING: return "a string";
    case SCHEMA_INTEGER: return "an integer";
    case SCHEMA_BOOLEAN: return "a boolean";
    case SCHEMA_ARRAY: return "an array";
    case SCHEMA_TABLE: return "a table";
    default: base_assert(!"a combination that some key has"); return "";
    }
}

int schema_read_table(struct schema *s, const struct schema_table *t, const struct toml_value *v,
                      void *target)
{
    const struct schema_table *outer = s->table;
    s->table = t;
    for (const struct toml_value *item = toml_first(v); item; item = item->next) {
        const struct schema_key *key = find_key(t, item->key);
        if (!key)
            return fail_unknown(s, item);
        if (!(key->types >> item->type & 1))
            return schema_fail(s, item, "'%c' in %c is %c; it must be %c", key->name, t->name,
                               toml_type_name(item->type), types_name(key->types));
        int err = key->read(s, key, item, target);
        if (err)
            return err;
    }
    s->table = outer;
    return E_OK;
}

int schema_require(struct schema *s, const struct schema_table *t, const struct toml_value *v,
                   const char *key)
{
    if (toml_get(v, key))
        return E_OK;
    return schema_fail_key(s, v, "%c has no '%c'\nit is required", t->name, key);
}

int schema_element(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                   enum toml_type type)
{
    if (v->type == type)
        return E_OK;
    return schema_fail(s, v, "an element of '%c' in %c is %c; it must be %c", key->name,
                       s->table->name, toml_type_name(v->type), toml_type_name(type));
}

int schema_count(struct schema *s, const struct schema_key *key, const struct toml_value *v)
{
    int64_t count = v->as.items.count;
    if (count > key->max)
        return schema_fail_at(s, E_LIMIT, v->pos, "'%c' in %c has %u elements; at most %u are "
                                                  "allowed", key->name, s->table->name,
                              (uint64_t)count, (uint64_t)key->max);
    if (count < key->min)
        return schema_fail(s, v, "'%c' in %c is empty\nleave the key out, or fill it", key->name,
                           s->table->name);
    return E_OK;
}

/* --- readers ----------------------------------------------------------------------- */

static void *field(void *target, const struct schema_key *key)
{
    return (uint8_t *)target + key->offset;
}

int schema_bool(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target)
{
    base_assert(key->size == sizeof v->as.boolean);
    memcpy(field(target, key), &v->as.boolean, sizeof v->as.boolean);
    return E_OK;
}

static int check_range(struct schema *s, const struct schema_key *key, const struct toml_value *v)
{
    if (v->as.integer >= key->min && v->as.integer <= key->max)
        return E_OK;
    return schema_fail(s, v, "'%c' in %c is %d; it must be %d to %d", key->name, s->table->name,
                       v->as.integer, key->min, key->max);
}

int schema_uint(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target)
{
    int err = check_range(s, key, v);
    if (err)
        return err;
    uint8_t u8 = (uint8_t)v->as.integer;
    uint16_t u16 = (uint16_t)v->as.integer;
    uint32_t u32 = (uint32_t)v->as.integer;
    uint64_t u64 = (uint64_t)v->as.integer;
    const void *from = key->size == 1   ? (const void *)&u8
                       : key->size == 2 ? (const void *)&u16
                       : key->size == 4 ? (const void *)&u32
                                        : (const void *)&u64;
    memcpy(field(target, key), from, key->size);
    return E_OK;
}

int schema_int(struct schema *s, const struct schema_key *key, const struct toml_value *v,
               void *target)
{
    int err = check_range(s, key, v);
    int32_t value = (int32_t)v->as.integer;
    base_assert(key->size == sizeof value);
    if (!err)
        memcpy(field(target, key), &value, sizeof value);
    return err;
}

int schema_check_text(struct schema *s, const struct schema_key *key, const struct toml_value *v)
{
    struct span text = v->as.string;
    if ((int64_t)text.len > key->max || (int64_t)text.len < key->min)
        return schema_fail(s, v, "'%c' in %c has %u bytes; it must have %d to %d", key->name,
                           s->table->name, (uint64_t)text.len, key->min, key->max);
    for (struct span rest = text; rest.len;) {
        uint32_t cp;
        unsigned n = utf8_next(rest, &cp);
        if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            return schema_fail(s, v, "'%c' in %c has a control character", key->name,
                               s->table->name);
        rest = span_skip(rest, n);
    }
    return E_OK;
}

int schema_keep_text(struct schema *s, const struct toml_value *v, struct span *ret)
{
    struct span copy = arena_copy(s->keep, v->as.string);
    if (!copy.p)
        return schema_fail_memory(s, v);
    *ret = copy;
    return E_OK;
}

int schema_text(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target)
{
    int err = schema_check_text(s, key, v);
    return err ? err : schema_keep_text(s, v, field(target, key));
}

/* Every component is there and is neither "." nor "..". */
static bool is_relative(struct span path)
{
    for (;;) {
        size_t n = span_find(path, '/');
        struct span part = span_take(path, n);
        if (n == 0 || span_eq_cstr(part, ".") || span_eq_cstr(part, ".."))
            return false;
        if (n == path.len)
            return true;
        path = span_skip(path, n + 1);
    }
}

int schema_path(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target)
{
    int err = schema_check_text(s, key, v);
    if (err)
        return err;
    if (!is_relative(v->as.string) || span_find(v->as.string, '\\') < v->as.string.len)
        return schema_fail(s, v, "'%c' in %c is '%s'\n"
                                 "it must be a relative path inside the app's folder, without '..'",
                           key->name, s->table->name, v->as.string);
    return schema_keep_text(s, v, field(target, key));
}

/* "16MiB" or "16 MiB" to bytes; false when it is not of that form or overflows. */
static bool parse_bytes(struct span text, uint64_t *ret)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB" };
    uint64_t n = 0;
    size_t i = 0;
    for (; i < text.len && text.p[i] >= '0' && text.p[i] <= '9'; i++)
        if (__builtin_mul_overflow(n, 10u, &n) ||
            __builtin_add_overflow(n, (uint64_t)(text.p[i] - '0'), &n))
            return false;
    if (i == 0)
        return false;
    i += i < text.len && text.p[i] == ' ';
    for (unsigned u = 0; u < base_countof(units); u++)
        if (span_eq_cstr(span_skip(text, i), units[u]))
            return !__builtin_mul_overflow(n, 1ull << (10 * u), ret);
    return false;
}

int schema_bytes(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                 void *target)
{
    uint64_t n;
    if (!parse_bytes(v->as.string, &n))
        return schema_fail(s, v, "'%c' in %c is '%s', which is no size\n"
                                 "write it like \"64KiB\", \"16MiB\" or \"1GiB\"",
                           key->name, s->table->name, v->as.string);
    if (n < (uint64_t)key->min || n > (uint64_t)key->max || n % key->extra)
        return schema_fail(s, v, "'%c' in %c is '%s'\n"
                                 "it must be %uKiB to %uKiB in steps of %uKiB",
                           key->name, s->table->name, v->as.string, (uint64_t)key->min / 1024,
                           (uint64_t)key->max / 1024, (uint64_t)key->extra / 1024);
    memcpy(field(target, key), &n, sizeof n);
    return E_OK;
}

int schema_read_strings(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                        const struct span **ret, uint32_t *ret_count)
{
    uint32_t n = 0;
    int err = schema_count(s, key, v);
    if (err)
        return err;
    struct span *items = ARENA_ARRAY(s->keep, struct span, v->as.items.count);
    if (!items)
        return schema_fail_memory(s, v);
    for (const struct toml_value *item = toml_first(v); item; item = item->next) {
        err = schema_element(s, key, item, TOML_STRING);
        if (err)
            return err;
        if (item->as.string.len > key->extra)
            return schema_fail(s, item, "an element of '%c' in %c is longer than %u bytes",
                               key->name, s->table->name, (uint64_t)key->extra);
        if (span_find(item->as.string, 0) < item->as.string.len)
            return schema_fail(s, item, "an element of '%c' in %c has a NUL character", key->name,
                               s->table->name);
        err = schema_keep_text(s, item, &items[n++]);
        if (err)
            return err;
    }
    *ret = items;
    *ret_count = n;
    return E_OK;
}

int schema_read_word(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     const char *const *words, unsigned count, const char *all, unsigned *ret)
{
    for (unsigned i = 0; i < count; i++) {
        if (span_eq_cstr(v->as.string, words[i])) {
            *ret = i;
            return E_OK;
        }
    }
    return schema_fail(s, v, "'%c' in %c is '%s'\nit is %c", key->name, s->table->name,
                       v->as.string, all);
}
