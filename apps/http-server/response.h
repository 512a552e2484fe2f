/* The head of a response, and the small bodies that come with errors. */
#ifndef HTTP_SERVER_RESPONSE_H
#define HTTP_SERVER_RESPONSE_H

#include "source.h"

struct response {
    int status;
    bool keep_alive;
    bool head_only;
    const struct source *source; /* NULL: a short text that names the status */
    uint64_t from, count;        /* of the source, for 206 */
    const char *location;        /* 301: the folder's path, without '/' at its ends */
};

/* Writes it to out; for responses without a source the body too. */
void response_write(struct vy_buf *out, const struct response *r);

/* Is what the client holds still good? Decides between 200, 206, 304 and 416 for a request
 * of `s`: fills source, status, from and count. */
void response_decide(struct response *r, const struct request *q, const struct source *s);

#endif
