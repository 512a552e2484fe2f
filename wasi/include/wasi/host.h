/* What a kernel must give so that WASI works on it.
 *
 * One table of functions over handles: numbers of the host's choosing (int32, never
 * negative) that stand for an open file, directory or socket. The guest never sees
 * a handle, and no function here is called with one that was not handed out, with a
 * right that the guest lacks, or with a pointer into the guest that was not checked.
 *
 * A function that the host does not offer is NULL, and the guest gets WASI_NOSYS.
 * Each returns WASI_SUCCESS or the error that the guest sees; outputs are untouched
 * then. A host may block in read, write, poll, accept, recv, send and msg_recv. It answers
 * WASI_INTR when the guest is to be stopped instead of waiting any longer: the guest does
 * not see that, it traps with ENG_TRAP_INTERRUPTED.
 *
 * Paths are relative, hold no NUL, are well-formed UTF-8 and at most WASI_PATH_MAX bytes;
 * they may contain "." and ".." and symbolic links. That what they name lies
 * beneath `dir` is for the host to guarantee (WASI_NOTCAPABLE otherwise), since only the
 * host can do so without a race. */
#ifndef WASI_HOST_H
#define WASI_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "wasi/abi.h"

enum {
    WASI_PATH_MAX = 4096,
    WASI_IOV_CHUNK = 64,    /* most runs of bytes that one call to the host gets */
    WASI_POLL_MAX = 128,    /* most subscriptions of one poll_oneoff */
    WASI_NAME_MAX = 255,    /* an app's name, a host name, a directory entry */
    VYOMA_MSG_MAX = 65536,  /* bytes of one typed message */
};

/* Memory of the guest, checked. */
struct wasi_iov {
    uint8_t *p;
    size_t len;
};

struct wasi_filestat {
    uint64_t dev, ino;
    enum wasi_filetype filetype;
    uint64_t nlink, size, atim, mtim, ctim; /* times: nanoseconds since 1970 */
};

struct wasi_times {
    uint64_t atim, mtim;
    uint16_t fstflags; /* never both the value and NOW of one time */
};

struct wasi_dirent {
    uint64_t next; /* where readdir goes on behind this entry */
    uint64_t ino;
    enum wasi_filetype filetype;
    struct span name; /* at most WASI_NAME_MAX */
};

/* Takes one entry; false when it wants no more. */
struct wasi_dirent_sink {
    void *ctx;
    bool (*put)(void *ctx, const struct wasi_dirent *entry);
};

struct wasi_open {
    int32_t dir;
    struct span path;
    uint16_t oflags, fdflags;
    bool follow; /* a symbolic link at the path's end */
    bool can_read, can_write;
};
struct wasi_opened {
    int32_t handle; /* now the caller's, until close */
    enum wasi_filetype filetype;
};

/* One descriptor to wait for; the host fills in the rest. */
struct wasi_pollfd {
    int32_t handle;
    bool write;  /* wanted: room to write; otherwise something to read */
    bool ready;
    bool hangup;
    uint16_t error; /* enum wasi_errno, of this descriptor */
    uint64_t nbytes; /* that can be read or written without blocking, if known, else 0 */
};

/* What a guest tried and WASI itself refused, so that the host would never see it. Descriptors
 * that do not exist are none of these: C libraries look for theirs by trying. */
enum wasi_denial {
    WASI_DENIED_ESCAPE,  /* an absolute path: the path */
    WASI_DENIED_LISTEN,  /* a port that it was not given: the number */
    WASI_DENIED_RIGHTS,  /* a right that a descriptor lacks: the function */
    WASI_DENIED_FILES,   /* more open files than it may have: the function */
    WASI_DENIED_DATA,    /* a file beyond the limit: the function */
    WASI_DENIED_POINTER, /* a pointer out of its memory: the function */
    WASI_DENIED_COUNT_
};

struct wasi_host {
    void *ctx;

    /* Clocks, in nanoseconds; id < WASI_CLOCK_COUNT_. */
    enum wasi_errno (*clock_resolution)(void *ctx, enum wasi_clock id, uint64_t *ret);
    enum wasi_errno (*clock_now)(void *ctx, enum wasi_clock id, uint64_t *ret);
    /* len bytes fit for keys. */
    enum wasi_errno (*random)(void *ctx, void *p, size_t len);
    enum wasi_errno (*yield)(void *ctx);

