#include "pyroscope/ingest_body.h"

#include <errno.h>

#include "base/gzip.h"
#include "pprof/decode.h"
#include "pprof/recording.h"
#include "pprof/text.h"
#include "pprof_maker.h"
#include "pyroscope/push_message.h"
#include "test.h"

enum { MAX = 16 << 20 };
#define SECOND INT64_C(1000000000)
#define FROM   (INT64_C(1700000000) * SECOND)

static struct err error;

static int serve(struct ingest_how how, const char *type, struct str body, struct buf *out)
{
    static const char labels[] = "service_name\0shop\0zone\0eu\0";
    cleanup_buf struct buf head = BUF_INIT(4096);
    how.labels_size = sizeof labels - 1;
    how.from_ns = FROM;
    how.until_ns = FROM + 10 * SECOND;
    how.sample_rate = 100;
    buf_append(&head, &how, sizeof how);
    buf_append(&head, labels, sizeof labels - 1);
    buf_puts(&head, type);
    const struct parser_item item = {buf_slice(&head), body};
    error = (struct err){0};
    return ingest_body_service.serve(&item, 1, out, &error);
}

/* "process_cpu zone=eu 1700000000s+10s cpu:nanoseconds/10000000 main;work 20; | …" of the push that comes of it. */
static void describe(struct str push, struct buf *text)
{
    struct push_message m = PUSH_MESSAGE_INIT;
    CHECK_INT(push_message_decode(&m, push, &error), 0);
    for (size_t i = 0; i < m.series_count; i++) {
        cleanup_symbols struct symbols symbols;
        struct profile p;
        symbols_init(&symbols, MAX);
        CHECK_INT(m.series[i].profile_count, 1);
        const struct str bytes = m.series[i].profiles[0];
        CHECK_INT(pprof_decode(bytes.p, bytes.n, MAX, &symbols, &p, &error), 0);
        buf_puts(text, i ? " | " : "");
        for (size_t k = 0; k < m.series[i].label_count; k++)
            buf_printf(text, "%.*s=%.*s ", STR_ARG(m.series[i].labels[k].name), STR_ARG(m.series[i].labels[k].value));
        buf_printf(text, "%llds+%llds", (long long)(p.time_nanos / SECOND), (long long)(p.duration_nanos / SECOND));
        for (size_t k = 0; k < p.type_count; k++)
            buf_printf(text, " %.*s:%.*s", STR_ARG(symbols.strings[p.types[k].type]),
                       STR_ARG(symbols.strings[p.types[k].unit]));
        buf_printf(text, "/%lld ", (long long)p.period);
        pprof_text(&p, PPROF_TEXT_COLLAPSED, text);
        profile_done(&p);
    }
    push_message_done(&m);
}

static void check(struct ingest_how how, const char *type, struct str body, const char *want)
{
    cleanup_buf struct buf push = BUF_INIT(MAX), text = BUF_INIT(MAX);
    CHECK_INT(serve(how, type, body, &push), 0);
    describe(buf_slice(&push), &text);
    CHECK_STR(buf_cstr(&text), want);
}

static uint32_t type_of(const char *application)
{
    uint32_t type = 0;
    struct str service;
    struct err err = {0};
    CHECK_INT(ingest_type_of(str_of(application), &type, &service, &err), 0);
    return type;
}

#define LABELS "service_name=shop zone=eu "

static void collapsed_stacks_become_a_profile(void)
{
    static const char body[] = "main;work 2\nnothing\nmain;say hello there 3\r\nmain;work 4\n\nmain;zero 0";
    check((struct ingest_how){INGEST_FOLDED}, "", STR(body),
          LABELS "__name__=process_cpu 1700000000s+10s cpu:nanoseconds/10000000 main;say hello there 30000000\n"
                 "main;work 60000000\n");
    check((struct ingest_how){INGEST_FOLDED, .type = type_of("shop.alloc_space")}, "", STR(body),
          LABELS "__name__=memory 1700000000s+10s alloc_space:bytes/0 main;say hello there 3\nmain;work 6\n");
    check((struct ingest_how){INGEST_LINES}, "", STR("a;b\na;b\nc\n"),
          LABELS "__name__=process_cpu 1700000000s+10s cpu:nanoseconds/10000000 a;b 20000000\nc 10000000\n");
}

