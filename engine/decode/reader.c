#include "decode/reader.h"

#include "base/strbuf.h"
#include "base/utf8.h"

int reader_fail_with(struct reader *r, int code, const uint8_t *p, const char *message,
                     const char *detail)
{
    if (!r->failed) {
        struct strbuf b;
        strbuf_init(&b, r->err->message, sizeof r->err->message - 1);
        strbuf_cstr(&b, message);
        strbuf_cstr(&b, detail);
        r->err->message[b.len] = 0;
        r->err->code = code;
        r->err->offset = (size_t)((p ? p : r->p) - r->start);
    }
    r->failed = true;
    r->p = r->end;
    return code;
}

int reader_fail(struct reader *r, int code, const uint8_t *p, const char *message)
{
    return reader_fail_with(r, code, p, message, "");
}

uint8_t reader_byte(struct reader *r)
{
    if (r->p < r->end)
        return *r->p++;
    reader_fail(r, E_MALFORMED, NULL, "unexpected end");
    return 0;
}

/* LEB128 of at most `bits` bits. In the last byte that may be there the bits beyond
 * must be zero, or for a signed number equal to its sign. */
static uint64_t leb(struct reader *r, unsigned bits, bool is_signed)
{
    const uint8_t *first = r->p;
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do {
        if (r->p == r->end) {
            reader_fail(r, E_MALFORMED, NULL, "unexpected end");
            return 0;
        }
        byte = *r->p++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80 && shift < bits);
    if (byte & 0x80) {
        reader_fail(r, E_MALFORMED, first, "integer representation too long");
        return 0;
    }
    if (shift > bits) {
        unsigned used = 7 - (shift - bits); /* of the last byte */
        uint8_t rest = (uint8_t)((byte & 0x7f) >> (is_signed ? used - 1 : used));
        uint8_t ones = (uint8_t)(0x7f >> (used - 1));
        if (rest && !(is_signed && rest == ones)) {
            reader_fail(r, E_MALFORMED, first, "integer too large");
            return 0;
        }
    }
    if (is_signed && shift < 64 && byte & 0x40)
        value |= ~(uint64_t)0 << shift;
    return value;
}

uint32_t reader_u32_slow(struct reader *r)
{
    if (reader_left(r) >= 2 && r->p[1] < 0x80) { /* the first has more behind it */
        r->p += 2;
        return (r->p[-2] & 0x7f) | (uint32_t)r->p[-1] << 7;
    }
    return (uint32_t)leb(r, 32, false);
}

int32_t reader_s32(struct reader *r)
{
    if (r->p < r->end && *r->p < 0x40)
        return *r->p++;
    return (int32_t)leb(r, 32, true);
}

int64_t reader_s33(struct reader *r)
{
    return (int64_t)leb(r, 33, true);
}

int64_t reader_s64(struct reader *r)
{
    return (int64_t)leb(r, 64, true);
}

uint64_t reader_u64(struct reader *r)
{
    return leb(r, 64, false);
}

struct span reader_bytes(struct reader *r, size_t len)
{
    if (len > reader_left(r)) {
        reader_fail(r, E_MALFORMED, NULL, "unexpected end of section or function: length out of bounds");
        return SPAN_NONE;
    }
    struct span s = span_of(r->p, len);
    r->p += len;
    return s;
}

uint32_t reader_fixed32(struct reader *r)
{
    struct span s = reader_bytes(r, 4);
    return s.p ? s.p[0] | (uint32_t)s.p[1] << 8 | (uint32_t)s.p[2] << 16 | (uint32_t)s.p[3] << 24
               : 0;
}

uint64_t reader_fixed64(struct reader *r)
{
    uint64_t low = reader_fixed32(r);
    return low | (uint64_t)reader_fixed32(r) << 32;
}

struct span reader_name(struct reader *r)
{
    struct span s = reader_bytes(r, reader_u32(r));
    if (!r->failed && !utf8_valid(s))
        reader_fail(r, E_MALFORMED, s.p, "malformed UTF-8 encoding");
    return r->failed ? SPAN_NONE : s;
}

uint32_t reader_count(struct reader *r, uint32_t max, const char *what)
{
    const uint8_t *at = r->p;
    uint32_t n = reader_u32(r);
    if (n > reader_left(r))
        reader_fail(r, E_MALFORMED, at, "unexpected end: length out of bounds");
    else if (n > max)
        reader_fail_with(r, E_LIMIT, at, "too many ", what);
    return r->failed ? 0 : n;
}
