#include "formats/manifest.h"

#include "base/err.h"
#include "lib/test.h"

static uint8_t scratch_memory[MANIFEST_SCRATCH_BYTES], keep_memory[MANIFEST_KEEP_BYTES];
static struct arena scratch, keep;
static struct manifest m;
static struct format_error err;
static char shown[512];

static int parse(const char *text)
{
    arena_init(&scratch, scratch_memory, sizeof scratch_memory);
    arena_init(&keep, keep_memory, sizeof keep_memory);
    memset(&err, 0, sizeof err);
    /* A copy of its exact size, so that the sanitizer sees a read past its end, and
     * freed at once, so that it sees a borrowed string. */
    size_t n = strlen(text);
    uint8_t *copy = malloc(n + 1);
    memcpy(copy, text, n + 1);
    int status = manifest_parse(span_of(copy, n), &scratch, &keep, &m, &err);
    free(copy);
    CHECK_INT(scratch.used, 0);
    return status;
}

static const char *error_text(void)
{
    struct strbuf b;
    memset(shown, 0, sizeof shown);
    strbuf_init(&b, shown, sizeof shown - 1);
    format_error_write(&b, SPAN_LIT("v"), &err);
    return shown;
}

#define APP "[app]\nname = \"a\"\nversion = \"1\"\nwasm = \"a.wasm\"\n"
#define APP1 APP "manifest_version = 1\n"

TEST(reference_example)
{
    CHECK_INT(parse("[app]\nname = \"http-server\"\nversion = \"0.1.0\"\n"
                    "wasm = \"http-server.wasm\"\n\n[capabilities]\nstdio = true\n"
                    "filesystem = true\ndisplay = true\nshell = false\nmouse = false\n\n"
                    "[capabilities.network]\nports = [8080, 80, 8080]\nprotocols = [\"tcp\"]\n"
                    "connect = [\"API.example.org:443\", \"[2001:DB8::1]:*\", \"*:53\"]\n"
                    "rate_kbps = 1024\n\n[capabilities.gpio]\npins = [4, 17]\n"
                    "direction = \"output\"\n\n[capabilities.i2c]\nbus = 1\naddress = 0x48\n"), 0);
    CHECK(span_eq_cstr(m.name, "http-server") && m.name.p[m.name.len] == 0);
    CHECK_INT(m.manifest_version, 0);
    CHECK(m.lines && m.ipc.send_any && m.ipc.accept_broadcast); /* legacy */
    CHECK(manifest_has(&m, MANIFEST_CAP_STDIO) && !manifest_has(&m, MANIFEST_CAP_SHELL));
    CHECK(manifest_has(&m, MANIFEST_CAP_NETWORK) && m.network.tcp);
    CHECK_INT(m.network.ports_count, 2);
    CHECK_INT(m.network.ports[0], 80);
    CHECK_INT(m.network.rate_kbps, 1024);
    CHECK(manifest_may_listen(&m, 8080) && !manifest_may_listen(&m, 81));
    CHECK(manifest_may_connect(&m, SPAN_LIT("api.EXAMPLE.org"), 443));
    CHECK(!manifest_may_connect(&m, SPAN_LIT("api.example.org"), 80));
    CHECK(!manifest_may_connect(&m, SPAN_LIT("evil.example.org"), 443));
    CHECK(manifest_may_connect(&m, SPAN_LIT("2001:db8::1"), 9));
    CHECK(manifest_may_connect(&m, SPAN_LIT("anything"), 53));
    CHECK(!manifest_may_connect(&m, SPAN_LIT("anything"), 0));
    CHECK(m.network.connect[0].host.p[m.network.connect[0].host.len] == 0);
    CHECK_INT(m.gpio.pins_count, 2);
    CHECK_INT(m.gpio.pins[1], 17);
    CHECK_INT(m.gpio.direction, MANIFEST_OUTPUT);
    CHECK_INT(m.i2c.bus, 1);
    CHECK(m.i2c.has_address && m.i2c.address == 0x48);
}

