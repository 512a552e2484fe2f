/* The worker's end of the control channel. */
#ifndef HOSTS_LINUX_WORKER_CHANNEL_H
#define HOSTS_LINUX_WORKER_CHANNEL_H

#include <stdint.h>

#include "engine/engine.h"
#include "hosts/linux/ctl.h"
#include "wasi/host.h"

/* Waits for CTL_START: *m, data (CTL_DATA_MAX bytes), the listening sockets. Ends the
 * process when the supervisor is gone or says something else. */
void channel_start(struct ctl_msg *m, uint8_t *data, struct ctl_fds *ret_fds);

/* struct wasi_linux's ask, trace_line and denied. Ends the process when the supervisor is gone. */
uint16_t channel_ask(void *ctx, struct ctl_msg *m, struct span a, struct span b, uint8_t *data,
                     int *ret_fd);
void channel_trace(void *ctx, struct span line);
/* Its denied: waits while the supervisor does not read, as a request does. */
void channel_denied(void *ctx, enum wasi_denial what, struct span value);
/* From a signal handler: does the guest wait for a message just now? */
bool channel_waits_for_message(void);

void channel_running(void);
/* import: "module.name", or empty when it is not about one. */
void channel_refused(const struct ctl_refused *why, struct span text, struct span import);
/* With the backtrace, which core shows: the guest may have closed its stderr. */
void channel_trapped(const struct eng_trap *trap);

#endif
