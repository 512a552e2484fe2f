/* vyoma COMMAND ...: finds the command and runs it. One command is one file. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

#include "hosts/linux/supervisor.h"

const struct cli_command *const cli_commands[] = {
    &cli_new, &cli_build_command, &cli_run, &cli_check, &cli_inspect, &cli_hash, &cli_bridge,
    &cli_sdk, &cli_version, &cli_help, NULL,
};

const struct cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

static int unknown(struct cli *c, const char *name)
{
    const char *names[16];
    char hint[96] = "vyoma help lists the commands";
    size_t n = 0;
    for (; cli_commands[n]; n++)
        names[n] = cli_commands[n]->name;
    const char *near = cli_nearest(name, names, n);
    if (name[0] == '-')
        snprintf(hint, sizeof hint, "options stand behind the command");
    else if (near)
        snprintf(hint, sizeof hint, "did you mean 'vyoma %s'?", near);
    return cli_fail(c, CLI_USAGE, hint, "there is no command '%s'", name);
}

int main(int argc, char **argv)
{
    supervisor_keep_standard_streams();
    struct cli c = { .argv = argv + 2, .argc = argc > 2 ? argc - 2 : 0 };
    const char *name = argc > 1 ? argv[1] : NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        c.json |= strcmp(argv[i], "--json") == 0; /* so that every error is JSON too */
    if (!name)
        return cli_fail(&c, CLI_USAGE, "vyoma help lists the commands", "which command?");
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        name = "version";
    c.command = cli_command_find(name);
    if (!c.command)
        return unknown(&c, name);
    int code = c.command->run(&c);
    if (fflush(stdout) || ferror(stdout))
        return cli_fail(&c, CLI_FAILED, NULL, "the output could not be written");
    return code;
}
