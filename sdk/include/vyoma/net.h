/* Sockets: only the ports and destinations that vyoma.toml lists exist.
 *
 *     [capabilities.network]
 *     ports = [8080]
 *     connect = ["example.org:80"]
 *
 * A socket is a descriptor: read and write it with vy_write and __wasi_fd_read. */
#ifndef VYOMA_NET_H
#define VYOMA_NET_H

#include <vyoma/msg.h>

VY_IMPORT("net_connect")
int vy_import_net_connect(const char *host, size_t host_len, uint32_t port, int *fd);
VY_IMPORT("net_listener") int vy_import_net_listener(uint32_t port, int *fd);

/* A connection to a declared destination. __WASI_ERRNO_NOTCAPABLE: it is not declared. */
VY_FN int vy_connect(const char *host, uint16_t port, int *ret_fd)
{
    return vy_import_net_connect(host, strlen(host), port, ret_fd);
}

/* The socket that listens on a declared port; it was bound before the app began.
 * __WASI_ERRNO_NOTCAPABLE: the port is not declared. */
VY_FN int vy_listener(uint16_t port, int *ret_fd)
{
    return vy_import_net_listener(port, ret_fd);
}

/* A waiting connection, which will not block in reads and writes. __WASI_ERRNO_AGAIN:
 * none waits (for a listener that does not block). */
VY_FN int vy_accept(int listener, int *ret_fd)
{
    return __wasi_sock_accept(listener, __WASI_FDFLAGS_NONBLOCK, ret_fd);
}

/* Makes fd give __WASI_ERRNO_AGAIN where it would block. */
VY_FN int vy_nonblocking(int fd)
{
    return __wasi_fd_fdstat_set_flags(fd, __WASI_FDFLAGS_NONBLOCK);
}

#endif
