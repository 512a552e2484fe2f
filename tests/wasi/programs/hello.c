/* grants: 1; stdin: "12 apples"; stdout: "12 apples, thirteen"; stderr: "and a word on stderr" */
#include <stdio.h>

int main(void)
{
    int n;
    char what[32];
    if (scanf("%d %31s", &n, what) != 2)
        return 1;
    printf("%d %s, ", n, what);
    puts("thirteen");
    fprintf(stderr, "and a word on stderr\n");
    return getchar() == EOF ? 0 : 2;
}
