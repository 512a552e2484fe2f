/* What is mounted where. All of it without programs, devices or set-uid bits unless the
 * place is for exactly that. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

#define DATA_DISK "/dev/vda"

static const unsigned long plain = MS_NOSUID | MS_NODEV | MS_NOEXEC;

static int mount_at(const char *what, const char *where, const char *type, unsigned long flags,
                    const char *data)
{
    mkdir(where, 0755);
    if (mount(what, where, type, flags, data) == 0 || errno == EBUSY)
        return 0;
    return -1;
}

static void must(const char *what, const char *where, const char *type, unsigned long flags,
                 const char *data)
{
    if (mount_at(what, where, type, flags, data) < 0)
        init_say("%s is not there: %s", where, strerror(errno));
}

/* The disk takes a moment to appear on some machines; a missing one is found out at once by
 * its folder in /sys. */
static bool disk_exists(void)
{
    return access("/sys/class/block/vda", F_OK) == 0;
}

static void mount_data(void)
{
    if (disk_exists() &&
        mount_at(DATA_DISK, "/data", "ext4", plain | MS_NOATIME, "errors=remount-ro") == 0)
        return;
    if (disk_exists())
        init_say("%s cannot be used as ext4: %s", DATA_DISK, strerror(errno));
    else
        init_say("there is no data disk");
    init_say("/data is in memory: what is stored is lost at power-off");
    must("data", "/data", "tmpfs", plain, "mode=755,size=25%");
}

const char *init_parameter(const char *name)
{
    static char line[2048];
    size_t len = strlen(name);
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : 0;
    if (fd >= 0)
        close(fd);
    line[n > 0 ? n : 0] = 0;
    char *save = NULL;
    for (char *word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
        if (strncmp(word, name, len) == 0 && (word[len] == '=' || !word[len]))
            return word + len + (word[len] == '=');
    }
    return NULL;
}

static void mount_share(void)
{
    char tag[64];
    const char *wanted = init_parameter("vyoma.share");
    if (!wanted)
        return;
    snprintf(tag, sizeof tag, "%s", *wanted ? wanted : "share");
    if (mount_at(tag, "/share", "9p", plain, "trans=virtio,version=9p2000.L,msize=131072") < 0)
        init_say("the share \"%s\" is not there: %s", tag, strerror(errno));
}

void init_mount_all(void)
{
    must("proc", "/proc", "proc", plain, "hidepid=2");
    must("sysfs", "/sys", "sysfs", plain, NULL);
    must("devtmpfs", "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=755");
    must("cgroup2", "/sys/fs/cgroup", "cgroup2", plain, NULL);
    mount_data();
    mkdir("/data/apps", 0711);
    mkdir("/data/system", 0700);
    mount_share();
}

void init_unmount_all(void)
{
    sync();
    umount2("/share", MNT_DETACH);
    if (umount("/data") == 0)
        return;
    /* Something still holds it: make it read-only, which also writes everything back. */
    if (mount(NULL, "/data", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0)
        init_say("/data could not be unmounted: %s", strerror(errno));
    sync();
}
