/* One run of the supervisor: set-up, the table that core's actions arrive at, tear-down. */
#define _GNU_SOURCE
#include "hosts/linux/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "internal.h"

enum { DESCRIPTORS_AN_APP = 6, DESCRIPTORS_OWN = 128 + CODE_KEPT_MAX };

void supervisor_options_init(struct supervisor_options *o)
{
    memset(o, 0, sizeof *o);
    o->console_in = 0;
    o->console_out = 1;
    o->console_err = 2;
}

void sup_notice(struct sup *s, enum log_level level, const char *format, ...)
{
    char text[512];
    va_list args;
    if ((s->o->quiet && level != LOG_ERROR) || level == LOG_DEBUG)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    if (s->o->log.write) {
        log_write(&s->o->log, level, span_of_cstr(text));
        return;
    }
    strcat(text, "\n");
    tty_write(s, CORE_STDERR, SPAN_LIT("vyoma: "));
    tty_write(s, CORE_STDERR, span_of_cstr(text));
}

/* --- apps ------------------------------------------------------------------------ */

struct app *sup_app(struct sup *s, core_app id)
{
    uint32_t slot = core_app_slot(id);
    return id && slot < CORE_APPS_MAX && s->apps[slot].id == id ? &s->apps[slot] : NULL;
}

struct app *sup_app_new(struct sup *s, core_app id)
{
    uint32_t slot = core_app_slot(id);
    base_assert(id && slot < CORE_APPS_MAX);
    struct app *a = &s->apps[slot];
    if (a->id)
        sup_app_free(s, a);
    memset(a, 0, sizeof *a);
    a->id = id;
    a->module_fd = a->code_fd = a->in.fd = a->out.fd = a->err.fd = a->ctl.fd = a->connect.fd = -1;
    a->refused_calls.fd = -1;
    return a;
}

/* What the slot holds goes away. A process that still runs there is killed; the reaper
 * will find no app for it. */
void sup_app_free(struct sup *s, struct app *a)
{
    if (a->pid > 0) {
        kill(a->pid, SIGKILL);
        s->running--;
    }
    if (a->throttled)
        s->window.throttled--;
    sup_watch_close(s, &a->in);
    sup_watch_close(s, &a->out);
    sup_watch_close(s, &a->err);
    control_close(s, a);
    if (a->module_fd >= 0)
        close(a->module_fd);
    code_close(a);
    free(a->manifest);
    memset(a, 0, sizeof *a);
}

bool sup_is_foreground(const struct sup *s, const struct app *a)
{
    return s->foreground[0] && strcmp(a->name, s->foreground) == 0;
}

void sup_event(struct sup *s, struct core_event *event)
{
    host_event(&s->host, event);
}

/* --- what core asks for ------------------------------------------------------------ */

static uint64_t op_now_ms(void *ctx)
{
    return sup_now_ms();
}

static uint64_t op_unix_ms(void *ctx)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int op_load(void *ctx, core_app id, struct span name, struct host_loaded *ret)
{
    struct sup *s = ctx;
    struct app *a = sup_app_new(s, id);
    snprintf(a->name, sizeof a->name, "%.*s", (int)name.len, (const char *)name.p);
    return load_app(s, a, ret);
}

static void op_unload(void *ctx, core_app id)
{
    struct app *a = sup_app(ctx, id);
    if (a)
        sup_app_free(ctx, a);
}

static int op_spawn(void *ctx, core_app id, const struct core_grants *grants,
                    struct host_spawned *ret)
{
    struct app *a = sup_app(ctx, id);
    ret->why = SPAN_LIT("it is not loaded");
    return a ? worker_spawn(ctx, a, grants, ret) : E_NOENT;
}

static int op_verify(void *ctx, core_app id, struct span name, uint8_t hash[32])
{
    return load_verify(ctx, name, hash);
}

static int op_write_stdin(void *ctx, core_app id, struct span bytes)
{
    struct app *a = sup_app(ctx, id);
    return a ? worker_write_stdin(ctx, a, bytes) : E_IO;
}

static void op_close_stdin(void *ctx, core_app id)
{
    struct app *a = sup_app(ctx, id);
    if (a)
        sup_watch_close(ctx, &a->in);
}

static void op_pause(void *ctx, core_app id, bool paused)
{
    struct app *a = sup_app(ctx, id);
    if (!id) {
        tty_pause(ctx, paused);
    } else if (a) {
        a->paused = paused;
        sup_watch_output(ctx, a);
    }
}

static void op_reply(void *ctx, core_app id, uint32_t request, int error, struct span name,
                     struct span bytes)
{
    struct app *a = sup_app(ctx, id);
    if (a)
        control_reply(ctx, a, request, error, name, bytes);
}

static void op_ask_stop(void *ctx, core_app id)
{
    struct app *a = sup_app(ctx, id);
    if (a && a->pid > 0)
        kill(a->pid, SIGTERM);
}

static void op_kill(void *ctx, core_app id)
{
    struct app *a = sup_app(ctx, id);
    if (a)
        worker_kill(ctx, a);
}

