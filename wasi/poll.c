/* poll_oneoff: waits for clocks and descriptors at once.
 *
 * All subscriptions are decoded before the wait and all events written after it, so
 * it does not matter whether the guest's two lists overlap. */
#include "internal.h"

struct sub {
    uint64_t userdata;
    uint64_t wait_ns; /* clocks: from the start of the call */
    uint16_t error;   /* of this subscription alone: it is reported at once */
    uint8_t tag;      /* enum wasi_eventtype */
};

/* The arrays are last, and not cleared, so that a short list touches little stack. */
struct poll {
    struct wasi *w;
    const struct wasi_guest *g;
    uint32_t out, count;
    uint64_t start_ns; /* monotonic */
    uint64_t timeout_ns;
    size_t fd_count;
    struct sub subs[WASI_POLL_MAX];
    struct wasi_pollfd fds[WASI_POLL_MAX]; /* of the subscriptions to descriptors, in order */
};

/* How long until a clock shows what is asked for. */
static enum wasi_errno clock_wait(struct wasi *w, const struct wasi_abi_subscription *s,
                                  uint64_t *ret_ns)
{
    uint64_t now;
    if (s->id >= WASI_CLOCK_COUNT_ || (s->flags & ~WASI_SUBCLOCK_ABSTIME))
        return WASI_INVAL;
    if (!(s->flags & WASI_SUBCLOCK_ABSTIME)) {
        *ret_ns = s->timeout;
        return WASI_SUCCESS;
    }
    enum wasi_errno e = HOST_CALL(w, clock_now, (enum wasi_clock)s->id, &now);
    if (e == WASI_SUCCESS)
        *ret_ns = s->timeout > now ? s->timeout - now : 0;
    return e;
}

/* Notes what to wait for. A subscription that is wrong makes the wait end at once; one of an
 * unknown kind spoils the whole call. */
static enum wasi_errno subscribe(struct poll *p, struct sub *sub,
                                 const struct wasi_abi_subscription *s)
{
    struct wasi_fd *row;
    *sub = (struct sub){ .userdata = s->userdata, .tag = s->tag };
    switch (s->tag) {
    case WASI_EVENT_CLOCK:
        sub->error = (uint16_t)clock_wait(p->w, s, &sub->wait_ns);
        if (!sub->error && sub->wait_ns < p->timeout_ns)
            p->timeout_ns = sub->wait_ns;
        break;
    case WASI_EVENT_FD_READ:
    case WASI_EVENT_FD_WRITE:
        sub->error = (uint16_t)fd_get(p->w, s->id, WASI_RIGHT_POLL_FD_READWRITE, &row);
        if (!sub->error)
            p->fds[p->fd_count++] = (struct wasi_pollfd){
                .handle = row->handle, .write = s->tag == WASI_EVENT_FD_WRITE
            };
        break;
    default:
        return WASI_INVAL;
    }
    if (sub->error)
        p->timeout_ns = 0;
    return WASI_SUCCESS;
}

static enum wasi_errno subscribe_all(struct poll *p, uint32_t in)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct wasi_abi_subscription s;
        guest_get(p->g, in + i * (uint32_t)sizeof s, &s, sizeof s);
        enum wasi_errno e = subscribe(p, &p->subs[i], &s);
        if (e != WASI_SUCCESS)
            return e;
    }
    return WASI_SUCCESS;
}

/* Fills in the event for sub, if there is one to report. */
static bool event_of(const struct sub *sub, const struct wasi_pollfd *fd, uint64_t elapsed_ns,
                     struct wasi_abi_event *ret)
{
    *ret = (struct wasi_abi_event){ .userdata = sub->userdata,
                                    .error = sub->error,
                                    .type = sub->tag };
    if (sub->error)
        return true;
    if (sub->tag == WASI_EVENT_CLOCK)
        return sub->wait_ns <= elapsed_ns;
    ret->error = fd->error;
    ret->nbytes = fd->nbytes;
    ret->flags = fd->hangup ? WASI_EVENT_HANGUP : 0;
    return fd->ready || fd->error;
}

/* Writes the events and returns how many. */
static uint32_t report(const struct poll *p, uint64_t elapsed_ns)
{
    const struct wasi_pollfd *fd = p->fds;
    uint32_t events = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        const struct sub *sub = &p->subs[i];
        struct wasi_abi_event event;
        bool is_fd = !sub->error && sub->tag != WASI_EVENT_CLOCK;
        if (event_of(sub, fd, elapsed_ns, &event)) {
            guest_put(p->g, p->out + events * (uint32_t)sizeof event, &event, sizeof event);
            events++;
        }
        fd += is_fd;
    }
    return events;
}

static enum wasi_errno wait_for_any(struct poll *p, uint64_t *ret_elapsed_ns)
{
    uint64_t now;
    bool ready = false;
    enum wasi_errno e = HOST_CALL(p->w, poll, p->fds, p->fd_count, p->timeout_ns);
    if (e == WASI_SUCCESS)
        e = HOST_CALL(p->w, clock_now, WASI_CLOCK_MONOTONIC, &now);
    if (e != WASI_SUCCESS)
        return e;
    for (size_t i = 0; i < p->fd_count; i++)
        ready |= p->fds[i].ready || p->fds[i].error;
    uint64_t elapsed = now > p->start_ns ? now - p->start_ns : 0;
    /* The host's wait and the clock may differ by a little: a wait that ended for no other
     * reason has reached its time. */
    if (!ready && elapsed < p->timeout_ns)
        elapsed = p->timeout_ns;
    *ret_elapsed_ns = elapsed;
    return WASI_SUCCESS;
}

WASI_CALL(wasi_poll_oneoff)
{
    struct poll p;
    uint64_t elapsed_ns;
    uint32_t in = (uint32_t)a[0], out_count = (uint32_t)a[3];
    p.w = w;
    p.g = g;
    p.out = (uint32_t)a[1];
    p.count = (uint32_t)a[2];
    p.timeout_ns = UINT64_MAX;
    p.fd_count = 0;
    if (p.count == 0 || p.count > WASI_POLL_MAX)
        return WASI_INVAL;
    if (!guest_has(g, in, (uint64_t)p.count * sizeof(struct wasi_abi_subscription)) ||
        !guest_has(g, p.out, (uint64_t)p.count * sizeof(struct wasi_abi_event)) ||
        !guest_has(g, out_count, 4))
        return WASI_FAULT;
    enum wasi_errno e = HOST_CALL(w, clock_now, WASI_CLOCK_MONOTONIC, &p.start_ns);
    if (e == WASI_SUCCESS)
        e = subscribe_all(&p, in);
    if (e == WASI_SUCCESS)
        e = wait_for_any(&p, &elapsed_ns);
    if (e == WASI_SUCCESS)
        guest_put_u32(g, out_count, report(&p, elapsed_ns));
    return e;
}
