/* WASI beside one app, in the app's worker: struct wasi_host over what JavaScript gives
 * (page/app-worker.js), and the app's memory, which belongs to the browser's engine. */
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "internal.h"

/* Bytes of the app's memory. */
JS(guest_size) double js_guest_size(void);
JS(guest_get) void js_guest_get(void *to, uint32_t from, size_t len);
JS(guest_put) void js_guest_put(uint32_t to, const void *from, size_t len);

JS(clock) double js_clock(uint32_t id); /* nanoseconds */
JS(random) void js_random(void *p, size_t len);

/* Block. Counts; 0 of a read is the end of input. WOULD_BLOCK, STOPPED. */
JS(stream_read) int32_t js_stream_read(void *p, size_t len, uint32_t nonblock);
JS(stream_write) int32_t js_stream_write(uint32_t fd, const void *p, size_t len,
                                         uint32_t nonblock);
/* Waits until one of them is ready or the time has passed (below 0: without end), and fills in the
 * rest. 0, or STOPPED. */
struct js_pollfd {
    int32_t handle;
    uint32_t write, ready, nbytes, hangup;
};
JS(poll) int32_t js_poll(struct js_pollfd *fds, size_t n, double timeout_ms);
/* Sends the packet and waits for the answer in its place; STOPPED. */
JS(ask) int32_t js_ask(void);

struct app app;

/* --- asking ------------------------------------------------------------------------ */

enum wasi_errno ask(enum wire_op op, struct span a, struct span b)
{
    struct wire_packet *p = &app.packet;
    base_assert(a.len + b.len <= WIRE_DATA_MAX);
    p->head.op = (uint16_t)op;
    p->head.error = 0;
    p->head.a_len = (uint32_t)a.len;
    p->head.b_len = (uint32_t)b.len;
    if (a.len)
        memmove(p->data, a.p, a.len);
    if (b.len)
        memmove(p->data + a.len, b.p, b.len);
    return js_ask() == STOPPED ? WASI_INTR : (enum wasi_errno)p->head.error;
}

void set_numbers(int32_t a, int32_t b, int32_t c)
{
    app.packet.head.number[0] = a;
    app.packet.head.number[1] = b;
    app.packet.head.number[2] = c;
    app.packet.head.number[3] = 0;
}

/* --- struct wasi_host ---------------------------------------------------------------- */

static enum wasi_errno clock_resolution(void *ctx, enum wasi_clock id, uint64_t *ret)
{
    *ret = 5000; /* what a page that is isolated gets */
    return WASI_SUCCESS;
}

static enum wasi_errno clock_now(void *ctx, enum wasi_clock id, uint64_t *ret)
{
    *ret = (uint64_t)js_clock(id);
    return WASI_SUCCESS;
}

static enum wasi_errno random_bytes(void *ctx, void *p, size_t len)
{
    js_random(p, len);
    return WASI_SUCCESS;
}

static enum wasi_errno counted(int32_t n, size_t *ret)
{
    if (n < 0)
        return n == STOPPED ? WASI_INTR : WASI_AGAIN;
    *ret = (size_t)n;
    return WASI_SUCCESS;
}

static uint32_t is_nonblocking(int32_t h) { return app.nonblocking >> h & 1; }

/* The window holds what a list names run by run, so one transfer serves all of it. */
static enum wasi_errno stream_read(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                   size_t *ret)
{
    size_t len = iovs_total(iov, n);
    *ret = 0;
    if (is_file(h))
        return file_read(h, UINT64_MAX, iov, n, ret);
    if (is_socket(h))
        return socket_read(h, iov, n, false, ret);
    return len ? counted(js_stream_read(iov[0].p, len, is_nonblocking(h)), ret) : WASI_SUCCESS;
}

static enum wasi_errno stream_write(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                    size_t *ret)
{
    size_t len = iovs_total(iov, n);
    *ret = 0;
    if (is_file(h))
        return file_write(h, UINT64_MAX, iov, n, ret);
    if (is_socket(h))
        return socket_write(h, iov, n, ret);
    return len ? counted(js_stream_write((uint32_t)h, iov[0].p, len, is_nonblocking(h)), ret)
               : WASI_SUCCESS;
}

static enum wasi_errno stream_close(void *ctx, int32_t h)
{
    socket_close(h);
    return is_file(h) ? file_close(h) : WASI_SUCCESS;
}

static enum wasi_errno set_flags(void *ctx, int32_t h, uint16_t fdflags)
{
    if (is_file(h))
        return file_set_flags(h, fdflags);
    if (h > 2) {
        socket_set_flags(h, fdflags);
        return WASI_SUCCESS;
    }
    app.nonblocking &= ~(1u << h);
    app.nonblocking |= (fdflags & WASI_FDFLAG_NONBLOCK ? 1u : 0u) << h;
    return WASI_SUCCESS;
}

