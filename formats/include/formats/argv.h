/* A command line as typed, split into words the way shells do it, without expansion:
 *   'as it is'   "with \" and \\"   a\ b   # no comments
 * An empty pair of quotes is an empty word. */
#ifndef FORMATS_ARGV_H
#define FORMATS_ARGV_H

#include <stddef.h>

#include "base/span.h"

/* Words of line into words[0..max), their bytes into memory[0..cap): both the caller's,
 * and memory must not overlap line. cap >= line.len always suffices. Each word is in one
 * piece. The number of words; E_MALFORMED when a quote is not closed or a backslash is
 * last, E_LIMIT when there are more than max, E_FULL when memory is too small. */
int argv_split(struct span line, char *memory, size_t cap, struct span *words, size_t max);

#endif
