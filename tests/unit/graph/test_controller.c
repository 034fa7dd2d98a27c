#include "base/cleanup.h"
#include "graph/view.h"
#include "graph_fixture.h"

/* Three in a row and one aside, written in the wrong order. */
static const char chain[] = "test.node \"c\" {\n  input = test.node.b.output\n}\n"
                            "test.node \"b\" {\n  input = [test.node.a.output]\n}\n"
                            "test.node \"a\" {\n  input = 1\n}\n"
                            "test.node \"x\" {\n  input = \"alone\"\n}\n";

static void components_are_built_and_started_in_the_order_of_their_references(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    CHECK(!controller_ready(c));
    LOADS(c, chain);
    CHECK_EVENTS("build a, build x, build b, build c, start a, start x, start b, start c");
    CHECK(controller_ready(c));
    CHECK_MEMBER(view_of(c, "test.node.c").exports, "output", "[1]");
    end(c, &loop);
}

static void an_export_reaches_its_dependants_from_the_loop_once_per_batch(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, chain);
    settle(&loop);
    buf_reset(&events);
    node_output(node("a")->self, value_int(2));
    node_output(node("a")->self, value_int(3));
    CHECK_EVENTS("");
    settle(&loop);
    CHECK_EVENTS("update b, update c");
    CHECK_MEMBER(view_of(c, "test.node.c").exports, "output", "[3]");
    end(c, &loop);
}

static void equal_exports_are_dropped(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, chain);
    settle(&loop);
    buf_reset(&events);
    node_output(node("a")->self, value_float(1.0));
    settle(&loop);
    CHECK_EVENTS("");
    end(c, &loop);
}

static void a_dependant_whose_arguments_stay_the_same_is_left_alone_and_so_are_those_behind_it(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"a\" {\n  input = 1\n}\n"
             "test.node \"b\" {\n  input = test.node.a.output > 10\n}\n"
             "test.node \"c\" {\n  input = test.node.b.output\n}\n"
             "test.node \"d\" {\n  input = [test.node.a.output, test.node.b.output]\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("a")->self, value_int(2));
    settle(&loop);
    CHECK_EVENTS("update d");
    /* Here d depends on both a and b, and still hears once only. */
    node_output(node("a")->self, value_int(20));
    settle(&loop);
    CHECK_EVENTS("update b, update c, update d");
    CHECK_MEMBER(view_of(c, "test.node.d").exports, "output", "[20, true]");
    end(c, &loop);
}

static void export_x(const char *label, int64_t x)
{
    struct value *object = value_object();
    value_object_put(object, STR("x"), value_int(x));
    node_output(node(label)->self, object);
}

static void what_takes_late_exports_apart_is_built_when_they_come(void)
{
    static const char text[] = "test.late \"l\" { }\n"
                               "test.node \"a\" {\n  input = test.late.l.output[\"x\"] + 1\n}\n"
                               "test.node \"b\" {\n  input = test.node.a.output\n}\n"
                               "test.node \"other\" { }\n";
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, text);
    settle(&loop);
    CHECK_EVENTS("build l, build other, start l, start other");
    CHECK_STR(view_of(c, "test.node.a").message, "waiting for the exports of a dependency");
    CHECK_INT(view_of(c, "test.node.b").health, HEALTH_UNKNOWN);
    CHECK(controller_ready(c));
    LOADS(c, text); /* the load can be repeated meanwhile */
    settle(&loop);
    CHECK_EVENTS("");
    export_x("l", 1);
    settle(&loop);
    CHECK_EVENTS("build a, build b, start a, start b");
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "2");
    export_x("l", 5);
    settle(&loop);
    CHECK_EVENTS("update a, update b");
    LOADS(c, text);
    settle(&loop);
    CHECK_EVENTS("");
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "6");
    end(c, &loop);
}

static void a_failing_evaluation_keeps_the_old_arguments_and_turns_unhealthy(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"a\" {\n  input = 1\n}\n"
             "test.node \"b\" {\n  input = test.node.a.output + 1\n}\n");
    settle(&loop);
    buf_reset(&events);
    node_output(node("a")->self, value_string(STR("x")));
    settle(&loop);
    CHECK_EVENTS("");
    CHECK_HAS(buf_cstr(&problems), "test.node.b: component evaluation failed: decoding configuration: f:5:");
    struct component_view v = view_of(c, "test.node.b");
    CHECK_INT(v.health, HEALTH_UNHEALTHY);
    CHECK_HAS(v.message, "component evaluation failed: ");
    CHECK_MEMBER(v.arguments, "input", "2");
    node_output(node("a")->self, value_int(5));
    settle(&loop);
    CHECK_EVENTS("update b");
    v = view_of(c, "test.node.b");
    CHECK_INT(v.health, HEALTH_HEALTHY);
    CHECK_STR(v.message, "component evaluated");
    CHECK_MEMBER(v.arguments, "input", "6");
    end(c, &loop);
}

static void a_refused_update_keeps_the_old_arguments_too(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"a\" {\n  input = \"\"\n}\n"
             "test.node \"b\" {\n  fail = test.node.a.output\n}\n");
    settle(&loop);
    node_output(node("a")->self, value_string(STR("update")));
    settle(&loop);
    CHECK_STR(buf_cstr(&problems), "test.node.b: component evaluation failed: updating component: told to fail\n");
    CHECK_INT(view_of(c, "test.node.b").health, HEALTH_UNHEALTHY);
    CHECK_MEMBER(view_of(c, "test.node.b").arguments, "fail", "");
    node_output(node("a")->self, value_string(STR("")));
    settle(&loop);
    CHECK_INT(view_of(c, "test.node.b").health, HEALTH_HEALTHY);
    end(c, &loop);
}

