/* What core's words are in a worker's: every host starts workers with WASI in them. */
#ifndef HOSTS_WORKER_H
#define HOSTS_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "core/core.h"
#include "formats/manifest.h"
#include "wasi/abi.h"

/* The imports (enum wasi_cap) that exist for an app with this manifest. */
uint32_t worker_caps(const struct manifest *m);

/* A request's base_err as the app sees it. */
enum wasi_errno worker_errno(int error);

/* What WASI refused by itself (enum wasi_denial) as core records it; false when there is no
 * such refusal. */
bool worker_denied(uint32_t wasi_denial, enum core_denied *ret);

/* Of a request with one or two paths which the host refused: what its record is to say. */
void worker_refused_paths(struct strbuf *b, const struct core_request *request);

/* How large the stored audit log may become: bytes; boot.toml says, or a default. */
uint64_t worker_audit_max(struct span boot_toml);

#endif
