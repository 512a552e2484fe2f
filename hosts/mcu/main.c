/* One app, which is part of the program (app.S), run once on the smallest machine. What it prints
 * goes to the UART; there is no supervisor yet, nothing to read, no storage and no clock. */
#include <string.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "engine/engine.h"
#include "mcu.h"
#include "wasi/link.h"
#include "wasi/wasi.h"

enum {
    GUEST_STACK_BYTES = 8 * 1024,
    PAGE = 65536,
    DESCRIPTORS = 4,
    BUDGET = 2 * 1000 * 1000, /* loop rounds and calls until an app counts as lost */
    EXIT_TRAP = 134, EXIT_REFUSED = 126, /* as `vyoma run` has them */
};

extern const uint8_t app_begin[], app_end[];
extern const char app_args[]; /* each NUL-terminated, then an empty one */
extern uint8_t guest_page[PAGE];

static struct wasi wasi;
static struct wasi_fd descriptors[DESCRIPTORS];
static struct wasi_link link;
static bool page_is_taken;

/* --- for the engine: one page of linear memory ------------------------------------------ */

static int memory_create(void *ctx, uint64_t size, uint64_t max, struct eng_mem_block *ret)
{
    if (page_is_taken || size > PAGE)
        return E_NOMEM;
    memset(guest_page, 0, PAGE);
    page_is_taken = true;
    *ret = (struct eng_mem_block){ .base = guest_page, .size = size, .capacity = PAGE };
    return 0;
}

static int memory_grow(void *ctx, struct eng_mem_block *block, uint64_t size)
{
    if (size > PAGE)
        return E_NOMEM;
    block->size = size;
    return 0;
}

static void memory_destroy(void *ctx, struct eng_mem_block *block)
{
    page_is_taken = false;
}

/* --- for WASI: output --------------------------------------------------------------------- */

static enum wasi_errno host_write(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                  size_t *ret)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        mcu_write((const char *)iov[i].p, iov[i].len);
        total += iov[i].len;
    }
    *ret = total;
    return WASI_SUCCESS;
}

static enum wasi_errno host_read(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                                 size_t *ret)
{
    *ret = 0; /* its end */
    return WASI_SUCCESS;
}

static enum wasi_errno host_close(void *ctx, int32_t h)
{
    return WASI_SUCCESS;
}

/* --- what is said of an app ------------------------------------------------------------------ */

static void say(struct strbuf *b)
{
    strbuf_char(b, '\n');
    struct span s = strbuf_done(b);
    mcu_write((const char *)s.p, s.len);
}

static uint32_t refused(const struct eng_error *err)
{
    char text[256];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text);
    strbuf_cstr(&b, "vyoma: the app was refused: ");
    strbuf_cstr(&b, err->message[0] ? err->message : base_err_name(err->code));
    say(&b);
    return EXIT_REFUSED;
}

static uint32_t trapped(const struct eng_trap *trap)
{
    char text[256];
    struct strbuf b;
    strbuf_init(&b, text, sizeof text);
    strbuf_cstr(&b, "vyoma: trap: ");
    strbuf_cstr(&b, eng_trap_message(trap->code));
    if (trap->frame_count) {
        strbuf_cstr(&b, " in function ");
        strbuf_u64(&b, trap->frames[0].func_index);
        if (trap->frames[0].name.len) {
            strbuf_cstr(&b, " (");
            strbuf_printable(&b, span_take(trap->frames[0].name, 40));
            strbuf_char(&b, ')');
        }
        strbuf_cstr(&b, " at byte ");
        strbuf_u64(&b, trap->frames[0].offset);
    }
    say(&b);
    return EXIT_TRAP;
}

static void say_memory(size_t form_bytes)
{
    char text[128];
    struct strbuf b;
    size_t all, most = heap_most(&all);
    strbuf_init(&b, text, sizeof text);
    strbuf_cstr(&b, "vyoma: heap: at most ");
    strbuf_u64(&b, most);
    strbuf_cstr(&b, " of ");
    strbuf_u64(&b, all);
    strbuf_cstr(&b, " bytes, the app's own form ");
    strbuf_u64(&b, form_bytes);
    say(&b);
}

/* --- running it ---------------------------------------------------------------------------------- */

static struct wasi_strings arguments(void)
{
    struct wasi_strings args = { .count = 0 };
    const char *end = app_args;
    for (; *end; args.count++)
        end += strlen(end) + 1;
    args.bytes = span_of((const uint8_t *)app_args, (size_t)(end - app_args));
    return args;
}

static uint32_t run(const struct eng_env *env, const struct wasi_host *host, struct eng_module *m)
{
    struct eng_store_options options = { .stack_bytes = GUEST_STACK_BYTES, .memory_pages_max = 1 };
    struct eng_resolver resolver = { &link, wasi_resolve };
    struct eng_store *store;
    struct eng_instance *inst;
    struct eng_extern start;
    struct eng_error err = { .code = E_NOMEM };
    static struct eng_trap trap; /* as large as the stack can bear twice */
    if (eng_store_create(env, &options, &store) < 0)
        return refused(&err);
    wasi_init(&wasi, host, descriptors, DESCRIPTORS);
    wasi.app_name = SPAN_LIT("app");
    wasi_set_args(&wasi, arguments());
    for (uint32_t fd = 0; fd < WASI_FD_FIRST; fd++)
        wasi_add_stdio(&wasi, fd, (int32_t)fd, false);
    wasi_link_init(&link, &wasi, store, WASI_CAP_STDIO);
    eng_set_fuel(store, BUDGET);
    int r = eng_instance_create(store, m, &resolver, &inst, &err, &trap);
    if (r < 0)
        return refused(&err);
    if (r == 0 && (eng_instance_export(inst, SPAN_LIT("_start"), &start) < 0 ||
                   start.kind != ENG_EXTERN_FUNC)) {
        err = (struct eng_error){ .message = "it exports no function _start" };
        return refused(&err);
    }
    if (r == 0)
        r = eng_call(start.of.func, NULL, NULL, &trap);
    return r == 0 ? 0 : trap.code == ENG_TRAP_EXIT ? trap.exit_code : trapped(&trap);
}

uint32_t mcu_main(void)
{
    static const struct eng_env env = { .resize = heap_resize, .memory_create = memory_create,
                                        .memory_grow = memory_grow,
                                        .memory_destroy = memory_destroy };
    static const struct wasi_host host = { .read = host_read, .write = host_write,
                                           .close = host_close };
    struct eng_module *m;
    struct eng_module_size size;
    struct eng_error err;
    if (eng_module_load(&env, span_of(app_begin, (size_t)(app_end - app_begin)), &m, &err) < 0)
        return refused(&err);
    eng_module_size(m, &size);
    uint32_t status = run(&env, &host, m);
    say_memory(size.code);
    return status;
}
