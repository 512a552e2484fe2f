/* vyoma inspect: what is in a module file, section by section. The engine has validated it
 * before it is walked here, so that sections are known to lie within the file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"

enum { HEADER_BYTES = 8, SECTION_MEMORY = 5, SECTION_START = 8 };

struct section {
    uint8_t id;
    struct span name; /* of a custom section */
    size_t offset;    /* of the content in the file */
    struct span body; /* of a custom section: behind its name */
};

/* An unsigned LEB128 number of at most 32 bits. */
static bool take_u32(struct span *s, uint32_t *ret)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 35 && s->len; shift += 7) {
        uint8_t byte = s->p[0];
        *s = span_skip(*s, 1);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret = (uint32_t)v;
            return v <= UINT32_MAX;
        }
    }
    return false;
}

static bool take_bytes(struct span *s, struct span *ret)
{
    uint32_t n;
    if (!take_u32(s, &n) || n > s->len)
        return false;
    *ret = span_take(*s, n);
    *s = span_skip(*s, n);
    return true;
}

static bool next_section(struct span file, struct span *rest, struct section *ret)
{
    if (!rest->len)
        return false;
    ret->id = rest->p[0];
    ret->name = SPAN_NONE;
    *rest = span_skip(*rest, 1);
    if (!take_bytes(rest, &ret->body))
        return false;
    ret->offset = (size_t)(ret->body.p - file.p);
    return ret->id != 0 || take_bytes(&ret->body, &ret->name);
}

static const char *section_name(uint8_t id)
{
    static const char *const names[] = { "custom", "type", "import", "function", "table",
                                         "memory", "global", "export", "start", "element",
                                         "code", "data", "data count" };
    return id < base_countof(names) ? names[id] : "unknown";
}

/* How many functions the name section names. */
static uint32_t named_functions(struct span names)
{
    uint32_t count = 0;
    while (names.len) {
        uint8_t id = names.p[0];
        struct span body;
        names = span_skip(names, 1);
        if (!take_bytes(&names, &body) || (id == 1 && !take_u32(&body, &count)))
            return 0;
    }
    return count;
}

struct facts {
    uint32_t memory_min, memory_max, names;
    bool has_memory, has_max;
};

static void gather(const struct section *s, struct facts *f)
{
    struct span body = s->body;
    uint32_t count, flags;
    if (s->id == SECTION_MEMORY && take_u32(&body, &count) && count && take_u32(&body, &flags)) {
        f->has_memory = take_u32(&body, &f->memory_min);
        f->has_max = (flags & 1) && take_u32(&body, &f->memory_max);
    }
    if (span_eq_cstr(s->name, "name"))
        f->names = named_functions(body);
}

static const char *printable(struct span s)
{
    static char text[512];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text - 1);
    strbuf_printable(&b, span_take(s, sizeof text - 8));
    text[b.len] = 0;
    return text;
}

static const char *type_text(const struct eng_extern_type *type)
{
    static char text[512];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text - 1);
    cli_extern_write(&b, type);
    text[b.len] = 0;
    return text;
}

/* --- for people -------------------------------------------------------------------- */

static void show_sections(struct span file, struct facts *f)
{
    struct span rest = span_skip(file, HEADER_BYTES);
    struct section s;
    printf("sections\n");
    while (next_section(file, &rest, &s)) {
        gather(&s, f);
        printf("  %-12s %8zu bytes at %zu%s%s\n", section_name(s.id), s.body.len, s.offset,
               s.id ? "" : "  ", s.id ? "" : printable(s.name));
    }
}

