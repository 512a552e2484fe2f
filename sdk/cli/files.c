#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

bool cli_join(char out[CLI_PATH_MAX], const char *dir, const char *name)
{
    size_t n = strlen(dir);
    const char *slash = n && dir[n - 1] == '/' ? "" : "/";
    return snprintf(out, CLI_PATH_MAX, "%s%s%s", dir, slash, name) < CLI_PATH_MAX;
}

bool cli_is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool cli_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

int cli_errno_exit(int err)
{
    return err == ENOENT || err == ENOTDIR                  ? CLI_NOT_FOUND
           : err == EACCES || err == EPERM || err == EROFS ? CLI_DENIED
                                                            : CLI_FAILED;
}

static int read_error(const struct cli *c, const char *path, int err)
{
    return cli_fail(c, cli_errno_exit(err), NULL, "%s: %s", path, strerror(err));
}

int cli_read_file(const struct cli *c, const char *path, size_t max, struct span *ret)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe has to be refused too */
    if (fd < 0 || fstat(fd, &st) != 0) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        return read_error(c, path, err);
    }
    if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
        close(fd);
        return S_ISREG(st.st_mode)
                   ? cli_fail(c, CLI_FAILED, NULL, "%s: larger than %zu bytes", path, max)
                   : cli_fail(c, CLI_FAILED, NULL, "%s: not a regular file", path);
    }
    size_t size = (size_t)st.st_size, done = 0;
    char *p = malloc(size + 1);
    ssize_t n = 1;
    while (p && done < size && (n = read(fd, p + done, size - done)) > 0)
        done += (size_t)n;
    int err = errno;
    close(fd);
    if (!p || n < 0) {
        free(p);
        return read_error(c, path, p ? err : ENOMEM);
    }
    p[done] = 0;
    *ret = span_of(p, done);
    return CLI_OK;
}

int cli_manifest_load(const struct cli *c, const char *dir, struct cli_manifest *ret)
{
    struct arena scratch, keep;
    struct format_error err;
    memset(ret, 0, sizeof *ret);
    if (!cli_join(ret->path, dir, "vyoma.toml"))
        return cli_fail(c, CLI_FAILED, NULL, "%s: the path is too long", dir);
    if (!cli_exists(ret->path))
        return cli_fail(c, CLI_NOT_FOUND, "vyoma new NAME makes a folder with all that is needed",
                        "%s: there is no such file", ret->path);
    int code = cli_read_file(c, ret->path, MANIFEST_TEXT_MAX, &ret->text);
    if (code)
        return code;
    ret->memory = malloc(MANIFEST_SCRATCH_BYTES + MANIFEST_KEEP_BYTES);
    if (!ret->memory) {
        cli_manifest_free(ret);
        return cli_fail(c, CLI_FAILED, NULL, "out of memory");
    }
    arena_init(&keep, ret->memory, MANIFEST_KEEP_BYTES);
    arena_init(&scratch, (char *)ret->memory + MANIFEST_KEEP_BYTES, MANIFEST_SCRATCH_BYTES);
    if (manifest_parse(ret->text, &scratch, &keep, &ret->m, &err) < 0) {
        code = cli_fail_format(c, ret->path, &err);
        cli_manifest_free(ret);
    }
    return code;
}

void cli_manifest_free(struct cli_manifest *m)
{
    free((void *)m->text.p);
    free(m->memory);
    m->text = SPAN_NONE;
    m->memory = NULL;
}

/* Does dir hold an SDK? */
static bool is_sdk(const char *dir)
{
    char path[CLI_PATH_MAX];
    return cli_join(path, dir, "app.flags") && cli_exists(path);
}

int cli_sdk_dir(const struct cli *c, char ret[CLI_PATH_MAX])
{
    /* From PREFIX/bin to PREFIX/share/vyoma, and from out/rel/bin to sdk. */
    static const char *const beside[] = { "../share/vyoma", "../../../sdk" };
    const char *set = getenv("VYOMA_SDK");
    if (set && *set) {
        if (snprintf(ret, CLI_PATH_MAX, "%s", set) < CLI_PATH_MAX && is_sdk(ret))
            return CLI_OK;
        return cli_fail(c, CLI_NOT_FOUND, "unset VYOMA_SDK, or set it to the folder that has it",
                        "VYOMA_SDK is %s, where there is no app.flags", set);
    }
    char self[CLI_PATH_MAX], path[CLI_PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    char *slash = strrchr(self, '/');
    for (size_t i = 0; slash && i < 2; i++) {
        slash[1] = 0;
        if (cli_join(path, self, beside[i]) && is_sdk(path) && realpath(path, ret))
            return CLI_OK;
    }
    return cli_fail(c, CLI_NOT_FOUND, "set VYOMA_SDK to the folder that has app.flags",
                    "the SDK was not found beside this program");
}
