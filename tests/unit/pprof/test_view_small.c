#include "pprof/view_small.h"

#include "pprof/text.h"
#include "pprof/view_maker.h"

static const struct view_stack stacks[] = {
    {{"b", "a", "r"}, {0}, 60, NULL},
    {{"c", "a", "r"}, {0}, 30, NULL},
    {{"d", "e", "r"}, {0}, 6, NULL},
    {{"f", "r"}, {0}, 3, NULL},
    {{"g"}, {0}, 1, NULL},
    {{"h"}, {0}, 0, NULL},
    {{NULL}, {0}, 0, NULL},
};

static void check_left(double share, const char *want)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, left;
    cleanup_buf struct buf text = BUF_INIT(4096);
    struct err err = {0};
    symbols_init(&s, 1 << 20);
    view_profile(&p, &s, stacks);
    profile_init(&left, &s);
    CHECK_INT(view_leave_out_small(&left, &p, share, &err), 0);
    pprof_text(&left, PPROF_TEXT_COLLAPSED, &text);
    CHECK_STR(buf_cstr(&text), want);
}

static void frames_below_the_share_are_left_out_and_no_value_is(void)
{
    check_left(0.01, "g 1\nr;a;b 60\nr;a;c 30\nr;e;d 6\nr;f 3\n");
    check_left(0.05, "[small] 1\nr 3\nr;a;b 60\nr;a;c 30\nr;e;d 6\n");
    check_left(0.4, "[small] 1\nr 9\nr;a 30\nr;a;b 60\n");
    check_left(0.95, "[small] 1\nr 99\n");
}

static void negative_values_are_no_part_of_anything(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, left;
    cleanup_buf struct buf text = BUF_INIT(4096);
    struct err err = {0};
    static const struct view_stack less[] = {{{"a"}, {0}, -5, NULL}, {{"b"}, {0}, 5, NULL}, {{NULL}, {0}, 0, NULL}};
    symbols_init(&s, 1 << 20);
    view_profile(&p, &s, less);
    profile_init(&left, &s);
    CHECK_INT(view_leave_out_small(&left, &p, 0.5, &err), 0);
    pprof_text(&left, PPROF_TEXT_COLLAPSED, &text);
    CHECK_STR(buf_cstr(&text), "a -5\nb 5\n");
}

int main(void)
{
    RUN(frames_below_the_share_are_left_out_and_no_value_is);
    RUN(negative_values_are_no_part_of_anything);
    return REPORT();
}
