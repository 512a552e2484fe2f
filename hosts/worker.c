#include "hosts/worker.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/err.h"
#include "formats/boot.h"
#include "wasi/caps.h"
#include "wasi/host.h"

_Static_assert((int)VYOMA_MSG_MAX == (int)CORE_MSG_BYTES_MAX, "one typed message");

uint32_t worker_caps(const struct manifest *m)
{
    uint32_t caps = 0;
    if (manifest_has(m, MANIFEST_CAP_STDIO))
        caps |= WASI_CAP_STDIO;
    if (manifest_has(m, MANIFEST_CAP_FILESYSTEM))
        caps |= WASI_CAP_FILESYSTEM;
    if (manifest_has(m, MANIFEST_CAP_NETWORK) && m->network.ports_count)
        caps |= WASI_CAP_LISTEN;
    if (manifest_has(m, MANIFEST_CAP_NETWORK) && m->network.connect_count)
        caps |= WASI_CAP_CONNECT;
    if (manifest_has(m, MANIFEST_CAP_IPC))
        caps |= WASI_CAP_IPC;
    return caps;
}

enum wasi_errno worker_errno(int error)
{
    switch (error) {
    case E_OK: return WASI_SUCCESS;
    case E_DENIED: return WASI_NOTCAPABLE;
    case E_NOENT: return WASI_NOENT;
    case E_EXISTS: return WASI_EXIST;
    case E_AGAIN: return WASI_AGAIN;
    case E_FULL: return WASI_AGAIN;
    case E_LIMIT: return WASI_NOSPC;
    case E_NOMEM: return WASI_NOMEM;
    case E_RANGE: return WASI_MSGSIZE;
    case E_INVAL:
    case E_MALFORMED: return WASI_INVAL;
    case E_UNSUPPORTED: return WASI_NOTSUP;
    default: return WASI_IO;
    }
}

bool worker_denied(uint32_t wasi_denial, enum core_denied *ret)
{
    static const uint8_t kinds[WASI_DENIED_COUNT_] = {
        [WASI_DENIED_ESCAPE] = CORE_DENIED_ESCAPE, [WASI_DENIED_LISTEN] = CORE_DENIED_LISTEN,
        [WASI_DENIED_RIGHTS] = CORE_DENIED_RIGHTS, [WASI_DENIED_FILES] = CORE_DENIED_FILES,
        [WASI_DENIED_DATA] = CORE_DENIED_DATA,     [WASI_DENIED_POINTER] = CORE_DENIED_POINTER,
    };
    if (wasi_denial >= base_countof(kinds))
        return false;
    *ret = (enum core_denied)kinds[wasi_denial];
    return true;
}

void worker_refused_paths(struct strbuf *b, const struct core_request *request)
{
    enum { SHOWN = 120 };
    strbuf_span(b, span_take(request->path, SHOWN));
    if (request->path2.len)
        strbuf_cstr(b, " -> ");
    strbuf_span(b, span_take(request->path2, SHOWN));
}

uint64_t worker_audit_max(struct span boot_toml)
{
    enum { DEFAULT_BYTES = 1024 * 1024 };
    struct boot boot;
    struct format_error err;
    struct arena scratch, keep;
    size_t bytes = boot_arena_bytes(boot_toml.len);
    uint64_t limit = DEFAULT_BYTES;
    uint8_t *memory = malloc(2 * bytes);
    if (!memory)
        return limit;
    arena_init(&scratch, memory, bytes);
    arena_init(&keep, memory + bytes, bytes);
    if (boot_parse(boot_toml, &scratch, &keep, &boot, &err) == E_OK && boot.audit_max_kib)
        limit = (uint64_t)boot.audit_max_kib * 1024;
    free(memory);
    return limit;
}
