/* The layers around one worker: namespaces, an empty root, limits, a coarse system
 * call filter, an own user id. What is set up once, and what is done for each start.
 *
 * What the machine does not permit is in `lacks`, one line each, for the notice at
 * start; nothing is left out in silence. */
#ifndef HOSTS_LINUX_SANDBOX_H
#define HOSTS_LINUX_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/span.h"
#include "base/strbuf.h"
#include "hosts/linux/bpf.h"

enum {
    SANDBOX_LACKS_BYTES = 2048,
    SANDBOX_FDS = 6, /* descriptors 0 to 5 of a worker: stdio, control channel, module, code */
    /* What a worker needs besides linear memory: its stack, the engine's tables and code. */
    SANDBOX_MEMORY_SLACK = 64 * 1024 * 1024,
    SANDBOX_UID_FIRST = 0x40000000, /* uids of apps when the supervisor is root: from here */
    SANDBOX_UID_COUNT = 0x30000000,
};

struct sandbox {
    bool as_root;     /* workers get a uid of their own */
    bool namespaces;  /* mnt_ns and net_ns are there and clone may make the others */
    int mnt_ns;       /* an empty read-only root, made once; each worker gets a copy */
    int net_ns;       /* no interface but a loopback that is down; shared by all workers */
    int worker_fd;    /* the program that is started */
    int cgroup_fd;    /* our cgroup2 folder, one folder an app beneath it; or -1 */
    bool cg_memory, cg_pids, cg_cpu;
    char cgroup_path[256];
    bool filter_on;
    bool told;        /* of the calls that it refuses (refused.c) */
    int handover[2];  /* the child sends its filter's listener from [1] to [0]; -1 without */
    struct bpf_program filter, filter_threads; /* the latter where start.threads > 1 */
    struct sandbox_failure *failure; /* shared with the child until it has executed */
    struct strbuf lacks;
    char lacks_text[SANDBOX_LACKS_BYTES];
};

struct sandbox_options {
    const char *worker_path;
    bool owns_machine; /* the whole cgroup tree is ours */
    bool no_filter;    /* tests of what lies beneath the filter */
};

/* Sets up what all workers share. When not root this moves the calling process into a
 * user namespace of its own, in which it keeps its uid. 0, or E_IO / E_NOENT (no
 * worker program) with the reason in s->lacks. */
int sandbox_open(struct sandbox *s, const struct sandbox_options *o);
void sandbox_close(struct sandbox *s);

/* One start. */
struct sandbox_start {
    struct span name;         /* also the host name in its uts namespace */
    int fds[SANDBOX_FDS];     /* become 0 to 5; none may be below SANDBOX_FDS; -1, the last: none */
    uint64_t memory_bytes;    /* linear memory; 0: unlimited */
    uint32_t cpu_percent;     /* 0: unlimited */
    uint64_t data_bytes;      /* of one file that it writes; 0: unlimited */
    uint32_t open_files;      /* descriptors; 0: a default */
    unsigned threads;         /* most that it may have; code_threads() of hosts/linux/code.h */
    const char *cgroup;       /* name of its folder, unique among those that live */
};

/* Starts the worker in all layers. Its pid, or E_IO with the failed step in *why (static
 * text and the system's, lives until the next start). *listener: where its refused calls wait
 * for an answer (refused.c), the caller's; -1 without. */
pid_t sandbox_start(struct sandbox *s, const struct sandbox_start *start, int *listener,
                    struct span *why);
/* After the worker has been reaped. */
void sandbox_ended(struct sandbox *s, const char *cgroup);

/* The uid that the app of this name has in every run (as root). Derived from the name; two
 * names may share one: then this one layer does not part them. */
uid_t sandbox_uid(struct span name);

/* --- pieces, each in its file ------------------------------------------------ */

/* cgroup.c */
void sandbox_cgroup_open(struct sandbox *s, bool owns_machine);
void sandbox_cgroup_close(struct sandbox *s);
/* A folder with the limits: its descriptor, or -1 (a line in lacks the first time). */
int sandbox_cgroup_make(struct sandbox *s, const struct sandbox_start *start);

/* refused.c: whether this kernel, and whoever has filtered us, lets us listen. 0, or -errno. */
int sandbox_can_listen(void);

/* Adds "what: why" to lacks. */
void sandbox_lacks(struct sandbox *s, const char *what, const char *why);

#endif
