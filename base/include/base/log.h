/* Where a room reports what no caller can answer. The host fills it in; a NULL
 * function is silence. Library code returns errors; it logs only what would
 * otherwise be lost. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/span.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_sink {
    void *ctx;
    void (*write)(void *ctx, enum log_level level, struct span text);
};

static inline void log_write(const struct log_sink *sink, enum log_level level, struct span text)
{
    if (sink && sink->write)
        sink->write(sink->ctx, level, text);
}

#endif
