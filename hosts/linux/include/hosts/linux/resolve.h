/* Names of hosts that need no waiting: numeric addresses, "localhost" and the machine's hosts
 * file. The image has no resolver, and a blocking one has no place in a loop (docs/security.md). */
#ifndef HOSTS_LINUX_RESOLVE_H
#define HOSTS_LINUX_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"

/* False: it is none of them. */
bool resolve_at_once(struct span name, uint16_t port, struct sockaddr_storage *ret, socklen_t *len);

#endif
