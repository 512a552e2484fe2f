#include "cli.h"

#include <stdio.h>
#include <string.h>

static const struct cli_option common[] = {
    { "--json", 0, NULL, "for programs: JSON on stdout, errors as {code, message, hint}" },
    { "--quiet", 'q', NULL, "no progress, only results and errors" },
    { "--help", 'h', NULL, "this text" },
    { NULL, 0, NULL, NULL },
};

static const struct cli_option *find(const struct cli_option *list, const char *arg, size_t len)
{
    for (; list && list->name; list++) {
        bool is_long = strlen(list->name) == len && memcmp(list->name, arg, len) == 0;
        if (is_long || (list->id && len == 2 && arg[0] == '-' && arg[1] == list->id))
            return list;
    }
    return NULL;
}

static int unknown(const struct cli *c, const char *arg)
{
    const char *names[32];
    char hint[160];
    size_t n = 0;
    const struct cli_option *lists[] = { c->command->options, common };
    for (size_t l = 0; l < 2; l++)
        for (const struct cli_option *o = lists[l]; o && o->name && n < 32; o++)
            names[n++] = o->name;
    const char *near = cli_nearest(arg, names, n);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    else
        snprintf(hint, sizeof hint, "vyoma %s --help lists the options", c->command->name);
    cli_fail(c, CLI_USAGE, hint, "unknown option '%s'", arg);
    return CLI_BAD;
}

static int with_value(struct cli *c, const struct cli_option *o, const char *equals)
{
    char hint[128];
    snprintf(hint, sizeof hint, "write %s %s", o->name, o->value ? o->value : "alone");
    c->value = NULL;
    if (!o->value && equals) {
        cli_fail(c, CLI_USAGE, hint, "%s takes no value", o->name);
        return CLI_BAD;
    }
    if (o->value && !equals && c->at == c->argc) {
        cli_fail(c, CLI_USAGE, hint, "%s needs a value", o->name);
        return CLI_BAD;
    }
    if (o->value)
        c->value = equals ? equals + 1 : c->argv[c->at++];
    return o->id;
}

static bool take_common(struct cli *c, const struct cli_option *o)
{
    c->json |= o == &common[0];
    c->quiet |= o == &common[1];
    if (o == &common[2])
        cli_command_help(c->command);
    return o != &common[2];
}

int cli_next(struct cli *c)
{
    while (c->at < c->argc) {
        const char *arg = c->argv[c->at];
        if (!c->operands_only && strcmp(arg, "--") == 0) {
            if (c->command->takes_rest)
                return CLI_END;
            c->operands_only = true;
            c->at++;
            continue;
        }
        c->at++;
        if (c->operands_only || arg[0] != '-' || !arg[1]) {
            c->value = arg;
            return CLI_OPERAND;
        }
        const char *equals = arg[1] == '-' ? strchr(arg, '=') : NULL;
        size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
        const struct cli_option *o = find(c->command->options, arg, len);
        if (o)
            return with_value(c, o, equals);
        o = find(common, arg, len);
        if (!o || equals)
            return unknown(c, arg);
        if (!take_common(c, o))
            return CLI_HELPED;
    }
    return CLI_END;
}

bool cli_one_operand(struct cli *c, const char *otherwise, const char **ret, int *ret_exit)
{
    int got;
    *ret = NULL;
    while ((got = cli_next(c)) == CLI_OPERAND) {
        if (*ret) {
            *ret_exit = cli_fail(c, CLI_USAGE, NULL, "one is enough: '%s' is too much", c->value);
            return false;
        }
        *ret = c->value;
    }
    if (got != CLI_END) {
        *ret_exit = cli_exit_of(got);
        return false;
    }
    *ret = *ret ? *ret : otherwise;
    if (!*ret)
        *ret_exit = cli_fail(c, CLI_USAGE, NULL, "vyoma %s %s: the argument is missing",
                             c->command->name, c->command->operands);
    return *ret != NULL;
}

static void help_options(const struct cli_option *o)
{
    for (; o && o->name; o++) {
        char left[40];
        snprintf(left, sizeof left, "%s%s%s", o->name, o->value ? " " : "",
                 o->value ? o->value : "");
        if (o->id && o->id > ' ')
            printf("  -%c, %-22s %s\n", o->id, left, o->help);
        else
            printf("      %-22s %s\n", left, o->help);
    }
}

void cli_command_help(const struct cli_command *command)
{
    printf("usage: vyoma %s %s%s%s\n\n%s\n", command->name, command->options ? "[options] " : "",
           command->operands, "", command->summary);
    if (command->details)
        printf("\n%s\n", command->details);
    printf("\noptions:\n");
    help_options(command->options);
    help_options(common);
}
