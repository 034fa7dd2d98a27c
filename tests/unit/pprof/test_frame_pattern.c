#include "pprof/frame_pattern.h"

#include <errno.h>

#include "test.h"

static bool matches(const char *pattern, const char *name)
{
    cleanup_frame_patterns struct frame_patterns p = {0};
    struct err err = {0};
    CHECK_INT(frame_patterns_add(&p, pattern, &err), 0);
    CHECK_STR(err.text, "");
    return frame_patterns_match(&p, str_of(name));
}

static void a_pattern_is_a_name_with_stars_at_its_ends(void)
{
    CHECK(matches("java/util/HashMap.get", "java/util/HashMap.get"));
    CHECK(!matches("java/util/HashMap", "java/util/HashMap.get"));
    CHECK(matches("java/util/*", "java/util/HashMap.get"));
    CHECK(matches("*.get", "java/util/HashMap.get"));
    CHECK(matches("*Map*", "java/util/HashMap.get"));
    CHECK(!matches("*map*", "java/util/HashMap.get"));
    CHECK(matches("*", ""));
    CHECK(!matches("a", ""));
}

static void names_of_java_are_met_in_both_spellings(void)
{
    CHECK(matches("java.util.HashMap.get", "java/util/HashMap.get"));
    CHECK(matches("/java[.]util[.]Hash/", "java/util/HashMap.get"));
    CHECK(!matches("java/util/HashMap.get", "java.util.HashMap.get"));
}

static void a_regular_expression_stands_between_slashes(void)
{
    CHECK(matches("/Map/", "java/util/HashMap.get"));
    CHECK(matches("/^java.*[.]get$/", "java/util/HashMap.get"));
    CHECK(matches("/java/util/", "java/util/HashMap.get"));
    CHECK(matches("/get|put/", "java/util/HashMap.put"));
    CHECK(!matches("/^Map/", "java/util/HashMap.get"));
    CHECK(!matches("//", "java/util/HashMap.get"));
}

static void what_is_no_regular_expression_is_said(void)
{
    cleanup_frame_patterns struct frame_patterns p = {0};
    struct err err = {0};
    CHECK_INT(frame_patterns_add(&p, "/(a/", &err), -EINVAL);
    CHECK_HAS(err.text, "\"/(a/\" is not a regular expression: ");
    CHECK_INT(p.len, 0);
}

static void any_of_several_matches_and_none_of_none(void)
{
    cleanup_frame_patterns struct frame_patterns p = {0};
    struct err err = {0};
    CHECK(!frame_patterns_match(&p, STR("a")));
    CHECK_INT(frame_patterns_add(&p, "a", &err), 0);
    CHECK_INT(frame_patterns_add(&p, "/b+/", &err), 0);
    CHECK(frame_patterns_match(&p, STR("a")));
    CHECK(frame_patterns_match(&p, STR("xbbx")));
    CHECK(!frame_patterns_match(&p, STR("c")));
}

int main(void)
{
    RUN(a_pattern_is_a_name_with_stars_at_its_ends);
    RUN(names_of_java_are_met_in_both_spellings);
    RUN(a_regular_expression_stands_between_slashes);
    RUN(what_is_no_regular_expression_is_said);
    RUN(any_of_several_matches_and_none_of_none);
    return REPORT();
}