static enum wasi_errno stat(void *ctx, int32_t h, struct wasi_filestat *ret)
{
    if (is_file(h))
        return file_stat(h, SPAN_NONE, true, ret);
    *ret = (struct wasi_filestat){ .ino = (uint64_t)h + 1, .nlink = 1 };
    return WASI_SUCCESS;
}

static enum wasi_errno poll(void *ctx, struct wasi_pollfd *fds, size_t n, uint64_t timeout_ns)
{
    static struct js_pollfd list[WASI_POLL_MAX];
    double ms = timeout_ns == UINT64_MAX ? -1 : (double)timeout_ns / 1e6;
    size_t count = 0;
    base_assert(n <= WASI_POLL_MAX);
    for (size_t i = 0; i < n; i++) {
        fds[i].ready = is_file(fds[i].handle);
        if (fds[i].ready)
            ms = 0; /* a file always is */
        else
            list[count++] = (struct js_pollfd){ .handle = fds[i].handle, .write = fds[i].write };
    }
    if (js_poll(list, count, ms) == STOPPED)
        return WASI_INTR;
    for (size_t i = 0, at = 0; i < n; i++) {
        if (is_file(fds[i].handle))
            continue;
        fds[i].ready = list[at].ready;
        fds[i].nbytes = list[at].nbytes;
        fds[i].hangup = list[at++].hangup;
    }
    return WASI_SUCCESS;
}

static enum wasi_errno net_connect(void *ctx, struct span host, uint16_t port, int32_t *ret)
{
    set_numbers(port, 0, 0);
    enum wasi_errno e = ask(WIRE_CONNECT, host, SPAN_NONE);
    if (e == WASI_SUCCESS)
        *ret = socket_connected(app.packet.head.number[0]);
    return e;
}

static enum wasi_errno msg_send(void *ctx, struct span to, struct span data)
{
    return ask(WIRE_MSG_SEND, to, data);
}

static enum wasi_errno msg_recv(void *ctx, struct wasi_iov from, struct wasi_iov data,
                                int32_t timeout_ms, size_t *ret_from, size_t *ret_data)
{
    const struct wire *head = &app.packet.head;
    set_numbers((int32_t)from.len, (int32_t)data.len, timeout_ms);
    enum wasi_errno e = ask(WIRE_MSG_RECV, SPAN_NONE, SPAN_NONE);
    if (e == WASI_MSGSIZE) {
        *ret_from = (size_t)head->number[0];
        *ret_data = (size_t)head->number[1];
    }
    if (e != WASI_SUCCESS)
        return e;
    if (head->a_len > from.len || head->b_len > data.len)
        return WASI_IO;
    memcpy(from.p, app.packet.data, head->a_len);
    memcpy(data.p, app.packet.data + head->a_len, head->b_len);
    *ret_from = head->a_len;
    *ret_data = head->b_len;
    return WASI_SUCCESS;
}

static void denied(void *ctx, enum wasi_denial what, struct span value)
{
    set_numbers((int32_t)what, 0, 0);
    (void)ask(WIRE_DENIED, span_take(value, 255), SPAN_NONE);
}

static void remote_get(void *ctx, void *to, uint32_t from, size_t len)
{
    js_guest_get(to, from, len);
}

static void remote_put(void *ctx, uint32_t to, const void *from, size_t len)
{
    js_guest_put(to, from, len);
}

/* --- what JavaScript calls ------------------------------------------------------------ */

EXPORT(packet) void *do_packet(void) { return &app.packet; }
EXPORT(packet_size) size_t do_packet_size(void) { return sizeof app.packet; }
EXPORT(scratch) void *do_scratch(void) { return app.scratch; }
EXPORT(args) void *do_args(void) { return app.args; }

static void prepare_host(void)
{
    app.host = (struct wasi_host){
        .clock_resolution = clock_resolution, .clock_now = clock_now, .random = random_bytes,
        .close = stream_close, .read = stream_read, .write = stream_write,
        .set_flags = set_flags, .stat = stat, .poll = poll,
        .net_connect = net_connect, .msg_send = msg_send, .msg_recv = msg_recv, .denied = denied,
    };
    file_ops(&app.host);
    socket_ops(&app.host);
    app.remote = (struct wasi_remote){ .get = remote_get, .put = remote_put,
                                       .window = app.window };
    app.guest.remote = &app.remote;
}

/* b of WIRE_START: arguments, then the environment. */
static int set_strings(struct span strings, uint32_t arg_count, uint32_t env_count)
{
    size_t at = 0;
    for (uint32_t i = 0; i < arg_count && at < strings.len; i++)
        at += span_find(span_skip(strings, at), 0) + 1;
    struct wasi_strings a = { span_take(strings, at), arg_count };
    struct wasi_strings env = { span_skip(strings, at), env_count };
    int r = wasi_set_args(&app.wasi, a);
    return r == E_OK ? wasi_set_env(&app.wasi, env) : r;
}

