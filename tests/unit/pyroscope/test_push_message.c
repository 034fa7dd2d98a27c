#include "pyroscope/push_message.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

static const struct label labels[] = {{STR("__name__"), STR("memory")}, {STR("service_name"), STR("shop")}};
static const struct str profiles[] = {STR("first profile"), STR(""), STR("third")};

/* The whole message: heads and profiles in turn, as a client sends them. */
static void encode(struct buf *out, const struct series *series, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < series[i].profile_count; k++) {
            push_message_head(out, &series[i], k);
            buf_str(out, series[i].profiles[k]);
        }
    }
}

static void check_same(const struct series *got, const struct series *want)
{
    CHECK_INT(got->label_count, want->label_count);
    CHECK_INT(got->profile_count, want->profile_count);
    for (size_t i = 0; i < want->label_count && i < got->label_count; i++) {
        CHECK(str_eq(got->labels[i].name, want->labels[i].name));
        CHECK(str_eq(got->labels[i].value, want->labels[i].value));
    }
    for (size_t i = 0; i < want->profile_count && i < got->profile_count; i++)
        CHECK(str_eq(got->profiles[i], want->profiles[i]));
}

static void what_is_encoded_is_decoded(void)
{
    const struct series sent[] = {{labels, 2, profiles, 3}, {NULL, 0, profiles + 2, 1}, {labels + 1, 1, profiles, 2}};
    cleanup_buf struct buf body = BUF_INIT(4096);
    struct push_message m = PUSH_MESSAGE_INIT;
    struct err err = {0};
    encode(&body, sent, 3);
    CHECK_INT(push_message_decode(&m, buf_slice(&body), &err), 0);
    CHECK_INT(m.series_count, 3);
    for (size_t i = 0; i < 3 && i < m.series_count; i++)
        check_same(&m.series[i], &sent[i]);
    /* Nothing is copied that can be borrowed. */
    const char *first = m.series[0].profiles[0].p;
    CHECK(first > (const char *)body.p && first < (const char *)body.p + body.len);
    push_message_done(&m);
}

static void lengths_beyond_one_byte_agree_with_what_follows(void)
{
    static char long_text[20000];
    memset(long_text, 'x', sizeof long_text);
    static const size_t sizes[] = {0, 126, 127, 128, 16383, 16384, sizeof long_text};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const struct label label = {STR("name"), {long_text, sizes[i]}};
        const struct str profile = {long_text, sizes[i]};
        const struct series sent = {&label, 1, &profile, 1};
        cleanup_buf struct buf body = BUF_INIT(1 << 20);
        struct push_message m = PUSH_MESSAGE_INIT;
        struct err err = {0};
        encode(&body, &sent, 1);
        CHECK_INT(push_message_decode(&m, buf_slice(&body), &err), 0);
        CHECK_INT(m.series_count, 1);
        if (m.series_count == 1)
            check_same(&m.series[0], &sent);
        push_message_done(&m);
    }
}

static void every_cut_is_refused(void)
{
    const struct series sent = {labels, 2, profiles, 1};
    cleanup_buf struct buf body = BUF_INIT(4096);
    encode(&body, &sent, 1);
    for (size_t n = 1; n < body.len; n++) {
        struct push_message m = PUSH_MESSAGE_INIT;
        struct err err = {0};
        CHECK_INT(push_message_decode(&m, (struct str){(const char *)body.p, n}, &err), -EINVAL);
        CHECK_STR(err.text, "unmarshal message: unexpected EOF");
        push_message_done(&m);
    }
}

static void a_push_without_profiles_is_refused(void)
{
    static const struct str bodies[] = {
        {"", 0},
        {"\x12\x01x", 3},                /* an unknown field only */
        {"\x0a\x00", 2},                 /* one series with nothing in it */
        {"\x0a\x04\x0a\x02\x0a\x00", 6}, /* … with a label only */
    };
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct push_message m = PUSH_MESSAGE_INIT;
        struct err err = {0};
        CHECK_INT(push_message_decode(&m, bodies[i], &err), -EINVAL);
        CHECK_STR(err.text, "no profiles received");
        push_message_done(&m);
    }
}

static void unknown_fields_are_stepped_over(void)
{
    /* RawSample.ID is field 2; a varint and a fixed64 that nobody knows stand around it. */
    static const char body[] = "\x0a\x1a"
                               "\x18\x05"
                               "\x12\x0d\x0a\x05pprof\x12\x02id\x18\x07"
                               "\x21\x00\x00\x00\x00\x00\x00\x00\x00";
    struct push_message m = PUSH_MESSAGE_INIT;
    struct err err = {0};
    CHECK_INT(push_message_decode(&m, (struct str){body, sizeof body - 1}, &err), 0);
    CHECK_INT(m.series_count, 1);
    CHECK(m.series_count == 1 && m.series[0].profile_count == 1 && str_is(m.series[0].profiles[0], "pprof"));
    push_message_done(&m);
}

static void series_are_limited(void)
{
    cleanup_buf struct buf body = BUF_INIT(1 << 20);
    for (int i = 0; i <= PUSH_SERIES_MAX; i++)
        buf_append(&body, "\x0a\x00", 2);
    struct push_message m = PUSH_MESSAGE_INIT;
    struct err err = {0};
    CHECK_INT(push_message_decode(&m, buf_slice(&body), &err), -EINVAL);
    CHECK_STR(err.text, "10001 series in one push; limit 10000");
    push_message_done(&m);
}

static void labels_without_end_are_refused(void)
{
    /* Two bytes on the wire are 32 in memory: the arena is what bounds them. */
    static char series[PUSH_ARENA_MAX / 16];
    for (size_t i = 0; i + 1 < sizeof series; i += 2)
        memcpy(series + i, "\x0a\x00", 2);
    cleanup_buf struct buf body = BUF_INIT(sizeof series + 16);
    const size_t n = sizeof series / 2 * 2;
    buf_append(&body, "\x0a", 1);
    for (size_t v = n; v; v >>= 7)
        buf_byte(&body, (uint8_t)(v & 0x7f) | (v >> 7 ? 0x80 : 0));
    buf_append(&body, series, n);
    struct push_message m = PUSH_MESSAGE_INIT;
    struct err err = {0};
    CHECK_INT(push_message_decode(&m, buf_slice(&body), &err), -EINVAL);
    CHECK_STR(err.text, "too many labels or samples in one push");
    push_message_done(&m);
}

int main(void)
{
    RUN(what_is_encoded_is_decoded);
    RUN(lengths_beyond_one_byte_agree_with_what_follows);
    RUN(every_cut_is_refused);
    RUN(a_push_without_profiles_is_refused);
    RUN(unknown_fields_are_stepped_over);
    RUN(series_are_limited);
    RUN(labels_without_end_are_refused);
    return REPORT();
}
