/* A CoreMark-like mix: linked lists that are searched, reversed and merge-sorted,
 * small integer matrices, a state machine that classifies number texts, and a CRC-16
 * over all results. */
#include "program.h"

enum { ROUNDS = SCALED(7500), ITEMS = 256, SIDE = 24, TEXT = 512 };

struct item {
    struct item *next;
    int16_t key, data;
};

static struct item items[ITEMS];
static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];
static char text[TEXT];

static uint16_t crc16(uint16_t crc, uint32_t value)
{
    for (int i = 0; i < 32; i++, value >>= 1) {
        uint16_t bit = (uint16_t)((crc ^ value) & 1);
        crc = (uint16_t)(crc >> 1 ^ (bit ? 0xa001 : 0));
    }
    return crc;
}

/* --- lists -------------------------------------------------------------------- */

static struct item *list_build(uint64_t *seed)
{
    for (int i = 0; i < ITEMS; i++) {
        items[i].key = (int16_t)random_next(seed);
        items[i].data = (int16_t)i;
        items[i].next = i + 1 < ITEMS ? &items[i + 1] : 0;
    }
    return items;
}

static struct item *list_reverse(struct item *list)
{
    struct item *done = 0;
    while (list) {
        struct item *next = list->next;
        list->next = done;
        done = list;
        list = next;
    }
    return done;
}

static struct item *list_find(struct item *list, int16_t data)
{
    while (list && list->data != data)
        list = list->next;
    return list;
}

static int by_key(const struct item *a, const struct item *b)
{
    return a->key - b->key;
}

static int by_data(const struct item *a, const struct item *b)
{
    return a->data - b->data;
}

static struct item *list_merge(struct item *a, struct item *b,
                               int (*compare)(const struct item *, const struct item *))
{
    struct item head, *tail = &head;
    while (a && b) {
        struct item **least = compare(a, b) <= 0 ? &a : &b;
        tail->next = *least;
        tail = *least;
        *least = (*least)->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct item *list_sort(struct item *list, int count,
                              int (*compare)(const struct item *, const struct item *))
{
    if (count < 2)
        return list;
    struct item *middle = list;
    for (int i = 1; i < count / 2; i++)
        middle = middle->next;
    struct item *second = middle->next;
    middle->next = 0;
    return list_merge(list_sort(list, count / 2, compare),
                      list_sort(second, count - count / 2, compare), compare);
}

static uint16_t list_bench(uint16_t crc, uint64_t *seed)
{
    struct item *list = list_build(seed);
    for (int i = 0; i < 8; i++) {
        struct item *hit = list_find(list, (int16_t)(random_next(seed) % (2 * ITEMS)));
        crc = crc16(crc, hit ? (uint16_t)hit->key : 0);
        list = list_reverse(list);
    }
    list = list_sort(list, ITEMS, by_key);
    crc = crc16(crc, (uint16_t)list->key);
    list = list_sort(list, ITEMS, by_data);
    return crc16(crc, (uint16_t)list->key);
}

/* --- matrices ------------------------------------------------------------------- */

static uint16_t matrix_bench(uint16_t crc, uint64_t *seed)
{
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            left[i][j] = (int16_t)(random_next(seed) & 0xff);
            right[i][j] = (int16_t)(random_next(seed) & 0xff);
        }
    }
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++) {
            int32_t sum = 0;
            for (int k = 0; k < SIDE; k++)
                sum += left[i][k] * right[k][j];
            product[i][j] = (sum >> 2 & 15) * (sum >> 5 & 127);
        }
    }
    int32_t total = 0;
    for (int i = 0; i < SIDE; i++) {
        for (int j = 0; j < SIDE; j++)
            total += product[i][j] > 400 ? 10 : product[i][j];
    }
    return crc16(crc, (uint32_t)total);
}

/* --- the state machine ------------------------------------------------------------ */

enum state { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENCE, BAD, STATES };

static enum state step(enum state s, char c)
{
    int digit = c >= '0' && c <= '9', sign = c == '+' || c == '-';
    switch (s) {
    case START: return digit ? INTEGER : sign ? SIGN : c == '.' ? POINT : BAD;
    case SIGN: return digit ? INTEGER : c == '.' ? POINT : BAD;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : BAD;
    case POINT: return digit ? FRACTION : BAD;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : BAD;
    case EXPONENT: return digit ? SCIENCE : sign ? EXPONENT_SIGN : BAD;
    case EXPONENT_SIGN: return digit ? SCIENCE : BAD;
    case SCIENCE: return digit ? SCIENCE : BAD;
    default: return BAD;
    }
}

static uint16_t state_bench(uint16_t crc, uint64_t *seed)
{
    uint32_t seen[STATES] = { 0 };
    for (int i = 0; i < TEXT; i++)
        text[i] = "0123456789+-.e,,12345,6789.0e-12"[random_next(seed) & 31];
    enum state s = START;
    for (int i = 0; i < TEXT; i++) {
        if (text[i] == ',') {
            seen[s]++;
            s = START;
        } else {
            s = step(s, text[i]);
        }
    }
    for (int i = 0; i < STATES; i++)
        crc = crc16(crc, seen[i]);
    return crc;
}

int main(void)
{
    uint64_t seed = 0x3415, sum = 0;
    uint16_t crc = 0;
    for (int i = 0; i < ROUNDS; i++) {
        crc = list_bench(crc, &seed);
        crc = matrix_bench(crc, &seed);
        crc = state_bench(crc, &seed);
        sum = mix(sum, crc);
    }
    return finish(sum);
}
