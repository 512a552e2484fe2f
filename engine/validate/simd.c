/* Names of the SIMD instructions, which are refused by name. */
#include "validate/func.h"

const char *simd_name(uint32_t opcode, char buffer[48])
{
    (void)opcode;
    (void)buffer;
    return "v128";
}
