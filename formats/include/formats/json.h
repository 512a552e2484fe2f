/* JSON (RFC 8259), read into a tree. Strict: no comments, no trailing commas, no lone
 * surrogates, no key twice in one object; any value may be the whole text. Writing JSON
 * needs nothing but base/strbuf.h.
 *
 * Values live in the caller's arena; strings and keys without escapes point into the text.
 * No recursion. */
#ifndef FORMATS_JSON_H
#define FORMATS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "formats/error.h"

enum {
    JSON_TEXT_MAX = 16 * 1024 * 1024,
    JSON_DEPTH_MAX = 64,   /* arrays and objects within one another */
    JSON_KEYS_MAX = 1024,  /* of one object */
    JSON_NUMBER_MAX = 128, /* characters of a number */
};

enum json_type {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_INTEGER, /* a number without fraction and exponent that fits in 64 bits */
    JSON_REAL,    /* every other number */
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_value {
    struct json_value *next;   /* sibling, in the order of the text */
    struct json_value *parent; /* NULL for the whole */
    struct span key;           /* in an object */
    uint32_t pos;              /* byte offset in the text, for format_where() */
    uint8_t type;              /* enum json_type */
    union {
        bool boolean;
        int64_t integer;
        double real;
        struct span string;
        struct {
            struct json_value *first, *last;
            uint32_t count;
        } items; /* JSON_ARRAY, JSON_OBJECT */
    } as;
};

/* 0; E_MALFORMED, E_LIMIT (a bound above), E_RANGE (a number too large for a binary64) or
 * E_NOMEM, with *err saying where and why. The arena is not released on failure. */
int json_parse(struct span text, struct arena *arena, const struct json_value **ret,
               struct format_error *err);

/* The value of an object's key, or NULL; also NULL when v is NULL or no object. */
const struct json_value *json_get(const struct json_value *v, const char *key);

/* First element of an array or object, or NULL; then follow ->next. */
static inline const struct json_value *json_first(const struct json_value *v)
{
    return v && (v->type == JSON_ARRAY || v->type == JSON_OBJECT) ? v->as.items.first : NULL;
}

/* The string value of an object's key, or an empty span. */
struct span json_get_string(const struct json_value *v, const char *key);

#endif
