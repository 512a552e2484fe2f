/* A borrowed run of bytes. Not NUL-terminated, never owned: whoever hands one
 * out says how long the bytes live. */
#ifndef BASE_SPAN_H
#define BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *p;
    size_t len;
};

#define SPAN_NONE ((struct span){ NULL, 0 })
/* A span over a string literal, without its NUL. */
#define SPAN_LIT(s) ((struct span){ (const uint8_t *)("" s), sizeof(s) - 1 })

static inline struct span span_of(const void *p, size_t len)
{
    return (struct span){ (const uint8_t *)p, len };
}

static inline struct span span_of_cstr(const char *s)
{
    return span_of(s, strlen(s));
}

static inline bool span_eq(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool span_eq_cstr(struct span a, const char *s)
{
    return span_eq(a, span_of_cstr(s));
}

static inline bool span_starts(struct span a, struct span prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.p, prefix.p, prefix.len) == 0);
}

/* The bytes from `from` on; empty when from >= len. */
static inline struct span span_skip(struct span a, size_t from)
{
    return from >= a.len ? span_of(a.p + a.len, 0) : span_of(a.p + from, a.len - from);
}

/* At most the first `len` bytes. */
static inline struct span span_take(struct span a, size_t len)
{
    return span_of(a.p, len < a.len ? len : a.len);
}

/* Index of the first byte equal to c, or len when there is none. */
static inline size_t span_find(struct span a, uint8_t c)
{
    const uint8_t *hit = a.len ? memchr(a.p, c, a.len) : NULL;
    return hit ? (size_t)(hit - a.p) : a.len;
}

/* Lexicographic by bytes: <0, 0, >0. */
static inline int span_cmp(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

#endif
