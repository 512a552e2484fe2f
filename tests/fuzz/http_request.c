/* libFuzzer target: the head of a request to apps/http-server. */
#include "../../apps/http-server/request.c"

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A path that was accepted names nothing but what lies beneath. */
static void check_path(const char *path)
{
    base_assert(strlen(path) <= REQUEST_PATH_MAX && path[0] != '/' && path[0] != '.');
    base_assert(!strstr(path, "/.") && !strstr(path, "//"));
}

static void check_value(struct request_value v, const uint8_t *data, size_t size)
{
    const uint8_t *p = (const uint8_t *)v.p;
    base_assert(!p || (p >= data && p + v.len <= data + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request q;
    uint64_t from, count, date, file_size = size * 7;
    bool bad;
    size = size < REQUEST_HEAD_MAX ? size : REQUEST_HEAD_MAX;
    int n = request_parse((const char *)data, size, &q);
    base_assert(n <= (int)size && (n >= 0 || (n <= -400 && n >= -505)));
    if (n <= 0)
        return 0;
    check_path(q.path);
    check_value(q.range, data, size);
    check_value(q.if_none_match, data, size);
    request_date(q.if_modified_since, &date);
    if (q.range.p && request_range(q.range, file_size, &from, &count, &bad) && !bad)
        base_assert(count > 0 && from < file_size && count <= file_size - from);
    return 0;
}
