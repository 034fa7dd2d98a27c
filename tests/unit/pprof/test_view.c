#include "pprof/view.h"

#include "pprof/text.h"
#include "pprof/view_maker.h"
#include "test.h"

static const struct view_stack stacks[] = {
    {{"java/util/HashMap.get", "shop/Cart.add", "shop/Main.main"}, {561, 20, 7}, 10, NULL},
    {{"java/util/HashMap.get", "shop/Cart.add", "shop/Main.main"}, {570, 20, 7}, 5, NULL},
    {{"libc.so.6.read", "java/io/Reader.read", "shop/Main.main"}, {0}, 3, NULL},
    {{"java/lang/Thread.sleep", "shop/Pool.run"}, {0}, 2, "byte[]"},
    {{NULL}, {0}, 0, NULL},
};

static struct stack_view view;
static struct frame_patterns include, exclude;

/* What the view makes of the stacks above. */
static const char *seen(void)
{
    static char text[4096];
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, viewed;
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    struct err err = {0};
    symbols_init(&s, 1 << 20);
    view_profile(&p, &s, stacks);
    profile_init(&viewed, &s);
    CHECK_INT(stack_view_apply(&viewed, &p, &view, &err), 0);
    CHECK_STR(err.text, "");
    pprof_text(&viewed, PPROF_TEXT_COLLAPSED, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    frame_patterns_done(&include);
    frame_patterns_done(&exclude);
    return text;
}

static void add(struct frame_patterns *p, const char *text)
{
    struct err err = {0};
    CHECK_INT(frame_patterns_add(p, text, &err), 0);
}

static void stacks_are_included_and_excluded_by_their_frames(void)
{
    view = (struct stack_view){.include = &include, .exclude = &exclude};
    CHECK(!stack_view_changes(&view));
    add(&include, "shop/Main.main");
    add(&exclude, "libc*");
    CHECK(stack_view_changes(&view));
    CHECK_STR(seen(), "shop/Main.main;shop/Cart.add;java/util/HashMap.get 15\n");
    add(&include, "/Pool|Reader/");
    CHECK_STR(seen(), "shop/Main.main;java/io/Reader.read;libc.so.6.read 3\n"
                      "shop/Pool.run;java/lang/Thread.sleep 2\n");
    add(&exclude, "*");
    CHECK_STR(seen(), "");
}

static void names_are_dotted_simple_or_with_lines(void)
{
    view = (struct stack_view){.naming.dot = true};
    CHECK_STR(seen(), "shop.Main.main;java.io.Reader.read;libc.so.6.read 3\n"
                      "shop.Main.main;shop.Cart.add;java.util.HashMap.get 15\n"
                      "shop.Pool.run;java.lang.Thread.sleep 2\n");
    view = (struct stack_view){.naming.simple = true, .naming.number = VIEW_NUMBER_LINE};
    CHECK_STR(seen(), "Main.main:7;Cart.add:20;HashMap.get:561 10\n"
                      "Main.main:7;Cart.add:20;HashMap.get:570 5\n"
                      "Main.main;Reader.read;libc.so.6.read 3\n"
                      "Pool.run;Thread.sleep 2\n");
    view.naming.number = VIEW_NUMBER_BCI;
    CHECK_HAS(seen(), "Main.main@7;Cart.add@20;HashMap.get@570 5\n");
}

static void frames_are_skipped_at_the_root_but_not_the_last(void)
{
    view = (struct stack_view){.skip = 2};
    CHECK_STR(seen(), "java/lang/Thread.sleep 2\njava/util/HashMap.get 15\nlibc.so.6.read 3\n");
    view.skip = 100;
    CHECK_STR(seen(), "java/lang/Thread.sleep 2\njava/util/HashMap.get 15\nlibc.so.6.read 3\n");
}

static void stacks_are_reversed(void)
{
    view = (struct stack_view){.reverse = true};
    CHECK_STR(seen(), "java/lang/Thread.sleep;shop/Pool.run 2\n"
                      "java/util/HashMap.get;shop/Cart.add;shop/Main.main 15\n"
                      "libc.so.6.read;java/io/Reader.read;shop/Main.main 3\n");
}

static void a_class_becomes_the_leaf(void)
{
    view = (struct stack_view){.class_frames = true};
    CHECK_HAS(seen(), "shop/Pool.run;java/lang/Thread.sleep;byte[] 2\n");
    view.reverse = true;
    CHECK_HAS(seen(), "byte[];java/lang/Thread.sleep;shop/Pool.run 2\n");
}

static void what_is_small_counts_for_its_caller(void)
{
    view = (struct stack_view){.min_share = 0.2}; /* of 20 */
    CHECK_STR(seen(), "[small] 2\nshop/Main.main 3\nshop/Main.main;shop/Cart.add;java/util/HashMap.get 15\n");
    view.min_share = 1;
    CHECK_STR(seen(), "[small] 20\n");
}

static void a_category_becomes_the_root(void)
{
    view = (struct stack_view){.classify = true, .skip = 1};
    CHECK_HAS(seen(), "[native];java/io/Reader.read;libc.so.6.read 3\n");
    CHECK_HAS(seen(), "[java];java/lang/Thread.sleep 2\n");
}

static void a_set_loses_the_profiles_of_which_nothing_is_left(void)
{
    cleanup_profile_set struct profile_set set;
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p;
    struct err err = {0};
    profile_set_init(&set, 1 << 20);
    symbols_init(&s, 1 << 20);
    view_profile(&p, &s, stacks);
    CHECK_INT(profile_set_add(&set, "a", &p, &err), 0);
    add(&include, "shop/Pool.run");
    view = (struct stack_view){.include = &include};
    CHECK_INT(stack_view_apply_all(&set, &view, &err), 0);
    CHECK_INT(set.len, 1);
    CHECK_INT(set.items[0].p.sample_count, 1);
    view = (struct stack_view){.exclude = &include};
    CHECK_INT(stack_view_apply_all(&set, &view, &err), 0);
    CHECK_INT(set.len, 0);
    frame_patterns_done(&include);
}

static void too_much_is_said(void)
{
    cleanup_symbols struct symbols s;
    cleanup_profile struct profile p, viewed;
    struct err err = {0};
    symbols_init(&s, 1 << 20);
    view_profile(&p, &s, stacks);
    profile_init(&viewed, &s);
    s.arena.max = s.arena.used;
    view = (struct stack_view){.naming.dot = true};
    CHECK_INT(stack_view_apply(&viewed, &p, &view, &err), -E2BIG);
    CHECK_STR(err.text, "the profile has too many stacks");
}

int main(void)
{
    RUN(stacks_are_included_and_excluded_by_their_frames);
    RUN(names_are_dotted_simple_or_with_lines);
    RUN(frames_are_skipped_at_the_root_but_not_the_last);
    RUN(stacks_are_reversed);
    RUN(a_class_becomes_the_leaf);
    RUN(what_is_small_counts_for_its_caller);
    RUN(a_category_becomes_the_root);
    RUN(a_set_loses_the_profiles_of_which_nothing_is_left);
    RUN(too_much_is_said);
    return REPORT();
}
