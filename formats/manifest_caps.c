/* [capabilities] and its tables. */
#include "manifest_reader.h"

enum {
    NUMBERS_MAX = MANIFEST_PINS_MAX, /* of the arrays of small integers */
    PIN_MAX = 255,
    CHANNEL_MAX = 63,
    RATE_KBPS_MAX = 10 * 1000 * 1000,
    LABEL_MAX = 63, /* of a host name, RFC 1035 */
    PORT_MAX = 65535,
};

static struct manifest *manifest_of(void *target)
{
    return &((struct manifest_reading *)target)->m;
}

static void note_line(struct schema *s, struct manifest *m, int power, const struct toml_value *v)
{
    m->power_line[power] = schema_line(s, v->key_pos);
}

/* --- arrays of numbers -------------------------------------------------------------- */

/* Puts n into a sorted array, unless it is there. */
static void insert_sorted(uint16_t *list, uint32_t *count, uint16_t n)
{
    uint32_t at = 0;
    while (at < *count && list[at] < n)
        at++;
    if (at < *count && list[at] == n)
        return;
    memmove(&list[at + 1], &list[at], (*count - at) * sizeof list[0]);
    list[at] = n;
    ++*count;
}

static int read_numbers(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                        int64_t lowest, int64_t highest, uint16_t *list, uint32_t *count)
{
    int err = schema_count(s, key, v);
    for (const struct toml_value *item = toml_first(v); item && !err; item = item->next) {
        err = schema_element(s, key, item, TOML_INTEGER);
        if (err)
            return err;
        if (item->as.integer < lowest || item->as.integer > highest)
            return schema_fail(s, item, "%d in '%c' of %c; it must be %d to %d", item->as.integer,
                               key->name, s->table->name, lowest, highest);
        insert_sorted(list, count, (uint16_t)item->as.integer);
    }
    return err;
}

static int read_small_numbers(struct schema *s, const struct schema_key *key,
                              const struct toml_value *v, int64_t highest, const uint8_t **ret,
                              uint32_t *ret_count)
{
    uint16_t list[NUMBERS_MAX + 1];
    uint32_t count = 0;
    int err = read_numbers(s, key, v, 0, highest, list, &count);
    if (err)
        return err;
    uint8_t *out = ARENA_ARRAY(s->keep, uint8_t, count);
    if (!out)
        return schema_fail_memory(s, v);
    for (uint32_t i = 0; i < count; i++)
        out[i] = (uint8_t)list[i];
    *ret = out;
    *ret_count = count;
    return E_OK;
}

/* --- network -------------------------------------------------------------------------- */

static int read_ports(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                      void *target)
{
    struct manifest_reading *r = target;
    note_line(s, &r->m, MANIFEST_POWER_LISTEN, v);
    return read_numbers(s, key, v, 1, PORT_MAX, r->ports, &r->ports_count);
}

/* The legacy key of one port: as if `ports` had it too. */
static int read_network_port(struct schema *s, const struct schema_key *key,
                             const struct toml_value *v, void *target)
{
    struct manifest_reading *r = target;
    if (v->as.integer < 1 || v->as.integer > PORT_MAX)
        return schema_fail(s, v, "'%c' in %c is %d; it must be 1 to 65535", key->name,
                           s->table->name, v->as.integer);
    if (r->m.power_line[MANIFEST_POWER_LISTEN] == 0)
        note_line(s, &r->m, MANIFEST_POWER_LISTEN, v);
    insert_sorted(r->ports, &r->ports_count, (uint16_t)v->as.integer);
    return E_OK;
}

static int read_protocols(struct schema *s, const struct schema_key *key,
                          const struct toml_value *v, void *target)
{
    struct manifest_reading *r = target;
    r->protocols_said = true;
    int err = schema_count(s, key, v);
    for (const struct toml_value *item = toml_first(v); item && !err; item = item->next) {
        err = schema_element(s, key, item, TOML_STRING);
        if (err)
            return err;
        if (span_eq_cstr(item->as.string, "udp"))
            return schema_fail(s, item, "udp is not there yet\nthe only protocol is \"tcp\"");
        if (!span_eq_cstr(item->as.string, "tcp"))
            return schema_fail(s, item, "unknown protocol '%s'\nthe only protocol is \"tcp\"",
                               item->as.string);
        r->m.network.tcp = true;
    }
    return err;
}

static bool is_label_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A DNS name or IPv4 address in lower case. */
static bool is_host_name(struct span host)
{
    size_t label = 0;
    for (size_t i = 0; i < host.len; i++) {
        if (host.p[i] == '.') {
            if (label == 0)
                return false;
            label = 0;
        } else if (!is_label_char(host.p[i]) || ++label > LABEL_MAX) {
            return false;
        }
    }
    return label > 0 && host.len <= MANIFEST_HOST_MAX;
}

