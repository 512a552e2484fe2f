/* Says that it is there (to the app `counter`, when lines may go there), and then waits for
 * ever. `idle count N` is that counter: it says "all" when N have come. */
#include <vyoma/args.h>
#include <vyoma/msg.h>
#include <vyoma/time.h>

static struct vy_args args;
static char line_bytes[4096 + 1];

static void count_up_to(uint64_t wanted)
{
    struct vy_lines in = VY_LINES(VY_STDIN, line_bytes);
    uint64_t n = 0;
    for (char *line; n < wanted && (line = vy_line(&in));) {
        char *sender;
        n += vy_message(line, &sender) != NULL;
    }
    vy_println("all");
}

int main(void)
{
    uint64_t wanted = 0;
    vy_args_get(&args);
    if (args.count > 2) {
        const char *number = args.v[2];
        vy_parse_u64(&number, &wanted);
        count_up_to(wanted);
    } else {
        vy_print("@counter: up\n");
    }
    for (;;)
        vy_sleep_ms(1000000);
}
