/* The end of a program, and yielding. */
#include "internal.h"

WASI_CALL(wasi_proc_exit)
{
    w->exited = true;
    w->exit_code = (uint32_t)a[0];
    return WASI_SUCCESS;
}

enum {
    SIG_COUNT = 31, /* none, hup, int, ... sys */
    SIG_CHLD = 16, SIG_CONT = 17, SIG_URG = 22, SIG_WINCH = 27,
};

/* There are no handlers in preview 1, so a signal does what it does by default:
 * nothing, or it ends the program the way a shell reports it, 128 + its number. */
WASI_CALL(wasi_proc_raise)
{
    uint32_t sig = (uint32_t)a[0];
    if (sig >= SIG_COUNT)
        return WASI_INVAL;
    if (sig == 0 || sig == SIG_CHLD || sig == SIG_CONT || sig == SIG_URG || sig == SIG_WINCH)
        return WASI_SUCCESS;
    w->exited = true;
    w->exit_code = 128 + sig;
    return WASI_SUCCESS;
}

WASI_CALL(wasi_sched_yield)
{
    return w->host->yield ? w->host->yield(w->host->ctx) : WASI_SUCCESS;
}
