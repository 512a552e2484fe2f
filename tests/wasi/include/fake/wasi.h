/* A host for WASI that exists only in memory. It checks, with assertions, what
 * wasi/host.h promises to every host: live handles, memory inside the guest, well-formed paths.
 * It remembers the last call so that tests can look. */
#ifndef FAKE_WASI_H
#define FAKE_WASI_H

#include "base/span.h"
#include "wasi/wasi.h"

enum { FAKE_MEMORY = 65536, FAKE_HANDLES = 64, FAKE_FILE_MAX = 4096 };
/* Handles that exist from the start. */
enum { FAKE_IN, FAKE_OUT, FAKE_ERR, FAKE_DATA, FAKE_LISTENER, FAKE_FIRST_NEW };

struct fake {
    struct wasi_host host;
    struct wasi wasi;
    struct wasi_fd fds[16];
    struct wasi_guest guest;
    struct wasi_remote remote;
    uint8_t *memory, window[WASI_WINDOW_BYTES];

    bool open[FAKE_HANDLES];
    uint32_t open_count;
    enum wasi_errno fail;            /* every call of the host answers this, if not 0 */
    enum wasi_filetype open_as;      /* what path_open opens */
    uint64_t now_ns;                 /* of all clocks; waiting moves it on */
    bool ready[FAKE_HANDLES];        /* for poll */
    uint8_t file[FAKE_FILE_MAX];     /* what every file holds */
    size_t file_len, position;
    uint32_t entries;                /* directory entries: "entry-0" and so on */

    /* the last call */
    const char *call;
    uint32_t calls;
    int32_t handle, handle2;
    char path[256], path2[256];
    uint64_t number[4];
    size_t iov_bytes; /* of the list of buffers, if it had one */
    char line[256]; /* of the trace */
    uint32_t lines;
    char denied[256]; /* "kind value", of the last that WASI refused by itself */
    uint32_t denials;
};

/* Everything granted: stdio, /data at 3, a listener for port 8080 at 4; args "app" "x", env
 * "K=V". The guest's memory is `memory`, `size` bytes, zeroed. */
void fake_init(struct fake *f, uint8_t *memory, size_t size);

/* From now on the guest's memory is in another address space. */
void fake_move_away(struct fake *f);

/* Calls an import by name; a: its arguments. The name must exist. */
enum wasi_errno fake_call(struct fake *f, const char *module, const char *name,
                          const uint64_t *a);

#endif
