/* The supervisor on Linux as a library: used by vyoma-init (PID 1 of the image) and
 * by the `vyoma` command (un-booted, as root or not).
 *
 * One call runs one system: it starts what the options name, until everything has
 * ended or the machine is to stop. One thread, one epoll loop. It blocks all
 * signals that it handles for the time of the call, and reaps every child of the
 * process, so call it from a program that has none of its own.
 */
#ifndef HOSTS_LINUX_SUPERVISOR_H
#define HOSTS_LINUX_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/span.h"

enum {
    SUPERVISOR_DIRS_MAX = 8,
    SUPERVISOR_LIST_MAX = 64, /* grants, denies, arguments: entries each */
};

/* How it ended, besides the app's own code. */
enum supervisor_exit {
    SUPERVISOR_OK = 0,
    SUPERVISOR_FAILED = 1,    /* could not start: the reason was logged */
    SUPERVISOR_NOT_FOUND = 3, /* no such app */
    SUPERVISOR_DENIED = 5,    /* an import or a port that is not granted */
    SUPERVISOR_REFUSED = 6,   /* hash mismatch */
};

struct supervisor_options {
    /* What there is. Each folder holds apps, NAME/vyoma.toml; the first that has NAME
     * wins. app_folder: one folder with a vyoma.toml in it, found under its manifest's
     * name before all others; or NULL. Paths are opened at start and may be relative. */
    const char *apps_dirs[SUPERVISOR_DIRS_MAX];
    size_t apps_dirs_count;
    const char *app_folder;

    /* What is started. boot_toml: text of a boot.toml, empty for none. start: names of
     * apps that the operator wants, besides app_folder's. */
    struct span boot_toml;
    const char *const *start;
    size_t start_count;

    /* foreground: the app of app_folder (else the first of `start`) has the console to
     * itself: its output appears as it is, bytes typed go to its stdin, end-of-file of
     * console_in closes its stdin, and when it has ended for good the run ends with its
     * code (128 + n for signals; 134 after a trap). */
    bool foreground;

    /* Where things are kept. data_root: folder of the apps' data, made when absent, NAME/
     * beneath it, never readable by others; NULL: apps with `filesystem` are refused with a
     * clear error. audit_path: JSON lines, appended; NULL: none is kept. */
    const char *data_root;
    const char *audit_path;

    /* Descriptors of the console, borrowed; -1 for none. console_raw: when console_in is a
     * terminal, put it into raw mode for the time of the call (the shell app edits lines
     * itself). */
    int console_in, console_out, console_err;
    bool console_raw;

    /* Applied to the foreground app's manifest before core reads it, as
     * `vyoma run --grant filesystem --grant network.ports=8080 --deny stdio`. What is granted
     * so is audited like anything else. Form: "CAPABILITY" or "network.ports=N" or
     * "network.connect=HOST:PORT" or "ipc.send=APP". */
    const char *const *grants;
    size_t grants_count;
    const char *const *denies;
    size_t denies_count;
    /* Replaces the foreground app's own args when args_count > 0; env entries "NAME=value"
     * are added. */
    const char *const *args;
    size_t args_count;
    const char *const *env;
    size_t env_count;

    uint64_t fuel; /* of the foreground app; 0: no limit */
    bool trace;    /* the foreground app's host calls, one a line, on console_err */
    bool quiet;    /* no notices, only errors */
    bool interpret;  /* apps are interpreted; otherwise compiled where this processor can */
    bool unhardened; /* compiled without what keeps mispredicted accesses within tables */

    /* The worker program; NULL: `vyoma-run` beside this program (/proc/self/exe). */
    const char *worker_path;

    /* PID 1 in the image: it owns the machine. Ends only through `power`, console output
     * that does not fit is dropped with a notice instead of holding up the apps, and
     * power_off is called for CORE_ACT_POWER (it does not return). */
    bool owns_machine;
    void (*power_off)(void *ctx, bool reboot);
    void *power_ctx;
    /* More descriptors to watch (a power button): readable means CORE_EV_STOP. is_stop reads
     * fd and says whether that was a request to stop. */
    const int *stop_fds;
    size_t stop_fds_count;
    bool (*is_stop)(int fd);

    struct log_sink log; /* notices and errors; NULL write: lines on console_err */

    /* For tests of the layers under the engine only: this static native program runs in
     * the worker's place, in every layer but the worker's own system call filter. Not reachable
     * from the command or from the image. */
    const char *test_native_worker;
    bool test_no_filter; /* not even the coarse filter: shows the layers beneath it */
};

/* First thing in a program's main(): puts /dev/null in the place of a standard stream that is
 * closed, so that nothing opened later becomes what everybody takes for one. */
void supervisor_keep_standard_streams(void);

/* Defaults: no descriptors for the console but 0, 1, 2; everything else empty. */
void supervisor_options_init(struct supervisor_options *o);

/* Runs until it ends. An enum supervisor_exit, or the foreground app's own code. */
int supervisor_run(const struct supervisor_options *o);

#endif
