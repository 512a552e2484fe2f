/* vyoma build: the folder's C files into the module that its manifest names, with the flags
 * of the SDK's app.flags, which app.mk uses too. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 256, FLAGS_MAX = 16 * 1024 };

/* The compiler's command line. Strings are malloc'ed. */
struct command {
    char *v[ARGS_MAX + 1];
    size_t count;
    bool full;
};

static void push(struct command *cmd, const char *s)
{
    if (cmd->count == ARGS_MAX || !(cmd->v[cmd->count] = strdup(s)))
        cmd->full = true;
    else
        cmd->count++;
}

static void command_free(struct command *cmd)
{
    for (size_t i = 0; i < cmd->count; i++)
        free(cmd->v[i]);
}

/* app.flags: one flag a line. */
static int push_flags(const struct cli *c, struct command *cmd, const char *sdk, bool debug)
{
    char path[CLI_PATH_MAX];
    struct span text;
    if (!cli_join(path, sdk, "app.flags"))
        return cli_fail(c, CLI_FAILED, NULL, "%s: the path is too long", sdk);
    int code = cli_read_file(c, path, FLAGS_MAX, &text);
    if (code)
        return code;
    for (char *save, *line = strtok_r((char *)text.p, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        if (!debug || strcmp(line, "-Wl,--strip-all") != 0)
            push(cmd, line);
    free((void *)text.p);
    push(cmd, debug ? "-Wl,--strip-debug" : "-Wno-unknown-warning-option");
    if (cli_join(path, sdk, "include")) {
        push(cmd, "-I");
        push(cmd, path);
    }
    return CLI_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_later(struct timespec a, struct timespec b)
{
    return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
}

/* The *.c of dir, sorted, so that the module's bytes do not depend on the folder's order.
 * *newest, zero before: becomes the time of the last change of them and of *.h. */
static int push_sources(const struct cli *c, struct command *cmd, const char *dir, struct timespec *newest)
{
    char path[CLI_PATH_MAX];
    size_t first = cmd->count;
    DIR *d = opendir(dir);
    if (!d)
        return cli_fail(c, cli_errno_exit(errno), NULL, "%s: %s", dir, strerror(errno));
    for (struct dirent *e; (e = readdir(d));) {
        const char *dot = strrchr(e->d_name, '.');
        bool is_c = dot && dot[1] == 'c' && !dot[2], is_h = dot && dot[1] == 'h' && !dot[2];
        struct stat st;
        if (e->d_name[0] == '.' || !(is_c || is_h) || !cli_join(path, dir, e->d_name) ||
            stat(path, &st) != 0)
            continue;
        if (is_later(st.st_mtim, *newest))
            *newest = st.st_mtim;
        if (is_c)
            push(cmd, path);
    }
    closedir(d);
    qsort(cmd->v + first, cmd->count - first, sizeof cmd->v[0], by_name);
    if (cmd->count == first)
        return cli_fail(c, CLI_NOT_FOUND, "vyoma new NAME makes an app to begin with",
                        "%s: there are no C files to build", dir);
    return CLI_OK;
}

/* Is there an executable file of that name in PATH? */
static bool in_path(const char *program)
{
    char dir[CLI_PATH_MAX], path[CLI_PATH_MAX];
    if (strchr(program, '/'))
        return access(program, X_OK) == 0;
    const char *list = getenv("PATH");
    for (list = list ? list : "/usr/local/bin:/usr/bin:/bin"; *list;) {
        size_t n = strcspn(list, ":");
        int len = snprintf(dir, sizeof dir, "%.*s", (int)(n < sizeof dir ? n : 0), list);
        if (len > 0 && cli_join(path, dir, program) && access(path, X_OK) == 0)
            return true;
        list += n + (list[n] == ':');
    }
    return false;
}

static const char *compiler(void)
{
    const char *cc = getenv("VYOMA_CC");
    return cc && *cc ? cc : "clang";
}

static int check_tools(const struct cli *c)
{
    static const char hint[] = "on Debian 12: apt-get install clang lld wasi-libc "
                               "libclang-rt-14-dev-wasm32";
    if (!in_path(compiler()))
        return cli_fail(c, CLI_NOT_FOUND, hint, "the compiler '%s' is not installed", compiler());
    if (!in_path("wasm-ld") && !in_path("wasm-ld-14"))
        return cli_fail(c, CLI_NOT_FOUND, hint, "the linker 'wasm-ld' is not installed");
    return CLI_OK;
}

static int run_command(const struct cli *c, struct command *cmd)
{
    int status;
    cmd->v[cmd->count] = NULL;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO); /* what a compiler says is no result of ours */
        execvp(cmd->v[0], cmd->v);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0)
        return cli_fail(c, CLI_FAILED, NULL, "%s could not be started: %s", cmd->v[0],
                        strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return CLI_OK;
    return cli_fail(c, CLI_FAILED, NULL, "%s failed; its messages are above", cmd->v[0]);
}

static void show_command(const struct command *cmd)
{
    for (size_t i = 0; i < cmd->count; i++)
        fprintf(stderr, "%s%s", i ? " " : "", cmd->v[i]);
    fputc('\n', stderr);
}

static bool up_to_date(const char *output, struct timespec newest)
{
    struct stat st;
    return stat(output, &st) == 0 && is_later(st.st_mtim, newest);
}

static int compile(const struct cli *c, const struct cli_build *b, const char *output)
{
    char sdk[CLI_PATH_MAX];
    struct command cmd = { .count = 0 };
    struct timespec newest = { 0, 0 };
    int code = cli_sdk_dir(c, sdk);
    push(&cmd, compiler());
    if (!code)
        code = push_flags(c, &cmd, sdk, b->debug);
    if (!code)
        code = push_sources(c, &cmd, b->dir, &newest);
    push(&cmd, "-o");
    push(&cmd, output);
    if (!code && cmd.full)
        code = cli_fail(c, CLI_FAILED, NULL, "%s: too many files for one command", b->dir);
    if (!code && !(b->if_older && up_to_date(output, newest))) {
        code = check_tools(c);
        if (!code && b->verbose)
            show_command(&cmd);
        if (!code)
            code = run_command(c, &cmd);
    }
    command_free(&cmd);
    return code;
}

int cli_build_app(const struct cli *c, const struct cli_build *b)
{
    char output[CLI_PATH_MAX];
    struct cli_manifest manifest;
    int code = cli_manifest_load(c, b->dir, &manifest);
    if (code)
        return code;
    struct stat st;
    if (b->output ? snprintf(output, sizeof output, "%s", b->output) >= CLI_PATH_MAX
                  : !cli_join(output, b->dir, (const char *)manifest.m.wasm.p))
        code = cli_fail(c, CLI_FAILED, NULL, "%s: the path is too long", b->dir);
    else
        code = compile(c, b, output);
    if (!code && stat(output, &st) != 0)
        code = cli_fail(c, CLI_FAILED, NULL, "%s: %s", output, strerror(errno));
    if (!code && !b->if_older) {
        if (c->json) {
            printf("{\"wasm\":");
            cli_put_json(span_of_cstr(output));
            printf(",\"bytes\":%lld}\n", (long long)st.st_size);
        } else if (!c->quiet) {
            printf("%s: %lld bytes\n", output, (long long)st.st_size);
        }
    }
    cli_manifest_free(&manifest);
    return code;
}

static const struct cli_option options[] = {
    { "--output", 'o', "FILE", "write the module there" },
    { "--debug", 'g', NULL, "keep the names of functions, for backtraces" },
    { "--verbose", 'v', NULL, "show the compiler's command line" },
    { NULL, 0, NULL, NULL },
};

static int run(struct cli *c)
{
    struct cli_build b = { .dir = NULL };
    int got;
    while ((got = cli_next(c)) > CLI_END) {
        switch (got) {
        case 'o': b.output = c->value; break;
        case 'g': b.debug = true; break;
        case 'v': b.verbose = true; break;
        default:
            if (b.dir)
                return cli_fail(c, CLI_USAGE, NULL, "one folder at a time: '%s' is too much",
                                c->value);
            b.dir = c->value;
        }
    }
    if (got != CLI_END)
        return cli_exit_of(got);
    b.dir = b.dir ? b.dir : ".";
    return cli_build_app(c, &b);
}

const struct cli_command cli_build_command = {
    .name = "build", .operands = "[DIR]", .options = options, .run = run,
    .summary = "compile an app's C files into its module",
    .details = "Compiles all *.c of DIR (default: here) with clang and wasi-libc into the file\n"
               "that `wasm` in vyoma.toml names. VYOMA_CC names another compiler.",
};
