/* Who may do what: paths, connections, grants and their limits, a boot.toml that is refused. */
#include "base/err.h"
#include "lib/lab.h"

#define APP(name, rest) "[app]\nname = \"" name "\"\nversion = \"1\"\nwasm = \"a.wasm\"\n" \
                        "manifest_version = 1\n" rest

/* One app `a` with this rest of a manifest. */
static struct lab *with(const char *boot, const char *manifest)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", manifest);
    lab_boot(lab, boot ? boot : "[[app]]\nname = \"a\"\n", true);
    return lab;
}

static void path(struct lab *lab, enum core_path_op op, const char *name)
{
    lab_clear(lab);
    lab_request(lab, "a", (struct core_request){ .type = CORE_REQ_PATH, .id = 9, .op = op,
                                                 .path = span_of_cstr(name) });
}

static void connect_to(struct lab *lab, const char *host, uint16_t port)
{
    lab_clear(lab);
    lab_request(lab, "a", (struct core_request){ .type = CORE_REQ_CONNECT, .id = 9, .port = port,
                                                 .path = span_of_cstr(host) });
}

/* --- requests -------------------------------------------------------------------------- */

TEST(files_need_filesystem)
{
    struct lab *lab = with(NULL, APP("a", "[capabilities]\nstdio = true\n"));
    for (int op = 0; op < CORE_PATH_OP_COUNT_; op++) {
        path(lab, (enum core_path_op)op, "x");
        CHECK(lab_has(lab, "REPLY a 9 -8 \"may not "));
        CHECK(lab_has(lab, "'filesystem = true' in [capabilities]"));
        CHECK(lab_has(lab, "\"event\":\"cap_deny\""));
    }
    lab_free(lab);
}

TEST(files_granted_are_on_record)
{
    struct lab *lab = with(NULL, APP("a", "[capabilities]\nfilesystem = true\n"));
    path(lab, CORE_PATH_OPEN, "x");
    CHECK_STR(lab->text, "AUDIT \"event\":\"file_open\",\"app\":\"a\",\"what\":\"open\",\"value\":"
                         "\"x\",\"count\":1\nREPLY a 9 0\n");
    path(lab, CORE_PATH_UNLINK, "x");
    CHECK(lab_has(lab, "\"what\":\"unlink\",\"value\":\"x\""));
    path(lab, CORE_PATH_READLINK, "x");
    CHECK_STR(lab->text, "REPLY a 9 0\n");
    lab_clear(lab);
    lab_request(lab, "a", (struct core_request){ .type = CORE_REQ_PATH, .id = 9, .for_writing = true,
                                                 .path = SPAN_LIT("x") });
    CHECK(lab_has(lab, "\"what\":\"open-write\",\"value\":\"x\""));
    path(lab, (enum core_path_op)99, "x");
    CHECK_STR(lab->text, "REPLY a 9 -10\n");
    lab_event(lab, (struct core_event){ .type = CORE_EV_DENIED, .app = lab_app(lab, "a")->id,
                                        .text = SPAN_LIT("../../etc") });
    CHECK(lab_has(lab, "\"event\":\"cap_deny\",\"app\":\"a\",\"what\":\"escape\",\"value\":"
                       "\"../../etc\""));
    lab_free(lab);
}

TEST(what_the_host_refused_is_on_record)
{
    struct lab *lab = with(NULL, APP("a", "[capabilities.network]\nports = [80]\n"));
    static const char *const what[] = { [CORE_DENIED_ESCAPE] = "escape",
                                        [CORE_DENIED_LISTEN] = "listen on",
                                        [CORE_DENIED_RIGHTS] = "rights",
                                        [CORE_DENIED_FILES] = "open files",
                                        [CORE_DENIED_DATA] = "data",
                                        [CORE_DENIED_POINTER] = "pointer",
                                        [CORE_DENIED_CALL] = "system call" };
    for (unsigned i = 0; i < base_countof(what); i++) {
        char expected[80];
        lab_clear(lab);
        snprintf(expected, sizeof expected, "\"what\":\"%s\",\"value\":\"22\"", what[i]);
        lab_event(lab, (struct core_event){ .type = CORE_EV_DENIED, .app = lab_app(lab, "a")->id,
                                            .denied = (enum core_denied)i,
                                            .text = SPAN_LIT("22") });
        CHECK(lab_has(lab, "\"event\":\"cap_deny\""));
        CHECK(lab_has(lab, expected));
        CHECK((strstr(lab->text, "\"key\":\"ports\"") != NULL) == (i == CORE_DENIED_LISTEN));
    }
    lab_clear(lab);
    lab_event(lab, (struct core_event){ .type = CORE_EV_DENIED, .app = lab_app(lab, "a")->id,
                                        .denied = (enum core_denied)99, .text = SPAN_LIT("22") });
    CHECK_STR(lab->text, "");
    lab_free(lab);
}