static void show_externs(const struct eng_module *m)
{
    uint32_t imports = eng_module_import_count(m), exports = eng_module_export_count(m);
    printf("imports (%u)\n", imports);
    for (uint32_t i = 0; i < imports; i++) {
        struct eng_import import;
        eng_module_import(m, i, &import);
        printf("  %s.", printable(import.module));
        printf("%s: %s\n", printable(import.name), type_text(&import.type));
    }
    printf("exports (%u)\n", exports);
    for (uint32_t i = 0; i < exports; i++) {
        struct eng_export export;
        eng_module_export(m, i, &export);
        printf("  %s: %s\n", printable(export.name), type_text(&export.type));
    }
}

static void show(const char *path, const struct cli_module *m)
{
    struct facts f = { 0 };
    struct eng_module_size size;
    eng_module_size(m->module, &size);
    printf("%s: %zu bytes\n", path, m->bytes.len);
    show_sections(m->bytes, &f);
    show_externs(m->module);
    if (f.has_memory && f.has_max)
        printf("memory: %u KiB, may grow to %u KiB\n", f.memory_min * 64, f.memory_max * 64);
    else if (f.has_memory)
        printf("memory: %llu KiB, may grow\n", (unsigned long long)f.memory_min * 64);
    printf("functions: %u, %u with names\n", size.functions, f.names);
    printf("loaded: %zu bytes, %zu of them code\n", size.total, size.code);
}

/* --- for programs ------------------------------------------------------------------- */

static void json_sections(struct span file, struct facts *f)
{
    struct span rest = span_skip(file, HEADER_BYTES);
    struct section s;
    for (bool first = true; next_section(file, &rest, &s); first = false) {
        gather(&s, f);
        printf("%s{\"id\":%u,\"name\":", first ? "" : ",", s.id);
        cli_put_json(s.id ? span_of_cstr(section_name(s.id)) : s.name);
        printf(",\"offset\":%zu,\"bytes\":%zu}", s.offset, s.body.len);
    }
}

static void json_named(bool first, struct span module, struct span name,
                       const struct eng_extern_type *type)
{
    printf("%s{", first ? "" : ",");
    if (module.p) {
        printf("\"module\":");
        cli_put_json(module);
        printf(",");
    }
    printf("\"name\":");
    cli_put_json(name);
    printf(",\"type\":\"%s\"}", type_text(type));
}

static void show_json(const char *path, const struct cli_module *m)
{
    struct facts f = { 0 };
    struct eng_module_size size;
    eng_module_size(m->module, &size);
    printf("{\"file\":");
    cli_put_json(span_of_cstr(path));
    printf(",\"bytes\":%zu,\"sections\":[", m->bytes.len);
    json_sections(m->bytes, &f);
    printf("],\"imports\":[");
    for (uint32_t i = 0; i < eng_module_import_count(m->module); i++) {
        struct eng_import import;
        eng_module_import(m->module, i, &import);
        json_named(i == 0, import.module, import.name, &import.type);
    }
    printf("],\"exports\":[");
    for (uint32_t i = 0; i < eng_module_export_count(m->module); i++) {
        struct eng_export export;
        eng_module_export(m->module, i, &export);
        json_named(i == 0, SPAN_NONE, export.name, &export.type);
    }
    printf("],\"functions\":%u,\"named_functions\":%u,\"loaded_bytes\":%zu,\"code_bytes\":%zu",
           size.functions, f.names, size.total, size.code);
    if (f.has_memory)
        printf(",\"memory_pages\":%u", f.memory_min);
    if (f.has_max)
        printf(",\"memory_pages_max\":%u", f.memory_max);
    printf("}\n");
}

static int run(struct cli *c)
{
    const char *path;
    struct cli_module module;
    int code;
    if (!cli_one_operand(c, NULL, &path, &code))
        return code;
    code = cli_module_load(c, path, &module);
    if (code)
        return code;
    if (c->json)
        show_json(path, &module);
    else
        show(path, &module);
    cli_module_free(&module);
    return CLI_OK;
}

const struct cli_command cli_inspect = {
    .name = "inspect", .operands = "FILE.wasm", .run = run,
    .summary = "show a module's sections, imports, exports and sizes",
};
