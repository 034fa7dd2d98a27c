#include "api/page/name_match.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "flame_stacks.h"
#include "test.h"

static bool is_meant(const char *pattern, const char *name)
{
    struct err err = {0};
    struct name_matches m = {0};
    CHECK_INT(name_matches_add(&m, str_of(pattern), &err), 0);
    const bool meant = name_matches(&m, str_of(name));
    name_matches_done(&m);
    return meant;
}

static void a_whole_name_may_be_open_at_either_end(void)
{
    CHECK(is_meant("\"java.util.*\"", "java/util/HashMap.get"));
    CHECK(is_meant("\"java/util/*\"", "java/util/HashMap.get"));
    CHECK(!is_meant("\"java.util.*\"", "com/java/util/Thing.get"));
    CHECK(is_meant("\"*.get\"", "java/util/HashMap.get"));
    CHECK(!is_meant("\"*.get\"", "java/util/HashMap.getNode"));
    CHECK(is_meant("\"*HashMap*\"", "java/util/HashMap.getNode"));
    CHECK(is_meant("\"*\"", "anything"));
    CHECK(!is_meant("\"java.util.HashMap\"", "java/util/HashMap.get"));
    CHECK(is_meant("hashmap", "java/util/HashMap.get"));
    CHECK(is_meant("/util.Hash(Map|Set)/", "java/util/HashMap.get"));
}

static void any_of_several_will_do(void)
{
    struct err err = {0};
    struct name_matches m = {0};
    cleanup_flame struct flame f;
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add_stack(&f, "a/B.run;c/D.run", 1);
    CHECK(!name_matches_of(&m, &f));
    CHECK_INT(name_matches_add(&m, STR("\"a.*\""), &err), 0);
    CHECK_INT(name_matches_add(&m, STR("\"d.*\""), &err), 0);
    cleanup_free bool *marks = name_matches_of(&m, &f);
    CHECK_INT(marks[0], false);
    CHECK_INT(marks[1], true);
    CHECK_INT(marks[2], false);
    name_matches_done(&m);
}

static void patterns_are_limited(void)
{
    struct err err = {0};
    struct name_matches m = {0};
    for (int i = 0; i < NAME_MATCHES_MAX; i++)
        CHECK_INT(name_matches_add(&m, STR("a"), &err), 0);
    CHECK_INT(name_matches_add(&m, STR("a"), &err), -EINVAL);
    CHECK_HAS(err.text, "more than 16");
    name_matches_done(&m);
    CHECK_INT(name_matches_add(&m, STR("/(/"), &err), -EINVAL);
    CHECK_INT(m.len, 0);
}

int main(void)
{
    RUN(a_whole_name_may_be_open_at_either_end);
    RUN(any_of_several_will_do);
    RUN(patterns_are_limited);
    return REPORT();
}