TEST(legacy_short_forms)
{
    CHECK_INT(parse(APP "[capabilities]\nstdio = true\nnetwork = true\nnetwork_port = 8080\n"
                        "watchdog_secs = 30\n[window]\nx = 0\ny = 28\nw = 1440\nh = 832\n"), 0);
    CHECK(manifest_may_listen(&m, 8080));
    CHECK(!manifest_may_connect(&m, SPAN_LIT("x"), 1));
    CHECK_INT(m.watchdog_secs, 30);
    CHECK(m.window.present && m.window.w == 1440 && m.window.y == 28);
    /* The port alone grants nothing. */
    CHECK_INT(parse(APP "[capabilities]\nnetwork_port = 8080\n"), 0);
    CHECK(!manifest_may_listen(&m, 8080));
}

TEST(boolean_and_table_together)
{
    CHECK_INT(parse(APP "[capabilities]\nnetwork = true\n[capabilities.network]\nports = [1]\n"), 0);
    CHECK(manifest_may_listen(&m, 1));
    CHECK_INT(parse(APP "[capabilities]\nnetwork = false\n[capabilities.network]\nports = [1]\n"), 0);
    CHECK(!manifest_may_listen(&m, 1));
    CHECK_INT(parse(APP "[capabilities.network]\nports = [1]\n[capabilities]\nnetwork = false\n"), 0);
    CHECK(!manifest_may_listen(&m, 1));
    CHECK_INT(parse(APP "[capabilities]\nnetwork = {ports = [1], protocols = [\"tcp\"]}\n"), 0);
    CHECK(manifest_may_listen(&m, 1) && m.network.tcp);
}

TEST(whole_of_version_1)
{
    CHECK_INT(parse(APP1 "lines = true\ndescription = \"d\"\nicon = \"art/i.png\"\nargs = [\"-v\", \"\"]\n"
                    "wasm_sha256 = \"00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100\"\n"
                    "engine = \"vyoma\"\nwatchdog_secs = 5\n"
                    "[capabilities]\nstatus = true\nspi = {bus = 1, cs_pin = 2}\n"
                    "uart = {port = 3}\nadc = {channels = [5, 1]}\n"
                    "[capabilities.ipc]\nsend = [\"pong\", \"x-1\"]\naccept_broadcast = true\n"
                    "[window]\nx = -5\nz = 3\ntitle = \"Caf\xc3\xa9\"\n"
                    "[[menu_items]]\nmenu = \"File\"\nlabel = \"Save\"\nshortcut = \"Ctrl+S\"\n"
                    "[[menu_items]]\nlabel = \"Quit\"\ncommand = \"quit\"\n"
                    "[limits]\nmemory = \"16MiB\"\ndata = \"1 GiB\"\ncpu_percent = 50\n"
                    "messages_per_sec = 100\nopen_files = 8\n"
                    "[env]\nHOME = \"/data\"\n_x1 = \"\"\n"), 0);
    CHECK(m.lines && m.manifest_version == 1 && m.has_wasm_sha256 && m.own_engine);
    CHECK_INT(m.wasm_sha256[1], 0x11);
    CHECK_INT(m.wasm_sha256[16], 0xff);
    CHECK_INT(m.args_count, 2);
    CHECK(span_eq_cstr(m.args[0], "-v") && m.args[1].len == 0);
    CHECK(span_eq_cstr(m.env[0].name, "HOME") && span_eq_cstr(m.env[0].value, "/data"));
    CHECK(manifest_may_send(&m, SPAN_LIT("pong")) && !manifest_may_send(&m, SPAN_LIT("other")));
    CHECK(m.ipc.accept_broadcast);
    CHECK_INT(m.spi.cs_pin, 2);
    CHECK_INT(m.uart.baud, 115200);
    CHECK_INT(m.adc.channels[0], 1);
    CHECK_INT(m.window.x, -5);
    CHECK_INT(m.menu_count, 2);
    CHECK(span_eq_cstr(m.menu[0].command, "Save") && span_eq_cstr(m.menu[1].command, "quit"));
    CHECK_INT(m.limits.memory_bytes, 16 << 20);
    CHECK_INT(m.limits.data_bytes, 1 << 30);
    CHECK_INT(m.limits.open_files, 8);
}

