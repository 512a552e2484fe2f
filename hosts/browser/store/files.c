/* What is open. */
#include "hosts/browser/files.h"

#include "base/assert.h"
#include "walk.h"

enum wasi_errno files_init(struct files *f, struct store *s, struct span app, uint64_t data_max,
                           struct file_handle *handles, uint32_t handle_count)
{
    base_assert(handle_count);
    *f = (struct files){ .store = s, .data_max = data_max, .handles = handles };
    enum wasi_errno e = store_top(s, app, &f->top);
    if (e != WASI_SUCCESS)
        return e;
    memset(handles, 0, handle_count * sizeof *handles);
    f->handle_count = handle_count;
    handles[0].node = f->top;
    tree_opened(f->top);
    return WASI_SUCCESS;
}

void files_finish(struct files *f)
{
    for (uint32_t i = 0; i < f->handle_count; i++)
        if (f->handles[i].node)
            tree_closed(&f->store->tree, f->handles[i].node);
    f->handle_count = 0;
}

bool files_has(const struct files *f, int32_t h)
{
    return h >= 0 && (uint32_t)h < f->handle_count && f->handles[h].node;
}

static bool is_folder(const struct tree_node *n) { return n->type == WASI_FILETYPE_DIRECTORY; }

static enum wasi_errno get_file(const struct files *f, int32_t h, struct file_handle **ret)
{
    if (!files_has(f, h))
        return WASI_BADF;
    *ret = &f->handles[h];
    return is_folder((*ret)->node) ? WASI_ISDIR : WASI_SUCCESS;
}

/* Before something is made or opened for writing, as on Linux. */
static enum wasi_errno has_room(const struct files *f)
{
    return f->data_max && f->top->used >= f->data_max ? WASI_DQUOT : WASI_SUCCESS;
}

/* What is made or written costs `bytes`, its name and records among them. */
static enum wasi_errno leaves_enough(const struct files *f, uint64_t bytes)
{
    return f->leaves && f->store->tree.bytes + bytes + f->leaves > TREE_BYTES_MAX ? WASI_NOSPC
                                                                                 : WASI_SUCCESS;
}

/* --- opening -------------------------------------------------------------------------- */

static enum wasi_errno make(struct files *f, const struct place *p, enum wasi_filetype type,
                            struct span target, struct tree_node **ret)
{
    struct tree_change c = { .op = TREE_MAKE, .type = (uint8_t)type,
                             .ino = tree_free_ino(&f->store->tree), .parent = p->parent->ino,
                             .name = p->name, .data = target, .time = f->store->time_ns };
    if (c.ino == TREE_NODES_MAX)
        return WASI_NOSPC;
    enum wasi_errno e = leaves_enough(f, TREE_PAGE + target.len);
    if (e == WASI_SUCCESS)
        e = store_change(f->store, &c);
    if (e == WASI_SUCCESS && ret)
        *ret = tree_node(&f->store->tree, c.ino);
    return e;
}

static enum wasi_errno change_size(struct files *f, const struct tree_node *n, uint64_t size)
{
    struct tree_change c = { .op = TREE_SIZE, .ino = n->ino, .at = size,
                             .time = f->store->time_ns };
    return store_change(f->store, &c);
}

/* What is there already. */
static enum wasi_errno check_opened(const struct wasi_open *how, const struct place *p)
{
    bool makes = how->oflags & WASI_O_CREAT;
    if (makes && (how->oflags & WASI_O_EXCL))
        return WASI_EXIST;
    if (p->node->type == WASI_FILETYPE_SYMBOLIC_LINK)
        return how->oflags & WASI_O_DIRECTORY ? WASI_NOTDIR : WASI_LOOP;
    if (!is_folder(p->node))
        return p->slash || (how->oflags & WASI_O_DIRECTORY) ? WASI_NOTDIR : WASI_SUCCESS;
    return makes || how->can_write || (how->oflags & WASI_O_TRUNC) ? WASI_ISDIR : WASI_SUCCESS;
}

