/* vyoma bridge: connections for apps in a page. The work is done by vyoma-bridge, which is
 * installed beside this program. */
#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIRS_MAX = 8, PORT_DEFAULT = 9080 };

struct bridge {
    struct cli *c;
    const char *address;
    unsigned port;
    const char *dirs[DIRS_MAX + 1];
    size_t dir_count;
};

static const struct cli_option options[] = {
    { "--apps", 'a', "DIR", "folder of apps, whose manifests say who may connect where" },
    { "--port", 'p', "N", "listen on port N; 0: any that is free (9080)" },
    { "--listen", 'l', "ADDRESS", "on this numeric address (127.0.0.1)" },
    { NULL, 0, NULL, NULL },
};

static int take_port(struct bridge *b)
{
    char *end;
    errno = 0;
    unsigned long v = strtoul(b->c->value, &end, 10);
    if (b->c->value[0] < '0' || b->c->value[0] > '9' || *end || errno || v > UINT16_MAX)
        return cli_fail(b->c, CLI_USAGE, NULL, "--port: '%s' is not a number from 0 to 65535",
                        b->c->value);
    b->port = (unsigned)v;
    return CLI_OK;
}

static int take_dir(struct bridge *b)
{
    if (!cli_is_dir(b->c->value))
        return cli_fail(b->c, CLI_NOT_FOUND, NULL, "--apps %s: no such folder", b->c->value);
    if (b->dir_count == DIRS_MAX)
        return cli_fail(b->c, CLI_USAGE, NULL, "apps from more than %d folders", DIRS_MAX);
    b->dirs[b->dir_count++] = b->c->value;
    return CLI_OK;
}

static int take_option(struct bridge *b, int id)
{
    switch (id) {
    case 'a': return take_dir(b);
    case 'p': return take_port(b);
    case 'l': b->address = b->c->value; return CLI_OK;
    default: return cli_fail(b->c, CLI_USAGE, NULL, "'%s' is one too many", b->c->value);
    }
}

/* Beside this program, wherever that is. */
static bool find_program(char path[CLI_PATH_MAX])
{
    char self[CLI_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    if (!slash)
        return false;
    slash[1] = 0;
    return cli_join(path, self, "vyoma-bridge") && cli_exists(path);
}

/* Does not come back when it works. */
static int execute(struct bridge *b)
{
    char path[CLI_PATH_MAX], port[16], form[] = "text", json[] = "json", name[] = "vyoma-bridge";
    enum { FIXED = 4 };
    char *argv[FIXED + DIRS_MAX + 1] = { name, (char *)(uintptr_t)b->address, port,
                                         b->c->json ? json : form };
    if (!find_program(path))
        return cli_fail(b->c, CLI_NOT_FOUND, "`make install` puts it there",
                        "vyoma-bridge is not beside this program");
    snprintf(port, sizeof port, "%u", b->port);
    for (size_t i = 0; i < b->dir_count; i++)
        argv[FIXED + i] = (char *)(uintptr_t)b->dirs[i];
    execv(path, argv);
    return cli_fail(b->c, CLI_FAILED, NULL, "%s: %s", path, strerror(errno));
}

static int run(struct cli *c)
{
    struct bridge b = { .c = c, .address = "127.0.0.1", .port = PORT_DEFAULT };
    int got, code;
    while ((got = cli_next(c)) > CLI_END) {
        code = take_option(&b, got);
        if (code)
            return code;
    }
    if (got != CLI_END)
        return cli_exit_of(got);
    if (!b.dir_count)
        return cli_fail(c, CLI_USAGE, "vyoma bridge --apps out/apps", "whose apps?");
    return execute(&b);
}

const struct cli_command cli_bridge = {
    .name = "bridge", .options = options, .run = run,
    .summary = "give apps in a page the connections that their manifests list",
    .details = "A page can open no connection but to a WebSocket. The bridge is one, and connects\n"
               "on behalf of the apps in its folders, where network.connect of their manifests says\n"
               "so. It prints an address with a key, which the page must be given.",
};
