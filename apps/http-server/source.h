/* What a response's body is read from: a file beneath /data, or text in memory. Sources are
 * shared between connections, so that a file that many ask for is opened once a second. */
#ifndef HTTP_SERVER_SOURCE_H
#define HTTP_SERVER_SOURCE_H

#include <vyoma/io.h>

#include "request.h"

struct source {
    const char *text; /* in memory; NULL: fd */
    int fd;           /* -1: this slot is free (text NULL) */
    uint64_t size;
    uint64_t modified; /* seconds since 1970; 0: not known */
    uint64_t tag;      /* of this very content */
    const char *type;
    uint32_t users;
    uint64_t opened_ns;
    char path[REQUEST_PATH_MAX + 1];
};

/* dir: descriptor of /data, or -1 for none. */
void sources_init(int dir);
/* The file at `path` for one more user. 0; 404; 301 when it is a folder without '/' at its end
 * (files of folders are their index.html); 403; 503 when too many are open. */
int source_open(const char *path, uint64_t now_ns, struct source **ret);
void source_release(struct source *s);
/* Up to n bytes from `at`: the count, 0 at the end or after an error. */
size_t source_read(struct source *s, uint64_t at, char *bytes, size_t n);

#endif
