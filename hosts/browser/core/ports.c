/* Ports in a page: nobody outside can reach one, but the page itself can (page/ports.js). */
#include "base/err.h"
#include "internal.h"

/* The app that listens there, NULL: none. */
static struct app *find(uint32_t port, uint32_t *ret)
{
    for (struct app *a = sys.apps; a < sys.apps + APPS_MAX; a++)
        for (uint32_t i = 0; a->id && i < a->port_count; i++)
            if (a->ports[i] == port) {
                *ret = i;
                return a;
            }
    return NULL;
}

int app_ports_open(struct app *a, const struct manifest *m, struct span *why)
{
    static char text[80];
    struct strbuf b;
    uint32_t which;
    a->port_count = 0;
    if (!manifest_has(m, MANIFEST_CAP_NETWORK) || !m->network.tcp)
        return E_OK;
    for (uint32_t i = 0; i < m->network.ports_count && i < PORTS_MAX; i++) {
        if (find(m->network.ports[i], &which)) {
            strbuf_init(&b, text, sizeof text);
            strbuf_cstr(&b, "port ");
            strbuf_u64(&b, m->network.ports[i]);
            strbuf_cstr(&b, ": another program listens on it");
            *why = strbuf_done(&b);
            a->port_count = 0;
            return E_IO;
        }
        a->ports[a->port_count++] = m->network.ports[i];
    }
    return E_OK;
}

/* The app that listens on the port, times 16, and which of its listeners it is; 0: there is none. */
EXPORT(listener) double do_listener(uint32_t port)
{
    uint32_t which = 0;
    const struct app *a = find(port, &which);
    return a ? (double)a->id * PORTS_MAX + which : 0;
}
