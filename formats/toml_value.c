/* One value with everything nested in it. Arrays and inline tables that are still open
 * stand on parser.stack, so that depth costs no C stack. */
#include "toml_parser.h"

static int push(struct toml_parser *p, struct toml_value *container)
{
    if (p->depth == TOML_DEPTH_MAX)
        return TOML_FAIL_AS(p, E_LIMIT, p->pos, "more than %u arrays and tables in one another",
                            (uint64_t)TOML_DEPTH_MAX);
    p->stack[p->depth].container = container;
    p->stack[p->depth].outer_section = p->section;
    p->depth++;
    if (container->type == TOML_TABLE)
        p->section = ++p->sections;
    p->pos++;
    return E_OK;
}

static void pop(struct toml_parser *p)
{
    p->depth--;
    p->section = p->stack[p->depth].outer_section;
    p->pos++;
}

static bool ends_token(uint8_t c)
{
    switch (c) {
    case 0: case ' ': case '\t': case '\n': case '\r': case '#': case ',': case ']': case '}':
    case '=': case '[': case '{': case '"': case '\'':
        return true;
    default:
        return false;
    }
}

/* A date may hold one space, before the time. */
static struct span bare_token(const struct toml_parser *p)
{
    size_t n = 0;
    while (!ends_token(toml_peek(p, n)))
        n++;
    if (n == 10 && toml_peek(p, 4) == '-' && toml_peek(p, n) == ' ' &&
        toml_is_digit(toml_peek(p, n + 1))) {
        n++;
        while (!ends_token(toml_peek(p, n)))
            n++;
    }
    return span_of(p->text.p + p->pos, n);
}

static int read_bare(struct toml_parser *p, struct toml_value *v)
{
    struct span token = bare_token(p);
    int err = E_OK;
    if (span_eq_cstr(token, "true") || span_eq_cstr(token, "false")) {
        v->type = TOML_BOOLEAN;
        v->as.boolean = token.p[0] == 't';
    } else if (token.len == 0) {
        err = TOML_FAIL(p, p->pos, "a value is expected here");
    } else if (toml_date_like(token)) {
        err = toml_read_date(p, token, v);
    } else if (toml_is_digit(token.p[0]) || token.p[0] == '+' || token.p[0] == '-' ||
               span_eq_cstr(token, "inf") || span_eq_cstr(token, "nan")) {
        err = toml_read_number(p, token, v);
    } else {
        err = TOML_FAIL(p, p->pos, "'%s' is not a value\ntext goes in quotes: \"%s\"", token,
                        token);
    }
    if (!err)
        p->pos += token.len;
    return err;
}

/* Reads a scalar, or opens a container and leaves it on the stack. */
static int begin_value(struct toml_parser *p, struct toml_value *v)
{
    v->pos = (uint32_t)p->pos;
    switch (toml_peek(p, 0)) {
    case '[':
        v->type = TOML_ARRAY;
        v->origin = TOML_ORIGIN_VALUE;
        return push(p, v);
    case '{':
        v->type = TOML_TABLE;
        v->origin = TOML_ORIGIN_INLINE;
        return push(p, v);
    case '"':
    case '\'':
        v->type = TOML_STRING;
        return toml_read_string(p, true, &v->as.string);
    default:
        return read_bare(p, v);
    }
}

/* Blanks, newlines and comments: between the elements of an array. */
static void skip_space(struct toml_parser *p)
{
    for (;;) {
        uint8_t c = toml_peek(p, 0);
        if (c == '#')
            p->pos += span_find(span_skip(p->text, p->pos), '\n');
        else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            p->pos++;
        else
            return;
    }
}

/* The next element's value in *ret; NULL there when the array has just been closed. */
static int next_element(struct toml_parser *p, struct toml_value *array, struct toml_value **ret)
{
    skip_space(p);
    bool comma = toml_peek(p, 0) == ',';
    if (comma && array->as.items.count) {
        p->pos++;
        skip_space(p);
    }
    if (toml_peek(p, 0) == ']') {
        pop(p);
        *ret = NULL;
        return E_OK;
    }
    if (p->pos == p->text.len)
        return TOML_FAIL(p, array->pos, "the array is not closed\na ']' is missing");
    if (array->as.items.count && !comma)
        return TOML_FAIL(p, p->pos, "',' or ']' is expected in the array");
    return toml_add_child(p, array, SPAN_NONE, p->pos, ret);
}

static int next_pair(struct toml_parser *p, struct toml_value *table, struct toml_value **ret)
{
    struct toml_path path;
    toml_skip_blanks(p);
    bool comma = toml_peek(p, 0) == ',' && table->as.items.count;
    if (comma) {
        p->pos++;
    } else if (toml_peek(p, 0) == '}') {
        pop(p);
        *ret = NULL;
        return E_OK;
    } else if (table->as.items.count || toml_peek(p, 0) == '\n' || toml_peek(p, 0) == '\r') {
        return TOML_FAIL(p, p->pos, "',' or '}' is expected in the inline table\n"
                                    "an inline table stays on one line");
    }
    toml_skip_blanks(p);
    if (toml_peek(p, 0) == '}')
        return TOML_FAIL(p, p->pos, "an inline table has no comma after its last value");
    int err = toml_read_path_equals(p, &path);
    return err ? err : toml_add_key(p, table, &path, ret);
}

int toml_read_value(struct toml_parser *p, struct toml_value *v)
{
    base_assert(p->depth == 0);
    for (;;) {
        int err = begin_value(p, v);
        if (err)
            return err;
        v = NULL;
        while (p->depth && !v) {
            struct toml_value *top = p->stack[p->depth - 1].container;
            err = top->type == TOML_ARRAY ? next_element(p, top, &v) : next_pair(p, top, &v);
            if (err)
                return err;
        }
        if (!v)
            return E_OK;
    }
}
