/* One app from start to end: restarts, their budget, the watchdog, hashes, order, stopping. */
#include "base/err.h"
#include "lib/lab.h"

#define APP(name, rest) "[app]\nname = \"" name "\"\nversion = \"1\"\nwasm = \"a.wasm\"\n" rest
#define STDIO "[capabilities]\nstdio = true\n"

static struct lab *fresh(const char *boot)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO));
    lab_add(lab, "b", APP("b", STDIO));
    lab_add(lab, "c", APP("c", STDIO));
    lab_add(lab, "dog", APP("dog", "watchdog_secs = 2\n" STDIO));
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_boot(lab, boot, true);
    lab_clear(lab);
    return lab;
}

static bool alive(struct lab *lab, const char *name)
{
    return lab_app(lab, name)->id != 0;
}

/* Milliseconds until the app runs again; -1: not within a day. */
static long back_after(struct lab *lab, const char *name)
{
    for (long ms = 0; ms <= 40000; ms += 10) {
        if (alive(lab, name))
            return ms;
        lab_pass(lab, 10);
    }
    return -1;
}

static void command(struct lab *lab, const char *line)
{
    char text[128];
    snprintf(text, sizeof text, "@supervisor: %s\n", line);
    lab_output(lab, "sh", text);
}

/* --- restart policies -------------------------------------------------------------------- */

TEST(never_means_never)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nrestart = \"never\"\n");
    lab_exit(lab, "a", CORE_EXIT_TRAP, 1);
    CHECK_INT(back_after(lab, "a"), -1);
    lab_free(lab);
}

TEST(on_failure_is_the_default_and_zero_is_none)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n[[app]]\nname = \"c\"\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_INT(back_after(lab, "a"), -1);
    lab_exit(lab, "b", CORE_EXIT_CODE, 1);
    CHECK_INT(back_after(lab, "b"), 100);
    lab_exit(lab, "c", CORE_EXIT_SIGNAL, 9);
    CHECK_INT(back_after(lab, "c"), 100);
    lab_free(lab);
}

TEST(always_is_after_success_too)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nrestart = \"always\"\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_INT(back_after(lab, "a"), 100);
    lab_free(lab);
}

TEST(the_wait_doubles_up_to_its_bound)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nbackoff_ms = 200\nbackoff_max_ms = 1000\n"
                            "max_restarts = 0\n");
    static const long waits[] = { 200, 400, 800, 1000, 1000, 1000 };
    for (size_t i = 0; i < base_countof(waits); i++) {
        lab_exit(lab, "a", CORE_EXIT_CODE, 1);
        CHECK_INT(back_after(lab, "a"), waits[i]);
    }
    lab_free(lab);
}

TEST(an_app_that_ran_steadily_begins_anew)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n");
    for (int i = 0; i < 3; i++) {
        lab_exit(lab, "a", CORE_EXIT_CODE, 1);
        CHECK_INT(back_after(lab, "a"), 100 << i);
    }
    lab_pass(lab, 9990);
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK_INT(back_after(lab, "a"), 800);
    lab_pass(lab, 10000);
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK_INT(back_after(lab, "a"), 100);
    lab_free(lab);
}

TEST(the_budget_is_max_restarts_within_the_window)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nmax_restarts = 2\nwindow_secs = 10\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK(back_after(lab, "a") >= 0);
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK(back_after(lab, "a") >= 0);
    lab_pass(lab, 10000); /* a new window */
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK(back_after(lab, "a") >= 0);
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK(back_after(lab, "a") >= 0);
    lab_clear(lab);
    lab_exit(lab, "a", CORE_EXIT_CODE, 7);
    CHECK(lab_has(lab, "\"event\":\"repair\",\"app\":\"a\",\"what\":\"gave-up\",\"attempt\":2,"
                       "\"code\":7\n"));
    CHECK(lab_has(lab, "vyoma: a: ended too often, is not restarted any more\\n"));
    CHECK_INT(back_after(lab, "a"), -1);
    lab_free(lab);
}

