/* grants: 1; args: one "two words" ""; env: COLOUR=green EMPTY= */
#include <unistd.h>

#include "check.h"

int main(int argc, char **argv)
{
    CHECK(argc == 4);
    CHECK(strcmp(argv[0], "test-app") == 0);
    CHECK(strcmp(argv[1], "one") == 0);
    CHECK(strcmp(argv[2], "two words") == 0);
    CHECK(strcmp(argv[3], "") == 0);
    CHECK(getenv("COLOUR") && strcmp(getenv("COLOUR"), "green") == 0);
    CHECK(getenv("EMPTY") && strcmp(getenv("EMPTY"), "") == 0);
    CHECK(getenv("PATH") == NULL);
    CHECK(getenv("HOME") == NULL);
    CHECK(isatty(1) == 0); /* it is no terminal unless it is said to be (terminal.c) */
    DONE();
}
