#include "jvm/probe/exit_status.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/buf.h"
#include "base/str.h"

enum { STAT_MAX = 4096, EXIT_CODE_FIELD = 52, STATE_FIELD = 3 };

/* struct pidfd_info of linux/pidfd.h in its first form, which headers older than the kernel do not have. */
struct pidfd_info_v0 {
    uint64_t mask, cgroup;
    uint32_t pid, tgid, ppid, uids[2], gids[2], suid, sgid, fsuid, fsgid;
    int32_t exit_code;
};
#define PIDFD_GET_INFO_V0 _IOWR(0xff, 11, struct pidfd_info_v0)
enum { PIDFD_INFO_HAS_EXIT = 1 << 3 };

static bool exit_status_of_pidfd(const struct pidref *p, int *ret)
{
    struct pidfd_info_v0 info = {.mask = PIDFD_INFO_HAS_EXIT};
    if (ioctl(p->fd, PIDFD_GET_INFO_V0, &info) < 0 || !(info.mask & PIDFD_INFO_HAS_EXIT))
        return false;
    *ret = info.exit_code;
    return true;
}

/* Who may not trace it reads a status of 0, as of one that ended well; its links tell whether we may. */
static bool exit_status_may_trace(const struct pidref *p)
{
    char path[PATH_MAX];
    ssize_t n = pidref_readlink(p, "exe", path, sizeof path);
    return n >= 0 || n == -ENOENT;
}

static bool exit_status_of_zombie(const struct pidref *p, int *ret)
{
    cleanup_buf struct buf text = BUF_INIT(STAT_MAX);
    if (!exit_status_may_trace(p) || pidref_read(p, "stat", &text, NULL, NULL) < 0)
        return false;
    /* The name may hold blanks and parentheses: the fields begin after the last one. */
    const char *paren = memrchr(text.p, ')', text.len);
    if (!paren)
        return false;
    struct str rest = str_trim((struct str){paren + 1, text.len - (size_t)(paren + 1 - (const char *)text.p)}), field;
    for (unsigned i = STATE_FIELD; str_split(&rest, ' ', &field); i++) {
        int64_t status;
        if (i == STATE_FIELD && !str_is(field, "Z") && !str_is(field, "X"))
            return false;
        if (i == EXIT_CODE_FIELD && str_to_i64(field, &status)) {
            *ret = (int)status;
            return true;
        }
    }
    return false;
}

bool exit_status_of(const struct pidref *p, int *ret)
{
    /* Its parent may fetch it between one and the other. */
    return exit_status_of_zombie(p, ret) || exit_status_of_pidfd(p, ret);
}
