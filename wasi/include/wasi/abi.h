/* The numbers and layouts of wasi_snapshot_preview1.
 *
 * Source: the preview 1 witx files of https://github.com/WebAssembly/WASI
 * (legacy/preview1/witx). Values here are part of the binary interface. */
#ifndef WASI_ABI_H
#define WASI_ABI_H

#include <stddef.h>
#include <stdint.h>

enum wasi_errno {
    WASI_SUCCESS = 0, WASI_2BIG = 1, WASI_ACCES = 2, WASI_ADDRINUSE = 3, WASI_ADDRNOTAVAIL = 4,
    WASI_AFNOSUPPORT = 5, WASI_AGAIN = 6, WASI_ALREADY = 7, WASI_BADF = 8, WASI_BADMSG = 9,
    WASI_BUSY = 10, WASI_CANCELED = 11, WASI_CHILD = 12, WASI_CONNABORTED = 13,
    WASI_CONNREFUSED = 14, WASI_CONNRESET = 15, WASI_DEADLK = 16, WASI_DESTADDRREQ = 17,
    WASI_DOM = 18, WASI_DQUOT = 19, WASI_EXIST = 20, WASI_FAULT = 21, WASI_FBIG = 22,
    WASI_HOSTUNREACH = 23, WASI_IDRM = 24, WASI_ILSEQ = 25, WASI_INPROGRESS = 26, WASI_INTR = 27,
    WASI_INVAL = 28, WASI_IO = 29, WASI_ISCONN = 30, WASI_ISDIR = 31, WASI_LOOP = 32,
    WASI_MFILE = 33, WASI_MLINK = 34, WASI_MSGSIZE = 35, WASI_MULTIHOP = 36,
    WASI_NAMETOOLONG = 37, WASI_NETDOWN = 38, WASI_NETRESET = 39, WASI_NETUNREACH = 40,
    WASI_NFILE = 41, WASI_NOBUFS = 42, WASI_NODEV = 43, WASI_NOENT = 44, WASI_NOEXEC = 45,
    WASI_NOLCK = 46, WASI_NOLINK = 47, WASI_NOMEM = 48, WASI_NOMSG = 49, WASI_NOPROTOOPT = 50,
    WASI_NOSPC = 51, WASI_NOSYS = 52, WASI_NOTCONN = 53, WASI_NOTDIR = 54, WASI_NOTEMPTY = 55,
    WASI_NOTRECOVERABLE = 56, WASI_NOTSOCK = 57, WASI_NOTSUP = 58, WASI_NOTTY = 59,
    WASI_NXIO = 60, WASI_OVERFLOW = 61, WASI_OWNERDEAD = 62, WASI_PERM = 63, WASI_PIPE = 64,
    WASI_PROTO = 65, WASI_PROTONOSUPPORT = 66, WASI_PROTOTYPE = 67, WASI_RANGE = 68,
    WASI_ROFS = 69, WASI_SPIPE = 70, WASI_SRCH = 71, WASI_STALE = 72, WASI_TIMEDOUT = 73,
    WASI_TXTBSY = 74, WASI_XDEV = 75, WASI_NOTCAPABLE = 76,
};

enum wasi_clock {
    WASI_CLOCK_REALTIME, /* nanoseconds since 1970 */
    WASI_CLOCK_MONOTONIC,
    WASI_CLOCK_PROCESS_CPUTIME,
    WASI_CLOCK_THREAD_CPUTIME,
    WASI_CLOCK_COUNT_
};

enum wasi_filetype {
    WASI_FILETYPE_UNKNOWN, WASI_FILETYPE_BLOCK_DEVICE, WASI_FILETYPE_CHARACTER_DEVICE,
    WASI_FILETYPE_DIRECTORY, WASI_FILETYPE_REGULAR_FILE, WASI_FILETYPE_SOCKET_DGRAM,
    WASI_FILETYPE_SOCKET_STREAM, WASI_FILETYPE_SYMBOLIC_LINK,
};

