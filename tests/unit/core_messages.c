/* Messages: lines from app to app with their refusals, and typed ones. */
#include "base/err.h"
#include "lib/lab.h"

#define APP(name, rest) "[app]\nname = \"" name "\"\nversion = \"1\"\nwasm = \"a.wasm\"\n" rest
#define STDIO "[capabilities]\nstdio = true\n"
#define NEW "manifest_version = 1\n"

/* a is a legacy app, b and c too; d is of version 1 and may send to b only. */
static struct lab *fresh(const char *boot)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO));
    lab_add(lab, "b", APP("b", STDIO));
    lab_add(lab, "c", APP("c", STDIO));
    lab_add(lab, "d", APP("d", NEW "lines = true\n" STDIO "[capabilities.ipc]\nsend = [\"b\"]\n"));
    lab_boot(lab, boot ? boot
                       : "[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n[[app]]\nname = \"c\"\n"
                         "[[app]]\nname = \"d\"\n[[app]]\nname = \"off\"\nstart = false\n",
             true);
    lab_clear(lab);
    return lab;
}

/* What `app` reads after `from` printed `line`. */
static const char *reads(struct lab *lab, const char *app, const char *from, const char *line)
{
    lab_clear(lab);
    lab_output(lab, from, line);
    return lab_app(lab, app)->got;
}

/* --- who may send to whom ------------------------------------------------------------- */

TEST(what_is_allowed_arrives)
{
    struct lab *lab = fresh(NULL);
    CHECK_STR(reads(lab, "b", "a", "@b: hello\n"), "@a: hello\n");
    CHECK_STR(reads(lab, "b", "a", "@b:hello\n"), "@a: hello\n");
    CHECK_STR(reads(lab, "b", "a", "@b:   hello\n"), "@a:   hello\n");
    CHECK_STR(reads(lab, "b", "a", "@b:\n"), "@a: \n");
    CHECK_STR(reads(lab, "b", "d", "@b: hello\n"), "@d: hello\n");
    CHECK_STR(reads(lab, "a", "a", "@a: to myself\n"), "@a: to myself\n");
    CHECK_STR(reads(lab, "a", "a", "@b: quiet\n"), "");
    lab_free(lab);
}

TEST(what_is_not_allowed_is_refused_with_the_key)
{
    struct lab *lab = fresh(NULL);
    CHECK_STR(reads(lab, "d", "d", "@a: hello\n"),
              "VYOMA_SYSTEM:error:denied:may not send to 'a': add \"a\" to 'send' in "
              "[capabilities.ipc] (vyoma.toml line 10)\n");
    CHECK(lab_has(lab, "\"event\":\"cap_deny\",\"app\":\"d\",\"what\":\"send to\",\"value\":\"a\""));
    CHECK(lab_has(lab, "vyoma: d: may not send to 'a'"));
    CHECK_STR(lab_app(lab, "a")->got, "");
    CHECK_STR(reads(lab, "d", "d", "@off: hello\n"), lab_app(lab, "d")->got);
    CHECK(strstr(lab_app(lab, "d")->got, "error:denied:") != NULL); /* no hint who exists */
    lab_free(lab);
}

TEST(to_nobody)
{
    struct lab *lab = fresh(NULL);
    CHECK_STR(reads(lab, "a", "a", "@nobody: x\n"),
              "VYOMA_SYSTEM:error:no-app:nobody: no such app\n");
    CHECK_STR(reads(lab, "a", "a", "@off: x\n"), "VYOMA_SYSTEM:error:no-app:off: is not running\n");
    lab_exit(lab, "b", CORE_EXIT_CODE, 0);
    CHECK_STR(reads(lab, "a", "a", "@b: x\n"), "VYOMA_SYSTEM:error:no-app:b: is not running\n");
    lab_free(lab);
}

