/* declare, argument, export: custom components. */
#include "base/cleanup.h"
#include "graph/view.h"
#include "graph_fixture.h"
#include "lang/value_print.h"

/* Wraps what it is given. */
#define WRAP                                                                                                           \
    "declare \"wrap\" {\n"                                                                                             \
    "  argument \"in\" { }\n"                                                                                          \
    "  argument \"more\" {\n    optional = true\n    default = [0]\n  }\n"                                             \
    "  test.node \"inner\" {\n    input = [argument.in.value]\n  }\n"                                                  \
    "  test.node \"other\" {\n    input = argument.more.value\n  }\n"                                                  \
    "  export \"out\" {\n    value = test.node.inner.output\n  }\n"                                                    \
    "}\n"

static void exports_of_an_instance_are_its_members(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, WRAP "wrap \"x\" {\n  in = 5\n}\ntest.node \"end\" {\n  input = wrap.x.out\n}\n");
    CHECK_EVENTS(
        "build wrap.x/inner, build wrap.x/other, build end, start wrap.x/inner, start wrap.x/other, start end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "[5]");
    CHECK_MEMBER(view_of(c, "wrap.x").exports, "out", "[5]");
    CHECK_MEMBER(view_of(c, "wrap.x").arguments, "in", "5");
    CHECK_MEMBER(view_of(c, "wrap.x/test.node.other").exports, "output", "[0]");
    end(c, &loop);
}

static void a_changed_argument_reaches_only_what_reads_it(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, WRAP "test.node \"a\" {\n  input = 1\n}\n"
                  "wrap \"x\" {\n  in = test.node.a.output\n}\n"
                  "test.node \"end\" {\n  input = wrap.x.out\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("a")->self, value_int(2));
    settle(&loop);
    CHECK_EVENTS("update wrap.x/inner, update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "[2]");
    end(c, &loop);
}

static void what_an_inner_component_exports_later_gets_out(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, WRAP "wrap \"x\" {\n  in = 5\n}\ntest.node \"end\" {\n  input = wrap.x.out\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("wrap.x/inner")->self, value_string(STR("new")));
    settle(&loop);
    CHECK_EVENTS("update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "\"new\"");
    /* What nobody exports stays inside. */
    node_output(node("wrap.x/other")->self, value_int(1));
    settle(&loop);
    CHECK_EVENTS("");
    end(c, &loop);
}

static void one_batch_goes_through_modules_in_order(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, WRAP "test.node \"a\" {\n  input = 1\n}\n"
                  "wrap \"x\" {\n  in = test.node.a.output\n}\n"
                  "test.node \"end\" {\n  input = [wrap.x.out, test.node.a.output]\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("a")->self, value_int(2));
    settle(&loop);
    CHECK_EVENTS("update wrap.x/inner, update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "[[2], 2]");
    end(c, &loop);
}

static void instances_nest_and_see_outer_declares_but_no_outer_components(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, WRAP
          "declare \"twice\" {\n"
          "  argument \"in\" { }\n"
          "  wrap \"one\" {\n    in = argument.in.value\n  }\n"
          "  declare \"own\" {\n    argument \"in\" { }\n    wrap \"three\" {\n      in = argument.in.value\n    }\n"
          "    export \"out\" {\n      value = wrap.three.out\n    }\n  }\n"
          "  own \"two\" {\n    in = wrap.one.out\n  }\n"
          "  export \"out\" {\n    value = own.two.out\n  }\n"
          "}\n"
          "twice \"x\" {\n  in = 1\n}\n");
    CHECK_MEMBER(view_of(c, "twice.x").exports, "out", "[[1]]");
    CHECK_MEMBER(view_of(c, "twice.x/own.two/wrap.three/test.node.inner").exports, "output", "[[1]]");
    REFUSES(c,
            "test.node \"a\" { }\ndeclare \"d\" {\n  test.node \"b\" {\n    input = test.node.a.output\n  }\n}\nd "
            "\"x\" { }\n",
            "f:4:13: component \"test.node.a.output\" does not exist or is out of scope");
    CHECK_MEMBER(view_of(c, "twice.x").exports, "out", "[[1]]");
    end(c, &loop);
}

static void refused_(int line, const char *text, const char *messages)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(line, c, text, -EINVAL, messages);
    CHECK(!controller_ready(c));
    end(c, &loop);
}
#define REFUSED(text, messages) refused_(__LINE__, text, messages)

