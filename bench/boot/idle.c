/* An app that says that it is up and then waits for lines that never come. */
#include <vyoma/io.h>

static char bytes[64];

int main(void)
{
    struct vy_lines in = VY_LINES(VY_STDIN, bytes);
    vy_println("up");
    while (vy_line(&in)) {
    }
    return 0;
}
