/* vyoma hash FILE...: SHA-256, as `wasm_sha256` in vyoma.toml wants it. */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

#include "trust/sha256.h"

static int hash_file(const struct cli *c, const char *path)
{
    uint8_t hash[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    struct strbuf b;
    struct span bytes;
    int code = cli_read_file(c, path, CLI_MODULE_MAX, &bytes);
    if (code)
        return code;
    sha256_of(bytes, hash);
    size_t size = bytes.len;
    free((void *)bytes.p);
    strbuf_init(&b, text, sizeof text - 1);
    strbuf_hex_bytes(&b, span_of(hash, sizeof hash));
    text[b.len] = 0;
    if (c->json) {
        printf("{\"file\":");
        cli_put_json(span_of_cstr(path));
        printf(",\"sha256\":\"%s\",\"bytes\":%zu}\n", text, size);
    } else {
        printf("%s  %s\n", text, path);
    }
    return CLI_OK;
}

static int run(struct cli *c)
{
    int got, code = CLI_OK, count = 0;
    while ((got = cli_next(c)) == CLI_OPERAND) {
        int one = hash_file(c, c->value);
        code = code ? code : one;
        count++;
    }
    if (got != CLI_END)
        return cli_exit_of(got);
    return count ? code : cli_fail(c, CLI_USAGE, "vyoma hash app.wasm", "which file?");
}

const struct cli_command cli_hash = {
    .name = "hash", .operands = "FILE...", .run = run,
    .summary = "print the SHA-256 of files, one a line",
    .details = "The hash of a module is what wasm_sha256 in [app] of vyoma.toml pins, and what\n"
               "the audit log shows when the app starts.",
};
