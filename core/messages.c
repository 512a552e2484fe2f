/* Typed messages: CORE_REQ_MSG_SEND and MSG_RECV. They wait in the recipient's own
 * queue, each behind a header, and are handed over one a receive. A queue that is
 * full answers the sender E_FULL at once: it holds a request, not a pipe. What can never
 * fit is E_RANGE, so that no one tries again for ever. */
#include "state.h"

#include "base/err.h"

/* In the queue: header, sender's name, message. */
struct header {
    uint32_t bytes;
    uint32_t name_len;
    core_app sender; /* for "reply", if that life still lasts */
};

/* The n oldest bytes of r into to; they may lie in two pieces. */
static void take(struct ring *r, void *to, size_t n)
{
    uint8_t *p = to;
    while (n) {
        struct span piece = span_take(ring_peek(r), n);
        memcpy(p, piece.p, piece.len);
        ring_drop(r, piece.len);
        p += piece.len;
        n -= piece.len;
    }
}

uint32_t messages_waiting(const struct app *a)
{
    return (uint32_t)a->msgs.len;
}

static void recv_remove(struct app *a, uint32_t i)
{
    a->recv_count--;
    memmove(&a->recv[i], &a->recv[i + 1], (a->recv_count - i) * sizeof a->recv[0]);
}

static void hand_over(struct core *c, struct app *b, uint32_t request_id, core_app sender,
                      struct span name, struct span data)
{
    b->last_sender = sender;
    act_reply(c, b, request_id, E_OK, name, data);
}

static void refuse(struct core *c, struct app *a, uint32_t request_id, int error,
                   struct span text)
{
    act_reply(c, a, request_id, error, SPAN_NONE, text);
}

static size_t queued_bytes(const struct app *a, struct span data)
{
    return sizeof(struct header) + a->name_len + data.len;
}

static int enqueue(struct app *a, struct app *b, struct span data)
{
    struct header h = { (uint32_t)data.len, a->name_len, a->id };
    if (ring_free(&b->msgs) < queued_bytes(a, data))
        return E_FULL;
    ring_put(&b->msgs, span_of(&h, sizeof h));
    ring_put(&b->msgs, app_name(a));
    ring_put(&b->msgs, data);
    return E_OK;
}

/* The recipient, or NULL with *error and *text. */
static struct app *recipient(struct core *c, struct app *a, struct span to, int *error,
                             struct span *text)
{
    struct app *b;
    if (span_eq_cstr(to, "reply")) {
        b = apps_live(c, a->last_sender);
    } else if (!policy_may_send(a, to)) {
        *error = E_DENIED;
        *text = policy_deny(c, a, "send to", MANIFEST_POWER_SEND, to);
        return NULL;
    } else {
        b = apps_find(c, to);
    }
    if (b && (b->state == APP_SPAWNING || app_is_up(b)))
        return b;
    *error = E_NOENT;
    *text = SPAN_LIT("no such app is running");
    return NULL;
}

void messages_send(struct core *c, struct app *a, const struct core_request *r)
{
    int error = E_OK;
    struct span text = SPAN_NONE;
    struct app *b = recipient(c, a, r->path, &error, &text);
    if (!b) {
        refuse(c, a, r->id, error, text);
        return;
    }
    if (r->data.len > CORE_MSG_BYTES_MAX || queued_bytes(a, r->data) > b->msgs.cap) {
        policy_excess(c, a, "message size", app_name(b));
        refuse(c, a, r->id, E_RANGE, SPAN_LIT("the message is too long"));
        return;
    }
    if (!policy_within_rate(c, a)) {
        policy_excess(c, a, "messages a second", app_name(b));
        refuse(c, a, r->id, E_AGAIN, SPAN_LIT("too many messages a second"));
        return;
    }
    if (b->recv_count && b->msgs.len == 0) {
        uint32_t id = b->recv[0].request_id;
        recv_remove(b, 0);
        hand_over(c, b, id, a->id, app_name(a), r->data);
    } else if (enqueue(a, b, r->data) < 0) {
        policy_excess(c, a, "message to a full queue", app_name(b));
        refuse(c, a, r->id, E_FULL, SPAN_LIT("the recipient's queue is full"));
        return;
    }
    b->received++;
    a->sent++;
    struct note note = { .event = AUDIT_IPC_SEND,
                         .value = app_name(b),
                         .id = b->serial,
                         .count = 1,
                         .bytes = r->data.len };
    tally_note(c, a, &note);
    act_reply(c, a, r->id, E_OK, SPAN_NONE, SPAN_NONE);
}

static void recv_now(struct core *c, struct app *a, uint32_t request_id)
{
    struct header h;
    char name[MANIFEST_NAME_MAX];
    take(&a->msgs, &h, sizeof h);
    base_assert(h.name_len <= sizeof name && h.bytes <= a->msgs.len);
    take(&a->msgs, name, h.name_len);
    /* In one piece for the action. One request a step: its text always has the room. */
    uint8_t *data = arena_alloc(&c->text, h.bytes, 1, 1);
    base_assert(data);
    take(&a->msgs, data, h.bytes);
    hand_over(c, a, request_id, h.sender, step_copy(c, span_of(name, h.name_len), 0),
              span_of(data, h.bytes));
}

void messages_recv(struct core *c, struct app *a, const struct core_request *r)
{
    if (a->msgs.len) {
        recv_now(c, a, r->id);
    } else if (r->timeout_ms == 0) {
        refuse(c, a, r->id, E_AGAIN, SPAN_NONE);
    } else if (a->recv_count == CORE_REQUESTS_MAX) {
        policy_excess(c, a, "open requests", SPAN_NONE);
        refuse(c, a, r->id, E_LIMIT, SPAN_LIT("too many open requests"));
    } else {
        struct pending_recv *p = &a->recv[a->recv_count++];
        p->request_id = r->id;
        p->deadline_ms = r->timeout_ms < 0 ? UINT64_MAX : c->now_ms + (uint64_t)r->timeout_ms;
        if (p->deadline_ms != UINT64_MAX)
            timer_want(c, a, p->deadline_ms);
    }
}

uint64_t messages_deadline(const struct app *a)
{
    uint64_t due = UINT64_MAX;
    for (uint32_t i = 0; i < a->recv_count; i++)
        due = min_u64(due, a->recv[i].deadline_ms);
    return due;
}

uint64_t messages_expire(struct core *c, struct app *a)
{
    for (uint32_t i = 0; i < a->recv_count;) {
        if (a->recv[i].deadline_ms <= c->now_ms) {
            refuse(c, a, a->recv[i].request_id, E_AGAIN, SPAN_NONE);
            recv_remove(a, i);
        } else {
            i++;
        }
    }
    return messages_deadline(a);
}
