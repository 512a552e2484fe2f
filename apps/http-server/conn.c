#include "conn.h"

#include "response.h"
#include "status.h"

enum {
    ROUNDS = 32, /* requests and pieces for one connection before others have their turn */
    BODY_BYTES_MAX = 65536, /* of a request's body that is read past */
};

static const uint64_t SECOND = 1000000000;
static const uint64_t IDLE_NS = 30 * SECOND, HEAD_NS = 10 * SECOND, SEND_NS = 30 * SECOND;
static const uint64_t LINGER_NS = 2 * SECOND, YIELD_NS = SECOND;

void conn_open(struct conn *c, int fd, uint64_t now_ns)
{
    memset(c, 0, offsetof(struct conn, in));
    c->state = CONN_OPEN;
    c->fd = fd;
    c->deadline_ns = now_ns + IDLE_NS;
}

static void drop_source(struct conn *c)
{
    if (c->source)
        source_release(c->source);
    c->source = NULL;
    c->source_left = 0;
}

static void free_now(struct conn *c)
{
    drop_source(c);
    (void)!__wasi_fd_close(c->fd);
    c->state = CONN_FREE;
}

static void linger(struct conn *c, uint64_t now_ns)
{
    (void)!__wasi_sock_shutdown(c->fd, __WASI_SDFLAGS_WR);
    c->state = CONN_CLOSING;
    c->deadline_ns = now_ns + LINGER_NS;
}

/* --- answering ------------------------------------------------------------------ */

static void respond(struct conn *c, struct response *r)
{
    struct vy_buf b = { c->out, sizeof c->out, 0, false };
    response_write(&b, r);
    c->out_start = 0;
    c->out_len = (uint32_t)b.len;
    c->close_after = !r->keep_alive;
}

static void refuse(struct conn *c, int status, bool head_only, bool keep_alive)
{
    struct response r = { .status = status, .head_only = head_only, .keep_alive = keep_alive };
    respond(c, &r);
}

/* Answers with a source that this connection has become a user of. */
static void send_source(struct conn *c, struct response *r, struct source *s)
{
    respond(c, r);
    c->source = s;
    c->source_at = r->from;
    c->source_left = r->head_only || r->status == 304 || r->status == 416 ? 0 : r->count;
    if (!c->source_left)
        drop_source(c);
}

static void answer_status(struct conn *c, bool keep_alive)
{
    struct source *s = status_source(c->json);
    struct response r = { .status = 200, .keep_alive = keep_alive, .head_only = c->head_only,
                          .source = s, .count = s->size };
    c->state = CONN_OPEN;
    send_source(c, &r, s);
}

static void ask_status(struct conn *c, const struct request *q, uint64_t now_ns)
{
    c->json = strcmp(q->path, "status.json") == 0;
    c->head_only = q->method == REQUEST_HEAD;
    c->close_after = !q->keep_alive;
    enum status_answer answer = status_ask(now_ns);
    if (answer == STATUS_READY)
        answer_status(c, q->keep_alive);
    else if (answer == STATUS_NONE)
        refuse(c, 503, c->head_only, q->keep_alive);
    else
        c->state = CONN_WAITS_STATUS;
}

static struct source welcome = {
    .text = "<!doctype html><title>Vyoma</title><h1>It works</h1>"
            "<p>Put an index.html into the app's /data folder, or look at what runs: "
            "<a href=\"/status\">status</a>.\n",
    .type = "text/html; charset=utf-8",
};

/* The folder's own page for "" and "a/b/". False: the name is too long. */
static bool add_index(char path[REQUEST_PATH_MAX + 1])
{
    size_t n = strlen(path);
    if (n && path[n - 1] != '/')
        return true;
    if (n + sizeof "index.html" > REQUEST_PATH_MAX + 1)
        return false;
    memcpy(path + n, "index.html", sizeof "index.html");
    return true;
}

static void answer_file(struct conn *c, struct request *q, uint64_t now_ns)
{
    struct response r = { .keep_alive = q->keep_alive, .head_only = q->method == REQUEST_HEAD,
                          .location = q->path };
    struct source *s = NULL;
    bool is_root = !q->path[0];
    int status = add_index(q->path) ? source_open(q->path, now_ns, &s) : 414;
    if (status == 404 && is_root) {
        s = &welcome;
        s->size = strlen(s->text);
        s->users++;
        status = 0;
    }
    if (status) {
        r.status = status;
        respond(c, &r);
        return;
    }
    response_decide(&r, q, s);
    send_source(c, &r, s);
}

static void answer(struct conn *c, struct request *q, uint64_t now_ns)
{
    if (q->body_bytes > BODY_BYTES_MAX) {
        refuse(c, 413, q->method == REQUEST_HEAD, false);
        return;
    }
    c->skip = q->body_bytes;
    if (q->expects_continue && q->body_bytes)
        q->keep_alive = false; /* whether the body will come is not known */
    if (strcmp(q->path, "status") == 0 || strcmp(q->path, "status.json") == 0)
        ask_status(c, q, now_ns);
    else
        answer_file(c, q, now_ns);
}

/* --- moving bytes ---------------------------------------------------------------- */

