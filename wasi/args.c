/* Arguments and environment. */
#include "internal.h"

static int check_strings(struct wasi_strings s)
{
    uint32_t found = 0;
    for (size_t i = 0; i < s.bytes.len; i++)
        found += s.bytes.p[i] == 0;
    if (s.bytes.len > UINT32_MAX || s.count > WASI_ARGS_MAX || found != s.count)
        return E_MALFORMED;
    return s.bytes.len == 0 || s.bytes.p[s.bytes.len - 1] == 0 ? E_OK : E_MALFORMED;
}

int wasi_set_args(struct wasi *w, struct wasi_strings args)
{
    int r = check_strings(args);
    if (r == E_OK)
        w->args = args;
    return r;
}

int wasi_set_env(struct wasi *w, struct wasi_strings env)
{
    int r = check_strings(env);
    if (r == E_OK)
        w->env = env;
    return r;
}

/* A pointer to each string at `list`, the strings themselves at `bytes`. */
static enum wasi_errno strings_put(const struct wasi_guest *g, const struct wasi_strings *s,
                                   uint32_t list, uint32_t bytes)
{
    if (!guest_has(g, list, (uint64_t)s->count * 4) || !guest_has(g, bytes, s->bytes.len))
        return WASI_FAULT;
    if (s->bytes.len)
        guest_put(g, bytes, s->bytes.p, s->bytes.len);
    size_t at = 0;
    for (uint32_t i = 0; i < s->count; i++) {
        guest_put_u32(g, list + i * 4, bytes + (uint32_t)at);
        at += span_find(span_skip(s->bytes, at), 0) + 1;
    }
    return WASI_SUCCESS;
}

static enum wasi_errno sizes_put(const struct wasi_guest *g, const struct wasi_strings *s,
                                 uint32_t count, uint32_t size)
{
    if (!guest_has(g, count, 4) || !guest_has(g, size, 4))
        return WASI_FAULT;
    guest_put_u32(g, count, s->count);
    guest_put_u32(g, size, (uint32_t)s->bytes.len);
    return WASI_SUCCESS;
}

WASI_CALL(wasi_args_get) { return strings_put(g, &w->args, (uint32_t)a[0], (uint32_t)a[1]); }
WASI_CALL(wasi_environ_get) { return strings_put(g, &w->env, (uint32_t)a[0], (uint32_t)a[1]); }

WASI_CALL(wasi_args_sizes_get)
{
    return sizes_put(g, &w->args, (uint32_t)a[0], (uint32_t)a[1]);
}

WASI_CALL(wasi_environ_sizes_get)
{
    return sizes_put(g, &w->env, (uint32_t)a[0], (uint32_t)a[1]);
}
