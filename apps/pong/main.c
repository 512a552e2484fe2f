/* Sends every message back to its sender.
 *
 * It waits for calls, so that it costs nothing while idle. The message "lines" makes it wait
 * for lines instead, until none has come for a while. */
#include <vyoma/msg.h>
#include <vyoma/time.h>

static const uint64_t LINES_PATIENCE_NS = 2000000000;

static char data[VY_MSG_MAX];
static char line_bytes[4096 + 1];

/* Is there a line, or is one coming in time? */
static bool line_due(const struct vy_lines *in)
{
    return memchr(in->p + in->start, '\n', in->end - in->start) ||
           vy_wait(VY_STDIN, LINES_PATIENCE_NS);
}

static void echo_lines(struct vy_lines *in)
{
    while (line_due(in)) {
        char *line = vy_line(in);
        if (!line)
            return;
        char *sender, *text = vy_message(line, &sender);
        if (text)
            vy_send_line(sender, text);
    }
}

int main(void)
{
    struct vy_lines in = VY_LINES(VY_STDIN, line_bytes);
    char from[VY_NAME_MAX + 1];
    size_t len;
    for (;;) {
        int err = vy_recv(from, data, sizeof data, &len, -1);
        if (err)
            return err;
        if (vy_send(from, data, len) == 0 && len == 5 && memcmp(data, "lines", 5) == 0)
            echo_lines(&in);
    }
}
