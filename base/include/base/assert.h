/* Assertions: for our own mistakes, never for input. They stay on in release
 * builds; a failed one stops the program at the spot (SIGILL on Linux), since
 * going on after a broken invariant is how a sandbox is lost. */
#ifndef BASE_ASSERT_H
#define BASE_ASSERT_H

#define base_assert(cond) ((cond) ? (void)0 : __builtin_trap())

/* Costly checks of whole structures, on in debug builds only. */
#ifdef BASE_PARANOID
#define base_paranoid(cond) base_assert(cond)
#else
#define base_paranoid(cond) ((void)sizeof(cond))
#endif

#define base_countof(array) (sizeof(array) / sizeof((array)[0]))

#endif
