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

/* Sets all fields. The pieces of text are cut at a character's boundary when they are
 * too long; control characters in them become '?'. Either text may be empty. */
void format_error_set(struct format_error *err, uint32_t line, uint32_t column,
                      struct span message, struct span hint);

/* "vyoma.toml:3:7: message" and, when there is one, "; hint". One line, no newline. */
void format_error_write(struct strbuf *b, struct span file, const struct format_error *err);

#endif
