#include "jvm/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "jvm/ops.h"
#include "os/fsutil.h"
#include "os/rights.h"

/* Beyond this many bytes of blocks closing the last descriptor takes its time. */
static const int64_t CLOSE_BYTES = 64 << 20;
enum { CLOSE_MS = 60000 };

struct request {
    struct recording recording;
    bool ended, find_first;
};

struct answer {
    enum recording_result result;
    struct recording recording;
    struct recording_chunk chunk; /* without bytes: those come in a file */
};

/* ---- in the child ---- */

/* The file's owner is the target's user: who opened it saw to that. */
static bool become_owner(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    const struct rights owner = {st.st_uid, st.st_gid, NULL, 0};
    return rights_become(&owner, NULL) == 0;
}

static int into_memory(const struct recording_chunk *c)
{
    cleanup_close int fd = memfd_create("chunk", MFD_CLOEXEC);
    if (fd < 0 || fs_write(fd, c->bytes, c->len) < 0)
        return -1;
    return TAKE_FD(fd);
}

void jvm_op_read(struct priv_call *call)
{
    struct request rq;
    struct answer a = {.result = RECORDING_BROKEN};
    if (call->in_len != sizeof rq || call->in_fd_count != 1)
        return;
    memcpy(&rq, call->in, sizeof rq);
    if (!become_owner(call->in_fds[0]))
        _exit(1);
    a.recording = rq.recording;
    a.recording.fd = call->in_fds[0];
    struct err err = {0};
    if (!rq.find_first || recording_find_first(&a.recording, &err) == 0)
        a.result = recording_next(&a.recording, rq.ended, &a.chunk);
    if (a.result == RECORDING_CHUNK) {
        const int fd = into_memory(&a.chunk);
        if (fd >= 0)
            call->fds[call->fd_count++] = fd;
        else
            a.result = RECORDING_DROPPED;
        free(a.chunk.bytes);
        a.chunk.bytes = NULL;
    }
    /* Out of our hands first: giving the space back may wait for the target, and the deadline then comes first. */
    struct recording r = a.recording;
    a.recording.punched = r.at;
    buf_append(&call->out, &a, sizeof a);
    priv_flush(call);
    recording_punch(&r);
}

void jvm_op_close(struct priv_call *call)
{
    if (call->in_fd_count != 1 || !become_owner(call->in_fds[0]))
        return;
    close(call->in_fds[0]);
}

/* ---- on the loop ---- */

struct pending {
    jvm_read_done *done;
    void *arg;
};

static bool from_memory(int fd, struct recording_chunk *c)
{
    c->bytes = malloc(c->len ? c->len : 1);
    for (size_t at = 0; c->bytes && at < c->len;) {
        const ssize_t n = pread(fd, c->bytes + at, c->len - at, (off_t)at);
        if (n <= 0) {
            free(TAKE_PTR(c->bytes));
            return false;
        }
        at += (size_t)n;
    }
    return c->bytes;
}

static void answered(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t fd_count)
{
    const struct pending *p = arg;
    struct jvm_read r = {0};
    struct answer a;
    if (result != PRIV_LOST && len == sizeof a) {
        memcpy(&a, out, sizeof a);
        r = (struct jvm_read){true, a.result, a.recording, a.chunk};
        r.chunk.bytes = NULL;
        if (r.result == RECORDING_CHUNK &&
            (fd_count != 1 || r.chunk.len > RECORDING_CHUNK_MAX || !from_memory(fds[0], &r.chunk)))
            r.result = RECORDING_DROPPED;
    }
    r.recording.fd = -1;
    p->done(p->arg, &r);
}

uint64_t jvm_read_recording(struct priv *p, const struct jvm_reading *r, jvm_read_done *done, void *arg)
{
    struct request rq;
    memset(&rq, 0, sizeof rq); /* padding, too: it is sent as it is */
    rq.recording = *r->recording;
    rq.ended = r->ended;
    rq.find_first = r->find_first;
    struct pending *pending = xcalloc(1, sizeof *pending);
    *pending = (struct pending){done, arg};
    const struct priv_request call = {.op = JVM_OP_READ,
                                      .user = r->user,
                                      .in = &rq,
                                      .len = sizeof rq,
                                      .fds = &r->recording->fd,
                                      .fd_count = 1,
                                      .timeout_ms = JVM_READ_MS};
    const uint64_t id = priv_call(p, &call, answered, pending);
    priv_owns(p, id, free);
    return id;
}

static void closed(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds, size_t fd_count)
{
    (void)arg, (void)result, (void)out, (void)len, (void)fds, (void)fd_count;
}

void jvm_close_recording(struct priv *p, uint64_t user, int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (int64_t)st.st_blocks * 512 > CLOSE_BYTES) {
        const struct priv_request call = {
            .op = JVM_OP_CLOSE, .user = user, .fds = &fd, .fd_count = 1, .timeout_ms = CLOSE_MS};
        priv_call(p, &call, closed, NULL);
    }
    close(fd);
}
