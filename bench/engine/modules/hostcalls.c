/* Calls over the border between guest and host. Not a program: no main. */
__attribute__((import_module("bench"), import_name("same"))) unsigned host_same(unsigned x);

unsigned to_host(unsigned count);
unsigned same(unsigned x);

/* The sum of 0 to count - 1 (a multiple of ten), each number handed to the host and back. Ten
 * calls a turn, so that the loop weighs little. */
unsigned to_host(unsigned count)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < count; i += 10) {
        sum += host_same(i) + host_same(i + 1) + host_same(i + 2) + host_same(i + 3);
        sum += host_same(i + 4) + host_same(i + 5) + host_same(i + 6) + host_same(i + 7);
        sum += host_same(i + 8) + host_same(i + 9);
    }
    return sum;
}

unsigned same(unsigned x)
{
    return x;
}
