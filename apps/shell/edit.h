/* A line editor for a raw terminal: bytes typed go in, a finished line comes out.
 *
 * The line is UTF-8 and is shown on one row of the terminal; when it is wider than the row,
 * a window over it follows the cursor. Every character counts as one column. */
#ifndef SHELL_EDIT_H
#define SHELL_EDIT_H

#include <vyoma/io.h>

enum { EDIT_LINE_MAX = 1024, EDIT_HISTORY_MAX = 32, EDIT_OUT_MAX = 4096 };

enum edit_event {
    EDIT_NONE,
    EDIT_LINE,     /* e->line is finished; call edit_begin() for the next one */
    EDIT_CANCEL,   /* Ctrl-C */
    EDIT_END,      /* Ctrl-D on an empty line */
    EDIT_COMPLETE, /* Tab: change the line with edit_insert(), or do nothing */
    EDIT_CLEAR,    /* Ctrl-L */
};

struct edit {
    const char *prompt;
    char line[EDIT_LINE_MAX + 1]; /* NUL-terminated */
    size_t len, cursor;           /* bytes; cursor <= len, at a character's start */
    size_t from;                  /* first byte shown */
    uint32_t columns;             /* of the terminal */
    bool shown;                   /* the prompt and the line stand on the terminal */

    /* An escape sequence being read: ESC, its introducer, up to two numbers, a final byte. */
    uint8_t escape; /* 0 none, 1 after ESC, '[' or 'O' */
    uint8_t param_at;
    uint32_t param[2];

    /* Finished lines, oldest first. */
    char history[EDIT_HISTORY_MAX][256];
    uint32_t history_count, history_at; /* at == count: the line being written */
    char draft[256];

    char out_bytes[EDIT_OUT_MAX];
    struct vy_buf out; /* for the terminal; the caller flushes it */
};

void edit_init(struct edit *e, const char *prompt, uint32_t columns);
/* Empties the line and shows the prompt. */
void edit_begin(struct edit *e);
enum edit_event edit_key(struct edit *e, uint8_t byte);
/* Inserts at the cursor; what does not fit is dropped whole. */
void edit_insert(struct edit *e, const char *bytes, size_t n);
/* Takes prompt and line off the terminal, so that something else can be printed. */
void edit_hide(struct edit *e);
/* Puts them back, or draws them anew. */
void edit_show(struct edit *e);
/* Keeps the finished line, unless it is empty, too long or the one before. */
void edit_remember(struct edit *e);

#endif
