/* vyoma-init: the first process of the image, and the supervisor in it.
 *
 *     /init                 this program
 *     /bin/vyoma-run        the worker
 *     /apps/NAME/           the apps: vyoma.toml and its module
 *     /boot.toml            what is started
 *     /data/apps/NAME/      an app's own files     } on the data disk
 *     /data/system/audit.jsonl                     }
 *     /share/               a folder of the host, with `vyoma.share` on the kernel's command
 *                           line: its apps/ is searched too, its boot.toml comes first
 *
 * It never exits: the kernel would stop the machine. When the supervisor fails, or
 * crashes, that is said and it starts anew.
 *
 * As an ordinary program (not process 1) it runs the same system from folders that
 * are named: vyoma-init --apps DIR --boot FILE --data DIR. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/boot.h"
#include "hosts/linux/supervisor.h"
#include "init.h"

static char boot_text[BOOT_TEXT_MAX + 1];

void init_say(const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text - 1, format, args);
    va_end(args);
    n = n < (int)sizeof text - 1 ? n : (int)sizeof text - 2;
    text[n] = '\n';
    if (write(2, "vyoma: ", 7) < 0 || write(2, text, (size_t)n + 1) < 0)
        return; /* there is nobody to tell */
}

/* --- a crash is not the end ----------------------------------------------------------- */

/* The kernel panics when process 1 dies of a fault. Instead: say so, end all apps (their
 * state is lost with ours), and become a new supervisor in the same process. */
static void on_crash(int sig)
{
    static char again[] = "--again", path[] = "/init";
    static char *const argv[] = { path, again, NULL };
    static char *const env[] = { NULL };
    sigset_t none;
    init_say("the supervisor failed with signal %d and starts anew", sig);
    kill(-1, SIGKILL);
    sleep(1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve("/proc/self/exe", argv, env);
    execve(path, argv, env);
    for (;;)
        pause();
}

static void survive_crashes(void)
{
    static char stack[64 * 1024];
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
    stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction act = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER };
    sigaltstack(&alternative, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &act, NULL);
}

/* --- the image ------------------------------------------------------------------------- */

static bool read_boot(const char *path, struct supervisor_options *o)
{
    struct stat st;
    size_t len = 0;
    ssize_t n = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold up the boot */
    if (fd < 0)
        return false;
    bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    while (ok && n > 0 && len < sizeof boot_text) {
        n = read(fd, boot_text + len, sizeof boot_text - len);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    if (!ok || n < 0) {
        init_say("%s cannot be read", path);
        return false;
    }
    if (len == sizeof boot_text)
        init_say("%s is longer than %d bytes", path, BOOT_TEXT_MAX);
    o->boot_toml = span_of(boot_text, len);
    return true;
}

static void image_options(struct supervisor_options *o)
{
    supervisor_options_init(o);
    o->apps_dirs[o->apps_dirs_count++] = "/apps";
    if (access("/share/apps", F_OK) == 0)
        o->apps_dirs[o->apps_dirs_count++] = "/share/apps";
    if (!read_boot("/share/boot.toml", o) && !read_boot("/boot.toml", o))
        init_say("there is no boot.toml: nothing will be started");
    o->data_root = "/data/apps";
    o->audit_path = "/data/system/audit.jsonl";
    o->worker_path = "/bin/vyoma-run";
    o->console_raw = true;
    o->owns_machine = true;
    o->power_off = init_power_off;
    o->is_stop = init_is_power_key;
}

static _Noreturn void run_machine(bool again)
{
    static int buttons[INIT_STOP_FDS_MAX];
    struct supervisor_options o;
    survive_crashes();
    if (!again)
        init_mount_all();
    init_bring_up_network();
    init_set_host_name();
    init_harden();
    init_take_ctrl_alt_del();
    for (unsigned pause_secs = 1;; pause_secs = pause_secs < 30 ? pause_secs * 2 : 30) {
        image_options(&o);
        o.stop_fds = buttons;
        o.stop_fds_count = init_open_power_buttons(buttons, INIT_STOP_FDS_MAX);
        int code = supervisor_run(&o);
        init_say("the supervisor ended with code %d and starts anew in %u s", code, pause_secs);
        for (size_t i = 0; i < o.stop_fds_count; i++)
            close(buttons[i]);
        sleep(pause_secs);
    }
}

/* --- elsewhere --------------------------------------------------------------------------- */

static int usage(void)
{
    fputs("usage: vyoma-init --apps DIR [--boot FILE] [--data DIR] [--audit FILE] [APP...]\n"
          "Runs the system of DIR's apps as an ordinary program. As process 1 it takes no\n"
          "arguments and owns the machine.\n", stderr);
    return 64;
}

static int run_elsewhere(int argc, char **argv)
{
    supervisor_keep_standard_streams();
    struct supervisor_options o;
    supervisor_options_init(&o);
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        if (strcmp(argv[i], "--apps") == 0 && o.apps_dirs_count < SUPERVISOR_DIRS_MAX)
            o.apps_dirs[o.apps_dirs_count++] = argv[i + 1];
        else if (strcmp(argv[i], "--data") == 0)
            o.data_root = argv[i + 1];
        else if (strcmp(argv[i], "--audit") == 0)
            o.audit_path = argv[i + 1];
        else if (strcmp(argv[i], "--boot") != 0 || !read_boot(argv[i + 1], &o))
            return usage();
    }
    if (!o.apps_dirs_count || (i < argc && argv[i][0] == '-'))
        return usage();
    o.start = (const char *const *)&argv[i];
    o.start_count = (size_t)(argc - i);
    return supervisor_run(&o);
}

int main(int argc, char **argv)
{
    if (getpid() == 1 && (argc < 2 || strncmp(argv[1], "--apps", 6) != 0))
        run_machine(argc > 1 && strcmp(argv[1], "--again") == 0);
    return run_elsewhere(argc, argv);
}
