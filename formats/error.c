#include "formats/error.h"

#include <stdarg.h>

#include "base/assert.h"
#include "base/utf8.h"

/* Whole characters only, and none that could drive a terminal. Leaves room for the
 * NUL that the caller writes. */
static void append(struct strbuf *b, struct span s)
{
    while (s.len) {
        uint32_t cp;
        unsigned n = utf8_next(s, &cp);
        struct span shown = span_take(s, n);
        if (n == 0 || cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
            shown = SPAN_LIT("?");
        strbuf_span(b, shown);
        if (b->overflow)
            return;
        s = span_skip(s, n ? n : 1);
    }
}

static void append_argument(struct strbuf *b, char conversion, va_list *args)
{
    switch (conversion) {
    case 's': append(b, va_arg(*args, struct span)); return;
    case 'c': append(b, span_of_cstr(va_arg(*args, const char *))); return;
    case 'u': strbuf_u64(b, va_arg(*args, uint64_t)); return;
    case 'd': strbuf_i64(b, va_arg(*args, int64_t)); return;
    default: base_assert(!"known conversion");
    }
}

int format_error_fail(struct format_error *err, int code, uint32_t line, uint32_t column,
                      const char *pattern, ...)
{
    struct strbuf message, hint, *b = &message;
    memset(err, 0, sizeof *err);
    err->line = line;
    err->column = column;
    strbuf_init(&message, err->message, sizeof err->message - 1);
    strbuf_init(&hint, err->hint, sizeof err->hint - 1);
    va_list args;
    va_start(args, pattern);
    for (const char *p = pattern; *p; p++) {
        if (*p == '\n')
            b = &hint;
        else if (*p == '%')
            append_argument(b, *++p, &args);
        else
            append(b, span_of(p, 1));
    }
    va_end(args);
    return code;
}

void format_where(struct span text, uint32_t pos, uint32_t *ret_line, uint32_t *ret_column)
{
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < pos && i < text.len; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if ((text.p[i] & 0xc0) != 0x80) {
            column++; /* continuation bytes belong to the character before */
        }
    }
    *ret_line = line;
    *ret_column = column;
}

void format_error_write(struct strbuf *b, struct span file, const struct format_error *err)
{
    strbuf_printable(b, file);
    if (err->line) {
        strbuf_char(b, ':');
        strbuf_u64(b, err->line);
        strbuf_char(b, ':');
        strbuf_u64(b, err->column);
    }
    strbuf_cstr(b, ": ");
    strbuf_cstr(b, err->message);
    if (err->hint[0]) {
        strbuf_cstr(b, "; ");
        strbuf_cstr(b, err->hint);
    }
}
