#include "hosts/browser/tree.h"

#include <stdlib.h>

#include "base/assert.h"
#include "tree_internal.h"

/* --- finding ------------------------------------------------------------------------ */

static uint32_t bucket_of(const struct tree_node *folder, struct span name)
{
    uint32_t h = 2166136261u ^ folder->ino;
    h *= 16777619u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ name.p[i]) * 16777619u;
    return (h ^ h >> 15) % TREE_BUCKETS;
}

static struct span name_of(const struct tree_entry *e)
{
    return span_of(e->name, e->name_len);
}

struct tree_node *tree_node(const struct tree *t, uint32_t ino)
{
    return ino < TREE_NODES_MAX ? t->nodes[ino] : NULL;
}

struct tree_entry *tree_find(const struct tree *t, const struct tree_node *folder,
                             struct span name)
{
    struct tree_entry *e = t->buckets[bucket_of(folder, name)];
    while (e && !(e->parent == folder && span_eq(name_of(e), name)))
        e = e->chain;
    return e;
}

uint32_t tree_free_ino(struct tree *t)
{
    for (uint32_t i = 0; i < TREE_NODES_MAX; i++) {
        uint32_t ino = (t->next_ino + i) % TREE_NODES_MAX;
        if (!t->nodes[ino]) {
            t->next_ino = ino + 1;
            return ino;
        }
    }
    return TREE_NODES_MAX;
}

const struct tree_entry *tree_entry_after(const struct tree_node *folder, uint64_t cookie)
{
    const struct tree_entry *e = folder->first;
    if (folder->last && folder->last->cookie <= cookie)
        return NULL;
    while (e && e->cookie <= cookie)
        e = e->after;
    return e;
}

/* --- names --------------------------------------------------------------------------- */

static bool is_folder(const struct tree_node *n) { return n->type == WASI_FILETYPE_DIRECTORY; }

static uint64_t cost_of(const struct tree_entry *e) { return sizeof *e + e->name_len; }

/* Takes the spare entry for a new name of n. */
static void entry_add(struct tree *t, struct tree_node *folder, struct span name,
                      struct tree_node *n)
{
    struct tree_entry *e = t->spare_entry;
    uint32_t b = bucket_of(folder, name);
    base_assert(e && name.len <= t->spare_name_max);
    t->spare_entry = NULL;
    *e = (struct tree_entry){ .chain = t->buckets[b], .before = folder->last,
                              .parent = folder, .node = n, .cookie = t->cookie++ };
    e->name_len = (uint8_t)name.len;
    memcpy(e->name, name.p, name.len);
    t->buckets[b] = e;
    if (folder->last)
        folder->last->after = e;
    else
        folder->first = e;
    folder->last = e;
    if (is_folder(n)) {
        n->self = e;
        folder->folders++;
    }
    n->links++;
    t->entry_count++;
    t->bytes += cost_of(e);
    n->top->entries++;
}

static void entry_remove(struct tree *t, struct tree_entry *e)
{
    struct tree_entry **link = &t->buckets[bucket_of(e->parent, name_of(e))];
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    *(e->before ? &e->before->after : &e->parent->first) = e->after;
    *(e->after ? &e->after->before : &e->parent->last) = e->before;
    if (is_folder(e->node)) {
        e->parent->folders--;
        if (e->node->self == e)
            e->node->self = NULL;
    }
    e->node->links--;
    t->entry_count--;
    t->bytes -= cost_of(e);
    e->node->top->entries--;
    free(e);
}

/* --- nodes --------------------------------------------------------------------------- */

static void node_free(struct tree *t, struct tree_node *n)
{
    pages_cut(t, n, 0);
    t->bytes -= sizeof *n + (uint64_t)n->page_slots * sizeof *n->pages;
    if (n->target)
        t->bytes -= n->size;
    t->nodes[n->ino] = NULL;
    t->node_count--;
    free(n->pages);
    free(n->target);
    free(n);
}

static void node_settle(struct tree *t, struct tree_node *n)
{
    if (n->links == 0 && n->opens == 0)
        node_free(t, n);
}

void tree_opened(struct tree_node *n) { n->opens++; }

void tree_closed(struct tree *t, struct tree_node *n)
{
    base_assert(n->opens);
    n->opens--;
    node_settle(t, n);
}

enum wasi_errno tree_init(struct tree *t)
{
    memset(t, 0, sizeof *t);
    struct tree_node *root = calloc(1, sizeof *root);
    if (!root)
        return WASI_NOMEM;
    *root = (struct tree_node){ .type = WASI_FILETYPE_DIRECTORY, .links = 1, .top = root };
    t->nodes[0] = root;
    t->node_count = t->next_ino = 1;
    t->cookie = TREE_COOKIE_FIRST;
    t->bytes = sizeof *root;
    return WASI_SUCCESS;
}

