/* Where nothing is compiled, nothing is only validated. */
#include "validate/func.h"

void quick_begin(struct compiler *c)
{
}

void quick_run(struct compiler *c)
{
}