static void op_console(void *ctx, enum core_stream stream, struct span bytes)
{
    tty_write(ctx, stream, bytes);
}

/* To a program that reads our log, the same way as our own words. */
static void op_notice(void *ctx, struct span lines)
{
    struct sup *s = ctx;
    struct span text = lines, head = SPAN_LIT("vyoma: ");
    if (text.len > head.len && memcmp(text.p, head.p, head.len) == 0)
        text = span_skip(text, head.len);
    while (text.len && text.p[text.len - 1] == '\n')
        text.len--;
    if (s->o->log.write)
        log_write(&s->o->log, LOG_ERROR, text);
    else
        tty_write(s, CORE_STDERR, lines);
}

static int op_audit(void *ctx, struct span line)
{
    return auditlog_append(ctx, line);
}

static void op_timer(void *ctx, uint64_t at_ms)
{
    ((struct sup *)ctx)->timer_ms = at_ms ? at_ms : 1;
}

/* Nothing of ours keeps a file system busy. */
static void close_storage(struct sup *s)
{
    auditlog_close(s);
    for (uint32_t i = 0; i < CORE_APPS_MAX; i++) {
        if (s->apps[i].id)
            sup_app_free(s, &s->apps[i]);
    }
    for (size_t i = 0; i < s->o->apps_dirs_count; i++) {
        if (s->apps_dirs[i] >= 0)
            close(s->apps_dirs[i]);
        s->apps_dirs[i] = -1;
    }
    code_close_all(s);
    if (s->app_folder >= 0)
        close(s->app_folder);
    if (s->data_root >= 0)
        close(s->data_root);
    s->app_folder = s->data_root = -1;
}

static void op_power(void *ctx, enum core_stop stop, int32_t code)
{
    struct sup *s = ctx;
    s->done = true;
    s->code = s->stop_signal ? 128 + s->stop_signal : code;
    if (s->o->owns_machine && stop != CORE_STOP_EXIT && s->o->power_off) {
        tty_flush(s);
        close_storage(s);
        sandbox_close(&s->sandbox);
        s->o->power_off(s->o->power_ctx, stop == CORE_STOP_REBOOT);
    }
}

static struct host_ops make_ops(struct sup *s)
{
    return (struct host_ops){
        .ctx = s,
        .now_ms = op_now_ms,
        .unix_ms = op_unix_ms,
        .load = op_load,
        .unload = op_unload,
        .spawn = op_spawn,
        .verify = op_verify,
        .write_stdin = op_write_stdin,
        .close_stdin = op_close_stdin,
        .pause_output = op_pause,
        .reply = op_reply,
        .ask_stop = op_ask_stop,
        .kill = op_kill,
        .console = op_console,
        .notice = op_notice,
        .audit = op_audit,
        .timer = op_timer,
        .power = op_power,
    };
}

/* --- set-up ------------------------------------------------------------------------ */

static void *map_zeroed(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

static void raise_descriptor_limit(struct sup *s)
{
    struct rlimit r;
    rlim_t wanted = CORE_APPS_MAX * DESCRIPTORS_AN_APP + DESCRIPTORS_OWN;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur >= wanted)
        return;
    if (r.rlim_max < wanted) {
        struct rlimit more = { wanted, wanted };
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            return;
    }
    r.rlim_cur = r.rlim_max < wanted ? r.rlim_max : wanted;
    setrlimit(RLIMIT_NOFILE, &r);
    if (r.rlim_cur < wanted)
        sup_notice(s, LOG_DEBUG, "at most %lu apps at once: the descriptor limit is %lu",
                   (unsigned long)(r.rlim_cur - DESCRIPTORS_OWN) / DESCRIPTORS_AN_APP,
                   (unsigned long)r.rlim_cur);
}

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int open_folders(struct sup *s)
{
    s->app_folder = -1;
    for (size_t i = 0; i < s->o->apps_dirs_count; i++) {
        s->apps_dirs[i] = open_folder(s->o->apps_dirs[i]);
        if (s->apps_dirs[i] < 0)
            sup_notice(s, LOG_WARN, "apps folder %s: %s", s->o->apps_dirs[i], strerror(errno));
    }
    if (!s->o->app_folder)
        return E_OK;
    s->app_folder = open_folder(s->o->app_folder);
    if (s->app_folder < 0) {
        sup_notice(s, LOG_ERROR, "app folder %s: %s", s->o->app_folder, strerror(errno));
        return E_NOENT;
    }
    load_folder_name(s, s->app_folder, s->o->app_folder, s->folder_name, sizeof s->folder_name);
    if (s->folder_name[0])
        return E_OK;
    sup_notice(s, LOG_ERROR, "app folder %s: no vyoma.toml that says the app's name",
               s->o->app_folder);
    return E_NOENT;
}

static void default_worker_path(char *out, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", out, cap - 16);
    out[n > 0 ? n : 0] = 0;
    char *slash = strrchr(out, '/');
    strcpy(slash ? slash + 1 : out, "vyoma-run");
}

