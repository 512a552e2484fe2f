/* Counts round trips to an app that echoes and says how long they take.
 *
 *     ping [--lines] [--count N] [--size N] [APP] */
#include <vyoma/args.h>
#include <vyoma/msg.h>
#include <vyoma/time.h>

enum { TRIES = 50, TRY_MS = 100, ANSWER_MS = 2000, SIZE_MAX_LINES = 1024 };

struct options {
    const char *to;
    bool lines;
    uint64_t count, size;
};

static struct vy_args args;
static char out[VY_MSG_MAX], in_bytes[VY_MSG_MAX];
static char line_bytes[4096 + 1];
static struct vy_lines lines = VY_LINES(VY_STDIN, line_bytes);

static int usage(void)
{
    vy_warn("usage: ping [--lines] [--count N] [--size BYTES] [APP]");
    return 64;
}

static bool number(const char *s, uint64_t max, uint64_t *ret)
{
    return s && vy_parse_u64(&s, ret) && !*s && *ret >= 1 && *ret <= max;
}

static bool parse(struct options *o)
{
    *o = (struct options){ .to = "pong", .count = 1000, .size = 8 };
    for (int i = 1; i < args.count; i++) {
        const char *a = args.v[i];
        bool ok = true;
        if (strcmp(a, "--lines") == 0)
            o->lines = true;
        else if (strcmp(a, "--count") == 0)
            ok = number(args.v[++i], 100000000, &o->count);
        else if (strcmp(a, "--size") == 0)
            ok = number(args.v[++i], VY_MSG_MAX, &o->size);
        else if (a[0] == '-')
            ok = false;
        else
            o->to = a;
        if (!ok)
            return false;
    }
    return !o->lines || o->size <= SIZE_MAX_LINES;
}

/* One round trip by calls: 0 or an error. */
static int trip_call(const struct options *o)
{
    char from[VY_NAME_MAX + 1];
    size_t len = 0;
    int err = vy_send(o->to, out, o->size);
    while (!err) {
        err = vy_recv(from, in_bytes, sizeof in_bytes, &len, ANSWER_MS);
        if (!err && strcmp(from, o->to) == 0 && len == o->size && memcmp(in_bytes, out, len) == 0)
            return 0;
    }
    return err;
}

static int trip_line(const struct options *o)
{
    out[o->size] = 0;
    int err = vy_send_line(o->to, out);
    while (!err) {
        if (lines.start == lines.end && !vy_wait(VY_STDIN, (uint64_t)ANSWER_MS * 1000000))
            return __WASI_ERRNO_TIMEDOUT;
        char *line = vy_line(&lines), *sender;
        if (!line)
            return __WASI_ERRNO_PIPE;
        char *text = vy_message(line, &sender);
        if (text && strcmp(sender, o->to) == 0 && strcmp(text, out) == 0)
            return 0;
    }
    return err;
}

/* The other may still be starting. */
static int first_trip(const struct options *o)
{
    struct options hello = *o;
    memcpy(out, "lines", 6);
    hello.size = o->lines ? 5 : 1;
    int err = 0;
    for (int i = 0; i < TRIES; i++) {
        err = trip_call(&hello);
        if (err != __WASI_ERRNO_NOENT)
            break;
        vy_sleep_ms(TRY_MS);
    }
    return err;
}

static void report(const struct options *o, uint64_t done, uint64_t ns)
{
    char text[200];
    struct vy_buf b = VY_BUF(text);
    vy_str(&b, "ping: ");
    vy_u64(&b, done);
    vy_str(&b, o->lines ? " round trips by lines with " : " round trips by calls with ");
    vy_str(&b, o->to);
    vy_str(&b, ", ");
    vy_u64(&b, o->size);
    vy_str(&b, " bytes: ");
    uint64_t each = done ? ns / done : 0;
    vy_u64(&b, each / 1000);
    vy_char(&b, '.');
    vy_u64(&b, each / 100 % 10);
    vy_str(&b, " us each, ");
    vy_u64(&b, ns ? done * 1000000000 / ns : 0);
    vy_str(&b, " a second\n");
    vy_flush(&b, VY_STDOUT);
}

static int fail(const struct options *o, int err)
{
    char text[200];
    struct vy_buf b = VY_BUF(text);
    vy_str(&b, "ping: ");
    vy_str(&b, o->to);
    vy_str(&b, err == __WASI_ERRNO_NOENT        ? ": no such app is running"
               : err == __WASI_ERRNO_NOTCAPABLE ? ": not listed in send of [capabilities.ipc]"
               : err == __WASI_ERRNO_TIMEDOUT   ? ": no answer"
                                                : ": error ");
    if (b.p[b.len - 1] == ' ')
        vy_u64(&b, (uint64_t)err);
    vy_char(&b, '\n');
    vy_flush(&b, VY_STDERR);
    return 1;
}

int main(void)
{
    struct options o;
    vy_args_get(&args);
    if (!parse(&o))
        return usage();
    int err = first_trip(&o);
    memset(out, 'x', o.size);
    uint64_t done = 0, start = vy_now_ns();
    for (; !err && done < o.count; done++)
        err = o.lines ? trip_line(&o) : trip_call(&o);
    uint64_t took = vy_now_ns() - start;
    if (err)
        return fail(&o, err);
    report(&o, done, took);
    return 0;
}
