/* Random bytes. */
#include "internal.h"

WASI_CALL(wasi_random_get)
{
    uint32_t at = (uint32_t)a[0], len = (uint32_t)a[1];
    enum wasi_errno e = WASI_SUCCESS;
    if (!guest_has(g, at, len))
        return WASI_FAULT;
    while (len && e == WASI_SUCCESS) {
        uint32_t n = len < guest_room(g) ? len : (uint32_t)guest_room(g);
        void *p = guest_out(g, at, n);
        e = HOST_CALL(w, random, p, n);
        if (e == WASI_SUCCESS)
            guest_wrote(g, at, p, n);
        guest_release(g);
        at += n;
        len -= n;
    }
    return e;
}
