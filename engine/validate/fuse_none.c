/* Where no two operations are made into one: an engine that has to be small (ENG_SMALL). */
#include "validate/func.h"

bool fuse_binary(struct compiler *c, unsigned op, uint8_t type, struct value *a, struct value *b,
                 int *ret)
{
    return false;
}

bool fuse_count(struct compiler *c, const struct condition *k, unsigned index, uint32_t *ret_site)
{
    return false;
}

bool fuse_load_branch(struct compiler *c, const struct condition *k, unsigned index, bool back,
                      uint32_t *ret_site)
{
    return false;
}

bool fuse_mask_branch(struct compiler *c, const struct condition *k, unsigned index, bool back,
                      uint32_t *ret_site)
{
    return false;
}

void fuse_increments(struct compiler *c)
{
}

bool fused_scaled_sum(const struct compiler *c, uint32_t *a, uint32_t *b, uint32_t *shift)
{
    return false;
}
