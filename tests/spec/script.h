/* Reads the specification's test scripts: parenthesised lists of atoms and strings. */
#ifndef SPEC_SCRIPT_H
#define SPEC_SCRIPT_H

#include "base/span.h"

enum node_kind { NODE_LIST, NODE_ATOM, NODE_STRING };

struct node {
    enum node_kind kind;
    unsigned line;
    struct span text; /* of an atom, or a string's bytes with escapes resolved */
    struct node *first, *next;
};

/* Depth of (assert_return (invoke "f" (i32.const 1))) is 3; no script needs more. */
enum { SCRIPT_DEPTH_MAX = 16 };

struct script {
    uint8_t *p, *end; /* the text not yet read; strings are decoded in place */
    unsigned line;
    struct node_block *blocks, *block; /* of nodes; the one being filled */
    const char *error; /* what was wrong, when script_next failed */
};

/* text is modified and must outlive the script. */
void script_init(struct script *s, uint8_t *text, size_t len);
void script_finish(struct script *s);

/* The next top-level form; it lives until the next call. 1 and *ret, 0 at the end
 * of the text, E_MALFORMED or E_NOMEM. */
int script_next(struct script *s, const struct node **ret);

bool node_is(const struct node *n, const char *atom);
/* First child's atom equals head: (head ...). */
bool node_has_head(const struct node *n, const char *head);
/* The n-th child, or NULL. */
const struct node *node_child(const struct node *list, unsigned n);

#endif
