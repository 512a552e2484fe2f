/* Two things share stdin: the keys of the person, and lines of the supervisor (answers,
 * messages, notices). Lines come whole and begin in a known way; keys come as they are typed.
 *
 * A run of bytes that begins like a line is one once its '\n' has come: a terminal in raw mode
 * sends '\r' for Enter, never '\n'. When it goes on otherwise, or does not go on for a moment,
 * it was typed. */
#ifndef SHELL_INPUT_H
#define SHELL_INPUT_H

#include <vyoma/io.h>

enum { INPUT_BYTES = 8192 };

enum input_kind {
    INPUT_END,  /* stdin is closed */
    INPUT_KEY,  /* one byte typed */
    INPUT_LINE, /* a line of the supervisor's, NUL-terminated, until the next call */
    INPUT_IDLE, /* nothing came in time */
};

struct input {
    char bytes[INPUT_BYTES];
    size_t start, end;
};

/* The next thing, waiting at most timeout_ns (UINT64_MAX: without end). For INPUT_KEY the byte
 * is in *key, for INPUT_LINE the text in *line. */
enum input_kind input_next(struct input *in, uint64_t timeout_ns, uint8_t *key, char **line);
/* Has more come already? */
bool input_waits(const struct input *in);

#endif
