/* A set of byte strings in which a search takes no more steps than the key has bits, whatever
 * an adversary put in: names and types are chosen by those who make modules, and chains of a hash
 * table would be as long as they like. (A Patricia tree: D. R. Morrison, "PATRICIA", Journal
 * of the ACM 15 (4), 1968.) */
#ifndef ENGINE_RUNTIME_TRIE_H
#define ENGINE_RUNTIME_TRIE_H

#include <stddef.h>

#include "base/span.h"

/* Part of whatever is kept in the set; the owner sets key, whose bytes must stay. */
struct trie_node {
    struct span key;
    size_t bit; /* that child depends on, from 1; 0 in the node added first */
    struct trie_node *child[2]; /* one with no greater bit is above: the way down ends there */
};

/* The node with this key in the set whose first node is *root, or NULL. */
struct trie_node *trie_find(struct trie_node *const *root, struct span key);
/* False, and nothing is done, when its key is in the set. */
bool trie_add(struct trie_node **root, struct trie_node *node);

#endif
