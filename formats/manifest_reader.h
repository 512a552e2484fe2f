/* What the files of the manifest reader share. */
#ifndef FORMATS_MANIFEST_READER_H
#define FORMATS_MANIFEST_READER_H

#include "formats/manifest.h"
#include "schema.h"

/* The target of every table: the manifest being made, and what is only known at the end. */
struct manifest_reading {
    struct manifest m;
    uint16_t ports[MANIFEST_PORTS_MAX + 1]; /* one more for network_port */
    uint32_t ports_count;
    bool lines_said, ipc_said, version_said, watchdog_said, protocols_said;
};

#define MANIFEST_FIELD(member) SCHEMA_FIELD(struct manifest_reading, m.member)

/* The keys of a struct manifest_limits: [limits] here, [defaults] in boot.toml. */
extern const struct schema_key manifest_limits_keys[];
enum { MANIFEST_LIMITS_KEYS = 5 };

/* manifest_caps.c */
extern const struct schema_table manifest_caps_table, manifest_network_table,
    manifest_gpio_table, manifest_i2c_table, manifest_spi_table, manifest_uart_table,
    manifest_adc_table, manifest_ipc_table;
/* After all tables: what one key means in the light of the others. */
int manifest_caps_finish(struct schema *s, struct manifest_reading *r);

/* manifest.c: both [app] and [capabilities] take it. */
int manifest_read_watchdog(struct schema *s, const struct schema_key *key,
                           const struct toml_value *v, void *target);

#endif