TEST(the_operators_start_forgives)
{
    struct lab *lab = fresh("[[app]]\nname = \"sh\"\n[[app]]\nname = \"a\"\nmax_restarts = 1\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK(back_after(lab, "a") == 100);
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK_INT(back_after(lab, "a"), -1);
    command(lab, "start a");
    CHECK(alive(lab, "a"));
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    CHECK_INT(back_after(lab, "a"), 100);
    lab_free(lab);
}

TEST(each_life_has_an_id_of_its_own)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n");
    core_app old = lab_app(lab, "a")->id;
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    back_after(lab, "a");
    CHECK(lab_app(lab, "a")->id != old);
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_OUTPUT, .app = old, .stream = CORE_STDOUT,
                                        .text = SPAN_LIT("@b: from the dead\n") });
    lab_event(lab, (struct core_event){ .type = CORE_EV_EXITED, .app = old });
    CHECK_STR(lab->text, "");
    CHECK(alive(lab, "a"));
    lab_free(lab);
}

/* --- what cannot start -------------------------------------------------------------------- */

TEST(an_unknown_app)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n[[app]]\nname = \"sh\"\n");
    command(lab, "start nobody");
    CHECK(lab_has(lab, "AUDIT \"event\":\"exit\",\"app\":\"nobody\",\"refused\":\"no such app\","
                       "\"code\":3\n"));
    CHECK(lab_has(lab, "vyoma: nobody: no such app\\n"));
    lab_free(lab);
}

TEST(a_manifest_that_is_wrong_or_of_another_app)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", "[app]\nname = \"a\"\nversion = \"1\"\nwasm = \"a.wasm\"\n[capabilities]\n"
                      "netwrok = true\n");
    lab_add(lab, "b", APP("other", STDIO));
    lab_boot(lab, "[[app]]\nname = \"a\"\nrestart = \"always\"\n[[app]]\nname = \"b\"\n", true);
    CHECK(lab_has(lab, "vyoma: a: vyoma.toml:6:1: unknown key 'netwrok' in [capabilities]; did you "
                       "mean 'network'?\\n"));
    CHECK(lab_has(lab, "vyoma: b: vyoma.toml is of an app called 'other'\\n"));
    CHECK(lab_has(lab, "\"event\":\"exit\",\"app\":\"a\",\"refused\""));
    CHECK(lab_lacks(lab, "SPAWN"));
    lab_clear(lab);
    lab_pass(lab, 100000); /* a restart would not help */
    CHECK_STR(lab->text, "");
    lab_free(lab);
}

TEST(a_spawn_that_fails_is_tried_again)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO))->spawn_fails = true;
    lab_boot(lab, "[[app]]\nname = \"a\"\n", true);
    CHECK(lab_has(lab, "vyoma: a: clone failed\\n"));
    CHECK(lab_has(lab, "\"event\":\"exit\",\"app\":\"a\",\"refused\":\"clone failed\""));
    CHECK(lab_has(lab, "UNLOAD"));
    lab_app(lab, "a")->spawn_fails = false;
    lab_clear(lab);
    lab_pass(lab, 100);
    CHECK(lab_has(lab, "\"event\":\"spawn\",\"app\":\"a\""));
    lab_free(lab);
}

TEST(an_import_that_is_not_granted)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO));
    lab_boot(lab, "", false);
    lab_start(lab, "a", true);
    lab_event(lab, (struct core_event){ .type = CORE_EV_REFUSED, .app = lab_app(lab, "a")->id,
                                        .text = SPAN_LIT("wasi_snapshot_preview1.path_open"),
                                        .detail = SPAN_LIT("filesystem") });
    lab_exit(lab, "a", CORE_EXIT_REFUSED, 0);
    CHECK(lab_has(lab, "vyoma: a: may not import wasi_snapshot_preview1.path_open: needs filesystem "
                       "in vyoma.toml (line 5)\\n"));
    CHECK(lab_has(lab, "\"event\":\"cap_deny\",\"app\":\"a\",\"what\":\"import\""));
    CHECK(lab_has(lab, "POWER 2 5\n"));
    lab_free(lab);
}

/* --- codes of `vyoma run` ------------------------------------------------------------------- */

