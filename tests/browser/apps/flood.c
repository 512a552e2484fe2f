/* Writes as fast as it may, for ever. */
#include <vyoma/io.h>

int main(void)
{
    for (;;)
        vy_print("flood flood flood flood flood flood flood flood flood flood flood flood\n");
    return 0;
}
