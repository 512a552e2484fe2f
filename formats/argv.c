#include "formats/argv.h"

#include "base/err.h"

struct splitter {
    struct span line;
    size_t pos;
    char *out;
    size_t cap, len;
};

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static int put(struct splitter *s, uint8_t c)
{
    if (s->len == s->cap)
        return E_FULL;
    s->out[s->len++] = (char)c;
    return E_OK;
}

/* The byte behind a backslash, as it is. */
static int take_escaped(struct splitter *s)
{
    if (s->pos == s->line.len)
        return E_MALFORMED;
    return put(s, s->line.p[s->pos++]);
}

/* pos is behind the opening quote. */
static int take_quoted(struct splitter *s, uint8_t quote)
{
    while (s->pos < s->line.len) {
        uint8_t c = s->line.p[s->pos++];
        uint8_t next = s->pos < s->line.len ? s->line.p[s->pos] : 0;
        if (c == quote)
            return E_OK;
        bool escape = c == '\\' && quote == '"' && (next == '"' || next == '\\');
        int err = escape ? take_escaped(s) : put(s, c);
        if (err)
            return err;
    }
    return E_MALFORMED;
}

static int take_word(struct splitter *s)
{
    int err = E_OK;
    while (!err && s->pos < s->line.len && !is_blank(s->line.p[s->pos])) {
        uint8_t c = s->line.p[s->pos++];
        if (c == '"' || c == '\'')
            err = take_quoted(s, c);
        else if (c == '\\')
            err = take_escaped(s);
        else
            err = put(s, c);
    }
    return err;
}

int argv_split(struct span line, char *memory, size_t cap, struct span *words, size_t max)
{
    struct splitter s = { .line = line, .out = memory, .cap = cap };
    size_t count = 0;
    for (;;) {
        while (s.pos < line.len && is_blank(line.p[s.pos]))
            s.pos++;
        if (s.pos == line.len)
            return (int)count;
        if (count == max)
            return E_LIMIT;
        size_t start = s.len;
        int err = take_word(&s);
        if (err)
            return err;
        words[count++] = span_of(memory + start, s.len - start);
    }
}
