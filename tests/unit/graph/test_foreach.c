/* foreach: a module for each item. */
#include "base/cleanup.h"
#include "base/metric.h"
#include "graph/view.h"
#include "graph_fixture.h"
#include "lang/value_print.h"

static struct controller *experimental(uv_loop_t *loop)
{
    stability = STABILITY_EXPERIMENTAL;
    return controller(loop);
}

#define EACH(collection, more)                                                                                         \
    "foreach \"f\" {\n  collection = " collection "\n  var = \"item\"\n" more                                          \
    "  template {\n    test.node \"n\" {\n      input = [item]\n    }\n  }\n}\n"

static bool write_id(void *arg, const struct component_view *v)
{
    struct buf *out = arg;
    buf_printf(out, "%s%s=", out->len ? " " : "", v->id);
    value_print(value_member(v->exports, STR("output")), out);
    return true;
}

static bool write_node(void *arg, const struct component_view *v)
{
    return strcmp(v->name, "test.node") != 0 || write_id(arg, v);
}

/* Ids and outputs of all components in the modules of foreach.f. */
static void check_inside_(int line, struct controller *c, const char *want)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 16);
    const struct component_view v = view_of(c, "foreach.f");
    for (const char *const *m = v.created_modules; m && *m; m++)
        CHECK(controller_each_in(c, *m, write_id, &out));
    if (strcmp(buf_cstr(&out), want) != 0)
        FAIL_("line %d: inside are\n%s\n  want\n%s", line, buf_cstr(&out), want);
}
#define CHECK_INSIDE(c, want) check_inside_(__LINE__, c, want)

static void every_item_has_a_module_named_by_its_fingerprint(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, EACH("[\"a.b/c\", 5, true, 2.5, \"a.b/c\", 5, \"gr\u00fc\u00df\"]", ""));
    CHECK_INSIDE(c, "foreach.f/foreach_a_b_c_1/test.node.n=[\"a.b/c\"] foreach.f/foreach_5_1/test.node.n=[5] "
                    "foreach.f/foreach_true_1/test.node.n=[true] foreach.f/foreach_2_500000_1/test.node.n=[2.5] "
                    "foreach.f/foreach_a_b_c_2/test.node.n=[\"a.b/c\"] foreach.f/foreach_5_2/test.node.n=[5] "
                    "foreach.f/foreach_gr\u00fc\u00df_1/test.node.n=[\"gr\u00fc\u00df\"]");
    end(c, &loop);
}

static void strings_can_be_told_apart_by_hash(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, EACH("[\"abc\"]", "  hash_string_id = true\n"));
    CHECK_INSIDE(c, "foreach.f/foreach_ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad_1/test.node.n="
                    "[\"abc\"]");
    end(c, &loop);
}

static void objects_can_be_told_apart_by_a_member(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, EACH("[{pid = \"7\", x = 1}, {pid = \"8\"}]", "  id = \"pid\"\n"));
    CHECK_INSIDE(c, "foreach.f/foreach_7_1/test.node.n=[{pid = \"7\", x = 1}] "
                    "foreach.f/foreach_8_1/test.node.n=[{pid = \"8\"}]");
    settle(&loop);
    buf_reset(&events);
    /* The item changed, what it is did not. */
    LOADS(c, EACH("[{pid = \"7\", x = 2}, {pid = \"8\"}]", "  id = \"pid\"\n"));
    settle(&loop);
    CHECK_EVENTS("update foreach.f/foreach_7_1/n");
    /* What has no such member is an id as a whole, which is said once. */
    check_load_(__LINE__, c, EACH("[{pid = \"7\"}, 3, {x = 1}]", "  id = \"pid\"\n"), 0,
                "f:1:1: item 1 of the collection has no \"pid\"; using the whole item as its id");
    CHECK_HAS(view_of(c, "foreach.f").created_modules[1], "foreach.f/foreach_3_1");
    end(c, &loop);
}

