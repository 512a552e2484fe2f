/* Folders of the apps' data: DATA/NAME/, each its app's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "internal.h"

/* Without it a machine goes on: apps with `filesystem` are refused and told why. */
int data_open_root(struct sup *s)
{
    s->data_root = -1;
    if (!s->o->data_root)
        return E_OK;
    if (mkdir(s->o->data_root, 0711) == 0 || errno == EEXIST)
        s->data_root = open(s->o->data_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (s->data_root >= 0)
        return E_OK;
    sup_notice(s, LOG_ERROR, "data folder %s: %s", s->o->data_root, strerror(errno));
    return s->o->owns_machine ? E_OK : E_IO;
}

int data_open_app(struct sup *s, const char *name)
{
    struct stat st;
    if (s->data_root < 0) {
        snprintf(s->why, sizeof s->why, "there is no place for data, so 'filesystem' cannot be given");
        return E_IO;
    }
    if (mkdirat(s->data_root, name, 0700) < 0 && errno != EEXIST)
        goto failed;
    /* A name is [a-z0-9-], so this cannot lead elsewhere unless it is a link. */
    int fd = openat(s->data_root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        goto failed;
    uid_t uid = s->sandbox.as_root ? sandbox_uid(span_of_cstr(name)) : geteuid();
    if (fstat(fd, &st) == 0 && st.st_uid != uid && fchown(fd, uid, (gid_t)uid) < 0 &&
        s->sandbox.as_root)
        sup_notice(s, LOG_WARN, "data folder of %s: owner not changed: %s", name, strerror(errno));
    if ((st.st_mode & 077) && fchmod(fd, 0700) < 0)
        sup_notice(s, LOG_WARN, "data folder of %s: others may look in", name);
    return fd;
failed:;
    int error = errno;
    snprintf(s->why, sizeof s->why, "data folder of %s: %s", name, strerror(error));
    return error == EACCES || error == EPERM || error == EROFS ? E_DENIED : E_IO;
}
