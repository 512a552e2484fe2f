/* The verbs of "@supervisor:", each with what it answers and what it refuses. */
#include "base/err.h"
#include "lib/lab.h"

#define APP(name, rest) "[app]\nname = \"" name "\"\nversion = \"1\"\nwasm = \"a.wasm\"\n" rest
#define STDIO "[capabilities]\nstdio = true\n"

static struct lab *fresh(void)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_add(lab, "mon", APP("mon", STDIO "status = true\n"));
    lab_add(lab, "a", APP("a", STDIO "filesystem = true\n[limits]\nmemory = \"1MiB\"\n"));
    lab_add(lab, "none", APP("none", "manifest_version = 1\n"));
    lab_add(lab, "off", APP("off", STDIO));
    lab_boot(lab, "[[app]]\nname = \"sh\"\n[[app]]\nname = \"mon\"\n[[app]]\nname = \"a\"\n"
                  "[[app]]\nname = \"off\"\nstart = false\n[[app]]\nname = \"none\"\n", true);
    lab_clear(lab);
    return lab;
}

static const char *ask(struct lab *lab, const char *app, const char *line)
{
    char text[200];
    snprintf(text, sizeof text, "@supervisor: %s\n", line);
    lab_clear(lab);
    lab_output(lab, app, text);
    return lab_app(lab, app)->got;
}

static const char *sh(struct lab *lab, const char *line)
{
    return ask(lab, "sh", line);
}

#define ERROR(text) "REPLY:error: " text "\nREPLY:END\n"
#define OK(text) "REPLY: " text "\nREPLY:END\n"

/* --- looking ---------------------------------------------------------------------------- */

TEST(ps)
{
    struct lab *lab = fresh();
    lab_output(lab, "a", "@sh: hi\n");
    lab_pass(lab, 5000);
    CHECK_STR(sh(lab, "ps"),
        "REPLY: NAME             PID     STATE     UP/s     RESTARTS SENT     RECEIVED MEMORY/KiB\n"
        "REPLY: sh               100     running   5        0        0        1        65536\n"
        "REPLY: mon              101     running   5        0        0        0        65536\n"
        "REPLY: a                102     running   5        0        1        0        1024\n"
        "REPLY: off              0       exited    0        0        0        0        0\n"
        "REPLY: none             103     running   5        0        0        0        65536\n"
        "REPLY:END\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 3);
    const char *json = sh(lab, "ps --json");
    CHECK(strstr(json, "REPLY: {\"name\":\"a\",\"state\":\"back-off\",\"pid\":0,\"uptime_s\":0,"
                       "\"restarts\":0,\"sent\":1,\"received\":0,\"memory_bytes\":1048576,"
                       "\"code\":3}\n") != NULL);
    CHECK(strstr(json, "NAME") == NULL);
    lab_free(lab);
}

TEST(status_and_uptime)
{
    struct lab *lab = fresh();
    lab_pass(lab, 61000);
    CHECK_STR(sh(lab, "status"), OK("up 61 s, 4 of 5 apps running, 5 audit records, 0 lost"));
    lab_event(lab, (struct core_event){ .type = CORE_EV_AUDIT_LOST, .count = 2 });
    CHECK_STR(sh(lab, "uptime"), OK("up 61 s, 4 of 5 apps running, 6 audit records, 2 lost"));
    lab_free(lab);
}

TEST(help_lists_every_verb)
{
    static const char *const verbs[] = { "ps", "status", "start", "stop", "kill", "restart",
                                         "reload", "log", "logf", "focus", "caps", "audit",
                                         "verify", "console", "poweroff", "reboot", "help" };
    struct lab *lab = fresh();
    const char *got = sh(lab, "help");
    for (size_t i = 0; i < base_countof(verbs); i++) {
        char line[40];
        snprintf(line, sizeof line, "REPLY: %s ", verbs[i]);
        CHECK(strstr(got, line) != NULL);
    }
    lab_free(lab);
}

TEST(caps)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "caps a"), OK("stdio filesystem ipc"));
    CHECK_STR(sh(lab, "caps none"), OK("none"));
    CHECK_STR(sh(lab, "caps off"), ERROR("was never started: off"));
    CHECK_STR(sh(lab, "caps nobody"), ERROR("no such app: nobody"));
    CHECK_STR(sh(lab, "caps"), ERROR("which app?"));
    lab_free(lab);
}

TEST(log)
{
    struct lab *lab = fresh();
    lab_output(lab, "a", "one\ntwo\x1b[2J\nunfinished");
    lab_write(lab, "a", CORE_STDERR, SPAN_LIT("err\n"));
    CHECK_STR(sh(lab, "log a"), "REPLY: one\nREPLY: two?[2J\nREPLY: err\nREPLY:END\n");
    CHECK_STR(sh(lab, "log off"), "REPLY:END\n");
    CHECK_STR(sh(lab, "log nobody"), ERROR("no such app: nobody"));
    lab_exit(lab, "a", CORE_EXIT_CODE, 0); /* and it is there when the app is not */
    CHECK(strstr(sh(lab, "log a"), "REPLY: unfinished\n") != NULL);
    lab_free(lab);
}

