/* Runs what wabt's wasm2c made of a benchmark program (module name "bench"), with as much of
 * WASI as the program needs to print and exit. MODULE_H: the header that wasm2c wrote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include MODULE_H
#include "wasm-rt-impl.h"

struct Z_wasi_snapshot_preview1_instance_t {
    wasm_rt_memory_t *memory;
};

/* fd_write(fd, iovs, count, written); wasm2c's checks are not made for what the host reads. */
u32 Z_wasi_snapshot_preview1Z_fd_write(struct Z_wasi_snapshot_preview1_instance_t *wasi, u32 fd,
                                       u32 iovs, u32 count, u32 written)
{
    uint8_t *memory = wasi->memory->data;
    u32 total = 0;
    for (u32 i = 0; i < count; i++) {
        u32 iov[2];
        memcpy(iov, memory + iovs + 8 * i, sizeof iov);
        if (write(1, memory + iov[0], iov[1]) < 0)
            return 29; /* io */
        total += iov[1];
    }
    memcpy(memory + written, &total, sizeof total);
    return 0;
}

void Z_wasi_snapshot_preview1Z_proc_exit(struct Z_wasi_snapshot_preview1_instance_t *wasi,
                                         u32 code)
{
    exit((int)code);
}

int main(void)
{
    static Z_bench_instance_t instance;
    static struct Z_wasi_snapshot_preview1_instance_t wasi;
    wasm_rt_init();
    Z_bench_init_module();
    Z_bench_instantiate(&instance, &wasi);
    wasi.memory = Z_benchZ_memory(&instance);
    wasm_rt_trap_t trap = wasm_rt_impl_try();
    if (trap != WASM_RT_TRAP_NONE) {
        fprintf(stderr, "wasm2c: %s\n", wasm_rt_strerror(trap));
        return 1;
    }
    Z_benchZ__start(&instance);
    return 0;
}
