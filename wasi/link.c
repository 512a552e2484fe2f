/* Joins a struct wasi to the engine. */
#include "wasi/link.h"

#include "internal.h"

void wasi_link_init(struct wasi_link *link, struct wasi *wasi, struct eng_store *store,
                    uint32_t caps)
{
    link->wasi = wasi;
    link->store = store;
    link->caps = caps;
    link->binding_count = 0;
}

/* The engine's side of every import: ctx is a struct wasi_binding. */
static enum eng_trap_code enter(struct eng_call *call, union eng_value *args)
{
    const struct wasi_binding *b = call->ctx;
    struct wasi *w = b->link->wasi;
    struct eng_memory *memory = eng_instance_memory(call->caller);
    struct wasi_guest g = { NULL, 0, NULL };
    uint64_t a[WASI_PARAMS_MAX];
    if (memory) {
        g.base = eng_memory_at(memory, 0, 0);
        g.size = eng_memory_size(memory);
    }
    for (size_t i = 0; b->function->params[i]; i++)
        a[i] = args[i].bits;
    enum wasi_errno e = wasi_function_call(b->function, w, &g, a);
    if (w->exited) {
        call->trap->exit_code = w->exit_code;
        return ENG_TRAP_EXIT;
    }
    if (e == WASI_INTR)
        return ENG_TRAP_INTERRUPTED;
    if (b->function->returns)
        args[0].bits = (uint64_t)e;
    return ENG_TRAP_NONE;
}

static int bind(struct wasi_link *link, const struct wasi_function *f, struct wasi_binding **ret)
{
    static const uint8_t result[] = { ENG_I32 };
    uint8_t params[WASI_PARAMS_MAX];
    uint32_t count = 0;
    for (; f->params[count]; count++)
        params[count] = f->params[count] == 'I' ? ENG_I64 : ENG_I32;
    struct eng_functype type = { params, result, count, f->returns };
    base_assert(link->binding_count < WASI_BINDINGS_MAX);
    struct wasi_binding *b = &link->bindings[link->binding_count];
    *b = (struct wasi_binding){ link, f, NULL };
    int r = eng_hostfunc_create(link->store, &type, enter, b, &b->func);
    if (r != E_OK)
        return r;
    link->binding_count++;
    *ret = b;
    return E_OK;
}

/* A module may import one function many times over; it gets the same binding. */
static struct wasi_binding *find_binding(struct wasi_link *link, const struct wasi_function *f)
{
    for (uint32_t i = 0; i < link->binding_count; i++)
        if (link->bindings[i].function == f)
            return &link->bindings[i];
    return NULL;
}

int wasi_resolve(void *ctx, const struct eng_import *import, struct eng_extern *ret)
{
    struct wasi_link *link = ctx;
    if (import->type.kind != ENG_EXTERN_FUNC)
        return E_NOENT;
    const struct wasi_function *f = wasi_function_find(import->module, import->name);
    if (!f || (f->any_of && !(f->any_of & link->caps)))
        return E_NOENT;
    struct wasi_binding *b = find_binding(link, f);
    if (!b) {
        int r = bind(link, f, &b);
        if (r != E_OK)
            return r;
    }
    ret->kind = ENG_EXTERN_FUNC;
    ret->of.func = b->func;
    return E_OK;
}
