/* The control channel, the supervisor's end: what a worker says, and what it is answered.
 *
 * Nothing that arrives here is trusted. ctl_recv has checked lengths; this file checks
 * meaning: known types, one open request at a time, ids in range. Whoever breaks a rule
 * has lost control of itself and is killed. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/worker.h"
#include "internal.h"
#include "requests.h"
#include "wasi/abi.h"
#include "wasi/host.h"

/* --- starting ------------------------------------------------------------------- */

/* An app that talks in lines must have its C library write them one by one, whatever is
 * behind the pipe; the foreground app is told what is really there. */
static uint32_t stream_flags(const struct sup *s, const struct app *a)
{
    const struct console *c = &s->console;
    if (!sup_is_foreground(s, a))
        return CTL_START_TTY1 | CTL_START_TTY2;
    return (c->in_is_tty ? CTL_START_TTY0 : 0u) | (c->out.is_tty ? CTL_START_TTY1 : 0u) |
           (c->err.is_tty ? CTL_START_TTY2 : 0u) | (s->o->trace ? CTL_START_TRACE : 0u) |
           (s->o->fuel ? CTL_START_FUEL : 0u);
}

static uint32_t start_flags(const struct sup *s, const struct app *a)
{
    uint32_t flags = stream_flags(s, a);
    if (a->code_fd >= 0 || a->code_kept)
        flags |= CTL_START_COMPILE | (a->threads > 1 ? CTL_START_THREADS : 0u);
    return flags | (a->code_kept ? CTL_START_CODE_KEPT : 0u) |
           (s->o->unhardened ? CTL_START_UNHARDENED : 0u);
}

static void put_string(struct strbuf *b, struct span text)
{
    strbuf_span(b, text);
    strbuf_span(b, span_of("", 1));
}

/* argv[0] is the name; then args and env as the manifest has them. */
static struct span start_strings(struct sup *s, const struct app *a, const struct manifest *m,
                                 struct ctl_msg *msg)
{
    struct strbuf b;
    strbuf_init(&b, (char *)s->reply, CTL_DATA_MAX - CTL_NAME_MAX);
    put_string(&b, span_of_cstr(a->name));
    for (uint32_t i = 0; i < m->args_count; i++)
        put_string(&b, m->args[i]);
    for (uint32_t i = 0; i < m->env_count; i++) {
        strbuf_span(&b, m->env[i].name);
        strbuf_char(&b, '=');
        put_string(&b, m->env[i].value);
    }
    msg->u.start.arg_count = (uint16_t)(m->args_count + 1);
    msg->u.start.env_count = (uint16_t)m->env_count;
    return b.overflow ? SPAN_NONE : strbuf_done(&b);
}

int control_send_start(struct sup *s, struct app *a, const struct core_grants *grants,
                       const struct ctl_fds *sockets)
{
    const struct manifest *m = grants->manifest;
    struct ctl_msg msg = { .type = CTL_START };
    uint64_t pages = grants->memory_bytes / 65536;
    struct span strings = start_strings(s, a, m, &msg);
    snprintf(s->why, sizeof s->why, "the worker could not be told what to run");
    if (!strings.len)
        return E_LIMIT;
    msg.u.start.caps = worker_caps(m);
    msg.u.start.flags = start_flags(s, a);
    msg.u.start.fuel = s->o->fuel;
    msg.u.start.memory_pages = pages > 65536 ? 65536 : (uint32_t)pages;
    msg.u.start.open_files = grants->open_files;
    msg.u.start.port_count = (uint16_t)sockets->count;
    for (uint32_t i = 0; i < sockets->count; i++)
        msg.u.start.ports[i] = m->network.ports[i];
    return ctl_send(a->ctl.fd, &msg, span_of_cstr(a->name), strings, sockets, MSG_DONTWAIT);
}

/* --- answering ------------------------------------------------------------------ */

static void violation(struct sup *s, struct app *a, const char *what)
{
    char text[128];
    core_app id = a->id;
    snprintf(text, sizeof text, "control channel: %s, killed", what);
    struct core_event ev = { .type = CORE_EV_TRAPPED,
                             .app = id,
                             .error = E_MALFORMED,
                             .text = span_of_cstr(text) };
    sup_watch_close(s, &a->ctl);
    worker_kill(s, a);
    sup_event(s, &ev);
}

void control_answer(struct sup *s, struct app *a, struct ctl_msg *m, struct span ra,
                    struct span rb, int fd)
{
    struct ctl_fds fds = { .fd = { fd }, .count = fd >= 0 ? 1u : 0u };
    if (a->ctl.fd < 0 || !a->has_request)
        return;
    m->type = CTL_REPLY;
    m->seq = a->request.seq;
    a->has_request = false;
    /* A worker with one open request has room for one answer; if not it is up to something. */
    if (ctl_send(a->ctl.fd, m, ra, rb, &fds, MSG_DONTWAIT) < 0)
        worker_kill(s, a);
}

