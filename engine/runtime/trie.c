#include "runtime/trie.h"

#include <string.h>

#include "base/assert.h"

/* Bits from 1 on, in steps of 16 a byte: first one that says that it is there, then its own. */
enum { SHIFT = 4 };

static inline unsigned bit_of(struct span key, size_t bit)
{
    size_t byte = (bit - 1) >> SHIFT;
    if (byte >= key.len)
        return 0;
    return (0x100u | key.p[byte]) >> (8 - ((bit - 1) & 15)) & 1;
}

/* First bit in which a and b differ; 0 when they are equal. */
static size_t first_difference(struct span a, struct span b)
{
    size_t i = 0, common = a.len < b.len ? a.len : b.len;
    while (i < common && a.p[i] == b.p[i])
        i++;
    if (i == common)
        return a.len == b.len ? 0 : (i << SHIFT) + 1;
    unsigned differ = a.p[i] ^ b.p[i];
    return (i << SHIFT) + 2 + (unsigned)__builtin_clz(differ) - 24;
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

bool trie_add(struct trie_node **root, struct trie_node *node)
{
    size_t bit = 0;
    struct trie_node **link = root;
    node->bit = 0;
    node->child[0] = node->child[1] = node;
    if (*root) {
        node->bit = first_difference(nearest(*root, node->key)->key, node->key);
        if (!node->bit)
            return false;
        while ((*link)->bit > bit && (*link)->bit < node->bit) {
            bit = (*link)->bit;
            link = &(*link)->child[bit_of(node->key, bit)];
        }
        node->child[!bit_of(node->key, node->bit)] = *link;
    }
    *link = node;
    return true;
}