static void component_health_joins_in(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, chain);
    component_health(node("x")->self, false, "no %s", "luck");
    struct component_view v = view_of(c, "test.node.x");
    CHECK_INT(v.health, HEALTH_UNHEALTHY);
    CHECK_STR(v.message, "no luck");
    CHECK(v.updated_ns > 0);
    component_health(node("x")->self, true, "%s", "");
    CHECK_INT(view_of(c, "test.node.x").health, HEALTH_HEALTHY);
    component_stopped(node("x")->self);
    CHECK_INT(view_of(c, "test.node.x").health, HEALTH_EXITED);
    end(c, &loop);
}

static bool write_ids(void *arg, const struct component_view *v)
{
    struct buf *out = arg;
    buf_printf(out, "%s(%s|%s)", v->id, v->name, v->label);
    for (const char *const *to = v->references_to; *to; to++)
        buf_printf(out, ">%s", *to);
    for (const char *const *by = v->referenced_by; *by; by++)
        buf_printf(out, "<%s", *by);
    buf_byte(out, ' ');
    return true;
}

static void components_are_shown_in_the_order_of_their_ids(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, chain);
    cleanup_buf struct buf out = BUF_INIT(1000);
    controller_each(c, write_ids, &out);
    CHECK_STR(buf_cstr(&out), "test.node.a(test.node|a)<test.node.b test.node.b(test.node|b)>test.node.a<test.node.c "
                              "test.node.c(test.node|c)>test.node.b test.node.x(test.node|x) ");
    cleanup_value struct value *debug = controller_debug_info(c, "test.node.b");
    CHECK_MEMBER(debug, "id", "\"test.node.b\"");
    CHECK(controller_debug_info(c, "test.node.none") == NULL);
    end(c, &loop);
}

static void those_that_hand_over_stop_before_those_that_take(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"sink\" { }\n"
             "test.node \"one\" {\n  input = test.node.sink.output\n  slow = true\n}\n"
             "test.node \"two\" {\n  input = test.node.sink.output\n  slow = true\n}\n"
             "test.node \"alone\" { }\n");
    settle(&loop);
    buf_reset(&events);
    struct component *one = node("one")->self, *two = node("two")->self;
    bool done = false;
    controller_stop(c, note_done, &done);
    CHECK_EVENTS("stop two, stop one, stop alone");
    CHECK(!controller_ready(c));
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("free alone");
    component_stopped(one);
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("free one");
    CHECK(!done);
    component_stopped(two);
    settle(&loop);
    CHECK_EVENTS("stop sink, free two, free sink");
    CHECK(done);
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(controller_load(c, NULL, 0, &ds), -ESHUTDOWN);
    controller_free(c);
    CHECK_INT(uv_loop_close(&loop), 0);
    buf_done(&events);
    buf_done(&problems);
}

static void who_does_not_stop_is_left_behind_in_the_end(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"stuck\" {\n  slow = true\n}\n");
    settle(&loop);
    static struct test_node *stuck; /* for the leak checker: nobody may free it */
    stuck = node("stuck");
    bool done = false;
    controller_stop(c, note_done, &done);
    settle(&loop);
    CHECK(done);
    CHECK_STR(buf_cstr(&problems), "test.node.stuck: component did not stop in time\n");
    controller_free(c);
    CHECK_INT(uv_loop_close(&loop), 0);
    component_stopped(stuck->self); /* too late, and harmless */
    CHECK_STR(component_id(stuck->self), "test.node.stuck");
    nodes = NULL;
    buf_done(&events);
    buf_done(&problems);
}

static void who_is_slow_does_not_hold_up_those_behind_for_ever(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"sink\" { }\n"
             "test.node \"stuck\" {\n  input = test.node.sink.output\n  slow = true\n}\n");
    settle(&loop);
    static struct test_node *stuck; /* for the leak checker: nobody may free it */
    stuck = node("stuck");
    buf_reset(&events);
    controller_stop(c, NULL, NULL);
    CHECK_EVENTS("stop stuck");
    settle(&loop);
    CHECK_EVENTS("stop sink, free sink");
    CHECK_STR(buf_cstr(&problems), "test.node.stuck: component did not stop in time\n");
    controller_free(c);
    CHECK_INT(uv_loop_close(&loop), 0);
    CHECK(nodes == stuck);
    nodes = NULL;
    buf_done(&events);
    buf_done(&problems);
}

static void an_empty_configuration_is_fine(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "");
    CHECK(controller_ready(c));
    end(c, &loop);
}

static void a_controller_that_never_loaded_can_be_freed(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    controller_free(c);
    settle(&loop);
    CHECK_INT(uv_loop_close(&loop), 0);
    buf_done(&events);
    buf_done(&problems);
}

int main(void)
{
    RUN(components_are_built_and_started_in_the_order_of_their_references);
    RUN(an_export_reaches_its_dependants_from_the_loop_once_per_batch);
    RUN(equal_exports_are_dropped);
    RUN(a_dependant_whose_arguments_stay_the_same_is_left_alone_and_so_are_those_behind_it);
    RUN(what_takes_late_exports_apart_is_built_when_they_come);
    RUN(a_failing_evaluation_keeps_the_old_arguments_and_turns_unhealthy);
    RUN(a_refused_update_keeps_the_old_arguments_too);
    RUN(component_health_joins_in);
    RUN(components_are_shown_in_the_order_of_their_ids);
    RUN(those_that_hand_over_stop_before_those_that_take);
    RUN(who_does_not_stop_is_left_behind_in_the_end);
    RUN(who_is_slow_does_not_hold_up_those_behind_for_ever);
    RUN(an_empty_configuration_is_fine);
    RUN(a_controller_that_never_loaded_can_be_freed);
    return REPORT();
}