static int32_t code_of(enum core_exit_kind kind, int32_t value)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO));
    lab_boot(lab, "", false);
    lab_start(lab, "a", true);
    lab_exit(lab, "a", kind, value);
    CHECK(lab->powered);
    int32_t code = lab->code;
    lab_free(lab);
    return code;
}

TEST(codes)
{
    CHECK_INT(code_of(CORE_EXIT_CODE, 0), 0);
    CHECK_INT(code_of(CORE_EXIT_CODE, 42), 42);
    CHECK_INT(code_of(CORE_EXIT_TRAP, 3), 134);
    CHECK_INT(code_of(CORE_EXIT_SIGNAL, 15), 143);
    CHECK_INT(code_of(CORE_EXIT_REFUSED, 0), 126);
}

/* What the host could not do is no refusal of the module. */
static int32_t code_of_spawn_error(int error)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO))->slow = true;
    lab_boot(lab, "", false);
    lab_start(lab, "a", true);
    core_app id = lab_app(lab, "a")->id;
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = id,
                                        .text = span_of_cstr(lab_app(lab, "a")->manifest) });
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = id, .error = error });
    lab_pass(lab, 600000); /* with all its restarts */
    int32_t code = lab->powered ? lab->code : -1;
    lab_free(lab);
    return code;
}

TEST(codes_of_what_could_not_be_started)
{
    CHECK_INT(code_of_spawn_error(E_IO), 1);
    CHECK_INT(code_of_spawn_error(E_DENIED), 5);
}

/* --- the watchdog ---------------------------------------------------------------------------- */

TEST(no_sign_of_life)
{
    struct lab *lab = fresh("[[app]]\nname = \"dog\"\n");
    lab_pass(lab, 1900);
    lab_output(lab, "dog", "x\n");
    lab_pass(lab, 1900);
    lab_request(lab, "dog", (struct core_request){ .type = CORE_REQ_MSG_RECV });
    lab_pass(lab, 1999);
    CHECK(lab_lacks(lab, "KILL"));
    lab_pass(lab, 1);
    CHECK(lab_has(lab, "KILL dog"));
    lab_clear(lab);
    lab_pass(lab, 10000);
    CHECK_STR(lab->text, ""); /* once */
    lab_exit(lab, "dog", CORE_EXIT_SIGNAL, 9);
    CHECK(lab_has(lab, "\"signal\":9"));
    CHECK(lab_has(lab, "\"why\":\"watchdog\"\n"));
    CHECK(lab_has(lab, "vyoma: dog: watchdog: no sign of life, ended with code 137\\n"));
    CHECK_INT(back_after(lab, "dog"), 100);
    lab_free(lab);
}

TEST(the_watchdog_is_heard_in_the_foreground_too)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "dog", APP("dog", "watchdog_secs = 2\n" STDIO));
    lab_boot(lab, "", false);
    lab_start(lab, "dog", true);
    lab_pass(lab, 2000);
    lab_exit(lab, "dog", CORE_EXIT_SIGNAL, 9);
    CHECK(lab_has(lab, "vyoma: dog: watchdog: no sign of life, ended with code 137\\n"));
    lab_free(lab);
}

/* It is a failure, whatever the code was. */
TEST(the_watchdogs_victim_has_failed)
{
    struct lab *lab = fresh("[[app]]\nname = \"dog\"\n");
    lab_pass(lab, 2000);
    lab_exit(lab, "dog", CORE_EXIT_CODE, 0);
    CHECK_INT(back_after(lab, "dog"), 100);
    lab_free(lab);
}

TEST(who_is_kept_from_speaking_is_not_silent)
{
    static char line[4000];
    struct lab *lab = fresh("[[app]]\nname = \"dog\"\n[[app]]\nname = \"b\"\n");
    lab_app(lab, "b")->deaf = true;
    memset(line, 'x', 3900);
    memcpy(line, "@b: ", 4);
    line[3899] = '\n';
    for (int i = 0; i < 17; i++)
        lab_output(lab, "dog", line);
    CHECK(lab_app(lab, "dog")->paused);
    lab_pass(lab, 4900);
    CHECK(lab_lacks(lab, "KILL"));
    lab_pass(lab, 3000);
    CHECK(lab_has(lab, "KILL dog"));
    lab_free(lab);
}

