/* The smallest app: one line, 0. */
#include <vyoma/io.h>

int main(void)
{
    vy_println("Hello from Vyoma");
    return 0;
}
