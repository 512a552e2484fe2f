/* Every bound that the engine puts on a module, in one place. What exceeds one is
 * refused with E_LIMIT and the bound's name. They follow the limits that browsers
 * agreed on where those exist (WebAssembly JavaScript Interface, "Limits"). */
#ifndef ENGINE_LIMITS_H
#define ENGINE_LIMITS_H

#include "engine/config.h"

enum {
    ENG_MAX_MODULE_BYTES = 1 << 30,
    ENG_MAX_TYPES = 1000000,
    ENG_MAX_FUNCTIONS = 1000000, /* imported and defined */
    ENG_MAX_IMPORTS = 100000,
    ENG_MAX_EXPORTS = 100000,
    ENG_MAX_GLOBALS = 1000000,
    ENG_MAX_TABLES = 100000,
    ENG_MAX_MEMORIES = 1000,
    ENG_MAX_TAGS = 100000,
    ENG_MAX_CATCHES = 1000, /* of a try_table */
    ENG_MAX_SEGMENTS = 100000, /* of data; likewise of elements */
    ENG_MAX_TABLE_ELEMENTS = 10000000,
    ENG_MAX_PARAMS = 1000, /* likewise results, of functions and blocks */
    ENG_MAX_LOCALS = ENG_SMALL ? 2000 : 50000, /* two bytes each while a module is loaded */
    ENG_MAX_FRAME_SLOTS = 65000, /* locals, link and operands of one function */
    ENG_MAX_NESTING = 50000,     /* of blocks in a function */
    ENG_MAX_BR_TABLE = 65520,
    ENG_MAX_FUNCTION_BYTES = 7654321,
    ENG_MAX_CODE_WORDS = 1 << 28, /* of 8 bytes, internal form of one module */
    ENG_MAX_REENTRY = 100, /* eng_call in a host function in eng_call ...: the host's stack */
    ENG_MAX_NAME_BYTES = 1 << 24, /* of a name section that is kept */
};

#endif
