#include "api/page/function_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "flame_stacks.h"
#include "test.h"

static struct flame f;

static void set_up(void)
{
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add_stack(&f, "main;work;work;rest", 5);
    flame_add_stack(&f, "main;work", 3);
    flame_add_stack(&f, "main;\"odd\"", 1);
    flame_finish(&f);
}

static void check_table(int line, struct function_table t, const char *want)
{
    struct err err = {0};
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    t.flame = &f;
    CHECK_INT(function_table_put(&t, &out, &err), 0);
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: %s, want %s", line, buf_cstr(&out), want);
}
#define CHECK_TABLE(want, ...) check_table(__LINE__, (struct function_table){__VA_ARGS__}, want)

static void functions_are_sorted_and_the_first_are_shown(void)
{
    const struct name_matches all = {0};
    set_up();
    CHECK_TABLE("\"count\":4,\"found\":4,\"functions\":[[\"rest\",5,5],[\"work\",3,8],[\"\\\"odd\\\"\",1,1],"
                "[\"main\",0,9]]",
                .search = &all);
    CHECK_TABLE("\"count\":4,\"found\":4,\"functions\":[[\"main\",0,9],[\"work\",3,8]]", .search = &all,
                .sort = STR("total"), .limit = 2);
    CHECK_TABLE("\"count\":4,\"found\":4,\"functions\":[[\"\\\"odd\\\"\",1,1],[\"main\",0,9]]", .search = &all,
                .sort = STR("name"), .limit = 2);
    flame_done(&f);
}

static void those_searched_for_are_counted(void)
{
    struct err err = {0};
    struct name_matches some = {0};
    set_up();
    CHECK_INT(name_matches_add(&some, STR("/^(work|main)$/"), &err), 0);
    CHECK_TABLE("\"count\":4,\"found\":2,\"functions\":[[\"work\",3,8]]", .search = &some, .limit = 1);
    name_matches_done(&some);
    flame_done(&f);
}

/* work: 8 of 10 before, 10 of 100 after; rest: 2 of 10, then 89 of 100. */
static void changes_are_those_of_shares(void)
{
    const struct name_matches all = {0};
    flame_init(&f, FLAME_NODES_MAX, FLAME_NAME_BYTES_MAX);
    flame_add_stack(&f, "main;work", 1);
    flame_add_stack(&f, "main;rest", 1);
    flame_finish(&f);
    const int64_t before_self[] = {0, 0, 8, 2}, before[] = {10, 10, 8, 2};
    const int64_t after_self[] = {0, 1, 10, 89}, after[] = {100, 100, 10, 89};
    CHECK_TABLE("\"count\":3,\"found\":3,\"functions\":[[\"work\",8,8,10,10],[\"rest\",2,2,89,89],"
                "[\"main\",0,10,1,100]]",
                .search = &all, .self = {before_self, after_self}, .total = {before, after});
    flame_done(&f);
}

static void what_cannot_be_sorted_by_is_said(void)
{
    const struct name_matches all = {0};
    struct err err = {0};
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    set_up();
    const struct function_table t = {.flame = &f, .search = &all, .sort = STR("change")};
    CHECK_INT(function_table_put(&t, &out, &err), -EINVAL);
    CHECK_STR(err.text, "sort must be self, total or name");
    flame_done(&f);
}

int main(void)
{
    RUN(functions_are_sorted_and_the_first_are_shown);
    RUN(those_searched_for_are_counted);
    RUN(changes_are_those_of_shares);
    RUN(what_cannot_be_sorted_by_is_said);
    return REPORT();
}
