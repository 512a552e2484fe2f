/* Takes all the memory that it gets, and says how much that is. */
#include <vyoma/io.h>

int main(void)
{
    char memory[64];
    struct vy_buf b = VY_BUF(memory);
    while (__builtin_wasm_memory_grow(0, 1) != (size_t)-1)
        continue;
    vy_str(&b, "at most ");
    vy_u64(&b, __builtin_wasm_memory_size(0));
    vy_str(&b, " pages\n");
    vy_flush(&b, VY_STDOUT);
    return 0;
}
