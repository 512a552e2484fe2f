/* What every reader in this room says about text that it refuses: where, what,
 * and what would help. Complete sentences belong to whoever prints it. */
#ifndef FORMATS_ERROR_H
#define FORMATS_ERROR_H

#include <stdint.h>

#include "base/span.h"
#include "base/strbuf.h"

enum { FORMAT_MESSAGE_MAX = 192, FORMAT_HINT_MAX = 192 };

struct format_error {
    uint32_t line;   /* 1-based; 0 when no one place is at fault */
    uint32_t column; /* 1-based, in Unicode characters */
    char message[FORMAT_MESSAGE_MAX]; /* "key 'name' is defined twice" */
    char hint[FORMAT_HINT_MAX];       /* "first defined on line 3"; may be empty */
};

/* Sets all fields and returns `code`, so that a reader can say
 *     return format_error_fail(err, E_MALFORMED, line, column,
 *                              "key '%s' is defined twice\nfirst defined on line %u", key, first);
 * A newline in the pattern (never one in an argument) begins the hint. Conversions: %s
 * struct span, %c const char *, %u uint64_t, %d int64_t, each argument of exactly that
 * type. Arguments are shown printably; what does not fit is cut at a character's boundary. */
int format_error_fail(struct format_error *err, int code, uint32_t line, uint32_t column,
                      const char *pattern, ...);

/* Line and column (1-based, in Unicode characters) of a byte offset. Scans the text. */
void format_where(struct span text, uint32_t pos, uint32_t *ret_line, uint32_t *ret_column);

/* "vyoma.toml:3:7: message" and, when there is one, "; hint". One line, no newline. */
void format_error_write(struct strbuf *b, struct span file, const struct format_error *err);

#endif
