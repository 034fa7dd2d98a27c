/* Requests and replies on their way between the main process and a child, whose reply is believed as little as its
 * target. */
#include "jvm/operation/request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "test.h"

enum { BYTES_MAX = 1 << 16 };

static void a_request_arrives_as_it_was(void)
{
    const struct degraded before = {.changes = "cpu", .why = "no perf events"};
    const struct jvm_request sent = {.id = {4711, UINT64_MAX},
                                     .user = 5,
                                     .tmp_dir = "/tmp",
                                     .dist = "",
                                     .options = "event=itimer,interval=10000000",
                                     .untested = true,
                                     .headroom = 1ULL << 40,
                                     .condemned = "a b",
                                     .degraded = &before};
    cleanup_buf struct buf bytes = BUF_INIT(BYTES_MAX);
    struct degraded degraded;
    struct jvm_request got;
    jvm_request_encode(&sent, &bytes);
    CHECK(jvm_request_decode(bytes.p, bytes.len, &degraded, &got));
    CHECK_INT(got.id.pid, 4711);
    CHECK(got.id.start_time == UINT64_MAX && got.headroom == 1ULL << 40 && got.untested);
    CHECK_STR(got.tmp_dir, "/tmp");
    CHECK_STR(got.dist, "");
    CHECK_STR(got.options, sent.options);
    CHECK_STR(got.condemned, "a b");
    CHECK_STR(got.degraded->changes, "cpu");
    CHECK_STR(got.degraded->why, "no perf events");
}

static void what_a_request_leaves_out_is_empty(void)
{
    cleanup_buf struct buf bytes = BUF_INIT(BYTES_MAX);
    struct degraded degraded;
    struct jvm_request got;
    jvm_request_encode(&(struct jvm_request){.id = {1, 2}}, &bytes);
    CHECK(jvm_request_decode(bytes.p, bytes.len, &degraded, &got));
    CHECK_STR(got.tmp_dir, "");
    CHECK_STR(got.condemned, "");
    CHECK_STR(got.degraded->changes, "");
    CHECK(!got.untested);
}

/* Copies that end where the bytes end, so that a sanitizer sees every byte read beyond them. */
static uint8_t *cut(const struct buf *bytes, size_t n)
{
    uint8_t *p = xmalloc(n + !n);
    if (n)
        memcpy(p, bytes->p, n);
    return p;
}

static void a_request_that_is_cut_off_reads_nothing_beyond(void)
{
    cleanup_buf struct buf bytes = BUF_INIT(BYTES_MAX);
    jvm_request_encode(&(struct jvm_request){.id = {1, 2}, .tmp_dir = "/tmp", .options = "abc"}, &bytes);
    size_t refused = 0;
    for (size_t n = 0; n < bytes.len; n++) {
        cleanup_free uint8_t *part = cut(&bytes, n);
        struct degraded degraded;
        struct jvm_request got;
        if (!jvm_request_decode(part, n, &degraded, &got)) {
            refused++;
            continue;
        }
        CHECK(strlen(got.tmp_dir) <= 4 && strlen(got.options) <= 3);
        CHECK_STR(got.condemned, "");
    }
    CHECK(refused > sizeof(struct degraded)); /* its head has to be whole */
}

/* What a child would send: bytes and descriptors. */
static struct priv_call replied(const struct jvm_reply *r)
{
    struct priv_call call = {.out = BUF_INIT(BYTES_MAX)};
    jvm_reply_encode(r, &call);
    return call;
}

