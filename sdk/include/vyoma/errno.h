/* Names of WASI error numbers. Costs a kilobyte: for apps that show errors to people. */
#ifndef VYOMA_ERRNO_H
#define VYOMA_ERRNO_H

/* "noent", "notcapable", ... as the WASI preview 1 text spells them. */
static inline __attribute__((unused)) const char *vy_errno_name(int err)
{
    static const char names[][15] = {
        "success", "2big", "acces", "addrinuse", "addrnotavail", "afnosupport", "again",
        "already", "badf", "badmsg", "busy", "canceled", "child", "connaborted", "connrefused",
        "connreset", "deadlk", "destaddrreq", "dom", "dquot", "exist", "fault", "fbig",
        "hostunreach", "idrm", "ilseq", "inprogress", "intr", "inval", "io", "isconn", "isdir",
        "loop", "mfile", "mlink", "msgsize", "multihop", "nametoolong", "netdown", "netreset",
        "netunreach", "nfile", "nobufs", "nodev", "noent", "noexec", "nolck", "nolink", "nomem",
        "nomsg", "noprotoopt", "nospc", "nosys", "notconn", "notdir", "notempty",
        "notrecoverable", "notsock", "notsup", "notty", "nxio", "overflow", "ownerdead", "perm",
        "pipe", "proto", "protonosupport", "prototype", "range", "rofs", "spipe", "srch", "stale",
        "timedout", "txtbsy", "xdev", "notcapable",
    };
    return err >= 0 && err < (int)(sizeof names / sizeof names[0]) ? names[err] : "unknown";
}

#endif