void control_fail(struct sup *s, struct app *a, uint16_t wasi_error)
{
    struct ctl_msg m = { .error = wasi_error };
    control_answer(s, a, &m, SPAN_NONE, SPAN_NONE, -1);
}

/* --- messages --------------------------------------------------------------------- */

static bool fits(const struct app *a, size_t from_len, size_t data_len)
{
    const struct ctl_recv_wish *wish = &a->request.u.recv;
    return from_len <= wish->from_max && data_len <= wish->data_max;
}

static void answer_sizes(struct sup *s, struct app *a, uint32_t from_len, uint32_t data_len)
{
    struct ctl_msg m = { .error = WASI_MSGSIZE };
    m.u.sizes.from_len = from_len;
    m.u.sizes.data_len = data_len;
    control_answer(s, a, &m, SPAN_NONE, SPAN_NONE, -1);
}

/* A message that the guest has no room for stays here until it asks with more. */
static void deliver_message(struct sup *s, struct app *a, struct span from, struct span data)
{
    struct ctl_msg m = { 0 };
    if (fits(a, from.len, data.len)) {
        control_answer(s, a, &m, from, data, -1);
        return;
    }
    a->kept_message = malloc(from.len + data.len + 1);
    if (!a->kept_message) {
        control_fail(s, a, WASI_NOMEM);
        return;
    }
    memcpy(a->kept_message, from.p, from.len);
    if (data.len)
        memcpy(a->kept_message + from.len, data.p, data.len);
    a->kept_from_len = (uint32_t)from.len;
    a->kept_data_len = (uint32_t)data.len;
    answer_sizes(s, a, a->kept_from_len, a->kept_data_len);
}

static void answer_kept(struct sup *s, struct app *a)
{
    struct ctl_msg m = { 0 };
    if (!fits(a, a->kept_from_len, a->kept_data_len)) {
        answer_sizes(s, a, a->kept_from_len, a->kept_data_len);
        return;
    }
    control_answer(s, a, &m, span_of(a->kept_message, a->kept_from_len),
                   span_of(a->kept_message + a->kept_from_len, a->kept_data_len), -1);
    free(a->kept_message);
    a->kept_message = NULL;
}

void control_reply(struct sup *s, struct app *a, uint32_t id, int error, struct span name,
                   struct span bytes)
{
    if (!a->has_request || a->request.seq != id)
        return;
    if (error < 0)
        control_fail(s, a, a->request.type == CTL_MSG_RECV && error == E_AGAIN &&
                                   a->request.u.recv.timeout_ms > 0
                               ? WASI_TIMEDOUT
                               : worker_errno(error));
    else if (a->request.type == CTL_MSG_RECV)
        deliver_message(s, a, name, bytes);
    else if (a->request.type == CTL_MSG_SEND)
        control_fail(s, a, WASI_SUCCESS);
    else if (!a->in_request) /* the packet's bytes are gone: core must not wait with these */
        control_fail(s, a, WASI_IO);
    else
        request_perform(s, a);
}

/* --- listening -------------------------------------------------------------------- */

/* An import that is not granted is a refusal that core explains; a module that is no good is
 * told as the worker told it. Either way it never ran. */
static void on_refused(struct sup *s, struct app *a, const struct ctl_msg *m)
{
    char key[sizeof m->u.refused.key + 1] = "";
    struct span import = ctl_b(m, s->packet);
    memcpy(key, m->u.refused.key, sizeof m->u.refused.key);
    a->refused = true;
    bool denied = key[0] && import.len;
    char bytes[256];
    struct strbuf why;
    strbuf_init(&why, bytes, sizeof bytes);
    if (m->u.refused.offset) { /* as vyoma check says it */
        strbuf_cstr(&why, "the module, at byte ");
        strbuf_u64(&why, m->u.refused.offset);
        strbuf_cstr(&why, ": ");
    }
    strbuf_printable(&why, span_take(ctl_a(m, s->packet), 200));
    struct core_event ev = { .type = denied ? CORE_EV_REFUSED : CORE_EV_TRAPPED,
                             .app = a->id,
                             .text = denied ? import : strbuf_done(&why),
                             .detail = span_of_cstr(denied ? key : "") };
    sup_event(s, &ev);
}

