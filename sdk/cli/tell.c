/* Errors, notes, and near misses. */
#include "cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/error.h"

/* Colour for a person's terminal only (https://no-color.org). */
static bool wants_color(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDERR_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

static void write_json(FILE *to, struct span s)
{
    size_t cap = s.len * 6 + 8;
    char *memory = malloc(cap);
    struct strbuf b;
    if (!memory)
        return;
    strbuf_init(&b, memory, cap - 1);
    strbuf_json(&b, s);
    fwrite(b.p, 1, b.len, to);
    free(memory);
}

static void write_printable(FILE *to, struct span s)
{
    char memory[2048];
    struct strbuf b;
    strbuf_init(&b, memory, sizeof memory);
    strbuf_printable(&b, s);
    fwrite(b.p, 1, b.len, to);
}

void cli_put_json(struct span s)
{
    write_json(stdout, s);
}

static int show_error(const struct cli *c, int code, const char *hint, const char *message)
{
    fflush(stdout);
    if (c->json) {
        fprintf(stderr, "{\"code\":%d,\"message\":", code);
        write_json(stderr, span_of_cstr(message));
        fprintf(stderr, ",\"hint\":");
        write_json(stderr, span_of_cstr(hint ? hint : ""));
        fprintf(stderr, "}\n");
        return code;
    }
    bool color = wants_color();
    fprintf(stderr, "%svyoma: error:%s ", color ? "\x1b[31m" : "", color ? "\x1b[0m" : "");
    write_printable(stderr, span_of_cstr(message)); /* names of files may drive a terminal */
    fputc('\n', stderr);
    if (hint && *hint)
        fprintf(stderr, "%shint:%s %s\n", color ? "\x1b[36m" : "", color ? "\x1b[0m" : "", hint);
    return code;
}

int cli_fail(const struct cli *c, int code, const char *hint, const char *pattern, ...)
{
    char message[1024];
    va_list args;
    va_start(args, pattern);
    vsnprintf(message, sizeof message, pattern, args);
    va_end(args);
    return show_error(c, code, hint, message);
}

int cli_fail_format(const struct cli *c, const char *file, const struct format_error *err)
{
    char message[512];
    if (err->line)
        snprintf(message, sizeof message, "%s:%u:%u: %s", file, err->line, err->column,
                 err->message);
    else
        snprintf(message, sizeof message, "%s: %s", file, err->message);
    return show_error(c, CLI_FAILED, err->hint, message);
}

void cli_note(const struct cli *c, const char *pattern, ...)
{
    va_list args;
    if (c->quiet || c->json)
        return;
    va_start(args, pattern);
    vfprintf(stderr, pattern, args);
    va_end(args);
    fputc('\n', stderr);
}

enum { WORD_MAX = 32 };

/* Levenshtein's distance, words of at most WORD_MAX bytes. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1], la = strlen(a), lb = strlen(b);
    if (la > WORD_MAX || lb > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= lb; j++)
        row[j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            corner = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[lb];
}

const char *cli_nearest(const char *word, const char *const *words, size_t count)
{
    const char *near = NULL;
    size_t best = strlen(word) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(word, words[i]);
        if (d < best) {
            best = d;
            near = words[i];
        }
    }
    return near;
}
