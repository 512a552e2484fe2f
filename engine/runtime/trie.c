#include "runtime/trie.h"

#include <string.h>

#include "base/assert.h"

enum { BITS = 9 }; /* of a byte: a 1 that says that it is there, and its own */

static unsigned bit_of(struct span key, size_t bit)
{
    size_t byte = (bit - 1) / BITS, at = (bit - 1) % BITS;
    if (byte >= key.len)
        return 0;
    return at == 0 ? 1 : key.p[byte] >> (8 - at) & 1;
}

/* First bit in which a and b, which are not equal, differ. */
static size_t first_difference(struct span a, struct span b)
{
    size_t i = 0, common = a.len < b.len ? a.len : b.len;
    while (i < common && a.p[i] == b.p[i])
        i++;
    size_t bit = i * BITS + 1;
    if (i == common)
        return bit;
    do
        bit++;
    while (bit_of(a, bit) == bit_of(b, bit));
    return bit;
}

/* The only node that may have this key. */
static struct trie_node *nearest(struct trie_node *root, struct span key)
{
    size_t bit = 0;
    while (root->bit > bit) {
        bit = root->bit;
        root = root->child[bit_of(key, bit)];
    }
    return root;
}

struct trie_node *trie_find(struct trie_node *const *root, struct span key)
{
    struct trie_node *n = *root ? nearest(*root, key) : NULL;
    return n && span_eq(n->key, key) ? n : NULL;
}

void trie_add(struct trie_node **root, struct trie_node *node)
{
    size_t bit = 0;
    struct trie_node **link = root;
    node->bit = 0;
    node->child[0] = node->child[1] = node;
    if (*root) {
        node->bit = first_difference(nearest(*root, node->key)->key, node->key);
        while ((*link)->bit > bit && (*link)->bit < node->bit) {
            bit = (*link)->bit;
            link = &(*link)->child[bit_of(node->key, bit)];
        }
        node->child[!bit_of(node->key, node->bit)] = *link;
    }
    *link = node;
}