enum wasi_rights {
    WASI_RIGHT_FD_DATASYNC = 1 << 0,
    WASI_RIGHT_FD_READ = 1 << 1,
    WASI_RIGHT_FD_SEEK = 1 << 2,
    WASI_RIGHT_FD_FDSTAT_SET_FLAGS = 1 << 3,
    WASI_RIGHT_FD_SYNC = 1 << 4,
    WASI_RIGHT_FD_TELL = 1 << 5,
    WASI_RIGHT_FD_WRITE = 1 << 6,
    WASI_RIGHT_FD_ADVISE = 1 << 7,
    WASI_RIGHT_FD_ALLOCATE = 1 << 8,
    WASI_RIGHT_PATH_CREATE_DIRECTORY = 1 << 9,
    WASI_RIGHT_PATH_CREATE_FILE = 1 << 10,
    WASI_RIGHT_PATH_LINK_SOURCE = 1 << 11,
    WASI_RIGHT_PATH_LINK_TARGET = 1 << 12,
    WASI_RIGHT_PATH_OPEN = 1 << 13,
    WASI_RIGHT_FD_READDIR = 1 << 14,
    WASI_RIGHT_PATH_READLINK = 1 << 15,
    WASI_RIGHT_PATH_RENAME_SOURCE = 1 << 16,
    WASI_RIGHT_PATH_RENAME_TARGET = 1 << 17,
    WASI_RIGHT_PATH_FILESTAT_GET = 1 << 18,
    WASI_RIGHT_PATH_FILESTAT_SET_SIZE = 1 << 19,
    WASI_RIGHT_PATH_FILESTAT_SET_TIMES = 1 << 20,
    WASI_RIGHT_FD_FILESTAT_GET = 1 << 21,
    WASI_RIGHT_FD_FILESTAT_SET_SIZE = 1 << 22,
    WASI_RIGHT_FD_FILESTAT_SET_TIMES = 1 << 23,
    WASI_RIGHT_PATH_SYMLINK = 1 << 24,
    WASI_RIGHT_PATH_REMOVE_DIRECTORY = 1 << 25,
    WASI_RIGHT_PATH_UNLINK_FILE = 1 << 26,
    WASI_RIGHT_POLL_FD_READWRITE = 1 << 27,
    WASI_RIGHT_SOCK_SHUTDOWN = 1 << 28,
    WASI_RIGHT_SOCK_ACCEPT = 1 << 29,
};

/* What each kind of descriptor may have at most. */
enum {
    WASI_RIGHTS_STREAM = WASI_RIGHT_FD_READ | WASI_RIGHT_FD_WRITE | WASI_RIGHT_FD_FDSTAT_SET_FLAGS |
                         WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_POLL_FD_READWRITE,
    WASI_RIGHTS_SOCKET = WASI_RIGHTS_STREAM | WASI_RIGHT_SOCK_SHUTDOWN,
    WASI_RIGHTS_LISTENER = WASI_RIGHT_SOCK_ACCEPT | WASI_RIGHT_FD_FDSTAT_SET_FLAGS |
                           WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_POLL_FD_READWRITE |
                           WASI_RIGHT_FD_READ,
    WASI_RIGHTS_FILE = WASI_RIGHTS_STREAM | WASI_RIGHT_FD_DATASYNC | WASI_RIGHT_FD_SEEK |
                       WASI_RIGHT_FD_SYNC | WASI_RIGHT_FD_TELL | WASI_RIGHT_FD_ADVISE |
                       WASI_RIGHT_FD_ALLOCATE | WASI_RIGHT_FD_FILESTAT_SET_SIZE |
                       WASI_RIGHT_FD_FILESTAT_SET_TIMES,
    WASI_RIGHTS_DIRECTORY =
        WASI_RIGHT_FD_DATASYNC | WASI_RIGHT_FD_SYNC | WASI_RIGHT_FD_FDSTAT_SET_FLAGS |
        WASI_RIGHT_PATH_CREATE_DIRECTORY | WASI_RIGHT_PATH_CREATE_FILE |
        WASI_RIGHT_PATH_LINK_SOURCE | WASI_RIGHT_PATH_LINK_TARGET | WASI_RIGHT_PATH_OPEN |
        WASI_RIGHT_FD_READDIR | WASI_RIGHT_PATH_READLINK | WASI_RIGHT_PATH_RENAME_SOURCE |
        WASI_RIGHT_PATH_RENAME_TARGET | WASI_RIGHT_PATH_FILESTAT_GET |
        WASI_RIGHT_PATH_FILESTAT_SET_SIZE | WASI_RIGHT_PATH_FILESTAT_SET_TIMES |
        WASI_RIGHT_FD_FILESTAT_GET | WASI_RIGHT_FD_FILESTAT_SET_TIMES | WASI_RIGHT_PATH_SYMLINK |
        WASI_RIGHT_PATH_REMOVE_DIRECTORY | WASI_RIGHT_PATH_UNLINK_FILE,
};

