/* Contents of files (pages.c), for tree.c. */
#ifndef HOSTS_BROWSER_TREE_INTERNAL_H
#define HOSTS_BROWSER_TREE_INTERNAL_H

#include "hosts/browser/tree.h"

/* Memory for a write of len bytes at `at`: WASI_FBIG, WASI_NOSPC, WASI_NOMEM. */
enum wasi_errno pages_want(struct tree *t, struct tree_node *file, uint64_t at, size_t len);
/* After pages_want(). */
void pages_write(struct tree_node *file, uint64_t at, struct span data);
/* Frees what lies beyond `size`; what is left of the last page becomes zeros. */
void pages_cut(struct tree *t, struct tree_node *file, uint64_t size);

#endif
