/* The head of an HTTP/1.1 request (RFC 9110, 9112): bytes in, what the server must know out.
 * Uses nothing but memory, so that tests can run it on the build machine. */
#ifndef HTTP_SERVER_REQUEST_H
#define HTTP_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    REQUEST_HEAD_MAX = 4096, /* bytes of request line and headers */
    REQUEST_PATH_MAX = 1023, /* bytes of a decoded path */
};

enum request_method { REQUEST_GET, REQUEST_HEAD };

/* A header's value, without blanks around it; p NULL: there was no such header. Borrowed from
 * the head. */
struct request_value {
    const char *p;
    size_t len;
};

struct request {
    enum request_method method;
    bool keep_alive;
    bool expects_continue;
    uint64_t body_bytes; /* that follow the head and have no meaning for GET */
    char path[REQUEST_PATH_MAX + 1]; /* decoded, without the leading '/' and the query */
    struct request_value if_none_match, if_modified_since, if_range, range;
};

/* The number of bytes that the head takes; 0 when p[0, len) does not hold a whole one yet; or
 * the negative HTTP status with which to refuse it. With a negative status, *ret says whether
 * it was HEAD. */
int request_parse(const char *p, size_t len, struct request *ret);

/* Do they spell the same, letters in any case? */
bool request_value_is(struct request_value v, const char *lower);

/* A range "bytes=..." of a file of `size` bytes: true with *from and *count. False when it
 * asks for more than one range, or is none; *unsatisfiable when it lies behind the end. */
bool request_range(struct request_value v, uint64_t size, uint64_t *from, uint64_t *count,
                   bool *unsatisfiable);

/* Seconds since 1970 of "Sun, 06 Nov 1994 08:49:37 GMT"; false for any other form. */
bool request_date(struct request_value v, uint64_t *ret);

#endif
