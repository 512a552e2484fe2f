/* Checks a stored audit log, a piece at a time: does each record carry the hash of the one
 * before it?
 *
 * A host does this at boot, before it appends: the result is what CORE_EV_BOOT asks for, and
 * `good_bytes` is where a torn last line has to be cut off. A chain shows records that were
 * changed or taken out of the middle; that the newest are missing, or that all was written
 * anew, only a copy elsewhere can show. */
#ifndef CORE_AUDIT_CHAIN_H
#define CORE_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "core/limits.h"

struct audit_chain {
    uint8_t last[32];    /* SHA-256 of the last whole line with its newline; zeros: none */
    uint64_t seq;        /* of that record */
    uint64_t records;    /* whole lines */
    uint64_t good_bytes; /* up to the end of the last whole line */
    uint64_t missing;    /* numbers that do not occur */
    uint64_t lost;       /* records that the log itself says could not be stored */
    uint64_t broken_at;  /* the first line (from 1) that is not what it should be; 0: none */
    uint64_t bytes;
    uint32_t line_len;
    char line[CORE_AUDIT_BYTES_MAX];
};

void audit_chain_init(struct audit_chain *chain);
void audit_chain_feed(struct audit_chain *chain, struct span bytes);

/* Is every record fed so far in its place? Records that are missing must have been reported
 * lost. A log whose oldest part was dropped begins with any record. */
static inline bool audit_chain_holds(const struct audit_chain *chain)
{
    return chain->broken_at == 0 && chain->missing <= chain->lost;
}

/* Is there an unfinished line at the end? */
static inline bool audit_chain_torn(const struct audit_chain *chain)
{
    return chain->bytes != chain->good_bytes;
}

#endif