TEST(to_an_app_without_lines_or_stdio)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO));
    lab_add(lab, "plain", APP("plain", NEW STDIO));
    lab_add(lab, "mute", APP("mute", "[capabilities]\nfilesystem = true\n"));
    lab_boot(lab, "[[app]]\nname = \"a\"\n[[app]]\nname = \"plain\"\n[[app]]\nname = \"mute\"\n",
             true);
    CHECK_STR(reads(lab, "a", "a", "@plain: x\n"),
              "VYOMA_SYSTEM:error:no-app:plain: does not take lines\n");
    CHECK_STR(reads(lab, "a", "a", "@mute: x\n"),
              "VYOMA_SYSTEM:error:no-app:mute: does not take lines\n");
    CHECK_STR(lab_app(lab, "plain")->got, "");
    lab_free(lab);
}

static void fill(char *to, size_t n, const char *begin)
{
    memset(to, 'x', n);
    memcpy(to, begin, strlen(begin));
    to[n] = 0;
}

TEST(too_long)
{
    static char line[6000];
    struct lab *lab = fresh(NULL);
    fill(line, 4095, "@b: "); /* the line fits; "@a: " makes it no longer */
    strcat(line, "\n");
    CHECK_INT(strlen(reads(lab, "b", "a", line)), 4096);
    fill(line, 4096, "@b: ");
    strcat(line, "\n");
    CHECK_INT(strlen(reads(lab, "b", "a", line)), 4097);
    fill(line, 4097, "@b: ");
    strcat(line, "\n@b: next\n");
    CHECK_STR(reads(lab, "b", "a", line), "@a: next\n");
    CHECK(strstr(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:too-long:@b: xxx") != NULL);
    CHECK(lab_has(lab, "\"what\":\"line length\""));
    lab_free(lab);
}

/* The sender's longer name can make a message too long that fitted when it was said. */
TEST(too_long_with_its_frame)
{
    static char line[6000];
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a-rather-long-name", APP("a-rather-long-name", STDIO));
    lab_add(lab, "b", APP("b", STDIO));
    lab_boot(lab, "[[app]]\nname = \"a-rather-long-name\"\n[[app]]\nname = \"b\"\n", true);
    fill(line, 4096, "@b: ");
    strcat(line, "\n");
    CHECK_STR(reads(lab, "a-rather-long-name", "a-rather-long-name", line),
              "VYOMA_SYSTEM:error:too-long:b: the message is too long\n");
    CHECK_STR(lab_app(lab, "b")->got, "");
    lab_free(lab);
}

TEST(rate)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO "[limits]\nmessages_per_sec = 3\n"));
    lab_add(lab, "b", APP("b", STDIO));
    lab_boot(lab, "[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n", true);
    CHECK_STR(reads(lab, "b", "a", "@b: 1\n@b: 2\n@b: 3\n@b: 4\n"), "@a: 1\n@a: 2\n@a: 3\n");
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:rate:b: too many messages a second\n");
    lab_pass(lab, 1000);
    CHECK_STR(reads(lab, "b", "a", "@b: 5\n@b: 6\n@b: 7\n@b: 8\n"), "@a: 5\n@a: 6\n@a: 7\n");
    lab_pass(lab, 334);
    CHECK_STR(reads(lab, "b", "a", "@b: 9\n@b: 10\n"), "@a: 9\n");
    lab_free(lab);
}

TEST(rate_of_boot_toml_for_apps_that_do_not_say)
{
    struct lab *lab = fresh("[defaults]\nmessages_per_sec = 2\n[[app]]\nname = \"a\"\n"
                            "[[app]]\nname = \"b\"\n");
    CHECK_STR(reads(lab, "b", "a", "@b: 1\n@b: 2\n@b: 3\n"), "@a: 1\n@a: 2\n");
    lab_free(lab);
}