TEST(version_1_starts_with_nothing)
{
    CHECK_INT(parse(APP1), 0);
    CHECK_INT(m.caps, 0);
    CHECK(!m.lines && !m.ipc.accept_broadcast && !manifest_may_send(&m, SPAN_LIT("b")));
    CHECK_INT(parse("manifest_version = 1\n" APP), 0);
    CHECK(!m.lines);
    CHECK_INT(parse(APP1 "[capabilities]\nipc = true\n"), 0);
    CHECK(manifest_may_send(&m, SPAN_LIT("b")) && m.ipc.accept_broadcast);
    CHECK_INT(parse(APP "[capabilities]\nipc = false\n"), 0);
    CHECK(!manifest_may_send(&m, SPAN_LIT("b")) && !m.ipc.accept_broadcast);
    CHECK_INT(parse(APP "lines = false\n"), 0);
    CHECK(!m.lines);
    CHECK_INT(parse(APP1 "[capabilities.ipc]\nsend = [\"*\"]\n"), 0);
    CHECK(manifest_may_send(&m, SPAN_LIT("b")) && !m.ipc.accept_broadcast);
}

TEST(refusals)
{
    static const struct { const char *text, *message; } cases[] = {
        { "", "v:1:1: the manifest has no [app] table; it names the app and its module" },
        { "[app]\nname = \"a\"\n", "v:1:2: [app] has no 'version'; it is required" },
        { APP "[capabilities]\nnetwrok = true\n",
          "v:6:1: unknown key 'netwrok' in [capabilities]; did you mean 'network'?" },
        { APP "[capabilities]\nfile_system = true\n",
          "v:6:1: unknown key 'file_system' in [capabilities]; did you mean 'filesystem'?" },
        { APP "[capabilities]\nports = [1]\n",
          "v:6:1: unknown key 'ports' in [capabilities]; it belongs in [capabilities.network]" },
        { APP "[capabilities]\nteleport = true\n",
          "v:6:1: unknown key 'teleport' in [capabilities]; docs/manifest.md lists the keys" },
        { APP "[capabilites]\n",
          "v:5:2: unknown key 'capabilites' in the manifest; did you mean 'capabilities'?" },
        { APP "[capabilities]\nstdio = 1\n",
          "v:6:9: 'stdio' in [capabilities] is an integer; it must be a boolean" },
        { APP "[capabilities]\nnetwork = \"yes\"\n",
          "v:6:11: 'network' in [capabilities] is a string; it must be a boolean or a table" },
        { APP "[capabilities.network]\nports = [80, 65536]\n",
          "v:6:14: 65536 in 'ports' of [capabilities.network]; it must be 1 to 65535" },
        { APP "[capabilities.network]\nports = [\"80\"]\n",
          "v:6:10: an element of 'ports' in [capabilities.network] is a string; it must be an "
          "integer" },
        { APP "[capabilities.network]\nports = [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]\n",
          "v:6:9: 'ports' in [capabilities.network] has 17 elements; at most 16 are allowed" },
        { APP "[capabilities.network]\nconnect = [\"nowhere\"]\n",
          "v:6:12: 'nowhere' is no destination; write host:port, such as \"api.example.org:443\" or "
          "\"[2001:db8::1]:80\"" },
        { APP "[capabilities.network]\nprotocols = [\"icmp\"]\n",
          "v:6:14: unknown protocol 'icmp'; the only protocol is \"tcp\"" },
        { APP "[capabilities.network]\nprotocols = [\"tcp\", \"udp\"]\n",
          "v:6:21: udp is not there yet; the only protocol is \"tcp\"" },
        { APP "[capabilities]\ngpio = true\n",
          "v:6:1: 'gpio = true' does not say which; write a table [capabilities.gpio] with 'pins'" },
        { APP "[capabilities.i2c]\n", "v:5:15: [capabilities.i2c] has no 'bus'; it is required" },
        { APP "[capabilities.gpio]\npins = []\n",
          "v:6:8: 'pins' in [capabilities.gpio] is empty; leave the key out, or fill it" },
        { APP "[capabilities.gpio]\npins = [1]\ndirection = \"up\"\n",
          "v:7:13: 'direction' in [capabilities.gpio] is 'up'; it is \"input\", \"output\" or "
          "\"both\"" },
        { APP "[capabilities.ipc]\nsend = [\"Pong\"]\n",
          "v:6:9: 'Pong' in 'send' of [capabilities.ipc] is no app's name; a name has 1 to 32 of "
          "a-z, 0-9 and '-'; \"*\" is every app" },
        { "[app]\nname = \"supervisor\"\n",
          "v:2:8: 'supervisor' is no name for an app; a name has 1 to 32 of a-z, 0-9 and '-' "
          "(inside); supervisor, broadcast and reply are taken" },
        { "[app]\nwasm = \"../b.wasm\"\n",
          "v:2:8: 'wasm' in [app] is '../b.wasm'; it must be a relative path inside the app's "
          "folder, without '..'" },
        { APP "watchdog_secs = 9999\n",
          "v:5:17: 'watchdog_secs' in [app] is 9999; it must be 0 to 3600" },
        { APP "watchdog_secs = 9\n[capabilities]\nwatchdog_secs = 9",
          "v:7:1: 'watchdog_secs' is given twice, in [app] and in [capabilities]" },
        { APP "manifest_version = 2\n",
          "v:5:20: 'manifest_version' is 2; this system knows versions up to 1" },
        { APP "wasm_sha256 = \"12\"\n",
          "v:5:15: 'wasm_sha256' in [app] is no SHA-256; it has 64 hex digits; `vyoma hash` prints "
          "them" },
        { APP "engine = \"v8\"\n",
          "v:5:10: 'engine' in [app] is neither \"host\" nor \"vyoma\"" },
        { APP "[limits]\nmemory = \"1MB\"\n",
          "v:6:10: 'memory' in [limits] is '1MB', which is no size; write it like \"64KiB\", "
          "\"16MiB\" or \"1GiB\"" },
        { APP "[limits]\nmemory = \"65KiB\"\n",
          "v:6:10: 'memory' in [limits] is '65KiB'; it must be 64KiB to 4194304KiB in steps of "
          "64KiB" },
        { APP "[env]\n\"A-B\" = \"x\"\n",
          "v:6:1: 'A-B' in [env] is no variable's name; it has letters, digits and '_'" },
        { APP "[window]\ntitle = \"a\\nb\"\n", "v:6:9: 'title' in [window] has a control character" },
        { APP "args = [\"a\\u0000\"]\n", "v:5:9: an element of 'args' in [app] has a NUL character" },
        { APP "[[menu_items]]\nmenu = \"File\"\n",
          "v:5:3: [[menu_items]] has no 'label'; it is required" },
        { APP "[app]\n", "v:5:2: table 'app' is defined twice; first defined on line 1" },
    };
    for (size_t i = 0; i < base_countof(cases); i++) {
        CHECK(parse(cases[i].text) < 0);
        CHECK_STR(error_text(), cases[i].message);
        CHECK_INT(keep.used, 0);
    }
}

