/* One WebSocket and the connection behind it. Whoever is slow is waited for: neither side is read
 * while there is no room for what it may say. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wslay/wslay.h>

#include "bridge.h"
#include "hosts/linux/resolve.h"
#include "hosts/linux/wasi_errno.h"

enum { GREET_MS = 10 * 1000, CONNECT_MS = 30 * 1000, CLOSE_MS = 10 * 1000, PIECE = 16 * 1024,
       QUEUED_MAX = 64,    /* messages for the page */
       READS_A_TURN = 32,  /* of 4 KiB: others wait */
};

enum state { HEAD, TARGET, CONNECTING, OPEN, CLOSING };

struct relay {
    const struct bridge_options *o;
    enum state state;
    int page, peer; /* -1: none */
    uint64_t now_ms, until_ms; /* of the state; 0: without end */
    wslay_event_context_ptr ws;
    uint8_t head[BRIDGE_HEAD_MAX]; /* the request, and what came with it of the next layer */
    size_t head_len, head_used;
    char reply_bytes[512];
    struct strbuf reply;
    size_t reply_sent;
    bool refused;               /* the reply is the last word */
    uint8_t bytes[BRIDGE_BUFFER]; /* for the peer: len of them at `at` */
    size_t at, len;
    size_t unacked; /* sent to the page and not taken by its app */
    unsigned reads; /* of this turn */
    bool page_is_done, peer_is_told, peer_is_done, is_ending;
};

static void enter(struct relay *r, enum state state, uint64_t ms)
{
    r->state = state;
    r->until_ms = ms ? r->now_ms + ms : 0;
}

/* --- to the page -------------------------------------------------------------------------- */

static void tell(struct relay *r, uint8_t opcode, const void *p, size_t len)
{
    struct wslay_event_msg m = { opcode, p, len };
    if (wslay_event_queue_msg(r->ws, &m) != 0)
        enter(r, CLOSING, CLOSE_MS);
}

/* The close goes out when all else has: the library would send it first, and nothing after it. */
static void end(struct relay *r)
{
    r->is_ending = true;
    enter(r, CLOSING, CLOSE_MS);
}

static void close_when_sent(struct relay *r)
{
    if (!r->is_ending || wslay_event_get_queued_msg_count(r->ws))
        return;
    wslay_event_queue_close(r->ws, WSLAY_CODE_NORMAL_CLOSURE, NULL, 0);
    r->is_ending = false;
}

static void answer(struct relay *r, enum wasi_errno error, const char *what)
{
    char bytes[128];
    struct strbuf b;
    strbuf_init(&b, bytes, sizeof bytes);
    strbuf_u64(&b, (uint64_t)error);
    strbuf_char(&b, ' ');
    strbuf_cstr(&b, what);
    tell(r, WSLAY_TEXT_FRAME, bytes, b.len);
    if (error == WASI_SUCCESS)
        enter(r, OPEN, 0);
    else
        end(r);
}

/* --- the other side ----------------------------------------------------------------------- */