TEST(malformed_lines_are_skipped_with_a_warning)
{
    struct lab *lab = fresh(NULL);
    CHECK_STR(reads(lab, "a", "a", "@b hello\n"),
              "VYOMA_SYSTEM:error:malformed:not of the form '@name: text'\n");
    CHECK(lab_has(lab, "CONSOLE_ERR \"vyoma: a: a line was skipped: not of the form"));
    CHECK_STR(reads(lab, "a", "a", "@B: hello\n"),
              "VYOMA_SYSTEM:error:malformed:what stands between '@' and ':' is no app's name\n");
    CHECK_STR(reads(lab, "a", "a", "VYOMA_SYSTEM:stop\n"),
              "VYOMA_SYSTEM:error:malformed:reserved for the system\n");
    CHECK_STR(lab_app(lab, "b")->got, "");
    reads(lab, "a", "a", "@b hello\n"); /* the same again is only counted */
    CHECK(lab_lacks(lab, "CONSOLE"));
    lab_free(lab);
}

/* --- @reply and @broadcast ------------------------------------------------------------- */

TEST(reply_goes_to_the_sender_of_what_was_read_last)
{
    struct lab *lab = fresh(NULL);
    CHECK_STR(reads(lab, "a", "a", "@reply: hi\n"),
              "VYOMA_SYSTEM:error:no-app:reply: there is no one to answer\n");
    lab_output(lab, "a", "@b: question\n");
    CHECK_STR(reads(lab, "a", "b", "@reply: answer\n"), "@b: answer\n");
    lab_output(lab, "c", "@b: later\n");
    CHECK_STR(reads(lab, "c", "b", "@reply: answer\n"), "@b: answer\n");
    CHECK_STR(lab_app(lab, "a")->got, "");
    lab_free(lab);
}

/* d may not send to a by name, but whoever asks may be answered. */
TEST(reply_needs_no_permission)
{
    struct lab *lab = fresh(NULL);
    lab_output(lab, "a", "@d: question\n");
    CHECK_STR(reads(lab, "a", "d", "@reply: answer\n"), "@d: answer\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_STR(reads(lab, "d", "d", "@reply: more\n"),
              "VYOMA_SYSTEM:error:no-app:reply: there is no one to answer\n");
    lab_free(lab);
}

/* A message that still waits for b does not turn b's answer to someone else. */
TEST(reply_is_not_turned_by_what_is_not_read_yet)
{
    struct lab *lab = fresh(NULL);
    lab_output(lab, "a", "@b: question\n");
    lab_app(lab, "b")->deaf = true;
    lab_output(lab, "c", "@b: me too\n");
    CHECK_STR(reads(lab, "a", "b", "@reply: secret\n"), "@b: secret\n");
    CHECK_STR(lab_app(lab, "c")->got, "");
    lab_free(lab);
}

TEST(reply_to_an_app_that_was_started_again)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\nrestart = \"always\"\nbackoff_ms = 0\n"
                            "[[app]]\nname = \"b\"\n");
    lab_output(lab, "a", "@b: question\n");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    lab_pass(lab, 10);
    CHECK(lab_app(lab, "a")->id != 0);
    CHECK_STR(reads(lab, "b", "b", "@reply: answer\n"),
              "VYOMA_SYSTEM:error:no-app:reply: there is no one to answer\n");
    lab_free(lab);
}

TEST(a_broadcast_reaches_who_listens_and_may_be_sent_to)
{
    struct lab *lab = fresh(NULL);
    CHECK_STR(reads(lab, "b", "a", "@broadcast: all\n"), "@a: all\n");
    CHECK_STR(lab_app(lab, "c")->got, "@a: all\n");
    CHECK_STR(lab_app(lab, "a")->got, ""); /* not back to the sender */
    CHECK_STR(lab_app(lab, "d")->got, ""); /* version 1 does not listen unless it says so */
    CHECK_STR(reads(lab, "b", "d", "@broadcast: some\n"), "@d: some\n");
    CHECK_STR(lab_app(lab, "a")->got, ""); /* d may send to b only */
    lab_free(lab);
}

