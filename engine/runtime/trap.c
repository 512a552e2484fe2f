/* Backtraces: from places in the internal form back to functions and offsets. */
#include "decode/reader.h"
#include "interp/interp.h"
#include "runtime/native.h"

const char *eng_trap_message(enum eng_trap_code code)
{
    static const char *const messages[ENG_TRAP_COUNT_] = {
        "none",
        "unreachable",
        "integer divide by zero",
        "integer overflow",
        "invalid conversion to integer",
        "out of bounds memory access",
        "out of bounds table access",
        "undefined element",
        "uninitialized element",
        "indirect call type mismatch",
        "call stack exhausted",
        "interrupted",
        "out of fuel",
        "out of memory",
        "exit",
        "host error",
        "unhandled exception",
        "null reference",
    };
    return (unsigned)code < ENG_TRAP_COUNT_ ? messages[code] : "unknown trap";
}

static void write_frame(const struct eng_frame *f, struct strbuf *b)
{
    strbuf_cstr(b, "at ");
    if (f->name.len)
        strbuf_printable(b, span_take(f->name, 200));
    else
        strbuf_cstr(b, "?");
    strbuf_cstr(b, " (function ");
    strbuf_u64(b, f->func_index);
    strbuf_cstr(b, ", offset 0x");
    strbuf_hex(b, f->offset, 1);
    strbuf_cstr(b, ")\n");
}

void eng_trap_write(const struct eng_trap *trap, struct strbuf *b)
{
    for (uint32_t i = 0; i < trap->frame_count; i++)
        write_frame(&trap->frames[i], b);
    if (trap->depth > trap->frame_count) {
        strbuf_cstr(b, "and ");
        strbuf_u64(b, trap->depth - trap->frame_count);
        strbuf_cstr(b, " more\n");
    }
}

uint32_t module_func_at(const struct eng_module *m, uint32_t at)
{
    uint32_t low = 0, high = module_func_defined(m);
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (m->funcs[middle].code <= at)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint32_t map_varint(const struct eng_module *m, uint32_t *at)
{
    uint32_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = m->map[(*at)++];
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return value;
    }
}

/* Offset recorded last at or before word `at` of function f. */
static uint32_t offset_at(const struct eng_module *m, uint32_t f, uint32_t at)
{
    uint32_t p = m->funcs[f].map, offset = m->funcs[f].offset, word = m->funcs[f].code;
    uint32_t end = f + 1 < module_func_defined(m) ? m->funcs[f + 1].map : m->map_bytes;
    while (p < end) {
        word += map_varint(m, &p);
        uint32_t next = map_varint(m, &p);
        if (word > at)
            break;
        offset += next;
    }
    return offset;
}

static struct span func_name(const struct eng_module *m, uint32_t index)
{
    struct eng_error ignored;
    const uint8_t *names = m->names.len ? m->names.p : (const uint8_t *)"";
    struct reader r = { names, names, names + m->names.len, false, &ignored };
    uint32_t n = m->names.len ? reader_u32(&r) : 0;
    for (uint32_t i = 0; i < n && !r.failed; i++) {
        uint32_t at = reader_u32(&r);
        struct span name = reader_name(&r);
        if (!r.failed && at == index)
            return name;
    }
    for (uint32_t i = 0; i < m->export_count; i++)
        if (m->exports[i].kind == ENG_EXTERN_FUNC && m->exports[i].index == index)
            return m->exports[i].name;
    return SPAN_NONE;
}

void trap_frame(struct eng_trap *trap, const struct eng_instance *inst, uint32_t index,
                uint32_t offset)
{
    trap->depth++;
    if (trap->frame_count == ENG_BACKTRACE_MAX)
        return;
    trap->frames[trap->frame_count++] =
        (struct eng_frame){ index, offset, func_name(inst->module, index), inst };
}

const uint64_t *trap_call_site(const struct eng_store *s, uint64_t ret)
{
    const uint64_t *pc = (const uint64_t *)(uintptr_t)ret;
    return pc == s->exit_code || pc == s->cross_code ? pc : pc - 1;
}

/* Frames from (pc, fp) of inst out to where its activation began. */
static void walk(struct eng_store *s, const uint64_t *pc, uint64_t *fp,
                 const struct eng_instance *inst, struct eng_trap *trap)
{
    while (pc != s->exit_code) {
        if (pc == s->cross_code) {
            pc = trap_call_site(s, fp[BRIDGE_PC]);
            inst = (const struct eng_instance *)(uintptr_t)fp[BRIDGE_INST];
            fp = (uint64_t *)(uintptr_t)fp[BRIDGE_FP];
            continue;
        }
        const struct eng_module *m = inst->module;
        uint32_t at = (uint32_t)(pc - m->code), f = module_func_at(m, at);
        /* Looking for it takes as long as the function is large: not for all frames. */
        bool kept = trap->frame_count < ENG_BACKTRACE_MAX;
        trap_frame(trap, inst, m->func_imports + f, kept ? offset_at(m, f, at) : 0);
        const struct code_header *h = (const struct code_header *)&m->code[m->funcs[f].code - 1];
        pc = trap_call_site(s, fp[h->link]);
        fp = (uint64_t *)(uintptr_t)fp[h->link + 1];
    }
}

void trap_fill(struct eng_store *s, enum eng_trap_code code, struct eng_trap *trap)
{
    memset(trap, 0, sizeof *trap);
    trap->code = code;
    if (code == ENG_TRAP_EXIT)
        trap->exit_code = s->exit_status;
    if (code == ENG_TRAP_HOST)
        trap->host_error = s->host_error;
    const uint64_t *pc = s->pc;
    uint64_t *fp = s->fp;
    const struct eng_instance *inst = s->inst;
    const struct native_bridge *bridge = s->native_bridge;
    for (const struct activation *a = s->active; a; a = a->prev) {
        if (a->native)
            native_walk(s, pc, fp, inst, bridge, trap);
        else
            walk(s, pc, fp, inst, trap);
        pc = a->place.pc;
        fp = a->place.fp;
        inst = a->place.inst;
        bridge = a->place.native_bridge;
    }
}
