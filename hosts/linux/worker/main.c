/* vyoma-run: runs one app in the sandbox that the supervisor has put around it.
 *
 * The process is born with stdio, the control channel and the module, and is told once
 * what it was granted. Before it looks at a byte of the module it gives up the rest: its
 * system call filter leaves no call that opens, connects, executes or forks. Then it
 * decodes, links what is granted, and runs. It never comes back from the guest but to
 * exit. */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "channel.h"
#include "hosts/linux/code.h"
#include "hosts/linux/seccomp.h"
#include "hosts/linux/worker/env.h"
#include "hosts/linux/worker/helpers.h"
#include "hosts/linux/worker/wasi_linux.h"
#include "wasi/link.h"

enum { FILES_DEFAULT = 64 }; /* that the guest may open */

/* What is used by every app lies together: untouched pages cost nothing. */
struct worker {
    struct env env;
    struct wasi_linux os;
    struct wasi wasi;
    struct wasi_link link;
    unsigned helpers; /* that compile */
    struct eng_module *module;
    struct eng_store *store;
    struct ctl_start start;
    struct ctl_fds listeners;
    struct span name, strings;
    struct eng_import missing; /* the import that could not be linked */
    bool has_missing;
    struct wasi_fd fds[WASI_FD_MAX];
};

static struct worker w;
static uint8_t start_data[CTL_DATA_MAX]; /* the name, arguments and environment live here */
static uint8_t reply_data[CTL_DATA_MAX];

/* --- giving up -------------------------------------------------------------------- */

static _Noreturn void refuse(int code, uint64_t offset, const char *text)
{
    struct ctl_refused why = { .code = code, .offset = offset };
    channel_refused(&why, span_of_cstr(text), SPAN_NONE);
    _exit(CTL_EXIT_REFUSED);
}

/* The module wants what it was not granted, or what does not exist. */
static _Noreturn void refuse_import(const struct eng_import *import)
{
    char name_text[256], text[512];
    struct strbuf name, b;
    struct wasi_need need = { 0, NULL, NULL };
    struct ctl_refused why = { 0 };
    strbuf_init(&name, name_text, sizeof name_text);
    strbuf_init(&b, text, sizeof text);
    why.code = wasi_refuse_import(import->module, import->name, &name, &b, &need);
    why.need = need.any_of;
    if (need.key)
        strncpy(why.key, need.key, sizeof why.key - 1);
    channel_refused(&why, strbuf_done(&b), strbuf_done(&name));
    _exit(CTL_EXIT_REFUSED);
}

static _Noreturn void report_trap(const struct eng_trap *trap)
{
    if (trap->code == ENG_TRAP_EXIT)
        _exit(trap->exit_code > 255 ? 255 : (int)trap->exit_code);
    if (trap->code == ENG_TRAP_INTERRUPTED && w.os.stopping)
        _exit(CTL_EXIT_STOPPED);
    channel_trapped(trap);
    _exit(CTL_EXIT_TRAP);
}

/* --- the steps of its life, in order ------------------------------------------------ */

static void receive_start(void)
{
    struct ctl_msg m;
    channel_start(&m, start_data, &w.listeners);
    w.start = m.u.start;
    w.name = ctl_a(&m, start_data);
    w.strings = ctl_b(&m, start_data);
}

/* Nothing to undo: what the guest has written is written, and the kernel closes the rest. */
static void on_stop(int sig)
{
    w.os.stopping = 1;
    if (channel_waits_for_message())
        _exit(CTL_EXIT_STOPPED);
}

static void close_sandbox(void)
{
    struct bpf_program program;
    /* No SA_RESTART: waits must end. SA_ONSTACK: compiled code has a stack of its own, with
     * no room for us. */
    struct sigaction stop = { .sa_handler = on_stop, .sa_flags = SA_ONSTACK };
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* the guest sees EFBIG */
    seccomp_worker(&program, w.start.flags & CTL_START_COMPILE);
    if (env_catch_faults() < 0 || seccomp_install(&program) < 0)
        refuse(E_IO, 0, "the worker could not install its system call filter");
}

/* From here on nothing becomes executable any more. */
static void close_code(void)
{
    struct bpf_program program;
    if (!(w.start.flags & CTL_START_COMPILE))
        return;
    close(CTL_CODE_FD);
    seccomp_code_is_mapped(&program);
    if (bpf_install(&program, 0) < 0)
        refuse(E_IO, 0, "the worker could not close its system call filter");
}

static void trace_engine(void)
{
    char text[128];
    struct strbuf b;
    struct eng_module_size size;
    if (!(w.start.flags & CTL_START_TRACE))
        return;
    eng_module_size(w.module, &size);
    strbuf_init(&b, text, sizeof text);
    strbuf_cstr(&b, size.native ? "engine: compiled, " : "engine: interpreted, ");
    strbuf_u64(&b, size.native ? size.native : size.code);
    strbuf_cstr(&b, " bytes");
    if (w.env.code_error)
        strbuf_cstr(&b, w.env.code_error == E_DENIED ? " (code kept from before differs)"
                                                     : " (no room for its code)");
    else if (size.native && w.env.code_kept)
        strbuf_cstr(&b, ", shared");
    channel_trace(NULL, strbuf_done(&b));
}

