/* Asks the supervisor to start the app `up`, many times, and says what the median time was
 * from the request until that app's first output had come here. */
#include <vyoma/args.h>
#include <vyoma/msg.h>
#include <vyoma/time.h>

enum { ROUNDS = 61, PATIENCE_MS = 5000, PAUSE_MS = 20 };

static char line_bytes[4096 + 1];
static struct vy_lines lines = VY_LINES(VY_STDIN, line_bytes);
static uint64_t took[ROUNDS];

/* Until the line is there; false when it does not come. */
static bool await_up(void)
{
    for (;;) {
        if (lines.start == lines.end && !vy_wait(VY_STDIN, (uint64_t)PATIENCE_MS * 1000000))
            return false;
        char *line = vy_line(&lines), *sender;
        if (!line)
            return false;
        char *text = vy_message(line, &sender);
        if (text && strcmp(sender, "up") == 0)
            return true;
    }
}

static void sort(void)
{
    for (int i = 1; i < ROUNDS; i++)
        for (int j = i; j > 0 && took[j - 1] > took[j]; j--) {
            uint64_t t = took[j];
            took[j] = took[j - 1];
            took[j - 1] = t;
        }
}

int main(void)
{
    char text[100];
    struct vy_buf b = VY_BUF(text);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t start = vy_now_ns();
        vy_send_line("supervisor", "start up");
        if (!await_up())
            return 1;
        took[i] = vy_now_ns() - start;
        vy_sleep_ms(PAUSE_MS); /* it has to be gone before it can be started again */
    }
    sort();
    vy_str(&b, "median ");
    vy_u64(&b, took[ROUNDS / 2] / 1000);
    vy_str(&b, " us, best ");
    vy_u64(&b, took[0] / 1000);
    vy_str(&b, " us\n");
    vy_flush(&b, VY_STDOUT);
    return 0;
}
