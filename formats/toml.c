/* The document: lines, keys, headers, and the rules of who may define which table.
 * Values are read in toml_value.c. */
#include "formats/toml.h"

#include "base/utf8.h"
#include "toml_parser.h"

const char *toml_type_name(enum toml_type type)
{
    static const char *const names[] = {
        "a string", "an integer", "a float", "a boolean", "a date and time",
        "a local date and time", "a local date", "a local time", "an array", "a table",
    };
    return names[type];
}

static struct toml_value *find(const struct toml_value *table, struct span key)
{
    for (struct toml_value *v = table->as.items.first; v; v = v->next)
        if (span_eq(v->key, key))
            return v;
    return NULL;
}

const struct toml_value *toml_get(const struct toml_value *table, const char *key)
{
    return table && table->type == TOML_TABLE ? find(table, span_of_cstr(key)) : NULL;
}

/* One pass before parsing, so that no later code needs to think of it: UTF-8
 * throughout; of the control characters only tab, LF and CR LF, in comments and strings
 * as elsewhere. */
static int check_characters(struct toml_parser *p)
{
    for (size_t i = 0; i < p->text.len;) {
        uint32_t cp;
        unsigned n = utf8_next(span_skip(p->text, i), &cp);
        if (n == 0)
            return TOML_FAIL(p, i, "the text is not UTF-8 here");
        if (cp == '\r' && (i + 1 >= p->text.len || p->text.p[i + 1] != '\n'))
            return TOML_FAIL(p, i, "a carriage return without a line feed");
        if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0x7f)
            return TOML_FAIL(p, i, "control character %u is not allowed\n"
                                   "in a \"string\", write it as \\u and four hex digits",
                             (uint64_t)cp);
        i += n;
    }
    return E_OK;
}

void toml_skip_blanks(struct toml_parser *p)
{
    while (toml_peek(p, 0) == ' ' || toml_peek(p, 0) == '\t')
        p->pos++;
}

/* --- the tree ---------------------------------------------------------------- */

int toml_add_child(struct toml_parser *p, struct toml_value *parent, struct span key, size_t pos,
                   struct toml_value **ret)
{
    if (parent->type == TOML_TABLE && parent->as.items.count >= TOML_TABLE_KEYS_MAX)
        return TOML_FAIL_AS(p, E_LIMIT, pos, "more than %u keys in one table",
                            (uint64_t)TOML_TABLE_KEYS_MAX);
    struct toml_value *v = ARENA_NEW(p->arena, struct toml_value);
    if (!v)
        return TOML_FAIL_AS(p, E_NOMEM, pos, "the text has too many values");
    v->key = key;
    v->pos = v->key_pos = (uint32_t)pos;
    if (parent->as.items.last)
        parent->as.items.last->next = v;
    else
        parent->as.items.first = v;
    parent->as.items.last = v;
    parent->as.items.count++;
    *ret = v;
    return E_OK;
}

static int add_table(struct toml_parser *p, struct toml_value *parent, const struct toml_key *key,
                     enum toml_origin origin, struct toml_value **ret)
{
    struct toml_value *v;
    int err = toml_add_child(p, parent, key->name, key->pos, &v);
    if (err)
        return err;
    v->type = TOML_TABLE;
    v->origin = (uint8_t)origin;
    v->as.items.section = p->section;
    *ret = v;
    return E_OK;
}

static int fail_twice(struct toml_parser *p, const struct toml_key *key,
                      const struct toml_value *first)
{
    return TOML_FAIL(p, key->pos, "%c '%s' is defined twice\nfirst defined on line %u",
                     first->type == TOML_TABLE ? "table" : "key", key->name,
                     toml_line_of(p, first->key_pos));
}

static int fail_closed(struct toml_parser *p, const struct toml_key *key,
                       const struct toml_value *v)
{
    uint64_t line = toml_line_of(p, v->key_pos);
    if (v->type != TOML_TABLE && v->type != TOML_ARRAY)
        return TOML_FAIL(p, key->pos, "'%s' is %c, not a table\ndefined on line %u", key->name,
                         toml_type_name(v->type), line);
    if (v->origin == TOML_ORIGIN_INLINE)
        return TOML_FAIL(p, key->pos, "the inline table '%s' cannot be added to\n"
                                      "it is closed at its '}' on line %u", key->name, line);
    if (v->type == TOML_ARRAY && v->origin == TOML_ORIGIN_VALUE)
        return TOML_FAIL(p, key->pos, "the array '%s' cannot be added to\n"
                                      "it is closed at its ']'; defined on line %u", key->name, line);
    return TOML_FAIL(p, key->pos, "a dotted key cannot add to '%s'\n"
                                  "it has a header of its own on line %u", key->name, line);
}