enum wasi_fdflags {
    WASI_FDFLAG_APPEND = 1, WASI_FDFLAG_DSYNC = 2, WASI_FDFLAG_NONBLOCK = 4,
    WASI_FDFLAG_RSYNC = 8, WASI_FDFLAG_SYNC = 16, WASI_FDFLAGS_ALL = 31,
};
enum wasi_oflags {
    WASI_O_CREAT = 1, WASI_O_DIRECTORY = 2, WASI_O_EXCL = 4, WASI_O_TRUNC = 8, WASI_O_ALL = 15,
};
enum wasi_fstflags {
    WASI_FST_ATIM = 1, WASI_FST_ATIM_NOW = 2, WASI_FST_MTIM = 4, WASI_FST_MTIM_NOW = 8,
    WASI_FST_ALL = 15,
};
enum { WASI_LOOKUP_SYMLINK_FOLLOW = 1 };
enum wasi_whence { WASI_WHENCE_SET, WASI_WHENCE_CUR, WASI_WHENCE_END };
enum { WASI_ADVICE_COUNT_ = 6 }; /* normal, sequential, random, willneed, dontneed, noreuse */
enum wasi_eventtype { WASI_EVENT_CLOCK, WASI_EVENT_FD_READ, WASI_EVENT_FD_WRITE };
enum { WASI_EVENT_HANGUP = 1 };
enum { WASI_SUBCLOCK_ABSTIME = 1 };
enum { WASI_RI_PEEK = 1, WASI_RI_WAITALL = 2, WASI_RI_ALL = 3 };
enum { WASI_RO_DATA_TRUNCATED = 1 };
enum { WASI_SD_RD = 1, WASI_SD_WR = 2, WASI_SD_ALL = 3 };
enum { WASI_PREOPEN_DIR = 0 };

/* Layouts of guest memory. All are little-endian and laid out as a C compiler for
 * wasm32 would, which any ABI with natural alignment agrees with. */
struct wasi_abi_iovec {
    uint32_t buf, len;
};
struct wasi_abi_fdstat {
    uint8_t filetype;
    uint8_t pad0_;
    uint16_t flags;
    uint32_t pad1_;
    uint64_t rights_base, rights_inheriting;
};
struct wasi_abi_filestat {
    uint64_t dev, ino;
    uint8_t filetype;
    uint8_t pad_[7];
    uint64_t nlink, size, atim, mtim, ctim;
};
struct wasi_abi_prestat {
    uint8_t tag;
    uint8_t pad_[3];
    uint32_t name_len;
};
struct wasi_abi_dirent {
    uint64_t next, ino;
    uint32_t name_len;
    uint8_t filetype;
    uint8_t pad_[3];
};
struct wasi_abi_subscription {
    uint64_t userdata;
    uint8_t tag; /* enum wasi_eventtype */
    uint8_t pad0_[7];
    uint32_t id; /* of the clock, or the descriptor */
    uint32_t pad1_;
    uint64_t timeout, precision;
    uint16_t flags;
    uint8_t pad2_[6];
};
struct wasi_abi_event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint8_t pad0_[5];
    uint64_t nbytes;
    uint16_t flags;
    uint8_t pad1_[6];
};

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "guest layouts are copied as they lie");
_Static_assert(sizeof(struct wasi_abi_iovec) == 8, "iovec");
_Static_assert(sizeof(struct wasi_abi_fdstat) == 24, "fdstat");
_Static_assert(offsetof(struct wasi_abi_fdstat, flags) == 2, "fdstat.flags");
_Static_assert(offsetof(struct wasi_abi_fdstat, rights_base) == 8, "fdstat.rights_base");
_Static_assert(sizeof(struct wasi_abi_filestat) == 64, "filestat");
_Static_assert(offsetof(struct wasi_abi_filestat, filetype) == 16, "filestat.filetype");
_Static_assert(offsetof(struct wasi_abi_filestat, nlink) == 24, "filestat.nlink");
_Static_assert(offsetof(struct wasi_abi_filestat, ctim) == 56, "filestat.ctim");
_Static_assert(sizeof(struct wasi_abi_prestat) == 8, "prestat");
_Static_assert(offsetof(struct wasi_abi_prestat, name_len) == 4, "prestat.name_len");
_Static_assert(sizeof(struct wasi_abi_dirent) == 24, "dirent");
_Static_assert(offsetof(struct wasi_abi_dirent, name_len) == 16, "dirent.name_len");
_Static_assert(offsetof(struct wasi_abi_dirent, filetype) == 20, "dirent.filetype");
_Static_assert(sizeof(struct wasi_abi_subscription) == 48, "subscription");
_Static_assert(offsetof(struct wasi_abi_subscription, tag) == 8, "subscription.tag");
_Static_assert(offsetof(struct wasi_abi_subscription, id) == 16, "subscription.id");
_Static_assert(offsetof(struct wasi_abi_subscription, timeout) == 24, "subscription.timeout");
_Static_assert(offsetof(struct wasi_abi_subscription, flags) == 40, "subscription.flags");
_Static_assert(sizeof(struct wasi_abi_event) == 32, "event");
_Static_assert(offsetof(struct wasi_abi_event, error) == 8, "event.error");
_Static_assert(offsetof(struct wasi_abi_event, type) == 10, "event.type");
_Static_assert(offsetof(struct wasi_abi_event, nbytes) == 16, "event.nbytes");
_Static_assert(offsetof(struct wasi_abi_event, flags) == 24, "event.flags");

#endif
