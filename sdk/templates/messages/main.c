/* Answers every message. */
#include <vyoma/msg.h>

int main(void)
{
    static char data[VY_MSG_MAX];
    char from[VY_NAME_MAX + 1];
    size_t len;
    while (vy_recv(from, data, sizeof data, &len, -1) == 0) {
        vy_print("message from ");
        vy_println(from);
        vy_send(from, data, len);
    }
    return 1;
}
