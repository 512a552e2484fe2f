/* The console: what is shown and how, what is typed and to whom it goes. */
#include "base/err.h"
#include "lib/lab.h"

#define APP(name, rest) "[app]\nname = \"" name "\"\nversion = \"1\"\nwasm = \"a.wasm\"\n" rest
#define STDIO "[capabilities]\nstdio = true\n"

static struct lab *lab_with(const char *boot, bool owned)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_add(lab, "a", APP("a", STDIO));
    lab_add(lab, "b", APP("b", STDIO));
    lab_add(lab, "mute", APP("mute", "[capabilities]\nfilesystem = true\n"));
    lab_boot(lab, boot, owned);
    lab_clear(lab);
    return lab;
}

static struct lab *fresh(void)
{
    return lab_with("[system]\nfocus = \"sh\"\n[[app]]\nname = \"sh\"\n[[app]]\nname = \"a\"\n"
                    "[[app]]\nname = \"b\"\n[[app]]\nname = \"mute\"\n", true);
}

static void command(struct lab *lab, const char *line)
{
    char text[128];
    snprintf(text, sizeof text, "@supervisor: %s\n", line);
    lab_output(lab, "sh", text);
    lab_clear(lab);
}

/* All that was shown, as a terminal gets it: the texts of CONSOLE and CONSOLE_ERR. */
static const char *shown(struct lab *lab)
{
    static char all[1 << 16];
    size_t n = 0;
    for (char *line = lab->text; *line; line = strchr(line, '\n') + 1) {
        if (strncmp(line, "CONSOLE", 7) != 0)
            continue;
        const char *p = strchr(line, '"') + 1;
        const char *end = strchr(line, '\n') - 1;
        memcpy(all + n, p, (size_t)(end - p));
        n += (size_t)(end - p);
    }
    all[n] = 0;
    return all;
}

static const char *shows(struct lab *lab, const char *app, const char *text)
{
    lab_clear(lab);
    lab_output(lab, app, text);
    return shown(lab);
}

/* --- what is shown -------------------------------------------------------------------- */

TEST(others_lines_carry_their_name)
{
    struct lab *lab = fresh();
    CHECK_STR(shows(lab, "a", "hello\nworld\n"), "[a] hello\\n[a] world\\n");
    CHECK_STR(shows(lab, "a", "half"), "");
    CHECK_STR(shows(lab, "a", " and half\r\n"), "[a] half and half\\n");
    lab_write(lab, "b", CORE_STDERR, SPAN_LIT("oops\n"));
    CHECK(lab_has(lab, "CONSOLE \"[b] oops\\n\""));
    lab_free(lab);
}

TEST(the_last_line_needs_no_end)
{
    struct lab *lab = fresh();
    CHECK_STR(shows(lab, "a", "bye"), "");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_STR(shown(lab), "[a] bye\\n");
    lab_free(lab);
}

TEST(apps_without_stdio_write_to_no_one)
{
    struct lab *lab = fresh();
    CHECK_STR(shows(lab, "mute", "hello\n@a: hello\n"),
              "vyoma: mute: may not write to 'stdout': set 'stdio = true' in [capabilities] "
              "(vyoma.toml line 5)\\n");
    CHECK(lab_has(lab, "\"event\":\"cap_deny\",\"app\":\"mute\",\"what\":\"write to\""));
    CHECK_STR(lab_app(lab, "a")->got, "");
    CHECK_STR(shows(lab, "mute", "again\n"), "");
    lab_free(lab);
}

/* Nothing that an app without `shell` writes drives the terminal, in focus or not. */
TEST(terminal_escapes_are_made_harmless)
{
    static const char evil[] = "a\x1b[2Jb\x07" "c\x9b" "d\xc2\x9b" "e\bf\x7f\n";
    struct lab *lab = fresh();
    CHECK_STR(shows(lab, "a", evil), "[a] a?[2Jb?c?d?e?f?\\n");
    command(lab, "focus a");
    CHECK_STR(shows(lab, "a", evil), "a?[2Jb?c?d?e?f?\\n");
    CHECK_STR(shows(lab, "a", "\x1b"), "?");
    CHECK_STR(shows(lab, "a", "[2J\n"), "[2J\\n");
    CHECK_STR(shows(lab, "a", "10%\r20%\tx\n"), "10%\\r20%\\x09x\\n"); /* these are fine in focus */
    CHECK_STR(shows(lab, "b", "10%\r20%\n"), "[b] 10%?20%\\n");     /* and could hide a name */
    command(lab, "focus sh");
    CHECK_STR(shows(lab, "sh", "\x1b[1mbold\n"), "\\x1b[1mbold\\n");
    lab_free(lab);
}