TEST(a_log_keeps_whole_lines)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 3000; i++) {
        char line[80];
        snprintf(line, sizeof line, "begin %*d end\n", 5 + i % 40, i);
        lab_output(lab, "a", line);
        if (i > 2700)
            CHECK(strncmp(sh(lab, "log a"), "REPLY: begin ", 13) == 0);
    }
    lab_free(lab);
}

TEST(logf)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "logf a"), OK("following a"));
    lab_clear(lab);
    lab_output(lab, "a", "hello\x07\n");
    CHECK_STR(lab_app(lab, "sh")->got, "REPLY:log:a: hello?\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    lab_pass(lab, 100);
    lab_clear(lab);
    lab_output(lab, "a", "a new life\n"); /* it is the app that is followed, not its life */
    CHECK_STR(lab_app(lab, "sh")->got, "REPLY:log:a: a new life\n");
    CHECK_STR(sh(lab, "logf"), OK("no longer following a"));
    lab_clear(lab);
    lab_output(lab, "a", "unheard\n");
    CHECK_STR(lab_app(lab, "sh")->got, "");
    CHECK_STR(sh(lab, "logf"), ERROR("which app?"));
    CHECK_STR(sh(lab, "logf sh"), ERROR("cannot follow itself: sh"));
    CHECK_STR(sh(lab, "logf nobody"), ERROR("no such app: nobody"));
    lab_free(lab);
}

TEST(audit)
{
    struct lab *lab = fresh();
    const char *got = sh(lab, "audit 2");
    CHECK(strncmp(got, "REPLY: {\"ts\":\"2023-11-14T22:13:21.000Z\",\"seq\":4,", 48) == 0);
    CHECK(strstr(got, "\"seq\":5,\"event\":\"spawn\",\"app\":\"none\"") != NULL);
    CHECK(strstr(got, "}\nREPLY:END\n") != NULL); /* whole records */
    int lines = 0;
    for (const char *p = sh(lab, "audit"); (p = strstr(p, "REPLY: {")) != NULL; p++)
        lines++;
    CHECK_INT(lines, 5);
    CHECK_STR(sh(lab, "audit many"), ERROR("how many? audit [N]"));
    CHECK_STR(sh(lab, "audit tail many"), ERROR("how many? audit [N]"));
    lines = 0;
    for (const char *p = sh(lab, "audit tail 3"); (p = strstr(p, "REPLY: {")) != NULL; p++)
        lines++;
    CHECK_INT(lines, 3);
    CHECK(strstr(sh(lab, "audit tail"), "\"seq\":1,") != NULL);
    lab_free(lab);
}

TEST(audit_shows_long_records_whole)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\nfilesystem = true\ndisplay = true\n"
                           "mouse = true\nstatus = true\n[capabilities.network]\nports = [1]\n"));
    lab_boot(lab, "[[app]]\nname = \"sh\"\n", true);
    lab_event(lab, (struct core_event){
        .type = CORE_EV_REFUSED, .app = lab_app(lab, "sh")->id,
        .text = SPAN_LIT("\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
                         "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""),
        .detail = SPAN_LIT("\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\"
                           "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\") });
    const char *got = sh(lab, "audit 1");
    CHECK(strstr(got, "\"prev\":\"") != NULL);
    CHECK(strstr(got, "}\nREPLY:END\n") != NULL);
    lab_free(lab);
}

TEST(verify)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "verify a"), OK("a                ok"));
    CHECK(lab_has(lab, "\"event\":\"verify\",\"app\":\"a\",\"result\":\"ok\""));
    CHECK_STR(sh(lab, "verify"), "REPLY: sh               ok\nREPLY: mon              ok\n"
                                 "REPLY: a                ok\nREPLY: none             ok\n"
                                 "REPLY:END\n");
    lab_app(lab, "a")->hash = 2;
    CHECK_STR(sh(lab, "verify a"), OK("a                changed"));
    CHECK_STR(sh(lab, "verify off"), ERROR("was never started: off"));
    CHECK_STR(sh(lab, "verify nobody"), ERROR("no such app: nobody"));
    lab_free(lab);
}

