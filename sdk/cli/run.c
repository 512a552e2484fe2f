/* vyoma run: apps under the supervisor, un-booted. The first has the console to itself and its
 * exit code is ours. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "cli.h"
#include "hosts/linux/supervisor.h"

enum { APPS_MAX = 64, TIMEOUT_MAX_S = 7 * 86400 };

struct list {
    const char *v[SUPERVISOR_LIST_MAX];
    size_t count;
};

struct run {
    struct cli *c;
    struct supervisor_options o;
    struct list grants, denies, env, others;
    char *other_names[APPS_MAX];
    size_t other_count;
    char *dirs[SUPERVISOR_DIRS_MAX];
    const char *app;  /* first operand */
    char folder[CLI_PATH_MAX]; /* its folder */
    char temporary[64]; /* folder made for a bare module, or "" */
    char data[CLI_PATH_MAX];
    uint64_t timeout_s;
    bool no_build;
    char last_error[512];
};

static const struct cli_option options[] = {
    { "--grant", 'g', "CAP", "grant what the manifest does not: stdio, filesystem," },
    { "", ' ', NULL, "network.ports=N, network.connect=HOST:PORT, ipc.send=APP, ..." },
    { "--deny", 'd', "CAP", "take away what the manifest grants" },
    { "--env", 'e', "NAME=VALUE", "add to the app's environment" },
    { "--apps", 'a', "DIR", "folder of more apps, which a shell may start by name" },
    { "--data", 'D', "DIR", "where apps' /data folders are kept ($VYOMA_DATA)" },
    { "--audit", 'A', "FILE", "append the audit log to FILE" },
    { "--fuel", 'f', "N", "end the app after N loop rounds and calls" },
    { "--timeout", 't', "SECONDS", "end everything after that long (exit 4)" },
    { "--trace", 'T', NULL, "show the app's calls of the system on stderr" },
    { "--tier", 'r', "TIER", "interp: interpret apps; baseline: compile them (as usual)" },
    { "--unhardened", 'u', NULL, "compile without guards against mispredicted accesses" },
    { "--no-build", 'n', NULL, "run the module as it is, however old" },
    { NULL, 0, NULL, NULL },
};

/* --- options --------------------------------------------------------------------------- */

static int add(struct run *r, struct list *l)
{
    if (l->count == SUPERVISOR_LIST_MAX)
        return cli_fail(r->c, CLI_USAGE, NULL, "more than %d of one option", SUPERVISOR_LIST_MAX);
    l->v[l->count++] = r->c->value;
    return CLI_OK;
}

static int number(struct run *r, const char *what, uint64_t max, uint64_t *ret)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(r->c->value, &end, 10);
    if (r->c->value[0] < '0' || r->c->value[0] > '9' || *end || errno || v == 0 || v > max)
        return cli_fail(r->c, CLI_USAGE, NULL, "%s: '%s' is not a number from 1 to %llu", what,
                        r->c->value, (unsigned long long)max);
    *ret = v;
    return CLI_OK;
}

static int add_apps_dir(struct run *r, const char *dir)
{
    for (size_t i = 0; i < r->o.apps_dirs_count; i++)
        if (strcmp(r->o.apps_dirs[i], dir) == 0)
            return CLI_OK;
    if (r->o.apps_dirs_count == SUPERVISOR_DIRS_MAX)
        return cli_fail(r->c, CLI_USAGE, NULL, "apps from more than %d folders",
                        SUPERVISOR_DIRS_MAX);
    char *copy = strdup(dir);
    if (!copy)
        return cli_fail(r->c, CLI_FAILED, NULL, "out of memory");
    r->dirs[r->o.apps_dirs_count] = copy;
    r->o.apps_dirs[r->o.apps_dirs_count++] = copy;
    return CLI_OK;
}

/* `code`: what became of looking at the value. */
static int add_checked(struct run *r, struct list *l, int code)
{
    return code ? code : add(r, l);
}

