/* Joins a struct wasi to the engine. The engine knows nothing of WASI. */
#ifndef WASI_LINK_H
#define WASI_LINK_H

#include "engine/engine.h"
#include "wasi/wasi.h"

enum { WASI_BINDINGS_MAX = 64 }; /* functions that there are, of both modules */

struct wasi_link;

/* One imported function of one guest. */
struct wasi_binding {
    struct wasi_link *link;
    const struct wasi_function *function;
    struct eng_func *func;
};

struct wasi_link {
    struct wasi *wasi;
    struct eng_store *store;
    uint32_t caps; /* enum wasi_cap bits: the granted set */
    struct wasi_binding bindings[WASI_BINDINGS_MAX];
    uint32_t binding_count;
};

/* wasi and store must outlive link, and link the store's instances. */
void wasi_link_init(struct wasi_link *link, struct wasi *wasi, struct eng_store *store,
                    uint32_t caps);

/* For struct eng_resolver: ctx is a struct wasi_link. 0 and *ret when the import is
 * a function of ours that the granted set holds. E_NOENT otherwise: what was not granted does
 * not exist. wasi_capability_of() tells the two cases apart. */
int wasi_resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret);

#endif
