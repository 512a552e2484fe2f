/* Prints a TOML document as the tagged JSON of the toml-test suite, for
 * tests/formats/toml-suite. Exit code 1 and the error on stderr when it is refused.
 * Recursion is fine here: the reader bounds the depth. */
#include <stdio.h>
#include <stdlib.h>

#include "base/strbuf.h"
#include "formats/toml.h"

enum { ARENA_BYTES = 8 * 1024 * 1024, OUT_BYTES = 8 * 1024 * 1024 };

static void dump(struct strbuf *b, const struct toml_value *v);

static void dump_items(struct strbuf *b, const struct toml_value *v, bool keys)
{
    strbuf_char(b, keys ? '{' : '[');
    for (const struct toml_value *i = v->as.items.first; i; i = i->next) {
        if (i != v->as.items.first)
            strbuf_char(b, ',');
        if (keys) {
            strbuf_json(b, i->key);
            strbuf_char(b, ':');
        }
        dump(b, i);
    }
    strbuf_char(b, keys ? '}' : ']');
}

static void write_time(struct strbuf *b, const struct toml_value *v)
{
    const struct toml_datetime *d = &v->as.datetime;
    char text[64];
    int n = 0;
    if (v->type != TOML_LOCAL_TIME)
        n += sprintf(text + n, "%04u-%02u-%02u", d->year, d->month, d->day);
    if (v->type == TOML_LOCAL_DATETIME || v->type == TOML_OFFSET_DATETIME)
        n += sprintf(text + n, "T");
    if (v->type != TOML_LOCAL_DATE)
        n += sprintf(text + n, "%02u:%02u:%02u.%09u", d->hour, d->minute, d->second,
                     d->nanosecond);
    if (v->type == TOML_OFFSET_DATETIME)
        sprintf(text + n, "%c%02d:%02d", d->offset_minutes < 0 ? '-' : '+',
                abs(d->offset_minutes) / 60, abs(d->offset_minutes) % 60);
    strbuf_cstr(b, text);
}

static void dump_scalar(struct strbuf *b, const struct toml_value *v)
{
    static const char *const tags[] = { "string", "integer", "float", "bool", "datetime",
                                        "datetime-local", "date-local", "time-local" };
    char text[64];
    strbuf_cstr(b, "{\"type\":\"");
    strbuf_cstr(b, tags[v->type]);
    strbuf_cstr(b, "\",\"value\":");
    if (v->type == TOML_STRING) {
        strbuf_json(b, v->as.string);
    } else {
        strbuf_char(b, '"');
        if (v->type == TOML_INTEGER) {
            strbuf_i64(b, v->as.integer);
        } else if (v->type == TOML_FLOAT) {
            snprintf(text, sizeof text, "%.17g", v->as.real);
            strbuf_cstr(b, text);
        } else if (v->type == TOML_BOOLEAN) {
            strbuf_cstr(b, v->as.boolean ? "true" : "false");
        } else {
            write_time(b, v);
        }
        strbuf_char(b, '"');
    }
    strbuf_char(b, '}');
}

static void dump(struct strbuf *b, const struct toml_value *v)
{
    if (v->type == TOML_TABLE || v->type == TOML_ARRAY)
        dump_items(b, v, v->type == TOML_TABLE);
    else
        dump_scalar(b, v);
}

int main(void)
{
    char *text = malloc(TOML_TEXT_MAX + 1), *out = malloc(OUT_BYTES);
    void *memory = malloc(ARENA_BYTES);
    struct arena arena;
    struct toml_doc doc;
    struct format_error err;
    struct strbuf b;
    if (!text || !out || !memory)
        return 2;
    size_t n = fread(text, 1, TOML_TEXT_MAX + 1, stdin);
    arena_init(&arena, memory, ARENA_BYTES);
    strbuf_init(&b, out, OUT_BYTES);
    int status = toml_parse(span_of(text, n), 0, &arena, &doc, &err);
    if (status)
        format_error_write(&b, SPAN_LIT("stdin"), &err);
    else
        dump(&b, doc.root);
    fwrite(out, 1, b.len, status ? stderr : stdout);
    free(memory);
    free(out);
    free(text);
    return status != 0;
}