TEST(characters_stay_whole_in_any_split)
{
    static const char text[] = "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xb1\n";
    struct lab *lab = fresh();
    command(lab, "focus a");
    lab_clear(lab);
    for (const char *p = text; *p; p++)
        lab_write(lab, "a", CORE_STDOUT, span_of(p, 1));
    CHECK_STR(shown(lab), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8c\xb1\\n");
    lab_free(lab);
}

/* What the app in focus wrote of a line shows at once, unless it may be of the protocol. */
TEST(prompts_show_at_once)
{
    struct lab *lab = fresh();
    CHECK_STR(shows(lab, "sh", "> "), "> ");
    CHECK_STR(shows(lab, "sh", "done\n"), "done\\n");
    CHECK_STR(shows(lab, "sh", "VYO"), "");
    CHECK_STR(shows(lab, "sh", "LA\n"), "VYOLA\\n");
    CHECK_STR(shows(lab, "sh", "@supervisor"), "");
    CHECK_STR(shows(lab, "sh", ": uptime\n"), "");
    lab_free(lab);
}

TEST(a_prompt_is_put_back_after_others_lines)
{
    struct lab *lab = fresh();
    lab_output(lab, "sh", "> ");
    lab_type(lab, "sta");
    CHECK_STR(shows(lab, "a", "hello\n"), "\\r\\x1b[K[a] hello\\n> sta");
    lab_clear(lab);
    lab_type(lab, "tus\n");
    CHECK_STR(lab_app(lab, "sh")->got, "status\n");
    lab_free(lab);
}

TEST(a_prompt_is_put_back_when_the_console_comes_home)
{
    struct lab *lab = fresh();
    command(lab, "focus a");
    CHECK_STR(shows(lab, "sh", "> "), "");
    lab_type(lab, "\x1a");
    CHECK_STR(shown(lab), "> ");
    lab_output(lab, "b", "@sh: x\n");
    CHECK_STR(shows(lab, "sh", "\n@supervisor: focus a\n"), "\\nvyoma: a: has the console; Ctrl-Z "
                                                           "returns to the shell\\n");
    lab_write(lab, "sh", CORE_STDERR, SPAN_LIT("? "));
    CHECK_STR(shows(lab, "sh", "@su"), "");
    lab_type(lab, "\x1a");
    CHECK_STR(shown(lab), "? ");
    lab_free(lab);
}

TEST(a_flood_is_counted_and_kept_in_the_log)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 500; i++)
        lab_output(lab, "a", "flood\n");
    CHECK_INT(lab_count(lab, "[a] flood"), 60);
    lab_pass(lab, 1000);
    CHECK(lab_has(lab, "[a] ... 440 lines not shown\\n"));
    CHECK_STR(shows(lab, "b", "me too\n"), "[b] me too\\n");
    lab_free(lab);
}

TEST(a_traps_backtrace_is_one_notice)
{
    struct lab *lab = fresh();
    lab_event(lab, (struct core_event){ .type = CORE_EV_TRAPPED, .app = lab_app(lab, "a")->id,
                                        .text = SPAN_LIT("trap: unreachable\x1b[2J"),
                                        .detail = SPAN_LIT("#0 f\n#1 main\n") });
    CHECK_STR(shown(lab), "vyoma: a: trap: unreachable?[2J\\n  #0 f\\n  #1 main\\n");
    lab_free(lab);
}

/* --- typing ---------------------------------------------------------------------------------- */

static const char *typed(struct lab *lab, const char *app, const char *keys)
{
    lab_clear(lab);
    lab_type(lab, keys);
    return lab_app(lab, app)->got;
}

