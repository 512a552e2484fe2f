/* Runs one test script against the engine. */
#ifndef SPEC_SUITE_H
#define SPEC_SUITE_H

#include "embed/embed.h"

struct suite_counts {
    unsigned passed, failed; /* assertions; a broken module or action is a failure too */
    unsigned refusals;       /* modules that had to be refused, and were */
    unsigned same_words;     /* of those, with the script's own message */
    unsigned skipped;        /* assertions on modules that the engine does not support */
    unsigned unsupported;    /* such modules, refused by name */
};

struct suite_options {
    enum embed_memory memory;
    enum eng_tier tier;
    bool core_2_only; /* the suite is 2.0's, some of which 3.0 contradicts */
    bool only_load; /* load the modules, run nothing: each is accepted or E_UNSUPPORTED */
};

/* Runs the script text (which is modified) and prints each failure as a TAP comment
 * line that starts with name and line. */
struct suite_counts suite_run(const char *name, uint8_t *text, size_t len,
                              const struct suite_options *options);

#endif
