/* vyoma help, version, sdk: about the command itself. */
#include "cli.h"

#include <stdio.h>

static int run_help(struct cli *c)
{
    int got = cli_next(c);
    if (got == CLI_OPERAND) {
        const struct cli_command *command = cli_command_find(c->value);
        if (!command)
            return cli_fail(c, CLI_USAGE, "vyoma help lists the commands",
                            "there is no command '%s'", c->value);
        cli_command_help(command);
        return CLI_OK;
    }
    if (got != CLI_END)
        return cli_exit_of(got);
    printf("usage: vyoma COMMAND ...\n\nMakes and runs Vyoma apps on this machine.\n\n");
    for (size_t i = 0; cli_commands[i]; i++)
        printf("  %-8s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    printf("\nvyoma COMMAND --help says more. The manual is vyoma(1).\n");
    return CLI_OK;
}

const struct cli_command cli_help = {
    .name = "help", .operands = "[COMMAND]", .run = run_help,
    .summary = "list the commands, or explain one",
};

static int run_version(struct cli *c)
{
    int got = cli_next(c);
    if (got == CLI_OPERAND)
        return cli_fail(c, CLI_USAGE, NULL, "vyoma version takes no argument");
    if (got != CLI_END)
        return cli_exit_of(got);
    if (c->json)
        printf("{\"version\":\"%s\",\"manifest_version\":%d}\n", CLI_VERSION,
               MANIFEST_VERSION_NOW);
    else
        printf("vyoma %s\n", CLI_VERSION);
    return CLI_OK;
}

const struct cli_command cli_version = {
    .name = "version", .operands = "", .run = run_version,
    .summary = "print the version",
};

static int run_sdk(struct cli *c)
{
    char dir[CLI_PATH_MAX];
    int got = cli_next(c);
    if (got == CLI_OPERAND)
        return cli_fail(c, CLI_USAGE, NULL, "vyoma sdk takes no argument");
    if (got != CLI_END)
        return cli_exit_of(got);
    int code = cli_sdk_dir(c, dir);
    if (code)
        return code;
    if (c->json) {
        printf("{\"sdk\":");
        cli_put_json(span_of_cstr(dir));
        printf("}\n");
    } else {
        printf("%s\n", dir);
    }
    return CLI_OK;
}

const struct cli_command cli_sdk = {
    .name = "sdk", .operands = "", .run = run_sdk,
    .summary = "print the folder of headers, build rules and templates",
    .details = "A Makefile of an app begins with: include $(shell vyoma sdk)/app.mk",
};
