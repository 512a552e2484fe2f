/* vyoma.toml: what an app is, and every power that it asks for.
 *
 * docs/manifest.md is the reference of all keys. Reading it has no effect on
 * anything: policy (core/) decides what of it is granted.
 *
 * Least privilege: what is absent is not asked for. Unknown keys, wrong types and
 * values out of range are errors that name the place, so that a misspelt key is
 * never a power silently lost or, worse, a restriction silently dropped.
 *
 * A manifest without `manifest_version` is a legacy one, of the system whose line
 * protocol we keep: it speaks lines, may send to every app and hears broadcasts.
 */
#ifndef FORMATS_MANIFEST_H
#define FORMATS_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/span.h"
#include "base/strbuf.h"
#include "formats/error.h"

enum {
    MANIFEST_TEXT_MAX = 32 * 1024, /* bytes of a vyoma.toml */
    /* A scratch arena of this size parses any manifest within these bounds, or says
     * that it has too many values; one of this size keeps any result. */
    MANIFEST_SCRATCH_BYTES = 192 * 1024,
    MANIFEST_KEEP_BYTES = 48 * 1024,

    MANIFEST_VERSION_NOW = 1, /* the newest manifest_version */
    MANIFEST_NAME_MAX = 32,   /* bytes of an app's name */
    MANIFEST_TEXT_FIELD_MAX = 128, /* version, title, labels, ... in bytes */
    MANIFEST_PATH_MAX = 128,
    MANIFEST_HOST_MAX = 253,
    MANIFEST_PORTS_MAX = 16,
    MANIFEST_CONNECT_MAX = 16,
    MANIFEST_PINS_MAX = 64,   /* GPIO pins of one app */
    MANIFEST_CHANNELS_MAX = 16, /* ADC channels of one app */
    MANIFEST_SEND_MAX = 32,   /* names in ipc.send */
    MANIFEST_MENU_MAX = 16,
    MANIFEST_ARGS_MAX = 32,
    MANIFEST_ARG_BYTES_MAX = 1024, /* one argument, one environment value */
    MANIFEST_ENV_MAX = 32,
};

/* A bit each in struct manifest's caps. */
enum manifest_cap {
    MANIFEST_CAP_STDIO,      /* stdin, stdout, stderr */
    MANIFEST_CAP_FILESYSTEM, /* /data, private to the app */
    MANIFEST_CAP_DISPLAY,    /* surfaces, VYOMA_DRAW lines, keyboard events */
    MANIFEST_CAP_MOUSE,      /* mouse events */
    MANIFEST_CAP_SHELL,      /* every @supervisor: verb */
    MANIFEST_CAP_STATUS,     /* @supervisor: verbs that only read, such as ps */
    MANIFEST_CAP_NETWORK,    /* the ports and destinations listed, nothing else */
    MANIFEST_CAP_GPIO,
    MANIFEST_CAP_I2C,
    MANIFEST_CAP_SPI,
    MANIFEST_CAP_UART,
    MANIFEST_CAP_ADC,
    MANIFEST_CAP_IPC,        /* messages to the apps listed */
    MANIFEST_CAP_COUNT
};

/* Finer than capabilities: all that can be refused to an app. The first values are
 * those of enum manifest_cap. */
enum manifest_power {
    MANIFEST_POWER_LISTEN = MANIFEST_CAP_COUNT, /* a port */
    MANIFEST_POWER_CONNECT,   /* a destination "host:port" */
    MANIFEST_POWER_SEND,      /* a destination app */
    MANIFEST_POWER_BROADCAST, /* hearing broadcasts */
    MANIFEST_POWER_LINES,     /* the line protocol */
    MANIFEST_POWER_PIN,       /* a GPIO pin */
    MANIFEST_POWER_COUNT
};

enum manifest_direction { MANIFEST_INPUT = 1, MANIFEST_OUTPUT = 2, MANIFEST_BOTH = 3 };

struct manifest_endpoint {
    struct span host; /* lower case; "*" is every host */
    uint16_t port;    /* 0 is every port */
};

struct manifest_menu_item {
    struct span menu, label, shortcut, command; /* menu and shortcut may be empty */
};

struct manifest_env {
    struct span name, value;
};

/* 0 in a field: not said. */
struct manifest_limits {
    uint64_t memory_bytes; /* linear memory, a multiple of 64 KiB */
    uint64_t data_bytes;   /* what /data may hold */
    uint32_t cpu_percent;  /* of one processor, 1 to 100 */
    uint32_t messages_per_sec;
    uint32_t open_files;
};

