/* An app's arguments and environment without an allocator: a main() that takes argv
 * pulls in 8 KB of start-up code, this does not. */
#ifndef VYOMA_ARGS_H
#define VYOMA_ARGS_H

#include <vyoma/io.h>

enum { VY_ARGS_MAX = 32, VY_ARGS_BYTES = 2048 };

struct vy_args {
    int count;
    char *v[VY_ARGS_MAX + 1]; /* v[0] is the app's name; v[count] is NULL */
    char bytes[VY_ARGS_BYTES];
};

/* 0, or an error: __WASI_ERRNO_2BIG when there are more than fit, with count 0. */
VY_FN int vy_args_get(struct vy_args *a)
{
    __wasi_size_t count = 0, bytes = 0;
    a->count = 0;
    a->v[0] = NULL;
    int err = __wasi_args_sizes_get(&count, &bytes);
    if (err)
        return err;
    if (count > VY_ARGS_MAX || bytes > VY_ARGS_BYTES)
        return __WASI_ERRNO_2BIG;
    err = __wasi_args_get((uint8_t **)a->v, (uint8_t *)a->bytes);
    if (err)
        return err;
    a->count = (int)count;
    a->v[count] = NULL;
    return 0;
}

#endif
