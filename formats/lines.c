#include "formats/lines.h"

#include "base/assert.h"
#include "base/utf8.h"
#include "formats/manifest.h"

static struct span skip_blanks(struct span s)
{
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_skip(s, 1);
    return s;
}

static void set_malformed(struct lines *ret, const char *why)
{
    ret->type = LINES_MALFORMED;
    ret->error = why;
}

static void parse_supervisor(struct span text, struct lines *ret)
{
    size_t n = 0;
    text = skip_blanks(text);
    while (n < text.len && text.p[n] != ' ' && text.p[n] != '\t')
        n++;
    ret->type = LINES_SUPERVISOR;
    ret->dest = span_take(text, n);
    ret->text = skip_blanks(span_skip(text, n));
}

/* "@name: text", the blank after the colon being optional. */
static void parse_message(struct span line, struct lines *ret)
{
    size_t colon = span_find(line, ':');
    if (colon == line.len || colon < 2) {
        set_malformed(ret, "not of the form '@name: text'");
        return;
    }
    struct span dest = span_take(span_skip(line, 1), colon - 1);
    ret->dest = dest;
    ret->text = span_skip(line, colon + 1);
    if (ret->text.len && ret->text.p[0] == ' ')
        ret->text = span_skip(ret->text, 1);
    if (span_eq_cstr(dest, "supervisor"))
        parse_supervisor(ret->text, ret);
    else if (span_eq_cstr(dest, "broadcast"))
        ret->type = LINES_BROADCAST;
    else if (span_eq_cstr(dest, "reply"))
        ret->type = LINES_REPLY;
    else if (manifest_name_valid(dest))
        ret->type = LINES_MESSAGE;
    else
        set_malformed(ret, "what stands between '@' and ':' is no app's name");
}

void lines_parse(struct span line, struct lines *ret)
{
    memset(ret, 0, sizeof *ret);
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    ret->text = line;
    if (line.len && line.p[0] == '@') {
        parse_message(line, ret);
    } else if (span_starts(line, SPAN_LIT("VYOMA_DRAW:"))) {
        ret->text = span_skip(line, sizeof "VYOMA_DRAW:" - 1);
        ret->type = LINES_DRAW;
        const char *why = draw_parse(ret->text, &ret->draw);
        if (why)
            set_malformed(ret, why);
    } else if (span_starts(line, SPAN_LIT("VYOMA_SYSTEM:")) ||
               span_starts(line, SPAN_LIT("VYOMA_INPUT:"))) {
        ret->type = LINES_RESERVED;
    }
}

/* --- drawing ------------------------------------------------------------------------- */

/* A letter an argument, in order; arguments are separated by commas, the last one (text)
 * may hold commas itself:
 *   x y coordinates, w h sizes, r radius, c colour, p points, a alpha, z text size,
 *   Z text size that may be left out, e weight, t text, i path of an image */
static const struct {
    const char *name;
    enum draw_op op;
    const char *arguments;
} draw_commands[] = {
    { "fill_rect", DRAW_FILL_RECT, "xywhc" },
    { "draw_text", DRAW_TEXT, "xycZt" },
    { "draw_glyph", DRAW_GLYPHS, "xycpet" },
    { "draw_text_wrap", DRAW_TEXT_WRAP, "xywczt" },
    { "fill_rect_r", DRAW_FILL_RECT_ROUND, "xywhcr" },
    { "draw_image", DRAW_IMAGE, "xywhi" },
    { "flush", DRAW_PRESENT, "" },
    { "present", DRAW_PRESENT, "" },
    { "set_layer_alpha", DRAW_LAYER_ALPHA, "a" },
    { "rect_border", DRAW_RECT_BORDER, "xywhc" },
    { "clear_region", DRAW_CLEAR_REGION, "xywh" },
};

static bool parse_unsigned(struct span s, uint32_t max, uint32_t *ret)
{
    uint64_t n = 0;
    unsigned base = 10;
    if (s.len > 2 && s.p[0] == '0' && (s.p[1] | 0x20) == 'x') {
        base = 16;
        s = span_skip(s, 2);
    }
    if (s.len == 0 || s.len > 10)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.p[i] | 0x20;
        unsigned d = s.p[i] >= '0' && s.p[i] <= '9' ? s.p[i] - (unsigned)'0'
                     : c >= 'a' && c <= 'f'         ? c - 'a' + 10u
                                                    : 99u;
        if (d >= base)
            return false;
        n = n * base + d;
    }
    if (n > max)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static bool parse_coordinate(struct span s, int32_t *ret)
{
    uint32_t n;
    bool negative = s.len && s.p[0] == '-';
    if (!parse_unsigned(span_skip(s, negative), LINES_COORDINATE_MAX, &n))
        return false;
    *ret = negative ? -(int32_t)n : (int32_t)n;
    return true;
}

static bool parse_size(struct span s, enum draw_size *ret)
{
    if (s.len != 1)
        return false;
    switch (s.p[0]) {
    case 's': *ret = DRAW_SIZE_SMALL; return true;
    case 'm': *ret = DRAW_SIZE_MEDIUM; return true;
    case 'l': *ret = DRAW_SIZE_LARGE; return true;
    default: return false;
    }
}

static bool parse_weight(struct span s, enum draw_weight *ret)
{
    static const char *const names[] = { "regular", "bold", "mono" };
    for (unsigned i = 0; i < base_countof(names); i++) {
        if (span_eq_cstr(s, names[i])) {
            *ret = (enum draw_weight)i;
            return true;
        }
    }
    return false;
}

static bool parse_alpha(struct span s, uint8_t *ret)
{
    uint32_t n;
    if (!parse_unsigned(s, 255, &n))
        return false;
    *ret = (uint8_t)n;
    return true;
}

