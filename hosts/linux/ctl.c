/* Packets of the control channel, in and out. */
#define _GNU_SOURCE
#include "hosts/linux/ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/err.h"

union fd_buffer {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * CTL_FDS_MAX)];
};

static void attach_fds(struct msghdr *h, union fd_buffer *buffer, const struct ctl_fds *fds)
{
    size_t len = fds->count * sizeof(int);
    base_assert(fds->count <= CTL_FDS_MAX);
    memset(buffer, 0, sizeof *buffer);
    h->msg_control = buffer->bytes;
    h->msg_controllen = (socklen_t)CMSG_SPACE(len);
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = (socklen_t)CMSG_LEN(len);
    memcpy(CMSG_DATA(c), fds->fd, len);
}

int ctl_send(int sock, struct ctl_msg *m, struct span a, struct span b,
             const struct ctl_fds *fds, int flags)
{
    union fd_buffer buffer;
    struct iovec iov[3] = { { m, sizeof *m },
                            { (void *)(uintptr_t)a.p, a.len },
                            { (void *)(uintptr_t)b.p, b.len } };
    struct msghdr h = { .msg_iov = iov, .msg_iovlen = 3 };
    ssize_t n;
    if (a.len > CTL_DATA_MAX || b.len > CTL_DATA_MAX - a.len)
        return E_LIMIT;
    m->a_len = (uint32_t)a.len;
    m->b_len = (uint32_t)b.len;
    if (fds && fds->count)
        attach_fds(&h, &buffer, fds);
    do {
        n = sendmsg(sock, &h, flags | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n >= 0)
        return E_OK;
    return errno == EAGAIN || errno == EWOULDBLOCK ? E_AGAIN : E_IO;
}

static void close_fds(struct ctl_fds *fds)
{
    for (uint32_t i = 0; i < fds->count; i++)
        close(fds->fd[i]);
    fds->count = 0;
}

/* Moves the descriptors of h into *fds. What the kernel delivered is ours to close,
 * whether we like it or not. */
static void collect_fds(struct msghdr *h, struct ctl_fds *fds)
{
    fds->count = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (fds->count < CTL_FDS_MAX)
                fds->fd[fds->count++] = fd;
            else
                close(fd);
        }
    }
}

/* Does the packet have the length that its own fields say? */
static int check_packet(const struct ctl_msg *m, size_t len, const struct msghdr *h, size_t cap)
{
    if (h->msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return E_MALFORMED;
    if (len < sizeof *m || m->a_len > CTL_DATA_MAX || m->b_len > CTL_DATA_MAX - m->a_len)
        return E_MALFORMED;
    size_t data_len = (size_t)m->a_len + m->b_len;
    return len == sizeof *m + data_len && data_len <= cap ? E_OK : E_MALFORMED;
}

int ctl_recv(int sock, struct ctl_msg *m, uint8_t *data, size_t cap, struct ctl_fds *fds,
             int flags)
{
    union fd_buffer buffer;
    struct ctl_fds none, *got = fds ? fds : &none;
    struct iovec iov[2] = { { m, sizeof *m }, { data, cap } };
    struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2 };
    ssize_t n;
    h.msg_control = buffer.bytes;
    h.msg_controllen = sizeof buffer.bytes;
    do {
        n = recvmsg(sock, &h, flags | MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR && !(flags & MSG_DONTWAIT));
    got->count = 0;
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? E_AGAIN
               : errno == ECONNRESET                                    ? E_NOENT
                                                                        : E_IO;
    collect_fds(&h, got);
    if (n == 0 && got->count == 0)
        return E_NOENT;
    int r = check_packet(m, (size_t)n, &h, cap);
    if (r == E_OK && !fds && got->count)
        r = E_MALFORMED;
    if (r != E_OK)
        close_fds(got);
    return r;
}

const char *ctl_type_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } names[] = {
        { CTL_START, "start" },
        { CTL_REPLY, "reply" },
        { CTL_RUNNING, "running" },
        { CTL_REFUSED, "refused" },
        { CTL_TRAP, "trap" },
        { CTL_TRACE, "trace" },
        { CTL_DENIED, "denied" },
        { CTL_PATH_OPEN, "path_open" },
        { CTL_PATH_STAT, "path_stat" },
        { CTL_PATH_SET_TIMES, "path_set_times" },
        { CTL_PATH_MKDIR, "path_mkdir" },
        { CTL_PATH_RMDIR, "path_rmdir" },
        { CTL_PATH_UNLINK, "path_unlink" },
        { CTL_PATH_RENAME, "path_rename" },
        { CTL_PATH_LINK, "path_link" },
        { CTL_PATH_SYMLINK, "path_symlink" },
        { CTL_PATH_READLINK, "path_readlink" },
        { CTL_DIR_READ, "dir_read" },
        { CTL_DIR_SYNC, "dir_sync" },
        { CTL_DIR_CLOSE, "dir_close" },
        { CTL_NET_CONNECT, "net_connect" },
        { CTL_MSG_SEND, "msg_send" },
        { CTL_MSG_RECV, "msg_recv" },
    };
    for (size_t i = 0; i < base_countof(names); i++)
        if (names[i].type == type)
            return names[i].name;
    return "unknown";
}