static enum wasi_errno find_or_make(struct files *f, const struct wasi_open *how,
                                    struct tree_node **ret)
{
    struct place p;
    bool follow = how->follow && !((how->oflags & WASI_O_CREAT) && (how->oflags & WASI_O_EXCL));
    enum wasi_errno e = walk_path(f, how->dir, how->path, follow ? WALK_FOLLOW : WALK_NOFOLLOW, &p);
    if (e != WASI_SUCCESS)
        return e;
    if (!p.node) {
        if (!(how->oflags & WASI_O_CREAT))
            return WASI_NOENT;
        return p.slash ? WASI_ISDIR : make(f, &p, WASI_FILETYPE_REGULAR_FILE, SPAN_NONE, ret);
    }
    e = check_opened(how, &p);
    if (e == WASI_SUCCESS && (how->oflags & WASI_O_TRUNC) && p.node->size)
        e = change_size(f, p.node, 0);
    *ret = p.node;
    return e;
}

enum wasi_errno files_open(struct files *f, const struct wasi_open *how, struct wasi_opened *ret)
{
    struct tree_node *n;
    uint32_t h = 1;
    if (how->can_write || (how->oflags & (WASI_O_CREAT | WASI_O_TRUNC))) {
        enum wasi_errno full = has_room(f);
        if (full != WASI_SUCCESS)
            return full;
    }
    while (h < f->handle_count && f->handles[h].node)
        h++;
    if (h == f->handle_count)
        return WASI_NFILE;
    enum wasi_errno e = find_or_make(f, how, &n);
    if (e != WASI_SUCCESS)
        return e;
    f->handles[h] = (struct file_handle){ .node = n, .can_read = how->can_read || !how->can_write,
                                          .can_write = how->can_write,
                                          .append = how->fdflags & WASI_FDFLAG_APPEND };
    tree_opened(n);
    *ret = (struct wasi_opened){ .handle = (int32_t)h, .filetype = (enum wasi_filetype)n->type };
    return WASI_SUCCESS;
}

enum wasi_errno files_close(struct files *f, int32_t h)
{
    if (!files_has(f, h))
        return WASI_BADF;
    tree_closed(&f->store->tree, f->handles[h].node);
    f->handles[h].node = NULL;
    return WASI_SUCCESS;
}

/* --- contents -------------------------------------------------------------------------- */

enum wasi_errno files_read(struct files *f, int32_t h, uint64_t at, void *to, size_t len, size_t *ret)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, h, &file);
    if (e != WASI_SUCCESS)
        return e;
    if (!file->can_read)
        return WASI_BADF;
    bool moves = at == UINT64_MAX;
    *ret = tree_read(file->node, moves ? file->position : at, to, len);
    if (moves)
        file->position += *ret;
    return WASI_SUCCESS;
}

static uint64_t size_limit(const struct files *f)
{
    return f->data_max && f->data_max < TREE_FILE_MAX ? f->data_max : TREE_FILE_MAX;
}

/* How many of len bytes at `at` may be written: not past the bound of one file, and not more than
 * the app may have. */
static enum wasi_errno fit(const struct files *f, const struct tree_node *n, uint64_t at, size_t *len)
{
    uint64_t most = size_limit(f);
    if (*len > TREE_DATA_MAX)
        *len = TREE_DATA_MAX;
    if (*len && at >= most)
        return WASI_FBIG;
    if (*len > most - at)
        *len = (size_t)(most - at);
    uint64_t more = (uint64_t)tree_pages_missing(n, at, *len) * TREE_PAGE;
    if (f->data_max && more && f->top->used + more > f->data_max)
        return WASI_DQUOT;
    return more ? leaves_enough(f, more) : WASI_SUCCESS;
}

