/* Clocks. */
#include "internal.h"

WASI_CALL(wasi_clock_res_get)
{
    uint32_t id = (uint32_t)a[0], out = (uint32_t)a[1];
    uint64_t ns;
    if (id >= WASI_CLOCK_COUNT_)
        return WASI_INVAL;
    if (!guest_has(g, out, 8))
        return WASI_FAULT;
    enum wasi_errno e = HOST_CALL(w, clock_resolution, (enum wasi_clock)id, &ns);
    if (e == WASI_SUCCESS)
        guest_put_u64(g, out, ns);
    return e;
}

/* The precision (a[1]) is a hint how late the value may be; we are never late. */
WASI_CALL(wasi_clock_time_get)
{
    uint32_t id = (uint32_t)a[0], out = (uint32_t)a[2];
    uint64_t ns;
    if (id >= WASI_CLOCK_COUNT_)
        return WASI_INVAL;
    if (!guest_has(g, out, 8))
        return WASI_FAULT;
    enum wasi_errno e = HOST_CALL(w, clock_now, (enum wasi_clock)id, &ns);
    if (e == WASI_SUCCESS)
        guest_put_u64(g, out, ns);
    return e;
}
