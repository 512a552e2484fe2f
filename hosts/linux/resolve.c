#define _GNU_SOURCE
#include "hosts/linux/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { NAME_MAX_BYTES = 255 };

/* A line of the hosts file: "ADDRESS NAME NAME...". */
static bool hosts_file(const char *host, struct in_addr *ret)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/etc/hosts", "re");
    if (!f)
        return false;
    while (!found && fgets(line, sizeof line, f)) {
        char *save = NULL;
        line[strcspn(line, "#\n")] = 0;
        const char *address = strtok_r(line, " \t", &save);
        for (char *name; address && !found && (name = strtok_r(NULL, " \t", &save));)
            found = strcasecmp(name, host) == 0 && inet_pton(AF_INET, address, ret) == 1;
    }
    fclose(f);
    return found;
}

bool resolve_at_once(struct span name, uint16_t port, struct sockaddr_storage *ret,
                     socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    char host[NAME_MAX_BYTES + 1];
    if (name.len == 0 || name.len >= sizeof host)
        return false;
    memcpy(host, name.p, name.len);
    host[name.len] = 0;
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *len = sizeof *v6;
        return true;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    *len = sizeof *v4;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1)
        return true;
    if (strcasecmp(host, "localhost") == 0) {
        v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return true;
    }
    return hosts_file(host, &v4->sin_addr);
}
