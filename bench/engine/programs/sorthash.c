/* Memory traffic: quicksort of an array, inserting and looking up in a chained hash
 * table, and following a random cycle of pointers. */
#include "program.h"

enum { ROUNDS = SCALED(24), COUNT = 120000, BUCKETS = 65536, CYCLE = 1 << 16, STEPS = 500000 };

struct entry {
    struct entry *next;
    uint32_t key, value;
};

static uint32_t numbers[COUNT];
static struct entry entries[COUNT], *buckets[BUCKETS];
static uint32_t follow[CYCLE];

static void sort(uint32_t *a, int count)
{
    while (count > 12) {
        uint32_t pivot = a[count / 2];
        int i = 0, j = count - 1;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        sort(a, j + 1);
        a += i;
        count -= i;
    }
    for (int i = 1; i < count; i++) {
        uint32_t t = a[i];
        int j = i;
        for (; j > 0 && a[j - 1] > t; j--)
            a[j] = a[j - 1];
        a[j] = t;
    }
}

static struct entry **bucket(uint32_t key)
{
    return &buckets[(key * 2654435761u) >> 16];
}

static struct entry *find(uint32_t key)
{
    struct entry *e = *bucket(key);
    while (e && e->key != key)
        e = e->next;
    return e;
}

static uint64_t hash_bench(uint64_t sum)
{
    for (int i = 0; i < BUCKETS; i++)
        buckets[i] = 0;
    for (int i = 0; i < COUNT; i++) {
        uint32_t key = numbers[i] >> 8;
        struct entry *e = find(key), **head = bucket(key);
        if (e) {
            e->value++;
            continue;
        }
        entries[i] = (struct entry){ *head, key, 1 };
        *head = &entries[i];
    }
    for (uint32_t key = 0; key < COUNT; key++) {
        struct entry *e = find(key * 139);
        sum = mix(sum, e ? e->value : 0);
    }
    return sum;
}

static uint64_t chase_bench(uint64_t sum, uint64_t *seed)
{
    for (uint32_t i = 0; i < CYCLE; i++)
        follow[i] = i;
    for (uint32_t i = CYCLE - 1; i > 0; i--) { /* one cycle through all (Sattolo) */
        uint32_t j = random_next(seed) % i, t = follow[i];
        follow[i] = follow[j];
        follow[j] = t;
    }
    uint32_t at = 0;
    for (int i = 0; i < STEPS; i++)
        at = follow[at];
    return mix(sum, at);
}

int main(void)
{
    uint64_t seed = 7, sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < COUNT; i++)
            numbers[i] = random_next(&seed);
        sum = hash_bench(sum);
        sort(numbers, COUNT);
        sum = mix(sum, numbers[COUNT / 3]);
        sum = chase_bench(sum, &seed);
    }
    return finish(sum);
}
