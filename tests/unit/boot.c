#include "formats/boot.h"

#include "base/err.h"
#include "lib/test.h"

static uint8_t scratch_memory[4 << 20], keep_memory[1 << 20];
static struct arena scratch, keep;
static struct boot b;
static struct format_error err;

static int parse(const char *text)
{
    size_t n = strlen(text);
    uint8_t *copy = malloc(n + 1); /* freed at once: a borrowed string would show */
    memcpy(copy, text, n + 1);
    arena_init(&scratch, scratch_memory, sizeof scratch_memory);
    arena_init(&keep, keep_memory, sizeof keep_memory);
    int status = boot_parse(span_of(copy, n), &scratch, &keep, &b, &err);
    free(copy);
    CHECK_INT(scratch.used, 0);
    return status;
}

static const char *error_text(void)
{
    static char text[512];
    struct strbuf s;
    memset(text, 0, sizeof text);
    strbuf_init(&s, text, sizeof text - 1);
    format_error_write(&s, SPAN_LIT("b"), &err);
    return text;
}

TEST(defaults)
{
    CHECK_INT(parse(""), 0);
    CHECK(span_eq_cstr(b.hostname, "vyoma") && b.focus.len == 0);
    CHECK_INT(b.log_level, LOG_INFO);
    CHECK_INT(b.apps_count, 0);
    CHECK_INT(b.limits.apps, 0);
    CHECK_INT(parse("[[app]]\nname = \"a\"\n"), 0);
    CHECK(b.apps[0].start && b.apps[0].restart == BOOT_RESTART_ON_FAILURE);
    CHECK_INT(b.apps[0].max_restarts, 5);
    CHECK_INT(b.apps[0].backoff_max_ms, 30000);
    CHECK_INT(b.apps[0].line, 1);
    CHECK_INT(boot_app_default(SPAN_LIT("x")).restart, BOOT_RESTART_NEVER);
}

TEST(everything_said)
{
    CHECK_INT(parse("[system]\nhostname = \"box\"\nlog_level = \"debug\"\nfocus = \"shell\"\n"
                    "audit_max_kib = 64\nstop_grace_ms = 0\n"
                    "[limits]\napps = 10\nline_bytes = 256\nstdin_bytes = 4096\n"
                    "msg_queue_bytes = 4096\nlog_bytes = 1024\n"
                    "[defaults]\nmemory = \"1MiB\"\ndata = \"2MiB\"\ncpu_percent = 10\n"
                    "messages_per_sec = 5\nopen_files = 4\n"
                    "[[app]]\nname = \"shell\"\nstart = false\nrestart = \"always\"\n"
                    "max_restarts = 0\nwindow_secs = 1\nbackoff_ms = 0\nbackoff_max_ms = 0\n"
                    "after = []\n"), 0);
    CHECK(span_eq_cstr(b.focus, "shell") && b.log_level == LOG_DEBUG);
    CHECK_INT(b.limits.log_bytes, 1024);
    CHECK_INT(b.defaults.data_bytes, 2 << 20);
    CHECK(!b.apps[0].start && b.apps[0].restart == BOOT_RESTART_ALWAYS);
}

TEST(order_respects_after)
{
    CHECK_INT(parse("[[app]]\nname = \"shell\"\nafter = [\"log\", \"net\"]\n"
                    "[[app]]\nname = \"other\"\n"
                    "[[app]]\nname = \"net\"\nafter = [\"log\"]\n"
                    "[[app]]\nname = \"log\"\n"), 0);
    CHECK_INT(b.apps_count, 4);
    CHECK(span_eq_cstr(b.apps[0].name, "other") && span_eq_cstr(b.apps[1].name, "log"));
    CHECK(span_eq_cstr(b.apps[2].name, "net") && span_eq_cstr(b.apps[3].name, "shell"));
    CHECK_INT(b.apps[3].after_count, 2);
    CHECK_INT(b.apps[3].after[0], 1);
    CHECK_INT(b.apps[3].after[1], 2);
    CHECK_INT(b.apps[3].line, 1);
}

