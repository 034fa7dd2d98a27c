#include "cli/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/rights.h"

static struct rights privileges_rights(const struct host_user *user)
{
    return (struct rights){.uid = user->uid, .gid = user->gid};
}

/* Tried by a process of its own: half of it cannot be undone. */
static bool privileges_may_become(const struct host_user *user)
{
    int status = 0;
    const pid_t pid = _Fork();
    if (pid == 0) {
        const struct rights r = privileges_rights(user);
        _exit(rights_become(&r, NULL) < 0);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void privileges_stay(struct privileges *p, const char *why)
{
    p->drop = false;
    p->user = (struct host_user){.name = "root"};
    snprintf(p->warning, sizeof p->warning, "the main process keeps running as root: %s", why);
}

int privileges_plan(const char *user, struct privileges *ret, struct err *err)
{
    const bool all = rights_have(RIGHTS_CAP(CAP_SYS_PTRACE) | RIGHTS_CAP(CAP_SETUID) | RIGHTS_CAP(CAP_SETGID));
    struct privileges p = {.drop = true, .all_users = all};
    if (geteuid() != 0) {
        if (*user && (account_find(user, &p.user, err) < 0 || p.user.uid != geteuid()))
            return err_set(err, -EPERM, "--user=%s: only root can become another user", user);
        *ret = (struct privileges){.user = {.uid = geteuid(), .gid = getegid()}, .all_users = all};
        return 0;
    }
    int code = account_find(*user ? user : PRIVILEGES_USER, &p.user, err);
    if (code < 0 && *user)
        return err_wrap(err, code, "--user=%s", user);
    if (code < 0)
        p.user = (struct host_user){.uid = PRIVILEGES_NUMBER, .gid = PRIVILEGES_NUMBER};
    if (p.user.uid == 0) {
        privileges_stay(&p, "--user=root; an error in it would be one with all privileges");
    } else if (!privileges_may_become(&p.user)) {
        if (*user)
            return err_set(err, -EPERM,
                           "--user=%s: this process may not become UID %u: it requires CAP_SETUID, "
                           "CAP_SETGID and CAP_SETPCAP, and that UID in its user namespace",
                           user, p.user.uid);
        privileges_stay(&p, "it has no CAP_SETUID, or its user namespace has no other user");
    }
    *ret = p;
    return 0;
}

int privileges_begin(struct err *err)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_errno(err, "set no_new_privs") : 0;
}

/* Of a user who has some; only then is there something that others of that user must not get at. */
static int privileges_drop_capabilities(void)
{
    if (!rights_have(RIGHTS_CAP(CAP_SYS_PTRACE)))
        return rights_limit(0);
#ifndef __SANITIZE_ADDRESS__
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
    return rights_limit(0);
}

int privileges_drop(const struct privileges *p, struct err *err)
{
    if (!p->drop) {
        const int code = geteuid() == 0 ? 0 : privileges_drop_capabilities();
        return code < 0 ? err_set(err, code, "drop capabilities: %s", strerror(-code)) : 0;
    }
    const struct rights r = privileges_rights(&p->user);
    const int code = rights_become(&r, err);
#ifdef __SANITIZE_ADDRESS__
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak check at exit traces this process */
#endif
    return code;
}
