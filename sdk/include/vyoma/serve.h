/* A main() for apps that answer requests of one line: the arguments are one request
 * (`vyoma run calculator -- 1 + 2`); without arguments each line of stdin is one; and with
 * lines = true each message is one, whose answer goes to its sender. */
#ifndef VYOMA_SERVE_H
#define VYOMA_SERVE_H

#include <vyoma/args.h>
#include <vyoma/msg.h>

enum { VY_REQUEST_MAX = 4096, VY_LINE_MAX = 4000 };

/* Writes the answer to `text`, lines divided by '\n', to out. 0, or the exit code with which
 * the app ends when this was its only request. May change text. */
typedef int (*vy_handler)(char *text, struct vy_buf *out);

/* Sends each line of `answer` to `to`. */
VY_FN void vy_answer(const char *to, struct vy_buf *answer)
{
    char *line = answer->p, *end = answer->p + answer->len;
    while (line < end) {
        char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t len = (size_t)((stop ? stop : end) - line);
        __wasi_ciovec_t v[] = { vy_run("@"), vy_run(to), vy_run(": "),
                                { (const uint8_t *)line, len }, vy_run("\n") };
        if (len > VY_LINE_MAX)
            v[3] = vy_run("the answer is too long for a message");
        vy_writev(VY_STDOUT, v, 5);
        line += len + 1;
    }
}

VY_FN int vy_serve(vy_handler handle, struct vy_buf *out)
{
    static struct vy_args args;
    static char bytes[VY_REQUEST_MAX + 1];
    vy_args_get(&args);
    if (args.count > 1) {
        struct vy_buf request = { bytes, VY_REQUEST_MAX, 0, false };
        for (int i = 1; i < args.count; i++) {
            vy_str(&request, i > 1 ? " " : "");
            vy_str(&request, args.v[i]);
        }
        bytes[request.len] = 0;
        int code = handle(bytes, out);
        vy_flush(out, code ? VY_STDERR : VY_STDOUT);
        return code;
    }
    struct vy_lines in = VY_LINES(VY_STDIN, bytes);
    for (char *line; (line = vy_line(&in));) {
        char *sender = NULL, *text = vy_message(line, &sender);
        if (text ? !*text : !*line || vy_after(line, "VYOMA_"))
            continue;
        handle(text ? text : line, out);
        if (text) {
            vy_answer(sender, out);
            out->len = 0;
        } else {
            vy_flush(out, VY_STDOUT);
        }
    }
    return 0;
}

#endif
