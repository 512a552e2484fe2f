/* Random bytes. */
#include "internal.h"

WASI_CALL(wasi_random_get)
{
    uint32_t len = (uint32_t)a[1];
    void *p = guest_at(g, (uint32_t)a[0], len);
    if (!p)
        return WASI_FAULT;
    return len ? HOST_CALL(w, random, p, len) : WASI_SUCCESS;
}