static int choose_tier(struct run *r, const char *tier)
{
    r->o.interpret = strcmp(tier, "interp") == 0;
    if (!r->o.interpret && strcmp(tier, "baseline") != 0)
        return cli_fail(r->c, CLI_USAGE, "write --tier interp or --tier baseline",
                        "there is no tier '%s'", tier);
    return CLI_OK;
}

static int take_option(struct run *r, int id)
{
    switch (id) {
    case 'g': return add_checked(r, &r->grants, cli_check_capability(r->c, r->c->value, true));
    case 'd': return add_checked(r, &r->denies, cli_check_capability(r->c, r->c->value, false));
    case 'e': return add_checked(r, &r->env, cli_check_env(r->c, r->c->value));
    case 'a':
        return cli_is_dir(r->c->value)
                   ? add_apps_dir(r, r->c->value)
                   : cli_fail(r->c, CLI_NOT_FOUND, NULL, "--apps %s: no such folder", r->c->value);
    case 'D': r->o.data_root = r->c->value; return CLI_OK;
    case 'A': r->o.audit_path = r->c->value; return CLI_OK;
    case 'f': return number(r, "--fuel", UINT64_MAX - 1, &r->o.fuel);
    case 't': return number(r, "--timeout", TIMEOUT_MAX_S, &r->timeout_s);
    case 'T': r->o.trace = true; return CLI_OK;
    case 'r': return choose_tier(r, r->c->value);
    case 'u': r->o.unhardened = true; return CLI_OK;
    case 'n': r->no_build = true; return CLI_OK;
    default: return CLI_OK;
    }
}

static int take_operand(struct run *r)
{
    if (!r->app) {
        r->app = r->c->value;
        return CLI_OK;
    }
    return add(r, &r->others);
}

static int parse(struct run *r)
{
    int got, code;
    while ((got = cli_next(r->c)) > CLI_END) {
        code = got == CLI_OPERAND ? take_operand(r) : take_option(r, got);
        if (code)
            return code;
    }
    if (got != CLI_END)
        return got == CLI_HELPED ? -1 : CLI_USAGE;
    struct cli *c = r->c;
    if (!r->app)
        return cli_fail(c, CLI_USAGE, "vyoma run my-app, or vyoma run .", "which app?");
    if (c->at < c->argc) { /* "--" */
        r->o.args = (const char *const *)c->argv + c->at + 1;
        r->o.args_count = (size_t)(c->argc - c->at - 1);
    }
    return cli_check_arguments(c, r->o.args, r->o.args_count);
}

/* --- the apps --------------------------------------------------------------------------- */

/* Builds the folder's module when there are sources and it is older than they. */
static int build(struct run *r, const char *dir)
{
    const struct cli_build b = { .dir = dir, .if_older = true };
    struct cli_manifest manifest;
    char wasm[CLI_PATH_MAX], source[CLI_PATH_MAX];
    int code = cli_manifest_load(r->c, dir, &manifest);
    if (code)
        return code;
    bool ok = cli_join(wasm, dir, (const char *)manifest.m.wasm.p);
    cli_manifest_free(&manifest);
    if (!ok)
        return cli_fail(r->c, CLI_FAILED, NULL, "%s: the path is too long", dir);
    bool has_source = cli_join(source, dir, "main.c") && cli_exists(source);
    if (has_source && !(r->no_build && cli_exists(wasm)))
        return cli_build_app(r->c, &b);
    if (!cli_exists(wasm))
        return cli_fail(r->c, CLI_NOT_FOUND, "`wasm` in vyoma.toml names it",
                        "%s: there is no such module, and no main.c to build it from", wasm);
    return CLI_OK;
}

static int copy_module(struct run *r, const char *from, const char *to)
{
    struct span bytes;
    int code = cli_read_file(r->c, from, CLI_MODULE_MAX, &bytes);
    if (code)
        return code;
    FILE *f = fopen(to, "we");
    bool ok = f && fwrite(bytes.p, 1, bytes.len, f) == bytes.len;
    if (f && fclose(f) != 0)
        ok = false;
    free((void *)bytes.p);
    return ok ? CLI_OK : cli_fail(r->c, CLI_FAILED, NULL, "%s: could not be written", to);
}

