/* vyoma check: the manifest against the module. Which capability each import needs, which are
 * missing, which are declared and not used. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/worker.h"
#include "module.h"
#include "wasi/caps.h"

static const struct {
    uint32_t cap; /* enum wasi_cap */
    int power;    /* what the manifest says for it */
    const char *name;
} caps[] = {
    { WASI_CAP_STDIO, MANIFEST_CAP_STDIO, "stdio" },
    { WASI_CAP_FILESYSTEM, MANIFEST_CAP_FILESYSTEM, "filesystem" },
    { WASI_CAP_LISTEN, MANIFEST_POWER_LISTEN, "network.ports" },
    { WASI_CAP_CONNECT, MANIFEST_POWER_CONNECT, "network.connect" },
    { WASI_CAP_IPC, MANIFEST_CAP_IPC, "ipc" },
};

struct checker {
    const struct cli *c;
    const struct manifest *m; /* NULL: no manifest, imports are only listed */
    uint32_t granted, used;   /* enum wasi_cap bits */
    uint32_t missing, unknown;
    uint32_t shown_hints;
    struct strbuf hints; /* a line each, for text; JSON strings behind one another, for JSON */
};

enum import_state { IMPORT_ALWAYS, IMPORT_GRANTED, IMPORT_MISSING, IMPORT_UNKNOWN };

static const char *state_name(enum import_state s)
{
    static const char *const names[] = { "always", "granted", "missing", "unknown" };
    return names[s];
}

static void add_hint(struct checker *k, struct span text)
{
    if (k->c->json) {
        strbuf_char(&k->hints, k->hints.len ? ',' : ' ');
        strbuf_json(&k->hints, text);
    } else {
        strbuf_cstr(&k->hints, "hint: ");
        strbuf_span(&k->hints, text);
        strbuf_char(&k->hints, '\n');
    }
}

/* What to change so that the first capability of any_of is there; once each. */
static void hint_for(struct checker *k, uint32_t any_of)
{
    char text[512];
    struct strbuf b;
    for (size_t i = 0; i < base_countof(caps); i++) {
        if (!(any_of & caps[i].cap))
            continue;
        if (k->shown_hints & caps[i].cap)
            return;
        k->shown_hints |= caps[i].cap;
        strbuf_init(&b, text, sizeof text);
        struct span value = caps[i].cap == WASI_CAP_LISTEN    ? SPAN_LIT("8080")
                            : caps[i].cap == WASI_CAP_CONNECT ? SPAN_LIT("example.org:443")
                                                              : SPAN_NONE;
        manifest_hint_write(&b, k->m, caps[i].power, value);
        add_hint(k, strbuf_done(&b));
        return;
    }
}

static enum import_state judge(struct checker *k, const struct eng_import *import,
                               struct wasi_need *need)
{
    *need = (struct wasi_need){ 0, NULL, NULL };
    if (import->type.kind != ENG_EXTERN_FUNC ||
        wasi_capability_of(import->module, import->name, need) < 0) {
        k->unknown++;
        return IMPORT_UNKNOWN;
    }
    if (!need->any_of)
        return IMPORT_ALWAYS;
    if (!(need->any_of & WASI_CAP_STDIO))
        k->used |= need->any_of; /* what comes with stdio proves nothing of the others */
    if (!k->m || need->any_of & k->granted)
        return IMPORT_GRANTED;
    k->missing++;
    hint_for(k, need->any_of);
    return IMPORT_MISSING;
}

static void show_import(const struct checker *k, uint32_t i, const struct eng_import *import,
                        const struct wasi_need *need, enum import_state state)
{
    const char *key = need->key ? need->key : state == IMPORT_UNKNOWN ? "?" : "-";
    if (k->c->json) {
        printf("%s{\"module\":", i ? "," : "");
        cli_put_json(import->module);
        printf(",\"name\":");
        cli_put_json(import->name);
        printf(",\"needs\":");
        if (need->key)
            cli_put_json(span_of_cstr(need->key));
        else
            printf("null");
        if (k->m || state == IMPORT_UNKNOWN)
            printf(",\"state\":\"%s\"", state_name(state));
        printf("}");
        return;
    }
    char text[256];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text - 1);
    strbuf_printable(&b, import->module);
    strbuf_char(&b, '.');
    strbuf_printable(&b, import->name);
    text[b.len] = 0;
    const char *shown = k->m || state == IMPORT_UNKNOWN ? state_name(state) : "";
    printf("  %-48s %-16s%s%s\n", text, key, *shown ? " " : "", shown);
}

/* Declared, and nothing in the module could use it. A declared ipc is used by an app that
 * speaks lines; stdio by any fd_* function. */
static uint32_t unused_caps(const struct checker *k)
{
    uint32_t used = k->used | WASI_CAP_STDIO;
    if (k->m->lines)
        used |= WASI_CAP_IPC;
    return k->granted & ~used;
}

