/* What runs, as the supervisor says it (`@supervisor: ps --json`), as a page for people and as
 * JSON for programs. */
#ifndef HTTP_SERVER_STATUS_H
#define HTTP_SERVER_STATUS_H

#include "source.h"

enum status_answer { STATUS_READY, STATUS_WAIT, STATUS_NONE };

/* Is there an answer from this second? STATUS_WAIT: it has been asked for; ask again after
 * the next line or when the deadline of a second is over, which gives STATUS_NONE if none has
 * ever come. */
enum status_answer status_ask(uint64_t now_ns);
/* A line of stdin. True when an answer is complete. */
bool status_line(const char *line);
/* The page or the JSON for one more user; status_ask() has said STATUS_READY. */
struct source *status_source(bool json);

#endif
