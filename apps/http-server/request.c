#include "request.h"

#include <string.h>

/* What a method, a header's name and so on are made of (RFC 9110, 5.6.2). */
static bool is_token(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool request_value_is(struct request_value v, const char *text)
{
    size_t i = 0;
    for (; i < v.len && text[i]; i++)
        if (lower(v.p[i]) != text[i])
            return false;
    return i == v.len && !text[i];
}

/* Digits only, below 2^62. */
static bool number(struct request_value v, uint64_t *ret)
{
    uint64_t n = 0;
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < '0' || v.p[i] > '9' || n >= UINT64_MAX / 64)
            return false;
        n = n * 10 + (uint64_t)(v.p[i] - '0');
    }
    *ret = n;
    return v.len > 0;
}

/* Cuts the part of *v up to `c` off and returns it. */
static struct request_value cut(struct request_value *v, char c)
{
    const char *hit = v->len ? memchr(v->p, c, v->len) : NULL;
    struct request_value part = { v->p, hit ? (size_t)(hit - v->p) : v->len };
    size_t used = part.len + (hit != NULL);
    v->p += used;
    v->len -= used;
    return part;
}

static struct request_value trim(struct request_value v)
{
    while (v.len && (v.p[0] == ' ' || v.p[0] == '\t')) {
        v.p++;
        v.len--;
    }
    while (v.len && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t'))
        v.len--;
    return v;
}

/* Does a list "a, b, c" hold the word? */
static bool list_has(struct request_value list, const char *word)
{
    while (list.len)
        if (request_value_is(trim(cut(&list, ',')), word))
            return true;
    return false;
}

/* --- the request line --------------------------------------------------------- */

static int method(struct request_value m, struct request *r)
{
    static const char others[][8] = { "post", "put", "delete", "options", "patch", "trace",
                                      "connect" };
    for (size_t i = 0; i < m.len; i++)
        if (!is_token(m.p[i]))
            return -400;
    if (m.len == 0)
        return -400;
    if (m.len == 3 && memcmp(m.p, "GET", 3) == 0)
        return 0;
    if (m.len == 4 && memcmp(m.p, "HEAD", 4) == 0) {
        r->method = REQUEST_HEAD;
        return 0;
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (request_value_is(m, others[i]))
            return -405;
    return -501;
}

/* "HTTP/1.0" or "HTTP/1.1". */
static int version(struct request_value v, struct request *r)
{
    if (v.len != 8 || memcmp(v.p, "HTTP/", 5) != 0 || v.p[6] != '.' || v.p[5] < '0' ||
        v.p[5] > '9' || v.p[7] < '0' || v.p[7] > '9')
        return -400;
    if (v.p[5] != '1')
        return -505;
    r->keep_alive = v.p[7] != '0';
    return 0;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One character of a path, %-escapes undone; negative when it is not one. */
static int path_char(struct request_value *v)
{
    int c = (unsigned char)*v->p;
    if (c == '%') {
        int high = v->len > 2 ? hex(v->p[1]) : -1, low = v->len > 2 ? hex(v->p[2]) : -1;
        if (high < 0 || low < 0)
            return -400;
        c = high * 16 + low;
        v->p += 2;
        v->len -= 2;
        if (c == '/') /* an escaped one is no divider, and no file's name holds it */
            return -404;
    }
    v->p++;
    v->len--;
    return c < 32 || c == 127 ? -400 : c;
}

/* Segments "." and ".." mean other places, those that begin with '.' are not to be shown. */
static int check_segments(const char *path)
{
    for (const char *s = path;; s++) {
        if (s[0] == '.')
            return s[1] == '.' && (s[2] == '/' || !s[2]) ? -400 : -404;
        if (s[0] == '/')
            return -404; /* empty segment */
        s += strcspn(s, "/");
        if (!s[0] || !s[1])
            return 0;
    }
}

static int target(struct request_value v, struct request *r)
{
    if (v.len > 7 && memcmp(v.p, "http://", 7) == 0) {
        struct request_value rest = { v.p + 7, v.len - 7 };
        struct request_value host = cut(&rest, '/');
        v.p += 7 + host.len;
        v.len -= 7 + host.len;
    }
    if (v.len == 0 || v.p[0] != '/')
        return -400;
    v = cut(&v, '?');
    size_t n = 0;
    for (v.p++, v.len--; v.len;) {
        int c = path_char(&v);
        if (c < 0)
            return c;
        if (n == REQUEST_PATH_MAX)
            return -414;
        r->path[n++] = (char)c;
    }
    r->path[n] = 0;
    return n ? check_segments(r->path) : 0;
}

static int request_line(struct request_value line, struct request *r)
{
    struct request_value m = cut(&line, ' '), t = cut(&line, ' ');
    int err = method(m, r);
    if (err == -400)
        return err;
    int version_err = version(line, r);
    if (version_err)
        return version_err;
    return err ? err : target(t, r);
}

/* --- headers -------------------------------------------------------------------- */

struct seen {
    uint32_t hosts;
    bool length, encoding;
};

static int content_length(struct request_value v, struct request *r, struct seen *seen)
{
    uint64_t n;
    if (!number(v, &n) || (seen->length && n != r->body_bytes))
        return -400;
    seen->length = true;
    r->body_bytes = n;
    return 0;
}

static int header(struct request_value line, struct request *r, struct seen *seen)
{
    struct request_value value = line, name = cut(&value, ':');
    if (name.len == line.len || name.len == 0)
        return -400;
    for (size_t i = 0; i < name.len; i++)
        if (!is_token(name.p[i]))
            return -400; /* blanks too: a folded line, or one before the colon */
    value = trim(value);
    if (memchr(value.p, 0, value.len) || memchr(value.p, '\r', value.len))
        return -400;
    if (request_value_is(name, "host"))
        seen->hosts++;
    else if (request_value_is(name, "content-length"))
        return content_length(value, r, seen);
    else if (request_value_is(name, "transfer-encoding"))
        seen->encoding = true;
    else if (request_value_is(name, "connection"))
        r->keep_alive = (r->keep_alive || list_has(value, "keep-alive")) &&
                        !list_has(value, "close");
    else if (request_value_is(name, "expect"))
        r->expects_continue = true;
    else if (request_value_is(name, "if-none-match"))
        r->if_none_match = value;
    else if (request_value_is(name, "if-modified-since"))
        r->if_modified_since = value;
    else if (request_value_is(name, "if-range"))
        r->if_range = value;
    else if (request_value_is(name, "range"))
        r->range = value;
    return 0;
}

/* The first line of *rest, without its end. */
static struct request_value next_line(struct request_value *rest)
{
    struct request_value line = cut(rest, '\n');
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Bytes up to and with the empty line that ends the head; 0 when it is not there. */
static size_t head_length(const char *p, size_t len)
{
    struct request_value rest = { p, len };
    bool first = true;
    while (rest.len && memchr(rest.p, '\n', rest.len)) {
        if (next_line(&rest).len == 0 && !first)
            return len - rest.len;
        first = false;
    }
    return 0;
}

int request_parse(const char *p, size_t len, struct request *ret)
{
    memset(ret, 0, sizeof *ret);
    size_t skipped = 0; /* an empty line left over by the request before */
    while (skipped < len && skipped < 4 && (p[skipped] == '\r' || p[skipped] == '\n'))
        skipped++;
    size_t head = head_length(p + skipped, len - skipped);
    if (!head) {
        if (len < REQUEST_HEAD_MAX)
            return 0;
        return memchr(p + skipped, '\n', len - skipped) ? -431 : -414;
    }
    if (skipped + head > REQUEST_HEAD_MAX)
        return -431;
    struct request_value rest = { p + skipped, head };
    struct seen seen = { 0, false, false };
    struct request_value line = next_line(&rest);
    bool old = line.len >= 8 && memcmp(line.p + line.len - 8, "HTTP/1.0", 8) == 0;
    int err = request_line(line, ret);
    while (err != -400 && err != -505 && (line = next_line(&rest)).len) {
        int header_err = header(line, ret, &seen);
        if (header_err)
            return header_err;
    }
    if (err)
        return err;
    if (seen.hosts > 1 || (!seen.hosts && !old) || (seen.encoding && seen.length))
        return -400;
    return seen.encoding ? -501 : (int)(skipped + head);
}

/* --- values ---------------------------------------------------------------------- */

bool request_range(struct request_value v, uint64_t size, uint64_t *from, uint64_t *count,
                   bool *unsatisfiable)
{
    uint64_t first, last;
    *unsatisfiable = false;
    if (v.len < 7 || memcmp(v.p, "bytes=", 6) != 0)
        return false;
    struct request_value rest = { v.p + 6, v.len - 6 };
    if (memchr(rest.p, ',', rest.len) || !memchr(rest.p, '-', rest.len))
        return false;
    struct request_value a = trim(cut(&rest, '-')), b = trim(rest);
    if (a.len == 0) { /* the last so many bytes */
        if (!number(b, &last))
            return false;
        *unsatisfiable = last == 0 || size == 0;
        *count = last < size ? last : size;
        *from = size - *count;
        return true;
    }
    if (!number(a, &first) || (b.len && (!number(b, &last) || last < first)))
        return false;
    *unsatisfiable = first >= size;
    if (!b.len || last >= size)
        last = size - 1;
    *from = first;
    *count = last - first + 1;
    return true;
}

static bool two_digits(const char *p, uint64_t *ret)
{
    return number((struct request_value){ p, 2 }, ret);
}

bool request_date(struct request_value v, uint64_t *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t day, year, hour, minute, second, month = 0;
    if (v.len != 29 || v.p[3] != ',' || memcmp(v.p + 25, " GMT", 4) != 0)
        return false;
    while (month < 12 && memcmp(months + 3 * month, v.p + 8, 3) != 0)
        month++;
    if (month == 12 || !two_digits(v.p + 5, &day) ||
        !number((struct request_value){ v.p + 12, 4 }, &year) || year < 1970 ||
        !two_digits(v.p + 17, &hour) || !two_digits(v.p + 20, &minute) ||
        !two_digits(v.p + 23, &second))
        return false;
    /* Years begin in March here, so that the leap day comes last. */
    uint64_t y = year - (month < 2), m = (month + 10) % 12;
    uint64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
    *ret = days * 86400 + hour * 3600 + minute * 60 + second;
    return true;
}
