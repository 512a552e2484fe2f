/* The line protocol: what an app says by printing, and what it hears on stdin.
 *
 * From an app:                       To an app:
 *   @other-app: text                   @sender: text
 *   @broadcast: text                   REPLY:text
 *   @reply: text                       VYOMA_SYSTEM:screen:1024,768
 *   @supervisor: verb args             VYOMA_INPUT:key:...
 *   VYOMA_DRAW:fill_rect:...           VYOMA_INPUT:mouse:move:...
 *   anything else is its output
 *
 * lines_parse only reads; who may say what is the core's. A line that begins like the
 * protocol and is not well-formed is LINES_MALFORMED with a reason, never a guess. */
#ifndef FORMATS_LINES_H
#define FORMATS_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "base/strbuf.h"

enum {
    LINES_COORDINATE_MAX = 32767, /* of x and y, also below zero */
    LINES_SIZE_MAX = 32767,       /* of w, h and radius */
    LINES_POINTS_MAX = 512,       /* of a glyph */
    LINES_PATH_MAX = 256,         /* bytes of draw_image's path */
};

enum lines_type {
    LINES_TEXT,       /* plain output */
    LINES_MESSAGE,    /* @dest: text */
    LINES_BROADCAST,
    LINES_REPLY,
    LINES_SUPERVISOR, /* verb in `dest`, arguments in `text` */
    LINES_DRAW,
    LINES_RESERVED,   /* VYOMA_SYSTEM: and VYOMA_INPUT: are not an app's to say */
    LINES_MALFORMED,  /* `error` says why; the line is to be skipped */
};

enum draw_op {
    DRAW_FILL_RECT,       /* x y w h rgba */
    DRAW_FILL_RECT_ROUND, /* x y w h rgba radius; fill_rect_r */
    DRAW_RECT_BORDER,     /* x y w h rgba */
    DRAW_CLEAR_REGION,    /* x y w h */
    DRAW_TEXT,            /* x y rgba size text */
    DRAW_TEXT_WRAP,       /* x y w(max) rgba size text */
    DRAW_GLYPHS,          /* x y rgba points weight text; draw_glyph */
    DRAW_IMAGE,           /* x y w h text(path) */
    DRAW_LAYER_ALPHA,     /* alpha */
    DRAW_PRESENT,         /* flush, present */
};

enum draw_size { DRAW_SIZE_SMALL, DRAW_SIZE_MEDIUM, DRAW_SIZE_LARGE };
enum draw_weight { DRAW_REGULAR, DRAW_BOLD, DRAW_MONO };

struct draw_command {
    enum draw_op op;
    int32_t x, y;   /* pixels in the app's window, within +-LINES_COORDINATE_MAX */
    uint32_t w, h;  /* pixels, at most LINES_SIZE_MAX; 0 draws nothing */
    uint32_t rgba;  /* R<<24 | G<<16 | B<<8 | A */
    uint32_t radius;
    uint32_t points;
    uint8_t alpha;
    enum draw_size size;
    enum draw_weight weight;
    struct span text; /* well-formed UTF-8; or the path of an image */
};

struct lines {
    enum lines_type type;
    struct span dest; /* MESSAGE: a valid app name; SUPERVISOR: the verb, may be empty */
    struct span text; /* what follows, without the one blank after the colon */
    struct draw_command draw; /* DRAW */
    const char *error; /* MALFORMED: static text */
};

/* line: without its newline; a carriage return at the end is dropped. Spans of *ret point
 * into it. Never fails. */
void lines_parse(struct span line, struct lines *ret);

/* The draw command after "VYOMA_DRAW:"; NULL, or why it is malformed. */
const char *draw_parse(struct span text, struct draw_command *ret);

/* Writers of whole lines, with their newline. Control characters of `text` other than tab
 * become '?', so that one message stays one line. What does not fit sets b->overflow, and
 * the line is then incomplete: drop it. */
void lines_write_message(struct strbuf *b, struct span sender, struct span text);
void lines_write_reply(struct strbuf *b, struct span text); /* REPLY:text */
void lines_write_system(struct strbuf *b, const char *key, struct span value);
void lines_write_screen(struct strbuf *b, uint32_t w, uint32_t h);
/* VYOMA_INPUT:key:NAME when it goes down (or repeats), :keyup:NAME when it comes up. NAME is
 * the character itself, or a word such as "enter", "left", "ctrl-c". */
void lines_write_key(struct strbuf *b, struct span key, bool down);
enum lines_mouse { LINES_MOUSE_MOVE, LINES_MOUSE_CLICK, LINES_MOUSE_RELEASE, LINES_MOUSE_WHEEL };
/* VYOMA_INPUT:mouse:move:X,Y; click:X,Y:BUTTON; release:X,Y:BUTTON; wheel:X,Y:up or down.
 * button: 1 left, 2 right, 3 middle; for the wheel -1 up, 1 down. */
void lines_write_mouse(struct strbuf *b, enum lines_mouse what, int32_t x, int32_t y,
                       int32_t button);

#endif
