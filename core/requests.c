/* What an app asks for over its control channel. Each request is answered exactly once:
 * here, or, for a receive that waits, by messages.c. */
#include "state.h"

#include "base/err.h"

static const char *path_op_name(enum core_path_op op)
{
    static const char *const names[CORE_PATH_OP_COUNT_] = {
        [CORE_PATH_OPEN] = "open",         [CORE_PATH_STAT] = "stat",
        [CORE_PATH_SET_TIMES] = "set-times", [CORE_PATH_MKDIR] = "mkdir",
        [CORE_PATH_RMDIR] = "rmdir",       [CORE_PATH_UNLINK] = "unlink",
        [CORE_PATH_RENAME] = "rename",     [CORE_PATH_LINK] = "link",
        [CORE_PATH_SYMLINK] = "symlink",   [CORE_PATH_READLINK] = "readlink",
    };
    return names[op];
}

/* Looking does not change anything and needs no record of its own when it is granted. */
static bool only_looks(enum core_path_op op)
{
    return op == CORE_PATH_STAT || op == CORE_PATH_READLINK;
}

static void path_request(struct core *c, struct app *a, const struct core_request *r)
{
    if ((unsigned)r->op >= CORE_PATH_OP_COUNT_) {
        act_reply(c, a, r->id, E_INVAL, SPAN_NONE, SPAN_NONE);
        return;
    }
    const char *what = path_op_name(r->op);
    if (!manifest_has(&a->manifest, MANIFEST_CAP_FILESYSTEM)) {
        struct span why = policy_deny(c, a, what, MANIFEST_CAP_FILESYSTEM, r->path);
        act_reply(c, a, r->id, E_DENIED, SPAN_NONE, why);
        return;
    }
    if (!only_looks(r->op)) {
        if (r->op == CORE_PATH_OPEN && r->for_writing)
            what = "open-write";
        struct note note = { .event = AUDIT_FILE_OPEN,
                             .what = what,
                             .value = r->path,
                             .id = hash_bytes(r->op * 2u + r->for_writing, r->path),
                             .count = 1 };
        tally_note(c, a, &note);
    }
    act_reply(c, a, r->id, E_OK, SPAN_NONE, SPAN_NONE);
}

static void connect_request(struct core *c, struct app *a, const struct core_request *r)
{
    char memory[MANIFEST_HOST_MAX + 8];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_span(&b, span_take(r->path, MANIFEST_HOST_MAX));
    strbuf_char(&b, ':');
    strbuf_u64(&b, r->port);
    struct span value = strbuf_done(&b);
    if (!manifest_may_connect(&a->manifest, r->path, r->port)) {
        struct span why = policy_deny(c, a, "connect to", MANIFEST_POWER_CONNECT, value);
        act_reply(c, a, r->id, E_DENIED, SPAN_NONE, why);
        return;
    }
    struct note note = { .event = AUDIT_NET_CONNECT,
                         .what = "tcp",
                         .value = value,
                         .id = hash_bytes(0, value),
                         .count = 1 };
    tally_note(c, a, &note);
    act_reply(c, a, r->id, E_OK, SPAN_NONE, SPAN_NONE);
}

void request_event(struct core *c, struct app *a, const struct core_request *r)
{
    if (!app_is_up(a))
        return;
    a->last_sign_ms = c->now_ms;
    switch (r->type) {
    case CORE_REQ_PATH: path_request(c, a, r); break;
    case CORE_REQ_CONNECT: connect_request(c, a, r); break;
    case CORE_REQ_MSG_SEND: messages_send(c, a, r); break;
    case CORE_REQ_MSG_RECV: messages_recv(c, a, r); break;
    default: act_reply(c, a, r->id, E_INVAL, SPAN_NONE, SPAN_NONE); break;
    }
}