static void items_come_and_go_without_touching_the_others(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, "test.node \"list\" {\n  input = [1, 2]\n}\n" EACH("test.node.list.output", ""));
    settle(&loop);
    CHECK_EVENTS("build list, build foreach.f/foreach_1_1/n, build foreach.f/foreach_2_1/n, start list, "
                 "start foreach.f/foreach_1_1/n, start foreach.f/foreach_2_1/n");
    struct value *items[] = {value_int(3), value_int(2)};
    node_output(node("list")->self, value_array(items, 2));
    settle(&loop);
    CHECK_EVENTS("build foreach.f/foreach_3_1/n, stop foreach.f/foreach_1_1/n, free foreach.f/foreach_1_1/n, "
                 "start foreach.f/foreach_3_1/n");
    CHECK_INSIDE(c, "foreach.f/foreach_3_1/test.node.n=[3] foreach.f/foreach_2_1/test.node.n=[2]");
    node_output(node("list")->self, value_null());
    settle(&loop);
    CHECK_INSIDE(c, "");
    CHECK_STR(buf_cstr(&problems), "");
    end(c, &loop);
}

static void templates_see_what_is_around_them(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, "declare \"wrap\" {\n  argument \"in\" { }\n  export \"out\" {\n    value = [argument.in.value]\n  }\n}\n"
             "test.node \"base\" {\n  input = 1\n}\n"
             "test.node \"unread\" { }\n"
             "foreach \"f\" {\n  collection = [\"a\", \"b\"]\n  var = \"item\"\n  template {\n"
             "    wrap \"w\" {\n      in = item\n    }\n"
             "    test.node \"n\" {\n      input = [wrap.w.out, test.node.base.output]\n    }\n"
             "    test.node \"m\" {\n      input = test.node.n.output\n    }\n  }\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("base")->self, value_int(2));
    settle(&loop);
    CHECK_EVENTS("update foreach.f/foreach_a_1/n, update foreach.f/foreach_a_1/m, update foreach.f/foreach_b_1/n, "
                 "update foreach.f/foreach_b_1/m");
    CHECK_MEMBER(view_of(c, "foreach.f/foreach_b_1/test.node.m").exports, "output", "[[\"b\"], 2]");
    node_output(node("unread")->self, value_int(2));
    /* An inner change stays inside. */
    node_output(node("foreach.f/foreach_a_1/n")->self, value_int(5));
    settle(&loop);
    CHECK_EVENTS("update foreach.f/foreach_a_1/m");
    end(c, &loop);
}

static bool is_in_metrics(const char *text)
{
    cleanup_buf struct buf out = BUF_INIT(1 << 20);
    metric_render(&out);
    return strstr(buf_cstr(&out), text) != NULL;
}

#define MEASURED(more)                                                                                                 \
    "test.node \"base\" {\n  input = 1\n}\ntest.node \"list\" {\n  input = [91, 92]\n}\n"                              \
    "foreach \"f\" {\n  collection = test.node.list.output\n  var = \"item\"\n" more "  template {\n"                  \
    "    test.node \"n\" {\n      input = [item, test.node.base.output]\n    }\n  }\n}\n"

/* A copy for each JVM would be a series for each pid there ever was. */
static void copies_are_measured_if_wanted_and_while_they_are_there(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, MEASURED(""));
    settle(&loop);
    node_output(node("base")->self, value_int(2));
    settle(&loop);
    CHECK_MEMBER(view_of(c, "foreach.f/foreach_91_1/test.node.n").exports, "output", "[91, 2]");
    CHECK(!view_of(c, "foreach.f/foreach_91_1/test.node.n").is_measured);
    CHECK(!is_in_metrics("foreach_91_1"));
    LOADS(c, MEASURED("  enable_metrics = true\n"));
    settle(&loop);
    node_output(node("base")->self, value_int(3));
    settle(&loop);
    CHECK(view_of(c, "foreach.f/foreach_91_1/test.node.n").is_measured);
    CHECK(is_in_metrics("controller_path=\"/foreach.f\",controller_id=\"foreach_91_1\""));
    struct value *items[] = {value_int(92)};
    node_output(node("list")->self, value_array(items, 1));
    settle(&loop);
    CHECK(!is_in_metrics("foreach_91_1"));
    CHECK(is_in_metrics("foreach_92_1"));
    end(c, &loop);
}