enum wasi_errno files_write(struct files *f, int32_t h, uint64_t at, struct span bytes, size_t *ret)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, h, &file);
    if (e != WASI_SUCCESS)
        return e;
    if (!file->can_write)
        return WASI_BADF;
    bool moves = at == UINT64_MAX;
    if (file->append) /* as Linux does also for pwrite */
        at = file->node->size;
    else if (moves)
        at = file->position;
    size_t len = bytes.len;
    if (len) {
        e = fit(f, file->node, at, &len);
        struct tree_change c = { .op = TREE_WRITE, .ino = file->node->ino, .at = at,
                                 .data = span_take(bytes, len), .time = f->store->time_ns };
        if (e == WASI_SUCCESS)
            e = store_change(f->store, &c);
    }
    if (e != WASI_SUCCESS)
        return e;
    if (moves)
        file->position = at + len;
    *ret = len;
    return WASI_SUCCESS;
}

enum wasi_errno files_seek(struct files *f, int32_t h, int64_t delta, enum wasi_whence whence,
                           uint64_t *ret)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, h, &file);
    if (e != WASI_SUCCESS)
        return e;
    uint64_t from = whence == WASI_WHENCE_SET   ? 0
                    : whence == WASI_WHENCE_CUR ? file->position
                                                : file->node->size;
    uint64_t to = from + (uint64_t)delta; /* `from` is below 2^63 */
    if (to > INT64_MAX)
        return WASI_INVAL;
    *ret = file->position = to;
    return WASI_SUCCESS;
}

/* The bytes are there, and zeros; room for them is not kept. */
enum wasi_errno files_allocate(struct files *f, int32_t h, uint64_t at, uint64_t len)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, h, &file);
    if (e != WASI_SUCCESS)
        return e == WASI_ISDIR ? WASI_NODEV : e;
    if (!file->can_write)
        return WASI_BADF;
    if (at > size_limit(f) || len > size_limit(f) - at)
        return WASI_FBIG;
    return at + len > file->node->size ? change_size(f, file->node, at + len) : WASI_SUCCESS;
}

enum wasi_errno files_set_flags(struct files *f, int32_t h, uint16_t fdflags)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, h, &file);
    if (e != WASI_SUCCESS)
        return e == WASI_ISDIR ? WASI_NOTSUP : e;
    file->append = fdflags & WASI_FDFLAG_APPEND;
    return WASI_SUCCESS;
}

enum wasi_errno files_set_size(struct files *f, int32_t h, uint64_t size)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, h, &file);
    if (e != WASI_SUCCESS)
        return e;
    if (!file->can_write)
        return WASI_INVAL;
    return size > size_limit(f) ? WASI_FBIG : change_size(f, file->node, size);
}

/* --- what is said about files ------------------------------------------------------------ */

static enum wasi_errno find(struct files *f, int32_t h, struct span path, bool follow,
                            struct tree_node **ret)
{
    struct place p;
    if (path.len == 0) {
        if (!files_has(f, h))
            return WASI_BADF;
        *ret = f->handles[h].node;
        return WASI_SUCCESS;
    }
    enum wasi_errno e = walk_path(f, h, path, follow ? WALK_FOLLOW : WALK_NOFOLLOW, &p);
    if (e == WASI_SUCCESS && !p.node)
        e = WASI_NOENT;
    if (e == WASI_SUCCESS && p.slash && !is_folder(p.node))
        e = WASI_NOTDIR;
    if (e == WASI_SUCCESS)
        *ret = p.node;
    return e;
}

enum wasi_errno files_stat(struct files *f, int32_t h, struct span path, bool follow,
                           struct wasi_filestat *ret)
{
    struct tree_node *n;
    enum wasi_errno e = find(f, h, path, follow, &n);
    if (e != WASI_SUCCESS)
        return e;
    *ret = (struct wasi_filestat){ .dev = 1, .ino = n->ino, .nlink = n->links, .size = n->size,
                                   .filetype = (enum wasi_filetype)n->type, .atim = n->atim,
                                   .mtim = n->mtim, .ctim = n->ctim };
    if (is_folder(n) && n->links) {
        ret->nlink = 2 + n->folders;
        ret->size = TREE_PAGE;
    }
    return WASI_SUCCESS;
}

