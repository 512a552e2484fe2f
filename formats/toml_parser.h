/* What the files of the TOML reader share. */
#ifndef FORMATS_TOML_PARSER_H
#define FORMATS_TOML_PARSER_H

#include "base/err.h"
#include "formats/toml.h"

struct toml_key {
    struct span name;
    uint32_t pos;
};

struct toml_path {
    struct toml_key parts[TOML_KEY_PARTS_MAX];
    unsigned count; /* at least 1 once read */
};

struct toml_parser {
    struct span text;
    size_t pos; /* invariant: pos <= text.len */
    unsigned flags;
    struct arena *arena;
    struct format_error *err;
    struct toml_value *root;
    struct toml_value *table; /* of the section being read */
    uint32_t section;         /* what new dotted tables belong to */
    uint32_t sections;        /* numbers given out */
    struct toml_frame {
        struct toml_value *container; /* array or inline table being read */
        uint32_t outer_section;
    } stack[TOML_DEPTH_MAX];
    unsigned depth;
};

/* The byte at pos + ahead; 0 at the end, which no valid text contains. */
static inline uint8_t toml_peek(const struct toml_parser *p, size_t ahead)
{
    return ahead < p->text.len - p->pos ? p->text.p[p->pos + ahead] : 0;
}

static inline bool toml_is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Fails at byte offset `at`; pattern as in format_error_fail. Evaluates to `code`. */
#define TOML_FAIL_AS(p, code, at, ...) toml_fail_at((p), (code), (at), __VA_ARGS__)
#define TOML_FAIL(p, at, ...) TOML_FAIL_AS(p, E_MALFORMED, at, __VA_ARGS__)
#define toml_fail_at(p, code, at, ...)                                                           \
    (format_where((p)->text, (uint32_t)(at), &(p)->err->line, &(p)->err->column),                  \
     format_error_fail((p)->err, (code), (p)->err->line, (p)->err->column, __VA_ARGS__))

static inline uint64_t toml_line_of(const struct toml_parser *p, uint32_t pos)
{
    uint32_t line, column;
    format_where(p->text, pos, &line, &column);
    return line;
}

/* toml.c */
void toml_skip_blanks(struct toml_parser *p); /* spaces and tabs */
int toml_read_path(struct toml_parser *p, struct toml_path *ret);
/* The same with the '=' behind it, up to the value. */
int toml_read_path_equals(struct toml_parser *p, struct toml_path *ret);
/* Makes the value that a (dotted) key of `table` names. 0 or an error. */
int toml_add_key(struct toml_parser *p, struct toml_value *table, const struct toml_path *path,
                 struct toml_value **ret);
/* A new last child; its type and value are still the caller's to set. */
int toml_add_child(struct toml_parser *p, struct toml_value *parent, struct span key, size_t pos,
                   struct toml_value **ret);

/* toml_value.c: reads the value at pos into *v, with everything nested in it. */
int toml_read_value(struct toml_parser *p, struct toml_value *v);

/* toml_string.c: at a quote. Keys take no multi-line strings. */
int toml_read_string(struct toml_parser *p, bool multiline_allowed, struct span *ret);

/* toml_number.c, toml_date.c: a bare token that starts at pos. */
int toml_read_number(struct toml_parser *p, struct span token, struct toml_value *v);
int toml_read_date(struct toml_parser *p, struct span token, struct toml_value *v);
/* Does the token start like a date or time? */
bool toml_date_like(struct span token);

#endif
