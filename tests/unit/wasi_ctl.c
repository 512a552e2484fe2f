/* Packets of the control channel: what arrives is what was sent, and malformed ones are
 * refused without leaving descriptors behind. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "hosts/linux/ctl.h"
#include "lib/test.h"

static int pair[2];
static uint8_t data[CTL_DATA_MAX + 16];
static struct ctl_msg got;
static struct ctl_fds fds;

static void fresh(void)
{
    if (pair[0]) {
        close(pair[0]);
        close(pair[1]);
    }
    CHECK_INT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static int receive(void)
{
    return ctl_recv(pair[1], &got, data, CTL_DATA_MAX, &fds, MSG_DONTWAIT);
}

static int open_count(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        count++;
    closedir(d);
    return count;
}

/* A packet as nobody of ours would send it. */
static void send_raw(const void *p, size_t len, int fd, int copies)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int) * 32)];
    } control = { 0 };
    struct iovec v = { (void *)(uintptr_t)p, len };
    struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };
    if (copies) {
        h.msg_control = control.bytes;
        h.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)copies);
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)copies);
        for (int i = 0; i < copies; i++)
            memcpy(CMSG_DATA(c) + sizeof(int) * (size_t)i, &fd, sizeof fd);
    }
    CHECK_INT(sendmsg(pair[0], &h, 0), len);
}

TEST(packets_arrive_whole)
{
    struct ctl_msg m = { .type = CTL_PATH_OPEN, .seq = 7 };
    m.u.open.dir = 3;
    fresh();
    CHECK_INT(receive(), E_AGAIN);
    CHECK_INT(ctl_send(pair[0], &m, SPAN_LIT("left"), SPAN_LIT("right!"), NULL, 0), 0);
    CHECK_INT(receive(), 0);
    CHECK(got.type == CTL_PATH_OPEN && got.seq == 7 && got.u.open.dir == 3 && fds.count == 0);
    CHECK(span_eq_cstr(ctl_a(&got, data), "left"));
    CHECK(span_eq_cstr(ctl_b(&got, data), "right!"));
    static uint8_t big[CTL_DATA_MAX];
    memset(big, 0x5a, sizeof big);
    CHECK_INT(ctl_send(pair[0], &m, span_of(big, sizeof big), SPAN_NONE, NULL, 0), 0);
    CHECK_INT(receive(), 0);
    CHECK(got.a_len == CTL_DATA_MAX && memcmp(big, data, sizeof big) == 0);
    CHECK_INT(ctl_send(pair[0], &m, span_of(big, sizeof big), SPAN_LIT("x"), NULL, 0), E_LIMIT);
    while (ctl_send(pair[0], &m, span_of(big, sizeof big), SPAN_NONE, NULL, MSG_DONTWAIT) == 0) {
    }
    CHECK_INT(ctl_send(pair[0], &m, SPAN_NONE, SPAN_NONE, NULL, MSG_DONTWAIT), E_AGAIN);
}

TEST(descriptors_come_along)
{
    struct ctl_msg m = { .type = CTL_START };
    struct ctl_fds out = { .count = CTL_FDS_MAX };
    fresh();
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC), before = open_count();
    for (int i = 0; i < CTL_FDS_MAX; i++)
        out.fd[i] = file;
    CHECK_INT(ctl_send(pair[0], &m, SPAN_NONE, SPAN_NONE, &out, 0), 0);
    CHECK_INT(receive(), 0);
    CHECK_INT(fds.count, CTL_FDS_MAX);
    for (uint32_t i = 0; i < fds.count; i++) {
        CHECK(fcntl(fds.fd[i], F_GETFD) & FD_CLOEXEC);
        close(fds.fd[i]);
    }
    /* Whoever wants none refuses the packet. */
    CHECK_INT(ctl_send(pair[0], &m, SPAN_NONE, SPAN_NONE, &out, 0), 0);
    CHECK_INT(ctl_recv(pair[1], &got, data, CTL_DATA_MAX, NULL, 0), E_MALFORMED);
    CHECK_INT(open_count(), before);
    close(file);
}

TEST(malformed_packets_are_refused)
{
    struct {
        struct ctl_msg m;
        uint8_t data[64];
    } p = { .m = { .type = CTL_PATH_OPEN } };
    fresh();
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC), before = open_count();
    send_raw(&p, sizeof p.m - 1, -1, 0);
    CHECK_INT(receive(), E_MALFORMED);
    send_raw(&p, 1, -1, 0);
    CHECK_INT(receive(), E_MALFORMED);
    send_raw(&p, sizeof p.m + 1, -1, 0); /* a byte that no field tells of */
    CHECK_INT(receive(), E_MALFORMED);
    p.m.a_len = 64;
    send_raw(&p, sizeof p.m + 63, file, 1);
    CHECK_INT(receive(), E_MALFORMED);
    p.m.a_len = 0xffffffff;
    p.m.b_len = 0x41; /* the sum wraps to 64 */
    send_raw(&p, sizeof p.m + 64, file, 3);
    CHECK_INT(receive(), E_MALFORMED);
    p.m.a_len = p.m.b_len = 32;
    send_raw(&p, sizeof p.m + 64, file, CTL_FDS_MAX + 8); /* more descriptors than fit */
    CHECK_INT(receive(), E_MALFORMED);
    send_raw(&p, sizeof p.m + 64, -1, 0);
    CHECK_INT(ctl_recv(pair[1], &got, data, 63, &fds, 0), E_MALFORMED); /* no room for it */
    CHECK_INT(open_count(), before);
    send_raw(&p, sizeof p.m + 64, -1, 0);
    CHECK_INT(receive(), 0);
    close(file);
}

TEST(the_end)
{
    struct ctl_msg m = { .type = CTL_RUNNING };
    fresh();
    close(pair[0]);
    pair[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    CHECK_INT(receive(), E_NOENT);
    CHECK_INT(ctl_send(pair[1], &m, SPAN_NONE, SPAN_NONE, NULL, 0), E_IO); /* and no SIGPIPE */
    CHECK_STR(ctl_type_name(CTL_MSG_RECV), "msg_recv");
    CHECK_STR(ctl_type_name(9999), "unknown");
}

TEST_MAIN(RUN(packets_arrive_whole) RUN(descriptors_come_along) RUN(malformed_packets_are_refused)
              RUN(the_end))