enum wasi_errno files_set_times(struct files *f, int32_t h, struct span path, bool follow,
                                const struct wasi_times *times)
{
    struct tree_node *n;
    uint64_t now = f->store->time_ns;
    enum wasi_errno e = find(f, h, path, follow, &n);
    if (e != WASI_SUCCESS)
        return e;
    struct tree_change c = { .op = TREE_TIMES, .ino = n->ino, .time = n->atim, .time2 = n->mtim,
                             .at = now };
    if (times->fstflags & (WASI_FST_ATIM | WASI_FST_ATIM_NOW))
        c.time = times->fstflags & WASI_FST_ATIM ? times->atim : now;
    if (times->fstflags & (WASI_FST_MTIM | WASI_FST_MTIM_NOW))
        c.time2 = times->fstflags & WASI_FST_MTIM ? times->mtim : now;
    return store_change(f->store, &c);
}

/* "." and ".."; above /data there is nothing. False: the sink is full. */
static bool put_dots(const struct files *f, const struct tree_node *n, uint64_t cookie,
                     const struct wasi_dirent_sink *sink)
{
    const struct tree_node *up = n == f->top || !n->self ? n : n->self->parent;
    struct wasi_dirent here = { 1, n->ino, WASI_FILETYPE_DIRECTORY, SPAN_LIT(".") };
    struct wasi_dirent above = { 2, up->ino, WASI_FILETYPE_DIRECTORY, SPAN_LIT("..") };
    return (cookie > 0 || sink->put(sink->ctx, &here)) &&
           (cookie > 1 || sink->put(sink->ctx, &above));
}

enum wasi_errno files_readdir(struct files *f, int32_t dir, uint64_t cookie,
                              const struct wasi_dirent_sink *sink)
{
    struct file_handle *file;
    enum wasi_errno e = get_file(f, dir, &file);
    if (e != WASI_ISDIR)
        return e == WASI_SUCCESS ? WASI_NOTDIR : e;
    if (cookie > INT64_MAX)
        return WASI_INVAL;
    if (!put_dots(f, file->node, cookie, sink))
        return WASI_SUCCESS;
    for (const struct tree_entry *i = tree_entry_after(file->node, cookie); i; i = i->after) {
        struct wasi_dirent d = { i->cookie, i->node->ino, (enum wasi_filetype)i->node->type,
                                 span_of(i->name, i->name_len) };
        if (!sink->put(sink->ctx, &d))
            break;
    }
    return WASI_SUCCESS;
}

/* --- names ------------------------------------------------------------------------------ */

/* dots: the error when the path ends in "." or "..". */
static enum wasi_errno get_place(struct files *f, int32_t dir, struct span path,
                                 enum wasi_errno dots, struct place *ret)
{
    enum wasi_errno e = walk_path(f, dir, path, WALK_NAME, ret);
    return e == WASI_SUCCESS && !ret->name.len ? dots : e;
}

enum wasi_errno files_mkdir(struct files *f, int32_t dir, struct span path)
{
    struct place p;
    enum wasi_errno e = has_room(f);
    if (e == WASI_SUCCESS)
        e = get_place(f, dir, path, WASI_EXIST, &p);
    return e == WASI_SUCCESS ? make(f, &p, WASI_FILETYPE_DIRECTORY, SPAN_NONE, NULL) : e;
}

static enum wasi_errno remove_name(struct files *f, const struct place *p)
{
    struct tree_change c = { .op = TREE_UNLINK, .parent = p->parent->ino, .name = p->name,
                             .time = f->store->time_ns };
    return store_change(f->store, &c);
}

enum wasi_errno files_rmdir(struct files *f, int32_t dir, struct span path)
{
    struct place p;
    enum wasi_errno e = get_place(f, dir, path, WASI_INVAL, &p);
    if (e != WASI_SUCCESS)
        return e;
    return !p.node ? WASI_NOENT : is_folder(p.node) ? remove_name(f, &p) : WASI_NOTDIR;
}

