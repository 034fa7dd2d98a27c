/* Versions as real JVMs put them, and what is done about them. */
#include "jvm/probe/builds.h"

#include <errno.h>

#include "test.h"

static void reads_versions_of_all_ages(void)
{
    static const struct {
        const char *text;
        unsigned major, update;
        bool early;
    } cases[] = {
        {"17.0.15+6-Debian-1deb12u1", 17, 15, false}, /* java.vm.version of Debian's 17 */
        {"25.504-b01", 8, 504, false},                /* of 8u504 */
        {"25.212-b10", 8, 212, false},
        {"1.8.0_504-8u504-ga-1-b01", 8, 504, false},
        {"28-ea+18-1-Debian", 28, 0, true},
        {"11.0.33-ea+8-post-Debian-1", 11, 33, true},
        {"25.0.2+10-LTS", 25, 2, false},
        {"25+36-LTS", 25, 0, false},
        {"26.0.2.1+1-Debian-1", 26, 2, false},
        {"24.51-b03", 7, 51, false},
        {"17.0.9+9-jvmci-23.0-b22", 17, 9, false}, /* Graal's */
        {"9.0.4+11", 9, 4, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct jvm_build b = {0};
        CHECK(jvm_build_parse(str_of(cases[i].text), &b));
        if (b.major != cases[i].major || b.update != cases[i].update || b.early != cases[i].early)
            FAIL_("%s is %u, update %u, %s", cases[i].text, b.major, b.update, b.early ? "early" : "not early");
        CHECK_STR(b.text, cases[i].text);
    }
}

static void refuses_what_is_no_version(void)
{
    static const char *const bad[] = {"", "x", "-17", "0", ".8", "mixed mode"};
    struct jvm_build b;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!jvm_build_parse(str_of(bad[i]), &b));
    /* Foreign text stays printable and short. */
    char longest[400];
    memset(longest, '\n', sizeof longest);
    memcpy(longest, "17", 2);
    CHECK(jvm_build_parse((struct str){longest, sizeof longest}, &b));
    CHECK_INT(strlen(b.text), JVM_VERSION_MAX - 1);
    CHECK_INT(strchr(b.text, '\n') != NULL, 0);
    CHECK(jvm_build_parse(STR("99999999999999999999"), &b));
}

static void reads_a_release_file(void)
{
    struct jvm_build b = {0};
    CHECK(jvm_build_of_release(
        STR("IMPLEMENTOR=\"Debian\"\nJAVA_RUNTIME_VERSION=\"28-ea+18-1-Debian\"\nJAVA_VERSION=\"28\"\n"), &b));
    CHECK_INT(b.major, 28);
    CHECK(b.early);
    CHECK(jvm_build_of_release(STR("JAVA_VERSION=\"1.8.0_252\"\nOS_NAME=\"Linux\"\n"), &b));
    CHECK_STR(b.vendor, "");
    CHECK(jvm_build_of_release(STR("IMPLEMENTOR=\"Azul\x1b Systems\"\nJAVA_VERSION=\"17.0.1\"\n"), &b));
    CHECK_STR(b.vendor, "Azul? Systems");
    CHECK(jvm_build_of_release(STR("JAVA_VERSION=\"1.8.0_252\"\nOS_NAME=\"Linux\"\n"), &b));
    CHECK_INT(b.major, 8);
    CHECK_INT(b.update, 252);
    CHECK(!jvm_build_of_release(STR("JAVA_VERSION=17\nXJAVA_VERSION=\"17\""), &b));
    CHECK(!jvm_build_of_release(STR(""), &b));
}

static void finds_the_version_in_libjvm(void)
{
    struct jvm_build b = {0};
    CHECK(jvm_build_of_libjvm(STR("\0garbage) for linux-\0OpenJDK 64-Bit Server VM (17.0.15+6-Debian-1deb12u1) for "
                                  "linux-amd64 JRE (17.0.15+6-Debian-1deb12u1), built on May  1 2025"),
                              &b));
    CHECK_STR(b.text, "17.0.15+6-Debian-1deb12u1");
    CHECK(jvm_build_of_libjvm(STR("OpenJDK 64-Bit Server VM (25.504-b01) for linux-amd64 JRE (1.8.0_504"), &b));
    CHECK_INT(b.major, 8);
    CHECK(!jvm_build_of_libjvm(STR("Server VM (17) for windows-amd64"), &b));
    CHECK(!jvm_build_of_libjvm(STR(") for linux-"), &b));
    CHECK(!jvm_build_of_libjvm((struct str){NULL, 0}, &b));
}

