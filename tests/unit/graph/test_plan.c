/* What is wrong with a configuration as a whole, as a load reports it. */
#include "graph/analysis.h"
#include "graph/view.h"

#include "base/cleanup.h"
#include "graph_fixture.h"
#include "lang/diag_text.h"

static void refused_(int line, const char *text, const char *messages)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(line, c, text, -EINVAL, messages);
    CHECK_EVENTS("");
    CHECK(!controller_ready(c));
    end(c, &loop);
}
#define REFUSED(text, messages) refused_(__LINE__, text, messages)

static void unknown_components_are_named_with_the_closest_known(void)
{
    REFUSED("test.nod \"a\" { }\nfar.off \"b\" { }\n",
            "f:1:1: cannot find the definition of component name \"test.nod\", did you mean \"test.node\"?\n"
            "f:2:1: cannot find the definition of component name \"far.off\"");
}

static void a_reference_to_a_refused_block_is_no_second_error(void)
{
    REFUSED("test.nod \"a\" { }\ntest.node \"b\" {\n  input = test.nod.a.output\n}\n",
            "f:1:1: cannot find the definition of component name \"test.nod\", did you mean \"test.node\"?");
}

static void components_need_a_label(void)
{
    REFUSED("test.node { }\n", "f:1:1: component \"test.node\" must have a label");
}

static void ids_are_unique(void)
{
    REFUSED("test.node \"a\" { }\ntest.node \"a\" { }\nlogging { }\nlogging { }\n",
            "f:2:1: block test.node.a already declared at f:1:1\nf:4:1: block logging already declared at f:3:1");
}

static void attributes_do_not_stand_alone(void)
{
    REFUSED("a = 1\ntest.node \"a\" { }\n", "f:1:1: unrecognized attribute a");
}

static void unstable_components_need_permission(void)
{
    REFUSED(
        "test.brandnew \"a\" { }\n",
        "f:1:1: component \"test.brandnew\" is at stability level \"experimental\", which is below the minimum allowed "
        "stability level \"generally-available\". Use --stability.level command-line flag to enable \"experimental\" "
        "features");
}

static void what_this_version_lacks_is_said(void)
{
    REFUSED("remotecfg { }\nui { }\nimport.git \"g\" { }\n",
            "f:3:1: \"import.git\" blocks are not supported by this version; keep a clone on this host up to date "
            "(git-sync, or git pull in a timer) and use import.file, or import.http with the URL of the raw file\n"
            "f:1:1: \"remotecfg\" blocks are not supported by this version; write the configuration to a file "
            "and run with --config.file-watch, or use import.http for what a server provides\n"
            "f:2:1: service \"ui\" does not support being configured");
}

/* As in the reference: what is no import that it has may be a component. */
static void an_import_that_nobody_has_is_an_unknown_component(void)
{
    REFUSED("import.foo \"x\" { }\n", "f:1:1: cannot find the definition of component name \"import.foo\"");
}

/* As in the reference, which looks into a declare when it is used. */
static void an_unused_declare_is_not_looked_into(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    const char *declare = "declare \"d\" {\n  argument \"a\" { }\n  argument \"a\" { }\n}\n";
    LOADS(c, declare);
    cleanup_free char *used = xasprintf("%sd \"x\" {\n  a = 1\n}\n", declare);
    REFUSES(c, used, "f:3:3: block argument.a already declared at f:2:3");
    end(c, &loop);
}

static void a_block_that_is_given_twice_is_said_to_be_whatever_else_is_wrong(void)
{
    REFUSED("test.nothing \"a\" { }\ntest.nothing \"a\" { }\n",
            "f:1:1: cannot find the definition of component name \"test.nothing\"\n"
            "f:2:1: block test.nothing.a already declared at f:1:1");
}

static void an_inner_declare_hides_an_outer_one_that_would_be_a_cycle(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c,
          "declare \"a\" {\n  declare \"b\" { }\n  b \"x\" { }\n}\ndeclare \"b\" {\n  a \"x\" { }\n}\nb \"y\" { }\n");
    end(c, &loop);
}

static void cycles_and_self_references_are_found_together(void)
{
    REFUSED("test.node \"b\" {\n  input = test.node.a.output\n}\n"
            "test.node \"a\" {\n  input = test.node.b.output\n}\n"
            "test.node \"me\" {\n  input = test.node.me.output\n}\n",
            "f:1:1: cycle: test.node.a, test.node.b\nf:7:1: self reference: test.node.me");
}

