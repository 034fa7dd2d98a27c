/* import.*: libraries from elsewhere. The sources here are the test's own; those of the program are tested with the
 * components. */
#include "base/cleanup.h"
#include "graph/module.h"
#include "graph/view.h"
#include "graph_fixture.h"

#define ADDS(what)                                                                                                     \
    "declare \\\"add\\\" {\\n argument \\\"in\\\" { }\\n test.node \\\"n\\\" {\\n input = argument.in.value + " what   \
    "\\n }\\n"                                                                                                         \
    " export \\\"out\\\" {\\n value = test.node.n.output\\n }\\n}\\n"
#define IMPORT(text) "import.test \"m\" {\n  text = \"" text "\"\n}\n"
#define USE          "m.add \"x\" {\n  in = 1\n}\ntest.node \"end\" {\n  input = m.add.x.out\n}\n"

/* The same as plain text, for bring(). */
#define ADDS_TEXT(what)                                                                                                \
    "declare \"add\" {\n argument \"in\" { }\n test.node \"n\" {\n input = argument.in.value + " what "\n }\n"         \
    " export \"out\" {\n value = test.node.n.output\n }\n}\n"

static void an_imported_declare_is_used_by_its_namespace(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "11");
    CHECK_EVENTS("build m.add.x/n, build end, start m.add.x/n, start end");
    end(c, &loop);
}

static void new_content_changes_what_it_changes(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE "test.node \"aside\" { }\n");
    settle(&loop);
    buf_reset(&events);
    bring("m", ADDS_TEXT("20") "declare \"unused\" { }\n");
    settle(&loop);
    CHECK_EVENTS("update m.add.x/n, update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "21");
    /* Another text of the same meaning, and the same text. */
    bring("m", "// hello\n" ADDS_TEXT("20"));
    settle(&loop);
    bring("m", "// hello\n" ADDS_TEXT("20"));
    settle(&loop);
    CHECK_EVENTS("");
    CHECK_STR(buf_cstr(&problems), "");
    end(c, &loop);
}

static void broken_content_leaves_the_old_in_force(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE);
    settle(&loop);
    buf_reset(&events);
    bring("m", "declare \"add\" {\n  x = = 1\n}\n");
    settle(&loop);
    CHECK_STR(buf_cstr(&problems),
              "import.test.m: imported content from \"m\" cannot be parsed: m:2:7: expected expression, got =\n");
    buf_reset(&problems);
    bring("m", "test.node \"a\" { }\n");
    settle(&loop);
    CHECK_STR(buf_cstr(&problems),
              "import.test.m: imported content from \"m\" is invalid: m:1:1: only declare and import "
              "blocks are allowed in a module, got test.node\n");
    CHECK_EVENTS("");
    /* Reloads do not mind, and what is imported still works. */
    LOADS(c, IMPORT(ADDS("10")) USE);
    bring("m", ADDS_TEXT("30"));
    settle(&loop);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "31");
    end(c, &loop);
}

static void an_instance_that_the_new_content_breaks_keeps_the_old_one(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE);
    settle(&loop);
    buf_reset(&events);
    buf_reset(&problems);
    bring("m", "declare \"other\" { }\n");
    settle(&loop);
    CHECK_EVENTS("");
    struct component_view v = view_of(c, "m.add.x");
    CHECK_INT(v.health, HEALTH_UNHEALTHY);
    CHECK_STR(v.message, "component evaluation failed: updating custom component: f:4:1: cannot find the definition of "
                         "component name \"m.add\"");
    CHECK_MEMBER(v.exports, "out", "11");
    bring("m", "declare \"add\" {\n argument \"in\" { }\n test.node \"n\" {\n fail = \"build\"\n input = [1]\n }\n "
               "test.node \"o\" {\n fail = \"build\"\n }\n}\n");
    settle(&loop);
    CHECK_EVENTS("build m.add.x/o");
    CHECK_HAS(view_of(c, "m.add.x").message, "told to fail");
    bring("m", ADDS_TEXT("40"));
    settle(&loop);
    CHECK_INT(view_of(c, "m.add.x").health, HEALTH_HEALTHY);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "41");
    end(c, &loop);
}

