/* One connection: requests come in, responses go out, in order, through two bounded buffers.
 *
 *     reading ──whole head──▶ answering ──all sent──▶ reading (keep-alive) or closing
 *                    └─▶ waiting for the supervisor's answer (status page)
 *
 * A closing connection has sent its end and throws away what still comes for a moment, so that
 * the last response is not lost to a reset. */
#ifndef HTTP_SERVER_CONN_H
#define HTTP_SERVER_CONN_H

#include "source.h"

enum { CONN_OUT_BYTES = 8192 };

enum conn_state { CONN_FREE, CONN_OPEN, CONN_WAITS_STATUS, CONN_CLOSING };

struct conn {
    uint8_t state; /* enum conn_state */
    bool wants_write; /* what is in `out` did not all go */
    bool ready;       /* there is work that needs no event */
    bool close_after; /* no keep-alive: close when all is sent */
    bool json, head_only; /* of the status request that waits */
    int fd;
    uint32_t in_len, out_start, out_len; /* out[out_start, out_len) is to be sent */
    uint64_t skip;      /* bytes of a request's body still to be thrown away */
    uint64_t deadline_ns;
    bool head_begun;    /* the deadline is that of a head that has begun */
    struct source *source; /* of the body being sent, or NULL */
    uint64_t source_at, source_left;
    char in[REQUEST_HEAD_MAX];
    char out[CONN_OUT_BYTES];
};

void conn_open(struct conn *c, int fd, uint64_t now_ns);
/* Does all that can be done without waiting. */
void conn_pump(struct conn *c, uint64_t now_ns);
/* The deadline has passed. */
void conn_timeout(struct conn *c, uint64_t now_ns);
/* From when it gives its place to whoever waits for one: a second after it has begun to wait for
 * a request. UINT64_MAX: it is not waiting. */
uint64_t conn_yields_at(const struct conn *c);
void conn_close(struct conn *c);

#endif