static void references_are_found_wherever_they_hide(void)
{
    REFUSED("test.node \"a\" {\n  input = string.format(\"%s\", {k = [gone.one]}[none], constants.hostname)\n}\n"
            "logging {\n  level = also.gone\n}\n",
            "f:2:37: component \"gone.one\" does not exist or is out of scope\n"
            "f:2:48: component \"none\" does not exist or is out of scope\n"
            "f:5:11: component \"also.gone\" does not exist or is out of scope");
}

static void what_was_meant_is_suggested(void)
{
    REFUSED("test.node \"first\" {\n}\ntest.node \"b\" {\n  input = test.node.frist.output\n}\n",
            "f:4:11: component \"test.node.frist.output\" does not exist or is out of scope, did you mean "
            "\"test.node.first.output\"?");
}

static void what_is_written_wrongly_does_not_wait_for_the_next_load(void)
{
    REFUSED("test.nothing \"x\" { }\nlogging {\n  level = \"loud\"\n}\ntest.node \"a\" {\n  inptu = 1\n}\n",
            "f:1:1: cannot find the definition of component name \"test.nothing\"\n"
            "f:3:11: unrecognized log level \"loud\"\n"
            "f:6:3: unrecognized attribute name \"inptu\", did you mean \"input\"?");
}

static void errors_of_all_files_are_reported(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    const struct config_file files[] = {{"one", "a = = 1\n", 8}, {"two", "b {", 3}};
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(controller_load(c, files, 2, &ds), -EINVAL);
    CHECK_INT(ds.len, 2);
    cleanup_buf struct buf out = BUF_INIT(1000);
    diags_pretty(&ds, DIAG_AS_IS, &out);
    CHECK_HAS(buf_cstr(&out), "one:1:5: expected expression, got =");
    CHECK_HAS(buf_cstr(&out), "two:1:4: ");
    end(c, &loop);
}

static void files_make_one_graph(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    const char *one = "test.node \"b\" {\n  input = test.node.a.output\n}\n",
               *two = "test.node \"a\" {\n  input = 3\n}\n", *again = "\n\ntest.node \"a\" { }\n";
    struct config_file files[] = {
        {"one", one, strlen(one)}, {"two", two, strlen(two)}, {"again", again, strlen(again)}};
    cleanup_diags struct diags ds = DIAGS_INIT;
    CHECK_INT(controller_load(c, files, 2, &ds), 0);
    CHECK_MEMBER(view_of(c, "test.node.b").exports, "output", "3");
    CHECK_INT(controller_load(c, files, 3, &ds), -EINVAL);
    CHECK_STR(ds.items[0].message, "block test.node.a already declared at two:1:1");
    end(c, &loop);
}

static void foreign_encodings_are_refused_before_anything_else(void)
{
    REFUSED("\xff\xfe\x61", "f: configuration is encoded with UTF-16LE but must be utf8");
}

static void settings_are_checked_as_components_are(void)
{
    REFUSED("http {\n  auth {\n    basic { }\n  }\n}\n", "f:3:5: missing required attribute \"username\"\n"
                                                         "f:3:5: missing required attribute \"password\"");
}

/* --- what is left out by permission --- */

static struct controller *lenient(uv_loop_t *loop)
{
    skip_unknown = true;
    struct controller *c = controller(loop);
    skip_unknown = false;
    return c;
}

static void unknown_components_and_what_needs_only_them_can_be_left_out(void)
{
    uv_loop_t loop;
    struct controller *c = lenient(&loop);
    check_load_(__LINE__, c,
                "prom.scrape \"a\" {\n  whatever {\n    it = takes.this\n  }\n}\n"
                "test.node \"only\" {\n  input = [prom.scrape.a.out]\n}\n"
                "test.node \"further\" {\n  input = test.node.only.output\n}\n"
                "test.node \"real\" {\n  input = 1\n}\n"
                "test.node \"both\" {\n  input = [prom.scrape.a.out.deep, test.node.real.output]\n}\n"
                "remotecfg { }\nimport.git \"g\" { }\ng.thing \"t\" { }\n",
                0,
                "f:19:1: import \"import.git\" is unknown and skipped\n"
                "f:1:1: component \"prom.scrape\" is unknown and skipped\n"
                "f:18:1: block \"remotecfg\" is unknown and skipped\n"
                "f:20:1: component \"g.thing\" is unknown and skipped\n"
                "f:6:1: test.node.only depends only on skipped components and is skipped\n"
                "f:9:1: test.node.further depends only on skipped components and is skipped");
    CHECK_EVENTS("build real, build both, start real, start both");
    CHECK_MEMBER(view_of(c, "test.node.both").exports, "output", "[null, 1]");
    struct component_view v;
    CHECK(!controller_view(c, "test.node.only", &v));
    CHECK_STR(view_of(c, "test.node.both").references_to[0], "test.node.real");
    CHECK(!view_of(c, "test.node.both").references_to[1]);
    end(c, &loop);
}

