/* vyoma new NAME: a folder with an app that builds and runs, from a template of the SDK.
 *
 * A template is an app named my-app, a folder of text files; that name in them becomes the
 * new one. */
#include "cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 * 1024 };

static const struct cli_option options[] = {
    { "--template", 't', "NAME", "hello (default), server, messages or files" },
    { "--dry-run", 'n', NULL, "say what would be made, make nothing" },
    { NULL, 0, NULL, NULL },
};

struct job {
    const char *dir;  /* as given, without slashes at its end */
    const char *name; /* its last part */
    const char *template;
    bool dry_run;
};

static int name_error(const struct cli *c, const char *name)
{
    static const char *const reserved[] = { "supervisor", "broadcast", "reply" };
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0)
            return cli_fail(c, CLI_USAGE, "the system has that name: choose another",
                            "'%s' cannot be an app's name", name);
    return cli_fail(c, CLI_USAGE, "use small letters, digits and '-', at most 32, such as my-app",
                    "'%s' cannot be an app's name", name);
}

/* Writes text with the name replaced. */
static int write_file(const struct cli *c, const char *path, const char *text, const char *name)
{
    static const char mark[] = "my-app";
    FILE *f = fopen(path, "wxe");
    if (!f)
        return cli_fail(c, cli_errno_exit(errno), NULL, "%s: %s", path, strerror(errno));
    for (const char *hit; (hit = strstr(text, mark)); text = hit + sizeof mark - 1) {
        fwrite(text, 1, (size_t)(hit - text), f);
        fputs(name, f);
    }
    fputs(text, f);
    bool bad = ferror(f);
    if (fclose(f) != 0 || bad)
        return cli_fail(c, CLI_FAILED, NULL, "%s: could not be written", path);
    return CLI_OK;
}

static int copy_file(const struct cli *c, const struct job *job, const char *from,
                     const char *file)
{
    char source[CLI_PATH_MAX], target[CLI_PATH_MAX];
    struct span text;
    if (!cli_join(source, from, file) || !cli_join(target, job->dir, file))
        return cli_fail(c, CLI_FAILED, NULL, "%s: the path is too long", job->dir);
    if (!c->json)
        printf("%s\n", target);
    if (job->dry_run)
        return CLI_OK;
    int code = cli_read_file(c, source, FILE_MAX, &text);
    if (code)
        return code;
    code = write_file(c, target, (const char *)text.p, job->name);
    free((void *)text.p);
    return code;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* Nothing is left of what could not be made whole. */
static void remove_copies(const struct job *job, struct dirent *const *list, int n)
{
    char path[CLI_PATH_MAX];
    for (int i = 0; i < n; i++)
        if (cli_join(path, job->dir, list[i]->d_name))
            unlink(path);
    rmdir(job->dir);
}

static int copy_template(const struct cli *c, const struct job *job, const char *from)
{
    struct dirent **list;
    int n = scandir(from, &list, visible, alphasort), code = CLI_OK;
    if (n < 0)
        return cli_fail(c, CLI_NOT_FOUND, "there are hello, server, messages and files",
                        "there is no template '%s'", job->template);
    if (!job->dry_run && mkdir(job->dir, 0777) != 0)
        code = errno == EEXIST
                   ? cli_fail(c, CLI_FAILED, "choose another name, or remove it first",
                              "%s exists already", job->dir)
                   : cli_fail(c, cli_errno_exit(errno), NULL, "%s: %s", job->dir,
                              strerror(errno));
    bool made = !job->dry_run && !code;
    int done = 0;
    for (; done < n && !code; done++)
        code = copy_file(c, job, from, list[done]->d_name);
    if (made && code)
        remove_copies(job, list, done);
    for (int i = 0; i < n; i++)
        free(list[i]);
    free(list);
    return code;
}

static int run(struct cli *c)
{
    struct job job = { .template = "hello" };
    char sdk[CLI_PATH_MAX], templates[CLI_PATH_MAX], from[CLI_PATH_MAX];
    int got;
    while ((got = cli_next(c)) > CLI_END) {
        switch (got) {
        case 't': job.template = c->value; break;
        case 'n': job.dry_run = true; break;
        default:
            if (job.dir)
                return cli_fail(c, CLI_USAGE, NULL, "one app at a time: '%s' is too much",
                                c->value);
            job.dir = c->value;
        }
    }
    if (got != CLI_END)
        return cli_exit_of(got);
    if (!job.dir)
        return cli_fail(c, CLI_USAGE, "vyoma new my-app", "what is the app's name?");
    char dir[CLI_PATH_MAX];
    size_t len = strlen(job.dir);
    while (len > 1 && job.dir[len - 1] == '/')
        len--;
    if (len >= sizeof dir)
        return cli_fail(c, CLI_USAGE, NULL, "the name is too long");
    memcpy(dir, job.dir, len);
    dir[len] = 0;
    job.dir = dir;
    const char *slash = strrchr(job.dir, '/');
    job.name = slash ? slash + 1 : job.dir;
    if (!manifest_name_valid(span_of_cstr(job.name)))
        return name_error(c, job.name);
    int code = cli_sdk_dir(c, sdk);
    if (code)
        return code;
    if (strchr(job.template, '/') || job.template[0] == '.' || !job.template[0] ||
        !cli_join(templates, sdk, "templates") || !cli_join(from, templates, job.template))
        return cli_fail(c, CLI_NOT_FOUND, "there are hello, server, messages and files",
                        "there is no template '%s'", job.template);
    code = copy_template(c, &job, from);
    if (code)
        return code;
    if (c->json) {
        printf("{\"dir\":");
        cli_put_json(span_of_cstr(job.dir));
        printf("}\n");
    }
    const char *quote = strpbrk(job.dir, " \t\n\"$&();<>|*?[]{}~#!\\`") ? "'" : "";
    cli_note(c, "next: vyoma build %s%s%s && vyoma run %s%s%s", quote, job.dir, quote, quote,
             job.dir, quote);
    return CLI_OK;
}

const struct cli_command cli_new = {
    .name = "new", .operands = "NAME", .options = options, .run = run,
    .summary = "make a folder with an app to begin with",
    .details = "NAME may be a path; its last part is the app's name.",
};
