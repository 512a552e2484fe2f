/* Linux's times and file types in WASI's numbers, and back. */
#ifndef HOSTS_LINUX_WASI_VALUES_H
#define HOSTS_LINUX_WASI_VALUES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "wasi/abi.h"

static inline enum wasi_filetype wasi_filetype_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG: return WASI_FILETYPE_REGULAR_FILE;
    case S_IFDIR: return WASI_FILETYPE_DIRECTORY;
    case S_IFLNK: return WASI_FILETYPE_SYMBOLIC_LINK;
    case S_IFCHR: return WASI_FILETYPE_CHARACTER_DEVICE;
    case S_IFBLK: return WASI_FILETYPE_BLOCK_DEVICE;
    case S_IFSOCK: return WASI_FILETYPE_SOCKET_STREAM;
    default: return WASI_FILETYPE_UNKNOWN;
    }
}

/* Nanoseconds since the clock's zero; times before it are 0. */
static inline uint64_t wasi_ns_of(const struct timespec *t)
{
    return t->tv_sec < 0 ? 0 : (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec;
}

static inline struct timespec wasi_timespec_of(uint64_t ns, bool set, bool now)
{
    if (now)
        return (struct timespec){ 0, UTIME_NOW };
    if (!set)
        return (struct timespec){ 0, UTIME_OMIT };
    return (struct timespec){ (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
}

/* The two times of utimensat(2). fstflags: enum wasi_fstflags. */
static inline void wasi_timespecs_of(uint64_t atim, uint64_t mtim, uint16_t fstflags,
                                     struct timespec ret[2])
{
    ret[0] = wasi_timespec_of(atim, fstflags & WASI_FST_ATIM, fstflags & WASI_FST_ATIM_NOW);
    ret[1] = wasi_timespec_of(mtim, fstflags & WASI_FST_MTIM, fstflags & WASI_FST_MTIM_NOW);
}

#endif