static void imports_may_import(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT("import.test \\\"deep\\\" {\\n text = \\\"declare \\\\\\\"one\\\\\\\" {\\\\n export "
                    "\\\\\\\"v\\\\\\\" {\\\\n value = 1\\\\n }\\\\n}\\\\n\\\"\\n}\\n"
                    "declare \\\"add\\\" {\\n argument \\\"in\\\" { }\\n deep.one \\\"d\\\" { }\\n"
                    " export \\\"out\\\" {\\n value = deep.one.d.v + argument.in.value\\n }\\n}\\n") USE);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "2");
    settle(&loop);
    buf_reset(&events);
    bring("deep", "declare \"one\" {\n export \"v\" {\n value = 100\n }\n}\n");
    settle(&loop);
    CHECK_EVENTS("update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "101");
    CHECK_STR(buf_cstr(&problems), "");
    end(c, &loop);
}

static void a_declare_may_use_what_is_imported_beside_it(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) "declare \"outer\" {\n  m.add \"a\" {\n    in = 1\n  }\n  export \"out\" {\n    value "
                                "= m.add.a.out\n  }\n}\n"
                                "outer \"o\" { }\n"
                                "test.node \"end\" {\n  input = outer.o.out\n}\n");
    settle(&loop);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "11");
    buf_reset(&events);
    bring("m", ADDS_TEXT("20"));
    settle(&loop);
    CHECK_EVENTS("update outer.o/m.add.a/n, update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "21");
    end(c, &loop);
}

static void imported_declares_do_not_see_the_importers(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(c,
            "declare \"mine\" { }\n" IMPORT("declare \\\"add\\\" {\\n mine \\\"x\\\" { }\\n}\\n") "m.add \"x\" { }\n",
            "m:2:2: cannot find the definition of component name \"mine\"");
    end(c, &loop);
}

static void a_declare_may_import_for_itself(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "declare \"d\" {\n  argument \"text\" { }\n  import.test \"m\" {\n    text = argument.text.value\n  }\n"
             "  m.add \"x\" {\n    in = 1\n  }\n  export \"out\" {\n    value = m.add.x.out\n  }\n}\n"
             "test.node \"text\" {\n  input = \"" ADDS("5") "\"\n}\n"
                                                            "d \"y\" {\n  text = test.node.text.output\n}\n"
                                                            "test.node \"end\" {\n  input = d.y.out\n}\n");
    settle(&loop);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "6");
    /* Content that comes from an expression: the new value is the new module. */
    buf_reset(&events);
    node_output(node("text")->self, value_string(STR(ADDS_TEXT("7"))));
    settle(&loop);
    CHECK_EVENTS("update d.y/m.add.x/n, update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "8");
    end(c, &loop);
}

static void a_reload_with_other_content_is_all_or_nothing(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE);
    settle(&loop);
    buf_reset(&events);
    REFUSES(c, IMPORT("oops") USE, "m:1:5: expected block label, got TERMINATOR");
    REFUSES(c, IMPORT(ADDS("20")) USE "test.node \"bad\" {\n  slow = 1\n}\n", "f:11:10: 1 should be bool, got number");
    REFUSES(c, IMPORT("none") USE, "f:1:1: Failed to evaluate node for config block: no such module");
    settle(&loop);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "11");
    CHECK(!strstr(buf_cstr(&events), "update"));
    buf_reset(&events);
    LOADS(c, IMPORT(ADDS("20")) USE);
    settle(&loop);
    CHECK_EVENTS("update m.add.x/n, update end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "21");
    end(c, &loop);
}

static void what_arrives_just_before_a_load_counts(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE);
    settle(&loop);
    bring("m", ADDS_TEXT("20"));
    LOADS(c, IMPORT(ADDS("10")) USE);
    settle(&loop);
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "21");
    end(c, &loop);
}

