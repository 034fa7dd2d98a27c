/* Which block needs which: references found, shown and ordered, seen through a controller. What is said of wrong ones:
 * test_plan.c. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "graph/view.h"
#include "graph_fixture.h"

/* "a, b" of the ids. */
static void list_ids(const char *const *ids, struct buf *out)
{
    for (size_t i = 0; ids && ids[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "", ids[i]);
}

static void check_needs_(int line, struct controller *c, const char *id, const char *to, const char *by)
{
    const struct component_view v = view_of(c, id);
    cleanup_buf struct buf got_to = BUF_INIT(1 << 16), got_by = BUF_INIT(1 << 16);
    list_ids(v.references_to, &got_to);
    list_ids(v.referenced_by, &got_by);
    if (strcmp(buf_cstr(&got_to), to) != 0 || strcmp(buf_cstr(&got_by), by) != 0)
        FAIL_("line %d: %s refers to [%s], wanted [%s], and is referred to by [%s], wanted [%s]", line, id,
              buf_cstr(&got_to), to, buf_cstr(&got_by), by);
}
#define CHECK_NEEDS(c, id, to, by) check_needs_(__LINE__, c, id, to, by)

static void each_need_is_shown_once_in_order_from_both_sides(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"z\" {\n  input = [test.node.b.output, test.node.a.output, test.node.b.output]\n}\n"
             "test.node \"b\" { }\ntest.node \"a\" {\n  input = test.node.b.output\n}\n");
    CHECK_NEEDS(c, "test.node.a", "test.node.b", "test.node.z");
    CHECK_NEEDS(c, "test.node.b", "", "test.node.a, test.node.z");
    CHECK_NEEDS(c, "test.node.z", "test.node.a, test.node.b", "");
    CHECK_EVENTS("build b, build a, build z, start b, start a, start z");
    end(c, &loop);
}

static void references_are_found_in_every_kind_of_expression(void)
{
    static const char *const expressions[] = {
        "test.node.a.output",         "(test.node.a.output)",
        "[1, [test.node.a.output]]",  "{x = {y = test.node.a.output}}",
        "[test.node.a.output][0]",    "[1, 2][test.node.a.output]",
        "-test.node.a.output",        "!(test.node.a.output == 1)",
        "1 + 2 * test.node.a.output", "string.format(\"%v\", test.node.a.output)",
        "test.node.a[\"output\"]",
    };
    for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
        uv_loop_t loop;
        struct controller *c = controller(&loop);
        cleanup_free char *text =
            xasprintf("test.node \"b\" {\n  input = %s\n}\ntest.node \"a\" {\n  input = 0\n}\n", expressions[i]);
        LOADS(c, text);
        CHECK_NEEDS(c, "test.node.b", "test.node.a", "");
        end(c, &loop);
    }
}

static void names_that_come_from_elsewhere_are_no_needs(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(
        c,
        "test.node \"a\" {\n  input = [constants.os, module_path, string.format(\"test.node.b\"), {test = 1}.test]\n}\n"
        "test.node \"b\" { }\n");
    CHECK_NEEDS(c, "test.node.a", "", "");
    CHECK_NEEDS(c, "test.node.b", "", "");
    end(c, &loop);
}

static void a_reload_replaces_all_needs(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"a\" { }\ntest.node \"b\" {\n  input = test.node.a.output\n}\n");
    CHECK_NEEDS(c, "test.node.b", "test.node.a", "");
    LOADS(c, "test.node \"a\" {\n  input = test.node.b.output\n}\ntest.node \"b\" { }\n");
    CHECK_NEEDS(c, "test.node.a", "test.node.b", "");
    CHECK_NEEDS(c, "test.node.b", "", "test.node.a");
    REFUSES(c,
            "test.node \"a\" {\n  input = test.node.b.output\n}\ntest.node \"b\" {\n  input = test.node.a.output\n}\n",
            "f:1:1: cycle: test.node.a, test.node.b");
    CHECK_NEEDS(c, "test.node.b", "", "test.node.a"); /* what is refused leaves them alone */
    end(c, &loop);
}

