#include "formats/lines.h"

#include "base/assert.h"
#include "lib/test.h"

static struct lines line;
static char text[512];

static enum lines_type parse(const char *s)
{
    lines_parse(span_of_cstr(s), &line);
    return line.type;
}

TEST(plain_text)
{
    static const char *const cases[] = { "", "hello", " @a: b", "x@a: b", "VYOMA_DRAW", "VYOMA" };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK_INT(parse(cases[i]), LINES_TEXT);
        CHECK(span_eq_cstr(line.text, cases[i]));
    }
    CHECK_INT(parse("dos\r"), LINES_TEXT);
    CHECK(span_eq_cstr(line.text, "dos"));
}

TEST(messages)
{
    CHECK_INT(parse("@pong: hello: world"), LINES_MESSAGE);
    CHECK(span_eq_cstr(line.dest, "pong") && span_eq_cstr(line.text, "hello: world"));
    CHECK_INT(parse("@pong:x"), LINES_MESSAGE);
    CHECK(span_eq_cstr(line.text, "x"));
    CHECK_INT(parse("@pong:  x\r"), LINES_MESSAGE);
    CHECK(span_eq_cstr(line.text, " x"));
    CHECK_INT(parse("@pong:"), LINES_MESSAGE);
    CHECK_INT(line.text.len, 0);
    CHECK_INT(parse("@broadcast: all"), LINES_BROADCAST);
    CHECK_INT(parse("@reply: you"), LINES_REPLY);
    CHECK(span_eq_cstr(line.text, "you"));
    CHECK_INT(parse("@supervisor: kill  ping  9"), LINES_SUPERVISOR);
    CHECK(span_eq_cstr(line.dest, "kill") && span_eq_cstr(line.text, "ping  9"));
    CHECK_INT(parse("@supervisor:"), LINES_SUPERVISOR);
    CHECK_INT(line.dest.len, 0);
}

TEST(malformed_messages)
{
    static const char *const cases[] = { "@", "@:", "@: x", "@pong", "@Pong: x", "@a b: x",
                                         "@-a: x", "@../x: y", "@\xff: x" };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK_INT(parse(cases[i]), LINES_MALFORMED);
        CHECK(line.error != NULL);
    }
}

TEST(reserved)
{
    CHECK_INT(parse("VYOMA_SYSTEM:screen:1,1"), LINES_RESERVED);
    CHECK_INT(parse("VYOMA_INPUT:key:a"), LINES_RESERVED);
}

TEST(drawing)
{
    const struct draw_command *d = &line.draw;
    CHECK_INT(parse("VYOMA_DRAW:fill_rect:-1,2,30,40,4278190335"), LINES_DRAW);
    CHECK(d->op == DRAW_FILL_RECT && d->x == -1 && d->y == 2 && d->w == 30 && d->h == 40);
    CHECK_INT(d->rgba, 0xff0000ff);
    CHECK_INT(parse("VYOMA_DRAW:fill_rect_r:1,2,3,4,0x0d1117FF,12"), LINES_DRAW);
    CHECK(d->op == DRAW_FILL_RECT_ROUND && d->rgba == 0x0d1117ff && d->radius == 12);
    CHECK_INT(parse("VYOMA_DRAW:draw_text:1,2,255,l,a, b"), LINES_DRAW);
    CHECK(d->size == DRAW_SIZE_LARGE && span_eq_cstr(d->text, "a, b"));
    CHECK_INT(parse("VYOMA_DRAW:draw_text:1,2,255,hello"), LINES_DRAW);
    CHECK(d->size == DRAW_SIZE_MEDIUM && span_eq_cstr(d->text, "hello"));
    CHECK_INT(parse("VYOMA_DRAW:draw_text:1,2,255,s"), LINES_DRAW); /* the text "s" */
    CHECK(d->size == DRAW_SIZE_MEDIUM && span_eq_cstr(d->text, "s"));
    CHECK_INT(parse("VYOMA_DRAW:draw_text:1,2,255,"), LINES_DRAW);
    CHECK_INT(d->text.len, 0);
    CHECK_INT(parse("VYOMA_DRAW:draw_text_wrap:1,2,300,255,s,long, text"), LINES_DRAW);
    CHECK(d->op == DRAW_TEXT_WRAP && d->w == 300 && span_eq_cstr(d->text, "long, text"));
    CHECK_INT(parse("VYOMA_DRAW:draw_glyph:1,2,255,14,bold,caf\xc3\xa9"), LINES_DRAW);
    CHECK(d->op == DRAW_GLYPHS && d->points == 14 && d->weight == DRAW_BOLD);
    CHECK_INT(parse("VYOMA_DRAW:draw_image:1,2,3,4,icons/a,b.png"), LINES_DRAW);
    CHECK(d->op == DRAW_IMAGE && span_eq_cstr(d->text, "icons/a,b.png"));
    CHECK_INT(parse("VYOMA_DRAW:set_layer_alpha:128"), LINES_DRAW);
    CHECK_INT(d->alpha, 128);
    CHECK_INT(parse("VYOMA_DRAW:rect_border:0,0,1,1,1"), LINES_DRAW);
    CHECK_INT(parse("VYOMA_DRAW:clear_region:0,0,1,1"), LINES_DRAW);
    CHECK_INT(parse("VYOMA_DRAW:flush"), LINES_DRAW);
    CHECK_INT(d->op, DRAW_PRESENT);
    CHECK_INT(parse("VYOMA_DRAW:present\r"), LINES_DRAW);
}