static void knows_the_profilers_version(void)
{
    CHECK_INT(asprof_version_of(STR("x\0async-profiler 4.6\0")), 4006);
    CHECK_INT(asprof_version_of(STR("async-profiler 4async-profiler.j async-profiler 4.5")), 4005);
    CHECK_INT(asprof_version_of(STR("libasyncProfiler")), 0);
}

static struct jvm_build build(const char *text)
{
    struct jvm_build b = {0};
    (void)!jvm_build_parse(str_of(text), &b);
    return b;
}

static int check(const char *text, unsigned profiler, bool untested, struct err *err)
{
    struct jvm_build b = build(text);
    *err = (struct err){0};
    return jvm_build_check(&b, profiler, untested, err);
}

static void newer_versions_are_refused_unless_wanted(void)
{
    struct err err;
    static const char *const tested[] = {"25.212-b10", "11.0.33", "17.0.15+6", "21",
                                         "25.0.2",     "26.0.2",  "27.0.1",    "18"};
    for (size_t i = 0; i < sizeof tested / sizeof tested[0]; i++)
        CHECK_INT(check(tested[i], 4006, false, &err), 0);
    CHECK_INT(check("29+3", 4006, false, &err), -ENOTSUP);
    CHECK_HAS(err.text, "version 29+3, newer than the tested versions (up to 27)");
    CHECK_HAS(err.text, "untested_versions = true");
    CHECK_INT(check("29+3", 4006, true, &err), 0);
    CHECK_INT(check("24.51-b03", 4006, false, &err), -ENOTSUP);
    CHECK_INT(check("", 4006, false, &err), -ENOTSUP);
    CHECK_HAS(err.text, "version cannot be read");
    CHECK_INT(check("", 4006, true, &err), 0);
}

static void known_bad_builds_are_refused_even_then(void)
{
    struct err err;
    CHECK_INT(check("28-ea+18-1-Debian", 4006, true, &err), -ENOTSUP);
    CHECK_HAS(err.text, "VM::loadAllMethodIDs");
    CHECK_HAS(err.text, "28-ea+18-1-Debian");
    CHECK_INT(check("28-ea+18-1-Debian", 4005, true, &err), 0); /* 4.5 is fine there */
    CHECK_INT(check("28-ea+18-1-Debian", 4005, false, &err), -ENOTSUP);
    CHECK_INT(check("28+30", 4006, true, &err), 0);
}

static void some_options_are_not_for_some_builds(void)
{
    struct jvm_build b = build("17.0.9+9");
    CHECK_HAS(jvm_build_forbids(&b, STR("live"), STR("")), "JDK-8313816");
    CHECK(!jvm_build_forbids(&b, STR("alloc"), STR("512k")));
    CHECK(!jvm_build_forbids(&b, STR("features"), STR("stats")));
    b = build("17.0.11+9");
    CHECK(!jvm_build_forbids(&b, STR("live"), STR("")));
    b = build("25.302-b08");
    CHECK_HAS(jvm_build_forbids(&b, STR("features"), STR("stats+agct")), "JDK-8283849");
    b = build("25.352-b08");
    CHECK(!jvm_build_forbids(&b, STR("features"), STR("stats+agct")));
    b = build("");
    CHECK(!jvm_build_forbids(&b, STR("live"), STR("")));
}

int main(void)
{
    RUN(reads_versions_of_all_ages);
    RUN(refuses_what_is_no_version);
    RUN(reads_a_release_file);
    RUN(finds_the_version_in_libjvm);
    RUN(knows_the_profilers_version);
    RUN(newer_versions_are_refused_unless_wanted);
    RUN(known_bad_builds_are_refused_even_then);
    RUN(some_options_are_not_for_some_builds);
    return REPORT();
}
