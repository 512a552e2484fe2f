/* Constants of the test scripts: arguments and expected results. */
#ifndef SPEC_VALUE_H
#define SPEC_VALUE_H

#include "engine/engine.h"
#include "script.h"

/* A value is one slot, or two for a v128. */
enum { VALUE_SLOTS_MAX = 2 };

/* (i32.const 1), (v128.const i32x4 0 1 2 3), (ref.null func), (ref.extern 1): an argument.
 * ret has room for any. 0 or E_MALFORMED. */
int value_parse(const struct node *n, union eng_value *ret, uint8_t *ret_type);

/* True when a result v of the given type is what n, which may be a pattern such as
 * (f32.const nan:canonical) or (either ...), expects. A NaN has to be the positive canonical one, with any_sign also the negative. */
bool value_matches(const struct node *n, const union eng_value *v, uint8_t type, bool any_sign);

/* "i32 5", for people. */
void value_print(char *out, size_t size, const union eng_value *v, uint8_t type);

#endif