/* --- hashes --------------------------------------------------------------------------------- */

TEST(a_changed_module_is_refused_until_reload)
{
    struct lab *lab = fresh("[[app]]\nname = \"sh\"\n[[app]]\nname = \"a\"\nrestart = \"always\"\n");
    lab_app(lab, "a")->hash = 2;
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    lab_pass(lab, 100);
    CHECK(!alive(lab, "a"));
    CHECK(lab_has(lab, "\"event\":\"verify\",\"app\":\"a\",\"result\":\"mismatch\""));
    CHECK(lab_has(lab, "vyoma: a: the module has changed since it was first started; 'reload' "
                       "accepts it\\n"));
    CHECK(lab_has(lab, "\"code\":6\n"));
    CHECK_INT(back_after(lab, "a"), -1); /* a restart would not help */
    command(lab, "restart a");
    CHECK(!alive(lab, "a"));
    command(lab, "start a");
    CHECK(!alive(lab, "a"));
    command(lab, "reload a");
    CHECK(alive(lab, "a"));
    lab_exit(lab, "a", CORE_EXIT_CODE, 0); /* and the new one is the one from now on */
    CHECK_INT(back_after(lab, "a"), 100);
    lab_app(lab, "a")->hash = 1;
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_INT(back_after(lab, "a"), -1);
    lab_free(lab);
}

/* A reload that someone stopped is over: it does not accept what comes later. */
TEST(a_reload_that_was_stopped_accepts_nothing)
{
    struct lab *lab = fresh("[[app]]\nname = \"sh\"\n[[app]]\nname = \"a\"\n");
    command(lab, "reload a");
    command(lab, "stop a");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK(!alive(lab, "a"));
    lab_app(lab, "a")->hash = 2;
    command(lab, "start a");
    CHECK(!alive(lab, "a"));
    lab_free(lab);
}

TEST(wasm_sha256_of_the_manifest)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", "wasm_sha256 = \"0100000000000000000000000000000000000000000000000000"
                               "000000000000\"\n" STDIO));
    lab_add(lab, "sh", APP("sh", STDIO "shell = true\n"));
    lab_boot(lab, "[[app]]\nname = \"a\"\n[[app]]\nname = \"sh\"\n", true);
    CHECK(alive(lab, "a"));
    lab_app(lab, "a")->hash = 2;
    command(lab, "reload a"); /* accepts a change, not against the manifest */
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK(!alive(lab, "a"));
    CHECK(lab_has(lab, "vyoma: a: the module's hash is not the wasm_sha256 of vyoma.toml\\n"));
    lab_free(lab);
}

/* --- after ----------------------------------------------------------------------------------- */

TEST(after_waits_until_the_other_runs)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO))->slow = true;
    lab_add(lab, "b", APP("b", STDIO));
    lab_add(lab, "c", APP("c", STDIO));
    lab_boot(lab, "[[app]]\nname = \"c\"\nafter = [\"b\"]\n[[app]]\nname = \"b\"\nafter = [\"a\"]\n"
                  "[[app]]\nname = \"a\"\n", true);
    CHECK(lab_has(lab, "LOAD a"));
    CHECK(lab_lacks(lab, "LOAD b"));
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = lab_app(lab, "a")->id,
                                        .text = span_of_cstr(lab_app(lab, "a")->manifest) });
    CHECK(lab_lacks(lab, "LOAD b"));
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = lab_app(lab, "a")->id,
                                        .pid = 7 });
    const char *a = strstr(lab->text, "SPAWN a"), *b = strstr(lab->text, "LOAD b"),
               *c = strstr(lab->text, "LOAD c");
    CHECK(a && b && c && a < b && b < c);
    lab_free(lab);
}

/* Where a host has several engines, the record and `ps --json` say which one runs an app. */
TEST(engine_is_told)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO))->slow = true;
    lab_boot(lab, "", true);
    lab_start(lab, "a", false);
    core_app id = lab_app(lab, "a")->id;
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = id,
                                        .text = span_of_cstr(lab_app(lab, "a")->manifest) });
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = id,
                                        .detail = SPAN_LIT("a name that is too long") });
    CHECK(strstr(lab->text, "\"engine\":\"a name that is \"") != NULL);
    lab_free(lab);
}

