/* Text built into a caller's buffer, without libc. A write that does not fit
 * sets `overflow` and is dropped whole; what was written before stays. */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct strbuf {
    char *p;
    size_t cap;
    size_t len; /* invariant: len <= cap */
    bool overflow;
};

void strbuf_init(struct strbuf *b, char *memory, size_t cap);
void strbuf_span(struct strbuf *b, struct span s);
void strbuf_cstr(struct strbuf *b, const char *s);
void strbuf_char(struct strbuf *b, char c);
void strbuf_u64(struct strbuf *b, uint64_t v);
void strbuf_i64(struct strbuf *b, int64_t v);
/* Decimal, left-padded with zeros to at least `width` digits (at most 20). */
void strbuf_u64_pad(struct strbuf *b, uint64_t v, unsigned width);
/* Lower-case hex without prefix, at least `width` digits (at most 16). */
void strbuf_hex(struct strbuf *b, uint64_t v, unsigned width);
/* Each byte of s as two hex digits. */
void strbuf_hex_bytes(struct strbuf *b, struct span s);
/* A JSON string with its quotes (RFC 8259). Ill-formed UTF-8 becomes U+FFFD. Of a text that
 * does not fit, here and in strbuf_printable, a beginning of whole characters is kept. */
void strbuf_json(struct strbuf *b, struct span s);
/* For a person's terminal: control characters other than tab become '?', so
 * that no text of an app can drive the terminal; ill-formed UTF-8 too. */
void strbuf_printable(struct strbuf *b, struct span s);
/* An instant as RFC 3339 UTC with milliseconds, "2026-01-31T23:59:59.123Z".
 * unix_ms: milliseconds since 1970, years 1970 to 9999. */
void strbuf_rfc3339(struct strbuf *b, uint64_t unix_ms);

static inline struct span strbuf_done(const struct strbuf *b)
{
    return span_of(b->p, b->len);
}

#endif