TEST(a_broadcast_needs_some_ipc_send)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", NEW "lines = true\n" STDIO));
    lab_boot(lab, "[[app]]\nname = \"a\"\n", true);
    CHECK_STR(reads(lab, "a", "a", "@broadcast: x\n"),
              "VYOMA_SYSTEM:error:denied:may not broadcast: set 'send' in [capabilities.ipc] "
              "(vyoma.toml)\n");
    lab_free(lab);
}

TEST(a_broadcast_does_not_wait)
{
    static char line[4000];
    struct lab *lab = fresh(NULL);
    lab_app(lab, "b")->deaf = true;
    fill(line, 3900, "@broadcast: ");
    strcat(line, "\n");
    for (int i = 0; i < 20; i++) {
        lab_output(lab, "a", line);
        lab_pass(lab, 20);
    }
    CHECK_INT(lab->pauses, 0);
    CHECK(lab_app(lab, "c")->got_len > 20 * 3800);
    CHECK(strstr(lab_app(lab, "a")->got,
                 "VYOMA_SYSTEM:error:full:broadcast: some apps had no room for it\n") != NULL);
    lab_free(lab);
}

/* --- those who do not read --------------------------------------------------------------- */

static void flood(struct lab *lab, const char *from, int lines)
{
    static char line[4000];
    fill(line, 3900, "@b: ");
    strcat(line, "\n");
    for (int i = 0; i < lines; i++)
        lab_output(lab, from, line);
}

TEST(a_deaf_recipient_costs_five_seconds_once)
{
    struct lab *lab = fresh(NULL);
    lab_app(lab, "b")->deaf = true;
    flood(lab, "a", 17); /* 16 fit into 64 KiB */
    CHECK(lab_has(lab, "PAUSE a"));
    lab_output(lab, "a", "@c: behind it\n"); /* one more event may come */
    CHECK_STR(lab_app(lab, "c")->got, "");
    lab_clear(lab);
    lab_pass(lab, 4999);
    CHECK_STR(lab_app(lab, "a")->got, "");
    lab_pass(lab, 1);
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:full:b: does not read its messages\n");
    CHECK(lab_has(lab, "RESUME a"));
    CHECK_STR(lab_app(lab, "c")->got, "@a: behind it\n");
    lab_clear(lab);
    flood(lab, "a", 1); /* from now on at once */
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:full:b: does not read its messages\n");
    CHECK(lab_lacks(lab, "PAUSE"));
    lab_hear(lab, "b");
    lab_clear(lab);
    lab_output(lab, "a", "@b: again\n");
    CHECK_STR(lab_app(lab, "b")->got, "@a: again\n");
    lab_free(lab);
}

TEST(senders_go_on_in_order_when_the_recipient_reads)
{
    struct lab *lab = fresh(NULL);
    lab_app(lab, "b")->deaf = true;
    flood(lab, "a", 17);
    flood(lab, "c", 1);
    CHECK(lab_app(lab, "a")->paused && lab_app(lab, "c")->paused);
    lab_pass(lab, 3000);
    lab_hear(lab, "b");
    CHECK(!lab_app(lab, "a")->paused && !lab_app(lab, "c")->paused);
    const char *got = lab_app(lab, "b")->got;
    CHECK_INT(lab_app(lab, "b")->got_len, 18 * 3900 + 18);
    CHECK(strstr(got, "@c: ") > got + 17 * 3900);
    CHECK_STR(lab_app(lab, "a")->got, "");
    lab_free(lab);
}

TEST(who_waits_for_an_app_that_ends_is_told)
{
    struct lab *lab = fresh(NULL);
    lab_app(lab, "b")->deaf = true;
    flood(lab, "a", 17);
    lab_clear(lab);
    lab_exit(lab, "b", CORE_EXIT_CODE, 0);
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:no-app:b: is not running\n");
    CHECK(lab_has(lab, "RESUME a"));
    lab_free(lab);
}

