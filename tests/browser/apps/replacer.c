/* Replaces a file again and again, and says which number is stored for certain. At its start it
 * says what it has found: all of one number's file, or that it is none. */
#include <vyoma/errno.h>
#include <vyoma/fs.h>

enum { LINES = 400, LINE = 20 };

static char text[LINES * LINE + 1];

/* The number, 20 digits and blanks wide, LINES times. */
static void fill(uint64_t n)
{
    for (size_t i = 0; i < LINES; i++) {
        char *line = text + i * LINE;
        uint64_t rest = n;
        memset(line, ' ', LINE - 1);
        line[LINE - 1] = '\n';
        for (int at = LINE - 2; at == LINE - 2 || rest; at--, rest /= 10)
            line[at] = (char)('0' + rest % 10);
    }
}

static bool is_whole(uint64_t *n)
{
    static char found[sizeof text];
    const char *s = text;
    while (*s == ' ')
        s++;
    if (!vy_parse_u64(&s, n))
        return false;
    memcpy(found, text, sizeof text);
    fill(*n);
    return memcmp(found, text, LINES * LINE) == 0;
}

static void say(const char *what, uint64_t n)
{
    char memory[64];
    struct vy_buf b = VY_BUF(memory);
    vy_str(&b, what);
    vy_u64(&b, n);
    vy_char(&b, '\n');
    vy_flush(&b, VY_STDOUT);
}

int main(void)
{
    int dir = vy_data_dir();
    size_t len = 0;
    uint64_t n = 0;
    int err = vy_read_file(dir, "f", text, LINES * LINE, &len);
    if (!err && (len != LINES * LINE || !is_whole(&n))) {
        vy_print("what was found is not whole\n");
        return 1;
    }
    say("found ", n);
    for (;;) {
        fill(++n);
        err = vy_replace_file(dir, "f", "f.new", text, LINES * LINE);
        if (err) {
            vy_print(vy_errno_name(err));
            return 1;
        }
        say("stored ", n);
    }
}
