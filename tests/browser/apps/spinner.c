/* Spins for ever: nothing but its end stops it. */
#include <vyoma/io.h>

int main(void)
{
    vy_print("spinning\n");
    for (volatile int go = 1; go;) {
    }
    return 0;
}
