/* Expressions: + - * / % ^, signs, parentheses, sqrt abs floor ceil round, pi, e, and `ans`,
 * the value before. */
#ifndef CALCULATOR_EXPR_H
#define CALCULATOR_EXPR_H

#include <vyoma/io.h>

struct expr_error {
    size_t at; /* byte in the text, from 0 */
    const char *what;
};

/* True with *ret, or false with *err. */
bool expr_eval(const char *text, double *ret, struct expr_error *err);

#endif
