/* What is left out of the engine where it has to be small. */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

/* The type v128 and its instructions; without them they are refused by name. */
#ifndef ENG_SIMD
#define ENG_SIMD 1
#endif

/* An interpreter of a quarter of the operations: no forms that take their operands from
 * accumulators, no two operations in one, and no accesses that rely on guard pages (memory_guarded
 * is not looked at). Slower. With it go dispatch_switch.c,
 * fuse_none.c and quick_none.c. */
#ifndef ENG_SMALL
#define ENG_SMALL 0
#endif

#endif
