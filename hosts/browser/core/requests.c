/* What an app's worker asks for. Nothing in a packet is trusted: JavaScript has checked that
 * its two lengths fit, and this file checks the rest. */
#include <stdlib.h>

#include "base/err.h"
#include "hosts/worker.h"
#include "internal.h"
#include "wasi/host.h"

enum { KEY_MAX = 32 };

static struct span packet_a(void) { return span_of(sys.in.data, sys.in.head.a_len); }

static struct span packet_b(void)
{
    return span_of(sys.in.data + sys.in.head.a_len, sys.in.head.b_len);
}

void request_answer(struct app *a, uint16_t error, struct span ra, struct span rb)
{
    if (!a->has_request)
        return;
    a->has_request = false;
    struct wire_packet *p = &sys.out;
    p->head.op = a->request.op;
    p->head.error = error;
    p->head.a_len = (uint32_t)ra.len;
    p->head.b_len = (uint32_t)rb.len;
    if (ra.len)
        memcpy(p->data, ra.p, ra.len);
    if (rb.len)
        memmove(p->data + ra.len, rb.p, rb.len); /* it may be there already */
    js_answer(a->id, p, sizeof p->head + ra.len + rb.len);
    memset(p->head.number, 0, sizeof p->head.number); /* they are nobody else's */
}

/* --- messages ----------------------------------------------------------------------- */

/* A message that the guest has no room for stays here until it asks with more. */
static void answer_kept(struct app *a)
{
    struct span from = span_of(a->kept, a->kept_from_len);
    struct span data = span_of(a->kept + a->kept_from_len, a->kept_data_len);
    uint32_t from_max = (uint32_t)a->request.number[0], data_max = (uint32_t)a->request.number[1];
    if (from.len > from_max || data.len > data_max) {
        sys.out.head.number[0] = (int32_t)from.len;
        sys.out.head.number[1] = (int32_t)data.len;
        request_answer(a, WASI_MSGSIZE, SPAN_NONE, SPAN_NONE);
        return;
    }
    request_answer(a, WASI_SUCCESS, from, data);
    free(a->kept);
    a->kept = NULL;
}

static void keep_message(struct app *a, struct span from, struct span data)
{
    a->kept = malloc(from.len + data.len + 1);
    if (!a->kept) {
        request_answer(a, WASI_NOMEM, SPAN_NONE, SPAN_NONE);
        return;
    }
    memcpy(a->kept, from.p, from.len);
    if (data.len)
        memcpy(a->kept + from.len, data.p, data.len);
    a->kept_from_len = (uint32_t)from.len;
    a->kept_data_len = (uint32_t)data.len;
    answer_kept(a);
}

/* Core has allowed what has a path. Its record says what the folder's end or bound refused. */
static void perform(struct app *a)
{
    if (!a->in_request) {
        request_answer(a, WASI_IO, SPAN_NONE, SPAN_NONE);
        return;
    }
    enum wasi_errno e = file_request(a, packet_a(), packet_b());
    a->refused_as = e == WASI_NOTCAPABLE || e == WASI_DQUOT ? e : WASI_SUCCESS;
}

/* Core has allowed the destination: the packet still says which. */
static void connect_app(struct app *a)
{
    struct span host = packet_a();
    uint32_t e = WASI_IO;
    if (a->in_request)
        e = js_connect(a->id, host.p, host.len, (uint32_t)a->request.number[0]);
    if (e != WASI_SUCCESS)
        request_answer(a, (uint16_t)e, SPAN_NONE, SPAN_NONE);
}

/* What became of js_connect(): place is where the bytes are when error is 0. */
EXPORT(connected) void do_connected(core_app id, uint32_t error, uint32_t place)
{
    struct app *a = app_find(id);
    if (!a || !a->has_request || a->request.op != WIRE_CONNECT)
        return;
    sys.out.head.number[0] = (int32_t)place;
    request_answer(a, (uint16_t)error, SPAN_NONE, SPAN_NONE);
}

void request_reply(struct app *a, int error, struct span name, struct span bytes)
{
    enum core_path_op op;
    bool receives = a->request.op == WIRE_MSG_RECV;
    if (error < 0)
        request_answer(a, receives && error == E_AGAIN && a->request.number[2] > 0
                              ? WASI_TIMEDOUT
                              : (uint16_t)worker_errno(error), SPAN_NONE, SPAN_NONE);
    else if (file_request_has_path(a->request.op, &op))
        perform(a);
    else if (receives)
        keep_message(a, name, bytes);
    else if (a->request.op == WIRE_CONNECT)
        connect_app(a);
    else
        request_answer(a, WASI_SUCCESS, SPAN_NONE, SPAN_NONE);
}

/* --- last words ----------------------------------------------------------------------- */

