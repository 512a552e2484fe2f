/* The thin path: start, talk, exit, restart, end. */
#include "base/err.h"
#include "lib/lab.h"

static const char ping[] = "[app]\nname = \"ping\"\nversion = \"1\"\nwasm = \"ping.wasm\"\n"
                           "[capabilities]\nstdio = true\n";
static const char pong[] = "[app]\nname = \"pong\"\nversion = \"1\"\nwasm = \"pong.wasm\"\n"
                           "[capabilities]\nstdio = true\n";

TEST(foreground_app_from_start_to_power)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_boot(lab, "", false);
    lab_clear(lab);
    lab_start(lab, "ping", true);
    lab_output(lab, "ping", "hello\nwor");
    lab_output(lab, "ping", "ld\n");
    lab_exit(lab, "ping", CORE_EXIT_CODE, 7);
    CHECK_STR(lab->text,
              "LOAD ping\n"
              "SPAWN ping\n"
              "AUDIT \"event\":\"spawn\",\"app\":\"ping\",\"caps\":[\"stdio\",\"ipc\"],\"pid\":100\n"
              "CONSOLE \"hello\\nwor\"\n"
              "CONSOLE \"ld\\n\"\n"
              "AUDIT \"event\":\"exit\",\"app\":\"ping\",\"code\":7,\"pid\":100,\"ms\":0,\"cpu_ms\":0\n"
              "UNLOAD ping\n"
              "POWER 2 7\n");
    CHECK(lab->powered);
    CHECK_INT(lab->code, 7);
    lab_free(lab);
}

TEST(a_line_from_ping_to_pong)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_add(lab, "pong", pong);
    lab_boot(lab, "[[app]]\nname = \"ping\"\n[[app]]\nname = \"pong\"\n", true);
    lab_clear(lab);
    lab_output(lab, "ping", "@pong: hi\n");
    CHECK_STR(lab->text,
              "AUDIT \"event\":\"ipc_send\",\"app\":\"ping\",\"to\":\"pong\",\"count\":1,\"bytes\":2\n"
              "DELIVER pong \"@ping: hi\\n\"\n");
    lab_output(lab, "pong", "@reply: back\n");
    CHECK_STR(lab_app(lab, "ping")->got, "@pong: back\n");
    lab_free(lab);
}

TEST(a_crash_is_repaired)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_boot(lab, "[[app]]\nname = \"ping\"\nrestart = \"on-failure\"\n", true);
    lab_clear(lab);
    lab_exit(lab, "ping", CORE_EXIT_TRAP, 1);
    CHECK(lab_has(lab, "\"event\":\"exit\",\"app\":\"ping\",\"trap\":1"));
    lab_pass(lab, 5000);
    CHECK(lab_has(lab, "\"event\":\"repair\",\"app\":\"ping\",\"what\":\"restart\""));
    CHECK(lab_app(lab, "ping")->id != 0);
    lab_free(lab);
}

/* Which of asking and killing comes when everything is to end. */
static void check_stop(const char *boot, bool asked)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_boot(lab, boot, true);
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_STOP, .stop = CORE_STOP_POWEROFF });
    CHECK(lab_has(lab, "ASK_STOP") == asked);
    CHECK(lab_has(lab, "KILL") != asked);
    lab_pass(lab, 5000);
    CHECK(lab_has(lab, "KILL"));
    lab_free(lab);
}

TEST(without_grace_apps_are_not_asked)
{
    check_stop("[[app]]\nname = \"ping\"\n", true);
    check_stop("[system]\nstop_grace_ms = 0\n[[app]]\nname = \"ping\"\n", false);
}

/* One app by its name, and the rest goes on. */
TEST(without_grace_one_app_is_killed_at_once)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_add(lab, "sh", "[app]\nname = \"sh\"\nversion = \"1\"\nwasm = \"sh.wasm\"\n"
                       "[capabilities]\nstdio = true\nshell = true\n");
    lab_boot(lab, "[system]\nstop_grace_ms = 0\n[[app]]\nname = \"ping\"\n"
                  "[[app]]\nname = \"sh\"\n", true);
    lab_clear(lab);
    lab_output(lab, "sh", "@supervisor: stop ping\n");
    CHECK(lab_has(lab, "KILL ping"));
    CHECK(!lab_has(lab, "ASK"));
    lab_free(lab);
}

/* What an app wrote may be meant for the terminal of whoever reads its log. */
TEST(a_log_drives_no_terminal)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_add(lab, "sh", "[app]\nname = \"sh\"\nversion = \"1\"\nwasm = \"sh.wasm\"\n"
                       "[capabilities]\nstdio = true\nshell = true\n");
    lab_boot(lab, "[[app]]\nname = \"ping\"\n[[app]]\nname = \"sh\"\n", true);
    lab_output(lab, "ping", "a\x1b[2J\xc2\x9b" "2J\x9b" "b \xc3\xa9\n");
    lab_output(lab, "sh", "@supervisor: log ping\n");
    CHECK(strstr(lab_app(lab, "sh")->got, "REPLY: a?[2J?2J?b \xc3\xa9\n") != NULL);
    lab_free(lab);
}

/* A worker that was taken over says what it likes. */
TEST(a_backtrace_cannot_pass_for_a_notice)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "ping", ping);
    lab_boot(lab, "[[app]]\nname = \"ping\"\n", true);
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_TRAPPED,
                                        .app = lab_app(lab, "ping")->id,
                                        .text = SPAN_LIT("trap: unreachable\nvyoma: x"),
                                        .detail = SPAN_LIT("at f\nvyoma: pong: ok\x1b[2J\n") });
    CHECK_STR(lab->text, "CONSOLE_ERR \"vyoma: ping: trap: unreachable?vyoma: x\\n"
                         "  at f\\n  vyoma: pong: ok?[2J\\n\"\n");
    lab_free(lab);
}

TEST_MAIN(RUN(foreground_app_from_start_to_power) RUN(a_line_from_ping_to_pong)
              RUN(a_crash_is_repaired) RUN(without_grace_apps_are_not_asked)
                  RUN(without_grace_one_app_is_killed_at_once)
                      RUN(a_log_drives_no_terminal)
                          RUN(a_backtrace_cannot_pass_for_a_notice))
