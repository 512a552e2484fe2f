#include <vyoma/io.h>

int main(void)
{
    vy_println("Hello from {{name}}");
    return 0;
}
