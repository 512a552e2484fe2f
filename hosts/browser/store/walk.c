#include "walk.h"

struct walker {
    const struct tree *tree;
    struct tree_node *base, *at;
    enum walk how;
    uint32_t links;
    size_t start, len; /* what is left of p->text */
    struct place *p;
};

static bool is_folder(const struct tree_node *n) { return n->type == WASI_FILETYPE_DIRECTORY; }

/* The next component; empty: there is none. */
static struct span next_name(struct walker *w)
{
    const char *text = w->p->text;
    while (w->start < w->len && text[w->start] == '/')
        w->start++;
    size_t from = w->start;
    while (w->start < w->len && text[w->start] != '/')
        w->start++;
    return span_of(text + from, w->start - from);
}

/* Is nothing but slashes left? */
static bool is_last(const struct walker *w)
{
    size_t i = w->start;
    while (i < w->len && w->p->text[i] == '/')
        i++;
    return i == w->len;
}

/* Puts the link's target before what is left. */
static enum wasi_errno follow(struct walker *w, const struct tree_node *link)
{
    char *text = w->p->text;
    size_t target = (size_t)link->size, rest = w->len - w->start;
    if (++w->links > FILES_LINKS_MAX)
        return WASI_LOOP;
    if (link->target[0] == '/')
        return WASI_NOTCAPABLE;
    if (target + rest > sizeof w->p->text)
        return WASI_NAMETOOLONG;
    memmove(text + target, text + w->start, rest);
    memcpy(text, link->target, target);
    w->start = 0;
    w->len = target + rest;
    return WASI_SUCCESS;
}

static enum wasi_errno up(struct walker *w)
{
    if (w->at == w->base || !w->at->self)
        return WASI_NOTCAPABLE;
    w->at = w->at->self->parent;
    return WASI_SUCCESS;
}

/* One component. *ret_done: it was the last. */
static enum wasi_errno step(struct walker *w, bool *ret_done)
{
    struct place *p = w->p;
    struct span name = next_name(w);
    bool last = is_last(w), slash = w->start < w->len;
    if (!is_folder(w->at))
        return WASI_NOTDIR;
    if (name.len > TREE_NAME_MAX)
        return WASI_NAMETOOLONG;
    *ret_done = last;
    p->slash = slash;
    p->name = SPAN_NONE;
    if (!name.len || span_eq_cstr(name, ".")) {
        p->node = w->at;
        return WASI_SUCCESS;
    }
    if (span_eq_cstr(name, "..")) {
        enum wasi_errno e = up(w);
        p->node = w->at;
        return e;
    }
    const struct tree_entry *e = tree_find(w->tree, w->at, name);
    if (!e && !last)
        return WASI_NOENT;
    bool through = w->how == WALK_FOLLOW || (w->how == WALK_NOFOLLOW && slash);
    if (e && e->node->type == WASI_FILETYPE_SYMBOLIC_LINK && (!last || through)) {
        *ret_done = false;
        return follow(w, e->node);
    }
    p->parent = w->at;
    p->node = e ? e->node : NULL;
    p->name = name;
    if (!last)
        w->at = e->node;
    return WASI_SUCCESS;
}

enum wasi_errno walk_path(const struct files *f, int32_t dir, struct span path, enum walk how,
                          struct place *ret)
{
    struct walker w = { .tree = &f->store->tree, .how = how, .len = path.len, .p = ret };
    if (!files_has(f, dir))
        return WASI_BADF;
    if (path.len > WASI_PATH_MAX)
        return WASI_NAMETOOLONG;
    if (span_find(path, 0) != path.len)
        return WASI_INVAL;
    if (path.len == 0)
        return WASI_NOENT;
    if (path.p[0] == '/')
        return WASI_NOTCAPABLE;
    w.base = w.at = f->handles[dir].node;
    memcpy(ret->text, path.p, path.len);
    enum wasi_errno e = WASI_SUCCESS;
    for (bool done = false; e == WASI_SUCCESS && !done;)
        e = step(&w, &done);
    return e;
}
