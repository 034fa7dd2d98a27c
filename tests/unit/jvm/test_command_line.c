#include "jvm/probe/command_line.h"

#include "test.h"

static void check_main(struct str cmdline, const char *want, int line)
{
    struct str got = command_line_main(cmdline);
    if (!str_is(got, want))
        FAIL_("line %d: \"%.*s\", want \"%s\"", line, STR_ARG(got), want);
}

#define MAIN(cmdline, want) check_main(STR(cmdline), want, __LINE__)

static void finds_the_main_class_of_every_way_to_start_java(void)
{
    MAIN("java\0com.example.Main\0--port\0"
         "80\0",
         "com.example.Main");
    MAIN("/usr/bin/java\0-Xmx1g\0-cp\0/a.jar:/b.jar\0com.example.Main\0", "com.example.Main");
    MAIN("java\0-jar\0/srv/app-1.2.jar\0arg\0", "app-1.2");
    MAIN("java\0-classpath\0x\0-jar\0app.jar\0", "app");
    MAIN("java\0-p\0mods\0-m\0shop.core/com.shop.Main\0", "com.shop.Main");
    MAIN("java\0--module=shop.core/com.shop.Main\0", "com.shop.Main");
    MAIN("java\0--module\0shop.core\0", "shop.core");
    MAIN("java\0--add-opens\0java.base/java.lang=ALL-UNNAMED\0Main\0", "Main");
    MAIN("java\0--add-opens=java.base/java.lang=ALL-UNNAMED\0Main\0", "Main");
    MAIN("java\0@argfile\0Main\0", "Main");
    MAIN("java\0/src/Hello.java\0x\0", "Hello");
    MAIN("java\0-version\0", "");
    MAIN("java\0-jar", "");
    MAIN("java\0-cp", "");
    MAIN("java", "");
    MAIN("java\0\0\0Main\0", "Main");
    MAIN("/opt/tomcat/bin/jsvc\0-user\0tomcat\0", "jsvc");
    MAIN("", "");
}

static void takes_the_main_class_from_what_the_jvm_says(void)
{
    CHECK(str_is(command_line_java_command(STR("com.example.Main --port 80")), "com.example.Main"));
    CHECK(str_is(command_line_java_command(STR("shop.core/com.shop.Main")), "com.shop.Main"));
    CHECK(str_is(command_line_java_command(STR("/srv/app-1.2.jar a/b.jar")), "app-1.2"));
    CHECK(str_is(command_line_java_command(STR("")), ""));
    CHECK(command_line_is_java(STR("/usr/bin/java\0Main\0")));
    CHECK(!command_line_is_java(STR("/usr/bin/javaw\0Main\0")));
    CHECK(!command_line_is_java(STR("")));
}

static void options_end_at_the_main_class(void)
{
#define OPTIONS(cmdline, want) CHECK(str_eq(command_line_options(STR(cmdline)), STR(want)))
    OPTIONS("java\0-Xmx1g\0-cp\0/srv\0-Da=b\0Main\0-Dc=d", "-Xmx1g\0-cp\0/srv\0-Da=b");
    OPTIONS("java\0@file\0-Da=b\0-jar\0a.jar\0-Dc=d", "@file\0-Da=b");
    OPTIONS("java\0-Da=b\0--module=m/c\0-Dc=d", "-Da=b");
    OPTIONS("java\0Main", "");
    OPTIONS("java\0-cp", "-cp");
    OPTIONS("java", "");
    OPTIONS("", "");
    OPTIONS("jsvc\0Main\0-Da=b", "Main\0-Da=b");
}

int main(void)
{
    RUN(options_end_at_the_main_class);
    RUN(takes_the_main_class_from_what_the_jvm_says);
    RUN(finds_the_main_class_of_every_way_to_start_java);
    return REPORT();
}
