/* Every import there is, with its signature and what makes it exist. */
#include "base/strbuf.h"
#include "internal.h"
#include "wasi/vyoma.h"

/* Groups. A C library reaches every kind of descriptor through the same few fd_*
 * functions, so those exist as soon as any kind does; a descriptor that was not granted still is
 * not in the table. */
enum {
    ALWAYS = 0,
    NET = WASI_CAP_LISTEN | WASI_CAP_CONNECT,
    ANY_FD = WASI_CAP_STDIO | WASI_CAP_FILESYSTEM | NET,
    FILES = WASI_CAP_FILESYSTEM,
};

static const struct wasi_function preview1[] = {
    { "args_get", "ii", wasi_args_get, ALWAYS, true },
    { "args_sizes_get", "ii", wasi_args_sizes_get, ALWAYS, true },
    { "environ_get", "ii", wasi_environ_get, ALWAYS, true },
    { "environ_sizes_get", "ii", wasi_environ_sizes_get, ALWAYS, true },
    { "clock_res_get", "ii", wasi_clock_res_get, ALWAYS, true },
    { "clock_time_get", "iIi", wasi_clock_time_get, ALWAYS, true },
    { "fd_advise", "iIIi", wasi_fd_advise, FILES, true },
    { "fd_allocate", "iII", wasi_fd_allocate, FILES, true },
    { "fd_close", "i", wasi_fd_close, ANY_FD, true },
    { "fd_datasync", "i", wasi_fd_datasync, FILES, true },
    { "fd_fdstat_get", "ii", wasi_fd_fdstat_get, ANY_FD, true },
    { "fd_fdstat_set_flags", "ii", wasi_fd_fdstat_set_flags, ANY_FD, true },
    { "fd_fdstat_set_rights", "iII", wasi_fd_fdstat_set_rights, ANY_FD, true },
    { "fd_filestat_get", "ii", wasi_fd_filestat_get, ANY_FD, true },
    { "fd_filestat_set_size", "iI", wasi_fd_filestat_set_size, FILES, true },
    { "fd_filestat_set_times", "iIIi", wasi_fd_filestat_set_times, FILES, true },
    { "fd_pread", "iiiIi", wasi_fd_pread, FILES, true },
    { "fd_prestat_get", "ii", wasi_fd_prestat_get, ANY_FD, true },
    { "fd_prestat_dir_name", "iii", wasi_fd_prestat_dir_name, ANY_FD, true },
    { "fd_pwrite", "iiiIi", wasi_fd_pwrite, FILES, true },
    { "fd_read", "iiii", wasi_fd_read, ANY_FD, true },
    { "fd_readdir", "iiiIi", wasi_fd_readdir, FILES, true },
    { "fd_renumber", "ii", wasi_fd_renumber, ANY_FD, true },
    { "fd_seek", "iIii", wasi_fd_seek, ANY_FD, true },
    { "fd_sync", "i", wasi_fd_sync, FILES, true },
    { "fd_tell", "ii", wasi_fd_tell, ANY_FD, true },
    { "fd_write", "iiii", wasi_fd_write, ANY_FD, true },
    { "path_create_directory", "iii", wasi_path_create_directory, FILES, true },
    { "path_filestat_get", "iiiii", wasi_path_filestat_get, FILES, true },
    { "path_filestat_set_times", "iiiiIIi", wasi_path_filestat_set_times, FILES, true },
    { "path_link", "iiiiiii", wasi_path_link, FILES, true },
    { "path_open", "iiiiiIIii", wasi_path_open, FILES, true },
    { "path_readlink", "iiiiii", wasi_path_readlink, FILES, true },
    { "path_remove_directory", "iii", wasi_path_remove_directory, FILES, true },
    { "path_rename", "iiiiii", wasi_path_rename, FILES, true },
    { "path_symlink", "iiiii", wasi_path_symlink, FILES, true },
    { "path_unlink_file", "iii", wasi_path_unlink_file, FILES, true },
    { "poll_oneoff", "iiii", wasi_poll_oneoff, ALWAYS, true },
    { "proc_exit", "i", wasi_proc_exit, ALWAYS, false },
    { "proc_raise", "i", wasi_proc_raise, ALWAYS, true },
    { "sched_yield", "", wasi_sched_yield, ALWAYS, true },
    { "random_get", "ii", wasi_random_get, ALWAYS, true },
    { "sock_accept", "iii", wasi_sock_accept, NET, true },
    { "sock_recv", "iiiiii", wasi_sock_recv, NET, true },
    { "sock_send", "iiiii", wasi_sock_send, NET, true },
    { "sock_shutdown", "ii", wasi_sock_shutdown, NET, true },
};
_Static_assert(base_countof(preview1) == 46, "all of preview 1");

static const struct wasi_function vyoma[] = {
    { "app_name", "iii", vyoma_app_name, ALWAYS, true },
    { "msg_send", "iiii", vyoma_msg_send, WASI_CAP_IPC, true },
    { "msg_recv", "iiiiii", vyoma_msg_recv, WASI_CAP_IPC, true },
    { "net_connect", "iiii", vyoma_net_connect, WASI_CAP_CONNECT, true },
    { "net_listener", "ii", vyoma_net_listener, WASI_CAP_LISTEN, true },
};