static bool is_ipv6(struct span host)
{
    bool colon = false;
    for (size_t i = 0; i < host.len; i++) {
        uint8_t c = host.p[i];
        if (c != ':' && c != '.' && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        colon = colon || c == ':';
    }
    return colon && host.len <= 45;
}

static bool parse_port(struct span text, uint16_t *ret)
{
    uint32_t n = 0;
    if (span_eq_cstr(text, "*")) {
        *ret = 0;
        return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || n > PORT_MAX)
            return false;
        n = n * 10 + (text.p[i] - '0');
    }
    if (n < 1 || n > PORT_MAX)
        return false;
    *ret = (uint16_t)n;
    return true;
}

/* text: lower case, in the keep arena. */
static bool parse_endpoint(struct span text, struct manifest_endpoint *ret)
{
    size_t colon = text.len;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !parse_port(span_skip(text, colon), &ret->port))
        return false;
    struct span host = span_take(text, colon - 1);
    if (host.p[0] == '[' && host.p[host.len - 1] == ']') {
        ret->host = span_of(host.p + 1, host.len - 2);
        return is_ipv6(ret->host);
    }
    ret->host = host;
    return span_eq_cstr(host, "*") || is_host_name(host);
}

/* A lower-case copy in which the host gets its NUL: every byte behind it is unused. */
static int keep_endpoint(struct schema *s, const struct schema_key *key,
                         const struct toml_value *item, struct manifest_endpoint *ret)
{
    struct span copy;
    int err = schema_element(s, key, item, TOML_STRING);
    if (!err)
        err = schema_keep_text(s, item, &copy);
    if (err)
        return err;
    uint8_t *bytes = (uint8_t *)copy.p; /* the arena's, and still ours alone */
    for (size_t i = 0; i < copy.len; i++)
        if (bytes[i] >= 'A' && bytes[i] <= 'Z')
            bytes[i] |= 0x20;
    if (!parse_endpoint(copy, ret))
        return schema_fail(s, item, "'%s' is no destination\nwrite host:port, such as "
                                    "\"api.example.org:443\" or \"[2001:db8::1]:80\"",
                           item->as.string);
    bytes[(size_t)(ret->host.p - copy.p) + ret->host.len] = 0;
    return E_OK;
}

static int read_connect(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                        void *target)
{
    struct manifest *m = manifest_of(target);
    uint32_t n = 0;
    note_line(s, m, MANIFEST_POWER_CONNECT, v);
    int err = schema_count(s, key, v);
    if (err)
        return err;
    struct manifest_endpoint *list =
        ARENA_ARRAY(s->keep, struct manifest_endpoint, v->as.items.count);
    if (!list)
        return schema_fail_memory(s, v);
    for (const struct toml_value *item = toml_first(v); item && !err; item = item->next)
        err = keep_endpoint(s, key, item, &list[n++]);
    m->network.connect = list;
    m->network.connect_count = n;
    return err;
}

static const struct schema_key network_keys[] = {
    { "ports", SCHEMA_ARRAY, read_ports, 0, 0, 0, MANIFEST_PORTS_MAX, 0 },
    { "protocols", SCHEMA_ARRAY, read_protocols, 0, 0, 1, 2, 0 },
    { "connect", SCHEMA_ARRAY, read_connect, 0, 0, 0, MANIFEST_CONNECT_MAX, 0 },
    { "rate_kbps", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(network.rate_kbps), 1,
      RATE_KBPS_MAX, 0 },
};

/* --- peripherals ----------------------------------------------------------------------- */

static int read_pins(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     void *target)
{
    struct manifest *m = manifest_of(target);
    note_line(s, m, MANIFEST_POWER_PIN, v);
    return read_small_numbers(s, key, v, PIN_MAX, &m->gpio.pins, &m->gpio.pins_count);
}

static int read_direction(struct schema *s, const struct schema_key *key,
                          const struct toml_value *v, void *target)
{
    static const char *const words[] = { "input", "output", "both" };
    unsigned i = 0;
    int err = schema_read_word(s, key, v, words, base_countof(words),
                               "\"input\", \"output\" or \"both\"", &i);
    if (!err)
        manifest_of(target)->gpio.direction = (enum manifest_direction)(i + MANIFEST_INPUT);
    return err;
}

static int read_channels(struct schema *s, const struct schema_key *key,
                         const struct toml_value *v, void *target)
{
    struct manifest *m = manifest_of(target);
    return read_small_numbers(s, key, v, CHANNEL_MAX, &m->adc.channels, &m->adc.channels_count);
}

static int read_i2c_address(struct schema *s, const struct schema_key *key,
                            const struct toml_value *v, void *target)
{
    manifest_of(target)->i2c.has_address = true;
    return schema_uint(s, key, v, target);
}

