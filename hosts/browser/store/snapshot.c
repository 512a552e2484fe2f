/* The whole tree as changes, and whether it is whole. */
#include "hosts/browser/tree.h"

struct walk {
    tree_put put;
    void *ctx;
    uint8_t seen[TREE_NODES_MAX / 8]; /* nodes that have been put, by their first name */
};

static struct tree_change times_of(const struct tree_node *n)
{
    return (struct tree_change){ .op = TREE_TIMES, .ino = n->ino, .time = n->atim,
                                 .time2 = n->mtim, .at = n->ctim };
}

static int put_contents(const struct walk *w, const struct tree_node *n)
{
    struct tree_change c = { .op = TREE_WRITE, .ino = n->ino };
    int r = 0;
    for (uint32_t i = 0; r == 0 && i < n->page_slots; i++) {
        c.at = (uint64_t)i * TREE_PAGE;
        if (!n->pages[i] || c.at >= n->size)
            continue;
        uint64_t left = n->size - c.at;
        c.data = span_of(n->pages[i], left < TREE_PAGE ? (size_t)left : TREE_PAGE);
        r = w->put(w->ctx, &c);
    }
    c = (struct tree_change){ .op = TREE_SIZE, .ino = n->ino, .at = n->size };
    return r == 0 && n->size ? w->put(w->ctx, &c) : r;
}

static int put_entry(struct walk *w, const struct tree_entry *e)
{
    const struct tree_node *n = e->node;
    struct tree_change c = { .op = TREE_MAKE, .type = n->type, .ino = n->ino,
                             .parent = e->parent->ino, .name = span_of(e->name, e->name_len) };
    if (w->seen[n->ino / 8] >> n->ino % 8 & 1) {
        c.op = TREE_LINK;
        c.time = n->ctim;
        return w->put(w->ctx, &c);
    }
    w->seen[n->ino / 8] |= (uint8_t)(1u << n->ino % 8);
    if (n->target)
        c.data = span_of(n->target, (size_t)n->size);
    int r = w->put(w->ctx, &c);
    if (r == 0 && n->type == WASI_FILETYPE_REGULAR_FILE)
        r = put_contents(w, n);
    c = times_of(n);
    return r == 0 && n->type != WASI_FILETYPE_DIRECTORY ? w->put(w->ctx, &c) : r;
}

/* Down before sideways; a folder's times come when all that is in it has been put. */
int tree_snapshot(const struct tree *t, tree_put put, void *ctx)
{
    struct walk w = { .put = put, .ctx = ctx };
    const struct tree_entry *e = t->nodes[0]->first;
    while (e) {
        int r = put_entry(&w, e);
        const struct tree_entry *next = e->node->first;
        while (r == 0 && !next && e) {
            if (e->node->type == WASI_FILETYPE_DIRECTORY) {
                struct tree_change c = times_of(e->node);
                r = put(ctx, &c);
            }
            next = e->after;
            if (!next)
                e = e->parent->self;
        }
        if (r != 0)
            return r;
        e = next;
    }
    return 0;
}

/* --- checking ------------------------------------------------------------------------ */

struct sums {
    uint64_t bytes, used;
    uint32_t nodes, entries, top_entries;
};

static const char *check_folder(const struct tree *t, const struct tree_node *n, struct sums *sum)
{
    uint64_t cookie = 0;
    uint32_t folders = 0;
    const struct tree_entry *before = NULL;
    for (const struct tree_entry *e = n->first; e; before = e, e = e->after) {
        if (e->parent != n || e->before != before || e->cookie <= cookie)
            return "a folder's entries are not in order";
        if (tree_find(t, n, span_of(e->name, e->name_len)) != e)
            return "an entry is not found by its name";
        if (tree_node(t, e->node->ino) != e->node || !e->node->links)
            return "an entry's node is not a node";
        if (e->node->type == WASI_FILETYPE_DIRECTORY && e->node->self != e)
            return "a folder has two names";
        if (n->ino && e->node->top != n->top)
            return "a node belongs to another top";
        cookie = e->cookie;
        folders += e->node->type == WASI_FILETYPE_DIRECTORY;
        sum->entries++;
        sum->bytes += sizeof *e + e->name_len;
    }
    return n->last != before ? "a folder's last entry is not its last"
           : n->folders != folders ? "a folder's folders are not counted" : NULL;
}

static const char *check_node(const struct tree *t, const struct tree_node *n, struct sums *sum)
{
    uint32_t pages = 0;
    for (uint32_t i = 0; i < n->page_slots; i++)
        pages += n->pages[i] != NULL;
    sum->nodes++;
    sum->bytes += sizeof *n + (uint64_t)n->page_slots * sizeof *n->pages +
                  (uint64_t)pages * TREE_PAGE + (n->target ? n->size : 0);
    if (pages != n->page_count)
        return "pages are not counted";
    if (!n->links && !n->opens)
        return "a node that nobody has";
    return n->type == WASI_FILETYPE_DIRECTORY ? check_folder(t, n, sum) : NULL;
}

static const char *check_top(const struct tree *t, const struct tree_node *top)
{
    uint64_t used = 0;
    uint32_t links = 0;
    for (uint32_t i = 1; i < TREE_NODES_MAX; i++) {
        const struct tree_node *n = t->nodes[i];
        if (!n || n->top != top)
            continue;
        used += (uint64_t)n->page_count * TREE_PAGE;
        links += n->links;
    }
    return used != top->used || links != top->entries ? "a top's use is not what it uses" : NULL;
}

const char *tree_check(const struct tree *t)
{
    struct sums sum = { 0 };
    const char *fault = NULL;
    for (uint32_t i = 0; i < TREE_NODES_MAX && !fault; i++)
        if (t->nodes[i])
            fault = t->nodes[i]->ino != i ? "a node has another number"
                                          : check_node(t, t->nodes[i], &sum);
    for (const struct tree_entry *e = t->nodes[0]->first; e && !fault; e = e->after)
        fault = check_top(t, e->node);
    if (!fault && (sum.nodes != t->node_count || sum.entries != t->entry_count))
        fault = "nodes or entries are not counted";
    return !fault && sum.bytes != t->bytes ? "bytes are not counted" : fault;
}