/* stderr is not held up by stdout, and not lost either. */
TEST(stderr_of_an_app_that_waits)
{
    struct lab *lab = fresh(NULL);
    lab_app(lab, "b")->deaf = true;
    flood(lab, "a", 17);
    CHECK(lab_app(lab, "a")->paused);
    lab_clear(lab);
    lab_write(lab, "a", CORE_STDERR, SPAN_LIT("one\ntwo\nthree\n"));
    CHECK(lab_has(lab, "[a] one\\n"));
    CHECK(lab_has(lab, "[a] two\\n"));
    CHECK(lab_has(lab, "[a] three\\n"));
    lab_pass(lab, 3000);
    lab_write(lab, "a", CORE_STDERR, SPAN_LIT("four\n"));
    lab_pass(lab, 2000); /* what it says there does not lengthen the wait */
    CHECK(!lab_app(lab, "a")->paused);
    lab_free(lab);
}

TEST(an_app_that_closed_its_stdin)
{
    struct lab *lab = fresh(NULL);
    lab_app(lab, "b")->deaf = true;
    lab_output(lab, "a", "@b: x\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_DELIVERED, .app = lab_app(lab, "b")->id,
                                        .error = E_IO });
    CHECK_STR(reads(lab, "a", "a", "@b: y\n"),
              "VYOMA_SYSTEM:error:closed:b: has closed its input\n");
    lab_free(lab);
}

/* What is sent to an app that is about to come up waits for it. */
TEST(a_message_waits_for_a_restart)
{
    struct lab *lab = fresh("[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\nrestart = \"always\"\n"
                            "backoff_ms = 1000\n");
    lab_exit(lab, "b", CORE_EXIT_CODE, 0);
    lab_output(lab, "a", "@b: are you there?\n");
    CHECK(lab_has(lab, "PAUSE a"));
    lab_pass(lab, 1100);
    CHECK_STR(lab_app(lab, "b")->got, "@a: are you there?\n");
    CHECK(lab_has(lab, "RESUME a"));
    lab_free(lab);
}

TEST(refusals_that_do_not_fit_are_counted)
{
    struct lab *lab = fresh(NULL);
    lab_app(lab, "a")->deaf = true;
    for (int i = 0; i < 3000; i++)
        lab_output(lab, "a", "@nobody: x\n");
    lab_hear(lab, "a");
    lab_clear(lab);
    lab_output(lab, "a", "@nobody: x\n");
    const char *got = lab_app(lab, "a")->got;
    CHECK(strstr(got, "VYOMA_SYSTEM:lost:") == got);
    CHECK(strstr(got, "\nVYOMA_SYSTEM:error:no-app:nobody: no such app\n") != NULL);
    lab_free(lab);
}

/* --- a sender's name cannot be forged ---------------------------------------------------- */