static void a_compressed_body_is_inflated(void)
{
    cleanup_buf struct buf packed = BUF_INIT(MAX);
    CHECK_INT(gzip_deflate(STR("a;b 1\n"), 6, &packed), 0);
    check((struct ingest_how){INGEST_FOLDED, .gzip = true}, "", buf_slice(&packed),
          LABELS "__name__=process_cpu 1700000000s+10s cpu:nanoseconds/10000000 a;b 10000000\n");
    cleanup_buf struct buf out = BUF_INIT(MAX);
    CHECK_INT(serve((struct ingest_how){INGEST_FOLDED, .gzip = true}, "", STR("not gzip"), &out), -EBADMSG);
}

static void wrong_values_are_refused(void)
{
    cleanup_buf struct buf out = BUF_INIT(MAX);
    CHECK_INT(serve((struct ingest_how){INGEST_FOLDED}, "", STR("a;b x\n"), &out), -EINVAL);
    CHECK_STR(error.text, "strconv.Atoi: parsing \"x\": invalid syntax");
    CHECK_INT(serve((struct ingest_how){INGEST_FOLDED}, "", STR("a 9223372036854775807\n"), &out), -EINVAL);
    CHECK_INT(serve((struct ingest_how){INGEST_FOLDED}, "", STR(""), &out), 0);
    CHECK_INT(out.len, 0);
}

static void a_pprof_is_named_by_its_types(void)
{
    static const struct made_sample sample = {"main;work", {5, 7}, NULL};
    struct made_profile made = {.types = {{"alloc_objects", "count"}, {"alloc_space", "bytes"}},
                                .samples = &sample,
                                .n = 1,
                                .time_ns = FROM + SECOND};
    cleanup_buf struct buf timed = make_profile(&made), packed = BUF_INIT(MAX), part = BUF_INIT(MAX);
    check((struct ingest_how){INGEST_PPROF}, "", buf_slice(&timed),
          LABELS "__name__=memory 1700000001s+0s alloc_objects:count alloc_space:bytes/0 main;work 5\n");
    /* Without a time it has that of the request; in a multipart body, and compressed. */
    made.time_ns = 0;
    cleanup_buf struct buf plain = make_profile(&made);
    CHECK_INT(gzip_deflate(buf_slice(&plain), 6, &packed), 0);
    buf_puts(&part, "--b\r\nContent-Disposition: form-data; name=\"sample_type_config\"\r\n\r\n{}\r\n--b\r\n"
                    "Content-Disposition: form-data; name=\"profile\"\r\n\r\n");
    buf_str(&part, buf_slice(&packed));
    buf_puts(&part, "\r\n--b--\r\n");
    check((struct ingest_how){INGEST_PPROF}, "multipart/form-data; boundary=b", buf_slice(&part),
          LABELS "__name__=memory 1700000000s+0s alloc_objects:count alloc_space:bytes/0 main;work 5\n");
}

static void a_mutex_and_a_block_profile_are_told_apart_by_their_part(void)
{
    static const struct made_sample sample = {"main;work", {5, 7}, NULL};
    const struct made_profile made = {
        .types = {{"contentions", "count"}, {"delay", "nanoseconds"}}, .samples = &sample, .n = 1, .time_ns = FROM};
    cleanup_buf struct buf profile = make_profile(&made), part = BUF_INIT(MAX), out = BUF_INIT(MAX);
    buf_puts(&part, "--b\r\nContent-Disposition: form-data; name=\"profile\"\r\n\r\n");
    buf_str(&part, buf_slice(&profile));
    buf_puts(&part, "\r\n--b\r\nContent-Disposition: form-data; name=\"sample_type_config\"\r\n\r\n");
    const size_t before = part.len;
    buf_puts(&part, "{\"contentions\":{\"display-name\":\"block_count\"}}\r\n--b--\r\n");
    check((struct ingest_how){INGEST_PPROF}, "multipart/form-data; boundary=b", buf_slice(&part),
          LABELS "__name__=block 1700000000s+0s contentions:count delay:nanoseconds/0 main;work 5\n");
    check((struct ingest_how){INGEST_PPROF}, "", buf_slice(&profile),
          LABELS "__name__=mutex 1700000000s+0s contentions:count delay:nanoseconds/0 main;work 5\n");
    part.len = before;
    buf_puts(&part, "{\r\n--b--\r\n");
    CHECK_INT(serve((struct ingest_how){INGEST_PPROF}, "multipart/form-data; boundary=b", buf_slice(&part), &out),
              -EINVAL);
    CHECK_HAS(error.text, "sample_type_config: ");
}

