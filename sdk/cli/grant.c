/* What `vyoma run` is told to change in a manifest, judged before anything starts: by the
 * manifest's own reader, so that each is refused for the reason that the file would be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "cli.h"

enum { LINES_MAX = 8 * MANIFEST_ARG_BYTES_MAX };

/* Would a manifest with these lines be accepted? */
static int try_lines(const struct cli *c, const char *option, struct strbuf *lines)
{
    struct arena scratch, keep;
    struct format_error err;
    struct manifest m;
    if (lines->overflow)
        return cli_fail(c, CLI_USAGE, NULL, "%s is too long", option);
    uint8_t *memory = malloc(MANIFEST_KEEP_BYTES + MANIFEST_SCRATCH_BYTES);
    if (!memory)
        return cli_fail(c, CLI_FAILED, NULL, "out of memory");
    arena_init(&keep, memory, MANIFEST_KEEP_BYTES);
    arena_init(&scratch, memory + MANIFEST_KEEP_BYTES, MANIFEST_SCRATCH_BYTES);
    int r = manifest_parse(strbuf_done(lines), &scratch, &keep, &m, &err);
    int code = r < 0 ? cli_fail(c, CLI_USAGE, err.hint, "%s: %s", option, err.message) : CLI_OK;
    free(memory);
    return code;
}

static void begin(struct strbuf *b, char *memory, const char *table)
{
    strbuf_init(b, memory, LINES_MAX);
    strbuf_cstr(b, "[app]\nname = \"a\"\nversion = \"1\"\nwasm = \"a\"\n[");
    strbuf_cstr(b, table);
    strbuf_cstr(b, "]\n");
}

/* network.ports=N and the like: `key` of `table`, a number or a string. */
static int check_listed(const struct cli *c, const char *table, const char *key, bool is_number,
                        const char *value)
{
    char memory[LINES_MAX], option[64];
    struct strbuf b;
    snprintf(option, sizeof option, "--grant %s.%s", strchr(table, '.') + 1, key);
    if (is_number && (!*value || value[strspn(value, "0123456789")] || value[0] == '0'))
        return cli_fail(c, CLI_USAGE, NULL, "%s: '%s' is no number from 1 to 65535", option, value);
    if (strpbrk(value, "\"\\") || !utf8_valid(span_of_cstr(value)))
        return cli_fail(c, CLI_USAGE, NULL, "%s: '%s' is no name", option, value);
    begin(&b, memory, table);
    strbuf_cstr(&b, key);
    strbuf_cstr(&b, " = [");
    if (is_number)
        strbuf_cstr(&b, value);
    else
        strbuf_json(&b, span_of_cstr(value));
    strbuf_cstr(&b, "]\n");
    return try_lines(c, option, &b);
}

int cli_check_capability(const struct cli *c, const char *what, bool lists)
{
    static const char ports[] = "network.ports=", connect[] = "network.connect=",
                      send[] = "ipc.send=";
    const char *names[MANIFEST_CAP_COUNT];
    char hint[160];
    if (lists && strncmp(what, ports, sizeof ports - 1) == 0)
        return check_listed(c, "capabilities.network", "ports", true, what + sizeof ports - 1);
    if (lists && strncmp(what, connect, sizeof connect - 1) == 0)
        return check_listed(c, "capabilities.network", "connect", false,
                            what + sizeof connect - 1);
    if (lists && strncmp(what, send, sizeof send - 1) == 0)
        return check_listed(c, "capabilities.ipc", "send", false, what + sizeof send - 1);
    for (int i = 0; i < MANIFEST_CAP_COUNT; i++) {
        names[i] = manifest_cap_name(i);
        if (strcmp(what, names[i]) == 0)
            return CLI_OK;
    }
    const char *near = cli_nearest(what, names, MANIFEST_CAP_COUNT);
    if (near)
        snprintf(hint, sizeof hint, "did you mean '%s'?", near);
    else
        snprintf(hint, sizeof hint, "a key of [capabilities]%s",
                 lists ? ", or network.ports=N, network.connect=HOST:PORT, ipc.send=APP" : "");
    return cli_fail(c, CLI_USAGE, hint, "there is no capability '%s'", what);
}

int cli_check_env(const struct cli *c, const char *entry)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    char memory[LINES_MAX];
    struct strbuf b;
    const char *equals = strchr(entry, '=');
    if (!equals)
        return cli_fail(c, CLI_USAGE, "write --env NAME=VALUE", "--env %s has no '='", entry);
    size_t len = (size_t)(equals - entry);
    if (!len || strspn(entry, letters) != len)
        return cli_fail(c, CLI_USAGE, "a name has letters, digits and '_'",
                        "--env: '%.*s' is no name for a variable", (int)len, entry);
    if (!utf8_valid(span_of_cstr(equals + 1)))
        return cli_fail(c, CLI_USAGE, NULL, "--env %.*s: the value is not UTF-8", (int)len, entry);
    begin(&b, memory, "env");
    strbuf_span(&b, span_of(entry, len));
    strbuf_cstr(&b, " = ");
    strbuf_json(&b, span_of_cstr(equals + 1));
    strbuf_char(&b, '\n');
    return try_lines(c, "--env", &b);
}

int cli_check_arguments(const struct cli *c, const char *const *args, size_t count)
{
    if (count > MANIFEST_ARGS_MAX)
        return cli_fail(c, CLI_USAGE, NULL, "more than %d arguments for the app",
                        MANIFEST_ARGS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (strlen(args[i]) > MANIFEST_ARG_BYTES_MAX)
            return cli_fail(c, CLI_USAGE, NULL, "argument %zu for the app is longer than %d bytes",
                            i + 1, MANIFEST_ARG_BYTES_MAX);
        if (!utf8_valid(span_of_cstr(args[i])))
            return cli_fail(c, CLI_USAGE, NULL, "argument %zu for the app is not UTF-8", i + 1);
    }
    return CLI_OK;
}
