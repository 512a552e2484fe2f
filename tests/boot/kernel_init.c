/* A first process that checks the kernel it runs on: what Vyoma needs is there, and what
 * nobody in Vyoma needs is not. Prints TAP on the console, then switches the machine off.
 *
 * Expected devices: an ext4 disk, a network card, a gpu, a keyboard and a 9p share that
 * holds the file `greeting`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/input.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int count;

static void check(bool passed, const char *what)
{
    int why = errno;
    printf("%s %d - %s\n", passed ? "ok" : "not ok", ++count, what);
    if (!passed)
        printf("    # errno %d, %s\n", why, strerror(why));
    errno = 0;
}

/* Does doing it in a child succeed (0)? */
static bool in_child(int (*what)(int), int argument)
{
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        _exit(what(argument) == 0 ? 0 : 1);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static bool holds(const char *path, const char *wanted)
{
    char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    return n > 0 && strstr(text, wanted);
}

static void check_mounts(void)
{
    check(mount("proc", "/proc", "proc", 0, "hidepid=2") == 0, "proc");
    check(mount("sysfs", "/sys", "sysfs", 0, NULL) == 0, "sysfs");
    check(mount("devtmpfs", "/dev", "devtmpfs", 0, "mode=755") == 0, "devtmpfs");
    check(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0, "cgroup v2");
    check(mount("tmpfs", "/run", "tmpfs", 0, "size=1m") == 0, "tmpfs with a size");
    check(mount("/dev/vda", "/data", "ext4", MS_NOATIME, NULL) == 0, "ext4 on a virtio disk");
    check(mount("share", "/share", "9p", 0, "trans=virtio,version=9p2000.L,msize=131072") == 0 &&
              holds("/share/greeting", "hello"), "9p share over virtio");
}

static int unshare_one(int flag)
{
    return unshare(flag);
}

static int filter_denies(int unused)
{
    struct sock_filter code[] = {
        { BPF_LD | BPF_W | BPF_ABS, 0, 0, 0 },
        { BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_getppid },
        { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM },
        { BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return -1;
    return syscall(SYS_getppid) == -1 && errno == EPERM ? 0 : -1;
}

static void check_isolation(void)
{
    static const struct {
        int flag;
        const char *name;
    } spaces[] = {
        { CLONE_NEWNS, "mount namespace" }, { CLONE_NEWPID, "pid namespace" },
        { CLONE_NEWNET, "net namespace" },  { CLONE_NEWIPC, "ipc namespace" },
        { CLONE_NEWUTS, "uts namespace" },  { CLONE_NEWUSER, "user namespace" },
        { CLONE_NEWCGROUP, "cgroup namespace" },
    };
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++)
        check(in_child(unshare_one, spaces[i].flag), spaces[i].name);
    check(in_child(filter_denies, 0), "seccomp filter");
    check(holds("/sys/fs/cgroup/cgroup.controllers", "memory"), "cgroup controller memory");
    check(holds("/sys/fs/cgroup/cgroup.controllers", "pids"), "cgroup controller pids");
    check(holds("/sys/fs/cgroup/cgroup.controllers", "cpu"), "cgroup controller cpu");
}

static void check_descriptors(void)
{
    sigset_t set;
    sigemptyset(&set);
    check(memfd_create("m", MFD_ALLOW_SEALING) >= 0, "memfd");
    check(eventfd(0, 0) >= 0, "eventfd");
    check(signalfd(-1, &set, 0) >= 0, "signalfd");
    check(timerfd_create(CLOCK_MONOTONIC, 0) >= 0, "timerfd");
    check(epoll_create1(0) >= 0, "epoll");
    check(socket(AF_UNIX, SOCK_SEQPACKET, 0) >= 0, "unix sockets");
    check(socket(AF_INET, SOCK_STREAM, 0) >= 0, "TCP over IPv4");
    check(socket(AF_INET6, SOCK_STREAM, 0) >= 0, "TCP over IPv6");
}

/* Some input device has this key. */
static bool has_key(unsigned key)
{
    unsigned char keys[KEY_MAX / 8 + 1];
    char path[32];
    for (int i = 0; i < 8; i++) {
        snprintf(path, sizeof path, "/dev/input/event%d", i);
        int fd = open(path, O_RDONLY);
        memset(keys, 0, sizeof keys);
        if (fd >= 0 && ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) >= 0 &&
            keys[key / 8] >> (key % 8) & 1)
            return true;
    }
    return false;
}

static bool network_is_up(void)
{
    struct ifreq r = { .ifr_name = "eth0" };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &r) == 0 && (r.ifr_flags & IFF_UP);
    close(fd);
    return up;
}

static void check_devices(void)
{
    check(has_key(KEY_POWER), "power button as an input device");
    check(has_key(KEY_DELETE), "virtio keyboard");
    check(access("/dev/dri/card0", F_OK) == 0, "virtio gpu");
    check(access("/dev/fb0", F_OK) == 0, "frame buffer over the gpu");
    check(access("/dev/hwrng", F_OK) == 0, "virtio entropy");
    check(network_is_up(), "network card with the address of the command line");
    check(holds("/proc/sys/kernel/random/entropy_avail", "256"), "entropy from the start");
}

/* Calls that only widen what an attacker can reach: the kernel does not know them. */
static void check_absent(void)
{
    static const struct {
        long number;
        const char *name;
    } calls[] = {
        { SYS_bpf, "bpf" }, { SYS_io_uring_setup, "io_uring" }, { SYS_io_setup, "aio" },
        { SYS_init_module, "init_module" }, { SYS_finit_module, "finit_module" },
        { SYS_kexec_load, "kexec_load" }, { SYS_shmget, "shmget" }, { SYS_semget, "semget" },
        { SYS_msgget, "msgget" }, { SYS_iopl, "iopl" }, { SYS_modify_ldt, "modify_ldt" },
        { SYS_userfaultfd, "userfaultfd" }, { SYS_swapon, "swapon" },
        { SYS_process_vm_readv, "process_vm_readv" }, { SYS_add_key, "add_key" },
    };
    char what[64];
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        errno = 0;
        long status = syscall(calls[i].number, 0, 0, 0, 0, 0, 0);
        snprintf(what, sizeof what, "no %s", calls[i].name);
        check(status == -1 && errno == ENOSYS, what);
    }
    check(access("/dev/mem", F_OK) < 0, "no /dev/mem");
    check(access("/proc/kcore", F_OK) < 0, "no /proc/kcore");
    check(access("/proc/modules", F_OK) < 0, "no modules");
    check(!holds("/proc/self/maps", "vsyscall"), "no vsyscall page");
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    check_mounts();
    check_isolation();
    check_descriptors();
    check_devices();
    check_absent();
    printf("1..%d\n", count);
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
