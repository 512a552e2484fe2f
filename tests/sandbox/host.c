/* hosts/drive.c over a core and a host that the test plays itself. */
#include "base/err.h"
#include "hosts/host.h"
#include "lib/test.h"

static struct host h;
static char calls[4096]; /* what happened, a word each */
static struct core_action script[8][16];
static int steps;
static int audit_error;
static int write_result = E_AGAIN;

static void note(const char *word)
{
    size_t len = strlen(calls);
    snprintf(calls + len, sizeof calls - len, "%s%s", len ? " " : "", word);
}

/* The test's own core: says what it was told and answers from the script. */
void core_step(struct core *c, const struct core_event *event, struct core_actions *actions)
{
    static const char *const names[] = { "boot", "start", "loaded", "spawned", "output",
                                         "delivered", "request", "trapped", "refused", "exited",
                                         "console", "size", "verified", "timer", "stop",
                                         "audit_lost" };
    char text[64];
    snprintf(text, sizeof text, "<%s:%d:%d>", names[event->type], event->error,
             (int)event->count);
    note(text);
    CHECK_INT(event->now_ms, 5);
    CHECK_INT(event->unix_ms, 7);
    actions->count = 0;
    for (int i = 0; steps < 8 && i < 16 && script[steps][i].app; i++)
        actions->list[actions->count++] = script[steps][i];
    steps++;
}

static uint64_t now(void *ctx) { return 5; }
static uint64_t wall(void *ctx) { return 7; }

static int load(void *ctx, core_app app, struct span name, struct host_loaded *ret)
{
    note("load");
    ret->manifest = SPAN_LIT("text");
    return span_eq_cstr(name, "later") ? E_AGAIN : span_eq_cstr(name, "bad") ? E_NOENT : E_OK;
}
static void unload(void *ctx, core_app app) { note("unload"); }
static int spawn(void *ctx, core_app app, const struct core_grants *g, struct host_spawned *ret)
{
    note("spawn");
    ret->pid = 42;
    return E_OK;
}
static int verify(void *ctx, core_app app, struct span name, uint8_t hash[32])
{
    note("verify");
    return E_OK;
}
static int write_stdin(void *ctx, core_app app, struct span bytes)
{
    note("write");
    return write_result;
}
static void close_stdin(void *ctx, core_app app) { note("close"); }
static void pause_output(void *ctx, core_app app, bool paused) { note(paused ? "pause" : "resume"); }
static void reply(void *ctx, core_app app, uint32_t id, int error, struct span name,
                  struct span bytes)
{
    note("reply");
}
static void ask_stop(void *ctx, core_app app) { note("ask"); }
static void kill_app(void *ctx, core_app app) { note("kill"); }
static void console(void *ctx, enum core_stream stream, struct span bytes)
{
    note(stream == CORE_STDOUT ? "out" : "err");
}
static int audit(void *ctx, struct span line)
{
    note("audit");
    return audit_error;
}
static void timer(void *ctx, uint64_t at_ms) { note("timer"); }
static void power(void *ctx, enum core_stop stop, int32_t code) { note("power"); }

static const struct host_ops ops = { NULL, now, wall, load, unload, spawn, verify, write_stdin,
                                     close_stdin, pause_output, reply, ask_stop, kill_app,
                                     console, NULL, audit, timer, power };

static void fresh(void)
{
    memset(script, 0, sizeof script);
    calls[0] = 0;
    steps = 0;
    audit_error = 0;
    write_result = E_AGAIN;
    host_init(&h, NULL, &ops);
}

static void add(int step, enum core_action_type type, const char *name)
{
    int i = 0;
    while (script[step][i].app)
        i++;
    script[step][i] = (struct core_action){ .type = type, .app = 1, .name = span_of_cstr(name) };
}

static const char *run(void)
{
    struct core_event ev = { .type = CORE_EV_BOOT };
    host_event(&h, &ev);
    CHECK_INT(h.answers_count, 0);
    return calls;
}

TEST(actions_come_in_order_and_answers_after_them)
{
    fresh();
    add(0, CORE_ACT_LOAD, "a");
    add(0, CORE_ACT_TIMER, "");
    add(1, CORE_ACT_SPAWN, "");
    add(1, CORE_ACT_AUDIT, "");
    add(2, CORE_ACT_CONSOLE, "");
    CHECK_STR(run(), "<boot:0:0> load timer <loaded:0:0> spawn audit <spawned:0:0> out");
}

TEST(late_answers_are_not_given)
{
    fresh();
    add(0, CORE_ACT_LOAD, "later");
    add(0, CORE_ACT_DELIVER, "");
    CHECK_STR(run(), "<boot:0:0> load write");
}

TEST(failures_are_answers)
{
    fresh();
    add(0, CORE_ACT_LOAD, "bad");
    CHECK_STR(run(), "<boot:0:0> load <loaded:-6:0>");
    fresh();
    write_result = E_IO;
    add(0, CORE_ACT_DELIVER, "");
    CHECK_STR(run(), "<boot:0:0> write <delivered:-11:0>");
}

TEST(deliveries_report_their_count)
{
    fresh();
    write_result = 17;
    add(0, CORE_ACT_DELIVER, "");
    CHECK_STR(run(), "<boot:0:0> write <delivered:0:17>");
}

TEST(lost_audit_records_are_told_once)
{
    fresh();
    audit_error = E_IO;
    add(0, CORE_ACT_AUDIT, "");
    add(0, CORE_ACT_AUDIT, "");
    add(1, CORE_ACT_AUDIT, ""); /* the record about the loss is lost as well */
    CHECK_STR(run(), "<boot:0:0> audit <audit_lost:0:2> audit <audit_lost:0:1>");
    CHECK_INT(h.audits_lost, 0);
}

TEST(every_action_reaches_its_function)
{
    fresh();
    static const enum core_action_type all[] = {
        CORE_ACT_UNLOAD, CORE_ACT_CLOSE_STDIN, CORE_ACT_PAUSE, CORE_ACT_RESUME, CORE_ACT_REPLY,
        CORE_ACT_ASK_STOP, CORE_ACT_KILL, CORE_ACT_CONSOLE_ERR, CORE_ACT_VERIFY, CORE_ACT_POWER,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        add(0, all[i], "");
    CHECK_STR(run(), "<boot:0:0> unload close pause resume reply ask kill err verify power "
                     "<verified:0:0>");
}

TEST_MAIN(RUN(actions_come_in_order_and_answers_after_them) RUN(late_answers_are_not_given)
              RUN(failures_are_answers) RUN(deliveries_report_their_count)
                  RUN(lost_audit_records_are_told_once) RUN(every_action_reaches_its_function))
