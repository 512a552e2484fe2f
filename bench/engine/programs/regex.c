/* Byte strings: a backtracking matcher of small patterns and a Horspool search over a
 * text of pseudo-words. */
#include "program.h"

/* Never so few rounds that the pattern of every eighth weighs more. */
enum { ROUNDS = DIVISOR == 1 ? 15 : 8, TEXT = 1 << 18 };

static char text[TEXT + 1];

static const char *match_here(const char *p, const char *s);

static int match_class(const char *p, const char **ret_end, char c)
{
    int hit = 0, negate = *p == '^';
    for (p += negate; *p != ']'; p++) {
        if (p[1] == '-' && p[2] != ']') {
            hit |= c >= p[0] && c <= p[2];
            p += 2;
        } else {
            hit |= c == *p;
        }
    }
    *ret_end = p + 1;
    return c && hit != negate;
}

/* One element of the pattern (a byte, ., a [class]) against c; *ret_end: after it. */
static int match_one(const char *p, const char **ret_end, char c)
{
    if (*p == '[')
        return match_class(p + 1, ret_end, c);
    *ret_end = p + 1;
    return c && (*p == '.' || *p == c);
}

/* As many as possible, then fewer. */
static const char *match_many(const char *p, const char *rest, const char *s, int least)
{
    const char *at = s, *unused;
    while (match_one(p, &unused, *at))
        at++;
    for (; at - s >= least; at--) {
        const char *end = match_here(rest, at);
        if (end)
            return end;
    }
    return 0;
}

static const char *match_here(const char *p, const char *s)
{
    while (*p) {
        const char *rest;
        int hit = match_one(p, &rest, *s);
        if (*rest == '*' || *rest == '+')
            return match_many(p, rest + 1, s, *rest == '+');
        if (!hit)
            return 0;
        p = rest;
        s++;
    }
    return s;
}

static uint64_t count_matches(const char *pattern, uint64_t sum)
{
    uint32_t found = 0, bytes = 0;
    for (const char *s = text; *s;) {
        const char *end = match_here(pattern, s);
        if (end && end > s) {
            found++;
            bytes += (uint32_t)(end - s);
            s = end;
        } else {
            s++;
        }
    }
    return mix(mix(sum, found), bytes);
}

static uint64_t count_words(const char *word, uint64_t sum)
{
    uint32_t shift[256], length = 0, found = 0;
    while (word[length])
        length++;
    for (int i = 0; i < 256; i++)
        shift[i] = length;
    for (uint32_t i = 0; i + 1 < length; i++)
        shift[(uint8_t)word[i]] = length - 1 - i;
    for (uint32_t at = 0; at + length <= TEXT;) {
        uint32_t i = length;
        while (i > 0 && text[at + i - 1] == word[i - 1])
            i--;
        found += i == 0;
        at += shift[(uint8_t)text[at + length - 1]];
    }
    return mix(sum, found);
}

int main(void)
{
    static const char *const patterns[] = {
        "[a-m]+[0-9]*@[n-z]+", "k.*v", "[^ aeiou]+[aeiou][^ aeiou]+ ", "ab+c", "[0-9]+[.][0-9]+",
    };
    static const char *const words[] = { "kernel", "bad", "engine ", "qz" };
    uint64_t seed = 31, sum = 0;
    for (int i = 0; i < TEXT; i++)
        text[i] = "etaoin shrdlucmfwypvbgk jqxz0123 @.eai b kv 9"[random_next(&seed) % 45];
    for (int i = 0; i + 64 < TEXT; i += 48 + (int)(random_next(&seed) % 16))
        text[i] = '\n';
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
            if (i != 1 || round % 8 == 0)
                sum = count_matches(patterns[i], sum);
        }
        for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
            sum = count_words(words[i], sum);
        text[round * 97] ^= 1;
    }
    return finish(sum);
}