enum wasi_errno files_unlink(struct files *f, int32_t dir, struct span path)
{
    struct place p;
    enum wasi_errno e = get_place(f, dir, path, WASI_ISDIR, &p);
    if (e != WASI_SUCCESS)
        return e;
    if (p.node && is_folder(p.node))
        return WASI_ISDIR;
    return p.slash ? WASI_NOTDIR : p.node ? remove_name(f, &p) : WASI_NOENT;
}

static enum wasi_errno get_both(struct files *f, int32_t dir, struct span from, int32_t to_dir,
                                struct span to, struct place *ret_from, struct place *ret_to)
{
    enum wasi_errno e = get_place(f, dir, from, WASI_BUSY, ret_from);
    return e == WASI_SUCCESS ? get_place(f, to_dir, to, WASI_EXIST, ret_to) : e;
}

enum wasi_errno files_rename(struct files *f, int32_t dir, struct span from, int32_t to_dir,
                             struct span to)
{
    struct place a, b;
    enum wasi_errno e = get_both(f, dir, from, to_dir, to, &a, &b);
    if (e != WASI_SUCCESS)
        return e;
    if ((a.slash || b.slash) && !(a.node && is_folder(a.node)))
        return WASI_NOTDIR;
    struct tree_change c = { .op = TREE_RENAME, .parent = a.parent->ino, .name = a.name,
                             .parent2 = b.parent->ino, .name2 = b.name,
                             .time = f->store->time_ns };
    return store_change(f->store, &c);
}

enum wasi_errno files_link(struct files *f, int32_t dir, struct span from, bool follow,
                           int32_t to_dir, struct span to)
{
    struct place a, b;
    enum wasi_errno e = has_room(f);
    if (e == WASI_SUCCESS)
        e = get_both(f, dir, from, to_dir, to, &a, &b);
    if (e != WASI_SUCCESS)
        return e;
    if (follow && a.node && a.node->type == WASI_FILETYPE_SYMBOLIC_LINK)
        return WASI_INVAL; /* as on Linux, where it cannot be done without a race */
    if (a.slash && !(a.node && is_folder(a.node)))
        return WASI_NOTDIR;
    if (b.slash || !a.node)
        return WASI_NOENT;
    struct tree_change c = { .op = TREE_LINK, .ino = a.node->ino, .parent = b.parent->ino,
                             .name = b.name, .time = f->store->time_ns };
    e = leaves_enough(f, TREE_PAGE);
    return e == WASI_SUCCESS ? store_change(f->store, &c) : e;
}

enum wasi_errno files_symlink(struct files *f, struct span target, int32_t dir, struct span path)
{
    struct place p;
    enum wasi_errno e = has_room(f);
    if (e == WASI_SUCCESS && (target.len == 0 || target.len > TREE_TARGET_MAX))
        e = target.len ? WASI_NAMETOOLONG : WASI_NOENT;
    if (e == WASI_SUCCESS && target.p[0] == '/')
        e = WASI_NOTCAPABLE;
    if (e == WASI_SUCCESS && span_find(target, 0) != target.len)
        e = WASI_INVAL;
    if (e == WASI_SUCCESS)
        e = get_place(f, dir, path, WASI_EXIST, &p);
    if (e != WASI_SUCCESS)
        return e;
    return p.slash ? WASI_NOENT : make(f, &p, WASI_FILETYPE_SYMBOLIC_LINK, target, NULL);
}

enum wasi_errno files_readlink(struct files *f, int32_t dir, struct span path, struct span *ret)
{
    struct place p;
    enum wasi_errno e = get_place(f, dir, path, WASI_INVAL, &p);
    if (e != WASI_SUCCESS)
        return e;
    if (!p.node)
        return WASI_NOENT;
    if (p.slash || p.node->type != WASI_FILETYPE_SYMBOLIC_LINK)
        return WASI_INVAL;
    *ret = span_of(p.node->target, (size_t)p.node->size);
    return WASI_SUCCESS;
}
