/* The audit log: JSON lines, appended, never rewritten. One supervisor at a time writes it: it
 * holds the file locked.
 *
 * Past the size that boot.toml states the older half is dropped; the chain of hashes goes on
 * through the rest. A line is one write(2). One that could be written only in part (the disk is full) is cut
 * off again, so that the file always ends in a whole line. Records reach the disk with the
 * file system's own commits (5 s on the image's ext4) and when the machine ends: a power cut
 * can lose the last seconds, which shows as a shorter log, never as a broken chain. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "core/audit_chain.h"
#include "hosts/worker.h"
#include "internal.h"


static int refuse(struct sup *s, const char *why)
{
    sup_notice(s, LOG_ERROR, "audit log %s: %s", s->o->audit_path, why);
    return E_IO;
}

/* A file without a single record, but not an empty one or the beginning of the first: somebody
 * chose the wrong file, whose end must not be cut off. In the image the place is ours alone. */
static bool is_foreign(const struct sup *s, const struct audit_chain *chain)
{
    static const char head[] = "{\"ts\":\"";
    size_t n = chain->bytes < sizeof head - 1 ? (size_t)chain->bytes : sizeof head - 1;
    bool has_record = chain->seq != 0;
    return !s->o->owns_machine && !has_record &&
           (chain->records != 0 || memcmp(chain->line, head, n) != 0);
}

/* Reads the whole log: where it ends (a torn tail is cut off), what its last record is, and
 * whether its chain holds. */
static int check(struct sup *s)
{
    struct audit *log = &s->audit;
    struct audit_chain chain;
    off_t at = 0;
    ssize_t n;
    audit_chain_init(&chain);
    while ((n = pread(log->fd, s->packet, CTL_DATA_MAX, at)) > 0) {
        audit_chain_feed(&chain, span_of(s->packet, (size_t)n));
        at += n;
    }
    if (n == 0 && is_foreign(s, &chain))
        return refuse(s, "the file is not an audit log");
    if (n < 0 || (audit_chain_torn(&chain) && ftruncate(log->fd, (off_t)chain.good_bytes) < 0))
        return refuse(s, strerror(errno));
    log->size = chain.good_bytes;
    log->last_seq = chain.seq;
    log->chain_broken = !audit_chain_holds(&chain);
    memcpy(log->last_hash, chain.last, sizeof log->last_hash);
    return E_OK;
}

static int copy_from(int from, off_t at, int to, uint8_t *buffer)
{
    ssize_t n;
    while ((n = pread(from, buffer, CTL_DATA_MAX, at)) > 0) {
        if (write(to, buffer, (size_t)n) != n)
            return E_IO;
        at += n;
    }
    return n < 0 ? E_IO : E_OK;
}

/* The offset of the first record of the newer half. */
static off_t second_half(struct sup *s)
{
    off_t half = (off_t)(s->audit.size / 2);
    ssize_t n = pread(s->audit.fd, s->reply, CTL_DATA_MAX, half);
    const uint8_t *end = n > 0 ? memchr(s->reply, '\n', (size_t)n) : NULL;
    return end ? half + (end - s->reply) + 1 : -1;
}

/* Drops the older half: written beside, then put in its place in one step. */
static int halve(struct sup *s)
{
    char path[512];
    off_t from = second_half(s);
    if (from < 0 || snprintf(path, sizeof path, "%s.new", s->o->audit_path) >= (int)sizeof path)
        return E_IO;
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return E_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || copy_from(s->audit.fd, from, fd, s->reply) < 0 ||
        fdatasync(fd) < 0 ||
        rename(path, s->o->audit_path) < 0) {
        unlink(path);
        close(fd);
        return E_IO;
    }
    close(s->audit.fd);
    s->audit.fd = fd;
    s->audit.size -= (uint64_t)from;
    return E_OK;
}

/* Has the file been replaced by its newer half between our opening and locking it? */
static bool was_replaced(const struct sup *s, const struct stat *opened)
{
    struct stat now;
    return stat(s->o->audit_path, &now) < 0 || now.st_ino != opened->st_ino ||
           now.st_dev != opened->st_dev;
}

/* A file to append to that is ours alone; or /dev/null, which keeps nothing. */
static int open_locked(struct sup *s)
{
    struct audit *log = &s->audit;
    struct stat st;
    do {
        if (log->fd >= 0)
            close(log->fd);
        log->fd = open(s->o->audit_path,
                       O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (log->fd < 0 || fstat(log->fd, &st) < 0)
            return refuse(s, strerror(errno));
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) {
            log->discards = true;
            return E_OK;
        }
        if (!S_ISREG(st.st_mode))
            return refuse(s, "it is not a regular file");
        if (flock(log->fd, LOCK_EX | LOCK_NB) < 0)
            return refuse(s, errno == EWOULDBLOCK ? "another vyoma is writing it"
                                                  : strerror(errno));
    } while (was_replaced(s, &st));
    return check(s);
}

/* A machine without its log is better than none: the records count as lost, and core says so. */
int auditlog_open(struct sup *s)
{
    struct audit *log = &s->audit;
    log->fd = -1;
    if (!s->o->audit_path)
        return E_OK;
    int r = open_locked(s);
    if (r < 0 && s->o->owns_machine) {
        if (log->fd >= 0)
            close(log->fd);
        *log = (struct audit){ .fd = -1 };
        r = E_OK;
    }
    log->max = worker_audit_max(s->o->boot_toml);
    return r;
}

int auditlog_append(struct sup *s, struct span line)
{
    struct audit *log = &s->audit;
    ssize_t n;
    if (log->fd < 0)
        return s->o->audit_path ? E_IO : E_OK;
    if (log->discards)
        return E_OK;
    if (log->size + line.len > log->max)
        log->max += halve(s) < 0 ? log->max / 4 : 0; /* it grows on, but tries again */
    do {
        n = write(log->fd, line.p, line.len);
    } while (n < 0 && errno == EINTR);
    if (n == (ssize_t)line.len) {
        log->size += line.len;
        return E_OK;
    }
    if (n > 0 && ftruncate(log->fd, (off_t)log->size) < 0)
        sup_notice(s, LOG_ERROR, "audit log: a torn line could not be cut off: %s",
                   strerror(errno));
    return E_IO;
}

void auditlog_close(struct sup *s)
{
    if (s->audit.fd < 0)
        return;
    if (s->o->owns_machine)
        fdatasync(s->audit.fd);
    close(s->audit.fd);
    s->audit.fd = -1;
}
