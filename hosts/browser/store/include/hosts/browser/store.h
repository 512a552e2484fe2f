/* The tree and its log together, on a disk that somebody else moves bytes to.
 *
 *     store_init, store_choose     which of the two logs is it?
 *     store_feed ...               its bytes
 *     store_ready                  now it serves
 *     store_change                 logged, then made; or neither
 *
 * A log that has become long against what it says is written anew into the other file; until
 * that one is whole, this one holds. */
#ifndef HOSTS_BROWSER_STORE_H
#define HOSTS_BROWSER_STORE_H

#include "hosts/browser/journal.h"

enum {
    STORE_SLACK = 4 << 20, /* how much longer than twice the tree a log may be */
    STORE_STAGE = 256 * 1024,
};

/* Functions return 0, or E_FULL: there is no room, or E_IO. Files are 0 and 1. */
struct store_disk {
    void *ctx;
    /* At its end, or its head again. frees: it makes room in the end, and may take what was
     * kept back for that. */
    int (*write)(void *ctx, uint32_t file, uint64_t at, struct span bytes, bool frees);
    int (*clear)(void *ctx, uint32_t file);
    /* What was written before is on the disk before what is written after. */
    int (*barrier)(void *ctx);
};

struct store {
    struct tree tree;
    struct store_disk disk;
    bool lasting; /* false: there is no disk, and all of it ends with the page */
    bool broken;  /* the disk did not do what must be done: nothing changes any more */
    uint32_t file;
    uint64_t generation, count, end; /* of the log in `file` */
    uint64_t not_before; /* the log is this long it is not written anew: that has failed */
    uint64_t dropped;    /* bytes at its end that were no record, and what the file was kept longer by */
    uint64_t time_ns;    /* now, the caller's to set */
    struct journal_reader reader;
    uint8_t record[JOURNAL_RECORD_MAX];
    uint8_t stage[STORE_STAGE];
    size_t staged;
};

/* disk NULL: nothing lasts. 0, or E_NOMEM. */
int store_init(struct store *s, const struct store_disk *disk);
void store_free(struct store *s);
/* The heads of both files (as much as there is) and how long these are. Which file to feed,
 * from behind its head; 2: both are new; E_MALFORMED: neither is a log, and they are left alone. */
int store_choose(struct store *s, const struct span head[2], const uint64_t len[2]);
void store_feed(struct store *s, struct span bytes);
/* file_len: of the file that was fed. 0, E_FULL, E_IO. */
int store_ready(struct store *s, uint64_t file_len);

/* Writes the log anew, which store_change() does by itself when it is time. When that fails the
 * old one goes on: E_FULL, E_IO. */
int store_compact(struct store *s);

enum wasi_errno store_change(struct store *s, const struct tree_change *c);

/* The folder called name in the root, made when it is not there. */
enum wasi_errno store_top(struct store *s, struct span name, struct tree_node **ret);

#endif