static void a_reply_arrives_as_it_was(void)
{
    struct jvm_reply sent = JVM_REPLY_INIT(JVM_REFUSED), got = JVM_REPLY_INIT(JVM_FAILED);
    snprintf(sent.reason, sizeof sent.reason, "the JVM says no");
    snprintf(sent.text, sizeof sent.text, "and more");
    snprintf(sent.makeup.key, sizeof sent.makeup.key, "0123");
    snprintf(sent.note, sizeof sent.note, "a note");
    sent.attach_ns = 7;
    sent.gap_ns = INT64_MAX;
    sent.was_running = true;
    sent.previous_fd = 40;
    sent.socket_fd = 41;
    struct priv_call call = replied(&sent);
    CHECK_INT(call.fd_count, 2);
    jvm_reply_decode(call.out.p, call.out.len, call.fds, call.fd_count, &got);
    CHECK_INT(got.outcome, JVM_REFUSED);
    CHECK_STR(got.reason, "the JVM says no");
    CHECK_STR(got.text, "and more");
    CHECK_STR(got.makeup.key, "0123");
    CHECK_STR(got.note, "a note");
    CHECK(got.attach_ns == 7 && got.gap_ns == INT64_MAX && got.was_running);
    CHECK_INT(got.output_fd, -1);
    CHECK_INT(got.previous_fd, 40);
    CHECK_INT(got.socket_fd, 41);
    CHECK(call.fds[0] == -1 && call.fds[1] == -1); /* taken: the rest would be closed */
    buf_done(&call.out);
}

static void descriptors_that_did_not_come_are_none(void)
{
    struct jvm_reply sent = JVM_REPLY_INIT(JVM_OK), got = JVM_REPLY_INIT(JVM_FAILED);
    sent.output_fd = 40;
    sent.previous_fd = 41;
    sent.socket_fd = 42;
    struct priv_call call = replied(&sent);
    int one[] = {50};
    jvm_reply_decode(call.out.p, call.out.len, one, 1, &got);
    CHECK_INT(got.output_fd, 50);
    CHECK_INT(got.previous_fd, -1);
    CHECK_INT(got.socket_fd, -1);
    buf_done(&call.out);
}

static void a_reply_that_is_cut_off_reads_nothing_beyond(void)
{
    struct jvm_reply sent = JVM_REPLY_INIT(JVM_OK);
    snprintf(sent.reason, sizeof sent.reason, "reason");
    struct priv_call call = replied(&sent);
    for (size_t n = 0; n < call.out.len; n++) {
        cleanup_free uint8_t *part = cut(&call.out, n);
        struct jvm_reply got = JVM_REPLY_INIT(JVM_FAILED);
        jvm_reply_decode(part, n, NULL, 0, &got);
        CHECK(got.outcome == JVM_FAILED || got.outcome == JVM_OK);
        CHECK(strlen(got.reason) <= strlen("reason"));
    }
    buf_done(&call.out);
}

static void texts_of_a_reply_end_whatever_the_child_sends(void)
{
    struct jvm_reply sent = JVM_REPLY_INIT(JVM_OK), got = JVM_REPLY_INIT(JVM_FAILED);
    struct priv_call call = replied(&sent);
    memset(call.out.p, 'x', call.out.len); /* no NUL anywhere, and every flag is set */
    jvm_reply_decode(call.out.p, call.out.len, NULL, 0, &got);
    CHECK_INT(strnlen(got.makeup.key, sizeof got.makeup.key), sizeof got.makeup.key - 1);
    CHECK_INT(strnlen(got.makeup.exe, sizeof got.makeup.exe), sizeof got.makeup.exe - 1);
    CHECK_INT(strnlen(got.makeup.main, sizeof got.makeup.main), sizeof got.makeup.main - 1);
    CHECK_INT(strnlen(got.makeup.build, sizeof got.makeup.build), sizeof got.makeup.build - 1);
    CHECK_INT(strnlen(got.degraded.why, sizeof got.degraded.why), sizeof got.degraded.why - 1);
    CHECK_INT(strnlen(got.note, sizeof got.note), sizeof got.note - 1);
    CHECK_STR(got.reason, "");
    CHECK_INT(got.output_fd, -1);
    buf_done(&call.out);
}

int main(void)
{
    RUN(a_request_arrives_as_it_was);
    RUN(what_a_request_leaves_out_is_empty);
    RUN(a_request_that_is_cut_off_reads_nothing_beyond);
    RUN(a_reply_arrives_as_it_was);
    RUN(descriptors_that_did_not_come_are_none);
    RUN(a_reply_that_is_cut_off_reads_nothing_beyond);
    RUN(texts_of_a_reply_end_whatever_the_child_sends);
    return REPORT();
}