TEST(malformed_drawing)
{
    static const struct { const char *text, *why; } cases[] = {
        { "", "unknown draw command" },
        { "fill_rec:1,2,3,4,5", "unknown draw command" },
        { "fill_rect", "an argument is missing" },
        { "fill_rect:1,2,3,4", "an argument is missing" },
        { "fill_rect:1,2,3,4,5,6", "there are too many arguments" },
        { "fill_rect:1,2,3,4,5,", "there are too many arguments" },
        { "fill_rect:,2,3,4,5", "x must be -32767 to 32767" },
        { "fill_rect:32768,2,3,4,5", "x must be -32767 to 32767" },
        { "fill_rect:1,--2,3,4,5", "y must be -32767 to 32767" },
        { "fill_rect:1,2,-3,4,5", "w must be 0 to 32767" },
        { "fill_rect:1,2,3,99999999999999999999,5", "h must be 0 to 32767" },
        { "fill_rect:1,2,3,4,4294967296",
          "the colour must be R<<24|G<<16|B<<8|A as a number of 32 bits" },
        { "fill_rect: 1,2,3,4,5", "x must be -32767 to 32767" },
        { "fill_rect_r:1,2,3,4,5,x", "radius must be 0 to 32767" },
        { "draw_text:1,2,3", "an argument is missing" },
        { "draw_text:1,2,3,\xff", "the text is not UTF-8" },
        { "draw_text_wrap:1,2,3,4,x,t", "the size must be s, m or l" },
        { "draw_glyph:1,2,3,0,bold,t", "the points must be 1 to 512" },
        { "draw_glyph:1,2,3,9,thin,t", "the weight must be regular, bold or mono" },
        { "draw_image:1,2,3,4,", "the path must have 1 to 256 bytes" },
        { "set_layer_alpha:256", "alpha must be 0 to 255" },
        { "set_layer_alpha:0xfff", "alpha must be 0 to 255" },
        { "flush:now", "there are too many arguments" },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        snprintf(text, sizeof text, "VYOMA_DRAW:%s", cases[i].text);
        CHECK_INT(parse(text), LINES_MALFORMED);
        CHECK_STR(line.error, cases[i].why);
    }
}

TEST(writers)
{
    struct strbuf b;
    memset(text, 0, sizeof text);
    strbuf_init(&b, text, sizeof text - 1);
    lines_write_message(&b, SPAN_LIT("ping"), SPAN_LIT("one\nline\x1b[2J"));
    lines_write_reply(&b, SPAN_LIT("ok"));
    lines_write_system(&b, "draw_version", SPAN_LIT("2"));
    lines_write_screen(&b, 1024, 768);
    lines_write_key(&b, SPAN_LIT("enter"), true);
    lines_write_key(&b, SPAN_LIT("a"), false);
    lines_write_mouse(&b, LINES_MOUSE_MOVE, -1, 2, 0);
    lines_write_mouse(&b, LINES_MOUSE_CLICK, 3, 4, 1);
    lines_write_mouse(&b, LINES_MOUSE_RELEASE, 3, 4, 2);
    lines_write_mouse(&b, LINES_MOUSE_WHEEL, 3, 4, -1);
    CHECK(!b.overflow);
    CHECK_STR(text, "@ping: one?line?[2J\nREPLY:ok\nVYOMA_SYSTEM:draw_version:2\n"
                    "VYOMA_SYSTEM:screen:1024,768\nVYOMA_INPUT:key:enter\nVYOMA_INPUT:keyup:a\n"
                    "VYOMA_INPUT:mouse:move:-1,2\nVYOMA_INPUT:mouse:click:3,4:left\n"
                    "VYOMA_INPUT:mouse:release:3,4:right\nVYOMA_INPUT:mouse:wheel:3,4:up\n");
    strbuf_init(&b, text, 5);
    lines_write_message(&b, SPAN_LIT("ping"), SPAN_LIT("x"));
    CHECK(b.overflow);
}

TEST_MAIN(RUN(plain_text) RUN(messages) RUN(malformed_messages) RUN(reserved) RUN(drawing)
              RUN(malformed_drawing) RUN(writers))
