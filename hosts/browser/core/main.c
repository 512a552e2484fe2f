/* The core in a browser: the table that its actions arrive at, and the events that JavaScript
 * reports. One instance in a worker of its own; see hosts/browser/README.md. */
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "hosts/worker.h"
#include "internal.h"

struct sys sys;

enum { PAGE = 65536 };

struct app *app_find(core_app id)
{
    uint32_t slot = core_app_slot(id);
    return id && slot < APPS_MAX && sys.apps[slot].id == id ? &sys.apps[slot] : NULL;
}

static void app_forget(struct app *a)
{
    free((void *)(uintptr_t)a->manifest.p);
    free(a->kept);
    app_files_close(a);
    memset(a, 0, sizeof *a);
}

void sys_event(struct core_event *ev)
{
    host_event(&sys.host, ev);
}

/* --- what core asks for -------------------------------------------------------- */

static uint64_t op_now_ms(void *ctx) { return (uint64_t)js_now_ms(); }
static uint64_t op_unix_ms(void *ctx) { return (uint64_t)js_unix_ms(); }

static int op_load(void *ctx, core_app id, struct span name, struct host_loaded *ret)
{
    uint32_t slot = core_app_slot(id);
    base_assert(slot < APPS_MAX);
    app_forget(&sys.apps[slot]);
    sys.apps[slot].id = id;
    if (!manifest_name_valid(name)) { /* it will be a part of an address */
        ret->manifest = SPAN_LIT("there is no app of such a name");
        return E_NOENT;
    }
    js_load(id, name.p, name.len);
    return E_AGAIN;
}

static void op_unload(void *ctx, core_app id)
{
    struct app *a = app_find(id);
    js_unload(id);
    if (a)
        app_forget(a);
}

static void put_string(struct strbuf *b, struct span text)
{
    strbuf_span(b, text);
    strbuf_span(b, span_of("", 1));
}

/* argv[0] is the name; then args and env as the manifest has them. */
static bool fill_start(const struct app *a, const struct core_grants *grants, struct wire_packet *p)
{
    const struct manifest *m = grants->manifest;
    struct strbuf b;
    strbuf_init(&b, (char *)p->data, sizeof p->data);
    strbuf_span(&b, grants->name);
    strbuf_char(&b, 0);
    for (uint32_t i = 0; i < a->port_count; i++) {
        strbuf_char(&b, (char)(a->ports[i] & 0xff));
        strbuf_char(&b, (char)(a->ports[i] >> 8));
    }
    size_t a_len = b.len;
    put_string(&b, grants->name);
    for (uint32_t i = 0; i < m->args_count; i++)
        put_string(&b, m->args[i]);
    for (uint32_t i = 0; i < m->env_count; i++) {
        strbuf_span(&b, m->env[i].name);
        strbuf_char(&b, '=');
        put_string(&b, m->env[i].value);
    }
    p->head = (struct wire){ .op = WIRE_START,
                             .a_len = (uint32_t)a_len,
                             .b_len = (uint32_t)(b.len - a_len),
                             .number = { (int32_t)worker_caps(m), (int32_t)grants->open_files,
                                         (int32_t)m->args_count + 1, (int32_t)m->env_count } };
    return !b.overflow;
}

static int op_spawn(void *ctx, core_app id, const struct core_grants *grants,
                    struct host_spawned *ret)
{
    uint64_t pages = grants->memory_bytes / PAGE;
    struct app *a = app_find(id);
    if (!a)
        return E_NOENT;
    if (app_ports_open(a, grants->manifest, &ret->why) < 0)
        return E_IO;
    if (manifest_has(grants->manifest, MANIFEST_CAP_FILESYSTEM)) {
        ret->why = SPAN_LIT("there is no place for data, so 'filesystem' cannot be given");
        if (!sys.store.lasting)
            return E_IO;
        ret->why = SPAN_LIT("there is no room for its data");
        int r = app_files_open(a, grants);
        if (r < 0)
            return r;
    }
    ret->why = SPAN_LIT("the worker could not be told what to run");
    if (!fill_start(a, grants, &sys.out))
        return E_LIMIT;
    js_spawn(id, &sys.out, sizeof sys.out.head + sys.out.head.a_len + sys.out.head.b_len,
             pages > PAGE ? PAGE : (uint32_t)pages, grants->manifest->own_engine,
             manifest_has(grants->manifest, MANIFEST_CAP_NETWORK),
             grants->cpu_percent < 100 ? grants->cpu_percent : 0);
    return E_AGAIN;
}

