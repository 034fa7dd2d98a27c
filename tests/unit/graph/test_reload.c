#include "base/cleanup.h"
#include "graph/view.h"
#include "graph_fixture.h"
#include "lang/value_print.h"

static const char first[] = "test.node \"a\" {\n  input = 1\n}\n"
                            "test.node \"b\" {\n  input = test.node.a.output\n}\n";

static bool write_state(void *arg, const struct component_view *v)
{
    struct buf *out = arg;
    buf_printf(out, "%s %d %s ", v->id, (int)v->health, v->message);
    value_print(v->arguments, out);
    value_print(v->exports, out);
    buf_byte(out, '\n');
    return true;
}

/* Loads `text`, which must be refused with `messages`, and checks that nothing whatever happened to what runs. */
static void check_harmless_(int line, const char *text, const char *messages)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    cleanup_buf struct buf before = BUF_INIT(1 << 16), after = BUF_INIT(1 << 16);
    LOADS(c, first);
    settle(&loop);
    controller_each(c, write_state, &before);
    const size_t alive_before = events.len;
    check_load_(line, c, text, -EINVAL, messages);
    settle(&loop);
    controller_each(c, write_state, &after);
    CHECK_STR(buf_cstr(&after), buf_cstr(&before));
    CHECK(!strstr(buf_cstr(&events) + alive_before, "update") && !strstr(buf_cstr(&events) + alive_before, "stop") &&
          !strstr(buf_cstr(&events) + alive_before, "start"));
    /* It still runs by the old text ... */
    buf_reset(&events);
    node_output(node("a")->self, value_int(7));
    settle(&loop);
    CHECK_EVENTS("update b");
    /* ... and the next good file is taken. */
    LOADS(c, "test.node \"a\" {\n  input = 8\n}\ntest.node \"b\" {\n  input = [test.node.a.output]\n}\n");
    settle(&loop);
    CHECK_EVENTS("update a, update b");
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "[8]");
    end(c, &loop);
}
#define HARMLESS(text, messages) check_harmless_(__LINE__, text, messages)

static void a_syntax_error_changes_nothing(void)
{
    HARMLESS("test.node \"a\" {\n  input = = 2\n}\n", "f:2:11: expected expression, got =");
}

static void an_unknown_reference_changes_nothing(void)
{
    HARMLESS("test.node \"a\" {\n  input = 2\n}\ntest.node \"b\" {\n  input = test.node.gone.output\n}\n",
             "f:5:11: component \"test.node.gone.output\" does not exist or is out of scope");
}

static void a_decode_error_changes_nothing(void)
{
    HARMLESS("test.node \"a\" {\n  input = 2\n}\ntest.node \"b\" {\n  slow = 5\n}\n",
             "f:5:10: 5 should be bool, got number");
}

static void an_unknown_attribute_changes_nothing(void)
{
    HARMLESS("test.node \"a\" {\n  inputs = 2\n}\n",
             "f:2:3: unrecognized attribute name \"inputs\", did you mean \"input\"?");
}

static void a_constructor_error_changes_nothing(void)
{
    HARMLESS("test.node \"a\" {\n  input = 2\n}\ntest.node \"new\" {\n  fail = \"build\"\n}\n",
             "f:4:1: Failed to build component: building component: told to fail");
}

static void all_errors_are_reported_at_once(void)
{
    HARMLESS("test.node \"a\" {\n  slow = 5\n}\n"
             "test.node \"new\" {\n  fail = \"build\"\n}\n"
             "test.node \"more\" {\n  input = 1 + \"x\"\n}\n",
             "f:2:10: 5 should be bool, got number\n"
             "f:4:1: Failed to build component: building component: told to fail\n"
             "f:8:15: \"x\" should be number, got string");
}

static void what_needs_a_failed_component_is_not_built_but_checked(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(c,
            "test.node \"a\" {\n  fail = \"build\"\n}\n"
            "test.node \"b\" {\n  input = test.node.a.output\n}\n"
            "test.node \"c\" {\n  input = test.node.b.output\n  slow = 1\n}\n",
            "f:1:1: Failed to build component: building component: told to fail\nf:9:10: 1 should be bool, got number");
    CHECK_EVENTS("build a");
    CHECK(!controller_ready(c));
    end(c, &loop);
}

static void what_was_built_for_a_refused_file_is_freed_unstarted(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(
        c,
        "test.node \"a\" { }\ntest.node \"b\" {\n  input = test.node.a.output\n}\ntest.node \"z\" {\n  slow = 1\n}\n",
        "f:6:10: 1 should be bool, got number");
    CHECK_EVENTS("build a, build b, free b, free a");
    end(c, &loop);
}

static void kept_components_keep_their_state_and_new_and_vanished_ones_come_and_go(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"keep\" {\n  input = 1\n}\ntest.node \"change\" {\n  input = 1\n}\ntest.node \"go\" { }\n");
    settle(&loop);
    struct test_node *kept = node("keep");
    buf_reset(&events);
    LOADS(c, "test.node \"come\" {\n  input = test.node.change.output\n}\n"
             "test.node \"change\" {\n  input = 2\n}\n"
             "test.node \"keep\" {\n  input = 1\n}\n");
    settle(&loop);
    /* `come` was first built with the old export of `change`, and again before it started. */
    CHECK_EVENTS("build come, update change, build come, free come, stop go, start come, free go");
    CHECK(node("keep") == kept);
    CHECK_MEMBER(view_of(c, "test.node.come").exports, "output", "2");
    end(c, &loop);
}

