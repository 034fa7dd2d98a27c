#include "pyroscope/push_json.h"

#include <errno.h>

#include "base/cleanup.h"
#include "test.h"

static int decode(struct push_message *m, const char *text, struct err *err)
{
    *m = PUSH_MESSAGE_INIT;
    *err = (struct err){0};
    return push_json_decode(m, str_of(text), err);
}

static void reads_series_labels_and_samples(void)
{
    struct push_message m;
    struct err err;
    CHECK_INT(decode(&m,
                     "{\"series\":[{\"labels\":[{\"name\":\"__name__\",\"value\":\"memory\"},{\"name\":\"zone\"}],"
                     "\"samples\":[{\"rawProfile\":\"cHByb2Y=\",\"ID\":\"x\"},{\"raw_profile\":\"AQI\"}]},"
                     "{\"samples\":[{}]}]}",
                     &err),
              0);
    CHECK_INT(m.series_count, 2);
    CHECK_INT(m.series[0].label_count, 2);
    CHECK(str_is(m.series[0].labels[0].name, "__name__") && str_is(m.series[0].labels[0].value, "memory"));
    CHECK(str_is(m.series[0].labels[1].name, "zone") && m.series[0].labels[1].value.n == 0);
    CHECK_INT(m.series[0].profile_count, 2);
    CHECK(str_is(m.series[0].profiles[0], "pprof"));
    CHECK(str_is(m.series[0].profiles[1], "\x01\x02"));
    CHECK_INT(m.series[1].label_count, 0);
    CHECK(m.series[1].profile_count == 1 && m.series[1].profiles[0].n == 0);
    push_message_done(&m);
}

static void reads_base64_of_either_alphabet_padded_or_not(void)
{
    static const struct {
        const char *coded;
        struct str plain;
    } table[] = {
        {"", {"", 0}},
        {"AA==", {"\0", 1}},
        {"AA", {"\0", 1}},
        {"AAE=", {"\0\x01", 2}},
        {"AAEC", {"\0\x01\x02", 3}},
        {"+/+/", {"\xfb\xff\xbf", 3}},
        {"-_-_", {"\xfb\xff\xbf", 3}},
        {"AAECAw", {"\0\x01\x02\x03", 4}},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[128];
        snprintf(text, sizeof text, "{\"series\":[{\"samples\":[{\"rawProfile\":\"%s\"}]}]}", table[i].coded);
        struct push_message m;
        struct err err;
        CHECK_INT(decode(&m, text, &err), 0);
        CHECK(m.series_count == 1 && str_eq(m.series[0].profiles[0], table[i].plain));
        push_message_done(&m);
    }
}

static void null_is_unset(void)
{
    struct push_message m;
    struct err err;
    CHECK_INT(decode(&m, "{\"series\":[{\"labels\":null,\"samples\":[{\"rawProfile\":null}]}]}", &err), 0);
    CHECK(m.series_count == 1 && m.series[0].label_count == 0 && m.series[0].profile_count == 1);
    push_message_done(&m);
    CHECK_INT(decode(&m, "{\"series\":null}", &err), -EINVAL);
    CHECK_STR(err.text, "no profiles received");
    push_message_done(&m);
}

static void refuses_what_is_no_push(void)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"", "zero-length payload is not a valid JSON object"},
        {" \n", "zero-length payload"},
        {"{", "unmarshal into *pushv1.PushRequest"},
        {"[]", "PushRequest: wrong type"},
        {"{\"series\":{}}", "PushRequest: wrong type"},
        {"{\"series\":[1]}", "series: wrong type"},
        {"{\"series\":[{\"labels\":{}}]}", "series: wrong type"},
        {"{\"series\":[{\"labels\":[1]}]}", "labels: wrong type"},
        {"{\"series\":[{\"labels\":[{\"name\":1}]}]}", "labels: wrong type"},
        {"{\"series\":[{\"samples\":[1]}]}", "rawProfile: not base64"},
        {"{\"series\":[{\"samples\":[{\"rawProfile\":7}]}]}", "rawProfile: not base64"},
        {"{\"series\":[{\"samples\":[{\"rawProfile\":\"a\"}]}]}", "rawProfile: not base64"},
        {"{\"series\":[{\"samples\":[{\"rawProfile\":\"a*bc\"}]}]}", "rawProfile: not base64"},
        {"{\"series\":[]}", "no profiles received"},
        {"{\"series\":[{\"samples\":[]}]}", "no profiles received"},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct push_message m;
        struct err err;
        CHECK_INT(decode(&m, table[i].text, &err), -EINVAL);
        CHECK_HAS(err.text, table[i].want);
        push_message_done(&m);
    }
}

int main(void)
{
    RUN(reads_series_labels_and_samples);
    RUN(reads_base64_of_either_alphabet_padded_or_not);
    RUN(null_is_unset);
    RUN(refuses_what_is_no_push);
    return REPORT();
}
