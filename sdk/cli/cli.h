/* What the commands of `vyoma` share: options, errors, files.
 *
 * What a person or a program reads: data on stdout, everything else on stderr. Exit codes
 * are enum cli_exit, the same for every command. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/strbuf.h"
#include "formats/manifest.h"

#define CLI_VERSION "0.1.0"

enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_UNREACHABLE = 2, /* the system could not be reached */
    CLI_NOT_FOUND = 3,
    CLI_TIMED_OUT = 4,
    CLI_DENIED = 5,
    CLI_REFUSED = 6, /* signature or hash */
    CLI_USAGE = 64,
};

enum { CLI_PATH_MAX = 4096, CLI_MODULE_MAX = 64 * 1024 * 1024 };

/* --- commands and their options ---------------------------------------------------- */

struct cli_option {
    const char *name;  /* "--grant" */
    char id;           /* what cli_next() returns; a letter is also the short form */
    const char *value; /* what it takes, for the help ("CAP"), or NULL */
    const char *help;
};

struct cli;

struct cli_command {
    const char *name;
    const char *operands; /* "[DIR]" */
    const char *summary;  /* one line */
    const char *details;  /* more lines for --help, or NULL */
    const struct cli_option *options; /* own ones, ended by a NULL name; or NULL */
    bool takes_rest; /* what stands behind "--" is not for cli_next() */
    int (*run)(struct cli *c);
};

/* One invocation. */
struct cli {
    const struct cli_command *command;
    char **argv; /* what follows the command's name */
    int argc, at;
    bool operands_only; /* behind "--" */
    bool json, quiet;
    const char *value; /* of the option or operand that cli_next() returned */
};

enum { CLI_END = 0, CLI_OPERAND = 1, CLI_BAD = -1, CLI_HELPED = -2 };

/* The next argument: an option's id, CLI_OPERAND, CLI_END; CLI_BAD after an error was shown
 * (exit CLI_USAGE), CLI_HELPED after the help was (exit 0). Takes --json, --quiet and --help
 * itself. Behind "--" all are operands; a command that takes_rest gets CLI_END in front of it. */
int cli_next(struct cli *c);
static inline int cli_exit_of(int end) { return end == CLI_HELPED ? CLI_OK : CLI_USAGE; }
/* The only operand, or `otherwise`, for commands without options of their own. False: *ret_exit
 * says how to end. */
bool cli_one_operand(struct cli *c, const char *otherwise, const char **ret, int *ret_exit);

extern const struct cli_command *const cli_commands[]; /* ended by NULL */
const struct cli_command *cli_command_find(const char *name);
void cli_command_help(const struct cli_command *command);

/* --- telling ------------------------------------------------------------------------- */

/* Shows an error on stderr (with --json as one object {code, message, hint}) and returns
 * `code`. hint: what would help, or NULL. */
int cli_fail(const struct cli *c, int code, const char *hint, const char *pattern, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a reader's error; file: as the person named it. */
struct format_error;
int cli_fail_format(const struct cli *c, const char *file, const struct format_error *err);
/* The exit code for an error number of the system's. */
int cli_errno_exit(int err);
/* Progress: on stderr, unless --quiet or --json. */
void cli_note(const struct cli *c, const char *pattern, ...) __attribute__((format(printf, 2, 3)));
/* The nearest of `count` words to a misspelt one, or NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *words, size_t count);
/* Prints a JSON string with its quotes to stdout. */
void cli_put_json(struct span s);

/* --- files ---------------------------------------------------------------------------- */

/* The whole file, NUL behind it; free() ret->p. 0 or an exit code, after the error was shown. */
int cli_read_file(const struct cli *c, const char *path, size_t max, struct span *ret);
/* dir + "/" + name. False: too long. */
bool cli_join(char out[CLI_PATH_MAX], const char *dir, const char *name);
bool cli_is_dir(const char *path);
bool cli_exists(const char *path);

/* A manifest and the memory that it lives in. */
struct cli_manifest {
    struct manifest m;
    char path[CLI_PATH_MAX];
    void *memory;
    struct span text;
};
/* Reads DIR/vyoma.toml. 0 or an exit code, after the error was shown. */
int cli_manifest_load(const struct cli *c, const char *dir, struct cli_manifest *ret);
void cli_manifest_free(struct cli_manifest *m);

/* The SDK: the folder with app.flags, include/ and templates/. $VYOMA_SDK, else what was
 * installed with this program, else the checkout that it was built in. */
int cli_sdk_dir(const struct cli *c, char ret[CLI_PATH_MAX]);

/* Compiles the C files of dir into the module that its manifest names. 0 or an exit code.
 * `if_older`: only when a source is newer than the module. debug: keeps functions' names. */
struct cli_build {
    const char *dir;
    const char *output; /* NULL: what the manifest says, in dir */
    bool debug, verbose, if_older;
};
int cli_build_app(const struct cli *c, const struct cli_build *b);

/* What would change a manifest: 0, or CLI_USAGE after the error was shown. A capability is a key
 * of [capabilities]; with lists also network.ports=N, network.connect=HOST:PORT, ipc.send=APP. */
int cli_check_capability(const struct cli *c, const char *what, bool lists);
int cli_check_env(const struct cli *c, const char *entry); /* NAME=VALUE */
int cli_check_arguments(const struct cli *c, const char *const *args, size_t count);

extern const struct cli_command cli_new, cli_build_command, cli_run, cli_check, cli_inspect,
    cli_hash, cli_bridge, cli_sdk, cli_version, cli_help;

#endif
