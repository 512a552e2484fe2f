#include "hosts/browser/store.h"

#include "base/assert.h"
#include "base/err.h"

int store_init(struct store *s, const struct store_disk *disk)
{
    memset(s, 0, offsetof(struct store, reader));
    s->staged = 0;
    if (disk)
        s->disk = *disk;
    s->lasting = disk != NULL;
    return tree_init(&s->tree) == WASI_SUCCESS ? E_OK : E_NOMEM;
}

void store_free(struct store *s)
{
    tree_free(&s->tree);
}

/* --- beginning ------------------------------------------------------------------------ */

int store_choose(struct store *s, const struct span head[2], const uint64_t len[2])
{
    uint64_t generation[2] = { journal_head_read(head[0]), journal_head_read(head[1]) };
    uint32_t file = generation[1] > generation[0];
    if (!generation[file]) /* a first log that was never begun has no head */
        return len[0] > JOURNAL_HEAD_BYTES || len[1] > JOURNAL_HEAD_BYTES ? E_MALFORMED : 2;
    s->file = file;
    s->generation = generation[file];
    journal_reader_init(&s->reader, s->generation);
    return (int)file;
}

static bool replay(void *ctx, const struct tree_change *c)
{
    struct store *s = ctx;
    if (tree_prepare(&s->tree, c) != WASI_SUCCESS)
        return false;
    tree_apply(&s->tree, c);
    return true;
}

void store_feed(struct store *s, struct span bytes)
{
    journal_reader_feed(&s->reader, bytes, replay, s);
}

/* --- writing it anew ------------------------------------------------------------------- */

static int flush_stage(struct store *s, uint32_t file)
{
    int r = s->staged ? s->disk.write(s->disk.ctx, file, s->end, span_of(s->stage, s->staged), false)
                      : E_OK;
    if (r < 0)
        return r;
    s->end += s->staged;
    s->staged = 0;
    return E_OK;
}

static int stage(void *ctx, const struct tree_change *c)
{
    struct store *s = ctx;
    if (STORE_STAGE - s->staged < JOURNAL_RECORD_MAX) {
        int r = flush_stage(s, 1 - s->file);
        if (r < 0)
            return r;
    }
    s->staged += journal_write(c, s->generation, s->count++, s->stage + s->staged);
    return E_OK;
}

static int write_all(struct store *s, uint32_t file)
{
    uint8_t head[JOURNAL_HEAD_BYTES];
    int r = s->disk.clear(s->disk.ctx, file);
    if (r >= 0)
        r = tree_snapshot(&s->tree, stage, s);
    if (r >= 0)
        r = flush_stage(s, file);
    if (r >= 0)
        r = s->disk.barrier(s->disk.ctx);
    journal_head_write(head, s->generation);
    if (r >= 0)
        r = s->disk.write(s->disk.ctx, file, 0, span_of(head, sizeof head), true);
    return r < 0 ? r : s->disk.barrier(s->disk.ctx);
}

int store_compact(struct store *s)
{
    uint64_t generation = s->generation, count = s->count, end = s->end;
    uint32_t file = 1 - s->file;
    s->generation++;
    s->count = 0;
    s->end = JOURNAL_HEAD_BYTES;
    s->staged = 0;
    int r = write_all(s, file);
    if (r < 0) {
        /* A head that cannot be taken away again would hold at the next start. */
        s->broken = s->disk.clear(s->disk.ctx, file) < 0;
        s->generation = generation;
        s->count = count;
        s->end = end;
        s->not_before = end + STORE_SLACK; /* rather than with each change */
        return r;
    }
    s->disk.clear(s->disk.ctx, s->file); /* of what it held nothing is needed any more */
    s->file = file;
    s->not_before = 0;
    return E_OK;
}

int store_ready(struct store *s, uint64_t file_len)
{
    bool is_new = s->generation == 0;
    if (!s->lasting)
        return E_OK;
    if (is_new) {
        s->file = 1;
        return store_compact(s);
    }
    journal_reader_finish(&s->reader);
    if (s->reader.refused)
        return E_MALFORMED; /* too little memory, perhaps: nothing is thrown away for that */
    s->count = s->reader.count;
    s->end = s->reader.good;
    if (!s->reader.torn)
        return E_OK;
    s->dropped = file_len - s->end;
    return store_compact(s);
}

/* --- changing -------------------------------------------------------------------------- */

static bool frees_room(const struct store *s, const struct tree_change *c)
{
    const struct tree_node *n = tree_node(&s->tree, c->ino);
    return c->op == TREE_UNLINK || (c->op == TREE_SIZE && n && c->at < n->size);
}

static int append(struct store *s, const struct tree_change *c)
{
    size_t len = journal_write(c, s->generation, s->count, s->record);
    int r = s->disk.write(s->disk.ctx, s->file, s->end, span_of(s->record, len), frees_room(s, c));
    if (r < 0)
        return r;
    s->count++;
    s->end += len;
    return E_OK;
}

/* Has the node, or the folder, of this change no name any more? Then a reload finds nothing of
 * it, and nothing is logged. */
static bool is_forgotten(const struct store *s, const struct tree_change *c)
{
    const struct tree_node *n = tree_node(&s->tree, c->ino);
    return (c->op == TREE_WRITE || c->op == TREE_SIZE || c->op == TREE_TIMES) && n && !n->links;
}

enum wasi_errno store_change(struct store *s, const struct tree_change *c)
{
    enum wasi_errno e = tree_prepare(&s->tree, c);
    if (e != WASI_SUCCESS)
        return e;
    if (s->broken)
        return WASI_IO;
    if (s->lasting && !is_forgotten(s, c)) {
        if (s->end > 2 * s->tree.bytes + STORE_SLACK && s->end > s->not_before)
            (void)store_compact(s); /* without it the log is longer, no more */
        int r = append(s, c);
        bool helps = s->end > s->tree.bytes + STORE_SLACK / 4 && s->end > s->not_before;
        if (r == E_FULL && helps && store_compact(s) == E_OK)
            r = append(s, c);
        if (r < 0)
            return r == E_FULL ? WASI_NOSPC : WASI_IO;
        if (frees_room(s, c))
            s->not_before = 0;
    }
    tree_apply(&s->tree, c);
    return WASI_SUCCESS;
}

enum wasi_errno store_top(struct store *s, struct span name, struct tree_node **ret)
{
    struct tree_entry *e = tree_find(&s->tree, s->tree.nodes[0], name);
    if (!e) {
        struct tree_change c = { .op = TREE_MAKE, .type = WASI_FILETYPE_DIRECTORY,
                                 .ino = tree_free_ino(&s->tree), .name = name,
                                 .time = s->time_ns };
        enum wasi_errno error = c.ino == TREE_NODES_MAX ? WASI_NOSPC : store_change(s, &c);
        if (error != WASI_SUCCESS)
            return error;
        e = tree_find(&s->tree, s->tree.nodes[0], name);
    }
    *ret = e->node;
    return WASI_SUCCESS;
}