static int open_sandbox(struct sup *s)
{
    char worker[512];
    struct sandbox_options so = { .worker_path = s->o->worker_path,
                                  .owns_machine = s->o->owns_machine,
                                  .no_filter = s->o->test_no_filter };
    if (s->o->test_native_worker)
        so.worker_path = s->o->test_native_worker;
    if (!so.worker_path) {
        default_worker_path(worker, sizeof worker);
        so.worker_path = worker;
    }
    int r = sandbox_open(&s->sandbox, &so);
    char *save = NULL;
    enum log_level level = r < 0 ? LOG_ERROR : LOG_INFO;
    for (char *line = strtok_r(s->sandbox.lacks_text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        sup_notice(s, level, "sandbox: %s", line);
    return r;
}

static int make_core(struct sup *s)
{
    static const struct core_limits limits;
    void *memory = map_zeroed(core_size(&limits));
    if (!memory)
        return E_NOMEM;
    s->ops = make_ops(s);
    host_init(&s->host, core_init(memory, &limits), &s->ops);
    return E_OK;
}

static int set_up(struct sup *s)
{
    s->apps = map_zeroed(sizeof *s->apps * CORE_APPS_MAX);
    s->packet = map_zeroed(CTL_DATA_MAX);
    s->reply = map_zeroed(CTL_DATA_MAX);
    s->output = map_zeroed(OUTPUT_READ_BYTES);
    if (!s->apps || !s->packet || !s->reply || !s->output || sup_loop_open(s) < 0)
        return E_NOMEM;
    tty_open(s);
    raise_descriptor_limit(s);
    int r = open_folders(s);
    if (r == E_OK)
        r = data_open_root(s);
    if (r == E_OK)
        r = open_sandbox(s);
    if (r == E_OK)
        r = make_core(s);
    if (r == E_OK)
        r = auditlog_open(s);
    return r;
}

void supervisor_keep_standard_streams(void)
{
    int fd;
    do {
        fd = open("/dev/null", O_RDWR); /* without O_CLOEXEC: the lowest numbers stay */
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

static void boot(struct sup *s)
{
    struct core_event ev = { .type = CORE_EV_BOOT,
                             .text = s->o->boot_toml,
                             .count = s->o->owns_machine ? CORE_BOOT_MACHINE
                                      : s->console.raw   ? CORE_BOOT_CONSOLE
                                                         : CORE_BOOT_GUEST,
                             .count2 = s->audit.last_seq,
                             .error = s->audit.chain_broken ? E_MALFORMED : E_OK };
    memcpy(ev.hash, s->audit.last_hash, sizeof ev.hash);
    sup_event(s, &ev);
    tty_size(s);
}

static void start(struct sup *s, const char *name)
{
    struct core_event ev = { .type = CORE_EV_START,
                             .name = span_of_cstr(name),
                             .count = s->foreground[0] && strcmp(name, s->foreground) == 0 };
    if (!s->done)
        sup_event(s, &ev);
}

static void start_all(struct sup *s)
{
    const char *first = s->app_folder >= 0 ? s->folder_name
                        : s->o->start_count ? s->o->start[0]
                                            : "";
    if (s->o->foreground)
        snprintf(s->foreground, sizeof s->foreground, "%s", first);
    if (s->app_folder >= 0)
        start(s, s->folder_name);
    for (size_t i = 0; i < s->o->start_count; i++)
        start(s, s->o->start[i]);
}

static void tear_down(struct sup *s)
{
    if (s->apps)
        close_storage(s);
    while (s->apps && wait4(-1, NULL, 0, NULL) > 0) { /* what was killed is gone at once */
    }
    tty_flush(s);
    tty_close(s);
    sandbox_close(&s->sandbox);
    sup_loop_close(s);
}

int supervisor_run(const struct supervisor_options *o)
{
    sigset_t old_mask;
    struct sigaction ignore = { .sa_handler = SIG_IGN }, old_pipe;
    struct sup *s = map_zeroed(sizeof *s);
    if (!s)
        return SUPERVISOR_FAILED;
    s->o = o;
    s->epoll = s->signals = s->data_root = s->app_folder = s->audit.fd = -1;
    s->sandbox.mnt_ns = s->sandbox.net_ns = s->sandbox.worker_fd = s->sandbox.cgroup_fd = -1;
    memset(s->apps_dirs, 0xff, sizeof s->apps_dirs);
    sigprocmask(SIG_BLOCK, NULL, &old_mask);
    sigaction(SIGPIPE, &ignore, &old_pipe);
    int r = set_up(s);
    if (r == E_OK) {
        boot(s);
        start_all(s);
        sup_loop(s);
        tty_flush(s);
    }
    int code = r == E_NOENT               ? SUPERVISOR_NOT_FOUND
               : r < 0 || s->console.lost ? SUPERVISOR_FAILED
                                          : s->code;
    tear_down(s);
    sigaction(SIGPIPE, &old_pipe, NULL);
    sigprocmask(SIG_SETMASK, &old_mask, NULL);
    munmap(s, sizeof *s);
    return code;
}
