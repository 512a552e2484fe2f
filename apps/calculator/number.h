/* Decimal numbers in and out, within a unit or two of the last of 15 digits: a calculator
 * needs no more, and exact conversion costs more than the whole app. */
#ifndef CALCULATOR_NUMBER_H
#define CALCULATOR_NUMBER_H

#include <vyoma/io.h>

/* Digits with at most one point and an exponent, or 0x and hexadecimal digits, at *s; moves
 * *s behind them. False when there is no number. */
bool number_read(const char **s, double *ret);

/* Whole numbers below 10^15 as they are; others with at most 14 digits, without zeros at the
 * end, and an exponent where they would be long. */
void number_write(struct vy_buf *out, double v);

#endif