static void arguments_are_checked(void)
{
    REFUSED(WRAP "wrap \"x\" { }\n", "f:17:1: missing required argument \"in\" to module (in wrap.x)");
    REFUSED(WRAP "wrap \"x\" {\n  in = 1\n  what = 2\n}\n",
            "f:19:3: Provided argument \"what\" is not defined in the module");
    REFUSED(WRAP "wrap \"x\" {\n  in = 1\n  in = 2\n}\n", "f:19:3: attribute \"in\" may only be provided once");
    REFUSED(WRAP "wrap \"x\" {\n  in { }\n}\n", "f:18:3: nested blocks not supported here");
    REFUSED(WRAP "wrap \"x\" {\n  in = gone.x\n}\n", "f:18:8: component \"gone.x\" does not exist or is out of scope");
    REFUSED(WRAP "wrap \"x\" {\n  in = 1 + \"\"\n}\n", "f:18:12: \"\" should be number, got string");
}

static void a_value_that_will_not_do_is_traced_to_the_instance(void)
{
    REFUSED("declare \"d\" {\n  argument \"n\" { }\n  test.node \"a\" {\n    slow = argument.n.value\n  }\n}\n"
            "d \"good\" {\n  n = true\n}\nd \"bad\" {\n  n = 5\n}\n",
            "f:4:12: argument.n.value should be bool, got number (in d.bad)");
}

static void an_instance_whose_inside_fails_is_not_used(void)
{
    REFUSED("declare \"d\" {\n  test.node \"a\" {\n    fail = \"build\"\n  }\n  export \"x\" {\n    value = "
            "test.node.a.output\n  }\n}\n"
            "d \"x\" { }\ntest.node \"b\" {\n  input = d.x.x\n}\n",
            "f:2:3: Failed to build component: building component: told to fail (in d.x)");
}

static void blocks_have_their_places(void)
{
    REFUSED("argument \"a\" { }\nexport \"e\" {\n  value = 1\n}\n",
            "f:1:1: argument blocks only allowed inside a module\nf:2:1: export blocks only allowed inside a module");
    REFUSED("declare \"d\" {\n  logging { }\n  http { }\n  x = 1\n}\nd \"x\" { }\n",
            "f:2:3: logging block not allowed inside a module\n"
            "f:3:3: service blocks not allowed inside a module: \"http\"\n"
            "f:4:3: unrecognized attribute x");
}

static void declares_need_a_label_of_their_own(void)
{
    REFUSED("declare { }\ndeclare \"declare\" { }\ndeclare \"a\" { }\ndeclare \"a\" { }\n",
            "f:1:1: declare block must have a label\n"
            "f:2:1: 'declare' is not a valid label for a declare block\n"
            "f:4:1: block declare.a already declared at f:3:1");
}

static void a_declare_that_needs_itself_is_refused(void)
{
    REFUSED(
        "declare \"a\" {\n  b \"x\" { }\n}\ndeclare \"b\" {\n  a \"x\" { }\n}\ndeclare \"me\" {\n  me \"x\" { }\n}\n",
        "f:1:1: cycle: declare.a, declare.b\nf:7:1: self reference: declare.me");
}

static void a_declare_hides_a_component_of_the_same_first_name(void)
{
    REFUSED("declare \"test\" { }\ntest.node \"a\" { }\n",
            "f:2:1: cannot find the definition of component name \"test.node\"");
}

static void an_instance_without_a_label_stands_alone(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c,
          "declare \"d\" {\n  export \"out\" {\n    value = 1\n  }\n}\nd { }\ntest.node \"a\" {\n  input = d.out\n}\n");
    CHECK_MEMBER(view_of(c, "test.node.a").exports, "output", "1");
    REFUSES(c, "declare \"d\" { }\nd { }\nd \"x\" { }\n",
            "f:2:1: component \"d\" must have a label, because others of its type have one");
    end(c, &loop);
}

static void an_unused_declare_may_be_wrong(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"d\" {\n  nothing.like \"this\" { }\n}\n");
    end(c, &loop);
}

static void module_path_is_the_folder_of_the_file(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    static const char text[] = "declare \"d\" {\n  export \"p\" {\n    value = module_path\n  }\n}\nd \"x\" { }\n"
                               "test.node \"a\" {\n  input = [module_path, d.x.p]\n}\n";
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(controller_load(c, &(struct config_file){"/etc/smolder/a.alloy", text, strlen(text)}, 1, &ds), 0);
    CHECK_MEMBER(view_of(c, "test.node.a").exports, "output", "[\"/etc/smolder\", \"/etc/smolder\"]");
    CHECK_INT(controller_load(c, &(struct config_file){"a.alloy", text, strlen(text)}, 1, &ds), 0);
    CHECK_MEMBER(view_of(c, "test.node.a").exports, "output", "[\".\", \".\"]");
    end(c, &loop);
}

/* --- reload --- */

static const char used[] = WRAP "wrap \"x\" {\n  in = 5\n}\ntest.node \"end\" {\n  input = wrap.x.out\n}\n";

static void the_same_text_again_changes_nothing(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, used);
    settle(&loop);
    node_output(node("wrap.x/inner")->self, value_int(7));
    settle(&loop);
    buf_reset(&events);
    LOADS(c, used);
    settle(&loop);
    CHECK_EVENTS("");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "7");
    end(c, &loop);
}