TEST(names)
{
    static const char *const good[] = { "a", "http-server", "2048",
                                        "abcdefghijklmnopqrstuvwxyz012345" };
    static const char *const bad[] = { "", "-a", "a-", "A", "a_b", "a.b", "a b", "reply",
                                       "broadcast", "supervisor", "abcdefghijklmnopqrstuvwxyz0123456",
                                       "caf\xc3\xa9", "a\n" };
    for (size_t i = 0; i < base_countof(good); i++)
        CHECK(manifest_name_valid(span_of_cstr(good[i])));
    for (size_t i = 0; i < base_countof(bad); i++)
        CHECK(!manifest_name_valid(span_of_cstr(bad[i])));
}

static const char *hint(int power, const char *value)
{
    struct strbuf b;
    memset(shown, 0, sizeof shown);
    strbuf_init(&b, shown, sizeof shown - 1);
    manifest_hint_write(&b, &m, power, span_of_cstr(value));
    return shown;
}

TEST(hints_name_key_and_line)
{
    CHECK_INT(parse(APP1 "[capabilities]\nstdio = true\nshell = false\n"
                         "[capabilities.network]\nports = [80]\n"), 0);
    CHECK_STR(hint(MANIFEST_CAP_SHELL, ""),
              "set 'shell = true' in [capabilities] (vyoma.toml line 8)");
    CHECK_STR(hint(MANIFEST_CAP_DISPLAY, ""),
              "set 'display = true' in [capabilities] (vyoma.toml line 6)");
    CHECK_STR(hint(MANIFEST_POWER_LISTEN, "81"),
              "add 81 to 'ports' in [capabilities.network] (vyoma.toml line 10)");
    CHECK_STR(hint(MANIFEST_POWER_CONNECT, "h:443"),
              "add \"h:443\" to 'connect' in [capabilities.network] (vyoma.toml line 9)");
    CHECK_STR(hint(MANIFEST_POWER_SEND, "pong"),
              "add \"pong\" to 'send' in [capabilities.ipc] (vyoma.toml)");
    CHECK_STR(hint(MANIFEST_POWER_LINES, ""),
              "set 'lines = true' in [app] (vyoma.toml line 1)");
    CHECK_STR(hint(MANIFEST_CAP_I2C, ""), "set 'bus' in [capabilities.i2c] (vyoma.toml)");
    CHECK_INT(parse(APP1 "[capabilities]\nnetwork = false\n[capabilities.network]\n"), 0);
    CHECK_STR(hint(MANIFEST_POWER_LISTEN, "81"),
              "set 'network = true' in [capabilities] (vyoma.toml line 7)");
    CHECK_INT(parse(APP1 "[capabilities.network]\n[capabilities]\nnetwork = false\n"), 0);
    CHECK_STR(hint(MANIFEST_POWER_LISTEN, "81"),
              "set 'network = true' in [capabilities] (vyoma.toml line 8)");
    CHECK_INT(m.network_line, 6);
    CHECK_STR(manifest_cap_name(MANIFEST_CAP_IPC), "ipc");
}

