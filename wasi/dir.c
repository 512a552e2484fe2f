/* Directory entries, packed the way preview 1 wants them. */
#include "internal.h"

struct packer {
    const struct wasi_guest *g;
    uint32_t at, cap, used; /* invariant: used <= cap, and cap bytes exist at `at` */
};

static void pack(struct packer *k, const void *bytes, size_t len)
{
    uint32_t room = k->cap - k->used;
    uint32_t n = len < room ? (uint32_t)len : room;
    if (n)
        guest_put(k->g, k->at + k->used, bytes, n);
    k->used += n;
}

/* An entry that does not fit is cut: a buffer filled to its last byte is how the guest
 * learns that there is more. */
static bool put_entry(void *ctx, const struct wasi_dirent *entry)
{
    struct packer *k = ctx;
    struct wasi_abi_dirent head = { .next = entry->next,
                                    .ino = entry->ino,
                                    .name_len = (uint32_t)entry->name.len,
                                    .filetype = (uint8_t)entry->filetype };
    pack(k, &head, sizeof head);
    pack(k, entry->name.p, entry->name.len);
    return k->used < k->cap;
}

WASI_CALL(wasi_fd_readdir)
{
    struct wasi_fd *row;
    uint32_t len = (uint32_t)a[2], out = (uint32_t)a[4];
    enum wasi_errno e = fd_get_dir(w, (uint32_t)a[0], WASI_RIGHT_FD_READDIR, &row);
    if (e != WASI_SUCCESS)
        return e;
    struct packer k = { g, (uint32_t)a[1], len, 0 };
    if (!guest_has(g, k.at, len) || !guest_has(g, out, 4))
        return WASI_FAULT;
    struct wasi_dirent_sink sink = { &k, put_entry };
    e = len ? HOST_CALL(w, readdir, row->handle, a[3], &sink) : WASI_SUCCESS;
    if (e == WASI_SUCCESS)
        guest_put_u32(g, out, k.used);
    return e;
}
