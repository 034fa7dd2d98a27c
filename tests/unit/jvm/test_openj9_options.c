/* What an OpenJ9 JVM was told about attaching, and where. */
#include "jvm/probe/openj9_options.h"

#include "test.h"

static struct openj9_options options_of(struct str cmdline, struct str environment)
{
    struct openj9_options o;
    struct jvm_view v = JVM_VIEW_INIT;
    v.ns_pid = 77;
    v.cmdline = BUF_INIT(4096);
    v.environ = BUF_INIT(4096);
    buf_str(&v.cmdline, cmdline);
    buf_str(&v.environ, environment);
    openj9_options_read(&v, &o);
    buf_done(&v.cmdline);
    buf_done(&v.environ);
    return o;
}

static void without_properties_it_is_as_usual(void)
{
    struct openj9_options o = options_of(STR("java\0-Xmx1g\0Main\0"), STR("A=b\0"));
    CHECK(!o.attach_off);
    CHECK_STR(o.directory, "/tmp/.com_ibm_tools_attach");
    CHECK_STR(o.id, "77");
}

static void the_command_line_outweighs_variables_before_it(void)
{
    struct openj9_options o = options_of(STR("java\0-Dcom.ibm.tools.attach.enable=yes\0"
                                             "-Dcom.ibm.tools.attach.directory=/run/j9\0"
                                             "-Dcom.ibm.tools.attach.id=shop_1\0Main\0"),
                                         STR("JAVA_TOOL_OPTIONS=-Xq -Dcom.ibm.tools.attach.enable=no\0"));
    CHECK(!o.attach_off);
    CHECK_STR(o.directory, "/run/j9");
    CHECK_STR(o.id, "shop_1");
}

static void variables_count_in_their_order(void)
{
    CHECK(options_of(STR("java\0Main\0"), STR("OPENJ9_JAVA_OPTIONS=-Dcom.ibm.tools.attach.enable=NO\0")).attach_off);
    CHECK(options_of(STR("java\0Main\0"), STR("IBM_JAVA_OPTIONS=-Dcom.ibm.tools.attach.enable=no\0")).attach_off);
    /* The one of the newer name takes the place of the other. */
    CHECK(!options_of(STR("java\0Main\0"),
                      STR("OPENJ9_JAVA_OPTIONS=\0IBM_JAVA_OPTIONS=-Dcom.ibm.tools.attach.enable=no\0"))
               .attach_off);
    CHECK(options_of(STR("java\0-Dcom.ibm.tools.attach.enable=yes\0Main\0"),
                     STR("_JAVA_OPTIONS=-Dcom.ibm.tools.attach.enable=no\0"))
              .attach_off);
}

/* They become parts of paths. */
static void values_that_openj9_would_not_take_are_ignored(void)
{
    static const char *const ids[] = {"", "1x", "../x", "a/b", "x.y", ".", "_x"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        char line[128];
        int n = snprintf(line, sizeof line, "java%c-Dcom.ibm.tools.attach.id=%s", 0, ids[i]);
        struct openj9_options o = options_of((struct str){line, (size_t)n + 1}, STR(""));
        CHECK_STR(o.id, "77");
    }
    struct openj9_options o = options_of(STR("java\0-Dcom.ibm.tools.attach.directory=relative\0"
                                             "-Dcom.ibm.tools.attach.enable=maybe\0"),
                                         STR(""));
    CHECK_STR(o.directory, "/tmp/.com_ibm_tools_attach");
    CHECK(!o.attach_off);
}

int main(void)
{
    RUN(without_properties_it_is_as_usual);
    RUN(the_command_line_outweighs_variables_before_it);
    RUN(variables_count_in_their_order);
    RUN(values_that_openj9_would_not_take_are_ignored);
    return REPORT();
}
