/* libFuzzer target: a log of changes to files as a browser kept it. An odd first byte: the rest is
 * the log as it is. Even: the rest says what changes there are, any at all, and they get the
 * checksums that a log needs. Checked: what is read of it is a whole tree, and that tree written
 * anew and read again is the same. */
#include <stdint.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/err.h"
#include "hosts/browser/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOG_MAX = 1 << 20 };

static struct store a, b;
static uint8_t log_a[LOG_MAX], log_b[LOG_MAX];

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t next(struct input *in)
{
    return in->left ? in->left--, *in->p++ : 0;
}

static struct span next_name(struct input *in)
{
    static const char *const names[] = { "a", "b", "c", "d", "", ".", "..", "a/b", "\0x", "long name" };
    static char big[300];
    uint8_t which = next(in);
    if (which >= 250)
        return span_of(memset(big, 'n', sizeof big), which); /* all of 250 to 255 fit */
    const char *name = names[which % base_countof(names)];
    return which % base_countof(names) == 8 ? span_of(name, 2) : span_of_cstr(name);
}

/* Small numbers, so that changes meet; now and then a large one. */
static uint32_t next_ino(struct input *in)
{
    uint8_t n = next(in);
    return n < 240 ? n % 12 : (uint32_t)n << 12 | next(in);
}

static uint64_t next_place(struct input *in)
{
    uint8_t n = next(in);
    return n < 200 ? (uint64_t)n * 100 : n < 250 ? (uint64_t)(n - 199) << 26 : UINT64_MAX - n;
}

/* As many as there are bytes for. The length of the log. */
static size_t write_log(struct input *in)
{
    static const uint8_t bytes[9000];
    size_t len = JOURNAL_HEAD_BYTES;
    for (uint64_t number = 0; in->left && len + JOURNAL_RECORD_MAX < LOG_MAX; number++) {
        struct tree_change c = { .op = (enum tree_op)(next(in) % (TREE_OP_COUNT_ + 1)) };
        c.type = next(in) % 9;
        c.ino = next_ino(in);
        c.parent = next_ino(in);
        c.parent2 = next_ino(in);
        c.at = next_place(in);
        c.time = next(in);
        c.name = next_name(in);
        c.name2 = next_name(in);
        c.data = span_of(bytes, next(in) * 35u);
        len += journal_write(&c, 1, number, log_a + len);
    }
    journal_head_write(log_a, 1);
    return len;
}

static void read_log(struct store *s, const uint8_t *log, size_t len)
{
    struct span head[2] = { span_of(log, len < JOURNAL_HEAD_BYTES ? len : JOURNAL_HEAD_BYTES) };
    uint64_t lengths[2] = { len, 0 };
    base_assert(store_init(s, NULL) == E_OK);
    if (store_choose(s, head, lengths) != 0)
        return;
    size_t first = (len - JOURNAL_HEAD_BYTES) / 3; /* in two pieces */
    store_feed(s, span_of(log + JOURNAL_HEAD_BYTES, first));
    store_feed(s, span_of(log + JOURNAL_HEAD_BYTES + first, len - JOURNAL_HEAD_BYTES - first));
    journal_reader_finish(&s->reader);
    base_assert(s->reader.good <= len);
    base_assert(!tree_check(&s->tree));
}

struct writer {
    uint8_t *log;
    size_t len;
    uint64_t count;
};

static int put(void *ctx, const struct tree_change *c)
{
    struct writer *w = ctx;
    if (w->len + JOURNAL_RECORD_MAX > LOG_MAX)
        return E_FULL;
    w->len += journal_write(c, 1, w->count++, w->log + w->len);
    return E_OK;
}

/* The length of s as a log; 0: it is too long. */
static size_t snapshot(const struct store *s, uint8_t *log)
{
    struct writer w = { log, JOURNAL_HEAD_BYTES, 0 };
    journal_head_write(log, 1);
    return tree_snapshot(&s->tree, put, &w) < 0 ? 0 : w.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    bool as_it_is = next(&in) & 1;
    if (as_it_is)
        read_log(&a, in.p, in.left);
    else
        read_log(&a, log_a, write_log(&in));
    size_t len = snapshot(&a, log_a);
    if (len) {
        read_log(&b, log_a, len);
        base_assert(b.reader.good == len && !b.reader.torn);
        base_assert(snapshot(&b, log_b) == len && memcmp(log_a, log_b, len) == 0);
        store_free(&b);
    }
    store_free(&a);
    return 0;
}