/* The file's name without folder and ending, made into an app's name. */
static void name_of_module(const char *path, char name[MANIFEST_NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    size_t n = 0;
    for (const char *p = slash ? slash + 1 : path; *p && *p != '.' && n < MANIFEST_NAME_MAX; p++) {
        bool ok = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');
        if (*p >= 'A' && *p <= 'Z')
            name[n++] = (char)(*p + 32);
        else if (ok)
            name[n++] = *p;
        else if (n)
            name[n++] = '-';
    }
    while (n && name[n - 1] == '-')
        n--;
    name[n] = 0;
    if (!manifest_name_valid(span_of_cstr(name)))
        snprintf(name, MANIFEST_NAME_MAX + 1, "app");
}

/* A bare module: a folder for it with the least manifest there is. */
static int wrap_module(struct run *r, const char *path)
{
    char name[MANIFEST_NAME_MAX + 1], file[CLI_PATH_MAX];
    const char *tmp = getenv("TMPDIR");
    name_of_module(path, name);
    if (!cli_exists(path))
        return cli_fail(r->c, CLI_NOT_FOUND, NULL, "%s: there is no such app", path);
    if (snprintf(r->temporary, sizeof r->temporary, "%s/vyoma-XXXXXX",
                 tmp && *tmp && strlen(tmp) < 40 ? tmp : "/tmp") < 0 ||
        !mkdtemp(r->temporary)) {
        r->temporary[0] = 0;
        return cli_fail(r->c, CLI_FAILED, NULL, "no temporary folder: %s", strerror(errno));
    }
    snprintf(r->folder, sizeof r->folder, "%s", r->temporary);
    cli_join(file, r->folder, "vyoma.toml");
    FILE *f = fopen(file, "we");
    if (!f)
        return cli_fail(r->c, cli_errno_exit(errno), NULL, "%s: %s", file, strerror(errno));
    fprintf(f, "[app]\nname = \"%s\"\nversion = \"0\"\nwasm = \"app.wasm\"\nmanifest_version = 1\n"
               "[capabilities]\nstdio = true\n", name);
    fclose(f);
    cli_join(file, r->folder, "app.wasm");
    return copy_module(r, path, file);
}

static void remove_temporary(const struct run *r)
{
    char file[CLI_PATH_MAX];
    if (!r->temporary[0])
        return;
    if (cli_join(file, r->temporary, "vyoma.toml"))
        unlink(file);
    if (cli_join(file, r->temporary, "app.wasm"))
        unlink(file);
    rmdir(r->temporary);
}

/* DIR, DIR/vyoma.toml, or DIR/NAME.wasm where DIR/vyoma.toml is about that very file. */
static int find_first(struct run *r)
{
    if (cli_is_dir(r->app)) {
        snprintf(r->folder, sizeof r->folder, "%s", r->app);
        return build(r, r->folder);
    }
    const char *slash = strrchr(r->app, '/');
    char dir[CLI_PATH_MAX], toml[CLI_PATH_MAX];
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - r->app) : 1, slash ? r->app : ".");
    if (slash == r->app)
        snprintf(dir, sizeof dir, "/");
    if (!cli_join(toml, dir, "vyoma.toml") || !cli_exists(toml))
        return wrap_module(r, r->app);
    if (strcmp(slash ? slash + 1 : r->app, "vyoma.toml") == 0) {
        snprintf(r->folder, sizeof r->folder, "%s", dir);
        return build(r, r->folder);
    }
    struct cli_manifest manifest;
    int code = cli_manifest_load(r->c, dir, &manifest);
    if (code)
        return code;
    bool same = span_eq_cstr(manifest.m.wasm, slash ? slash + 1 : r->app);
    cli_manifest_free(&manifest);
    if (!same)
        return wrap_module(r, r->app);
    snprintf(r->folder, sizeof r->folder, "%s", dir);
    return cli_exists(r->app) ? CLI_OK
                              : cli_fail(r->c, CLI_NOT_FOUND, "vyoma build makes it",
                                         "%s: there is no such module", r->app);
}

