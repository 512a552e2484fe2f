/* Folders, files and links of all apps, in memory: what the log (journal.h) says, replayed.
 *
 * Nothing changes but by a struct tree_change, and each is one record of the log: what was done
 * and what is read back after a reload go through the same function. A change is prepared first,
 * which checks all of it and gets all the memory that it needs; then it is logged; then it is
 * made, which cannot fail.
 *
 * Node 0 is the root. It holds one folder for each app, its *top*, and nothing else; nothing
 * moves or is linked between tops. A node without a name lives on while it is open. */
#ifndef HOSTS_BROWSER_TREE_H
#define HOSTS_BROWSER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "wasi/abi.h"

enum {
    TREE_PAGE = 4096,
    TREE_NAME_MAX = 255,
    TREE_TARGET_MAX = 4096,          /* of a symbolic link */
    TREE_DATA_MAX = 65536,           /* one write */
    TREE_NODES_MAX = 65536,          /* with the root */
    TREE_ENTRIES_MAX = 65536,
    TREE_TOP_ENTRIES_MAX = 16384,    /* of one app */
    TREE_FILE_MAX = 1 << 30,
    TREE_BYTES_MAX = 64 << 20,       /* of memory, all together */
    TREE_BUCKETS = 16384,
    TREE_COOKIE_FIRST = 3,           /* of an entry's; below are "." and ".." */
};

struct tree_node;

struct tree_entry {
    struct tree_entry *chain;          /* of the same bucket */
    struct tree_entry *before, *after; /* in the same folder, oldest first */
    struct tree_node *parent, *node;
    uint64_t cookie; /* grows along the folder */
    uint8_t name_len;
    char name[];
};

struct tree_node {
    uint32_t ino, links, opens;
    uint8_t type; /* enum wasi_filetype */
    uint64_t size, atim, mtim, ctim;
    struct tree_node *top;
    /* a folder */
    struct tree_entry *self; /* its only name; NULL: the root, or it has been removed */
    struct tree_entry *first, *last;
    uint32_t folders; /* in it */
    /* a file */
    uint8_t **pages; /* page_slots of them; NULL: zeros */
    uint32_t page_slots, page_count;
    char *target; /* a symbolic link's, `size` bytes */
    /* a top */
    uint64_t used;    /* bytes of its files' pages */
    uint32_t entries; /* names in it, its own too */
};

struct tree {
    struct tree_node *nodes[TREE_NODES_MAX]; /* by ino */
    struct tree_entry *buckets[TREE_BUCKETS];
    uint32_t node_count, entry_count, next_ino;
    uint64_t cookie, bytes;
    /* Memory that the next change needs. */
    struct tree_node *spare_node;
    struct tree_entry *spare_entry;
    size_t spare_name_max;
};

enum tree_op {
    TREE_MAKE = 1, /* node `ino` of `type`, named `name` in `parent`; data: a link's target */
    TREE_LINK,     /* one more name for `ino` */
    TREE_UNLINK,   /* `name` in `parent` goes, also an empty folder's */
    TREE_RENAME,   /* `name` in `parent` becomes `name2` in `parent2`, replacing what is there */
    TREE_WRITE,    /* `data` at `at` of `ino` */
    TREE_SIZE,     /* `ino` is `at` bytes long */
    TREE_TIMES,    /* of `ino`: accessed time, modified time2, changed `at` */
    TREE_OP_COUNT_
};

struct tree_change {
    enum tree_op op;
    uint8_t type;
    uint32_t ino, parent, parent2;
    uint64_t at;
    uint64_t time, time2; /* nanoseconds since 1970 */
    struct span name, name2, data;
};

/* 0, or WASI_NOMEM. */
enum wasi_errno tree_init(struct tree *t);
void tree_free(struct tree *t);

/* Could it be made? If so there is now memory for it. WASI_NOSPC: a bound above is reached;
 * otherwise the error that POSIX has for it. */
enum wasi_errno tree_prepare(struct tree *t, const struct tree_change *c);
/* Makes what was prepared, which nothing came after. */
void tree_apply(struct tree *t, const struct tree_change *c);

/* NULL when there is none. */
struct tree_node *tree_node(const struct tree *t, uint32_t ino);
struct tree_entry *tree_find(const struct tree *t, const struct tree_node *folder,
                             struct span name);
/* A number that a new node may have; TREE_NODES_MAX: there is none left. */
uint32_t tree_free_ino(struct tree *t);
/* The first entry of the folder with a cookie above this one. */
const struct tree_entry *tree_entry_after(const struct tree_node *folder, uint64_t cookie);

/* How many bytes of at most len the file has from `at` on, copied. */
size_t tree_read(const struct tree_node *file, uint64_t at, void *to, size_t len);
/* Pages that a write of len bytes at `at` would add. */
uint32_t tree_pages_missing(const struct tree_node *file, uint64_t at, size_t len);

/* While it is open, a node outlives its last name. */
void tree_opened(struct tree_node *n);
void tree_closed(struct tree *t, struct tree_node *n);

/* Calls `put` with changes that make an empty tree equal to this one, parents first. Stops when it
 * returns other than 0, and returns that. */
typedef int (*tree_put)(void *ctx, const struct tree_change *c);
int tree_snapshot(const struct tree *t, tree_put put, void *ctx);

/* For tests: every invariant; NULL or what is broken. */
const char *tree_check(const struct tree *t);

#endif
