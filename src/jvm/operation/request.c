#include "jvm/operation/request.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

struct request_head {
    int64_t pid;
    uint64_t start_time, headroom;
    uint8_t untested;
    struct degraded degraded;
};

struct reply_head {
    int32_t outcome;
    uint8_t has_output, has_previous, has_socket, has_crash_dir, was_running;
    int64_t attach_ns, gap_ns;
    uint64_t left;
    struct jvm_makeup makeup;
    char vendor[JVM_VENDOR_MAX];
    struct hs_err_place crash_place;
    struct degraded degraded;
    char note[FIT_NOTE_MAX];
};

/* The next NUL-terminated text; "" where the bytes end. */
static const char *next_text(const uint8_t **p, const uint8_t *end)
{
    const uint8_t *nul = memchr(*p, '\0', (size_t)(end - *p));
    if (!nul)
        return "";
    const char *text = (const char *)*p;
    *p = nul + 1;
    return text;
}

void jvm_request_encode(const struct jvm_request *r, struct buf *out)
{
    struct request_head head = {r->id.pid, r->id.start_time, r->headroom, r->untested, {"", ""}};
    const char *texts[] = {r->tmp_dir, r->dist, r->options, r->condemned};
    if (r->degraded)
        head.degraded = *r->degraded;
    buf_append(out, &head, sizeof head);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = texts[i] ? texts[i] : "";
        buf_append(out, text, strlen(text) + 1);
    }
}

bool jvm_request_decode(const uint8_t *in, size_t len, struct degraded *degraded, struct jvm_request *ret)
{
    struct request_head head;
    if (len < sizeof head)
        return false;
    memcpy(&head, in, sizeof head);
    const uint8_t *p = in + sizeof head, *end = in + len;
    *ret = (struct jvm_request){.id = {(pid_t)head.pid, head.start_time}};
    ret->tmp_dir = next_text(&p, end);
    ret->dist = next_text(&p, end);
    ret->options = next_text(&p, end);
    ret->condemned = next_text(&p, end);
    ret->headroom = head.headroom;
    ret->untested = head.untested;
    *degraded = head.degraded;
    degraded->changes[sizeof degraded->changes - 1] = degraded->why[sizeof degraded->why - 1] = '\0';
    ret->degraded = degraded;
    return true;
}

void jvm_reply_encode(const struct jvm_reply *r, struct priv_call *call)
{
    struct reply_head out = {
        .outcome = r->outcome,
        .has_output = r->output_fd >= 0,
        .has_previous = r->previous_fd >= 0,
        .has_socket = r->socket_fd >= 0,
        .has_crash_dir = r->crash_dir >= 0,
        .was_running = r->was_running,
        .attach_ns = r->attach_ns,
        .gap_ns = r->gap_ns,
        .left = r->left,
        .makeup = r->makeup,
        .crash_place = r->crash_place,
        .degraded = r->degraded,
    };
    memcpy(out.note, r->note, sizeof out.note);
    memcpy(out.vendor, r->vendor, sizeof out.vendor);
    buf_append(&call->out, &out, sizeof out);
    buf_append(&call->out, r->reason, strlen(r->reason) + 1);
    buf_append(&call->out, r->text, strlen(r->text) + 1);
    if (r->output_fd >= 0)
        call->fds[call->fd_count++] = r->output_fd;
    if (r->previous_fd >= 0)
        call->fds[call->fd_count++] = r->previous_fd;
    if (r->socket_fd >= 0)
        call->fds[call->fd_count++] = r->socket_fd;
    if (r->crash_dir >= 0)
        call->fds[call->fd_count++] = r->crash_dir;
}

/* The child read a hostile process; what it says need not end. */
static void end_texts(struct reply_head *h)
{
    h->makeup.key[sizeof h->makeup.key - 1] = h->makeup.exe[sizeof h->makeup.exe - 1] = '\0';
    h->makeup.main[sizeof h->makeup.main - 1] = h->makeup.build[sizeof h->makeup.build - 1] = '\0';
    h->makeup.profiler[sizeof h->makeup.profiler - 1] = h->crash_place.name[sizeof h->crash_place.name - 1] = '\0';
    h->degraded.changes[sizeof h->degraded.changes - 1] = h->degraded.why[sizeof h->degraded.why - 1] = '\0';
    h->note[sizeof h->note - 1] = h->vendor[sizeof h->vendor - 1] = '\0';
}

void jvm_reply_decode(const uint8_t *in, size_t len, int *fds, size_t fd_count, struct jvm_reply *ret)
{
    struct reply_head head;
    size_t taken = 0;
    if (len < sizeof head)
        return;
    memcpy(&head, in, sizeof head);
    const uint8_t *p = in + sizeof head, *end = in + len;
    ret->outcome = head.outcome;
    snprintf(ret->reason, sizeof ret->reason, "%s", next_text(&p, end));
    snprintf(ret->text, sizeof ret->text, "%s", next_text(&p, end));
    ret->attach_ns = head.attach_ns;
    ret->gap_ns = head.gap_ns;
    ret->was_running = head.was_running;
    end_texts(&head);
    ret->makeup = head.makeup;
    ret->crash_place = head.crash_place;
    ret->left = head.left;
    ret->degraded = head.degraded;
    memcpy(ret->note, head.note, sizeof ret->note);
    memcpy(ret->vendor, head.vendor, sizeof ret->vendor);
    if (head.has_output && taken < fd_count)
        ret->output_fd = TAKE_FD(fds[taken++]);
    if (head.has_previous && taken < fd_count)
        ret->previous_fd = TAKE_FD(fds[taken++]);
    if (head.has_socket && taken < fd_count)
        ret->socket_fd = TAKE_FD(fds[taken++]);
    if (head.has_crash_dir && taken < fd_count)
        ret->crash_dir = TAKE_FD(fds[taken++]);
}
