/* vyoma-bridge: connections for apps in a page, which can open none. A WebSocket (RFC 6455) for each;
 * what comes out at the other end is TCP.
 *
 * The first message, text, says who wants what: "APP\nHOST\nPORT". The answer is text as well: a
 * number, 0 or one of enum wasi_errno, and behind a space what it means. After 0 binary
 * messages are the connection's bytes, either way. A page cannot refuse to receive, so the bridge
 * sends at most BRIDGE_WINDOW bytes more than the texts "ack N" have said that the app has taken. The
 * texts "shutdown" and "eof" end what the page, and what the other side, sends; when both
 * have, the bridge closes the WebSocket. */
#ifndef HOSTS_BRIDGE_BRIDGE_H
#define HOSTS_BRIDGE_BRIDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/strbuf.h"
#include "wasi/abi.h"

enum {
    BRIDGE_CONNECTIONS_MAX = 64,
    BRIDGE_HEAD_MAX = 4096,          /* of the HTTP request */
    BRIDGE_MESSAGE_MAX = 64 * 1024,  /* one message from the page */
    BRIDGE_BUFFER = 256 * 1024,      /* bytes on their way to the other side */
    BRIDGE_WINDOW = 128 * 1024,      /* and to the page, with what the app has not taken yet */
    BRIDGE_DIRS_MAX = 8,
};

struct bridge_options {
    const char *address; /* numeric, to listen on */
    uint16_t port;       /* 0: any that is free */
    const char *key;     /* the path without its '/', which a page must know: made for each run */
    const char *const *apps_dirs; /* whose manifests are the rules */
    size_t apps_dirs_count;
    bool json;
};

/* Until a signal ends it: the exit code. Says on stdout where it listens. */
int bridge_run(const struct bridge_options *o);

/* --- handshake.c ----------------------------------------------------------------------- */

/* The HTTP request that asks for a WebSocket; head ends with its empty line. 101 and the answer in
 * *reply; or another status, and the answer that says it. */
int handshake_answer(struct span head, const char *key, struct strbuf *reply);

/* --- rules.c --------------------------------------------------------------------------- */

/* May the app connect there? 0; WASI_NOTCAPABLE; WASI_NOENT: there is no such app. */
enum wasi_errno rules_ask(const struct bridge_options *o, struct span app, struct span host,
                          uint16_t port);

/* --- relay.c ---------------------------------------------------------------------------- */

struct relay;

/* Takes the socket of a new client. NULL: no memory, and the socket is closed. */
struct relay *relay_new(const struct bridge_options *o, int fd, uint64_t now_ms);
void relay_free(struct relay *r);
/* What to poll for: the WebSocket's side, and the other one's (-1: there is none yet). */
int relay_events(struct relay *r, short *page_events, int *peer_fd, short *peer_events);
/* Something is ready, or time has passed. False: it is over. */
bool relay_turn(struct relay *r, short page_ready, short peer_ready, uint64_t now_ms);

#endif
