/* grants: 1; stdin: held open */
/* Not to wait for stdin, while the stream itself stays as it is for those who share it. */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "check.h"

int main(void)
{
    char c;
    struct pollfd p = { .fd = 0, .events = POLLIN };
    CHECK(fcntl(0, F_SETFL, O_NONBLOCK) == 0);
    FAILS(read(0, &c, 1), EAGAIN);
    CHECK(poll(&p, 1, 20) == 0);
    DONE();
}