/* Whoever cannot start does not keep others from it: not even while it is tried again. */
TEST(after_an_app_that_fails)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO))->load_fails = true;
    lab_add(lab, "b", APP("b", STDIO));
    lab_boot(lab, "[[app]]\nname = \"a\"\nmax_restarts = 0\n[[app]]\nname = \"b\"\n"
                  "after = [\"a\"]\n", true);
    CHECK(alive(lab, "b"));
    lab_free(lab);
}

TEST(after_an_app_that_is_not_started)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nstart = false\n[[app]]\nname = \"b\"\n"
                            "after = [\"a\"]\n");
    CHECK(alive(lab, "b") && !alive(lab, "a"));
    lab_free(lab);
}

TEST(after_is_about_the_first_start_only)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nbackoff_ms = 5000\n[[app]]\nname = \"b\"\n"
                            "after = [\"a\"]\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    lab_exit(lab, "b", CORE_EXIT_CODE, 1);
    CHECK_INT(back_after(lab, "b"), 100);
    CHECK(!alive(lab, "a"));
    lab_free(lab);
}

/* --- stopping --------------------------------------------------------------------------------- */

TEST(asked_then_killed)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nrestart = \"always\"\n[[app]]\nname = \"sh\"\n");
    command(lab, "stop a");
    CHECK(lab_has(lab, "ASK_STOP a"));
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:stop\n");
    CHECK(lab_has(lab, "CLOSE_STDIN a"));
    lab_output(lab, "a", "@sh: last words\n"); /* it may finish what it does */
    CHECK(strstr(lab_app(lab, "sh")->got, "@a: last words\n") != NULL);
    lab_clear(lab);
    lab_pass(lab, 1999);
    CHECK_STR(lab->text, "");
    lab_pass(lab, 1);
    CHECK_STR(lab->text, "KILL a\n");
    lab_exit(lab, "a", CORE_EXIT_SIGNAL, 9);
    CHECK_INT(back_after(lab, "a"), -1); /* stopped is stopped */
    CHECK(lab_lacks(lab, "CONSOLE_ERR"));  /* and no failure */
    lab_free(lab);
}

TEST(a_stop_takes_a_restart_back)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nbackoff_ms = 5000\n[[app]]\nname = \"sh\"\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 1);
    command(lab, "stop a");
    CHECK_INT(back_after(lab, "a"), -1);
    lab_free(lab);
}

TEST(shutdown_asks_all_then_kills_those_who_stay)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n[[app]]\nname = \"sh\"\n"
                            "[[app]]\nname = \"c\"\nrestart = \"always\"\nbackoff_ms = 500\n");
    lab_exit(lab, "c", CORE_EXIT_CODE, 0);
    command(lab, "reboot");
    CHECK(lab_has(lab, "ASK_STOP a"));
    CHECK(lab_has(lab, "ASK_STOP b"));
    CHECK(lab_has(lab, "ASK_STOP sh"));
    lab_clear(lab);
    lab_exit(lab, "sh", CORE_EXIT_CODE, 0);
    lab_exit(lab, "a", CORE_EXIT_CODE, 1); /* not started again */
    lab_pass(lab, 1999);
    CHECK(lab_lacks(lab, "KILL"));
    CHECK(lab_lacks(lab, "LOAD c"));
    lab_pass(lab, 1);
    CHECK(lab_has(lab, "KILL b"));
    CHECK(lab_lacks(lab, "KILL a"));
    CHECK(!lab->powered);
    lab_exit(lab, "b", CORE_EXIT_SIGNAL, 9);
    CHECK(lab_has(lab, "POWER 1 0\n"));
    CHECK(strstr(lab->text, "\"event\":\"exit\",\"app\":\"b\"") < strstr(lab->text, "POWER"));
    lab_free(lab);
}

TEST(shutdown_does_not_wait_for_what_cannot_be_killed)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_STOP, .stop = CORE_STOP_POWEROFF });
    lab_pass(lab, 3999);
    CHECK(lab_has(lab, "KILL a"));
    CHECK(!lab->powered);
    lab_pass(lab, 1);
    CHECK(lab_has(lab, "POWER 0 0\n"));
    lab_free(lab);
}

