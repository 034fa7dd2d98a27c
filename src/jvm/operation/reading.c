#include "jvm/operation/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/mem.h"
#include "jvm/operation/request.h"
#include "os/rights.h"

/* Beyond this many bytes of blocks closing the last descriptor takes its time. */
static const int64_t CLOSE_BYTES = 64 << 20;
enum { INLINE_BYTES = 256 << 10 };

struct read_request {
    struct recording recording;
    bool ended, find_first;
};
_Static_assert(sizeof(struct read_request) <= JVM_READ_BYTES, "the table of operations limits it");

/* Behind it, or in a file where they are many, come the bytes of the chunk. */
struct answer {
    enum recording_result result;
    struct recording recording;
    int64_t start_ns, end_ns; /* of the chunk */
    uint64_t len;
};

/* ---- in the child ---- */

/* The file's owner is the target's user: who opened it saw to that. A child that has become one already (priv_op.again)
 * stays that one. */
static bool become_owner(int fd)
{
    static bool became;
    static struct rights owner;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return false;
    if (became)
        return st.st_uid == owner.uid && st.st_gid == owner.gid;
    owner = (struct rights){st.st_uid, st.st_gid, NULL, 0};
    return became = rights_become(&owner, NULL) == 0;
}

static int into_memory(const struct jfr_chunk *c)
{
    cleanup_close int fd = memfd_create("chunk", MFD_CLOEXEC);
    if (fd < 0 || fd_write_all(fd, c->bytes, c->len) < 0)
        return -1;
    return TAKE_FD(fd);
}

/* What was read, to be punched away when it is out of our hands: that may wait for the target. */
static struct recording read_last;

static void reading_punch(struct priv_call *call)
{
    read_last.fd = call->in_fds[0];
    recording_punch(&read_last);
}

static void put_chunk(struct priv_call *call, struct answer *a, const struct jfr_chunk *c)
{
    const bool inside = c->len <= INLINE_BYTES;
    a->start_ns = c->start_ns;
    a->end_ns = c->end_ns;
    a->len = c->len;
    if (!inside) {
        const int fd = into_memory(c);
        if (fd >= 0)
            call->fds[call->fd_count++] = fd;
        else
            a->result = RECORDING_DROPPED;
    }
    buf_append(&call->out, a, sizeof *a);
    if (inside)
        buf_append(&call->out, c->bytes, c->len);
}

void jvm_op_read(struct priv_call *call)
{
    struct read_request rq;
    struct answer a = {.result = RECORDING_BROKEN};
    struct jfr_chunk *chunk = NULL;
    if (call->in_len != sizeof rq || call->in_fd_count != 1)
        return;
    memcpy(&rq, call->in, sizeof rq);
    if (!become_owner(call->in_fds[0]))
        _exit(1);
    a.recording = rq.recording;
    a.recording.fd = call->in_fds[0];
    struct err err = {0};
    if (!rq.find_first || recording_find_first(&a.recording, &err) == 0)
        a.result = recording_next(&a.recording, rq.ended, &chunk);
    read_last = a.recording;
    a.recording.punched = a.recording.at;
    call->after = reading_punch;
    if (a.result == RECORDING_CHUNK)
        put_chunk(call, &a, chunk);
    else
        buf_append(&call->out, &a, sizeof a);
    jfr_chunk_unref(chunk);
}

void jvm_op_close(struct priv_call *call)
{
    if (call->in_fd_count != 1 || !become_owner(call->in_fds[0]))
        return;
    close(call->in_fds[0]);
}

/* ---- on the loop ---- */

struct pending_read {
    jvm_read_done *done;
    void *arg;
};

static bool from_memory(int fd, uint8_t *to, size_t len)
{
    for (size_t at = 0; at < len;) {
        const ssize_t n = pread(fd, to + at, len - at, (off_t)at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

/* `p` and `n`: what came behind the answer. */
static struct jfr_chunk *take_chunk(const struct answer *a, const uint8_t *p, size_t n, const int *fds, size_t fd_count)
{
    cleanup_free uint8_t *bytes = NULL;
    if (a->len == 0 || a->len > RECORDING_CHUNK_MAX || !(bytes = malloc(a->len)))
        return NULL;
    if (n == a->len)
        memcpy(bytes, p, n);
    else if (n != 0 || fd_count != 1 || !from_memory(fds[0], bytes, a->len))
        return NULL;
    struct jfr_chunk *c = jfr_chunk_new(TAKE_PTR(bytes), a->len);
    c->start_ns = a->start_ns;
    c->end_ns = a->end_ns;
    return c;
}

static void reading_answered(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                             size_t fd_count)
{
    const struct pending_read *p = arg;
    struct jvm_read r = {0};
    struct answer a;
    if (result != PRIV_LOST && len >= sizeof a) {
        memcpy(&a, out, sizeof a);
        r = (struct jvm_read){true, a.result, a.recording, NULL};
        if (r.result == RECORDING_CHUNK && !(r.chunk = take_chunk(&a, out + sizeof a, len - sizeof a, fds, fd_count)))
            r.result = RECORDING_DROPPED;
    }
    r.recording.fd = -1;
    p->done(p->arg, &r);
}

uint64_t jvm_read_recording(struct priv *p, const struct jvm_reading *r, jvm_read_done *done, void *arg)
{
    struct read_request rq;
    memset(&rq, 0, sizeof rq); /* padding, too: it is sent as it is */
    rq.recording = *r->recording;
    rq.ended = r->ended;
    rq.find_first = r->find_first;
    struct pending_read *pending = xcalloc(1, sizeof *pending);
    *pending = (struct pending_read){done, arg};
    struct stat st = {0};
    (void)fstat(r->recording->fd, &st); /* a wrong guess costs a step: its child refuses */
    const struct priv_request call = {.op = JVM_OP_READ,
                                      .user = r->user,
                                      .ids = (uint64_t)st.st_uid << 32 | st.st_gid,
                                      .in = &rq,
                                      .len = sizeof rq,
                                      .fds = &r->recording->fd,
                                      .fd_count = 1,
                                      .timeout_ms = JVM_READ_MS};
    const uint64_t id = priv_call(p, &call, reading_answered, pending);
    priv_owns(p, id, free);
    return id;
}

static void reading_closed(void *arg, enum priv_result result, const uint8_t *out, size_t len, int *fds,
                           size_t fd_count)
{
    (void)arg, (void)result, (void)out, (void)len, (void)fds, (void)fd_count;
}

void jvm_close_recording(struct priv *p, uint64_t user, int fd)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && (int64_t)st.st_blocks * 512 > CLOSE_BYTES) {
        const struct priv_request call = {
            .op = JVM_OP_CLOSE, .user = user, .fds = &fd, .fd_count = 1, .timeout_ms = JVM_CLOSE_MS};
        priv_call(p, &call, reading_closed, NULL);
    }
    close(fd);
}