static void load_module(void)
{
    struct stat st;
    struct eng_error err;
    if (fstat(CTL_MODULE_FD, &st) < 0 || st.st_size < 0)
        refuse(E_IO, 0, "the worker was given no module");
    size_t size = (size_t)st.st_size;
    void *p = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, CTL_MODULE_FD, 0) : NULL;
    if (p == MAP_FAILED)
        refuse(E_IO, 0, "the module could not be mapped");
    if (env_init(&w.env) < 0)
        refuse(E_NOMEM, 0, "no memory to load the module");
    if (w.start.flags & CTL_START_COMPILE)
        env_compile(&w.env, code_room(size), w.start.flags & CTL_START_CODE_KEPT,
                    w.start.flags & CTL_START_UNHARDENED);
    env_share(&w.env, w.helpers);
    int r = eng_module_load(&w.env.engine, span_of(p, size), &w.module, &err);
    helpers_end();
    env_share(&w.env, 0);
    if (r < 0)
        refuse(r, err.offset, err.message);
    if (size)
        munmap(p, size);
    close(CTL_MODULE_FD);
    close_code();
    trace_engine();
}

static void split_strings(void)
{
    struct wasi_strings args = { w.strings, w.start.arg_count }, env;
    size_t at = 0;
    for (uint32_t i = 0; i < w.start.arg_count && at < w.strings.len; i++)
        at += span_find(span_skip(w.strings, at), 0) + 1;
    args.bytes = span_take(w.strings, at);
    env = (struct wasi_strings){ span_skip(w.strings, at), w.start.env_count };
    if (wasi_set_args(&w.wasi, args) < 0 || wasi_set_env(&w.wasi, env) < 0)
        refuse(E_INVAL, 0, "arguments or environment are malformed");
}

/* Gives the guest the descriptors that its capabilities name. */
static void prepare_wasi(void)
{
    uint32_t files = w.start.open_files ? w.start.open_files : FILES_DEFAULT;
    uint32_t born_with = WASI_FD_FIRST + 1 + w.listeners.count;
    files = files > WASI_FD_MAX - born_with ? WASI_FD_MAX : files + born_with;
    w.os.ask = channel_ask;
    w.os.data = reply_data;
    w.os.trace_line = channel_trace;
    w.os.denied = channel_denied;
    wasi_linux_init(&w.os, w.start.flags & CTL_START_TRACE);
    wasi_init(&w.wasi, &w.os.host, w.fds, files);
    w.wasi.app_name = w.name;
    split_strings();
    if (w.start.caps & WASI_CAP_STDIO)
        for (uint32_t fd = 0; fd <= STDERR_FILENO; fd++)
            wasi_add_stdio(&w.wasi, fd, (int32_t)fd, w.start.flags & (CTL_START_TTY0 << fd));
    if (w.start.caps & WASI_CAP_FILESYSTEM)
        wasi_add_preopen(&w.wasi, WASI_LINUX_DIR + CTL_DIR_DATA, SPAN_LIT("/data"));
    for (uint32_t i = 0; i < w.listeners.count; i++)
        wasi_add_listener(&w.wasi, w.listeners.fd[i], w.start.ports[i]);
}

static int resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    int r = wasi_resolve(ctx, import, ret);
    if (r == E_NOENT && !w.has_missing) {
        w.has_missing = true;
        w.missing = *import;
    }
    return r;
}

static struct eng_func *instantiate(void)
{
    struct eng_store_options options = { .stack_bytes = w.start.stack_bytes,
                                         .memory_pages_max = w.start.memory_pages };
    struct eng_resolver resolver = { &w.link, resolve };
    struct eng_instance *inst;
    struct eng_extern start;
    struct eng_functype type;
    struct eng_error err;
    struct eng_trap trap;
    int r = eng_store_create(&w.env.engine, &options, &w.store);
    if (r < 0)
        refuse(r, 0, "no memory for the guest's stack");
    env_watch(w.store);
    wasi_link_init(&w.link, &w.wasi, w.store, w.start.caps);
    if (w.start.flags & CTL_START_FUEL)
        eng_set_fuel(w.store, w.start.fuel);
    r = eng_instance_create(w.store, w.module, &resolver, &inst, &err, &trap);
    if (r > 0)
        report_trap(&trap);
    if (r < 0 && w.has_missing)
        refuse_import(&w.missing);
    if (r < 0)
        refuse(r == E_DENIED ? E_INVAL : r, err.offset, err.message);
    if (eng_instance_export(inst, SPAN_LIT("_start"), &start) < 0 || start.kind != ENG_EXTERN_FUNC)
        refuse(E_INVAL, 0, "the module exports no function _start");
    eng_func_type(start.of.func, &type);
    if (type.param_count || type.result_count)
        refuse(E_INVAL, 0, "_start takes or returns values");
    return start.of.func;
}

int main(void)
{
    struct eng_trap trap;
    receive_start();
    if (w.start.flags & CTL_START_COMPILE && w.start.flags & CTL_START_THREADS)
        w.helpers = helpers_start();
    close_sandbox();
    load_module();
    prepare_wasi();
    struct eng_func *start = instantiate();
    channel_running();
    if (eng_call(start, NULL, NULL, &trap) != 0)
        report_trap(&trap);
    _exit(0);
}
