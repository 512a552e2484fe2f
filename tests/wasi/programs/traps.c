/* grants: 1; args: CASE; run by the driver once a case */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static volatile int stop;

/* Keeps nothing in memory, where the C library's own stack would end first. */
__attribute__((noinline)) static int recurse(int n)
{
    return stop ? n : recurse(n + 1) * 3 + n;
}

__attribute__((noinline)) static void read_far(uint32_t at)
{
    *(volatile char *)(uintptr_t)at;
}

static int two_arguments(int a, int b) { return a + b; }
static int (*volatile function)(int, int) = two_arguments;

int main(int argc, char **argv)
{
    volatile int zero = 0, one = 1, min = INT32_MIN;
    const char *which = argc > 1 ? argv[1] : "";
    if (strcmp(which, "unreachable") == 0)
        __builtin_trap();
    if (strcmp(which, "abort") == 0)
        abort();
    if (strcmp(which, "divide") == 0)
        return one / zero;
    if (strcmp(which, "overflow") == 0)
        return min / (zero - one);
    if (strcmp(which, "memory") == 0)
        read_far(0xfffffff0u);
    if (strcmp(which, "stack") == 0)
        return recurse(0);
    if (strcmp(which, "indirect") == 0)
        return ((int (*)(void))(uintptr_t)function)();
    if (strcmp(which, "null") == 0)
        return ((int (*)(void))(uintptr_t)zero)();
    if (strcmp(which, "spin") == 0)
        for (;;)
            zero++;
    return 77;
}