static void an_instance_needs_what_its_arguments_name(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"mod\" {\n  argument \"in\" { }\n  test.node \"x\" {\n    input = argument.in.value\n  }\n"
             "  export \"out\" {\n    value = test.node.x.output\n  }\n}\n"
             "test.node \"a\" {\n  input = 1\n}\nmod \"m\" {\n  in = test.node.a.output\n}\n"
             "test.node \"z\" {\n  input = mod.m.out\n}\n");
    CHECK_NEEDS(c, "mod.m", "test.node.a", "test.node.z");
    CHECK_NEEDS(c, "mod.m/test.node.x", "", ""); /* arguments are no components */
    end(c, &loop);
}

static void a_foreach_needs_what_its_collection_and_its_template_name(void)
{
    uv_loop_t loop;
    stability = STABILITY_EXPERIMENTAL;
    struct controller *c = controller(&loop);
    stability = STABILITY_GA;
    LOADS(c, "test.node \"list\" {\n  input = [1, 2]\n}\ntest.node \"extra\" {\n  input = 3\n}\n"
             "foreach \"f\" {\n  collection = test.node.list.output\n  var = \"each\"\n"
             "  template {\n    test.node \"x\" {\n      input = [each, test.node.extra.output]\n    }\n  }\n}\n");
    CHECK_NEEDS(c, "foreach.f", "test.node.extra, test.node.list", "");
    end(c, &loop);
}

static void a_cycle_through_a_template_or_an_instance_is_one(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(c,
            "declare \"mod\" {\n  argument \"in\" { }\n  export \"out\" {\n    value = argument.in.value\n  }\n}\n"
            "mod \"m\" {\n  in = test.node.a.output\n}\ntest.node \"a\" {\n  input = mod.m.out\n}\n",
            "f:7:1: cycle: mod.m, test.node.a");
    end(c, &loop);
}

static void names_of_one_module_are_not_those_of_another(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"mod\" {\n  test.node \"a\" {\n    input = test.node.b.output\n  }\n  test.node \"b\" { }\n}\n"
             "test.node \"a\" { }\ntest.node \"b\" {\n  input = test.node.a.output\n}\nmod \"m\" { }\n");
    CHECK_NEEDS(c, "test.node.b", "test.node.a", "");
    CHECK_NEEDS(c, "mod.m/test.node.a", "test.node.b", "");
    CHECK_NEEDS(c, "mod.m/test.node.b", "", "test.node.a");
    end(c, &loop);
}

/* Components 0 … n - 1, the last first; each needs those that `needs` writes. */
static int64_t load_many(size_t n, void (*needs)(struct buf *text, size_t i))
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    cleanup_buf struct buf text = BUF_INIT(64 << 20);
    events.max = 1 << 20;
    for (size_t i = n; i-- > 0;) {
        buf_printf(&text, "test.node \"n%zu\" {\n  input = [", i);
        if (i > 0)
            needs(&text, i);
        buf_puts(&text, "]\n}\n");
    }
    const int64_t begun = clock_ms();
    LOADS(c, buf_cstr(&text));
    const int64_t took = clock_ms() - begun;
    CHECK(strncmp(buf_cstr(&events), "build n0, build n1, ", 20) == 0);
    end(c, &loop);
    events.max = 1 << 16;
    return took;
}

static void the_one_before(struct buf *text, size_t i)
{
    buf_printf(text, "test.node.n%zu.output == null", i - 1);
}

static void many_before(struct buf *text, size_t i)
{
    for (size_t k = i > 50 ? i - 50 : 0; k < i; k++)
        buf_printf(text, "%stest.node.n%zu.output == null", k == (i > 50 ? i - 50 : 0) ? "" : ", ", k);
}

/* Quadratic work would take minutes under a sanitizer; the bound is far above what a busy machine needs. */
static void long_chains_and_dense_graphs_load_in_time(void)
{
    enum { ENOUGH_MS = 30000 };
    CHECK(load_many(5000, the_one_before) < ENOUGH_MS);
    CHECK(load_many(1000, many_before) < ENOUGH_MS);
}

int main(void)
{
    RUN(each_need_is_shown_once_in_order_from_both_sides);
    RUN(references_are_found_in_every_kind_of_expression);
    RUN(names_that_come_from_elsewhere_are_no_needs);
    RUN(a_reload_replaces_all_needs);
    RUN(an_instance_needs_what_its_arguments_name);
    RUN(a_foreach_needs_what_its_collection_and_its_template_name);
    RUN(a_cycle_through_a_template_or_an_instance_is_one);
    RUN(names_of_one_module_are_not_those_of_another);
    RUN(long_chains_and_dense_graphs_load_in_time);
    return REPORT();
}
