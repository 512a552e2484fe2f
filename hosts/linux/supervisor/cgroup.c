/* Memory, process and processor limits by cgroup v2, where the machine lets us. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"

/* Writes a short text to a file beneath a cgroup folder. 0 or -errno. */
static int put(int dir, const char *file, const char *text)
{
    int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, strlen(text));
    int r = n < 0 ? -errno : 0;
    close(fd);
    return r;
}

static bool read_text(int dir, const char *file, char *out, size_t cap)
{
    int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, cap - 1);
    close(fd);
    out[n > 0 ? n : 0] = 0;
    return n >= 0;
}

/* Where cgroup2 is mounted, from /proc/self/mounts. */
static bool find_mount(char *out, size_t cap)
{
    char line[1024], path[256], type[64];
    bool found = false;
    FILE *f = fopen("/proc/self/mounts", "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%*s %255s %63s", path, type) == 2 && strcmp(type, "cgroup2") == 0)
            found = snprintf(out, cap, "%s", path) < (int)cap;
    }
    fclose(f);
    return found;
}

/* The cgroup that we are in: the "0::/path" line of /proc/self/cgroup. */
static bool find_own(char *out, size_t cap)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/proc/self/cgroup", "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        if (strncmp(line, "0::", 3) != 0)
            continue;
        line[strcspn(line, "\n")] = 0;
        found = snprintf(out, cap, "%s", line + 3) < (int)cap;
    }
    fclose(f);
    return found;
}

static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
        if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\n' || !p[len]))
            return true;
    }
    return false;
}

/* Switches on for the folders beneath `dir` what is there of the controllers. */
static void enable(struct sandbox *s, int dir)
{
    char list[256] = "";
    if (!read_text(dir, "cgroup.controllers", list, sizeof list))
        return;
    s->cg_memory = has_word(list, "memory") && put(dir, "cgroup.subtree_control", "+memory") == 0;
    s->cg_pids = has_word(list, "pids") && put(dir, "cgroup.subtree_control", "+pids") == 0;
    s->cg_cpu = has_word(list, "cpu") && put(dir, "cgroup.subtree_control", "+cpu") == 0;
}

/* What a supervisor with our process number left behind when it crashed: in the image that is
 * we ourselves, before. Its apps have ended; a folder that is still in use stays. */
static void remove_leftovers(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

/* Tries to make our folder at `parent`. True when it has the memory controller. */
static bool try_folder(struct sandbox *s, const char *parent)
{
    if (snprintf(s->cgroup_path, sizeof s->cgroup_path, "%s/vyoma-%d", parent, (int)getpid()) >=
        (int)sizeof s->cgroup_path)
        return false;
    if (mkdir(s->cgroup_path, 0755) < 0) {
        if (errno != EEXIST)
            return false;
        remove_leftovers(s->cgroup_path);
    }
    s->cgroup_fd = open(s->cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->cgroup_fd >= 0) {
        enable(s, s->cgroup_fd);
        if (s->cg_memory)
            return true;
    }
    sandbox_cgroup_close(s);
    return false;
}

void sandbox_cgroup_open(struct sandbox *s, bool owns_machine)
{
    char mount[256], own[256], path[520];
    s->cgroup_fd = -1;
    if (!find_mount(mount, sizeof mount)) {
        sandbox_lacks(s, "cgroup limits",
                      "no cgroup2 is mounted; the engine limits memory, nothing processor time");
        return;
    }
    if (owns_machine) { /* nobody else switches the controllers on */
        int top = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (top >= 0) {
            enable(s, top);
            close(top);
        }
    } else if (find_own(own, sizeof own) && strcmp(own, "/") != 0) {
        snprintf(path, sizeof path, "%s%s", mount, own);
        if (try_folder(s, path))
            return;
    }
    if (!try_folder(s, mount))
        sandbox_lacks(s, "cgroup limits",
                      "no folder with a memory controller may be made here; the engine limits "
                      "memory, nothing processor time");
}

void sandbox_cgroup_close(struct sandbox *s)
{
    if (s->cgroup_fd >= 0)
        close(s->cgroup_fd);
    s->cgroup_fd = -1;
    if (s->cgroup_path[0])
        rmdir(s->cgroup_path);
    s->cgroup_path[0] = 0;
}

static int put_number(int dir, const char *file, uint64_t value, const char *tail)
{
    char text[64];
    snprintf(text, sizeof text, "%llu%s", (unsigned long long)value, tail);
    return put(dir, file, text);
}

int sandbox_cgroup_make(struct sandbox *s, const struct sandbox_start *start)
{
    if (s->cgroup_fd < 0)
        return -1;
    if (mkdirat(s->cgroup_fd, start->cgroup, 0755) < 0 && errno != EEXIST)
        return -1;
    int dir = openat(s->cgroup_fd, start->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    int r = 0;
    if (s->cg_memory && start->memory_bytes) {
        r |= put_number(dir, "memory.max", start->memory_bytes + SANDBOX_MEMORY_SLACK, "");
        put(dir, "memory.swap.max", "0"); /* absent where the kernel has no swap */
    }
    if (s->cg_pids)
        r |= put_number(dir, "pids.max", start->threads, "");
    if (s->cg_cpu && start->cpu_percent)
        r |= put_number(dir, "cpu.max", (uint64_t)start->cpu_percent * 1000, " 100000");
    if (r == 0)
        return dir;
    close(dir);
    unlinkat(s->cgroup_fd, start->cgroup, AT_REMOVEDIR);
    return -1;
}

void sandbox_ended(struct sandbox *s, const char *cgroup)
{
    if (s->cgroup_fd >= 0)
        unlinkat(s->cgroup_fd, cgroup, AT_REMOVEDIR);
}