    /* Open files and streams. offset < 2^63. Counts may be short. */
    enum wasi_errno (*close)(void *ctx, int32_t h);
    enum wasi_errno (*read)(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                            size_t *ret);
    enum wasi_errno (*write)(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                             size_t *ret);
    enum wasi_errno (*pread)(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                             uint64_t offset, size_t *ret);
    enum wasi_errno (*pwrite)(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                              uint64_t offset, size_t *ret);
    enum wasi_errno (*seek)(void *ctx, int32_t h, int64_t delta, enum wasi_whence whence,
                            uint64_t *ret);
    enum wasi_errno (*advise)(void *ctx, int32_t h, uint64_t offset, uint64_t len, uint8_t advice);
    enum wasi_errno (*allocate)(void *ctx, int32_t h, uint64_t offset, uint64_t len);
    enum wasi_errno (*sync)(void *ctx, int32_t h, bool data_only);
    /* Only append and nonblock may differ from what the file was opened with. */
    enum wasi_errno (*set_flags)(void *ctx, int32_t h, uint16_t fdflags);
    enum wasi_errno (*stat)(void *ctx, int32_t h, struct wasi_filestat *ret);
    enum wasi_errno (*set_size)(void *ctx, int32_t h, uint64_t size);
    enum wasi_errno (*set_times)(void *ctx, int32_t h, const struct wasi_times *times);

    /* Entries from `cookie` on (0: the first), until the sink is full or there are none. */
    enum wasi_errno (*readdir)(void *ctx, int32_t dir, uint64_t cookie,
                               const struct wasi_dirent_sink *sink);

    /* Paths. */
    enum wasi_errno (*path_open)(void *ctx, const struct wasi_open *how, struct wasi_opened *ret);
    enum wasi_errno (*path_stat)(void *ctx, int32_t dir, struct span path, bool follow,
                                 struct wasi_filestat *ret);
    enum wasi_errno (*path_set_times)(void *ctx, int32_t dir, struct span path, bool follow,
                                      const struct wasi_times *times);
    enum wasi_errno (*path_mkdir)(void *ctx, int32_t dir, struct span path);
    enum wasi_errno (*path_rmdir)(void *ctx, int32_t dir, struct span path);
    enum wasi_errno (*path_unlink)(void *ctx, int32_t dir, struct span path);
    enum wasi_errno (*path_rename)(void *ctx, int32_t dir, struct span from, int32_t to_dir,
                                   struct span to);
    enum wasi_errno (*path_link)(void *ctx, int32_t dir, struct span from, bool follow,
                                 int32_t to_dir, struct span to);
    /* target is stored as it is. */
    enum wasi_errno (*path_symlink)(void *ctx, struct span target, int32_t dir, struct span path);
    /* At most cap bytes of the target into p; *ret says how many. */
    enum wasi_errno (*path_readlink)(void *ctx, int32_t dir, struct span path, void *p, size_t cap,
                                     size_t *ret);

    /* Waits until one of n descriptors is ready or timeout_ns has passed (UINT64_MAX: without
     * end). n may be 0. */
    enum wasi_errno (*poll)(void *ctx, struct wasi_pollfd *fds, size_t n, uint64_t timeout_ns);

    /* Stream sockets. */
    enum wasi_errno (*accept)(void *ctx, int32_t h, uint16_t fdflags, int32_t *ret);
    enum wasi_errno (*recv)(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                            uint16_t riflags, size_t *ret, uint16_t *ret_roflags);
    enum wasi_errno (*send)(void *ctx, int32_t h, const struct wasi_iov *iov, size_t n,
                            size_t *ret);
    enum wasi_errno (*shutdown)(void *ctx, int32_t h, uint8_t sdflags);

    /* Module "vyoma" (wasi/vyoma.h). */
    enum wasi_errno (*net_connect)(void *ctx, struct span host, uint16_t port, int32_t *ret);
    enum wasi_errno (*msg_send)(void *ctx, struct span to, struct span data);
    /* Sender into from, message into data, both at most their len; what they were long into
     * *ret_from and *ret_data, which on WASI_MSGSIZE say what is needed. timeout_ms: -1 waits
     * without end, 0 does not wait (WASI_AGAIN); WASI_TIMEDOUT. */
    enum wasi_errno (*msg_recv)(void *ctx, struct wasi_iov from, struct wasi_iov data,
                                int32_t timeout_ms, size_t *ret_from, size_t *ret_data);

    /* For the record; NULL when nobody keeps one. value may lie in the guest's memory. */
    void (*denied)(void *ctx, enum wasi_denial what, struct span value);
    /* A line about each call, when it is wanted; NULL otherwise. */
    void (*trace)(void *ctx, struct span line);
};

#endif