static void a_changed_declare_changes_its_instances_and_nothing_else(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, used);
    settle(&loop);
    buf_reset(&events);
    /* A new export, read at once; `other` gone; `inner` as it was. */
    LOADS(c,
          "declare \"wrap\" {\n  argument \"in\" { }\n  test.node \"inner\" {\n    input = [argument.in.value]\n  }\n"
          "  test.node \"new\" { }\n"
          "  export \"brandnew\" {\n    value = [test.node.inner.output]\n  }\n}\n"
          "wrap \"x\" {\n  in = 5\n}\ntest.node \"end\" {\n  input = wrap.x.brandnew\n}\n");
    settle(&loop);
    CHECK_EVENTS("build wrap.x/new, stop wrap.x/other, update end, start wrap.x/new, free wrap.x/other");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "[[5]]");
    end(c, &loop);
}

static bool write_state(void *arg, const struct component_view *v)
{
    struct buf *out = arg;
    buf_printf(out, "%s %d %s ", v->id, (int)v->health, v->message);
    if (v->arguments)
        value_print(v->arguments, out);
    value_print(v->exports, out);
    buf_byte(out, '\n');
    return true;
}

static void a_refused_load_changes_nothing_in_any_module(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    cleanup_buf struct buf before = BUF_INIT(1 << 16), after = BUF_INIT(1 << 16);
    LOADS(c, used);
    settle(&loop);
    buf_reset(&events);
    controller_each_deep(c, write_state, &before);
    REFUSES(c,
            "declare \"wrap\" {\n  argument \"in\" { }\n  test.node \"inner\" {\n    input = 1\n  }\n"
            "  test.node \"new\" { }\n  test.node \"bad\" {\n    fail = \"build\"\n  }\n}\n"
            "wrap \"x\" {\n  in = 6\n}\nwrap \"y\" {\n  in = 6\n}\n",
            "f:7:3: Failed to build component: building component: told to fail (in wrap.x)\n"
            "f:7:3: Failed to build component: building component: told to fail (in wrap.y)");
    settle(&loop);
    controller_each_deep(c, write_state, &after);
    CHECK_STR(buf_cstr(&after), buf_cstr(&before));
    CHECK(!strstr(buf_cstr(&events), "update") && !strstr(buf_cstr(&events), "start") &&
          !strstr(buf_cstr(&events), "stop"));
    buf_reset(&events);
    node_output(node("wrap.x/inner")->self, value_int(7));
    settle(&loop);
    CHECK_EVENTS("update end");
    end(c, &loop);
}

static void an_instance_that_vanishes_takes_its_inside_with_it(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, used);
    settle(&loop);
    buf_reset(&events);
    LOADS(c, WRAP);
    settle(&loop);
    CHECK_EVENTS("stop end, stop wrap.x/other, stop wrap.x/inner, free wrap.x/other, free wrap.x/inner, free end");
    struct component_view v;
    CHECK(!controller_view(c, "wrap.x/test.node.inner", &v));
    end(c, &loop);
}

static void what_stops_inside_still_reaches_what_is_outside(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"d\" {\n  argument \"to\" { }\n  test.node \"source\" {\n    input = argument.to.value\n    "
             "slow = true\n  }\n}\n"
             "test.node \"sink\" { }\nd \"x\" {\n  to = test.node.sink.output\n}\n");
    settle(&loop);
    buf_reset(&events);
    struct component *source = node("d.x/source")->self;
    bool done = false;
    controller_stop(c, note_done, &done);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("stop d.x/source");
    component_stopped(source);
    settle(&loop);
    CHECK_EVENTS("free d.x/source, stop sink, free sink");
    CHECK(done);
    controller_free(c);
    settle(&loop);
    CHECK_INT(uv_loop_close(&loop), 0);
    buf_done(&events);
    buf_done(&problems);
}

static void a_stuck_inside_is_left_behind_in_the_end(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"d\" {\n  test.node \"stuck\" {\n    slow = true\n  }\n}\nd \"x\" { }\n");
    settle(&loop);
    static struct test_node *stuck; /* for the leak checker: nobody may free it */
    stuck = node("d.x/stuck");
    bool done = false;
    controller_stop(c, note_done, &done);
    settle(&loop);
    CHECK(done);
    CHECK_STR(buf_cstr(&problems), "d.x/test.node.stuck: component did not stop in time\n");
    component_stopped(stuck->self);
    nodes = NULL;
    controller_free(c);
    settle(&loop);
    CHECK_INT(uv_loop_close(&loop), 0);
    buf_done(&events);
    buf_done(&problems);
}

/* --- failures while running, health --- */

