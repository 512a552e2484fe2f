#include "sim.h"
const char *mutant_name(int mutant) { (void)mutant; return NULL; }
void mutant_apply(struct world *w) { (void)w; }
