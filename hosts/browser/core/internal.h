/* The core in a browser: what the files here share. */
#ifndef HOSTS_BROWSER_CORE_INTERNAL_H
#define HOSTS_BROWSER_CORE_INTERNAL_H

#include "../wire.h"
#include "formats/manifest.h"
#include "hosts/host.h"
#include "imports.h"
#include "trust/sha256.h"

enum { APPS_MAX = 256 };

struct app {
    core_app id;
    struct span manifest; /* malloc'ed */
    struct sha256 hash;   /* of its module, while that is being read */
    bool trapped, refused, killed;
    int32_t trap_code;
    bool has_request;
    struct wire request;
    uint32_t request_id;
    uint8_t *kept; /* a message that the guest had no room for: sender, then text */
    uint32_t kept_from_len, kept_data_len;
};

struct sys {
    struct host host;
    struct app apps[APPS_MAX];
    struct wire_packet in; /* what JavaScript hands over */
    struct wire_packet out;
};

extern struct sys sys;

struct app *app_find(core_app id);
void sys_event(struct core_event *ev);

/* Answers the app's request, if it has one. */
void request_answer(struct app *a, uint16_t error, struct span ra, struct span rb);
void request_reply(struct app *a, int error, struct span name, struct span bytes);

#endif
