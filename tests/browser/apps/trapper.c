/* Divides by zero. */
#include <vyoma/io.h>

int main(void)
{
    volatile int seven = 7, zero = 0;
    vy_print("dividing\n");
    return seven / zero;
}