TEST(every_size_of_arenas)
{
    static const char text[] = APP1 "args = [\"x\"]\n[capabilities.network]\nports = [1]\n"
                                    "connect = [\"h:1\"]\n[capabilities.ipc]\nsend = [\"b\"]\n"
                                    "[[menu_items]]\nlabel = \"l\"\n[env]\nA = \"b\"\n";
    int last = E_NOMEM;
    for (size_t size = 0; size < 600; size++) {
        arena_init(&scratch, scratch_memory, sizeof scratch_memory);
        arena_init(&keep, keep_memory, size);
        last = manifest_parse(span_of_cstr(text), &scratch, &keep, &m, &err);
        CHECK(last == 0 || (last == E_NOMEM && keep.used == 0));
    }
    CHECK_INT(last, 0);
    for (size_t size = 0; size < 2048; size++) {
        arena_init(&scratch, scratch_memory, size);
        arena_init(&keep, keep_memory, sizeof keep_memory);
        last = manifest_parse(span_of_cstr(text), &scratch, &keep, &m, &err);
        CHECK(last == 0 || last == E_NOMEM);
    }
    CHECK_INT(last, 0);
}

/* The bounds in manifest.h are enough for the largest manifest that they allow. */
TEST(largest_manifest_fits)
{
    static char text[MANIFEST_TEXT_MAX + 64];
    size_t n = (size_t)snprintf(text, sizeof text, APP1 "args = [");
    for (int i = 0; i < MANIFEST_ARGS_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "\"%0450d\",", i);
    n += (size_t)snprintf(text + n, sizeof text - n, "]\n[env]\n");
    for (int i = 0; i < MANIFEST_ENV_MAX; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "V%d = \"%0500d\"\n", i, i);
    CHECK(n < MANIFEST_TEXT_MAX);
    CHECK_INT(parse(text), 0);
    CHECK_INT(m.env_count, MANIFEST_ENV_MAX);
    memset(text, '#', sizeof text - 1);
    CHECK_INT(parse(text), E_LIMIT);
}

TEST_MAIN(RUN(reference_example) RUN(legacy_short_forms) RUN(boolean_and_table_together)
              RUN(whole_of_version_1) RUN(version_1_starts_with_nothing) RUN(refusals) RUN(names)
                  RUN(hints_name_key_and_line) RUN(every_size_of_arenas) RUN(largest_manifest_fits))
