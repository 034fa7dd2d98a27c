#include "jvm/operation/crash.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/mem.h"
#include "jvm/operation/request.h"
#include "os/rights.h"
#include "os/rootfs.h"

/* A report with all its events and maps has a megabyte or two. */
static const uint64_t REPORT_MAX = 256 << 20;

struct crash_request {
    int64_t pid, age_ns;
    struct hs_err_place place;
};
_Static_assert(sizeof(struct crash_request) <= JVM_CRASH_BYTES, "the helper accepts it");

/* ---- in the child ---- */

/* By its owner, whom only root can change; a second link would be another's way to bring an old one here. The clock may
 * have been set, and file systems have coarse ones: a second more. */
static bool crash_is_its_report(const struct stat *st, const struct crash_request *r)
{
    const int64_t since_ns = clock_wall_ns() - r->age_ns - NS_PER_SEC;
    return st->st_uid == r->place.uid && st->st_nlink == 1 && st->st_mtim.tv_sec >= since_ns / NS_PER_SEC;
}

static bool crash_read_report(int dir, const struct crash_request *r, struct hs_err *ret)
{
    struct stat st;
    cleanup_free char *text = xcalloc(1, HS_ERR_READ_MAX);
    cleanup_close int fd = rootfs_file_in(dir, r->place.name, O_RDONLY | O_NONBLOCK, REPORT_MAX, &st, NULL);
    if (fd < 0 || !crash_is_its_report(&st, r))
        return false;
    size_t have = 0;
    for (ssize_t n; have < HS_ERR_READ_MAX; have += (size_t)n)
        if ((n = pread(fd, text + have, HS_ERR_READ_MAX - have, (off_t)have)) <= 0)
            break;
    struct hs_err report;
    /* A fixed -XX:ErrorFile may be another JVM's, too. */
    if (!hs_err_parse((struct str){text, have}, &report) || (report.pid && report.pid != r->place.pid))
        return false;
    *ret = report;
    return true;
}

void jvm_op_crash(struct priv_call *call)
{
    struct crash_request r;
    struct jvm_crash found;
    memset(&found, 0, sizeof found); /* padding, too: it is sent as it is */
    if (call->in_len != sizeof r)
        return;
    memcpy(&r, call->in, sizeof r);
    r.place.name[NAME_MAX] = '\0';
    kernel_log_read((pid_t)r.pid, r.age_ns, &found.kernel);
    const struct rights owner = {r.place.uid, r.place.gid, NULL, 0};
    if (call->in_fd_count == 1 && r.place.name[0] && rights_become(&owner, NULL) == 0)
        found.reported = crash_read_report(call->in_fds[0], &r, &found.report);
    buf_append(&call->out, &found, sizeof found);
}

/* ---- on the loop ---- */

struct pending_crash {
    jvm_crash_done *done;
    void *arg;
};

/* The child read what a target wrote: what it says need not end. */
static void crash_end_texts(struct jvm_crash *c)
{
    c->report.signal[HS_ERR_SIGNAL_MAX - 1] = c->report.frame[HS_ERR_FRAME_MAX - 1] = '\0';
}

static void crash_answered(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                           size_t fd_count)
{
    const struct pending_crash *p = arg;
    struct jvm_crash found = {0};
    (void)fds, (void)fd_count;
    if (result == PRIV_DONE && len == sizeof found) {
        memcpy(&found, out, sizeof found);
        crash_end_texts(&found);
    }
    p->done(p->arg, &found);
}

uint64_t jvm_read_crash(struct priv *p, const struct jvm_crash_request *r, jvm_crash_done *done, void *arg)
{
    struct crash_request request;
    memset(&request, 0, sizeof request); /* padding, too: it is sent as it is */
    request.pid = r->pid;
    request.age_ns = r->age_ns;
    request.place = *r->place;
    struct pending_crash *pending = xcalloc(1, sizeof *pending);
    *pending = (struct pending_crash){done, arg};
    const struct priv_request call = {.op = JVM_OP_CRASH,
                                      .user = r->user,
                                      .in = &request,
                                      .len = sizeof request,
                                      .fds = &r->dir,
                                      .fd_count = r->dir >= 0 ? 1 : 0,
                                      .timeout_ms = JVM_CRASH_MS};
    const uint64_t id = priv_call(p, &call, crash_answered, pending);
    priv_owns(p, id, free);
    return id;
}
