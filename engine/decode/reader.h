/* Reads a module's bytes. The first failure is remembered and sticks: later reads
 * return zeros, so a caller may read several things and ask `failed` once. */
#ifndef ENGINE_DECODE_READER_H
#define ENGINE_DECODE_READER_H

#include "base/err.h"
#include "engine/engine.h"

struct reader {
    const uint8_t *start; /* of the module: offsets count from here */
    const uint8_t *p, *end;
    bool failed;
    struct eng_error *err;
};

/* Fills *err at p (or at the reader's place when NULL) unless it has failed before.
 * Always returns code, which must be negative. */
int reader_fail(struct reader *r, int code, const uint8_t *p, const char *message);
/* The same with text (an opcode's name, a limit's) after the message. */
int reader_fail_with(struct reader *r, int code, const uint8_t *p, const char *message,
                     const char *detail);

uint32_t reader_u32_slow(struct reader *r);
uint64_t reader_u64(struct reader *r);
uint8_t reader_byte(struct reader *r);
int32_t reader_s32(struct reader *r);
int64_t reader_s33(struct reader *r);
int64_t reader_s64(struct reader *r);
uint32_t reader_fixed32(struct reader *r);
uint64_t reader_fixed64(struct reader *r);
/* Borrows len bytes. */
struct span reader_bytes(struct reader *r, size_t len);
/* A length and that many bytes of well-formed UTF-8. */
struct span reader_name(struct reader *r);
/* A count of things that take at least one byte each and may be at most `max`. */
uint32_t reader_count(struct reader *r, uint32_t max, const char *what);

static inline uint32_t reader_u32(struct reader *r)
{
    if (r->p < r->end && *r->p < 0x80)
        return *r->p++;
    return reader_u32_slow(r);
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->p);
}

#endif