static void on_refused(struct app *a)
{
    uint32_t key_len = (uint32_t)a->request.number[1];
    struct span b = packet_b();
    bool denied = a->request.number[0] == 1 && key_len <= KEY_MAX && key_len < b.len;
    struct core_event ev = { .type = denied ? CORE_EV_REFUSED : CORE_EV_TRAPPED,
                             .app = a->id,
                             .text = span_take(packet_a(), 200) };
    if (denied) {
        ev.text = span_take(b, b.len - key_len);
        ev.detail = span_skip(b, b.len - key_len);
    }
    a->refused = true;
    sys_event(&ev);
}

static void on_trap(struct app *a)
{
    char bytes[256];
    struct strbuf b;
    strbuf_init(&b, bytes, sizeof bytes);
    strbuf_cstr(&b, "trap: ");
    strbuf_printable(&b, span_take(packet_a(), 200));
    a->trapped = true;
    a->trap_code = a->request.number[0];
    struct core_event ev = { .type = CORE_EV_TRAPPED,
                             .app = a->id,
                             .text = strbuf_done(&b),
                             .detail = packet_b() };
    sys_event(&ev);
}

static void on_denied(struct app *a)
{
    struct core_event ev = { .type = CORE_EV_DENIED, .app = a->id };
    ev.text = span_take(packet_a(), 255);
    if (worker_denied((uint32_t)a->request.number[0], &ev.denied))
        sys_event(&ev);
}

/* --- requests ------------------------------------------------------------------------ */

static bool fill(struct app *a, struct core_request *r)
{
    *r = (struct core_request){ .id = ++a->request_id, .path = packet_a() };
    if (file_request_has_path(a->request.op, &r->op)) {
        r->type = CORE_REQ_PATH;
        r->for_writing = r->op == CORE_PATH_OPEN && file_request_writes(&a->request);
        if (r->op == CORE_PATH_RENAME || r->op == CORE_PATH_LINK || r->op == CORE_PATH_SYMLINK)
            r->path2 = packet_b();
        return true;
    }
    switch (a->request.op) {
    case WIRE_CONNECT:
        r->type = CORE_REQ_CONNECT;
        r->port = (uint16_t)a->request.number[0];
        return true;
    case WIRE_MSG_SEND:
        r->type = CORE_REQ_MSG_SEND;
        r->data = packet_b();
        return true;
    case WIRE_MSG_RECV:
        r->type = CORE_REQ_MSG_RECV;
        r->timeout_ms = a->request.number[2] < 0 ? -1 : a->request.number[2];
        return true;
    default: return false;
    }
}

static void tell_refused(struct app *a, const struct core_request *request)
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
    a->refused_as = WASI_SUCCESS;
    sys_event(&ev);
}

/* Core may have ended the app meanwhile, and given its place to another. */
static void ask_core(struct app *a, struct core_event *ev)
{
    core_app id = a->id;
    a->in_request = true;
    a->refused_as = WASI_SUCCESS;
    sys_event(ev);
    if (a->id != id)
        return;
    a->in_request = false;
    if (a->refused_as != WASI_SUCCESS)
        tell_refused(a, &ev->request);
}

/* Without a path these two mean what is open. */
static bool is_about_open(const struct wire *w)
{
    return w->op >= WIRE_READ || (w->a_len == 0 && (w->op == WIRE_STAT || w->op == WIRE_SET_TIMES));
}

/* A write that is refused for the app's bound is worth a record. */
static void file_event(struct app *a)
{
    if (a->request.op == WIRE_SYNC) {
        file_sync(a);
        return;
    }
    if (file_request(a, packet_a(), packet_b()) != WASI_DQUOT)
        return;
    struct core_event ev = { .type = CORE_EV_DENIED, .app = a->id, .denied = CORE_DENIED_DATA,
                             .text = SPAN_LIT("fd_write") };
    sys_event(&ev);
}

/* The app's packet is in sys.in, its lengths within WIRE_DATA_MAX. */
EXPORT(request) void do_request(core_app id)
{
    struct app *a = app_find(id);
    struct core_event ev = { .type = CORE_EV_REQUEST, .app = id };
    if (!a || a->has_request)
        return;
    a->request = sys.in.head;
    a->has_request = true;
    bool last_word = a->request.op == WIRE_REFUSED || a->request.op == WIRE_TRAP;
    if (last_word && !a->refused && !a->trapped) {
        if (a->request.op == WIRE_REFUSED)
            on_refused(a);
        else
            on_trap(a);
    } else if (a->request.op == WIRE_DENIED) {
        on_denied(a);
    } else if (a->request.op == WIRE_MSG_RECV && a->kept) {
        answer_kept(a);
    } else if (is_about_open(&a->request)) {
        file_event(a);
        return;
    } else if (fill(a, &ev.request)) {
        ask_core(a, &ev);
        return;
    }
    request_answer(a, WASI_SUCCESS, SPAN_NONE, SPAN_NONE);
}