TEST(lines_are_edited_here)
{
    struct lab *lab = fresh();
    CHECK_STR(typed(lab, "sh", "ab\x7f" "c\n"), "ac\n");
    CHECK_STR(shown(lab), "ab\\x08 \\x08c\\n");
    CHECK_STR(typed(lab, "sh", "one two\x17three\r"), "one three\n");
    CHECK_STR(typed(lab, "sh", "wrong\x15right\n"), "right\n");
    CHECK_STR(typed(lab, "sh", "\xc3\xbc\x08x\n"), "x\n"); /* a character, not a byte */
    CHECK_STR(shown(lab), "\xc3\xbc\\x08 \\x08x\\n");
    CHECK_STR(typed(lab, "sh", "a\x1b[Ab\x1b[1;5Cc\x1bOPd\n"), "abcd\n");
    CHECK_STR(typed(lab, "sh", "\x7f\x7f\n"), "\n");
    CHECK_STR(typed(lab, "sh", "gone\x03kept\n"), "kept\n");
    CHECK_STR(typed(lab, "sh", "\x1b\n"), "\n"); /* Escape by itself swallows no Enter */
    lab_free(lab);
}

TEST(a_typed_line_has_a_bound)
{
    static char keys[2001];
    struct lab *lab = fresh();
    memset(keys, 'x', 2000);
    lab_type(lab, keys);
    lab_clear(lab);
    lab_type(lab, "y");
    CHECK_STR(shown(lab), "\\x07");
    lab_type(lab, "\n");
    CHECK_INT(lab_app(lab, "sh")->got_len, 1024);
    lab_free(lab);
}

TEST(a_line_goes_to_the_app_in_focus)
{
    struct lab *lab = fresh();
    command(lab, "focus a");
    CHECK_STR(typed(lab, "a", "hi\n"), "hi\n");
    CHECK_STR(lab_app(lab, "sh")->got, "");
    lab_free(lab);
}

TEST(focus_is_told_and_comes_home)
{
    struct lab *lab = fresh();
    lab_clear(lab);
    lab_output(lab, "sh", "@supervisor: focus a\n");
    CHECK_STR(lab_app(lab, "sh")->got, "REPLY: focus on a\nREPLY:END\nVYOMA_SYSTEM:focus:off\n");
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:focus:on\n");
    CHECK_STR(shown(lab), "vyoma: a: has the console; Ctrl-Z returns to the shell\\n");
    CHECK_STR(typed(lab, "sh", "unfinished\x1a" "ps\n"), "VYOMA_SYSTEM:focus:on\nps\n");
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:focus:off\n");
    command(lab, "focus a");
    CHECK_STR(typed(lab, "sh", "\x1d"), "VYOMA_SYSTEM:focus:on\n");
    command(lab, "focus a");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_STR(lab_app(lab, "sh")->got, "VYOMA_SYSTEM:focus:on\n");
    lab_free(lab);
}

/* Un-booted on a terminal as in a booted machine; the end of the terminal is the end. */
TEST(focus_comes_home_unbooted)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_add(lab, "a", APP("a", STDIO));
    lab_boot_console(lab);
    lab_start(lab, "sh", true);
    lab_output(lab, "sh", "@supervisor: console raw\n");
    CHECK_STR(typed(lab, "sh", "k"), "VYOMA_INPUT:bytes:6b\n");
    command(lab, "start a");
    command(lab, "focus a");
    CHECK_STR(typed(lab, "a", "1+2\r"), "1+2\n");
    CHECK_STR(shows(lab, "sh", "\rhere\n"), "[sh] here\\n");
    CHECK_STR(typed(lab, "sh", "\x1a"), "VYOMA_SYSTEM:focus:on\n");
    CHECK_STR(typed(lab, "sh", "k"), "VYOMA_INPUT:bytes:6b\n");
    command(lab, "focus a");
    lab_type(lab, "");
    CHECK(lab_has(lab, "CLOSE_STDIN sh"));
    lab_exit(lab, "sh", CORE_EXIT_CODE, 3);
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK(lab->powered && lab->stop == CORE_STOP_EXIT);
    CHECK_INT(lab->code, 3);
    lab_free(lab);
}

