/* Linux's error numbers in WASI's. */
#ifndef HOSTS_LINUX_WASI_ERRNO_H
#define HOSTS_LINUX_WASI_ERRNO_H

#include "wasi/abi.h"

/* WASI_IO for a number that has no counterpart; WASI_SUCCESS for 0. */
enum wasi_errno wasi_errno_of(int linux_errno);

#endif
