/* Which of the functions that an app may import exist for it.
 *
 * A capability here is a group of imports. An app's manifest names what it may
 * do; the host turns that into a set of these bits; an import that belongs to no
 * group in the set is not linked, so there is nothing left to check at run time. */
#ifndef WASI_CAPS_H
#define WASI_CAPS_H

#include <stdint.h>

#include "base/span.h"
#include "base/strbuf.h"

enum wasi_cap {
    WASI_CAP_STDIO = 1 << 0,      /* descriptors 0, 1 and 2 */
    WASI_CAP_FILESYSTEM = 1 << 1, /* /data */
    WASI_CAP_LISTEN = 1 << 2,     /* sockets that listen on declared ports */
    WASI_CAP_CONNECT = 1 << 3,    /* connections to declared destinations */
    WASI_CAP_IPC = 1 << 4,        /* typed messages to other apps */
};
enum { WASI_CAPS_ALL = (1 << 5) - 1 };

/* What one import needs. */
struct wasi_need {
    uint32_t any_of;       /* enum wasi_cap bits; 0: it always exists */
    const char *key;       /* manifest key that grants it, "filesystem"; NULL when any_of is 0 */
    const char *key_value; /* a line for the manifest, "filesystem = true"; NULL likewise */
};

/* 0 and *ret for an import that this system knows, of "wasi_snapshot_preview1" or
 * "vyoma"; E_NOENT for any other. */
int wasi_capability_of(struct span module, struct span name, struct wasi_need *ret);

/* An import that could not be linked: "module.name" and a sentence for people (256 and 512
 * bytes hold any). E_DENIED with *ret_need when the manifest could grant it; E_NOENT. */
int wasi_refuse_import(struct span module, struct span name, struct strbuf *import,
                       struct strbuf *text, struct wasi_need *ret_need);

#endif
