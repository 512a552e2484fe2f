/* What an app's worker and the core's worker say to one another: one struct wire, and behind it
 * a_len then b_len bytes. Both sides are C compiled to wasm32; the JavaScript between them moves
 * bytes and looks at nothing but the lengths.
 *
 * The app's side asks and waits for the answer, one request at a time. Nothing that it says is
 * trusted. */
#ifndef HOSTS_BROWSER_WIRE_H
#define HOSTS_BROWSER_WIRE_H

#include <stdint.h>

enum {
    WIRE_DATA_MAX = 64 * 1024 + 1024, /* a_len + b_len */
    WIRE_NUMBERS = 4,
};

enum wire_op {
    WIRE_START = 1, /* to the app: a name; b strings, number: caps, flags, args, env */
    WIRE_REFUSED,   /* a text, b import; number[0] 1: the manifest could grant it, then the key
                       is number[1] bytes at the end of b */
    WIRE_TRAP,      /* a reason, b backtrace; number[0] enum eng_trap_code */
    WIRE_DENIED,    /* a value; number[0] enum wasi_denial */
    WIRE_CONNECT,   /* a host; number[0] port */
    WIRE_MSG_SEND,  /* a destination, b message */
    WIRE_MSG_RECV,  /* number: most of the sender, most of the message, timeout_ms. Answer: a
                       sender, b message; WASI_MSGSIZE: number says how long they are */
};

struct wire {
    uint16_t op;
    uint16_t error; /* of an answer: enum wasi_errno */
    uint32_t a_len, b_len;
    int32_t number[WIRE_NUMBERS];
};

_Static_assert(sizeof(struct wire) == 28, "the JavaScript reads a_len at 4 and b_len at 8");

struct wire_packet {
    struct wire head;
    uint8_t data[WIRE_DATA_MAX];
};

#endif
