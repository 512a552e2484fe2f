/* The audit log: JSON lines, appended, never rewritten.
 *
 * A line is one write(2). One that could be written only in part (the disk is full) is cut
 * off again, so that the file always ends in a whole line. Records reach the disk with the
 * file system's own commits (5 s on the image's ext4) and at shutdown: a power cut
 * can lose the last seconds, which shows as a shorter log, never as a broken chain. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "core/audit_chain.h"
#include "internal.h"

/* Reads the whole log once: where does it end, and does its chain hold? */
static int check(struct sup *s)
{
    struct audit *log = &s->audit;
    struct audit_chain chain;
    uint64_t at = 0;
    ssize_t n;
    audit_chain_init(&chain);
    while ((n = pread(log->fd, s->packet, CTL_DATA_MAX, (off_t)at)) > 0) {
        audit_chain_feed(&chain, span_of(s->packet, (size_t)n));
        at += (uint64_t)n;
    }
    if (n < 0)
        return E_IO;
    return E_OK;
}

int audit_open(struct sup *s)
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
    return E_OK;
}

int audit_append(struct sup *s, struct span line)
{
    struct audit *log = &s->audit;
    ssize_t n;
    if (log->fd < 0)
        return s->o->audit_path ? E_IO : E_OK;
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

void audit_close(struct sup *s)
{
    if (s->audit.fd < 0)
        return;
    fdatasync(s->audit.fd);
    close(s->audit.fd);
    s->audit.fd = -1;
}
