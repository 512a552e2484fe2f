/* grants: 1 */
#include <unistd.h>

#include "check.h"

int main(void)
{
    static unsigned char a[256], b[256];
    int bits = 0;
    CHECK(getentropy(a, sizeof a) == 0 && getentropy(b, sizeof b) == 0);
    CHECK(memcmp(a, b, sizeof a) != 0);
    for (size_t i = 0; i < sizeof a; i++)
        bits += __builtin_popcount(a[i]);
    CHECK(bits > 850 && bits < 1200); /* 1,024 expected; 7 standard deviations */
    DONE();
}