/* A shell's answers come over the stdin that the end of its input would close. */
TEST(a_shells_input_ends_behind_its_answers)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_boot(lab, "", false);
    lab_start(lab, "sh", true);
    lab_type(lab, "status");
    lab_type(lab, "");
    CHECK(lab_lacks(lab, "CLOSE_STDIN"));
    lab_output(lab, "sh", "@supervisor: console raw\n");
    CHECK_STR(lab_app(lab, "sh")->got,
              "status\nVYOMA_SYSTEM:end\nREPLY: console raw\nREPLY:END\n");
    lab_pass(lab, 60000);
    CHECK(lab_lacks(lab, "CLOSE_STDIN"));
    lab_free(lab);
    lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_boot(lab, "", false);
    lab_start(lab, "sh", true);
    lab_type(lab, "status\n");
    lab_type(lab, "");
    lab_pass(lab, 999);
    CHECK(lab_lacks(lab, "CLOSE_STDIN"));
    lab_pass(lab, 1);
    CHECK(lab_has(lab, "CLOSE_STDIN sh"));
    lab_free(lab);
}

TEST(focus_needs_a_terminal)
{
    struct lab *lab = lab_with("[[app]]\nname = \"sh\"\n[[app]]\nname = \"a\"\n", false);
    lab_output(lab, "sh", "@supervisor: focus a\n");
    CHECK_STR(lab_app(lab, "sh")->got,
              "REPLY:error: there is no console to give: the input is no terminal\nREPLY:END\n");
    lab_free(lab);
}

TEST(ctrl_c_ends_the_app_in_focus_but_not_the_shell)
{
    struct lab *lab = fresh();
    lab_type(lab, "\x03");
    CHECK(lab_lacks(lab, "ASK_STOP"));
    command(lab, "focus a");
    lab_type(lab, "\x03");
    CHECK(lab_has(lab, "ASK_STOP a"));
    CHECK(lab_lacks(lab, "KILL"));
    lab_type(lab, "\x03");
    CHECK(lab_has(lab, "KILL a"));
    lab_free(lab);
}

TEST(ctrl_d_ends_the_input_of_the_app_in_focus_but_not_the_shells)
{
    struct lab *lab = fresh();
    lab_type(lab, "\x04");
    CHECK(lab_lacks(lab, "CLOSE_STDIN"));
    command(lab, "focus a");
    lab_type(lab, "x\x04"); /* in a line it is nothing */
    CHECK(lab_lacks(lab, "CLOSE_STDIN"));
    lab_type(lab, "\n\x04");
    CHECK(lab_has(lab, "CLOSE_STDIN a"));
    lab_free(lab);
}

TEST(input_that_is_not_taken_is_said)
{
    struct lab *lab = fresh();
    command(lab, "focus a");
    lab_type(lab, "\x04");
    lab_clear(lab);
    lab_type(lab, "hello\n");
    CHECK(lab_has(lab, "vyoma: a: does not take input now; the line is lost\\n"));
    lab_free(lab);
}

/* Not even from a person's hand: there is no stdin. */
TEST(apps_without_stdio_read_nothing)
{
    struct lab *lab = fresh();
    command(lab, "focus mute");
    lab_type(lab, "hello\n");
    CHECK(lab_lacks(lab, "DELIVER mute"));
    CHECK(lab_has(lab, "vyoma: mute: does not take input now; the line is lost\\n"));
    lab_free(lab);
}

TEST(raw_keys_come_as_lines)
{
    struct lab *lab = fresh();
    command(lab, "console raw");
    CHECK_STR(typed(lab, "sh", "a\x1b[A\x03\x1a\n"), "VYOMA_INPUT:bytes:611b5b41031a0a\n");
    CHECK_STR(shown(lab), ""); /* no echo */
    CHECK_STR(typed(lab, "sh", "\x1d"), "VYOMA_INPUT:bytes:1d\n"); /* it is at home */
    lab_output(lab, "sh", "> x");
    lab_clear(lab);
    lab_output(lab, "a", "hello\n"); /* what stands there is for the shell to draw again */
    CHECK_STR(shown(lab), "\\r\\x1b[K[a] hello\\n");
    CHECK_STR(lab_app(lab, "sh")->got, "VYOMA_SYSTEM:redraw\n");
    lab_output(lab, "sh", "\n@supervisor: console line\n");
    CHECK_STR(typed(lab, "sh", "ab\x7f\n"), "a\n");
    lab_free(lab);
}