static void templates_nest(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, "test.node \"base\" {\n  input = 1\n}\n"
             "foreach \"f\" {\n  collection = [[1, 2], [3]]\n  var = \"row\"\n  template {\n"
             "    foreach \"g\" {\n      collection = row\n      var = \"cell\"\n      template {\n"
             "        test.node \"n\" {\n          input = [row, cell, test.node.base.output]\n        }\n"
             "      }\n    }\n  }\n}\n");
    settle(&loop);
    cleanup_buf struct buf out = BUF_INIT(4000);
    buf_reset(&events);
    node_output(node("base")->self, value_string(STR("new")));
    settle(&loop);
    size_t updates = 0;
    for (const char *p = buf_cstr(&events); (p = strstr(p, "update")); p++)
        updates++;
    CHECK_INT(updates, 3);
    controller_each_deep(c, write_node, &out);
    CHECK_HAS(buf_cstr(&out), "/foreach.g/foreach_2_1/test.node.n=[[1, 2], 2, \"new\"]");
    CHECK_HAS(buf_cstr(&out), "/foreach.g/foreach_3_1/test.node.n=[[3], 3, \"new\"]");
    end(c, &loop);
}

static void a_module_may_hold_one(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, "declare \"d\" {\n  argument \"list\" { }\n  argument \"to\" { }\n"
             "  foreach \"f\" {\n    collection = argument.list.value\n    var = \"item\"\n    template {\n"
             "      test.node \"n\" {\n        input = [item, argument.to.value, module_path]\n      }\n    }\n  }\n}\n"
             "test.node \"to\" {\n  input = 7\n}\n"
             "d \"x\" {\n  list = [1]\n  to = test.node.to.output\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("to")->self, value_int(8));
    settle(&loop);
    CHECK_EVENTS("update d.x/foreach.f/foreach_1_1/n");
    CHECK_MEMBER(view_of(c, "d.x/foreach.f/foreach_1_1/test.node.n").exports, "output", "[1, 8, \".\"]");
    end(c, &loop);
}

static void a_new_item_that_fails_is_left_out_until_it_works(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, "test.node \"list\" {\n  input = [\"ok\"]\n}\n"
             "foreach \"f\" {\n  collection = test.node.list.output\n  var = \"item\"\n  template {\n"
             "    test.node \"n\" {\n      fail = item\n    }\n  }\n}\n");
    settle(&loop);
    buf_reset(&events);
    struct value *items[] = {value_string(STR("build")), value_string(STR("ok")), value_string(STR("fine"))};
    node_output(node("list")->self, value_array(items, 3));
    settle(&loop);
    CHECK_EVENTS(
        "build foreach.f/foreach_build_1/n, build foreach.f/foreach_fine_1/n, start foreach.f/foreach_fine_1/n");
    struct component_view v = view_of(c, "foreach.f");
    CHECK_INT(v.health, HEALTH_UNHEALTHY);
    CHECK_STR(v.message,
              "foreach evaluation failed: f:8:5: Failed to build component: building component: told to fail "
              "(in foreach.f/foreach_build_1)");
    CHECK_HAS(buf_cstr(&problems), "foreach.f: foreach evaluation failed: ");
    items[0] = value_string(STR("ok"));
    node_output(node("list")->self, value_array(items, 1));
    settle(&loop);
    v = view_of(c, "foreach.f");
    CHECK_INT(v.health, HEALTH_HEALTHY);
    CHECK_STR(v.message, "foreach evaluated");
    end(c, &loop);
}

static void refused_(int line, const char *text, const char *messages)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    check_load_(line, c, text, -EINVAL, messages);
    end(c, &loop);
}
#define REFUSED(text, messages) refused_(__LINE__, text, messages)

static void mistakes_are_found_before_there_is_an_item(void)
{
    REFUSED("foreach \"f\" {\n  collection = []\n  var = \"item\"\n  template {\n    test.node \"n\" {\n      input = "
            "items\n    }\n    test.nod \"m\" { }\n  }\n}\n",
            "f:8:5: cannot find the definition of component name \"test.nod\", did you mean \"test.node\"?\n"
            "f:6:15: component \"items\" does not exist or is out of scope");
    REFUSED("foreach \"f\" {\n  collection = []\n  var = \"item\"\n}\nforeach { }\n",
            "f:1:1: Failed to evaluate node for config block: the block template is missing in the foreach block\n"
            "f:5:1: foreach block must have a label");
    REFUSED(EACH("5", ""), "f:1:1: Failed to evaluate node for config block: decoding configuration: collection should "
                           "be array, got number");
    REFUSED(
        "foreach \"f\" {\n  template {\n    argument \"a\" { }\n  }\n}\n",
        "f:1:1: Failed to evaluate node for config block: decoding configuration: missing required attribute "
        "\"collection\"\n"
        "f:1:1: Failed to evaluate node for config block: decoding configuration: missing required attribute \"var\"");
    REFUSED("foreach \"f\" {\n  collection = []\n  var = \"v\"\n  template {\n    argument \"a\" { }\n  }\n}\n",
            "f:5:5: argument blocks only allowed inside a module");
    REFUSED("foreach \"f\" {\n  collection = []\n  var = \"v\"\n  template { }\n  template { }\n}\n",
            "f:5:3: block \"template\" may only be specified once");
    REFUSED("foreach \"f\" {\n  collection = []\n  var = \"v\"\n  template {\n    test.node \"n\" { }\n  }\n}\n"
            "test.node \"a\" {\n  input = foreach.f\n}\n",
            "f:9:11: component \"foreach.f\" does not exist or is out of scope");
    REFUSED("test.node \"a\" {\n  input = 1\n}\nforeach \"f\" {\n  collection = []\n  var = test.node.a.output\n  "
            "template { }\n}\n",
            "f:6:9: var must be a constant string");
}