/* One step of a dotted key: into a table that this section's dotted keys make. */
static int step_dotted(struct toml_parser *p, struct toml_value **table,
                       const struct toml_key *key)
{
    struct toml_value *v = find(*table, key->name);
    if (!v)
        return add_table(p, *table, key, TOML_ORIGIN_DOTTED, table);
    bool open = v->type == TOML_TABLE &&
                (v->origin == TOML_ORIGIN_IMPLICIT ||
                 (v->origin == TOML_ORIGIN_DOTTED && v->as.items.section == p->section));
    if (!open)
        return fail_closed(p, key, v);
    v->origin = TOML_ORIGIN_DOTTED;
    v->as.items.section = p->section;
    *table = v;
    return E_OK;
}

int toml_add_key(struct toml_parser *p, struct toml_value *table, const struct toml_path *path,
                 struct toml_value **ret)
{
    const struct toml_key *last = &path->parts[path->count - 1];
    for (unsigned i = 0; i + 1 < path->count; i++) {
        int err = step_dotted(p, &table, &path->parts[i]);
        if (err)
            return err;
    }
    struct toml_value *before = find(table, last->name);
    if (before)
        return fail_twice(p, last, before);
    return toml_add_child(p, table, last->name, last->pos, ret);
}

/* --- keys --------------------------------------------------------------------- */

static bool is_bare(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || toml_is_digit(c) || c == '_' ||
           c == '-';
}

static int read_key(struct toml_parser *p, struct toml_key *ret)
{
    size_t start = p->pos;
    ret->pos = (uint32_t)start;
    uint8_t c = toml_peek(p, 0);
    if (c == '"' || c == '\'')
        return toml_read_string(p, false, &ret->name);
    while (is_bare(toml_peek(p, 0)))
        p->pos++;
    ret->name = span_of(p->text.p + start, p->pos - start);
    if (ret->name.len)
        return E_OK;
    if (c >= 0x80)
        return TOML_FAIL(p, start, "a bare key has only letters, digits, '_' and '-'\n"
                                   "put it in quotes");
    return TOML_FAIL(p, start, "a key is expected here");
}

int toml_read_path(struct toml_parser *p, struct toml_path *ret)
{
    ret->count = 0;
    for (;;) {
        toml_skip_blanks(p);
        if (ret->count == TOML_KEY_PARTS_MAX)
            return TOML_FAIL_AS(p, E_LIMIT, p->pos, "a dotted key has at most %u parts",
                                (uint64_t)TOML_KEY_PARTS_MAX);
        int err = read_key(p, &ret->parts[ret->count]);
        if (err)
            return err;
        ret->count++;
        toml_skip_blanks(p);
        if (toml_peek(p, 0) != '.')
            return E_OK;
        p->pos++;
    }
}

int toml_read_path_equals(struct toml_parser *p, struct toml_path *ret)
{
    int err = toml_read_path(p, ret);
    if (err)
        return err;
    if (toml_peek(p, 0) != '=')
        return TOML_FAIL(p, p->pos, "'=' is expected after the key");
    p->pos++;
    toml_skip_blanks(p);
    return E_OK;
}

/* --- headers ------------------------------------------------------------------- */

/* One step of a header: into the table, or the last table of an array of them. */
static int step_header(struct toml_parser *p, struct toml_value **table,
                       const struct toml_key *key)
{
    struct toml_value *v = find(*table, key->name);
    if (!v)
        return add_table(p, *table, key, TOML_ORIGIN_IMPLICIT, table);
    if (v->type == TOML_ARRAY && v->origin == TOML_ORIGIN_TABLES)
        v = v->as.items.last;
    if (v->type != TOML_TABLE || v->origin == TOML_ORIGIN_INLINE)
        return fail_closed(p, key, v);
    *table = v;
    return E_OK;
}

static int define_table(struct toml_parser *p, struct toml_value *parent,
                        const struct toml_key *key, struct toml_value **ret)
{
    struct toml_value *v = find(parent, key->name);
    if (!v)
        return add_table(p, parent, key, TOML_ORIGIN_HEADER, ret);
    if (v->type == TOML_BOOLEAN && (p->flags & TOML_REFINE)) {
        bool value = v->as.boolean;
        memset(&v->as, 0, sizeof v->as);
        v->refined = true;
        v->refined_value = value;
        v->type = TOML_TABLE;
    } else if (v->type != TOML_TABLE || v->origin != TOML_ORIGIN_IMPLICIT) {
        return fail_twice(p, key, v);
    }
    v->origin = TOML_ORIGIN_HEADER;
    v->pos = key->pos;
    if (!v->refined)
        v->key_pos = key->pos;
    *ret = v;
    return E_OK;
}

