#include "pprof/view_names.h"

#include "test.h"

static const char *named(struct view_naming v, const char *name, int32_t line)
{
    static char text[256];
    cleanup_buf struct buf out = BUF_INIT(sizeof text - 1);
    view_name_put(&v, str_of(name), line, &out);
    snprintf(text, sizeof text, "%s", buf_cstr(&out));
    return text;
}

static const struct view_naming simple = {.simple = true}, dot = {.dot = true}, lines = {.number = VIEW_NUMBER_LINE};

static void only_classes_of_java_lose_their_package(void)
{
    CHECK_STR(named(simple, "java/util/HashMap$Node.get", 0), "HashMap$Node.get");
    CHECK_STR(named(dot, "java/util/HashMap$Node.get", 0), "java.util.HashMap$Node.get");
    CHECK_STR(named(dot, "java/util/HashMap.<init>_[j]", 0), "java.util.HashMap.<init>_[j]");
    static const char *const others[] = {
        "libc.so.6.read",         "kernel.do_syscall_64", "Main.main", "[unknown]",         "",
        "libjvm.so.A::operator/", "std::map<a/b, c>.d",   "a/b",       "./lib/libz.so.1.2", "/lib/libz.so"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        CHECK_STR(named(simple, others[i], 0), others[i]);
        CHECK_STR(named(dot, others[i], 0), others[i]);
    }
}

static void numbers_stand_before_the_type(void)
{
    CHECK_STR(named(lines, "a/B.c", 12), "a/B.c:12");
    CHECK_STR(named(lines, "a/B.c_[j]", 12), "a/B.c:12_[j]");
    CHECK_STR(named(lines, "a/B.c_[j]", 0), "a/B.c_[j]");
    CHECK_STR(named(lines, "a/B.c", -1), "a/B.c");
    CHECK_STR(named((struct view_naming){.number = VIEW_NUMBER_BCI, .strip_types = true}, "a/B.c_[0]", 3), "a/B.c@3");
}

static void a_type_is_the_last_four_bytes(void)
{
    struct str type;
    CHECK_INT(view_name_split(STR("a_[j]"), &type).n, 1);
    CHECK(str_is(type, "_[j]"));
    CHECK_INT(view_name_split(STR("_[j]"), &type).n, 4);
    CHECK_INT(type.n, 0);
    CHECK_INT(view_name_split(STR("byte[]"), &type).n, 6);
}

int main(void)
{
    RUN(only_classes_of_java_lose_their_package);
    RUN(numbers_stand_before_the_type);
    RUN(a_type_is_the_last_four_bytes);
    return REPORT();
}