static void what_needs_an_import_waits_until_it_arrives(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "import.test \"m\" {\n  later = true\n}\n" USE "test.node \"other\" { }\n");
    settle(&loop);
    CHECK_EVENTS("build other, start other");
    CHECK_INT(view_of(c, "m.add.x").health, HEALTH_UNKNOWN);
    CHECK_STR(view_of(c, "test.node.end").message, "waiting for the import");
    CHECK(controller_ready(c));
    /* The load can be repeated meanwhile. */
    LOADS(c, "import.test \"m\" {\n  later = true\n}\n" USE "test.node \"other\" { }\n");
    settle(&loop);
    CHECK_EVENTS("");
    bring("m", "rubbish");
    settle(&loop);
    CHECK_HAS(buf_cstr(&problems), "import.test.m: imported content from \"m\" cannot be parsed: ");
    bring("m", ADDS_TEXT("10"));
    settle(&loop);
    CHECK_EVENTS("build m.add.x/n, build end, start m.add.x/n, start end");
    CHECK_MEMBER(view_of(c, "test.node.end").exports, "output", "11");
    CHECK_INT(view_of(c, "m.add.x").health, HEALTH_HEALTHY);
    CHECK_INT(view_of(c, "test.node.end").health, HEALTH_HEALTHY);
    end(c, &loop);
}

static void what_waited_without_exports_starts_too(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "import.test \"m\" {\n  later = true\n}\nm.quiet \"q\" { }\n");
    bring("m", "declare \"quiet\" {\n  test.node \"n\" {\n    fail = \"build\"\n  }\n}\n");
    settle(&loop);
    CHECK_EVENTS("build m.quiet.q/n");
    CHECK_INT(view_of(c, "m.quiet.q").health, HEALTH_UNHEALTHY);
    bring("m", "declare \"quiet\" {\n  test.node \"n\" { }\n}\n");
    settle(&loop);
    CHECK_EVENTS("build m.quiet.q/n, start m.quiet.q/n");
    CHECK_INT(view_of(c, "m.quiet.q").health, HEALTH_HEALTHY);
    end(c, &loop);
}

static void names_of_imports_are_checked(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(c, "import.test { }\nimport.test \"m\" { }\nimport.test \"m\" { }\nimport.web \"m\" { }\n",
            "f:1:1: import.test block must have a label\n"
            "f:3:1: block import.test.m already declared at f:2:1\n"
            "f:4:12: namespace \"m\" is already used by import.test.m at f:2:1");
    REFUSES(c, IMPORT(ADDS("1")) "m.ad \"x\" { }\n",
            "f:4:1: cannot find the definition of component name \"m.ad\", did you mean \"m.add\"?");
    end(c, &loop);
}

static void another_machine_may_not_name_files_of_this_one(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(
        c, "import.web \"m\" {\n  text = \"import.disk \\\"d\\\" { }\"\n}\n",
        "m:1:1: importing a module via import.http (nodeID: import.web.m) that contains an import.disk block is not "
        "supported");
    /* Nor through something that is neither. */
    REFUSES(
        c,
        "import.web \"m\" {\n  text = \"import.test \\\"t\\\" { text = \\\"import.disk \\\\\\\"d\\\\\\\" { }\\\" "
        "}\"\n}\n",
        "t:1:1: importing a module via import.http (nodeID: import.web.m) that contains an import.disk block is not "
        "supported");
    REFUSES(
        c,
        "import.web \"m\" {\n  text = \"declare \\\"q\\\" {\\n import.disk \\\"d\\\" { }\\n}\\n\"\n}\nm.q \"x\" { }\n",
        "m:2:2: importing a module via import.http (nodeID: import.web.m) that contains an import.disk block is not "
        "supported");
    LOADS(c, "import.disk \"m\" {\n  text = \"import.disk \\\"d\\\" { }\"\n}\n");
    end(c, &loop);
}

