#include "os/rights.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/procfs.h"

/* The kernel's own limit: NGROUPS_MAX of linux/limits.h. */
enum { GROUPS_MAX = 65536, EFFECTIVE_COLUMN = 1 };

static bool next_id(struct str *line, uint32_t *ret)
{
    struct str word;
    uint64_t n;
    while (str_split(line, ' ', &word)) {
        word = str_trim(word);
        if (word.n == 0)
            continue;
        if (!str_to_u64(word, &n) || n > UINT32_MAX)
            return false;
        *ret = (uint32_t)n;
        return true;
    }
    return false;
}

static bool effective_id(struct str status, const char *name, uint32_t *ret)
{
    struct str line = procfs_status_field(status, name), word = {0};
    uint64_t n;
    for (unsigned i = 0; i <= EFFECTIVE_COLUMN; i++)
        if (!str_split(&line, '\t', &word))
            return false;
    if (!str_to_u64(str_trim(word), &n) || n > UINT32_MAX)
        return false;
    *ret = (uint32_t)n;
    return true;
}

int rights_parse(struct str status, struct rights *ret, struct err *err)
{
    struct rights r = {0};
    struct str line = procfs_status_field(status, "Groups");
    size_t cap = 0;
    if (!effective_id(status, "Uid", &r.uid) || !effective_id(status, "Gid", &r.gid))
        return err_set(err, -EBADMSG, "the process status has no UIDs");
    for (uint32_t id; r.group_count < GROUPS_MAX && next_id(&line, &id);) {
        xgrow(&r.groups, &cap, r.group_count + 1, sizeof *r.groups);
        r.groups[r.group_count++] = id;
    }
    *ret = r;
    return 0;
}

void rights_done(struct rights *r)
{
    free(r->groups);
    *r = (struct rights){0};
}

bool rights_equal(const struct rights *a, const struct rights *b)
{
    return a->uid == b->uid && a->gid == b->gid && a->group_count == b->group_count &&
           (a->group_count == 0 || memcmp(a->groups, b->groups, a->group_count * sizeof *a->groups) == 0);
}

/* An agent that may not change its groups is that user already, with groups of its own, or must not go on. */
static int take_ids(const struct rights *r)
{
    const bool mine = geteuid() == r->uid && getuid() == r->uid;
    if ((setgroups(r->group_count, r->groups) < 0 || setresgid(r->gid, r->gid, r->gid) < 0) &&
        !(mine && errno == EPERM))
        return -errno;
    return setresuid(r->uid, r->uid, r->uid) < 0 ? -errno : 0;
}

/* It only matters to what is executed, which no_new_privs covers, too; it goes where that is allowed. */
static void drop_bounding_set(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        (void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, none) < 0 ? -errno : 0;
}

static bool has_taken(const struct rights *r)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {{.permitted = 1}};
    uid_t real, effective, saved;
    if (syscall(SYS_capget, &head, now) < 0 || getresuid(&real, &effective, &saved) < 0)
        return false;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        if (now[i].permitted || now[i].effective || now[i].inheritable)
            return false;
    return real == r->uid && effective == r->uid && saved == r->uid;
}

bool rights_have(uint64_t capabilities)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &head, now) < 0)
        return false;
    return ((now[0].effective | (uint64_t)now[1].effective << 32) & capabilities) == capabilities;
}

int rights_limit(uint64_t capabilities)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    if (syscall(SYS_capget, &head, sets) < 0)
        return -errno;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        const uint32_t kept = (uint32_t)(capabilities >> 32 * i);
        sets[i].permitted &= kept;
        sets[i].effective &= kept;
        sets[i].inheritable = 0;
    }
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &head, sets) < 0 ? -errno : 0;
}

int rights_pass_on(uint64_t capabilities)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capget, &head, sets) < 0)
        return -errno;
    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        sets[i].inheritable = sets[i].permitted & (uint32_t)(capabilities >> 32 * i);
    if (syscall(SYS_capset, &head, sets) < 0)
        return -errno;
    for (unsigned long cap = 0; cap < 64; cap++) {
        if (sets[cap / 32].inheritable & 1U << cap % 32 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
            return -errno;
    }
    return 0;
}

int rights_become(const struct rights *r, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(err, "set no_new_privs");
    drop_bounding_set();
    int code = take_ids(r);
    if (code == 0)
        code = drop_capabilities();
    if (code == 0 && !has_taken(r))
        code = -EPERM;
    if (code < 0)
        return err_set(err, code, "switch to user %u: %s; smolder must run as root or as that user", (unsigned)r->uid,
                       strerror(-code));
    /* That user may otherwise look into this process's memory, which was the agent's. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    return 0;
}