static void it_needs_permission(void)
{
    uv_loop_t loop;
    stability = STABILITY_GA;
    struct controller *c = controller(&loop);
    REFUSES(
        c, EACH("[]", ""),
        "f:1:1: config block \"foreach\" is at stability level \"experimental\", which is below the minimum allowed "
        "stability level \"generally-available\". Use --stability.level command-line flag to enable \"experimental\" "
        "features");
    end(c, &loop);
}

static void a_failing_item_refuses_a_load_and_changes_nothing(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(c, EACH("[1, 2]", ""));
    settle(&loop);
    buf_reset(&events);
    REFUSES(
        c,
        "foreach \"f\" {\n  collection = [2, \"build\", 4]\n  var = \"item\"\n  template {\n    test.node \"n\" {\n "
        "     fail = item\n    }\n  }\n}\n",
        "f:5:5: Failed to build component: building component: told to fail (in foreach.f/foreach_build_1)");
    settle(&loop);
    CHECK_EVENTS("build foreach.f/foreach_build_1/n");
    CHECK_INSIDE(c, "foreach.f/foreach_1_1/test.node.n=[1] foreach.f/foreach_2_1/test.node.n=[2]");
    end(c, &loop);
}

static void stopping_waits_for_what_is_inside(void)
{
    uv_loop_t loop;
    struct controller *c = experimental(&loop);
    LOADS(
        c,
        "test.node \"sink\" { }\n"
        "foreach \"f\" {\n  collection = [1, 2]\n  var = \"item\"\n  template {\n    test.node \"n\" {\n      input = "
        "[item, test.node.sink.output]\n      slow = true\n    }\n  }\n}\n");
    settle(&loop);
    buf_reset(&events);
    struct component *one = node("foreach.f/foreach_1_1/n")->self, *two = node("foreach.f/foreach_2_1/n")->self;
    LOADS(c, "");
    uv_run(&loop, UV_RUN_NOWAIT);
    component_stopped(one);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK(!strstr(buf_cstr(&events), "stop sink"));
    component_stopped(two);
    settle(&loop);
    CHECK_HAS(buf_cstr(&events), "stop sink");
    end(c, &loop);
}

static void its_variable_may_not_hide_a_block(void)
{
    REFUSED("declare \"m\" { }\nforeach \"f\" {\n  collection = [1]\n  var = \"m\"\n  template {\n    m { }\n  }\n}\n",
            "f:6:5: block m has the name of the template's variable");
}

int main(void)
{
    RUN(every_item_has_a_module_named_by_its_fingerprint);
    RUN(strings_can_be_told_apart_by_hash);
    RUN(objects_can_be_told_apart_by_a_member);
    RUN(items_come_and_go_without_touching_the_others);
    RUN(templates_see_what_is_around_them);
    RUN(copies_are_measured_if_wanted_and_while_they_are_there);
    RUN(templates_nest);
    RUN(a_module_may_hold_one);
    RUN(a_new_item_that_fails_is_left_out_until_it_works);
    RUN(mistakes_are_found_before_there_is_an_item);
    RUN(it_needs_permission);
    RUN(a_failing_item_refuses_a_load_and_changes_nothing);
    RUN(stopping_waits_for_what_is_inside);
    RUN(its_variable_may_not_hide_a_block);
    return REPORT();
}
