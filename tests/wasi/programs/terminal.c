/* grants: 1; flags: 8; stdout: "a line at once" */
/* Told that stdout is a terminal, the C library writes each line when it ends. */
#include <unistd.h>

#include "check.h"

int main(void)
{
    if (!isatty(1) || isatty(0))
        return 1;
    printf("a line at once\n");
    _exit(0); /* flushes nothing */
}
