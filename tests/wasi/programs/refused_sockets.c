/* grants: 3; code: 126; stderr: "key network.ports" */
#include <stdio.h>
#include <sys/socket.h>

int main(void)
{
    printf("%d\n", (int)accept(3, NULL, NULL));
    return 0;
}
