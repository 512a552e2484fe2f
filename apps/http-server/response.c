#include "response.h"

#include <vyoma/time.h>

static const char *reason(int status)
{
    static const struct {
        uint16_t status;
        const char *text;
    } reasons[] = {
        { 200, "OK" }, { 206, "Partial Content" }, { 301, "Moved Permanently" },
        { 304, "Not Modified" }, { 400, "Bad Request" }, { 403, "Forbidden" },
        { 404, "Not Found" }, { 405, "Method Not Allowed" }, { 408, "Request Timeout" },
        { 413, "Content Too Large" }, { 414, "URI Too Long" },
        { 416, "Range Not Satisfiable" }, { 431, "Request Header Fields Too Large" },
        { 501, "Not Implemented" }, { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Error";
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static void write_date(struct vy_buf *b, uint64_t unix_s)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct vy_date d;
    vy_date_from_unix(unix_s, &d);
    vy_bytes(b, days + 3 * d.weekday, 3);
    vy_str(b, ", ");
    vy_u64_pad(b, d.day, 2);
    vy_char(b, ' ');
    vy_bytes(b, months + 3 * (d.month - 1), 3);
    vy_char(b, ' ');
    vy_u64_pad(b, d.year, 4);
    vy_char(b, ' ');
    vy_u64_pad(b, d.hour, 2);
    vy_char(b, ':');
    vy_u64_pad(b, d.minute, 2);
    vy_char(b, ':');
    vy_u64_pad(b, d.second, 2);
    vy_str(b, " GMT");
}

/* Quotes and 16 hexadecimal digits: 18 bytes. */
static void write_tag(struct vy_buf *b, uint64_t tag)
{
    vy_char(b, '"');
    for (int shift = 60; shift >= 0; shift -= 4)
        vy_char(b, "0123456789abcdef"[tag >> shift & 15]);
    vy_char(b, '"');
}

static void header(struct vy_buf *b, const char *name, const char *value)
{
    vy_str(b, name);
    vy_str(b, ": ");
    vy_str(b, value);
    vy_str(b, "\r\n");
}

static void number_header(struct vy_buf *b, const char *name, uint64_t value)
{
    vy_str(b, name);
    vy_str(b, ": ");
    vy_u64(b, value);
    vy_str(b, "\r\n");
}

static void write_location(struct vy_buf *b, const char *path)
{
    vy_str(b, "Location: /");
    for (; *path; path++) {
        uint8_t c = (uint8_t)*path;
        if (c > 32 && c < 127 && c != '%' && c != '"' && c != '?' && c != '#') {
            vy_char(b, (char)c);
        } else {
            vy_char(b, '%');
            vy_char(b, "0123456789ABCDEF"[c >> 4]);
            vy_char(b, "0123456789ABCDEF"[c & 15]);
        }
    }
    vy_str(b, "/\r\n");
}

static void about_source(struct vy_buf *b, const struct response *r)
{
    const struct source *s = r->source;
    if (s->modified) {
        vy_str(b, "Last-Modified: ");
        write_date(b, s->modified);
        vy_str(b, "\r\nETag: ");
        write_tag(b, s->tag);
        vy_str(b, "\r\nAccept-Ranges: bytes\r\n");
    } else {
        header(b, "Cache-Control", "no-store");
    }
    if (r->status == 304)
        return;
    header(b, "Content-Type", s->type);
    number_header(b, "Content-Length", r->count);
    if (r->status == 206) {
        vy_str(b, "Content-Range: bytes ");
        vy_u64(b, r->from);
        vy_char(b, '-');
        vy_u64(b, r->from + r->count - 1);
        vy_char(b, '/');
        vy_u64(b, s->size);
        vy_str(b, "\r\n");
    }
}

void response_write(struct vy_buf *b, const struct response *r)
{
    const char *text = reason(r->status);
    bool from_source = r->source && r->status < 400;
    vy_str(b, "HTTP/1.1 ");
    vy_u64(b, (uint64_t)r->status);
    vy_char(b, ' ');
    vy_str(b, text);
    vy_str(b, "\r\nServer: vyoma\r\nDate: ");
    write_date(b, vy_unix_ns() / 1000000000);
    vy_str(b, "\r\nX-Content-Type-Options: nosniff\r\n");
    header(b, "Connection", r->keep_alive ? "keep-alive" : "close");
    if (from_source)
        about_source(b, r);
    if (r->status == 405)
        header(b, "Allow", "GET, HEAD");
    if (r->status == 416) {
        vy_str(b, "Content-Range: bytes */");
        vy_u64(b, r->source->size);
        vy_str(b, "\r\n");
    }
    if (r->status == 301)
        write_location(b, r->location);
    if (!from_source) {
        header(b, "Content-Type", "text/plain; charset=utf-8");
        number_header(b, "Content-Length", strlen(text) + 5);
    }
    vy_str(b, "\r\n");
    if (!from_source && !r->head_only) {
        vy_u64(b, (uint64_t)r->status);
        vy_char(b, ' ');
        vy_str(b, text);
        vy_char(b, '\n');
    }
}

/* Does an If-None-Match or If-Range list hold this source's tag? */
static bool has_tag(struct request_value list, const struct source *s)
{
    char tag[18];
    struct vy_buf b = VY_BUF(tag);
    write_tag(&b, s->tag);
    if (list.len == 1 && list.p[0] == '*')
        return true;
    for (size_t i = 0; i + sizeof tag <= list.len; i++)
        if (memcmp(list.p + i, tag, sizeof tag) == 0)
            return true;
    return false;
}

/* RFC 9110, 13.2.2: If-None-Match counts before If-Modified-Since. */
static bool unchanged(const struct request *q, const struct source *s)
{
    uint64_t since;
    if (!s->modified)
        return false;
    if (q->if_none_match.p)
        return has_tag(q->if_none_match, s);
    return request_date(q->if_modified_since, &since) && s->modified <= since;
}

static bool range_applies(const struct request *q, const struct source *s)
{
    uint64_t date;
    if (!q->range.p || !s->modified || q->method != REQUEST_GET)
        return false;
    if (!q->if_range.p)
        return true;
    if (q->if_range.len && q->if_range.p[0] == '"')
        return has_tag(q->if_range, s);
    return request_date(q->if_range, &date) && date == s->modified;
}

void response_decide(struct response *r, const struct request *q, const struct source *s)
{
    bool unsatisfiable = false;
    r->source = s;
    r->status = 200;
    r->from = 0;
    r->count = s->size;
    if (unchanged(q, s)) {
        r->status = 304;
        r->count = 0;
    } else if (range_applies(q, s) &&
               request_range(q->range, s->size, &r->from, &r->count, &unsatisfiable)) {
        r->status = unsatisfiable ? 416 : 206;
        if (unsatisfiable)
            r->count = 0;
    }
}
