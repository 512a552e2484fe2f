#include <vyoma/io.h>

int main(void)
{
    vy_println("Hello from my-app");
    return 0;
}