static void what_is_no_pprof_is_refused(void)
{
    cleanup_buf struct buf out = BUF_INIT(MAX);
    static const char old[] = "--b\r\nContent-Disposition: form-data; name=\"prev_profile\"\r\n\r\nx\r\n--b--";
    CHECK_INT(serve((struct ingest_how){INGEST_PPROF}, "", STR("by no means"), &out), -EBADMSG);
    CHECK_INT(serve((struct ingest_how){INGEST_PPROF}, "multipart/form-data; boundary=b", STR(old), &out), -EINVAL);
    CHECK_HAS(error.text, "unsupported client version");
    CHECK_INT(serve((struct ingest_how){INGEST_PPROF}, "multipart/form-data; boundary=c", STR(old), &out), -EINVAL);
    CHECK_HAS(error.text, "no part \"profile\"");
}

static void a_recording_becomes_a_profile_per_type(void)
{
    struct chunk_builder c = recording_begin();
    recording_setting(&c, "event", "cpu");
    recording_setting(&c, "interval", "10000000");
    recording_execution(&c, STACK_WORK, THREAD_MAIN, STATE_RUNNABLE);
    recording_tlab(&c, STACK_WORK, THREAD_MAIN, 4096);
    recording_end(&c);
    cleanup_buf struct buf push = BUF_INIT(MAX), text = BUF_INIT(MAX), part = BUF_INIT(MAX);
    CHECK_INT(serve((struct ingest_how){INGEST_JFR}, "", buf_slice(&c.b), &push), 0);
    describe(buf_slice(&push), &text);
    CHECK_HAS(buf_cstr(&text), "__name__=memory jfr_event=cpu ");
    CHECK_HAS(buf_cstr(&text), "__name__=process_cpu jfr_event=cpu ");
    CHECK_HAS(buf_cstr(&text), " cpu:nanoseconds/10000000 ");
    buf_puts(&part, "--b\r\nContent-Disposition: form-data; name=\"jfr\"\r\n\r\n");
    buf_str(&part, buf_slice(&c.b));
    buf_puts(&part, "\r\n--b--\r\n");
    cleanup_buf struct buf again = BUF_INIT(MAX);
    CHECK_INT(serve((struct ingest_how){INGEST_JFR}, "multipart/form-data; boundary=b", buf_slice(&part), &again), 0);
    CHECK_INT(again.len, push.len);
    CHECK_INT(serve((struct ingest_how){INGEST_JFR}, "", STR("FLR no chunk"), &again), -EBADMSG);
    CHECK_HAS(error.text, "no JFR chunk can be read");
    chunk_done(&c);
}

static void an_application_may_end_with_its_type(void)
{
    uint32_t type = 0;
    struct str service;
    struct err err = {0};
    CHECK_INT(ingest_type_of(STR("shop.wall"), &type, &service, &err), 0);
    CHECK(str_is(service, "shop"));
    CHECK_INT(ingest_type_of(STR("shop"), &type, &service, &err), 0);
    CHECK(str_is(service, "shop"));
    CHECK_INT(type, 0);
    CHECK_INT(ingest_type_of(STR("shop.foo"), &type, &service, &err), -EINVAL);
    CHECK_STR(err.text, "unknown profile type: foo");
}

int main(void)
{
    RUN(collapsed_stacks_become_a_profile);
    RUN(a_compressed_body_is_inflated);
    RUN(wrong_values_are_refused);
    RUN(a_pprof_is_named_by_its_types);
    RUN(a_mutex_and_a_block_profile_are_told_apart_by_their_part);
    RUN(what_is_no_pprof_is_refused);
    RUN(a_recording_becomes_a_profile_per_type);
    RUN(an_application_may_end_with_its_type);
    return REPORT();
}
