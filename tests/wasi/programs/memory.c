/* grants: 1 */
/* The driver allows 256 pages: 16 MiB. */
#include "check.h"

int main(void)
{
    size_t got = 0;
    char *last = NULL;
    for (;;) {
        char *p = malloc(100000);
        if (!p)
            break;
        memset(p, 1, 100000);
        last = p;
        got += 100000;
    }
    CHECK(got > 14u << 20 && got < 16u << 20);
    CHECK(last != NULL);
    CHECK(__builtin_wasm_memory_grow(0, 65536) == (size_t)-1);
    CHECK(__builtin_wasm_memory_size(0) <= 256);
    DONE();
}
