/* If this line is ever printed, an import was linked that the manifest does not name. */
#include <vyoma/net.h>

int main(void)
{
    int fd;
    vy_println("rogue-import: SUCCEEDED");
    return vy_connect("127.0.0.1", 80, &fd);
}