/* Whatever bytes a path has, a record stays one line of JSON and a notice one line. */
TEST(evil_paths_are_on_record_as_text)
{
    struct lab *lab = with(NULL, APP("a", "[capabilities]\nstdio = true\n"));
    path(lab, CORE_PATH_OPEN, "x\"}\n{\"event\":\"forged\"}\x1b[2J\xff");
    CHECK(lab_has(lab, "\"value\":\"x\\\"}\\n{\\\"event\\\":\\\"forged\\\"}\\u001b[2J\xef\xbf\xbd\""));
    CHECK(lab_has(lab, "vyoma: a: may not open 'x\"}?{\"event\":\"forged\"}?[2J?'"));
    lab_free(lab);
}

TEST(connections_need_their_destination)
{
    struct lab *lab = with(NULL, APP("a", "[capabilities.network]\n"
                                          "connect = [\"Example.org:443\", \"10.0.0.1:*\"]\n"));
    connect_to(lab, "example.ORG", 443);
    CHECK(lab_has(lab, "REPLY a 9 0\n"));
    CHECK(lab_has(lab, "\"event\":\"net_connect\",\"app\":\"a\",\"what\":\"tcp\",\"value\":"
                       "\"example.ORG:443\""));
    connect_to(lab, "10.0.0.1", 7);
    CHECK(lab_has(lab, "REPLY a 9 0\n"));
    connect_to(lab, "example.org", 80);
    CHECK(lab_has(lab, "REPLY a 9 -8 \"may not connect to 'example.org:80': add "
                       "\"example.org:80\" to 'connect' in [capabilities.network]"));
    connect_to(lab, "www.example.org", 443);
    CHECK(lab_has(lab, "REPLY a 9 -8"));
    connect_to(lab, "example.org.", 443);
    CHECK(lab_has(lab, "REPLY a 9 -8"));
    connect_to(lab, "", 443);
    CHECK(lab_has(lab, "REPLY a 9 -8"));
    lab_free(lab);
}

TEST(drawing_needs_display)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", "[app]\nname = \"a\"\nversion = \"1\"\nwasm = \"a.wasm\"\n[capabilities]\n"
                      "stdio = true\n");
    lab_boot(lab, "[[app]]\nname = \"a\"\n", true);
    lab_clear(lab);
    lab_output(lab, "a", "VYOMA_DRAW:flush\n");
    CHECK_STR(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:denied:may not draw: set 'display = true' "
                                      "in [capabilities] (vyoma.toml line 5)\n");
    lab_free(lab);
}

/* --- grants ------------------------------------------------------------------------------- */

/* What a manifest's app is started with. */
static struct core_grants grants_of(const char *boot, const char *manifest)
{
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", manifest)->slow = true;
    lab_boot(lab, boot, true);
    lab_event(lab, (struct core_event){ .type = CORE_EV_LOADED, .app = lab_app(lab, "a")->id,
                                        .text = span_of_cstr(manifest) });
    struct core_grants grants = { 0 };
    for (uint32_t i = 0; i < lab->actions.count; i++)
        if (lab->actions.list[i].type == CORE_ACT_SPAWN)
            grants = *lab->actions.list[i].grants;
    CHECK(grants.manifest != NULL);
    grants.manifest = NULL;
    grants.name = SPAN_NONE;
    lab_free(lab);
    return grants;
}

TEST(limits_come_from_the_manifest_then_boot_toml_then_the_system)
{
    static const char defaults[] = "[defaults]\nmemory = \"2MiB\"\ndata = \"1MiB\"\n"
                                   "cpu_percent = 50\nopen_files = 10\n[[app]]\nname = \"a\"\n";
    struct core_grants g = grants_of("[[app]]\nname = \"a\"\n", APP("a", ""));
    CHECK_INT(g.memory_bytes, 64 << 20);
    CHECK_INT(g.data_bytes, 0);
    CHECK_INT(g.cpu_percent, 0);
    CHECK_INT(g.open_files, 64);
    g = grants_of(defaults, APP("a", ""));
    CHECK_INT(g.memory_bytes, 2 << 20);
    CHECK_INT(g.data_bytes, 1 << 20);
    CHECK_INT(g.cpu_percent, 50);
    CHECK_INT(g.open_files, 10);
    g = grants_of(defaults, APP("a", "[limits]\nmemory = \"4MiB\"\ndata = \"2MiB\"\n"
                                     "cpu_percent = 70\nopen_files = 20\n"));
    CHECK_INT(g.memory_bytes, 4 << 20);
    CHECK_INT(g.data_bytes, 2 << 20);
    CHECK_INT(g.cpu_percent, 70);
    CHECK_INT(g.open_files, 20);
}

