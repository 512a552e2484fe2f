#include "script.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/utf8.h"

void script_init(struct script *s, uint8_t *text, size_t len)
{
    *s = (struct script){ .p = text, .end = text + len, .line = 1 };
}

static int fail(struct script *s, const char *error)
{
    s->error = error;
    return E_MALFORMED;
}

/* White space and ;; comments. */
static void skip_space(struct script *s)
{
    bool comment = false;
    for (; s->p < s->end; s->p++) {
        comment = *s->p != '\n' && (comment || *s->p == ';');
        s->line += *s->p == '\n';
        if (!comment && !strchr(" \t\r\n", *s->p))
            return;
    }
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* u{1F600}, at s->p: its UTF-8, at most 4 bytes. */
static int read_code_point(struct script *s, uint8_t **out)
{
    uint32_t cp = 0;
    for (s->p += 2; s->p < s->end && *s->p != '}'; s->p++) {
        int digit = hex_digit(*s->p);
        if (digit < 0 || cp > 0x10ffff)
            return fail(s, "bad code point");
        cp = cp << 4 | (uint32_t)digit;
    }
    unsigned len = utf8_encode(cp, *out);
    if (s->p == s->end || len == 0)
        return fail(s, "bad code point");
    s->p++;
    *out += len;
    return 0;
}

/* What follows a backslash, at s->p. */
static int read_escape(struct script *s, uint8_t **out)
{
    static const char names[] = "ntr\"'\\", bytes[] = "\n\t\r\"'\\";
    if (s->end - s->p < 2)
        return fail(s, "string does not end");
    if (s->p[0] == 'u' && s->p[1] == '{')
        return read_code_point(s, out);
    const char *hit = memchr(names, *s->p, sizeof names - 1);
    if (hit) {
        *(*out)++ = (uint8_t)bytes[hit - names];
        s->p++;
        return 0;
    }
    int high = hex_digit(s->p[0]), low = hex_digit(s->p[1]);
    if (high < 0 || low < 0)
        return fail(s, "unknown escape");
    *(*out)++ = (uint8_t)(high << 4 | low);
    s->p += 2;
    return 0;
}

/* Decodes in place: no escape is shorter than what it stands for. */
static int read_string(struct script *s, struct node *n)
{
    uint8_t *start = ++s->p, *out = start;
    while (s->p < s->end && *s->p != '"') {
        if (*s->p != '\\') {
            *out++ = *s->p++;
            continue;
        }
        s->p++;
        if (read_escape(s, &out) < 0)
            return E_MALFORMED;
    }
    if (s->p == s->end)
        return fail(s, "string does not end");
    s->p++;
    n->kind = NODE_STRING;
    n->text = span_of(start, (size_t)(out - start));
    return 0;
}

static int read_atom(struct script *s, struct node *n)
{
    uint8_t *start = s->p;
    while (s->p < s->end && !strchr(" \t\r\n();\"", *s->p))
        s->p++;
    if (s->p == start)
        return fail(s, "unexpected character");
    n->kind = NODE_ATOM;
    n->text = span_of(start, (size_t)(s->p - start));
    return 0;
}

/* Nodes point at one another, so they live in blocks that never move; a new form
 * uses the blocks of the last one again. */
struct node_block {
    struct node_block *next;
    size_t used;
    struct node nodes[1024];
};

static struct node *new_node(struct script *s)
{
    struct node_block *b = s->block;
    if (!b || b->used == sizeof b->nodes / sizeof b->nodes[0]) {
        struct node_block *fresh = b && b->next ? b->next : calloc(1, sizeof *fresh);
        if (!fresh)
            return NULL;
        fresh->used = 0;
        *(b ? &b->next : &s->blocks) = fresh;
        s->block = b = fresh;
    }
    struct node *n = &b->nodes[b->used++];
    *n = (struct node){ .kind = NODE_LIST, .line = s->line };
    return n;
}

void script_finish(struct script *s)
{
    while (s->blocks) {
        struct node_block *next = s->blocks->next;
        free(s->blocks);
        s->blocks = next;
    }
}

/* Reads an atom or string, or opens a list. */
static int read_node(struct script *s, struct node **ret)
{
    struct node *n = new_node(s);
    if (!n)
        return E_NOMEM;
    *ret = n;
    if (*s->p == '(') {
        s->p++;
        return 0;
    }
    return *s->p == '"' ? read_string(s, n) : read_atom(s, n);
}

int script_next(struct script *s, const struct node **ret)
{
    struct node **links[SCRIPT_DEPTH_MAX]; /* where the next child of each open list goes */
    struct node *root = NULL;
    unsigned depth = 0;
    skip_space(s);
    if (s->p == s->end)
        return 0;
    if (*s->p != '(')
        return fail(s, "a list was expected");
    if ((s->block = s->blocks))
        s->block->used = 0;
    do {
        skip_space(s);
        if (s->p == s->end)
            return fail(s, "list does not end");
        if (*s->p == ')') {
            s->p++;
            depth--;
            continue;
        }
        struct node *n;
        int err = read_node(s, &n);
        if (err < 0)
            return err;
        if (depth > 0) {
            *links[depth - 1] = n;
            links[depth - 1] = &n->next;
        } else {
            root = n;
        }
        if (n->kind == NODE_LIST) {
            if (depth == SCRIPT_DEPTH_MAX)
                return fail(s, "nested too deeply");
            links[depth++] = &n->first;
        }
    } while (depth > 0);
    *ret = root;
    return 1;
}

bool node_is(const struct node *n, const char *atom)
{
    return n && n->kind == NODE_ATOM && span_eq_cstr(n->text, atom);
}

bool node_has_head(const struct node *n, const char *head)
{
    return n && n->kind == NODE_LIST && node_is(n->first, head);
}

const struct node *node_child(const struct node *list, unsigned n)
{
    const struct node *child = list->first;
    while (child && n-- > 0)
        child = child->next;
    return child;
}
