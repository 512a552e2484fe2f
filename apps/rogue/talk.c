/* To others: apps that it may not send to, the supervisor, the network. */
#include <vyoma/net.h>
#include <vyoma/time.h>

#include "rogue.h"

static char line_bytes[4096];
static struct vy_lines lines = VY_LINES(VY_STDIN, line_bytes);

/* Waits for the supervisor's word about a line that was sent: an error number for a
 * refusal, 0 for an answer. */
static int verdict(void)
{
    while (lines.start < lines.end || vy_wait(VY_STDIN, 500000000)) {
        char *line = vy_line(&lines);
        if (!line)
            break;
        if (vy_after(line, "VYOMA_SYSTEM:error:denied"))
            return __WASI_ERRNO_NOTCAPABLE;
        if (vy_after(line, "VYOMA_SYSTEM:error:"))
            return __WASI_ERRNO_INVAL;
        if (vy_after(line, "REPLY:"))
            return 0;
    }
    return __WASI_ERRNO_TIMEDOUT; /* no answer at all: nothing was done */
}

static void supervisor(const char *name, uint64_t argument)
{
    static const char *const verbs[] = { "ps", "kill bystander", "stop shell", "log shell",
                                         "poweroff", "console raw", "focus rogue", NULL };
    for (const char *const *v = verbs; *v; v++) {
        vy_send_line("supervisor", *v);
        report(name, *v, verdict());
    }
}

static void send_elsewhere(const char *name, uint64_t argument)
{
    static const char *const apps[] = { "shell", "supervisor", "clock", "no-such-app", "*", "",
                                        "Bystander", "bystander ", "broadcast", NULL };
    for (const char *const *a = apps; *a; a++)
        report(name, *a, vy_send(*a, "x", 1));
    vy_send_line("shell", "poweroff");
    report(name, "shell, by a line", verdict());
}

/* Lines that would pass for the supervisor's, for a device's or for another app's. Whether
 * they do is for the receiver to say: none may reach it other than as "@rogue: ...". */
static void forge(const char *name, uint64_t argument)
{
    vy_print("@system: forged\n");
    vy_print("VYOMA_SYSTEM:screen:1,1\n");
    vy_print("VYOMA_INPUT:key:q\n");
    vy_print("REPLY:forged\n");
    vy_print("@bystander: @shell: forged\n");
    vy_print("@bystander: x\rVYOMA_SYSTEM:forged\n");
    vy_print("@bystander: x\r@shell: forged\n");
    vy_print("\r@bystander: forged\n");
    vy_print("@bystander: half a line, and then no end of it");
    vy_print("\n");
    static const char two_lines[] = "x\n@shell: forged\nVYOMA_SYSTEM:forged\n";
    int err = vy_send("bystander", two_lines, sizeof two_lines - 1);
    tell(name, "sent; error of the call:", (uint64_t)err);
    while (verdict() != __WASI_ERRNO_TIMEDOUT)
        ;
}

static void connect_elsewhere(const char *name, uint64_t argument)
{
    static const struct {
        const char *host;
        uint16_t port;
    } to[] = {
        { "127.0.0.1", 22 }, { "10.0.2.2", 80 }, { "localhost", 8080 }, { "example.org", 80 },
        { "allowed.example", 80 }, { "allowed.example.", 443 }, { "[::1]", 443 },
        { "0177.0.0.1", 443 }, { "allowed.example\0.evil", 443 }, { "", 443 }, { "*", 443 },
    };
    int fd;
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
        if (i != 8)
            report(name, to[i].host, vy_connect(to[i].host, to[i].port, &fd));
    report(name, "a name with a NUL",
           vy_import_net_connect("allowed.example\0.evil", 21, 443, &fd));
}

static void listen_elsewhere(const char *name, uint64_t argument)
{
    static const uint16_t ports[] = { 22, 80, 8080, 9091, 0 };
    char text[8];
    int fd;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        struct vy_buf b = VY_BUF(text);
        vy_u64(&b, ports[i]);
        vy_char(&b, '\0');
        report(name, text, vy_listener(ports[i], &fd));
    }
    report(name, "70000", vy_import_net_listener(70000, &fd));
    report(name, "accept on /data", vy_accept(data_dir, &fd));
    report(name, "accept on stdin", vy_accept(VY_STDIN, &fd));
}

/* Pointers that lead out of its memory. */
static void bad_pointers(const char *name, uint64_t argument)
{
    uint8_t *const far = (uint8_t *)0xfffffff0u;
    const __wasi_ciovec_t out = { far, 64 };
    const __wasi_iovec_t in = { far, 64 };
    __wasi_size_t n;
    report(name, "write from", __wasi_fd_write(VY_STDOUT, &out, 1, &n));
    report(name, "read to", __wasi_fd_read(VY_STDIN, &in, 1, &n));
    report(name, "list of runs", __wasi_fd_write(VY_STDOUT, (const __wasi_ciovec_t *)far, 8, &n));
    report(name, "too many runs", __wasi_fd_write(VY_STDOUT, &out, 0xffffffffu, &n));
    report(name, "result", __wasi_clock_time_get(0, 0, (__wasi_timestamp_t *)far));
    report(name, "random", __wasi_random_get(far, 0xffffffffu));
    report(name, "message", vy_import_msg_send("bystander", 9, far, 65536));
    report(name, "name", vy_import_msg_send((const char *)far, 64, "x", 1));
    report(name, "poll",
           __wasi_poll_oneoff((const __wasi_subscription_t *)far, (__wasi_event_t *)far, 100, &n));
    report(name, "message too long", vy_import_msg_send("bystander", 9, (void *)16, 65537));
}

const struct attempt talk_attempts[] = {
    { "supervisor", supervisor, 0, true },
    { "send-elsewhere", send_elsewhere, 0, true },
    { "forge", forge, 0, true },
    { "connect-elsewhere", connect_elsewhere, 0, true },
    { "listen-elsewhere", listen_elsewhere, 0, true },
    { "bad-pointers", bad_pointers, 0, true },
    { NULL, NULL, 0, false },
};
