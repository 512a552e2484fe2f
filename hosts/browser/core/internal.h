/* The core in a browser: what the files here share. */
#ifndef HOSTS_BROWSER_CORE_INTERNAL_H
#define HOSTS_BROWSER_CORE_INTERNAL_H

#include "../wire.h"
#include "formats/manifest.h"
#include "hosts/browser/files.h"
#include "hosts/host.h"
#include "imports.h"
#include "trust/sha256.h"

enum { APPS_MAX = 256, PORTS_MAX = 16 };

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
    struct files files;
    struct file_handle *handles; /* NULL: it has no /data */
    uint32_t flush;              /* that its request waits for */
    uint16_t ports[PORTS_MAX];   /* that it listens on, in the manifest's order */
    uint32_t port_count;
    bool in_request;             /* the request's packet is in sys.in */
    enum wasi_errno refused_as;  /* why core's record is to say so; or 0 */
};

struct sys {
    struct host host;
    struct app apps[APPS_MAX];
    struct wire_packet in; /* what JavaScript hands over */
    struct wire_packet out;
    struct store store;
    uint32_t flush_asked;
    struct auditlog {
        struct files files;
        struct file_handle handles[3];
        int32_t file; /* 0: there is none */
        uint64_t size, max;
    } audit;
};

extern struct sys sys;

struct app *app_find(core_app id);
void sys_event(struct core_event *ev);

/* Answers the app's request, if it has one. */
void request_answer(struct app *a, uint16_t error, struct span ra, struct span rb);
void request_reply(struct app *a, int error, struct span name, struct span bytes);

/* files.c: an app's folder. E_NOMEM, E_IO. */
int app_files_open(struct app *a, const struct core_grants *grants);
void app_files_close(struct app *a);
/* Is it core that decides? */
bool file_request_has_path(uint16_t op, enum core_path_op *ret);
bool file_request_writes(const struct wire *w);
/* Does what a->request asks for and answers. */
enum wasi_errno file_request(struct app *a, struct span a_, struct span b);
void file_sync(struct app *a);

/* ports.c: takes the ports that the manifest lists; E_IO with *why when another app has one. */
int app_ports_open(struct app *a, const struct manifest *m, struct span *why);

/* audit.c. The fields of CORE_EV_BOOT that tell of the log so far are filled in. */
void auditlog_open(struct core_event *boot);
int auditlog_append(struct span line);

#endif