/* Storage that does not answer does not leave the shell without an end. */
TEST(verify_without_an_answer)
{
    struct lab *lab = fresh();
    lab_app(lab, "a")->slow = true;
    CHECK_STR(sh(lab, "verify a"), "");
    CHECK_STR(ask(lab, "mon", "uptime"), lab_app(lab, "mon")->got);
    lab_output(lab, "sh", "@supervisor: caps a\n"); /* waits its turn */
    CHECK_STR(lab_app(lab, "sh")->got, "");
    lab_pass(lab, 5000);
    CHECK_STR(lab_app(lab, "sh")->got, ERROR("no answer in time") OK("stdio filesystem ipc"));
    lab_free(lab);
}

/* --- doing -------------------------------------------------------------------------------- */

TEST(start)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "start off"), OK("starting off"));
    CHECK(lab_app(lab, "off")->id != 0);
    CHECK_STR(sh(lab, "start off"), ERROR("is running already: off"));
    CHECK_STR(sh(lab, "start No_Name"), ERROR("no name for an app: No_Name"));
    CHECK_STR(sh(lab, "start supervisor"), ERROR("no name for an app: supervisor"));
    CHECK_STR(sh(lab, "start"), ERROR("which app?"));
    lab_free(lab);
}

TEST(start_when_the_table_is_full)
{
    struct core_limits few = { .apps = 2 };
    struct lab *lab = lab_new(&few);
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_add(lab, "a", APP("a", STDIO));
    lab_add(lab, "b", APP("b", STDIO));
    lab_boot(lab, "", true);
    lab_start(lab, "sh", false);
    CHECK_STR(sh(lab, "start a"), OK("starting a"));
    CHECK_STR(sh(lab, "start b"), ERROR("no room for another app: b"));
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_STR(sh(lab, "start b"), OK("starting b")); /* in the place of what has ended */
    CHECK_STR(sh(lab, "log a"), ERROR("no such app: a"));
    lab_free(lab);
}

TEST(stop_and_kill)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "stop a"), OK("stopping a"));
    CHECK(lab_has(lab, "ASK_STOP a"));
    CHECK_STR(sh(lab, "kill a"), OK("killing a"));
    CHECK(lab_has(lab, "KILL a"));
    lab_exit(lab, "a", CORE_EXIT_SIGNAL, 9);
    CHECK_STR(sh(lab, "stop a"), ERROR("is not running: a"));
    CHECK_STR(sh(lab, "kill off"), ERROR("is not running: off"));
    CHECK_STR(sh(lab, "stop nobody"), ERROR("no such app: nobody"));
    CHECK_STR(sh(lab, "kill"), ERROR("which app?"));
    lab_free(lab);
}

TEST(restart_and_reload)
{
    struct lab *lab = fresh();
    core_app old = lab_app(lab, "a")->id;
    CHECK_STR(sh(lab, "restart a"), OK("restarting a"));
    CHECK(lab_has(lab, "ASK_STOP a"));
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK(lab_app(lab, "a")->id != 0 && lab_app(lab, "a")->id != old); /* at once */
    CHECK_STR(sh(lab, "reload off"), OK("reloading off"));
    CHECK(lab_app(lab, "off")->id != 0);
    CHECK_STR(sh(lab, "restart nobody"), ERROR("no such app: nobody"));
    CHECK_STR(sh(lab, "reload"), ERROR("which app?"));
    lab_free(lab);
}

TEST(focus)
{
    struct lab *lab = fresh();
    CHECK(strstr(sh(lab, "focus a"), OK("focus on a")) != NULL);
    CHECK_STR(sh(lab, "focus off"), ERROR("is not running: off"));
    CHECK_STR(sh(lab, "focus nobody"), ERROR("no such app: nobody"));
    lab_free(lab);
}

TEST(console)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "console raw"), OK("console raw"));
    CHECK_STR(sh(lab, "console line"), OK("console line"));
    CHECK_STR(sh(lab, "console"), ERROR("console raw, or console line"));
    lab_free(lab);
}

TEST(poweroff_and_reboot)
{
    struct lab *lab = fresh();
    CHECK(strstr(sh(lab, "poweroff"), OK("powering off")) != NULL);
    CHECK(lab_has(lab, "ASK_STOP sh"));
    lab_free(lab);
    lab = fresh();
    CHECK(strstr(sh(lab, "reboot"), OK("rebooting")) != NULL);
    lab_free(lab);
}

TEST(what_is_no_command)
{
    struct lab *lab = fresh();
    CHECK_STR(sh(lab, "frobnicate x"), ERROR("unknown command; 'help' lists them: frobnicate"));
    CHECK_STR(sh(lab, ""), ERROR("unknown command; 'help' lists them: "));
    CHECK_STR(sh(lab, "  caps   a  "), OK("stdio filesystem ipc"));
    CHECK_STR(sh(lab, "PS"), ERROR("unknown command; 'help' lists them: PS"));
    lab_free(lab);
}

/* --- who may -------------------------------------------------------------------------------- */