static void show_unused(const struct checker *k, uint32_t unused)
{
    uint32_t n = 0;
    for (size_t i = 0; i < base_countof(caps); i++) {
        if (!(unused & caps[i].cap))
            continue;
        if (k->c->json)
            printf("%s\"%s\"", n++ ? "," : "", caps[i].name);
        else
            printf("  %-48s %-16s declared, never used\n", "", caps[i].name);
    }
}

static void show_imports(struct checker *k, const struct eng_module *module)
{
    uint32_t count = eng_module_import_count(module);
    for (uint32_t i = 0; i < count; i++) {
        struct eng_import import;
        struct wasi_need need;
        eng_module_import(module, i, &import);
        enum import_state state = judge(k, &import, &need);
        show_import(k, i, &import, &need, state);
    }
}

static int verdict(const struct checker *k, const char *wasm)
{
    if (k->unknown) {
        fwrite(k->hints.p, 1, k->hints.len, stderr);
        return cli_fail(k->c, CLI_FAILED,
                        "apps import from wasi_snapshot_preview1 and vyoma; docs/app-abi.md",
                        "%s: %u import%s that this system does not have", wasm, k->unknown,
                        k->unknown == 1 ? "" : "s");
    }
    if (!k->missing)
        return CLI_OK;
    fflush(stdout);
    fprintf(stderr, "vyoma: error: %s: %u import%s what the manifest does not grant\n", wasm,
            k->missing, k->missing == 1 ? " needs" : "s need");
    fwrite(k->hints.p, 1, k->hints.len, stderr);
    return CLI_FAILED;
}

static int check_module(struct checker *k, const char *wasm)
{
    static char hints[4096];
    struct cli_module module;
    int code = cli_module_load(k->c, wasm, &module);
    if (code)
        return code;
    strbuf_init(&k->hints, hints, sizeof hints);
    if (k->c->json) {
        printf("\"wasm\":");
        cli_put_json(span_of_cstr(wasm));
        printf(",\"imports\":[");
    } else {
        printf("%s: %zu bytes\n", wasm, module.bytes.len);
    }
    show_imports(k, module.module);
    uint32_t unused = k->m ? unused_caps(k) : 0;
    if (k->c->json)
        printf("],\"unused\":[");
    show_unused(k, unused);
    if (k->c->json) {
        bool ok = !k->missing && !k->unknown;
        printf("],\"hints\":[%.*s ],\"ok\":%s}\n", (int)k->hints.len, hints,
               ok ? "true" : "false");
        code = ok ? CLI_OK : CLI_FAILED;
    } else {
        code = verdict(k, wasm);
    }
    cli_module_free(&module);
    return code;
}

static int check_dir(struct cli *c, const char *dir, const char *wasm)
{
    char path[CLI_PATH_MAX];
    struct cli_manifest manifest;
    int code = cli_manifest_load(c, dir, &manifest);
    if (code)
        return code;
    struct checker k = { .c = c, .m = &manifest.m, .granted = worker_caps(&manifest.m) };
    if (!wasm && !cli_join(path, dir, (const char *)manifest.m.wasm.p))
        code = cli_fail(c, CLI_FAILED, NULL, "%s: the path is too long", dir);
    else if (!wasm && !cli_exists(path))
        code = cli_fail(c, CLI_NOT_FOUND, "vyoma build makes it",
                        "%s is in order, but %s is not there", manifest.path, path);
    if (!code && c->json) {
        printf("{\"app\":");
        cli_put_json(manifest.m.name);
        printf(",");
    }
    if (!code)
        code = check_module(&k, wasm ? wasm : path);
    cli_manifest_free(&manifest);
    return code;
}

static int run(struct cli *c)
{
    char dir[CLI_PATH_MAX], beside[CLI_PATH_MAX];
    const char *path;
    int code;
    if (!cli_one_operand(c, ".", &path, &code))
        return code;
    if (cli_is_dir(path))
        return check_dir(c, path, NULL);
    const char *slash = strrchr(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
    size_t n = strlen(path);
    if (n > 5 && strcmp(path + n - 5, ".toml") == 0)
        return check_dir(c, dir, NULL);
    if (cli_join(beside, dir, "vyoma.toml") && cli_exists(beside))
        return check_dir(c, dir, path);
    struct checker k = { .c = c };
    if (c->json && cli_exists(path))
        printf("{");
    return check_module(&k, path);
}

const struct cli_command cli_check = {
    .name = "check", .operands = "[DIR|FILE]", .run = run,
    .summary = "compare an app's manifest with what its module imports",
    .details = "DIR (default: here) holds vyoma.toml; FILE is a module, checked against the\n"
               "vyoma.toml beside it, or only listed when there is none. Each import is shown\n"
               "with the capability that it needs. Exit 1 when one is not granted.",
};
