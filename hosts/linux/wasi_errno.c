#include "hosts/linux/wasi_errno.h"

#include <errno.h>
#include <stddef.h>

#include "base/assert.h"

enum wasi_errno wasi_errno_of(int linux_errno)
{
    static const struct {
        uint8_t from, to;
    } map[] = {
        { 0, WASI_SUCCESS },
        { E2BIG, WASI_2BIG },
        { EACCES, WASI_ACCES },
        { EADDRINUSE, WASI_ADDRINUSE },
        { EADDRNOTAVAIL, WASI_ADDRNOTAVAIL },
        { EAFNOSUPPORT, WASI_AFNOSUPPORT },
        { EAGAIN, WASI_AGAIN },
        { EALREADY, WASI_ALREADY },
        { EBADF, WASI_BADF },
        { EBUSY, WASI_BUSY },
        { ECANCELED, WASI_CANCELED },
        { ECONNABORTED, WASI_CONNABORTED },
        { ECONNREFUSED, WASI_CONNREFUSED },
        { ECONNRESET, WASI_CONNRESET },
        { EDEADLK, WASI_DEADLK },
        { EDESTADDRREQ, WASI_DESTADDRREQ },
        { EDOM, WASI_DOM },
        { EDQUOT, WASI_DQUOT },
        { EEXIST, WASI_EXIST },
        { EFAULT, WASI_FAULT },
        { EFBIG, WASI_FBIG },
        { EHOSTUNREACH, WASI_HOSTUNREACH },
        { EILSEQ, WASI_ILSEQ },
        { EINPROGRESS, WASI_INPROGRESS },
        { EINTR, WASI_INTR },
        { EINVAL, WASI_INVAL },
        { EIO, WASI_IO },
        { EISCONN, WASI_ISCONN },
        { EISDIR, WASI_ISDIR },
        { ELOOP, WASI_LOOP },
        { EMFILE, WASI_MFILE },
        { EMLINK, WASI_MLINK },
        { EMSGSIZE, WASI_MSGSIZE },
        { ENAMETOOLONG, WASI_NAMETOOLONG },
        { ENETDOWN, WASI_NETDOWN },
        { ENETRESET, WASI_NETRESET },
        { ENETUNREACH, WASI_NETUNREACH },
        { ENFILE, WASI_NFILE },
        { ENOBUFS, WASI_NOBUFS },
        { ENODEV, WASI_NODEV },
        { ENOENT, WASI_NOENT },
        { ENOLCK, WASI_NOLCK },
        { ENOLINK, WASI_NOLINK },
        { ENOMEM, WASI_NOMEM },
        { ENOPROTOOPT, WASI_NOPROTOOPT },
        { ENOSPC, WASI_NOSPC },
        { ENOSYS, WASI_NOSYS },
        { ENOTCONN, WASI_NOTCONN },
        { ENOTDIR, WASI_NOTDIR },
        { ENOTEMPTY, WASI_NOTEMPTY },
        { ENOTSOCK, WASI_NOTSOCK },
        { EOPNOTSUPP, WASI_NOTSUP },
        { ENOTTY, WASI_NOTTY },
        { ENXIO, WASI_NXIO },
        { EOVERFLOW, WASI_OVERFLOW },
        { EPERM, WASI_PERM },
        { EPIPE, WASI_PIPE },
        { EPROTO, WASI_PROTO },
        { EPROTONOSUPPORT, WASI_PROTONOSUPPORT },
        { EPROTOTYPE, WASI_PROTOTYPE },
        { ERANGE, WASI_RANGE },
        { EROFS, WASI_ROFS },
        { ESPIPE, WASI_SPIPE },
        { ESRCH, WASI_SRCH },
        { ESTALE, WASI_STALE },
        { ETIMEDOUT, WASI_TIMEDOUT },
        { ETXTBSY, WASI_TXTBSY },
        { EXDEV, WASI_XDEV },
    };
    for (size_t i = 0; i < base_countof(map); i++)
        if (map[i].from == linux_errno)
            return (enum wasi_errno)map[i].to;
    return WASI_IO;
}
