/* rogue ATTEMPT [NUMBER] ... | all | list
 *
 * Without arguments it takes the same words as lines on stdin, also as messages. The exit
 * code is 0 when all was refused, 1 when something succeeded that must not. */
#include <vyoma/args.h>
#include <vyoma/errno.h>
#include <vyoma/msg.h>

#include "rogue.h"

int data_dir;
int succeeded;

static const struct attempt *const groups[] = { path_attempts, talk_attempts, flood_attempts,
                                                trap_attempts };
enum { GROUPS = sizeof groups / sizeof groups[0] };

static struct vy_args args;
static char line_bytes[1024];

void report(const char *name, const char *detail, int err)
{
    char text[256];
    struct vy_buf b = VY_BUF(text);
    vy_str(&b, "rogue: ");
    vy_str(&b, name);
    if (detail) {
        vy_str(&b, " ");
        vy_str(&b, detail);
    }
    vy_str(&b, err ? ": refused: " : ": SUCCEEDED");
    if (err)
        vy_str(&b, vy_errno_name(err));
    vy_char(&b, '\n');
    vy_flush(&b, VY_STDOUT);
    succeeded += err == 0;
}

void tell(const char *name, const char *what, uint64_t count)
{
    char text[256];
    struct vy_buf b = VY_BUF(text);
    vy_str(&b, "rogue: ");
    vy_str(&b, name);
    vy_str(&b, ": ");
    vy_str(&b, what);
    if (count != UINT64_MAX) {
        vy_char(&b, ' ');
        vy_u64(&b, count);
    }
    vy_char(&b, '\n');
    vy_flush(&b, VY_STDOUT);
}

static void run_all(void)
{
    for (int g = 0; g < GROUPS; g++)
        for (const struct attempt *a = groups[g]; a->name; a++)
            if (a->in_all)
                a->run(a->name, a->argument);
}

static void list(void)
{
    for (int g = 0; g < GROUPS; g++)
        for (const struct attempt *a = groups[g]; a->name; a++)
            vy_println(a->name);
}

/* number: text of one, or NULL. False: there is no such attempt. */
static bool attempt(const char *name, const char *number)
{
    if (strcmp(name, "all") == 0 || strcmp(name, "list") == 0) {
        (name[0] == 'a' ? run_all : list)();
        return true;
    }
    for (int g = 0; g < GROUPS; g++)
        for (const struct attempt *a = groups[g]; a->name; a++) {
            uint64_t n = a->argument;
            if (strcmp(a->name, name) != 0)
                continue;
            if (number)
                vy_parse_u64(&number, &n);
            a->run(a->name, n);
            return true;
        }
    tell(name, "no such attempt; list names them", UINT64_MAX);
    return false;
}

static bool is_number(const char *s)
{
    return s && *s >= '0' && *s <= '9';
}

static int take_lines(void)
{
    struct vy_lines in = VY_LINES(VY_STDIN, line_bytes);
    for (char *line; (line = vy_line(&in));) {
        char *sender, *text = vy_message(line, &sender);
        text = text ? text : line;
        if (!*text || vy_after(text, "VYOMA_"))
            continue;
        char *number = strchr(text, ' ');
        if (number)
            *number++ = 0;
        attempt(text, number);
    }
    return succeeded != 0;
}

int main(void)
{
    data_dir = vy_data_dir();
    vy_args_get(&args);
    if (args.count < 2)
        return take_lines();
    for (int i = 1; i < args.count; i++) {
        const char *number = is_number(args.v[i + 1]) ? args.v[i + 1] : NULL;
        if (!attempt(args.v[i], number))
            return 64;
        i += number != NULL;
    }
    return succeeded != 0;
}
