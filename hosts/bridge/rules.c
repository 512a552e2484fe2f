/* The firewall: what the app's manifest lists, as the supervisor asks it. Read anew each time, since
 * people change manifests while they try. */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "bridge.h"
#include "formats/manifest.h"

enum { PATH_BYTES = 4096 };

/* The manifest's text in *ret, to be freed; false: it is not there, or longer than one may be. */
static bool read_text(const char *path, struct span *ret)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    uint8_t *p = malloc(MANIFEST_TEXT_MAX + 1);
    size_t len = p ? fread(p, 1, MANIFEST_TEXT_MAX + 1, f) : 0;
    fclose(f);
    *ret = span_of(p, len);
    if (p && len <= MANIFEST_TEXT_MAX)
        return true;
    free(p);
    return false;
}

/* Does the manifest in text, of the app itself, list the destination? */
static bool lists(struct span text, struct span app, struct span host, uint16_t port)
{
    struct arena scratch, keep;
    struct format_error err;
    struct manifest m;
    char *memory = malloc(MANIFEST_SCRATCH_BYTES + MANIFEST_KEEP_BYTES);
    if (!memory)
        return false;
    arena_init(&keep, memory, MANIFEST_KEEP_BYTES);
    arena_init(&scratch, memory + MANIFEST_KEEP_BYTES, MANIFEST_SCRATCH_BYTES);
    bool may = manifest_parse(text, &scratch, &keep, &m, &err) == 0 && span_eq(m.name, app) &&
               manifest_may_connect(&m, host, port);
    free(memory);
    return may;
}

enum wasi_errno rules_ask(const struct bridge_options *o, struct span app, struct span host,
                          uint16_t port)
{
    char path[PATH_BYTES];
    struct span text;
    if (!manifest_name_valid(app))
        return WASI_NOENT;
    for (size_t i = 0; i < o->apps_dirs_count; i++) {
        int n = snprintf(path, sizeof path, "%s/%.*s/vyoma.toml", o->apps_dirs[i], (int)app.len,
                         (const char *)app.p);
        if (n < 0 || (size_t)n >= sizeof path || !read_text(path, &text))
            continue;
        bool may = lists(text, app, host, port);
        free((void *)(uintptr_t)text.p);
        return may ? WASI_SUCCESS : WASI_NOTCAPABLE;
    }
    return WASI_NOENT;
}
