/* Requests about paths as a worker that has lost control of itself would send them: any type,
 * any ids, any bytes. Names come from a small set, so that they meet. Checked after each
 * input: nothing outside of the folder changed, nothing stayed open. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "hosts/linux/paths.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char top[] = "/tmp/vyoma-fuzz-XXXXXX";
static char folder[64], secret[64];
static uint8_t reply_data[CTL_DATA_MAX];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void clean_up(void)
{
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void set_up(void)
{
    base_assert(mkdtemp(top));
    snprintf(folder, sizeof folder, "%s/data", top);
    snprintf(secret, sizeof secret, "%s/secret", top);
    FILE *f = fopen(secret, "w");
    base_assert(f && fputs("secret", f) >= 0 && fclose(f) == 0);
    atexit(clean_up);
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        count++;
    closedir(d);
    return count;
}

/* What must not change: the file beside the folder, and that nothing else is beside it. */
static void check_outside(void)
{
    struct stat st;
    int count = 0;
    DIR *d = opendir(top);
    while (d && readdir(d))
        count++;
    closedir(d);
    base_assert(count == 4); /* ".", "..", secret, data */
    base_assert(stat(secret, &st) == 0 && st.st_size == 6 && st.st_nlink == 1);
}

struct input {
    const uint8_t *p;
    size_t left;
};

static uint8_t next(struct input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->p++;
}

static size_t put_path(struct input *in, uint8_t *out)
{
    static const char *const parts[] = { "a", "b", "c", ".", "..", "/", "//", "secret", "data",
                                         "", "/etc", "\0", "\xff", "a/b", "../secret", "./" };
    size_t len = 0;
    for (uint8_t n = next(in) % 6; n; n--) {
        uint8_t which = next(in);
        const char *part = parts[which % base_countof(parts)];
        size_t part_len = which % base_countof(parts) == 11 ? 1 : strlen(part);
        if (len && (which & 0x80))
            out[len++] = '/';
        memcpy(out + len, part, part_len);
        len += part_len;
    }
    return len;
}

static void ask(struct paths *p, struct input *in)
{
    struct ctl_msg m = { .type = (uint16_t)(CTL_PATH_OPEN + next(in) %
                                            (CTL_DIR_CLOSE - CTL_PATH_OPEN + 1)) };
    struct ctl_msg reply;
    uint8_t a[128], b[128], *u = (uint8_t *)&m.u;
    size_t len;
    int fd;
    for (size_t i = 0; i < 24; i++)
        u[i] = (i & 3) == 0 || next(in) < 16 ? next(in) & 0x1f : 0;
    m.a_len = (uint32_t)put_path(in, a);
    m.b_len = (uint32_t)put_path(in, b);
    paths_request(p, &m, span_of(a, m.a_len), span_of(b, m.b_len), &reply, reply_data, &len, &fd);
    base_assert(len <= CTL_DATA_MAX && (fd < 0 || reply.error == 0));
    if (fd >= 0) {
        struct stat st;
        base_assert(fstat(fd, &st) == 0 && S_ISREG(st.st_mode));
        base_assert(st.st_size != 6); /* files in the folder are empty */
        close(fd);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    if (!folder[0])
        set_up();
    base_assert(mkdir(folder, 0700) == 0);
    int before = count_descriptors();
    uint64_t bound = next(&in) & 2 ? 1 << 20 : 0;
    struct paths *p = paths_new(open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), bound);
    base_assert(p);
    if (size && (data[0] & 1))
        paths_without_openat2(p);
    for (int i = 0; i < 32 && in.left; i++)
        ask(p, &in);
    paths_free(p);
    base_assert(count_descriptors() == before);
    check_outside();
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