static void an_import_gives_its_definitions_nothing(void)
{
    uv_loop_t loop;
    struct controller *c = lenient(&loop);
    check_load_(__LINE__, c,
                "prom.scrape \"a\" { }\nimport.test \"m\" {\n  text = \"declare \\\"d\\\" {\\n argument \\\"in\\\" "
                "{ optional = true }\\n test.node \\\"n\\\" { }\\n}\"\n}\n"
                "m.d \"x\" {\n  in = prom.scrape.a.out\n}\nm.d \"y\" { }\n",
                0,
                "f:1:1: component \"prom.scrape\" is unknown and skipped\n"
                "f:5:1: m.d.x depends only on skipped components and is skipped");
    CHECK_EVENTS("build m.d.y/n, start m.d.y/n");
    end(c, &loop);
}

static void what_is_left_out_inside_a_module_is_said_once(void)
{
    uv_loop_t loop;
    struct controller *c = lenient(&loop);
    check_load_(__LINE__, c,
                "declare \"d\" {\n  prom.scrape \"a\" { }\n  test.node \"n\" { }\n}\nd \"x\" { }\nd \"y\" { }\n", 0,
                "f:2:3: component \"prom.scrape\" is unknown and skipped");
    CHECK_EVENTS("build d.x/n, build d.y/n, start d.x/n, start d.y/n");
    end(c, &loop);
}

static void a_component_comes_back_when_what_it_needs_is_known(void)
{
    uv_loop_t loop;
    struct controller *c = lenient(&loop);
    check_load_(__LINE__, c, "test.nod \"a\" { }\ntest.node \"b\" {\n  input = test.nod.a.output\n}\n", 0,
                "f:1:1: component \"test.nod\" is unknown and skipped\n"
                "f:2:1: test.node.b depends only on skipped components and is skipped");
    CHECK_EVENTS("");
    LOADS(c, "test.node \"a\" { }\ntest.node \"b\" {\n  input = test.node.a.output\n}\n");
    settle(&loop);
    CHECK_EVENTS("build a, build b, start a, start b");
    check_load_(__LINE__, c, "test.nod \"a\" { }\ntest.node \"b\" {\n  input = test.nod.a.output\n}\n", 0,
                "f:1:1: component \"test.nod\" is unknown and skipped\n"
                "f:2:1: test.node.b depends only on skipped components and is skipped");
    settle(&loop);
    CHECK_EVENTS("stop b, stop a, free b, free a");
    end(c, &loop);
}

int main(void)
{
    RUN(unknown_components_are_named_with_the_closest_known);
    RUN(a_reference_to_a_refused_block_is_no_second_error);
    RUN(components_need_a_label);
    RUN(ids_are_unique);
    RUN(attributes_do_not_stand_alone);
    RUN(unstable_components_need_permission);
    RUN(what_this_version_lacks_is_said);
    RUN(an_import_that_nobody_has_is_an_unknown_component);
    RUN(an_unused_declare_is_not_looked_into);
    RUN(a_block_that_is_given_twice_is_said_to_be_whatever_else_is_wrong);
    RUN(an_inner_declare_hides_an_outer_one_that_would_be_a_cycle);
    RUN(cycles_and_self_references_are_found_together);
    RUN(references_are_found_wherever_they_hide);
    RUN(what_was_meant_is_suggested);
    RUN(what_is_written_wrongly_does_not_wait_for_the_next_load);
    RUN(errors_of_all_files_are_reported);
    RUN(files_make_one_graph);
    RUN(foreign_encodings_are_refused_before_anything_else);
    RUN(settings_are_checked_as_components_are);
    RUN(unknown_components_and_what_needs_only_them_can_be_left_out);
    RUN(an_import_gives_its_definitions_nothing);
    RUN(what_is_left_out_inside_a_module_is_said_once);
    RUN(a_component_comes_back_when_what_it_needs_is_known);
    return REPORT();
}