static void consume(struct conn *c, uint32_t n)
{
    c->in_len -= n;
    memmove(c->in, c->in + n, c->in_len);
}

/* Takes the next request out of `in`. False: there is none. */
static bool next_request(struct conn *c, uint64_t now_ns)
{
    static struct request q;
    uint32_t skip = c->skip < c->in_len ? (uint32_t)c->skip : c->in_len;
    consume(c, skip);
    c->skip -= skip;
    int n = c->skip ? 0 : request_parse(c->in, c->in_len, &q);
    if (n == 0)
        return false;
    c->head_begun = false;
    c->deadline_ns = now_ns + SEND_NS;
    if (n < 0) {
        c->in_len = 0;
        refuse(c, -n, q.method == REQUEST_HEAD, false);
        return true;
    }
    consume(c, (uint32_t)n);
    answer(c, &q, now_ns);
    return true;
}

/* False: nothing more can be read for now, or the connection is gone. */
static bool receive(struct conn *c, uint64_t now_ns)
{
    __wasi_iovec_t v = { (uint8_t *)c->in + c->in_len, sizeof c->in - c->in_len };
    __wasi_size_t n = 0;
    int err = __wasi_fd_read(c->fd, &v, 1, &n);
    if (err == __WASI_ERRNO_AGAIN)
        return false;
    if (err || n == 0) {
        free_now(c);
        return false;
    }
    c->in_len += n;
    if (!c->head_begun)
        c->deadline_ns = now_ns + HEAD_NS;
    c->head_begun = true;
    return true;
}

/* False: the connection cannot take more for now, or is gone. */
static bool send_out(struct conn *c, uint64_t now_ns)
{
    __wasi_ciovec_t v = { (uint8_t *)c->out + c->out_start, c->out_len - c->out_start };
    __wasi_size_t n = 0;
    int err = __wasi_fd_write(c->fd, &v, 1, &n);
    if (err == __WASI_ERRNO_AGAIN)
        return false;
    if (err) {
        free_now(c);
        return false;
    }
    c->out_start += n;
    c->deadline_ns = now_ns + SEND_NS;
    return c->out_start == c->out_len;
}

/* Puts what fits of the body behind what is in `out`. */
static void fill_out(struct conn *c)
{
    size_t room = sizeof c->out - c->out_len;
    size_t want = room < c->source_left ? room : (size_t)c->source_left;
    size_t n = source_read(c->source, c->source_at, c->out + c->out_len, want);
    c->out_len += (uint32_t)n;
    c->source_at += n;
    c->source_left -= n;
    if (n == 0) { /* the file has become shorter than was promised: all that is left is to end */
        c->source_left = 0;
        c->close_after = true;
    }
    if (!c->source_left)
        drop_source(c);
}

static void discard(struct conn *c)
{
    for (int i = 0; i < ROUNDS; i++) {
        __wasi_iovec_t v = { (uint8_t *)c->in, sizeof c->in };
        __wasi_size_t n = 0;
        int err = __wasi_fd_read(c->fd, &v, 1, &n);
        if (err == __WASI_ERRNO_AGAIN)
            return;
        if (err || n == 0) {
            free_now(c);
            return;
        }
    }
}

/* One step. False: there is nothing to do without an event. */
static bool step(struct conn *c, uint64_t now_ns)
{
    if (c->source && c->out_len < sizeof c->out)
        fill_out(c);
    if (c->out_start < c->out_len) {
        c->wants_write = !send_out(c, now_ns);
        if (c->state != CONN_OPEN || c->wants_write)
            return false;
        c->out_start = c->out_len = 0;
        if (!c->source) {
            c->deadline_ns = now_ns + (c->in_len ? HEAD_NS : IDLE_NS);
            c->head_begun = c->in_len != 0;
        }
        return true;
    }
    if (c->close_after) {
        linger(c, now_ns);
        return false;
    }
    return next_request(c, now_ns) ? c->state == CONN_OPEN : receive(c, now_ns);
}

void conn_pump(struct conn *c, uint64_t now_ns)
{
    c->ready = false;
    if (c->state == CONN_CLOSING) {
        discard(c);
        return;
    }
    if (c->state == CONN_WAITS_STATUS) {
        enum status_answer answer = status_ask(now_ns);
        if (answer == STATUS_WAIT)
            return;
        c->state = CONN_OPEN;
        if (answer == STATUS_READY)
            answer_status(c, !c->close_after);
        else
            refuse(c, 503, c->head_only, !c->close_after);
    }
    for (int i = 0; i < ROUNDS; i++)
        if (!step(c, now_ns))
            return;
    c->ready = true;
}

void conn_timeout(struct conn *c, uint64_t now_ns)
{
    if (c->state == CONN_OPEN && c->head_begun && !c->out_len) {
        c->head_begun = false;
        refuse(c, 408, false, false);
        conn_pump(c, now_ns);
    } else {
        free_now(c);
    }
}

uint64_t conn_yields_at(const struct conn *c)
{
    if (c->state != CONN_OPEN || c->out_len || c->source || c->ready)
        return UINT64_MAX;
    return c->deadline_ns - (c->head_begun ? HEAD_NS : IDLE_NS) + YIELD_NS;
}

void conn_close(struct conn *c)
{
    free_now(c);
}
