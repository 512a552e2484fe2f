/* The HTTP parser of apps/http-server, on the build machine. */
#include "../../apps/http-server/request.h"

#include "lib/test.h"

static struct request q;

static int parse(const char *text)
{
    return request_parse(text, strlen(text), &q);
}

#define HOST "Host: x\r\n"

TEST(a_plain_request)
{
    const char *text = "GET /a/b.txt?x=1 HTTP/1.1\r\n" HOST "\r\nrest";
    CHECK_INT(parse(text), (int)strlen(text) - 4);
    CHECK_STR(q.path, "a/b.txt");
    CHECK(q.method == REQUEST_GET && q.keep_alive && q.body_bytes == 0);
    CHECK(parse("HEAD / HTTP/1.1\r\n" HOST "\r\n") > 0);
    CHECK(q.method == REQUEST_HEAD);
    CHECK_STR(q.path, "");
    CHECK(parse("GET http://host/p HTTP/1.1\r\n" HOST "\r\n") > 0);
    CHECK_STR(q.path, "p");
    CHECK(parse("\r\nGET / HTTP/1.1\n" "Host: x\n\n") > 0); /* bare line feeds, a blank line */
}

TEST(every_prefix_is_incomplete)
{
    const char *text = "GET /a HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1\r\n\r\n";
    for (size_t n = 0; n < strlen(text); n++)
        CHECK_INT(request_parse(text, n, &q), 0);
}

TEST(keep_alive)
{
    parse("GET / HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n");
    CHECK(!q.keep_alive);
    CHECK(parse("GET / HTTP/1.0\r\n\r\n") > 0);
    CHECK(!q.keep_alive);
    parse("GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n");
    CHECK(q.keep_alive);
}

TEST(what_is_refused)
{
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        { 400, "GET\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n\r\n" }, /* no Host */
        { 400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "Bad Name: x\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "x : y\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST " folded\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
        { 400, "GET a HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /%zz HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /%00 HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /.. HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /a/../b HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /%2e%2E/x HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET / HTTP/x\r\n" HOST "\r\n" },
        { 404, "GET /a%2fb HTTP/1.1\r\n" HOST "\r\n" },
        { 404, "GET /.hidden HTTP/1.1\r\n" HOST "\r\n" },
        { 404, "GET /a//b HTTP/1.1\r\n" HOST "\r\n" },
        { 405, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n" },
        { 501, "BREW / HTTP/1.1\r\n" HOST "\r\n" },
        { 501, "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n" },
        { 505, "GET / HTTP/2.0\r\n" HOST "\r\n" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (parse(cases[i].text) != -cases[i].status)
            printf("# %s\n", cases[i].text);
        CHECK_INT(parse(cases[i].text), -cases[i].status);
    }
}

TEST(bounds)
{
    static char text[REQUEST_HEAD_MAX + 1];
    memset(text, 'a', sizeof text);
    memcpy(text, "GET /", 5);
    CHECK_INT(request_parse(text, REQUEST_HEAD_MAX - 1, &q), 0);
    CHECK_INT(request_parse(text, REQUEST_HEAD_MAX, &q), -414);
    memcpy(text, "GET / HTTP/1.1\r\nx: ", 19);
    CHECK_INT(request_parse(text, REQUEST_HEAD_MAX, &q), -431);
    static char longer[2048] = "GET /";
    memset(longer + 5, 'b', 1500);
    strcpy(longer + 1505, " HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK_INT(parse(longer), -414);
}

static struct request_value value(const char *s)
{
    return (struct request_value){ s, strlen(s) };
}

TEST(ranges)
{
    uint64_t from, count;
    bool bad;
    CHECK(request_range(value("bytes=0-9"), 100, &from, &count, &bad) && !bad);
    CHECK(from == 0 && count == 10);
    CHECK(request_range(value("bytes=90-"), 100, &from, &count, &bad) && !bad);
    CHECK(from == 90 && count == 10);
    CHECK(request_range(value("bytes=-5"), 100, &from, &count, &bad) && !bad);
    CHECK(from == 95 && count == 5);
    CHECK(request_range(value("bytes=50-9999"), 100, &from, &count, &bad) && !bad);
    CHECK(from == 50 && count == 50);
    CHECK(request_range(value("bytes=-1000"), 100, &from, &count, &bad) && !bad);
    CHECK(from == 0 && count == 100);
    CHECK(request_range(value("bytes=100-"), 100, &from, &count, &bad) && bad);
    CHECK(request_range(value("bytes=-0"), 100, &from, &count, &bad) && bad);
    CHECK(request_range(value("bytes=0-0"), 0, &from, &count, &bad) && bad);
    CHECK(!request_range(value("bytes=5-1"), 100, &from, &count, &bad));
    CHECK(!request_range(value("bytes=0-1,3-4"), 100, &from, &count, &bad));
    CHECK(!request_range(value("lines=0-1"), 100, &from, &count, &bad));
    CHECK(!request_range(value("bytes=x-1"), 100, &from, &count, &bad));
    CHECK(!request_range(value("bytes=99999999999999999999-"), 100, &from, &count, &bad));
}

TEST(dates)
{
    uint64_t t = 0;
    CHECK(request_date(value("Sun, 06 Nov 1994 08:49:37 GMT"), &t));
    CHECK_INT(t, 784111777);
    CHECK(request_date(value("Tue, 29 Feb 2000 23:59:59 GMT"), &t));
    CHECK_INT(t, 951868799);
    CHECK(request_date(value("Thu, 01 Jan 1970 00:00:00 GMT"), &t));
    CHECK_INT(t, 0);
    CHECK(!request_date(value("Sunday, 06-Nov-94 08:49:37 GMT"), &t));
    CHECK(!request_date(value("Sun, 06 Foo 1994 08:49:37 GMT"), &t));
    CHECK(!request_date(value(""), &t));
}

TEST_MAIN(RUN(a_plain_request) RUN(every_prefix_is_incomplete) RUN(keep_alive) RUN(what_is_refused)
              RUN(bounds) RUN(ranges) RUN(dates))
