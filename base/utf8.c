#include "base/utf8.h"

/* The ranges of the second byte follow Unicode's table 3-7, "Well-Formed UTF-8
 * Byte Sequences"; every later byte is 80..BF. */
unsigned utf8_next(struct span s, uint32_t *ret)
{
    if (s.len == 0)
        return 0;
    uint8_t b0 = s.p[0];
    if (b0 < 0x80) {
        *ret = b0;
        return 1;
    }
    unsigned n;
    uint8_t lo = 0x80, hi = 0xbf;
    if (b0 >= 0xc2 && b0 <= 0xdf) {
        n = 2;
    } else if (b0 >= 0xe0 && b0 <= 0xef) {
        n = 3;
        if (b0 == 0xe0)
            lo = 0xa0;
        if (b0 == 0xed)
            hi = 0x9f;
    } else if (b0 >= 0xf0 && b0 <= 0xf4) {
        n = 4;
        if (b0 == 0xf0)
            lo = 0x90;
        if (b0 == 0xf4)
            hi = 0x8f;
    } else {
        return 0;
    }
    if (s.len < n || s.p[1] < lo || s.p[1] > hi)
        return 0;
    uint32_t cp = b0 & (0x7fu >> n);
    cp = cp << 6 | (s.p[1] & 0x3fu);
    for (unsigned i = 2; i < n; i++) {
        if ((s.p[i] & 0xc0) != 0x80)
            return 0;
        cp = cp << 6 | (s.p[i] & 0x3fu);
    }
    *ret = cp;
    return n;
}

unsigned utf8_encode(uint32_t cp, uint8_t out[4])
{
    if (cp < 0x80) {
        out[0] = (uint8_t)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (uint8_t)(0xc0 | cp >> 6);
        out[1] = (uint8_t)(0x80 | (cp & 0x3f));
        return 2;
    }
    if (cp < 0x10000) {
        if (cp >= 0xd800 && cp <= 0xdfff)
            return 0;
        out[0] = (uint8_t)(0xe0 | cp >> 12);
        out[1] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
        out[2] = (uint8_t)(0x80 | (cp & 0x3f));
        return 3;
    }
    if (cp > 0x10ffff)
        return 0;
    out[0] = (uint8_t)(0xf0 | cp >> 18);
    out[1] = (uint8_t)(0x80 | (cp >> 12 & 0x3f));
    out[2] = (uint8_t)(0x80 | (cp >> 6 & 0x3f));
    out[3] = (uint8_t)(0x80 | (cp & 0x3f));
    return 4;
}

bool utf8_valid(struct span s)
{
    static const uint64_t HIGH_BITS = UINT64_C(0x8080808080808080);
    uint32_t cp;
    while (s.len) {
        uint64_t word; /* mostly it is all ASCII */
        if (s.len >= sizeof word && (memcpy(&word, s.p, sizeof word), !(word & HIGH_BITS))) {
            s = span_skip(s, sizeof word);
            continue;
        }
        unsigned n = utf8_next(s, &cp);
        if (n == 0)
            return false;
        s = span_skip(s, n);
    }
    return true;
}
