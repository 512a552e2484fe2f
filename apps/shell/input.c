#include "input.h"

#include <vyoma/time.h>

/* How long a line that has begun may stay without its end. */
static const uint64_t LINE_PATIENCE_NS = 30000000;

enum look { LOOK_KEY, LOOK_LINE, LOOK_UNSURE };

/* What do the unread bytes begin with? *len: of the line, without its '\n'. */
static enum look look(const struct input *in, size_t *len)
{
    static const char *const starts[] = { "REPLY:", "VYOMA_", "@" };
    const char *p = in->bytes + in->start;
    size_t have = in->end - in->start;
    bool may = false;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        size_t n = strlen(starts[i]);
        may |= memcmp(p, starts[i], n < have ? n : have) == 0;
    }
    if (!may)
        return LOOK_KEY;
    for (size_t i = 0; i < have; i++) {
        *len = i;
        if (p[i] == '\n')
            return LOOK_LINE;
        if ((uint8_t)p[i] < 32 && p[i] != '\t')
            return LOOK_KEY;
    }
    return have == INPUT_BYTES ? LOOK_KEY : LOOK_UNSURE;
}

/* Reads more. 0, or nonzero at the end of the input. */
static int fill(struct input *in)
{
    memmove(in->bytes, in->bytes + in->start, in->end - in->start);
    in->end -= in->start;
    in->start = 0;
    __wasi_iovec_t v = { (uint8_t *)in->bytes + in->end, sizeof in->bytes - in->end };
    __wasi_size_t n = 0;
    int err = __wasi_fd_read(VY_STDIN, &v, 1, &n);
    in->end += err ? 0 : n;
    return err || n == 0;
}

static enum input_kind take_key(struct input *in, uint8_t *key)
{
    *key = (uint8_t)in->bytes[in->start++];
    return INPUT_KEY;
}

bool input_waits(const struct input *in)
{
    return in->start < in->end || vy_wait(VY_STDIN, 0);
}

enum input_kind input_next(struct input *in, uint64_t timeout_ns, uint8_t *key, char **line)
{
    for (;;) {
        bool some = in->start < in->end;
        size_t len = 0;
        enum look l = some ? look(in, &len) : LOOK_UNSURE;
        if (l == LOOK_KEY)
            return take_key(in, key);
        if (l == LOOK_LINE) {
            *line = in->bytes + in->start;
            (*line)[len] = 0;
            in->start += len + 1;
            return INPUT_LINE;
        }
        if (!vy_wait(VY_STDIN, some ? LINE_PATIENCE_NS : timeout_ns))
            return some ? take_key(in, key) : INPUT_IDLE;
        if (fill(in))
            return some ? take_key(in, key) : INPUT_END;
    }
}