TEST(status_may_look_but_not_touch)
{
    static const char *const looks[] = { "ps", "ps --json", "status", "uptime", "help" };
    static const char *const touches[] = { "start off", "stop a", "kill a", "restart a", "reload a",
                                           "log a", "logf a", "focus a", "caps a", "audit",
                                           "verify", "console raw", "poweroff", "reboot" };
    struct lab *lab = fresh();
    for (size_t i = 0; i < base_countof(looks); i++)
        CHECK(strstr(ask(lab, "mon", looks[i]), "REPLY:END\n") != NULL);
    for (size_t i = 0; i < base_countof(touches); i++) {
        const char *got = ask(lab, "mon", touches[i]);
        CHECK(strncmp(got, "VYOMA_SYSTEM:error:denied:", 26) == 0);
        CHECK(strstr(got, "'shell = true' in [capabilities]") != NULL);
        CHECK(lab_lacks(lab, "KILL"));
        CHECK(lab_lacks(lab, "ASK_STOP"));
        CHECK(lab_lacks(lab, "LOAD"));
    }
    lab_free(lab);
}

/* The smallest power that would do is the one that is named. */
TEST(without_either_all_is_denied)
{
    struct lab *lab = fresh();
    CHECK_STR(ask(lab, "a", "ps"),
              "VYOMA_SYSTEM:error:denied:may not command the supervisor to 'ps': set 'status = true' "
              "in [capabilities] (vyoma.toml line 5)\n");
    CHECK(lab_has(lab, "\"event\":\"cap_deny\",\"app\":\"a\",\"what\":\"command the supervisor to\","
                       "\"value\":\"ps\",\"table\":\"[capabilities]\",\"key\":\"status\""));
    CHECK(strstr(ask(lab, "a", "poweroff"), "'shell = true'") != NULL);
    CHECK(strstr(ask(lab, "a", "nonsense"), "'shell = true'") != NULL);
    lab_free(lab);
}

/* --- answers and their reader ----------------------------------------------------------------- */

TEST(answers_do_not_mix)
{
    struct lab *lab = fresh();
    lab_clear(lab);
    lab_output(lab, "sh", "@supervisor: caps a\n@supervisor: nonsense\n@supervisor: caps none\n");
    CHECK_STR(lab_app(lab, "sh")->got, OK("stdio filesystem ipc")
              ERROR("unknown command; 'help' lists them: nonsense") OK("none"));
    lab_free(lab);
}

TEST(a_long_answer_waits_for_its_reader)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 400; i++)
        lab_output(lab, "a", "0123456789012345678901234567890123456789\n");
    lab_app(lab, "sh")->deaf = true;
    for (int i = 0; i < 4; i++)
        lab_output(lab, "sh", "@supervisor: log a\n");
    CHECK(lab_app(lab, "sh")->paused);
    lab_clear(lab);
    lab_pass(lab, 4000);
    lab_hear(lab, "sh");
    CHECK(!lab_app(lab, "sh")->paused);
    int ends = 0;
    for (const char *p = lab_app(lab, "sh")->got; (p = strstr(p, "REPLY:END")) != NULL; p++)
        ends++;
    CHECK_INT(ends, 4);
    lab_free(lab);
}

/* Who does not read answers hears that one was cut, and can go on. */
TEST(an_answer_that_nobody_reads_is_cut)
{
    struct lab *lab = fresh();
    for (int i = 0; i < 400; i++)
        lab_output(lab, "a", "0123456789012345678901234567890123456789\n");
    lab_app(lab, "sh")->deaf = true;
    for (int i = 0; i < 4; i++)
        lab_output(lab, "sh", "@supervisor: log a\n");
    lab_pass(lab, 30000);
    CHECK(!lab_app(lab, "sh")->paused);
    CHECK(lab_has(lab, "\"what\":\"unread answer\""));
    lab_hear(lab, "sh");
    const char *got = lab_app(lab, "sh")->got;
    CHECK(strstr(got, ERROR("no answer in time")) != NULL);
    CHECK_STR(sh(lab, "caps none"), OK("none"));
    lab_free(lab);
}

TEST_MAIN(RUN(ps) RUN(status_and_uptime) RUN(help_lists_every_verb) RUN(caps) RUN(log)
          RUN(a_log_keeps_whole_lines) RUN(logf) RUN(audit) RUN(audit_shows_long_records_whole)
          RUN(verify) RUN(verify_without_an_answer) RUN(start) RUN(start_when_the_table_is_full)
          RUN(stop_and_kill) RUN(restart_and_reload) RUN(focus) RUN(console)
          RUN(poweroff_and_reboot) RUN(what_is_no_command) RUN(status_may_look_but_not_touch)
          RUN(without_either_all_is_denied) RUN(answers_do_not_mix)
          RUN(a_long_answer_waits_for_its_reader) RUN(an_answer_that_nobody_reads_is_cut))
