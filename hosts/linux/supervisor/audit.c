/* The audit log: JSON lines, appended, never rewritten.
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
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "core/audit_chain.h"
#include "formats/boot.h"
#include "internal.h"

enum { DEFAULT_MAX_BYTES = 1024 * 1024 };

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
    if (n < 0 || (audit_chain_torn(&chain) && ftruncate(log->fd, (off_t)chain.good_bytes) < 0))
        return E_IO;
    log->size = chain.good_bytes;
    log->last_seq = chain.seq;
    log->chain_broken = !audit_chain_holds(&chain);
    memcpy(log->last_hash, chain.last, sizeof log->last_hash);
    return E_OK;
}

/* How large the log may become: boot.toml says, or its reader's default. */
static uint64_t size_limit(const struct sup *s)
{
    struct boot boot;
    struct format_error err;
    struct arena scratch, keep;
    size_t bytes = boot_arena_bytes(s->o->boot_toml.len);
    uint64_t limit = DEFAULT_MAX_BYTES;
    uint8_t *memory = malloc(2 * bytes);
    if (!memory)
        return limit;
    arena_init(&scratch, memory, bytes);
    arena_init(&keep, memory + bytes, bytes);
    if (boot_parse(s->o->boot_toml, &scratch, &keep, &boot, &err) == E_OK && boot.audit_max_kib)
        limit = (uint64_t)boot.audit_max_kib * 1024;
    free(memory);
    return limit;
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
    if (copy_from(s->audit.fd, from, fd, s->reply) < 0 || fdatasync(fd) < 0 ||
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

int auditlog_open(struct sup *s)
{
    struct audit *log = &s->audit;
    log->fd = -1;
    if (!s->o->audit_path)
        return E_OK;
    log->fd = open(s->o->audit_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0 || check(s) < 0) {
        sup_notice(s, LOG_ERROR, "audit log %s: %s", s->o->audit_path, strerror(errno));
        return E_IO;
    }
    log->max = size_limit(s);
    return E_OK;
}

int auditlog_append(struct sup *s, struct span line)
{
    struct audit *log = &s->audit;
    ssize_t n;
    if (log->fd < 0)
        return s->o->audit_path ? E_IO : E_OK;
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
