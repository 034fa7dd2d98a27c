#include "pyroscope/push_body.h"

#include <errno.h>

#include "base/gzip.h"
#include "pyroscope/push_message.h"
#include "test.h"

enum { MAX = 1 << 16 };

static int serve(enum connect_codec codec, bool gzip, struct str body, struct buf *out, struct err *err)
{
    const struct push_body how = {codec, gzip};
    const struct parser_item item = {{(const char *)&how, sizeof how}, body};
    *out = BUF_INIT(MAX);
    return push_body_service.serve(&item, 1, out, err);
}

/* Two series, of two profiles and of one. */
static struct buf request(void)
{
    static const struct label labels[] = {{STR("__name__"), STR("cpu")}, {STR("zone"), STR("")}};
    static const struct str profiles[] = {STR("first"), STR("second"), STR("third")};
    const struct series series[] = {{labels, 2, profiles, 2}, {labels, 1, profiles + 2, 1}};
    struct buf out = BUF_INIT(MAX);
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < series[i].profile_count; k++) {
            push_message_head(&out, &series[i], k);
            buf_str(&out, series[i].profiles[k]);
        }
    }
    return out;
}

static void the_answer_is_the_same_request_in_plain_protobuf(void)
{
    struct err err = {0};
    struct buf answer;
    cleanup_buf struct buf rq = request(), packed = BUF_INIT(MAX);
    CHECK_INT(gzip_deflate(buf_slice(&rq), 6, &packed), 0);
    CHECK_INT(serve(CONNECT_PROTO, true, buf_slice(&packed), &answer, &err), 0);
    CHECK(str_eq(buf_slice(&answer), buf_slice(&rq)));
    buf_done(&answer);
    CHECK_INT(serve(CONNECT_PROTO, false, buf_slice(&rq), &answer, &err), 0);
    CHECK(str_eq(buf_slice(&answer), buf_slice(&rq)));
    buf_done(&answer);
}

static void json_becomes_protobuf(void)
{
    struct err err = {0};
    struct buf answer;
    struct push_message m = PUSH_MESSAGE_INIT;
    CHECK_INT(serve(CONNECT_JSON, false,
                    STR("{\"series\":[{\"labels\":[{\"name\":\"a\",\"value\":\"b\"}],\"samples\":[{\"rawProfile\":"
                        "\"anNvbg==\"}]}]}"),
                    &answer, &err),
              0);
    CHECK_INT(push_message_decode(&m, buf_slice(&answer), &err), 0);
    CHECK_INT(m.series_count, 1);
    if (m.series_count == 1) {
        CHECK(str_is(m.series[0].labels[0].name, "a"));
        CHECK(str_is(m.series[0].labels[0].value, "b"));
        CHECK(str_is(m.series[0].profiles[0], "json"));
    }
    push_message_done(&m);
    buf_done(&answer);
}

static void what_is_wrong_is_said_as_by_the_reference(void)
{
    struct err err = {0};
    struct buf answer;
    CHECK_INT(serve(CONNECT_JSON, false, STR(" "), &answer, &err), -EINVAL);
    CHECK_HAS(err.text, "zero-length payload is not a valid JSON object");
    CHECK_INT(serve(CONNECT_PROTO, true, STR("not gzip"), &answer, &err), -EBADMSG);
    CHECK_HAS(err.text, "gzip: ");
    CHECK_INT(serve(CONNECT_PROTO, false, STR(""), &answer, &err), -EINVAL);
    CHECK_STR(err.text, "no profiles received");
    CHECK_INT(answer.len, 0);
}

int main(void)
{
    RUN(the_answer_is_the_same_request_in_plain_protobuf);
    RUN(json_becomes_protobuf);
    RUN(what_is_wrong_is_said_as_by_the_reference);
    return REPORT();
}
