/* grants: 0; code: 42 */
/* Computing and exiting needs nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    uint8_t bytes[16];
    struct timespec t;
    if (getentropy(bytes, sizeof bytes) != 0 || clock_gettime(CLOCK_REALTIME, &t) != 0)
        return 1;
    return 42;
}
