/* From a TOML tree to a struct, driven by tables of keys, so that every file of
 * settings checks the same things and complains in the same words. */
#ifndef FORMATS_SCHEMA_H
#define FORMATS_SCHEMA_H

#include "base/err.h"
#include "formats/toml.h"

enum {
    SCHEMA_STRING = 1 << TOML_STRING,
    SCHEMA_INTEGER = 1 << TOML_INTEGER,
    SCHEMA_BOOLEAN = 1 << TOML_BOOLEAN,
    SCHEMA_ARRAY = 1 << TOML_ARRAY,
    SCHEMA_TABLE = 1 << TOML_TABLE,
};

struct schema;

struct schema_key {
    const char *name;
    unsigned types; /* SCHEMA_...: what its value may be */
    int (*read)(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target);
    size_t offset, size; /* the field in target that read() fills, see SCHEMA_FIELD */
    int64_t min, max;    /* of an integer; of a string's length in bytes; of an array's count */
    unsigned extra;      /* the reader's own */
};

#define SCHEMA_FIELD(type, member) offsetof(type, member), sizeof(((type *)0)->member)

struct schema_table {
    const char *name; /* "[capabilities]"; as messages show it */
    const struct schema_key *keys;
    size_t count;
};

struct schema {
    const struct toml_doc *doc;
    struct arena *keep; /* receives strings and arrays */
    struct format_error *err;
    const struct schema_table *table;         /* being read */
    const struct schema_table *const *tables; /* all there are, for hints */
    size_t tables_count;
};

/* Fails at a value (or, schema_fail_key, at the key that names it). */
#define schema_fail(s, v, ...) schema_fail_at((s), E_MALFORMED, (v)->pos, __VA_ARGS__)
#define schema_fail_key(s, v, ...) schema_fail_at((s), E_MALFORMED, (v)->key_pos, __VA_ARGS__)
#define schema_fail_at(s, code, at, ...)                                                         \
    (format_where((s)->doc->text, (at), &(s)->err->line, &(s)->err->column),                       \
     format_error_fail((s)->err, (code), (s)->err->line, (s)->err->column, __VA_ARGS__))
int schema_fail_memory(struct schema *s, const struct toml_value *v);

uint32_t schema_line(const struct schema *s, uint32_t pos);

/* Reads every key of table v by t's rules into target; unknown keys and wrong types
 * fail. A field that no key names keeps its value. */
int schema_read_table(struct schema *s, const struct schema_table *t, const struct toml_value *v,
                      void *target);
/* Fails when table v has no `key`. */
int schema_require(struct schema *s, const struct schema_table *t, const struct toml_value *v,
                   const char *key);
/* "an integer": fails unless the element of an array has the type. */
int schema_element(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                   enum toml_type type);
/* Fails when array v has fewer than key->min or more than key->max elements. */
int schema_count(struct schema *s, const struct schema_key *key, const struct toml_value *v);

/* Readers for tables of keys. */
int schema_bool(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target);
/* An unsigned field of any width; min and max bound the value. */
int schema_uint(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target);
/* An int32_t field. */
int schema_int(struct schema *s, const struct schema_key *key, const struct toml_value *v,
               void *target);
/* A struct span field: text for people and terminals, so without control characters. */
int schema_text(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target);
/* A relative path without "..": beneath the app's folder. */
int schema_path(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                void *target);
/* A uint64_t field from "64KiB", "16MiB", "1GiB"; min and max in bytes, `extra` divides it. */
int schema_bytes(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                 void *target);

/* An array of strings, each copied; key->min and max bound the count, key->extra is the
 * longest string in bytes. NUL is refused, since every string also becomes a C string. */
int schema_read_strings(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                        const struct span **ret, uint32_t *ret_count);

/* One of `count` words, by its index. `all` lists them for the hint: "\"a\" or \"b\"". */
int schema_read_word(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     const char *const *words, unsigned count, const char *all, unsigned *ret);

/* The checks behind them, for single strings. */
int schema_check_text(struct schema *s, const struct schema_key *key, const struct toml_value *v);
int schema_keep_text(struct schema *s, const struct toml_value *v, struct span *ret);

/* The nearest of a table's keys to a misspelt one, or NULL. */
const char *schema_nearest(const struct schema_table *t, struct span name);

#endif
