/* The module "spectest" that the specification's scripts import from. */
#ifndef SPEC_SPECTEST_H
#define SPEC_SPECTEST_H

#include "engine/engine.h"

enum { SPECTEST_EXPORTS = 13 };

struct spectest {
    struct {
        const char *name;
        struct eng_extern value;
    } exports[SPECTEST_EXPORTS];
};

/* 0 or the engine's error. */
int spectest_create(struct eng_store *s, struct spectest *ret);
/* 0 or E_NOENT. */
int spectest_find(const struct spectest *t, struct span name, struct eng_extern *ret);

#endif
