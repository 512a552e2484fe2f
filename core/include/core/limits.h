/* Every bound of the core, in one place. A profile (boot.toml [limits]) may lower
 * them; nothing may raise them past the constants here. */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#include <stdint.h>

enum {
    CORE_APPS_MAX = 4096,
    CORE_LINE_BYTES_MAX = 4096,         /* one protocol line, without its newline */
    CORE_STDIN_BYTES_MAX = 64 * 1024,   /* waiting for one app's stdin */
    CORE_MSG_BYTES_MAX = 64 * 1024,     /* one typed message */
    CORE_MSG_QUEUE_BYTES_MAX = 256 * 1024, /* typed messages waiting for one app */
    CORE_LOG_BYTES_MAX = 16 * 1024,     /* recent output kept for `log`, an app */
    CORE_OUTPUT_BYTES_MAX = 64 * 1024,  /* one CORE_EV_OUTPUT */
    CORE_CONSOLE_BYTES_MAX = 4096,      /* one CORE_EV_CONSOLE */
    CORE_REQUESTS_MAX = 64,             /* unanswered CORE_REQ_MSG_RECV, an app */
    CORE_AUDIT_RECENT = 256,            /* records kept for `audit` */
    CORE_AUDIT_BYTES_MAX = 1024,        /* one record */
    CORE_ACTIONS_MAX = 8192,            /* a step: at shutdown, one or two an app */
};

/* Zero in a field means the constant above. */
struct core_limits {
    uint32_t apps;
    uint32_t line_bytes;
    uint32_t stdin_bytes;
    uint32_t msg_queue_bytes;
    uint32_t log_bytes;
};

#endif
