/* Lists of apps and the timer heap. Both are made of slot numbers, so that nothing in
 * a core is a pointer into another app. */
#include "state.h"

void list_init(struct list *l)
{
    l->head = l->tail = NO_SLOT;
    l->count = 0;
}

void list_push(struct core *c, struct list *l, enum list_kind kind, struct app *a)
{
    struct link *link = &a->links[kind];
    base_assert(!link->on);
    *link = (struct link){ .prev = l->tail, .next = NO_SLOT, .on = true };
    if (l->tail == NO_SLOT)
        l->head = a->slot;
    else
        app_at(c, l->tail)->links[kind].next = a->slot;
    l->tail = a->slot;
    l->count++;
}

void list_remove(struct core *c, struct list *l, enum list_kind kind, struct app *a)
{
    struct link *link = &a->links[kind];
    base_assert(link->on && l->count);
    if (link->prev == NO_SLOT)
        l->head = link->next;
    else
        app_at(c, link->prev)->links[kind].next = link->next;
    if (link->next == NO_SLOT)
        l->tail = link->prev;
    else
        app_at(c, link->next)->links[kind].prev = link->prev;
    link->on = false;
    l->count--;
}

struct app *list_pop(struct core *c, struct list *l, enum list_kind kind)
{
    if (l->head == NO_SLOT)
        return NULL;
    struct app *a = app_at(c, l->head);
    list_remove(c, l, kind, a);
    return a;
}

/* --- timers: a binary heap of slots, ordered by due_ms -------------------------- */

static void heap_place(struct core *c, uint32_t at, uint16_t slot)
{
    c->heap[at] = slot;
    app_at(c, slot)->heap_at = (uint16_t)(at + 1);
}

static void heap_up(struct core *c, uint32_t at)
{
    uint16_t slot = c->heap[at];
    uint64_t due = app_at(c, slot)->due_ms;
    while (at && app_at(c, c->heap[(at - 1) / 2])->due_ms > due) {
        heap_place(c, at, c->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(c, at, slot);
}

static void heap_down(struct core *c, uint32_t at)
{
    uint16_t slot = c->heap[at];
    uint64_t due = app_at(c, slot)->due_ms;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= c->heap_len)
            break;
        if (child + 1 < c->heap_len &&
            app_at(c, c->heap[child + 1])->due_ms < app_at(c, c->heap[child])->due_ms)
            child++;
        if (app_at(c, c->heap[child])->due_ms >= due)
            break;
        heap_place(c, at, c->heap[child]);
        at = child;
    }
    heap_place(c, at, slot);
}

void timer_want(struct core *c, struct app *a, uint64_t at_ms)
{
    if (a->heap_at && a->due_ms <= at_ms)
        return;
    a->due_ms = at_ms;
    if (!a->heap_at) {
        c->heap[c->heap_len] = a->slot;
        a->heap_at = (uint16_t)++c->heap_len;
    }
    heap_up(c, a->heap_at - 1u);
}

void timer_forget(struct core *c, struct app *a)
{
    if (!a->heap_at)
        return;
    uint32_t at = a->heap_at - 1u;
    a->heap_at = 0;
    uint16_t last = c->heap[--c->heap_len];
    if (at == c->heap_len)
        return;
    heap_place(c, at, last);
    heap_up(c, at);
    heap_down(c, app_at(c, last)->heap_at - 1u);
}

struct app *timer_pop(struct core *c, uint64_t now_ms)
{
    if (!c->heap_len || app_at(c, c->heap[0])->due_ms > now_ms)
        return NULL;
    struct app *a = app_at(c, c->heap[0]);
    timer_forget(c, a);
    return a;
}
