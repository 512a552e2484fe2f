/* What is left out of the engine where it has to be small. */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

/* The type v128 and its instructions; without them they are refused by name. */
#ifndef ENG_SIMD
#define ENG_SIMD 1
#endif

#endif
