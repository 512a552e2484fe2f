/* The pieces of vyoma-init: what the first process of a machine owes to it. */
#ifndef HOSTS_LINUX_INIT_H
#define HOSTS_LINUX_INIT_H

#include <stdbool.h>
#include <stddef.h>

enum { INIT_STOP_FDS_MAX = 8 };

/* One line on the console, "vyoma: ...". */
void init_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* mounts.c: /proc, /sys, /dev, the cgroup tree, /data (a disk, else memory), the share when
 * the kernel's command line asks for it. Problems are said and lived with. */
void init_mount_all(void);
/* Writes back and unmounts what holds data. */
void init_unmount_all(void);
/* The value of a word of the kernel's command line: "" for a word without '='; NULL when it
 * is not there. Valid until the next call. */
const char *init_parameter(const char *name);

/* machine.c */
void init_bring_up_network(void);
void init_set_host_name(void);
/* No new user namespaces on this machine. */
void init_harden(void);
/* Ctrl-Alt-Del becomes SIGINT for us. */
void init_take_ctrl_alt_del(void);
/* Opens the input devices that have a power button. How many. */
size_t init_open_power_buttons(int *fds, size_t max);
/* Reads what the device has to say: was it the power button, or Ctrl-Alt-Del? */
bool init_is_power_key(int fd);
/* Ends every other process, writes back, and stops the machine. Does not return. */
void init_power_off(void *ctx, bool reboot);

#endif
