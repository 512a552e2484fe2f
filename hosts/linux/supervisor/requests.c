/* Requests of the control channel: what they mean to core, and how they are done. */
#define _GNU_SOURCE
#include "requests.h"

#include <errno.h>
#include <string.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include "wasi/abi.h"

bool request_known(uint16_t type)
{
    return (type >= CTL_PATH_OPEN && type <= CTL_DIR_CLOSE) ||
           (type >= CTL_NET_CONNECT && type <= CTL_MSG_RECV);
}

static bool fill_path(const struct ctl_msg *m, struct core_request *ret)
{
    static const uint8_t ops[] = {
        [CTL_PATH_OPEN - CTL_PATH_OPEN] = CORE_PATH_OPEN,
        [CTL_PATH_STAT - CTL_PATH_OPEN] = CORE_PATH_STAT,
        [CTL_PATH_SET_TIMES - CTL_PATH_OPEN] = CORE_PATH_SET_TIMES,
        [CTL_PATH_MKDIR - CTL_PATH_OPEN] = CORE_PATH_MKDIR,
        [CTL_PATH_RMDIR - CTL_PATH_OPEN] = CORE_PATH_RMDIR,
        [CTL_PATH_UNLINK - CTL_PATH_OPEN] = CORE_PATH_UNLINK,
        [CTL_PATH_RENAME - CTL_PATH_OPEN] = CORE_PATH_RENAME,
        [CTL_PATH_LINK - CTL_PATH_OPEN] = CORE_PATH_LINK,
        [CTL_PATH_SYMLINK - CTL_PATH_OPEN] = CORE_PATH_SYMLINK,
        [CTL_PATH_READLINK - CTL_PATH_OPEN] = CORE_PATH_READLINK,
    };
    if (m->type > CTL_PATH_READLINK)
        return false; /* reads, syncs, closes what is open */
    ret->type = CORE_REQ_PATH;
    ret->op = ops[m->type - CTL_PATH_OPEN];
    ret->for_writing = m->type == CTL_PATH_OPEN && paths_open_writes(m);
    return true;
}

bool request_fill(const struct ctl_msg *m, const uint8_t *data, struct core_request *ret)
{
    struct span a = ctl_a(m, data), b = ctl_b(m, data);
    *ret = (struct core_request){ .id = m->seq, .path = a, .path2 = b };
    switch (m->type) {
    case CTL_NET_CONNECT:
        ret->type = CORE_REQ_CONNECT;
        ret->port = m->u.net.port;
        return true;
    case CTL_MSG_SEND:
        ret->type = CORE_REQ_MSG_SEND;
        ret->data = b;
        return true;
    case CTL_MSG_RECV:
        ret->type = CORE_REQ_MSG_RECV;
        ret->timeout_ms = m->u.recv.timeout_ms < 0 ? -1 : m->u.recv.timeout_ms;
        return true;
    default: return fill_path(m, ret);
    }
}

/* File operations are done as the app's user, so that even a mistake of ours would
 * meet the kernel's permissions, and what is made belongs to the app. */
static void become(struct sup *s, const struct app *a, bool app)
{
    uid_t uid = app ? sandbox_uid(span_of_cstr(a->name)) : 0;
    if (!s->sandbox.as_root)
        return;
    setfsgid(uid);
    setfsuid(uid);
}

static void perform_path(struct sup *s, struct app *a)
{
    struct ctl_msg reply = { 0 };
    size_t len = 0;
    int fd = -1;
    if (!a->paths) {
        control_fail(s, a, WASI_NOTCAPABLE);
        return;
    }
    become(s, a, true);
    paths_request(a->paths, &a->request, ctl_a(&a->request, s->packet),
                  ctl_b(&a->request, s->packet), &reply, s->reply, &len, &fd);
    become(s, a, false);
    if (reply.error == WASI_NOTCAPABLE || reply.error == WASI_DQUOT)
        a->refused_as = reply.error;
    control_answer(s, a, &reply, span_of(s->reply, len), SPAN_NONE, fd);
    if (fd >= 0)
        close(fd);
}

void request_perform(struct sup *s, struct app *a)
{
    if (a->request.type == CTL_NET_CONNECT)
        net_connect(s, a, ctl_a(&a->request, s->packet), a->request.u.net.port);
    else
        perform_path(s, a);
}