TEST(refusals)
{
    static const struct { const char *text, *message; } cases[] = {
        { "[[apps]]\n", "b:1:3: unknown key 'apps' in boot.toml; did you mean 'app'?" },
        { "[[app]]\nstart = true\n", "b:1:3: [[app]] has no 'name'; it is required" },
        { "[[app]]\nname = \"a\"\nrestrat = \"never\"\n",
          "b:3:1: unknown key 'restrat' in [[app]]; did you mean 'restart'?" },
        { "[[app]]\nname = \"a\"\nrestart = \"maybe\"\n",
          "b:3:11: 'restart' in [[app]] is 'maybe'; it is \"never\", \"on-failure\" or \"always\"" },
        { "[[app]]\nname = \"a\"\n[[app]]\nname = \"a\"\n",
          "b:4:8: app 'a' is listed twice; first on line 1" },
        { "[[app]]\nname = \"a\"\nafter = [\"b\"]\n",
          "b:3:10: 'after' of 'a' names 'b', which is no [[app]] here" },
        { "[[app]]\nname = \"x\"\nafter = [\"a\"]\n[[app]]\nname = \"a\"\nafter = [\"b\"]\n"
          "[[app]]\nname = \"b\"\nafter = [\"a\"]\n",
          "b:6:9: 'a' would have to start before itself; the 'after' lists make a circle" },
        { "[[app]]\nname = \"a\"\nafter = [\"a\"]\n",
          "b:3:9: 'a' would have to start before itself; the 'after' lists make a circle" },
        { "[[app]]\nname = \"a\"\nbackoff_ms = 50000\n",
          "b:3:14: 'backoff_ms' is larger than 'backoff_max_ms', which is 30000" },
        { "[system]\nfocus = \"shell\"\n",
          "b:2:9: 'focus' names 'shell', which is no [[app]] here" },
        { "[system]\nlog_level = \"loud\"\n",
          "b:2:13: 'log_level' in [system] is 'loud'; it is \"error\", \"warn\", \"info\" or "
          "\"debug\"" },
        { "[limits]\napps = 5000\n", "b:2:8: 'apps' in [limits] is 5000; it must be 1 to 4096" },
        { "[app]\nname = \"a\"\n", "b:1:2: 'app' in boot.toml is a table; it must be an array" },
        { "app = [1]\n", "b:1:8: an element of 'app' in boot.toml is an integer; it must be a "
                         "table" },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK_INT(parse(cases[i].text), E_MALFORMED);
        CHECK_STR(error_text(), cases[i].message);
        CHECK_INT(keep.used, 0);
    }
}

TEST(a_thousand_apps_in_a_chain)
{
    static char text[128 * 1024];
    size_t n = 0;
    for (int i = 1000; i > 0; i--)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              i > 1 ? "[[app]]\nname = \"a%d\"\nafter = [\"a%d\"]\n"
                                    : "[[app]]\nname = \"a%d\"\n", i, i - 1);
    CHECK_INT(parse(text), 0);
    CHECK_INT(b.apps_count, 1000);
    for (uint32_t i = 1; i < 1000; i++)
        CHECK_INT(b.apps[i].after[0], i - 1);
    CHECK(boot_arena_bytes(n) < sizeof scratch_memory);
}

TEST(every_size_of_arenas)
{
    static const char text[] = "[system]\nfocus = \"b\"\n[[app]]\nname = \"a\"\nafter = [\"b\"]\n"
                               "[[app]]\nname = \"b\"\n";
    int last = E_NOMEM;
    for (size_t size = 0; size < boot_arena_bytes(sizeof text); size += 8) {
        arena_init(&scratch, scratch_memory, size);
        arena_init(&keep, keep_memory, sizeof keep_memory);
        last = boot_parse(span_of_cstr(text), &scratch, &keep, &b, &err);
        CHECK(last == 0 || last == E_NOMEM);
    }
    CHECK_INT(last, 0);
    for (size_t size = 0; size < 512; size++) {
        arena_init(&scratch, scratch_memory, sizeof scratch_memory);
        arena_init(&keep, keep_memory, size);
        last = boot_parse(span_of_cstr(text), &scratch, &keep, &b, &err);
        CHECK(last == 0 || last == E_NOMEM);
    }
    CHECK_INT(last, 0);
}

TEST_MAIN(RUN(defaults) RUN(everything_said) RUN(order_respects_after) RUN(refusals)
              RUN(a_thousand_apps_in_a_chain) RUN(every_size_of_arenas))
