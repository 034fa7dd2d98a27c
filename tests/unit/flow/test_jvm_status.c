#include "flow/jvm_status.h"

#include "test.h"

static struct value *member(const struct value *v, const char *name)
{
    return value_member(v, str_of(name));
}

static void a_status_becomes_an_object_with_every_member(void)
{
    struct labels_builder b = LABELS_BUILDER_INIT;
    labels_set(&b, STR("__process_pid__"), STR("4711"));
    labels_set(&b, STR("zone"), STR("eu"));
    struct labels *labels = labels_build(&b, false);
    const struct jvm_status status = {
        .pid = 4711,
        .start_time = 815,
        .service_name = STR("shop"),
        .main = STR("shop.jar"),
        .state = "profiling",
        .reason = "no kernel stacks",
        .code = "events_missing",
        .remedy = "allow perf events",
        .since_ns = 1700000000LL * 1000000000 + 999999999,
        .next_profile_ns = 8000000001,
        .profiles = 3,
        .samples = UINT64_MAX,
        .labels = labels,
    };
    struct value *v = jvm_status_value(&status);
    CHECK_INT(value_len(v), 14);
    CHECK_INT(value_as_int(member(v, "pid")), 4711);
    CHECK_INT(value_as_int(member(v, "start_time")), 815);
    CHECK(str_is(value_as_str(member(v, "service_name")), "shop"));
    CHECK(str_is(value_as_str(member(v, "main")), "shop.jar"));
    CHECK(str_is(value_as_str(member(v, "state")), "profiling"));
    CHECK(str_is(value_as_str(member(v, "reason")), "no kernel stacks"));
    CHECK(str_is(value_as_str(member(v, "reason_code")), "events_missing"));
    CHECK(str_is(value_as_str(member(v, "remedy")), "allow perf events"));
    CHECK(str_is(value_as_str(member(v, "since")), "2023-11-14T22:13:20Z"));
    CHECK(str_is(value_as_str(member(v, "last_profile")), ""));
    CHECK_INT(value_as_int(member(v, "next_profile_seconds")), 9);
    CHECK_INT(value_as_int(member(v, "profiles")), 3);
    const struct value *shown = member(v, "labels");
    CHECK_INT(value_len(shown), 1);
    CHECK(str_is(value_as_str(member(shown, "zone")), "eu"));
    value_unref(v);
    labels_unref(labels);
    labels_builder_done(&b);
}

static void what_is_not_known_is_empty(void)
{
    struct value *v = jvm_status_value(&(struct jvm_status){.state = "waiting", .reason = ""});
    CHECK(str_is(value_as_str(member(v, "service_name")), ""));
    CHECK(str_is(value_as_str(member(v, "since")), ""));
    CHECK_INT(value_as_int(member(v, "next_profile_seconds")), 0);
    CHECK_INT(value_len(member(v, "labels")), 0);
    value_unref(v);
}

int main(void)
{
    RUN(a_status_becomes_an_object_with_every_member);
    RUN(what_is_not_known_is_empty);
    return REPORT();
}
