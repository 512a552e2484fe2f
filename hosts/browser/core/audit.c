/* The audit log: a file of the store, in a folder that is no app's since no app's name begins with
 * a dot. Appended; past the size that boot.toml states the older half goes, in one step. */

#include "base/err.h"
#include "core/audit_chain.h"
#include "hosts/worker.h"
#include "internal.h"

enum { PIECE = TREE_DATA_MAX };

static const struct span file_name = { (const uint8_t *)"audit.jsonl", 11 };
static const struct span new_name = { (const uint8_t *)"audit.new", 9 };
static uint8_t piece[PIECE];

static enum wasi_errno open_file(struct span name, uint16_t oflags, int32_t *ret)
{
    struct wasi_opened opened;
    struct wasi_open how = { .path = name, .oflags = oflags, .can_read = true, .can_write = true };
    enum wasi_errno e = files_open(&sys.audit.files, &how, &opened);
    if (e == WASI_SUCCESS)
        *ret = opened.handle;
    return e;
}

static size_t read_piece(uint64_t at)
{
    size_t n = 0;
    return files_read(&sys.audit.files, sys.audit.file, at, piece, sizeof piece, &n) ==
                   WASI_SUCCESS ? n : 0;
}

/* Reads the whole log: where it ends, what its last record is, and whether its chain holds. */
static void check(struct core_event *boot)
{
    struct auditlog *log = &sys.audit;
    struct audit_chain chain;
    uint64_t at = 0;
    audit_chain_init(&chain);
    for (size_t n; (n = read_piece(at)) > 0; at += n)
        audit_chain_feed(&chain, span_of(piece, n));
    if (audit_chain_torn(&chain))
        files_set_size(&log->files, log->file, chain.good_bytes);
    log->size = chain.good_bytes;
    memcpy(boot->hash, chain.last, sizeof boot->hash);
    boot->count2 = chain.seq;
    boot->error = audit_chain_holds(&chain) ? E_OK : E_MALFORMED;
}

void auditlog_open(struct core_event *boot)
{
    struct auditlog *log = &sys.audit;
    *log = (struct auditlog){ .max = worker_audit_max(boot->text) };
    if (files_init(&log->files, &sys.store, SPAN_LIT(".system"), 0, log->handles,
                   base_countof(log->handles)) == WASI_SUCCESS &&
        open_file(file_name, WASI_O_CREAT, &log->file) == WASI_SUCCESS)
        check(boot);
}

/* The offset of the first record of the newer half; 0: there is none. */
static uint64_t second_half(void)
{
    uint64_t half = sys.audit.size / 2;
    size_t n = read_piece(half), end = span_find(span_of(piece, n), '\n');
    return end < n ? half + end + 1 : 0;
}

static enum wasi_errno copy_from(uint64_t from, int32_t to)
{
    enum wasi_errno e = WASI_SUCCESS;
    for (size_t n, put; e == WASI_SUCCESS && (n = read_piece(from)) > 0; from += n) {
        e = files_write(&sys.audit.files, to, UINT64_MAX, span_of(piece, n), &put);
        if (e == WASI_SUCCESS && put != n)
            e = WASI_NOSPC;
    }
    return e;
}

/* Drops the older half: written beside, then put in its place in one step. */
static int halve(void)
{
    struct auditlog *log = &sys.audit;
    uint64_t from = second_half();
    int32_t file;
    if (!from || open_file(new_name, WASI_O_CREAT | WASI_O_TRUNC, &file) != WASI_SUCCESS)
        return E_IO;
    if (copy_from(from, file) != WASI_SUCCESS ||
        files_rename(&log->files, 0, new_name, 0, file_name) != WASI_SUCCESS) {
        files_close(&log->files, file);
        files_unlink(&log->files, 0, new_name);
        return E_IO;
    }
    files_close(&log->files, log->file);
    log->file = file;
    log->size -= from;
    return E_OK;
}

int auditlog_append(struct span line)
{
    struct auditlog *log = &sys.audit;
    size_t n;
    if (!log->file)
        return E_IO;
    sys.store.time_ns = (uint64_t)js_unix_ms() * 1000000;
    if (log->size + line.len > log->max)
        log->max += halve() < 0 ? log->max / 4 : 0; /* it grows on, but tries again */
    if (files_write(&log->files, log->file, log->size, line, &n) != WASI_SUCCESS)
        return E_IO;
    log->size += n;
    return E_OK;
}

/* Puts what the log has from `at` on into the packet, and says how many bytes. */
EXPORT(audit_read) int32_t do_audit_read(double at)
{
    size_t n = sys.audit.file ? read_piece((uint64_t)at) : 0;
    memcpy(&sys.in, piece, n);
    return (int32_t)n;
}
