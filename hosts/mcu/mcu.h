/* What the parts of this host have of one another. */
#ifndef MCU_MCU_H
#define MCU_MCU_H

#include <stddef.h>
#include <stdint.h>

/* --- start.c: the board ---------------------------------------------------------- */

void mcu_write(const char *p, size_t len);
_Noreturn void mcu_exit(uint32_t status);

/* --- main.c: runs the app, returns its status ------------------------------------- */

uint32_t mcu_main(void);

/* --- heap.c: all memory that the linker left over ----------------------------------- */

/* As eng_env.resize. */
void *heap_resize(void *ctx, void *old, size_t old_size, size_t new_size);
/* The most that was in use at a time, of *ret_all bytes. */
size_t heap_most(size_t *ret_all);

#endif