TEST(raw_keys_wait_for_a_slow_shell)
{
    static char much[1024];
    struct lab *lab = fresh();
    command(lab, "console raw");
    lab_app(lab, "sh")->deaf = true;
    lab_clear(lab);
    memset(much, 'x', 1023);
    for (int i = 0; i < 20; i++)
        lab_type(lab, much);
    CHECK_INT(lab_count(lab, "PAUSE\n"), 1);
    lab_clear(lab);
    lab_hear(lab, "sh");
    CHECK(lab_has(lab, "RESUME\n"));
    lab_free(lab);
}

TEST(raw_keys_away_from_home_have_a_way_back)
{
    struct lab *lab = lab_with("[system]\nfocus = \"a\"\n[[app]]\nname = \"a\"\n"
                               "[[app]]\nname = \"sh\"\n", true);
    command(lab, "console raw");
    command(lab, "focus sh");
    CHECK_STR(typed(lab, "sh", "q\x1a\x1dx"), "VYOMA_INPUT:bytes:711a\nVYOMA_SYSTEM:focus:off\n");
    CHECK_STR(typed(lab, "a", "yz\n"), "xyz\n");
    lab_free(lab);
}

/* A life does not inherit the mode of the one before. */
TEST(raw_keys_end_with_the_life)
{
    struct lab *lab = lab_with("[[app]]\nname = \"sh\"\nrestart = \"always\"\nbackoff_ms = 0\n", true);
    command(lab, "console raw");
    lab_exit(lab, "sh", CORE_EXIT_CODE, 0);
    lab_pass(lab, 10);
    CHECK_STR(typed(lab, "sh", "ab\n"), "ab\n");
    lab_free(lab);
}

/* What is typed before there is a shell, and before it asks for keys, is its own. */
TEST(keys_wait_for_the_shell)
{
    struct lab *lab = lab_with("[[app]]\nname = \"a\"\n", true);
    lab_type(lab, "ab\x7f" "c\n");
    lab_type(lab, "d\xc3\xbc");
    CHECK_STR(shown(lab), "");
    lab_start(lab, "sh", false);
    CHECK_STR(lab_app(lab, "sh")->got, "VYOMA_SYSTEM:focus:on\nac\n");
    CHECK_STR(shown(lab), "ab\\x08 \\x08c\\nd\xc3\xbc");
    lab_clear(lab);
    lab_output(lab, "sh", "@supervisor: console raw\n");
    CHECK_STR(lab_app(lab, "sh")->got,
              "VYOMA_INPUT:bytes:64c3bc\nREPLY: console raw\nREPLY:END\n");
    CHECK_STR(shown(lab), "\\x08 \\x08\\x08 \\x08");
    CHECK_STR(typed(lab, "sh", "e"), "VYOMA_INPUT:bytes:65\n");
    lab_free(lab);
}

/* The same of the app that boot.toml gives the console to. */
TEST(keys_wait_for_the_focus_of_boot_toml)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"))->slow = true;
    lab_boot(lab, "[system]\nfocus = \"sh\"\n[[app]]\nname = \"sh\"\n", true);
    struct lab_app *sh = lab_app(lab, "sh");
    lab_clear(lab);
    lab_type(lab, "ab\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = sh->id,
                                        .text = span_of_cstr(sh->manifest) });
    lab_type(lab, "cd");
    CHECK_STR(shown(lab), "");
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = sh->id, .pid = 9 });
    CHECK_STR(sh->got, "VYOMA_SYSTEM:focus:on\nab\n");
    CHECK_STR(typed(lab, "sh", "\n"), "cd\n");
    lab_free(lab);
}

