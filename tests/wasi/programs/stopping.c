/* grants: 21; ports: 1; flags: 65536; args: CASE; run by the driver once a case */
/* The driver sends SIGTERM after a while, and closes stdin a little later. */
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

__attribute__((import_module("vyoma"), import_name("msg_recv"))) int
vyoma_msg_recv(char *, size_t, void *, size_t, size_t lens[2], int timeout_ms);

int main(int argc, char **argv)
{
    char text[64];
    size_t lens[2];
    const char *which = argc > 1 ? argv[1] : "";
    if (strcmp(which, "sleep") == 0)
        sleep(30);
    if (strcmp(which, "accept") == 0)
        accept(3, NULL, NULL);
    if (strcmp(which, "message") == 0)
        vyoma_msg_recv(text, 32, text, 32, lens, 5000);
    if (strcmp(which, "stdin") == 0) {
        while (read(0, text, sizeof text) > 0) {
        }
        return 7; /* it had the time to put things in order */
    }
    return 77;
}
