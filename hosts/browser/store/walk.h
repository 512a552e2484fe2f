/* Where a path leads. */
#ifndef HOSTS_BROWSER_WALK_H
#define HOSTS_BROWSER_WALK_H

#include "hosts/browser/files.h"

struct place {
    struct tree_node *parent;
    struct tree_node *node; /* NULL: there is nothing of that name in parent */
    struct span name;       /* in `text`; empty: the path ended in "." or ".." */
    bool slash;             /* there was a slash behind it: it means a folder */
    char text[2 * WASI_PATH_MAX + 2];
};

/* WALK_NAME is for what acts on a name: a link at the end is not followed, nor is it for a slash
 * behind it. */
enum walk { WALK_FOLLOW, WALK_NOFOLLOW, WALK_NAME };

enum wasi_errno walk_path(const struct files *f, int32_t dir, struct span path, enum walk how,
                          struct place *ret);

#endif