static int define_element(struct toml_parser *p, struct toml_value *parent,
                          const struct toml_key *key, struct toml_value **ret)
{
    struct toml_value *v = find(parent, key->name);
    if (!v) {
        int err = toml_add_child(p, parent, key->name, key->pos, &v);
        if (err)
            return err;
        v->type = TOML_ARRAY;
        v->origin = TOML_ORIGIN_TABLES;
    } else if (v->type == TOML_ARRAY && v->origin == TOML_ORIGIN_VALUE) {
        return fail_closed(p, key, v);
    } else if (v->type != TOML_ARRAY) {
        return fail_twice(p, key, v);
    }
    struct toml_key none = { SPAN_NONE, key->pos };
    return add_table(p, v, &none, TOML_ORIGIN_HEADER, ret);
}

static int read_header(struct toml_parser *p)
{
    bool element = toml_peek(p, 1) == '[';
    struct toml_path path;
    p->pos += element ? 2 : 1;
    int err = toml_read_path(p, &path);
    if (err)
        return err;
    if (toml_peek(p, 0) != ']' || (element && toml_peek(p, 1) != ']'))
        return TOML_FAIL(p, p->pos, "'%c' is expected here to close the header",
                         element ? "]]" : "]");
    p->pos += element ? 2 : 1;
    p->section = ++p->sections;
    struct toml_value *table = p->root;
    for (unsigned i = 0; i + 1 < path.count; i++) {
        err = step_header(p, &table, &path.parts[i]);
        if (err)
            return err;
    }
    const struct toml_key *last = &path.parts[path.count - 1];
    return element ? define_element(p, table, last, &p->table)
                   : define_table(p, table, last, &p->table);
}

/* --- lines -------------------------------------------------------------------- */

/* The other order of TOML_REFINE: the [header] came first. */
static struct toml_value *refinable(struct toml_parser *p, const struct toml_path *path)
{
    struct toml_value *v = NULL;
    if ((p->flags & TOML_REFINE) && path->count == 1)
        v = find(p->table, path->parts[0].name);
    return v && v->type == TOML_TABLE && v->origin == TOML_ORIGIN_HEADER && !v->refined ? v : NULL;
}

static int refine(struct toml_parser *p, const struct toml_key *key, struct toml_value *table)
{
    struct toml_value value;
    memset(&value, 0, sizeof value);
    size_t at = p->pos;
    int err = toml_read_value(p, &value);
    if (err)
        return err;
    if (value.type != TOML_BOOLEAN)
        return TOML_FAIL(p, at, "table '%s' is defined twice\nfirst defined on line %u", table->key,
                         toml_line_of(p, table->key_pos));
    table->refined = true;
    table->refined_value = value.as.boolean;
    table->key_pos = key->pos;
    return E_OK;
}

static int read_pair(struct toml_parser *p)
{
    struct toml_path path;
    struct toml_value *v;
    int err = toml_read_path_equals(p, &path);
    if (err)
        return err;
    struct toml_value *table = refinable(p, &path);
    if (table)
        return refine(p, &path.parts[0], table);
    err = toml_add_key(p, p->table, &path, &v);
    return err ? err : toml_read_value(p, v);
}

static int read_line_end(struct toml_parser *p)
{
    toml_skip_blanks(p);
    if (toml_peek(p, 0) == '#')
        p->pos += span_find(span_skip(p->text, p->pos), '\n');
    if (toml_peek(p, 0) == '\r')
        p->pos++;
    if (p->pos == p->text.len)
        return E_OK;
    if (toml_peek(p, 0) != '\n')
        return TOML_FAIL(p, p->pos, "the line should end here\none key or header a line");
    p->pos++;
    return E_OK;
}

static int read_line(struct toml_parser *p)
{
    int err = E_OK;
    toml_skip_blanks(p);
    uint8_t c = toml_peek(p, 0);
    if (c == '[')
        err = read_header(p);
    else if (c != '\n' && c != '\r' && c != '#' && p->pos < p->text.len)
        err = read_pair(p);
    return err ? err : read_line_end(p);
}

int toml_parse(struct span text, unsigned flags, struct arena *arena, struct toml_doc *ret,
               struct format_error *err)
{
    struct toml_parser p = { .text = text, .flags = flags, .arena = arena, .err = err };
    if (text.len > TOML_TEXT_MAX)
        return format_error_fail(err, E_LIMIT, 0, 0, "the text is longer than %u bytes",
                                 (uint64_t)TOML_TEXT_MAX);
    int status = check_characters(&p);
    if (status)
        return status;
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        p.pos = 3; /* a byte order mark, as editors elsewhere write it */
    p.root = ARENA_NEW(arena, struct toml_value);
    if (!p.root)
        return TOML_FAIL_AS(&p, E_NOMEM, 0, "the text has too many values");
    p.root->type = TOML_TABLE;
    p.root->origin = TOML_ORIGIN_HEADER;
    p.table = p.root;
    while (p.pos < text.len) {
        status = read_line(&p);
        if (status)
            return status;
    }
    ret->text = text;
    ret->root = p.root;
    return E_OK;
}