static void an_update_reaches_dependants_within_the_load(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, first);
    settle(&loop);
    buf_reset(&events);
    LOADS(c, "test.node \"a\" {\n  input = 5\n}\ntest.node \"b\" {\n  input = test.node.a.output\n}\n");
    CHECK_EVENTS("update a, update b");
    settle(&loop);
    CHECK_EVENTS("");
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "5");
    end(c, &loop);
}

static void the_same_file_again_changes_nothing(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, first);
    settle(&loop);
    buf_reset(&events);
    LOADS(c, first);
    settle(&loop);
    CHECK_EVENTS("");
    /* What a component exported meanwhile stays, too. */
    node_output(node("a")->self, value_int(9));
    settle(&loop);
    LOADS(c, first);
    settle(&loop);
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "9");
    end(c, &loop);
}

static void a_refused_update_keeps_the_old_arguments_and_the_rest_runs(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, first);
    settle(&loop);
    buf_reset(&events);
    check_load_(__LINE__, c,
                "test.node \"a\" {\n  input = 2\n  fail = \"update\"\n}\n"
                "test.node \"b\" {\n  input = [test.node.a.output]\n}\ntest.node \"new\" { }\n",
                -EIO, "f:1:1: Failed to build component: updating component: told to fail");
    settle(&loop);
    CHECK_EVENTS("build new, update a, update b, start new");
    const struct component_view a = view_of(c, "test.node.a");
    CHECK_INT(a.health, HEALTH_UNHEALTHY);
    CHECK_STR(a.message, "component evaluation failed: updating component: told to fail");
    CHECK_MEMBER(a.arguments, "input", "1");
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "[1]");
    end(c, &loop);
}

static void a_component_that_exited_is_started_afresh(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, first);
    settle(&loop);
    component_stopped(node("a")->self);
    settle(&loop);
    CHECK_INT(view_of(c, "test.node.a").health, HEALTH_EXITED);
    buf_reset(&events);
    LOADS(c, first);
    settle(&loop);
    CHECK_EVENTS("build a, start a, free a");
    CHECK_INT(view_of(c, "test.node.a").health, HEALTH_HEALTHY);
    end(c, &loop);
}

static void a_successor_starts_when_the_slow_leaver_has_stopped(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"s\" {\n  slow = true\n}\ntest.node \"in\" { }\n");
    settle(&loop);
    struct component *old = node("s")->self;
    buf_reset(&events);
    LOADS(c, "test.node \"in\" { }\n");
    LOADS(c, "test.node \"s\" {\n  input = test.node.in.output\n}\ntest.node \"in\" { }\n");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("stop s, build s");
    CHECK(node("s")->self != old);
    CHECK_INT(view_of(c, "test.node.s").health, HEALTH_UNKNOWN);
    /* While it waits it is built anew when what it reads changes, and survives a reload. */
    node_output(node("in")->self, value_int(4));
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("build s, free s");
    LOADS(c, "test.node \"s\" {\n  input = test.node.in.output\n}\ntest.node \"in\" { }\n");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("");
    node_output(old, value_int(9)); /* nobody listens */
    component_stopped(old);
    settle(&loop);
    CHECK_EVENTS("free s, start s");
    CHECK_MEMBER(view_of(c, "test.node.s").exports, "output", "4");
    end(c, &loop);
}

static void a_successor_that_vanishes_before_its_start_is_freed_without_a_stop(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"old\" {\n  slow = true\n}\n");
    settle(&loop);
    struct component *old = node("old")->self;
    LOADS(c, "test.node \"new\" { }\n");
    buf_reset(&events);
    LOADS(c, "");
    uv_run(&loop, UV_RUN_NOWAIT);
    CHECK_EVENTS("free new");
    component_stopped(old);
    end(c, &loop);
}

static void a_successor_does_not_wait_for_ever(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "test.node \"old\" {\n  slow = true\n}\n");
    settle(&loop);
    static struct test_node *stuck; /* for the leak checker: nobody may free it */
    stuck = node("old");
    LOADS(c, "test.node \"new\" { }\n");
    buf_reset(&events);
    settle(&loop);
    CHECK_EVENTS("start new");
    CHECK_STR(buf_cstr(&problems), "test.node.old: component did not stop in time\n");
    component_stopped(stuck->self);
    nodes->next = NULL;
    end(c, &loop);
}

int main(void)
{
    RUN(a_syntax_error_changes_nothing);
    RUN(an_unknown_reference_changes_nothing);
    RUN(a_decode_error_changes_nothing);
    RUN(an_unknown_attribute_changes_nothing);
    RUN(a_constructor_error_changes_nothing);
    RUN(all_errors_are_reported_at_once);
    RUN(what_needs_a_failed_component_is_not_built_but_checked);
    RUN(what_was_built_for_a_refused_file_is_freed_unstarted);
    RUN(kept_components_keep_their_state_and_new_and_vanished_ones_come_and_go);
    RUN(an_update_reaches_dependants_within_the_load);
    RUN(the_same_file_again_changes_nothing);
    RUN(a_refused_update_keeps_the_old_arguments_and_the_rest_runs);
    RUN(a_component_that_exited_is_started_afresh);
    RUN(a_successor_starts_when_the_slow_leaver_has_stopped);
    RUN(a_successor_that_vanishes_before_its_start_is_freed_without_a_stop);
    RUN(a_successor_does_not_wait_for_ever);
    return REPORT();
}
