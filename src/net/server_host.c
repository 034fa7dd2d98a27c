#include "net/server_host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"

enum { NAME_MAX_BYTES = 255 };

/* Without the port and the dot of a fully qualified name; empty where there is no name. */
static struct str host_name_of(const char *host)
{
    struct str s = str_trim(str_of(host));
    if (s.n && s.p[0] == '[') {
        const char *end = memchr(s.p, ']', s.n);
        return end ? (struct str){s.p + 1, (size_t)(end - s.p) - 1} : (struct str){0};
    }
    const char *colon = memchr(s.p, ':', s.n);
    if (colon)
        s.n = (size_t)(colon - s.p);
    if (s.n && s.p[s.n - 1] == '.')
        s.n--;
    return s;
}

static bool host_same(struct str a, struct str b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool host_is_address(const char *name)
{
    unsigned char any[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, any) == 1 || inet_pton(AF_INET6, name, any) == 1;
}

static bool host_is_listed(struct str name, const char *allowed)
{
    struct str rest = str_of(allowed), one;
    while (allowed && str_split(&rest, ',', &one)) {
        if (host_same(name, str_trim(one)))
            return true;
    }
    return false;
}

bool host_is_ours(const char *host, const char *allowed)
{
    static const struct str local = {"localhost", 9}, below = {".localhost", 10};
    if (!host)
        return true;
    const struct str name = host_name_of(host);
    char text[NAME_MAX_BYTES + 1], own[NAME_MAX_BYTES + 1] = "";
    if (name.n == 0 || name.n > NAME_MAX_BYTES)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    if (host_is_address(text) || host_same(name, local) || host_is_listed(name, allowed))
        return true;
    if (name.n > below.n && host_same((struct str){name.p + name.n - below.n, below.n}, below))
        return true;
    return gethostname(own, sizeof own - 1) == 0 && *own && host_same(name, str_of(own));
}

bool origin_is_ours(const char *fetch_site, const char *origin, const char *host)
{
    if (fetch_site)
        return strcmp(fetch_site, "same-origin") == 0 || strcmp(fetch_site, "none") == 0;
    const char *authority = origin ? strstr(origin, "://") : NULL;
    return !origin || (authority && host && strcasecmp(authority + 3, host) == 0);
}
