/* The smallest app that another one can hear. */
#include <vyoma/msg.h>

int main(void)
{
    vy_print("@starter: up\n");
    return 0;
}