/* Everything that b reads begins with "@a: " or is the system's own. */
static void check_frames(struct lab *lab)
{
    const char *line = lab_app(lab, "b")->got;
    while (*line) {
        CHECK(strncmp(line, "@a: ", 4) == 0);
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
}

TEST(no_byte_of_a_text_ends_a_line)
{
    static const char *const texts[] = { "@b: x\r@c: forged\n", "@b: x\v@c: forged\n",
                                         "@b: x\f@c: forged\n", "@b: x\x1b@c: forged\n",
                                         "@b: x\xc2\x85@c: forged\n", "@b: x\xe2\x80\xa8@c: f\n",
                                         "@b: @c: forged\n", "@b: x\r\n", "@b: \r@c: f\r\r\n" };
    struct lab *lab = fresh(NULL);
    for (size_t i = 0; i < base_countof(texts); i++) {
        const char *got = reads(lab, "b", "a", texts[i]);
        CHECK(strncmp(got, "@a: ", 4) == 0);
        CHECK_INT(strcspn(got, "\n") + 1, strlen(got));
        CHECK_INT(strcspn(got, "\r\v\f\x1b"), strlen(got));
        check_frames(lab);
    }
    CHECK_STR(reads(lab, "b", "a", "@b: x\r\n"), "@a: x\n");
    lab_clear(lab);
    lab_write(lab, "a", CORE_STDOUT, SPAN_LIT("@b: x\0@c: forged\n"));
    CHECK_STR(lab_app(lab, "b")->got, "@a: x?@c: forged\n");
    lab_clear(lab);
    lab_write(lab, "a", CORE_STDOUT, SPAN_LIT("@b\0c: forged\n"));
    CHECK_STR(lab_app(lab, "b")->got, "");
    lab_free(lab);
}

/* In any split over events the same arrives. */
TEST(splitting_changes_nothing)
{
    static const char said[] = "@b: one\nplain\n@b: @c: two\r\n@c: three\n@reply: x\n@b: end\n";
    struct lab *lab = fresh(NULL);
    for (size_t cut = 0; cut < sizeof said; cut++) {
        lab_clear(lab);
        lab_write(lab, "a", CORE_STDOUT, span_of(said, cut));
        lab_write(lab, "a", CORE_STDOUT, span_of(said + cut, sizeof said - 1 - cut));
        CHECK_STR(lab_app(lab, "b")->got, "@a: one\n@a: @c: two\n@a: end\n");
        CHECK_STR(lab_app(lab, "c")->got, "@a: three\n");
    }
    lab_clear(lab);
    for (const char *p = said; *p; p++)
        lab_write(lab, "a", CORE_STDOUT, span_of(p, 1));
    CHECK_STR(lab_app(lab, "b")->got, "@a: one\n@a: @c: two\n@a: end\n");
    lab_free(lab);
}

/* What follows a line that was too long is its rest, not a new line. */
TEST(the_rest_of_an_overlong_line_is_no_message)
{
    static char line[9000];
    struct lab *lab = fresh(NULL);
    for (size_t cut = 4090; cut < 4102; cut++) {
        fill(line, 4096, "plain ");
        strcat(line, "@b: forged\n");
        lab_clear(lab);
        lab_write(lab, "a", CORE_STDOUT, span_of(line, cut));
        lab_output(lab, "a", line + cut);
        CHECK_STR(lab_app(lab, "b")->got, "");
        fill(line, 4097, "@c: ");
        strcat(line, "@b: forged\n");
        lab_clear(lab);
        lab_write(lab, "a", CORE_STDOUT, span_of(line, cut));
        lab_output(lab, "a", line + cut);
        CHECK_STR(lab_app(lab, "b")->got, "");
        CHECK_STR(lab_app(lab, "c")->got, "");
    }
    CHECK_STR(reads(lab, "b", "a", "@b: fine\n"), "@a: fine\n");
    lab_free(lab);
}

TEST(half_a_message_is_not_one)
{
    struct lab *lab = fresh(NULL);
    lab_output(lab, "a", "@b: unfinished");
    lab_exit(lab, "a", CORE_EXIT_CODE, 0);
    CHECK_STR(lab_app(lab, "b")->got, "");
    lab_free(lab);
}

TEST(stderr_is_never_the_protocol)
{
    struct lab *lab = fresh(NULL);
    lab_write(lab, "a", CORE_STDERR, SPAN_LIT("@b: hello\n"));
    CHECK_STR(lab_app(lab, "b")->got, "");
    CHECK(lab_has(lab, "[a] @b: hello\\n"));
    lab_free(lab);
}

/* --- typed messages -------------------------------------------------------------------- */

static void send_data(struct lab *lab, const char *from, const char *to, uint32_t id,
                      struct span data)
{
    lab_request(lab, from, (struct core_request){ .type = CORE_REQ_MSG_SEND, .id = id,
                                                  .path = span_of_cstr(to), .data = data });
}

static void send_to(struct lab *lab, const char *from, const char *to, uint32_t id)
{
    send_data(lab, from, to, id, SPAN_LIT("data"));
}

static void receive(struct lab *lab, const char *app, uint32_t id, int32_t timeout_ms)
{
    lab_request(lab, app, (struct core_request){ .type = CORE_REQ_MSG_RECV, .id = id,
                                                 .timeout_ms = timeout_ms });
}

TEST(typed_messages_wait_or_are_waited_for)
{
    struct lab *lab = fresh(NULL);
    send_to(lab, "a", "b", 1);
    CHECK(lab_has(lab, "REPLY a 1 0\n"));
    lab_clear(lab);
    receive(lab, "b", 2, 0);
    CHECK_STR(lab->text, "REPLY b 2 0 from a \"data\"\n");
    lab_clear(lab);
    receive(lab, "b", 3, -1);
    CHECK_STR(lab->text, "");
    send_to(lab, "c", "b", 4);
    CHECK(lab_has(lab, "REPLY b 3 0 from c \"data\"\n"));
    CHECK(lab_has(lab, "REPLY c 4 0\n"));
    lab_free(lab);
}

TEST(typed_messages_refused)
{
    static const uint8_t big[CORE_MSG_BYTES_MAX + 1];
    struct lab *lab = fresh(NULL);
    send_to(lab, "a", "nobody", 1);
    CHECK(lab_has(lab, "REPLY a 1 -6 \"no such app is running\""));
    send_to(lab, "a", "off", 2);
    CHECK(lab_has(lab, "REPLY a 2 -6"));
    send_to(lab, "d", "c", 3);
    CHECK(lab_has(lab, "REPLY d 3 -8 \"may not send to 'c'"));
    send_data(lab, "a", "b", 4, span_of(big, sizeof big));
    CHECK(lab_has(lab, "REPLY a 4 -3 \"the message is too long\""));
    send_data(lab, "a", "b", 5, span_of(big, sizeof big - 1));
    CHECK(lab_has(lab, "REPLY a 5 0\n"));
    lab_free(lab);
}

TEST(typed_messages_time_out)
{
    struct lab *lab = fresh(NULL);
    receive(lab, "b", 1, 0);
    CHECK_STR(lab->text, "REPLY b 1 -12\n");
    lab_clear(lab);
    receive(lab, "b", 2, 500);
    receive(lab, "b", 3, 200);
    receive(lab, "b", 4, -1);
    lab_pass(lab, 199);
    CHECK_STR(lab->text, "");
    lab_pass(lab, 1);
    CHECK_STR(lab->text, "REPLY b 3 -12\n");
    lab_pass(lab, 300);
    CHECK_STR(lab->text, "REPLY b 3 -12\nREPLY b 2 -12\n");
    lab_clear(lab);
    lab_pass(lab, 1000000);
    send_to(lab, "a", "b", 5);
    CHECK(lab_has(lab, "REPLY b 4 0 from a"));
    lab_free(lab);
}

TEST(a_full_queue_of_typed_messages_does_not_wait)
{
    static const uint8_t data[60000];
    struct lab *lab = fresh(NULL);
    for (uint32_t i = 1; i <= 5; i++)
        send_data(lab, "a", "b", i, span_of(data, sizeof data));
    CHECK(lab_has(lab, "REPLY a 4 0\n"));
    CHECK(lab_has(lab, "REPLY a 5 -5 \"the recipient's queue is full\""));
    CHECK_INT(lab->pauses, 0);
    receive(lab, "b", 6, 0);
    send_data(lab, "a", "b", 7, span_of(data, sizeof data));
    CHECK(lab_has(lab, "REPLY a 7 0\n"));
    lab_free(lab);
}

/* To try again later would not help. */
TEST(a_typed_message_that_never_fits_is_too_long)
{
    static const uint8_t data[3000];
    struct lab *lab = fresh("[limits]\nmsg_queue_bytes = 2048\n[[app]]\nname = \"a\"\n"
                            "[[app]]\nname = \"b\"\n");
    send_data(lab, "a", "b", 1, span_of(data, sizeof data));
    CHECK(lab_has(lab, "REPLY a 1 -3 \"the message is too long\""));
    receive(lab, "b", 2, -1);
    send_data(lab, "a", "b", 3, span_of(data, sizeof data)); /* whoever waits or not */
    CHECK(lab_has(lab, "REPLY a 3 -3"));
    lab_free(lab);
}

TEST(typed_messages_have_the_same_rate)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", APP("a", STDIO "[limits]\nmessages_per_sec = 2\n"));
    lab_add(lab, "b", APP("b", STDIO));
    lab_boot(lab, "[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n", true);
    send_to(lab, "a", "b", 1);
    lab_output(lab, "a", "@b: line\n");
    send_to(lab, "a", "b", 2);
    CHECK(lab_has(lab, "REPLY a 1 0\n"));
    CHECK(lab_has(lab, "REPLY a 2 -12 \"too many messages a second\""));
    lab_free(lab);
}

