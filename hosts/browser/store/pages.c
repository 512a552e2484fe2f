/* Contents of files: pages, those that were never written are not there and read as zeros. */
#include <stdlib.h>

#include "base/assert.h"
#include "tree_internal.h"

static uint32_t pages_of(uint64_t bytes)
{
    return (uint32_t)((bytes + TREE_PAGE - 1) / TREE_PAGE);
}

uint32_t tree_pages_missing(const struct tree_node *file, uint64_t at, size_t len)
{
    uint32_t missing = 0;
    if (!len)
        return 0;
    for (uint32_t i = (uint32_t)(at / TREE_PAGE); i < pages_of(at + len); i++)
        missing += i >= file->page_slots || !file->pages[i];
    return missing;
}

/* How many places for pages there are to be, so that there are `want`. */
static uint32_t slots_for(const struct tree_node *file, uint32_t want)
{
    uint32_t slots = file->page_slots < 4 ? 4 : file->page_slots;
    if (want <= file->page_slots)
        return file->page_slots;
    while (slots < want)
        slots *= 2; /* at most those of TREE_FILE_MAX */
    return slots;
}

static enum wasi_errno want_slots(struct tree *t, struct tree_node *file, uint32_t slots)
{
    if (slots == file->page_slots)
        return WASI_SUCCESS;
    uint8_t **pages = realloc(file->pages, slots * sizeof *pages);
    if (!pages)
        return WASI_NOMEM;
    memset(pages + file->page_slots, 0, (slots - file->page_slots) * sizeof *pages);
    file->pages = pages;
    t->bytes += (uint64_t)(slots - file->page_slots) * sizeof *pages;
    file->page_slots = slots;
    return WASI_SUCCESS;
}

/* A page that is prepared and then not written is zeros, as it was before. */
enum wasi_errno pages_want(struct tree *t, struct tree_node *file, uint64_t at, size_t len)
{
    if (len > TREE_DATA_MAX || at > TREE_FILE_MAX || len > TREE_FILE_MAX - at)
        return WASI_FBIG;
    if (!len)
        return WASI_SUCCESS;
    uint32_t slots = slots_for(file, pages_of(at + len));
    uint64_t more = (uint64_t)tree_pages_missing(file, at, len) * TREE_PAGE +
                    (uint64_t)(slots - file->page_slots) * sizeof *file->pages;
    if (t->bytes + more > TREE_BYTES_MAX)
        return WASI_NOSPC;
    enum wasi_errno e = want_slots(t, file, slots);
    for (uint32_t i = (uint32_t)(at / TREE_PAGE); e == WASI_SUCCESS && i < pages_of(at + len); i++) {
        if (file->pages[i])
            continue;
        file->pages[i] = calloc(1, TREE_PAGE);
        if (!file->pages[i])
            return WASI_NOMEM;
        file->page_count++;
        t->bytes += TREE_PAGE;
        file->top->used += TREE_PAGE;
    }
    return e;
}

void pages_write(struct tree_node *file, uint64_t at, struct span data)
{
    for (size_t done = 0; done < data.len;) {
        size_t in_page = (size_t)((at + done) % TREE_PAGE), n = TREE_PAGE - in_page;
        n = n < data.len - done ? n : data.len - done;
        uint8_t *page = file->pages[(at + done) / TREE_PAGE];
        memcpy(page + in_page, data.p + done, n);
        done += n;
    }
    if (data.len && at + data.len > file->size)
        file->size = at + data.len;
}

void pages_cut(struct tree *t, struct tree_node *file, uint64_t size)
{
    for (uint32_t i = pages_of(size); i < file->page_slots; i++) {
        if (!file->pages[i])
            continue;
        free(file->pages[i]);
        file->pages[i] = NULL;
        file->page_count--;
        t->bytes -= TREE_PAGE;
        file->top->used -= TREE_PAGE;
    }
    size_t rest = (size_t)(size % TREE_PAGE);
    if (rest && size / TREE_PAGE < file->page_slots && file->pages[size / TREE_PAGE])
        memset(file->pages[size / TREE_PAGE] + rest, 0, TREE_PAGE - rest);
}

size_t tree_read(const struct tree_node *file, uint64_t at, void *to, size_t len)
{
    if (at >= file->size)
        return 0;
    if (len > file->size - at)
        len = (size_t)(file->size - at);
    for (size_t done = 0; done < len;) {
        size_t in_page = (size_t)((at + done) % TREE_PAGE), n = TREE_PAGE - in_page;
        uint64_t i = (at + done) / TREE_PAGE;
        n = n < len - done ? n : len - done;
        if (i < file->page_slots && file->pages[i])
            memcpy((uint8_t *)to + done, file->pages[i] + in_page, n);
        else
            memset((uint8_t *)to + done, 0, n);
        done += n;
    }
    return len;
}