static const struct schema_key gpio_keys[] = {
    { "pins", SCHEMA_ARRAY, read_pins, 0, 0, 1, MANIFEST_PINS_MAX, 0 },
    { "direction", SCHEMA_STRING, read_direction, 0, 0, 0, 0, 0 },
};
static const struct schema_key i2c_keys[] = {
    { "bus", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(i2c.bus), 0, 255, 0 },
    { "address", SCHEMA_INTEGER, read_i2c_address, MANIFEST_FIELD(i2c.address), 0, 127, 0 },
};
static const struct schema_key spi_keys[] = {
    { "bus", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(spi.bus), 0, 255, 0 },
    { "cs_pin", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(spi.cs_pin), 0, 255, 0 },
};
static const struct schema_key uart_keys[] = {
    { "port", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(uart.port), 0, 255, 0 },
    { "baud", SCHEMA_INTEGER, schema_uint, MANIFEST_FIELD(uart.baud), 300, 4000000, 0 },
};
static const struct schema_key adc_keys[] = {
    { "channels", SCHEMA_ARRAY, read_channels, 0, 0, 1, MANIFEST_CHANNELS_MAX, 0 },
};

/* --- ipc ---------------------------------------------------------------------------------- */

static int read_send(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                     void *target)
{
    struct manifest *m = manifest_of(target);
    note_line(s, m, MANIFEST_POWER_SEND, v);
    int err = schema_read_strings(s, key, v, &m->ipc.send, &m->ipc.send_count);
    if (err)
        return err;
    for (const struct toml_value *item = toml_first(v); item; item = item->next) {
        if (span_eq_cstr(item->as.string, "*"))
            m->ipc.send_any = true;
        else if (!manifest_name_valid(item->as.string))
            return schema_fail(s, item, "'%s' in '%c' of %c is no app's name\n"
                                        "a name has 1 to 32 of a-z, 0-9 and '-'; \"*\" is every "
                                        "app", item->as.string, key->name, s->table->name);
    }
    return E_OK;
}

static int read_accept_broadcast(struct schema *s, const struct schema_key *key,
                                 const struct toml_value *v, void *target)
{
    note_line(s, manifest_of(target), MANIFEST_POWER_BROADCAST, v);
    return schema_bool(s, key, v, target);
}

static const struct schema_key ipc_keys[] = {
    { "send", SCHEMA_ARRAY, read_send, 0, 0, 0, MANIFEST_SEND_MAX, MANIFEST_NAME_MAX },
    { "accept_broadcast", SCHEMA_BOOLEAN, read_accept_broadcast,
      MANIFEST_FIELD(ipc.accept_broadcast), 0, 0, 0 },
};

/* --- the table of capabilities -------------------------------------------------------------- */

const struct schema_table manifest_network_table = { "[capabilities.network]", network_keys,
                                                     base_countof(network_keys) };
const struct schema_table manifest_gpio_table = { "[capabilities.gpio]", gpio_keys,
                                                  base_countof(gpio_keys) };
const struct schema_table manifest_i2c_table = { "[capabilities.i2c]", i2c_keys,
                                                 base_countof(i2c_keys) };
const struct schema_table manifest_spi_table = { "[capabilities.spi]", spi_keys,
                                                 base_countof(spi_keys) };
const struct schema_table manifest_uart_table = { "[capabilities.uart]", uart_keys,
                                                  base_countof(uart_keys) };
const struct schema_table manifest_adc_table = { "[capabilities.adc]", adc_keys,
                                                 base_countof(adc_keys) };
const struct schema_table manifest_ipc_table = { "[capabilities.ipc]", ipc_keys,
                                                 base_countof(ipc_keys) };

/* The table that refines a capability, and the key without which that means nothing. */
struct refinement {
    const struct schema_table *table;
    const char *required;
};

static struct refinement refinement_of(unsigned cap)
{
    switch (cap) {
    case MANIFEST_CAP_NETWORK: return (struct refinement){ &manifest_network_table, NULL };
    case MANIFEST_CAP_GPIO: return (struct refinement){ &manifest_gpio_table, "pins" };
    case MANIFEST_CAP_I2C: return (struct refinement){ &manifest_i2c_table, "bus" };
    case MANIFEST_CAP_SPI: return (struct refinement){ &manifest_spi_table, "bus" };
    case MANIFEST_CAP_UART: return (struct refinement){ &manifest_uart_table, "port" };
    case MANIFEST_CAP_ADC: return (struct refinement){ &manifest_adc_table, "channels" };
    case MANIFEST_CAP_IPC: return (struct refinement){ &manifest_ipc_table, NULL };
    default: return (struct refinement){ NULL, NULL };
    }
}