TEST(keys_wait_for_a_shell_that_starts_again)
{
    struct lab *lab = lab_with("[[app]]\nname = \"sh\"\nrestart = \"always\"\nbackoff_ms = 500\n", true);
    command(lab, "console raw");
    lab_exit(lab, "sh", CORE_EXIT_CODE, 1);
    CHECK_STR(typed(lab, "sh", "ab\n"), "");
    CHECK_STR(typed(lab, "sh", "c"), "");
    CHECK_STR(shown(lab), "");
    lab_pass(lab, 600);
    CHECK_STR(lab_app(lab, "sh")->got, "VYOMA_SYSTEM:focus:on\nab\n");
    CHECK_STR(typed(lab, "sh", "d\n"), "cd\n");
    lab_free(lab);
}

TEST(keys_that_wait_have_a_bound)
{
    static char keys[2001];
    struct lab *lab = lab_with("", true);
    memset(keys, 'x', 1023);
    keys[1023] = '\n';
    memset(keys + 1024, 'y', 976);
    lab_type(lab, keys);
    CHECK_STR(shown(lab), "\\x07");
    lab_start(lab, "sh", false);
    CHECK_INT(lab_app(lab, "sh")->got_len, strlen("VYOMA_SYSTEM:focus:on\n") + 1024);
    CHECK_STR(typed(lab, "sh", "z\n"), "z\n");
    lab_free(lab);
}

/* A line that was begun for another app is not the shell's. */
TEST(keys_for_another_app_stay_there)
{
    struct lab *lab = fresh();
    command(lab, "focus a");
    lab_type(lab, "xy");
    lab_clear(lab);
    lab_output(lab, "sh", "@supervisor: console raw\n");
    CHECK_STR(lab_app(lab, "sh")->got, "REPLY: console raw\nREPLY:END\n");
    CHECK_STR(typed(lab, "a", "z\n"), "xyz\n");
    lab_free(lab);
}

TEST(the_first_shell_is_home_when_boot_toml_names_none)
{
    struct lab *lab = lab_with("[[app]]\nname = \"a\"\n[[app]]\nname = \"sh\"\n", true);
    CHECK_STR(typed(lab, "sh", "x\n"), "x\n");
    lab_free(lab);
}

/* --- un-booted ---------------------------------------------------------------------------------- */

static struct lab *foreground(const char *app)
{
    struct lab *lab = lab_with("", false);
    lab_start(lab, app, true);
    lab_clear(lab);
    return lab;
}

TEST(unbooted_bytes_go_through_as_they_are)
{
    struct lab *lab = foreground("a");
    CHECK_STR(typed(lab, "a", "a\x7f\x1a\x03z"), "a\x7f\x1a\x03z");
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_CONSOLE });
    CHECK_STR(lab->text, "CLOSE_STDIN a\n");
    lab_free(lab);
}

/* A server that asks for `ps` in a service, where the console ends at once. */
TEST(the_consoles_end_leaves_room_for_answers)
{
    struct lab *lab = lab_with("", false);
    lab_add(lab, "s", APP("s", "lines = true\n[capabilities]\nstdio = true\nstatus = true\n"));
    lab_start(lab, "s", true);
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_CONSOLE });
    CHECK_STR(lab->text, "");
    lab_output(lab, "s", "@supervisor: ps\n");
    CHECK(lab_has(lab, "REPLY:END"));
    lab_free(lab);
}

TEST(unbooted_text_that_is_no_terminals_is_the_apps_own)
{
    static const uint8_t bytes[] = "\x1b[2J\0\xff\n";
    struct lab *lab = foreground("a");
    lab_write(lab, "a", CORE_STDOUT, span_of(bytes, sizeof bytes - 1));
    CHECK(lab_has(lab, "CONSOLE \"\\x1b[2J\\x00\xff\\n\""));
    lab_event(lab, (struct core_event){ .type = CORE_EV_CONSOLE_SIZE, .count = 80, .count2 = 24 });
    CHECK_STR(shows(lab, "a", "\x1b[2J\n"), "?[2J\\n");
    lab_write(lab, "a", CORE_STDERR, SPAN_LIT("err\n"));
    CHECK(lab_has(lab, "CONSOLE_ERR \"err\\n\""));
    lab_free(lab);
}

