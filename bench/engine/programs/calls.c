/* Calls and little else: Fibonacci, Ackermann, Takeuchi, and calls through a table. */
#include "program.h"

enum { ROUNDS = SCALED(15) };

/* Kept from being inlined or turned into loops, in the native build too: calls are
 * what is measured. */
#define CALL __attribute__((noinline))

static CALL uint32_t fib(uint32_t n)
{
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static CALL uint32_t ackermann(uint32_t m, uint32_t n)
{
    if (m == 0)
        return n + 1;
    if (n == 0)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

static CALL int tak(int x, int y, int z)
{
    if (y >= x)
        return z;
    return tak(tak(x - 1, y, z), tak(y - 1, z, x), tak(z - 1, x, y));
}

static CALL uint32_t add(uint32_t a, uint32_t b)
{
    return a + b;
}

static CALL uint32_t sub(uint32_t a, uint32_t b)
{
    return a - b;
}

static CALL uint32_t xor(uint32_t a, uint32_t b)
{
    return a ^ b;
}

static CALL uint32_t scale(uint32_t a, uint32_t b)
{
    return a * 31 + b;
}

static uint32_t (*const volatile table[4])(uint32_t, uint32_t) = { add, sub, xor, scale };

static uint32_t indirect(uint32_t count)
{
    uint32_t sum = 1;
    for (uint32_t i = 0; i < count; i++)
        sum = table[(sum ^ i) & 3](sum, i);
    return sum;
}

int main(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < ROUNDS; i++) {
        sum = mix(sum, fib(32));
        sum = mix(sum, ackermann(2, 1500 + (uint32_t)i));
        sum = mix(sum, (uint64_t)tak(20 + i % 4, 13, 6));
        sum = mix(sum, indirect(8000000));
    }
    return finish(sum);
}
