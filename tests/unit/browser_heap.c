/* Memory of an app in our own engine in a browser: blocks never overlap, what is freed is used again,
 * guests see zeros, and nothing beyond the range is touched. */
#include "hosts/browser/heap.h"
#include "lib/test.h"

enum { RANGE = 1 << 20, FENCE = 4096, BLOCKS = 64 };

static struct {
    _Alignas(16) uint8_t before[FENCE];
    uint8_t range[RANGE];
    uint8_t after[FENCE];
} place;
static struct heap heap;
static uint8_t *reached;
static uint32_t asked;
static bool refuses;

static bool reach(void *ctx, uint8_t *to)
{
    asked++;
    if (refuses)
        return false;
    if (to > reached)
        reached = to;
    return true;
}

static void begin(void)
{
    memset(&place, 0, sizeof place);
    memset(place.before, 0xee, FENCE);
    memset(place.after, 0xee, FENCE);
    reached = place.range;
    refuses = false;
    heap_init(&heap, place.range, place.range + RANGE, reach, NULL);
}

static bool fences_hold(void)
{
    for (size_t i = 0; i < FENCE; i++)
        if (place.before[i] != 0xee || place.after[i] != 0xee)
            return false;
    return true;
}

static bool all_are(const uint8_t *p, size_t size, uint8_t byte)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != byte)
            return false;
    return true;
}

/* Each block is full of its own byte through thousands of changes. */
TEST(blocks_are_apart)
{
    struct { uint8_t *p; size_t size; } block[BLOCKS] = { 0 };
    uint32_t seed = 7, wrong = 0;
    begin();
    for (int step = 0; step < 20000; step++) {
        seed = seed * 1103515245u + 12345u;
        uint32_t i = seed >> 8 & (BLOCKS - 1);
        size_t size = seed >> 16 & 3 ? (seed >> 14) % 3000 : 0;
        wrong += block[i].p && !all_are(block[i].p, block[i].size, (uint8_t)(i + 1));
        uint8_t *p = heap_resize(&heap, block[i].p, block[i].size, size);
        CHECK(size ? p != NULL : p == NULL);
        size_t kept = block[i].size < size ? block[i].size : size;
        wrong += p && block[i].p && !all_are(p, kept, (uint8_t)(i + 1));
        wrong += p && (p < place.range || p + size > place.range + RANGE || (uintptr_t)p % 16);
        block[i].p = p;
        block[i].size = size;
        if (p)
            memset(p, (int)i + 1, size);
    }
    CHECK_INT(wrong, 0);
    for (int i = 0; i < BLOCKS; i++)
        heap_resize(&heap, block[i].p, block[i].size, 0);
    CHECK(heap.top == place.range); /* all of it is one again */
    CHECK(heap.holes == NULL);
    CHECK(heap_resize(&heap, NULL, 0, RANGE) == place.range);
    CHECK(fences_hold());
}

TEST(it_ends)
{
    begin();
    CHECK(heap_resize(&heap, NULL, 0, RANGE + 1) == NULL);
    CHECK(heap_resize(&heap, NULL, 0, SIZE_MAX) == NULL);
    uint8_t *p = heap_resize(&heap, NULL, 0, RANGE - 16);
    CHECK(p != NULL);
    CHECK(heap_resize(&heap, NULL, 0, 17) == NULL);
    memset(p, 1, RANGE - 16);
    CHECK(heap_resize(&heap, p, RANGE - 16, SIZE_MAX) == NULL);
    CHECK(heap_resize(&heap, p, RANGE - 16, RANGE) == p);
    CHECK(heap_memory_create(&heap, 65536) == NULL);
    CHECK(fences_hold());
}

TEST(a_guests_memory_grows_in_place)
{
    begin();
    uint8_t *code = heap_resize(&heap, NULL, 0, 100000);
    memset(code, 0xcc, 100000);
    heap_resize(&heap, code, 100000, 0); /* these bytes are not zero any more */
    uint8_t *p = heap_memory_create(&heap, 65536), *q = NULL;
    CHECK(p && all_are(p, 65536, 0));
    CHECK(heap_resize(&heap, NULL, 0, RANGE / HEAP_ROOM_PART - 16) != NULL); /* the engine's part */
    CHECK(heap_resize(&heap, NULL, 0, 65536) == NULL);
    size_t size = 65536;
    memset(p, 0xdd, size);
    for (; (q = heap_memory_grow(&heap, p, size, size + 65536)) != NULL; size += 65536) {
        CHECK(q == p && all_are(p + size, 65536, 0));
        memset(p + size, 0xdd, 65536);
    }
    CHECK(size > RANGE * 3 / 4);
    CHECK(all_are(p, size, 0xdd));
    CHECK(fences_hold());
    heap_memory_destroy(&heap, p, size);
    p = heap_memory_create(&heap, 65536);
    CHECK(p && all_are(p, 65536, 0));
}

TEST(further_memories_are_blocks)
{
    begin();
    uint8_t *first = heap_memory_create(&heap, 65536), *second = heap_memory_create(&heap, 0);
    CHECK(first && second && second < first);
    CHECK(heap_memory_grow(&heap, second, 0, 65536) != NULL);
    CHECK(heap_memory_create(&heap, 2 * 65536) == NULL);
    begin();
    CHECK(heap_memory_create(&heap, 0) != NULL);
    CHECK(heap_memory_create(&heap, RANGE / 2) == NULL);
}

/* What it was not told of it may not have. */
TEST(use_is_announced)
{
    begin();
    asked = 0;
    CHECK(heap_resize(&heap, NULL, 0, 100) != NULL);
    CHECK(reached == place.range + HEAP_STEP);
    for (int i = 0; i < 100; i++)
        CHECK(heap_resize(&heap, NULL, 0, 100) != NULL);
    CHECK_INT(asked, 1);
    uint8_t *p = heap_memory_create(&heap, 65536);
    CHECK(reached >= p + 65536 && reached < p + 65536 + HEAP_STEP);
    refuses = true;
    CHECK(heap_memory_grow(&heap, p, 65536, 4 * 65536) == NULL);
    CHECK(heap_resize(&heap, NULL, 0, 100) != NULL); /* that is announced already */
}

TEST_MAIN(RUN(blocks_are_apart) RUN(it_ends) RUN(a_guests_memory_grows_in_place)
          RUN(further_memories_are_blocks) RUN(use_is_announced))
