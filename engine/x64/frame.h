/* The stack of compiled code, a frame at a time; private to x64/. run.c. */
#ifndef ENGINE_X64_FRAME_H
#define ENGINE_X64_FRAME_H

#include "runtime/native.h"

struct native_frame {
    struct eng_store *s;
    uintptr_t pc;       /* in it: a return address, or that of a trap */
    const uint64_t *sp; /* in its body */
    const struct eng_instance *inst;
    const struct native_bridge *bridge; /* innermost that is further out */
    /* Found: */
    const struct eng_module *m;
    const struct native_func *f;
    uint32_t func, offset; /* number among the defined ones, place in the module */
    bool far;
    bool ended; /* it is a bridge */
    uintptr_t found; /* the pc that all this is of, 0: none */
};
/* Begins with s, pc, sp, inst and the store's bridge. False outside of the activation. */
bool native_frame_find(struct native_frame *x);
/* The same for a frame that has called, without finding its offset: that takes as long as its
 * function is large, and a stack may have many such. */
bool native_frame_pass(struct native_frame *x);
/* To the caller of one that was found. */
void native_frame_up(struct native_frame *x);

#endif