/* Behind the name and a NUL, two bytes each. */
static void add_listeners(struct span ports)
{
    for (size_t i = 0; i + 1 < ports.len && i / 2 < LISTENERS_MAX; i += 2)
        wasi_add_listener(&app.wasi, LISTENER + (int32_t)(i / 2),
                          (uint16_t)(ports.p[i] | ports.p[i + 1] << 8));
}

/* WIRE_START is in the packet. 0, or below: it is malformed. */
EXPORT(start) int32_t do_start(void)
{
    const struct wire *h = &app.packet.head;
    uint32_t files = h->number[1] ? (uint32_t)h->number[1] : FILES_DEFAULT;
    memcpy(app.start, app.packet.data, h->a_len + h->b_len);
    struct span a = span_of(app.start, h->a_len), name = span_take(a, span_find(a, 0));
    struct span ports = span_skip(a, name.len + 1);
    uint32_t born_with = WASI_FD_FIRST + 1 + (uint32_t)ports.len / 2; /* stdio, /data, listeners */
    files = files > WASI_FD_MAX - born_with ? WASI_FD_MAX : files + born_with;
    prepare_host();
    wasi_init(&app.wasi, &app.host, app.fds, files);
    app.wasi.app_name = name;
    app.caps = (uint32_t)h->number[0];
    if (app.caps & WASI_CAP_STDIO)
        for (uint32_t fd = 0; fd <= 2; fd++) /* its C library is to write lines one by one */
            wasi_add_stdio(&app.wasi, fd, (int32_t)fd, fd != 0);
    if (app.caps & WASI_CAP_FILESYSTEM)
        wasi_add_preopen(&app.wasi, FILE_FIRST, SPAN_LIT("/data"));
    add_listeners(ports);
    return set_strings(span_of(app.start + h->a_len, h->b_len), (uint32_t)h->number[2],
                       (uint32_t)h->number[3]);
}

/* Prepares the last word about an import that could not be linked. */
void refuse_import(struct span module, struct span name)
{
    char import_text[256], text_bytes[512];
    struct strbuf import, text;
    struct wasi_need need;
    strbuf_init(&import, import_text, sizeof import_text);
    strbuf_init(&text, text_bytes, sizeof text_bytes);
    int r = wasi_refuse_import(module, name, &import, &text, &need);
    struct span key = need.key ? span_of_cstr(need.key) : SPAN_NONE;
    size_t import_len = import.len;
    strbuf_span(&import, key);
    base_assert(import.len == import_len + key.len);
    set_numbers(r == E_DENIED, (int32_t)key.len, 0);
    (void)ask(WIRE_REFUSED, strbuf_done(&text), strbuf_done(&import));
}

/* One import of the module: its two names are in scratch. Its number, or below 0: it does not
 * exist for this app, and core has been told. */
EXPORT(import) int32_t do_import(size_t module_len, size_t name_len, uint32_t is_function)
{
    struct span module = span_of(app.scratch, module_len);
    struct span name = span_of(app.scratch + module_len, name_len);
    const struct wasi_function *f = is_function ? wasi_function_find(module, name) : NULL;
    bool exists = f && (!f->any_of || (f->any_of & app.caps));
    if (!exists || app.import_count == base_countof(app.imports)) {
        refuse_import(module, name);
        return E_NOENT;
    }
    app.imports[app.import_count] = f;
    return (int32_t)app.import_count++;
}

/* NUL-terminated letters, i or I; see wasi/wasi.h. */
EXPORT(import_params) const char *do_import_params(uint32_t i) { return app.imports[i]->params; }
EXPORT(import_returns) uint32_t do_import_returns(uint32_t i) { return app.imports[i]->returns; }

/* The import's arguments are in args(). Its errno, or one of these. */
enum { CALL_EXITED = -1, CALL_INTERRUPTED = -2 };
EXPORT(call) int32_t do_call(uint32_t i)
{
    app.guest.size = (uint64_t)js_guest_size();
    enum wasi_errno e = wasi_function_call(app.imports[i], &app.wasi, &app.guest, app.args);
    if (app.wasi.exited)
        return CALL_EXITED;
    return e == WASI_INTR ? CALL_INTERRUPTED : (int32_t)e;
}

EXPORT(exit_code) uint32_t do_exit_code(void)
{
    return app.wasi.exit_code > 255 ? 255 : app.wasi.exit_code;
}

/* A last word: reason and backtrace are in scratch. code: enum eng_trap_code. */
EXPORT(trapped) void do_trapped(int32_t code, size_t reason_len, size_t trace_len)
{
    set_numbers(code, 0, 0);
    (void)ask(WIRE_TRAP, span_of(app.scratch, reason_len),
              span_of(app.scratch + reason_len, trace_len));
}

/* The module is no good: why is in scratch. */
EXPORT(refused) void do_refused(size_t len)
{
    set_numbers(0, 0, 0);
    (void)ask(WIRE_REFUSED, span_of(app.scratch, len), SPAN_NONE);
}
