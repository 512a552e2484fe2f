#include "words.h"

enum { NAMES_MAX = 256 };

static const char *const verbs[] = {
    "audit", "caps", "clear", "console", "exit", "focus", "help", "history", "kill", "log", "logf",
    "poweroff", "ps", "reboot", "reload", "restart", "send", "start", "status", "stop", "uptime",
    "verify",
};

static char names[NAMES_MAX][VY_NAME_MAX + 1];
static uint32_t name_count;

void words_clear(void)
{
    name_count = 0;
}

void words_learn(const char *json)
{
    const char *name = vy_after(json, "{\"name\":\"");
    const char *end = name ? strchr(name, '"') : NULL;
    if (!end || end - name > VY_NAME_MAX || name_count == NAMES_MAX)
        return;
    memcpy(names[name_count], name, (size_t)(end - name));
    names[name_count++][end - name] = 0;
}

static const char *word(bool is_verb, uint32_t i)
{
    if (is_verb)
        return i < sizeof verbs / sizeof verbs[0] ? verbs[i] : NULL;
    return i < name_count ? names[i] : NULL;
}

/* Bytes in which a and b agree. */
static size_t agree(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

bool words_complete(const char *line, char add[VY_NAME_MAX + 2])
{
    const char *last = strrchr(line, ' ');
    const char *begun = last ? last + 1 : line;
    size_t have = strlen(begun), common = 0;
    const char *first = NULL, *w;
    bool several = false;
    for (uint32_t i = 0; (w = word(!last, i)); i++) {
        if (strncmp(w, begun, have) != 0)
            continue;
        common = first ? agree(first, w) < common ? agree(first, w) : common : strlen(w);
        several |= first != NULL;
        first = first ? first : w;
    }
    if (!first || (several && common == have))
        return false;
    memcpy(add, first + have, common - have);
    add[common - have] = several ? 0 : ' ';
    add[common - have + 1] = 0;
    return true;
}
