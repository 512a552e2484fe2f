/* Constants of the test scripts: arguments and expected results. */
#ifndef SPEC_VALUE_H
#define SPEC_VALUE_H

#include "engine/engine.h"
#include "script.h"

/* (i32.const 1), (ref.null func), (ref.extern 1): an argument. 0 or E_MALFORMED. */
int value_parse(const struct node *n, union eng_value *ret, uint8_t *ret_type);

/* True when a result v of the given type is what n, which may be a pattern such as
 * (f32.const nan:canonical) or (either ...), expects. */
bool value_matches(const struct node *n, union eng_value v, uint8_t type);

/* "i32 5", for people. */
void value_print(char *out, size_t size, union eng_value v, uint8_t type);

#endif
