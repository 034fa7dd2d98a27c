#include "pyroscope/push_verdict.h"

#include "test.h"

static void reads_the_limit_a_profile_exceeds(void)
{
    static const struct {
        const char *reason;
        enum push_limit_kind kind;
        int64_t most;
    } cases[] = {
        {"the profile with labels '{a=\"limit: 5\"}' exceeds the samples count limit "
         "(max_profile_stacktrace_samples, actual: 16001, limit: 16000)",
         PUSH_LIMIT_SAMPLES, 16000},
        {"the profile with labels '{}' exceeds the size limit (max_profile_size_byte, actual: 5, limit: 4194304)",
         PUSH_LIMIT_BYTES, 4194304},
        {"uncompressed profile payload size exceeds limit of 4.2 MB", PUSH_LIMIT_BYTES, 0},
        {"profile series '{a=\"b\"}' has 32 label names; limit 30", PUSH_LIMIT_LABELS, 30},
        {"profile with labels '{}' has label value too long: 'xxxx'", PUSH_LIMIT_LABEL_VALUE, 0},
        {"resource_exhausted: push rate limit (4.0 MiB) exceeded while adding 2.9 MiB", PUSH_LIMIT_RATE, 0},
        {"no profiles received", PUSH_LIMIT_NONE, 0},
        {"max_profile_size_byte, limit: 99999999999999999999999", PUSH_LIMIT_BYTES, 999999999999999999},
        {"", PUSH_LIMIT_NONE, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct push_limit limit = push_limit_of(str_of(cases[i].reason));
        CHECK_INT(limit.kind, cases[i].kind);
        CHECK_INT(limit.most, cases[i].most);
    }
}

static void each_profile_has_its_own_verdict(void)
{
    static const char message[] = "3 errors: push series with index 1 and id B failed: invalid_argument: no\n; push "
                                  "series with index 2 and id C failed: rpc error: full; push series with index 3 "
                                  "and id D failed: resource_exhausted: push rate limit (1) exceeded";
    const struct str ids[] = {STR("A"), STR("B"), STR("C"), STR("D"), STR("")};
    struct push_verdict v[5];
    CHECK(push_verdicts_read(STR(message), PUSH_RETRY, true, ids, 5, v));
    CHECK_INT(v[0].result, PUSH_OK);
    CHECK_INT(v[1].result, PUSH_REJECTED);
    CHECK_STR(v[1].reason, "invalid_argument: no ");
    CHECK_INT(v[2].result, PUSH_RETRY);
    CHECK_STR(v[2].reason, "rpc error: full");
    CHECK_INT(v[3].result, PUSH_RETRY);
    CHECK_INT(v[4].result, PUSH_OK);
    CHECK(push_verdicts_read(STR(message), PUSH_REJECTED, false, ids, 5, v));
    CHECK_INT(v[2].result, PUSH_REJECTED);
    CHECK_INT(v[3].result, PUSH_REJECTED);
}

static void an_answer_that_names_none_is_no_verdict(void)
{
    const struct str ids[] = {STR("A"), STR("")};
    struct push_verdict v[2];
    CHECK(!push_verdicts_read(STR("invalid_argument: no profiles received"), PUSH_REJECTED, true, ids, 2, v));
    CHECK(!push_verdicts_read(STR("push series with index 0 and id  failed: x"), PUSH_REJECTED, true, ids, 2, v));
    CHECK(!push_verdicts_read(STR(""), PUSH_REJECTED, true, ids, 2, v));
}

static void label_sets_make_room_for_the_cause(void)
{
    char out[64];
    push_verdict_shorten(STR("labels '{a=\"1\", b=\"2\"}' are\ttoo many; '{c' not"), out, sizeof out);
    CHECK_STR(out, "labels '{…}' are too many; '{c' not");
    push_verdict_shorten(STR("12345678"), out, 5);
    CHECK_STR(out, "1234");
    push_verdict_shorten(STR("'{a}'x"), out, 4);
    CHECK(strlen(out) < 4);
}

int main(void)
{
    RUN(reads_the_limit_a_profile_exceeds);
    RUN(each_profile_has_its_own_verdict);
    RUN(an_answer_that_names_none_is_no_verdict);
    RUN(label_sets_make_room_for_the_cause);
    return REPORT();
}
