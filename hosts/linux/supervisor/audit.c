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
#include "internal.h"
#include "trust/sha256.h"

/* The number behind "seq": in a record; 0 when there is none. */
static uint64_t seq_of(struct span line)
{
    static const char key[] = "\"seq\":";
    uint64_t n = 0;
    const uint8_t *p = memmem(line.p, line.len, key, sizeof key - 1);
    if (!p)
        return 0;
    for (p += sizeof key - 1; p < line.p + line.len && *p >= '0' && *p <= '9'; p++)
        n = n * 10 + (uint64_t)(*p - '0');
    return n;
}

/* Where the log ends, and the last whole record that the next one will name. A torn tail is
 * cut off. */
static int find_end(struct sup *s)
{
    struct audit *log = &s->audit;
    off_t end = lseek(log->fd, 0, SEEK_END);
    off_t from = end > CTL_DATA_MAX ? end - CTL_DATA_MAX : 0;
    ssize_t n = pread(log->fd, s->packet, (size_t)(end - from), from);
    if (end < 0 || n < 0)
        return E_IO;
    size_t last = (size_t)n;
    while (last > 0 && s->packet[last - 1] != '\n')
        last--;
    log->size = (uint64_t)from + last;
    if (last < (size_t)n && ftruncate(log->fd, (off_t)log->size) < 0)
        return E_IO;
    size_t begin = last ? last - 1 : 0;
    while (begin > 0 && s->packet[begin - 1] != '\n')
        begin--;
    if (last > begin) {
        struct span line = span_of(s->packet + begin, last - begin);
        sha256_of(line, log->last_hash);
        log->last_seq = seq_of(line);
    }
    return E_OK;
}

int auditlog_open(struct sup *s)
{
    struct audit *log = &s->audit;
    log->fd = -1;
    if (!s->o->audit_path)
        return E_OK;
    log->fd = open(s->o->audit_path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (log->fd < 0 || find_end(s) < 0) {
        sup_notice(s, LOG_ERROR, "audit log %s: %s", s->o->audit_path, strerror(errno));
        return E_IO;
    }
    return E_OK;
}

int auditlog_append(struct sup *s, struct span line)
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

void auditlog_close(struct sup *s)
{
    if (s->audit.fd < 0)
        return;
    fdatasync(s->audit.fd);
    close(s->audit.fd);
    s->audit.fd = -1;
}
