#define _GNU_SOURCE
#include "channel.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "wasi/abi.h"

static uint32_t last_seq;
static volatile sig_atomic_t waits_for_message;

/* Without a supervisor there is nobody to work for, and nobody to tell. */
static _Noreturn void leave(void)
{
    _exit(CTL_EXIT_WORKER);
}

static void tell(struct ctl_msg *m, struct span a, struct span b)
{
    if (ctl_send(CTL_WORKER_FD, m, a, b, NULL, 0) < 0)
        leave();
}

void channel_start(struct ctl_msg *m, uint8_t *data, struct ctl_fds *ret_fds)
{
    if (ctl_recv(CTL_WORKER_FD, m, data, CTL_DATA_MAX, ret_fds, 0) < 0)
        leave();
    if (m->type != CTL_START || ret_fds->count != m->u.start.port_count)
        leave();
}

uint16_t channel_ask(void *ctx, struct ctl_msg *m, struct span a, struct span b, uint8_t *data,
                     int *ret_fd)
{
    struct ctl_fds fds;
    *ret_fd = -1;
    m->seq = ++last_seq;
    waits_for_message = m->type == CTL_MSG_RECV;
    tell(m, a, b);
    if (ctl_recv(CTL_WORKER_FD, m, data, CTL_DATA_MAX, &fds, 0) < 0)
        leave();
    waits_for_message = 0;
    if (m->type != CTL_REPLY || m->seq != last_seq || fds.count > 1)
        leave();
    if (fds.count == 1)
        *ret_fd = fds.fd[0];
    return m->error;
}

bool channel_waits_for_message(void)
{
    return waits_for_message;
}

void channel_trace(void *ctx, struct span line)
{
    struct ctl_msg m = { .type = CTL_TRACE };
    tell(&m, line, SPAN_NONE);
}

void channel_denied(void *ctx, enum wasi_denial what, struct span value)
{
    struct ctl_msg m = { .type = CTL_DENIED };
    m.u.denied.what = what;
    tell(&m, span_take(value, CTL_DENIED_MAX), SPAN_NONE);
}

void channel_running(void)
{
    struct ctl_msg m = { .type = CTL_RUNNING };
    tell(&m, SPAN_NONE, SPAN_NONE);
}

void channel_refused(const struct ctl_refused *why, struct span text, struct span import)
{
    struct ctl_msg m = { .type = CTL_REFUSED };
    m.u.refused = *why;
    tell(&m, text, import);
}

void channel_trapped(const struct eng_trap *trap)
{
    char text[8192];
    struct strbuf b;
    struct ctl_msg m = { .type = CTL_TRAP };
    struct span reason = span_of_cstr(eng_trap_message(trap->code));
    m.u.trap.code = trap->code;
    m.u.trap.depth = trap->depth;
    if (trap->frame_count) {
        m.u.trap.func_index = trap->frames[0].func_index;
        m.u.trap.offset = trap->frames[0].offset;
    }
    strbuf_init(&b, text, sizeof text);
    eng_trap_write(trap, &b);
    tell(&m, reason, strbuf_done(&b));
}
