/* grants: 17 */
#include "check.h"

#define VYOMA(name) __attribute__((import_module("vyoma"), import_name(#name)))
VYOMA(app_name) int vyoma_app_name(char *, size_t, size_t *);
VYOMA(msg_send) int vyoma_msg_send(const char *, size_t, const void *, size_t);
VYOMA(msg_recv) int vyoma_msg_recv(char *, size_t, void *, size_t, size_t lens[2], int timeout_ms);

enum { AGAIN = 6, MSGSIZE = 35, NOENT = 44, TIMEDOUT = 73 };

int main(void)
{
    static char big[65536], back[65536];
    char name[32];
    size_t len, lens[2];
    CHECK(vyoma_app_name(name, sizeof name, &len) == 0 && len == 8);
    CHECK(memcmp(name, "test-app", 8) == 0);
    CHECK(vyoma_msg_recv(name, 32, back, 32, lens, 0) == AGAIN);
    CHECK(vyoma_msg_recv(name, 32, back, 32, lens, 10) == TIMEDOUT);
    CHECK(vyoma_msg_send("nobody", 6, "x", 1) == NOENT);
    for (size_t i = 0; i < sizeof big; i++)
        big[i] = (char)(i * 7);
    CHECK(vyoma_msg_send("test-app", 8, big, sizeof big) == 0);
    CHECK(vyoma_msg_recv(name, 32, back, 100, lens, -1) == MSGSIZE && lens[1] == sizeof big);
    memset(name, 0, sizeof name);
    CHECK(vyoma_msg_recv(name, 32, back, sizeof back, lens, -1) == 0);
    CHECK(lens[0] == 8 && lens[1] == sizeof big && memcmp(big, back, sizeof big) == 0);
    CHECK(memcmp(name, "test-app", 8) == 0);
    CHECK(vyoma_msg_send("test-app", 8, NULL, 0) == 0);
    CHECK(vyoma_msg_recv(name, 32, back, 0, lens, -1) == 0 && lens[1] == 0);
    CHECK(vyoma_msg_send("test-app", 8, big, sizeof big + 1) == MSGSIZE);
    DONE();
}