void tree_free(struct tree *t)
{
    for (uint32_t b = 0; b < TREE_BUCKETS; b++)
        for (struct tree_entry *e = t->buckets[b], *after; e; e = after) {
            after = e->chain;
            free(e);
        }
    for (uint32_t i = 0; i < TREE_NODES_MAX; i++)
        if (t->nodes[i]) {
            for (uint32_t k = 0; k < t->nodes[i]->page_slots; k++)
                free(t->nodes[i]->pages[k]);
            free(t->nodes[i]->pages);
            free(t->nodes[i]->target);
            free(t->nodes[i]);
        }
    if (t->spare_node)
        free(t->spare_node->target);
    free(t->spare_node);
    free(t->spare_entry);
    memset(t, 0, sizeof *t);
}

/* --- preparing ------------------------------------------------------------------------ */

/* more: there will be one entry more than now. */
static enum wasi_errno want_entry(struct tree *t, const struct tree_node *top, size_t name_len,
                                  bool more)
{
    if (more && (t->entry_count >= TREE_ENTRIES_MAX || top->entries >= TREE_TOP_ENTRIES_MAX ||
                 t->bytes + sizeof(struct tree_entry) + name_len > TREE_BYTES_MAX))
        return WASI_NOSPC;
    if (t->spare_entry && t->spare_name_max >= name_len)
        return WASI_SUCCESS;
    free(t->spare_entry);
    t->spare_entry = malloc(sizeof(struct tree_entry) + name_len);
    t->spare_name_max = name_len;
    return t->spare_entry ? WASI_SUCCESS : WASI_NOMEM;
}

static enum wasi_errno want_node(struct tree *t, struct span target)
{
    if (t->node_count >= TREE_NODES_MAX ||
        t->bytes + sizeof(struct tree_node) + target.len > TREE_BYTES_MAX)
        return WASI_NOSPC;
    if (!t->spare_node)
        t->spare_node = calloc(1, sizeof *t->spare_node);
    if (!t->spare_node)
        return WASI_NOMEM;
    free(t->spare_node->target);
    t->spare_node->target = target.len ? malloc(target.len) : NULL;
    return target.len && !t->spare_node->target ? WASI_NOMEM : WASI_SUCCESS;
}

static bool name_valid(struct span name)
{
    return name.len && name.len <= TREE_NAME_MAX && span_find(name, '/') == name.len &&
           span_find(name, 0) == name.len && !span_eq_cstr(name, ".") && !span_eq_cstr(name, "..");
}

/* A folder that may get a new name in it. */
static enum wasi_errno get_folder(const struct tree *t, uint32_t ino, struct span name,
                                  struct tree_node **ret)
{
    struct tree_node *n = tree_node(t, ino);
    if (!name_valid(name))
        return WASI_INVAL;
    if (!n || !n->links)
        return WASI_NOENT;
    *ret = n;
    return is_folder(n) ? WASI_SUCCESS : WASI_NOTDIR;
}

static enum wasi_errno prepare_make(struct tree *t, const struct tree_change *c)
{
    struct tree_node *folder;
    enum wasi_errno e = get_folder(t, c->parent, c->name, &folder);
    if (e != WASI_SUCCESS)
        return e;
    bool is_link = c->type == WASI_FILETYPE_SYMBOLIC_LINK;
    if (c->ino >= TREE_NODES_MAX || t->nodes[c->ino] ||
        (c->type != WASI_FILETYPE_DIRECTORY && c->type != WASI_FILETYPE_REGULAR_FILE && !is_link) ||
        (folder->ino == 0 && c->type != WASI_FILETYPE_DIRECTORY) ||
        is_link != (c->data.len != 0) || c->data.len > TREE_TARGET_MAX)
        return WASI_INVAL;
    if (tree_find(t, folder, c->name))
        return WASI_EXIST;
    e = want_node(t, c->data);
    return e == WASI_SUCCESS ? want_entry(t, folder->top, c->name.len, true) : e;
}

static enum wasi_errno prepare_link(struct tree *t, const struct tree_change *c)
{
    struct tree_node *folder, *n = tree_node(t, c->ino);
    enum wasi_errno e = get_folder(t, c->parent, c->name, &folder);
    if (e != WASI_SUCCESS)
        return e;
    if (!n || !n->links)
        return WASI_NOENT;
    if (is_folder(n))
        return WASI_PERM;
    if (n->top != folder->top)
        return WASI_XDEV;
    if (tree_find(t, folder, c->name))
        return WASI_EXIST;
    return want_entry(t, folder->top, c->name.len, true);
}

static enum wasi_errno prepare_unlink(struct tree *t, const struct tree_change *c)
{
    const struct tree_node *folder = tree_node(t, c->parent);
    const struct tree_entry *e = folder ? tree_find(t, folder, c->name) : NULL;
    if (!e)
        return WASI_NOENT;
    if (folder->ino == 0)
        return WASI_PERM; /* an app's folder stays */
    return is_folder(e->node) && e->node->first ? WASI_NOTEMPTY : WASI_SUCCESS;
}

static bool lies_in(const struct tree_node *n, const struct tree_node *folder)
{
    while (n != folder && n->self)
        n = n->self->parent;
    return n == folder;
}