/* All pointers and spans lead into the `keep` arena; each span is followed by a NUL
 * that it does not count. Empty spans mean absent. */
struct manifest {
    /* [app] */
    struct span name; /* [a-z0-9-], 1 to MANIFEST_NAME_MAX bytes, no '-' at its ends */
    struct span version;
    struct span description;
    struct span wasm; /* relative, no "..", beneath the app's folder; so is icon */
    struct span icon;
    uint32_t manifest_version; /* 0: legacy */
    bool lines;                /* speaks the line protocol */
    bool has_wasm_sha256;
    uint8_t wasm_sha256[32];
    bool own_engine;        /* engine = "vyoma": also where the host has an engine */
    uint32_t watchdog_secs; /* 0: none; else 1 to 3600 */
    const struct span *args; /* argv from 1 on; argv[0] is the name */
    uint32_t args_count;
    const struct manifest_env *env;
    uint32_t env_count;

    /* [capabilities]; ask with manifest_has() */
    uint32_t caps;
    struct {
        const uint16_t *ports; /* sorted, each once, 1 to 65535; also network_port */
        const struct manifest_endpoint *connect;
        uint32_t ports_count;
        uint32_t connect_count;
        bool tcp;
        uint32_t rate_kbps; /* kilobits a second, both directions; 0: no bound */
    } network;
    struct {
        const uint8_t *pins; /* sorted, each once */
        uint32_t pins_count;
        enum manifest_direction direction;
    } gpio;
    struct {
        uint8_t bus;
        bool has_address; /* only the device at `address`, 0 to 127; else all of the bus */
        uint8_t address;
    } i2c;
    struct {
        uint8_t bus, cs_pin;
    } spi;
    struct {
        uint8_t port;
        uint32_t baud;
    } uart;
    struct {
        const uint8_t *channels; /* sorted, each once */
        uint32_t channels_count;
    } adc;
    struct {
        const struct span *send; /* app names; meaningless when send_any */
        uint32_t send_count;
        bool send_any;
        bool accept_broadcast;
    } ipc;

    /* [window] */
    struct {
        bool present;
        int32_t x, y, z;
        uint32_t w, h; /* 0: the display decides */
        struct span title;
    } window;
    const struct manifest_menu_item *menu; /* [[menu_items]] */
    uint32_t menu_count;

    struct manifest_limits limits; /* [limits]; not said: as boot.toml says */

    /* Where things were said, for manifest_place(): 1-based lines, 0 for absent. */
    uint32_t power_line[MANIFEST_POWER_COUNT];
    uint32_t app_line, capabilities_line, network_line, ipc_line;
};

/* Parses text (UTF-8 TOML). scratch is used and released; keep receives what *ret
 * points to. 0; or E_MALFORMED (not TOML or not a manifest), E_LIMIT (a bound above
 * was passed), E_NOMEM (an arena is too small), with *err saying where and what;
 * *ret is then untouched. */
int manifest_parse(struct span text, struct arena *scratch, struct arena *keep,
                   struct manifest *ret, struct format_error *err);

static inline bool manifest_has(const struct manifest *m, enum manifest_cap cap)
{
    return m->caps >> cap & 1;
}

/* The three questions that the broker and the firewall ask. */
bool manifest_may_listen(const struct manifest *m, uint16_t port);
/* host as the app wrote it; compared without regard to case. */
bool manifest_may_connect(const struct manifest *m, struct span host, uint16_t port);
bool manifest_may_send(const struct manifest *m, struct span app);

/* [a-z0-9-], 1 to MANIFEST_NAME_MAX bytes, begins and ends with a letter or digit. Names
 * with a meaning of their own in the line protocol (supervisor, broadcast, reply) are
 * refused. */
bool manifest_name_valid(struct span name);

/* The manifest key that grants a power (enum manifest_cap or manifest_power). */
struct manifest_place {
    const char *table; /* "[capabilities.network]" */
    const char *key;   /* "ports" */
    bool is_list;      /* a value is added to the key; else the key is set to true */
    bool present;      /* the key is there, so `line` is its own */
    uint32_t line;     /* of the key, else of the table; 0 when neither is there */
};
void manifest_place(const struct manifest *m, int power, struct manifest_place *ret);

/* One line for people: what to change in vyoma.toml so that `power` (for lists: `value`)
 * is granted. "add 8081 to 'ports' in [capabilities.network] (vyoma.toml line 12)" */
void manifest_hint_write(struct strbuf *b, const struct manifest *m, int power,
                         struct span value);

/* "stdio", "filesystem", ...: the key in [capabilities]; as audit records show it. */
const char *manifest_cap_name(enum manifest_cap cap);

#endif
