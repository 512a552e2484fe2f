/* The C library's functions that base/ and engine/ use: there is no C library here. */
#ifndef MCU_STRING_H
#define MCU_STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int byte, size_t n);
char *strchr(const char *s, int c);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);

#endif
