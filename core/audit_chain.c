#include "core/audit_chain.h"

#include "trust/sha256.h"

/* What audit.c writes: {"ts":"2026-01-31T23:59:59.123Z","seq":N, ... ,"prev":"64 digits"}
 * The two places are at fixed distances from the line's ends, so that no text within a
 * record can pretend to be them. */
static const char head[] = "{\"ts\":\"", seq_field[] = "\",\"seq\":", prev_field[] = ",\"prev\":\"";
enum { TS_BYTES = 24, SEQ_AT = sizeof head - 1 + TS_BYTES, HEX = 2 * SHA256_BYTES,
       TAIL = sizeof prev_field - 1 + HEX + 3 /* "}\n */, LOST_NONE = 0 };

void audit_chain_init(struct audit_chain *chain)
{
    memset(chain, 0, sizeof *chain);
}

static int digit(char ch)
{
    return ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static bool read_number(const char *p, const char *end, uint64_t *ret)
{
    uint64_t n = 0;
    const char *from = p;
    while (p < end && *p >= '0' && *p <= '9' && p - from < 19)
        n = 10 * n + (uint64_t)(*p++ - '0');
    *ret = n;
    return p > from;
}

static bool read_hash(const char *p, uint8_t ret[SHA256_BYTES])
{
    for (int i = 0; i < SHA256_BYTES; i++) {
        int high = digit(p[2 * i]), low = digit(p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

struct parsed {
    uint64_t seq, lost;
    uint8_t prev[SHA256_BYTES];
};

/* `"lost":N` stands right before prev, or before "missed":N. It is found from the end. */
static uint64_t read_lost(const char *line, size_t len)
{
    static const char field[] = ",\"lost\":";
    size_t end = len - TAIL;
    uint64_t n = LOST_NONE;
    for (size_t i = end > 64 ? end - 64 : 0; i + sizeof field - 1 <= end; i++)
        if (memcmp(line + i, field, sizeof field - 1) == 0)
            read_number(line + i + sizeof field - 1, line + end, &n);
    return n;
}

static bool parse(const char *line, size_t len, struct parsed *ret)
{
    size_t least = SEQ_AT + sizeof seq_field + TAIL;
    if (len < least || memcmp(line, head, sizeof head - 1) != 0 ||
        memcmp(line + SEQ_AT, seq_field, sizeof seq_field - 1) != 0 ||
        memcmp(line + len - TAIL, prev_field, sizeof prev_field - 1) != 0)
        return false;
    ret->lost = read_lost(line, len);
    return read_number(line + SEQ_AT + sizeof seq_field - 1, line + len, &ret->seq) &&
           read_hash(line + len - TAIL + sizeof prev_field - 1, ret->prev);
}

static void take_line(struct audit_chain *chain)
{
    struct parsed r;
    bool first = chain->records++ == 0;
    bool good = parse(chain->line, chain->line_len, &r);
    if (good && !first) {
        bool follows = memcmp(r.prev, chain->last, SHA256_BYTES) == 0;
        if (r.seq <= chain->seq || (!follows && r.seq == chain->seq + 1))
            good = false;
        else
            chain->missing += r.seq - chain->seq - 1;
    }
    if (!good && !chain->broken_at)
        chain->broken_at = chain->records;
    if (good) {
        chain->seq = r.seq;
        chain->lost += r.lost;
    }
    sha256_of(span_of(chain->line, chain->line_len), chain->last);
}

void audit_chain_feed(struct audit_chain *chain, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char ch = (char)bytes.p[i];
        chain->bytes++;
        if (chain->line_len < sizeof chain->line)
            chain->line[chain->line_len++] = ch;
        else if (!chain->broken_at)
            chain->broken_at = chain->records + 1; /* longer than any record */
        if (ch != '\n')
            continue;
        take_line(chain);
        chain->good_bytes = chain->bytes;
        chain->line_len = 0;
    }
}
