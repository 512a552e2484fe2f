/* Changes of the tree as bytes: a log, of which two take turns.
 *
 *     head, 24 bytes     magic, generation, checksum
 *     records            length, checksum, what, names, data
 *     zeros, or nothing
 *
 * Of two logs the one with the higher generation holds; a head is written when all that the log
 * begins with is on the disk. A checksum covers the generation and the number of the record
 * too, so that what is left of an older log is no record of this one. The first record that is
 * not whole ends the log: what was being written when the page went away.
 *
 * Numbers are little-endian, as every machine that a browser runs on has them. */
#ifndef HOSTS_BROWSER_JOURNAL_H
#define HOSTS_BROWSER_JOURNAL_H

#include "hosts/browser/tree.h"

enum {
    JOURNAL_HEAD_BYTES = 24,
    JOURNAL_FIXED_BYTES = 56, /* of a record, before names and data */
    JOURNAL_RECORD_MAX = JOURNAL_FIXED_BYTES + 2 * TREE_NAME_MAX + TREE_DATA_MAX,
};

void journal_head_write(uint8_t head[JOURNAL_HEAD_BYTES], uint64_t generation);
/* 0: it is none. */
uint64_t journal_head_read(struct span bytes);

/* c as record `number` of its log, into out (JOURNAL_RECORD_MAX). Its length. */
size_t journal_write(const struct tree_change *c, uint64_t generation, uint64_t number, uint8_t *out);

/* Reads a log's records from pieces of any length. */
struct journal_reader {
    uint64_t generation, count; /* records so far */
    uint64_t good;  /* bytes of those, with the head */
    bool ended;     /* what follows is not looked at */
    bool torn;      /* it ended in something that is no record */
    bool refused;   /* or in a record that could not be made: what follows is whole all the same */
    size_t have;
    uint8_t bytes[JOURNAL_RECORD_MAX];
};

/* Makes the change; false: it cannot be made, and the log ends before it. */
typedef bool (*journal_take)(void *ctx, const struct tree_change *c);

void journal_reader_init(struct journal_reader *r, uint64_t generation);
/* The bytes behind the head. */
void journal_reader_feed(struct journal_reader *r, struct span bytes, journal_take take, void *ctx);
/* There is no more. */
void journal_reader_finish(struct journal_reader *r);

#endif
