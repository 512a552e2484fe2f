/* A first process that becomes the supervisor, and leaves a child behind that hurts it: a few
 * seconds later process 1 gets SIGSEGV, as if it had done wrong itself. */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>

int main(void)
{
    static char name[] = "/init";
    static char *const argv[] = { name, NULL }, *const env[] = { NULL };
    if (fork() == 0) {
        sleep(3);
        kill(1, SIGSEGV);
        for (;;)
            pause();
    }
    execve("/bin/vyoma-init", argv, env);
    return 1; /* which is a panic, and the test sees it */
}