static int op_verify(void *ctx, core_app id, struct span name, uint8_t hash[32])
{
    js_verify(id, name.p, name.len);
    return E_AGAIN;
}

static int op_write_stdin(void *ctx, core_app id, struct span bytes)
{
    int32_t n = app_find(id) ? js_write_stdin(id, bytes.p, bytes.len) : -1;
    return n < 0 ? E_IO : n == 0 ? E_AGAIN : n;
}

static void op_close_stdin(void *ctx, core_app id) { js_close_stdin(id); }
static void op_pause(void *ctx, core_app id, bool paused) { js_pause_output(id, paused); }

static void op_reply(void *ctx, core_app id, uint32_t request, int error, struct span name,
                     struct span bytes)
{
    struct app *a = app_find(id);
    if (a && a->has_request && a->request_id == request)
        request_reply(a, error, name, bytes);
}

static void op_ask_stop(void *ctx, core_app id) { js_ask_stop(id); }

static void op_kill(void *ctx, core_app id)
{
    struct app *a = app_find(id);
    if (a)
        a->killed = true;
    js_kill(id);
}

static void op_console(void *ctx, enum core_stream stream, struct span bytes)
{
    js_console(stream, bytes.p, bytes.len);
}

static int op_audit(void *ctx, struct span line) { return auditlog_append(line); }

static void op_timer(void *ctx, uint64_t at_ms) { js_timer((double)at_ms); }
static void op_power(void *ctx, enum core_stop stop, int32_t code) { js_power(stop, code); }

static const struct host_ops ops = {
    .now_ms = op_now_ms, .unix_ms = op_unix_ms, .load = op_load, .unload = op_unload,
    .spawn = op_spawn, .verify = op_verify, .write_stdin = op_write_stdin,
    .close_stdin = op_close_stdin, .pause_output = op_pause, .reply = op_reply,
    .ask_stop = op_ask_stop, .kill = op_kill, .console = op_console, .audit = op_audit,
    .timer = op_timer, .power = op_power,
};

/* --- what JavaScript reports ------------------------------------------------------ */

EXPORT(packet) void *do_packet(void) { return &sys.in; }

/* The core's memory comes from the end of ours: pages that are never needed are never touched. */
EXPORT(open) int32_t do_open(void)
{
    static const struct core_limits limits = { .apps = APPS_MAX };
    size_t pages = (core_size(&limits) + PAGE - 1) / PAGE;
    /* The heap takes all the memory that there is when it is first used: not core's. */
    void *volatile first = malloc(1);
    free(first);
    size_t at = __builtin_wasm_memory_grow(0, pages);
    if (at == SIZE_MAX)
        return E_NOMEM;
    host_init(&sys.host, core_init((void *)(at * PAGE), &limits), &ops);
    return E_OK;
}

/* The text of boot.toml is in the packet. */
EXPORT(boot) void do_boot(uint32_t owns_machine, size_t len)
{
    struct core_event ev = { .type = CORE_EV_BOOT,
                             .count = owns_machine,
                             .text = span_of(&sys.in, len) };
    auditlog_open(&ev);
    sys_event(&ev);
}

EXPORT(start) void do_start(uint32_t in_foreground, size_t len)
{
    struct core_event ev = { .type = CORE_EV_START,
                             .name = span_of(&sys.in, len),
                             .count = in_foreground };
    sys_event(&ev);
}

/* The manifest of an app that is being loaded is in the packet. Puts the module's path there
 * and says how long it is; 0: the manifest is no good, which core will say. */
