#include "os/account.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* (uid_t)-1 means "unchanged" to setresuid(2). */
static bool account_number(struct str text, uint32_t *ret)
{
    uint64_t n;
    if (!str_to_u64(text, &n) || n >= UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

/* With a name, that of this name, else the first with this UID. */
static bool account_read(const char *name, uid_t uid, struct host_user *ret)
{
    cleanup_fclose FILE *f = fopen("/etc/passwd", "re");
    for (const struct passwd *p; f && (p = fgetpwent(f));) {
        if ((name ? strcmp(p->pw_name, name) != 0 : p->pw_uid != uid) || strlen(p->pw_name) >= sizeof ret->name)
            continue;
        *ret = (struct host_user){.uid = p->pw_uid, .gid = p->pw_gid};
        memcpy(ret->name, p->pw_name, strlen(p->pw_name) + 1);
        return true;
    }
    return false;
}

int account_find(const char *text, struct host_user *ret, struct err *err)
{
    struct str rest = str_of(text), uid = {0};
    uint32_t user, group;
    if (account_read(text, 0, ret))
        return 0;
    if (!str_split(&rest, ':', &uid) || !account_number(uid, &user))
        return *text && !strchr(text, ':') ? err_set(err, -ENOENT, "no user %s in /etc/passwd", text)
                                           : err_set(err, -EINVAL, "\"%s\" is not NAME, UID or UID:GID", text);
    struct host_user found = {.uid = user, .gid = user};
    (void)account_read(NULL, user, &found);
    if (strchr(text, ':')) {
        if (!account_number(rest, &group))
            return err_set(err, -EINVAL, "\"%s\" is not NAME, UID or UID:GID", text);
        found.gid = group;
    }
    *ret = found;
    return 0;
}
