/* The same, with a bound in its manifest. */
#include "filler.c"
