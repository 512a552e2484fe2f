/* TOML 1.0.0 (https://toml.io/en/v1.0.0), read into a tree.
 *
 * Everything of the specification, and nothing beyond it but the one extension of
 * TOML_REFINE. Values live in the caller's arena; strings without escapes point into
 * the text itself, so that both must outlive the tree. No recursion: nesting is bounded
 * by TOML_DEPTH_MAX and kept in a table. */
#ifndef FORMATS_TOML_H
#define FORMATS_TOML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "formats/error.h"

enum {
    TOML_TEXT_MAX = 1024 * 1024,  /* bytes of a document */
    TOML_DEPTH_MAX = 32,          /* arrays and inline tables within one another */
    TOML_KEY_PARTS_MAX = 32,      /* a.b.c has three */
    TOML_TABLE_KEYS_MAX = 1024,   /* keys of one table */
    TOML_NUMBER_MAX = 128,        /* characters of a number */
};

enum toml_type {
    TOML_STRING,
    TOML_INTEGER,
    TOML_FLOAT,
    TOML_BOOLEAN,
    TOML_OFFSET_DATETIME,
    TOML_LOCAL_DATETIME,
    TOML_LOCAL_DATE,
    TOML_LOCAL_TIME,
    TOML_ARRAY,
    TOML_TABLE,
};

/* Which fields mean something depends on the type; the others are 0. */
struct toml_datetime {
    uint16_t year;
    uint8_t month, day, hour, minute, second; /* second may be 60, as in RFC 3339 */
    uint32_t nanosecond;                      /* further digits are dropped */
    int16_t offset_minutes;                   /* east of UTC */
};

/* The reader's own bookkeeping: how a table or array came about decides who may still
 * add to it. */
enum toml_origin {
    TOML_ORIGIN_VALUE,    /* not a table; or a static array */
    TOML_ORIGIN_IMPLICIT, /* named only as a parent in a [header] */
    TOML_ORIGIN_HEADER,   /* has its own [header] or is an element of a [[header]] array */
    TOML_ORIGIN_DOTTED,   /* made by a dotted key */
    TOML_ORIGIN_INLINE,   /* { ... }: closed */
    TOML_ORIGIN_TABLES,   /* an array made by [[header]] */
};

struct toml_value {
    struct toml_value *next; /* sibling, in the order of the text */
    struct span key;         /* empty for array elements and the root */
    uint32_t pos, key_pos;   /* byte offsets in the text, for format_where() */
    uint8_t type;            /* enum toml_type */
    uint8_t origin;          /* enum toml_origin */
    bool refined;            /* TOML_REFINE: a table that was also given a boolean, ... */
    bool refined_value;      /* ... which is this */
    union {
        struct span string;
        int64_t integer;
        double real;
        bool boolean;
        struct toml_datetime datetime;
        struct {
            struct toml_value *first, *last;
            uint32_t count;
            uint32_t section; /* reader's: which section's dotted keys made it */
        } items;              /* TOML_ARRAY, TOML_TABLE */
    } as;
};

struct toml_doc {
    struct span text;
    const struct toml_value *root; /* a table */
};

/* Extension: a key may be given a boolean and also a [header] of its own, in either
 * order. The value is then the table, with `refined` set; its key_pos is the boolean's
 * key, its pos the header. */
enum { TOML_REFINE = 1 };

/* 0; E_MALFORMED, E_LIMIT (a bound above), E_RANGE (a number that does not fit) or E_NOMEM
 * (arena used up), with *err saying where and why. The arena is not released on
 * failure: take a mark first. */
int toml_parse(struct span text, unsigned flags, struct arena *arena, struct toml_doc *ret,
               struct format_error *err);

/* The value of a key of a table, or NULL; also NULL when `table` is NULL or no table. */
const struct toml_value *toml_get(const struct toml_value *table, const char *key);

/* First element of an array or table, or NULL; then follow ->next. */
static inline const struct toml_value *toml_first(const struct toml_value *v)
{
    return v && (v->type == TOML_ARRAY || v->type == TOML_TABLE) ? v->as.items.first : NULL;
}

/* "a string", "an array", ...: with its article, for messages. */
const char *toml_type_name(enum toml_type type);

#endif