TEST(asked_twice_there_is_no_grace)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n");
    struct core_event stop = { .type = CORE_EV_STOP, .stop = CORE_STOP_POWEROFF };
    lab_event(lab, stop);
    lab_pass(lab, 100);
    CHECK(lab_lacks(lab, "KILL"));
    lab_event(lab, stop);
    lab_pass(lab, 1);
    CHECK(lab_has(lab, "KILL a"));
    lab_free(lab);
}

/* It is in the middle of starting when the end comes. */
TEST(shutdown_while_an_app_is_starting)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO))->slow = true;
    lab_add(lab, "b", APP("b", STDIO))->slow = true;
    lab_boot(lab, "[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n", true);
    core_app a = lab_app(lab, "a")->id, b = lab_app(lab, "b")->id;
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = b,
                                        .text = span_of_cstr(lab_app(lab, "b")->manifest) });
    lab_event(lab, (struct core_event){ .type = CORE_EV_STOP, .stop = CORE_STOP_POWEROFF });
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = a,
                                        .text = span_of_cstr(lab_app(lab, "a")->manifest) });
    CHECK_STR(lab->text, "UNLOAD a\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_SPAWNED, .app = b, .pid = 9 });
    CHECK(lab_has(lab, "ASK_STOP b"));
    lab_exit(lab, "b", CORE_EXIT_CODE, 0);
    CHECK(lab->powered);
    lab_free(lab);
}

TEST(nothing_happens_after_the_end)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_STOP, .stop = CORE_STOP_POWEROFF });
    core_app id = lab_app(lab, "a")->id;
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK(lab->powered);
    lab_clear(lab);
    lab_start(lab, "b", false);
    lab_type(lab, "x\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_EXITED, .app = id });
    CHECK_STR(lab->text, "");
    lab_free(lab);
}

/* Un-booted, the end of the last app is the end. */
TEST(unbooted_ends_with_its_apps)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO));
    lab_add(lab, "b", APP("b", STDIO));
    lab_boot(lab, "", false);
    lab_start(lab, "a", false);
    lab_start(lab, "b", false);
    lab_exit(lab, "a", CORE_EXIT_CODE, 3);
    CHECK(!lab->powered);
    lab_exit(lab, "b", CORE_EXIT_CODE, 0);
    CHECK(lab->powered);
    lab_free(lab);
}

TEST_MAIN(
    RUN(never_means_never) RUN(on_failure_is_the_default_and_zero_is_none)
    RUN(always_is_after_success_too) RUN(the_wait_doubles_up_to_its_bound)
    RUN(an_app_that_ran_steadily_begins_anew) RUN(the_budget_is_max_restarts_within_the_window)
    RUN(the_operators_start_forgives) RUN(each_life_has_an_id_of_its_own) RUN(an_unknown_app)
    RUN(a_manifest_that_is_wrong_or_of_another_app) RUN(a_spawn_that_fails_is_tried_again)
    RUN(an_import_that_is_not_granted) RUN(codes) RUN(codes_of_what_could_not_be_started)
    RUN(no_sign_of_life)
    RUN(the_watchdog_is_heard_in_the_foreground_too)
    RUN(the_watchdogs_victim_has_failed) RUN(who_is_kept_from_speaking_is_not_silent)
    RUN(a_changed_module_is_refused_until_reload)
    RUN(a_reload_that_was_stopped_accepts_nothing) RUN(wasm_sha256_of_the_manifest)
    RUN(after_waits_until_the_other_runs) RUN(engine_is_told) RUN(after_an_app_that_fails)
    RUN(after_an_app_that_is_not_started) RUN(after_is_about_the_first_start_only)
    RUN(asked_then_killed) RUN(a_stop_takes_a_restart_back)
    RUN(shutdown_asks_all_then_kills_those_who_stay)
    RUN(shutdown_does_not_wait_for_what_cannot_be_killed) RUN(asked_twice_there_is_no_grace)
    RUN(shutdown_while_an_app_is_starting) RUN(nothing_happens_after_the_end)
    RUN(unbooted_ends_with_its_apps))
