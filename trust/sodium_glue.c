/* What Debian's libsodium.a wants from its surroundings, for programs that are
 * linked with musl and use only a little of it.
 * docs/decisions/0010-libsodium-in-static-programs.md has the reasons.
 *
 * The archive was compiled against glibc with _FORTIFY_SOURCE, so it calls glibc's
 * checked entry point for explicit_bzero, the only one of that kind in it.
 *
 * The two weak functions stand in for libsodium's own as long as nothing else
 * pulls in the objects that define them: those objects drag the whole library
 * behind them (210 KB against 4 KB for a hash). When a program uses more of
 * libsodium, the library's strong definitions win. */
#include <stddef.h>
#include <string.h>

#include "base/assert.h"

void __explicit_bzero_chk(void *p, size_t len, size_t object_size);
void sodium_memzero(void *p, size_t len);
void sodium_misuse(void);

/* The empty asm makes the compiler believe that the zeros are read. */
static void wipe(void *p, size_t len)
{
    memset(p, 0, len);
    __asm__ volatile("" : : "r"(p) : "memory");
}

void __explicit_bzero_chk(void *p, size_t len, size_t object_size)
{
    base_assert(len <= object_size);
    wipe(p, len);
}

__attribute__((weak)) void sodium_memzero(void *p, size_t len)
{
    wipe(p, len);
}

__attribute__((weak)) void sodium_misuse(void)
{
    __builtin_trap();
}
