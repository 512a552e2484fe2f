/* A module file, decoded and validated by the engine that would run it. */
#ifndef CLI_MODULE_H
#define CLI_MODULE_H

#include "cli.h"
#include "engine/engine.h"

struct cli_module {
    struct span bytes;
    struct eng_module *module;
};

/* 0 or an exit code, after the error was shown. */
int cli_module_load(const struct cli *c, const char *path, struct cli_module *ret);
void cli_module_free(struct cli_module *m);

/* "func (i32, i32) -> (i32)", "memory 1..16", ... */
void cli_extern_write(struct strbuf *b, const struct eng_extern_type *type);

#endif
