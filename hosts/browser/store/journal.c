#include "hosts/browser/journal.h"

#include "base/assert.h"

struct fixed {
    uint32_t len, sum; /* of all of it; of what follows, with generation and number */
    uint16_t op;
    uint8_t type, name_len, name2_len, zero[3];
    uint32_t data_len, ino, parent, parent2;
    uint64_t at, time, time2;
};
_Static_assert(sizeof(struct fixed) == JOURNAL_FIXED_BYTES, "the format");

struct head {
    char magic[8];
    uint64_t generation;
    uint32_t sum, zero;
};
_Static_assert(sizeof(struct head) == JOURNAL_HEAD_BYTES, "the format");
static const char magic[8] = "vyoma1\n";

/* CRC-32, the reversed polynomial 0xedb88320, of eight bytes at a time: row i of the table is of a
 * byte with i more behind it (Kounavis and Berry, "A Systematic Approach to Building High Performance
 * Software-Based CRC Generators", 2005). */
typedef uint32_t crc_row[256];
enum { CRC_ROWS = 8 };

/* Made when it is first needed: 8 KB that no page has to fetch. */
static const crc_row *crc_table(void)
{
    static crc_row rows[CRC_ROWS];
    if (rows[0][1])
        return rows;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t sum = i;
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xedb88320) : 0);
        rows[0][i] = sum;
    }
    for (int k = 1; k < CRC_ROWS; k++)
        for (int i = 0; i < 256; i++)
            rows[k][i] = rows[k - 1][i] >> 8 ^ rows[0][rows[k - 1][i] & 255];
    return rows;
}

static uint32_t crc(uint32_t sum, struct span bytes)
{
    const crc_row *row = crc_table();
    sum = ~sum;
    for (; bytes.len >= CRC_ROWS; bytes = span_skip(bytes, CRC_ROWS)) {
        uint32_t w[2];
        memcpy(w, bytes.p, sizeof w);
        w[0] ^= sum;
        sum = row[7][w[0] & 255] ^ row[6][w[0] >> 8 & 255] ^ row[5][w[0] >> 16 & 255] ^
              row[4][w[0] >> 24] ^ row[3][w[1] & 255] ^ row[2][w[1] >> 8 & 255] ^
              row[1][w[1] >> 16 & 255] ^ row[0][w[1] >> 24];
    }
    for (size_t i = 0; i < bytes.len; i++)
        sum = row[0][(sum ^ bytes.p[i]) & 255] ^ sum >> 8;
    return ~sum;
}

void journal_head_write(uint8_t bytes[JOURNAL_HEAD_BYTES], uint64_t generation)
{
    struct head h = { .generation = generation };
    memcpy(h.magic, magic, sizeof magic);
    h.sum = crc(0, span_of(&h, offsetof(struct head, sum)));
    memcpy(bytes, &h, sizeof h);
}

uint64_t journal_head_read(struct span bytes)
{
    struct head h;
    if (bytes.len < sizeof h)
        return 0;
    memcpy(&h, bytes.p, sizeof h);
    bool good = memcmp(h.magic, magic, sizeof magic) == 0 &&
                h.sum == crc(0, span_of(&h, offsetof(struct head, sum)));
    return good ? h.generation : 0;
}

static uint32_t sum_of(struct span record, uint64_t generation, uint64_t number)
{
    uint64_t place[2] = { generation, number };
    return crc(crc(0, span_of(place, sizeof place)),
               span_skip(record, offsetof(struct fixed, op)));
}

static size_t put(uint8_t *out, size_t at, struct span s)
{
    if (s.len)
        memcpy(out + at, s.p, s.len);
    return at + s.len;
}

size_t journal_write(const struct tree_change *c, uint64_t generation, uint64_t number, uint8_t *out)
{
    base_assert(c->name.len <= TREE_NAME_MAX && c->name2.len <= TREE_NAME_MAX &&
                c->data.len <= TREE_DATA_MAX);
    struct fixed f = { .op = (uint16_t)c->op, .type = c->type, .name_len = (uint8_t)c->name.len,
                       .name2_len = (uint8_t)c->name2.len, .data_len = (uint32_t)c->data.len,
                       .ino = c->ino, .parent = c->parent, .parent2 = c->parent2, .at = c->at,
                       .time = c->time, .time2 = c->time2 };
    size_t len = put(out, put(out, put(out, sizeof f, c->name), c->name2), c->data);
    f.len = (uint32_t)len;
    memcpy(out, &f, sizeof f);
    f.sum = sum_of(span_of(out, len), generation, number);
    memcpy(out, &f, sizeof f);
    return len;
}

/* --- reading ------------------------------------------------------------------------- */

void journal_reader_init(struct journal_reader *r, uint64_t generation)
{
    r->generation = generation;
    r->count = r->have = 0;
    r->good = JOURNAL_HEAD_BYTES;
    r->ended = r->torn = r->refused = false;
}

static void end(struct journal_reader *r, bool torn)
{
    r->ended = true;
    r->torn = torn;
}

/* The record in r->bytes is f.len long. */
static void take_record(struct journal_reader *r, const struct fixed *f, journal_take take, void *ctx)
{
    const uint8_t *p = r->bytes + sizeof *f;
    struct tree_change c = { .op = (enum tree_op)f->op, .type = f->type, .ino = f->ino,
                             .parent = f->parent, .parent2 = f->parent2, .at = f->at,
                             .time = f->time, .time2 = f->time2 };
    c.name = span_of(p, f->name_len);
    c.name2 = span_of(p + f->name_len, f->name2_len);
    c.data = span_of(p + f->name_len + f->name2_len, f->data_len);
    if (f->sum != sum_of(span_of(r->bytes, f->len), r->generation, r->count)) {
        end(r, true);
        return;
    }
    if (!take(ctx, &c)) {
        end(r, false);
        r->refused = true;
        return;
    }
    r->count++;
    r->good += f->len;
    r->have = 0;
}

/* Moves bytes up to `want` in all into the reader. */
static void gather(struct journal_reader *r, struct span *from, size_t want)
{
    size_t n = r->have >= want ? 0 : want - r->have;
    n = n < from->len ? n : from->len;
    if (n)
        memcpy(r->bytes + r->have, from->p, n);
    r->have += n;
    *from = span_skip(*from, n);
}

void journal_reader_feed(struct journal_reader *r, struct span bytes, journal_take take, void *ctx)
{
    while (!r->ended && bytes.len) {
        struct fixed f;
        gather(r, &bytes, sizeof f);
        if (r->have < sizeof f)
            return;
        memcpy(&f, r->bytes, sizeof f);
        if (f.len == 0) {
            end(r, false);
        } else if (f.data_len > TREE_DATA_MAX ||
                   f.len != sizeof f + f.name_len + f.name2_len + f.data_len) {
            end(r, true);
        } else {
            gather(r, &bytes, f.len);
            if (r->have == f.len)
                take_record(r, &f, take, ctx);
        }
    }
}

void journal_reader_finish(struct journal_reader *r)
{
    static const uint8_t zeros[4];
    if (!r->ended)
        end(r, r->have && memcmp(r->bytes, zeros, r->have < 4 ? r->have : 4) != 0);
}