static void connected(struct relay *r)
{
    int err = 0;
    socklen_t len = sizeof err;
    if (getsockopt(r->peer, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
        err = errno;
    if (err)
        answer(r, wasi_errno_of(err), strerror(err));
    else
        answer(r, WASI_SUCCESS, "connected");
}

static void connect_to(struct relay *r, struct span host, uint16_t port)
{
    struct sockaddr_storage addr;
    socklen_t len;
    int one = 1;
    if (!resolve_at_once(host, port, &addr, &len)) {
        answer(r, WASI_HOSTUNREACH, "the host's name is not known here");
        return;
    }
    r->peer = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (r->peer >= 0)
        setsockopt(r->peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (r->peer >= 0 && connect(r->peer, (struct sockaddr *)&addr, len) == 0)
        answer(r, WASI_SUCCESS, "connected");
    else if (r->peer >= 0 && errno == EINPROGRESS)
        enter(r, CONNECTING, CONNECT_MS);
    else
        answer(r, wasi_errno_of(errno), strerror(errno));
}

/* "APP\nHOST\nPORT" */
static void take_target(struct relay *r, struct span text)
{
    size_t app_len = span_find(text, '\n');
    struct span app = span_take(text, app_len), rest = span_skip(text, app_len + (app_len < text.len));
    size_t host_len = span_find(rest, '\n');
    struct span host = span_take(rest, host_len);
    uint32_t port = 0;
    rest = span_skip(rest, host_len + (host_len < rest.len));
    for (size_t i = 0; i < rest.len && port <= UINT16_MAX; i++) {
        bool is_digit = rest.p[i] >= '0' && rest.p[i] <= '9';
        port = is_digit ? port * 10 + (uint32_t)(rest.p[i] - '0') : UINT32_MAX;
    }
    if (port == 0 || port > UINT16_MAX) {
        answer(r, WASI_INVAL, "app, host and port are wanted, a line each");
        return;
    }
    enum wasi_errno e = rules_ask(r->o, app, host, (uint16_t)port);
    if (e == WASI_SUCCESS)
        connect_to(r, host, (uint16_t)port);
    else
        answer(r, e, e == WASI_NOENT ? "the bridge knows no such app"
                                     : "network.connect of its manifest does not list that");
}

static void read_peer(struct relay *r)
{
    uint8_t piece[PIECE];
    ssize_t n = recv(r->peer, piece, sizeof piece, 0);
    if (n < 0) {
        if (errno != EAGAIN && errno != EINTR)
            end(r); /* without "eof": it was cut off */
        return;
    }
    if (n > 0) {
        r->unacked += (size_t)n;
        tell(r, WSLAY_BINARY_FRAME, piece, (size_t)n);
        return;
    }
    r->peer_is_done = true;
    tell(r, WSLAY_TEXT_FRAME, "eof", 3);
}

static void write_peer(struct relay *r)
{
    ssize_t n = r->len ? send(r->peer, r->bytes + r->at, r->len, MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) { /* it wants no more */
        r->len = 0;
        end(r);
        return;
    }
    if (n > 0) {
        r->at += (size_t)n;
        r->len -= (size_t)n;
    }
    if (!r->len && r->page_is_done && !r->peer_is_told) {
        shutdown(r->peer, SHUT_WR);
        r->peer_is_told = true;
    }
}

/* --- from the page ------------------------------------------------------------------------- */

static size_t room(const struct relay *r) { return BRIDGE_BUFFER - r->len; }

/* What is asked of the page's side at once, answers to its pings among them. */
static bool queue_is_short(const struct relay *r)
{
    return wslay_event_get_queued_msg_count(r->ws) < QUEUED_MAX;
}

/* For the largest message, and what can come with it in one read. */
static bool may_read(const struct relay *r)
{
    return room(r) >= BRIDGE_MESSAGE_MAX + BRIDGE_HEAD_MAX && queue_is_short(r);
}

static void keep(struct relay *r, struct span bytes)
{
    if (bytes.len > room(r)) {
        end(r);
        return;
    }
    if (r->at + r->len + bytes.len > BRIDGE_BUFFER) {
        memmove(r->bytes, r->bytes + r->at, r->len);
        r->at = 0;
    }
    if (bytes.len)
        memcpy(r->bytes + r->at + r->len, bytes.p, bytes.len);
    r->len += bytes.len;
}

/* "ack N"; false: it is not. */
static bool take_ack(struct relay *r, struct span text)
{
    size_t n = 0;
    if (text.len < 5 || text.len > 12 || memcmp(text.p, "ack ", 4) != 0)
        return false;
    for (size_t i = 4; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        n = n * 10 + (size_t)(text.p[i] - '0');
    }
    if (n > r->unacked)
        return false;
    r->unacked -= n;
    return true;
}

static void take_text(struct relay *r, struct span text)
{
    if (span_eq_cstr(text, "shutdown"))
        r->page_is_done = true;
    else if (!take_ack(r, text))
        end(r);
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *m,
                       void *ctx)
{
    struct relay *r = ctx;
    struct span bytes = span_of(m->msg, m->msg_length);
    (void)ws;
    if (wslay_is_ctrl_frame(m->opcode))
        return;
    if (r->state == TARGET && m->opcode == WSLAY_TEXT_FRAME)
        take_target(r, bytes);
    else if (r->state == OPEN && m->opcode == WSLAY_TEXT_FRAME)
        take_text(r, bytes);
    else if (r->state == OPEN && m->opcode == WSLAY_BINARY_FRAME && !r->page_is_done)
        keep(r, bytes);
    else if (r->state != CLOSING)
        end(r); /* out of turn */
}

static ssize_t on_read(wslay_event_context_ptr ws, uint8_t *p, size_t len, int flags, void *ctx)
{
    struct relay *r = ctx;
    size_t left = r->head_len - r->head_used;
    (void)flags;
    if (len > BRIDGE_HEAD_MAX)
        len = BRIDGE_HEAD_MAX;
    if (left) {
        left = left < len ? left : len;
        memcpy(p, r->head + r->head_used, left);
        r->head_used += left;
        return (ssize_t)left;
    }
    bool may = may_read(r) && r->reads < READS_A_TURN;
    ssize_t n = may ? recv(r->page, p, len, 0) : -1;
    r->reads++;
    if (n > 0)
        return n;
    bool waits = !may || (n < 0 && (errno == EAGAIN || errno == EINTR));
    wslay_event_set_error(ws, waits ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_write(wslay_event_context_ptr ws, const uint8_t *p, size_t len, int flags,
                        void *ctx)
{
    struct relay *r = ctx;
    int more = flags & WSLAY_MSG_MORE ? MSG_MORE : 0;
    ssize_t n = send(r->page, p, len, more | MSG_NOSIGNAL);
    if (n < 0)
        wslay_event_set_error(ws, errno == EAGAIN || errno == EINTR ? WSLAY_ERR_WOULDBLOCK
                                                                    : WSLAY_ERR_CALLBACK_FAILURE);
    return n;
}

/* --- the handshake ------------------------------------------------------------------------- */

static bool open_websocket(struct relay *r)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_read, .send_callback = on_write, .on_msg_recv_callback = on_message,
    };
    if (wslay_event_context_server_init(&r->ws, &callbacks, r) != 0)
        return false;
    wslay_event_config_set_max_recv_msg_length(r->ws, BRIDGE_MESSAGE_MAX);
    enter(r, TARGET, GREET_MS);
    return true;
}

/* The bytes up to and with the empty line; 0: they are not all there. */
static size_t head_end(const struct relay *r)
{
    const uint8_t *end = memmem(r->head, r->head_len, "\r\n\r\n", 4);
    return end ? (size_t)(end - r->head) + 4 : 0;
}

static bool read_head(struct relay *r)
{
    ssize_t n = recv(r->page, r->head + r->head_len, sizeof r->head - r->head_len, 0);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    r->head_len += (size_t)n;
    size_t len = head_end(r);
    if (!len)
        return n > 0 && r->head_len < sizeof r->head;
    r->head_used = len;
    r->refused = handshake_answer(span_of(r->head, len), r->o->key, &r->reply) != 101;
    return r->refused || open_websocket(r);
}

/* False: the socket is no more. */
static bool write_reply(struct relay *r)
{
    while (r->reply_sent < r->reply.len) {
        ssize_t n = send(r->page, r->reply_bytes + r->reply_sent, r->reply.len - r->reply_sent,
                         MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN || errno == EINTR;
        r->reply_sent += (size_t)n;
    }
    return !r->refused;
}

/* --- its life ------------------------------------------------------------------------------ */

struct relay *relay_new(const struct bridge_options *o, int fd, uint64_t now_ms)
{
    struct relay *r = calloc(1, sizeof *r);
    if (!r) {
        close(fd);
        return NULL;
    }
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one); /* its machine may vanish */
    r->o = o;
    r->page = fd;
    r->peer = -1;
    r->now_ms = now_ms;
    strbuf_init(&r->reply, r->reply_bytes, sizeof r->reply_bytes);
    enter(r, HEAD, GREET_MS);
    return r;
}

void relay_free(struct relay *r)
{
    if (r->ws)
        wslay_event_context_free(r->ws);
    if (r->peer >= 0)
        close(r->peer);
    close(r->page);
    free(r);
}

static bool replies(const struct relay *r) { return r->reply_sent < r->reply.len; }

static bool page_has_room(const struct relay *r)
{
    return r->unacked < BRIDGE_WINDOW && queue_is_short(r);
}

int relay_events(struct relay *r, short *page_events, int *peer_fd, short *peer_events)
{
    *page_events = *peer_events = 0;
    *peer_fd = r->peer;
    if (!r->ws || replies(r)) {
        *page_events = replies(r) ? POLLOUT : POLLIN;
        return r->page;
    }
    if (wslay_event_want_read(r->ws) && may_read(r))
        *page_events |= POLLIN;
    else
        *page_events |= POLLRDHUP; /* the end of one who cannot be read now */
    if (wslay_event_want_write(r->ws))
        *page_events |= POLLOUT;
    if (r->state == CONNECTING)
        *peer_events = POLLOUT;
    if (r->state == OPEN && !r->peer_is_done && page_has_room(r))
        *peer_events |= POLLIN;
    if (r->peer >= 0 && (r->len || (r->page_is_done && !r->peer_is_told)))
        *peer_events |= POLLOUT;
    if (!*peer_events)
        *peer_fd = -1; /* an end that was seen would be reported at every turn */
    return r->page;
}

static bool time_is_up(struct relay *r)
{
    if (!r->until_ms || r->now_ms < r->until_ms)
        return false;
    if (r->state != CONNECTING)
        return true;
    answer(r, WASI_TIMEDOUT, "nobody answers there");
    return false;
}

static void turn_peer(struct relay *r, short ready)
{
    if (!ready || r->peer < 0)
        return;
    if (r->state == CONNECTING) {
        connected(r);
        return;
    }
    if (r->state == OPEN && !r->peer_is_done && ready & (POLLIN | POLLHUP | POLLERR) &&
        page_has_room(r))
        read_peer(r);
    if (ready & POLLOUT)
        write_peer(r);
}

/* What the page has closed is over when the other side has got all of it. */
static bool turn_page(struct relay *r, short ready)
{
    bool is_gone = ready & (POLLRDHUP | POLLHUP | POLLERR);
    if (is_gone && (!may_read(r) || !wslay_event_want_read(r->ws)))
        return false;
    r->reads = 0;
    if (ready & (POLLIN | POLLHUP | POLLERR) || r->head_used < r->head_len)
        if (wslay_event_recv(r->ws) != 0)
            return false;
    if (r->state != CLOSING && !wslay_event_want_read(r->ws)) /* closed, or out of order */
        enter(r, CLOSING, CLOSE_MS);
    if (r->page_is_done && r->peer_is_done && !r->len && r->state == OPEN)
        end(r);
    if (wslay_event_want_write(r->ws) && wslay_event_send(r->ws) != 0)
        return false;
    close_when_sent(r);
    bool waits = wslay_event_want_read(r->ws) || wslay_event_want_write(r->ws);
    return waits || (r->len && r->peer >= 0);
}

bool relay_turn(struct relay *r, short page_ready, short peer_ready, uint64_t now_ms)
{
    r->now_ms = now_ms;
    if (time_is_up(r))
        return false;
    if (!r->ws && !replies(r) && page_ready && !read_head(r))
        return false;
    if (replies(r))
        return write_reply(r);
    if (!r->ws)
        return true;
    turn_peer(r, peer_ready);
    return turn_page(r, page_ready);
}