static enum wasi_errno prepare_rename(struct tree *t, const struct tree_change *c)
{
    struct tree_node *from = tree_node(t, c->parent), *to;
    const struct tree_entry *e = from ? tree_find(t, from, c->name) : NULL;
    if (!e)
        return WASI_NOENT;
    enum wasi_errno error = get_folder(t, c->parent2, c->name2, &to);
    if (error != WASI_SUCCESS)
        return error;
    if (from->top != to->top || from->ino == 0 || to->ino == 0)
        return WASI_XDEV;
    if (is_folder(e->node) && lies_in(to, e->node))
        return WASI_INVAL;
    const struct tree_entry *old = tree_find(t, to, c->name2);
    if (old && old->node != e->node) {
        if (is_folder(e->node) && !is_folder(old->node))
            return WASI_NOTDIR;
        if (!is_folder(e->node) && is_folder(old->node))
            return WASI_ISDIR;
        if (old->node->first)
            return WASI_NOTEMPTY;
    }
    if (c->name2.len > c->name.len && t->bytes + c->name2.len - c->name.len > TREE_BYTES_MAX)
        return WASI_NOSPC;
    return want_entry(t, to->top, c->name2.len, false);
}

static enum wasi_errno get_file(const struct tree *t, uint32_t ino, struct tree_node **ret)
{
    *ret = tree_node(t, ino);
    if (!*ret)
        return WASI_NOENT;
    return (*ret)->type == WASI_FILETYPE_REGULAR_FILE ? WASI_SUCCESS : WASI_INVAL;
}

enum wasi_errno tree_prepare(struct tree *t, const struct tree_change *c)
{
    struct tree_node *n;
    enum wasi_errno e;
    switch (c->op) {
    case TREE_MAKE: return prepare_make(t, c);
    case TREE_LINK: return prepare_link(t, c);
    case TREE_UNLINK: return prepare_unlink(t, c);
    case TREE_RENAME: return prepare_rename(t, c);
    case TREE_WRITE:
        e = get_file(t, c->ino, &n);
        return e == WASI_SUCCESS ? pages_want(t, n, c->at, c->data.len) : e;
    case TREE_SIZE:
        e = get_file(t, c->ino, &n);
        return e == WASI_SUCCESS && c->at > TREE_FILE_MAX ? WASI_FBIG : e;
    case TREE_TIMES: return tree_node(t, c->ino) ? WASI_SUCCESS : WASI_NOENT;
    default: return WASI_INVAL;
    }
}

/* --- making --------------------------------------------------------------------------- */

static void touch(struct tree_node *n, uint64_t time) { n->mtim = n->ctim = time; }

static void apply_make(struct tree *t, const struct tree_change *c)
{
    struct tree_node *folder = t->nodes[c->parent], *n = t->spare_node;
    char *target = n->target;
    t->spare_node = NULL;
    *n = (struct tree_node){ .ino = c->ino, .type = c->type, .atim = c->time, .mtim = c->time,
                             .ctim = c->time, .top = folder->ino ? folder->top : n,
                             .target = target, .size = c->data.len };
    if (target)
        memcpy(target, c->data.p, c->data.len);
    t->nodes[c->ino] = n;
    t->node_count++;
    t->bytes += sizeof *n + c->data.len;
    entry_add(t, folder, c->name, n);
    touch(folder, c->time);
}

static void remove_name(struct tree *t, struct tree_entry *e, uint64_t time)
{
    struct tree_node *n = e->node;
    touch(e->parent, time);
    entry_remove(t, e);
    n->ctim = time;
    node_settle(t, n);
}

static void apply_rename(struct tree *t, const struct tree_change *c)
{
    struct tree_node *from = t->nodes[c->parent], *to = t->nodes[c->parent2];
    struct tree_entry *e = tree_find(t, from, c->name), *old = tree_find(t, to, c->name2);
    struct tree_node *n = e->node;
    if (old && old->node == n)
        return; /* two names of one file stay, says POSIX */
    if (old)
        remove_name(t, old, c->time);
    entry_remove(t, e);
    entry_add(t, to, c->name2, n);
    touch(from, c->time);
    touch(to, c->time);
    n->ctim = c->time;
}

void tree_apply(struct tree *t, const struct tree_change *c)
{
    struct tree_node *n = tree_node(t, c->ino);
    switch (c->op) {
    case TREE_MAKE: apply_make(t, c); break;
    case TREE_LINK:
        entry_add(t, t->nodes[c->parent], c->name, n);
        touch(t->nodes[c->parent], c->time);
        n->ctim = c->time;
        break;
    case TREE_UNLINK: remove_name(t, tree_find(t, t->nodes[c->parent], c->name), c->time); break;
    case TREE_RENAME: apply_rename(t, c); break;
    case TREE_WRITE:
        pages_write(n, c->at, c->data);
        touch(n, c->time);
        break;
    case TREE_SIZE:
        pages_cut(t, n, c->at);
        n->size = c->at;
        touch(n, c->time);
        break;
    case TREE_TIMES:
        n->atim = c->time;
        n->mtim = c->time2;
        n->ctim = c->at;
        break;
    default: base_assert(false);
    }
}
