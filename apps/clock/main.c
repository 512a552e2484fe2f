/* Prints the time (UTC) on the full ten seconds, and answers every message with it.
 *
 *     clock [--once] [--every SECONDS] */
#include <vyoma/args.h>
#include <vyoma/msg.h>
#include <vyoma/time.h>

static struct vy_args args;
static char line_bytes[512];

static const char *time_text(void)
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static char text[40];
    struct vy_date d;
    struct vy_buf b = VY_BUF(text);
    vy_date_from_unix(vy_unix_ns() / 1000000000, &d);
    vy_str(&b, days[d.weekday]);
    const uint32_t parts[] = { d.year, d.month, d.day, d.hour, d.minute, d.second };
    static const char before[] = " --" " ::";
    for (unsigned i = 0; i < 6; i++) {
        vy_char(&b, before[i]);
        vy_u64_pad(&b, parts[i], i ? 2 : 4);
    }
    vy_str(&b, " UTC");
    vy_char(&b, '\0');
    return text;
}

/* Nanoseconds to the next whole multiple of `every` seconds. */
static uint64_t to_next(uint64_t every)
{
    uint64_t every_ns = every * 1000000000;
    return every_ns - vy_unix_ns() % every_ns;
}

/* A line of stdin: a message gets the time as its answer. */
static bool answer(struct vy_lines *in)
{
    char *sender, *line = vy_line(in);
    if (line && vy_message(line, &sender))
        vy_send_line(sender, time_text());
    return line != NULL;
}

int main(void)
{
    struct vy_lines in = VY_LINES(VY_STDIN, line_bytes);
    uint64_t every = 10;
    vy_args_get(&args);
    if (args.count == 2 && strcmp(args.v[1], "--once") == 0) {
        vy_println(time_text());
        return 0;
    }
    const char *n = args.count == 3 && strcmp(args.v[1], "--every") == 0 ? args.v[2] : NULL;
    if (args.count > 1 && (!n || !vy_parse_u64(&n, &every) || *n || !every || every > 86400)) {
        vy_warn("usage: clock [--once] [--every SECONDS]");
        return 64;
    }
    bool listening = true;
    vy_println(time_text());
    for (;;) {
        bool asked = (listening && in.start < in.end) ||
                     vy_wait(listening ? VY_STDIN : -1, to_next(every));
        if (asked)
            listening = answer(&in);
        else
            vy_println(time_text());
    }
}
