/* Messages between apps, both ways.
 *
 * Calls (`vyoma` import module): any bytes up to 64 KB, each arrives whole, with its sender's
 * name that nobody can forge. Needs in vyoma.toml:
 *
 *     [capabilities.ipc]
 *     send = ["other-app"]
 *
 * Lines (apps with lines = true in [app]): "@other-app: text" printed on stdout arrives there
 * as "@sender: text" on stdin. Needs the same, and stdio = true. */
#ifndef VYOMA_MSG_H
#define VYOMA_MSG_H

#include <vyoma/io.h>

enum { VY_MSG_MAX = 65536, VY_NAME_MAX = 32 };

#define VY_IMPORT(name) \
    __attribute__((__import_module__("vyoma"), __import_name__(name), __warn_unused_result__))

VY_IMPORT("app_name") int vy_import_app_name(char *buf, size_t cap, size_t *len);
VY_IMPORT("msg_send")
int vy_import_msg_send(const char *dest, size_t dest_len, const void *data, size_t data_len);
VY_IMPORT("msg_recv")
int vy_import_msg_recv(char *from, size_t from_cap, void *data, size_t data_cap, size_t lens[2],
                       int32_t timeout_ms);

/* --- calls ------------------------------------------------------------------- */

/* This app's own name, with a NUL; the buffer holds VY_NAME_MAX + 1. */
VY_FN int vy_own_name(char name[VY_NAME_MAX + 1])
{
    size_t len = 0;
    int err = vy_import_app_name(name, VY_NAME_MAX, &len);
    name[err ? 0 : len] = 0;
    return err;
}

/* __WASI_ERRNO_NOENT no such app, NOTCAPABLE not declared in ipc.send, AGAIN its queue is
 * full, MSGSIZE over VY_MSG_MAX. */
VY_FN int vy_send(const char *dest, const void *data, size_t len)
{
    return vy_import_msg_send(dest, strlen(dest), data, len);
}

/* The next message: its sender, with a NUL, into from; at most cap bytes into data; *len is
 * how many. timeout_ms: -1 waits without end, 0 does not wait. __WASI_ERRNO_AGAIN none there,
 * TIMEDOUT none came, MSGSIZE longer than cap: the message stays and *len says its length. */
VY_FN int vy_recv(char from[VY_NAME_MAX + 1], void *data, size_t cap, size_t *len,
                  int32_t timeout_ms)
{
    size_t lens[2] = { 0, 0 };
    int err = vy_import_msg_recv(from, VY_NAME_MAX, data, cap, lens, timeout_ms);
    from[err ? 0 : lens[0]] = 0;
    *len = lens[1];
    return err;
}

/* --- lines ------------------------------------------------------------------- */

/* Sends text, which holds no line end, as one line. */
VY_FN int vy_send_line(const char *dest, const char *text)
{
    __wasi_ciovec_t v[] = { vy_run("@"), vy_run(dest), vy_run(": "), vy_run(text), vy_run("\n") };
    return vy_writev(VY_STDOUT, v, 5);
}

/* Takes "@sender: text" apart, in place. The text, with *sender set; NULL when the line is
 * not a message. */
VY_FN char *vy_message(char *line, char **sender)
{
    char *colon = line[0] == '@' ? strchr(line, ':') : NULL;
    if (!colon)
        return NULL;
    *colon = 0;
    *sender = line + 1;
    return colon + 1 + (colon[1] == ' ');
}

#endif