EXPORT(manifest) int32_t do_manifest(core_app id, size_t len)
{
    static uint8_t scratch_bytes[MANIFEST_SCRATCH_BYTES], keep_bytes[MANIFEST_KEEP_BYTES];
    struct arena scratch, keep;
    struct manifest m;
    struct format_error err;
    struct app *a = app_find(id);
    uint8_t *copy = a && len <= MANIFEST_TEXT_MAX + 1 ? malloc(len + 1) : NULL;
    if (!copy)
        return E_NOENT;
    memcpy(copy, &sys.in, len);
    free((void *)(uintptr_t)a->manifest.p);
    a->manifest = span_of(copy, len);
    sha256_init(&a->hash);
    arena_init(&scratch, scratch_bytes, sizeof scratch_bytes);
    arena_init(&keep, keep_bytes, sizeof keep_bytes);
    if (manifest_parse(a->manifest, &scratch, &keep, &m, &err) != E_OK)
        return 0;
    memcpy(&sys.in, m.wasm.p, m.wasm.len);
    return (int32_t)m.wasm.len;
}

/* A piece of its module. */
EXPORT(hash) void do_hash(core_app id, size_t len)
{
    struct app *a = app_find(id);
    if (a)
        sha256_update(&a->hash, span_of(&sys.in, len));
}

/* error 0: all of the module was hashed. Below: why is in the packet. */
EXPORT(loaded) void do_loaded(core_app id, int32_t error, size_t len)
{
    struct app *a = app_find(id);
    struct core_event ev = { .type = CORE_EV_LOADED, .app = id, .error = error };
    ev.text = error < 0 ? span_of(&sys.in, len) : a ? a->manifest : SPAN_NONE;
    if (a && error == 0)
        sha256_final(&a->hash, ev.hash);
    sys_event(&ev);
}

EXPORT(verified) void do_verified(core_app id, int32_t error)
{
    struct app *a = app_find(id);
    struct core_event ev = { .type = CORE_EV_VERIFIED, .app = id, .error = error };
    if (a && error == 0)
        sha256_final(&a->hash, ev.hash);
    sys_event(&ev);
}

/* It runs. Which engine has its records and `ps --json` say: the page decides by the memory that is left. */
EXPORT(spawned) void do_spawned(core_app id, uint32_t own)
{
    struct core_event ev = { .type = CORE_EV_SPAWNED, .app = id };
    ev.detail = own ? SPAN_LIT("vyoma") : SPAN_LIT("browser");
    sys_event(&ev);
}

EXPORT(output) void do_output(core_app id, uint32_t stream, size_t len)
{
    struct core_event ev = { .type = CORE_EV_OUTPUT,
                             .app = id,
                             .stream = (enum core_stream)stream,
                             .text = span_of(&sys.in, len) };
    sys_event(&ev);
}

EXPORT(delivered) void do_delivered(core_app id)
{
    struct core_event ev = { .type = CORE_EV_DELIVERED, .app = id };
    sys_event(&ev);
}

/* Its worker is gone, and all of its output has been reported. */
EXPORT(exited) void do_exited(core_app id, int32_t code)
{
    enum { SIGKILL_NUMBER = 9 };
    struct app *a = app_find(id);
    struct core_event ev = { .type = CORE_EV_EXITED, .app = id };
    if (!a)
        return;
    ev.exit.kind = a->killed    ? CORE_EXIT_SIGNAL
                   : a->trapped ? CORE_EXIT_TRAP
                   : a->refused ? CORE_EXIT_REFUSED
                                : CORE_EXIT_CODE;
    ev.exit.value = a->killed ? SIGKILL_NUMBER : a->trapped ? a->trap_code : code;
    a->has_request = false;
    a->port_count = 0;
    app_files_close(a);
    sys_event(&ev);
}

EXPORT(console) void do_console(size_t len)
{
    struct core_event ev = { .type = CORE_EV_CONSOLE, .text = span_of(&sys.in, len) };
    sys_event(&ev);
}

EXPORT(console_size) void do_console_size(uint32_t columns, uint32_t rows)
{
    struct core_event ev = { .type = CORE_EV_CONSOLE_SIZE, .count = columns, .count2 = rows };
    sys_event(&ev);
}

EXPORT(timer) void do_timer(void)
{
    struct core_event ev = { .type = CORE_EV_TIMER };
    sys_event(&ev);
}

EXPORT(stop) void do_stop(uint32_t how)
{
    struct core_event ev = { .type = CORE_EV_STOP, .stop = (enum core_stop)how };
    sys_event(&ev);
}
