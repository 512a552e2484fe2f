/* libFuzzer target: one line of an app's output. */
#include <stdint.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "formats/lines.h"
#include "formats/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool within(struct span part, const uint8_t *data, size_t size)
{
    return part.len == 0 || (part.p >= data && part.p + part.len <= data + size);
}

static void check_draw(const struct draw_command *d)
{
    base_assert(d->x >= -LINES_COORDINATE_MAX && d->x <= LINES_COORDINATE_MAX);
    base_assert(d->y >= -LINES_COORDINATE_MAX && d->y <= LINES_COORDINATE_MAX);
    base_assert(d->w <= LINES_SIZE_MAX && d->h <= LINES_SIZE_MAX && d->radius <= LINES_SIZE_MAX);
    base_assert(d->points <= LINES_POINTS_MAX && utf8_valid(d->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lines line;
    char text[4096];
    struct strbuf b;
    lines_parse(span_of(data, size), &line);
    base_assert(within(line.dest, data, size) && within(line.text, data, size));
    base_assert((line.type == LINES_MALFORMED) == (line.error != NULL));
    if (line.type == LINES_MESSAGE)
        base_assert(manifest_name_valid(line.dest));
    if (line.type == LINES_DRAW) {
        base_assert(within(line.draw.text, data, size));
        check_draw(&line.draw);
    }
    /* What is delivered is one line, whatever was sent. */
    strbuf_init(&b, text, sizeof text);
    lines_write_message(&b, SPAN_LIT("a"), line.text);
    if (!b.overflow)
        base_assert(span_find(strbuf_done(&b), '\n') == b.len - 1);
    return 0;
}