TEST(unbooted_input_waits_for_a_slow_reader)
{
    static char much[4096];
    struct lab *lab = foreground("a");
    lab_app(lab, "a")->deaf = true;
    memset(much, 'x', 4095);
    for (int i = 0; i < 9; i++)
        lab_type(lab, much);
    CHECK_INT(lab_count(lab, "PAUSE\n"), 1);
    lab_clear(lab);
    lab_hear(lab, "a");
    CHECK(lab_has(lab, "RESUME\n"));
    CHECK_INT(lab_app(lab, "a")->got_len, 9 * 4095);
    lab_free(lab);
}

/* Typed ahead, while the module is still being read. */
TEST(unbooted_typed_ahead)
{
    struct lab *lab = lab_with("", false);
    lab_app(lab, "mute")->slow = lab_app(lab, "a")->slow = true;
    lab_start(lab, "a", true);
    lab_type(lab, "early\n");
    core_app id = lab_app(lab, "a")->id;
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = id,
                                        .text = span_of_cstr(lab_app(lab, "a")->manifest) });
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = id, .pid = 5 });
    CHECK_STR(lab_app(lab, "a")->got, "early\n");
    lab_start(lab, "mute", true);
    lab_type(lab, "early\n");
    id = lab_app(lab, "mute")->id;
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = id,
                                        .text = span_of_cstr(lab_app(lab, "mute")->manifest) });
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = id, .pid = 6 });
    CHECK(lab_lacks(lab, "DELIVER mute"));
    lab_free(lab);
}

/* The console's input is not paused for ever when the app that did not read it goes. */
TEST(unbooted_input_goes_on_with_a_new_life)
{
    static char much[4096];
    struct lab *lab = foreground("a");
    lab_start(lab, "sh", false);
    lab_app(lab, "a")->deaf = true;
    memset(much, 'x', 4095);
    for (int i = 0; i < 9; i++)
        lab_type(lab, much);
    lab_output(lab, "sh", "@supervisor: restart a\n");
    lab_app(lab, "a")->deaf = false;
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK(lab_has(lab, "RESUME\n"));
    CHECK_STR(typed(lab, "a", "new\n"), "new\n");
    lab_free(lab);
}

TEST_MAIN(
    RUN(others_lines_carry_their_name) RUN(the_last_line_needs_no_end)
    RUN(apps_without_stdio_write_to_no_one) RUN(terminal_escapes_are_made_harmless)
    RUN(characters_stay_whole_in_any_split) RUN(prompts_show_at_once)
    RUN(a_prompt_is_put_back_after_others_lines)
    RUN(a_prompt_is_put_back_when_the_console_comes_home)
    RUN(a_flood_is_counted_and_kept_in_the_log) RUN(a_traps_backtrace_is_one_notice)
    RUN(lines_are_edited_here) RUN(a_typed_line_has_a_bound) RUN(a_line_goes_to_the_app_in_focus)
    RUN(focus_is_told_and_comes_home) RUN(focus_comes_home_unbooted) RUN(focus_needs_a_terminal)
    RUN(a_shells_input_ends_behind_its_answers)
    RUN(ctrl_c_ends_the_app_in_focus_but_not_the_shell)
    RUN(ctrl_d_ends_the_input_of_the_app_in_focus_but_not_the_shells)
    RUN(input_that_is_not_taken_is_said) RUN(apps_without_stdio_read_nothing)
    RUN(raw_keys_come_as_lines) RUN(raw_keys_wait_for_a_slow_shell) RUN(raw_keys_away_from_home_have_a_way_back)
    RUN(keys_wait_for_the_shell) RUN(keys_wait_for_the_focus_of_boot_toml) RUN(keys_wait_for_a_shell_that_starts_again)
    RUN(keys_that_wait_have_a_bound) RUN(keys_for_another_app_stay_there)
    RUN(raw_keys_end_with_the_life) RUN(the_first_shell_is_home_when_boot_toml_names_none)
    RUN(unbooted_bytes_go_through_as_they_are)
    RUN(the_consoles_end_leaves_room_for_answers)
          RUN(unbooted_text_that_is_no_terminals_is_the_apps_own)
    RUN(unbooted_input_waits_for_a_slow_reader) RUN(unbooted_typed_ahead)
    RUN(unbooted_input_goes_on_with_a_new_life))
