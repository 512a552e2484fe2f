/* The opening handshake, RFC 6455 section 4.2. */
#include <sha1.h>
#include <string.h>
#include <strings.h>

#include "bridge.h"

enum { KEY_BYTES = 24, HASH_BYTES = 20 };

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

struct request {
    struct span method, path, version;
    struct span upgrade, connection, key, websocket_version;
};

static struct span trim(struct span s)
{
    while (s.len && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = span_skip(s, 1);
    while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool same(struct span s, const char *word)
{
    return s.len == strlen(word) && strncasecmp((const char *)s.p, word, s.len) == 0;
}

/* Is the word one of a list with commas? */
static bool lists(struct span list, const char *word)
{
    while (list.len) {
        size_t end = span_find(list, ',');
        if (same(trim(span_take(list, end)), word))
            return true;
        list = span_skip(list, end < list.len ? end + 1 : end);
    }
    return false;
}

/* The next line without its end; false: there is none. */
static bool next_line(struct span *rest, struct span *line)
{
    size_t end = span_find(*rest, '\n');
    if (end == rest->len)
        return false;
    *line = span_take(*rest, end);
    *rest = span_skip(*rest, end + 1);
    if (line->len && line->p[line->len - 1] == '\r')
        line->len--;
    return true;
}

static struct span next_word(struct span *line)
{
    size_t end = span_find(*line, ' ');
    struct span word = span_take(*line, end);
    *line = span_skip(*line, end < line->len ? end + 1 : end);
    return word;
}

static void take_field(struct request *r, struct span name, struct span value)
{
    if (same(name, "upgrade"))
        r->upgrade = value;
    else if (same(name, "connection"))
        r->connection = value;
    else if (same(name, "sec-websocket-key"))
        r->key = value;
    else if (same(name, "sec-websocket-version"))
        r->websocket_version = value;
}

static bool read_request(struct span head, struct request *r)
{
    struct span line;
    memset(r, 0, sizeof *r);
    if (!next_line(&head, &line))
        return false;
    r->method = next_word(&line);
    r->path = next_word(&line);
    r->version = line;
    while (next_line(&head, &line) && line.len) {
        size_t colon = span_find(line, ':');
        if (colon == line.len)
            return false;
        take_field(r, span_take(line, colon), trim(span_skip(line, colon + 1)));
    }
    return true;
}

/* As long whether they differ early or late: the key is a secret. */
static bool is_key(struct span path, const char *key)
{
    size_t len = strlen(key);
    uint8_t differ = 0;
    if (path.len != len + 1 || path.p[0] != '/')
        return false;
    for (size_t i = 0; i < len; i++)
        differ |= (uint8_t)(path.p[i + 1] ^ (uint8_t)key[i]);
    return differ == 0;
}

static void put_base64(struct strbuf *b, const uint8_t *p, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16;
        if (i + 1 < len)
            v |= (uint32_t)p[i + 1] << 8;
        if (i + 2 < len)
            v |= p[i + 2];
        strbuf_char(b, digits[v >> 18]);
        strbuf_char(b, digits[v >> 12 & 63]);
        strbuf_char(b, i + 1 < len ? digits[v >> 6 & 63] : '=');
        strbuf_char(b, i + 2 < len ? digits[v & 63] : '=');
    }
}

static int refuse(int status, const char *why, const char *more, struct strbuf *reply)
{
    strbuf_cstr(reply, "HTTP/1.1 ");
    strbuf_u64(reply, (uint64_t)status);
    strbuf_cstr(reply, " ");
    strbuf_cstr(reply, why);
    strbuf_cstr(reply, "\r\nConnection: close\r\nContent-Type: text/plain\r\n");
    strbuf_cstr(reply, more);
    strbuf_cstr(reply, "\r\nvyoma-bridge: ");
    strbuf_cstr(reply, why);
    strbuf_cstr(reply, "\n");
    return status;
}

int handshake_answer(struct span head, const char *key, struct strbuf *reply)
{
    struct request r;
    uint8_t text[KEY_BYTES + sizeof GUID - 1], hash[HASH_BYTES];
    if (!read_request(head, &r) || !same(r.version, "HTTP/1.1"))
        return refuse(400, "this is no HTTP/1.1 request", "", reply);
    if (!span_eq_cstr(r.method, "GET"))
        return refuse(405, "only GET is answered", "Allow: GET\r\n", reply);
    if (!is_key(r.path, key))
        return refuse(403, "this is not the key that the bridge has printed", "", reply);
    if (!lists(r.upgrade, "websocket") || !lists(r.connection, "upgrade") || r.key.len != KEY_BYTES)
        return refuse(426, "a WebSocket is wanted", "Upgrade: websocket\r\n", reply);
    if (!same(r.websocket_version, "13"))
        return refuse(426, "of version 13", "Sec-WebSocket-Version: 13\r\n", reply);
    memcpy(text, r.key.p, KEY_BYTES);
    memcpy(text + KEY_BYTES, GUID, sizeof GUID - 1);
    SHA1_CTX sha;
    SHA1Init(&sha);
    SHA1Update(&sha, text, sizeof text);
    SHA1Final(hash, &sha);
    strbuf_cstr(reply, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
    put_base64(reply, hash, sizeof hash);
    strbuf_cstr(reply, "\r\n\r\n");
    return 101;
}