static void modules_do_not_nest_for_ever(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    cleanup_buf struct buf text = BUF_INIT(1 << 24);
    cleanup_diags struct diags ds = DIAGS_INIT;
    for (int i = 0; i < 40; i++)
        buf_printf(&text, "declare \"d%d\" {\n  %s%d%s\n}\n", i, i ? "d" : "test.node \"n", i ? i - 1 : 0,
                   i ? " \"x\" { }" : "\" { }");
    buf_puts(&text, "d39 \"x\" { }\n");
    CHECK_INT(controller_load(c, &(struct config_file){"f", buf_cstr(&text), text.len}, 1, &ds), -EINVAL);
    CHECK_INT(ds.errors, 1);
    CHECK_HAS(ds.items[0].message, "modules are nested deeper than 32 levels");
    end(c, &loop);
}

static void what_is_no_longer_imported_goes(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT(ADDS("10")) USE);
    settle(&loop);
    buf_reset(&events);
    REFUSES(c, USE, "f:1:1: cannot find the definition of component name \"m.add\"");
    LOADS(c, "test.node \"end\" { }\n");
    settle(&loop);
    CHECK_EVENTS("update end, stop m.add.x/n, free m.add.x/n");
    CHECK(imports == NULL);
    end(c, &loop);
}

static void module_path_is_that_of_the_import(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT("declare \\\"p\\\" {\\n export \\\"v\\\" {\\n value = module_path\\n }\\n}\\n") "m.p \"x\" { }\n");
    CHECK_MEMBER(view_of(c, "m.p.x").exports, "v", "\"/there\"");
    end(c, &loop);
}

/* Imports are not listed, so this looks inside. */
static const struct health *import_health(struct controller *c, const char *id)
{
    return instance_health(graph_node(controller_root(c)->running, str_of(id))->instance);
}

static void the_health_of_an_import_is_the_worst_of_all_it_has(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, IMPORT("import.test \\\"deep\\\" { }\\n"));
    settle(&loop);
    CHECK_INT(import_health(c, "import.test.m")->state, HEALTH_HEALTHY);
    /* Its content. */
    bring("m", "rubbish");
    settle(&loop);
    CHECK_INT(import_health(c, "import.test.m")->state, HEALTH_UNHEALTHY);
    CHECK_HAS(import_health(c, "import.test.m")->message, "imported content from \"m\" cannot be parsed: m:1:8: ");
    bring("m", "import.test \"deep\" { }\n");
    settle(&loop);
    CHECK_INT(import_health(c, "import.test.m")->state, HEALTH_HEALTHY);
    /* What it imports itself. */
    bring("deep", "rubbish");
    settle(&loop);
    CHECK_HAS(import_health(c, "import.test.m")->message, "imported content from \"deep\" cannot be parsed: ");
    bring("deep", "");
    settle(&loop);
    CHECK_INT(import_health(c, "import.test.m")->state, HEALTH_HEALTHY);
    /* What its source says. */
    for (struct test_import *i = imports; i; i = i->next)
        component_health(i->self, strcmp(import_label(i->self), "m") != 0, "cannot be reached");
    CHECK_STR(import_health(c, "import.test.m")->message, "cannot be reached");
    end(c, &loop);
}

int main(void)
{
    RUN(an_imported_declare_is_used_by_its_namespace);
    RUN(new_content_changes_what_it_changes);
    RUN(broken_content_leaves_the_old_in_force);
    RUN(an_instance_that_the_new_content_breaks_keeps_the_old_one);
    RUN(imports_may_import);
    RUN(a_declare_may_use_what_is_imported_beside_it);
    RUN(imported_declares_do_not_see_the_importers);
    RUN(a_declare_may_import_for_itself);
    RUN(a_reload_with_other_content_is_all_or_nothing);
    RUN(what_arrives_just_before_a_load_counts);
    RUN(what_needs_an_import_waits_until_it_arrives);
    RUN(what_waited_without_exports_starts_too);
    RUN(names_of_imports_are_checked);
    RUN(another_machine_may_not_name_files_of_this_one);
    RUN(modules_do_not_nest_for_ever);
    RUN(what_is_no_longer_imported_goes);
    RUN(module_path_is_that_of_the_import);
    RUN(the_health_of_an_import_is_the_worst_of_all_it_has);
    return REPORT();
}
