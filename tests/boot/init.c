/* The least that can be a first process: says one line and switches the machine off.
 * bench/boot measures against it what the supervisor adds to a boot, and tests/boot
 * checks with it that the kernel alone works. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
    static const char line[] = "bare init is up\n";
    if (write(1, line, sizeof line - 1) < 0)
        return 1; /* which is a panic, and the test sees it */
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