static void on_trap(struct sup *s, struct app *a, const struct ctl_msg *m)
{
    char bytes[256];
    struct strbuf b;
    strbuf_init(&b, bytes, sizeof bytes);
    strbuf_cstr(&b, "trap: ");
    strbuf_printable(&b, span_take(ctl_a(m, s->packet), 200));
    a->trapped = true;
    a->trap_code = (int32_t)m->u.trap.code;
    struct core_event ev = { .type = CORE_EV_TRAPPED,
                             .app = a->id,
                             .count = m->u.trap.offset,
                             .text = strbuf_done(&b),
                             .detail = ctl_b(m, s->packet) };
    sup_event(s, &ev);
}

/* A worker that was refused or has trapped exits. Each packet makes a record or a line for
 * people, so that one who goes on talking could push everything else out of the audit log. */
static void on_last_word(struct sup *s, struct app *a, const struct ctl_msg *m)
{
    if (a->refused || a->trapped)
        violation(s, a, "more than one last word");
    else if (m->type == CTL_REFUSED)
        on_refused(s, a, m);
    else
        on_trap(s, a, m);
}

static void on_trace(struct sup *s, struct app *a, const struct ctl_msg *m)
{
    char bytes[512];
    struct strbuf b;
    if (!s->o->trace || !sup_is_foreground(s, a))
        return;
    strbuf_init(&b, bytes, sizeof bytes);
    strbuf_cstr(&b, "trace: ");
    strbuf_printable(&b, span_take(ctl_a(m, s->packet), 400));
    strbuf_char(&b, '\n');
    tty_write(s, CORE_STDERR, strbuf_done(&b));
}

/* Core counts what comes in floods, and an app's share of our time bounds how many we read. */
static void on_denied(struct sup *s, struct app *a, const struct ctl_msg *m)
{
    enum core_denied denied;
    if (!worker_denied(m->u.denied.what, &denied) || m->a_len > CTL_DENIED_MAX) {
        violation(s, a, "malformed packet");
        return;
    }
    struct core_event ev = { .type = CORE_EV_DENIED,
                             .app = a->id,
                             .denied = denied,
                             .text = ctl_a(m, s->packet) };
    sup_event(s, &ev);
}

/* Only the kernel knows where a path ends up; core keeps the record of it. Of two paths
 * either may be the one. */
static void tell_refused(struct sup *s, struct app *a, const struct core_request *request)
{
    char bytes[256];
    struct strbuf b;
    strbuf_init(&b, bytes, sizeof bytes);
    worker_refused_paths(&b, request);
    struct core_event ev = { .type = CORE_EV_DENIED,
                             .app = a->id,
                             .denied = a->refused_as == WASI_DQUOT ? CORE_DENIED_DATA
                                                                   : CORE_DENIED_ESCAPE,
                             .text = strbuf_done(&b) };
    a->refused_as = 0;
    sup_event(s, &ev);
}

static void on_request(struct sup *s, struct app *a, const struct ctl_msg *m)
{
    if (a->has_request) {
        violation(s, a, "a second request before the answer to the first");
        return;
    }
    a->request = *m;
    a->has_request = true;
    if (m->type == CTL_MSG_RECV && a->kept_message) {
        answer_kept(s, a);
        return;
    }
    struct core_event ev = { .type = CORE_EV_REQUEST, .app = a->id };
    if (!request_fill(m, s->packet, &ev.request)) {
        a->in_request = true;
        request_perform(s, a); /* about what core has allowed already: reading an open folder */
        a->in_request = false;
        return;
    }
    a->in_request = true;
    a->refused_as = 0;
    sup_event(s, &ev);
    a->in_request = false;
    if (a->refused_as && a->id == ev.app)
        tell_refused(s, a, &ev.request);
}

void control_readable(struct sup *s, struct app *a)
{
    struct ctl_msg m;
    if (a->ctl.fd < 0)
        return;
    int r = ctl_recv(a->ctl.fd, &m, s->packet, CTL_DATA_MAX, NULL, MSG_DONTWAIT);
    if (r == E_AGAIN)
        return;
    if (r == E_MALFORMED) {
        violation(s, a, "malformed packet");
        return;
    }
    if (r < 0) {
        sup_watch_close(s, &a->ctl);
        worker_finish(s, a);
        return;
    }
    switch (m.type) {
    case CTL_RUNNING: code_sealed(s, a); break;
    case CTL_REFUSED:
    case CTL_TRAP: on_last_word(s, a, &m); break;
    case CTL_TRACE: on_trace(s, a, &m); break;
    case CTL_DENIED: on_denied(s, a, &m); break;
    default:
        if (request_known(m.type))
            on_request(s, a, &m);
        else
            violation(s, a, "unknown packet");
        break;
    }
}

void control_close(struct sup *s, struct app *a)
{
    sup_watch_close(s, &a->ctl);
    net_connect_cancel(s, a);
    a->has_request = false;
    free(a->kept_message);
    a->kept_message = NULL;
    if (a->paths)
        paths_free(a->paths);
    a->paths = NULL;
}
