/* grants: 1; code: 126; stderr: "key filesystem" */
/* A program that opens files does not even start without the right to. */
#include <stdio.h>

int main(void)
{
    return fopen("/data/x", "r") ? 1 : 2;
}