/* Another app: found by the supervisor as NAME in the folder around it. */
static int find_other(struct run *r, const char *arg)
{
    char path[CLI_PATH_MAX];
    if (!cli_is_dir(arg) || !realpath(arg, path))
        return cli_fail(r->c, CLI_NOT_FOUND, "further apps are given as folders",
                        "%s: there is no such folder", arg);
    int code = build(r, path);
    if (code)
        return code;
    struct cli_manifest manifest;
    code = cli_manifest_load(r->c, path, &manifest);
    if (code)
        return code;
    char *slash = strrchr(path, '/');
    if (!span_eq_cstr(manifest.m.name, slash + 1)) {
        code = cli_fail(r->c, CLI_FAILED, "name the folder like the app",
                        "%s holds an app named '%s'", arg, (const char *)manifest.m.name.p);
    } else if (!(r->other_names[r->other_count] = strdup(slash + 1))) {
        code = cli_fail(r->c, CLI_FAILED, NULL, "out of memory");
    } else {
        r->other_count++;
        *slash = 0;
        code = add_apps_dir(r, *path ? path : "/");
    }
    cli_manifest_free(&manifest);
    return code;
}

/* --- where data is kept ------------------------------------------------------------------ */

/* The folder and those above it. 0 or an error number. */
static int make_dirs(char *path)
{
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        int err = mkdir(path, 0700) && errno != EEXIST ? errno : 0;
        *p = '/';
        if (err)
            return err;
    }
    if (mkdir(path, 0711) && errno != EEXIST)
        return errno;
    return access(path, W_OK | X_OK) ? errno : 0;
}

/* --data, then $VYOMA_DATA, then $XDG_DATA_HOME/vyoma, then ~/.local/share/vyoma. */
static int choose_data(struct run *r)
{
    const char *set = getenv("VYOMA_DATA"), *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    int n = 0;
    if (r->o.data_root)
        n = snprintf(r->data, sizeof r->data, "%s", r->o.data_root);
    else if (set && *set)
        n = snprintf(r->data, sizeof r->data, "%s", set);
    else if (xdg && xdg[0] == '/')
        n = snprintf(r->data, sizeof r->data, "%s/vyoma", xdg);
    else if (home && home[0] == '/')
        n = snprintf(r->data, sizeof r->data, "%s/.local/share/vyoma", home);
    if (n <= 0) {
        r->o.data_root = NULL; /* apps with filesystem are refused, and told why */
        return CLI_OK;
    }
    if (n >= (int)sizeof r->data)
        return cli_fail(r->c, CLI_USAGE, NULL, "--data: the path is too long");
    bool asked_for = r->o.data_root || (set && *set);
    int err = make_dirs(r->data);
    if (err && asked_for)
        return cli_fail(r->c, cli_errno_exit(err), "--data DIR names another place", "%s: %s",
                        r->data, strerror(err));
    r->o.data_root = err ? NULL : r->data; /* many apps need none */
    return CLI_OK;
}

/* --- running ------------------------------------------------------------------------------ */

/* With --json: what the supervisor has to say, an object a line. The last error is kept: it
 * may be why the run ends. */
static void log_json(void *ctx, enum log_level level, struct span text)
{
    struct run *r = ctx;
    struct span kept = span_take(text, sizeof r->last_error - 1);
    if (level == LOG_ERROR && kept.len) {
        memcpy(r->last_error, kept.p, kept.len);
        r->last_error[kept.len] = 0;
    }
    static const char *const names[] = { "error", "warn", "info", "debug" };
    char memory[2048];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_cstr(&b, "{\"level\":\"");
    strbuf_cstr(&b, names[level]);
    strbuf_cstr(&b, "\",\"message\":");
    strbuf_json(&b, span_take(text, 300));
    strbuf_cstr(&b, "}\n");
    (void)!write(STDERR_FILENO, b.p, b.len);
}