TEST(typed_reply)
{
    struct lab *lab = fresh(NULL);
    send_to(lab, "d", "reply", 1);
    CHECK(lab_has(lab, "REPLY d 1 -6"));
    send_to(lab, "a", "d", 2);
    receive(lab, "d", 3, 0);
    lab_clear(lab);
    send_to(lab, "d", "reply", 4);
    CHECK(lab_has(lab, "REPLY d 4 0\n"));
    receive(lab, "a", 5, 0);
    CHECK(lab_has(lab, "REPLY a 5 0 from d \"data\""));
    lab_free(lab);
}

TEST(too_many_open_receives)
{
    struct lab *lab = fresh(NULL);
    for (uint32_t i = 0; i < CORE_REQUESTS_MAX; i++)
        receive(lab, "b", i, -1);
    CHECK_STR(lab->text, "");
    receive(lab, "b", 1000, -1);
    CHECK(lab_has(lab, "REPLY b 1000 -13 \"too many open requests\""));
    lab_free(lab);
}

TEST_MAIN(
    RUN(what_is_allowed_arrives) RUN(what_is_not_allowed_is_refused_with_the_key) RUN(to_nobody)
    RUN(to_an_app_without_lines_or_stdio) RUN(too_long) RUN(too_long_with_its_frame) RUN(rate)
    RUN(rate_of_boot_toml_for_apps_that_do_not_say)
    RUN(malformed_lines_are_skipped_with_a_warning)
    RUN(reply_goes_to_the_sender_of_what_was_read_last) RUN(reply_needs_no_permission)
    RUN(reply_is_not_turned_by_what_is_not_read_yet)
    RUN(reply_to_an_app_that_was_started_again)
    RUN(a_broadcast_reaches_who_listens_and_may_be_sent_to) RUN(a_broadcast_needs_some_ipc_send)
    RUN(a_broadcast_does_not_wait) RUN(a_deaf_recipient_costs_five_seconds_once)
    RUN(senders_go_on_in_order_when_the_recipient_reads)
    RUN(who_waits_for_an_app_that_ends_is_told) RUN(stderr_of_an_app_that_waits)
    RUN(an_app_that_closed_its_stdin) RUN(a_message_waits_for_a_restart)
    RUN(refusals_that_do_not_fit_are_counted) RUN(no_byte_of_a_text_ends_a_line)
    RUN(splitting_changes_nothing) RUN(the_rest_of_an_overlong_line_is_no_message)
    RUN(half_a_message_is_not_one) RUN(stderr_is_never_the_protocol)
    RUN(typed_messages_wait_or_are_waited_for) RUN(typed_messages_refused)
    RUN(typed_messages_time_out) RUN(a_full_queue_of_typed_messages_does_not_wait)
    RUN(a_typed_message_that_never_fits_is_too_long) RUN(typed_messages_have_the_same_rate)
    RUN(typed_reply) RUN(too_many_open_receives))