/* One argument by its letter: NULL, or what is wrong with it. */
static const char *parse_argument(char letter, struct span s, struct draw_command *d)
{
    switch (letter) {
    case 'x': return parse_coordinate(s, &d->x) ? NULL : "x must be -32767 to 32767";
    case 'y': return parse_coordinate(s, &d->y) ? NULL : "y must be -32767 to 32767";
    case 'w': return parse_unsigned(s, LINES_SIZE_MAX, &d->w) ? NULL : "w must be 0 to 32767";
    case 'h': return parse_unsigned(s, LINES_SIZE_MAX, &d->h) ? NULL : "h must be 0 to 32767";
    case 'r':
        return parse_unsigned(s, LINES_SIZE_MAX, &d->radius) ? NULL : "radius must be 0 to 32767";
    case 'c':
        return parse_unsigned(s, UINT32_MAX, &d->rgba)
                   ? NULL
                   : "the colour must be R<<24|G<<16|B<<8|A as a number of 32 bits";
    case 'p':
        return parse_unsigned(s, LINES_POINTS_MAX, &d->points) && d->points
                   ? NULL
                   : "the points must be 1 to 512";
    case 'a': return parse_alpha(s, &d->alpha) ? NULL : "alpha must be 0 to 255";
    case 'z': return parse_size(s, &d->size) ? NULL : "the size must be s, m or l";
    case 'e':
        return parse_weight(s, &d->weight) ? NULL : "the weight must be regular, bold or mono";
    default: base_assert(!"a letter of draw_commands"); return NULL;
    }
}

static const char *parse_rest(char letter, struct span s, struct draw_command *d)
{
    d->text = s;
    if (!utf8_valid(s))
        return "the text is not UTF-8";
    if (letter == 'i' && (s.len == 0 || s.len > LINES_PATH_MAX || span_find(s, 0) < s.len))
        return "the path must have 1 to 256 bytes";
    return NULL;
}

static const char *parse_arguments(const char *letters, struct span rest, struct draw_command *d)
{
    for (; *letters; letters++) {
        if (*letters == 't' || *letters == 'i')
            return parse_rest(*letters, rest, d);
        size_t comma = span_find(rest, ',');
        struct span s = span_take(rest, comma);
        if (*letters == 'Z') {
            d->size = DRAW_SIZE_MEDIUM;
            if (comma < rest.len && parse_size(s, &d->size))
                rest = span_skip(rest, comma + 1);
            continue;
        }
        const char *why = parse_argument(*letters, s, d);
        if (why)
            return why;
        if (comma == rest.len && letters[1])
            return "an argument is missing";
        if (comma < rest.len && !letters[1])
            return "there are too many arguments";
        rest = span_skip(rest, comma + 1);
    }
    return NULL;
}

const char *draw_parse(struct span text, struct draw_command *ret)
{
    size_t colon = span_find(text, ':');
    struct span name = span_take(text, colon);
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < base_countof(draw_commands); i++) {
        if (!span_eq_cstr(name, draw_commands[i].name))
            continue;
        ret->op = draw_commands[i].op;
        if (!draw_commands[i].arguments[0])
            return colon + 1 < text.len ? "there are too many arguments" : NULL;
        if (colon == text.len)
            return "an argument is missing";
        return parse_arguments(draw_commands[i].arguments, span_skip(text, colon + 1), ret);
    }
    return "unknown draw command";
}

/* --- writers ---------------------------------------------------------------------------- */

void lines_write_message(struct strbuf *b, struct span sender, struct span text)
{
    strbuf_char(b, '@');
    strbuf_span(b, sender);
    strbuf_cstr(b, ": ");
    strbuf_printable(b, text);
    strbuf_char(b, '\n');
}

void lines_write_reply(struct strbuf *b, struct span text)
{
    strbuf_cstr(b, "REPLY:");
    strbuf_printable(b, text);
    strbuf_char(b, '\n');
}

void lines_write_system(struct strbuf *b, const char *key, struct span value)
{
    strbuf_cstr(b, "VYOMA_SYSTEM:");
    strbuf_cstr(b, key);
    strbuf_char(b, ':');
    strbuf_printable(b, value);
    strbuf_char(b, '\n');
}

void lines_write_screen(struct strbuf *b, uint32_t w, uint32_t h)
{
    strbuf_cstr(b, "VYOMA_SYSTEM:screen:");
    strbuf_u64(b, w);
    strbuf_char(b, ',');
    strbuf_u64(b, h);
    strbuf_char(b, '\n');
}

void lines_write_key(struct strbuf *b, struct span key, bool down)
{
    strbuf_cstr(b, down ? "VYOMA_INPUT:key:" : "VYOMA_INPUT:keyup:");
    strbuf_printable(b, key);
    strbuf_char(b, '\n');
}

static const char *button_name(enum lines_mouse what, int32_t button)
{
    if (what == LINES_MOUSE_WHEEL)
        return button < 0 ? "up" : "down";
    return button == 2 ? "right" : button == 3 ? "middle" : "left";
}

void lines_write_mouse(struct strbuf *b, enum lines_mouse what, int32_t x, int32_t y,
                       int32_t button)
{
    static const char *const names[] = { "move:", "click:", "release:", "wheel:" };
    strbuf_cstr(b, "VYOMA_INPUT:mouse:");
    strbuf_cstr(b, names[what]);
    strbuf_i64(b, x);
    strbuf_char(b, ',');
    strbuf_i64(b, y);
    if (what != LINES_MOUSE_MOVE) {
        strbuf_char(b, ':');
        strbuf_cstr(b, button_name(what, button));
    }
    strbuf_char(b, '\n');
}