static const struct {
    const char *name;
    const struct wasi_function *functions;
    uint32_t count;
} modules[WASI_MODULE_COUNT_] = {
    [WASI_MODULE_PREVIEW1] = { WASI_PREVIEW1_MODULE, preview1, base_countof(preview1) },
    [WASI_MODULE_VYOMA] = { VYOMA_MODULE, vyoma, base_countof(vyoma) },
};

const struct wasi_function *wasi_functions(enum wasi_module module, uint32_t *ret_count)
{
    base_assert(module < WASI_MODULE_COUNT_);
    *ret_count = modules[module].count;
    return modules[module].functions;
}

const struct wasi_function *wasi_function_find(struct span module, struct span name)
{
    for (size_t m = 0; m < base_countof(modules); m++) {
        if (!span_eq_cstr(module, modules[m].name))
            continue;
        for (uint32_t i = 0; i < modules[m].count; i++)
            if (span_eq_cstr(name, modules[m].functions[i].name))
                return &modules[m].functions[i];
    }
    return NULL;
}

int wasi_capability_of(struct span module, struct span name, struct wasi_need *ret)
{
    /* In the order in which a group's first member is the one to suggest. */
    static const struct wasi_need needs[] = {
        { WASI_CAP_STDIO, "stdio", "stdio = true" },
        { WASI_CAP_FILESYSTEM, "filesystem", "filesystem = true" },
        { WASI_CAP_LISTEN, "network.ports", "network.ports = [8080]" },
        { WASI_CAP_CONNECT, "network.connect", "network.connect = [\"example.org:443\"]" },
        { WASI_CAP_IPC, "ipc", "ipc = true" },
    };
    const struct wasi_function *f = wasi_function_find(module, name);
    if (!f)
        return E_NOENT;
    *ret = (struct wasi_need){ 0, NULL, NULL };
    for (size_t i = 0; i < base_countof(needs) && !ret->key; i++)
        if (f->any_of & needs[i].any_of)
            *ret = needs[i];
    ret->any_of = f->any_of;
    return E_OK;
}

/* "fd_write(1, 1040, 1, 1036) = success" */
static void trace(const struct wasi_function *f, struct wasi *w, const uint64_t *args,
                  enum wasi_errno e)
{
    char text[256];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text);
    strbuf_cstr(&b, f->name);
    strbuf_char(&b, '(');
    for (size_t i = 0; f->params[i]; i++) {
        if (i)
            strbuf_cstr(&b, ", ");
        if (f->params[i] == 'I')
            strbuf_i64(&b, (int64_t)args[i]);
        else
            strbuf_u64(&b, (uint32_t)args[i]);
    }
    strbuf_char(&b, ')');
    if (f->returns) {
        strbuf_cstr(&b, " = ");
        strbuf_cstr(&b, wasi_errno_name(e));
    }
    w->host->trace(w->host->ctx, strbuf_done(&b));
}

/* Refusals that any function may come to. */
static void tell_denial(const struct wasi_function *f, struct wasi *w, enum wasi_errno e)
{
    struct span name = span_of_cstr(f->name);
    if (w->lacks_right)
        guest_denied(w, WASI_DENIED_RIGHTS, name);
    if (e == WASI_FAULT)
        guest_denied(w, WASI_DENIED_POINTER, name);
    else if (e == WASI_MFILE)
        guest_denied(w, WASI_DENIED_FILES, name);
    else if (e == WASI_FBIG)
        guest_denied(w, WASI_DENIED_DATA, name);
}

enum wasi_errno wasi_function_call(const struct wasi_function *f, struct wasi *w,
                                   const struct wasi_guest *g, const uint64_t *args)
{
    w->lacks_right = false;
    guest_release(g);
    enum wasi_errno e = f->call(w, g, args);
    if (e != WASI_SUCCESS || w->lacks_right)
        tell_denial(f, w, e);
    if (w->host->trace)
        trace(f, w, args, e);
    return e;
}

const char *wasi_errno_name(enum wasi_errno e)
{
    static const char *const names[] = {
        "success", "2big", "acces", "addrinuse", "addrnotavail", "afnosupport", "again", "already",
        "badf", "badmsg", "busy", "canceled", "child", "connaborted", "connrefused", "connreset",
        "deadlk", "destaddrreq", "dom", "dquot", "exist", "fault", "fbig", "hostunreach", "idrm",
        "ilseq", "inprogress", "intr", "inval", "io", "isconn", "isdir", "loop", "mfile", "mlink",
        "msgsize", "multihop", "nametoolong", "netdown", "netreset", "netunreach", "nfile",
        "nobufs", "nodev", "noent", "noexec", "nolck", "nolink", "nomem", "nomsg", "noprotoopt",
        "nospc", "nosys", "notconn", "notdir", "notempty", "notrecoverable", "notsock", "notsup",
        "notty", "nxio", "overflow", "ownerdead", "perm", "pipe", "proto", "protonosupport",
        "prototype", "range", "rofs", "spipe", "srch", "stale", "timedout", "txtbsy", "xdev",
        "notcapable",
    };
    _Static_assert(base_countof(names) == WASI_NOTCAPABLE + 1, "a name for each error");
    return (size_t)e < base_countof(names) ? names[e] : "unknown";
}