static void a_failing_export_makes_its_instance_unhealthy_until_it_works_again(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"d\" {\n  test.node \"a\" {\n    input = 1\n  }\n  export \"out\" {\n    value = 1 + "
             "test.node.a.output\n  }\n}\n"
             "d \"x\" { }\n");
    settle(&loop);
    CHECK_INT(view_of(c, "d.x").health, HEALTH_HEALTHY);
    node_output(node("d.x/a")->self, value_string(STR("word")));
    settle(&loop);
    struct component_view v = view_of(c, "d.x");
    CHECK_INT(v.health, HEALTH_UNHEALTHY);
    CHECK_STR(v.message, "component evaluation failed: f:6:17: test.node.a.output should be number, got string");
    CHECK_MEMBER(v.exports, "out", "2");
    CHECK_HAS(buf_cstr(&problems), "d.x: component evaluation failed: ");
    node_output(node("d.x/a")->self, value_int(9));
    settle(&loop);
    v = view_of(c, "d.x");
    CHECK_INT(v.health, HEALTH_HEALTHY);
    CHECK_MEMBER(v.exports, "out", "10");
    end(c, &loop);
}

static void trouble_inside_is_not_the_instances(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, used);
    settle(&loop);
    CHECK_STR(view_of(c, "wrap.x").message, "started custom component");
    component_health(node("wrap.x/inner")->self, false, "no luck");
    CHECK_INT(view_of(c, "wrap.x/test.node.inner").health, HEALTH_UNHEALTHY);
    CHECK_INT(view_of(c, "wrap.x").health, HEALTH_HEALTHY);
    end(c, &loop);
}

/* --- looking --- */

static bool write_ids(void *arg, const struct component_view *v)
{
    struct buf *out = arg;
    buf_printf(out, "%s(%s in %s)", v->id, v->local_id, v->module_id);
    for (const char *const *m = v->created_modules; m && *m; m++)
        buf_printf(out, "*%s", *m);
    for (const char *const *to = v->references_to; *to; to++)
        buf_printf(out, ">%s", *to);
    buf_byte(out, ' ');
    return true;
}

static void modules_are_shown_by_their_ids(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, used);
    cleanup_buf struct buf out = BUF_INIT(4000);
    CHECK(controller_each_in(c, "", write_ids, &out));
    CHECK_STR(buf_cstr(&out), "test.node.end(test.node.end in )>wrap.x wrap.x(wrap.x in )*wrap.x ");
    buf_reset(&out);
    CHECK(controller_each_in(c, "wrap.x", write_ids, &out));
    CHECK_STR(buf_cstr(&out), "wrap.x/test.node.inner(test.node.inner in wrap.x) "
                              "wrap.x/test.node.other(test.node.other in wrap.x) ");
    CHECK(!controller_each_in(c, "wrap.y", write_ids, &out));
    CHECK(!controller_each_in(c, "test.node.end", write_ids, &out));
    struct component_view v;
    CHECK(!controller_view(c, "wrap.x/", &v));
    CHECK(!controller_view(c, "wrap.x/test.node.none", &v));
    CHECK(!controller_view(c, "argument.in", &v));
    cleanup_value struct value *debug = controller_debug_info(c, "wrap.x/test.node.inner");
    CHECK_MEMBER(debug, "id", "\"wrap.x/test.node.inner\"");
    end(c, &loop);
}

int main(void)
{
    RUN(exports_of_an_instance_are_its_members);
    RUN(a_changed_argument_reaches_only_what_reads_it);
    RUN(what_an_inner_component_exports_later_gets_out);
    RUN(one_batch_goes_through_modules_in_order);
    RUN(instances_nest_and_see_outer_declares_but_no_outer_components);
    RUN(arguments_are_checked);
    RUN(a_value_that_will_not_do_is_traced_to_the_instance);
    RUN(an_instance_whose_inside_fails_is_not_used);
    RUN(blocks_have_their_places);
    RUN(declares_need_a_label_of_their_own);
    RUN(a_declare_that_needs_itself_is_refused);
    RUN(a_declare_hides_a_component_of_the_same_first_name);
    RUN(an_instance_without_a_label_stands_alone);
    RUN(an_unused_declare_may_be_wrong);
    RUN(module_path_is_the_folder_of_the_file);
    RUN(the_same_text_again_changes_nothing);
    RUN(a_changed_declare_changes_its_instances_and_nothing_else);
    RUN(a_refused_load_changes_nothing_in_any_module);
    RUN(an_instance_that_vanishes_takes_its_inside_with_it);
    RUN(what_stops_inside_still_reaches_what_is_outside);
    RUN(a_stuck_inside_is_left_behind_in_the_end);
    RUN(a_failing_export_makes_its_instance_unhealthy_until_it_works_again);
    RUN(trouble_inside_is_not_the_instances);
    RUN(modules_are_shown_by_their_ids);
    return REPORT();
}
