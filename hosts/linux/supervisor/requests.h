/* Requests of the control channel: what they mean to core, and how they are done. */
#ifndef HOSTS_LINUX_REQUESTS_H
#define HOSTS_LINUX_REQUESTS_H

#include "internal.h"

/* Is it the type of a request at all? */
bool request_known(uint16_t type);
/* Fills what core is asked; the spans lead into data. False for requests about what core
 * has allowed before (reading an open folder): they are performed at once. */
bool request_fill(const struct ctl_msg *m, const uint8_t *data, struct core_request *ret);
/* Does a's open request, whose bytes are in sup->packet, and answers it, now or later. */
void request_perform(struct sup *s, struct app *a);

#endif
