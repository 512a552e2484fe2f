/* Notes, one line each, in /data/notes.txt. Every change replaces the file as a whole, so
 * that a power cut loses at most the change that was being made. */
#include <vyoma/errno.h>
#include <vyoma/fs.h>
#include <vyoma/serve.h>

enum { NOTES_BYTES = 16384 };

static int data_dir;
static char notes[NOTES_BYTES];
static char out_bytes[NOTES_BYTES + 4096];

static size_t load(void)
{
    size_t len = 0;
    return vy_read_file(data_dir, "notes.txt", notes, sizeof notes, &len) ? 0 : len;
}

static int store(struct vy_buf *out, size_t len, const char *done)
{
    int err = vy_replace_file(data_dir, "notes.txt", "notes.new", notes, len);
    vy_str(out, err ? "could not be stored: " : done);
    vy_str(out, err ? vy_errno_name(err) : "");
    vy_char(out, '\n');
    return err != 0;
}

/* The end of the line that begins at `at`: its '\n', or len. */
static size_t line_end(size_t at, size_t len)
{
    const char *end = memchr(notes + at, '\n', len - at);
    return end ? (size_t)(end - notes) : len;
}

static bool contains(size_t at, size_t end, const char *word)
{
    size_t n = strlen(word);
    for (; at + n <= end; at++)
        if (memcmp(notes + at, word, n) == 0)
            return true;
    return false;
}

/* All notes that hold `word`, with their numbers. */
static int list(struct vy_buf *out, const char *word)
{
    size_t len = load();
    uint64_t number = 0, shown = 0;
    for (size_t at = 0, end; at < len; at = end + 1) {
        end = line_end(at, len);
        number++;
        if (!contains(at, end, word))
            continue;
        shown++;
        vy_u64(out, number);
        vy_str(out, "  ");
        vy_bytes(out, notes + at, end - at);
        vy_char(out, '\n');
    }
    if (!shown)
        vy_str(out, *word ? "no note has that\n" : "no notes yet: add TEXT writes one\n");
    return 0;
}

static int add(struct vy_buf *out, const char *text)
{
    size_t len = load(), n = strlen(text);
    if (!n || n > NOTES_BYTES - 1 - len) {
        vy_str(out, n ? "there is no room for it: delete a note first\n" : "add what?\n");
        return 1;
    }
    memcpy(notes + len, text, n);
    notes[len + n] = '\n';
    return store(out, len + n + 1, "added");
}

static int delete(struct vy_buf *out, const char *text)
{
    size_t len = load(), at = 0;
    uint64_t number;
    if (!vy_parse_u64(&text, &number) || *text || !number) {
        vy_str(out, "delete which? its number, as list shows it\n");
        return 1;
    }
    while (--number && at < len)
        at = line_end(at, len) + 1;
    if (at >= len) {
        vy_str(out, "there is no note with that number\n");
        return 1;
    }
    size_t next = line_end(at, len) + 1;
    if (next > len)
        next = len;
    memmove(notes + at, notes + next, len - next);
    return store(out, len - (next - at), "deleted");
}

static int answer(char *text, struct vy_buf *out)
{
    const char *rest;
    if (strcmp(text, "list") == 0)
        return list(out, "");
    if ((rest = vy_after(text, "find ")))
        return list(out, rest);
    if ((rest = vy_after(text, "add ")))
        return add(out, rest);
    if ((rest = vy_after(text, "delete ")))
        return delete(out, rest);
    vy_str(out, "notes: list | add TEXT | find WORD | delete NUMBER\n");
    return strcmp(text, "help") != 0;
}

int main(void)
{
    struct vy_buf out = VY_BUF(out_bytes);
    data_dir = vy_data_dir();
    if (data_dir < 0) {
        vy_warn("notes: there is no /data: it needs filesystem = true");
        return 1;
    }
    return vy_serve(answer, &out);
}