/* The end of the time asks everything to end, as SIGTERM from outside would. */
static bool arm_timeout(uint64_t seconds, timer_t *ret)
{
    struct sigevent how = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM };
    struct itimerspec when = { .it_value = { .tv_sec = (time_t)seconds } };
    return timer_create(CLOCK_MONOTONIC, &how, ret) == 0 &&
           timer_settime(*ret, 0, &when, NULL) == 0;
}

/* Codes that are ours and not the app's own choice. */
static bool ends_the_run(int code)
{
    return code == CLI_FAILED || code == CLI_NOT_FOUND || code == CLI_DENIED ||
           code == CLI_REFUSED || code == 126 || code == 134 || code == 137;
}

static int supervise(struct run *r)
{
    timer_t timer;
    struct itimerspec left = { 0 };
    if (r->timeout_s && !arm_timeout(r->timeout_s, &timer))
        return cli_fail(r->c, CLI_FAILED, NULL, "--timeout: %s", strerror(errno));
    int code = supervisor_run(&r->o);
    if (r->timeout_s && timer_gettime(timer, &left) == 0 && left.it_value.tv_sec == 0 &&
        left.it_value.tv_nsec == 0)
        return cli_fail(r->c, CLI_TIMED_OUT, "--timeout SECONDS gives it longer",
                        "%s was ended after %llu seconds", r->app,
                        (unsigned long long)r->timeout_s);
    if (r->last_error[0] && ends_the_run(code))
        return cli_fail(r->c, code, NULL, "%s", r->last_error);
    return code;
}

static int prepare(struct run *r)
{
    int code = find_first(r);
    for (size_t i = 0; !code && i < r->others.count; i++)
        code = find_other(r, r->others.v[i]);
    if (!code)
        code = choose_data(r);
    if (code)
        return code;
    struct cli_manifest manifest;
    code = cli_manifest_load(r->c, r->folder, &manifest);
    if (code)
        return code;
    r->o.console_raw = manifest_has(&manifest.m, MANIFEST_CAP_SHELL);
    cli_manifest_free(&manifest);
    r->o.app_folder = r->folder;
    r->o.start = (const char *const *)r->other_names;
    r->o.start_count = r->other_count;
    r->o.foreground = true;
    r->o.grants = r->grants.v;
    r->o.grants_count = r->grants.count;
    r->o.denies = r->denies.v;
    r->o.denies_count = r->denies.count;
    r->o.env = r->env.v;
    r->o.env_count = r->env.count;
    r->o.quiet = r->c->quiet;
    if (r->c->json)
        r->o.log = (struct log_sink){ .ctx = r, .write = log_json };
    return CLI_OK;
}

static int run(struct cli *c)
{
    static struct run r;
    r.c = c;
    supervisor_options_init(&r.o);
    int code = parse(&r);
    if (code < 0)
        return CLI_OK; /* --help */
    if (!code)
        code = prepare(&r);
    if (!code)
        code = supervise(&r);
    remove_temporary(&r);
    for (size_t i = 0; i < r.other_count; i++)
        free(r.other_names[i]);
    for (size_t i = 0; i < r.o.apps_dirs_count; i++)
        free(r.dirs[i]);
    return code;
}

const struct cli_command cli_run = {
    .takes_rest = true,
    .name = "run", .operands = "APP [APP]... [-- ARGUMENT...]", .options = options, .run = run,
    .summary = "run apps on this machine, with every layer of the sandbox",
    .details = "APP is an app's folder or a module. The first has the terminal, and its exit code\n"
               "is the command's (128 + n after a signal, 134 after a trap). The folder's module\n"
               "is built first when it is older than main.c and its neighbours. A bare module\n"
               "runs with stdio alone, unless --grant adds to that.",
};
