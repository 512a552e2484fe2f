/* boot.toml: which apps an installation runs, in what order, and what happens when one
 * ends. docs/manifest.md is the reference of its keys. */
#ifndef FORMATS_BOOT_H
#define FORMATS_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/span.h"
#include "formats/error.h"
#include "formats/manifest.h"

enum {
    BOOT_TEXT_MAX = 512 * 1024, /* bytes of a boot.toml */
    BOOT_APPS_MAX = 4096,
    BOOT_AFTER_MAX = 8, /* names in one `after` */
    /* What [limits] may lower; core/limits.h's own figures, which core checks. */
    BOOT_LINE_BYTES_MAX = 4096,
    BOOT_STDIN_BYTES_MAX = 64 * 1024,
    BOOT_MSG_QUEUE_BYTES_MAX = 256 * 1024,
    BOOT_LOG_BYTES_MAX = 16 * 1024,
};

enum boot_restart {
    BOOT_RESTART_NEVER,      /* an end is an end */
    BOOT_RESTART_ON_FAILURE, /* unless it exited with code 0 */
    BOOT_RESTART_ALWAYS,
};

struct boot_app {
    struct span name; /* valid app name, each once; folder beneath the apps' folder */
    bool start;       /* at boot; else on request only */
    enum boot_restart restart;
    uint32_t max_restarts; /* within window_secs; then it has failed. 0: no bound */
    uint32_t window_secs;
    uint32_t backoff_ms, backoff_max_ms; /* wait before the first restart; it doubles */
    const uint32_t *after; /* indices into boot.apps, each lower than this app's own: those
                              that are to be up before it starts */
    uint32_t after_count;
    uint32_t line; /* of its [[app]] */
};

/* All pointers and spans lead into the `keep` arena. */
struct boot {
    struct span hostname; /* [a-z0-9-], default "vyoma" */
    enum log_level log_level; /* default LOG_INFO */
    struct span focus;    /* app that gets the console's input first; may be empty */
    uint32_t audit_max_kib; /* of the stored log, then the oldest half goes; default 1024 */
    uint32_t stop_grace_ms;  /* between asking apps to end and killing them; 0: they are not
                                asked; default 2000 */
    /* [limits]: lower than the core's own bounds; 0: not lowered */
    struct {
        uint32_t apps, line_bytes, stdin_bytes, msg_queue_bytes, log_bytes;
    } limits;
    struct manifest_limits defaults; /* for apps whose manifests' [limits] do not say */
    const struct boot_app *apps; /* in an order that respects every `after` */
    uint32_t apps_count;
};

/* An arena of this size parses any boot.toml of `bytes` bytes (as scratch) and keeps its
 * result (as keep). */
static inline size_t boot_arena_bytes(size_t bytes)
{
    return 32 * 1024 + bytes * 40;
}

/* Parses text. scratch is used and released; keep receives what *ret points to. 0; or
 * E_MALFORMED, E_LIMIT or E_NOMEM with *err saying where and what; *ret is then
 * untouched. An `after` that names no app of the file, and a circle, are errors. */
int boot_parse(struct span text, struct arena *scratch, struct arena *keep, struct boot *ret,
               struct format_error *err);

/* The entry of an app that boot.toml does not mention (`vyoma run`): never restarted, and
 * otherwise what an entry without further keys has. */
struct boot_app boot_app_default(struct span name);

#endif
