/* Import module "vyoma": what WASI preview 1 has no words for.
 *
 * docs/app-abi.md is the description for app authors. Signatures as the guest sees
 * them; all are i32 and return a WASI error number:
 *
 *   app_name(buf, cap, len_out)
 *       The app's own name, without NUL. len_out: its length, also on WASI_RANGE (cap too small).
 *   msg_send(dest, dest_len, data, data_len)                       needs ipc
 *       WASI_NOENT no such app, WASI_NOTCAPABLE it may not be sent to, WASI_AGAIN its queue
 *       is full, WASI_MSGSIZE over VYOMA_MSG_MAX.
 *   msg_recv(from, from_cap, data, data_cap, out_lens, timeout_ms)  needs ipc
 *       out_lens: two u32, the lengths of sender and message. WASI_MSGSIZE: out_lens says
 *       what is needed and the message stays. WASI_AGAIN, WASI_TIMEDOUT.
 *   net_connect(host, host_len, port, fd_out)                      needs network.connect
 *       A connected stream socket. WASI_NOTCAPABLE: the manifest does not list the destination.
 *   net_listener(port, fd_out)                                     needs network
 *       The descriptor of the socket that listens on a declared port, the same one at every
 *       call. WASI_NOTCAPABLE: the manifest does not list the port.
 */
#ifndef WASI_VYOMA_H
#define WASI_VYOMA_H

#include "wasi/wasi.h"

#define VYOMA_MODULE "vyoma"
#define WASI_PREVIEW1_MODULE "wasi_snapshot_preview1"

#endif
