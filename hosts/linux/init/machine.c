/* The machine: loopback, name, buttons, the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

/* Addresses of the network card come from the kernel's own `ip=` parameter. */
void init_bring_up_network(void)
{
    struct ifreq r = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return; /* a kernel without networking is fine */
    if (ioctl(fd, SIOCGIFFLAGS, &r) == 0) {
        r.ifr_flags |= IFF_UP;
        ioctl(fd, SIOCSIFFLAGS, &r);
    }
    close(fd);
}

void init_set_host_name(void)
{
    char name[64] = "";
    gethostname(name, sizeof name - 1);
    if (!name[0] || strcmp(name, "(none)") == 0)
        sethostname("vyoma", 5);
}

/* As root, workers need no user namespace: then nobody shall have one, since most ways
 * from a system call to the kernel's less tested parts lead through them. */
void init_harden(void)
{
    int fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        init_say("user namespaces could not be switched off");
    if (fd >= 0)
        close(fd);
}

void init_take_ctrl_alt_del(void)
{
    reboot(RB_DISABLE_CAD);
}

/* A keyboard has a power key too, as Linux sees it. */
static bool has_power_key(int fd)
{
    unsigned char keys[KEY_MAX / 8 + 1] = { 0 };
    return ioctl(fd, EVIOCGBIT(EV_KEY, sizeof keys), keys) >= 0 &&
           keys[KEY_POWER / 8] >> (KEY_POWER % 8) & 1;
}

size_t init_open_power_buttons(int *fds, size_t max)
{
    char path[32];
    size_t count = 0;
    for (int i = 0; i < 32 && count < max; i++) {
        snprintf(path, sizeof path, "/dev/input/event%d", i);
        int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (has_power_key(fd))
            fds[count++] = fd;
        else
            close(fd);
    }
    return count;
}

/* Ctrl-Alt-Del becomes SIGINT in the kernel's virtual terminals, which the image does not
 * have, so it is recognised here as well. */
static bool key_stops(const struct input_event *ev)
{
    static bool ctrl, alt;
    bool down = ev->value != 0;
    switch (ev->code) {
    case KEY_LEFTCTRL:
    case KEY_RIGHTCTRL: ctrl = down; return false;
    case KEY_LEFTALT:
    case KEY_RIGHTALT: alt = down; return false;
    case KEY_DELETE: return down && ctrl && alt;
    case KEY_POWER: return ev->value == 1;
    default: return false;
    }
}

bool init_is_power_key(int fd)
{
    struct input_event ev;
    bool pressed = false;
    while (read(fd, &ev, sizeof ev) == (ssize_t)sizeof ev)
        pressed = (ev.type == EV_KEY && key_stops(&ev)) || pressed;
    return pressed;
}

void init_power_off(void *ctx, bool again)
{
    kill(-1, SIGKILL); /* everyone but us: nobody writes to /data any more */
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
    }
    init_unmount_all();
    init_say(again ? "restarting" : "power off");
    reboot(again ? RB_AUTOBOOT : RB_POWER_OFF);
    reboot(RB_HALT_SYSTEM); /* there is no power to switch off */
    for (;;)
        pause();
}