static void set_cap(struct manifest *m, unsigned cap, bool granted)
{
    if (granted)
        m->caps |= 1u << cap;
}

/* cap = true */
static int read_cap_boolean(struct schema *s, const struct schema_key *key,
                            const struct toml_value *v, struct manifest_reading *r)
{
    struct refinement more = refinement_of(key->extra);
    if (v->as.boolean && more.required)
        return schema_fail_key(s, v, "'%c = true' does not say which\nwrite a table %c with '%c'",
                               key->name, more.table->name, more.required);
    set_cap(&r->m, key->extra, v->as.boolean);
    if (key->extra == MANIFEST_CAP_IPC)
        r->m.ipc.send_any = r->m.ipc.accept_broadcast = v->as.boolean;
    return E_OK;
}

static int read_cap(struct schema *s, const struct schema_key *key, const struct toml_value *v,
                    void *target)
{
    struct manifest_reading *r = target;
    struct refinement more = refinement_of(key->extra);
    note_line(s, &r->m, (int)key->extra, v);
    if (key->extra == MANIFEST_CAP_NETWORK)
        r->m.network_line = v->type == TOML_TABLE ? schema_line(s, v->pos) : 0;
    if (key->extra == MANIFEST_CAP_IPC) {
        r->ipc_said = true;
        r->m.ipc_line = v->type == TOML_TABLE ? schema_line(s, v->pos) : 0;
    }
    if (v->type == TOML_BOOLEAN)
        return read_cap_boolean(s, key, v, r);
    /* `network = false` beside the table switches it off and keeps it checked. */
    set_cap(&r->m, key->extra, !v->refined || v->refined_value);
    int err = schema_read_table(s, more.table, v, target);
    return err || !more.required ? err : schema_require(s, more.table, v, more.required);
}

#define SIMPLE(name, cap) { name, SCHEMA_BOOLEAN, read_cap, 0, 0, 0, 0, cap }
#define REFINED(name, cap) { name, SCHEMA_BOOLEAN | SCHEMA_TABLE, read_cap, 0, 0, 0, 0, cap }

static const struct schema_key caps_keys[] = {
    SIMPLE("stdio", MANIFEST_CAP_STDIO),
    SIMPLE("filesystem", MANIFEST_CAP_FILESYSTEM),
    SIMPLE("display", MANIFEST_CAP_DISPLAY),
    SIMPLE("mouse", MANIFEST_CAP_MOUSE),
    SIMPLE("shell", MANIFEST_CAP_SHELL),
    SIMPLE("status", MANIFEST_CAP_STATUS),
    REFINED("network", MANIFEST_CAP_NETWORK),
    REFINED("gpio", MANIFEST_CAP_GPIO),
    REFINED("i2c", MANIFEST_CAP_I2C),
    REFINED("spi", MANIFEST_CAP_SPI),
    REFINED("uart", MANIFEST_CAP_UART),
    REFINED("adc", MANIFEST_CAP_ADC),
    REFINED("ipc", MANIFEST_CAP_IPC),
    { "network_port", SCHEMA_INTEGER, read_network_port, 0, 0, 0, 0, 0 },
    { "watchdog_secs", SCHEMA_INTEGER, manifest_read_watchdog, 0, 0, 0, 0, 0 },
};

const struct schema_table manifest_caps_table = { "[capabilities]", caps_keys,
                                                  base_countof(caps_keys) };

static int keep_ports(struct schema *s, struct manifest_reading *r)
{
    if (r->ports_count > MANIFEST_PORTS_MAX)
        return format_error_fail(s->err, E_LIMIT, r->m.power_line[MANIFEST_POWER_LISTEN], 1,
                                 "'ports' and 'network_port' name more than %u ports",
                                 (uint64_t)MANIFEST_PORTS_MAX);
    uint16_t *ports = ARENA_ARRAY(s->keep, uint16_t, r->ports_count);
    if (!ports)
        return schema_fail_memory(s, s->doc->root);
    memcpy(ports, r->ports, r->ports_count * sizeof ports[0]);
    r->m.network.ports = ports;
    r->m.network.ports_count = r->ports_count;
    return E_OK;
}

int manifest_caps_finish(struct schema *s, struct manifest_reading *r)
{
    struct manifest *m = &r->m;
    bool legacy = m->manifest_version == 0;
    if (!r->protocols_said)
        m->network.tcp = true;
    if (!r->ipc_said && legacy) {
        set_cap(m, MANIFEST_CAP_IPC, true);
        m->ipc.send_any = m->ipc.accept_broadcast = true;
    }
    if (!manifest_has(m, MANIFEST_CAP_IPC))
        m->ipc.accept_broadcast = false;
    if (!r->lines_said)
        m->lines = legacy;
    return keep_ports(s, r);
}
