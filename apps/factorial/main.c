/* n! to the last digit. Numbers are limbs of nine decimal digits, lowest first, so that
 * printing needs no division of the whole number. */
#include <vyoma/serve.h>

enum { N_MAX = 5000, LIMBS_MAX = 2000 }; /* 5000! has 16,326 digits */
static const uint32_t LIMB = 1000000000;

static uint32_t limbs[LIMBS_MAX];
static char out_bytes[20000];

/* Multiplies limbs[0, n) by k and returns the new n. */
static uint32_t multiply(uint32_t n, uint32_t k)
{
    uint64_t carry = 0;
    for (uint32_t i = 0; i < n; i++) {
        carry += (uint64_t)limbs[i] * k;
        limbs[i] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
    if (carry)
        limbs[n++] = (uint32_t)carry;
    return n;
}

static int answer(char *text, struct vy_buf *out)
{
    const char *s = text;
    uint64_t n;
    while (*s == ' ')
        s++;
    if (!vy_parse_u64(&s, &n) || *s || n > N_MAX) {
        vy_str(out, "factorial: give a whole number from 0 to 5000\n");
        return 1;
    }
    uint32_t used = 1;
    limbs[0] = 1;
    for (uint32_t k = 2; k <= n; k++)
        used = multiply(used, k);
    vy_u64(out, n);
    vy_str(out, "! = ");
    vy_u64(out, limbs[used - 1]);
    for (uint32_t i = used - 1; i-- > 0;)
        vy_u64_pad(out, limbs[i], 9);
    vy_char(out, '\n');
    return 0;
}

int main(void)
{
    struct vy_buf out = VY_BUF(out_bytes);
    return vy_serve(answer, &out);
}
