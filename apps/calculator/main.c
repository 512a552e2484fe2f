/* Reads a request, writes the value or where it went wrong. */
#include <vyoma/serve.h>

#include "expr.h"
#include "number.h"

static char out_bytes[512];

static int answer(char *text, struct vy_buf *out)
{
    struct expr_error err;
    double value;
    if (expr_eval(text, &value, &err)) {
        vy_str(out, "= ");
        number_write(out, value);
        vy_char(out, '\n');
        return 0;
    }
    vy_str(out, "error at column ");
    vy_u64(out, err.at + 1);
    vy_str(out, ": ");
    vy_str(out, err.what);
    vy_char(out, '\n');
    return 1;
}

int main(void)
{
    struct vy_buf out = VY_BUF(out_bytes);
    return vy_serve(answer, &out);
}
