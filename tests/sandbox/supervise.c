/* Runs the supervisor for the tests of the sandbox: like `vyoma run`, plus the options that
 * the command does not have (a native program in the worker's place).
 *
 * usage: supervise [--native PROGRAM] [--no-filter] [--worker PROGRAM] [--apps DIR]
 *                  [--app FOLDER] [--boot FILE] [--data DIR] [--audit FILE] [--foreground]
 *                  [--arg ARGUMENT]... [--grant WHAT]... [--deny WHAT]... [NAME...] */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts/linux/supervisor.h"

static char boot_text[512 * 1024];

struct lists {
    const char *args[SUPERVISOR_LIST_MAX], *grants[SUPERVISOR_LIST_MAX],
        *denies[SUPERVISOR_LIST_MAX];
};

static int read_boot(const char *path, struct supervisor_options *o)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, boot_text, sizeof boot_text) : -1;
    if (n < 0)
        return -1;
    close(fd);
    o->boot_toml = span_of(boot_text, (size_t)n);
    return 0;
}

/* One option with its value. */
static int take(struct supervisor_options *o, struct lists *l, const char *name, const char *value)
{
    if (strcmp(name, "--native") == 0)
        o->test_native_worker = value;
    else if (strcmp(name, "--worker") == 0)
        o->worker_path = value;
    else if (strcmp(name, "--apps") == 0 && o->apps_dirs_count < SUPERVISOR_DIRS_MAX)
        o->apps_dirs[o->apps_dirs_count++] = value;
    else if (strcmp(name, "--app") == 0)
        o->app_folder = value;
    else if (strcmp(name, "--data") == 0)
        o->data_root = value;
    else if (strcmp(name, "--audit") == 0)
        o->audit_path = value;
    else if (strcmp(name, "--arg") == 0 && o->args_count < SUPERVISOR_LIST_MAX)
        l->args[o->args_count++] = value;
    else if (strcmp(name, "--grant") == 0 && o->grants_count < SUPERVISOR_LIST_MAX)
        l->grants[o->grants_count++] = value;
    else if (strcmp(name, "--deny") == 0 && o->denies_count < SUPERVISOR_LIST_MAX)
        l->denies[o->denies_count++] = value;
    else if (strcmp(name, "--boot") != 0 || read_boot(value, o) < 0)
        return -1;
    return 0;
}

int main(int argc, char **argv)
{
    static struct lists lists;
    struct supervisor_options o;
    int i = 1;
    supervisor_options_init(&o);
    o.args = lists.args;
    o.grants = lists.grants;
    o.denies = lists.denies;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--foreground") == 0)
            o.foreground = true;
        else if (strcmp(argv[i], "--no-filter") == 0)
            o.test_no_filter = true;
        else if (i + 1 >= argc || take(&o, &lists, argv[i], argv[i + 1]) < 0) {
            fprintf(stderr, "supervise: %s\n", argv[i]);
            return 64;
        } else {
            i++;
        }
    }
    o.start = (const char *const *)&argv[i];
    o.start_count = (size_t)(argc - i);
    return supervisor_run(&o);
}
