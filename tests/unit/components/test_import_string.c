#include "import_fixture.h"

static void the_text_is_the_module(void)
{
    struct import_test t;
    import_begin(&t);
    CHECK_LOADS(&t,
                "import.string \"m\" {\n  content = `declare \"d\" {\n  export \"v\" {\n    value = [1, module_path]\n "
                " }\n}`\n}\n"
                "m.d \"x\" { }\n",
                "");
    CHECK_STR(import_export_of(&t, "m.d.x"), "[1, \".\"]");
    CHECK_LOADS(&t, "import.string \"m\" {\n  content = \"a = 1\"\n}\n",
                "import.string.m:1:1: only declare and import blocks are allowed in a module");
    import_end(&t);
}

static void a_module_may_bring_others(void)
{
    struct import_test t;
    import_begin(&t);
    CHECK_LOADS(&t,
                "declare \"outer\" {\n  argument \"text\" { }\n  import.string \"inner\" {\n    content = "
                "argument.text.value\n  }\n"
                "  inner.d \"x\" { }\n  export \"v\" {\n    value = inner.d.x.v\n  }\n}\n"
                "outer \"one\" {\n  text = `" DECLARES("1") "`\n}\n"
                                                            "outer \"two\" {\n  text = `" DECLARES("2") "`\n}\n",
                "");
    CHECK_STR(import_export_of(&t, "outer.one"), "1");
    CHECK_STR(import_export_of(&t, "outer.two"), "2");
    import_end(&t);
}

int main(void)
{
    RUN(the_text_is_the_module);
    RUN(a_module_may_bring_others);
    return REPORT();
}
