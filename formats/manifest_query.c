/* Questions about a manifest that has been read. */
#include "base/assert.h"
#include "formats/manifest.h"

bool manifest_may_listen(const struct manifest *m, uint16_t port)
{
    if (!manifest_has(m, MANIFEST_CAP_NETWORK))
        return false;
    for (uint32_t i = 0; i < m->network.ports_count; i++)
        if (m->network.ports[i] == port)
            return true;
    return false;
}

/* lower: already in lower case. */
static bool equals_ignoring_case(struct span text, struct span lower)
{
    if (text.len != lower.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.p[i];
        if (c >= 'A' && c <= 'Z')
            c |= 0x20;
        if (c != lower.p[i])
            return false;
    }
    return true;
}

bool manifest_may_connect(const struct manifest *m, struct span host, uint16_t port)
{
    if (!manifest_has(m, MANIFEST_CAP_NETWORK) || port == 0)
        return false;
    for (uint32_t i = 0; i < m->network.connect_count; i++) {
        const struct manifest_endpoint *e = &m->network.connect[i];
        bool same_host = span_eq_cstr(e->host, "*") || equals_ignoring_case(host, e->host);
        if (same_host && (e->port == 0 || e->port == port))
            return true;
    }
    return false;
}

bool manifest_may_send(const struct manifest *m, struct span app)
{
    if (!manifest_has(m, MANIFEST_CAP_IPC))
        return false;
    for (uint32_t i = 0; i < m->ipc.send_count && !m->ipc.send_any; i++)
        if (span_eq(m->ipc.send[i], app))
            return true;
    return m->ipc.send_any;
}

static const struct {
    const char *name;
    const char *table, *key; /* where the power is named */
} powers[MANIFEST_POWER_COUNT] = {
    [MANIFEST_CAP_STDIO] = { "stdio", "[capabilities]", "stdio" },
    [MANIFEST_CAP_FILESYSTEM] = { "filesystem", "[capabilities]", "filesystem" },
    [MANIFEST_CAP_DISPLAY] = { "display", "[capabilities]", "display" },
    [MANIFEST_CAP_MOUSE] = { "mouse", "[capabilities]", "mouse" },
    [MANIFEST_CAP_SHELL] = { "shell", "[capabilities]", "shell" },
    [MANIFEST_CAP_STATUS] = { "status", "[capabilities]", "status" },
    [MANIFEST_CAP_NETWORK] = { "network", "[capabilities]", "network" },
    [MANIFEST_CAP_GPIO] = { "gpio", "[capabilities.gpio]", "pins" },
    [MANIFEST_CAP_I2C] = { "i2c", "[capabilities.i2c]", "bus" },
    [MANIFEST_CAP_SPI] = { "spi", "[capabilities.spi]", "bus" },
    [MANIFEST_CAP_UART] = { "uart", "[capabilities.uart]", "port" },
    [MANIFEST_CAP_ADC] = { "adc", "[capabilities.adc]", "channels" },
    [MANIFEST_CAP_IPC] = { "ipc", "[capabilities.ipc]", "send" },
    [MANIFEST_POWER_LISTEN] = { NULL, "[capabilities.network]", "ports" },
    [MANIFEST_POWER_CONNECT] = { NULL, "[capabilities.network]", "connect" },
    [MANIFEST_POWER_SEND] = { NULL, "[capabilities.ipc]", "send" },
    [MANIFEST_POWER_BROADCAST] = { NULL, "[capabilities.ipc]", "accept_broadcast" },
    [MANIFEST_POWER_LINES] = { NULL, "[app]", "lines" },
    [MANIFEST_POWER_PIN] = { NULL, "[capabilities.gpio]", "pins" },
};

const char *manifest_cap_name(enum manifest_cap cap)
{
    base_assert(cap < MANIFEST_CAP_COUNT);
    return powers[cap].name;
}

/* A power inside a capability that is there but switched off needs that one first. */
static int deciding_power(const struct manifest *m, int power)
{
    int cap;
    switch (power) {
    case MANIFEST_POWER_LISTEN:
    case MANIFEST_POWER_CONNECT: cap = MANIFEST_CAP_NETWORK; break;
    case MANIFEST_POWER_SEND:
    case MANIFEST_POWER_BROADCAST: cap = MANIFEST_CAP_IPC; break;
    default: return power;
    }
    return m->power_line[cap] && !(m->caps >> cap & 1) ? cap : power;
}

static uint32_t table_line(const struct manifest *m, int power)
{
    switch (power) {
    case MANIFEST_POWER_LISTEN:
    case MANIFEST_POWER_CONNECT: return m->network_line;
    case MANIFEST_POWER_PIN: return m->power_line[MANIFEST_CAP_GPIO];
    case MANIFEST_CAP_IPC:
    case MANIFEST_POWER_SEND:
    case MANIFEST_POWER_BROADCAST: return m->ipc_line;
    case MANIFEST_POWER_LINES: return m->app_line;
    default:
        return strcmp(powers[power].table, "[capabilities]") == 0 ? m->capabilities_line : 0;
    }
}

void manifest_place(const struct manifest *m, int power, struct manifest_place *ret)
{
    base_assert(power >= 0 && power < MANIFEST_POWER_COUNT);
    power = deciding_power(m, power);
    ret->table = powers[power].table;
    ret->key = powers[power].key;
    ret->present = m->power_line[power] != 0;
    ret->line = ret->present ? m->power_line[power] : table_line(m, power);
    switch (power) {
    case MANIFEST_CAP_GPIO: case MANIFEST_CAP_I2C: case MANIFEST_CAP_SPI: case MANIFEST_CAP_UART:
    case MANIFEST_CAP_ADC: case MANIFEST_CAP_IPC: case MANIFEST_POWER_LISTEN:
    case MANIFEST_POWER_CONNECT: case MANIFEST_POWER_SEND:
    case MANIFEST_POWER_PIN: ret->is_list = true; break;
    default: ret->is_list = false; break;
    }
}

static bool is_quoted(int power)
{
    return power == MANIFEST_POWER_CONNECT || power == MANIFEST_POWER_SEND ||
           power == MANIFEST_CAP_IPC;
}

void manifest_hint_write(struct strbuf *b, const struct manifest *m, int power,
                         struct span value)
{
    struct manifest_place place;
    manifest_place(m, power, &place);
    if (place.is_list && value.len == 0) {
        strbuf_cstr(b, "set '");
        strbuf_cstr(b, place.key);
    } else if (place.is_list) {
        const char *quote = is_quoted(power) ? "\"" : "";
        strbuf_cstr(b, "add ");
        strbuf_cstr(b, quote);
        strbuf_printable(b, value);
        strbuf_cstr(b, quote);
        strbuf_cstr(b, " to '");
        strbuf_cstr(b, place.key);
    } else {
        strbuf_cstr(b, "set '");
        strbuf_cstr(b, place.key);
        strbuf_cstr(b, " = true");
    }
    strbuf_cstr(b, "' in ");
    strbuf_cstr(b, place.table);
    strbuf_cstr(b, " (vyoma.toml");
    if (place.line) {
        strbuf_cstr(b, " line ");
        strbuf_u64(b, place.line);
    }
    strbuf_char(b, ')');
}