TEST(a_spawn_lists_every_grant)
{
    struct lab *lab = with(NULL, APP("a", "[capabilities]\nstdio = true\nfilesystem = true\n"
                                          "[capabilities.network]\nports = [80, 443]\n"
                                          "protocols = [\"tcp\"]\n"));
    CHECK(lab_has(lab, "AUDIT \"event\":\"spawn\",\"app\":\"a\",\"caps\":[\"stdio\",\"filesystem\","
                       "\"network\"],\"pid\":100\n"));
    CHECK(lab_has(lab, "AUDIT \"event\":\"net_bind\",\"app\":\"a\",\"port\":80\n"));
    CHECK(lab_has(lab, "AUDIT \"event\":\"net_bind\",\"app\":\"a\",\"port\":443\n"));
    lab_free(lab);
}

/* --- boot.toml --------------------------------------------------------------------------- */

TEST(boot_toml_lowers_the_bounds)
{
    static char line[400];
    struct lab *lab = lab_new(NULL);
    lab_add(lab, "a", "[app]\nname = \"a\"\nversion = \"1\"\nwasm = \"a.wasm\"\n[capabilities]\n"
                      "stdio = true\nshell = true\n");
    lab_boot(lab, "[limits]\napps = 2\nline_bytes = 256\nstdin_bytes = 4096\n[[app]]\n"
                  "name = \"a\"\n[[app]]\nname = \"b\"\nstart = false\n", true);
    memset(line, 'x', 257);
    memcpy(line, "@a: ", 4);
    line[257] = '\n';
    lab_clear(lab);
    lab_output(lab, "a", line);
    CHECK(strncmp(lab_app(lab, "a")->got, "VYOMA_SYSTEM:error:too-long:@a: xxx", 35) == 0);
    lab_clear(lab);
    lab_output(lab, "a", line + 1); /* "a: xxx": plain text, one byte less */
    lab_output(lab, "a", "@supervisor: start c\n");
    CHECK_STR(lab_app(lab, "a")->got, "REPLY:error: no room for another app: c\nREPLY:END\n");
    lab_app(lab, "a")->deaf = true;
    for (int i = 0; i < 20; i++) {
        line[256] = '\n';
        lab_output(lab, "a", line);
    }
    CHECK(lab_app(lab, "a")->paused); /* 4,096 bytes are full */
    lab_free(lab);
}

TEST(boot_toml_cannot_raise_the_hosts_bounds)
{
    struct core_limits few = { .apps = 1, .line_bytes = 512 };
    struct lab *lab = lab_new(&few);
    lab_boot(lab, "[limits]\napps = 100\n[[app]]\nname = \"a\"\n[[app]]\nname = \"b\"\n", true);
    CHECK(lab_has(lab, "vyoma: boot.toml names more apps than there is room for\\n"));
    CHECK(lab_has(lab, "POWER 0 1\n"));
    lab_free(lab);
}

TEST(a_wrong_boot_toml_starts_nothing)
{
    struct lab *lab = with("[[app]]\nname = \"a\"\nrestrat = \"always\"\n", APP("a", ""));
    CHECK(lab_has(lab, "vyoma: boot.toml:3:1: unknown key 'restrat' in [[app]]; did you mean "
                       "'restart'?\\n"));
    CHECK(lab_has(lab, "\"event\":\"verify\",\"app\":\"supervisor\",\"what\":\"boot.toml\","
                       "\"result\":\"refused\""));
    CHECK(lab_lacks(lab, "LOAD"));
    CHECK(lab->powered);
    lab_free(lab);
}

TEST(a_broken_audit_chain_is_said_at_boot)
{
    struct lab *lab = lab_new(NULL);
    struct core_event ev = { .type = CORE_EV_BOOT, .count = 1, .count2 = 41, .error = E_MALFORMED };
    ev.hash[0] = 7;
    lab_event(lab, ev);
    CHECK(lab_has(lab, "vyoma: the audit log's chain is broken\\n"));
    CHECK(lab_has(lab, "\"what\":\"audit-log\",\"result\":\"broken\""));
    lab_free(lab);
}

TEST_MAIN(RUN(files_need_filesystem) RUN(files_granted_are_on_record)
          RUN(what_the_host_refused_is_on_record) RUN(evil_paths_are_on_record_as_text)
          RUN(connections_need_their_destination)
          RUN(drawing_needs_display)
          RUN(limits_come_from_the_manifest_then_boot_toml_then_the_system)
          RUN(a_spawn_lists_every_grant) RUN(boot_toml_lowers_the_bounds)
          RUN(boot_toml_cannot_raise_the_hosts_bounds) RUN(a_wrong_boot_toml_starts_nothing)
          RUN(a_broken_audit_chain_is_said_at_boot))
